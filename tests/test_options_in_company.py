"""Options that change how a network trains, in searches that train together."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.training import _together

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_digits(return_X_y=True)
X, Y = X[:300, 8:40] / 16, Y[:300]


def make(Estimator=MLPClassifier, **options):
    common = {"hidden_layer_sizes": (9, 7), "max_iter": 5, "batch_size": 20}
    common["random_state"] = 0
    return Estimator(**common, **options)


@pytest.fixture
def check(monkeypatch):
    """Give a function that checks a search in company; it returns what was found."""
    sizes, train_together = [], _together.train_together

    def recorded(runs):
        sizes.append(len(runs))
        return train_together(runs)

    monkeypatch.setattr(_together, "train_together", recorded)

    def check(estimator, grid, *expected):
        """Expect scores as without company, and trainings of so many networks."""
        scoring = "neg_log_loss" if isinstance(estimator, MLPClassifier) else None
        options = {"cv": 3, "error_score": "raise", "scoring": scoring}
        alone = GridSearchCV(estimator, grid, **options, refit=False).fit(X, Y)
        sizes.clear()
        together = GridSearchCV(estimator, grid, **options)
        with sknn.batched():
            together.fit(X, Y)
        assert tuple(sizes) == expected
        for i in range(3):
            name = f"split{i}_test_score"
            assert_allclose(together.cv_results_[name], alone.cv_results_[name])
        scores = alone.cv_results_["mean_test_score"]
        assert len(set(np.round(scores, 6))) == len(scores) > 1
        return together

    return check


@pytest.mark.parametrize("combine", ["average", "best"])
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_several_networks(check, Estimator, combine):
    estimator = make(Estimator, n_networks=3, combine=combine)
    check(estimator, {"learning_rate_init": [0.001, 0.05]}, 3 * 6, 3)


def test_any_number_of_networks(check):
    check(make(learning_rate_init=0.02), {"n_networks": [1, 2, 4]}, 3 * (1 + 2 + 4), 4)


@pytest.mark.parametrize("freeze", [1, "body"])
def test_frozen_layers(check, freeze):
    source = make(learning_rate_init=0.02).fit(X, Y % 4)
    before = [weights.copy() for weights in source.coefs_]
    estimator = make(init_from=FrozenEstimator(source), freeze=freeze)
    found = check(estimator, {"learning_rate_init": [0.001, 0.05]}, 6)
    for weights, old in zip(source.coefs_, before, strict=True):
        assert_array_equal(weights, old)
    assert_array_equal(found.best_estimator_.coefs_[0], before[0])


def test_a_grid_over_freeze(check):
    source = make(learning_rate_init=0.02).fit(X, Y % 4)
    estimator = make(init_from=FrozenEstimator(source), learning_rate_init=0.02)
    check(estimator, {"freeze": [0, 1, 2]}, 9)


def test_several_networks_with_frozen_layers():
    source = make(learning_rate_init=0.02).fit(X, Y % 4)
    options = {"init_from": FrozenEstimator(source), "freeze": 1, "n_networks": 2}
    fitted = make(**options).fit(X, Y)
    for network in fitted.networks_:
        assert_array_equal(network.coefs_[0], source.coefs_[0])
    one, other = fitted.networks_
    assert (one.coefs_[1] != other.coefs_[1]).any()


@pytest.mark.parametrize("pretrain", ["supervised", "autoencoder"])
def test_pretraining(check, pretrain):
    estimator = make(pretrain=pretrain, pretrain_iter=2)
    # two layers, then all
    check(estimator, {"learning_rate_init": [0.001, 0.05]}, 6, 6, 6)


def test_deep_supervision(check):
    """Networks with it train in their turn; those without it wait."""
    check(make(learning_rate_init=0.02), {"deep_supervision": [0.0, 0.5]}, 3)


def test_everything_at_once(check):
    options = {"n_networks": 2, "pretrain": "supervised", "pretrain_iter": 2}
    # two layers of one network, two of the other, both networks; those of the refit
    sizes = 6, 6, 6, 6, 2 * 6, 2
    check(make(**options, dropout=0.2), {"learning_rate_init": [0.001, 0.05]}, *sizes)


def test_layers_that_were_trained_are_not_trained_again():
    source = FrozenEstimator(make().fit(X, Y))
    with pytest.raises(ValueError, match="pretrain must be None with init_from"):
        make(init_from=source, pretrain="supervised").fit(X, Y)
