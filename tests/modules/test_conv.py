"""Convolutional networks against formulas and layers of torch's own."""

import copy
import pickle

import numpy as np
import pytest
import torch
from scipy import signal
from torch import nn
from torch.testing import assert_close

from sknn.modules import ConvNet
from sknn.modules._activations import ACTIVATIONS
from sknn.modules._batch_norm import BatchNorm
from sknn.modules._channel_scaling import ChannelScaling
from sknn.modules._conv_block import (
    MONOTONE,
    ConvBlock,
    Convolution,
    NormalizedConvolution,
    Pooling,
    Residual,
)
from sknn.training._dropout import DropoutMasks, attach_masks
from sknn.training._flat import FlatParameters

SHAPES = {"series": (11, 2), "images": (9, 7, 3)}


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(params=SHAPES.values(), ids=SHAPES)
def shape(request):
    return request.param


def make_net(shape, layer_sizes=(4, 2), **parameters):
    parameters = {"conv_channels": (3, 5), **parameters}
    net = ConvNet(shape, layer_sizes, **parameters).double()
    for parameter in net.parameters():  # scales and shifts of normalization too
        nn.init.normal_(parameter, std=0.5)
    return net


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64)


def get_gradients(net):
    return [p.grad.clone() for p in net.parameters()]


# Convolutions


def correlate(x, weight, stride, padding):
    """Correlate (channels, h, w) with (channels out, channels in, kh, kw) by scipy."""
    size, kernel = np.array(x.shape[1:]), np.array(weight.shape[2:])
    missing = np.zeros(2, int)
    if padding == "same":
        missing = np.maximum((-(-size // stride) - 1) * stride + kernel - size, 0)
    around = [(0, 0), *((m // 2, m - m // 2) for m in missing)]
    x = np.pad(x, around)
    maps = [
        sum(signal.correlate(c, k, mode="valid") for c, k in zip(x, unit, strict=True))
        for unit in weight
    ]
    return np.array(maps)[:, ::stride, ::stride]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(
    ("size", "kernel"),
    [
        *(((1, 12), (1, length)) for length in (1, 3, 4, 12)),
        *(((8, 9), (length, length)) for length in (2, 3, 5)),
        ((5, 5), (5, 5)),
    ],
)
def test_convolution_is_scipys(size, kernel, stride, padding):
    layer = Convolution(3, 4, size, kernel, stride, padding).double()
    x = draw(2, 3, *size)
    found = layer(x).detach() - layer.bias.detach().view(-1, 1, 1)
    weight = layer.weight.detach().numpy()
    for row, maps in zip(x.numpy(), found, strict=True):
        assert_close(maps.numpy(), correlate(row, weight, stride, padding))
    assert found.shape[2:] == layer.out_size
    if padding == "same":
        assert layer.out_size == tuple(-(-length // stride) for length in size)


def test_one_step_as_numpy_says():
    net = ConvNet((6, 1), [1], conv_channels=(1,), batch_norm=False, pool_size=None)
    x = torch.randn(1, 6, 1)
    kernel = net.blocks[0].body.convolution.weight.detach().flatten()
    bias = net.blocks[0].body.convolution.bias.item()
    expected = np.convolve(x.flatten(), kernel.flip(0), mode="same") + bias
    found = net.feature_maps(x)[0].detach().flatten().numpy()
    assert_close(found, np.maximum(expected, 0).astype(np.float32))


@pytest.mark.parametrize("bias", [False, True])
def test_a_series_is_torchs_one_dimensional_convolution(bias):
    layer = Convolution(2, 4, (1, 9), (1, 3), bias=bias)
    theirs = nn.Conv1d(2, 4, 3, padding="same", bias=bias)
    theirs.weight.data = layer.weight.data.squeeze(2)
    if bias:
        theirs.bias.data = layer.bias.data
    x = torch.randn(5, 2, 9)
    assert_close(layer(x.unsqueeze(2)).squeeze(2), theirs(x))


# The whole network


def make_of_torchs_layers(net, dimensions):
    """Make the same network, channels first, of layers of torch's own."""
    conv, norm, pool = {
        1: (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d),
        2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
    }[dimensions]
    layers = []
    for block in net.blocks:
        ours = block.body.convolution
        layer = conv(ours.in_channels, ours.out_channels, 3, padding=1, bias=False)
        layer.weight.data = ours.weight.data.view_as(layer.weight)
        layers += [layer, norm(ours.out_channels), nn.ReLU(), pool(2)]
        layers[-3].weight.data = block.body.norm.weight.data
        layers[-3].bias.data = block.body.norm.bias.data
    first, last = net.head.layers
    normed = nn.BatchNorm1d(first.out_features)
    normed.weight.data = net.head.norms[0].weight.data
    normed.bias.data = net.head.norms[0].bias.data
    flatten = ChannelsLastFlatten()
    return nn.Sequential(*layers, flatten, first, normed, nn.ReLU(), last).double()


class ChannelsLastFlatten(nn.Module):
    def forward(self, x):
        return x.movedim(1, -1).flatten(1)


def test_the_network_is_one_of_torchs_layers(shape):
    net = make_net(shape)
    theirs = make_of_torchs_layers(net, len(shape) - 1)
    x = draw(6, *shape)
    assert_close(net(x), theirs(x.movedim(-1, 1)))
    assert_close(net.hidden(x), theirs[:-1](x.movedim(-1, 1)))
    assert net(x).shape == (6, 2)


@pytest.mark.parametrize("global_pooling", [None, "max", "mean"])
@pytest.mark.parametrize("layer_sizes", [[2], [4, 2]], ids=str)
def test_what_reaches_the_head(shape, global_pooling, layer_sizes):
    net = make_net(shape, layer_sizes, global_pooling=global_pooling).eval()
    x = draw(4, *shape)
    maps = net.feature_maps(x)[-1]
    over = tuple(range(1, maps.dim() - 1))
    features = {
        None: maps.flatten(1),
        "max": maps.amax(over),
        "mean": maps.mean(over),
    }[global_pooling]
    assert_close(net(x), net.head(features))
    assert_close(net.hidden(x), net.head.hidden(features))
    if len(layer_sizes) == 1:
        assert_close(net.hidden(x), features)


def test_feature_maps_are_channels_last(shape):
    maps = make_net(shape).feature_maps(draw(4, *shape))
    *size, _ = shape
    halves = [n // 2 for n in size]
    assert [m.shape for m in maps] == [
        (4, *halves, 3),
        (4, *(n // 2 for n in halves), 5),
    ]


def test_maps_stay_channels_last_in_memory(shape):
    net = make_net(shape, residual=True, stride=2)
    formats = []
    for layer in net.modules():
        if isinstance(layer, Convolution | ConvBlock):
            layer.register_forward_hook(
                lambda layer, inputs, x: formats.append(
                    x.is_contiguous(memory_format=torch.channels_last)
                )
            )
    net(draw(4, *shape))
    assert len(formats) == 2 * 4
    assert all(formats)


def test_without_blocks_a_perceptron_is_left(shape):
    net = make_net(shape, conv_channels=())
    x = draw(4, *shape)
    assert_close(net(x), net.head(x.flatten(1)))
    assert net.feature_maps(x) == []
    assert not make_net(shape, [2], conv_channels=()).has_batch_norm


@pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.bool, torch.float64])
def test_numbers_of_any_type(shape, dtype):
    net = ConvNet(shape, [3]).eval()
    net.scaling.set_scale(1.5, 0.25)
    x = torch.randint(0, 2, (4, *shape)).to(dtype)
    assert_close(net(x), net(x.float()))
    assert net(x).dtype == torch.float32


def test_bytes_are_numbers(shape):
    net = make_net(shape).eval()
    x = torch.randint(0, 256, (4, *shape), dtype=torch.uint8)
    assert_close(net(x), net(x.double()))


def test_a_moved_image_has_moved_maps():
    net = make_net((16, 16, 1), pool_size=None, global_pooling="max").eval()
    x = torch.zeros(1, 16, 16, 1, dtype=torch.float64)
    x[:, 5:9, 5:9] = draw(1, 4, 4, 1)
    moved = x.roll((2, 3), (1, 2))
    maps, of_moved = net.feature_maps(x)[-1], net.feature_maps(moved)[-1]
    inside = slice(4, 12)  # out of reach of the borders, before and after
    assert_close(of_moved[:, 6:14, 7:15], maps[:, inside, inside])
    assert maps[:, inside, inside].std() > 0.1


def test_a_moved_image_has_the_same_output_under_global_pooling():
    net = make_net((16, 16, 1), pool_size=None, batch_norm=False, global_pooling="max")
    with torch.no_grad():  # else the borders' zeros show in the maps
        for block in net.blocks:
            block.body.convolution.bias.zero_()
    x = torch.zeros(1, 16, 16, 1, dtype=torch.float64)
    x[:, 5:9, 5:9] = draw(1, 4, 4, 1)
    assert_close(net(x.roll((2, -1), (1, 2))), net(x))


@pytest.mark.parametrize("conv_channels", [(3, 5), ()], ids=str)
@pytest.mark.parametrize("layer_sizes", [(4, 2), (2,)], ids=str)
def test_hidden_parts_are_all_but_the_last_layer(shape, conv_channels, layer_sizes):
    net = make_net(shape, layer_sizes, conv_channels=conv_channels)
    layers = net.hidden_parts()
    assert len(layers) == len(conv_channels) + len(layer_sizes) - 1
    parts = [part for layer in layers for part in layer]
    assert parts[:1] == [net.scaling][: len(layers)]
    found = {id(p) for part in parts for p in part.parameters()}
    output = {id(p) for p in net.head.layers[-1].parameters()}
    assert found == {id(p) for p in net.parameters()} - output


# Weights of rows


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("global_pooling", [None, "mean"])
def test_weights_are_repetition(shape, residual, global_pooling):
    net = make_net(shape, residual=residual, global_pooling=global_pooling)
    other = copy.deepcopy(net)
    x, times = draw(6, *shape), torch.tensor([1, 2, 0, 3, 1, 1])
    target = draw(6, 2)
    weight = times[:, None].double()
    loss = (weight * (net(x, weight) - target) ** 2).sum()
    loss.backward()
    repeated = other(x.repeat_interleave(times, 0))
    other_loss = ((repeated - target.repeat_interleave(times, 0)) ** 2).sum()
    other_loss.backward()
    assert_close(loss, other_loss, rtol=1e-10, atol=1e-10)
    for one, two in zip(get_gradients(net), get_gradients(other), strict=True):
        assert_close(one, two, rtol=1e-10, atol=1e-10)
    for one, two in zip(net.buffers(), other.buffers(), strict=True):
        assert_close(one, two, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [(), (7,), (4, 5)], ids=str)
def test_both_ways_of_normalization_agree(size):
    one, other = BatchNorm(3).double(), BatchNorm(3).double()
    x = 3 * draw(6, 3, *size) + 2
    slope = draw(*x.shape)
    found = []
    for layer, weight in ((one, None), (other, torch.full((6, 1), 2.0).double())):
        nn.init.constant_(layer.weight, 1.5)
        inputs = x.clone().requires_grad_()
        outputs = layer(inputs, weight)
        outputs.backward(slope)
        found.append(
            (outputs, inputs.grad, layer.weight.grad, layer.bias.grad, *layer.buffers())
        )
    for native, composite in zip(*found, strict=True):
        assert_close(native, composite, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [(7,), (4, 5)], ids=str)
def test_normalization_of_maps_is_torchs(size):
    ours = BatchNorm(3).double()
    theirs = (nn.BatchNorm1d if len(size) == 1 else nn.BatchNorm2d)(3).double()
    x = 2 * draw(6, 3, *size) + 1
    assert_close(ours(x), theirs(x))
    over = (0, *range(2, x.dim()))
    assert_close(ours.running_mean, x.mean(over))
    assert_close(ours.running_var, x.var(over, correction=0))
    theirs.load_state_dict(ours.state_dict())
    assert_close(ours.eval()(x), theirs.eval()(x))


@pytest.mark.parametrize(
    ("x_shape", "is_enough"),
    [((1, 3), False), ((1, 3, 1, 1), False), ((2, 3, 1, 1), True), ((1, 3, 2), True)],
)
def test_one_value_has_no_spread(x_shape, is_enough):
    layer, x = BatchNorm(3), torch.randn(x_shape)
    by_running_ones = copy.deepcopy(layer).eval()(x)
    assert torch.equal(layer(x), by_running_ones) != is_enough
    assert layer.num_batches_tracked == is_enough


# Pooling


@pytest.mark.parametrize("activation", sorted(MONOTONE))
@pytest.mark.parametrize("residual", [False, True])
def test_pooling_may_come_before_the_activation(activation, residual):
    net = make_net((8, 8, 1), activation=activation, residual=residual)
    other = copy.deepcopy(net)
    x = draw(5, 8, 8, 1)
    for block in other.blocks:
        assert block.pools_first
        block.pools_first = False
    assert_close(net(x), other(x), rtol=0, atol=1e-12)
    for module in (net, other):
        module(x).square().sum().backward()
    for one, two in zip(get_gradients(net), get_gradients(other), strict=True):
        assert_close(one, two)


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - MONOTONE))
def test_pooling_comes_after_other_activations(activation):
    net = make_net((8, 8, 1), activation=activation, conv_channels=(3,)).eval()
    x = draw(5, 8, 8, 1)
    maps = net.blocks[0].body(x.permute(0, 3, 1, 2))
    expected = nn.functional.max_pool2d(ACTIVATIONS[activation]()(maps), 2)
    assert_close(net.feature_maps(x)[0], expected.movedim(1, -1))


@pytest.mark.parametrize("kind", ["max", "mean"])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_windows_are_clipped(kind, length):
    pooling = Pooling(kind, 3, (1, length))
    x = draw(4, 2, 1, length)
    kept = x[..., : max(length // 3, 1) * 3]
    windows = kept.unflatten(-1, (-1, min(3, length)))
    expected = windows.amax(-1) if kind == "max" else windows.mean(-1)
    assert_close(pooling(x), expected)
    assert pooling(x).shape[2:] == pooling.out_size


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_tables_of_few_columns(n_columns):
    net = ConvNet((n_columns, 1), [2], conv_channels=(4, 4, 4))
    assert net(torch.randn(5, n_columns, 1)).shape == (5, 2)


@pytest.mark.parametrize("pool_size", [1, None])
def test_no_pooling(shape, pool_size):
    maps = make_net(shape, pool_size=pool_size).feature_maps(draw(2, *shape))
    assert all(m.shape[1:-1] == shape[:-1] for m in maps)


# Residual blocks


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("n_out", [3, 5])
def test_residual_blocks_are_the_papers(n_out, stride, batch_norm):
    body = Residual(3, n_out, (7, 8), (3, 3), stride, batch_norm).double()
    body.activation = nn.ReLU()
    x = draw(6, 3, 7, 8)

    def normalized(part, x):
        x = part.convolution(x)
        return x if part.norm is None else part.norm(x)

    change = normalized(body.second, torch.relu(normalized(body.first, x)))
    has_shortcut = n_out != 3 or stride > 1
    assert (body.shortcut is not None) == has_shortcut
    if has_shortcut:
        x_there = x[:, :, ::stride, ::stride]
        weight = body.shortcut.convolution.weight[:, :, 0, 0]
        short = torch.einsum("oi,nihw->nohw", weight, x_there)
        short = body.shortcut.norm(short) if batch_norm else short
    assert_close(body(x), change + (short if has_shortcut else x))
    assert body(x).shape[2:] == body.out_size


def test_residual_networks_apply_the_activation_to_the_sum(shape):
    net = make_net(shape, residual=True, activation="tanh", pool_size=None).eval()
    x = draw(4, *shape)
    block = net.blocks[0]
    assert isinstance(block.body.activation, nn.Tanh)
    maps = x.unsqueeze(1) if len(shape) == 2 else x
    expected = torch.tanh(block.body(maps.permute(0, 3, 1, 2))).movedim(1, -1)
    found = net.feature_maps(x)[0]
    assert_close(found, expected.view_as(found))


# Gradients


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_gradients_are_those_of_differences(residual, pooling):
    net = make_net(
        (4, 4, 1),
        (2, 1),
        conv_channels=(2,),
        activation="tanh",
        residual=residual,
        pooling=pooling,
    )
    x, weight = draw(3, 4, 4, 1), torch.rand(3, 1).double()
    names, values = zip(*net.named_parameters(), strict=True)

    def evaluate(row_weight):
        def loss(*parameters):
            own = copy.deepcopy(dict(net.named_buffers()))  # running ones may move
            state = {**dict(zip(names, parameters, strict=True)), **own}
            return torch.func.functional_call(net, state, (x, row_weight))

        return loss

    for row_weight in (None, weight):
        assert torch.autograd.gradcheck(evaluate(row_weight), values)


def test_parameters_in_one_flat_tensor_train(shape):
    net = ConvNet(shape, [4, 2], residual=True, device="meta")
    flat = FlatParameters(net, torch.float64)
    flat.values.normal_(std=0.1)
    for layer in net.modules():
        if isinstance(layer, BatchNorm | ChannelScaling):
            layer.reset_parameters()
    plain = ConvNet(shape, [4, 2], residual=True).double()
    plain.load_state_dict(net.state_dict())
    x = draw(6, *shape)
    for module in (net, plain):
        module(x).square().sum().backward()
    assert flat.is_tied()
    assert flat.n_penalized == sum(p.numel() for p in net.parameters() if p.ndim > 1)
    for one, two in zip(get_gradients(net), get_gradients(plain), strict=True):
        assert_close(one, two)


# Dropout


def test_whole_channels_are_left_out(shape):
    net = make_net(shape, activation="identity", dropout=[0.5, 0.0, 0.0])
    maps = net.feature_maps(draw(50, *shape))[0]
    over = tuple(range(1, maps.dim() - 1))
    is_zero = maps == 0
    assert torch.equal(is_zero.all(over[0]), is_zero.any(over[0]))
    share = is_zero.double().mean()
    assert 0.3 < share < 0.7  # 150 channels: five standard deviations
    net.set_dropout([])
    assert not (net.feature_maps(draw(50, *shape))[0] == 0).any()


def test_what_is_kept_makes_up_for_what_is_not():
    block = ConvBlock(
        NormalizedConvolution(1, 8, (3, 3), (3, 3)), Pooling("max", 1, (3, 3))
    )
    x = torch.randn(40, 1, 3, 3)
    plain = block(x)
    block.dropout.rate = 0.75
    ratio = (block(x) / plain).detach()
    for factor in ratio.unique():
        assert min(abs(factor), abs(factor - 4)) < 1e-4


def test_masks_are_asked_for_in_the_order_of_the_rates(shape):
    rates = [0.1, 0.2, 0.3, 0.4]
    net = make_net(shape, (6, 7, 2), dropout=rates, residual=True)
    layers = [m for m in net.modules() if hasattr(m, "draw_mask")]
    assert [layer.rate for layer in layers] == rates
    asked = []

    def make_draw(k):
        def draw_mask(x):
            asked.append((k, tuple(x.shape)))
            return torch.ones_like(x)

        return draw_mask

    for k, layer in enumerate(layers):
        layer.draw_mask = make_draw(k)
    net(draw(5, *shape))
    assert asked == [(0, (5, 3)), (1, (5, 5)), (2, (5, 6)), (3, (5, 7))]
    net.eval()(draw(5, *shape))
    assert len(asked) == 4


def test_masks_decide(shape):
    rates = [0.5, 0.25, 0.5]
    net, x, found = make_net(shape, dropout=rates), draw(5, *shape), []
    for seed in (1, 1, 2):
        attach_masks(net, DropoutMasks(rates, [np.random.SeedSequence(seed)]))
        found.append(net(x))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_rate_for_each_layer():
    with pytest.raises(ValueError, match="zip"):
        make_net((8, 1), dropout=[0.5])


# Errors, copies, devices


@pytest.mark.parametrize(
    ("shape", "n_layers", "message"),
    [
        (
            (9, 1),
            2,
            r"kernel_size=4 must be at most the 3 steps that reach convol\w+ la",
        ),
        (
            (2, 1),
            1,
            r"kernel_size=4 must be at most the 2 steps that reach .* layer 1:",
        ),
        ((5, 1), 2, r"the one step that reaches convolutional layer 2: .* \(5, 1\)"),
        ((2, 9, 1), 1, r"at most the 2 rows that reach convolutional layer 1:"),
        ((30, 9, 1), 2, r"at most the 3 columns that reach convolutional layer 2:"),
    ],
    ids=str,
)
def test_kernels_must_fit(shape, n_layers, message):
    channels = (2,) * n_layers
    for device in ("cpu", "meta"):
        with pytest.raises(ValueError, match=message):
            ConvNet(
                shape,
                [1],
                conv_channels=channels,
                kernel_size=4,
                padding="valid",
                device=device,
            )
    ConvNet(shape, [1], conv_channels=channels, kernel_size=4)


def test_contradictions_are_errors():
    with pytest.raises(ValueError, match="padding must be 'same' with residual=True"):
        ConvNet((8, 8, 1), [1], residual=True, padding="valid")
    with pytest.raises(ValueError, match=r"horizontal_flip=True .* input_shape=\(8, 1"):
        ConvNet((8, 1), [1], horizontal_flip=True)
    with pytest.raises(KeyError, match="swish"):
        ConvNet((8, 1), [1], activation="swish")


@pytest.mark.parametrize("residual", [False, True])
def test_meta_parameters_take_no_memory_and_no_random_numbers(shape, residual):
    state = torch.get_rng_state()
    net = ConvNet(shape, [4, 2], residual=residual, device="meta")
    assert all(p.is_meta for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_biases_are_where_there_is_no_normalization(shape, batch_norm):
    net = ConvNet(shape, [4, 2], batch_norm=batch_norm, residual=True)
    bodies = [block.body for block in net.blocks]
    for body in bodies:
        assert (body.first.convolution.bias is None) == batch_norm
        assert (body.second.convolution.bias is None) == batch_norm
        assert body.shortcut.convolution.bias is None
    assert net.has_batch_norm == batch_norm


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_are_equal(shape, clone):
    net = make_net(shape, residual=True)
    net(draw(5, *shape))
    net.eval()
    x = draw(5, *shape)
    assert torch.equal(clone(net)(x), net(x))


def test_the_activation_may_change(shape):
    net = make_net(shape, residual=True)
    net.set_activation("gelu")
    assert net.activation_name == "gelu"
    other = make_net(shape, residual=True, activation="gelu")
    other.load_state_dict(net.state_dict())
    x = draw(5, *shape)
    assert_close(net.eval()(x), other.eval()(x))
