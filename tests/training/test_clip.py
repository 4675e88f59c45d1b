"""Gradients cut to a norm, against torch's own function."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sknn.training._clip import clip_norm

SHAPES = [(4, 3), (3,), (3, 2), (2,)]


def make_gradients(seed=0, dtype=torch.float64):
    rng = np.random.RandomState(seed)
    return [torch.tensor(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]


def norm_of(gradients):
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("most", [1e-3, 0.5, 4.0, 100.0, 3])
def test_clip_equals_torch(most, dtype):
    gradients, twins = make_gradients(dtype=dtype), make_gradients(dtype=dtype)
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in twins]
    for parameter, gradient in zip(parameters, twins, strict=True):
        parameter.grad = gradient
    before = norm_of(gradients)
    scale = clip_norm(gradients, most)
    theirs = torch.nn.utils.clip_grad_norm_(parameters, most)
    assert float(theirs) == pytest.approx(before, rel=1e-6)
    assert scale == pytest.approx(min(1.0, most / before), rel=1e-6)
    for gradient, twin in zip(gradients, twins, strict=True):
        # torch divides by the norm plus 1e-6
        assert_close(gradient, twin, rtol=1e-5, atol=0)


@pytest.mark.parametrize("n_pieces", [1, 4])
def test_the_norm_is_the_bound_afterwards(n_pieces):
    gradients = make_gradients()[:n_pieces]
    clip_norm(gradients, 0.1)
    assert norm_of(gradients) == pytest.approx(0.1, rel=1e-14)


def test_a_bound_that_is_not_reached_changes_no_bit():
    gradients = make_gradients()
    assert clip_norm(gradients, norm_of(gradients) * (1 + 1e-12)) == 1.0
    for gradient, before in zip(gradients, make_gradients(), strict=True):
        assert torch.equal(gradient, before)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_is_left_alone(bad):
    gradients = make_gradients()
    gradients[2][0, 0] = bad
    before = [gradient.clone() for gradient in gradients]
    assert clip_norm(gradients, 0.1) == 1.0
    for gradient, expected in zip(gradients, before, strict=True):
        assert_close(gradient, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("n_pieces", [1, 3])
def test_single_precision_may_overflow_in_its_squares(n_pieces):
    gradients = [torch.full((4,), 1e30) for _ in range(n_pieces)]
    assert clip_norm(gradients, 2.0) == pytest.approx(1e-30 / math.sqrt(n_pieces))
    assert norm_of(gradients) == pytest.approx(2.0, rel=1e-6)


def test_zeros_stay():
    gradients = [torch.zeros(3)]
    assert clip_norm(gradients, 1e-9) == 1.0
    assert not gradients[0].any()
