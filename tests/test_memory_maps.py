"""Memory-mapped X: the network of the array in memory, by a file that stays one."""

import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from skorch.callbacks import Callback, EpochScoring, Freezer

from sknn import MLPClassifier, MLPRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*early_stopping"),
]

DTYPES = ["uint8", "bool", "int64", ">f4", "float16", "float32", "float64"]
SOLVERS = ["lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"]


@pytest.fixture
def save(tmp_path):
    """Save an array and map it."""

    def save(X, name="X"):
        np.save(tmp_path / f"{name}.npy", X)
        return np.load(tmp_path / f"{name}.npy", mmap_mode="r")

    return save


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


def assert_same(one, other, X_one, X_other):
    assert_array_equal(get_weights(one), get_weights(other))
    assert_array_equal(one.predict_proba(X_one), other.predict_proba(X_other))
    assert_array_equal(one.transform(X_one), other.transform(X_other))
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kept", ["auto", "float32", "float64"])
@pytest.mark.parametrize("hidden", [(9,), ()], ids=str)
def test_every_type_trains_as_in_memory(save, digits, dtype, kept, hidden):
    X, y = digits[0].astype(dtype), digits[1]
    params = {"max_iter": 3, "random_state": 0, "dtype": kept, "early_stopping": True}

    def fit(X):
        return MLPClassifier(hidden, **params).fit(X, y)

    assert_same(fit(save(X)), fit(X), save(X), X)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_every_solver_trains_as_in_memory(
    save, digits, dtype, solver, early_stopping, scoring
):
    X, y = digits[0].astype(dtype), digits[1]
    params = {"solver": solver, "early_stopping": early_stopping, "scoring": scoring}

    def fit(X, X_val):
        net = MLPClassifier((9,), max_iter=3, random_state=0, **params)
        net.fit(X, y, X_val=X_val, y_val=y[:50])
        if solver != "lbfgs" and not early_stopping:
            net.partial_fit(X, y)
        return net

    mapped = save(X)
    assert_same(fit(mapped, mapped[:50]), fit(X, X[:50]), mapped, X)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("kept", ["auto", "float32"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_bad_values_are_refused_as_in_memory(save, digits, dtype, kept, value):
    X, y = digits[0].astype(dtype), digits[1]
    net = MLPClassifier((9,), max_iter=2, dtype=kept).fit(X, y)
    with np.errstate(over="ignore"):
        X[250, 3] = value
    mapped = save(X)
    for use in (lambda net, X: net.fit(X, y), lambda net, X: net.predict(X)):
        messages = []
        for inputs in (X, mapped):
            try:
                use(net, inputs)
                messages.append(None)
            except ValueError as error:
                messages.append(str(error))
        assert messages[0] == messages[1]
        assert messages[0] or (value == 1e300 and dtype == "float64" and kept == "auto")


SHAPE = (40_000, 200)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True},
        {"early_stopping": True, "scoring": "loss"},
        {"solver": "lbfgs", "max_fun": 1},
        {"dtype": "float32"},
        {"batch_size": 1000, "shuffle": False},
    ],
    ids=str,
)
def test_the_file_is_never_copied(save, dtype, params):
    X = np.random.RandomState(0).randint(4, size=SHAPE).astype(dtype)
    X, y = save(X), np.random.RandomState(1).rand(len(X))
    options = {"hidden_layer_sizes": (4,), "max_iter": 1, "random_state": 0, **params}
    MLPRegressor(**options).fit(X[:2000], y[:2000])  # imports are not the subject
    net = MLPRegressor(**options)
    validation = {}
    if "early_stopping" in params:
        validation = {"X_val": X, "y_val": y}
    tracemalloc.start()
    try:
        net.fit(X, y, **validation).predict(X)
        net.score(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    rows_of_lbfgs = 16384 * SHAPE[1] * 8
    room = 8 * len(X) * 8  # numbers a row
    room += 2.2 * rows_of_lbfgs if "solver" in params else 0
    assert peak < room + 12e6


def test_validation_rows_stay_in_the_file(save):
    X = save(np.random.RandomState(0).rand(*SHAPE).astype(np.float32))
    y = np.random.RandomState(1).rand(len(X))
    params = {"hidden_layer_sizes": (4,), "max_iter": 2, "early_stopping": True}
    net = MLPRegressor(validation_fraction=0.8, **params)
    net.fit(X[:1000], y[:1000])
    tracemalloc.start()
    try:
        net.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.8 * X.nbytes / 2


class BatchHook(Callback):
    """Does nothing, but is asked a batch: training goes skorch's way."""

    def on_batch_end(self, net, **kwargs):
        pass


def make_freezer():
    return Freezer("layers.0.bias")


def make_scoring():
    return EpochScoring("accuracy", use_caching=False, lower_is_better=False)


@pytest.mark.parametrize("make", [BatchHook, make_freezer, make_scoring])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_callbacks_see_arrays(save, digits, make, dtype):
    X, y = digits[0].astype(dtype), digits[1]

    def fit(X):
        net = MLPClassifier((9,), max_iter=3, random_state=0, callbacks=[make()])
        return net.fit(X, y, X_val=X[:50], y_val=y[:50])

    mapped = save(X)
    assert_same(fit(mapped), fit(X), mapped, X)


ALONE = """
import sys, threading, warnings
import numpy as np
from sknn import MLPClassifier

warnings.simplefilter("ignore")

def read():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return 1024 * int(line.split()[1])

def watch():
    global peak
    while not over.wait(0.002):
        peak = max(peak, read())

X = np.load(sys.argv[1], mmap_mode="r")
y = np.arange(len(X)) % 3
net = MLPClassifier((16,), max_iter=1, early_stopping=True)
net.fit(X[:500], y[:500]).predict(X[:500])
start = peak = read()
over = threading.Event()
thread = threading.Thread(target=watch)
thread.start()
net.fit(X, y).predict(X)
over.set()
thread.join()
print(peak - start)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_no_library_copies_the_file(tmp_path, dtype):
    path, shape = tmp_path / "X.npy", (100_000, 400)  # 160 MB, as float32
    X = np.lib.format.open_memmap(path, "w+", dtype, shape)
    for start in range(0, len(X), 10_000):
        X[start : start + 10_000] = np.arange(400)
    X.flush()
    output = subprocess.check_output([sys.executable, "-c", ALONE, path], text=True)
    assert int(output) < 40e6


def test_fits_in_threads_share_a_map(save, digits):
    X, y = digits[0].astype("uint8"), digits[1]
    mapped = save(X)
    nets = [MLPClassifier((9,), max_iter=3, random_state=0) for _ in range(3)]
    threads = [threading.Thread(target=net.fit, args=(mapped, y)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = MLPClassifier((9,), max_iter=3, random_state=0).fit(X, y)
    for net in nets:
        assert_array_equal(get_weights(net), get_weights(expected))
