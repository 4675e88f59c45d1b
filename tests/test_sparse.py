"""Sparse X: never dense, the same network as of dense rows, little memory."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from sknn import MLPClassifier, MLPRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*early_stopping"),
]

SOLVERS = ["lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"]
FORMS = [
    getattr(sparse, f"{name}_{kind}")
    for name in ("csr", "csc", "coo", "lil")
    for kind in ("array", "matrix")
]
N_FEATURES = 31
MEGABYTE = 1e6


def make_data(n_rows=120):
    X = sparse.random(n_rows, N_FEATURES, density=0.2, format="csr", random_state=0)
    return X, np.asarray(X.sum(axis=1)).ravel()


@pytest.fixture
def never_dense(monkeypatch):
    """Make every way from a sparse matrix to a dense one an error."""

    def refusing(method):
        def refuse(self, *args, **kwargs):
            assert self.shape[1] != N_FEATURES, "X was made dense"
            return method(self, *args, **kwargs)  # labels, by scikit-learn's scorers

        return refuse

    for form in FORMS:
        for name in ("toarray", "todense"):
            monkeypatch.setattr(form, name, refusing(getattr(form, name)))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
def test_nothing_makes_x_dense(never_dense, solver, early_stopping, scoring):
    X, y = make_data()
    y = y > y.mean()
    net = MLPClassifier(
        (6,),
        solver=solver,
        early_stopping=early_stopping,
        scoring=scoring,
        max_iter=3,
        random_state=0,
    )
    net.fit(X, y, np.ones(len(y)), X_val=X[:30], y_val=y[:30])
    net.fit(X, y)
    net.predict(X), net.predict_proba(X), net.transform(X), net.score(X, y)
    if solver != "lbfgs" and not early_stopping:
        net.partial_fit(X, y).partial_fit(X, y)


def test_a_frame_of_sparse_columns_is_like_the_matrix():
    X, y = make_data()
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X))
    options = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    net = MLPClassifier(**options).fit(frame.to_numpy(), y > y.mean())
    alike = MLPClassifier(**options).fit(frame, y > y.mean())
    for name in ("predict", "predict_proba", "transform"):
        expected = getattr(net, name)(frame.to_numpy())
        assert_allclose(getattr(alike, name)(frame), expected, rtol=1e-10, atol=1e-12)
    frame = frame.copy()
    frame[0] = pd.arrays.SparseArray(np.r_[np.nan, np.zeros(len(y) - 1)], fill_value=0)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        alike.predict(frame)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_sparse_numbers_as_targets_are_refused_before_any_work(n_outputs, capsys):
    X, y = make_data()
    y = sparse.csr_matrix(np.repeat(y[:, None], n_outputs, axis=1))
    with pytest.raises(TypeError, match="y must be dense: got sparse numbers"):
        MLPRegressor(verbose=True).fit(X, y)
    assert not capsys.readouterr().out


def test_one_sparse_column_of_labels_is_a_column():
    X, y = make_data()
    labels = (y > y.mean()).astype(int)
    options = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    expected = MLPClassifier(**options).fit(X, labels).predict_proba(X)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        net = MLPClassifier(**options).fit(X, sparse.csr_matrix(labels[:, None]))
    assert_array_equal(net.predict_proba(X), expected)


def test_a_scorer_that_fails_on_sparse_rows_is_named(never_dense):
    X, y = make_data()
    net = MLPRegressor(early_stopping=True, scoring="roc_auc")
    with pytest.raises(ValueError, match=r"scoring='roc_auc' must .* targets, 12 of"):
        net.fit(X, y)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_no_form_is_made_dense(never_dense, form, dtype):
    X, y = make_data()
    X = form((10 * X).astype(dtype))
    net = MLPRegressor(hidden_layer_sizes=(6,), max_iter=2, early_stopping=True)
    net.fit(X, y)
    assert net.predict(X).shape == y.shape
    assert np.isfinite(net.score(X, y))


@pytest.mark.parametrize("solver", SOLVERS)
def test_deep_networks_train_as_on_dense_rows(solver):
    X, y = make_data()
    params = {"solver": solver, "max_iter": 10, "random_state": 0, "batch_size": 32}

    def fit(X):
        return MLPRegressor(hidden_layer_sizes=(9, 4), **params).fit(X, y)

    dense = fit(X.toarray())
    assert_allclose(fit(X).coefs_[0], dense.coefs_[0], rtol=1e-6, atol=1e-9)


MEASURE = """
import sys, warnings
import numpy as np
from scipy import sparse
from sknn import MLPClassifier

warnings.simplefilter("ignore")

def read(key):
    for line in open("/proc/self/status"):
        if line.startswith(key):
            return 1024 * int(line.split()[1])

dtype, early_stopping, weighted = sys.argv[1], *map(int, sys.argv[2:])
random_state = np.random.default_rng(0)  # a RandomState would permute all 6e8 places
X = sparse.random(
    3000, 200_000, density=2e-4, format="csr", random_state=random_state, dtype=dtype
)
y = np.random.RandomState(0).randint(3, size=3000)
net = MLPClassifier((100,), max_iter=2, early_stopping=bool(early_stopping))
before = read("VmRSS")
net.fit(X, y, np.ones(3000) if weighted else None).predict(X)
print(read("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("dtype", "early_stopping", "weighted", "most"),
    [
        ("float64", 1, 1, 700),
        pytest.param("float64", 0, 0, 700, marks=pytest.mark.slow),
        pytest.param("float32", 1, 0, 400, marks=pytest.mark.slow),
    ],
)
def test_a_wide_fit_stays_within_its_memory(dtype, early_stopping, weighted, most):
    # 20 million weights, their copy and two moments: 320 MB in float32, 640 in float64
    options = [dtype, str(early_stopping), str(weighted)]
    command = [sys.executable, "-c", MEASURE, *options]
    grown = int(subprocess.check_output(command, text=True))
    assert grown < most * MEGABYTE
