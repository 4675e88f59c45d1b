"""Initial weights against scikit-learn's own first draws."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.neural_network import MLPRegressor
from torch import nn

from sknn.modules import MLP
from sknn.training._initialization import glorot_uniform


def get_arrays(module):
    return [p.detach().numpy() for p in module.parameters()]


def make_sklearn_start(sizes, activation, dtype, seed):
    """Make the coefficients that scikit-learn's networks start from."""
    mlp = MLPRegressor(sizes[1:-1], activation=activation)
    mlp._random_state = np.random.RandomState(seed)
    mlp.n_outputs_ = sizes[-1]
    mlp._initialize(np.zeros((1, sizes[-1])), sizes, dtype)
    return mlp


@pytest.mark.parametrize("sizes", [[4, 1], [4, 3, 2], [2, 7, 5, 6, 3]], ids=str)
@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_draws_are_those_of_scikit_learn(sizes, activation, dtype):
    module = MLP(sizes, activation).to(getattr(torch, np.dtype(dtype).name))
    rng = np.random.RandomState(3)
    glorot_uniform(module, rng, 2.0 if activation == "logistic" else 6.0)
    expected = make_sklearn_start(sizes, activation, dtype, 3)
    for k, layer in enumerate(module.layers):
        assert_array_equal(layer.weight.detach().numpy().T, expected.coefs_[k])
        assert_array_equal(layer.bias.detach().numpy(), expected.intercepts_[k])
    assert rng.uniform() == expected._random_state.uniform()


@pytest.mark.parametrize("factor", [2.0, 6.0])
def test_the_draws_fill_their_range(factor):
    module = nn.Linear(300, 100)
    glorot_uniform(module, np.random.RandomState(0), factor)
    bound = np.sqrt(factor / 400)
    for values in get_arrays(module):
        assert np.abs(values).max() <= bound
    weight, bias = get_arrays(module)
    assert np.abs(weight).max() > 0.999 * bound
    assert np.abs(bias).max() > 0.9 * bound
    # the mean of 30,000 draws has a deviation of bound / sqrt(3 * 30,000)
    assert abs(weight.mean()) < 4 * bound / 300


def test_global_random_states_stay():
    module = MLP([3, 2])
    torch_state, state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    glorot_uniform(module, np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_other_layers_are_left_alone():
    module = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Linear(2, 1))
    glorot_uniform(module, np.random.RandomState(0))
    assert_array_equal(module[1].weight.detach().numpy(), [1, 1])
    plain = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    glorot_uniform(plain, np.random.RandomState(0))
    assert_array_equal(get_arrays(module[2])[0], get_arrays(plain[1])[0])
