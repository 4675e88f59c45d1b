"""Generators and discriminators: ranges, classes, sizes of images."""

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from sknn.modules import make_discriminator, make_generator
from sknn.modules._gan import Range
from sknn.modules._gan_conv import LogitOfImage, MapsFromRow

IMAGES = [(8, 8, 1), (7, 5, 3), (1, 1, 1), (28, 28, 1), (3, 16, 2)]


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def test_range_scales_and_unscales():
    rows = torch.rand(50, 3, dtype=torch.float64) * torch.tensor([1e-3, 1.0, 1e6])
    scaling = Range(3).double()
    scaling.set_bounds(rows.amin(0), rows.amax(0))
    scaled = scaling.scale(rows)
    assert_close(scaled.amin(0), -torch.ones(3).double())
    assert_close(scaled.amax(0), torch.ones(3).double())
    assert_close(scaling.unscale(scaled), rows)


@pytest.mark.parametrize("width", [0.0, 1e-60])
def test_what_is_constant_stays_what_it_was(width):
    """Also where its width is none in the type of the buffers."""
    scaling, low = Range(1), torch.tensor([3.5], dtype=torch.float64)
    scaling.set_bounds(low, low + width)
    assert scaling.scale(torch.tensor([[3.5]])) == 0
    assert scaling.unscale(torch.tensor([[0.9]])) == 3.5


@pytest.mark.parametrize("image_shape", [None, (2, 3, 2)])
def test_generated_rows_stay_in_the_range(image_shape):
    net = make_generator(4, [8], 12, image_shape=image_shape)
    low, high = torch.arange(12.0) - 5, torch.arange(12.0)
    net.range.set_bounds(low, high)
    rows = net(100 * torch.randn(40, 4)).detach()
    assert rows.shape == (40, 12)
    assert (rows >= low - 1e-5).all() and (rows <= high + 1e-5).all()
    assert rows.std(0).min() > 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_rounding_leaves_the_range(dtype):
    low, width = torch.randn(2, 10_000, dtype=dtype)
    high, scaling = low + width.abs(), Range(10_000).to(dtype)
    scaling.set_bounds(low.double(), high.double())
    for end, bound in ((-1.0, low), (1.0, high)):
        rows = scaling.unscale(torch.full((1, 10_000), end, dtype=dtype))
        assert ((rows >= low) & (rows <= high)).all()
        assert_close(rows[0], bound)


@pytest.mark.parametrize("image_shape", [None, (2, 3, 2)])
def test_constant_features_are_zero_where_they_are_scaled(image_shape):
    net = make_generator(4, [8], 12, image_shape=image_shape)
    low = torch.zeros(12)
    net.range.set_bounds(low, torch.tensor([0.0, 1.0] * 6))
    made = net.make(torch.randn(5, 4))
    assert (made[:, ::2] == 0).all() and (made[:, 1::2] != 0).all()
    net.range.set_bounds(low, low + 1)
    assert (net.make(torch.randn(5, 4)) != 0).all()


@pytest.mark.parametrize("image_shape", [None, (2, 3, 2)])
def test_networks_speak_of_the_same_rows(image_shape):
    """A row in the data's units is judged as the scaled one is."""
    options = {"n_features": 12, "n_classes": 3, "image_shape": image_shape}
    generator = make_generator(4, [8], **options)
    discriminator = make_discriminator([8], **options)
    for net in (generator, discriminator):
        net.range.set_bounds(torch.arange(12.0) - 5, torch.arange(12.0) + 5)
    noise, codes = torch.randn(6, 4), torch.tensor([0, 1, 2, 2, 1, 0])
    condition = functional.one_hot(codes, 3).float()
    rows = generator(noise, codes)
    expected = discriminator.judge(generator.make(noise, condition), condition)
    assert_close(discriminator(rows, codes), expected, atol=1e-5, rtol=1e-5)
    others = discriminator(rows, (codes + 1) % 3)
    assert (others - expected).abs().min() > 1e-4  # the class matters


def test_codes_have_to_be_given_where_there_are_classes():
    net = make_generator(4, [8], 12, 3)
    with pytest.raises(ValueError, match="codes must be given to a network of 3"):
        net(torch.randn(2, 4))


@pytest.mark.parametrize("image_shape", IMAGES)
@pytest.mark.parametrize("channels", [[4], [6, 3], [5, 4, 3]])
def test_images_of_all_sizes(image_shape, channels):
    generator = MapsFromRow(5, image_shape, channels)
    rows = generator(torch.randn(2, 5))
    n_pixels = torch.Size(image_shape).numel()
    assert rows.shape == (2, n_pixels)
    judge = LogitOfImage(image_shape, channels[::-1], n_classes=2)
    assert judge(torch.cat([rows, torch.eye(2)], 1)).shape == (2, 1)


def test_maps_double_to_the_image():
    """Against the layers applied one by one to arrays channels first."""
    net = MapsFromRow(5, (6, 5, 2), [4, 3], "relu")
    assert net.shapes == [(2, 2, 4), (3, 3, 3), (6, 5, 2)]
    x = torch.randn(3, 5)
    first, second = (layer.body for layer in net.convolutions)
    maps = net.input(x).view(3, 2, 2, 4).permute(0, 3, 1, 2).contiguous().relu()
    maps = functional.interpolate(maps, (3, 3))
    maps = functional.conv2d(maps, first.weight, first.bias, padding=1).relu()
    maps = functional.interpolate(maps, (6, 5))
    maps = functional.conv2d(maps, second.weight, second.bias, padding=1)
    expected = maps.permute(0, 2, 3, 1).reshape(3, -1)
    assert_close(net(x), expected)


def test_a_class_shifts_the_first_maps_as_planes_would():
    """Away from the borders, where planes of ones meet zeros."""
    net = LogitOfImage((9, 9, 1), [4], n_classes=3, activation="identity")
    image, one_hot = torch.randn(1, 81), torch.eye(3)
    maps = [
        net.convolutions[0](image.view(1, 1, 9, 9))
        + net.shift(row[None])[:, :, None, None]
        for row in one_hot
    ]
    planes = torch.zeros(4, 4, 3, 3)
    planes[:, :1] = net.convolutions[0].weight.detach()
    for c in range(3):
        planes[:, 1 + c] = net.shift.weight[:, c, None, None].detach() / 9
    for c, found in enumerate(maps):
        stacked = torch.zeros(1, 4, 9, 9)
        stacked[:, 0], stacked[:, 1 + c] = image.view(1, 9, 9), 1
        bias = net.convolutions[0].bias
        expected = functional.conv2d(stacked, planes, bias, stride=2, padding=1)
        assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])


@pytest.mark.parametrize("make", [make_generator, make_discriminator])
@pytest.mark.parametrize("image_shape", [None, (2, 3, 2)])
def test_on_meta_nothing_is_drawn(make, image_shape):
    before = torch.random.get_rng_state()
    sizes = ([8],) if make is make_discriminator else (4, [8])
    net = make(*sizes, n_features=12, image_shape=image_shape, device="meta")
    assert all(p.is_meta for p in net.parameters())
    assert torch.equal(torch.random.get_rng_state(), before)
