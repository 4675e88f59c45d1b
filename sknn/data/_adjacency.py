"""Adjacency matrices in one form, whatever they are made of."""

import numpy as np
from scipy import sparse

EDGES = "edges_or_adjacency"


def make_adjacency(pairs, weights, n_nodes, directed):
    """Adjacency of edges.

    Parameters
    ----------
    pairs : ndarray of shape (n_edges, 2), int64
        Positions of nodes.
    weights : ndarray of shape (n_edges,), float64, or None
        Finite and >= 0; those of an edge that is repeated are added. Without, each
        edge has weight 1, however often it comes.
    n_nodes : int
        Number of nodes.
    directed : bool
        Whether the second of two nodes is no neighbour of the first; if not, an edge
        may come in either direction, and is made to go in both.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes), float64
    """
    if weights is not None and not weights.all():
        pairs, weights = pairs[weights > 0], weights[weights > 0]
    first, second = pairs[:, 0], pairs[:, 1]
    if not directed and weights is not None:
        first, second, weights = _mirror(first, second, weights, n_nodes)
    entries = first * n_nodes + second
    if not directed and weights is None:
        entries = np.concatenate([entries, second * n_nodes + first])
    entries, weights = _merge(entries, weights)
    rows = np.arange(n_nodes + 1, dtype=np.int64) * n_nodes
    data = np.ones(len(entries)) if weights is None else weights
    adjacency = make_csr(data, entries % n_nodes, entries.searchsorted(rows))
    return adjacency if weights is None else check_entries(adjacency)


def _mirror(first, second, weights, n_nodes):
    """Edges in both directions, added up before: symmetric to the last bit."""
    first, second = np.minimum(first, second), np.maximum(first, second)
    entries, weights = _merge(first * n_nodes + second, weights)
    first, second = np.divmod(entries, n_nodes)
    back = first != second  # an edge from a node to itself has one direction
    return (
        np.concatenate([first, second[back]]),
        np.concatenate([second, first[back]]),
        np.concatenate([weights, weights[back]]),
    )


def _merge(entries, weights):
    """Sorted entries, each once, and the sums of their weights."""
    if weights is None:
        entries = np.sort(entries)
    else:
        order = entries.argsort(kind="stable")
        entries, weights = entries[order], weights[order]
    is_new = np.ones(len(entries), bool)
    np.not_equal(entries[1:], entries[:-1], out=is_new[1:])
    if is_new.all():
        return entries, weights
    if weights is not None:
        with np.errstate(over="ignore"):
            weights = np.add.reduceat(weights, is_new.nonzero()[0])
    return entries[is_new], weights


def make_csr(data, indices, indptr):
    """Square matrix of sorted entries, with the smallest type of indices.

    Parameters
    ----------
    data : ndarray of shape (n_entries,)
        Values.
    indices : ndarray of shape (n_entries,)
        Columns, ascending in each row.
    indptr : ndarray of shape (n + 1,)
        Where each row begins.
    """
    n = len(indptr) - 1
    small = max(n, len(indices)) <= np.iinfo(np.int32).max
    dtype = np.int32 if small else np.int64
    places = (indices.astype(dtype, copy=False), indptr.astype(dtype, copy=False))
    matrix = sparse.csr_array((data, *places), shape=(n, n))
    matrix.has_canonical_format = True
    return matrix


def read_dense(array, name=EDGES):
    """Adjacency of an array.

    Parameters
    ----------
    array : ndarray of shape (n, n)
        Weights of the edges, from rows to columns.
    name : str
        Named in an error.
    """
    rows, columns = array.nonzero()
    counts = np.bincount(rows, minlength=len(array))
    data = array[rows, columns].astype(np.float64)
    matrix = make_csr(data, columns, np.append(0, counts.cumsum()))
    return check_entries(matrix, name)


def read_sparse(matrix, name=EDGES):
    """Adjacency of a sparse matrix.

    Parameters
    ----------
    matrix : sparse matrix or array of shape (n, n)
        Of any format, with duplicates and explicit zeros or without.
    name : str
        Named in an error.
    """
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers: got {matrix.dtype.name}.")
    matrix = matrix.astype(np.float64).tocsr()  # the first makes a copy
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return check_entries(make_csr(matrix.data, matrix.indices, matrix.indptr), name)


def check_entries(adjacency, name=EDGES):
    """Name the first entry of an adjacency that is no weight, or give it back.

    Parameters
    ----------
    adjacency : csr_array of shape (n, n)
        Weights of edges.
    name : str
        Named in an error.
    """
    is_right = (adjacency.data >= 0) & (adjacency.data < np.inf)
    if not is_right.all():
        place = int(is_right.argmin())
        row = int(adjacency.indptr.searchsorted(place, "right")) - 1
        raise ValueError(
            f"{name} must have finite weights >= 0: adjacency[{row}, "
            f"{adjacency.indices[place]}] is {adjacency.data[place]}."
        )
    return adjacency


def decide_directed(adjacency, directed=None):
    """Whether edges have directions: what the user says, or whether it is asymmetric.

    Parameters
    ----------
    adjacency : csr_array of shape (n, n)
        Indices sorted.
    directed : bool, optional
        What the user says.
    """
    if directed:
        return True
    other = adjacency.T.tocsr()
    names = ("indptr", "indices", "data")
    if all(np.array_equal(getattr(adjacency, a), getattr(other, a)) for a in names):
        return False
    if directed is None:
        return True
    rows, columns = (adjacency != other).nonzero()
    i, j = int(rows[0]), int(columns[0])
    raise ValueError(
        f"directed must be True or None for an asymmetric adjacency: adjacency[{i}, "
        f"{j}] is {adjacency[i, j]} and adjacency[{j}, {i}] is {adjacency[j, i]}."
    )
