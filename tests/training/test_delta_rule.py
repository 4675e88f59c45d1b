"""The delta rule against autograd, and several networks at once against one by one."""

import gc
from contextlib import suppress
from functools import partial
from itertools import pairwise, product
from threading import Barrier, Thread, active_count, get_ident
from weakref import ref

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from torch.nn import functional

from sknn.data import Batch, Rows, make_batch, make_batches
from sknn.modules import MLP
from sknn.training import _delta_rule, _forward_pass, _parallel, _processor
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._delta_rule import DeltaRule, choose_ops
from sknn.training._flat import FlatParameters
from sknn.training._forward_pass import ForwardPass
from sknn.training._gradient import AutogradGradient
from sknn.training._initialization import glorot_uniform
from sknn.training._losses import LOSSES, make_loss
from sknn.training._parallel import (
    FEWEST_ROWS,
    MOST_PARTS,
    WORTH_A_THREAD,
    PartedGradient,
    Team,
    map_rows,
    n_parts_worth,
)
from sknn.training._penalty import Penalty
from sknn.training._processor import numpy_multiplies_faster
from sknn.training._threads import limited_threads
from sknn.training._updates import SGD, Adagrad, Adam, AdamW, RMSprop

ACTIVATIONS = {
    "identity": lambda a: a,
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda a: torch.where(a > 0, a, 0.01 * a),
    "elu": lambda a: torch.where(a > 0, a, torch.expm1(a)),
    "selu": lambda a: (
        1.0507009873554805 * torch.where(a > 0, a, 1.6732632423543772 * torch.expm1(a))
    ),
    "gelu": lambda a: a * torch.special.ndtr(a),
    "silu": lambda a: a * torch.sigmoid(a),
    "mish": lambda a: a * torch.tanh(torch.log1p(torch.exp(a))),
    "softplus": lambda a: torch.log1p(torch.exp(a)),
    "sign": lambda a: a + (torch.sign(a) - a).detach(),
}
OPS = {
    "numpy": (NumpyOps, NumpyOps),
    "torch": (TorchOps, TorchOps),
    "mixed": (TorchOps, NumpyOps),
}
SKLEARN_LOSSES = ["squared_error", "poisson", "log_loss", "binary_log_loss"]
# all of scikit-learn's with each other; of the others one varies at a time, since they
# meet in nothing but the deltas
PAIRS = list(product(list(ACTIVATIONS)[:4], SKLEARN_LOSSES))
PAIRS += [(name, "log_loss") for name in list(ACTIVATIONS)[4:]]
PAIRS += [("tanh", name) for name in LOSSES if name not in SKLEARN_LOSSES]
AVERAGED = {"squared_error", "absolute_error", "huber", "quantile"}
N_FEATURES, HIDDEN, N_OUTPUTS = 5, [4, 6, 3, 5], 3
# An entry sums some fifty products of numbers near 1 through at most five layers:
# 100 roundings of the largest entry leave room.
RTOL = {np.float64: 100 * 2.0**-52, np.float32: 100 * 2.0**-23}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep torch from waiting for a second thread over a handful of rows."""
    with limited_threads(0):
        yield


def assert_close(actual, desired, dtype=np.float64):
    """Check that arrays agree to rounding of their largest entry."""
    desired = np.asarray(desired)
    atol = RTOL[dtype] * max(np.abs(desired).max(), 1e-3)
    assert_allclose(np.asarray(actual), desired, rtol=0, atol=atol)


def make_flat(activation, depth, dtype=np.float64, seed=0):
    sizes = [N_FEATURES, *HIDDEN[:depth], N_OUTPUTS]
    module = MLP(sizes, activation, "meta")
    flat = FlatParameters(module, getattr(torch, np.dtype(dtype).name))
    glorot_uniform(module, np.random.RandomState(seed))
    return flat


def make_rows(loss, n_rows, weighted, dtype=np.float64, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, N_FEATURES)).astype(dtype)
    X[rng.uniform(size=X.shape) < 0.3] = 0
    y = {
        "squared_error": rng.normal(size=(n_rows, N_OUTPUTS)).astype(dtype),
        "summed_squared_error": rng.normal(size=(n_rows, N_OUTPUTS)).astype(dtype),
        "absolute_error": rng.normal(size=(n_rows, N_OUTPUTS)).astype(dtype),
        "huber": rng.normal(size=(n_rows, N_OUTPUTS)).astype(dtype),
        "quantile": rng.normal(size=(n_rows, N_OUTPUTS)).astype(dtype),
        "gamma": rng.gamma(2.0, size=(n_rows, N_OUTPUTS)).astype(dtype),
        "poisson": rng.poisson(1.0, size=(n_rows, N_OUTPUTS)).astype(dtype),
        "log_loss": rng.randint(N_OUTPUTS, size=n_rows),
        "binary_log_loss": rng.randint(2, size=(n_rows, N_OUTPUTS)).astype(dtype),
    }[loss]
    weight = rng.uniform(0.2, 2, size=n_rows).astype(dtype) if weighted else None
    return X, y, weight


def make_native_batch(X, y, weight, ops, loss_ops):
    y_native = loss_ops.from_numpy
    return make_batch(ops.from_numpy(X), y_native(y), weight, y_native)


def make_rule(flat, activation, loss, ops, loss_ops=None, gradient=None):
    layers = flat.module.layers
    gradient = flat.gradient if gradient is None else gradient
    views, depth = list(flat.views_of(gradient)), len(layers)
    return DeltaRule(
        [layer.weight.detach().t() for layer in layers],
        [layer.bias.detach().view(1, -1) for layer in layers],
        [view.t() for view in views[:depth]],
        [view.view(1, -1) for view in views[depth:]],
        activation,
        make_loss(loss),
        ops,
        loss_ops,
    )


def make_engine(name, flat, activation, loss):
    if name == "autograd":
        zero_grad = flat.gradient.zero_
        return AutogradGradient(flat.module, make_loss(loss), zero_grad)
    return make_rule(flat, activation, loss, *OPS[name])


def get_row_losses(loss, z, y):
    """Get each row's loss, summed over outputs, by torch's own functions."""
    if loss == "log_loss":
        return functional.cross_entropy(z, y, reduction="none")
    if loss == "binary_log_loss":
        entropy = functional.binary_cross_entropy_with_logits
        return entropy(z, y, reduction="none").sum(1)
    if loss in ("squared_error", "summed_squared_error"):
        return functional.mse_loss(z, y, reduction="none").sum(1) / 2
    if loss in ("absolute_error", "quantile"):  # here the quantile is the median
        return (z - y).abs().sum(1) / (2 if loss == "quantile" else 1)
    if loss == "huber":
        return functional.huber_loss(z, y, reduction="none").sum(1)
    if loss == "gamma":
        return (y * torch.exp(-z) - 1 - torch.log(y) + z).sum(1)
    deviance = functional.poisson_nll_loss(z, y, reduction="none")
    return (deviance + torch.xlogy(y, y) - y).sum(1)


def differentiate(flat, activation, loss, X, y, weight):
    """Get the loss and flat gradient by autograd, from the textbook's formulas."""
    tensors = [p.detach().clone().requires_grad_() for p in flat.parameters]
    depth = len(tensors) // 2
    h = torch.from_numpy(X)
    for k in range(depth):
        h = h @ tensors[k].T + tensors[depth + k]
        h = ACTIVATIONS[activation](h) if k < depth - 1 else h
    losses = get_row_losses(loss, h, torch.from_numpy(y))
    weight = torch.ones_like(losses) if weight is None else torch.from_numpy(weight)
    value = (weight * losses).sum() / weight.sum()
    gradient = flat.join(torch.autograd.grad(value, tensors))
    n_averaged = N_OUTPUTS if loss in AVERAGED else 1
    return value.item() / n_averaged, gradient, h.detach()


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
@pytest.mark.parametrize("engine", [*OPS, "autograd"])
def test_gradient_equals_autograd(engine, activation, loss, depth, weighted):
    flat = make_flat(activation, depth)
    gradient = make_engine(engine, flat, activation, loss)
    for seed, n_rows in enumerate([7, 3, 7, 1]):  # buffers are a batch size's own
        rows = make_rows(loss, n_rows, weighted, seed=seed)
        batch = make_native_batch(*rows, gradient.ops, gradient.loss_ops)
        value = gradient(batch)
        expected, expected_gradient, raw = differentiate(flat, activation, loss, *rows)
        assert_close(value, expected)
        assert_close(flat.gradient, expected_gradient)
        assert_close(gradient.raw, raw)


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
@pytest.mark.parametrize("engine", [*OPS, "autograd"])
def test_gradient_in_float32(engine, activation, loss):
    flat = make_flat(activation, 3, np.float32)
    gradient = make_engine(engine, flat, activation, loss)
    rows = make_rows(loss, 9, True, np.float32)
    value = gradient(make_native_batch(*rows, gradient.ops, gradient.loss_ops))
    expected, expected_gradient, _ = differentiate(flat, activation, loss, *rows)
    assert flat.gradient.dtype == torch.float32
    assert_close(value, expected, np.float32)
    assert_close(flat.gradient, expected_gradient, np.float32)


@pytest.mark.parametrize("depth", range(3))
@pytest.mark.parametrize("loss", LOSSES)
def test_sparse_inputs_equal_dense_ones(loss, depth):
    flat = make_flat("tanh", depth)
    rule = make_rule(flat, "tanh", loss, NumpyOps)
    X, y, weight = make_rows(loss, 8, True)
    value = rule(make_batch(X, y, weight, NumpyOps.from_numpy))
    gradient = flat.gradient.clone()
    flat.gradient.fill_(np.nan)
    batch = make_batch(sparse.csr_matrix(X), y, weight, NumpyOps.from_numpy)
    assert_close(rule(batch), value)
    assert_close(flat.gradient, gradient)


# Parts of a batch in threads


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n_parts", "n_threads"), [(2, 1), (2, 2), (3, 2)])
def test_parts_add_up_to_the_whole(n_parts, n_threads, loss, weighted, form):
    flat = make_flat("tanh", 2)
    whole = make_rule(flat, "tanh", loss, NumpyOps)
    others = [torch.empty_like(flat.gradient) for _ in range(n_parts - 1)]
    parted = PartedGradient(
        [
            make_rule(flat, "tanh", loss, NumpyOps, gradient=gradient)
            for gradient in (flat.gradient, *others)
        ],
        flat.gradient.numpy(),
        [other.numpy() for other in others],
        n_threads,
    )
    for n_rows in (100, 40, 97, 100):  # 40 rows are not worth it
        X, y, weight = make_rows(loss, n_rows, weighted, seed=n_rows)
        batch = make_batch(form(X), y, weight, NumpyOps.from_numpy)
        expected, raw = whole(batch), whole.raw.copy()
        gradient = flat.gradient.clone()
        assert_close(parted(batch), expected)
        assert_close(flat.gradient, gradient)
        assert_close(parted.raw, raw)
    parted.close()


@pytest.mark.parametrize(
    ("product_size", "n_rows", "expected"),
    [
        (3 * WORTH_A_THREAD, 1000, 3),
        (2 * WORTH_A_THREAD - 1, 1000, 1),
        (99 * WORTH_A_THREAD, 1000, MOST_PARTS),
        (99 * WORTH_A_THREAD, 3 * FEWEST_ROWS + 1, 3),
        (99 * WORTH_A_THREAD, FEWEST_ROWS - 1, 1),
        (0, 1000, 1),
    ],
)
def test_parts_are_as_many_as_are_worth_it(product_size, n_rows, expected):
    assert n_parts_worth(product_size, n_rows) == expected
    assert n_parts_worth(product_size, n_rows, most=2) == min(expected, 2)


@pytest.mark.usefixtures("n_threads")
def test_a_team_that_nobody_closes_ends():
    before = active_count()
    team = Team(_parallel.available_threads())
    assert team.map(lambda i: i * i, 4) == [0, 1, 4, 9]
    threads = list(team._threads)
    del team
    gc.collect()
    for thread in threads:
        thread.join(timeout=60)
    assert active_count() == before


def test_a_thread_that_cannot_start_leaves_none(monkeypatch):
    before, started = active_count(), []

    class Unstartable(Thread):
        def start(self):
            if started:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    monkeypatch.setattr(_parallel, "Thread", Unstartable)
    with pytest.raises(RuntimeError):
        Team(3)
    gc.collect()
    started[0].join(timeout=60)
    assert active_count() == before


def test_an_error_does_not_keep_its_arguments_alive(n_threads):
    class Rows:
        pass

    def fail(i, rows):
        raise ZeroDivisionError

    team, rows = Team(n_threads), Rows()
    alive = ref(rows)
    gc.disable()
    try:
        with suppress(ZeroDivisionError):
            team.map(partial(fail, rows=rows), 8)
        del rows
        assert alive() is None
    finally:
        gc.enable()
        team.close()


@pytest.fixture(params=[1, 3])
def n_threads(request, monkeypatch):
    monkeypatch.setattr(_parallel, "available_threads", lambda: request.param)
    return request.param


def test_slices_cover_all_rows_once(n_threads):
    seen, threads, everyone = [], set(), Barrier(n_threads)

    def call(rows):
        seen.append(rows)  # which is atomic
        if get_ident() not in threads:
            threads.add(get_ident())
            everyone.wait(timeout=60)  # so that every thread gets a slice

    map_rows(call, 1003, 201, 5 * WORTH_A_THREAD)
    seen.sort(key=lambda rows: rows.start)
    bounds = [0, 201, 402, 603, 804, 1003]
    assert [(rows.start, rows.stop) for rows in seen] == list(pairwise(bounds))
    assert get_ident() in threads
    assert len(threads) == n_threads


@pytest.mark.usefixtures("n_threads")
def test_an_error_in_any_slice_reaches_the_caller():
    for failing in range(5):
        done = []

        def fail(rows, failing=failing, done=done):
            if rows.start == 200 * failing:
                raise ZeroDivisionError
            done.append(rows)

        n_before = active_count()
        with pytest.raises(ZeroDivisionError):
            map_rows(fail, 200_000, 200, 5 * WORTH_A_THREAD)
        assert active_count() == n_before
        assert len(done) < 500  # the others stop too


# Several networks at once


def stack(flats):
    """Stack networks of one shape: values and gradients (networks, parameters)."""
    values = torch.stack([flat.values for flat in flats])
    gradients = torch.zeros_like(values)
    return values, gradients


def make_stacked_rule(flats, values, gradients, activation, loss, ops, loss_ops):
    """Make the delta rule of networks whose parameters are rows of `values`."""
    layers = flats[0].module.layers
    shapes = [layer.weight.t().shape for layer in layers]
    shapes += [(1, layer.out_features) for layer in layers]
    stops = np.cumsum([np.prod(shape) for shape in shapes])
    depth = len(layers)

    def make_views(rows):
        parts = np.split(np.arange(rows.shape[1]), stops[:-1])
        return [
            rows[:, part[0] : part[-1] + 1].view(len(rows), *shape)
            for part, shape in zip(parts, shapes, strict=True)
        ]

    parameters, derivatives = make_views(values), make_views(gradients)
    return DeltaRule(
        parameters[:depth],
        parameters[depth:],
        derivatives[:depth],
        derivatives[depth:],
        activation,
        make_loss(loss),
        ops,
        loss_ops,
    )


def stack_batches(batches, ops, loss_ops):
    """Stack numpy batches of one size along a leading axis of networks."""
    x = np.stack([batch[0] for batch in batches])
    y = np.stack([batch[1] for batch in batches])
    if batches[0].weight is None:
        weight, total = None, batches[0].total
    else:
        weight = loss_ops.from_numpy(np.stack([batch.weight for batch in batches]))
        total = np.array([batch.total for batch in batches]).reshape(-1, 1, 1)
        total = loss_ops.from_numpy(total)
    n_rows = batches[0].n_rows
    return Batch(ops.from_numpy(x), loss_ops.from_numpy(y), weight, total, n_rows)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
@pytest.mark.parametrize("ops", OPS)
def test_networks_at_once_equal_one_by_one(ops, activation, loss, depth, weighted):
    flats = [make_flat(activation, depth, seed=seed) for seed in range(3)]
    values, gradients = stack(flats)
    rule = make_stacked_rule(flats, values, gradients, activation, loss, *OPS[ops])
    singles = [make_rule(flat, activation, loss, *OPS[ops]) for flat in flats]
    for n_rows in (6, 2, 6):
        rows = [make_rows(loss, n_rows, weighted, seed=seed) for seed in range(3)]
        batches = [make_batch(*part, NumpyOps.from_numpy) for part in rows]
        losses = rule(stack_batches(batches, *OPS[ops]))
        for k, (single, flat) in enumerate(zip(singles, flats, strict=True)):
            assert_close(losses[k], single(make_native_batch(*rows[k], *OPS[ops])))
            assert_close(gradients[k], flat.gradient)


RATES, ALPHAS = [0.02, 0.005, 0.05], [0.0, 0.1, 0.5]
L1_RATIOS, CLIPS = [0.5, 1.0, 0.3], [None, 0.4, 1.0]
N_EPOCHS, N_ROWS, BATCH_SIZE = 4, 23, 5
N_WEIGHTS = N_FEATURES * HIDDEN[0] + HIDDEN[0] * HIDDEN[1] + HIDDEN[1] * N_OUTPUTS
OPTIMIZERS = {
    "sgd": partial(SGD, momentum=0.9, n_weights=N_WEIGHTS),
    "adam": partial(Adam, n_weights=N_WEIGHTS),
    "adamw": partial(AdamW, weight_decay=0.3, n_weights=N_WEIGHTS),
    "adagrad": partial(Adagrad, n_weights=N_WEIGHTS),
    "rmsprop": partial(RMSprop, n_weights=N_WEIGHTS),
}


def make_iterators(rows):
    """Make three iterators of the same rows, each with its own order."""
    return [
        make_batches(Rows(*rows), BATCH_SIZE, np.random.RandomState(seed))
        for seed in range(3)
    ]


def train_one_by_one(flats, loss, rows, make_optimizer, ops):
    """Train networks one after the other and get their losses, batch by batch."""
    losses = []
    for k, (flat, batches) in enumerate(zip(flats, make_iterators(rows), strict=True)):
        rule = make_rule(flat, "tanh", loss, *OPS[ops])
        group = {"params": [flat.parameter], "lr": RATES[k], "clip": CLIPS[k]}
        optimizer = make_optimizer([group])
        update, penalty = optimizer.on(flat.parameter), Penalty(ALPHAS[k], L1_RATIOS[k])
        penalize = penalty.on(flat.weights, flat.weight_gradient)
        losses.append([])
        for _ in range(N_EPOCHS):
            for batch in batches.reused(*(o.from_numpy for o in OPS[ops])):
                losses[k].append(rule(batch) + penalize(batch.total))
                optimizer.param_groups[0]["l1"] = penalty.l1 / batch.total
                update()
    return np.array(losses)


def train_at_once(flats, loss, rows, make_optimizer, ops):
    """Train copies of the networks at once; get their losses and parameters."""
    values, gradients = stack(flats)
    rule = make_stacked_rule(flats, values, gradients, "tanh", loss, *OPS[ops])
    groups, penalties = [], []
    for k, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
        parameter = torch.nn.Parameter(value, requires_grad=False)
        parameter.grad = gradient
        groups.append({"params": [parameter], "lr": RATES[k], "clip": CLIPS[k]})
        where, penalty = slice(N_WEIGHTS), Penalty(ALPHAS[k], L1_RATIOS[k])
        penalties.append(penalty.on(value[where], gradient[where]))
    optimizer = make_optimizer(groups)
    losses, iterators = [], make_iterators(rows)
    for _ in range(N_EPOCHS):
        for batches in zip(*(it.reused() for it in iterators), strict=True):
            value = np.asarray(rule(stack_batches(batches, *OPS[ops])))
            totals = [batch.total for batch in batches]
            added = [p(t) for p, t in zip(penalties, totals, strict=True)]
            losses.append(value + added)
            for k, group in enumerate(optimizer.param_groups):
                group["l1"] = ALPHAS[k] * L1_RATIOS[k] / totals[k]
            optimizer.update()
    return np.transpose(losses), values


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("ops", OPS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_at_once_equals_one_by_one(optimizer, ops, loss, weighted):
    flats = [make_flat("tanh", 2, seed=seed) for seed in range(3)]
    rows = make_rows(loss, N_ROWS, weighted)
    arguments = flats, loss, rows, OPTIMIZERS[optimizer], ops
    losses, values = train_at_once(*arguments)
    expected = train_one_by_one(*arguments)
    # twenty steps carry each other's rounding on
    assert_allclose(losses, expected, rtol=1e-11)
    for value, flat in zip(values, flats, strict=True):
        assert_allclose(value, flat.values, rtol=0, atol=1e-11)
        assert_array_equal(value == 0, flat.values == 0)


# Predictions


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_pass_equals_the_module(activation, depth, is_sparse, monkeypatch):
    monkeypatch.setattr(_forward_pass, "CHUNK_ENTRIES", 20)  # a few rows a chunk
    flat = make_flat(activation, depth)
    layers = flat.module.layers
    weights = [layer.weight.detach().t() for layer in layers]
    forward = ForwardPass(weights, [layer.bias for layer in layers], activation)
    X, _, _ = make_rows("log_loss", 11, False)
    X.flags.writeable = False
    inputs = sparse.csr_matrix(X) if is_sparse else X
    with torch.no_grad():
        tensor = torch.from_numpy(X.copy())
        assert_close(forward(inputs), flat.module(tensor))
        if depth:
            assert_close(forward(inputs, hidden=True), flat.module.hidden(tensor))


def test_forward_pass_keeps_the_type():
    flat = make_flat("relu", 1, np.float32)
    layers = flat.module.layers
    weights = [layer.weight.detach().t() for layer in layers]
    forward = ForwardPass(weights, [layer.bias for layer in layers], "relu")
    assert forward(np.ones((2, N_FEATURES), np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("device", "is_sparse", "batch_size", "widths", "expected"),
    [
        ("cpu", False, 81, [100, 10], (NumpyOps, NumpyOps)),
        ("cpu", False, 82, [100, 10], (TorchOps, NumpyOps)),
        ("cpu", False, 10**5, [100, 10], (TorchOps, TorchOps)),
        ("cpu", False, 1000, [10**4, 1], (TorchOps, NumpyOps)),
        ("cpu", True, 10**5, [100, 10], (NumpyOps, NumpyOps)),
        ("meta", False, 10, [100, 10], (TorchOps, TorchOps)),
    ],
)
def test_operations_follow_size_and_device(
    device, is_sparse, batch_size, widths, expected, monkeypatch
):
    monkeypatch.setattr(_delta_rule, "numpy_multiplies_faster", lambda: False)
    X = np.ones((2, 3))
    X = sparse.csr_matrix(X) if is_sparse else X
    assert choose_ops(torch.device(device), X, batch_size, widths) == expected


@pytest.mark.parametrize(
    ("batch_size", "widths", "expected"),
    [
        (1310, [100, 5], (NumpyOps, NumpyOps)),
        (1311, [100, 5], (TorchOps, NumpyOps)),
        (1000, [99, 5], (TorchOps, NumpyOps)),
    ],
)
def test_faster_products_decide_for_wide_layers(
    batch_size, widths, expected, monkeypatch
):
    monkeypatch.setattr(_delta_rule, "numpy_multiplies_faster", lambda: True)
    assert choose_ops("cpu", np.ones((2, 3)), batch_size, widths) == expected


@pytest.mark.parametrize(
    ("text", "has_mkl", "expected"),
    [
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 25", True, True),
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 25", False, False),
        ("AMD64 Family 23 Model 113 Stepping 0, AuthenticAMD", True, True),
        ("vendor_id\t: GenuineIntel\ncpu family\t: 6", True, False),
        ("", True, False),
    ],
)
def test_whose_products_are_faster(text, has_mkl, expected, monkeypatch):
    monkeypatch.setattr(_processor, "_describe", lambda: text)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: has_mkl)
    assert numpy_multiplies_faster.__wrapped__() is expected


def test_the_processor_is_described():
    assert isinstance(_processor._describe(), str)


@pytest.mark.parametrize("faster", [False, True])
def test_forward_pass_by_either(faster, monkeypatch):
    """In chunks, large enough for torch."""
    monkeypatch.setattr(_forward_pass, "numpy_multiplies_faster", lambda: faster)
    monkeypatch.setattr(_forward_pass, "NEVER_THREADED", 0)
    monkeypatch.setattr(_forward_pass, "CHUNK_ENTRIES", 20)
    flat = make_flat("gelu", 2)
    layers = flat.module.layers
    weights = [layer.weight.detach().t() for layer in layers]
    forward = ForwardPass(weights, [layer.bias for layer in layers], "gelu")
    X, _, _ = make_rows("log_loss", 11, False)
    with torch.no_grad():
        assert_close(forward(X), flat.module(torch.from_numpy(X.copy())))
