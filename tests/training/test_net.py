"""The net: flat parameters where they are right, plain ones where they are wrong."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback, Freezer, Initializer, LRScheduler
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from sknn import MLPClassifier
from sknn.data import ClassTargets, Rows
from sknn.modules import MLP
from sknn.training import _net
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._criterion import Criterion
from sknn.training._delta_rule import DeltaRule
from sknn.training._fit import Run, run_all
from sknn.training._flat import FlatParameters
from sknn.training._initialization import glorot_uniform
from sknn.training._losses import make_loss
from sknn.training._monitor import Monitor
from sknn.training._net import ELEMENTWISE, Net
from sknn.training._penalty import Penalty
from sknn.training._schedules import make_schedule
from sknn.training._stopping import Curves, Patience
from sknn.training._task import Task
from sknn.training._threads import limited_threads
from sknn.training._updates import SGD, Adagrad, Adam, AdamW, RMSprop

OURS = [SGD, Adam, AdamW, Adagrad, RMSprop]
ALPHA, LR, N_EPOCHS, BATCH_SIZE = 0.1, 0.02, 4, 8
GRADIENTS = {"numpy": NumpyOps, "torch": TorchOps, "autograd": None}
RTOL = {"rtol": 0, "atol": 1e-12}  # tens of steps of roundings of numbers near 1


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep torch from waiting for a second thread over a handful of rows."""
    with limited_threads(0):
        yield


def make_rows(weight=None, dtype=np.float64):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(30, 4)).astype(dtype)
    return Rows(X, rng.randint(3, size=30), weight)


def make_rule(flat, loss, ops):
    layers = flat.module.layers
    return DeltaRule(
        [layer.weight.detach().t() for layer in layers],
        [layer.bias.detach().view(1, -1) for layer in layers],
        [layer.weight.grad.t() for layer in layers],
        [layer.bias.grad.view(1, -1) for layer in layers],
        "tanh",
        loss,
        ops,
    )


def make_net(
    optimizer=Adam,
    callbacks=(),
    gradient="numpy",
    frozen=(),
    shuffle=True,
    dtype=torch.float64,
    **options,
):
    """Make an initialized net for three classes."""
    flat = FlatParameters(MLP([4, 5, 3], "tanh", "meta"), dtype)
    glorot_uniform(flat.module, np.random.RandomState(0))
    for name in frozen:
        flat.module.get_parameter(name).requires_grad_(False)
    loss, ops = make_loss("log_loss"), GRADIENTS[gradient]
    monitor = Monitor(
        Curves(),
        Patience(0.0, np.inf),
        make_schedule("constant", LR, 0.5),
        validate=None,
        keeps_best=False,
        verbose=False,
    )
    task = Task(
        loss,
        Penalty(ALPHA),
        monitor,
        lambda flat: ops and make_rule(flat, loss, ops),
        ClassTargets(np.arange(3), "multiclass"),
        flat=flat,
    )
    return Net(
        flat.module,
        criterion=Criterion(loss),
        task=task,
        optimizer=optimizer,
        lr=LR,
        max_epochs=N_EPOCHS,
        batch_size=BATCH_SIZE,
        callbacks=list(callbacks),
        device="cpu",
        iterator_train__random_state=np.random.RandomState(1) if shuffle else None,
        **options,
    ).initialize()


def get_name(optimizer):
    return f"{optimizer.__module__}.{optimizer.__name__}".removeprefix("torch.optim.")


def train(net, rows=None):
    """Train a net and get its parameters by name."""
    run = Run(net, rows or make_rows(), warns=False)
    run_all([run])
    run.tell()
    return {n: p.detach().clone() for n, p in net.module_.named_parameters()}


def make_plain(optimizer):
    """Make a class that is no longer known to be elementwise."""
    return type(f"Plain{optimizer.__name__}", (optimizer,), {})


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def assert_near(one, other):
    for name in one:
        assert_close(one[name], other[name], **RTOL)


def train_by_hand(make_optimizer, frozen=(), weight=None):
    """Train by autograd and torch's own functions, in the same order of rows."""
    net = make_net(frozen=frozen)
    module = MLP([4, 5, 3], "tanh").double()
    module.load_state_dict(net.module_.state_dict())
    for name in frozen:
        module.get_parameter(name).requires_grad_(False)
    optimizer = make_optimizer(module)
    batches = net.get_iterator(net.get_dataset(make_rows(weight)), training=True)
    for _ in range(N_EPOCHS):
        for batch in batches:
            x, y = batch
            w = torch.ones(len(x)).double() if batch.weight is None else batch.weight
            losses = functional.cross_entropy(module(x), y, reduction="none")
            loss = (w.view(-1) * losses).sum() / batch.total
            trained = [
                p for p in module.parameters() if p.ndim == 2 and p.requires_grad
            ]
            squares = sum((p**2).sum() for p in trained)
            optimizer.zero_grad()
            (loss + ALPHA / (2 * batch.total) * squares).backward()
            optimizer.step()
    return {n: p.detach() for n, p in module.named_parameters()}


class LooksAtBatches(Callback):
    """Callback that sees batches and changes nothing."""

    def on_batch_end(self, net, **kwargs):
        pass


# Flat and plain are the same where both are right


OPTIMIZERS = sorted(ELEMENTWISE, key=lambda cls: (cls.__module__, cls.__name__))


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=get_name)
def test_flat_equals_plain(optimizer, gradient):
    flat, plain = (
        make_net(optimizer, gradient=gradient),
        make_net(make_plain(optimizer)),
    )
    assert flat.is_flat
    assert not plain.is_flat
    trained = train(flat)
    assert_near(trained, train(plain))
    assert_allclose(flat.history[:, "train_loss"], plain.history[:, "train_loss"])


@pytest.mark.parametrize("optimizer", OPTIMIZERS[2:], ids=get_name)
def test_optimizers_of_torch_equal_a_loop_by_hand(optimizer):
    expected = train_by_hand(lambda module: optimizer(module.parameters(), lr=LR))
    assert_near(train(make_net(optimizer)), expected)


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("optimizer", [SGD, Adam, torch.optim.Adam], ids=get_name)
def test_lean_and_full_epochs_give_the_same_bits(optimizer, gradient):
    lean = make_net(optimizer, gradient=gradient)
    full = make_net(optimizer, [LooksAtBatches()], gradient)
    assert_equal(train(lean), train(full))
    losses = [net.history[:, "train_loss"] for net in (lean, full)]
    assert_allclose(*losses, rtol=1e-14)
    assert len(full.history[0, "batches"]) == 4
    assert len(lean.history[0, "batches"]) == 1


@pytest.mark.parametrize("callback", [Callback(), LRScheduler("StepLR", step_size=9)])
def test_callbacks_that_change_nothing_change_no_bit(callback):
    assert_equal(train(make_net()), train(make_net(callbacks=[callback])))


# What a flat tensor would get silently wrong


@pytest.mark.parametrize("optimizer", [SGD, Adam, torch.optim.SGD], ids=get_name)
def test_a_freezer_freezes(optimizer):
    net = make_net(optimizer, [Freezer("layers.0.*")])
    before = {n: p.detach().clone() for n, p in net.module_.named_parameters()}
    after = train(net)
    assert not net.is_flat
    for name, value in before.items():
        assert torch.equal(value, after[name]) == name.startswith("layers.0")


def test_an_initializer_initializes():
    constant = Initializer("layers.0.bias", fn=lambda p: nn.init.constant_(p, 3.0))
    net = make_net(callbacks=[constant])
    assert not net.is_flat
    assert (train(net)["layers.0.bias"] > 2.5).all()


def test_parameter_groups_have_their_rates():
    groups = [("layers.0.*", {"lr": 0.0}), ("layers.1.bias", {"lr": 0.5})]
    net = make_net(SGD, optimizer__param_groups=groups, optimizer__momentum=0)
    before = {n: p.detach().clone() for n, p in net.module_.named_parameters()}
    after = train(net)
    assert not net.is_flat
    assert torch.equal(after["layers.0.weight"], before["layers.0.weight"])
    assert torch.equal(after["layers.0.bias"], before["layers.0.bias"])

    def make_optimizer(module):
        first, last = module.layers
        return torch.optim.SGD(
            [
                {"params": first.parameters(), "lr": 0.0},
                {"params": [last.bias], "lr": 0.5},
                {"params": [last.weight]},
            ],
            lr=LR,
        )

    assert_near(after, train_by_hand(make_optimizer))


class NormedSGD(torch.optim.Optimizer):
    """Steps along each tensor's gradient divided by its norm."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(p.grad / p.grad.norm(), alpha=group["lr"])
        return loss


@pytest.mark.parametrize(
    "optimizer", [NormedSGD, torch.optim.Adafactor, torch.optim.NAdam], ids=get_name
)
@pytest.mark.parametrize("callbacks", [[], [LooksAtBatches()]], ids=["lean", "full"])
def test_optimizers_that_may_look_at_shapes_get_plain_parameters(optimizer, callbacks):
    net = make_net(optimizer, callbacks)
    after = train(net)
    assert not net.is_flat
    assert len(net.optimizer_.param_groups[0]["params"]) == 4
    expected = train_by_hand(lambda module: optimizer(module.parameters(), lr=LR))
    assert_near(after, expected)


@pytest.mark.parametrize("frozen", [["layers.0.weight"], ["layers.1.bias"]], ids=str)
@pytest.mark.parametrize("optimizer", [SGD, Adam, torch.optim.Adam], ids=get_name)
def test_frozen_parameters_stay(optimizer, frozen):
    net = make_net(optimizer, frozen=frozen)
    before = net.module_.get_parameter(frozen[0]).detach().clone()
    after = train(net)
    assert net.is_flat == (optimizer is not torch.optim.Adam)
    assert torch.equal(after[frozen[0]], before)
    if net.is_flat:
        assert_near(after, train(make_net(make_plain(optimizer), frozen=frozen)))
    else:
        expected = train_by_hand(
            lambda module: optimizer(
                [p for p in module.parameters() if p.requires_grad], lr=LR
            ),
            frozen,
        )
        assert_near(after, expected)


# What unties a flat tensor, and must not matter


def make_meddler(hook, change):
    """Make a callback that does something to the module at a hook."""

    def meddle(self, net, *args, **kwargs):
        change(net.module_)

    return type("Meddles", (Callback,), {hook: meddle})()


CHANGES = {
    "zero_grad": lambda module: module.zero_grad(set_to_none=True),
    "double": lambda module: module.double(),
    "to": lambda module: module.to("cpu", torch.float64),
    "there_and_back": lambda module: module.double().float(),
    "clone": lambda module: [
        setattr(p, "data", p.data.clone()) for p in module.parameters()
    ],
    "load": lambda module: module.load_state_dict(
        {k: v.clone() for k, v in module.state_dict().items()}
    ),
}
HOOKS = ["on_train_begin", "on_epoch_begin", "on_epoch_end"]
BATCH_HOOKS = ["on_batch_begin", "on_batch_end"]


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("hook", HOOKS + BATCH_HOOKS)
def test_loose_views_are_tied_again(hook, change, gradient):
    rows = make_rows(dtype=np.float32)
    meddler = make_meddler(hook, CHANGES[change])
    net = make_net(callbacks=[meddler], gradient=gradient, dtype=torch.float32)
    after = train(net, rows)
    quiet = [LooksAtBatches()] if hook in BATCH_HOOKS else []
    expected = make_net(callbacks=quiet, gradient=gradient, dtype=torch.float32)
    expected = train(expected, rows)
    assert net.is_flat
    assert_equal({n: p.float() for n, p in after.items()}, expected)


class SetsWeights(Callback):
    """Callback that replaces a parameter's values after the second epoch."""

    def __init__(self, replace):
        self.replace = replace

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            bias = net.module_.layers[1].bias
            if self.replace:
                bias.data = torch.full_like(bias.data, 5.0)
            else:
                bias.data.fill_(5.0)


def test_values_set_by_a_callback_are_trained_on():
    replaced = train(make_net(callbacks=[SetsWeights(True)]))
    assert_equal(replaced, train(make_net(callbacks=[SetsWeights(False)])))
    assert (replaced["layers.1.bias"] > 4).all()


# Weights of zero


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("callbacks", [[], [LooksAtBatches()]], ids=["lean", "full"])
@pytest.mark.parametrize("optimizer", [SGD, Adam, make_plain(Adam), torch.optim.Adam])
def test_batches_without_weight_move_nothing(optimizer, callbacks, gradient):
    weight = np.ones(30)
    weight[: 2 * BATCH_SIZE] = 0
    net = make_net(optimizer, callbacks, gradient, shuffle=False)
    rest = make_rows().subset(np.arange(2 * BATCH_SIZE, 30))
    expected = make_net(optimizer, callbacks, gradient, shuffle=False)
    assert_near(train(net, make_rows(weight)), train(expected, rest))
    assert np.isfinite(net.history[:, "train_loss"]).all()


# Copies


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("callbacks", [None, [Freezer("layers.0.*")]])
def test_unpickled_estimators_go_on_with_tied_views(solver, callbacks):
    X, y = make_rows().X, make_rows().y
    mlp = MLPClassifier((5,), solver=solver, random_state=0, callbacks=callbacks)
    for _ in range(3):
        mlp.partial_fit(X, y, classes=[0, 1, 2])
    clone = pickle.loads(pickle.dumps(mlp))
    assert clone._flat.is_tied()
    clone._flat.values[0] += 1
    assert clone.coefs_[0].flat[0] == mlp.coefs_[0].flat[0] + 1
    clone._flat.values[0] = mlp.coefs_[0].flat[0]
    for _ in range(3):
        mlp.set_params(random_state=1).partial_fit(X, y)
        clone.set_params(random_state=1).partial_fit(X, y)
    for one, other in zip(mlp.coefs_, clone.coefs_, strict=True):
        assert_array_equal(one, other)


def test_the_weights_are_those_of_the_estimator_after_a_plain_fit():
    X, y = make_rows().X, make_rows().y
    mlp = MLPClassifier((5,), max_iter=3, random_state=0, tol=0)
    mlp.set_params(callbacks=[Freezer("layers.0.*")])
    with pytest.warns(Warning, match="Maximum iterations"):
        mlp.fit(X, y)
    assert mlp._flat.is_tied()
    joined = mlp._flat.join([p.detach() for p in mlp._flat.parameters])
    assert torch.equal(mlp._flat.values, joined)


def test_known_optimizers_are_elementwise():
    assert set(OURS) <= ELEMENTWISE
    assert all(issubclass(cls, torch.optim.Optimizer) for cls in _net.ELEMENTWISE)
