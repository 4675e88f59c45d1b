"""Fixtures of several files."""

import pytest
from sklearn.datasets import make_classification, make_regression

from sknn.training import _fit


@pytest.fixture(scope="module")
def table():
    """Rows and labels of three classes."""
    return make_classification(60, 6, n_informative=4, n_classes=3, random_state=0)


@pytest.fixture(scope="module")
def numbers():
    """Rows and two columns of targets of unit scale."""
    X, y = make_regression(60, 6, n_targets=2, noise=5, random_state=0)
    return X, y / y.std(axis=0)


@pytest.fixture
def calls(monkeypatch):
    """Lists of runs that `run_all` is given."""
    given, run_all = [], _fit.run_all

    def spy(runs):
        given.append(list(runs))
        run_all(runs)

    monkeypatch.setattr(_fit, "run_all", spy)
    return given
