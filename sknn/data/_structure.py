"""What the edges alone say of each node."""

from itertools import pairwise

import numpy as np
from scipy import sparse

MOST_PATHS = 1 << 22
"""Entries of a product of sparse matrices that are in memory at once, at most."""


def structural_features(graph):
    """Features of nodes that follow from the edges.

    Neighbours are those of the graph without weights, directions and edges from a node
    to itself. Renumbering the nodes permutes the rows.

    Parameters
    ----------
    graph : Graph
        With features or without.

    Returns
    -------
    ndarray of shape (n_nodes, 5), float64
        1; log(1 + weighted in-degree); log(1 + weighted out-degree); the share of the
        pairs of neighbours that are neighbours themselves (local clustering
        coefficient), 0 with less than two; the mean of the neighbours' second column,
        0 without any.
    """
    adjacency, n = graph.adjacency, graph.n_nodes
    senders = np.repeat(np.arange(n), np.diff(adjacency.indptr))
    receivers = adjacency.indices.astype(np.int64)
    heard = np.log1p(np.bincount(receivers, adjacency.data, n))
    sent = np.log1p(np.bincount(senders, adjacency.data, n))
    nodes, neighbours = _find_neighbours(senders, receivers, n, graph.is_directed)
    degrees = np.bincount(nodes, minlength=n)
    sums = np.bincount(nodes, heard[neighbours], n)
    pairs = degrees * (degrees - 1) / 2
    triangles = count_triangles(nodes, neighbours, degrees)
    clustering = triangles / np.maximum(pairs, 1)
    means = sums / np.maximum(degrees, 1)
    return np.stack([np.ones(n), heard, sent, clustering, means], axis=1)


def _find_neighbours(senders, receivers, n, is_directed):
    """Pairs of neighbours in both orders, each once, sorted."""
    if is_directed:
        both = np.concatenate([senders * n + receivers, receivers * n + senders])
        senders, receivers = np.divmod(np.unique(both), n)
    is_no_loop = senders != receivers
    return senders[is_no_loop], receivers[is_no_loop]


def count_triangles(nodes, neighbours, degrees):
    """Triangles that each node is a corner of.

    Parameters
    ----------
    nodes, neighbours : ndarray of shape (n_pairs,), int64
        Pairs of neighbours in both orders, each once.
    degrees : ndarray of shape (n,)
        Neighbours of each node.

    Returns
    -------
    ndarray of shape (n,)
    """
    n = len(degrees)
    if n <= 128:  # a dense product is done before a sparse one has begun
        dense = np.zeros((n, n))
        dense[nodes, neighbours] = 1
        return np.einsum("ij,ij->i", dense @ dense, dense) / 2
    # Edges go from few neighbours to many: no node has more than sqrt(2 n_edges) of
    # these, whatever hubs there are, and is the first, second or last of three corners.
    order = np.lexsort((np.arange(n), degrees))
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    rows, columns = rank[nodes], rank[neighbours]
    upward = rows < columns
    edges = (rows[upward], columns[upward])
    upper = sparse.csr_array((np.ones(len(edges[0]), np.int32), edges), shape=(n, n))
    upper.sort_indices()
    outer = _closed_paths(upper, upper)  # by first and last corner
    inner = _closed_paths(upper.T.tocsr(), upper)  # by second and last
    return (outer.sum(1) + inner.sum(1) + inner.sum(0))[rank]


def _closed_paths(left, upper):
    """Paths over `left`, then `upper`, counted where `upper` has an entry."""
    ends = np.diff(upper.indptr)
    paths = np.append(0, np.cumsum(ends[left.indices], dtype=np.int64))[left.indptr]
    cuts = np.searchsorted(paths, np.arange(MOST_PATHS, paths[-1], MOST_PATHS))
    cuts = np.unique([0, *cuts, left.shape[0]]).tolist()
    parts = [
        (left[start:stop] @ upper).multiply(upper[start:stop])
        for start, stop in pairwise(cuts)
    ]
    return sparse.vstack(parts, format="csr")
