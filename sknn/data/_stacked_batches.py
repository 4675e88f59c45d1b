"""Batches of several networks at once, each with rows and an order of its own."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from sknn.data._batches import Batch


@dataclass(frozen=True)
class StepPlan:
    """What is known of a step before any rows are drawn.

    Parameters
    ----------
    columns : slice
        Which positions in the networks' orders are drawn.
    sizes : ndarray of shape (n_networks,)
        Rows of each of the first networks' batches; the others have had all.
    totals : ndarray of shape (n_networks,)
        Weights of these batches.
    batch : Batch
        Memory to draw into, with the weights that fill up shorter batches.
    """

    columns: slice
    sizes: np.ndarray
    totals: np.ndarray
    batch: Batch


class StackedBatches:
    """Batches with a leading axis of networks, in the order of each one's iterator.

    Where batches differ in length, shorter ones are filled up with rows of no weight.

    Parameters
    ----------
    iterators : list of TensorBatches
        One a network, of one batch size, those with more batches first; dense rows on
        the CPU. Equal rows are best next to each other. Those that would draw the same
        stand still until `release`: one of them draws for all.
    """

    def __init__(self, iterators):
        self._iterators, self._size = iterators, iterators[0].batch_size
        self._lengths = np.array([iterator.n_rows for iterator in iterators])
        self._sources = _find_sources([it.dataset.arrays for it in iterators])
        self._leaders = _find_leaders(iterators)
        counts = np.array([len(iterator) for iterator in iterators])
        shape = len(iterators), counts[0] * self._size
        self._positions = np.zeros(shape, np.int64)
        weights = [iterator.dataset.arrays[2] for iterator in iterators]
        X, y, _ = iterators[0].dataset.arrays
        self._given = self._weights = None
        if any(weight is not None for weight in weights):
            self._given, self._weights = weights, np.zeros((*shape, 1), X.dtype)
        shape = len(iterators), min(self._size, self._lengths.max())
        self._x = np.empty((*shape, *X.shape[1:]), X.dtype)
        self._y = np.empty((*shape, *y.shape[1:]), y.dtype)
        self._plans = []
        for number in range(counts[0]):
            self._plans.append(self._plan(number, int((counts > number).sum())))

    def _plan(self, number, n_networks):
        """Plan of step `number`, in which so many networks have a batch."""
        start = number * self._size
        sizes = np.minimum(self._lengths[:n_networks] - start, self._size)
        n_rows, dtype = sizes.max(), self._x.dtype
        columns = slice(start, start + n_rows)
        if number and np.array_equal(sizes, self._plans[-1].sizes):
            return replace(self._plans[-1], columns=columns)
        weight, total, totals = None, float(n_rows), sizes.astype(float)
        if (sizes != n_rows).any():
            weight = (np.arange(n_rows) < sizes[:, None]).astype(dtype)[:, :, None]
            total = totals.astype(dtype)[:, None, None]
        x, y = (_carve(m, n_networks, n_rows) for m in (self._x, self._y))
        return StepPlan(columns, sizes, totals, Batch(x, y, weight, total, n_rows))

    def __iter__(self):
        """Yield the batches of an epoch.

        Yields
        ------
        sizes : ndarray of shape (n_networks,)
            Rows of each of the first networks' batches; the others have had all.
        totals : ndarray of shape (n_networks,)
            Weight of each of these batches; the same object only with the same numbers.
        batch : Batch
            Arrays of shape (n_networks, most rows, ...), drawn into memory that the
            next batch overwrites.
        """
        self._permute()
        for plan in self._plans:
            self._draw(plan)
            if self._weights is None:
                yield plan.sizes, plan.totals, plan.batch
            else:
                yield plan.sizes, *self._weigh(plan)

    def _weigh(self, plan):
        """Weight of each network's batch, and the batch with the rows' own weights."""
        weight = self._weights[: len(plan.sizes), plan.columns].copy()
        totals = weight.sum((1, 2), dtype=float)
        divisors = np.where(totals == 0, 1, totals).astype(weight.dtype)
        x, y = plan.batch
        batch = Batch(x, y, weight, divisors[:, None, None], plan.batch.n_rows)
        return totals, batch

    def _permute(self):
        """Draw each network's order of its rows."""
        for k, leader in enumerate(self._leaders):
            n = self._lengths[k]
            if leader == k:
                self._positions[k, :n] = self._iterators[k].next_positions()
                self._positions[k, n:] = self._positions[k, 0]
            else:
                self._positions[k] = self._positions[leader]
            if self._given is not None:
                weight, positions = self._given[k], self._positions[k, :n]
                self._weights[k, :n, 0] = 1 if weight is None else weight[positions]

    def release(self):
        """Let every iterator be where it would be had it drawn by itself."""
        for k, leader in enumerate(self._leaders):
            if leader != k:
                self._iterators[k].catch_up(self._iterators[leader])

    def _draw(self, plan):
        """Copy the rows of a step, source by source."""
        n_networks, (x, y) = len(plan.sizes), plan.batch
        for start, stop, (inputs, targets, _) in self._sources:
            if start >= n_networks:
                break
            networks = slice(start, min(stop, n_networks))
            index = self._positions[networks, plan.columns]
            inputs.take(index, 0, x[networks], "clip")
            targets.take(index, 0, y[networks], "clip")


def _carve(memory, n_networks, n_rows):
    """Array of that many networks and rows at the beginning of `memory`."""
    shape = n_networks, n_rows, *memory.shape[2:]
    return memory.reshape(-1)[: np.prod(shape)].reshape(shape)


def _find_sources(arrays):
    """Bounds of networks next to each other with the same inputs and targets."""
    sources = []
    for k, own in enumerate(arrays):
        if sources and are_equal(sources[-1][2], own):
            sources[-1] = sources[-1][0], k + 1, sources[-1][2]
        else:
            sources.append((k, k + 1, own))
    return sources


def _find_leaders(iterators):
    """Number of the iterator that draws for each: the first that draws the same."""
    n_users = Counter(id(iterator.random_state) for iterator in iterators)
    leaders, alike = [], {}
    for k, iterator in enumerate(iterators):
        is_alone = n_users[id(iterator.random_state)] == 1
        key = iterator.order_key() if is_alone else None
        firsts = alike.setdefault(key, []) if key else []
        found = (i for i in firsts if iterator.has_order_of(iterators[i]))
        leaders.append(next(found, k))
        if leaders[k] == k:
            firsts.append(k)
    return leaders


def are_equal(one, other):
    """Whether inputs and targets are equal, if not the same objects."""
    pairs = list(zip(one[:2], other[:2], strict=True))
    if all(a is b for a, b in pairs):
        return True
    seem_so = all(
        a.shape == b.shape and a[:1].tobytes() == b[:1].tobytes() for a, b in pairs
    )
    return seem_so and all(np.array_equal(a, b) for a, b in pairs)
