"""Messages of small random graphs, as the networks' modules take them."""

from types import SimpleNamespace

import numpy as np
import torch
from scipy import sparse

CONVOLUTIONS = ("gcn", "sage", "gat", "gin")


def draw_adjacency(n, density=0.4, *, directed=True, seed=0):
    """Draw weights of edges from rows to columns, one node without any."""
    rng = np.random.RandomState(seed)
    weights = rng.uniform(0.5, 2, (n, n)) * (rng.uniform(size=(n, n)) < density)
    weights[0] = weights[:, 0] = 0
    return weights if directed else weights + weights.T


def make_matrix(adjacency, conv):
    """Dense matrix of a convolution's messages, a row a receiver."""
    heard = adjacency.T
    if conv in ("gcn", "gat"):
        heard = heard + np.eye(len(heard))
    degrees = heard.sum(1)
    if conv == "gcn":
        return heard / np.sqrt(np.outer(degrees, degrees))
    if conv == "sage":
        return heard / np.where(degrees == 0, 1, degrees)[:, None]
    return heard


def make_messages(matrix, dtype=torch.float64, own=None):
    """Messages of a dense matrix."""
    rows = sparse.csr_array(matrix)
    entries = np.arange(1, rows.nnz + 1)
    numbers = sparse.csr_array((entries, rows.indices, rows.indptr), rows.shape)
    turned = sparse.csr_array(numbers.T.tocsr())
    order = turned.data - 1
    messages = _gather(rows, rows.data, dtype)
    messages.backward = _gather(turned, rows.data[order], dtype)
    messages.backward.backward = messages
    messages.order = torch.from_numpy(order)
    messages.own = own if own is None else torch.as_tensor(own)
    return messages


def _gather(rows, weights, dtype):
    return SimpleNamespace(
        starts=torch.from_numpy(rows.indptr.astype(np.int64)),
        sources=torch.from_numpy(rows.indices.astype(np.int64)),
        weights=torch.tensor(weights, dtype=dtype),
        shape=rows.shape,
    )


def make_graph(n, conv, dtype=torch.float64, **parameters):
    """Messages of a random graph of `n` nodes, and their dense matrix."""
    matrix = make_matrix(draw_adjacency(n, **parameters), conv)
    return make_messages(matrix, dtype), matrix
