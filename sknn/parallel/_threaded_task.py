"""Calls that run in threads of their own, one at a time."""

import ctypes
import os
import threading
from contextvars import copy_context
from time import perf_counter

import numpy as np
from sklearn import config_context, get_config

from sknn.parallel._draws import draw_apart
from sknn.parallel._openmp import release_threads
from sknn.parallel._times import leave_out
from sknn.parallel._warning_state import WarningState
from sknn.training._submit import in_company, train

LOOK_AGAIN = 0.1  # seconds

_local = threading.local()


class Cancelled(BaseException):
    """Unwinds a task whose result nobody waits for any more.

    No `Exception`: scikit-learn takes these for failed fits.
    """


def current_task():
    """Task that this thread runs; None in others, and in a forked child."""
    task = getattr(_local, "task", None)
    return None if task is None or task.session.process != os.getpid() else task


class ThreadedTask:
    """A call in a thread of its own that runs while whoever lets it run stands still.

    Parameters
    ----------
    session : Session
        Tasks that take turns.
    path : tuple of int
        Number of the task, after those of the tasks that it is a part of: the order in
        which tasks would run one by one.
    function : callable
        What to call.
    on_failure : callable
        Is told the path of a task that has failed.

    Attributes
    ----------
    has_ended : bool
        Whether there is a `result` or an `error`.
    can_go_on : callable
        Whether what the task waits for has come.
    waited : float
        Seconds since the start that were neither its own work nor its share of what
        was done for it.
    elapsed : float
        Seconds from start to end.
    runs, outcomes : list or None
        Training runs that the task waits for, and how they ended.
    """

    def __init__(self, session, path, function, on_failure):
        self.session, self.path = session, path
        self._function, self._on_failure = function, on_failure
        self.result = self.error = self.can_go_on = None
        self.has_ended = self._is_cancelled = False
        self.waited, self.elapsed, self._n_children = 0.0, 0.0, 0
        self._go, self._stopped = threading.Event(), threading.Event()
        self._warnings, self._thread = WarningState(), None
        self.runs = self.outcomes = None

    # what others do with a task

    def start(self):
        """Begin, with settings as they are here; return when it waits or has ended."""
        arguments = self._main, get_config(), np.geterr()
        run, name = copy_context().run, f"sknn task {self.path}"
        self._thread = threading.Thread(None, run, name, arguments, daemon=True)
        self._let_run(self._thread.start)

    def resume(self):
        """Let it go on; return when it waits again or has ended."""
        self._let_run(self._go.set)

    def cancel(self):
        """Unwind it; return when it has ended."""
        self._is_cancelled = True
        if self.is_alive:
            if not self.has_ended:
                self.resume()
            self._thread.join()

    def _let_run(self, begin):
        session = self.session
        outer, session.running = session.running, self
        try:
            with self._warnings.in_place():
                self._stopped.clear()
                try:
                    begin()
                    self._wait_until_stopped()
                except BaseException:
                    if self.is_alive:  # Ctrl-C, which the main thread alone hears
                        self._stop_early()
                    raise
        finally:
            session.running = outer
        if self.has_ended:
            self._thread.join()
            self._report()

    @property
    def is_alive(self):
        """Whether its thread has begun and not ended."""
        return self._thread is not None and self._thread.is_alive()

    def _wait_until_stopped(self):
        """Stand still while it runs; Ctrl-C may end a thread before it can say so."""
        while self.is_alive and not self._stopped.wait(LOOK_AGAIN):
            pass

    def _stop_early(self):
        """Wait until it has stopped; it and all others are to end."""
        self.session.is_closing = True
        self._go.set()  # in case that it still waits
        while self.is_alive and not self._stopped.is_set():
            try:
                self.session.running.interrupt()
                self._wait_until_stopped()
            except KeyboardInterrupt:
                continue  # one more for the task

    def interrupt(self):
        """Raise KeyboardInterrupt in its thread, as Ctrl-C does in the main one."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self._thread.ident), ctypes.py_object(KeyboardInterrupt)
        )

    def _report(self):
        """Say that it failed; what is no `Exception` ends all tasks."""
        if self.error is None or self._is_cancelled:
            return
        if isinstance(self.error, Exception):
            self._on_failure(self.path)
        else:
            self.session.close(self.error)

    def take(self):
        """Result, once; or raise what the task raised."""
        result, error = self.result, self.error
        self.result = self.error = None
        try:
            if error is not None:
                raise error
        finally:
            error = None  # it would keep this frame, and the frame it
        return result

    def next_path(self):
        """Path of one more task within this one."""
        self._n_children += 1
        return *self.path, self._n_children

    # what it does itself, in its thread

    def _main(self, config, errors):
        _local.task, begin = self, perf_counter()
        try:
            with config_context(**config), np.errstate(**errors), in_company(self.wait):
                self.result = self._function()
            leave_out(self.waited, self.result)
        except BaseException as error:
            self.error = error
        finally:
            self._function = None  # it holds on to the data
            self.elapsed = perf_counter() - begin
            self.has_ended = True
            self._stopped.set()

    def pause(self, can_go_on):
        """Stand still until it is let run, which is after `can_go_on` is true."""
        self.check()
        begin, self.can_go_on = perf_counter(), can_go_on
        self.session.parked.add(self)
        try:
            self._stopped.set()
            self._go.wait()
            self._go.clear()
        finally:
            self.session.parked.discard(self)
            self.can_go_on = None
            self.waited += perf_counter() - begin
        self.check()

    def check(self):
        """Raise where the task is not to go on."""
        if self._is_cancelled or self.session.is_closing:
            raise Cancelled

    def wait(self, runs):
        """Stand still until runs have been trained; return how each ended."""
        if current_task() is not self:  # a thread, or a process, that the task began
            with in_company(None):
                return train(runs)
        for run in runs:
            draw_apart(run)
        self.runs = runs
        with self.session.room_for(runs):
            release_threads(self.session.n_waiting)
            try:
                self.pause(lambda: self.outcomes is not None)
                return self.outcomes
            finally:
                self.runs = self.outcomes = None
