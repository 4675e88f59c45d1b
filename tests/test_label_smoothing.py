"""`label_smoothing` of `MLPClassifier`: what it estimates, and where it counts."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale
from skorch.callbacks import Callback, Freezer
from torch.nn import functional

from sknn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHARE = 0.2
KINDS = ["multiclass", "binary", "multilabel"]


@pytest.fixture(scope="module")
def rows():
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    return scale(X)[order], y[order]


def make_targets(kind, y):
    """Make targets of that kind, each label of another frequency."""
    if kind == "multiclass":
        return np.array(["a", "b", "c"])[np.minimum(y, np.arange(len(y)) % 5)]
    if kind == "binary":
        return (y == 2).astype(int)
    return np.column_stack([y == 0, y >= 1, np.arange(len(y)) % 4 == 0]).astype(int)


def make_network(**params):
    params = {"hidden_layer_sizes": (6,), "label_smoothing": SHARE} | params
    return MLPClassifier(**{"max_iter": 8, "random_state": 0, "alpha": 0} | params)


def get_weights(net):
    return np.concatenate([w.ravel() for w in [*net.coefs_, *net.intercepts_]])


def compute_loss(net, X, y, share):
    """Compute the mean loss of a fitted network by torch's own functions."""
    with torch.no_grad():
        raw = net.module_(torch.from_numpy(X))
    if raw.shape[1] == len(net.classes_) and y.ndim == 1:
        codes = torch.from_numpy(np.searchsorted(net.classes_, y))
        return functional.cross_entropy(raw, codes, label_smoothing=share).item()
    smoothed = torch.from_numpy((1 - share) * y.reshape(len(y), -1) + share / 2)
    losses = functional.binary_cross_entropy_with_logits(
        raw, smoothed, reduction="none"
    )
    return losses.sum(1).mean().item()


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_model_predicts_smoothed_frequencies(rows, kind, solver, weighted):
    y = make_targets(kind, rows[1])
    weight = np.arange(len(y)) % 3 if weighted else np.ones(len(y))
    params = {"hidden_layer_sizes": (), "solver": solver, "tol": 1e-10}
    net = make_network(max_iter=500, batch_size="full", **params)
    net.set_params(learning_rate_init=0.02, n_iter_no_change=500)
    X = np.zeros((len(y), 1))
    found = net.fit(X, y, weight).predict_proba(X[:1])[0]
    hits = y if kind == "multilabel" else y[:, None] == net.classes_
    frequencies = np.average(hits, axis=0, weights=weight)
    n_classes = 3 if kind == "multiclass" else 2
    assert_allclose(found, (1 - SHARE) * frequencies + SHARE / n_classes, atol=1e-5)


def test_class_weights_come_before_the_smoothing(rows):
    y = make_targets("multiclass", rows[1])
    net = make_network(hidden_layer_sizes=(), solver="lbfgs", class_weight="balanced")
    found = net.set_params(max_iter=200).fit(np.zeros((len(y), 1)), y)
    assert_allclose(found.predict_proba(np.zeros((1, 1))), [[1 / 3] * 3], atol=1e-5)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_changes_what_is_learned(rows, kind, solver):
    X, y = rows[0], make_targets(kind, rows[1])
    plain, some, more = (
        get_weights(make_network(solver=solver, label_smoothing=share).fit(X, y))
        for share in (0.0, SHARE, 2 * SHARE)
    )
    assert np.abs(some - plain).max() > 1e-4
    assert np.abs(more - some).max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_separable_classes_stop_growing_apart(rows, kind):
    """Without it the outputs of separable classes grow for ever."""
    X, y = rows[0], make_targets(kind, rows[1])
    X = np.column_stack([X, y if y.ndim > 1 else y[:, None] == np.unique(y)])
    net = make_network(solver="lbfgs", max_iter=2000, max_fun=10**6, tol=1e-7)
    found = net.fit(X.astype(float), y).predict_proba(X.astype(float))
    low = SHARE / (3 if kind == "multiclass" else 2)
    assert_allclose(found.min(axis=0), low, atol=3e-3)
    assert_allclose(found.max(axis=0), 1 - SHARE + low, atol=3e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_training_loss_is_smoothed_and_validation_loss_is_not(rows, kind, dtype):
    X, y = rows[0].astype(dtype), make_targets(kind, rows[1])
    net = make_network(solver="lbfgs").fit(X, y, X_val=X, y_val=y)
    X = X.astype(net.coefs_[0].dtype)
    assert_allclose(net.loss_, compute_loss(net, X, y, SHARE), rtol=1e-5)
    truth = compute_loss(net, X, y, 0.0)
    assert_allclose(net.validation_loss_curve_[-1], truth, rtol=1e-5)
    if kind != "multilabel":
        assert_allclose(log_loss(y, net.predict_proba(X)), truth, rtol=1e-5)


def test_early_stopping_by_the_loss_is_by_that_of_the_true_labels(rows):
    X, y = rows
    net = make_network(early_stopping=True, scoring="loss", max_iter=40)
    net.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    truth = compute_loss(net, X[100:], y[100:], 0.0)
    assert net.best_validation_score_ == pytest.approx(-truth)
    assert_allclose(net.validation_scores_, -np.array(net.validation_loss_curve_))


class LooksAtBatches(Callback):
    """Keeps the losses that it is shown."""

    def initialize(self):
        self.losses = {True: [], False: []}
        return self

    def on_batch_end(self, net, batch=None, training=False, loss=None, **kwargs):
        self.losses[training].append(loss.item())


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_see_the_same_two_losses(rows, solver):
    X, y = rows
    params = {"solver": solver, "batch_size": "full", "callbacks": [LooksAtBatches()]}
    net = make_network(**params).fit(X, y, X_val=X, y_val=y)
    same = make_network(solver=solver, batch_size="full").fit(X, y, X_val=X, y_val=y)
    assert_array_equal(get_weights(net), get_weights(same))
    ((_, callback),) = net.callbacks_
    assert_allclose(callback.losses[True], net.loss_curve_, rtol=1e-6)
    assert_allclose(callback.losses[False], net.validation_loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_autograd_learns_the_same(rows, kind):
    X, y = rows[0], make_targets(kind, rows[1])
    freezer = Freezer(lambda name: False)
    by_hand = make_network().fit(X, y)
    by_autograd = make_network(callbacks=[freezer]).fit(X, y)
    assert_allclose(get_weights(by_autograd), get_weights(by_hand), rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_rows_learn_the_same(rows, kind, solver):
    X, y = rows[0], make_targets(kind, rows[1])
    dense, thin = (
        make_network(solver=solver).fit(A, y) for A in (X, sparse.csr_array(X))
    )
    assert_allclose(get_weights(thin), get_weights(dense), rtol=1e-6)


def test_partial_fit_smooths_over_all_announced_classes(rows):
    net = make_network(hidden_layer_sizes=(), solver="adam", learning_rate_init=0.05)
    X, y = np.zeros((60, 1)), np.repeat(["a", "b"], [20, 40])
    for _ in range(600):
        net.partial_fit(X, y, classes=["a", "b", "c", "d"])
    target = 0.8 * np.array([1 / 3, 2 / 3, 0, 0]) + SHARE / 4
    assert_allclose(net.predict_proba(X[:1])[0], target, atol=1e-3)


def test_parts_of_large_batches_are_smoothed_alike(monkeypatch):
    X, y = load_digits(return_X_y=True)
    X = X[:400] / 16
    whole = make_network(batch_size=200, max_iter=3).fit(X, y[:400])
    monkeypatch.setattr("sknn.training._parallel.WORTH_A_THREAD", 1)
    monkeypatch.setattr("sknn._mlp_base.MOST_SUMMED_PARTS", 3)
    parts = make_network(batch_size=200, max_iter=3).fit(X, y[:400])
    assert not np.array_equal(get_weights(parts), get_weights(whole))
    assert_allclose(get_weights(parts), get_weights(whole), rtol=1e-7, atol=1e-12)


def test_scores_are_of_the_true_labels(rows):
    X, y = rows
    net = make_network(max_iter=100, learning_rate_init=0.02).fit(
        X, y, X_val=X, y_val=y
    )
    assert net.validation_scores_[-1] == net.score(X, y) > 0.95
