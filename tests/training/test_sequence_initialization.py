"""Initial weights of networks over sequences, gate by gate."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sknn.modules import RecurrentNet, TransformerNet
from sknn.training._initialization import WEIGHTS
from sknn.training._sequence_initialization import initialize_sequence_net


def make_recurrent(cell="lstm", name="auto", seed=0, **parameters):
    options = {"hidden_layer_sizes": (30, 20), "bidirectional": True, **parameters}
    net = RecurrentNet(12, 3, cell=cell, **options).double()
    initialize_sequence_net(net, np.random.RandomState(seed), name)
    return net


def make_transformer(name="auto", seed=0, **parameters):
    options = {"d_model": 60, "n_heads": 2, "pooling": "cls", "max_length": 40}
    options |= {"positional_encoding": "learned"} | parameters
    net = TransformerNet(12, 3, **options).double()
    initialize_sequence_net(net, np.random.RandomState(seed), name)
    return net


def get_layers(net):
    blocks = [(block.ahead, block.back) for block in net.layers]
    return [layer for pair in blocks for layer in pair]


@pytest.mark.parametrize(("cell", "n_gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_weights_of_the_state_are_orthogonal(cell, n_gates):
    for layer in get_layers(make_recurrent(cell)):
        gates = layer.weight_hh.detach().chunk(n_gates)
        for gate in gates:
            assert_close(gate @ gate.T, torch.eye(layer.n_units, dtype=gate.dtype))
        for k, gate in enumerate(gates[1:]):
            assert not torch.equal(gate, gates[k])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_biases_are_zero_but_of_forget_gates(cell):
    for layer in get_layers(make_recurrent(cell)):
        n, expected = layer.n_units, torch.zeros_like(layer.bias_ih)
        if cell == "lstm":
            expected[n : 2 * n] = 1
        assert torch.equal(layer.bias_ih, expected)
        assert not layer.bias_hh.any()
    assert not make_recurrent(cell).output.bias.any()


def test_each_gate_is_a_layer_of_its_own():
    """Bounds of Glorot and Bengio: the root of 6 / (inputs + units), for a gate."""
    for layer in get_layers(make_recurrent("lstm")):
        bound = (6 / (layer.n_inputs + layer.n_units)) ** 0.5
        for gate in layer.weight_ih.detach().chunk(4):
            assert gate.abs().max() <= bound
            assert gate.abs().max() > 0.9 * bound


def test_queries_keys_and_values_are_layers_of_their_own():
    for layer in make_transformer().layers:
        bound = (6 / (60 + 60)) ** 0.5
        for block in layer.attention.in_projection.weight.detach().chunk(3):
            assert 0.98 * bound < block.abs().max() <= bound
        assert not layer.attention.in_projection.bias.any()
        bound = (6 / (60 + 240)) ** 0.5
        assert 0.98 * bound < layer.expand.weight.abs().max() <= bound


def test_normalization_starts_as_such_and_vectors_are_small():
    net = make_transformer()
    for layer in net.layers:
        for norm in (layer.attention_norm, layer.feedforward_norm):
            assert (norm.weight == 1).all() and not norm.bias.any()
    # the deviation of 2,400 draws is known to one part in 70, of 60 to one in 11
    assert net.positions.position_vectors.std().item() == pytest.approx(0.02, rel=0.06)
    assert net.class_vector.std().item() == pytest.approx(0.02, rel=0.4)


@pytest.mark.parametrize("make", [make_recurrent, make_transformer])
def test_vectors_of_tokens_have_variance_one(make):
    net = make(n_tokens=500, **{"embedding_dim": 60} if make is make_recurrent else {})
    vectors = net.embedding(torch.arange(500)).detach()
    assert not vectors[0].any()
    # 29,940 draws: the deviation is known to one part in 240
    assert vectors[1:].std().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("make", [make_recurrent, make_transformer])
@pytest.mark.parametrize("name", ["auto", *WEIGHTS])
def test_every_way_of_drawing(make, name):
    one, same, other = make(name=name), make(name=name), make(name=name, seed=1)
    for a, b in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(a, b) and torch.isfinite(a).all()
    assert not torch.equal(one.output.weight, other.output.weight)
    auto = make().output.weight
    assert torch.equal(one.output.weight, auto) == (name in ("auto", "glorot_uniform"))


def test_global_random_states_stay():
    net = RecurrentNet(3, 2, n_tokens=5, embedding_dim=2)
    torch_state, state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    initialize_sequence_net(net, np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
