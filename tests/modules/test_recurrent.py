"""Recurrent networks against torch's own layers and the textbook's equations."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from sknn.modules import RecurrentNet
from sknn.modules._recurrent_layer import CELLS, RecurrentLayer
from sknn.training._flat import FlatParameters
from sknn.training._sequence_initialization import initialize_sequence_net

TORCH = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
LENGTHS = torch.tensor([5, 1, 7, 3])
N_STEPS, N_CHANNELS = 7, 3
CASES = [
    (cell, bidirectional, pooling)
    for cell in CELLS
    for bidirectional in (False, True)
    for pooling in ("last", "mean", "max")
]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64)


def make_net(n_outputs=2, **parameters):
    return RecurrentNet(
        N_CHANNELS, n_outputs, **{"hidden_layer_sizes": (4, 3), **parameters}
    ).double()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def run_lstm(x, W, U, b, c):
    """States of section 10.10.1's cells, outputs gated tanh of the state."""
    n = len(U) // 4
    h, inner, states = np.zeros(n), np.zeros(n), []
    for step in x:
        z = W @ step + b + U @ h + c
        i, f, o = (sigmoid(z[k * n : (k + 1) * n]) for k in (0, 1, 3))
        inner = f * inner + i * np.tanh(z[2 * n : 3 * n])
        h = o * np.tanh(inner)
        states.append(h)
    return np.array(states)


def run_gru(x, W, U, b, c):
    """States of Cho et al. 2014, the reset gate on the product with the state."""
    n = len(U) // 3
    h, states = np.zeros(n), []
    for step in x:
        z, s = W @ step + b, U @ h + c
        reset, update = (
            sigmoid(z[k * n : (k + 1) * n] + s[k * n : (k + 1) * n]) for k in (0, 1)
        )
        new = np.tanh(z[2 * n :] + reset * s[2 * n :])
        h = (1 - update) * new + update * h
        states.append(h)
    return np.array(states)


def run_rnn(x, W, U, b, c):
    """States of equation 10.8 with tanh."""
    h, states = np.zeros(len(U)), []
    for step in x:
        h = np.tanh(W @ step + b + U @ h + c)
        states.append(h)
    return np.array(states)


EQUATIONS = {"lstm": run_lstm, "gru": run_gru, "rnn": run_rnn}


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_is_the_textbooks(cell):
    layer = RecurrentLayer(cell, N_CHANNELS, 4).double()
    x = draw(6, N_CHANNELS)
    weights = [p.detach().numpy() for p in layer.parameters()]
    expected = EQUATIONS[cell](x.numpy(), *weights)
    # 6 steps of float64, each of a few roundings
    assert_allclose(layer(x[None])[0].detach().numpy(), expected, atol=1e-13)


def copy_weights(net, other):
    """Let torch's layer have the weights of ours, direction by direction."""
    for k, block in enumerate(net.layers):
        for layer, suffix in ((block.ahead, ""), (block.back, "_reverse")):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                if layer is not None:
                    target = getattr(other, f"{name}_l{k}{suffix}")
                    target.data.copy_(getattr(layer, name))


def run_packed(net, cell, bidirectional, pooling, x, lengths):
    """What torch makes of packed sequences, pooled in Python."""
    other = TORCH[cell](N_CHANNELS, 4, 2, batch_first=True, bidirectional=bidirectional)
    copy_weights(net, other.double())
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    states, last = other(packed)
    states = pad_packed_sequence(states, batch_first=True)[0]
    if pooling == "last":
        last = (
            last[0] if cell == "lstm" else last
        )  # (layers * directions, batch, units)
        return torch.cat(list(last[-(1 + bidirectional) :]), -1)
    rows = [row[:n] for row, n in zip(states, lengths, strict=True)]
    if pooling == "mean":
        return torch.stack([row.mean(0) for row in rows])
    return torch.stack([row.amax(0) for row in rows])


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), CASES)
def test_padded_layers_are_torchs_packed_ones(cell, bidirectional, pooling):
    options = {"cell": cell, "bidirectional": bidirectional, "pooling": pooling}
    net = make_net(hidden_layer_sizes=(4, 4), **options)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    expected = run_packed(net, cell, bidirectional, pooling, x, LENGTHS)
    assert_close(net.hidden(x, LENGTHS), expected)
    assert_close(net(x, LENGTHS), net.output(expected))
    even = torch.full_like(LENGTHS, N_STEPS)
    whole = run_packed(net, cell, bidirectional, pooling, x, even)
    assert_close(net.hidden(x), whole)
    assert_close(net.hidden(x, even), whole)


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), CASES)
@pytest.mark.parametrize("filling", [7.0, 1e300, torch.nan])
def test_padding_is_invisible(cell, bidirectional, pooling, filling):
    net = make_net(cell=cell, bidirectional=bidirectional, pooling=pooling)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    results = []
    for value in (0.0, filling):
        padded = x.clone()
        for row, length in zip(padded, LENGTHS, strict=True):
            row[length:] = value
        net.zero_grad()
        outputs = net(padded, LENGTHS)
        outputs.square().sum().backward()
        results.append([outputs, *(p.grad.clone() for p in net.parameters())])
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), CASES)
def test_sequences_do_not_see_each_other(cell, bidirectional, pooling):
    net = make_net(cell=cell, bidirectional=bidirectional, pooling=pooling)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    together = net(x, LENGTHS)
    for row, length, expected in zip(x, LENGTHS, together, strict=True):
        assert_close(net(row[None, :length])[0], expected)
    order = torch.tensor([2, 0, 3, 1])
    assert_close(net(x[order], LENGTHS[order]), together[order])


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), CASES)
def test_gradients_are_those_of_differences(cell, bidirectional, pooling):
    options = {"cell": cell, "bidirectional": bidirectional, "pooling": pooling}
    net = make_net(hidden_layer_sizes=(2,), **options)
    lengths = torch.tensor([3, 1])
    names = [name for name, _ in net.named_parameters()]

    def run(x, *values):
        parameters = dict(zip(names, values, strict=True))
        return torch.func.functional_call(net, parameters, (x, lengths))

    values = [p.detach().clone().requires_grad_() for p in net.parameters()]
    x = draw(2, 3, N_CHANNELS).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *values))


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), CASES)
def test_twenty_sequences_are_learned_by_heart(cell, bidirectional, pooling):
    net = RecurrentNet(
        N_CHANNELS,
        2,
        hidden_layer_sizes=(24,),
        cell=cell,
        bidirectional=bidirectional,
        pooling=pooling,
    )
    initialize_sequence_net(net, np.random.RandomState(0))
    x, y = torch.randn(20, N_STEPS, N_CHANNELS), torch.arange(20) % 2
    lengths = torch.arange(20) % N_STEPS + 1
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x, lengths), y).backward()
        optimizer.step()
    assert (net(x, lengths).argmax(1) == y).all()


def test_tokens():
    net = RecurrentNet(None, 2, hidden_layer_sizes=(4,), n_tokens=6, embedding_dim=3)
    net, lengths = net.double(), torch.tensor([4, 2])
    x = torch.tensor([[1, 5, 0, 2], [3, 1, 0, 0]])
    outputs = net(x, lengths)
    outputs.sum().backward()
    used = net.embedding.weight.grad.abs().sum(1) > 0
    assert used.tolist() == [True, True, True, True, False, True]
    assert_close(net(x[1:, :2])[0], outputs[1])
    x[1, 2:] = 4  # in the padding
    assert torch.equal(net(x, lengths), outputs)


@pytest.mark.parametrize("cell", CELLS)
def test_dropout_between_layers_and_before_the_output(cell):
    net = make_net(cell=cell, dropout=[0.5, 0.3])
    assert [dropout.rate for dropout in net.dropouts] == [0.5, 0.3]
    x = draw(4, N_STEPS, N_CHANNELS)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))
    net.train().set_dropout(())
    assert torch.equal(net(x), net.eval()(x))
    with pytest.raises(ValueError, match="zip"):
        net.set_dropout([0.1])


@pytest.mark.parametrize("n_tokens", [None, 5])
def test_meta_parameters_take_no_memory_and_no_random_numbers(n_tokens):
    state = torch.get_rng_state()
    options = {"n_tokens": n_tokens, "embedding_dim": 3, "bidirectional": True}
    net = RecurrentNet(N_CHANNELS, 2, device="meta", **options)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.is_meta for p in net.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_parameters_in_one_flat_tensor_train(cell):
    net = RecurrentNet(N_CHANNELS, 2, cell=cell, bidirectional=True, device="meta")
    flat = FlatParameters(net, torch.float64, torch.device("cpu"))
    initialize_sequence_net(net, np.random.RandomState(0))
    net.scaling.set_scale(0.0, 1.0)
    x = draw(4, N_STEPS, N_CHANNELS)
    before = net(x, LENGTHS)
    before.sum().backward()
    with torch.no_grad():
        flat.values.sub_(0.1)
    assert not torch.equal(net(x, LENGTHS), before)
    assert flat.values.numel() == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_are_equal(clone):
    net = make_net(bidirectional=True)
    x = draw(4, N_STEPS, N_CHANNELS)
    assert torch.equal(clone(net)(x, LENGTHS), net(x, LENGTHS))


def test_representation_names_cell_and_sizes():
    assert "RecurrentLayer('gru', 3, 4)" in repr(make_net(cell="gru"))
