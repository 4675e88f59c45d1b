"""The joblib backend "sknn": tasks of a call take turns and train together."""

from collections import deque
from numbers import Real
from time import perf_counter

from joblib import register_parallel_backend
from joblib.parallel import FallbackToBackend, ParallelBackendBase

from sknn._sklearn_compat import submit_next
from sknn.parallel._session import Session
from sknn.parallel._threaded_task import ThreadedTask, current_task

MAX_WAITING = 512
MAX_BYTES = 2**30
# Into how many parts callers who ask are to cut their work. Ensembles become tasks by
# it, so it should be large; rows of cheap predictions too, so it should not.
N_PARTS = 64


class BatchedBackend(ParallelBackendBase):
    """What `joblib.parallel_config` makes of ``backend="sknn"``.

    Parameters
    ----------
    nesting_level : int, optional
        joblib's.
    max_waiting : int
        Tasks that may wait for a training before it begins.
    max_bytes : int
        Memory that the inputs of waiting networks may take before it begins.
    """

    uses_threads = True
    supports_sharedmem = True

    def __init__(
        self, nesting_level=None, max_waiting=MAX_WAITING, max_bytes=MAX_BYTES
    ):
        super().__init__(nesting_level=nesting_level)
        for name, limit in (("max_waiting", max_waiting), ("max_bytes", max_bytes)):
            if not (isinstance(limit, Real) and limit >= 1):
                raise ValueError(f"{name} must be a number >= 1: got {name}={limit!r}.")
        self.max_waiting, self.max_bytes = max_waiting, max_bytes

    def effective_n_jobs(self, n_jobs):
        """Into how many parts callers do well to cut their work, whatever `n_jobs`."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return N_PARTS

    def configure(self, n_jobs=1, parallel=None, **options):
        """Leave a `joblib.Parallel` to a backend of its own: this has no state."""
        self.effective_n_jobs(n_jobs)
        raise FallbackToBackend(self.make_call())

    def make_call(self):
        """Backend of one `joblib.Parallel`."""
        return Turns(self.nesting_level, self.max_waiting, self.max_bytes)

    def submit(self, func, callback=None):
        """Never called: `configure` leaves that to another."""
        raise NotImplementedError


class OneCall(ParallelBackendBase):
    """Backend of one `joblib.Parallel`, which asks for tasks itself.

    Parameters
    ----------
    nesting_level : int
        joblib's: tasks have it too, and other backends in them do as they would alone.
    """

    uses_threads = True
    supports_sharedmem = True

    def configure(self, n_jobs=1, parallel=None, **options):
        """Take the `joblib.Parallel` to work for."""
        self.parallel = parallel
        return self.effective_n_jobs(n_jobs)

    def effective_n_jobs(self, n_jobs):
        """The fewest for which joblib submits tasks: so few it reads ahead."""
        return 2

    def get_nested_backend(self):
        """Backend of calls inside tasks."""
        return BatchedBackend(self.nesting_level), None

    def terminate(self):
        """Let go of the `joblib.Parallel`, which holds on to this."""
        self.parallel = None


class Turns(OneCall):
    """Backend of one `joblib.Parallel` whose tasks take turns.

    Parameters
    ----------
    nesting_level : int
        joblib's.
    max_waiting, max_bytes : int
        Limits of a `Session`.
    """

    def __init__(self, nesting_level, max_waiting, max_bytes):
        super().__init__(nesting_level)
        self._limits = max_waiting, max_bytes

    def start_call(self):
        """Begin a session, or join that of the task that calls."""
        self._parent = current_task()
        self._session = self._parent.session if self._parent else Session(*self._limits)
        self._n_tasks, self._tasks, self._queue = 0, [], deque()
        self._callbacks = {}
        self._has_more = True

    def submit(self, func, callback=None):
        """Note a task; it starts in its turn, when a result is asked for."""
        path = self._parent.next_path() if self._parent else (self._n_tasks,)
        self._n_tasks += 1
        task = ThreadedTask(self._session, path, func, self._drop_later)
        self._callbacks[task] = callback
        self._queue.append(task)
        return task

    def retrieve_result(self, out, timeout=None):
        """Result of a task, once others have had their turns too."""
        self._start_tasks()
        while not out.has_ended:
            self._let_others_run(out)
            self._start_tasks()
        if self._parent:
            self._parent.waited -= out.elapsed - out.waited
        result = out.take()
        self._callbacks.pop(out)(out)
        return result

    def _start_tasks(self):
        """Start tasks in order while there is room; each runs until it waits."""
        while self._has_more and self._session.has_room:
            if not self._queue:
                submit_next(self.parallel)
            if not self._queue:
                self._has_more = False
                return
            task = self._queue.popleft()
            self._tasks.append(task)
            self._start(task)

    def _start(self, task):
        begin = perf_counter()
        task.start()
        if self._parent:
            self._parent.waited += perf_counter() - begin
        (self._parent or self._session).check()

    def _let_others_run(self, awaited):
        """Return when some have, after which there may be room, or a result."""
        if self._parent is None:
            self._session.advance()
            return
        self._parent.pause(
            lambda: awaited.has_ended or (self._has_more and self._session.has_room)
        )

    def _drop_later(self, path):
        """End tasks after one that has failed: only earlier ones still count."""
        self._has_more = False
        self._queue.clear()
        for task in self._tasks:
            if task.path > path:
                task.cancel()

    def abort_everything(self, ensure_ready=True):
        """End all tasks."""
        self._has_more = False
        self._queue.clear()
        while self._tasks:
            self._tasks.pop().cancel()

    def stop_call(self):
        """End what is left of a call that was broken off, and let go of the rest."""
        self.abort_everything()
        self._session = self._parent = None
        self._callbacks.clear()


register_parallel_backend("sknn", BatchedBackend)
