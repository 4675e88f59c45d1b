"""Losses, passes and steps of two networks against autograd and a plain torch loop."""

import copy
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from sknn.data import Batch
from sknn.modules import make_discriminator, make_generator
from sknn.training._adversarial_loss import (
    LOSSES,
    penalize_mixtures,
    penalize_real,
)
from sknn.training._adversarial_passes import AutogradPasses
from sknn.training._adversarial_perceptrons import PerceptronPasses
from sknn.training._adversary import AdversarialGradient, Adversary, unpack_adversary
from sknn.training._flat import FlatParameters
from sknn.training._initialization import initialize
from sknn.training._updates import SGD

N_LATENT, N_FEATURES, N_CLASSES, N_ROWS = 5, 7, 3, 12


def of_generator(name, f):
    """Loss of each generated row for the generator, as papers write it."""
    return {
        "non_saturating": lambda: -functional.logsigmoid(f),
        "minimax": lambda: torch.log(1 - torch.sigmoid(f)),
        "hinge": lambda: -f,
        "wasserstein_gp": lambda: -f,
    }[name]()


def of_discriminator(name, r, f):
    """Losses of each real and of each generated row for the discriminator."""
    if name == "hinge":
        return functional.relu(1 - r), functional.relu(1 + f)
    if name == "wasserstein_gp":
        return -r, f
    return -functional.logsigmoid(r), -torch.log(1 - torch.sigmoid(f))


def mean(values, weight):
    return values.mean() if weight is None else (values * weight).sum() / weight.sum()


def draw(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=source, dtype=torch.float64)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_are_those_of_the_formulas(name, weighted):
    logits = 2 * draw(2 * N_ROWS, 1).requires_grad_()
    logits.retain_grad()
    weight = draw(N_ROWS, 1, seed=1).abs() if weighted else None
    parts = of_discriminator(name, logits[:N_ROWS], logits[N_ROWS:])
    expected = sum(mean(part, weight) for part in parts)
    expected.backward()
    value, slopes = LOSSES[name].judge(logits.detach(), weight)
    assert_close(value, expected.detach())
    assert_close(slopes, logits.grad)

    fake = 2 * draw(N_ROWS, 1, seed=2).requires_grad_()
    fake.retain_grad()
    expected = mean(of_generator(name, fake), weight)
    expected.backward()
    value, slopes = LOSSES[name].fool(fake.detach(), weight)
    assert_close(value, expected.detach())
    assert_close(slopes, fake.grad)


@pytest.mark.parametrize("name", LOSSES)
def test_large_logits_stay_finite(name):
    logits = torch.tensor([[1e4], [-1e4], [1e4], [-1e4]])
    for result in (LOSSES[name].judge(logits), LOSSES[name].fool(logits)):
        assert all(torch.isfinite(part).all() for part in result)


def test_penalties_of_a_linear_judge_are_known():
    direction = torch.tensor([[3.0], [4.0]])
    real, fake = draw(6, 2).float(), draw(6, 2, seed=1).float()

    def judge(x):
        return x @ direction

    mix = torch.full((6, 1), 0.3)
    assert_close(
        penalize_mixtures(judge, real, fake, mix, 1 / 6), torch.tensor((5.0 - 1) ** 2)
    )
    assert_close(penalize_real(judge, real, 1 / 6), torch.tensor(25.0 / 2))


def test_mixtures_lie_between_the_pairs():
    seen = []

    def judge(x):
        seen.append(x.detach())
        return x.square().sum(1, keepdim=True)

    real, fake, mix = draw(6, 2), draw(6, 2, seed=1), draw(6, 1, seed=2).sigmoid()
    penalize_mixtures(judge, real, fake, mix, 1 / 6)
    assert_close(seen[0], mix * real + (1 - mix) * fake)


def make_networks(n_classes=N_CLASSES, sizes=(8, 6), activation="leaky_relu"):
    """Flat parameters of a generator and of a discriminator, in float64."""
    shared = {"n_classes": n_classes, "activation": activation, "device": "meta"}
    generator = make_generator(N_LATENT, sizes, N_FEATURES, **shared)
    discriminator = make_discriminator(sizes, N_FEATURES, **shared)
    flats, random_state = [], np.random.RandomState(0)
    for module in (generator, discriminator):
        flats.append(FlatParameters(module, torch.float64))
        initialize(module, random_state, "he_normal")
        for parameter in module.parameters():  # biases too
            noise = random_state.normal(0, 0.1, tuple(parameter.shape))
            parameter.detach().add_(torch.from_numpy(noise))
        module.range.set_bounds(
            torch.linspace(-3, -1, N_FEATURES), torch.linspace(1, 5, N_FEATURES)
        )
    return flats


def make_passes(flats, by_hand, activation, *objective):
    of_generator, of_discriminator = flats
    if by_hand:
        return PerceptronPasses(of_generator, of_discriminator, activation, *objective)
    return AutogradPasses(
        of_generator.module,
        of_discriminator.module,
        of_discriminator,
        of_generator.gradient.zero_,
        of_generator.parameters,
        *objective,
    )


PENALTIES = [(None, 0.0), ("real", 0.4), ("mixtures", 10.0)]


@pytest.mark.parametrize("activation", ["leaky_relu", "relu", "identity"])
@pytest.mark.parametrize("sizes", [(8, 6), (5,), ()])
@pytest.mark.parametrize("n_classes", [0, N_CLASSES])
@pytest.mark.parametrize(("penalty", "strength"), PENALTIES)
def test_passes_by_hand_are_those_of_autograd(
    activation, sizes, n_classes, penalty, strength
):
    flats = make_networks(n_classes, sizes, activation)
    x = draw(N_ROWS, N_FEATURES).numpy()
    codes = np.arange(N_ROWS) % N_CLASSES if n_classes else np.zeros(N_ROWS)
    weight, mix = (draw(N_ROWS, 1, seed=s).sigmoid() for s in (3, 4))
    noise, found = draw(N_ROWS, N_LATENT, seed=5), []
    for by_hand in (False, True):
        objective = LOSSES["non_saturating"], penalty, strength
        passes = make_passes(flats, by_hand, activation, *objective)
        native = passes.ops.from_numpy
        flats[0].gradient.fill_(9)  # whatever there was before
        flats[1].gradient.fill_(9)
        real, condition = passes.read(native(x), native(codes))
        drawn = [passes.native(part) for part in (noise, mix)]
        plain = passes.make(drawn[0], condition)
        fake = passes.make_to_learn(drawn[0], condition)
        np.testing.assert_array_equal(plain, fake)
        w = native(weight.numpy())
        judged = passes.judge(real, fake, condition, w, drawn[1])
        fooled, logits = passes.fool(condition, w)
        found.append(
            [
                torch.as_tensor(part, dtype=torch.float64).clone()
                for part in (real, fake, judged, fooled, logits)
            ]
            + [flat.gradient.clone() for flat in flats]
        )
    for one, other in zip(*found, strict=True):
        assert_close(one, other, rtol=1e-9, atol=1e-12)
    assert found[0][-1].abs().max() > 1e-3


@pytest.mark.parametrize("penalty", ["real", "mixtures"])
def test_constant_features_teach_nothing(penalty):
    """By both ways, and no unit that makes such a feature has a gradient."""
    flats, found = make_networks(), []
    for flat in flats:
        bound = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
        flat.module.range.set_bounds(torch.zeros(N_FEATURES), bound)
    noise, mix = draw(N_ROWS, N_LATENT, seed=5), draw(N_ROWS, 1).sigmoid()
    for by_hand in (False, True):
        objective = LOSSES["hinge"], penalty, 0.5
        passes = make_passes(flats, by_hand, "leaky_relu", *objective)
        native, codes = passes.ops.from_numpy, np.arange(N_ROWS) % N_CLASSES
        x = native(draw(N_ROWS, N_FEATURES).numpy())
        real, condition = passes.read(x, native(codes))
        fake = passes.make_to_learn(passes.native(noise), condition)
        assert not fake[:, [1, 4]].any() and fake[:, [0, 2, 3, 5, 6]].all()
        passes.judge(real, fake, condition, None, passes.native(mix))
        passes.fool(condition, None)
        last = list(flats[0].views_of(flats[0].gradient))[2]
        assert not last[[1, 4]].any() and last[0].any()
        found.append(torch.cat([flat.gradient.clone() for flat in flats]))
    assert_close(*found, rtol=1e-9, atol=1e-12)


def make_net(flat, optimizer, is_flat=True):
    """As much of a net as a gradient asks for."""
    return SimpleNamespace(
        task=SimpleNamespace(flat=flat),
        module_=flat.module,
        optimizer_=optimizer,
        is_flat_now=is_flat,
        _zero_grad_optimizer=flat.gradient.zero_,
    )


def make_optimizer(flat):
    return SGD([flat.parameter], lr=0.05, momentum=0.9, nesterov=False)


def make_batches(n_batches, n_rows=N_ROWS):
    for seed in range(n_batches):
        codes = torch.arange(n_rows) % N_CLASSES
        weight = draw(n_rows, 1, seed=100 + seed).sigmoid()
        x = draw(n_rows, N_FEATURES, seed=200 + seed)
        yield Batch(x, codes, weight, float(weight.sum()), n_rows)


def plain_loop(flats, name, penalty, strength, n_steps, n_batches, ema):
    """The same training as anybody would write it, on copies of the networks."""
    generator, discriminator = (copy.deepcopy(flat.module) for flat in flats)
    average = copy.deepcopy(generator)
    optimizers = [
        torch.optim.SGD(module.parameters(), 0.05, momentum=0.9)
        for module in (generator, discriminator)
    ]
    source, losses = torch.Generator().manual_seed(1), []
    noise_of = partial(torch.randn, generator=source, dtype=torch.float64)
    for t, batch in enumerate(make_batches(n_batches), start=1):
        x, codes = batch
        for part in range(n_steps):
            rows = slice(*(N_ROWS * i // n_steps for i in (part, part + 1)))
            real = generator.range.scale(x[rows])
            condition = functional.one_hot(codes[rows], N_CLASSES).double()
            weight = batch.weight[rows]
            noise = noise_of((len(real), N_LATENT))
            fake = generator.make(noise, condition)

            def judge(points, condition=condition):
                return discriminator.judge(points, condition)

            values = of_discriminator(name, judge(real), judge(fake.detach()))
            loss = sum(mean(value, weight) for value in values)
            if penalty:
                points = real.clone()
                if penalty == "mixtures":
                    u = torch.rand(
                        (len(real), 1), generator=source, dtype=torch.float64
                    )
                    points = u * real + (1 - u) * fake.detach()
                points.requires_grad_()
                (slopes,) = torch.autograd.grad(
                    judge(points).sum(), points, create_graph=True
                )
                square = slopes.square().sum(1, keepdim=True)
                excess = (square.sqrt() - 1) ** 2
                value = excess if penalty == "mixtures" else square / 2
                loss = loss + strength * mean(value, weight)
            optimizers[1].zero_grad()
            loss.backward()
            optimizers[1].step()
        loss = mean(of_generator(name, judge(fake)), weight)
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
        losses.append(loss.item())
        kept = min(ema, (1 + t) / (10 + t))
        for mine, theirs in zip(
            average.parameters(), generator.parameters(), strict=True
        ):
            mine.data.mul_(kept).add_(theirs.data, alpha=1 - kept)
    return generator, discriminator, average, losses


def train(flats, by_hand, objective, n_steps, n_batches, ema, is_flat=True):
    """Train by the gradient, and say what the generator's losses were."""
    adversary = Adversary(flats[1], flats[0])
    net = make_net(flats[0], make_optimizer(flats[0]), is_flat)
    adversary.prepare(
        make_optimizer(flats[1]),
        LOSSES["hinge"],
        observe=None,
        validate=None,
        make_passes=lambda net: make_passes(flats, by_hand, "leaky_relu", *objective),
        generator=torch.Generator().manual_seed(1),
        n_steps=n_steps,
        ema=ema,
        draws_mixtures=objective[1] == "mixtures",
    )
    gradient, losses = adversary.against(net), []
    assert isinstance(gradient, AdversarialGradient)
    for batch in make_batches(n_batches):
        x, codes = (part.numpy() if by_hand else part for part in batch)
        weight = batch.weight.numpy() if by_hand else batch.weight
        losses.append(float(gradient(Batch(x, codes, weight, batch.total, N_ROWS))))
        gradient.settle()
        net.optimizer_.update()
    adversary.end_epoch()
    gradient.close()
    return adversary, losses


CASES = [
    ("non_saturating", "real", 0.4, 1),
    ("minimax", None, 0.0, 1),
    ("hinge", "real", 0.1, 3),
    ("wasserstein_gp", "mixtures", 0.3, 2),
]


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(("name", "penalty", "strength", "n_steps"), CASES)
def test_steps_are_those_of_a_plain_loop(name, penalty, strength, n_steps, by_hand):
    flats, n_batches = make_networks(), 5
    generator, discriminator, average, expected = plain_loop(
        flats, name, penalty, strength, n_steps, n_batches, ema=0.4
    )
    objective = LOSSES[name], penalty, strength
    adversary, losses = train(flats, by_hand, objective, n_steps, n_batches, ema=0.4)
    tolerance = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(losses, expected, **tolerance)
    for flat, module in zip(flats, (generator, discriminator), strict=True):
        theirs = dict(module.named_parameters())
        for key, parameter in flat.module.named_parameters():
            assert_close(parameter.detach(), theirs[key].detach(), **tolerance)
    adversary.exchange()
    theirs = dict(average.named_parameters())
    for key, parameter in flats[0].module.named_parameters():
        assert_close(parameter.detach(), theirs[key].detach(), **tolerance)
    assert adversary.n_updates == n_batches


def test_parameters_of_their_own_are_averaged_alike():
    objective, averages = (LOSSES["hinge"], None, 0.0), []
    for is_flat in (True, False):
        flats = make_networks()
        adversary, _ = train(flats, False, objective, 1, 4, 0.9, is_flat)
        averages.append(adversary.average)
    assert_close(*averages, rtol=1e-12, atol=1e-14)


def test_rows_without_weight_change_nothing():
    flats, found = make_networks(), []
    start = [flat.values.clone() for flat in flats]
    for junk in (0.0, 50.0):
        for flat, values in zip(flats, start, strict=True):
            flat.values.copy_(values)
        passes = make_passes(flats, True, "leaky_relu", LOSSES["hinge"], "real", 1.0)
        x, weight = draw(N_ROWS, N_FEATURES).numpy(), np.ones((N_ROWS, 1))
        x[:4], weight[:4] = junk, 0
        real, condition = passes.read(x, np.arange(N_ROWS) % N_CLASSES)
        fake = passes.make_to_learn(draw(N_ROWS, N_LATENT).numpy(), condition)
        passes.judge(real, fake, condition, weight, None)
        passes.fool(condition, weight)
        found.append(torch.cat([flat.gradient.clone() for flat in flats]))
    assert_close(*found, rtol=1e-12, atol=1e-14)


def test_exchange_twice_changes_nothing():
    of_generator, flat = make_networks()
    adversary = Adversary(flat, of_generator)
    adversary.average.normal_(generator=torch.Generator().manual_seed(0))
    trained, average = of_generator.values.clone(), adversary.average.clone()
    with adversary.averaged():
        assert torch.equal(of_generator.values, average)
        assert torch.equal(adversary.average, trained)
    assert torch.equal(of_generator.values, trained)
    assert torch.equal(adversary.average, average)


def test_what_is_packed_is_unpacked():
    flats = make_networks()
    adversary, _ = train(flats, True, (LOSSES["hinge"], None, 0.0), 1, 3, 0.9)
    other = unpack_adversary(adversary.pack(), flats[0])
    assert torch.equal(other.average, adversary.average)
    assert torch.equal(other.flat.values, adversary.flat.values)
    assert other.n_updates == 3
    states = [a.optimizer.state[a.flat.parameter] for a in (adversary, other)]
    assert torch.equal(*(state["velocity"] for state in states))
