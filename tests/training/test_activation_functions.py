"""Activations of the delta rule against the formulas they stand for, in place."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import expit

from sknn.training._activations import ACTIVATIONS

FUNCTIONS = {"relu": lambda z: z * (z > 0), "logistic": expit, "tanh": np.tanh}
# of the value
DERIVATIVES = {
    "relu": lambda a: a > 0,
    "logistic": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
}


def assert_close(actual, desired):
    atol = 50 * np.finfo(desired.dtype).eps * np.abs(desired).max()
    assert_allclose(actual, desired, rtol=0, atol=atol)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_work_in_place(name, array):
    z = torch.from_numpy(array.copy())
    ACTIVATIONS[name].write(z, z)
    assert_close(z, FUNCTIONS[name](array))


@pytest.mark.parametrize("value", [-1e4, -800.0, 0.0, 800.0, 1e4])
def test_logistic_never_overflows(dtype, value):
    z = torch.from_numpy(np.full((2, 2), value, dtype))
    ACTIVATIONS["logistic"].write(z, z)
    assert_allclose(z, np.full((2, 2), expit(value)), rtol=1e-6)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_work_in_place(name, array):
    delta = torch.from_numpy(array[..., ::-1].copy())
    a = expit(array) if name == "logistic" else np.tanh(array)
    a[..., 0] = 0
    tensor = torch.from_numpy(a.copy())
    ACTIVATIONS[name].differentiate(delta, tensor, tensor)
    assert_close(delta, array[..., ::-1] * DERIVATIVES[name](a))
