"""Searches on joblib's dask and ray backends, two workers each, equal those at home."""

import os
import pickle
import signal
import tempfile
import warnings
from contextlib import contextmanager
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from joblib.pool import PicklingPool
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EpochTimer

import sknn
from sknn import ConvClassifier, MLPClassifier, RecurrentClassifier

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@contextmanager
def start_dask(folder):
    """Two dask workers of one thread each."""
    distributed = pytest.importorskip("distributed", exc_type=ImportError)
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",  # any free port
            local_directory=folder,
        ) as workers,
        distributed.Client(workers),
    ):
        yield {"backend": "dask"}


@contextmanager
def start_ray(folder):
    """Two ray workers; afterwards joblib's pool and SIGTERM are as they were."""
    ray = pytest.importorskip("ray", exc_type=ImportError)
    register_ray = pytest.importorskip("ray.util.joblib").register_ray
    bases, on_termination = PicklingPool.__bases__, signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # a token would go to the home folder
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")  # others may fill the memory
        ray.init(
            num_cpus=2,
            object_store_memory=100 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            _temp_dir=folder,
        )
        register_ray()
        yield {"backend": "ray", "n_jobs": 2}
        ray.shutdown()
    PicklingPool.__bases__ = bases
    signal.signal(signal.SIGTERM, on_termination)


@pytest.fixture(scope="module", params=[start_dask, start_ray], ids=["dask", "ray"])
def cluster(request):
    """Options of joblib.parallel_config that choose a cluster of two workers."""
    # a socket's path may have 107 characters: pytest's own folders are too long
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        request.param(folder) as options,
    ):
        yield options


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300].astype(np.float32), y[:300]


def make_mlp(**params):
    defaults = {"hidden_layer_sizes": (8,), "batch_size": 32, "max_iter": 4}
    return MLPClassifier(**{**defaults, "random_state": 0, **params})


def make_pipeline():
    return Pipeline([("scale", StandardScaler()), ("mlp", make_mlp())])


def make_conv():
    return ConvClassifier(
        input_shape=(8, 8, 1),
        conv_channels=(4,),
        hidden_layer_sizes=(8,),
        max_iter=3,
        random_state=0,
    )


def run_on_both(cluster, run):
    """Results of a function in this process and on the cluster."""
    here = run()
    with joblib.parallel_config(**cluster):
        return here, run()


def test_a_grid_search_over_a_pipeline(cluster, digits, capsys):
    """Scores, the refitted winner, and what a progress bar hears from workers."""
    pytest.importorskip("rich")

    def measure(model, X, y):
        place = {"process": os.getpid(), "threads": torch.get_num_threads()}
        return {"accuracy": model.score(X, y), "loss": model[-1].loss_, **place}

    def search():
        grid = {"mlp__alpha": [1e-4, 1.0], "mlp__hidden_layer_sizes": [(8,), (6, 5)]}
        options = {"cv": 3, "refit": "accuracy", "error_score": "raise"}
        search = GridSearchCV(make_pipeline(), grid, scoring=measure, **options)
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(*digits)
        printed = capsys.readouterr().out.splitlines()
        return search, sorted(line.split("━")[0] for line in printed)

    (here, bars_here), (there, bars) = run_on_both(cluster, search)
    one, other = here.cv_results_, there.cv_results_
    assert one.keys() == other.keys()
    for name in one:
        if name.endswith("test_process"):
            assert os.getpid() not in other[name]
        elif name.endswith("mean_test_threads"):
            assert set(other[name]) == {1}
        elif not name.endswith(("_time", "_threads")):
            assert_array_equal(one[name], other[name], err_msg=name)
    best = pickle.loads(pickle.dumps(there.best_estimator_))
    assert_array_equal(best.predict_proba(digits[0]), here.predict_proba(digits[0]))
    assert bars == bars_here
    assert sum("MLPClassifier" in bar for bar in bars) == 4 * 3 + 1


def test_parts_of_a_batched_search(cluster, digits):
    """Each worker trains the networks of its part together; scores agree."""
    scores = []

    def measure(model, X, y):
        return {"accuracy": model.score(X, y), "process": os.getpid()}

    for context in (joblib.parallel_config("sequential"), sknn.batched(**cluster)):
        grid = {"mlp__alpha": [1e-4, 1.0], "mlp__learning_rate_init": [1e-3, 1e-2]}
        search = GridSearchCV(
            make_pipeline(), grid, cv=3, scoring=measure, refit="accuracy"
        )
        with context:
            scores.append(search.fit(*digits).cv_results_)
    here, there = scores
    # float32's rounding may turn a row in a hundred
    assert_allclose(there["mean_test_accuracy"], here["mean_test_accuracy"], atol=0.01)
    processes = {there[f"split{k}_test_process"][i] for k in range(3) for i in range(4)}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_fitted_networks_come_back_and_go_on(cluster, digits):
    """With weights, histories and optimizers; on dask each is a task within a task."""
    X, y = digits
    # weights of 128 kB, which ray hands over in memory that is not to be written to
    mlp = make_mlp(hidden_layer_sizes=(500,), callbacks=[EpochTimer()])
    both = VotingClassifier([("mlp", mlp), ("conv", make_conv())], voting="soft")

    def validate():
        options = {"cv": 2, "return_estimator": True, "error_score": "raise"}
        return cross_validate(both, X, y, **options)

    here, there = run_on_both(cluster, validate)
    assert_array_equal(here["test_score"], there["test_score"])
    for fold in range(2):
        pairs = (results["estimator"][fold].estimators_ for results in (here, there))
        for one, other in zip(*pairs, strict=True):
            assert other.loss_curve_ == one.loss_curve_
            assert len(other.history_) == len(one.history_) == one.max_iter
            for net in (one, other):
                net.partial_fit(X, y)
            assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_lists_of_unequal_lengths(cluster):
    rng = np.random.default_rng(0)
    X = [rng.choice(["a", "b", "c"], rng.integers(1, 9)).tolist() for _ in range(60)]
    y = [tokens[0] for tokens in X]
    net = RecurrentClassifier(hidden_layer_sizes=(8,), max_iter=3, random_state=0)

    def score():
        return cross_val_score(net, X, y, cv=2, error_score="raise")

    here, there = run_on_both(cluster, score)
    assert_array_equal(here, there)


def test_a_warning_that_is_an_error_is_one_in_workers(cluster, digits):
    grid = {"max_iter": [4, 1000]}
    failed = partial(
        pytest.warns, FitFailedWarning, match="2 fits failed(.|\n)*Convergence"
    )

    def score():
        search = GridSearchCV(make_mlp(), grid, cv=2, error_score=-1)
        with failed(), warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            return search.fit(*digits).cv_results_["mean_test_score"]

    here, there = run_on_both(cluster, score)
    assert here[0] == -1
    assert_array_equal(here, there)
