"""The best of several networks: by which rows, and what becomes of the others."""

import gc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose
from several_networks import WAYS, assert_alike, fit_alone, make, seeds_of
from sklearn.utils import check_random_state

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.data import split_for_validation
from sknn.training import _fit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_best_by_training_loss(Estimator, table):
    X, y = table
    model = make(Estimator, combine="best").fit(X, y)
    alone = fit_alone(model, X, y, seeds_of(check_random_state(0)))
    best = min(alone, key=lambda network: network.loss_)
    assert_alike(model, best, X)
    (network,) = model.networks_
    assert network.module_ is model.module_
    assert network.random_state == best.random_state


def test_the_best_goes_on_with_its_own_seed(table):
    model = make(MLPClassifier, combine="best", warm_start=True).fit(*table)
    (before,) = model.networks_
    assert before.random_state != seeds_of(check_random_state(0))[0]
    (after,) = model.fit(*table).networks_
    assert after.random_state == before.random_state
    assert len(after.loss_curve_) == 8


@pytest.mark.parametrize("early_stopping", [False, True])
def test_best_by_given_validation_rows(table, early_stopping):
    X, y = table
    given = {"X_val": X[40:], "y_val": y[40:]}
    model = make(
        MLPClassifier,
        combine="best",
        max_iter=20,
        n_networks=5,
        early_stopping=early_stopping,
        scoring="neg_log_loss",
        learning_rate_init=0.05,
    )
    model.fit(X[:40], y[:40], **given)
    seeds = seeds_of(check_random_state(0), 5)
    alone = fit_alone(model, X[:40], y[:40], seeds, **given)
    best = max(
        alone,
        key=lambda network: (
            network.best_validation_score_
            if early_stopping
            else network.validation_scores_[-1]
        ),
    )
    assert_alike(model, best, X)
    by_loss = min(alone, key=lambda network: network.loss_)
    assert early_stopping or by_loss is not best  # else it would tell nothing


@pytest.mark.parametrize("combine", WAYS)
@pytest.mark.parametrize("Estimator", [MLPRegressor, sknn.RecurrentRegressor])
def test_all_networks_stop_by_the_same_rows(Estimator, combine, numbers):
    X, y = numbers
    model = make(Estimator, combine=combine, early_stopping=True, max_iter=6)
    model.fit(X, y)
    random_state = check_random_state(0)
    rows = sknn.data._rows.Rows(np.arange(len(X)))
    train, held_out = split_for_validation(rows, 0.1, random_state)
    seeds = seeds_of(random_state)
    given = {"X_val": X[held_out.index], "y_val": y[held_out.index]}
    alone = fit_alone(model, X[train.index], y[train.index], seeds, **given)
    found = [network.best_validation_score_ for network in alone]
    assert model.best_validation_score_ == pytest.approx(max(found), rel=1e-5)
    if combine == "average":
        mean = np.mean([network.predict(X) for network in alone], axis=0)
        assert_allclose(model.predict(X), mean, atol=1e-5)


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_others_are_freed(Estimator, early_stopping, table, monkeypatch):
    """At once: nothing of a network that is left out goes round in a circle."""
    trained, run_all = [], _fit.run_all

    def spy(runs):
        trained.extend(weakref.ref(run.net.module_) for run in runs)
        run_all(runs)

    monkeypatch.setattr(_fit, "run_all", spy)
    model = make(Estimator, combine="best", early_stopping=early_stopping)
    gc.disable()
    try:
        model.fit(*table)
        left = [module() for module in trained]
    finally:
        gc.enable()
    assert len(left) == 3
    assert [module for module in left if module is not None] == [model.module_]
