"""Initial weights against scikit-learn's own first draws."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.neural_network import MLPRegressor
from torch import nn

from sknn.modules import MLP, ConvNet
from sknn.training._initialization import WEIGHTS, glorot_uniform, initialize


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


# A variance estimated from 200,000 draws is off by 0.3 % (one standard deviation) where
# they are normal, and by less where they are uniform: 2 % is out of reach of chance.
FANS = 400, 500
VARIANCES = {
    "glorot_uniform": 2 / 900,
    "glorot_normal": 2 / 900,
    "he_uniform": 2 / 400,
    "he_normal": 2 / 400,
    "lecun_normal": 1 / 400,
    "sparse": 15 / 400,
    "normal": 1e-4,
    "orthogonal": 1 / 500,
}


def draw(name, fans=FANS, seed=0):
    module = MLP(fans, "relu")
    initialize(module, np.random.RandomState(seed), name)
    layer = module.layers[0]
    return layer.weight.detach().t().double().numpy(), layer.bias.detach().numpy()


@pytest.mark.parametrize("name", WEIGHTS)
def test_variances_are_those_of_the_papers(name):
    weight, bias = draw(name)
    assert weight.shape == FANS
    assert not bias.any()
    assert weight.var() == pytest.approx(VARIANCES[name], rel=0.02)
    assert abs(weight.mean()) < 6 * np.sqrt(VARIANCES[name] / weight.size)
    # of a uniform distribution 3 - 6/5, of a normal one 3; the sparse one is a mixture
    kurtosis = {"sparse": 3 * 400 / 15}.get(name, 1.8 if "uniform" in name else 3)
    found = np.mean(weight**4) / weight.var() ** 2
    assert found == pytest.approx(kurtosis, rel=0.05)


@pytest.mark.parametrize("fans", [(4, 9), (9, 4), (5, 5), (1, 3)])
def test_orthogonal_weights(fans):
    weight, _ = draw("orthogonal", fans)
    product = weight @ weight.T if fans[0] <= fans[1] else weight.T @ weight
    np.testing.assert_allclose(product, np.eye(min(fans)), atol=1e-6)


def test_orthogonal_weights_favour_no_direction():
    corners = [draw("orthogonal", (2, 2), seed)[0][0, 0] for seed in range(2000)]
    assert abs(np.mean(corners)) < 6 * np.sqrt(0.5 / 2000)


@pytest.mark.parametrize(("fan_in", "n_expected"), [(400, 15), (15, 15), (3, 3)])
def test_sparse_units_have_few_inputs(fan_in, n_expected):
    weight, _ = draw("sparse", (fan_in, 50))
    assert (np.count_nonzero(weight, axis=0) == n_expected).all()


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_seed_decides(name):
    np.testing.assert_array_equal(draw(name)[0], draw(name)[0])
    assert not np.array_equal(draw(name)[0], draw(name, seed=1)[0])


# A kernel of 3 x 4 over 100 channels has 1200 inputs, and an input goes into 180 of
# them 12 times. The bound on the variances is as above: 216,000 draws.
KERNEL = 100, 180, (3, 4)
KERNEL_VARIANCES = {
    "glorot_uniform": 2 / (1200 + 2160),
    "glorot_normal": 2 / (1200 + 2160),
    "he_uniform": 2 / 1200,
    "he_normal": 2 / 1200,
    "lecun_normal": 1 / 1200,
    "sparse": 15 / 1200,
    "normal": 1e-4,
    "orthogonal": 1 / 1200,
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_variances_of_convolutions(name):
    module = nn.Conv2d(*KERNEL)
    initialize(module, np.random.RandomState(0), name)
    weight, bias = get_arrays(module)
    assert not bias.any()
    assert weight.var() == pytest.approx(KERNEL_VARIANCES[name], rel=0.02)
    if name != "sparse":  # few of whose 18,000 draws a position are not zero
        per_position = weight.var((0, 1))
        assert per_position == pytest.approx(KERNEL_VARIANCES[name], rel=0.1)


@pytest.mark.parametrize("make", [nn.Conv1d, nn.Conv2d, nn.Conv3d])
@pytest.mark.parametrize("name", WEIGHTS)
def test_convolutions_are_matrices_of_units(make, name):
    module = make(5, 7, 3)
    initialize(module, np.random.RandomState(0), name)
    weight = module.weight.detach().flatten(1).double().numpy()
    if name == "orthogonal":
        np.testing.assert_allclose(weight @ weight.T, np.eye(7), atol=1e-6)
    elif not name.startswith("glorot"):  # whose fan_out counts the positions
        linear = nn.Linear(weight.shape[1], 7)
        initialize(linear, np.random.RandomState(0), name)
        assert_array_equal(get_arrays(linear)[0], weight.astype(np.float32))


def test_networks_of_convolutions_are_filled_in_their_order():
    shape, sizes = (8, 8, 3), [6, 2]
    net = ConvNet(shape, sizes, conv_channels=(4, 5), residual=True)
    initialize(net, np.random.RandomState(0), "he_normal")
    rng = np.random.RandomState(0)
    weights = [p for p in net.parameters() if p.ndim > 1]
    assert len(weights) == 2 * 3 + 2
    for weight in weights:
        units = weight.detach().flatten(1)
        deviation = np.sqrt(2 / units.shape[1])
        expected = rng.normal(0, deviation, units.shape[::-1]).T
        np.testing.assert_allclose(units, expected, rtol=1e-6)
    assert not net.head.layers[-1].bias.any()


def test_weights_may_lie_channels_last_in_memory():
    plain, other = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    other.to(memory_format=torch.channels_last)
    for module in (plain, other):
        initialize(module, np.random.RandomState(0), "he_normal")
    assert torch.equal(plain.weight, other.weight)
