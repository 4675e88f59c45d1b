"""Initial weights as a hyperparameter."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.training._initialization import WEIGHTS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_start_is_its_own(Estimator, dtype):
    X, y = load_iris(return_X_y=True)
    net = Estimator(hidden_layer_sizes=(8,), max_iter=1, random_state=0)
    X, found = scale(X).astype(dtype), []
    for name in ["auto", *WEIGHTS]:
        net.set_params(weight_init=name)
        found.append(net.fit(X, y).coefs_[0].copy())
        assert found[-1].dtype == dtype
        assert_array_equal(net.fit(X, y).coefs_[0], found[-1])
    for k, weight in enumerate(found):
        assert not any(np.allclose(weight, other) for other in found[:k])


def test_biases_start_at_zero():
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier(weight_init="he_normal", max_iter=1, solver="sgd")
    net.set_params(learning_rate_init=1e-12).fit(X, y)
    assert np.abs(np.concatenate(net.intercepts_)).max() < 1e-10
    net.set_params(weight_init="auto").fit(X, y)
    assert np.abs(np.concatenate(net.intercepts_)).max() > 1e-2


def test_a_search_over_all():
    X, y = load_digits(return_X_y=True)
    net = MLPClassifier((32,), max_iter=30, random_state=0, learning_rate_init=0.01)
    grid = {"weight_init": ["auto", *WEIGHTS]}
    search = GridSearchCV(net, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(X[:600] / 16, y[:600])
    assert np.min(search.cv_results_["mean_test_score"]) > 0.5
