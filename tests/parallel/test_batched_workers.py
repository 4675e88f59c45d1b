"""`sknn.batched` with another joblib backend, whose workers get a part each."""

import os
import time

import numpy as np
import pytest
import searches
from joblib import Parallel, delayed
from numpy.testing import assert_allclose
from searches import make_net
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import scale
from waiting_runs import WaitingRun

import sknn
from sknn.training import _together
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


@pytest.fixture(params=[("loky", 2), ("threading", 1)], ids=["loky", "threading"])
def workers(request):
    """Give a context with two processes, or with one thread."""
    return sknn.batched(*request.param)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def test_each_worker_trains_a_contiguous_part_together():
    with sknn.batched("loky", n_jobs=2):
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


SEVERAL = [searches.grid_of_pipelines, searches.nested, searches.curves]
SEVERAL += [searches.predictions, searches.bagging, searches.stacking]


@pytest.mark.parametrize("utility", SEVERAL, ids=lambda utility: utility.__name__)
def test_results_are_the_same(workers, iris, utility):
    """To rounding, as in one process."""
    alone = searches.find_numbers(utility, *iris)
    with workers:
        together = searches.find_numbers(utility, *iris)
    assert_allclose(together, alone, rtol=1e-6)


def test_one_worker_trains_all_together(iris, monkeypatch):
    sizes, train_together = [], _together.train_together

    def recorded(runs):
        sizes.append(len(runs))
        return train_together(runs)

    monkeypatch.setattr(_together, "train_together", recorded)
    for utility in SEVERAL:
        sizes.clear()
        with sknn.batched("threading", n_jobs=1):
            utility(*iris)
        assert sizes == searches.UTILITIES[utility]


def test_times_of_fits_are_no_more_than_what_two_workers_had(iris):
    """Each waits for all of its part, and that is not counted."""
    alphas, n_splits = np.logspace(-5, 0, 20), 3
    search = GridSearchCV(make_net(max_iter=50), {"alpha": alphas}, cv=n_splits)
    begin = time.perf_counter()
    with sknn.batched("loky", n_jobs=2):
        fit_times = search.fit(*iris).cv_results_["mean_fit_time"]
    passed = time.perf_counter() - begin
    assert (fit_times > 0).all()
    assert fit_times.sum() * n_splits <= 2 * passed


def test_failing_fits_have_the_error_score(workers, iris):
    X, y = iris
    net = sknn.MLPRegressor(solver="sgd", learning_rate_init=1e9, max_iter=5)
    with workers:
        with pytest.raises(ValueError, match="All the 4 fits failed"):
            cross_val_score(net, X, 100 * y, cv=4)
        with pytest.raises(ValueError, match="non-finite"):
            cross_val_score(net, X, 100 * y, cv=4, error_score="raise")
