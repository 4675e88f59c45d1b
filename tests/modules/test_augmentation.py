"""Random crops and mirror images."""

import pytest
import torch
from torch.testing import assert_close

from sknn.modules import ConvNet
from sknn.modules._augmentation import Augmentation

SHAPES = [(6, 2), (4, 5, 3), (1, 7, 1)]


def make_augmentation(*parameters, seed=0):
    augmentation = Augmentation(*parameters)
    augmentation.generator = torch.Generator().manual_seed(seed)
    return augmentation


def make_rows(n, shape):
    """Make rows of entries that are all different, none of them zero."""
    return torch.arange(1.0, 1 + n * torch.Size(shape).numel()).view(n, *shape)


def crop(row, offsets, margin):
    """Move one row the plain way."""
    n_positions = row.dim() - 1
    padded = torch.nn.functional.pad(row, (0, 0, *[margin] * 2 * n_positions))
    for axis, offset in enumerate(offsets):
        padded = padded.narrow(axis, int(offset), row.shape[axis])
    return padded


def get_all_crops(row, margin, flip):
    grids = [torch.arange(2 * margin + 1)] * (row.dim() - 1)
    offsets = torch.cartesian_prod(*grids).view(-1, row.dim() - 1)
    crops = [crop(row, offset, margin) for offset in offsets]
    return torch.stack(crops + [c.flip(-2) for c in crops] * flip)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("margin", [0, 1, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_every_row_is_one_of_its_crops(shape, margin, flip):
    x = make_rows(30, shape)
    for before, after in zip(x, make_augmentation(margin, flip)(x), strict=True):
        candidates = get_all_crops(before, margin, flip)
        assert (candidates == after).flatten(1).all(1).any()


@pytest.mark.parametrize("flip", [False, True])
def test_crops_are_evenly_likely(flip):
    row = make_rows(1, (3, 4, 2))
    n_draws = 9000
    found = make_augmentation(1, flip)(row.expand(n_draws, -1, -1, -1))
    candidates = get_all_crops(row[0], 1, flip)
    counts = torch.stack([(found == c).flatten(1).all(1).sum() for c in candidates])
    assert len(counts) == (18 if flip else 9)
    assert counts.sum() == n_draws
    expected = n_draws / len(counts)
    assert ((counts - expected).abs() < 5 * expected**0.5).all()


def test_the_same_seed_mirrors_back():
    x = make_rows(20, (4, 5, 1))
    once = make_augmentation(0, True, seed=3)(x)
    twice = make_augmentation(0, True, seed=3)(once)
    assert torch.equal(twice, x)
    flipped = (once != x).flatten(1).any(1)
    assert 0 < flipped.sum() < 20
    assert torch.equal(once[flipped], x[flipped].flip(2))


def test_a_seed_decides():
    x = make_rows(20, (4, 5, 3))
    one, same, other = (make_augmentation(2, True, seed=s)(x) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_generator_leaves_the_global_state():
    state = torch.get_rng_state()
    make_augmentation(2, True)(make_rows(4, (4, 4, 1)))
    assert torch.equal(torch.get_rng_state(), state)
    with torch.random.fork_rng():
        Augmentation(2)(make_rows(4, (4, 4, 1)))
        assert not torch.equal(torch.get_rng_state(), state)


def test_evaluation_changes_nothing():
    x = make_rows(4, (4, 4, 1))
    assert make_augmentation(2, True).eval()(x) is x
    assert make_augmentation()(x) is x


def test_rows_need_not_be_contiguous():
    x = make_rows(8, (4, 5, 3))
    apart = x.repeat_interleave(2, -1)[..., ::2]
    for parameters in ((0, True), (1, False)):
        expected = make_augmentation(*parameters)(x)
        assert torch.equal(make_augmentation(*parameters)(apart), expected)


def test_repr():
    assert repr(Augmentation(2)) == "Augmentation(2, horizontal_flip=False)"


@pytest.mark.parametrize("shape", [(8, 2), (8, 8, 3)], ids=str)
def test_networks_augment_scaled_inputs_in_training(shape):
    flip = len(shape) == 3
    net = ConvNet(shape, [2], random_crop=2, horizontal_flip=flip, batch_norm=False)
    net.scaling.set_scale(7.0, 0.5)
    generator = net.augmentation.generator = torch.Generator().manual_seed(5)
    x = torch.randint(0, 255, (6, *shape), dtype=torch.int64)
    outputs = net(x)
    moved = make_augmentation(2, flip, seed=5)((x - 7.0) * 0.5)
    net.eval()
    assert_close(outputs, net(2 * moved + 7))
    state = generator.get_state()
    plain = ConvNet(shape, [2], batch_norm=False)
    plain.load_state_dict(net.state_dict())
    assert_close(net(x), plain(x))
    assert torch.equal(generator.get_state(), state)
