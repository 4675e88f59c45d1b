"""scikit-learn's installed tests of its perceptrons, run on ours in their place."""

import importlib.util
import inspect
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn import neural_network

from sknn import MLPClassifier, MLPRegressor

# scikit-learn runs these tests with its warnings on: many end before convergence,
# and some ask for a pair of parameters of which one is ignored.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

PRIVATE = {
    "test_fit": "_coef_velocity",
    "test_gradient": "_loss_grad_lbfgs",
    "test_learning_rate_warmstart": "_optimizer",
    "test_adaptive_learning_rate": "_optimizer",
    "test_n_iter_no_change": "_no_improvement_count",
    "test_n_iter_no_change_inf": "_no_improvement_count",
}
"""Tests left out, with the private attribute of scikit-learn's class that each
reads or writes; what they are after is tested below through public attributes."""


def load_upstream():
    """Execute scikit-learn's test module while its classes' names mean ours."""
    name = "sklearn.neural_network.tests.test_mlp"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neural_network, "MLPClassifier", MLPClassifier)
        patch.setattr(neural_network, "MLPRegressor", MLPRegressor)
        spec.loader.exec_module(module)
    functions = inspect.getmembers(module, inspect.isfunction)
    return {name: test for name, test in functions if name.startswith("test_")}


UPSTREAM = load_upstream()
globals().update({name: test for name, test in UPSTREAM.items() if name not in PRIVATE})


@pytest.fixture
def global_random_seed():
    """Give the seed that scikit-learn's own conftest gives by default."""
    return 42


def test_upstream_runs_on_our_classes():
    for test in UPSTREAM.values():
        assert test.__globals__["MLPClassifier"] is MLPClassifier
        assert test.__globals__["MLPRegressor"] is MLPRegressor
    assert len(UPSTREAM) >= 43
    assert UPSTREAM.keys() - globals().keys() == PRIVATE.keys()


@pytest.mark.parametrize("name", PRIVATE)
def test_left_out_for_a_private_attribute(name):
    """An exclusion ends with the upstream test that it was made for."""
    source = inspect.getsource(UPSTREAM[name])
    assert re.search(rf"\.{PRIVATE[name]}\b", source)
    assert not hasattr(MLPClassifier(), PRIVATE[name])


def binary_digits():
    """Return the data of the upstream tests that the ones below stand for."""
    upstream = UPSTREAM["test_n_iter_no_change"].__globals__
    return upstream["X_digits_binary"], upstream["y_digits_binary"]


def learning_rate(model):
    return model.optimizer_.param_groups[0]["lr"]


def test_fit_by_hand():
    """One step of gradient descent from given weights, worked out by hand."""
    X = np.array([[0.6, 0.8, 0.7]])
    model = MLPClassifier(
        hidden_layer_sizes=2,
        activation="logistic",
        solver="sgd",
        learning_rate_init=0.1,
        alpha=0.1,
        momentum=0,
        random_state=1,
    )
    model.partial_fit(X, [0], classes=[0, 1])
    W1, W2 = np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0.0]]), np.array([[0.1], [0.2]])
    b1, b2 = np.array([0.1, 0.1]), np.array([1.0])
    given = [W1, W2, b1, b2]
    for parameter, value in zip(model.coefs_ + model.intercepts_, given, strict=True):
        parameter[...] = value
    model.partial_fit(X, [0])

    hidden = expit(X @ W1 + b1)  # (1, 2)
    delta_2 = expit(hidden @ W2 + b2) - 0.0  # (1, 1)
    delta_1 = delta_2 @ W2.T * hidden * (1.0 - hidden)  # (1, 2)
    assert_allclose(model.coefs_[0], W1 - 0.1 * (X.T @ delta_1 + 0.1 * W1))
    assert_allclose(model.coefs_[1], W2 - 0.1 * (hidden.T @ delta_2 + 0.1 * W2))
    assert_allclose(model.intercepts_[0], b1 - 0.1 * delta_1[0])
    assert_allclose(model.intercepts_[1], b2 - 0.1 * delta_2[0])
    assert_allclose(model.predict_proba(X)[0, 1], 0.739, atol=5e-4)


@pytest.mark.parametrize("schedule", ["constant", "invscaling"])
def test_learning_rate_of_a_warm_start(schedule):
    """Samples seen, not fits, decide the rate that inverse scaling has reached."""
    X, y = [[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0]
    model = MLPClassifier(
        solver="sgd",
        hidden_layer_sizes=4,
        learning_rate=schedule,
        max_iter=1,
        power_t=0.25,
        warm_start=True,
    )
    rates = [learning_rate(model.fit(X, y)) for _ in range(2)]
    if schedule == "constant":
        assert rates == [0.001, 0.001]
    else:
        assert_allclose(rates, [0.001 / (4 + 1) ** 0.25, 0.001 / (8 + 1) ** 0.25])


def test_adaptive_rate_ends_below_a_millionth():
    model = MLPClassifier(
        tol=0.5, max_iter=3000, solver="sgd", learning_rate="adaptive"
    )
    model.fit([[3, 2], [1, 6]], [1, 0])
    assert model.n_iter_ < model.max_iter
    assert learning_rate(model) < 1e-6


def epochs_without_improvement(losses, tol):
    """Length of the last run of epochs that did not beat the best loss by tol."""
    best, count = np.inf, 0
    for loss in losses:
        count = count + 1 if loss > best - tol else 0
        best = min(best, loss)
    return count


@pytest.mark.parametrize("n_iter_no_change", [2, 5, 10, 50, 100])
def test_stops_when_the_count_is_exceeded(n_iter_no_change):
    X, y = binary_digits()
    model = MLPClassifier(
        tol=0.01, max_iter=3000, solver="sgd", n_iter_no_change=n_iter_no_change
    )
    model.fit(X[:100], y[:100])
    assert model.n_iter_ < model.max_iter
    assert epochs_without_improvement(model.loss_curve_, 0.01) == n_iter_no_change + 1
    assert epochs_without_improvement(model.loss_curve_[:-1], 0.01) == n_iter_no_change


def test_never_stops_with_an_infinite_count():
    X, y = binary_digits()
    model = MLPClassifier(tol=1e9, max_iter=300, solver="sgd", n_iter_no_change=np.inf)
    model.fit(X[:100], y[:100])
    assert model.n_iter_ == 300
    assert epochs_without_improvement(model.loss_curve_, 1e9) == 299
