"""Losses against scikit-learn's functions, torch's derivatives, and at their limits."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import expit, softmax
from sklearn.metrics import mean_pinball_loss
from sklearn.neural_network._base import LOSS_FUNCTIONS
from torch.nn import functional

from sknn.data import Batch
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._losses import LOSSES, make_loss

OPS = {"numpy": NumpyOps, "torch": TorchOps}
LINKS = {
    "squared_error": lambda z: z,
    "poisson": np.exp,
    "log_loss": lambda z: softmax(z, axis=-1),
    "binary_log_loss": expit,
}


# half the deviance, or the error's loss, of each entry
ENTRIES = {
    "summed_squared_error": lambda z, y: (y - z) ** 2 / 2,
    "absolute_error": lambda z, y: (y - z).abs(),
    "huber": lambda z, y: functional.huber_loss(z, y, reduction="none"),
    "quantile": lambda z, y: (y - z).abs() / 2,
    "gamma": lambda z, y: y * torch.exp(-z) - 1 - torch.log(y) + z,
}


def make_outputs(loss, n_rows=8, n_outputs=3, seed=0):
    rng = np.random.RandomState(seed)
    z = rng.normal(scale=2, size=(n_rows, n_outputs))
    y = {
        "squared_error": rng.normal(size=z.shape),
        "summed_squared_error": rng.normal(size=z.shape),
        "absolute_error": rng.normal(size=z.shape),
        "huber": rng.normal(size=z.shape),
        "quantile": rng.normal(size=z.shape),
        "gamma": rng.gamma(2.0, size=z.shape),
        "poisson": rng.poisson(1.0, size=z.shape).astype(float),
        "log_loss": rng.randint(n_outputs, size=n_rows),
        "binary_log_loss": rng.randint(2, size=z.shape).astype(float),
    }[loss]
    return z, y


def compute(loss, ops, z, y, weight=None, total=None, **options):
    """Compute value and derivative by `ops`, as arrays."""
    loss, native = make_loss(loss, **options), ops.from_numpy
    raw = native(z.copy())
    column = None if weight is None else native(weight[..., None])
    if total is None:
        total = float(z.shape[-2] if weight is None else weight.sum())
    batch = Batch(None, native(y), column, total, z.shape[-2])
    delta = ops.empty(raw.shape, raw)
    value = loss(ops, raw, batch, delta, loss.buffers(ops, raw))
    return np.asarray(value), np.asarray(delta)


def get_sklearn_value(loss, z, y, weight=None):
    """Get the value that scikit-learn's networks report for outputs `z`."""
    y = np.eye(z.shape[1])[y] if loss == "log_loss" else y
    return LOSS_FUNCTIONS[loss](y, LINKS[loss](z), weight)


def get_derivative(loss, z, y, weight=None):
    """Get the derivative for canonical links: prediction minus target, averaged."""
    y = np.eye(z.shape[1])[y] if loss == "log_loss" else y
    weight = np.ones(len(z)) if weight is None else weight
    return (LINKS[loss](z) - y) * weight[:, None] / weight.sum()


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("loss", LINKS)
@pytest.mark.parametrize("ops", OPS)
def test_value_and_derivative(ops, loss, n_outputs, weighted):
    z, y = make_outputs(loss, n_outputs=n_outputs)
    weight = np.random.RandomState(1).uniform(size=len(z)) if weighted else None
    value, delta = compute(loss, OPS[ops], z, y, weight)
    atol = 1e-14  # the log-loss of a single class is zero
    expected = get_sklearn_value(loss, z, y, weight)
    assert_allclose(value, expected, rtol=1e-13, atol=atol)
    assert_allclose(delta, get_derivative(loss, z, y, weight), rtol=1e-12, atol=atol)
    assert_allclose(make_loss(loss).value(z.copy(), y, weight), value, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("loss", ENTRIES)
@pytest.mark.parametrize("ops", OPS)
def test_value_and_derivative_by_autograd(ops, loss, n_outputs, weighted):
    z, y = make_outputs(loss, n_outputs=n_outputs)
    weight = np.random.RandomState(1).uniform(size=len(z)) if weighted else None
    value, delta = compute(loss, OPS[ops], z, y, weight)
    leaf = torch.from_numpy(z).requires_grad_()
    column = torch.ones(len(z), 1) if weight is None else torch.from_numpy(weight)
    column = column.view(-1, 1)
    entries = ENTRIES[loss](leaf, torch.from_numpy(y))
    expected = (column * entries).sum() / column.sum()
    (derivative,) = torch.autograd.grad(expected, leaf)
    n_averaged = 1 if loss in ("gamma", "summed_squared_error") else n_outputs
    assert_allclose(value, expected.item() / n_averaged, rtol=1e-13)
    assert_allclose(delta, derivative, rtol=1e-12)


@pytest.mark.parametrize("ops", OPS)
def test_cross_entropy_of_targets_between_zero_and_one(ops):
    z, _ = make_outputs("binary_log_loss")
    y = np.random.RandomState(2).uniform(size=z.shape)
    weight = np.random.RandomState(1).uniform(size=len(z))
    value, delta = compute("binary_log_loss", OPS[ops], z, y, weight)
    leaf, truth, w = (
        torch.from_numpy(z).requires_grad_(),
        *map(torch.tensor, (y, weight)),
    )
    entries = functional.binary_cross_entropy_with_logits(leaf, truth, reduction="none")
    expected = (w[:, None] * entries).sum() / w.sum()
    (derivative,) = torch.autograd.grad(expected, leaf)
    assert_allclose(value, expected.item(), rtol=1e-13)
    assert_allclose(delta, derivative, rtol=1e-12)


@pytest.mark.parametrize("ops", OPS)
def test_quantiles_have_a_level_each(ops):
    z, y = make_outputs("quantile")
    levels = [0.1, 0.5, 0.8]
    value, delta = compute("quantile", OPS[ops], z, y, levels=levels)
    columns = [
        mean_pinball_loss(y[:, k], z[:, k], alpha=level)
        for k, level in enumerate(levels)
    ]
    assert_allclose(value, np.mean(columns), rtol=1e-13)
    assert_allclose(delta, ((z > y) - np.array(levels)) / len(z), rtol=1e-13)


@pytest.mark.parametrize("ops", OPS)
@pytest.mark.parametrize("limit", [0.2, 3.0])
def test_huber_has_its_own_limit(ops, limit):
    z, y = make_outputs("huber")
    value, delta = compute("huber", OPS[ops], z, y, delta=limit)
    torch_loss = functional.huber_loss(*map(torch.from_numpy, (z, y)), delta=limit)
    assert_allclose(value, torch_loss.item(), rtol=1e-13)
    assert_allclose(delta, np.clip(z - y, -limit, limit) / len(z), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
@pytest.mark.parametrize("ops", OPS)
def test_sure_errors_cost_a_finite_value_and_keep_their_gradient(ops, loss, dtype):
    z = np.array([[1e3, -1e3], [-1e3, 1e3]], dtype)
    y = np.array([1, 1]) if loss == "log_loss" else np.array([[0, 1], [0, 1]], dtype)
    value, delta = compute(loss, OPS[ops], z, y)
    n_wrong = 1 if loss == "log_loss" else 2
    eps = np.finfo(dtype).eps
    assert_allclose(value, -np.log(eps) * n_wrong / 2, rtol=1e-5)
    assert_allclose(delta, [[0.5, -0.5], [0, 0]], atol=eps)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_a_weight_is_a_number_of_copies(ops, loss):
    z, y = make_outputs(loss)
    counts = np.array([0, 1, 2, 3, 0, 1, 1, 2])
    value, delta = compute(loss, OPS[ops], z, y, counts.astype(float))
    repeated = z.repeat(counts, axis=0), y.repeat(counts, axis=0)
    expected, expected_delta = compute(loss, OPS[ops], *repeated)
    assert_allclose(value, expected, rtol=1e-13)
    first = np.flatnonzero(np.diff(np.repeat(np.arange(8), counts), prepend=-1))
    sums = np.add.reduceat(expected_delta, first)
    assert_allclose(delta[counts > 0], sums, rtol=1e-12)
    assert not delta[counts == 0].any()


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_a_number_a_network(ops, loss, weighted):
    outputs = [make_outputs(loss, seed=seed) for seed in range(3)]
    z, y = (np.stack(part) for part in zip(*outputs, strict=True))
    weight, total = None, None
    if weighted:
        weight = np.random.RandomState(1).uniform(size=z.shape[:2])
        total = OPS[ops].from_numpy(weight.sum(1).reshape(-1, 1, 1))
    values, deltas = compute(loss, OPS[ops], z, y, weight, total)
    assert values.shape == (3,)
    for k in range(3):
        w = None if weight is None else weight[k]
        value, delta = compute(loss, OPS[ops], z[k], y[k], w)
        assert_allclose(values[k], value, rtol=1e-13)
        assert_allclose(deltas[k], delta, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("ops", OPS)
def test_poisson_loss_of_a_perfect_prediction_is_zero(ops):
    y = np.array([[1.0], [3.0], [0.5]])
    value, delta = compute("poisson", OPS[ops], np.log(y), y)
    assert_allclose(value, 0, atol=1e-15)
    assert_allclose(delta, 0, atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_outputs_stay_as_they_are(loss):
    z, y = make_outputs(loss)
    raw = torch.from_numpy(z.copy())
    make_loss(loss).value(raw.numpy(), y)
    assert_allclose(raw, z, rtol=0)


def test_unknown_names_are_errors():
    with pytest.raises(KeyError, match="hinge"):
        make_loss("hinge")
