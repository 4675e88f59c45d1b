"""The process's warning filters and recorders, which tasks that take turns share."""

import sys
import warnings
from contextlib import contextmanager

NAMES = ("filters", "showwarning", "_showwarnmsg_impl")
"""What `warnings.catch_warnings` sets and puts back."""


def _is_shared():
    """Whether all threads have one state, as they always had below Python 3.14."""
    return not getattr(sys.flags, "context_aware_warnings", False)


class WarningState:
    """Filters and recorders of a task, in place while it runs."""

    def __init__(self):
        self._own = None

    @contextmanager
    def in_place(self):
        """Run with the task's own state, at first the one there is, and keep it."""
        if not _is_shared():
            yield
            return
        outer = _get()
        if self._own is not None:
            _set(self._own)
        try:
            yield
        finally:
            self._own = _get()
            _set(outer)


def _get():
    return [getattr(warnings, name) for name in NAMES]


def _set(state):
    # leaving it puts the filters back as they were, and says that they have changed
    with warnings.catch_warnings():
        pass
    for name, value in zip(NAMES, state, strict=True):
        setattr(warnings, name, value)
