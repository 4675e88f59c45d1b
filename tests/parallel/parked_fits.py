"""pytest plugin: tests run in `sknn.batched()`, where every fit first waits."""

import functools
from types import SimpleNamespace

import pytest
from sklearn.base import BaseEstimator

import sknn
from sknn.training import _together
from sknn.training._submit import train


class Stop:
    """Training run that is none: a task that waits for it just stands still."""

    can_wait, can_be_stacked, n_bytes = True, False, 0
    net = SimpleNamespace(iterator_train__random_state=None)

    def train_alone(self):
        """Train nothing."""


def park(cls):
    """Let a class's own `fit` wait for company before it begins."""
    fit = vars(cls).get("fit")
    if not callable(fit):
        return

    @functools.wraps(fit)
    def parked(self, *args, **kwargs):
        train([Stop()])
        return fit(self, *args, **kwargs)

    cls.fit = parked


def park_all(cls):
    """Do so with all subclasses there are, and with those to come."""
    for subclass in cls.__subclasses__():
        park(subclass)
        park_all(subclass)


inherited = BaseEstimator.__init_subclass__.__func__


def init_subclass(cls, **kwargs):
    """Park the `fit` of a class that has just been written."""
    inherited(cls, **kwargs)
    park(cls)


n_trained = []


def train_together(runs):
    """Count runs that wait."""
    n_trained.append(len(runs))
    return [None] * len(runs)


def pytest_configure(config):
    """Park estimators before test modules define theirs."""
    BaseEstimator.__init_subclass__ = classmethod(init_subclass)
    park_all(BaseEstimator)
    _together.train_together = train_together


@pytest.fixture(autouse=True)
def batched():
    """Run each test in the backend."""
    with sknn.batched():
        yield


def pytest_terminal_summary(terminalreporter):
    """Say how much waited."""
    terminalreporter.write_line(f"{sum(n_trained)} waited in {len(n_trained)}")
