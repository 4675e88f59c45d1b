"""Answers of several networks: the mean of theirs, and how far they are apart."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, logsumexp
from several_networks import CLASSIFIERS, REGRESSORS, make, tolerance
from sklearn.exceptions import NotFittedError

import sknn
from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_probabilities_are_the_mean_of_the_networks(Estimator, table):
    X, y = table
    model = make(Estimator).fit(X, y)
    each = [network.predict_proba(X) for network in model.networks_]
    assert len(each) == 3
    assert np.ptp(each, axis=0).max() > 0.01
    proba = model.predict_proba(X)
    assert_allclose(proba, np.mean(each, axis=0), atol=tolerance(proba))
    assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    assert_allclose(model.predict_log_proba(X), np.log(proba), rtol=1e-5)
    assert model.score(X, y) == np.mean(model.predict(X) == y)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_predictions_are_the_mean_and_deviation_of_the_networks(Estimator, numbers):
    X, y = numbers
    model = make(Estimator).fit(X, y)
    each = np.array([network.predict(X) for network in model.networks_])
    mean, deviation = model.predict(X, return_std=True)
    assert_array_equal(mean, model.predict(X))
    assert mean.shape == deviation.shape == y.shape
    assert_allclose(mean, each.mean(axis=0), atol=tolerance(mean))
    assert_allclose(deviation, each.std(axis=0), atol=tolerance(mean))
    assert deviation.min() > 0
    assert_array_equal(model.predict(X, return_std=False), mean)


@pytest.mark.parametrize(
    ("loss", "options"),
    [("poisson", {}), ("gamma", {}), ("quantile", {"quantile": [0.1, 0.5, 0.9]})],
)
def test_means_are_taken_after_the_link(numbers, loss, options):
    X, y = numbers[0], np.abs(numbers[1][:, 0]) + 0.1
    model = make(MLPRegressor, loss=loss, max_iter=60, **options).fit(X, y)
    each = np.array([network.predict(X) for network in model.networks_])
    mean, deviation = model.predict(X, return_std=True)
    assert_allclose(mean, each.mean(axis=0), rtol=1e-12)
    assert_allclose(deviation, each.std(axis=0), rtol=1e-9)
    weight = np.linspace(0, 1, len(X))
    alone = [network.score(X, y, weight) for network in model.networks_]
    assert min(alone) < model.score(X, y, weight) < 1


@pytest.mark.parametrize("kind", ["binary", "multilabel", "one"])
def test_probabilities_of_logistic_outputs(table, kind):
    X, y = table
    labels = {
        "binary": np.where(y == 0, "no", "yes"),
        "multilabel": np.stack([y == 0, y < 2], axis=1).astype(int),
        "one": np.zeros(len(y), int),
    }[kind]
    model = make(MLPClassifier, max_iter=30).fit(X, labels)
    proba = model.predict_proba(X)
    each = [network.predict_proba(X) for network in model.networks_]
    assert_allclose(proba, np.mean(each, axis=0), rtol=1e-12)
    predicted = model.predict(X)
    if kind == "multilabel":
        assert_array_equal(predicted, proba > 0.5)
    elif kind == "binary":
        assert_array_equal(predicted, np.where(proba[:, 1] > 0.5, "yes", "no"))
    else:
        assert not predicted.any()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_small_probabilities_are_not_lost(table, n_classes):
    """Far from the training rows all but one are below what floats can hold."""
    X, y = table[0], table[1] % n_classes
    model = make(MLPClassifier).fit(X, y)
    X = 1e4 * X
    raws = [network._raw_outputs(X) for network in model.networks_]
    if n_classes == 2:
        raws = [np.hstack([np.zeros_like(raw), raw]) for raw in raws]
    logs = logsumexp([log_softmax(raw, axis=1) for raw in raws], axis=0) - np.log(3)
    assert logs.min() < -1000
    found = model._predict_raw(X)
    if n_classes == 2:
        found = np.hstack([np.zeros_like(found), found])
    assert_allclose(log_softmax(found, axis=1), logs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("fitted", "now", "was"),
    [
        ({"n_networks": 1}, {"n_networks": 3}, "n_networks=1"),
        ({"combine": "best"}, {}, "n_networks=3 and combine='best'"),
        (
            {"combine": "best"},
            {"n_networks": 2, "combine": "average"},
            "n_networks=3 and combine='best'",
        ),
    ],
)
def test_deviations_that_the_last_fit_cannot_tell(numbers, fitted, now, was):
    model = make(MLPRegressor, **fitted).fit(*numbers).set_params(**now)
    for estimator in (model, pickle.loads(pickle.dumps(model))):
        with pytest.raises(ValueError, match="return_std=True needs") as raised:
            estimator.predict(numbers[0], return_std=True)
        assert str(raised.value).endswith(f"the last one was with {was}.")


def test_a_network_of_several_has_no_deviation(numbers):
    model = make(MLPRegressor).fit(*numbers)
    with pytest.raises(ValueError, match=r"the last one was with n_networks=1\.$"):
        model.networks_[0].predict(numbers[0], return_std=True)


def test_no_deviation_before_a_fit(numbers):
    with pytest.raises(NotFittedError):
        MLPRegressor().predict(numbers[0], return_std=True)


def test_networks_of_graphs_average_on_another_graph():
    edges = [(0, 1), (1, 2), (2, 3)]
    graph = sknn.Graph(np.eye(4)[:, :3], edges, y=[0, 1, 1, 0])
    model = make(sknn.NodeClassifier).fit(graph)
    other = sknn.Graph(np.eye(3)[:2], [(0, 1)])
    each = [network.predict_proba(other) for network in model.networks_]
    assert_allclose(model.predict_proba(other), np.mean(each, axis=0), atol=1e-6)


def test_taggers_average_at_each_step():
    X = [["a", "b", "c"], ["b"], ["c", "a"], ["a", "b", "c", "a"]]
    y = [[0, 1, 2], [1], [2, 0], [0, 1, 2, 0]]
    model = make(sknn.RecurrentTagger).fit(X, y)
    proba = model.predict_proba(X)
    for i, row in enumerate(proba):
        each = [network.predict_proba(X)[i] for network in model.networks_]
        assert_allclose(row, np.mean(each, axis=0), atol=1e-6)
        assert_array_equal(model.predict(X)[i], row.argmax(axis=1))
    hits = np.concatenate(list(model.predict(X))) == np.concatenate(y)
    assert model.score(X, y) == hits.mean()
