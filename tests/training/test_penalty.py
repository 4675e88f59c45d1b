"""The L2 penalty against autograd."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sknn.modules import MLP
from sknn.training._flat import FlatParameters
from sknn.training._initialization import glorot_uniform
from sknn.training._penalty import Penalty

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
