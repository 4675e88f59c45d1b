"""`gradient_clip` against a loop of torch's own clipping."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback, GradientNormClipping, Initializer, LRScheduler
from torch import nn

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

N_ROWS, BATCH_SIZE, N_EPOCHS, ALPHA, LR = 60, 16, 5, 0.3, 0.05
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(N_ROWS, 4))
BOTH = [MLPClassifier, MLPRegressor]
Y = {
    MLPClassifier: RANDOM.randint(3, size=N_ROWS),
    MLPRegressor: 3 * X[:, 0] - X[:, 1] ** 2,
}
SOLVERS = {
    "sgd": lambda network: torch.optim.SGD(
        network.parameters(), LR, momentum=0.9, nesterov=True
    ),
    "adagrad": lambda network: torch.optim.Adagrad(network.parameters(), LR, eps=1e-8),
    "rmsprop": lambda network: torch.optim.RMSprop(
        network.parameters(), LR, alpha=0.9, eps=1e-8
    ),
}
ALL_SOLVERS = [*SOLVERS, "adam", "adamw"]
both = pytest.mark.parametrize("Estimator", BOTH)
every_solver = pytest.mark.parametrize("solver", ALL_SOLVERS)


def make(Estimator, solver, clip, **params):
    defaults = {"alpha": ALPHA, "learning_rate_init": LR, "batch_size": BATCH_SIZE}
    defaults |= {"hidden_layer_sizes": (6,), "activation": "tanh", "shuffle": False}
    defaults |= {"max_iter": N_EPOCHS, "tol": 0, "random_state": 0}
    return Estimator(solver=solver, gradient_clip=clip, **defaults | params)


def make_torch_network(model):
    """Make a plain torch network with the weights of a fitted model."""
    layers = []
    for W, b in zip(model.coefs_, model.intercepts_, strict=True):
        layer = nn.Linear(*W.shape).double()
        layer.weight.data = torch.tensor(W.T.copy())
        layer.bias.data = torch.tensor(b.copy())
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def train_torch(Estimator, network, optimizer, clip):
    """Train by torch alone and get the norms before clipping."""
    norms = []
    for _ in range(N_EPOCHS):
        for start in range(0, N_ROWS, BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            outputs = network(torch.tensor(X[rows]))
            targets = torch.tensor(Y[Estimator][rows])
            if Estimator is MLPClassifier:
                loss = nn.functional.cross_entropy(outputs, targets)
            else:
                loss = (outputs[:, 0] - targets).square().mean() / 2
            squares = sum(p.square().sum() for p in network.parameters() if p.ndim == 2)
            optimizer.zero_grad()
            (loss + ALPHA / (2 * len(targets)) * squares).backward()
            norms.append(float(nn.utils.clip_grad_norm_(network.parameters(), clip)))
            optimizer.step()
    return norms


def get_weights(model):
    return np.concatenate([w.ravel() for w in [*model.coefs_, *model.intercepts_]])


@both
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("clip", [0.05, 0.4])
def test_fit_equals_torch(Estimator, solver, clip):
    start = make(Estimator, "sgd", None, learning_rate_init=1e-300, max_iter=1)
    network = make_torch_network(start.fit(X, Y[Estimator]))
    model = make(Estimator, solver, clip).fit(X, Y[Estimator])
    norms = train_torch(Estimator, network, SOLVERS[solver](network), clip)
    assert max(norms) > clip
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer, W, b in zip(layers, model.coefs_, model.intercepts_, strict=True):
        # torch divides by the norm plus 1e-6
        assert_allclose(W, layer.weight.detach().T, rtol=0, atol=1e-4)
        assert_allclose(b, layer.bias.detach(), rtol=0, atol=1e-4)


@both
@every_solver
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_a_large_bound_changes_no_bit_and_a_small_one_does(Estimator, solver, l1_ratio):
    plain, large, small = (
        make(Estimator, solver, clip, l1_ratio=l1_ratio).fit(X, Y[Estimator])
        for clip in (None, 1e6, 1e-7)
    )
    assert_array_equal(get_weights(large), get_weights(plain))
    assert large.loss_curve_ == plain.loss_curve_
    assert not np.allclose(get_weights(small), get_weights(plain), rtol=1e-3)


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
    plain = make(Estimator, solver, 0.1).fit(X, Y[Estimator])
    other = make(Estimator, solver, 0.1, callbacks=WAYS[way]()).fit(X, Y[Estimator])
    assert_allclose(get_weights(other), get_weights(plain), rtol=0, atol=1e-10)


@both
@pytest.mark.parametrize("clip", [None, 0.05, 0.2])
def test_the_callback_of_skorch_works_beside_it(Estimator, clip):
    """The smaller bound counts; torch's function divides by the norm plus 1e-6."""
    callback = GradientNormClipping(0.1)
    one = make(Estimator, "sgd", clip, callbacks=[callback]).fit(X, Y[Estimator])
    smaller = min(0.1, clip or 0.1)
    other = make(Estimator, "sgd", smaller).fit(X, Y[Estimator])
    assert_allclose(get_weights(one), get_weights(other), rtol=0, atol=1e-4)


class Norms(Callback):
    """Callback that records the norm of the gradient after each update."""

    def on_train_begin(self, net, **kwargs):
        self.norms_ = []

    def on_batch_end(self, net, training, **kwargs):
        if training:
            squares = [float(p.grad.square().sum()) for p in net.module_.parameters()]
            self.norms_.append(sum(squares) ** 0.5)


@both
def test_no_norm_is_above_the_bound(Estimator):
    model = make(Estimator, "adam", 0.2, callbacks=[("norms", Norms())])
    model.fit(X, Y[Estimator])
    norms = dict(model.callbacks_)["norms"].norms_
    assert max(norms) == pytest.approx(0.2, rel=1e-12)
    assert max(norms) <= 0.2 * (1 + 1e-12)


def test_what_explodes_without_it_is_learned_with_it():
    y = 1e3 * Y[MLPRegressor]
    params = {"learning_rate_init": 0.5, "activation": "identity", "max_iter": 60}
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        make(MLPRegressor, "sgd", None, **params).fit(X, y)
    model = make(MLPRegressor, "sgd", 1.0, **params).fit(X, y)
    assert model.loss_curve_[-1] < 0.9 * model.loss_curve_[0]


def test_divergence_is_still_reported():
    """A gradient that is not finite has no direction to keep."""
    params = {"learning_rate_init": 1e200, "activation": "relu"}
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        make(MLPRegressor, "sgd", 1.0, **params).fit(X, Y[MLPRegressor])


@both
@every_solver
@pytest.mark.parametrize(
    "resume", [lambda m: pickle.loads(pickle.dumps(m)), lambda m: m]
)
def test_partial_fit_goes_on_as_fit(Estimator, solver, resume):
    whole = make(Estimator, solver, 0.1).fit(X, Y[Estimator])
    parts = make(Estimator, solver, 0.1, max_iter=2).fit(X, Y[Estimator])
    for _ in range(N_EPOCHS - 2):
        parts = resume(parts)
        parts.partial_fit(X, Y[Estimator])
    assert_array_equal(get_weights(parts), get_weights(whole))


def test_partial_fit_follows_a_changed_bound():
    model = make(MLPRegressor, "sgd", 0.1).fit(X, Y[MLPRegressor])
    model.set_params(gradient_clip=None).partial_fit(X, Y[MLPRegressor])
    assert model.optimizer_.param_groups[0]["clip"] is None
