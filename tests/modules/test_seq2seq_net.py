"""The encoder-decoder transformer: torch's layers, brute force and symmetries."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sknn.modules import Seq2SeqNet
from sknn.modules._decoder_layer import DecoderLayer
from sknn.modules._steps import find_padding
from sknn.training._flat import FlatParameters
from sknn.training._sequence_initialization import initialize_sequence_net

N_SOURCE, N_TARGET = 7, 8
LENGTHS, N_STEPS = torch.tensor([5, 1, 7, 3]), 7
Y_LENGTHS, N_TARGET_STEPS = torch.tensor([2, 6, 1, 4]), 6
ENCODINGS = ["sinusoidal", "learned", "rotary", None]
CASES = [(encoding, first) for encoding in ENCODINGS for first in (True, False)]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64)


def make_net(**parameters):
    """Random parameters everywhere; the learned positions end before the sequences."""
    options = {"d_model": 8, "n_heads": 2, "max_length": 4, **parameters}
    net = Seq2SeqNet(N_SOURCE, N_TARGET, **options).double()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net


def draw_tokens(n_rows=4):
    x = torch.randint(0, N_SOURCE, (n_rows, N_STEPS))
    y = torch.randint(0, N_TARGET, (n_rows, N_TARGET_STEPS))
    return x, y


# Brute force: one sequence, from the formulas


def normalize(norm, x):
    if isinstance(norm, nn.Identity):
        return x
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return centred / (variance + norm.eps).sqrt() * norm.weight + norm.bias


def turn(x):
    """Rotation matrices on pairs of features of steps (steps, features of a head)."""
    turned, d = torch.zeros_like(x), x.shape[1]
    for t, row in enumerate(x):
        for i in range(0, d, 2):
            angle = torch.tensor(t / 10000 ** (i / d), dtype=x.dtype)
            c, s = angle.cos(), angle.sin()
            turned[t, i] = c * row[i] - s * row[i + 1]
            turned[t, i + 1] = s * row[i] + c * row[i + 1]
    return turned


def attend(query, key, value, n_heads, is_causal=False, rotates=False):
    """Mixtures of steps (steps, d_model), head by head and step by step."""
    size, mixed = query.shape[1] // n_heads, []
    for head in range(n_heads):
        part = slice(head * size, (head + 1) * size)
        q, k, v = query[:, part], key[:, part], value[:, part]
        if rotates:
            q, k = turn(q), turn(k)
        rows = []
        for t in range(len(q)):
            n_seen = t + 1 if is_causal else len(k)
            shares = (k[:n_seen] @ q[t] / math.sqrt(size)).exp()
            rows.append(shares / shares.sum() @ v[:n_seen])
        mixed.append(torch.stack(rows))
    return torch.cat(mixed, 1)


def embed(embedding, positions, encoding, tokens):
    d = embedding.weight.shape[1]
    vectors = embedding.weight[tokens] * math.sqrt(d)
    for t in range(len(tokens)):
        if encoding == "learned":
            table = positions.position_vectors
            vectors[t] = vectors[t] + table[min(t, len(table) - 1)]
        elif encoding == "sinusoidal":
            angles = [t / 10000 ** (i // 2 * 2 / d) for i in range(d)]
            angles = torch.tensor(angles, dtype=vectors.dtype)
            angles[::2], angles[1::2] = angles[::2].sin(), angles[1::2].cos()
            vectors[t] = vectors[t] + angles
    return vectors


def compose(net, encoding, x, y):
    """Raw outputs of one sequence pair without padding."""
    rotates, n_heads = encoding == "rotary", net.encoder_layers[0].attention.n_heads

    def look_at_itself(layer, z, is_causal):
        q, k, v = layer.attention.in_projection(z).chunk(3, -1)
        mixed = attend(q, k, v, n_heads, is_causal, rotates)
        return layer.attention.out_projection(mixed)

    def look_at_source(layer, z):
        cross = layer.cross_attention
        k, v = cross.memory_projection(memory).chunk(2, -1)
        return cross.out_projection(attend(cross.query_projection(z), k, v, n_heads))

    def add(layer, norm, part, z):
        if layer.norm_first:
            return z + part(normalize(norm, z))
        return normalize(norm, z + part(z))

    def run(layer, z, is_decoder):
        z = add(
            layer,
            layer.attention_norm,
            lambda z: look_at_itself(layer, z, is_decoder),
            z,
        )
        if is_decoder:
            z = add(layer, layer.cross_norm, lambda z: look_at_source(layer, z), z)
        inner = nn.Sequential(layer.expand, nn.ReLU(), layer.contract)
        return add(layer, layer.feedforward_norm, inner, z)

    memory = embed(net.source_embedding, net.source_positions, encoding, x)
    for layer in net.encoder_layers:
        memory = run(layer, memory, is_decoder=False)
    memory = normalize(net.encoder_norm, memory)
    z = embed(net.target_embedding, net.target_positions, encoding, y)
    for layer in net.decoder_layers:
        z = run(layer, z, is_decoder=True)
    return net.output(normalize(net.decoder_norm, z))


@pytest.mark.parametrize(("encoding", "norm_first"), CASES)
@torch.no_grad()
def test_forward_is_the_formulas(encoding, norm_first):
    net = make_net(positional_encoding=encoding, norm_first=norm_first)
    x, y = draw_tokens()
    actual = net(x, LENGTHS, y=y, y_lengths=Y_LENGTHS)
    expected = [
        compose(net, encoding, x[i, :n], y[i, :m])
        for i, (n, m) in enumerate(zip(LENGTHS, Y_LENGTHS, strict=True))
    ]
    # sums of tens of numbers of size one, in another order
    assert_close(actual, torch.cat(expected), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_decoder_layer_is_torchs(norm_first, activation):
    options = {"norm_first": norm_first, "activation": activation}
    layer = DecoderLayer(8, 2, 16, **options).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    other = nn.TransformerDecoderLayer(
        8, 2, 16, dropout=0.0, batch_first=True, dtype=torch.float64, **options
    )
    cross = layer.cross_attention
    pairs = [
        (layer.attention.out_projection, other.self_attn.out_proj),
        (cross.out_projection, other.multihead_attn.out_proj),
        (layer.expand, other.linear1),
        (layer.contract, other.linear2),
        (layer.attention_norm, other.norm1),
        (layer.cross_norm, other.norm2),
        (layer.feedforward_norm, other.norm3),
    ]
    for kind in ("weight", "bias"):
        for ours, theirs in pairs:
            getattr(theirs, kind).data.copy_(getattr(ours, kind).data)
        joined = [getattr(cross.query_projection, kind)]
        joined.append(getattr(cross.memory_projection, kind))
        name = f"in_proj_{kind}"
        getattr(other.multihead_attn, name).data.copy_(torch.cat(joined).data)
        ours = getattr(layer.attention.in_projection, kind)
        getattr(other.self_attn, name).data.copy_(ours.data)
    y, memory = draw(len(LENGTHS), N_TARGET_STEPS, 8), draw(len(LENGTHS), N_STEPS, 8)
    padding = find_padding(LENGTHS, N_STEPS)
    expected = other(
        y,
        memory,
        tgt_mask=torch.ones(N_TARGET_STEPS, N_TARGET_STEPS).triu(1).bool(),
        memory_key_padding_mask=padding,
    )
    assert_close(layer(y, memory, ~padding[:, None, None]), expected)


# Symmetries


@pytest.mark.parametrize(("encoding", "norm_first"), CASES)
def test_no_step_sees_the_ones_after_it(encoding, norm_first):
    net = make_net(positional_encoding=encoding, norm_first=norm_first)
    x, y = draw_tokens(1)
    vectors = []
    net.target_embedding.register_forward_hook(
        lambda _, args, out: vectors.append(out) or out.retain_grad()
    )
    outputs = net(x, y=y)
    for t in range(N_TARGET_STEPS):
        vectors[0].grad = None
        outputs[t].square().sum().backward(retain_graph=True)
        sizes = vectors[0].grad[0].abs().amax(1)
        assert (sizes[: t + 1] > 0).all()
        assert not sizes[t + 1 :].any()


@pytest.mark.parametrize(("encoding", "norm_first"), CASES)
def test_padding_is_invisible(encoding, norm_first):
    net = make_net(positional_encoding=encoding, norm_first=norm_first)
    x, y = draw_tokens()
    results = []
    for filling in (0, 3, 1000):  # 1000 is no token
        padded = x.masked_fill(find_padding(LENGTHS, N_STEPS), filling)
        y_padded = y.masked_fill(find_padding(Y_LENGTHS, N_TARGET_STEPS), filling)
        net.zero_grad()
        outputs = net(padded, LENGTHS, y=y_padded, y_lengths=Y_LENGTHS)
        outputs.square().sum().backward()
        weights = net.attention_weights(padded, LENGTHS, y_padded, Y_LENGTHS)
        gradients = [p.grad.clone() for p in net.parameters()]
        results.append([outputs, weights, *gradients])
    for first, *others in zip(*results, strict=True):
        assert torch.isfinite(first).all()
        assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize(("encoding", "norm_first"), CASES)
@torch.no_grad()
def test_sequences_do_not_see_each_other(encoding, norm_first):
    net = make_net(positional_encoding=encoding, norm_first=norm_first)
    x, y = draw_tokens()
    together = net(x, LENGTHS, y=y, y_lengths=Y_LENGTHS)
    alone = [
        net(x[i : i + 1, :n], y=y[i : i + 1, :m])
        for i, (n, m) in enumerate(zip(LENGTHS, Y_LENGTHS, strict=True))
    ]
    assert together.shape == (Y_LENGTHS.sum(), N_TARGET)
    assert_close(together, torch.cat(alone), rtol=0, atol=1e-12)
    full = net(x, y=y)
    assert_close(full.unflatten(0, (len(x), -1))[2], net(x[2:3], y=y[2:3]))


@pytest.mark.parametrize("encoding", ENCODINGS)
@torch.no_grad()
def test_only_positions_tell_the_order_of_the_source(encoding):
    net = make_net(positional_encoding=encoding)
    x, y = draw_tokens()
    x[:, 0], x[:, -1] = 1, 2  # no source is its own mirror image
    same = torch.allclose(net(x, y=y), net(x.flip(1), y=y), atol=1e-10)
    assert same == (encoding is None)


@pytest.mark.parametrize(
    ("encoding", "norm_first"), [("learned", True), ("rotary", False)]
)
def test_gradients_are_those_of_differences(encoding, norm_first):
    net = make_net(
        d_model=4,
        n_layers=1,
        dim_feedforward=3,
        positional_encoding=encoding,
        norm_first=norm_first,
        activation="tanh",
        max_length=2,
    )
    x, y = draw_tokens(2)
    inputs = {"y": y[:, :3], "y_lengths": torch.tensor([2, 3])}
    names = [name for name, _ in net.named_parameters()]

    def run(*values):
        parameters = dict(zip(names, values, strict=True))
        args = x[:, :3], torch.tensor([3, 1])
        return torch.func.functional_call(net, parameters, args, inputs)

    values = [p.detach().clone().requires_grad_() for p in net.parameters()]
    assert torch.autograd.gradcheck(run, values)


# What else the network offers


@pytest.mark.parametrize(("encoding", "norm_first"), CASES)
def test_attention_weights_are_those_of_every_layer(encoding, norm_first):
    options = {"positional_encoding": encoding, "norm_first": norm_first}
    net = make_net(n_layers=3, **options)
    x, y = draw_tokens()
    weights = net.attention_weights(x, LENGTHS, y, Y_LENGTHS)
    assert weights.shape == (len(x), 3, 2, N_TARGET_STEPS, N_STEPS)
    assert_close(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=weights.dtype))
    for of_row, length in zip(weights, LENGTHS, strict=True):
        assert (of_row[..., :length] > 0).all()
        assert not of_row[..., length:].any()
    seen = []
    for layer in net.decoder_layers:
        layer.cross_attention.register_forward_hook(
            lambda module, args, kwargs, out: seen.append((module, args[0], out)),
            with_kwargs=True,
        )
    net(x, LENGTHS, y=y, y_lengths=Y_LENGTHS)
    memory = net.encode(x, LENGTHS)
    for k, (module, z, out) in enumerate(seen):
        _, value = module.project_memory(memory)  # (batch, heads, source steps, 4)
        mixed = (weights[:, k] @ value).transpose(1, 2).flatten(2)
        assert_close(out, module.out_projection(mixed))
        mask = ~find_padding(LENGTHS, N_STEPS)[:, None, None]
        assert_close(weights[:, k], module.weights(z, memory, mask))


def test_dropout():
    net = make_net(dropout=0.4)
    x, y = draw_tokens()
    assert not torch.equal(net(x, y=y), net(x, y=y))
    assert not torch.equal(net.encode(x), net.encode(x))
    net.eval()
    assert torch.equal(net(x, y=y), net(x, y=y))
    net.train().set_dropout(0.0)
    assert torch.equal(net(x, y=y), net.eval()(x, y=y))


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


@pytest.mark.parametrize(("encoding", "norm_first"), CASES)
def test_meta_parameters_become_flat_ones(encoding, norm_first):
    state = torch.get_rng_state()
    net = Seq2SeqNet(
        N_SOURCE,
        N_TARGET,
        d_model=8,
        n_heads=2,
        positional_encoding=encoding,
        norm_first=norm_first,
        max_length=4,
        device="meta",
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.is_meta for p in net.parameters())
    flat = FlatParameters(net, torch.float64, torch.device("cpu"))
    flat.values.fill_(torch.nan)
    initialize_sequence_net(net, np.random.RandomState(0))
    assert torch.isfinite(flat.values).all()
    x, y = draw_tokens()
    before = net(x, LENGTHS, y=y, y_lengths=Y_LENGTHS)
    before.sum().backward()
    assert torch.isfinite(flat.gradient).all()
    with torch.no_grad():
        flat.values.mul_(0.5)
    after = net(x, LENGTHS, y=y, y_lengths=Y_LENGTHS)
    assert not torch.equal(after, before)


def test_keys_and_values_of_the_memory_start_as_layers_of_their_own():
    net = Seq2SeqNet(N_SOURCE, N_TARGET, d_model=60)
    initialize_sequence_net(net, np.random.RandomState(0))
    for layer in net.decoder_layers:
        bound = (6 / (60 + 60)) ** 0.5  # of Glorot and Bengio (2010)
        for block in layer.cross_attention.memory_projection.weight.detach().chunk(2):
            assert 0.98 * bound < block.abs().max() <= bound
    for embedding in (net.source_embedding, net.target_embedding):
        assert not embedding.weight[0].any()
        assert embedding.weight[1:].all()


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_copies_are_equal(clone, encoding):
    net = make_net(positional_encoding=encoding)
    x, y = draw_tokens()
    expected = net(x, LENGTHS, y=y)
    copied = clone(net)
    assert torch.equal(copied(x, LENGTHS, y=y), expected)
    assert (copied.begin, copied.end) == (N_TARGET - 2, N_TARGET - 1)
    other = make_net(positional_encoding=encoding)
    assert not torch.equal(other(x, LENGTHS, y=y), expected)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x, LENGTHS, y=y), expected)
