"""Features, targets and edges of a graph as users pass them, checked."""

from numbers import Integral, Real
from reprlib import repr as short_repr

import numpy as np
from scipy import sparse

from sknn.data._adjacency import (
    EDGES,
    decide_directed,
    make_adjacency,
    read_dense,
    read_sparse,
)
from sknn.data._unlabelled import refuse_words


def read_features(X):
    """Copy of the features of nodes.

    Parameters
    ----------
    X : array-like of shape (n_nodes, n_features)
        Numbers: float32 and float64 stay what they are, others become float64.

    Returns
    -------
    ndarray of shape (n_nodes, n_features)
        Its memory is contiguous and its own.

    Raises
    ------
    TypeError
        For what holds no numbers, and for sparse matrices.
    ValueError
        For another shape, NaN or infinity, with its place.
    """
    if sparse.issparse(X):
        raise TypeError("X must be dense: got a sparse matrix. Pass X.toarray().")
    array = as_numbers(X, "X")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            "X must be of shape (n_nodes, n_features), one row a node and neither of "
            f"them 0: got shape {array.shape}. X=None is for nodes without features."
        )
    keeps = array.dtype == np.float32 or array.dtype == np.float64
    X = np.array(array, array.dtype if keeps else np.float64, order="C")
    if not np.isfinite(X).all():
        i, j = np.argwhere(~np.isfinite(X))[0].tolist()
        raise ValueError(f"X must be finite: X[{i}, {j}] is {X[i, j]}.")
    return X


def read_targets(y, n_nodes):
    """Copy of the targets of nodes, whatever they are.

    Parameters
    ----------
    y : array-like of shape (n_nodes,) or (n_nodes, n_outputs), or None
        Labels or numbers. Strings become objects, so that a copy may have None. An
        array of strings must not have such as None and NaN become among words.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    ndarray or None

    Raises
    ------
    ValueError
        For another shape, and for words that were None or NaN.
    """
    if y is None:
        return None
    try:
        array = np.array(np.asarray(y) if hasattr(y, "__array__") else y)
    except ValueError as error:
        raise ValueError("y must have equally long rows, one a node.") from error
    if array.dtype.kind == "U" and hasattr(y, "__array__"):
        refuse_words(array)
    if array.dtype.kind in "US":  # in which None would be a word
        array = np.array(y, dtype=object)
    if array.ndim not in (1, 2):
        raise ValueError(
            "y must be of shape (n_nodes,) or (n_nodes, n_outputs): got "
            f"{short_repr(y)} ({type(y).__name__}), of shape {array.shape}."
        )
    if len(array) != n_nodes:
        raise ValueError(
            f"y must have one entry a node: got {len(array)} for {n_nodes} nodes."
        )
    return array


def count_nodes(X, n_nodes):
    """Number of nodes that features or `n_nodes` say, or None.

    Parameters
    ----------
    X : ndarray of shape (n_nodes, n_features), or None
        Features.
    n_nodes : int or None
        What the user says.
    """
    if n_nodes is None:
        return None if X is None else len(X)
    is_int = isinstance(n_nodes, Integral) and not isinstance(n_nodes, bool)
    if not is_int or n_nodes < 1:
        raise ValueError(f"n_nodes must be an int >= 1: got {n_nodes!r}.")
    if X is not None and len(X) != n_nodes:
        raise ValueError(
            f"n_nodes must be the number of X's rows, {len(X)}: got {n_nodes}."
        )
    return int(n_nodes)


def read_adjacency(given, edge_weight=None, n_nodes=None, directed=None):
    """Adjacency of what the user passes for edges.

    Parameters
    ----------
    given : array-like or sparse matrix
        Edges of shape (n_edges, 2), or an adjacency of shape (n_nodes, n_nodes).
    edge_weight : array-like of shape (n_edges,), optional
        Weights of a list of edges.
    n_nodes : int, optional
        Number of nodes, if it is known.
    directed : bool, optional
        What the user says of directions.

    Returns
    -------
    adjacency : csr_array of shape (n_nodes, n_nodes), float64
        Without duplicates and zeros, its indices sorted; its memory is its own.
    is_directed : bool
        Whether edges have directions.

    Raises
    ------
    TypeError
        For what is no array.
    ValueError
        Naming the first edge, weight or entry that breaks a rule.
    """
    check_directed(directed)
    if not sparse.issparse(given):
        given = _as_edges(given)
        if not _is_adjacency(given, edge_weight is not None, n_nodes):
            pairs, n_nodes = _check_pairs(given, n_nodes)
            weights = _read_weights(edge_weight, len(pairs))
            directed = bool(directed)
            return make_adjacency(pairs, weights, n_nodes, directed), directed
    refuse_weights(edge_weight, "an adjacency")
    _check_square(given.shape, n_nodes)
    adjacency = (read_sparse if sparse.issparse(given) else read_dense)(given)
    return adjacency, decide_directed(adjacency, directed)


def read_matrix(adjacency):
    """Adjacency of a matrix, which is not taken for edges.

    Parameters
    ----------
    adjacency : array-like, DataFrame or sparse matrix of shape (n_nodes, n_nodes)
        Weights of the edges, from rows to columns.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes), float64
        Without duplicates and zeros, its indices sorted; its memory is its own.

    Raises
    ------
    TypeError
        For a sparse matrix of something else than numbers.
    ValueError
        For what is no such matrix, with its first wrong entry. The matrix is called
        "it": the caller knows its name.
    """
    is_sparse = sparse.issparse(adjacency)
    given = adjacency if is_sparse else np.asarray(adjacency)
    if given.ndim != 2 or not (is_sparse or given.dtype.kind in "biuf"):
        raise ValueError(
            "it must be None, a Graph, or numbers of shape (n_nodes, n_nodes): got "
            f"{short_repr(adjacency)}."
        )
    if given.shape[0] != given.shape[1] or not given.shape[0]:
        raise ValueError(
            "it must be square, one row and column a node, of which there is at least "
            f"one: got shape {given.shape}."
        )
    if is_sparse:
        return read_sparse(given, "it")
    refuse_other_order(adjacency, "it")
    return read_dense(given, "it")


def check_directed(directed):
    """Refuse what is neither None nor a bool."""
    if directed is not None and not isinstance(directed, bool | np.bool_):
        raise ValueError(f"directed must be True, False or None: got {directed!r}.")


def refuse_weights(edge_weight, of):
    """Refuse weights beside what has its own."""
    if edge_weight is not None:
        raise ValueError(
            f"edge_weight must be None for {of}, which has its own weights: got "
            f"{short_repr(edge_weight)}."
        )


def as_numbers(values, name):
    """Array of bools, ints or floats."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be an array of numbers: got {short_repr(values)}."
        ) from error
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must hold numbers: got {short_repr(values)} "
            f"({array.dtype.name if array.ndim else type(values).__name__})."
        )
    return array


def _as_edges(given):
    """Array of what may be edges or an adjacency."""
    if given is None or isinstance(given, str | bytes | dict):
        raise TypeError(
            f"{EDGES} must be a list or array of edges, an adjacency or a networkx "
            f"graph: got {short_repr(given)}. A graph without edges has []."
        )
    is_array = isinstance(given, list | tuple) or hasattr(given, "__array__")
    if not is_array and hasattr(given, "__iter__"):
        given = list(given)  # sets, zip, the edges of a networkx graph
    try:
        array = as_numbers(given, EDGES)
    except (TypeError, ValueError) as error:
        _refuse_edges(given, error)
        raise
    refuse_other_order(given)
    return np.empty((0, 2), np.int64) if array.shape == (0,) else array


def _refuse_edges(given, error):
    """Name the first edge that is no pair of numbers."""
    try:
        array = np.asarray(given, dtype=object)
    except ValueError:  # arrays of shapes that numpy cannot put together
        return
    if array.ndim == 0 or (array.ndim > 1 and array.shape[1:] != (2,)):
        return
    for i, edge in enumerate(array):
        edge = tuple(edge) if isinstance(edge, list | np.ndarray) else edge
        is_pair = isinstance(edge, tuple) and len(edge) == 2
        if not is_pair or not all(isinstance(node, Real) for node in edge):
            raise ValueError(
                f"{EDGES} must hold pairs of whole numbers, the positions of nodes: "
                f"edge {i} is {short_repr(edge)}. Nodes that have names are read from "
                "a networkx graph."
            ) from error


def refuse_other_order(given, name=EDGES):
    """Refuse a table whose columns are its rows in another order.

    Parameters
    ----------
    given : DataFrame or any other object
        What only tables have is looked at.
    name : str
        Named in an error.
    """
    is_table = hasattr(given, "columns") and hasattr(given, "index")
    if not is_table or len(given.index) != len(given.columns):
        return
    rows, columns = list(given.index), list(given.columns)
    if rows != columns and set(rows) == set(columns):
        raise ValueError(
            f"{name} must have its columns in the order of its rows: got "
            f"{short_repr(columns)} for {short_repr(rows)}."
        )


def _is_adjacency(array, has_weights, n_nodes):
    """Whether an array is an adjacency rather than edges."""
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        return False
    if array.shape != (2, 2):
        return True
    if n_nodes != 2 or has_weights or array.tolist() == [[0, 1], [1, 0]]:
        return False  # the last is the same graph either way
    if not np.isin(array, (0, 1)).all():
        return True
    raise ValueError(
        f"{EDGES} must be told apart where there are two nodes: got "
        f"{array.tolist()}, two edges or an adjacency. A scipy sparse matrix is always "
        "an adjacency; edges with edge_weight are always edges."
    )


def _check_square(shape, n_nodes):
    """Check the shape of an adjacency."""
    if len(shape) != 2 or shape[0] != shape[1] or n_nodes not in (None, shape[0]):
        expected = "square" if n_nodes is None else f"of shape {(n_nodes, n_nodes)}"
        raise ValueError(
            f"{EDGES} must be {expected}, one row and column a node, if it is an "
            f"adjacency, and of shape (n_edges, 2) if not: got shape {tuple(shape)}."
        )
    if shape[0] == 0:
        raise ValueError(f"{EDGES} must have at least one node: got shape {shape}.")


def _check_pairs(array, n_nodes):
    """Edges as int64, and the number of nodes."""
    if array.ndim != 2 or array.shape[1] != 2:
        hint = ""
        if array.ndim == 2 and array.shape[0] == 2:
            hint = " Edges that are columns are transposed by .T."
        elif array.ndim == 2 and array.shape[1] == 3:
            hint = " Weights are passed as edge_weight."
        raise ValueError(
            f"{EDGES} must be edges of shape (n_edges, 2) or a square adjacency: got "
            f"shape {array.shape}.{hint}"
        )
    if array.dtype.kind == "f":
        whole = np.isfinite(array) & (np.trunc(array) == array)
        _refuse_edge(array, ~whole, "hold whole numbers, the positions of nodes")
    if n_nodes is None:
        if not len(array):
            raise ValueError("n_nodes must be given where there are no X and no edges.")
        n_nodes = int(array.max()) + 1
    if len(array) and (array.min() < 0 or array.max() >= n_nodes):
        rule = f"hold positions of nodes, from 0 to {max(n_nodes, 1) - 1}"
        _refuse_edge(array, (array < 0) | (array >= n_nodes), rule)
    return array.astype(np.int64, copy=False), n_nodes


def _refuse_edge(array, is_wrong, rule):
    """Name the first edge that breaks a rule, if one does."""
    if is_wrong.any():
        i = int(is_wrong.any(axis=1).argmax())
        edge = tuple(array[i].tolist())
        raise ValueError(f"{EDGES} must {rule}: edge {i} is {edge}.")


def _read_weights(edge_weight, n_edges):
    """Weights of edges as float64, or None."""
    if edge_weight is None:
        return None
    weights = as_numbers(edge_weight, "edge_weight")
    if weights.shape != (n_edges,):
        raise ValueError(
            f"edge_weight must have one weight an edge, shape {(n_edges,)}: got shape "
            f"{weights.shape}."
        )
    weights = weights.astype(np.float64)
    is_right = (weights >= 0) & (weights < np.inf)
    if not is_right.all():
        i = int(is_right.argmin())
        raise ValueError(
            f"edge_weight must be finite and >= 0: edge_weight[{i}] is {weights[i]}."
        )
    return weights
