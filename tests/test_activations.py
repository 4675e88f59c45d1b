"""Hidden activations as a hyperparameter of the estimators."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.training import _parallel
from sknn.training._activations import ACTIVATIONS

NEW = sorted(set(ACTIVATIONS) - {"identity", "logistic", "tanh", "relu"})
every_new = pytest.mark.parametrize("activation", NEW)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def make_classifier(activation, **params):
    params = {"max_iter": 15, "random_state": 0, "learning_rate_init": 0.01} | params
    return MLPClassifier((32, 16), activation=activation, **params)


@every_new
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_digits_are_learned(digits, activation, dtype):
    X, y = digits
    net = make_classifier(activation).fit(X[::2].astype(dtype), y[::2])
    assert net.score(X[1::2], y[1::2]) > (0.75 if activation == "sign" else 0.9)


@every_new
def test_every_activation_is_its_own(digits, activation):
    X, y = digits
    found = make_classifier(activation, max_iter=2).fit(X, y).loss_curve_
    for other in set(ACTIVATIONS) - {activation}:
        curve = make_classifier(other, max_iter=2).fit(X, y).loss_curve_
        assert not np.allclose(found, curve, rtol=1e-4)


@every_new
@pytest.mark.parametrize("in_parts", [False, True])
def test_predictions_are_those_of_the_module(digits, activation, in_parts, monkeypatch):
    if in_parts:
        monkeypatch.setattr(_parallel, "WORTH_A_THREAD", 1000)
    X, y = digits
    net = make_classifier(activation, max_iter=2).fit(X, y)
    rows = X if in_parts else X[:5]
    with torch.no_grad():
        probability = net.module_(torch.from_numpy(rows)).softmax(1)
        hidden = net.module_.hidden(torch.from_numpy(rows))
    for form in (np.asarray, sparse.csr_array):
        assert_allclose(net.predict_proba(form(rows)), probability, rtol=1e-9)
        assert_allclose(net.transform(form(rows)), hidden, rtol=1e-9, atol=1e-12)
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict_proba(rows), net.predict_proba(rows))


@every_new
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_sparse_rows_train_as_dense_ones_do(digits, activation, solver):
    X, y = digits[0][:300], digits[1][:300]
    net = make_classifier(activation, solver=solver, max_iter=3)
    dense = net.fit(X, y).coefs_[0].copy()
    assert_allclose(net.fit(sparse.csr_array(X), y).coefs_[0], dense, rtol=1e-6)


def test_threshold_units_give_signs(digits):
    X, y = digits
    found = make_classifier("sign", max_iter=2).fit(X, y).transform(X)
    assert set(np.unique(found)) <= {-1, 0, 1}


def test_straight_through_trains_the_first_layer(digits):
    X, y = digits
    net = make_classifier("sign", warm_start=True, max_iter=1).fit(X, y)
    before = net.coefs_[0].copy()
    assert not np.array_equal(net.fit(X, y).coefs_[0], before)


def test_a_search_over_all(digits):
    X, y = digits[0][:600], digits[1][:600]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), make_classifier("relu", max_iter=5)),
        {"mlpclassifier__activation": list(ACTIVATIONS)},
        cv=2,
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    assert np.min(search.cv_results_["mean_test_score"]) > 0.2  # chance is 0.1


@every_new
def test_regression(activation):
    X, y = load_diabetes(return_X_y=True, scaled=True)
    X, y = 20 * X, (y - y.mean()) / y.std()
    net = MLPRegressor(hidden_layer_sizes=(20,), activation=activation, solver="sgd")
    net.set_params(max_iter=60, learning_rate_init=0.01, random_state=0)
    assert net.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.3
