"""Parts of a call sent to the workers of another joblib backend."""

from collections import deque
from itertools import chain, islice
from traceback import format_exception

from joblib import Parallel, delayed
from sklearn.utils import gen_even_slices

from sknn._sklearn_compat import submit_next
from sknn.parallel._backend import BatchedBackend, OneCall


class SendingBackend(BatchedBackend):
    """Backend that gives each worker of another one a part of the tasks.

    Parameters
    ----------
    workers : joblib.parallel.ParallelBackendBase
        Where the parts go.
    n_jobs : int or None
        Number of workers, and of parts; None is as many as there are.
    """

    def __init__(self, workers, n_jobs=None):
        super().__init__(workers.nesting_level)
        self.workers, self.n_jobs = workers, -1 if n_jobs is None else n_jobs
        self.uses_threads = getattr(workers, "uses_threads", False)
        self.supports_sharedmem = getattr(workers, "supports_sharedmem", False)

    def make_call(self):
        """Backend of one `joblib.Parallel`."""
        return SentCall(self)


class SentCall(OneCall):
    """Backend of one `joblib.Parallel` whose tasks are sent away, together.

    Parameters
    ----------
    sender : SendingBackend
        Where to, and to how many.
    """

    def __init__(self, sender):
        super().__init__(sender.nesting_level)
        self._workers, self._n_jobs = sender.workers, sender.n_jobs

    def start_call(self):
        """Begin without any tasks."""
        self._tasks, self._results = [], deque()

    def submit(self, func, callback=None):
        """Note a task; all are sent when the first result is asked for."""
        self._tasks.append(func.items)
        return callback

    def retrieve_result(self, out, timeout=None):
        """Result of the next task, which is `out`: joblib asks in order."""
        if self._tasks:
            self._results.extend(self._send())
        result = self._results.popleft()
        out(None)
        return result

    def _send(self):
        """Results of all tasks; or raise what the first that failed raised."""
        n_tasks = 0
        while n_tasks < len(self._tasks):
            n_tasks = len(self._tasks)
            submit_next(self.parallel)
        tasks, self._tasks = self._tasks, []
        n_parts = min(self._count_workers(), n_tasks)
        outcomes = Parallel(n_jobs=self._n_jobs, backend=self._workers)(
            delayed(run_part)(tasks[part]) for part in gen_even_slices(n_tasks, n_parts)
        )
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return [result for part in outcomes for result in part]

    def _count_workers(self):
        """A positive number counts, whatever the other backend makes of it."""
        if self._n_jobs > 0:
            return self._n_jobs
        return self._workers.effective_n_jobs(self._n_jobs)

    def abort_everything(self, ensure_ready=True):
        """Forget tasks: the other backend has seen to what it was running."""
        self.start_call()

    def stop_call(self):
        """Let go of what is left of a call that was broken off."""
        self.start_call()


def run_part(tasks):
    """Run tasks in a worker, as one batch.

    Parameters
    ----------
    tasks : list of list
        Calls of each task, as `joblib.delayed` makes them.

    Returns
    -------
    list or Exception
        Lists of their results; or what the first that failed raised, so that the caller
        can tell whose error comes first. A note on it says where it was raised.
    """
    try:
        results = iter(Parallel(backend=BatchedBackend())(chain(*tasks)))
    except Exception as error:
        error.add_note(f"In a worker: {''.join(format_exception(error))}")
        return error
    return [list(islice(results, len(task))) for task in tasks]
