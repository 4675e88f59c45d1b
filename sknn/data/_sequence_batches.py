"""Batches of sequences of similar lengths, so that little of them is padding."""

from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np

from sknn.data._batches import TensorBatches

# batches whose rows are sorted by length together, up to half of it more or less
WINDOW = 8
# share of the steps of a window's batches that may be padding before batches are split
MAX_PADDING = 0.15
# the smallest part of a split batch, as a share of the batch size
SMALLEST_PART = 1 / 8


class SequenceBatches(TensorBatches):
    """Batches of sequences, of similar lengths where their order is random.

    Each epoch takes the permutation that `TensorBatches` takes. Where lengths differ,
    the rows of every few batches are sorted by length then (equal lengths stay in the
    permuted order) and cut into batches of equal numbers of rows, of which those are
    split that save most, until little is padding; the batches come in an order drawn
    from the same `RandomState`. Rows that fit into one batch are one batch, and without
    a `RandomState` the order is the given one.

    The inputs of a batch are a tensor where its sequences are equally long, and
    ``{"x": tensor, "lengths": tensor}`` otherwise. A split adds to the ``len`` of the
    batches.

    Parameters
    ----------
    dataset : Rows
        Rows whose inputs are `Sequences`.
    *args, **kwargs
        As for `TensorBatches`.
    """

    def __init__(self, dataset, *args, **kwargs):
        super().__init__(dataset, *args, **kwargs)
        self._lengths = self._lengths_of(dataset)
        lengths = self._lengths[dataset.positions(self._order)]
        self._is_sorted = (
            self.random_state is not None
            and len(lengths) > self.batch_size
            and bool((lengths != lengths[0]).any())
        )
        if self._is_sorted:
            self._n_batches = -(-len(lengths) // self.batch_size)

    def _lengths_of(self, dataset):
        """Lengths of which similar ones share a batch."""
        return dataset.arrays[0].lengths

    def _next_indices(self):
        """Yield where the rows of each batch of this epoch lie in the arrays."""
        positions = self._next_positions()
        if not self._is_sorted:
            yield from self._cut(positions)
            return
        n_windows, batches = max(1, round(len(self) / WINDOW)), []
        parts = np.array_split(np.arange(len(self)), n_windows)
        bounds = _even_bounds(len(positions), len(self))
        for part in parts:
            index = positions[bounds[part[0]] : bounds[part[-1] + 1]]
            index = index[np.argsort(self._lengths[index], kind="stable")]
            cuts = cut_sorted(self._lengths[index], len(part), self.batch_size)
            batches += [index[a:b] for a, b in pairwise(cuts)]
        for i in self.random_state.permutation(len(batches)):
            yield batches[i]

    def _inputs(self, index):
        x, lengths = self.dataset.arrays[0].padded(index)
        x = self._to_device(x)
        return x if lengths is None else {"x": x, "lengths": self._to_device(lengths)}

    def reused(self, x_native=None, y_native=None, cut=None):
        """Yield the same batches: hardly two are of one shape."""
        return iter(self)


def _even_bounds(n_rows, n_batches):
    """Where to cut rows into batches of as many each, and `n_rows`."""
    return [n_rows * i // n_batches for i in range(n_batches + 1)]


def cut_sorted(lengths, n_batches, batch_size):
    """Where to cut rows of ascending lengths into batches.

    Parameters
    ----------
    lengths : ndarray of shape (n_rows,)
        Steps of each row, ascending.
    n_batches : int
        How many batches to begin with, enough for all rows.
    batch_size : int
        Most rows of a batch.

    Returns
    -------
    list of int
        Where each batch begins, and ``len(lengths)``.
    """
    bounds = _even_bounds(len(lengths), n_batches)
    fewest = max(1, int(batch_size * SMALLEST_PART))
    splits = [_best_split(lengths, a, b, fewest) for a, b in pairwise(bounds)]
    heapify(splits)
    n_padded = sum(int(lengths[b - 1]) * (b - a) for a, b in pairwise(bounds))
    most = int(lengths.sum()) / (1 - MAX_PADDING)
    while n_padded > most and splits[0][0] < 0:
        cost, at, start, stop = heappop(splits)
        n_padded += cost
        bounds.append(at)
        heappush(splits, _best_split(lengths, start, at, fewest))
        heappush(splits, _best_split(lengths, at, stop, fewest))
    return sorted(bounds)


def _best_split(lengths, start, stop, fewest):
    """Minus the steps that a split saves, where it is, and the batch that it splits."""
    at = np.arange(start + fewest, stop - fewest + 1)
    if not len(at):
        return 0, start, start, stop
    saved = (at - start) * (lengths[stop - 1] - lengths[at - 1])
    best = int(saved.argmax())
    return -int(saved[best]), int(at[best]), start, stop
