"""Parts of a batch in Python threads, one a core.

numpy and torch let go of Python's lock inside their kernels. A thread a part then
needs one meeting a step, where OpenMP has one an operation and stands still whenever
another process holds a core.
"""

from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import numpy as np

from sknn.data import Batch
from sknn.training._threads import available_threads, limited_threads

# multiply-adds of its largest matrix product from which a part is worth a thread:
# with fewer, threads wait for Python's lock more than they save
WORTH_A_THREAD = 32_000_000
FEWEST_ROWS = 32
MOST_PARTS = 8


def n_parts_worth(product_size, n_rows):
    """How many parts a batch is worth, whatever the number of threads.

    Sums then have the same order, and results the same bits, on any number.

    Parameters
    ----------
    product_size : int
        Multiply-adds of the largest matrix product of the whole batch.
    n_rows : int
        Its rows.
    """
    worth = min(n_rows // FEWEST_ROWS, product_size // WORTH_A_THREAD)
    return min(max(worth, 1), MOST_PARTS)


def in_parts(n_rows, n_parts):
    """Slices of nearly equal length that cover `n_rows`."""
    bounds = [n_rows * i // n_parts for i in range(n_parts + 1)]
    return [slice(a, b) for a, b in pairwise(bounds)]


class PartedGradient:
    """Gradient of a batch as the sum of its parts', shared by several threads.

    Parameters
    ----------
    parts : list of DeltaRule
        The first writes to `gradient`.
    gradient : ndarray
        Flat gradient of the whole batch.
    others : list of ndarray
        Flat gradients of the other parts.
    n_threads : int
        Threads to share the parts, the caller's included.
    """

    def __init__(self, parts, gradient, others, n_threads):
        self.parts, self.gradient, self.others = parts, gradient, others
        self.ops, self.loss_ops = parts[0].ops, parts[0].loss_ops
        self._used = parts
        self._team = Team(n_threads)

    def __call__(self, batch):
        """Write the gradient of the batch's loss and return the loss."""
        slices = in_parts(batch.n_rows, len(self.parts))
        if batch.n_rows < FEWEST_ROWS * len(self.parts):
            self._used = self.parts[:1]
            return self.parts[0](batch)
        self._used = self.parts
        values = self._team.map(
            lambda part, rows: part(_cut(batch, rows)), self.parts, slices
        )
        for other in self.others:
            np.add(self.gradient, other, out=self.gradient)
        return sum(values[1:], values[0])

    @property
    def raw(self):
        """Raw outputs of the last batch."""
        return np.concatenate([np.asarray(part.raw) for part in self._used])

    def close(self):
        """End the threads."""
        self._team.close()


class Team:
    """Python threads that share calls with the one that asks.

    Parameters
    ----------
    n_threads : int
        Threads, the caller's included; one starts none.
    """

    def __init__(self, n_threads):
        self.n_threads = n_threads
        self._executor = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None

    def map(self, function, *arguments):
        """Results of all calls, in order, once all have ended."""
        calls = list(zip(*arguments, strict=True))
        if self._executor is None:
            return [function(*call) for call in calls]
        jobs = [
            self._executor.submit(_quietly, function, calls[i :: self.n_threads])
            for i in range(1, self.n_threads)
        ]
        try:
            mine = [function(*call) for call in calls[:: self.n_threads]]
        finally:
            wait(jobs)
        results = [None] * len(calls)
        for i, share in enumerate([mine, *(job.result() for job in jobs)]):
            results[i :: self.n_threads] = share
        return results

    def close(self):
        """End the threads."""
        if self._executor is not None:
            self._executor.shutdown()


def _quietly(function, calls):
    """Call without floating-point warnings, which are set a thread at a time."""
    with np.errstate(all="ignore"):
        return [function(*call) for call in calls]


def _cut(batch, rows):
    """Rows of a batch that keep the whole batch's total weight."""
    x, y = batch
    weight = batch.weight if batch.weight is None else batch.weight[rows]
    return Batch(x[rows], y[rows], weight, batch.total, rows.stop - rows.start)


def map_rows(function, n_rows, product_size):
    """Call ``function(rows)`` for slices that cover all rows, in several threads.

    Parameters
    ----------
    function : callable
        Takes a slice of rows; writes its results itself.
    n_rows : int
        Rows to cover.
    product_size : int
        Multiply-adds of the largest matrix product of all rows.
    """
    slices = in_parts(n_rows, n_parts_worth(product_size, n_rows))
    n_threads = min(len(slices), available_threads())
    with limited_threads(0):
        team = Team(n_threads)
        try:
            team.map(function, slices)
        finally:
            team.close()
