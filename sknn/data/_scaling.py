"""Mean and standard deviation of channels, to scale inputs by."""

import numpy as np

from sknn.data._graphs import Graphs
from sknn.data._nodes import Nodes
from sknn.data._rows import Rows
from sknn.data._sequences import Sequences

# entries that are turned into float64 at a time
CHUNK_ENTRIES = 1 << 20


def channel_moments(X, weight=None):
    """Weighted mean and standard deviation of each channel, the last axis.

    Every step, pixel, or node of a graph has its row's weight. Inputs are read a few
    rows at a time, so that what is memory-mapped stays in its file. Nodes of one graph
    have their features known, whoever is a row: all count, each the same.

    Parameters
    ----------
    X : Rows, Sequences, Graphs, Nodes or array of shape (n_rows, ..., n_channels)
        Numbers of any type. `Rows` bring their weights.
    weight : ndarray of shape (n_rows,), optional
        Weight of each row, not all zero; None is one each, or that of the `Rows`.

    Returns
    -------
    mean, std : ndarrays of shape (n_channels,), float64
        The standard deviation is 1 for channels that are constant.
    """
    rows = X if isinstance(X, Rows) else Rows(X)
    if isinstance(rows.arrays[0], Nodes):
        rows, weight = Rows(rows.arrays[0].graph.X), None
    weight = rows.weight if weight is None else weight
    total, mean, spread, origin = 0.0, 0.0, 0.0, None
    for steps, weights in _chunks(rows, weight):
        origin = steps[0].copy() if origin is None else origin
        steps -= origin  # what is constant is zero from here on, exactly
        chunk_total = weights.sum()
        chunk_mean = weights @ steps / chunk_total
        steps -= chunk_mean
        chunk_spread = weights @ np.square(steps, out=steps)
        # Chan, Golub & LeVeque 1983: moments of two parts joined
        shift, total = chunk_mean - mean, total + chunk_total
        mean = mean + shift * (chunk_total / total)
        between = np.square(shift) * (chunk_total * (total - chunk_total) / total)
        spread = spread + chunk_spread + between
    std = np.sqrt(spread / total)
    return mean + origin, np.where(std == 0, 1.0, std)


def channel_bounds(rows):
    """Smallest and largest value of each channel, the last axis, where rows weigh.

    Parameters
    ----------
    rows : Rows
        Numbers of any type, read a few rows at a time.

    Returns
    -------
    low, high : ndarrays of shape (n_channels,), float64
    """
    bounds = [(s.min(axis=0), s.max(axis=0)) for s, _ in _chunks(rows, rows.weight)]
    lows, highs = zip(*bounds, strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _chunks(rows, weight):
    """Yield float64 copies of steps (n_steps, n_channels) with a weight each."""
    X, n_rows = rows.arrays[0], len(rows)
    is_ragged = isinstance(X, Sequences | Graphs)
    n_entries = np.prod(X.values.shape if is_ragged else X.shape)
    chunk = max(CHUNK_ENTRIES * X.shape[0] // max(int(n_entries), 1), 1)
    for start in range(0, n_rows, chunk):
        stop = min(start + chunk, n_rows)
        key = slice(start, stop) if rows.index is None else rows.index[start:stop]
        part = X[key]
        if is_ragged:
            steps, n_steps = part.values, part.lengths
        else:
            steps = part.reshape(-1, part.shape[-1])
            n_steps = len(steps) // len(part)
        weights = np.ones(len(part)) if weight is None else weight[start:stop]
        weights = np.repeat(np.asarray(weights, np.float64), n_steps)
        if not weights.all():
            steps, weights = steps[weights > 0], weights[weights > 0]
        if len(steps):
            yield np.array(steps, np.float64), weights
