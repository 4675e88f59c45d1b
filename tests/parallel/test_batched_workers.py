"""`sknn.batched` with another joblib backend, whose workers get a part each."""

import os
import time

import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from waiting_runs import WaitingRun

import sknn
from sknn.training._submit import train

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WAITING = []
"""What waits in this process."""


class CountingRun(WaitingRun):
    """Run whose outcome is what waited in its process when it was trained."""

    def train_alone(self):
        """Numbers of the tasks that wait."""
        return list(WAITING)


def wait(i):
    """Wait with number i; return the process and what waited beside."""
    WAITING.append(i)
    (beside,) = train([CountingRun(i)])
    return os.getpid(), beside


@pytest.fixture
def workers():
    """Give a context with two workers."""
    return sknn.batched(backend="loky", n_jobs=2)


def test_each_worker_trains_a_contiguous_part_together(workers):
    with workers:
        found = Parallel(n_jobs=5, pre_dispatch=1)(delayed(wait)(i) for i in range(7))
    processes, beside = zip(*found, strict=True)
    assert len({*processes, os.getpid()}) in (2, 3)  # one may take both
    for part in ([0, 1, 2, 3], [4, 5, 6]):
        for i in part:
            assert beside[i][-len(part) :] == part
    assert WAITING == []


def test_fewer_tasks_than_workers(workers):
    with workers:
        assert len(Parallel()(delayed(wait)(i) for i in range(1))) == 1
        assert Parallel()(delayed(wait)(i) for i in range(0)) == []


def test_as_many_parts_as_there_are_workers():
    with sknn.batched(backend="threading"):
        found = Parallel()(delayed(os.getpid)() for _ in range(5))
    assert found == [os.getpid()] * 5


def fail(i, seconds):
    """Raise at every third number, soon or late."""
    time.sleep(seconds[i])
    if i % 3 == 2:
        raise ValueError(f"at {i}")
    return i


@pytest.mark.parametrize("slow", [0, 5])
def test_the_first_error_in_order_is_raised(workers, slow):
    seconds = [0.5 if i == slow else 0 for i in range(6)]
    with workers, pytest.raises(ValueError, match="at 2") as caught:
        Parallel()(delayed(fail)(i, seconds) for i in range(6))
    assert "in fail" in caught.value.__notes__[0]


def test_searches_are_the_same(workers):
    X, y = load_iris(return_X_y=True)
    net = sknn.MLPClassifier((8,), max_iter=5, random_state=0)
    model = make_pipeline(StandardScaler(), net)
    grid = {"mlpclassifier__learning_rate_init": [0.01, 0.1]}
    found = []
    for context in (sknn.batched(), workers):
        with context:
            search = GridSearchCV(model, grid, cv=3).fit(X, y)
            bagged = BaggingClassifier(net, 5, random_state=0).fit(X, y)
        assert (search.cv_results_["mean_fit_time"] > 0).all()
        scores = search.cv_results_["mean_test_score"]
        found.append([*scores, *bagged.predict_proba(X).ravel()])
    assert_allclose(found[1], found[0], rtol=1e-6)


def test_failing_fits_have_the_error_score(workers):
    X, y = load_iris(return_X_y=True)
    net = sknn.MLPRegressor(solver="sgd", learning_rate_init=1e9, max_iter=5)
    with workers:
        with pytest.raises(ValueError, match="All the 4 fits failed"):
            cross_val_score(net, X, 100 * y, cv=4)
        with pytest.raises(ValueError, match="non-finite"):
            cross_val_score(net, X, 100 * y, cv=4, error_score="raise")
