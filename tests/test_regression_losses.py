"""Losses of `MLPRegressor` as a hyperparameter: what they estimate."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.linear_model import HuberRegressor, QuantileRegressor
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return scale(X), y / 100


def make_linear(loss, **params):
    """Make a network without hidden layers that trains to its optimum."""
    params = {"alpha": 0, "max_iter": 600, "learning_rate_init": 0.02} | params
    params |= {"tol": 0, "n_iter_no_change": 600, "random_state": 0}
    return MLPRegressor(loss, (), **params)


def fit_coolly(net, X, y):
    """Fit, and go on with smaller and smaller steps: a kink's minimum asks for it."""
    net.set_params(warm_start=True)
    for rate in (0.02, 0.002, 0.0002):
        net.set_params(learning_rate_init=rate, batch_size="full").fit(X, y)
    return net


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_quantiles_are_those_of_a_linear_program(diabetes, level):
    X, y = diabetes
    net = fit_coolly(make_linear("quantile", quantile=level), X, y)
    exact = QuantileRegressor(quantile=level, alpha=0).fit(X, y)
    found, best = (
        d2_pinball_score(y, model.predict(X), alpha=level) for model in (net, exact)
    )
    assert best - 1e-3 < found <= best + 1e-12
    assert np.mean(y <= net.predict(X)) == pytest.approx(level, abs=0.03)


def test_absolute_error_is_twice_the_median_loss(diabetes):
    X, y = diabetes
    params = {"solver": "sgd", "max_iter": 5}
    absolute = make_linear("absolute_error", learning_rate_init=0.01, **params)
    median = make_linear("quantile", learning_rate_init=0.02, **params)
    absolute.fit(X, y), median.fit(X, y)
    assert_allclose(absolute.loss_curve_, 2 * np.array(median.loss_curve_), rtol=1e-9)
    assert_allclose(absolute.coefs_[0], median.coefs_[0], rtol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_huber_is_that_of_a_convex_solver(diabetes, solver):
    X, y = diabetes
    y = np.where(np.arange(len(y)) % 10 == 0, 20, y)  # outliers
    exact = HuberRegressor(alpha=0, tol=1e-8, max_iter=1000).fit(X, y)
    limit = exact.epsilon * exact.scale_  # its scale is fitted too, and held here
    net = make_linear("huber", huber_delta=limit, solver=solver)
    net = net.fit(X, y) if solver == "lbfgs" else fit_coolly(net, X, y)
    tolerance = 1e-3 if solver == "lbfgs" else 1e-2  # of targets near 2
    assert_allclose(net.predict(X), exact.predict(X), atol=tolerance)


def test_gamma_means_of_a_constant(diabetes):
    _, y = diabetes
    net = make_linear("gamma", solver="lbfgs").fit(np.zeros((len(y), 1)), y)
    assert_allclose(net.predict(np.zeros((1, 1))), y.mean(), rtol=1e-5)
    assert net.out_activation_ == "exp"


def test_a_list_of_quantiles_gives_a_column_each(diabetes):
    X, y = diabetes
    levels = [0.1, 0.5, 0.9]
    net = MLPRegressor("quantile", (20,), quantile=levels, random_state=0)
    # down to a rate of zero: at a constant one shares go up and down by a tenth
    net.set_params(
        learning_rate="linear", learning_rate_init=0.01, n_iter_no_change=200
    )
    net.fit(X, y)
    found = net.predict(X)
    assert found.shape == (len(X), 3)
    assert_allclose((y[:, None] <= found).mean(0), levels, atol=0.03)
    columns = zip(levels, found.T, strict=True)
    scores = [d2_pinball_score(y, column, alpha=level) for level, column in columns]
    assert net.score(X, y) == pytest.approx(np.mean(scores))
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict(X), found)
    assert net.set_params(quantile=[0.5]).fit(X, y).predict(X).shape == (len(X), 1)


def test_early_stopping_scores_all_quantiles(diabetes):
    X, y = diabetes
    net = MLPRegressor("quantile", quantile=[0.2, 0.8], early_stopping=True)
    net.set_params(random_state=0, max_iter=20).fit(X[::2], y[::2], X_val=X, y_val=y)
    assert net.score(X, y) == pytest.approx(net.best_validation_score_)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile", "gamma"])
def test_several_columns_and_weights(diabetes, loss):
    X, y = diabetes
    y = np.column_stack([y, y[::-1]])
    counts = np.arange(len(y)) % 3
    net = MLPRegressor(loss, (8,), solver="sgd", shuffle=False, random_state=0)
    net.set_params(max_iter=3, batch_size="full")
    net.set_params(quantile=0.3 if loss == "quantile" else 0.5)
    weighted = net.fit(X, y, counts).predict(X)
    repeated = net.fit(np.repeat(X, counts, 0), np.repeat(y, counts, 0)).predict(X)
    assert weighted.shape == y.shape
    assert_allclose(weighted, repeated, rtol=1e-9)


def test_a_search_over_losses(diabetes):
    net = MLPRegressor(hidden_layer_sizes=(8,), max_iter=30, random_state=0)
    grid = {"loss": ["squared_error", "absolute_error", "huber", "quantile", "gamma"]}
    search = GridSearchCV(net, grid, cv=2, n_jobs=2, error_score="raise")
    scores = search.fit(*diabetes).cv_results_["mean_test_score"]
    assert len(set(scores)) == len(scores)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_a_full_batch_has_all_rows(diabetes, Estimator):
    X, y = diabetes[0], (diabetes[1] > 1.5).astype(int)
    net = Estimator(hidden_layer_sizes=(8,), batch_size="full", max_iter=3)
    full = net.set_params(random_state=0).fit(X, y).coefs_[0].copy()
    assert_array_equal(net.set_params(batch_size=len(X)).fit(X, y).coefs_[0], full)
    assert not np.allclose(net.set_params(batch_size="auto").fit(X, y).coefs_[0], full)


def test_one_quantile_stops_and_scores_as_a_list_of_it_does():
    """By the pinball loss: the determination of the mean would stop far too early."""
    rng = np.random.RandomState(0)
    X = rng.uniform(-2, 2, size=(800, 3))
    y = X[:, 0] + rng.exponential(2, size=800)
    nets = [
        MLPRegressor(loss="quantile", quantile=quantile, early_stopping=True)
        .set_params(learning_rate_init=0.01, random_state=0)
        .fit(X, y)
        for quantile in (0.9, [0.9])
    ]
    assert nets[0].n_iter_ == nets[1].n_iter_
    assert_allclose(nets[0].score(X, y), nets[1].score(X, y), rtol=1e-12)
    assert 0.8 < (y < nets[0].predict(X)).mean() < 0.97
