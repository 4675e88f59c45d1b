"""Parts of a batch in Python threads, one a core.

numpy and torch let go of Python's lock inside their kernels. A thread a part then
needs one meeting a step, where OpenMP has one an operation and stands still whenever
another process holds a core.
"""

import os
from itertools import pairwise
from queue import SimpleQueue
from threading import Thread
from weakref import finalize

import numpy as np
import torch

from sknn.data import Batch, PartedBatch
from sknn.training._threads import available_threads, limited_threads

# multiply-adds of its largest matrix product from which a part is worth a thread:
# with fewer, threads wait for Python's lock more than they save
WORTH_A_THREAD = 32_000_000
FEWEST_ROWS = 32
MOST_PARTS = 8
# parts of a gradient beyond the machine's cores would only be summed for nothing; the
# cores that a process may use can differ from fit to fit, and results must not
MOST_SUMMED_PARTS = min(MOST_PARTS, os.cpu_count() or 1)


def n_parts_worth(product_size, n_rows, most=MOST_PARTS):
    """How many parts a batch is worth, whatever the number of threads.

    Sums then have the same order, and results the same bits, on any number.

    Parameters
    ----------
    product_size : int
        Multiply-adds of the largest matrix product of the whole batch.
    n_rows : int
        Its rows.
    most : int
        Upper bound.
    """
    worth = min(n_rows // FEWEST_ROWS, product_size // WORTH_A_THREAD)
    return min(max(worth, 1), most)


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
        """Write the gradient of the batch's loss and return the loss.

        Parameters
        ----------
        batch : PartedBatch or Batch
            Cut as `cut` says; a whole one is cut here.
        """
        if isinstance(batch, Batch):
            batch = _in_parts(batch, self.cut(batch.n_rows))
        self._used = self.parts[: batch.n_parts]
        values = self._team.map(lambda i: self.parts[i](batch.draw(i)), batch.n_parts)
        for other in self.others[: batch.n_parts - 1]:
            np.add(self.gradient, other, out=self.gradient)
        return sum(values[1:], values[0])

    def cut(self, n_rows):
        """Slices that a batch of `n_rows` is cut into; few rows stay together."""
        enough = n_rows >= FEWEST_ROWS * len(self.parts)
        return in_parts(n_rows, len(self.parts) if enough else 1)

    @property
    def raw(self):
        """Raw outputs of the last batch."""
        return np.concatenate([np.asarray(part.raw) for part in self._used])

    def settle(self):
        """Bring running statistics up to the last batch."""
        for part in self.parts:
            part.settle()

    def close(self):
        """End the threads."""
        self._team.close()


class Team:
    """Python threads that share calls with the one that asks.

    A call goes to whichever thread is free first: cores are seldom equally fast.

    Parameters
    ----------
    n_threads : int
        Threads, the caller's included; one starts none.
    """

    def __init__(self, n_threads):
        self._reports, self._orders, self._threads = SimpleQueue(), [], []
        self._end = finalize(self, _end, self._orders)  # also where nobody closes
        for _ in range(n_threads - 1):
            orders = SimpleQueue()
            thread = Thread(target=_work, args=(orders, self._reports), daemon=True)
            thread.start()
            self._orders.append(orders)
            self._threads.append(thread)

    def map(self, function, n_calls):
        """Results of ``function(i)`` for every i, in order, once all have ended.

        What a call raises is raised here, and calls that have not begun are not made.
        """
        results, numbers = [None] * n_calls, iter(range(n_calls))
        share = function, numbers, results
        for orders in self._orders:
            orders.put(share)
        try:
            _share(*share)
        finally:
            problems = [self._reports.get() for _ in self._orders]
        try:
            for problem in problems:
                if problem is not None:
                    raise problem
        finally:
            problem = problems = None  # it would keep this frame, and the frame it
        return results

    def close(self):
        """End the threads."""
        self._end()
        for thread in self._threads:
            thread.join()


def _end(queues):
    """Order the threads behind all queues to end."""
    for orders in queues:
        orders.put(None)


def _work(orders, reports):
    """Take part in a team's calls until the order to end; report what was raised."""
    torch.set_num_threads(1)  # MKL counts by itself in a thread that does not say
    while (share := orders.get()) is not None:
        problem = None
        try:
            with np.errstate(all="ignore"):  # set a thread at a time
                _share(*share)
        except BaseException as error:
            problem = error
        share = None  # it holds on to the inputs
        reports.put(problem)
        problem = None


def _share(function, numbers, results):
    """Make calls while there are any left; after an error there are none."""
    try:
        for i in numbers:
            results[i] = function(i)
    except BaseException:
        for _ in numbers:
            pass
        raise


def _in_parts(batch, slices):
    """Whole batch as one whose parts keep its total weight."""

    def draw(i):
        x, y = batch
        rows = slices[i]
        weight = batch.weight if batch.weight is None else batch.weight[rows]
        return Batch(x[rows], y[rows], weight, batch.total, rows.stop - rows.start)

    return PartedBatch(draw, len(slices), batch.total, batch.n_rows)


def map_rows(function, n_rows, chunk, product_size):
    """Call ``function(rows)`` for slices that cover all rows, in several threads.

    Parameters
    ----------
    function : callable
        Takes a slice of rows; writes its results itself.
    n_rows : int
        Rows to cover.
    chunk : int
        Rows a slice, the last one aside.
    product_size : int
        Multiply-adds of the largest matrix product of all rows.
    """
    slices = [
        slice(start, min(start + chunk, n_rows)) for start in range(0, n_rows, chunk)
    ]
    worth = n_parts_worth(product_size, n_rows)
    with limited_threads(0):
        team = Team(min(len(slices), worth, available_threads()))
        try:
            team.map(lambda i: function(slices[i]), len(slices))
        finally:
            team.close()


def attach_team(module, n_threads):
    """Let the layers of a module that can share their calls do it; return the team.

    Parameters
    ----------
    module : torch.nn.Module
        Its layers with an attribute `map_calls` take part.
    n_threads : int
        Threads, the caller's included; one shares nothing.

    Returns
    -------
    Team or None
        To be closed after training; None where there is nothing to share.
    """
    layers = [layer for layer in module.modules() if hasattr(layer, "map_calls")]
    team = Team(n_threads) if layers and n_threads > 1 else None
    for layer in layers:
        layer.map_calls = team and team.map
    return team
