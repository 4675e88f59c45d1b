"""Updates against scikit-learn's and torch's, flat against a list, and state."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from torch.optim import lr_scheduler

from sknn.training._updates import SGD, Adagrad, Adam, AdamW, RMSprop, begin_anew

SHAPES = [(4, 3), (3, 2), (3,), (2,)]
N_STEPS = 60
# a step adds a few roundings of numbers near 1
TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}
SGD_OPTIONS = [
    {"momentum": momentum, "nesterov": nesterov}
    for momentum in (0, 0.5, 0.9, 1.0)
    for nesterov in (False, True)
]
ADAM_OPTIONS = [
    {},
    {"betas": (0.0, 0.0)},
    {"betas": (0.5, 0.9), "eps": 1e-3},
    {"betas": (0.99, 0.9999), "eps": 1e-12},
]
OF_SKLEARN = [(SGD, options) for options in SGD_OPTIONS]
OF_SKLEARN += [(Adam, options) for options in ADAM_OPTIONS]
N_WEIGHTS = 4 * 3 + 3 * 2
DECAY = {"weight_decay": 0.5, "n_weights": N_WEIGHTS}
OF_TORCH = [(AdamW, options | DECAY) for options in ADAM_OPTIONS]
OF_TORCH += [(AdamW, {"weight_decay": 0.0})]
OF_TORCH += [(Adagrad, {"eps": eps}) for eps in (1e-10, 1e-8, 0.1)]
OF_TORCH += [(RMSprop, {"rho": rho}) for rho in (0.0, 0.5, 0.9, 0.99999)]
OF_TORCH += [(RMSprop, {"rho": 0.9, "eps": 0.1})]
OPTIMIZERS = OF_SKLEARN + OF_TORCH
CLASSES = [SGD, Adam, AdamW, Adagrad, RMSprop]


def every_one_of(optimizers):
    return pytest.mark.parametrize(
        ("make", "options"), optimizers, ids=lambda v: getattr(v, "__name__", str(v))
    )


every_optimizer = every_one_of(OPTIMIZERS)
every_class = pytest.mark.parametrize("make", CLASSES)


def make_arrays(seed=0):
    rng = np.random.RandomState(seed)
    return [rng.normal(size=shape) for shape in SHAPES]


def make_parameters(arrays):
    parameters = [torch.nn.Parameter(torch.from_numpy(a.copy())) for a in arrays]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    return parameters


def set_gradients(parameters, seed):
    """Set gradients that depend on the values, as a loss's do."""
    for parameter, noise in zip(parameters, make_arrays(seed), strict=True):
        parameter.grad.copy_(torch.from_numpy(noise) + 0.1 * parameter.data)


def train(optimizer, parameters, steps=range(N_STEPS)):
    for step in steps:
        set_gradients(parameters, step)
        optimizer.update()


def train_sklearn(optimizer, arrays, rates=None):
    for step in range(N_STEPS):
        if rates is not None:
            optimizer.learning_rate = rates[step]
        noises = make_arrays(step)
        gradients = [n + 0.1 * a for n, a in zip(noises, arrays, strict=True)]
        optimizer.update_params(arrays, gradients)


def make_sklearn(make, options, arrays, lr):
    if make is SGD:
        return SGDOptimizer(arrays, lr, **options)
    names = {"eps": "epsilon"}
    betas = options.get("betas", (0.9, 0.999))
    rest = {names[k]: v for k, v in options.items() if k in names}
    return AdamOptimizer(arrays, lr, beta_1=betas[0], beta_2=betas[1], **rest)


def assert_same(parameters, arrays):
    for parameter, array in zip(parameters, arrays, strict=True):
        assert_allclose(parameter.detach(), array, **TOLERANCE)


@every_one_of(OF_SKLEARN)
def test_steps_equal_scikit_learn(make, options):
    arrays = make_arrays()
    parameters = make_parameters(arrays)
    train(make(parameters, lr=0.01, **options), parameters)
    train_sklearn(make_sklearn(make, options, arrays, 0.01), arrays)
    assert_same(parameters, arrays)


@pytest.mark.parametrize("options", SGD_OPTIONS)
def test_a_rate_that_changes_equals_scikit_learn(options):
    arrays = make_arrays()
    parameters = make_parameters(arrays)
    rates = 0.02 / np.sqrt(1 + np.arange(N_STEPS))
    rates[20:30] *= 5
    optimizer = SGD(parameters, lr=0.3, **options)
    for step in range(N_STEPS):
        optimizer.param_groups[0]["lr"] = rates[step]
        train(optimizer, parameters, [step])
    train_sklearn(SGDOptimizer(arrays, 0.3, **options), arrays, rates)
    assert_same(parameters, arrays)


def make_torch(make, options, parameters, lr):
    """Make torch's own optimizer of the same name; weights alone decay."""
    names = {"rho": "alpha", "eps": "eps", "betas": "betas"}
    same = {"eps": 1e-8, "foreach": False}
    same |= {names[k]: v for k, v in options.items() if k in names}
    theirs = getattr(torch.optim, make.__name__)
    if make is not AdamW:
        return theirs(parameters, lr=lr, **same)
    groups = [
        {"params": part, "weight_decay": decay}
        for part, decay in (
            ([p for p in parameters if p.ndim > 1], options["weight_decay"]),
            ([p for p in parameters if p.ndim == 1], 0.0),
        )
    ]
    return theirs(groups, lr=lr, **same)


@every_one_of(OF_TORCH)
@pytest.mark.parametrize("on_flat", [False, True], ids=["plain", "flat"])
def test_steps_equal_torch(make, options, on_flat):
    """Step by step, with a rate that changes."""
    expected, parameters = (make_parameters(make_arrays()) for _ in range(2))
    theirs = make_torch(make, options, expected, 0.3)
    owners = [flatten(parameters)] if on_flat else parameters
    ours = make(owners, lr=0.3, **options)
    for step in range(N_STEPS):
        for group in (*theirs.param_groups, *ours.param_groups):
            group["lr"] = 0.02 / (1 + step % 7)
        train(ours, parameters, [step])
        set_gradients(expected, step)
        theirs.step()
        assert_same(parameters, [p.detach().numpy() for p in expected])


def test_only_weights_decay():
    for on_flat in (True, False):
        parameters = make_parameters(make_arrays())
        owners = [flatten(parameters)] if on_flat else parameters
        AdamW(owners, lr=0.1, weight_decay=0.5, n_weights=N_WEIGHTS).update()
        for parameter, start in zip(parameters, make_arrays(), strict=True):
            factor = 1 - 0.1 * 0.5 if start.ndim > 1 else 1
            assert_allclose(parameter.detach(), factor * start, rtol=1e-15)


@every_optimizer
def test_gradients_stay_as_they_are(make, options):
    parameters = make_parameters(make_arrays())
    optimizer = make(parameters, lr=0.1, **options)
    for step in range(3):
        set_gradients(parameters, step)
        before = [p.grad.clone() for p in parameters]
        optimizer.update()
        for parameter, gradient in zip(parameters, before, strict=True):
            assert torch.equal(parameter.grad, gradient)


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


@every_optimizer
def test_flat_equals_a_list(make, options):
    parameters = make_parameters(make_arrays())
    train(make(parameters, lr=0.01, **options), parameters)

    plain = make_parameters(make_arrays())
    flat = flatten(plain)
    optimizer = make([flat], lr=0.01, **options)
    update = optimizer.on(flat)
    for step in range(N_STEPS):
        set_gradients(plain, step)
        (update if step % 2 else optimizer.step)()
    assert_same(plain, [p.detach().numpy() for p in parameters])


@every_optimizer
def test_groups_have_rates_of_their_own(make, options):
    together = [make_parameters(make_arrays(seed)) for seed in range(3)]
    rates = [0.01, 0.002, 0.05]
    groups = [
        {"params": part, "lr": lr} for part, lr in zip(together, rates, strict=True)
    ]
    optimizer = make(groups, lr=0.7, **options)
    for seed, lr in enumerate(rates):
        alone = make_parameters(make_arrays(seed))
        train(make(alone, lr=lr, **options), alone)
        rates[seed] = alone
    for step in range(N_STEPS):
        for part in together:
            set_gradients(part, step)
        optimizer.update()
    for part, alone in zip(together, rates, strict=True):
        assert_same(part, [p.detach().numpy() for p in alone])


def clone_by_state_dict(optimizer, make, parameters):
    other = make(parameters, lr=0.5)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    return other


def clone_by_pickle(optimizer, make, parameters):
    return pickle.loads(pickle.dumps(optimizer))


def clone_by_deepcopy(optimizer, make, parameters):
    return copy.deepcopy(optimizer)


@pytest.mark.parametrize(
    "clone", [clone_by_state_dict, clone_by_pickle, clone_by_deepcopy]
)
@every_optimizer
def test_copies_go_on_as_the_original(make, options, clone):
    parameters = make_parameters(make_arrays())
    optimizer = make(parameters, lr=0.01, **options)
    train(optimizer, parameters, range(5))
    optimizer.param_groups[0]["lr"] = 0.02
    train(optimizer, parameters, range(5, 9))
    present = [p.detach().numpy().copy() for p in parameters]
    other = clone(optimizer, make, make_parameters(present))
    twins = other.param_groups[0]["params"]
    for twin in twins:
        twin.grad = torch.zeros_like(twin)
    train(optimizer, parameters, range(9, 20))
    train(other, twins, range(9, 20))
    for parameter, twin in zip(parameters, twins, strict=True):
        assert torch.equal(parameter, twin)


@every_optimizer
def test_begun_anew_is_as_a_new_one(make, options):
    """Momentum of the L1 norm's pull included, and counts of steps."""
    parameters = make_parameters(make_arrays())
    optimizer = make(parameters, lr=0.01, **options)
    optimizer.param_groups[0]["l1"] = 0.1
    train(optimizer, parameters, range(5))
    twins = make_parameters([p.detach().numpy().copy() for p in parameters])
    new = make(twins, lr=0.01, **options)
    new.param_groups[0]["l1"] = 0.1
    begin_anew(optimizer)
    assert optimizer.param_groups[0].keys() == new.param_groups[0].keys()
    train(optimizer, parameters, range(5, 12))
    train(new, twins, range(5, 12))
    for parameter, twin in zip(parameters, twins, strict=True):
        assert torch.equal(parameter, twin)


@every_optimizer
def test_a_bound_update_follows_a_loaded_state(make, options):
    parameter, twin = (torch.nn.Parameter(torch.ones(3).double()) for _ in range(2))
    optimizers = []
    for p in (parameter, twin):
        p.grad = torch.ones_like(p)
        optimizers.append(make([p], lr=0.1, **options))
    optimizer, plain = optimizers
    update = optimizer.on(parameter)
    update()
    plain.update()
    for other in (optimizer, plain):
        other.load_state_dict(copy.deepcopy(other.state_dict()))
        other.param_groups[0]["lr"] = 0.5
    update()
    plain.update()
    assert torch.equal(parameter, twin)


@every_optimizer
def test_parameters_without_a_gradient_stay(make, options):
    parameters = make_parameters(make_arrays())
    optimizer = make(parameters, lr=0.1, **options)
    set_gradients(parameters, 0)
    parameters[1].grad = None
    optimizer.step()
    arrays = make_arrays()
    assert_allclose(parameters[1].detach(), arrays[1], rtol=0)
    assert not np.allclose(parameters[0].detach(), arrays[0])


@pytest.mark.parametrize("regularised", [False, True])
@every_optimizer
def test_slices_move_as_single_parameters_do(make, options, regularised):
    options = options | {"n_weights": N_WEIGHTS}
    group = {"l1": 0.1, "clip": 0.5, "weight_decay": 0.2} if regularised else {}
    parameters = make_parameters(make_arrays())
    optimizer = make(parameters, lr=0.01, **options)
    plain = make_parameters(make_arrays())
    flat = flatten(plain)
    sliced = make([flat], lr=0.01, **options)
    # the second matrix and the last vector
    sliced.move_only([slice(12, N_WEIGHTS), slice(N_WEIGHTS + 3, N_WEIGHTS + 5)])
    update = sliced.on(flat)
    for group_of in (optimizer, sliced):
        group_of.param_groups[0].update(group)
    for step in range(N_STEPS):
        set_gradients(plain, step)
        set_gradients(parameters, step)
        parameters[0].grad = parameters[2].grad = None
        optimizer.step()
        (update if step % 2 else sliced.step)()
        for parameter in (parameters[0], parameters[2]):
            parameter.grad = torch.zeros_like(parameter)
    assert_same(plain, [p.detach().numpy() for p in parameters])
    for number in (0, 2):
        assert torch.equal(plain[number], torch.from_numpy(make_arrays()[number]))
    sliced.move_only(None)
    sliced.step()
    assert not torch.equal(plain[0], torch.from_numpy(make_arrays()[0]))


@every_class
def test_step_evaluates_a_closure_with_gradients(make):
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = make([parameter], lr=0.1)

    def closure():
        parameter.grad = None
        loss = parameter.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2
    assert (parameter < 1).all()
    assert optimizer.step() is None


SCHEDULERS = {
    "step": lambda o: lr_scheduler.StepLR(o, 2, 0.1),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "cycle": lambda o: lr_scheduler.OneCycleLR(
        o,
        0.1,
        total_steps=20,
        cycle_momentum=bool({"momentum", "betas"} & {*o.defaults}),
    ),
    "plateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "warm-up": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: epoch / 10),
}


@every_class
@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers_of_torch_change_the_rate(name, make):
    parameters, twins = make_parameters(make_arrays()), make_parameters(make_arrays())
    optimizer = make(parameters, lr=0.05)
    scheduler = SCHEDULERS[name](optimizer)
    manual = make(twins, lr=0.05)
    for epoch in range(15):
        for key in ("lr", "momentum", "betas"):
            if key in optimizer.param_groups[0]:
                manual.param_groups[0][key] = optimizer.param_groups[0][key]
        set_gradients(parameters, epoch)
        optimizer.step()
        train(manual, twins, [epoch])
        scheduler.step(*([1.0] if name == "plateau" else []))
    assert optimizer.param_groups[0]["lr"] != 0.05
    assert all(bool(torch.isfinite(p).all()) for p in parameters)
    for parameter, twin in zip(parameters, twins, strict=True):
        assert torch.equal(parameter, twin)


@every_class
def test_float32_stays_float32(make):
    parameter = torch.nn.Parameter(torch.ones(3))
    parameter.grad = torch.ones(3)
    optimizer = make([parameter], lr=0.1)
    optimizer.update()
    assert parameter.dtype == torch.float32
    states = [s for s in optimizer.state[parameter].values() if s.ndim]
    assert {s.dtype for s in states} == {torch.float32}
