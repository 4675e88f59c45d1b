"""Training of several networks: together, one by one, and what can go wrong."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from several_networks import WAYS, fit_alone, make, seeds_of
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from skorch.callbacks import Callback

import sknn
from sknn import MLPClassifier, _pretraining
from sknn.training._submit import in_company

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_perceptrons_are_trained_together_on_shared_rows(table, calls):
    make(MLPClassifier, early_stopping=True).fit(*table)
    (runs,) = calls
    assert len(runs) == 3
    assert all(run.rows is runs[0].rows for run in runs)
    assert all(run.net.task.validation is runs[0].net.task.validation for run in runs)


@pytest.mark.parametrize(
    "model",
    [
        make(MLPClassifier, solver="lbfgs"),
        make(MLPClassifier, callbacks=[Callback()]),
        make(sknn.ConvClassifier),
    ],
)
def test_others_are_trained_one_after_another(table, calls, model):
    model.fit(*table)
    assert [len(runs) for runs in calls] == [1, 1, 1]


def test_networks_of_a_fit_wait_for_company_together(table):
    waited = []

    def wait(runs):
        waited.append(len(runs))
        return [run.train_alone() for run in runs]

    with in_company(wait):
        model = make(MLPClassifier).fit(*table)
    assert waited == [3]
    expected = make(MLPClassifier).fit(*table).predict_proba(table[0])
    assert_allclose(model.predict_proba(table[0]), expected, rtol=1e-10)


@pytest.mark.parametrize("callbacks", [None, [Callback()]])
def test_printed_lines_say_whose_they_are(table, capsys, callbacks):
    options = {"early_stopping": True, "max_iter": 2, "verbose": True}
    make(MLPClassifier, callbacks=callbacks, **options).fit(*table)
    lines = capsys.readouterr().out.splitlines()
    begins = [line.split(" = ")[0].split("score: ")[0] for line in lines]
    expected = [
        f"Network {number}: {what}"
        for number in (1, 2, 3)
        for epoch in (1, 2)
        for what in (f"Iteration {epoch}, loss", "Validation ")
    ]
    assert sorted(begins) == sorted(expected)
    make(MLPClassifier, n_networks=1, **options).fit(*table)
    assert capsys.readouterr().out.startswith("Iteration 1, loss = ")


def test_lines_of_the_best_go_on_under_its_number(table, capsys):
    options = {"combine": "best", "max_iter": 1, "verbose": True, "warm_start": True}
    model = make(MLPClassifier, random_state=2, **options).fit(*table)
    (number,) = model._numbers
    assert number > 0
    capsys.readouterr()
    model.set_params(tol=10.0, n_iter_no_change=1, max_iter=5).fit(*table)
    whose = f"Network {number + 1}: "
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(whose) for line in lines)
    assert lines[-1].startswith(f"{whose}Training loss did not improve")


def test_interrupted_before_the_others_have_begun(table):
    def wait(runs):
        first, *others = runs
        return [first.train_alone(), *(KeyboardInterrupt() for _ in others)]

    with in_company(wait), pytest.warns(UserWarning, match="interrupted"):
        model = make(MLPClassifier, early_stopping=True).fit(*table)
    (network,) = model.networks_
    assert network.n_iter_ == 4
    assert_array_equal(model.predict(table[0]), network.predict(table[0]))


class Saboteur(Callback):
    """Does harm in the epoch given to the networks of the given numbers.

    Numbers are counted by the class, since callbacks are cloned.
    """

    n_begun = 0

    def __init__(self, numbers, harm, epoch=2):
        self.numbers, self.harm, self.epoch = numbers, harm, epoch

    def on_train_begin(self, net, **kwargs):
        self.number_ = Saboteur.n_begun
        Saboteur.n_begun += 1

    def on_batch_begin(self, net, training=False, **kwargs):
        if len(net.history) == self.epoch and self.number_ in self.numbers:
            self.harm(net)


def poison(net):
    with torch.no_grad():
        next(net.module_.parameters()).fill_(np.nan)


def interrupt(net):
    raise KeyboardInterrupt


def fail(net):
    raise RuntimeError("out of order")


@pytest.fixture
def make_saboteur(monkeypatch):
    """Make a callback that counts from zero."""
    monkeypatch.setattr(Saboteur, "n_begun", 0)
    return Saboteur


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_networks_that_diverge_are_left_out(Estimator, table, make_saboteur):
    X, y = table
    model = make(Estimator, callbacks=[make_saboteur([1], poison)])
    with pytest.warns(ConvergenceWarning, match="Left out: 1 of 3 networks.*finite"):
        model.fit(X, y)
    alone = fit_alone(make(Estimator), X, y, seeds_of(check_random_state(0)))
    mean = np.mean([alone[k].predict_proba(X) for k in (0, 2)], axis=0)
    assert len(model.networks_) == 2
    assert_allclose(model.predict_proba(X), mean, atol=1e-6)
    model.set_params(callbacks=None).partial_fit(X, y)  # with those there are
    assert len(model.networks_) == 2


def test_divergence_of_all_is_an_error(table, make_saboteur):
    X, y = table
    model = make(MLPClassifier, callbacks=[make_saboteur([0, 1, 2], poison)])
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("combine", WAYS)
def test_interrupted_while_the_second_is_trained(combine, table, make_saboteur):
    X, y = table
    callbacks = [make_saboteur([1], interrupt, epoch=3)]
    model = make(MLPClassifier, callbacks=callbacks, combine=combine)
    with pytest.warns(UserWarning) as warned:
        model.fit(X, y)
    messages = [str(warning.message) for warning in warned]
    assert "Training interrupted by user." in messages
    assert sum("Left out: 1 of 3 networks" in message for message in messages) == 1
    seeds = seeds_of(check_random_state(0))
    first, second = (
        make(MLPClassifier, n_networks=1, random_state=seed, max_iter=n).fit(X, y)
        for seed, n in ((seeds[0], 4), (seeds[1], 2))
    )
    expected = [first.predict_proba(X), second.predict_proba(X)]
    if combine == "best":
        expected = expected[: 1 if first.loss_ < second.loss_ else None][-1:]
    assert_allclose(model.predict_proba(X), np.mean(expected, axis=0), rtol=1e-12)


def test_interrupted_before_any_epoch(table, make_saboteur):
    callbacks = [make_saboteur([0], interrupt, epoch=1)]
    model = make(MLPClassifier, callbacks=callbacks)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(*table)
    assert len(model.networks_) == 3  # none is better than another


def test_what_a_callback_raises_ends_the_fit(table, make_saboteur):
    model = make(MLPClassifier, callbacks=[make_saboteur([1], fail)])
    with pytest.raises(RuntimeError, match="out of order"):
        model.fit(*table)
    assert Saboteur.n_begun == 2
    assert np.isfinite(model.predict_proba(table[0])).all()


@pytest.fixture
def poisoned(monkeypatch):
    """Numbers of the networks whose pre-training is to diverge."""
    numbers, n_begun, keep = set(), itertools.count(), _pretraining._train

    def train(trainer, *args):
        if next(n_begun) in numbers:
            poison(trainer)
        return keep(trainer, *args)

    monkeypatch.setattr(_pretraining, "_train", train)
    return numbers


@pytest.mark.parametrize("combine", WAYS)
@pytest.mark.parametrize("how", ["supervised", "autoencoder"])
def test_networks_whose_pre_training_diverges_are_left_out(
    table, poisoned, how, combine
):
    X, y = table
    options = {"pretrain": how, "pretrain_iter": 2, "combine": combine}
    model = make(MLPClassifier, **options)
    alone = fit_alone(model, X, y, seeds_of(check_random_state(0)))
    poisoned.add(4)  # the second of the next three
    with pytest.warns(ConvergenceWarning, match="Left out: 1 of 3 networks. Pre-tr"):
        model.fit(X, y)
    kept = [alone[0], alone[2]]
    if combine == "best":
        kept = [min(kept, key=lambda network: network.loss_)]
    assert [n.random_state for n in model.networks_] == [n.random_state for n in kept]
    mean = np.mean([network.predict_proba(X) for network in kept], axis=0)
    assert_allclose(model.predict_proba(X), mean, rtol=1e-10)


def test_divergence_of_all_in_pre_training_is_an_error(table, poisoned):
    X, y = table
    model = make(MLPClassifier, pretrain="supervised").fit(X, y)
    before = model.predict_proba(X)
    poisoned.update([3, 4, 5])
    with pytest.raises(ValueError, match="led to weights of hidden layer 1"):
        model.fit(X, y)
    assert_array_equal(model.predict_proba(X), before)


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("limits", [{"max_iter": 2}, {"max_iter": 99, "max_fun": 20}])
def test_lbfgs_says_once_that_it_has_not_converged(table, limits):
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge") as warned:
        model = make(MLPClassifier, solver="lbfgs", **limits).fit(*table)
    assert len(warned) == 1
    if "max_fun" in limits:  # whatever the number of iterations, which the text has
        assert len({network.n_iter_ for network in model.networks_}) > 1


def test_a_warning_of_lbfgs_that_is_an_error_comes_after_all_are_trained(table):
    model = make(MLPClassifier, solver="lbfgs", max_iter=2)
    told = pytest.raises(ConvergenceWarning, match="lbfgs failed to converge")
    with warnings.catch_warnings(action="error"), told:
        model.fit(*table)
    assert [network.n_iter_ for network in model.networks_] == [2, 2, 2]


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_warnings_come_once(Estimator, table):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        make(Estimator, batch_size=100).fit(*table)
    messages = [str(warning.message) for warning in warned]
    assert len(messages) == 2
    assert sum("Maximum iterations (4)" in message for message in messages) == 1
    assert sum("batch_size=100" in message for message in messages) == 1
