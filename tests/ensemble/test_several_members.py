"""Networks of an ensemble: those fitted alone with their seeds."""

import gc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from several_networks import (
    ESTIMATORS,
    ON_TABLES,
    PERCEPTRONS,
    SUPERVISED,
    WAYS,
    answers,
    assert_alike,
    data_for,
    make,
)
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

import sknn
from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_supervised_estimators_have_it_and_others_have_not():
    others = {"Autoencoder", "VariationalAutoencoder", "GANSampler"}
    assert {cls.__name__ for cls in ESTIMATORS} - others == {
        cls.__name__ for cls in SUPERVISED
    }
    for cls in SUPERVISED:
        assert (cls().n_networks, cls().combine) == (1, "average")
    assert not any(hasattr(getattr(sknn, name), "networks_") for name in others)


@pytest.mark.parametrize("Estimator", ON_TABLES)
def test_networks_are_those_fitted_alone_with_their_seeds(Estimator, table, numbers):
    X, y = data_for(Estimator, table, numbers)
    model = make(Estimator).fit(X, y)
    assert len({network.random_state for network in model.networks_}) == 3
    for network in model.networks_:
        assert type(network) is Estimator and network.n_networks == 1
        alone = clone(network).fit(X, y)
        assert_alike(alone, network, X)
        assert_allclose(alone.loss_curve_, network.loss_curve_, rtol=1e-12)


OPTIONS = {
    "weights": {},
    "dropout": {"dropout": 0.3},
    "float32": {"dtype": "float32", "solver": "sgd"},
    "sparse": {},
    "one row a batch": {"batch_size": 1},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 30},
    "batch norm": {"batch_norm": True},
}


@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize("Estimator", PERCEPTRONS)
def test_perceptrons_are_those_fitted_alone_with(case, Estimator, table, numbers):
    """In other sums: float32 has seven digits, of which some steps of sgd cost one."""
    X, y = data_for(Estimator, table, numbers)
    given = {}
    if case == "weights":
        given = {"sample_weight": np.arange(len(X)) % 3}
    elif case == "early stopping":
        given = {"X_val": X[40:], "y_val": y[40:]}
    elif case == "sparse":
        X = sparse.csr_array(np.where(X > 0, X, 0))
    model = make(Estimator, **{"batch_size": 16} | OPTIONS[case]).fit(X, y, **given)
    tolerance = 1e-6 if case == "float32" else 1e-10
    options = {"rtol": tolerance, "atol": tolerance}
    assert len(model.networks_) == 3
    for network in model.networks_:
        alone = clone(network).fit(X, y, **given)
        assert_allclose(answers(network, X), answers(alone, X), **options)
        assert_allclose(network.loss_curve_, alone.loss_curve_, **options)


def test_more_networks_are_the_same_ones_and_others(table):
    few, many = (make(MLPClassifier, n_networks=n).fit(*table) for n in (2, 4))
    for one, other in zip(few.networks_, many.networks_[:2], strict=True):
        assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_fitted_attributes_are_those_of_the_best(Estimator, table):
    model = make(Estimator).fit(*table)
    losses = [network.loss_ for network in model.networks_]
    best = model.networks_[int(np.argmin(losses))]
    assert model.loss_ == min(losses) < max(losses)
    for name in ("module_", "loss_curve_", "history_", "optimizer_", "n_iter_"):
        assert getattr(model, name) is getattr(best, name)
    assert_array_equal(model.transform(table[0]), best.transform(table[0]))
    assert_array_equal(model.classes_, [0, 1, 2])


def test_a_single_network_is_its_own_list(table):
    model = make(MLPClassifier, n_networks=1)
    with pytest.raises(AttributeError, match="networks_"):
        model.networks_  # noqa: B018
    assert model.fit(*table).networks_ == [model]
    is_gone = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert is_gone() is None
    finally:
        gc.enable()


def test_one_after_three(table):
    model = make(MLPClassifier).fit(*table).set_params(n_networks=1).fit(*table)
    alone = make(MLPClassifier, n_networks=1).fit(*table)
    assert model.networks_ == [model]
    assert vars(model).keys() == vars(alone).keys()
    assert_array_equal(model.predict_proba(table[0]), alone.predict_proba(table[0]))


@pytest.mark.parametrize("combine", WAYS)
@pytest.mark.parametrize("Estimator", [MLPRegressor, sknn.RecurrentRegressor])
def test_random_states(Estimator, combine, numbers):
    X, y = numbers

    def fit(random_state, n_fits=1):
        model = make(Estimator, combine=combine, random_state=random_state)
        return [model.fit(X, y).predict(X) for _ in range(n_fits)]

    once, again = fit(5, 2)
    assert_array_equal(once, again)
    first, second = fit(np.random.RandomState(5), 2)
    assert_array_equal(once, first)
    assert np.abs(first - second).max() > 1e-3
    before = np.random.get_state()  # noqa: NPY002 - scikit-learn's meaning of None
    try:
        np.random.seed(5)  # noqa: NPY002
        assert_array_equal(fit(None)[0], once)
    finally:
        np.random.set_state(before)  # noqa: NPY002


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        *(cls(n_networks=2) for cls in PERCEPTRONS),
        sknn.GraphRegressor(n_networks=2, max_iter=15, learning_rate_init=0.01),
    ],
)
def test_check_estimator(model):
    check_estimator(model, on_skip=None)
