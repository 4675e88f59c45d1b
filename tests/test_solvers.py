"""Solvers beyond scikit-learn's, against torch's own optimizers on a torch network."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from sknn import MLPClassifier, MLPRegressor
from sknn.training._updates import Adagrad, Adam, AdamW, RMSprop

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

ALPHA, LR, BATCH_SIZE, N_ROWS = 0.3, 0.02, 16, 60
BOTH = [MLPClassifier, MLPRegressor]
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(N_ROWS, 4))
Y = {
    MLPClassifier: RANDOM.randint(3, size=N_ROWS),
    MLPRegressor: X[:, 0] - X[:, 1] ** 2,
}
SOLVERS = {
    "adamw": {"beta_1": 0.8, "beta_2": 0.99},
    "adagrad": {"epsilon": 1e-3},
    "rmsprop": {"rho": 0.7},
}
CLASSES = {"adamw": AdamW, "adagrad": Adagrad, "rmsprop": RMSprop}
every_solver = pytest.mark.parametrize("solver", SOLVERS)
both = pytest.mark.parametrize("Estimator", BOTH)


def make(Estimator, solver, **params):
    defaults = {"alpha": ALPHA, "learning_rate_init": LR, "batch_size": BATCH_SIZE}
    defaults |= {"shuffle": False, "max_iter": 5, "tol": 0, "random_state": 0}
    params = defaults | SOLVERS.get(solver, {}) | params
    return Estimator(
        hidden_layer_sizes=(6,), activation="tanh", solver=solver, **params
    )


def make_torch_network(model):
    """Make a plain torch network with the weights of a fitted model."""
    layers = []
    for W, b in zip(model.coefs_, model.intercepts_, strict=True):
        layer = nn.Linear(*W.shape).double()
        layer.weight.data = torch.tensor(W.T.copy())
        layer.bias.data = torch.tensor(b.copy())
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def make_torch_optimizer(model, network):
    if model.solver == "adamw":
        weights = [p for p in network.parameters() if p.ndim == 2]
        biases = [p for p in network.parameters() if p.ndim == 1]
        groups = [{"params": weights, "weight_decay": model.alpha}]
        groups += [{"params": biases, "weight_decay": 0.0}]
        betas = (model.beta_1, model.beta_2)
        return torch.optim.AdamW(groups, LR, betas, model.epsilon)
    if model.solver == "adagrad":
        return torch.optim.Adagrad(network.parameters(), LR, eps=model.epsilon)
    options = {"alpha": model.rho, "eps": model.epsilon}
    return torch.optim.RMSprop(network.parameters(), LR, **options)


def train_torch(model, network, n_epochs):
    """Train by torch alone and get the mean loss of each epoch."""
    optimizer, y = make_torch_optimizer(model, network), Y[type(model)]
    losses, alpha = [], 0.0 if model.solver == "adamw" else model.alpha
    for _ in range(n_epochs):
        total = 0.0
        for start in range(0, N_ROWS, BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            outputs, targets = network(torch.tensor(X[rows])), torch.tensor(y[rows])
            if isinstance(model, MLPClassifier):
                loss = nn.functional.cross_entropy(outputs, targets)
            else:
                loss = (outputs[:, 0] - targets).square().mean() / 2
            squares = sum(p.square().sum() for p in network.parameters() if p.ndim == 2)
            loss = loss + alpha / (2 * len(targets)) * squares
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(targets)
        losses.append(total / N_ROWS)
    return losses


def get_start(Estimator):
    """Weights before any step."""
    start = make(Estimator, "sgd", learning_rate_init=1e-300, max_iter=1)
    return start.fit(X, Y[Estimator])


def get_weights(model):
    return np.concatenate([w.ravel() for w in [*model.coefs_, *model.intercepts_]])


def assert_same_weights(model, network):
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer, W, b in zip(layers, model.coefs_, model.intercepts_, strict=True):
        assert_allclose(W, layer.weight.detach().T, rtol=1e-9, atol=1e-11)
        assert_allclose(b, layer.bias.detach(), rtol=1e-9, atol=1e-11)


@both
@every_solver
def test_fit_equals_torch(Estimator, solver):
    network = make_torch_network(get_start(Estimator))
    model = make(Estimator, solver).fit(X, Y[Estimator])
    losses = train_torch(model, network, 5)
    assert type(model.optimizer_) is CLASSES[solver]
    assert_allclose(model.loss_curve_, losses, rtol=1e-10)
    assert_same_weights(model, network)


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


@both
@every_solver
def test_a_warm_start_has_a_new_optimizer(Estimator, solver):
    model = make(Estimator, solver, warm_start=True).fit(X, Y[Estimator])
    network, before = make_torch_network(model), model.optimizer_
    model.fit(X, Y[Estimator])
    assert model.optimizer_ is not before
    train_torch(model, network, 5)
    assert_same_weights(model, network)


OPTIONS = {
    "adamw": {"alpha": 0.0, "beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.1},
    "adagrad": {"alpha": 0.0, "epsilon": 0.1},
    "rmsprop": {"alpha": 0.0, "rho": 0.2, "epsilon": 0.1},
}
EACH_OPTION = [(s, name, OPTIONS[s][name]) for s in OPTIONS for name in OPTIONS[s]]


@pytest.mark.parametrize(("solver", "name", "value"), EACH_OPTION)
def test_every_option_does_something(solver, name, value):
    plain = make(MLPRegressor, solver).fit(X, Y[MLPRegressor])
    other = make(MLPRegressor, solver, **{name: value}).fit(X, Y[MLPRegressor])
    assert not np.allclose(get_weights(plain), get_weights(other), rtol=1e-6)


def test_adamw_has_no_penalty_in_its_loss():
    y = Y[MLPRegressor]
    model = make(MLPRegressor, "adamw", max_iter=1, batch_size=N_ROWS).fit(X, y)
    start = get_start(MLPRegressor)
    assert_allclose(model.loss_, np.mean((start.predict(X) - y) ** 2) / 2, rtol=1e-12)


def test_the_decay_follows_alpha_in_partial_fit():
    y = Y[MLPRegressor]
    model = make(MLPRegressor, "adamw", alpha=0.0).fit(X, y)
    same = make(MLPRegressor, "adamw", alpha=0.0).fit(X, y)
    model.set_params(alpha=10.0).partial_fit(X, y)
    same.partial_fit(X, y)
    assert np.linalg.norm(model.coefs_[0]) < np.linalg.norm(same.coefs_[0])
    assert model.optimizer_.param_groups[0]["weight_decay"] == 10.0


def test_the_penalty_is_that_of_the_optimizer_that_goes_on():
    """As in scikit-learn partial_fit keeps its optimizer, whatever `solver` says."""
    y = Y[MLPRegressor]
    model, same = (make(MLPRegressor, "adam").fit(X, y) for _ in range(2))
    model.set_params(solver="adamw").partial_fit(X, y)
    same.partial_fit(X, y)
    assert type(model.optimizer_) is Adam
    assert_array_equal(get_weights(model), get_weights(same))
    assert model.loss_curve_ == same.loss_curve_


@both
@every_solver
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_early_stopping_finds_a_good_network(Estimator, solver, dtype):
    y = X[:, 0] > 0 if Estimator is MLPClassifier else X[:, 0]
    model = make(Estimator, solver, alpha=1e-3, max_iter=300, learning_rate_init=0.05)
    model.set_params(early_stopping=True, dtype=dtype, shuffle=True).fit(X, y)
    assert max(model.validation_scores_) == model.best_validation_score_
    assert model.score(X, y) > 0.85
    assert model.coefs_[0].dtype == dtype
