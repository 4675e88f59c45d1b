"""Batches of sequences of similar lengths, so that little of them is padding."""

from heapq import heappop, heappush
from itertools import pairwise

import numpy as np

from sknn.data._batches import TensorBatches
from sknn.data._parts import Parts

# batches whose rows are sorted by length together, up to half of it more or less
WINDOW = 8
# share of a batch's steps that may be padding before its rows come in parts
MAX_PADDING = 0.15
# steps of padding, that a part more must save: it takes calls of its own
LEAST_SAVED = 200
# the smallest part, as a share of the batch size
SMALLEST_PART = 1 / 8


class SequenceBatches(TensorBatches):
    """Batches of sequences, of similar lengths where their order is random.

    Each epoch takes the permutation that `TensorBatches` takes. Where lengths differ,
    the rows of every few batches are sorted by length then (equal lengths stay in the
    permuted order) and cut into batches of equal numbers of rows, which come in an
    order drawn from the same `RandomState`. Rows that fit into one batch are one batch,
    and without a `RandomState` the order is the given one.

    The inputs of a batch are a tensor where its sequences are equally long, and
    ``{"x": tensor, "lengths": tensor}`` otherwise, and the "letters" of spelled tokens.
    Where too much of that would be padding, they are `Parts` of such: every row has the
    same share in the loss still. So they are where there are letters, of other lengths.

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
        positions = self.next_positions()
        if not self._is_sorted:
            yield from self._cut(positions)
            return
        n_windows, batches = max(1, round(len(self) / WINDOW)), []
        bounds = _even_bounds(len(positions), len(self))
        for part in np.array_split(np.arange(len(self)), n_windows):
            first = bounds[part[0]]
            index = positions[first : bounds[part[-1] + 1]]
            index = index[np.argsort(self._lengths[index], kind="stable")]
            cuts = [bounds[k] - first for k in (*part, part[-1] + 1)]
            batches += [index[a:b] for a, b in pairwise(cuts)]
        for i in self.random_state.permutation(len(batches)):
            yield batches[i]

    def _inputs(self, index):
        cuts = [0, len(index)]
        if self._is_sorted:
            fewest = max(1, int(self.batch_size * SMALLEST_PART))
            cuts = cut_sorted(self._lengths[index], fewest)
        parts = [self._part(index[a:b]) for a, b in pairwise(cuts)]
        if len(parts) > 1 or self.dataset.arrays[0].letters is not None:
            return Parts(parts, len(index))  # skorch wants to know of how many rows
        return parts[0]

    def _part(self, index):
        """Inputs of these rows as one tensor, or several by name."""
        inputs = self.dataset.arrays[0].inputs(index)
        inputs = {name: self._to_device(value) for name, value in inputs.items()}
        return inputs if len(inputs) > 1 else inputs["x"]

    def reused(self, x_native=None, y_native=None, cut=None):
        """Yield the same batches: hardly two are of one shape."""
        return iter(self)


def _even_bounds(n_rows, n_batches):
    """Where to cut rows into batches of as many each, and `n_rows`."""
    return [n_rows * i // n_batches for i in range(n_batches + 1)]


def cut_sorted(lengths, fewest):
    """Where to cut the rows of a batch, so that little of its parts is padding.

    Parameters
    ----------
    lengths : ndarray of shape (n_rows,)
        Steps of each row, ascending.
    fewest : int
        Rows of the smallest part.

    Returns
    -------
    list of int
        Where each part begins, and ``len(lengths)``.
    """
    n_rows = len(lengths)
    bounds, n_steps = [0, n_rows], int(lengths[-1]) * n_rows
    most = int(lengths.sum()) / (1 - MAX_PADDING)
    if n_steps <= most:
        return bounds
    splits = [_best_split(lengths, 0, n_rows, fewest)]
    while n_steps > most and -splits[0][0] > LEAST_SAVED:
        cost, at, start, stop = heappop(splits)
        n_steps += cost
        bounds.append(at)
        heappush(splits, _best_split(lengths, start, at, fewest))
        heappush(splits, _best_split(lengths, at, stop, fewest))
    return sorted(bounds)


def _best_split(lengths, start, stop, fewest):
    """Minus the steps that a split saves, where it is, and the part that it splits."""
    at = np.arange(start + fewest, stop - fewest + 1)
    if not len(at):
        return 0, start, start, stop
    saved = (at - start) * (lengths[stop - 1] - lengths[at - 1])
    best = int(saved.argmax())
    return -int(saved[best]), int(at[best]), start, stop
