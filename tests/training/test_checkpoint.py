"""Packed networks: small, independent, and they go on where they stopped."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from sknn.modules import MLP
from sknn.training._checkpoint import (
    load_optimizer,
    pack,
    pack_optimizer,
    unpack,
    unpack_optimizer,
)
from sknn.training._flat import FlatParameters
from sknn.training._initialization import glorot_uniform
from sknn.training._updates import SGD, Adagrad, Adam, AdamW, RMSprop

OPTIMIZERS = [SGD, Adam, AdamW, Adagrad, RMSprop]
OPTIMIZERS += [torch.optim.SGD, torch.optim.Adam, torch.optim.Adagrad]
N_WEIGHTS = 4 * 5 + 5 * 3
OPTIONS = {
    SGD: {"momentum": 0.5},
    AdamW: {"weight_decay": 0.5, "n_weights": N_WEIGHTS},
    RMSprop: {"rho": 0.7},
    torch.optim.SGD: {"momentum": 0.9},
}
every_optimizer = pytest.mark.parametrize(
    "optimizer", OPTIMIZERS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}"
)
every_mode = pytest.mark.parametrize("is_flat", [True, False], ids=["flat", "plain"])


def make_flat(sizes=(4, 5, 3), dtype=torch.float64):
    flat = FlatParameters(MLP(sizes, device="meta"), dtype)
    glorot_uniform(flat.module, np.random.RandomState(0))
    return flat


def make_optimizer(flat, optimizer, is_flat):
    if not is_flat:
        flat.untie()
    owners = [flat.parameter] if is_flat else flat.parameters
    return optimizer(owners, lr=0.1, **OPTIONS.get(optimizer, {}))


def step(flat, optimizer, steps):
    """Make steps with gradients that depend on the values and the step."""
    for k in steps:
        for parameter in flat.parameters:
            gradient = torch.cos(parameter.detach() + k)
            if parameter.grad is None:
                parameter.grad = gradient
            else:
                parameter.grad.copy_(gradient)
        optimizer.step()


def get_values(flat):
    return flat.join([p.detach() for p in flat.parameters])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@every_mode
def test_unpacked_parameters_are_equal_and_tied(is_flat, dtype):
    flat = make_flat(dtype=dtype)
    make_optimizer(flat, Adam, is_flat)
    other = unpack(pack(flat, None))
    assert other.is_tied()
    assert torch.equal(other.values, get_values(flat))
    x = torch.ones(2, 4, dtype=dtype)
    assert torch.equal(other.module(x), flat.module(x))
    assert other.n_penalized == flat.n_penalized


@every_mode
def test_copies_are_independent(is_flat):
    flat = make_flat()
    optimizer = make_optimizer(flat, Adam, is_flat)
    step(flat, optimizer, range(2))
    packed = pack(flat, optimizer)
    values, state = get_values(flat), copy.deepcopy(packed["optimizer"]["state"])
    one, other = unpack(packed), unpack(packed)
    unpack_optimizer(one, packed["optimizer"])
    one.values.zero_()
    step(flat, optimizer, range(2))
    unpacked = unpack_optimizer(other, packed["optimizer"])
    assert torch.equal(other.values, values)
    step(other, unpacked, range(2))
    assert_array_equal(packed["values"], values)
    for name, array in packed["optimizer"]["state"].items():
        assert_array_equal(array, state[name])
    assert one.module is not flat.module
    assert all(p.is_meta for p in packed["module"].parameters())


@every_optimizer
@every_mode
def test_an_unpacked_optimizer_goes_on(optimizer, is_flat):
    flat = make_flat()
    original = make_optimizer(flat, optimizer, is_flat)
    step(flat, original, range(4))
    original.param_groups[0]["lr"] = 0.05
    packed = pickle.loads(pickle.dumps(pack(flat, original)))
    other = unpack(packed)
    copied = unpack_optimizer(other, packed["optimizer"])
    assert type(copied) is optimizer
    step(flat, original, range(4, 8))
    step(other, copied, range(4, 8))
    torch.testing.assert_close(other.values, get_values(flat), rtol=0, atol=1e-14)


@every_optimizer
@pytest.mark.parametrize("to_flat", [True, False], ids=["to_flat", "to_plain"])
def test_state_moves_between_flat_and_plain(optimizer, to_flat):
    flat, other = make_flat(), make_flat()
    original = make_optimizer(flat, optimizer, not to_flat)
    step(flat, original, range(4))
    packed = pack_optimizer(flat, original)
    other.values.copy_(get_values(flat))
    moved = make_optimizer(other, optimizer, to_flat)
    load_optimizer(other, packed, moved)
    step(flat, original, range(4, 8))
    step(other, moved, range(4, 8))
    difference = get_values(other) - get_values(flat)
    assert difference.abs().max() <= 1e-14


@pytest.mark.parametrize("is_flat", [True, False], ids=["flat", "plain"])
def test_the_values_are_written_once(is_flat):
    flat = make_flat((300, 200, 10))
    make_optimizer(flat, Adam, is_flat)
    flat.gradient.fill_(1.0)
    size = len(pickle.dumps(pack(flat, None)))
    assert size < 1.05 * flat.values.nbytes
    optimizer = make_optimizer(flat, Adam, is_flat)
    flat.tie()
    step(flat, optimizer, range(1))
    assert len(pickle.dumps(pack(flat, optimizer))) < 3.05 * flat.values.nbytes


def test_a_missing_device_falls_back_to_the_cpu():
    flat = make_flat()
    optimizer = make_optimizer(flat, Adam, True)
    step(flat, optimizer, range(2))
    packed = pack(flat, optimizer)
    packed["device"] = "cuda:99"
    other = unpack(packed)
    assert other.values.device.type == "cpu"
    assert torch.equal(other.values, flat.values)
    copied = unpack_optimizer(other, packed["optimizer"])
    step(flat, optimizer, range(2, 4))
    step(other, copied, range(2, 4))
    assert torch.equal(other.values, flat.values)


def test_read_only_arrays_are_no_obstacle():
    packed = pack(make_flat(), None)
    packed["values"].flags.writeable = False  # as from joblib's memory maps
    other = unpack(packed)
    other.values.zero_()
    assert packed["values"].any()


def test_buffers_and_shared_parameters_are_kept():
    module = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
    module[2].weight = module[0].weight
    module[1].running_mean.fill_(4.0)
    flat = FlatParameters(module, torch.float32)
    other = unpack(pack(flat, None))
    assert other.module[2].weight is other.module[0].weight
    assert other.module[1].running_mean.tolist() == [4, 4, 4]
    module[1].running_mean.zero_()
    assert other.module[1].running_mean.tolist() == [4, 4, 4]
    assert len(other.values) == len(flat.values) == 9 + 4 * 3


def test_frozen_parameters_stay_frozen():
    flat = make_flat()
    flat.module.layers[0].weight.requires_grad_(False)
    other = unpack(pack(flat, None))
    trained = [p.requires_grad for p in other.module.parameters()]
    assert trained == [False, True, True, True]


@every_mode
def test_an_optimizer_that_never_stepped(is_flat):
    flat = make_flat()
    packed = pack(flat, make_optimizer(flat, Adam, is_flat))
    other = unpack(packed)
    step(other, unpack_optimizer(other, packed["optimizer"]), range(1))
    assert torch.isfinite(other.values).all()
