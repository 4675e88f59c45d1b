"""Train now, or wait for company: what every fit goes through."""

from contextlib import contextmanager
from contextvars import ContextVar

# what takes training runs that may wait, and returns how each ended; None trains now
_company = ContextVar("company", default=None)


@contextmanager
def in_company(wait):
    """Run with fits that wait for others, those of networks that can be batched.

    Parameters
    ----------
    wait : callable or None
        ``wait(runs)`` is given a list of `Run` and returns, when they have been
        trained, their outcomes: what `train_together` returns for them. It may raise
        what ends the fit. None is no company: fits train at once.
    """
    token = _company.set(wait)
    try:
        yield
    finally:
        _company.reset(token)


def train(runs):
    """Train, or wait until others have trained, and return how each run ended.

    Parameters
    ----------
    runs : list of Run
        Those that can be trained together are.

    Returns
    -------
    list
        Of each run what its `train_alone` returns, however it was trained.
    """
    wait = _company.get()
    if wait is not None and all(run.can_wait for run in runs):
        return wait(runs)
    if len(runs) == 1 or not all(run.can_wait for run in runs):
        return [run.train_alone() for run in runs]
    from sknn.training._together import train_together

    return train_together(runs)
