"""Graphs of either kind that users have."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from sknn.data._graph import Graph
from sknn.data._graph_networkx import is_networkx


def is_graph(X):
    """Whether it is a `Graph`, or a graph of networkx."""
    return isinstance(X, Graph) or is_networkx(X)


def holds_graphs(X):
    """Whether it is a list of graphs, or an array or series of them.

    What else is among them is found where they are read.

    Raises
    ------
    ValueError
        For iterators, which can be gone through only once.
    """
    if isinstance(X, Iterator):
        raise ValueError(
            f"X must be a list, which can be gone through again: got {X!r}."
        )
    is_one = not np.iterable(X) or is_graph(X) or sparse.issparse(X)
    dtype = getattr(X, "dtype", None)
    if is_one or (isinstance(dtype, np.dtype) and not dtype.hasobject):
        return False
    return any(is_graph(entry) for entry in X)


def as_graph(X, name="X"):
    """A graph of either kind as a `Graph`.

    Parameters
    ----------
    X : Graph or networkx graph
        Of networkx' nodes the attribute "x" holds features and "y" targets, of its
        edges "weight" weights, where they have these.
    name : str
        Named in an error.

    Raises
    ------
    ValueError
        For anything else, and for graphs of networkx that cannot be read.
    """
    if isinstance(X, Graph):
        return X
    if not is_networkx(X):
        raise ValueError(
            f"{name} must be a sknn.Graph or a graph of networkx: got "
            f"{type(X).__name__}."
        )
    try:
        return Graph.from_networkx(X)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def refuse_other_order(y, graph):
    """Refuse targets that are indexed by the nodes' names in another order.

    Numbers may be positions as well as names, and are not compared.

    Parameters
    ----------
    y : array-like
        Targets; only an index, as pandas has it, is looked at.
    graph : Graph
        Has the names.

    Raises
    ------
    ValueError
        Naming the first entry that is out of order.
    """
    names, index = graph.node_names, getattr(y, "index", None)
    if names is None or not hasattr(index, "tolist") or len(index) != len(names):
        return
    found, names = index.tolist(), names.tolist()
    if isinstance(names[0], int) or found == names or set(found) != set(names):
        return
    k = next(k for k in range(len(names)) if found[k] != names[k])
    raise ValueError(
        f"y must be in the order of the nodes: its entry {k} is that of {found[k]!r}, "
        f"and the node is {names[k]!r}. Use y.loc[graph.node_names]."
    )
