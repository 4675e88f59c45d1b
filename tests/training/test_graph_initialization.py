"""Initial weights of networks over graphs."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sknn.modules import GraphNet, NodeNet
from sknn.training._graph_initialization import initialize_graph_net
from sknn.training._initialization import WEIGHTS, initialize

CONVOLUTIONS = ("gcn", "sage", "gat", "gin")


def make_net(conv, name="glorot_uniform", seed=0, **parameters):
    options = {"hidden_layer_sizes": (60, 40), "n_heads": 4, **parameters}
    with torch.random.fork_rng():
        net = NodeNet(12, 3, conv=conv, **options).double()
    initialize_graph_net(net, np.random.RandomState(seed), name)
    return net


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_every_parameter_is_drawn_from_the_seed(conv):
    for parameters in ({}, {"n_nodes": 30}):
        nets = [make_net(conv, seed=seed, **parameters) for seed in (0, 0, 1)]
        states = [net.state_dict() for net in nets]
        assert_close(states[0], states[1], rtol=0, atol=0)
        drawn = [name for name, p in nets[0].named_parameters() if p.ndim > 1]
        for name, values in states[0].items():
            assert torch.equal(values, states[2][name]) != (name in drawn), name


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_linear_layers_are_drawn_as_everywhere(conv):
    net, other = make_net(conv, "he_normal"), make_net(conv, seed=1)
    initialize(other, np.random.RandomState(0), "he_normal")
    pairs = zip(net.modules(), other.modules(), strict=True)
    linear = [pair for pair in pairs if isinstance(pair[0], nn.Linear)]
    assert len(linear) == (6 if conv == "gin" else 3)
    for layer, expected in linear:
        assert torch.equal(layer.weight, expected.weight)
        assert layer.bias is None or not layer.bias.any()


def test_no_other_name_is_known():
    with pytest.raises(KeyError, match="auto"):
        make_net("gat", "auto")


def test_attention_vectors_are_layers_of_one_unit():
    draws = []
    for layer in make_net("gat").convolutions:
        width = layer.attention_vectors.shape[2]
        bound = (6 / (width + 1)) ** 0.5  # of Glorot's uniform distribution
        assert layer.attention_vectors.abs().max() <= bound
        draws.append(layer.attention_vectors.flatten() / bound)
    draws = torch.cat(draws)  # 200 numbers in [-1, 1]
    assert abs(draws.mean()) < 4 / (3 * 200) ** 0.5
    assert draws.abs().max() > 0.9


@pytest.mark.parametrize("name", WEIGHTS)
def test_attention_vectors_by_every_name(name):
    for layer in make_net("gat", name).convolutions:
        assert layer.attention_vectors.any(2).all()
        assert not layer.bias.any()


def test_own_features_of_gin_count_once_at_first():
    net = make_net("gin")
    net.output.epsilon.data.fill_(3)
    initialize_graph_net(net, np.random.RandomState(0))
    assert net.output.epsilon.item() == 0


def test_vectors_of_nodes_are_standard_normal():
    weight = make_net("gcn", n_nodes=200).embedding.weight
    n = weight.numel()  # 12,000: four standard deviations of mean and variance
    assert abs(weight.mean()) < 4 / n**0.5
    assert abs(weight.var() - 1) < 4 * (2 / n) ** 0.5


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_nothing_global_is_drawn_from(conv):
    with torch.random.fork_rng():
        net = GraphNet(5, 2, conv=conv, hidden_layer_sizes=(4,), device="cpu")
    state = torch.get_rng_state()
    initialize_graph_net(net, np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), state)
