"""The perceptron as a plain torch module."""

import copy
import pickle
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sknn.modules import MLP

ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}
SIZES = [[4, 2], [4, 3, 2], [4, 5, 3, 2], (6, 1, 1)]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def make_sequential(module, activation):
    """Make the same network of torch's own layers, sharing the parameters."""
    hidden = [(layer, ACTIVATIONS[activation]()) for layer in module.layers[:-1]]
    return nn.Sequential(*(m for pair in hidden for m in pair), module.layers[-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_forward_equals_layers_in_sequence(sizes, activation):
    module = MLP(sizes, activation)
    x = torch.randn(7, sizes[0])
    sequential = make_sequential(module, activation)
    assert_close(module(x), sequential(x))
    assert_close(module.hidden(x), sequential[:-1](x))
    assert module(x).shape == (7, sizes[-1])


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_layers_have_the_sizes_asked_for(sizes):
    module = MLP(sizes)
    found = [(layer.in_features, layer.out_features) for layer in module.layers]
    assert found == list(pairwise(sizes))
    assert all(layer.bias is not None for layer in module.layers)
    n_parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    assert sum(p.numel() for p in module.parameters()) == n_parameters


def test_hidden_of_a_single_layer_is_the_input():
    x = torch.randn(3, 4)
    assert MLP([4, 2]).hidden(x) is x


def test_inputs_of_any_leading_shape():
    module = MLP([4, 3, 2])
    x = torch.randn(2, 5, 4)
    assert_close(module(x), module(x.view(10, 4)).view(2, 5, 2))


def test_meta_parameters_take_no_memory_and_no_random_numbers():
    state = torch.get_rng_state()
    module = MLP([4, 3, 2], device="meta")
    assert all(p.is_meta for p in module.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_script_of_torch_can_train_it():
    module = MLP([2, 16, 1], "tanh")
    x = torch.rand(64, 2)
    y = (x[:, :1] * x[:, 1:]).detach()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    losses = []
    for _ in range(50):
        loss = nn.functional.mse_loss(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_are_equal(clone):
    module = MLP([4, 3, 2], "logistic")
    x = torch.randn(5, 4)
    assert torch.equal(clone(module)(x), module(x))


def test_unknown_activations_are_errors():
    with pytest.raises(KeyError, match="swish"):
        MLP([2, 1], "swish")
