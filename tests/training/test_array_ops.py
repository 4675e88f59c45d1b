"""Each operation against the formula it stands for, numpy's and torch's alike."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sknn.training import _array_ops
from sknn.training._array_ops import SAFE_EXPONENT, NumpyOps, TorchOps

OPS = {"numpy": NumpyOps, "torch": TorchOps}
ELEMENTWISE = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "exp": lambda a: np.exp(a),
    "log": lambda a: np.log(np.abs(a)),
    "one_minus": lambda a: 1 - a,
}


@pytest.fixture(params=OPS)
def ops(request):
    return OPS[request.param]


def assert_close(actual, desired):
    desired = np.asarray(desired)
    types = np.asarray(actual).dtype, desired.dtype  # a sum is a Python number
    eps = max(np.finfo(dtype).eps for dtype in types)
    atol = 50 * eps * np.abs(desired).max()
    assert_allclose(np.asarray(actual), desired, rtol=0, atol=atol)


def test_both_have_the_same_operations():
    names = [{n for n in vars(cls) if n[0] != "_"} for cls in OPS.values()]
    assert names[0] == names[1]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(ops, name, array):
    a = np.abs(array) if name == "log" else array
    b = array[..., ::-1] + 3
    inputs = [a, b] if ELEMENTWISE[name].__code__.co_argcount == 2 else [a]
    native = [ops.from_numpy(np.ascontiguousarray(part)) for part in inputs]
    out = ops.empty(a.shape, native[0])
    assert getattr(ops, name)(*native, out=out) is out
    assert_close(out, ELEMENTWISE[name](*inputs))
    assert out.dtype == native[0].dtype


@pytest.mark.parametrize("n_many", [0, 1 << 12])
def test_products(ops, array, n_many, monkeypatch):
    monkeypatch.setattr(_array_ops, "MANY_ENTRIES", n_many)
    b = np.random.RandomState(1).normal(size=(array.shape[-1], 6)).astype(array.dtype)
    b = np.broadcast_to(b, (*array.shape[:-2], *b.shape)).copy()
    bias = b[..., :1, :] + 1
    a, weight = ops.from_numpy(array), ops.from_numpy(b)
    out = ops.empty((*array.shape[:-1], 6), a)
    ops.matmul(a, weight, out=out)
    assert_close(out, array @ b)
    ops.affine(a, weight, ops.from_numpy(bias), out)
    assert_close(out, array @ b + bias)
    assert_close(ops.transpose(a), array.swapaxes(-1, -2))


def test_reductions(ops, array):
    a = ops.from_numpy(array.copy())
    b = ops.from_numpy(array + 1)
    axes = (-2, -1)
    assert_close(ops.sum(a), array.sum(axes))
    assert_close(ops.inner(a, b), (array * (array + 1)).sum(axes))
    if array.ndim == 2:
        assert isinstance(ops.sum(a), float)
        assert isinstance(ops.inner(a, b), float)
    assert_close(a, array)


def test_clip(ops, array):
    a = ops.from_numpy(array)
    out = ops.empty(array.shape, a)
    assert_close(ops.clip(a, -0.5, 0.25, out=out), np.clip(array, -0.5, 0.25))


@pytest.mark.parametrize("shape", [(7,), (2, 7)], ids=str)
def test_one_entry_a_row(ops, dtype, shape):
    random = np.random.RandomState(1)
    codes, array = random.randint(4, size=shape), random.normal(size=(*shape, 4))
    array = array.astype(dtype)
    a = ops.from_numpy(array.copy())
    positions = ops.from_numpy(codes) + ops.row_starts(a.shape, a)
    row = ops.empty((*shape, 1), a)
    assert ops.take(a, positions, out=row) is row
    assert_close(row, np.take_along_axis(array, codes[..., None], -1))
    hot = np.eye(4, dtype=dtype)[codes]
    ops.add_at(a, positions, -3)
    assert_close(a, array - 3 * hot)
    ops.add_at(a, positions, row[..., 0])
    assert_close(a, array - 3 * hot + array * hot)


def softmax_of(ops, array):
    """Softmax of each row by the exponents, which are returned as well."""
    a = ops.from_numpy(array.copy())
    row, out = ops.empty((*array.shape[:-1], 1), a), ops.empty(array.shape, a)
    exponents = ops.without_overflow(a, row, out=out)
    assert_array_equal(a, array)
    e = np.exp(np.asarray(exponents))
    return e / e.sum(-1, keepdims=True), exponents is a


def expected_softmax(array):
    e = np.exp(array - array.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("size", [0, 10, 29, 31, 89, 100, 200, 750, 1e4])
@pytest.mark.parametrize("signs", [(1, 1), (-1, -1), (1, 0), (-1, 0), (1, -1)])
def test_exponents_never_overflow(ops, array, size, signs):
    """Whether all rows are large, of one sign or both, or one beside small ones."""
    array[..., 0, :] = array[..., 0, :] / 10 + signs[0] * size
    array[..., 1:, :] = array[..., 1:, :] / 10 + signs[1] * size
    found, is_copied = softmax_of(ops, array)
    # the difference of two numbers of that size is rounded by as much as they are
    rtol = 50 * np.finfo(array.dtype).eps * max(size, 1)
    assert_allclose(found, expected_softmax(array), rtol=rtol)
    assert is_copied == (ops is NumpyOps and size < SAFE_EXPONENT)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_exponents_of_other_rows_stay_right(ops, dtype, value):
    array = np.array([[0, value, 1], [0, 2, -100]], dtype)
    with np.errstate(invalid="ignore"):
        found, _ = softmax_of(ops, array)
    # an exponential and a division, rounded a few times each
    rtol = 8 * np.finfo(dtype).eps
    assert_allclose(found[1], expected_softmax(array[1:])[0], rtol=rtol)
    if value != -np.inf:
        assert np.isnan(found[0]).any()


def test_constants(ops, dtype):
    like = ops.from_numpy(np.zeros(1, dtype))
    assert_close(ops.ones((2, 3), like), np.ones((2, 3), dtype))
    assert ops.epsilon(like) == np.finfo(dtype).eps
    assert ops.empty((2, 3), like).dtype == like.dtype


def test_xlogy_is_zero_at_zero(ops):
    a, b = np.array([0.0, 0.0, 2.0, 1.0]), np.array([0.0, 3.0, 5.0, 1.0])
    found = ops.xlogy(ops.from_numpy(a), ops.from_numpy(b))
    assert_close(found, [0, 0, 2 * np.log(5), 0])


@pytest.mark.parametrize("value", [-1e4, -800.0, 0.0, 800.0, 1e4])
def test_logistic_never_overflows(ops, dtype, value):
    z = ops.from_numpy(np.full((2, 2), value, dtype))
    assert_allclose(ops.logistic(z), np.full((2, 2), expit(value)), rtol=1e-6)


def test_native_shares_the_memory_of_a_parameter(ops):
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    native = ops.native(parameter)
    native[0, 0] = 7
    assert parameter[0, 0] == 7
    assert ops is NumpyOps or not native.requires_grad


def test_from_numpy_shares_memory(ops):
    array = np.zeros(3)
    ops.from_numpy(array)[0] = 7
    assert array[0] == 7
