"""Where the nodes of a graph are drawn, which networkx finds."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils import check_random_state

MOST_NAMES = 40  # nodes that are named unless asked for more
MANY_NODES = 1000  # from here on "spring" takes fewer steps, whose cost is quadratic
FEW_STEPS, STEPS = 15, 50
# name -> what its function is told; a weight would be a length to "kamada_kawai"
LAYOUTS = {
    "spring": {"seed", "weight", "iterations"},
    "kamada_kawai": {"weight"},
    "circular": set(),
    "shell": set(),
    "spiral": set(),
    "spectral": {"weight"},
    "planar": set(),
    "random": {"seed"},
}


def import_networkx():
    """Import networkx, or say how to install it."""
    try:
        import networkx
    except ImportError as error:
        raise ImportError(
            "GraphDisplay needs networkx: install it by `pip install sknn[graphs]`."
        ) from error
    return networkx


def place_nodes(network, layout, random_state):
    """Coordinates of all nodes.

    Parameters
    ----------
    network : networkx graph
        With one node or more.
    layout : str, callable, dict or array-like
        What the user passed.
    random_state : int, RandomState instance or None
        For the layouts that begin anywhere.

    Returns
    -------
    ndarray of shape (n_nodes, 2)

    Raises
    ------
    TypeError, ValueError
        For no such layout, one that does not fit the graph, and for coordinates that
        are not two finite numbers a node.
    """
    if isinstance(layout, str):
        found = _place_by_name(network, layout, check_random_state(random_state))
    else:  # the user's function may change what it is given
        found = layout(network.copy()) if callable(layout) else layout
    if isinstance(found, Mapping):
        found = _in_order(found, network)
    return _check_positions(found, len(network))


def choose_names(names, with_labels):
    """What to write at the nodes that are called so, nothing for none."""
    if with_labels is None:
        with_labels = len(names) <= MOST_NAMES
    if isinstance(with_labels, bool | np.bool_):
        return names if with_labels else []
    words = list(with_labels)
    if len(words) != len(names):
        raise ValueError(
            f"with_labels must have an entry for each of the {len(names)} nodes: got "
            f"{len(words)}."
        )
    return words


def _place_by_name(network, layout, random_state):
    """Coordinates by a function of networkx, which sees neither weights nor arrows."""
    if layout not in LAYOUTS:
        raise ValueError(
            f"layout must be one of {sorted(LAYOUTS)}, a function of a networkx graph, "
            f"or coordinates: got {layout!r}."
        )
    networkx = import_networkx()
    steps = STEPS if len(network) <= MANY_NODES else FEW_STEPS
    options = {"seed": random_state, "weight": None, "iterations": steps}
    options = {name: options[name] for name in LAYOUTS[layout]}
    place = getattr(networkx, f"{layout}_layout")
    try:
        return place(network.to_undirected(), **options)
    except networkx.NetworkXException as error:
        raise ValueError(
            f"layout must suit the graph: {layout!r} does not. {error}"
        ) from error


def _in_order(positions, names):
    """Coordinates of a dict in the order of the nodes."""
    for name in names:
        if name not in positions:
            raise ValueError(
                f"layout must place all nodes: {name!r} is not in the dict."
            )
    return [positions[name] for name in names]


def _check_positions(positions, n_nodes):
    try:
        positions = np.array(positions, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "layout must be a name, a function of a networkx graph, or coordinates, "
            f"two numbers a node: got {positions!r}."
        ) from error
    if positions.shape != (n_nodes, 2):
        raise ValueError(
            f"layout must give two coordinates for each node, {(n_nodes, 2)}: got "
            f"the shape {positions.shape}."
        )
    if not np.isfinite(positions).all():
        i = int((~np.isfinite(positions).all(axis=1)).argmax())
        raise ValueError(
            f"layout must give finite coordinates: got {positions[i]} for node {i}."
        )
    return positions
