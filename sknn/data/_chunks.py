"""Inputs of many rows as tensors, a few rows at a time."""

from itertools import pairwise

import numpy as np
from scipy import sparse

from sknn.data._batches import to_tensor
from sknn.data._graphs import Graphs
from sknn.data._nodes import Nodes
from sknn.data._sequences import Sequences

MOST_ROWS = 4096
# entries of inputs of more than one axis: feature maps are many times as large
MOST_ENTRIES = 1 << 18
# steps of padded sequences, or nodes of graphs, each of which has many hidden units
MOST_STEPS = 1 << 14
# nodes of one graph whose outputs are wanted: others compute the same for all of them
MOST_WANTED = 1 << 16


def iter_chunks(X, most_steps=MOST_STEPS):
    """Yield which rows a chunk has, and the rows as tensors.

    Parameters
    ----------
    X : ndarray, MappedRows, Sequences, Graphs, Nodes or CSR matrix (n_rows, ...)
        Inputs.
    most_steps : int
        Steps of a chunk of sequences, padding included, or nodes of one of graphs.

    Yields
    ------
    rows : slice or ndarray of int
        Where the chunk's rows are in `X`.
    x : tensor, or dict of tensors, Messages and lists of these
        What a module takes.
    """
    if isinstance(X, Sequences):
        yield from _iter_sequences(X, most_steps)
        return
    if isinstance(X, Graphs | Nodes):
        for rows in cut_rows(X, most_steps):
            yield rows, X.inputs(rows)
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


def cut_rows(X, most_steps=MOST_STEPS):
    """Slices of rows of a graph or graphs that are computed together.

    Parameters
    ----------
    X : Graphs or Nodes
        Inputs.
    most_steps : int
        Nodes of several graphs; a larger graph comes alone.

    Returns
    -------
    list of slice
    """
    bounds = [0]
    stops = np.cumsum(X.lengths) if isinstance(X, Graphs) else None
    while bounds[-1] < len(X):
        start = bounds[-1]
        if stops is None:
            bounds.append(min(start + MOST_WANTED, len(X)))
        else:
            before = stops[start - 1] if start else 0
            stop = int(np.searchsorted(stops, before + most_steps, "right"))
            bounds.append(max(stop, start + 1))
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def move(x, device):
    """Tensor or `Messages`, or a dict or list of them, on a device."""
    if isinstance(x, dict):
        return {name: move(value, device) for name, value in x.items()}
    if isinstance(x, list):
        return [move(value, device) for value in x]
    return x.to(device)
