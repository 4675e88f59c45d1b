"""Learning rate schedules against scikit-learn's optimizer."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from sknn.training._schedules import ENDING, make_schedule

NAMES = ["constant", "invscaling", "adaptive"]


@pytest.mark.parametrize("power_t", [0.5, 0.0, 1.3])
@pytest.mark.parametrize("rate", [0.1, 1, 1e-5])
@pytest.mark.parametrize("name", NAMES)
def test_rates_equal_scikit_learn(name, rate, power_t):
    expected = SGDOptimizer([], rate, name, power_t=power_t)
    schedule, group = make_schedule(name, rate, power_t), {"lr": float(rate)}
    for epoch in range(1, 30):
        schedule.after_epoch(group, epoch * 37)
        expected.iteration_ends(epoch * 37)
        assert group["lr"] == expected.learning_rate
        if epoch % 3 == 0:
            stops, _ = schedule.on_plateau(group)
            assert stops == expected.trigger_stopping("", verbose=False)
            assert group["lr"] == expected.learning_rate


@pytest.mark.parametrize("rate", [0.1, 1e-7])
@pytest.mark.parametrize("name", NAMES)
def test_the_sentence_is_that_of_scikit_learn(name, rate, capsys):
    _, sentence = make_schedule(name, rate, 0.5).on_plateau({"lr": rate})
    SGDOptimizer([], rate, name).trigger_stopping("What:", verbose=True)
    assert capsys.readouterr().out == f"What: {sentence}\n"


INITIAL, FINAL, TAU, N_STEPS = 0.5, 0.02, 8.0, 4


class OneBatch:
    n_rows = 25


def get_rates(schedule, n_epochs, group=None, n_steps=N_STEPS):
    """Get the rate of every step of epochs of 100 rows."""
    group = {"lr": INITIAL} if group is None else group
    rates, batches = [], [OneBatch] * n_steps
    for epoch in range(n_epochs):
        n_rows = OneBatch.n_rows * n_steps
        for _ in schedule.paced(batches, group, n_rows):
            rates.append(group["lr"])
        schedule.after_epoch(group, (epoch + 1) * n_rows)
    return np.array(rates)


def make_timed(name, warmup_epochs=0.0, final=FINAL):
    return make_schedule(name, INITIAL, 0.5, final, TAU, warmup_epochs)


CLOSED_FORMS = {
    "linear": lambda t: (1 - t / TAU) * INITIAL + t / TAU * FINAL,
    "cosine": lambda t: FINAL + (INITIAL - FINAL) * (1 + np.cos(np.pi * t / TAU)) / 2,
    "one_cycle": lambda t: np.interp(
        t / TAU, [0, 0.45, 0.9, 1], [INITIAL / 10, INITIAL, INITIAL / 10, FINAL]
    ),
    "inverse_sqrt": lambda t: INITIAL / np.sqrt(np.maximum(t, 1)),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_rates_are_those_of_the_formula(name):
    t = np.arange(12 * N_STEPS) / N_STEPS
    expected = CLOSED_FORMS[name](t)
    if name != "inverse_sqrt":
        expected[t > TAU] = FINAL
    assert_allclose(get_rates(make_timed(name), 12), expected, rtol=1e-12)


def test_rates_at_single_points():
    linear, cosine = (get_rates(make_timed(n), 10) for n in ("linear", "cosine"))
    assert linear[0] == cosine[0] == INITIAL
    assert_allclose([linear[16], cosine[16]], (INITIAL + FINAL) / 2)
    assert linear[32] == linear[-1] == FINAL
    assert cosine[32] == cosine[-1] == FINAL
    assert_allclose(get_rates(make_timed("inverse_sqrt"), 10)[16], INITIAL / 2)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_hundredth_is_the_default_of_the_final_rate(name):
    given = get_rates(make_timed(name, final=INITIAL / 100), 10)
    assert_array_equal(get_rates(make_timed(name, final=None), 10), given)


def test_one_cycle_never_rises_after_its_top():
    rates = get_rates(make_timed("one_cycle", final=0.2), 10, n_steps=20)
    top = rates.argmax()
    assert_allclose(rates[top], INITIAL)
    assert (np.diff(rates[top:]) <= 1e-15).all() and (np.diff(rates[:top]) > 0).all()


@pytest.mark.parametrize("warmup_epochs", [3, 0.5, 2.3])
@pytest.mark.parametrize("name", [*CLOSED_FORMS, *NAMES, "plateau"])
def test_warm_up_is_a_factor(name, warmup_epochs):
    rates = get_rates(make_timed(name, warmup_epochs), 6)
    factor = np.minimum(1, np.arange(1, len(rates) + 1) / N_STEPS / warmup_epochs)
    plain = get_rates(make_timed(name), 6)
    if name == "inverse_sqrt":
        plain = INITIAL * np.sqrt(
            warmup_epochs / np.maximum(np.arange(24) / N_STEPS, warmup_epochs)
        )
    assert_allclose(rates, factor * plain, rtol=1e-12)


@pytest.mark.parametrize("warmup_epochs", [0, 3, 2.5])
@pytest.mark.parametrize("name", [*CLOSED_FORMS, *NAMES, "plateau"])
def test_time_is_kept_in_the_group(name, warmup_epochs):
    whole = get_rates(make_timed(name, warmup_epochs), 6)
    if name == "invscaling":
        return  # counts the samples that the monitor has seen
    group = {"lr": INITIAL}
    parts = [get_rates(make_timed(name, warmup_epochs), 1, group) for _ in range(6)]
    assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("name", [*NAMES, "plateau"])
def test_without_a_warm_up_nothing_is_done_between_steps(name):
    batches = []
    assert make_schedule(name, 0.1, 0.5).paced(batches, {"lr": 0.1}, 1) is batches


@pytest.mark.parametrize("warmup_epochs", [0.0, 2.0])
@pytest.mark.parametrize("name", [*CLOSED_FORMS, "constant", "plateau"])
def test_schedules_end_where_they_were_to(name, warmup_epochs):
    schedule, group = make_timed(name, warmup_epochs), {"lr": INITIAL}
    assert not schedule.has_ended(group)
    for epoch in range(1, int(TAU) + 2):
        get_rates(schedule, 1, group)
        assert schedule.has_ended(group) == (name in ENDING and epoch >= TAU)


@pytest.mark.parametrize("name", [*CLOSED_FORMS, "constant", "plateau"])
def test_no_plateau_while_warming_up(name):
    schedule, group = make_timed(name, 2.0), {"lr": INITIAL}
    get_rates(schedule, 1, group)
    rate = dict(group)
    assert schedule.on_plateau(group)[0] is False
    assert group == rate
    get_rates(schedule, 1, group)
    assert schedule.on_plateau(group)[0] == (name != "plateau")
    if name == "plateau":
        assert group["lr"] == INITIAL / 5
        assert (get_rates(schedule, 2, group) == INITIAL / 5).all()
