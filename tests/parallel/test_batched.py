"""scikit-learn's own searches and meta-estimators inside `sknn.batched()`."""

import contextlib
import gc
import threading
import warnings
import weakref

import joblib
import numpy as np
import pytest
from joblib.parallel import get_active_backend
from numpy.testing import assert_allclose, assert_array_equal
from searches import (
    RATE,
    RATES,
    UTILITIES,
    find_numbers,
    get_scores,
    make_net,
    nested,
    search,
)
from sklearn import config_context
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from skorch.callbacks import Callback

import sknn
from sknn import MLPRegressor
from sknn.parallel._backend import BatchedBackend
from sknn.training import _together

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    """Record how many networks train together, and see that no thread is left."""
    sizes, train_together = [], _together.train_together

    def recorded(runs):
        sizes.append(len(runs))
        return train_together(runs)

    monkeypatch.setattr(_together, "train_together", recorded)
    yield sizes
    assert not any("sknn" in thread.name for thread in threading.enumerate())


def fit_in_place(net, X, y):
    net.fit(X, y)


# Equal results


@pytest.mark.parametrize("utility", UTILITIES, ids=lambda utility: utility.__name__)
def test_results_are_the_same(iris, trainings, utility):
    """To rounding: networks of one matrix meet other kernels of the product."""
    alone = find_numbers(utility, *iris)
    assert trainings == []
    with sknn.batched():
        together = find_numbers(utility, *iris)
    assert_allclose(together, alone, rtol=1e-6)
    assert trainings == UTILITIES[utility]


def test_validation_rows_are_routed(iris, trainings):
    X, y = iris

    def run():
        net = make_net(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("net", net)]
        model = Pipeline(steps, transform_input=["X_val"])
        found = GridSearchCV(model, {f"net__{RATE}": RATES}, cv=3)
        found.fit(X, y, X_val=X[::3], y_val=y[::3])
        return [*get_scores(found)[0], found.best_estimator_[-1].best_validation_score_]

    with config_context(enable_metadata_routing=True):
        alone = run()
        with sknn.batched():
            together = run()
    assert_allclose(together, alone, rtol=1e-6)
    assert trainings == [9]


def test_fitted_prefixes_are_remembered(iris, trainings, tmp_path):
    def run(memory):
        model = make_pipeline(StandardScaler(), make_net(), memory=memory)
        grid = {"mlpclassifier__learning_rate_init": RATES}
        return get_scores(GridSearchCV(model, grid, cv=3).fit(*iris))

    alone = run(None)
    with sknn.batched():
        together = run(str(tmp_path))
    assert_allclose(together, alone, rtol=1e-6)
    assert trainings == [9]
    assert len(list(tmp_path.rglob("output.pkl"))) == 4  # three splits and the refit


def test_joblibs_own_context_is_the_same(iris, trainings):
    with joblib.parallel_config(backend="sknn"):
        search(make_net()).fit(*iris)
    search(make_net()).fit(*iris)
    assert trainings == [9]


# Errors and warnings

DIVERGING = [0.001, 1e9]


def diverging_search(X, y, **options):
    net = MLPRegressor(solver="sgd", max_iter=5, random_state=0)
    return GridSearchCV(net, {RATE: DIVERGING}, cv=2, **options).fit(X, 100 * y)


@pytest.mark.parametrize("error_score", [np.nan, -7.0])
def test_fits_that_fail_have_the_error_score(iris, error_score):
    def run():
        with (
            pytest.warns(FitFailedWarning, match="2 fits failed") as record,
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "One or more of the test scores")
            found = diverging_search(*iris, error_score=error_score)
        return get_scores(found), len(record)

    alone, n_warnings = run()
    with sknn.batched():
        together, as_many = run()
    assert_allclose(together, alone, rtol=1e-6)
    assert n_warnings == as_many
    assert (together[0] == error_score).any() or np.isnan(together).any()


def test_a_fit_that_fails_raises_its_error(iris):
    messages = []
    for context in (contextlib.nullcontext(), sknn.batched()):
        with context, pytest.raises(ValueError, match="non-finite") as caught:
            diverging_search(*iris, error_score="raise")
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_bad_parameters_come_before_any_training(iris, trainings):
    with sknn.batched(), pytest.raises(ValueError, match="All the 5 fits failed"):
        cross_val_score(make_net(alpha=-1.0), *iris)
    with sknn.batched(), pytest.raises(ValueError, match="alpha"):
        cross_val_score(make_net(alpha=-1.0), *iris, error_score="raise")
    assert trainings == []


def test_warnings_are_as_many_and_in_order(iris):
    def run():
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            for max_iter in ([1, 2], [2, 1]):
                GridSearchCV(make_net(), {"max_iter": max_iter}, cv=2).fit(*iris)
        return [(w.category, str(w.message)) for w in record]

    alone = run()
    with sknn.batched():
        assert run() == alone
    assert len(alone) == 2 * (2 * 2 + 1)


def test_filters_apply_inside_tasks(iris):
    net = make_net(max_iter=1)
    with warnings.catch_warnings(), sknn.batched():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning):
            cross_val_score(net, *iris, error_score="raise")


# Randomness


@pytest.mark.parametrize("params", [{}, {"shuffle": False}, {"early_stopping": True}])
def test_no_seed_draws_as_one_by_one(iris, trainings, params):
    """As long as nothing stops early."""
    net = make_net(random_state=None, n_iter_no_change=99, **params)
    found = []
    for context in (contextlib.nullcontext(), sknn.batched()):
        np.random.seed(3)  # noqa: NPY002
        with context:
            scores = cross_validate(net, *iris, return_estimator=True)
        weights = [estimator.coefs_[0] for estimator in scores["estimator"]]
        found.append((weights, np.random.rand()))  # noqa: NPY002
    (alone, drawn), (together, as_drawn) = found
    assert_allclose(together, alone, rtol=1e-6)
    assert drawn == as_drawn
    assert not np.allclose(alone[0], alone[1])
    assert trainings == [5]


@pytest.mark.parametrize("max_iter", [20, 100_000])
def test_no_seed_is_reproducible_where_nets_stop_early(iris, max_iter):
    stops = {"tol": 10.0, "n_iter_no_change": 1, "max_iter": max_iter}
    net, found = make_net(random_state=None, **stops), []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002
        with sknn.batched():
            found.append(cross_val_score(net, *iris, scoring="neg_log_loss"))
    assert_array_equal(found[0], found[1])


def test_global_state_is_left_alone_with_seeds(iris):
    before = str(np.random.get_state())  # noqa: NPY002
    with sknn.batched():
        cross_val_score(make_net(), *iris)
    assert str(np.random.get_state()) == before  # noqa: NPY002


def test_one_state_for_several_tasks(iris):
    """Networks of different threads do not race for it."""
    found = []
    for _ in range(2):
        shared = np.random.RandomState(3)
        nets = [make_net(random_state=shared, max_iter=20) for _ in range(8)]
        with sknn.batched():
            joblib.Parallel()(joblib.delayed(fit_in_place)(net, *iris) for net in nets)
        found.append(([net.coefs_[0] for net in nets], shared.rand()))
    (weights, drawn), (same, as_drawn) = found
    assert_array_equal(weights, same)
    assert drawn == as_drawn


# Callbacks


class Count(Callback):
    """Counts epochs of all its clones."""

    n_epochs = 0

    def on_epoch_end(self, net, **kwargs):
        Count.n_epochs += 1


def test_nets_with_callbacks_train_by_themselves(iris, trainings, monkeypatch):
    monkeypatch.setattr(Count, "n_epochs", 0)
    alone = get_scores(search(make_net()).fit(*iris))
    with sknn.batched():
        found = search(make_net(callbacks=[Count()])).fit(*iris)
    assert_array_equal(get_scores(found), alone)
    assert Count.n_epochs == 5 * (9 + 1)
    assert trainings == []


def test_callbacks_of_nets_are_told_of_every_epoch(iris, trainings):
    rows = []
    for context in (contextlib.nullcontext(), sknn.batched()):
        monitor = ScoringMonitor(scoring="accuracy")
        with context:
            search(make_net().set_callbacks(monitor)).fit(*iris)
        rows.append([row["accuracy"] for row in monitor.get_logs().data])
    assert rows[0] == rows[1]
    assert len(rows[0]) >= 5 * (9 + 1)
    assert trainings == []


class Told:
    """A scikit-learn callback of the search that keeps what it is told."""

    def __init__(self):
        self.calls = []

    def setup(self, estimator, context):
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.calls.append(("end", context.task_name))


def test_callbacks_of_the_search(iris, trainings):
    calls = []
    for context in (contextlib.nullcontext(), sknn.batched()):
        told = Told()
        with context:
            search(make_net()).set_callbacks(told).fit(*iris)
        calls.append(sorted(told.calls))
    assert calls[0] == calls[1]
    assert len(calls[0]) > 2 * 9
    assert trainings == [9]


def test_progress_bars_reach_the_end(iris, capsys):
    pytest.importorskip("rich")
    with sknn.batched():
        search(make_net()).set_callbacks(ProgressBar()).fit(*iris)
    assert "100%" in capsys.readouterr().out


# What is left


def test_searches_leave_nothing_to_the_garbage_collector(iris):
    X, y = iris[0].copy(), iris[1].copy()
    with sknn.batched():
        nested(X, y)  # what is made once
        gc.collect()
        gc.disable()
        try:
            nested(X, y)
            data = weakref.ref(X)
            del X
            assert data() is None
            calls = [
                o for o in gc.get_objects() if issubclass(type(o), joblib.Parallel)
            ]
            assert calls == []
        finally:
            gc.enable()


def test_searches_leave_no_objects_behind(iris):
    def run_and_count(n_searches):
        for _ in range(n_searches):
            with sknn.batched():
                cross_val_score(make_net(max_iter=1), *iris, cv=3)
        gc.collect()
        return len(gc.get_objects())

    before = run_and_count(3)
    assert run_and_count(10) - before < 10  # not an object a search


@pytest.mark.parametrize("error", [None, ValueError])
def test_the_context_ends(iris, error):
    before = get_active_backend()
    with contextlib.suppress(ValueError), sknn.batched():
        assert type(get_active_backend()[0]).__name__ == "BatchedBackend"
        if error is not None:
            raise error
    assert type(get_active_backend()[0]) is type(before[0])


def test_the_context_is_a_decorator(iris, trainings):
    @sknn.batched()
    def run():
        return cross_val_score(make_net(), *iris)

    assert len(run()) == 5
    assert trainings == [5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_jobs": 2}, r"n_jobs.*with backend=None, got n_jobs=2\."),
        ({"backend": "loky", "n_jobs": "2"}, r"n_jobs must be.*got n_jobs='2'\."),
        ({"backend": "loky", "n_jobs": 1.5}, r"n_jobs must be.*got n_jobs=1\.5\."),
        ({"backend": "loky", "n_jobs": 0}, r"n_jobs must be.*got n_jobs=0\."),
        ({"backend": "nobody"}, "Invalid backend: nobody"),  # joblib's
        ({"backend": 5}, r"backend must be.*got backend=5\."),
        ({"backend": "sknn"}, r"backend must have workers.*got backend='sknn'\."),
        ({"backend": BatchedBackend()}, "backend must have workers.*got backend=<"),
    ],
)
def test_bad_arguments_come_before_anything_runs(arguments, message):
    before = get_active_backend()[0]
    with pytest.raises(ValueError, match=message), sknn.batched(**arguments):
        pytest.fail("it runs")
    assert type(get_active_backend()[0]) is type(before)
