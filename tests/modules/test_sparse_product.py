"""Sparse products against dense ones."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from message_matrices import draw_adjacency, make_messages
from numpy.testing import assert_allclose
from torch.testing import assert_close

from sknn.modules._sparse import own_rows, propagate, propagates_first

MATRICES = {
    "directed": draw_adjacency(9),
    "fewer receivers": draw_adjacency(9)[:4],
    "more receivers": draw_adjacency(9)[:, :5],
    "no entries": np.zeros((4, 3)),
    "no receivers": np.zeros((0, 3)),
}


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("n_columns", [1, 3, 16, 33])
def test_products_are_those_of_dense_matrices(matrix, dtype, n_columns):
    h = draw(matrix.shape[1], n_columns, dtype=dtype).requires_grad_()
    outputs = propagate(make_messages(matrix, dtype), h)
    delta = draw(*outputs.shape, seed=1, dtype=dtype)
    outputs.backward(delta)
    eps = torch.finfo(dtype).eps
    # each value is a sum of at most 9 products of numbers below 10
    options = {"rtol": 0, "atol": 9 * 10 * 2 * eps}
    assert_allclose(outputs.detach(), matrix @ h.detach().double().numpy(), **options)
    assert_allclose(h.grad, matrix.T @ delta.double().numpy(), **options)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_gradients_are_those_of_differences(matrix):
    messages = make_messages(matrix)
    h = draw(matrix.shape[1], 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda h: propagate(messages, h), (h,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_features_may_lie_anyhow_in_memory(dtype):
    messages = make_messages(draw_adjacency(9), dtype)
    h = draw(3, 9, dtype=dtype).requires_grad_()
    outputs = propagate(messages, h.t())
    assert_close(outputs, propagate(messages, h.t().contiguous()))
    outputs.sum().backward()  # a gradient of one number
    sums = torch.from_numpy(draw_adjacency(9).sum(0)).to(dtype)
    assert_close(h.grad, sums.expand(3, -1))


def test_nothing_is_kept_for_features_that_are_constant():
    messages = make_messages(draw_adjacency(9))
    assert propagate(messages, draw(9, 2)).grad_fn is None


def test_own_rows():
    matrix, h = draw_adjacency(9)[[4, 2]], draw(9, 3)
    assert own_rows(make_messages(matrix), h) is h
    assert torch.equal(own_rows(make_messages(matrix, own=[4, 2]), h), h[[4, 2]])


def test_the_order_of_products_follows_from_their_sizes():
    square = make_messages(draw_adjacency(60, density=0.9))
    x, h = torch.zeros(60, 64), torch.zeros(60, 64, requires_grad=True)
    assert propagates_first(square, x, 64)  # constant: nothing to do backwards
    assert not propagates_first(square, h, 32)
    assert propagates_first(square, h, 65)
    with torch.no_grad():
        assert not propagates_first(square, x, 63)
    few = make_messages(draw_adjacency(60)[:2])  # nearly no entries, and no rows
    assert propagates_first(few, h, 32)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_warning_of_sparse_matrices_reaches_users(dtype):
    code = f"""
import torch
from types import SimpleNamespace
from sknn.modules._sparse import propagate
a = torch.tensor([0, 1, 2])
m = SimpleNamespace(
    starts=a, sources=a[:2], weights=torch.ones(2, dtype=torch.{dtype}), shape=(2, 2)
)
m.backward = m
h = torch.ones(2, 2, dtype=torch.{dtype}, requires_grad=True)
propagate(m, h).sum().backward()
"""
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
