"""Graphs of networkx, read and made."""

from numbers import Real
from reprlib import repr as short_repr

import numpy as np

from sknn.data._adjacency import decide_directed, make_adjacency
from sknn.data._graph_reading import check_directed, read_targets

MISSING = object()


def is_networkx(graph):
    """Whether it behaves like a graph of networkx, which need not be installed."""
    return hasattr(graph, "adjacency") and hasattr(graph, "is_multigraph")


def read_networkx(graph, weight="weight", directed=None):
    """Adjacency of a networkx graph.

    Parameters
    ----------
    graph : networkx graph
        Of any of the four kinds.
    weight : str or None
        Attribute of edges; None ignores it.
    directed : bool, optional
        What the user says; None is what the graph says.

    Returns
    -------
    adjacency : csr_array of shape (n_nodes, n_nodes), float64
    is_directed : bool
    node_names : ndarray of shape (n_nodes,), object
        Its nodes, in its order.
    """
    check_directed(directed)
    names = np.fromiter(graph, dtype=object, count=len(graph))
    if not len(names):
        raise ValueError("A graph must have at least one node: got 0 nodes.")
    place = {name: i for i, name in enumerate(names)}
    edges = list(graph.edges(data=weight))
    pairs = [(place[first], place[second]) for first, second, _ in edges]
    pairs = np.array(pairs, np.int64).reshape(-1, 2)
    weights = _read_edge_attribute(edges, weight)
    adjacency = make_adjacency(pairs, weights, len(names), graph.is_directed())
    if directed is None or not graph.is_directed():
        return adjacency, bool(directed) or graph.is_directed(), names
    return adjacency, decide_directed(adjacency, directed), names


def _read_edge_attribute(edges, weight):
    """Weights of edges, 1 for those without; None where all are without."""
    values = [value for _, _, value in edges]
    if all(value is None for value in values):
        if values and weight not in (None, "weight"):
            raise ValueError(
                f"weight must be an attribute of edges: got {weight!r}, and no edge "
                "has it."
            )
        return None
    for first, second, value in edges:
        is_right = value is None or (isinstance(value, Real) and 0 <= value < np.inf)
        if not is_right:
            raise ValueError(
                "Weights of edges must be finite numbers >= 0: the edge from "
                f"{first!r} to {second!r} has {weight}={value!r}."
            )
    return np.array([1 if value is None else value for value in values], np.float64)


def read_node_features(graph, features):
    """Features of nodes, from their attributes.

    Parameters
    ----------
    graph : networkx graph
        With one node or more.
    features : str, list of str, or None
        An attribute that holds a number or numbers, equally many a node; or
        attributes that hold a number each.

    Returns
    -------
    ndarray of shape (n_nodes, n_features), or None
        None for None, and where no node has an attribute "x", the default.

    Raises
    ------
    ValueError
        Naming the first node whose attribute is missing or wrong.
    """
    if features is None:
        return None
    if isinstance(features, list | tuple):
        columns = [_read_attribute(graph, name, "features") for name in features]
        if not columns:
            raise ValueError("features must have at least one name: got [].")
        for name, column in zip(features, columns, strict=True):
            _check_shapes(graph, column, name, ())
        return np.array(columns, np.float64).T
    values = _read_attribute(graph, features, "features", default="x")
    if values is None:
        return None
    _check_shapes(graph, values, features, np.shape(values[0]))
    return np.array(values).reshape(len(values), -1)


def has_features(graph):
    """Whether all nodes have an attribute "x"."""
    return all("x" in attributes for _, attributes in graph.nodes(data=True))


def _read_attribute(graph, name, parameter, default=None):
    """An attribute of all nodes; None where no node has it, and it is the default."""
    values = [value for _, value in graph.nodes(data=name, default=MISSING)]
    is_missing = [value is MISSING for value in values]
    if all(is_missing) and name == default:
        return None
    if any(is_missing):
        node = list(graph)[is_missing.index(True)]
        raise ValueError(
            f"{parameter} must be attributes of all nodes: node {node!r} has no "
            f"{name!r}, but {short_repr(list(graph.nodes[node]))}."
        )
    return values


def _check_shapes(graph, values, name, shape):
    """Name the first node whose attribute holds no numbers, or not as many."""
    for node, value in zip(graph, values, strict=True):
        is_right = np.shape(value) == shape and len(shape) <= 1
        if not is_right or np.asarray(value).dtype.kind not in "biuf":
            expected = "a number" if shape == () else f"numbers of one shape, {shape}"
            raise ValueError(
                f"Attribute {name!r} of each node must hold {expected}: node {node!r} "
                f"has {short_repr(value)}."
            )


def read_node_targets(graph, target):
    """Targets of nodes, from their attributes.

    Parameters
    ----------
    graph : networkx graph
        With one node or more.
    target : str or None
        Attribute of nodes.

    Returns
    -------
    ndarray or None
        Where some nodes have no such attribute, numbers have NaN there and anything
        else None. None for None, and where no node has "y", the default.
    """
    if target is None:
        return None
    values = [value for _, value in graph.nodes(data=target, default=MISSING)]
    known = [value for value in values if value is not MISSING]
    if not known and target == "y":
        return None
    if not known:
        raise ValueError(
            f"target must be an attribute of nodes: got {target!r}, and no node has it."
        )
    y = read_targets(known, len(known))
    if len(known) == len(values):
        return y
    is_number = y.dtype.kind in "iuf"
    full = np.full((len(values), *y.shape[1:]), np.nan if is_number else None)
    full[[value is not MISSING for value in values]] = y
    return full


def make_networkx(graph):
    """Graph of networkx with the nodes, edges and weights of another.

    Parameters
    ----------
    graph : Graph
        Its `node_names` are the keys, or the positions of its nodes if it has none.

    Returns
    -------
    networkx.Graph or networkx.DiGraph
    """
    import networkx

    matrix = graph.adjacency.tocoo()
    rows, columns, weights = matrix.row, matrix.col, matrix.data
    if not graph.is_directed:
        once = rows <= columns
        rows, columns, weights = rows[once], columns[once], weights[once]
    names = graph.node_names
    names = list(range(graph.n_nodes)) if names is None else names.tolist()
    made = networkx.DiGraph() if graph.is_directed else networkx.Graph()
    made.add_nodes_from(names)
    made.add_weighted_edges_from(
        (names[i], names[j], weight)
        for i, j, weight in zip(
            rows.tolist(), columns.tolist(), weights.tolist(), strict=True
        )
    )
    return made
