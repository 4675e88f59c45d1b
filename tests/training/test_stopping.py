"""Patience against scikit-learn's counter; what the monitor records and restores."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.neural_network import MLPClassifier

from sknn.training._monitor import Diverged, Monitor, Weights
from sknn.training._schedules import make_schedule
from sknn.training._stopping import Curves, Patience

NAN = math.nan
SCORES = {
    "rising": np.arange(8) / 10,
    "falling": -np.arange(8) / 10,
    "flat": np.zeros(8),
    "barely": np.arange(8) * 0.01,
    "nan": [0.1, NAN, 0.1, 0.1, NAN, NAN, 0.3, 0.2],
    "nan_first": [NAN, NAN, 0.1, 0.05],
    "infinite": [-math.inf, 0.0, math.inf, math.inf, 1.0],
    "random": np.random.RandomState(0).normal(size=200),
    "walk": np.random.RandomState(1).normal(scale=0.02, size=200).cumsum(),
}


def follow_sklearn(scores, tol, keeps_best):
    """Follow scikit-learn's counter and best value over scores, or minus losses."""
    mlp = MLPClassifier(tol=tol)
    mlp._no_improvement_count = 0
    mlp.best_validation_score_, mlp.best_loss_ = -np.inf, np.inf
    mlp.validation_scores_, mlp.loss_curve_ = [], []
    mlp.coefs_ = mlp.intercepts_ = []
    mlp._score_with_function = lambda X, y, sample_weight, score_function: score
    mlp._score = lambda X, y, sample_weight=None: score
    for score in scores:
        mlp.loss_curve_.append(-score)
        mlp._update_no_improvement_count(keeps_best, None, None, None)
        best = mlp.best_validation_score_ if keeps_best else -mlp.best_loss_
        yield mlp._no_improvement_count, best


@pytest.mark.parametrize("keeps_best", [False, True], ids=["loss", "score"])
@pytest.mark.parametrize("tol", [0.0, 1e-4, 0.02, 0.5])
@pytest.mark.parametrize("name", SCORES)
def test_patience_equals_scikit_learn(name, tol, keeps_best):
    patience = Patience(tol, 3)
    expected = follow_sklearn(SCORES[name], tol, keeps_best)
    for score, (count, best) in zip(SCORES[name], expected, strict=True):
        before = patience.best
        assert patience.update(score) == (score > before)
        assert (patience.count, patience.best) == (count, best)
        assert patience.is_exhausted == (count > 3)


def test_patience_goes_on_from_where_it_was():
    patience = Patience(0.1, 2, best=1.0, count=2)
    assert not patience.is_exhausted
    assert patience.update(1.05)  # the best, but by too little
    assert patience.is_exhausted
    assert patience.best == 1.05


def test_infinite_patience_never_ends():
    patience = Patience(0.1, math.inf)
    for _ in range(1000):
        patience.update(0.0)
    assert not patience.is_exhausted


# Weights


def test_weights_go_back_to_what_was_kept():
    tensors = [torch.zeros(3), torch.ones(2, 2, dtype=torch.float64)]
    weights = Weights(tensors)
    tensors[0] += 1
    weights.keep()
    for tensor in tensors:
        tensor += 5
    weights.restore()
    assert tensors[0].tolist() == [1, 1, 1]
    assert tensors[1].tolist() == [[1, 1], [1, 1]]
    tensors[0] += 1
    weights.restore()  # still there
    assert tensors[0].tolist() == [1, 1, 1]


def test_weights_begin_with_the_present_values():
    tensor = torch.arange(3.0)
    weights = Weights([tensor])
    tensor.zero_()
    weights.restore()
    assert tensor.tolist() == [0, 1, 2]


def test_a_note_belongs_to_the_values_it_was_kept_with():
    tensor = torch.zeros(3)
    weights = Weights([tensor], "first")
    assert weights.restore() == "first"
    weights.annotate("later")
    assert weights.restore() == "later"
    tensor += 1
    weights.keep("second")
    tensor += 1
    assert weights.restore() == "second"
    assert tensor.tolist() == [1, 1, 1]


class RaisesAt:
    """Trace function that raises KeyboardInterrupt in `Weights`, n instructions on."""

    def __init__(self, n):
        self.left = n

    def __call__(self, frame, event, arg):
        if frame.f_code not in {Weights.keep.__code__, Weights._kept_note.__code__}:
            return None
        frame.f_trace_opcodes = True
        self.left -= event == "opcode"
        if self.left < 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return self


def test_an_interrupt_leaves_the_old_values_or_the_new_ones():
    found, n, done = set(), 0, False
    tracer = sys.gettrace()
    while not done:
        tensors = [torch.zeros(2), torch.zeros((), dtype=torch.int64)]
        weights = Weights(tensors, 0)
        for tensor in tensors:
            tensor += 1
        try:
            sys.settrace(RaisesAt(n))
            weights.keep(1)
            done = True
        except KeyboardInterrupt:
            n += 1
        finally:
            sys.settrace(tracer)
        for tensor in tensors:
            tensor += 5
        note = weights.restore()
        assert tensors[0].tolist() == [note, note]
        assert tensors[1] == note
        found.add(note)
        tensors[0].fill_(2)  # and it can be kept again
        weights.keep(2)
        assert weights.restore() == 2
        assert tensors[0].tolist() == [2, 2]
    assert found == {0, 1}
    assert n > 20


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_know_what_is_not_finite(value):
    tensors = [torch.zeros(3), torch.zeros(3)]
    weights = Weights(tensors)
    assert weights.are_finite()
    tensors[1][2] = value
    assert not weights.are_finite()


# Monitor


class FakeNet:
    """What the monitor asks of a net: history, optimizer and mode."""

    def __init__(self, lr=0.1):
        self.weights = torch.zeros(2)
        self.history, self.modes = [], []
        self.optimizer_ = SimpleNamespace(param_groups=[{"lr": lr}])

    def _set_training(self, mode):
        self.modes.append(mode)

    def train(self, monitor, losses, n_samples=10):
        """Run epochs of the given losses, each adding 1 to the weights."""
        for loss in losses:
            self.history.append({})
            self.weights += 1
            monitor.after_epoch(self, loss, n_samples)


def make_monitor(
    net,
    scores=None,
    keeps_best=False,
    tol=0.0,
    patience=2,
    curves=None,
    schedule="constant",
    verbose=False,
):
    scores = None if scores is None else iter(scores)
    validate = None if scores is None else lambda: (0.5, next(scores))
    schedule = make_schedule(schedule, 0.1, 0.5)
    curves, patience = curves or Curves(), Patience(tol, patience)
    monitor = Monitor(curves, patience, schedule, validate, keeps_best, verbose)
    monitor.begin(net, [net.weights])
    return monitor


def test_monitor_records_epochs():
    net = FakeNet()
    monitor = make_monitor(net, scores=[0.3, 0.2, 0.6])
    net.train(monitor, [3.0, 2.0, 2.5])
    assert monitor.n_iter == 3
    assert monitor.curves == Curves([3.0, 2.0, 2.5], [0.5] * 3, [0.3, 0.2, 0.6], 30)
    columns = {key: [row[key] for row in net.history] for key in net.history[0]}
    assert columns.pop("dur")[0] >= 0
    assert columns == {
        "train_loss": [3.0, 2.0, 2.5],
        "train_loss_best": [True, True, False],
        "valid_loss": [0.5] * 3,
        "valid_loss_best": [True, False, False],
        "valid_score": [0.3, 0.2, 0.6],
        "valid_score_best": [True, False, True],
        "lr": [0.1] * 3,
    }
    assert net.modes == [False] * 3


def test_monitor_without_validation_records_no_scores():
    net = FakeNet()
    net.train(make_monitor(net), [1.0])
    assert set(net.history[0]) == {"train_loss", "train_loss_best", "lr", "dur"}


def test_monitor_goes_on_with_earlier_curves():
    net = FakeNet()
    monitor = make_monitor(net, curves=Curves([2.0, 1.0], n_samples_seen=20))
    net.train(monitor, [1.5, 0.5])
    assert monitor.curves.loss == [2.0, 1.0, 1.5, 0.5]
    assert monitor.curves.n_samples_seen == 40
    assert [row["train_loss_best"] for row in net.history] == [False, True]


def test_monitor_without_an_optimizer_records_no_rate():
    net = FakeNet()
    net.optimizer_ = None
    net.train(make_monitor(net), [1.0])
    assert "lr" not in net.history[0]


@pytest.mark.parametrize("keeps_best", [False, True])
def test_monitor_watches_loss_or_score(keeps_best):
    net = FakeNet()
    scores = [0.1, 0.2, 0.3, 0.4, 0.5]
    monitor = make_monitor(net, scores, keeps_best, tol=0.01, patience=1)
    over = []
    for loss in [1.0, 1.0, 1.0, 1.0]:
        net.train(monitor, [loss])
        over.append(monitor.is_over(net))
    assert over == [False, False, not keeps_best, not keeps_best]


def test_monitor_restores_the_best_weights():
    net = FakeNet()
    monitor = make_monitor(net, [0.3, 0.9, 0.9, 0.1], keeps_best=True)
    net.train(monitor, [1.0] * 4)
    assert net.weights.tolist() == [4, 4]
    monitor.finish()
    assert net.weights.tolist() == [2, 2]  # the first of equals
    assert monitor.patience.best == 0.9


def test_monitor_without_early_stopping_keeps_the_last_weights():
    net = FakeNet()
    monitor = make_monitor(net, [0.9, 0.1])
    net.train(monitor, [1.0, 2.0])
    monitor.finish()
    assert net.weights.tolist() == [2, 2]


@pytest.mark.parametrize("keeps_best", [False, True])
def test_monitor_stops_at_divergence_without_asking_for_a_score(keeps_best):
    net = FakeNet()
    monitor = make_monitor(net, [0.3, 0.4], keeps_best)
    net.train(monitor, [1.0, 2.0])
    net.weights[0] = math.inf
    with pytest.raises(Diverged):
        net.train(monitor, [math.nan])
    assert_array_equal(monitor.curves.validation_score, [0.3, 0.4, NAN])
    monitor.go_back()
    assert net.weights.tolist() == [2, 2]


def test_monitor_goes_back_to_the_last_finished_epoch():
    net = FakeNet()
    monitor = make_monitor(net)
    net.train(monitor, [1.0, 1.0])
    net.weights += 0.5  # half an epoch
    monitor.go_back()
    assert net.weights.tolist() == [2, 2]


def test_monitor_drives_the_schedule():
    net = FakeNet()
    monitor = make_monitor(net, schedule="invscaling")
    net.train(monitor, [1.0, 1.0], n_samples=10)
    assert net.optimizer_.param_groups[0]["lr"] == 0.1 / 21**0.5
    assert [row["lr"] for row in net.history] == [0.1, 0.1 / 11**0.5]


def test_an_adaptive_rate_resets_the_count():
    net = FakeNet()
    monitor = make_monitor(net, schedule="adaptive", tol=0.5, patience=1)
    for _ in range(6):
        net.train(monitor, [1.0])
        assert not monitor.is_over(net)
    rates = [row["lr"] for row in net.history]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.02, 0.02, 0.004])
    net.optimizer_.param_groups[0]["lr"] = 1e-6
    net.train(monitor, [1.0])
    assert monitor.is_over(net)


def test_monitor_prints_what_scikit_learn_prints(capsys):
    net = FakeNet()
    monitor = make_monitor(net, [0.5, 0.5], keeps_best=True, patience=0, verbose=True)
    monitor.patience.tol = 0.25
    net.train(monitor, [0.25, 0.125])
    assert monitor.is_over(net)
    assert capsys.readouterr().out.splitlines() == [
        "Iteration 1, loss = 0.25000000",
        "Validation score: 0.500000",
        "Iteration 2, loss = 0.12500000",
        "Validation score: 0.500000",
        "Validation score did not improve more than tol=0.250000 for 0 consecutive "
        "epochs. Stopping.",
    ]
