"""The L1 share of the penalty, against convex solvers and the conditions of an optimum.

The loss of `n` rows is their mean, and the penalty is divided by `n` as well:
scikit-learn's `C` is ``1 / alpha``, and the `alpha` of its linear regressions, whose
half of the mean squared error is sknn's, is ``alpha / n``.
"""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, SGDClassifier
from skorch.callbacks import Callback, Initializer, LRScheduler

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
N_ROWS, ALPHA = 80, 5.0
X = RANDOM.normal(size=(N_ROWS, 8))
TRUE = np.zeros((8, 3))
TRUE[0], TRUE[1], TRUE[2, 0] = [1, -1, 0], [0, 1, -1], 1
CLASSES = (X @ TRUE + 0.5 * RANDOM.normal(size=(N_ROWS, 3))).argmax(axis=1)
REAL = X[:, 0] - 0.5 * X[:, 1] + 0.3 * RANDOM.normal(size=N_ROWS) + 1
RATES = {"sgd": 0.1, "adam": 0.02, "adagrad": 0.5, "rmsprop": 0.01, "adamw": 0.02}
DIVIDED = ["sgd", "adam", "adagrad", "rmsprop"]  # adamw's penalty is another
BOTH = [MLPClassifier, MLPRegressor]
Y = {MLPClassifier: CLASSES, MLPRegressor: REAL}
every_solver = pytest.mark.parametrize("solver", RATES)
both = pytest.mark.parametrize("Estimator", BOTH)


def make(Estimator, solver="adam", **params):
    """Make a small network that trains for a few epochs."""
    defaults = {"hidden_layer_sizes": (6,), "activation": "tanh", "random_state": 0}
    defaults |= {"max_iter": 5, "tol": 0, "batch_size": 16, "shuffle": False}
    defaults |= {"alpha": ALPHA, "l1_ratio": 0.5, "learning_rate_init": RATES[solver]}
    return Estimator(solver=solver, **defaults | params)


def make_exact(Estimator, solver, **params):
    """Make a network that trains on all rows until nothing moves any more."""
    schedule = {"learning_rate": "cosine", "learning_rate_final": 1e-8}
    schedule |= {"max_iter": 4000, "n_iter_no_change": np.inf, "batch_size": "full"}
    linear = {"hidden_layer_sizes": ()}
    return make(Estimator, solver, **linear | schedule | params)


def get_weights(model):
    return np.concatenate([w.ravel() for w in [*model.coefs_, *model.intercepts_]])


def centred(intercepts):
    """Softmax does not see what all its inputs have in common."""
    return intercepts - intercepts.mean() if len(intercepts) > 1 else intercepts


def assert_same_solution(model, expected):
    coefs = np.atleast_2d(expected.coef_).T
    intercepts = np.atleast_1d(expected.intercept_)
    # rmsprop ends a last rate of 1e-8 away, times the condition; the rest at rounding
    atol = 1e-6 if model.solver == "rmsprop" else 1e-9
    assert_allclose(model.coefs_[0], coefs, rtol=0, atol=atol)
    biases = centred(model.intercepts_[0])
    assert_allclose(biases, centred(intercepts), rtol=0, atol=atol)
    assert_array_equal(model.coefs_[0] == 0, coefs == 0)
    assert 0 < (coefs == 0).sum() < coefs.size


# Optima


@pytest.mark.parametrize("solver", DIVIDED)
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifier_equals_logistic_regression(n_classes, l1_ratio, solver):
    y = np.minimum(CLASSES, n_classes - 1)
    expected = LogisticRegression(
        C=1 / ALPHA, l1_ratio=l1_ratio, solver="saga", tol=1e-13, max_iter=100_000
    )
    model = make_exact(MLPClassifier, solver, l1_ratio=l1_ratio)
    assert_same_solution(model.fit(X, y), expected.fit(X, y))


@pytest.mark.parametrize("solver", DIVIDED)
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_regressor_equals_lasso_and_elastic_net(l1_ratio, solver):
    options = {"alpha": ALPHA / N_ROWS, "tol": 1e-14, "max_iter": 100_000}
    if l1_ratio == 1:
        expected = Lasso(**options)
    else:
        expected = ElasticNet(l1_ratio=l1_ratio, **options)
    model = make_exact(MLPRegressor, solver, l1_ratio=l1_ratio)
    assert_same_solution(model.fit(X, REAL), expected.fit(X, REAL))


def test_weighted_rows_equal_a_weighted_lasso():
    """The penalty is divided by the total weight, as scikit-learn's loss is."""
    weight = RANDOM.uniform(0.5, 3, size=N_ROWS)
    expected = Lasso(alpha=ALPHA / weight.sum(), tol=1e-14, max_iter=100_000)
    model = make_exact(MLPRegressor, "sgd", l1_ratio=1.0)
    model.fit(X, REAL, sample_weight=weight)
    assert_same_solution(model, expected.fit(X, REAL, sample_weight=weight))


def test_small_batches_come_near_sgd_classifier():
    y = np.minimum(CLASSES, 1)
    expected = SGDClassifier(
        loss="log_loss",
        penalty="elasticnet",
        alpha=ALPHA / N_ROWS,
        l1_ratio=0.5,
        max_iter=2000,
        tol=None,
        learning_rate="invscaling",
        eta0=0.1,
        random_state=0,
    ).fit(X, y)
    # rows of a batch divide its penalty, those of all rows scikit-learn's
    model = make_exact(MLPClassifier, "adam", batch_size=8, alpha=ALPHA / N_ROWS * 8)
    model.set_params(max_iter=300, shuffle=True).fit(X, y)
    assert_allclose(model.coefs_[0].T, expected.coef_, rtol=0, atol=0.05)


def differentiate(model, y):
    """Gradient of the mean loss and the L2 part for each weight, by autograd."""
    module = model.module_
    outputs = module(torch.tensor(X))
    if isinstance(model, MLPClassifier):
        loss = torch.nn.functional.cross_entropy(outputs, torch.tensor(y))
    else:
        loss = (outputs[:, 0] - torch.tensor(y)).square().mean() / 2
    weights = [layer.weight for layer in module.layers]
    squares = sum(weight.square().sum() for weight in weights)
    loss = loss + model.alpha * (1 - model.l1_ratio) / (2 * N_ROWS) * squares
    biases = [layer.bias for layer in module.layers]
    gradients = torch.autograd.grad(loss, weights + biases)
    return weights, gradients[: len(weights)], gradients[len(weights) :]


@pytest.mark.parametrize("solver", DIVIDED)
@both
def test_optimality_of_a_deep_network(Estimator, solver):
    """Where a weight is not zero the norm's pull is the gradient; else it is more."""
    params = {"hidden_layer_sizes": (4,), "l1_ratio": 0.9, "alpha": 3.0}
    model = make_exact(Estimator, solver, **params, max_iter=2000)
    y = Y[Estimator]
    model.set_params(learning_rate_init=4 * RATES[solver]).fit(X, y)
    weights, gradients, of_biases = differentiate(model, y)
    pull = model.alpha * model.l1_ratio / N_ROWS
    tol = 0.1 if solver == "adagrad" else 1e-3  # its rates fall before it is there
    for weight, gradient in zip(weights, gradients, strict=True):
        is_zero = weight == 0
        assert 0 < int(is_zero.sum()) < weight.numel()
        assert (gradient[is_zero].abs() <= pull * (1 + tol)).all()
        rest = (gradient + pull * weight.sign())[~is_zero]
        assert (rest.abs() <= tol * pull).all()
    assert all((gradient.abs() <= tol * pull).all() for gradient in of_biases)


# Losses


def norms(model):
    flat = np.concatenate([coefs.ravel() for coefs in model.coefs_])
    return np.abs(flat).sum(), np.square(flat).sum()


@both
@pytest.mark.parametrize("solver", DIVIDED)
@pytest.mark.parametrize("callbacks", [None, [Initializer("*", fn=lambda p: p)]])
def test_the_loss_is_that_of_the_formula(Estimator, solver, callbacks):
    """At the weights that it was computed at, those before the only update."""
    start = make(Estimator, "sgd", learning_rate_init=1e-300, max_iter=1)
    start.set_params(alpha=0.0, batch_size="full").fit(X, Y[Estimator])
    model = make(Estimator, solver, max_iter=1, batch_size="full", l1_ratio=0.3)
    model.set_params(callbacks=callbacks).fit(X, Y[Estimator])
    one, square = norms(start)
    penalty = ALPHA / N_ROWS * (0.3 * one + 0.7 / 2 * square)
    assert model.loss_ == pytest.approx(start.loss_ + penalty, rel=1e-12)


def test_adamw_has_no_penalty_in_its_loss_and_divides_none():
    """The decay comes before the step, the soft threshold after it."""
    small = {"max_iter": 1, "batch_size": "full", "learning_rate_init": 1e-3}
    start = make(MLPRegressor, "sgd", max_iter=1, learning_rate_init=1e-300)
    start.set_params(alpha=0.0, batch_size="full").fit(X, REAL)
    model = make(MLPRegressor, "adamw", l1_ratio=0.3, **small).fit(X, REAL)
    plain = make(MLPRegressor, "adamw", l1_ratio=0.0, alpha=0.0, **small).fit(X, REAL)
    assert model.loss_ == pytest.approx(start.loss_, rel=1e-12)
    for W, W_plain, W_start in zip(
        model.coefs_, plain.coefs_, start.coefs_, strict=True
    ):
        stepped = W_plain - 1e-3 * ALPHA * 0.7 * W_start
        shrunk = np.maximum(np.abs(stepped) - 1e-3 * ALPHA * 0.3, 0)
        assert_allclose(W, np.sign(stepped) * shrunk, rtol=0, atol=1e-14)
    for b, b_plain in zip(model.intercepts_, plain.intercepts_, strict=True):
        assert_array_equal(b, b_plain)


# Zeros


@both
@every_solver
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stronger_penalty_leaves_fewer_weights(Estimator, solver, dtype):
    counts = []
    divided, undivided = (0.01, 0.1, 1.0, 300.0), (0.01, 0.1, 0.3, 30.0)
    for alpha in undivided if solver == "adamw" else divided:
        model = make(Estimator, solver, alpha=alpha, l1_ratio=1.0, dtype=dtype)
        model.set_params(max_iter=200, n_iter_no_change=200).fit(X, Y[Estimator])
        assert model.coefs_[0].dtype == dtype
        assert np.isfinite(get_weights(model)).all()
        counts.append(sum(int((coefs == 0).sum()) for coefs in model.coefs_))
    assert counts == sorted(counts)
    assert counts[0] < counts[1] < counts[2] < counts[3]
    assert counts[-1] == sum(coefs.size for coefs in model.coefs_)
    assert model.intercepts_[-1].all()


@every_solver
def test_no_penalty_and_no_share_change_no_bit(solver):
    plain = make(MLPRegressor, solver, alpha=0.0, l1_ratio=0.0).fit(X, REAL)
    free = make(MLPRegressor, solver, alpha=0.0, l1_ratio=0.7).fit(X, REAL)
    assert_array_equal(get_weights(free), get_weights(plain))
    assert free.loss_curve_ == plain.loss_curve_


@both
@every_solver
def test_sparse_inputs_equal_dense_ones(Estimator, solver):
    holes = np.where(np.abs(X) < 0.5, 0, X)
    dense = make(Estimator, solver).fit(holes, Y[Estimator])
    sparse = make(Estimator, solver).fit(sp.csr_array(holes), Y[Estimator])
    assert_allclose(get_weights(sparse), get_weights(dense), rtol=0, atol=1e-10)
    assert_array_equal(get_weights(sparse) == 0, get_weights(dense) == 0)


@both
@every_solver
def test_weights_of_rows_are_repetitions(Estimator, solver):
    counts = np.resize([1, 3, 2], N_ROWS)
    params = {"batch_size": "full", "max_iter": 50, "n_iter_no_change": 50}
    weighted = make(Estimator, solver, **params)
    weighted.fit(X, Y[Estimator], sample_weight=counts)
    repeated = make(Estimator, solver, **params)
    repeated.fit(np.repeat(X, counts, axis=0), np.repeat(Y[Estimator], counts))
    assert_allclose(get_weights(weighted), get_weights(repeated), rtol=0, atol=1e-9)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)


def test_units_that_are_silent_at_first_are_not_lost():
    """Adaptive rates without a gradient are next to infinite, and so are thresholds."""
    model = make(MLPRegressor, "adam", activation="relu", hidden_layer_sizes=(50,))
    model.set_params(batch_size=1, max_iter=1, alpha=1e-6, l1_ratio=1.0)
    model.set_params(learning_rate_init=1e-4).fit(X[:3], REAL[:3])
    assert not (model.coefs_[0] == 0).all(axis=0).any()


# Ways to train


class LooksAtBatches(Callback):
    """Callback that sees batches and changes nothing."""

    def on_batch_end(self, net, **kwargs):
        pass


WAYS = {
    "many tensors": lambda: [Initializer("*", fn=lambda p: p)],
    "scheduler": lambda: [LRScheduler("StepLR", step_size=99)],
    "full epochs": lambda: [LooksAtBatches()],
    "full epochs of many": lambda: [LooksAtBatches(), *WAYS["many tensors"]()],
}


@both
@every_solver
@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_train_gives_the_same(Estimator, solver, way):
    plain = make(Estimator, solver, max_iter=20).fit(X, Y[Estimator])
    other = make(Estimator, solver, max_iter=20, callbacks=WAYS[way]())
    other.fit(X, Y[Estimator])
    assert_allclose(get_weights(other), get_weights(plain), rtol=0, atol=1e-10)
    assert_array_equal(get_weights(other) == 0, get_weights(plain) == 0)
    assert_allclose(other.loss_curve_, plain.loss_curve_, rtol=1e-10)
    assert (get_weights(plain) == 0).any()


def continue_by_pickle(model):
    return pickle.loads(pickle.dumps(model))


@both
@every_solver
@pytest.mark.parametrize("resume", [continue_by_pickle, lambda model: model])
def test_partial_fit_goes_on_as_fit(Estimator, solver, resume):
    whole = make(Estimator, solver).fit(X, Y[Estimator])
    parts = make(Estimator, solver, max_iter=2).fit(X, Y[Estimator])
    for _ in range(3):
        parts = resume(parts)
        parts.partial_fit(X, Y[Estimator])
    assert_array_equal(get_weights(parts), get_weights(whole))
    assert parts.loss_curve_ == whole.loss_curve_


@every_solver
def test_partial_fit_follows_a_changed_share(solver):
    model = make(MLPRegressor, solver, l1_ratio=1.0, alpha=50.0)
    model.set_params(max_iter=100, n_iter_no_change=100).fit(X, REAL)
    assert not model.coefs_[0].any()
    model.set_params(l1_ratio=0.0, alpha=1e-3)
    for _ in range(3):
        model.partial_fit(X, REAL)
    assert model.optimizer_.param_groups[0]["l1"] == 0
    other = make(MLPRegressor, solver, l1_ratio=0.0).fit(X, REAL)
    other.set_params(l1_ratio=1.0, alpha=50.0)
    for _ in range(100):
        other.partial_fit(X, REAL)
    assert not other.coefs_[0].any()


@every_solver
def test_a_warm_start_begins_with_the_zeros(solver):
    model = make(MLPRegressor, solver, warm_start=True, max_iter=100, alpha=20.0)
    model.set_params(n_iter_no_change=100).fit(X, REAL)
    zeros = (get_weights(model) == 0).sum()
    before = model.optimizer_
    model.set_params(max_iter=1).fit(X, REAL)
    assert model.optimizer_ is not before
    assert zeros
    assert (get_weights(model) == 0).sum() > zeros / 2


@every_solver
def test_early_stopping_keeps_the_zeros_of_the_best_epoch(solver):
    model = make(MLPClassifier, solver, early_stopping=True, max_iter=60, alpha=2.0)
    model.set_params(random_state=3).fit(X, CLASSES)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert (get_weights(model) == 0).any()


@every_solver
def test_divergence_is_still_reported(solver):
    model = make(MLPRegressor, solver, learning_rate_init=1e200, max_iter=50)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X, REAL)
    assert model.optimizer_.param_groups[0]["pull"] == 0
    assert np.isfinite(get_weights(model)).all()
