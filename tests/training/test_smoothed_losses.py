"""Losses of smoothed labels against torch's functions, and at their limits."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn import functional

from sknn.data import Batch
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._log_losses import SmoothedBinaryLogLoss, SmoothedLogLoss
from sknn.training._losses import LOSSES, SMOOTHED_LOSSES, make_loss

OPS = {"numpy": NumpyOps, "torch": TorchOps}
RTOL = {np.float32: 2e-6, np.float64: 1e-13}


def make_outputs(loss, n_rows=8, n_outputs=4, seed=0, dtype=np.float64):
    rng = np.random.RandomState(seed)
    z = rng.normal(scale=2, size=(n_rows, n_outputs)).astype(dtype)
    if loss == "log_loss":
        return z, rng.randint(n_outputs, size=n_rows)
    return z, rng.randint(2, size=z.shape).astype(dtype)


def compute(loss, ops, z, y, weight=None, total=None):
    """Compute value and derivative by `ops`, as arrays."""
    raw, targets = ops.from_numpy(z.copy()), ops.from_numpy(y.copy())
    column = None if weight is None else ops.from_numpy(weight[..., None])
    if total is None:
        total = float(z.shape[-2] if weight is None else weight.sum())
    batch = Batch(None, targets, column, total, z.shape[-2])
    delta = ops.empty(raw.shape, raw)
    value = loss(ops, raw, batch, delta, loss.buffers(ops, raw))
    assert_array_equal(targets, y)
    return np.asarray(value), np.asarray(delta)


def compute_by_torch(loss, z, y, share, weight=None):
    """Compute torch's value and its derivative by autograd."""
    leaf, y = torch.from_numpy(z).requires_grad_(), torch.from_numpy(y)
    if loss == "log_loss":
        rows = functional.cross_entropy(
            leaf, y, reduction="none", label_smoothing=share
        )
    else:
        rows = functional.binary_cross_entropy_with_logits(
            leaf, (1 - share) * y + share / 2, reduction="none"
        ).sum(-1)
    weight = torch.ones(len(z)) if weight is None else torch.from_numpy(weight)
    value = (weight * rows).sum() / weight.sum()
    (derivative,) = torch.autograd.grad(value, leaf)
    return value.detach().numpy(), derivative.numpy()


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("n_outputs", [1, 4, 40])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.9])
@pytest.mark.parametrize("loss", SMOOTHED_LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_value_and_derivative(ops, loss, share, n_outputs, weighted, dtype):
    z, y = make_outputs(loss, n_outputs=n_outputs, dtype=dtype)
    weight = np.random.RandomState(1).uniform(size=len(z)) if weighted else None
    weight = weight if weight is None else weight.astype(dtype)
    value, delta = compute(make_loss(loss, share), OPS[ops], z, y, weight)
    expected, derivative = compute_by_torch(loss, z, y, share, weight)
    eps = np.finfo(dtype).eps
    assert delta.dtype == dtype
    assert_allclose(value, expected, rtol=RTOL[dtype], atol=2 * eps)
    assert_allclose(delta, derivative, rtol=RTOL[dtype], atol=2 * eps)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("loss", SMOOTHED_LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_a_number_a_network(ops, loss, weighted):
    outputs = [make_outputs(loss, seed=seed) for seed in range(3)]
    z, y = (np.stack(part) for part in zip(*outputs, strict=True))
    weight, total = None, None
    if weighted:
        weight = np.random.RandomState(1).uniform(size=z.shape[:2])
        total = OPS[ops].from_numpy(weight.sum(1).reshape(-1, 1, 1))
    smoothed = make_loss(loss, 0.2)
    values, deltas = compute(smoothed, OPS[ops], z, y, weight, total)
    assert values.shape == (3,)
    for k in range(3):
        w = None if weight is None else weight[k]
        value, delta = compute_by_torch(loss, z[k], y[k], 0.2, w)
        assert_allclose(values[k], value, rtol=1e-13)
        assert_allclose(deltas[k], delta, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("loss", SMOOTHED_LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_a_weight_is_a_number_of_copies(ops, loss):
    z, y = make_outputs(loss)
    counts = np.array([0, 1, 2, 3, 0, 1, 1, 2])
    smoothed = make_loss(loss, 0.3)
    value, delta = compute(smoothed, OPS[ops], z, y, counts.astype(float))
    repeated = z.repeat(counts, axis=0), y.repeat(counts, axis=0)
    assert_allclose(value, compute(smoothed, OPS[ops], *repeated)[0], rtol=1e-13)
    assert not delta[counts == 0].any()


@pytest.mark.parametrize("loss", SMOOTHED_LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_little_smoothing_is_next_to_none(ops, loss):
    z, y = make_outputs(loss)
    value, delta = compute(make_loss(loss, 1e-13), OPS[ops], z, y)
    expected, expected_delta = compute(make_loss(loss), OPS[ops], z, y)
    assert_allclose(value, expected, rtol=1e-11)
    assert_allclose(delta, expected_delta, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", SMOOTHED_LOSSES)
@pytest.mark.parametrize("ops", OPS)
def test_sure_outputs_cost_a_finite_value_and_keep_their_gradient(ops, loss, dtype):
    z = np.array([[1e3, -1e3], [-1e3, 1e3]], dtype)
    y = np.array([1, 1]) if loss == "log_loss" else np.array([[0, 1], [0, 1]], dtype)
    value, delta = compute(make_loss(loss, 0.2), OPS[ops], z, y)
    n_sums = 1 if loss == "log_loss" else 2
    eps = np.finfo(dtype).eps
    expected = -(0.9 + 0.1) * np.log(eps) * n_sums / 2  # a wrong row and a right one
    assert_allclose(value, expected, rtol=1e-5)
    assert_allclose(delta, [[0.45, -0.45], [-0.05, 0.05]], atol=2 * eps)


@pytest.mark.parametrize("loss", SMOOTHED_LOSSES)
def test_the_smallest_loss_is_that_of_the_smoothed_targets(loss):
    """Its derivative vanishes where the outputs' probabilities are these."""
    z, y = make_outputs(loss)
    share = 0.3
    if loss == "log_loss":
        z = np.log((1 - share) * np.eye(4)[y] + share / 4)
    else:
        target = (1 - share) * y + share / 2
        z = np.log(target / (1 - target))
    assert_allclose(compute(make_loss(loss, share), NumpyOps, z, y)[1], 0, atol=1e-15)


def test_losses_are_smoothed_where_asked_only():
    assert type(make_loss("log_loss", 0.1)) is SmoothedLogLoss
    assert type(make_loss("binary_log_loss", 0.1)) is SmoothedBinaryLogLoss
    for name in LOSSES:
        assert type(make_loss(name, 0.0)) is LOSSES[name]
    with pytest.raises(KeyError, match="squared_error"):
        make_loss("squared_error", 0.1)
