"""The penalty against autograd, and the soft threshold against its closed form."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch.testing import assert_close

from sknn.modules import MLP
from sknn.training._flat import FlatParameters
from sknn.training._initialization import glorot_uniform
from sknn.training._penalty import Penalty, soft_threshold

SIZES = [4, 5, 3]


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def flat(request):
    flat = FlatParameters(MLP(SIZES, device="meta"), request.param)
    glorot_uniform(flat.module, np.random.RandomState(0))
    generator = torch.Generator().manual_seed(0)
    flat.gradient.copy_(torch.randn(len(flat.values), generator=generator))
    return flat


def differentiate(flat, alpha, total):
    """Get the penalty and the flat gradient, what is there already included."""
    tensors = [p.detach().clone().requires_grad_() for p in flat.parameters]
    weights = [tensor for tensor in tensors if tensor.ndim == 2]
    value = alpha / (2 * total) * sum((w**2).sum() for w in weights)
    gradient = flat.gradient.clone()
    value.backward()
    added = [torch.zeros_like(t) if t.grad is None else t.grad for t in tensors]
    return value.item(), gradient + flat.join(added)


def penalize_each(penalty, flat, total):
    parameters = [p for p in flat.parameters if p.ndim == 2]
    weights = [p.detach() for p in parameters]
    return penalty(weights, [p.grad for p in parameters], total)


def penalize_flat(penalty, flat, total):
    return penalty.on(flat.weights, flat.weight_gradient)(total)


FORMS = {"each": penalize_each, "flat": penalize_flat}


@pytest.mark.parametrize("total", [1.0, 7, 0.25])
@pytest.mark.parametrize("alpha", [1e-4, 3, np.float64(0.5)])
@pytest.mark.parametrize("form", FORMS)
def test_value_and_gradient_equal_autograd(form, alpha, total, flat):
    expected, gradient = differentiate(flat, alpha, total)
    value = FORMS[form](Penalty(alpha), flat, total)
    assert float(value) == pytest.approx(
        expected, rel=1e-5 if is_single(flat) else 1e-13
    )
    assert_close(flat.gradient, gradient)


def is_single(flat):
    return flat.values.dtype == torch.float32


@pytest.mark.parametrize("form", FORMS)
def test_no_strength_changes_nothing(form, flat):
    before = flat.gradient.clone()
    assert FORMS[form](Penalty(0), flat, 3.0) == 0
    assert torch.equal(flat.gradient, before)


def test_the_bound_form_follows_values_and_totals(flat):
    penalize = Penalty(0.1).on(flat.weights, flat.weight_gradient)
    penalize(2.0)
    flat.values.mul_(2)
    for total in (2.0, 5.0):
        expected, gradient = differentiate(flat, 0.1, total)
        assert float(penalize(total)) == pytest.approx(expected, rel=1e-5)
        assert_close(flat.gradient, gradient)


def test_a_module_without_weights():
    empty = torch.zeros(0)
    assert Penalty(1.0).on(empty, torch.zeros(0))(3.0) == 0
    assert Penalty(1.0)([], [], 3.0) == 0


@pytest.mark.parametrize("l1_ratio", [0.25, 1.0])
@pytest.mark.parametrize("form", FORMS)
def test_the_l1_norm_is_in_the_value_and_not_in_the_gradient(form, l1_ratio, flat):
    alpha, total = 0.3, 7.0
    smooth, gradient = differentiate(flat, alpha * (1 - l1_ratio), total)
    norm = sum(float(p.detach().abs().sum()) for p in flat.parameters if p.ndim == 2)
    value = FORMS[form](Penalty(alpha, l1_ratio), flat, total)
    expected = smooth + alpha * l1_ratio / total * norm
    assert float(value) == pytest.approx(
        expected, rel=1e-5 if is_single(flat) else 1e-13
    )
    assert_close(flat.gradient, gradient)


def threshold_by_hand(weights, thresholds):
    shrunk = np.maximum(np.abs(weights) - thresholds, 0)
    return np.sign(weights) * shrunk


WEIGHTS = np.array([[-2.0, -0.11, -0.1], [-0.05, 0.0, 1e-12], [0.1, 0.1001, 3.0]])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("threshold", [0.0, 0.1, 5.0])
def test_soft_threshold_has_a_closed_form(threshold, dtype):
    weights = torch.tensor(WEIGHTS, dtype=dtype)
    expected = threshold_by_hand(weights.numpy(), weights.new_tensor(threshold).numpy())
    soft_threshold(weights, threshold)
    assert_close(weights, torch.from_numpy(expected))
    assert_array_equal(weights == 0, expected == 0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("eps", [1e-8, 0.3])
def test_each_weight_has_its_threshold(eps, transposed, dtype):
    squares = np.square(np.linspace(0, 2, 9)).reshape(3, 3)
    weights, roots = torch.tensor(WEIGHTS, dtype=dtype), np.sqrt(squares) + eps
    squares = torch.tensor(squares, dtype=dtype)
    expected = threshold_by_hand(WEIGHTS, np.minimum(0.1 / roots, 1.5))
    if transposed:
        weights, squares, expected = weights.t(), squares.t(), expected.T
    soft_threshold(weights, 0.1, squares, eps, most=1.5)
    assert_close(weights, torch.tensor(expected, dtype=dtype))
    assert_array_equal(weights == 0, expected == 0)


def test_squares_may_go_on_beyond_the_weights():
    weights, squares = torch.tensor([1.0, -1.0]), torch.tensor([4.0, 16.0, 1.0])
    soft_threshold(weights, 1.0, squares)
    assert weights.tolist() == [0.5, -0.75]
