"""One flat tensor: what it holds, in which order, and when views come loose."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sknn.modules import MLP
from sknn.training._flat import FlatParameters


class Shared(nn.Module):
    """Two layers that share their parameters, beside an embedding and a norm."""

    def __init__(self, device=None):
        super().__init__()
        self.first = nn.Linear(3, 3, device=device)
        self.second = nn.Linear(3, 3, device=device)
        self.second.weight = self.first.weight
        self.twice = nn.ModuleList([self.first, self.first])
        self.table = nn.Embedding(4, 3, device=device)
        self.norm = nn.LayerNorm(3, device=device)

    def forward(self, codes):
        return self.second(self.twice[1](self.norm(self.table(codes))))


def make_flat(module=None, dtype=torch.float64):
    torch.manual_seed(0)
    return FlatParameters(module or MLP([4, 3, 2]), dtype)


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        yield


@pytest.fixture
def flat():
    return make_flat()


def get_values(flat):
    return [p.detach().clone() for p in flat.parameters]


def test_weights_come_first_and_as_fan_in_by_fan_out(flat):
    layers = flat.module.layers
    expected = [layer.weight.t().reshape(-1) for layer in layers]
    expected += [layer.bias for layer in layers]
    assert_close(flat.values, torch.cat(expected).detach())
    assert flat.n_penalized == 4 * 3 + 3 * 2
    assert_close(flat.weights, torch.cat(expected[:2]).detach())
    assert len(flat.weight_gradient) == flat.n_penalized


def test_parameters_are_views_both_ways(flat):
    weight = flat.module.layers[0].weight
    flat.values[1] = 7.0
    assert weight[1, 0] == 7.0
    with torch.no_grad():
        weight[2, 3] = 9.0
    assert flat.values[3 * 3 + 2] == 9.0
    weight.grad[0, 1] = 5.0
    assert flat.gradient[3] == 5.0
    assert flat.is_tied()


def test_values_of_a_module_are_kept():
    torch.manual_seed(0)
    module = MLP([4, 3, 2])
    before = [p.detach().clone() for p in module.parameters()]
    FlatParameters(module, torch.float64)
    for parameter, value in zip(module.parameters(), before, strict=True):
        assert_close(parameter.detach(), value.double())


def test_autograd_writes_into_the_flat_gradient(flat):
    flat.module(torch.ones(5, 4, dtype=torch.float64)).square().sum().backward()
    plain = MLP([4, 3, 2]).double()
    plain.load_state_dict(flat.module.state_dict())
    plain(torch.ones(5, 4, dtype=torch.float64)).square().sum().backward()
    expected = {n: p.grad for n, p in plain.named_parameters()}
    for name, parameter in flat.module.named_parameters():
        assert_close(parameter.grad, expected[name])
    assert_close(flat.gradient, flat.join([p.grad for p in flat.parameters]))
    assert flat.gradient.any()


LOOSENERS = {
    "double": lambda module: module.double(),
    "float": lambda module: module.float(),
    "zero_grad": lambda module: module.zero_grad(set_to_none=True),
    "replaced_data": lambda module: [
        setattr(p, "data", p.data.clone()) for p in module.parameters()
    ],
    "replaced_grad": lambda module: [
        setattr(p, "grad", p.grad.clone()) for p in module.parameters()
    ],
    "one_gradient": lambda module: setattr(module.layers[0].bias, "grad", None),
    "one_value": lambda module: setattr(
        module.layers[1].weight, "data", module.layers[1].weight.data.clone()
    ),
    "assign": lambda module: module.load_state_dict(
        {k: v.clone() for k, v in module.state_dict().items()}, assign=True
    ),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loosen", LOOSENERS)
def test_tie_mends_what_came_loose(loosen, dtype):
    flat = make_flat(dtype=dtype)
    before = get_values(flat)
    address = flat.values.data_ptr()
    LOOSENERS[loosen](flat.module)
    if dtype != torch.float64 and loosen != "float":
        assert loosen == "assign" or not flat.is_tied()
    flat.tie()
    assert flat.is_tied()
    assert flat.values.data_ptr() == address
    shapes = [p.shape for p in flat.module.parameters()]
    assert shapes == [p.shape for p in MLP([4, 3, 2]).parameters()]
    assert {p.dtype for p in flat.module.parameters()} == {dtype}
    assert_close(flat.values, flat.join([p.detach() for p in flat.parameters]))
    rounds = loosen == "float" and dtype == torch.float64
    for parameter, value in zip(flat.parameters, before, strict=True):
        expected = value.float().to(dtype) if rounds else value
        assert_close(parameter.detach(), expected, rtol=0, atol=0)


def test_tie_keeps_values_that_were_set_while_loose(flat):
    bias = flat.module.layers[1].bias
    bias.data = torch.full((2,), 3.0, dtype=torch.float64)
    assert not flat.is_tied()
    flat.tie()
    assert flat.values[-2:].tolist() == [3.0, 3.0]
    flat.values[-1] = 4.0
    assert bias.tolist() == [3.0, 4.0]


def test_load_state_dict_writes_through(flat):
    state = {k: torch.full_like(v, 2.0) for k, v in flat.module.state_dict().items()}
    flat.module.load_state_dict(state)
    assert flat.is_tied()
    assert bool((flat.values == 2.0).all())


def test_untied_parameters_have_memory_of_their_own(flat):
    before = get_values(flat)
    flat.untie()
    assert not flat.is_tied()
    flat.values.zero_()
    for parameter, value in zip(flat.parameters, before, strict=True):
        assert_close(parameter.detach(), value)
        assert parameter.grad is None
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 8
    flat.tie()
    assert_close(flat.values, flat.join(before))


def test_join_and_split_are_inverse(flat):
    tensors = [torch.randn(p.shape, dtype=p.dtype) for p in flat.parameters]
    joined = flat.join(tensors)
    for found, expected in zip(flat.split(joined), tensors, strict=True):
        assert_close(found, expected)
    assert_close(flat.join(flat.split(joined)), joined)
    assert_close(flat.join(flat.parameters), flat.values)
    flat.split(joined)[0].zero_()
    assert_close(flat.split(joined)[0], tensors[0])


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_shared_parameters_are_held_once(device):
    module = Shared(device)
    flat = make_flat(module)
    # 3x3 and 4x3 matrices, then two layers' biases, the norm's scale and shift
    assert len(flat.values) == 9 + 12 + 4 * 3
    assert flat.n_penalized == 9 + 12
    assert module.second.weight is module.first.weight
    assert module.twice[0] is module.first
    flat.values.copy_(torch.arange(len(flat.values)))
    assert_close(module.second.weight[:, 0].detach(), flat.values[:3])
    assert_close(module.table.weight[0].detach(), flat.values[9:12])
    module(torch.tensor([0, 3])).sum().backward()
    assert_close(flat.gradient[:9].view(3, 3).t(), module.first.weight.grad)
    assert flat.is_tied()


def test_meta_modules_draw_nothing():
    state = torch.get_rng_state()
    flat = FlatParameters(MLP([4, 3, 2], device="meta"), torch.float32)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(not p.is_meta and p.requires_grad for p in flat.module.parameters())
    assert [p.shape for p in flat.module.parameters()] == [
        p.shape for p in MLP([4, 3, 2]).parameters()
    ]
    assert not flat.values.any()
    assert flat.is_tied()


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_frozen_parameters_stay_frozen(device):
    module = MLP([4, 3, 2], device=device)
    module.layers[0].weight.requires_grad_(False)
    flat = make_flat(module)
    assert not flat.module.layers[0].weight.requires_grad
    assert flat.module.layers[1].weight.requires_grad


def test_slices_that_are_trained():
    flat = make_flat(MLP([4, 3, 2, 2]))  # weights of 12, 6, 4, biases of 3, 2, 2
    assert flat.trains_all
    assert flat.trained_slices() == [slice(0, 22), slice(22, 29)]
    flat.module.layers[1].requires_grad_(False)
    assert not flat.trains_all
    slices = [slice(0, 12), slice(18, 22), slice(22, 25), slice(27, 29)]
    assert flat.trained_slices() == slices
    flat.module.requires_grad_(False)
    assert flat.trained_slices() == []
    flat = make_flat()
    flat.frozen = [flat.module.layers[0]]  # from when training begins
    assert not flat.trains_all


def test_a_module_without_weights():
    flat = make_flat(nn.Linear(2, 1, bias=False))
    assert len(flat.values) == flat.n_penalized == 2
    flat = make_flat(nn.Flatten())
    assert len(flat.values) == flat.n_penalized == 0
    assert flat.is_tied()
