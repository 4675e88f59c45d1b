"""Graphs of either kind that users have."""

from sknn.data._graph import Graph
from sknn.data._graph_networkx import is_networkx


def is_graph(X):
    """Whether it is a `Graph`, or a graph of networkx."""
    return isinstance(X, Graph) or is_networkx(X)


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
