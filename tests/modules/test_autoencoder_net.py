"""Autoencoders as modules: against hand-written ones and torch's distributions."""

import copy
import pickle
from math import prod

import pytest
import torch
from numpy.testing import assert_allclose
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from sknn.modules import AutoencoderNet, VariationalNet
from sknn.modules._autoencoder import normal_divergence
from sknn.modules._conv_autoencoder import ConvDecoder, ConvEncoder
from sknn.modules._corruption import Corruption
from sknn.modules._levels import level_shapes


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def generator():
    return torch.Generator().manual_seed(1)


def test_tied_weights_are_the_encoders_transposed():
    net = AutoencoderNet(6, 2, (4,), tied_weights=True).double()
    encoder, decoder = net.encoder.layers, net.decoder.layers
    for own, source in zip(decoder, reversed(encoder), strict=True):
        assert torch.equal(own.weight, source.weight.t())
        assert own.weight.data_ptr() == source.weight.data_ptr()
    names = {name for name, _ in net.named_parameters()}
    assert names == {
        *(f"encoder.layers.{k}.{part}" for k in (0, 1) for part in ("weight", "bias")),
        *(f"decoder.layers.{k}.bias" for k in (0, 1)),
    }


def test_gradient_of_tied_weights_is_the_sum_over_both_uses():
    net = AutoencoderNet(6, 2, (4,), tied_weights=True).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    (net(x) - x).square().sum().backward()
    (first, second), own = net.encoder.layers, net.decoder.layers
    w1, w2 = (layer.weight.detach() for layer in (first, second))
    apart = [w.clone().requires_grad_() for w in (w1, w2, w2.t(), w1.t())]
    hidden = functional.relu(functional.linear(x, apart[0], first.bias))
    code = functional.linear(hidden, apart[1], second.bias)
    hidden = functional.relu(functional.linear(code, apart[2], own[0].bias))
    output = functional.linear(hidden, apart[3], own[1].bias)
    gradients = torch.autograd.grad((output - x).square().sum(), apart)
    assert_allclose(first.weight.grad, gradients[0] + gradients[3].t(), rtol=1e-12)
    assert_allclose(second.weight.grad, gradients[1] + gradients[2].t(), rtol=1e-12)


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_stay_tied_to_themselves(twin):
    net = AutoencoderNet(6, 2, (4,), tied_weights=True)
    other = twin(net)
    with torch.no_grad():
        other.encoder.layers[0].weight.zero_()
    assert not other.decoder.layers[-1].weight.any()
    assert net.decoder.layers[-1].weight.any()


def test_divergence_is_that_of_torch():
    mean, log_variance = 2 * torch.randn(2, 7, 3, dtype=torch.float64)
    q = Normal(mean, torch.exp(0.5 * log_variance))
    p = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = kl_divergence(q, p).sum(1)
    assert_allclose(normal_divergence(mean, log_variance), expected, rtol=1e-12)


def test_codes_are_drawn_from_the_distribution_that_is_encoded():
    """Mean and variance of 20,000 draws, within five standard errors."""
    net = VariationalNet(3, 2, (), beta=1.0).double()
    net.decoder = torch.nn.Module()
    net.decoder.forward = lambda code, row_weight: code  # what is decoded is seen
    net.noise.generator = generator()
    n_draws = 20_000
    x = torch.randn(1, 3, dtype=torch.float64).expand(n_draws, -1)
    with torch.no_grad():
        codes = net.train()(x)
        mean, log_variance = net.encode_distribution(x[:1])
    variance = log_variance.exp()
    error = (codes.mean(0) - mean[0]).abs()
    assert (error < 5 * (variance[0] / n_draws).sqrt()).all()
    error = (codes.var(0) / variance[0] - 1).abs()
    assert (error < 5 * (2 / n_draws) ** 0.5).all()
    assert torch.equal(net.eval()(x[:1]), mean)
    assert_allclose(net.row_penalty[:1], normal_divergence(mean, log_variance).detach())


def test_variances_are_bounded_and_small_ones_as_encoded():
    net = VariationalNet(3, 2, ()).double()
    x = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    bias = net.encoder.layers[0].bias
    for value, expected in ((-30.0, -30.0), (0.0, -0.126928), (1e6, 2.0)):
        with torch.no_grad():
            net.encoder.layers[0].weight.zero_()
            bias.copy_(torch.tensor([1.0, -1.0, value, value]))
        mean, log_variance = net.encode_distribution(x)
        assert_allclose(mean.detach(), [[1.0, -1.0]])
        assert_allclose(log_variance.detach(), [[expected] * 2], atol=1e-6)


def test_row_penalty_of_codes():
    net = AutoencoderNet(6, 2, (4,), activity_l1=0.3)
    x = torch.randn(5, 6)
    net.eval()(x)
    assert net.row_penalty is None
    net.train()(x)
    assert_allclose(
        net.row_penalty.detach(), 0.3 * net.encode(x).abs().sum(1).detach(), rtol=1e-6
    )
    plain = AutoencoderNet(6, 2, (4,)).train()
    plain(x)
    assert plain.row_penalty is None


SHAPES = [
    ((7, 5, 1), (3,)),
    ((7, 5, 3), (3, 4)),
    ((8, 8, 1), (2, 3, 4)),
    ((1, 1, 2), (3, 3)),
    ((9, 2), (3, 4)),
    ((5, 1), (2,)),
]


@pytest.mark.parametrize(("input_shape", "channels"), SHAPES, ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_convolutions_come_back_to_the_shape_of_the_rows(
    input_shape, channels, batch_norm
):
    n_features = prod(input_shape)
    options = {"input_shape": input_shape, "conv_channels": channels}
    net = AutoencoderNet(n_features, 2, (6,), batch_norm=batch_norm, **options)
    x = torch.randn(4, n_features)
    assert net.encode(x).shape == (4, 2)
    assert net(x).shape == net.decode(net.encode(x)).shape == x.shape
    sizes = [block.body.out_size for block in net.encoder.blocks]
    assert sizes == [shape[:2] for shape in net.encoder.shapes[1:]]
    assert net.decoder.shapes == net.encoder.shapes[::-1]


def test_levels_halve_and_round_up():
    assert level_shapes((7, 5, 3), (4, 8)) == [(7, 5, 3), (4, 3, 4), (2, 2, 8)]
    assert level_shapes((7, 3), (4, 8)) == [(1, 7, 3), (1, 4, 4), (1, 2, 8)]


def test_convolutional_encoder_and_decoder_by_torchs_functions():
    """Each pixel of a 4 x 4 image, two channels, one convolution down and one up."""
    net = AutoencoderNet(32, 3, (), input_shape=(4, 4, 2), conv_channels=(5,)).double()
    x = torch.randn(6, 32, dtype=torch.float64)
    maps = x.view(6, 4, 4, 2).permute(0, 3, 1, 2)
    down = net.encoder.blocks[0].body.convolution
    padded = functional.pad(maps, (0, 1, 0, 1))  # the odd zero comes last
    hidden = functional.conv2d(padded, down.weight, down.bias, stride=2).relu()
    flat = hidden.permute(0, 2, 3, 1).reshape(6, -1)
    code = functional.linear(flat, *net.encoder.head.parameters())
    assert_allclose(net.encode(x).detach(), code.detach(), rtol=1e-10, atol=1e-12)
    maps = functional.linear(code, *net.decoder.head.parameters()).relu()
    maps = maps.view(6, 2, 2, 5).permute(0, 3, 1, 2)
    up = net.decoder.last.body
    larger = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    out = functional.conv2d(larger, up.weight, up.bias, padding=1)
    out = out.permute(0, 2, 3, 1).reshape(6, -1)
    assert_allclose(net(x).detach(), out.detach(), rtol=1e-10, atol=1e-12)


def test_dropout_is_mirrored():
    net = AutoencoderNet(
        64, 2, (6, 5), input_shape=(8, 8, 1), conv_channels=(3, 4),
        dropout=(0.1, 0.2, 0.3, 0.4),
    )  # fmt: skip
    encoder, decoder = net.encoder, net.decoder
    assert [block.dropout.rate for block in encoder.blocks] == [0.1, 0.2]
    assert [dropout.rate for dropout in encoder.head.dropouts] == [0.3, 0.4]
    assert [dropout.rate for dropout in decoder.head.dropouts] == [0.4, 0.3]
    assert decoder.dropout.rate == 0.2
    assert [block.dropout.rate for block in decoder.blocks] == [0.1]
    net = AutoencoderNet(8, 2, (6, 5), dropout=(0.1, 0.2))
    assert [dropout.rate for dropout in net.decoder.dropouts] == [0.2, 0.1]


def test_gaussian_corruption():
    layer, x = Corruption(0.25, "gaussian"), torch.full((500, 40), 2.0)
    layer.generator = generator()
    noise = layer.train()(x) - x
    assert abs(noise.std() - 0.25) < 5 * 0.25 / (2 * noise.numel()) ** 0.5
    assert abs(noise.mean()) < 5 * 0.25 / noise.numel() ** 0.5
    assert torch.equal(layer.eval()(x), x)


def test_masking_corruption():
    layer, x = Corruption(0.3, "masking"), torch.rand(500, 40) + 1
    layer.generator = generator()
    changed = layer.train()(x)
    is_kept = changed == x
    assert not changed[~is_kept].any()
    share = 1 - is_kept.float().mean()
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / x.numel()) ** 0.5
    assert torch.equal(layer.eval()(x), x)


def test_draws_come_from_the_generator_that_is_given():
    state = torch.get_rng_state()
    for kind in ("gaussian", "masking"):
        layer, x = Corruption(0.5, kind).train(), torch.ones(4, 5)
        outputs = []
        for _ in range(2):
            layer.generator = generator()
            outputs.append(layer(x))
        assert torch.equal(*outputs)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("Half", [ConvEncoder, ConvDecoder])
def test_halves_on_the_meta_device_draw_nothing(Half):
    state = torch.get_rng_state()
    half = Half((6, 6, 1), (3, 2), (4,), device="meta")
    assert all(parameter.is_meta for parameter in half.parameters())
    assert torch.equal(torch.get_rng_state(), state)
