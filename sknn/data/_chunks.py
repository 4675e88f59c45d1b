"""Inputs of many rows as tensors, a few rows at a time."""

import numpy as np
from scipy import sparse

from sknn.data._batches import to_tensor
from sknn.data._sequences import Sequences

MOST_ROWS = 4096
# entries of inputs of more than one axis: feature maps are many times as large
MOST_ENTRIES = 1 << 18
# steps of padded sequences, each of which has many hidden units
MOST_STEPS = 1 << 14


def iter_chunks(X, most_steps=MOST_STEPS):
    """Yield which rows a chunk has, and the rows as tensors.

    Parameters
    ----------
    X : ndarray, MappedRows, Sequences or CSR matrix of shape (n_rows, ...)
        Inputs.
    most_steps : int
        Steps of a chunk of sequences, padding included.

    Yields
    ------
    rows : slice or ndarray of int
        Where the chunk's rows are in `X`.
    x : tensor, or dict of tensors
        What a module takes.
    """
    if isinstance(X, Sequences):
        yield from _iter_sequences(X, most_steps)
        return
    n_rows, *shape = X.shape
    chunk = MOST_ROWS
    if len(shape) > 1:
        chunk = min(max(MOST_ENTRIES // int(np.prod(shape)), 1), MOST_ROWS)
    for start in range(0, n_rows, chunk):
        rows = slice(start, min(start + chunk, n_rows))
        part = X[rows]
        yield rows, to_tensor(part.toarray() if sparse.issparse(part) else part)


def _iter_sequences(X, most_steps):
    """Chunks of sequences of like lengths."""
    order, start = np.argsort(X.lengths, kind="stable"), 0
    longest = np.maximum(X.lengths[order], 1)
    while start < len(order):
        # rows are sorted: the last one that fits decides the width of all
        n_steps = longest[start:] * np.arange(1, len(order) - start + 1)
        stop = start + max(int(np.searchsorted(n_steps, most_steps, "right")), 1)
        rows = order[start:stop]
        inputs = {name: to_tensor(value) for name, value in X.inputs(rows).items()}
        yield rows, inputs if len(inputs) > 1 else inputs["x"]
        start = stop


def move(x, device):
    """Tensor, or a dict of them, on a device."""
    if isinstance(x, dict):
        return {name: tensor.to(device) for name, tensor in x.items()}
    return x.to(device)
