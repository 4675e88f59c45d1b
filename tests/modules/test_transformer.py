"""Transformers against torch's own layers, brute force and symmetries."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.testing import assert_close

from sknn.modules import TransformerNet
from sknn.modules._attention import SelfAttention
from sknn.modules._encoder_layer import EncoderLayer
from sknn.modules._positions import (
    LearnedPositions,
    RotaryPositions,
    SinusoidalPositions,
)
from sknn.modules._steps import find_padding
from sknn.training._flat import FlatParameters
from sknn.training._sequence_initialization import initialize_sequence_net

LENGTHS = torch.tensor([5, 1, 7, 3])
N_STEPS, N_CHANNELS = 7, 3
ENCODINGS = ["sinusoidal", "learned", "rotary", None]
CASES = [
    (encoding, pooling, norm_first)
    for encoding in ENCODINGS
    for pooling in ("mean", "cls", "max")
    for norm_first in (True, False)
]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64)


def make_net(n_outputs=2, **parameters):
    options = {"d_model": 8, "n_heads": 2, "max_length": N_STEPS, **parameters}
    net = TransformerNet(N_CHANNELS, n_outputs, **options).double()
    for parameter in net.parameters():  # scales and shifts of normalization too
        nn.init.normal_(parameter, std=0.3)
    return net


# Attention


def attend_by_hand(layer, x, n_seen):
    """Each head's mixtures of one sequence, by loops and a softmax of numpy."""
    weight, bias = (p.detach().numpy() for p in layer.in_projection.parameters())
    query, key, value = np.split(x @ weight.T + bias, 3, axis=1)
    size = query.shape[1] // layer.n_heads
    shares, mixed = [], []
    for head in range(layer.n_heads):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ key[:n_seen, part].T / math.sqrt(size)
        share = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        shares.append(share)
        mixed.append(share @ value[:n_seen, part])
    weight, bias = (p.detach().numpy() for p in layer.out_projection.parameters())
    return np.array(shares), np.hstack(mixed) @ weight.T + bias


def test_attention_is_a_softmax_of_scalar_products():
    layer = SelfAttention(8, 2).double()
    x = draw(len(LENGTHS), N_STEPS, 8)
    mask = ~find_padding(LENGTHS, N_STEPS)[:, None, None]
    outputs, weights = layer(x, mask), layer.weights(x, mask)
    for i, n in enumerate(LENGTHS.tolist()):
        shares, expected = attend_by_hand(layer, x[i].numpy(), n)
        assert_allclose(outputs[i].detach().numpy(), expected, atol=1e-12)
        assert_allclose(weights[i, :, :, :n].detach().numpy(), shares, atol=1e-12)
        assert not weights[i, :, :, n:].any()
    assert_close(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=x.dtype))
    assert_close(layer(x), layer(x, torch.ones_like(mask)))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_an_encoder_layer_is_torchs(norm_first, activation):
    options = {"norm_first": norm_first, "activation": activation}
    layer = EncoderLayer(8, 2, 16, **options).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    other = nn.TransformerEncoderLayer(
        8, 2, 16, dropout=0.0, batch_first=True, dtype=torch.float64, **options
    )
    pairs = [
        (layer.attention.in_projection.weight, other.self_attn.in_proj_weight),
        (layer.attention.in_projection.bias, other.self_attn.in_proj_bias),
        *[
            (getattr(ours, kind), getattr(theirs, kind))
            for ours, theirs in (
                (layer.attention.out_projection, other.self_attn.out_proj),
                (layer.expand, other.linear1),
                (layer.contract, other.linear2),
                (layer.attention_norm, other.norm1),
                (layer.feedforward_norm, other.norm2),
            )
            for kind in ("weight", "bias")
        ],
    ]
    for ours, theirs in pairs:
        theirs.data.copy_(ours.data)
    x, padding = draw(len(LENGTHS), N_STEPS, 8), find_padding(LENGTHS, N_STEPS)
    expected = other(x, src_key_padding_mask=padding)
    actual = layer(x, ~padding[:, None, None])
    assert_close(actual[~padding], expected[~padding])


# Positions


def test_sinusoidal_positions_are_the_papers():
    for d_model in (6, 7):
        table = SinusoidalPositions()(torch.zeros(1, 50, d_model, dtype=torch.float64))
        for t in (0, 1, 49):
            for i in range(0, d_model, 2):
                angle = t / 10000 ** (i / d_model)
                assert table[0, t, i].item() == pytest.approx(
                    math.sin(angle), abs=1e-12
                )
                if i + 1 < d_model:
                    cosine = table[0, t, i + 1].item()
                    assert cosine == pytest.approx(math.cos(angle), abs=1e-12)


def test_rotary_scores_depend_on_the_distance_alone():
    rotary, n = RotaryPositions(), 12
    query, key = draw(1, 1, 1, 6), draw(1, 1, 1, 6)
    queries = rotary(query.expand(1, n, 1, 6))[0, :, 0]
    keys = rotary(key.expand(1, n, 1, 6))[0, :, 0]
    scores = queries @ keys.T
    for distance in range(-n + 1, n):
        diagonal = scores.diagonal(distance)
        assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert not torch.isclose(scores[0, 0], scores[0, 5])
    assert_close(queries.norm(dim=-1), query.norm().expand(n))


def test_computed_positions_serve_every_length_and_type():
    for positions, shape in (
        (SinusoidalPositions(), (6,)),
        (RotaryPositions(), (2, 6)),
    ):
        long = positions(torch.ones(1, 9, *shape, dtype=torch.float64))
        for n in (3, 9, 20):
            again = positions(torch.ones(1, n, *shape, dtype=torch.float64))
            assert torch.equal(again[:, : min(n, 9)], long[:, : min(n, 9)])
        assert positions(torch.ones(1, 4, *shape)).dtype == torch.float32


def test_positions_beyond_the_learned_ones_share_the_last():
    positions = LearnedPositions(4, 5)
    rows = positions(torch.zeros(1, 7, 5))[0]
    assert torch.equal(rows[:4], positions.position_vectors)
    for row in rows[4:]:
        assert torch.equal(row, rows[3])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_without_positions_sequences_are_sets(encoding, pooling):
    net = make_net(positional_encoding=encoding, pooling=pooling)
    x, order = draw(2, N_STEPS, N_CHANNELS), torch.tensor([3, 0, 6, 1, 5, 2, 4])
    same = torch.allclose(net(x), net(x[:, order]), atol=1e-10)
    assert same == (encoding is None)


# The network


@pytest.mark.parametrize(("encoding", "pooling", "norm_first"), CASES)
@pytest.mark.parametrize("filling", [7.0, 1e300, torch.nan])
def test_padding_is_invisible(encoding, pooling, norm_first, filling):
    options = {"pooling": pooling, "norm_first": norm_first}
    net = make_net(positional_encoding=encoding, **options)
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
        assert torch.isfinite(one).all()


@pytest.mark.parametrize(("encoding", "pooling", "norm_first"), CASES)
def test_sequences_do_not_see_each_other(encoding, pooling, norm_first):
    options = {"pooling": pooling, "norm_first": norm_first}
    net = make_net(positional_encoding=encoding, **options)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    together = net(x, LENGTHS)
    for row, length, expected in zip(x, LENGTHS, together, strict=True):
        assert_close(net(row[None, :length])[0], expected)
    order = torch.tensor([2, 0, 3, 1])
    assert_close(net(x[order], LENGTHS[order]), together[order])


@pytest.mark.parametrize(("encoding", "pooling", "norm_first"), CASES)
def test_gradients_are_those_of_differences(encoding, pooling, norm_first):
    net = make_net(
        d_model=4,
        n_layers=1,
        dim_feedforward=3,
        positional_encoding=encoding,
        pooling=pooling,
        norm_first=norm_first,
        activation="tanh",
    )
    lengths = torch.tensor([3, 1])
    names = [name for name, _ in net.named_parameters()]

    def run(x, *values):
        parameters = dict(zip(names, values, strict=True))
        return torch.func.functional_call(net, parameters, (x, lengths))

    values = [p.detach().clone().requires_grad_() for p in net.parameters()]
    x = draw(2, 3, N_CHANNELS).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *values))


@pytest.mark.parametrize(("encoding", "pooling", "norm_first"), CASES)
def test_twenty_sequences_are_learned_by_heart(encoding, pooling, norm_first):
    net = TransformerNet(
        N_CHANNELS,
        2,
        d_model=16,
        n_heads=2,
        positional_encoding=encoding,
        pooling=pooling,
        norm_first=norm_first,
        max_length=N_STEPS,
    )
    initialize_sequence_net(net, np.random.RandomState(0))
    x, y = torch.randn(20, N_STEPS, N_CHANNELS), torch.arange(20) % 2
    lengths = torch.arange(20) % N_STEPS + 1
    optimizer = torch.optim.Adam(net.parameters(), 0.005)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x, lengths), y).backward()
        optimizer.step()
    assert (net(x, lengths).argmax(1) == y).all()


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_pooling(pooling):
    net = make_net(pooling=pooling)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    steps, hidden = net.encode(x, LENGTHS), net.hidden(x, LENGTHS)
    for row, n, actual in zip(steps, LENGTHS, hidden, strict=True):
        expected = {"cls": row[0], "mean": row[:n].mean(0), "max": row[:n].amax(0)}
        assert_close(actual, expected[pooling])
    assert steps.shape[1] == N_STEPS + (pooling == "cls")
    assert_close(net(x, LENGTHS), net.output(hidden))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("norm_first", [True, False])
def test_attention_weights_are_those_of_every_layer(pooling, encoding, norm_first):
    options = {"pooling": pooling, "norm_first": norm_first}
    net = make_net(positional_encoding=encoding, n_layers=3, **options)
    x, front = draw(len(LENGTHS), N_STEPS, N_CHANNELS), pooling == "cls"
    weights, n = net.attention_weights(x, LENGTHS), N_STEPS + front
    assert weights.shape == (len(LENGTHS), 3, 2, n, n)
    assert_close(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=x.dtype))
    for of_row, length in zip(weights, LENGTHS, strict=True):
        assert (of_row[..., : length + front] > 0).all()
        assert not of_row[..., length + front :].any()
    inputs = []
    hooks = [
        layer.attention.register_forward_hook(
            lambda _, args, out: inputs.append(args[0])
        )
        for layer in net.layers
    ]
    net(x, LENGTHS)
    for hook in hooks:
        hook.remove()
    mask = ~find_padding(LENGTHS + front, n)[:, None, None]
    for k, (layer, seen) in enumerate(zip(net.layers, inputs, strict=True)):
        assert_close(weights[:, k], layer.attention.weights(seen, mask))


def test_tokens():
    net = TransformerNet(None, 2, d_model=4, n_heads=2, n_tokens=6).double()
    lengths = torch.tensor([4, 2])
    x = torch.tensor([[1, 5, 0, 2], [3, 1, 0, 0]])
    outputs = net(x, lengths)
    outputs.square().sum().backward()
    used = net.embedding.weight.grad.abs().sum(1) > 0
    assert used.tolist() == [True, True, True, True, False, True]
    x[1, 2:] = 4  # in the padding
    assert torch.equal(net(x, lengths), outputs)
    vectors = net.embedding(torch.tensor([[3]]))[0, 0]
    assert_close(vectors, net.embedding.weight[3] * 2)  # the root of d_model


def test_dropout():
    net = make_net(dropout=0.4)
    x = draw(2, N_STEPS, N_CHANNELS)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))
    net.train().set_dropout(0.0)
    assert torch.equal(net(x), net.eval()(x))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"d_model": 6, "n_heads": 4}, "d_model=6 must be divisible by n_heads=4"),
        ({"d_model": 6, "positional_encoding": "rotary"}, "even quotient"),
        ({"positional_encoding": "learned", "max_length": None}, "max_length"),
    ],
)
def test_sizes_that_do_not_fit(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_net(**parameters)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_meta_parameters_become_flat_ones(encoding):
    state = torch.get_rng_state()
    net = TransformerNet(
        N_CHANNELS,
        2,
        d_model=8,
        n_heads=2,
        positional_encoding=encoding,
        pooling="cls",
        max_length=4,
        device="meta",
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.is_meta for p in net.parameters())
    flat = FlatParameters(net, torch.float64, torch.device("cpu"))
    initialize_sequence_net(net, np.random.RandomState(0))
    net.scaling.set_scale(0.0, 1.0)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    before = net(x, LENGTHS)
    before.sum().backward()
    with torch.no_grad():
        flat.values.mul_(0.5)
    assert not torch.equal(net(x, LENGTHS), before)


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_copies_are_equal(clone, encoding):
    net = make_net(positional_encoding=encoding)
    x = draw(len(LENGTHS), N_STEPS, N_CHANNELS)
    expected = net(x, LENGTHS)
    assert torch.equal(clone(net)(x, LENGTHS), expected)
