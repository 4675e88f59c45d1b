"""Options that change how a network trains, in searches that train together."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

import sknn
from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_digits(return_X_y=True)
X, Y = X[:300, 8:40] / 16, Y[:300]


def make(Estimator=MLPClassifier, **options):
    common = {"hidden_layer_sizes": (9, 7), "max_iter": 5, "batch_size": 20}
    common["random_state"] = 0
    return Estimator(**common, **options)


def search(estimator, grid, in_company):
    found = GridSearchCV(estimator, grid, cv=3, error_score="raise")
    if not in_company:
        return found.fit(X, Y)
    with sknn.batched():
        return found.fit(X, Y)


def check(estimator, grid):
    """Check that a search finds the same scores in company as alone."""
    together, alone = (search(estimator, grid, company) for company in (True, False))
    for name in ("mean_test_score", "std_test_score"):
        assert_allclose(together.cv_results_[name], alone.cv_results_[name])
    assert len(set(np.round(alone.cv_results_["mean_test_score"], 6))) > 1
    return together


@pytest.mark.parametrize("combine", ["average", "best"])
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_several_networks(Estimator, combine):
    estimator = make(Estimator, n_networks=3, combine=combine)
    check(estimator, {"learning_rate_init": [0.001, 0.05]})


def test_any_number_of_networks():
    check(make(learning_rate_init=0.02), {"n_networks": [1, 2, 4]})


@pytest.mark.parametrize("freeze", [1, "body"])
def test_frozen_layers(freeze):
    source = make(learning_rate_init=0.02).fit(X, Y % 4)
    before = [weights.copy() for weights in source.coefs_]
    estimator = make(init_from=FrozenEstimator(source), freeze=freeze)
    found = check(estimator, {"learning_rate_init": [0.001, 0.05]})
    for weights, old in zip(source.coefs_, before, strict=True):
        assert_array_equal(weights, old)
    assert_array_equal(found.best_estimator_.coefs_[0], before[0])


def test_a_grid_over_freeze():
    source = make(learning_rate_init=0.02).fit(X, Y % 4)
    estimator = make(init_from=FrozenEstimator(source), learning_rate_init=0.02)
    check(estimator, {"freeze": [0, 1, 2]})


def test_several_networks_with_frozen_layers():
    source = make(learning_rate_init=0.02).fit(X, Y % 4)
    options = {"init_from": FrozenEstimator(source), "freeze": 1, "n_networks": 2}
    fitted = make(**options).fit(X, Y)
    for network in fitted.networks_:
        assert_array_equal(network.coefs_[0], source.coefs_[0])
    one, other = fitted.networks_
    assert (one.coefs_[1] != other.coefs_[1]).any()


@pytest.mark.parametrize("pretrain", ["supervised", "autoencoder"])
def test_pretraining(pretrain):
    estimator = make(pretrain=pretrain, pretrain_iter=2)
    check(estimator, {"learning_rate_init": [0.001, 0.05]})


def test_deep_supervision():
    check(make(learning_rate_init=0.02), {"deep_supervision": [0.0, 0.5]})


def test_everything_at_once():
    options = {"n_networks": 2, "pretrain": "supervised", "pretrain_iter": 2}
    check(make(**options, dropout=0.2), {"learning_rate_init": [0.001, 0.05]})


def test_layers_that_were_trained_are_not_trained_again():
    source = FrozenEstimator(make().fit(X, Y))
    with pytest.raises(ValueError, match="pretrain must be None with init_from"):
        make(init_from=source, pretrain="supervised").fit(X, Y)
