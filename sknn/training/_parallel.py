"""Parts of a batch in Python threads, one a core.

numpy and torch let go of Python's lock inside their kernels. A thread a part then
needs one meeting a step, where OpenMP has one an operation and stands still whenever
another process holds a core.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from sknn.data import Batch
from sknn.training._threads import limited_threads

# a part is worth a thread from this many multiply-adds of its largest matrix product
# (below, the threads wait for Python's lock more than they save), and this many rows
WORTH_A_THREAD = 16_000_000
FEWEST_ROWS = 32


def n_parts_worth(product_size, n_rows, n_threads):
    """How many parts a batch is worth, at most one a thread.

    Parameters
    ----------
    product_size : int
        Multiply-adds of the largest matrix product of the whole batch.
    n_rows : int
        Its rows.
    n_threads : int
        Threads there are.
    """
    most = min(n_threads, n_rows // FEWEST_ROWS, product_size // WORTH_A_THREAD)
    return max(most, 1)


def in_parts(n_rows, n_parts):
    """Slices of nearly equal length that cover `n_rows`."""
    bounds = [n_rows * i // n_parts for i in range(n_parts + 1)]
    return [slice(a, b) for a, b in pairwise(bounds)]


class PartedGradient:
    """Gradient of a batch as the sum of its parts', each computed by a thread.

    Parameters
    ----------
    parts : list of DeltaRule
        One a thread; the first writes to `gradient`.
    gradient : ndarray
        Flat gradient of the whole batch.
    others : list of ndarray
        Flat gradients of the other parts.
    """

    def __init__(self, parts, gradient, others):
        self.parts, self.gradient, self.others = parts, gradient, others
        self.ops, self.loss_ops = parts[0].ops, parts[0].loss_ops
        self._executor = ThreadPoolExecutor(len(parts) - 1)

    def __call__(self, batch):
        """Write the gradient of the batch's loss and return the loss."""
        slices = in_parts(batch.n_rows, len(self.parts))
        if slices[0].stop - slices[0].start < FEWEST_ROWS:
            self._used = self.parts[:1]
            return self.parts[0](batch)
        self._used = self.parts
        jobs = [
            self._executor.submit(_quietly, part, _cut(batch, rows))
            for part, rows in zip(self.parts[1:], slices[1:], strict=True)
        ]
        value = self.parts[0](_cut(batch, slices[0]))
        for job, other in zip(jobs, self.others, strict=True):
            value = value + job.result()
            np.add(self.gradient, other, out=self.gradient)
        return value

    @property
    def raw(self):
        """Raw outputs of the last batch."""
        return np.concatenate([np.asarray(part.raw) for part in self._used])

    def close(self):
        """End the threads."""
        self._executor.shutdown()


def _quietly(function, argument):
    """Call without floating-point warnings, which are set a thread at a time."""
    with np.errstate(all="ignore"):
        return function(argument)


def _cut(batch, rows):
    """Rows of a batch that keep the whole batch's total weight."""
    x, y = batch
    weight = batch.weight if batch.weight is None else batch.weight[rows]
    return Batch(x[rows], y[rows], weight, batch.total, rows.stop - rows.start)


def map_rows(function, X, product_size, n_threads):
    """Call ``function(rows)`` for slices that cover `X`, each in a thread.

    Parameters
    ----------
    function : callable
        Takes a slice of rows; writes its results itself.
    X : array of shape (n_rows, n_features)
        What the slices cover.
    product_size : int
        Multiply-adds of the largest matrix product of all rows.
    n_threads : int
        Threads there are.
    """
    slices = in_parts(X.shape[0], n_parts_worth(product_size, X.shape[0], n_threads))
    with limited_threads(0):
        if len(slices) == 1:
            function(slices[0])
            return
        with ThreadPoolExecutor(len(slices) - 1) as executor:
            jobs = [executor.submit(_quietly, function, rows) for rows in slices[1:]]
            function(slices[0])
            for job in jobs:
                job.result()
