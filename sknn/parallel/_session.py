"""Tasks that take turns until all of them wait for a training."""

import os
from contextlib import contextmanager
from operator import attrgetter
from time import perf_counter

import numpy as np

from sknn.parallel._draws import draw_apart_from_one_another


class Session:
    """Tasks of one call, with those of the calls inside them, in one turn order.

    Exactly one thread runs: that of the call, or that of one task.

    Parameters
    ----------
    max_waiting : int
        How many tasks may wait for a training.
    max_bytes : int
        How much memory their inputs may take before no more tasks are begun.

    Attributes
    ----------
    parked : set of ThreadedTask
        Those that stand still.
    running : ThreadedTask or None
        That which runs.
    is_closing : bool
        Whether all tasks are to end.
    problem : BaseException or None
        Why, where it was a task that raised.
    n_waiting : int
        Tasks that wait for a training.
    process : int
        Where the tasks are: a forked child has none of their threads.
    """

    def __init__(self, max_waiting, max_bytes):
        self.max_waiting, self.max_bytes = max_waiting, max_bytes
        self.parked, self.running, self.process = set(), None, os.getpid()
        self.is_closing, self.problem = False, None
        self.n_waiting = self._n_bytes = 0

    @property
    def has_room(self):
        """Whether one more task may begin, and come to wait with its inputs."""
        return self.n_waiting < self.max_waiting and self._n_bytes < self.max_bytes

    @contextmanager
    def room_for(self, runs):
        """Count a task whose `runs` wait, until it has gone on."""
        n_bytes = sum(run.n_bytes for run in runs)
        self.n_waiting, self._n_bytes = self.n_waiting + 1, self._n_bytes + n_bytes
        try:
            yield
        finally:
            self.n_waiting -= 1
            self._n_bytes -= n_bytes

    def close(self, problem):
        """End all tasks, since one raised what is no `Exception`."""
        self.is_closing, self.problem = True, problem

    def check(self):
        """Raise what all tasks are to end for."""
        if self.is_closing:
            problem, self.problem = self.problem, None
            raise problem or KeyboardInterrupt

    def advance(self):
        """Train what is waited for if nothing else is left, and let tasks go on."""
        ready = self._find_ready()
        if not ready:
            self._train()
            ready = self._find_ready()
        for task in ready:
            if task in self.parked and not self.is_closing:
                task.resume()
        self.check()

    def _find_ready(self):
        """Tasks that can go on, in order."""
        ready = [task for task in self.parked if task.can_go_on()]
        return sorted(ready, key=attrgetter("path"))

    def _train(self):
        """Train all that tasks wait for and give each its share."""
        from sknn.training._together import train_together

        tasks = sorted((t for t in self.parked if t.runs), key=attrgetter("path"))
        runs = [run for task in tasks for run in task.runs]
        draw_apart_from_one_another(runs)
        begin = perf_counter()
        with np.errstate(all="ignore"):
            outcomes = train_together(runs)
        share = (perf_counter() - begin) / len(runs)
        if any(isinstance(outcome, KeyboardInterrupt) for outcome in outcomes):
            raise KeyboardInterrupt
        left = iter(outcomes)
        for task in tasks:
            task.outcomes = [next(left) for _ in task.runs]
            task.waited -= share * len(task.runs)
