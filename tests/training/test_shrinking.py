"""Steps that shrink weights: thresholds against displacements, one weight at a time."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sknn.training._updates import MARGIN, SGD, Adagrad, Adam, AdamW, RMSprop

SGDS = [
    (SGD, {"momentum": momentum, "nesterov": nesterov})
    for momentum in (0, 0.5, 0.9, 1.0)
    for nesterov in (False, True)
]
ADAPTIVE = [
    (Adam, {}),
    (Adam, {"betas": (0.0, 0.0)}),
    (Adam, {"betas": (0.5, 0.9), "eps": 1e-2}),
    (Adagrad, {}),
    (Adagrad, {"eps": 0.1}),
    (RMSprop, {}),
    (RMSprop, {"rho": 0.5, "eps": 0.1}),
]
ALL = [*SGDS, *ADAPTIVE, (AdamW, {}), (AdamW, {"weight_decay": 0.5})]
N_STEPS, STRENGTH = 40, 1e-3
GRADIENT = np.array([0.02, -0.5, 3.0, -0.1])


def every_one_of(optimizers):
    return pytest.mark.parametrize(
        ("make", "options"), optimizers, ids=lambda v: getattr(v, "__name__", str(v))
    )


def make_parameter(values, gradient=None):
    parameter = torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))
    parameter.grad = torch.zeros_like(parameter)
    if gradient is not None:
        parameter.grad.copy_(torch.as_tensor(gradient))
    return parameter


def make_optimizer(make, options, parameter, lr=0.05, n_weights=None):
    n_weights = parameter.numel() if n_weights is None else n_weights
    return make([parameter], lr=lr, n_weights=n_weights, **options)


def rates():
    """Yield learning rates that change from step to step."""
    return 0.05 / (1 + np.arange(N_STEPS) % 7)


def values_of(parameter):
    return parameter.detach().numpy().copy()


# Thresholds


@every_one_of(SGDS + ADAPTIVE)
def test_thresholds_are_displacements_over_gradients(make, options):
    """For a gradient that is constant; the weights are too large to reach zero."""
    plain, shrunk = (make_parameter(4 * [100.0], GRADIENT) for _ in range(2))
    ours = [make_optimizer(make, options, p) for p in (plain, shrunk)]
    ours[1].param_groups[0]["l1"] = STRENGTH
    for lr in rates():
        before = values_of(plain)
        shrunk.data.copy_(plain.data)
        for optimizer in ours:
            optimizer.param_groups[0]["lr"] = lr
            optimizer.update()
        displacement = values_of(plain) - before
        thresholds = values_of(plain) - values_of(shrunk)
        expected = -STRENGTH * displacement / GRADIENT
        # differences of numbers near 100
        assert_allclose(thresholds, expected, rtol=1e-8, atol=1e-12)


@every_one_of(SGDS)
def test_sgd_far_from_zero_has_the_norm_as_a_gradient(make, options):
    """Whatever the gradients, the rates and the strengths."""
    rng = np.random.RandomState(0)
    signs = np.array([1.0, -1.0, -1.0])
    plain, shrunk = make_parameter(1e3 * signs), make_parameter(1e3 * signs)
    ours = [make_optimizer(make, options, p) for p in (plain, shrunk)]
    for lr in rates():
        gradient, strength = rng.normal(size=3), rng.uniform(0.1, 1.0)
        plain.grad.copy_(torch.tensor(gradient + strength * signs))
        shrunk.grad.copy_(torch.tensor(gradient))
        ours[1].param_groups[0]["l1"] = strength
        for optimizer in ours:
            optimizer.param_groups[0]["lr"] = lr
            optimizer.update()
    assert_allclose(values_of(shrunk), values_of(plain), rtol=1e-12)


def test_adam_far_from_zero_has_the_norm_in_its_first_moment():
    rng, (b1, b2), eps = np.random.RandomState(0), (0.8, 0.95), 1e-3
    parameter = make_parameter([50.0, 70.0])
    optimizer = make_optimizer(Adam, {"betas": (b1, b2), "eps": eps}, parameter)
    w, s, r = values_of(parameter), np.zeros(2), np.zeros(2)
    for t, lr in enumerate(rates(), start=1):
        gradient, strength = rng.normal(size=2), rng.uniform(0.1, 0.3)
        parameter.grad.copy_(torch.tensor(gradient))
        optimizer.param_groups[0].update(lr=lr, l1=strength)
        optimizer.update()
        s = b1 * s + (1 - b1) * (gradient + strength)
        r = b2 * r + (1 - b2) * gradient**2
        corrected = math.sqrt(1 - b2**t) / (1 - b1**t)
        w -= lr * corrected * s / (np.sqrt(r) + eps)
        assert_allclose(values_of(parameter), w, rtol=1e-12)


def test_adamw_shrinks_whatever_the_gradients_are():
    parameter = make_parameter([2.0, -2.0, 0.01, 1.0], [0.0, 0.0, 0.0, 5.0])
    optimizer = make_optimizer(AdamW, {"weight_decay": 0.5}, parameter, 0.1, 3)
    optimizer.param_groups[0].update(l1=0.3, clip=1e-3)
    optimizer.update()
    kept = 1 - 0.1 * 0.5
    expected = [2 * kept - 0.03, -2 * kept + 0.03, 0.0]
    assert_allclose(values_of(parameter)[:3], expected, rtol=1e-14)
    assert_allclose(values_of(parameter)[3], 1 - 0.1, rtol=1e-4)


@every_one_of(ADAPTIVE)
def test_a_weight_without_a_gradient_shrinks_by_so_many_rates(make, options):
    parameter = make_parameter([5.0, -5.0], [0.0, 0.0])
    optimizer = make_optimizer(make, {**options, "eps": 1e-12}, parameter, lr=0.01)
    group = optimizer.param_groups[0]
    group["l1"] = STRENGTH
    longest = {
        Adam: lambda: (1 - group["betas"][0]) / math.sqrt(1 - group["betas"][1]),
        RMSprop: lambda: 1 / math.sqrt(1 - group["rho"]),
        Adagrad: lambda: 1.0,
    }[make]()
    optimizer.update()
    moved = MARGIN * 0.01 * max(longest, 1.0)
    assert_allclose(values_of(parameter), [5 - moved, -5 + moved], rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        *((RMSprop, {"rho": rho}) for rho in (0.0, 0.9, 0.99, 0.999)),
        *((Adam, {"betas": (b, c)}) for b in (0, 0.9) for c in (0.5, 0.99, 0.9999)),
        (Adagrad, {}),
    ],
)
def test_zero_stays_where_gradients_are_weaker_than_the_norm(make, options):
    """Also after a long silence, when adaptive steps are longest."""
    parameter = make_parameter([0.0], [0.0])
    optimizer = make_optimizer(make, options, parameter, lr=0.01)
    optimizer.param_groups[0]["l1"] = 1.0
    for gradient in [0.0] * 200 + [0.9, 0.0, -0.9, 0.9]:
        parameter.grad.fill_(gradient)
        optimizer.update()
        assert values_of(parameter)[0] == 0.0


# Zeros


@every_one_of(ALL)
def test_a_weaker_gradient_leaves_zeros_and_a_stronger_one_does_not(make, options):
    rng = np.random.RandomState(0)
    parameter = make_parameter(np.zeros(3))
    optimizer = make_optimizer(make, options, parameter)
    optimizer.param_groups[0]["l1"] = 0.1 if make is not AdamW else 10.0
    for _ in range(N_STEPS):
        parameter.grad.copy_(torch.tensor(rng.uniform(0, 0.099, size=3)))
        optimizer.update()
        assert not values_of(parameter).any()
    optimizer.param_groups[0]["l1"] /= 100
    parameter.grad.fill_(0.2)
    for _ in range(N_STEPS):
        optimizer.update()
    assert (values_of(parameter) < 0).all()


@every_one_of(ALL)
def test_no_strength_changes_no_bit(make, options):
    plain, other = (make_parameter([1.0, -2.0, 0.0, 1e-9]) for _ in range(2))
    ours = [make_optimizer(make, options, p) for p in (plain, other)]
    ours[1].param_groups[0].update(l1=0.0, clip=1e9)
    for step in range(N_STEPS):
        for parameter, optimizer in zip((plain, other), ours, strict=True):
            parameter.grad.copy_(torch.cos(torch.arange(4.0) + step))
            optimizer.update()
    assert torch.equal(plain, other)


@every_one_of(ALL)
def test_a_rate_of_zero_moves_nothing(make, options):
    parameter = make_parameter(GRADIENT, GRADIENT)
    optimizer = make_optimizer(make, options, parameter)
    optimizer.param_groups[0]["l1"] = STRENGTH
    optimizer.update()
    before = values_of(parameter)
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.update()
    assert_array_equal(values_of(parameter), before)


@every_one_of(ALL)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_weights_that_are_not_numbers_stay_so(make, options):
    """Divergence is seen by its NaN."""
    parameter = make_parameter([1.0, 2.0], [math.nan, 1.0])
    optimizer = make_optimizer(make, options, parameter)
    optimizer.param_groups[0]["l1"] = 1.0
    optimizer.update()
    assert np.isnan(values_of(parameter)[0])
    assert np.isfinite(values_of(parameter)[1])


# One flat tensor, many tensors, many groups


SHAPES = [(4, 3), (3, 2), (3,), (2,)]
N_WEIGHTS = 4 * 3 + 3 * 2


def make_plain(seed):
    rng = np.random.RandomState(seed)
    return [make_parameter(rng.normal(0, 0.3, shape)) for shape in SHAPES]


def flatten(plain):
    """Make the parameters, and their gradients, views of a flat one."""
    flat = torch.nn.Parameter(torch.cat([p.detach().view(-1) for p in plain]))
    flat.grad = torch.zeros_like(flat)
    start = 0
    for parameter in plain:
        part = slice(start, start + parameter.numel())
        parameter.data = flat.data[part].view(parameter.shape)
        parameter.grad = flat.grad[part].view(parameter.shape)
        start = part.stop
    return flat


def set_gradients(parameters, step):
    for k, parameter in enumerate(parameters):
        noise = torch.cos(7 * torch.arange(parameter.numel()) + step + k)
        parameter.grad.copy_(noise.view(parameter.shape) + 0.5 * parameter.data)


def set_options(group, step, share=1.0):
    group.update(l1=share * (0.2 + 0.1 * (step % 3)), clip=2.0 * share)


def assert_same(parameters, expected):
    for parameter, other in zip(parameters, expected, strict=True):
        assert_allclose(values_of(parameter), values_of(other), rtol=0, atol=1e-12)
        assert_array_equal(values_of(parameter) == 0, values_of(other) == 0)


@every_one_of(ALL)
def test_flat_equals_a_list(make, options):
    plain, views = make_plain(0), make_plain(0)
    flat = flatten(views)
    ours = [make(p, lr=0.02, n_weights=N_WEIGHTS, **options) for p in (plain, [flat])]
    update = ours[1].on(flat)
    for step in range(N_STEPS):
        for optimizer, parameters in zip(ours, (plain, views), strict=True):
            set_gradients(parameters, step)
            set_options(optimizer.param_groups[0], step)
            (update if optimizer is ours[1] and step % 2 else optimizer.step)()
    assert_same(plain, views)
    assert all(values_of(bias).all() for bias in plain[2:])
    assert not all(values_of(weight).all() for weight in plain[:2])


@every_one_of(ALL)
@pytest.mark.parametrize("is_flat", [True, False], ids=["flat", "plain"])
def test_a_group_a_network_equals_one_by_one(make, options, is_flat):
    shares = [1.0, 0.0, 0.3]
    together, alone = ([make_plain(seed) for seed in range(3)] for _ in range(2))
    owners = [[flatten(p)] if is_flat else p for p in together]
    groups = [{"params": p, "lr": 0.02} for p in owners]
    optimizer = make(groups, n_weights=N_WEIGHTS, **options)
    for group, share in zip(optimizer.param_groups, shares, strict=True):
        group["clip"] = share or None
    for step in range(N_STEPS):
        for parameters, group, share in zip(
            together, optimizer.param_groups, shares, strict=True
        ):
            set_gradients(parameters, step)
            if share:
                set_options(group, step, share)
        optimizer.update()
    for parameters, share in zip(alone, shares, strict=True):
        single = make(parameters, lr=0.02, **options)
        for step in range(N_STEPS):
            set_gradients(parameters, step)
            if share:
                set_options(single.param_groups[0], step, share)
            single.update()
    for parameters, expected in zip(together, alone, strict=True):
        assert_same(parameters, expected)


def clone_by_pickle(optimizer, parameter):
    return pickle.loads(pickle.dumps(optimizer))


def clone_by_state_dict(optimizer, parameter):
    other = type(optimizer)([make_parameter(values_of(parameter))])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    return other


@every_one_of(ALL)
@pytest.mark.parametrize("clone", [clone_by_pickle, clone_by_state_dict])
def test_copies_go_on_as_the_original(make, options, clone):
    parameter = make_parameter(GRADIENT)
    optimizer = make_optimizer(make, options, parameter)
    optimizer.param_groups[0].update(l1=0.2, clip=1.0)
    for step in range(5):
        set_gradients([parameter], step)
        optimizer.update()
    other = clone(optimizer, parameter)
    (twin,) = other.param_groups[0]["params"]
    twin.grad = torch.zeros_like(twin)
    for step in range(5, 20):
        for one, owner in ((optimizer, parameter), (other, twin)):
            set_gradients([owner], step)
            one.update()
    assert torch.equal(parameter, twin)


@every_one_of(ALL)
def test_a_state_from_before_there_was_such_a_norm(make, options):
    parameter = make_parameter(GRADIENT, GRADIENT)
    optimizer = make_optimizer(make, options, parameter)
    state = copy.deepcopy(optimizer.state_dict())
    for name in ("l1", "clip", "pull", "n_weights"):
        state["param_groups"][0].pop(name)
    optimizer.load_state_dict(state)
    optimizer.update()
    assert optimizer.param_groups[0]["l1"] == 0


# Clipping


@every_one_of(ALL)
def test_a_clipped_step_is_that_of_a_clipped_gradient(make, options):
    ours, theirs = make_plain(0), make_plain(0)
    optimizer, expected = (make(p, lr=0.02, **options) for p in (ours, theirs))
    optimizer.param_groups[0]["clip"] = 0.7
    for step in range(N_STEPS):
        set_gradients(ours, step)
        set_gradients(theirs, step)
        norm = math.sqrt(sum(float(p.grad.square().sum()) for p in theirs))
        for parameter in theirs:
            parameter.grad.mul_(min(1.0, 0.7 / norm))
        optimizer.update()
        expected.update()
    assert_same(ours, theirs)


@every_one_of(SGDS + ADAPTIVE)
def test_the_threshold_is_clipped_as_the_gradient_is(make, options):
    """A weight then rests where it would without clipping."""
    parameter = make_parameter([1.0, 0.0], [-0.5, 0.499])
    optimizer = make_optimizer(make, options, parameter)
    optimizer.param_groups[0].update(l1=0.5, clip=0.01)
    for _ in range(N_STEPS):
        parameter.grad.copy_(torch.tensor([-0.5, 0.499]))
        optimizer.update()
    assert_allclose(values_of(parameter), [1.0, 0.0], rtol=1e-12)
