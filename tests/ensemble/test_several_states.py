"""State of several networks: copies, pickles, and fits that go on."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from several_networks import ONE_EACH, assert_alike, data_for, fit_alone, make, seeds_of
from sklearn.base import clone
from sklearn.utils import check_random_state

import sknn
from sknn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, "pickle"])
@pytest.mark.parametrize("Estimator", ONE_EACH)
def test_copies(Estimator, copied, table, numbers):
    X, y = data_for(Estimator, table, numbers)
    model = make(Estimator).fit(X, y)
    if copied == "pickle":
        written = pickle.dumps(model)
        of_networks = sum(len(pickle.dumps(network)) for network in model.networks_)
        assert len(written) < of_networks
        other = pickle.loads(written)
    else:
        other = copied(model)
    before = model.predict(X)
    assert_array_equal(other.predict(X), before)
    assert other.loss_curve_ == model.loss_curve_
    best = other.networks_[other._best]
    assert other.module_ is best.module_ and other.optimizer_ is best.optimizer_
    other.partial_fit(X, y)
    assert_array_equal(model.predict(X), before)
    assert_array_equal(other.predict(X), model.partial_fit(X, y).predict(X))
    assert clone(model).get_params() == model.get_params()


def test_an_optimizer_that_was_looked_at_is_not_written_twice(table):
    model = pickle.loads(pickle.dumps(make(MLPClassifier).fit(*table)))
    size = len(pickle.dumps(model))
    assert model.optimizer_.state
    assert len(pickle.dumps(model)) < size + 100  # its state is of 2000


@pytest.mark.parametrize("way", ["partial_fit", "warm_start"])
@pytest.mark.parametrize("Estimator", ONE_EACH)
def test_each_network_goes_on(Estimator, way, table, numbers):
    X, y = data_for(Estimator, table, numbers)
    model = make(Estimator, warm_start=True)
    alone = fit_alone(model, X, y, seeds_of(check_random_state(0)))
    method = "fit" if way == "warm_start" else way
    for network in [model.fit(X, y), *alone]:
        getattr(network, method)(X, y)
    for one, other in zip(model.networks_, alone, strict=True):
        assert_alike(one, other, X)
        assert len(one.loss_curve_) == (5 if way == "partial_fit" else 8)


def test_what_changed_since_the_fit_is_heard_by_all(table):
    model = make(MLPClassifier, warm_start=True).fit(*table)
    model.set_params(activation="tanh", alpha=1.0).fit(*table)
    for network in model.networks_:
        assert network.module_.activation_name == "tanh"
        assert network.alpha == 1.0 and network.n_networks == 1


def test_partial_fit_keeps_all_and_answers_by_the_best(table):
    X, y = table
    model = make(MLPClassifier, combine="best")
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1, 2])
        assert len(model.networks_) == 3
        best = min(model.networks_, key=lambda network: network.loss_)
        assert_array_equal(model.predict_proba(X), best.predict_proba(X))
    model.set_params(warm_start=True).fit(X, y)
    assert len(model.networks_) == 1
    assert model.fit(X, y).loss_ < best.loss_


@pytest.mark.parametrize(
    ("fitted", "asked"),
    [
        ({"n_networks": 3}, {"n_networks": 2}),
        ({"n_networks": 1}, {"n_networks": 2}),
        ({"n_networks": 2}, {"n_networks": 1}),
        ({"n_networks": 2}, {"combine": "best"}),
    ],
)
def test_what_must_stay_as_fitted(table, fitted, asked):
    X, y = table
    model = make(MLPClassifier, **fitted).fit(X, y)
    before = model.predict_proba(X)
    model.set_params(**asked)
    (name,) = asked
    with pytest.raises(ValueError, match=f"{name} must stay as fitted"):
        model.partial_fit(X, y)
    assert_array_equal(model.predict_proba(X), before)
    model.fit(X, y)  # anew
    expected = make(MLPClassifier, **fitted | asked).fit(X, y)
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_input_loses_nothing(Estimator, method, table):
    X, y = table
    model = make(Estimator).fit(X, y)
    before, networks = model.predict_proba(X), model.networks_
    for bad, labels in ((X[:, :3], y), (X, np.where(y == 0, 7, y)), (X * np.nan, y)):
        if method == "fit" and not np.isnan(bad).any():
            continue
        with pytest.raises(ValueError):
            getattr(model, method)(bad, labels)
    assert_array_equal(model.predict_proba(X), before)
    assert model.networks_ == networks


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(("was", "asked"), [(32, 64), (64, 32)])
def test_a_preparation_that_fails_moves_no_network(table, was, asked, batch_norm):
    X, y = table
    options = {"warm_start": True, "batch_norm": batch_norm, "dtype": f"float{was}"}
    model, twin = (make(MLPClassifier, **options).fit(X, y) for _ in range(2))
    before, modules = model.predict_proba(X), [n.module_ for n in model.networks_]
    scored = []

    def second_fails(estimator, X, y):
        scored.append(estimator)
        return 1 / (2 - len(scored))

    model.set_params(dtype=f"float{asked}", scoring=second_fails)
    with pytest.raises(ValueError, match=r"scoring=.*division by zero"):
        model.fit(X, y, X_val=X, y_val=y)
    assert len(scored) == 2
    assert [n.module_ for n in model.networks_] == modules
    dtypes = {p.dtype for module in modules for p in module.parameters()}
    assert dtypes == {getattr(torch, f"float{was}")}
    assert_array_equal(model.predict_proba(X), before)
    model.set_params(dtype=f"float{was}", scoring=None).partial_fit(X, y)
    assert_array_equal(model.predict_proba(X), twin.partial_fit(X, y).predict_proba(X))


@pytest.mark.parametrize("n_networks", [0, -1, 1.5, "2", None])
def test_numbers_of_networks_that_are_none(table, n_networks):
    with pytest.raises(ValueError, match="'n_networks' parameter"):
        make(MLPClassifier, n_networks=n_networks).fit(*table)


@pytest.mark.parametrize("n_networks", [1, 2])
def test_ways_to_combine_that_are_none(table, n_networks):
    with pytest.raises(ValueError, match="'combine' parameter"):
        make(MLPClassifier, n_networks=n_networks, combine="vote").fit(*table)


def test_names_of_columns_and_output_as_a_table(table):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(table[0], columns=list("abcdef"))
    model = make(MLPClassifier).set_output(transform="pandas").fit(X, table[1])
    assert_array_equal(model.feature_names_in_, X.columns)
    model.predict(X)
    assert model.transform(X).shape == (60, 8)
    for network in model.networks_:
        network.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[["b", "a", "c", "d", "e", "f"]])
