"""A graph as `Nodes` and `Graphs` need one."""

import numpy as np
from scipy import sparse

from sknn.data import Messages, make_message_matrix


class Graph:
    def __init__(self, X, adjacency):
        self.X, self.adjacency = X, sparse.csr_array(adjacency, dtype=np.float64)
        self.adjacency.sort_indices()
        for name in ("data", "indices", "indptr"):
            getattr(self.adjacency, name).flags.writeable = False
        self.n_nodes = self.adjacency.shape[0]
        self.n_features = 0 if X is None else X.shape[1]
        self.is_directed = (self.adjacency != self.adjacency.T).nnz > 0
        self._kept = {}

    def _messages(self, conv, dtype):
        key = conv, np.dtype(dtype)
        if key not in self._kept:
            symmetric = not self.is_directed
            matrix = make_message_matrix(self.adjacency, conv, symmetric)
            symmetric = symmetric and conv != "sage"
            self._kept[key] = Messages.from_csr(matrix, dtype, symmetric=symmetric)
        return self._kept[key]


def make_adjacency(n_nodes, n_edges, rng, *, directed=False, weighted=False):
    """Draw a dense adjacency with own loops; the last node is isolated."""
    A = np.zeros((n_nodes, n_nodes))
    ends = rng.randint(0, max(n_nodes - 1, 1), (2, n_edges))
    A[tuple(ends)] = rng.uniform(0.2, 3, n_edges) if weighted else 1
    A = A if directed else np.maximum(A, A.T)
    if n_nodes > 1:
        A[0, 0] = 2 if weighted else 1
    return A


def as_dense(messages):
    """Matrix by a loop over its rows."""
    found = np.zeros(messages.shape)
    starts, sources = messages.starts.tolist(), messages.sources.tolist()
    weights = messages.weights.double().tolist()
    for i in range(messages.shape[0]):
        for e in range(starts[i], starts[i + 1]):
            found[i, sources[e]] += weights[e]
    return found


def message_matrix(A, conv):
    """Dense matrix by the formulas, for a dense adjacency."""
    M = A.T + np.eye(len(A)) if conv in ("gcn", "gat") else A.T.copy()
    degrees = M.sum(axis=1)
    if conv == "gcn":
        return np.diag(degrees**-0.5) @ M @ np.diag(degrees**-0.5)
    if conv == "sage":
        return M / np.where(degrees == 0, 1, degrees)[:, None]
    return M
