"""Learning rate schedules against scikit-learn's optimizer."""

import pytest
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from sknn.training._schedules import make_schedule

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
