"""skorch's callbacks with lbfgs: an epoch is an iteration over all rows."""

import functools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    LRScheduler,
    ParamMapper,
    PrintLog,
)
from skorch.callbacks import ProgressBar as BatchProgressBar

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def split():
    """Training and validation rows: ``X, y, X_val, y_val``."""
    X, y = load_iris(return_X_y=True)
    X, y = scale(X), np.array(["a", "b", "c"])[y]
    return X[::2], y[::2], X[1::2], y[1::2]


def make_classifier(**params):
    defaults = {"hidden_layer_sizes": (6,), "solver": "lbfgs", "max_iter": 8}
    return MLPClassifier(**{**defaults, "random_state": 0, **params})


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


def get_start(**params):
    """Weights that `make_classifier` begins with, by the names of the module's."""
    X, y = load_iris(return_X_y=True)
    net = make_classifier(solver="sgd", learning_rate_init=1e-300, max_iter=1, **params)
    net.fit(scale(X), y)
    return {n: p.detach().numpy() for n, p in net.module_.named_parameters()}


class EpochHook(Callback):
    """Counts the hooks that it is called by."""

    def initialize(self):
        self.calls_ = []
        return self

    def on_epoch_begin(self, net, **kwargs):
        self.calls_.append("begin")

    def on_epoch_end(self, net, **kwargs):
        self.calls_.append("end")


class BatchHook(Callback):
    """Keeps the sizes of the batches it is shown."""

    def initialize(self):
        self.sizes_ = []
        return self

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.sizes_.append((training, len(batch[0])))


def get_name(callback):
    return type(callback).__name__


# Rows of the history

ENDS = {
    "max_iter": {"max_iter": 4},
    "tol": {"max_iter": 500, "alpha": 1.0, "tol": 1e-2},
    "max_fun": {"max_iter": 500, "max_fun": 7},
    "one iteration": {"max_iter": 1},
}


@pytest.mark.parametrize(
    "callbacks", [None, [EpochHook()], [BatchHook()]], ids=["none", "epochs", "batches"]
)
@pytest.mark.parametrize("validate", [False, True], ids=["", "validation"])
@pytest.mark.parametrize("end", ENDS)
def test_a_row_for_every_iteration(split, end, validate, callbacks):
    X, y, X_val, y_val = split
    validation = {"X_val": X_val, "y_val": y_val} if validate else {}
    net = make_classifier(callbacks=callbacks, **ENDS[end]).fit(X, y, **validation)
    assert len(net.history_) == net.n_iter_ == len(net.loss_curve_)
    assert net.history_[:, "epoch"] == list(range(1, net.n_iter_ + 1))
    assert_allclose(net.history_[:, "train_loss"], net.loss_curve_, rtol=1e-12)
    assert_allclose(net.history_[-1, "train_loss"], net.loss_, rtol=1e-9)
    assert all(duration > 0 for duration in net.history_[:, "dur"])
    if validate:
        assert net.history_[:, "valid_loss"] == net.validation_loss_curve_
        assert net.history_[-1, "valid_score"] == net.score(X_val, y_val)
        outside = log_loss(y_val, net.predict_proba(X_val))
        assert_allclose(net.history_[-1, "valid_loss"], outside, rtol=1e-9)


@pytest.mark.parametrize("end", ENDS)
def test_every_epoch_that_begins_ends_but_the_last(split, end):
    net = make_classifier(callbacks=[("hook", EpochHook())], **ENDS[end])
    calls = dict(net.fit(*split[:2]).callbacks_)["hook"].calls_
    assert calls[: 2 * net.n_iter_] == ["begin", "end"] * net.n_iter_
    assert calls.count("end") == net.n_iter_


@pytest.mark.parametrize(
    "callback", [Callback(), EpochHook(), BatchHook(), EpochTimer()], ids=get_name
)
def test_a_passive_callback_changes_no_bit(split, callback):
    plain = make_classifier().fit(*split[:2])
    watched = make_classifier(callbacks=[callback]).fit(*split[:2])
    assert_array_equal(get_weights(watched), get_weights(plain))
    assert watched.loss_ == plain.loss_
    assert watched.n_iter_ == plain.n_iter_


def test_warm_start_adds_rows(split):
    net = make_classifier(warm_start=True, max_iter=3).fit(*split[:2]).fit(*split[:2])
    assert len(net.history_) == len(net.loss_curve_) == 6


# Scores


@pytest.mark.parametrize("use_caching", [False, True])
@pytest.mark.parametrize("end", ["max_iter", "tol"])
def test_scores_of_validation_rows(split, use_caching, end):
    X, y, X_val, y_val = split
    options = {"lower_is_better": False, "use_caching": use_caching}
    scorings = [
        EpochScoring("accuracy", name="acc", **options),
        EpochScoring("neg_log_loss", name="nll", **options),
    ]
    net = make_classifier(callbacks=scorings, **ENDS[end])
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert len(net.history_[:, "acc"]) == net.n_iter_
    assert net.history_[-1, "acc"] == net.score(X_val, y_val)
    assert_allclose(net.history_[:, "nll"], -np.array(net.validation_loss_curve_))


@pytest.mark.parametrize("use_caching", [False, True])
@pytest.mark.parametrize("end", ["max_iter", "tol"])
def test_scores_of_training_rows(split, use_caching, end):
    X, y = split[:2]
    scoring = EpochScoring(
        "neg_log_loss", name="nll", on_train=True, use_caching=use_caching
    )
    params = {**ENDS[end], "alpha": 0.0, "max_iter": 15}  # the loss is the log-loss
    net = make_classifier(callbacks=[scoring], **params).fit(X, y)
    assert_allclose(net.history_[:, "nll"], -np.array(net.loss_curve_), rtol=1e-6)


def test_scores_of_a_regression(split):
    X, _, X_val, _ = split
    scoring = EpochScoring("r2", name="r2")
    net = MLPRegressor(solver="lbfgs", max_iter=6, callbacks=[scoring], random_state=0)
    net.fit(X[:, :3], X[:, 3], X_val=X_val[:, :3], y_val=X_val[:, 3])
    expected = net.score(X_val[:, :3], X_val[:, 3])
    assert_allclose(net.history_[-1, "r2"], expected, rtol=1e-9)


# Loggers, stops, checkpoints


def test_print_log(split):
    lines = []
    net = make_classifier(callbacks=[PrintLog(sink=lines.append)]).fit(*split[:2])
    assert len(lines) == 2 + net.n_iter_  # names, a rule, one line an iteration


@pytest.mark.parametrize(
    "callback",
    [
        BatchProgressBar(detect_notebook=False),
        BatchScoring("accuracy", name="acc", on_train=True),
    ],
    ids=get_name,
)
@pytest.mark.parametrize("validate", [False, True], ids=["", "validation"])
def test_callbacks_that_look_at_batches(split, callback, validate):
    X, y, X_val, y_val = split
    validation = {"X_val": X_val, "y_val": y_val} if validate else {}
    net = make_classifier(callbacks=[callback]).fit(X, y, **validation)
    same = make_classifier().fit(X, y)
    assert len(net.history_) == net.n_iter_
    assert_array_equal(get_weights(net), get_weights(same))


def test_early_stopping_callback(split):
    X, y, X_val, y_val = split
    stop = EarlyStopping("valid_loss", patience=3)
    net = make_classifier(callbacks=[stop], max_iter=500, alpha=0)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert 3 < net.n_iter_ == len(net.history_) < 500
    same = make_classifier(max_iter=net.n_iter_, alpha=0).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(same))


def test_checkpoint(split, tmp_path):
    X, y, X_val, y_val = split
    save = Checkpoint(
        "valid_loss_best", dirname=str(tmp_path), f_optimizer=None, f_criterion=None
    )
    net = make_classifier(callbacks=[save], alpha=0, max_iter=12)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    best = 1 + int(np.argmin(net.validation_loss_curve_))
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    same = make_classifier(max_iter=best, alpha=0).fit(X, y)
    for name, tensor in same.module_.state_dict().items():
        assert torch.equal(saved[name], tensor)


# What has nothing to work on


DROPPED = {
    "LRScheduler": LRScheduler("StepLR", step_size=1),
    "LRScheduler a batch": LRScheduler("StepLR", step_size=1, step_every="batch"),
    "GradientNormClipping": GradientNormClipping(1e-3),
    "GradientNormClipping by name": ("clip", GradientNormClipping(1e-3)),
}


@pytest.mark.parametrize("kind", DROPPED)
def test_callbacks_of_the_optimizer_are_dropped_with_a_warning(split, kind):
    X, y = split[:2]
    net = make_classifier(callbacks=[DROPPED[kind], ("hook", EpochHook())])
    with pytest.warns(UserWarning, match=f"{kind.split()[0]}.*lbfgs"):
        net.fit(X, y)
    assert_array_equal(get_weights(net), get_weights(make_classifier().fit(X, y)))
    assert dict(net.callbacks_)["hook"].calls_.count("end") == net.n_iter_
    assert net.callbacks[0] is DROPPED[kind]


# Parameters one by one


@pytest.mark.parametrize("frozen", ["layers.0.*", "layers.1.weight", "layers.0.bias"])
def test_frozen_parameters_stay(split, frozen):
    net = make_classifier(callbacks=[Freezer(frozen)]).fit(*split[:2])
    start = get_start()
    for name, parameter in net.module_.named_parameters():
        is_frozen = name.startswith(frozen.removesuffix("*"))
        assert np.array_equal(parameter.detach(), start[name]) == is_frozen
    plain = make_classifier().fit(*split[:2])
    assert net.loss_ > plain.loss_


def test_initial_values_are_trained_on(split):
    fill = functools.partial(torch.nn.init.constant_, val=3.0)
    callbacks = [Initializer("layers.0.bias", fn=fill), Freezer("layers.0.bias")]
    net = make_classifier(callbacks=callbacks).fit(*split[:2])
    assert_array_equal(net.intercepts_[0], 3.0)
    moved = make_classifier(callbacks=callbacks[:1]).fit(*split[:2])
    assert (moved.intercepts_[0] != 3.0).all()
    assert_allclose(moved.intercepts_[0], 3.0, atol=2.5)


def leave(parameter):
    """Change nothing; whoever asks for it makes the parameters plain."""


def test_a_mapper_that_changes_nothing_changes_no_bit(split):
    net = make_classifier(callbacks=[ParamMapper("*", leave)]).fit(*split[:2])
    plain = make_classifier().fit(*split[:2])
    assert_allclose(get_weights(net), get_weights(plain), rtol=1e-6, atol=1e-9)
    assert net.n_iter_ == plain.n_iter_


# Verbosity


@pytest.mark.parametrize("validate", [False, True], ids=["", "validation"])
def test_verbose_prints_no_lines_of_epochs(split, validate, capsys):
    X, y, X_val, y_val = split
    validation = {"X_val": X_val, "y_val": y_val} if validate else {}
    make_classifier(verbose=True).fit(X, y, **validation)
    printed = capsys.readouterr().out
    assert "Iteration" not in printed
    assert "Validation score" not in printed
