"""Callbacks of scikit-learn (`set_callbacks`) and of skorch (`callbacks=`)."""

import functools
import gc
import warnings
import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    LRScheduler,
    ParamMapper,
    PrintLog,
)
from skorch.callbacks import ProgressBar as BatchProgressBar
from skorch.history import History

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ["sgd", "adam", "lbfgs"]
STOCHASTIC = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def split(iris):
    """Training and validation rows: ``X, y, X_val, y_val``."""
    X, y = iris
    return X[::2], y[::2], X[1::2], y[1::2]


def make_classifier(**params):
    """Make a small network of 150 / 32 = 5 steps an epoch."""
    defaults = {"hidden_layer_sizes": (8,), "batch_size": 32, "max_iter": 5}
    return MLPClassifier(**{**defaults, "random_state": 0, **params})


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


class Recorder:
    """A scikit-learn callback that keeps what it is told."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls, self.snapshots, self.metadata = [], [], []

    def setup(self, estimator, context):
        self.calls.append(("setup", context.max_subtasks))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.max_subtasks))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.parent is None))

    def on_fit_task_end(self, estimator, context, *, metadata, fitted_estimator):
        self.calls.append(("end", context.parent is None))
        if context.parent is None:
            return False
        self.snapshots.append(fitted_estimator)
        self.metadata.append(metadata)
        return len(self.snapshots) == self.stop_after


class StopAfter:
    """A scikit-learn callback that is handed down and stops at an epoch."""

    max_propagation_depth = None

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        in_a_network = context.estimator_name.startswith("MLP")
        is_epoch = in_a_network and context.source_estimator_name is None
        return is_epoch and context.task_id + 1 >= self.n_epochs


def make_batch_recorder():
    """Make a skorch callback; its ``log`` is on the class, so its clones share it."""

    class BatchRecorder(Callback):
        log = []

        def on_batch_end(self, net, batch=None, training=None, **kwargs):
            size, loss = len(batch[0]), float(kwargs["loss"])
            self.log.append((len(net.history), training, size, loss))

    return BatchRecorder()


def make_gradient_recorder():
    """Make a skorch callback that keeps the norm of each step's whole gradient."""

    class GradientRecorder(Callback):
        log = []

        def on_grad_computed(self, net, named_parameters, **kwargs):
            gradients = [p.grad.ravel() for _, p in named_parameters]
            self.log.append(float(torch.cat(gradients).norm()))

    return GradientRecorder()


# scikit-learn's callbacks


@pytest.mark.parametrize("solver", SOLVERS)
def test_contexts_are_one_root_and_one_leaf_an_epoch(iris, solver):
    recorder = Recorder()
    net = make_classifier(solver=solver).set_callbacks(recorder).fit(*iris)
    epoch = [("begin", False), ("end", False)]
    assert net.n_iter_ > 1
    assert recorder.calls == [
        ("setup", 5),
        ("begin", True),
        *epoch * net.n_iter_,
        ("end", True),
        ("teardown", 5),
    ]


@pytest.mark.parametrize("solver", SOLVERS)
def test_fitted_estimator_is_the_model_of_its_epoch(iris, solver):
    X, y = iris
    recorder = Recorder()
    make_classifier(solver=solver).set_callbacks(recorder).fit(X, y)
    for epoch, snapshot in enumerate(recorder.snapshots, start=1):
        same = make_classifier(solver=solver, max_iter=epoch).fit(X, y)
        assert_array_equal(snapshot.predict_proba(X), same.predict_proba(X))
        assert_array_equal(snapshot.predict(X), same.predict(X))
        assert snapshot.n_iter_ == epoch


def test_fitted_estimator_is_independent_of_the_estimator(iris):
    X, y = iris
    recorder = Recorder()
    net = make_classifier().set_callbacks(recorder).fit(X, y)
    before = recorder.snapshots[-1].predict_proba(X)
    net.partial_fit(X, y)
    recorder.snapshots[0].coefs_[0][...] = 0
    assert_array_equal(recorder.snapshots[-1].predict_proba(X), before)


@pytest.mark.parametrize("solver", SOLVERS)
def test_return_value_stops(iris, solver):
    X, y = iris
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = make_classifier(solver=solver, max_iter=50)
        net.set_callbacks(Recorder(stop_after=3)).fit(X, y)
    same = make_classifier(solver=solver, max_iter=3).fit(X, y)
    assert net.n_iter_ == 3
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_changes_nothing(iris, solver):
    plain = make_classifier(solver=solver).fit(*iris)
    watched = make_classifier(solver=solver).set_callbacks(Recorder()).fit(*iris)
    assert_array_equal(get_weights(watched), get_weights(plain))


@pytest.mark.parametrize("solver", SOLVERS)
def test_scoring_monitor_of_the_estimator_alone(iris, solver):
    X, y = iris
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    net = make_classifier(solver=solver).set_callbacks(monitor).fit(X, y)
    rows = [row for row in monitor.get_logs().data if len(row["task_id_path"]) == 2]
    assert len(rows) == net.n_iter_
    assert rows[-1]["accuracy"] == net.score(X, y)
    assert_allclose(
        rows[-1]["neg_log_loss"], -log_loss(y, net.predict_proba(X)), rtol=1e-12
    )


def test_metadata_carries_sample_weight(iris):
    X, y = iris
    weight = np.linspace(0.1, 2, len(y))
    monitor = ScoringMonitor(scoring="accuracy")
    net = make_classifier().set_callbacks(monitor).fit(X, y, sample_weight=weight)
    rows = [row for row in monitor.get_logs().data if len(row["task_id_path"]) == 2]
    assert_allclose(rows[-1]["accuracy"], net.score(X, y, weight), rtol=1e-12)


def test_validation_data_is_not_metadata_of_the_scores(split):
    X, y, X_val, y_val = split
    monitor = ScoringMonitor(scoring="accuracy")
    net = make_classifier().set_callbacks(monitor)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert monitor.get_logs().data[-1]["accuracy"] == net.score(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
def test_progress_bar_reaches_the_end(iris, solver, capsys):
    pytest.importorskip("rich")
    make_classifier(solver=solver).set_callbacks(ProgressBar()).fit(*iris)
    printed = capsys.readouterr().out
    assert "MLPClassifier - fit" in printed
    assert "100%" in printed


def test_callbacks_in_a_pipeline(iris, capsys):
    pytest.importorskip("rich")
    monitor = ScoringMonitor(scoring="accuracy")
    pipe = make_pipeline(StandardScaler(), make_classifier().set_callbacks(monitor))
    pipe.set_callbacks(ProgressBar(max_propagation_depth=None), StopAfter(4))
    pipe.fit(*iris)
    assert pipe[-1].n_iter_ == 4
    depths = [len(row["task_id_path"]) for row in monitor.get_logs().data]
    assert depths.count(3) == 4  # Pipeline, step, epoch
    assert "MLPClassifier - fit" in capsys.readouterr().out


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_in_a_grid_search(iris, n_jobs, capsys):
    pytest.importorskip("rich")
    monitor = ScoringMonitor(scoring="accuracy")
    pipe = make_pipeline(StandardScaler(), make_classifier().set_callbacks(monitor))
    grid = {"mlpclassifier__alpha": [1e-4, 1.0]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=n_jobs)
    search.set_callbacks(ProgressBar(max_propagation_depth=None), StopAfter(3))
    search.fit(*iris)
    assert search.best_estimator_[-1].n_iter_ == 3
    rows = monitor.get_logs().data
    deepest = max(len(row["task_id_path"]) for row in rows)
    n_fits = 2 * 2 + 1
    assert sum(len(row["task_id_path"]) == deepest for row in rows) >= 3 * 2 * 2
    assert sum(row["estimator_name"] == "MLPClassifier" for row in rows) >= 3 * n_fits
    assert "100%" in capsys.readouterr().out


def test_inner_progress_bar_is_refused_as_everywhere(iris):
    pytest.importorskip("rich")
    pipe = make_pipeline(make_classifier().set_callbacks(ProgressBar()))
    with pytest.raises(TypeError, match="auto-propagated"):
        pipe.fit(*iris)


def test_clone_and_refit_keep_the_callbacks(iris):
    net = make_classifier().set_callbacks(StopAfter(2)).fit(*iris)
    assert clone(net).fit(*iris).n_iter_ == 2
    assert net.fit(*iris).n_iter_ == 2
    assert net.set_callbacks().fit(*iris).n_iter_ == 5


class Failing(StopAfter):
    """Fails in the second epoch."""

    torn_down = 0

    def teardown(self, estimator, context):
        self.torn_down += 1

    def on_fit_task_end(self, estimator, context):
        if context.task_id == 1:
            raise RuntimeError("of the callback")


def test_callbacks_are_torn_down_when_fit_fails(iris):
    failing = Failing(None)
    net = make_classifier().set_callbacks(failing)
    with pytest.raises(RuntimeError, match="of the callback"):
        net.fit(*iris)
    assert failing.torn_down == 1
    assert not hasattr(net, "_callback_fit_ctx")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["none", "sklearn", "skorch", "early_stopping"])
@pytest.mark.filterwarnings("ignore:early_stopping=True has no effect")
def test_nothing_holds_the_data_after_fit(iris, solver, kind):
    X, y = iris[0].copy(), iris[1].copy()
    net = make_classifier(solver=solver, early_stopping=kind == "early_stopping")
    recorder = Recorder()
    if kind == "sklearn":
        net.set_callbacks(recorder)
    if kind == "skorch":
        net.set_params(callbacks=[make_batch_recorder()])
    net.fit(X, y)
    references = [weakref.ref(X), weakref.ref(y)]
    del X, y
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    assert not hasattr(net, "_callback_fit_ctx")


# skorch's callbacks


def test_history_is_skorchs_with_the_promised_keys(split):
    X, y, X_val, y_val = split
    net = make_classifier().fit(X, y)
    assert isinstance(net.history_, History)
    assert {"epoch", "train_loss", "train_loss_best", "lr", "dur"} <= set(
        net.history_[0]
    )
    assert "valid_loss" not in net.history_[0]
    assert net.history_[:, "epoch"] == [1, 2, 3, 4, 5]
    assert_allclose(net.history_[:, "train_loss"], net.loss_curve_, rtol=1e-12)

    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert {"valid_loss", "valid_loss_best", "valid_score", "valid_score_best"} <= set(
        net.history_[0]
    )
    assert net.history_[:, "valid_loss"] == list(net.validation_loss_curve_)
    assert net.history_[:, "valid_score"] == list(net.validation_scores_)


@pytest.mark.parametrize("key", ["train_loss", "valid_loss"])
def test_best_keys_mark_the_epochs_with_a_new_best(split, key):
    X, y, X_val, y_val = split
    net = make_classifier(learning_rate_init=0.3, max_iter=15)
    history = net.fit(X, y, X_val=X_val, y_val=y_val).history_
    values = np.array(history[:, key])
    best_before = np.minimum.accumulate(np.r_[np.inf, values[:-1]])
    assert history[:, f"{key}_best"] == list(values < best_before)


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    "params", [{}, {"activation": "tanh", "hidden_layer_sizes": ()}, {"alpha": 0.5}]
)
def test_a_passive_batch_hook_changes_no_bit(iris, solver, early_stopping, params):
    params = {"solver": solver, "early_stopping": early_stopping, **params}
    plain = make_classifier(**params).fit(*iris)
    hooked = make_classifier(callbacks=[make_batch_recorder()], **params).fit(*iris)
    assert_array_equal(get_weights(hooked), get_weights(plain))
    assert_allclose(hooked.loss_curve_, plain.loss_curve_, rtol=1e-12)
    assert hooked.n_iter_ == plain.n_iter_
    assert hooked.validation_scores_ == plain.validation_scores_


def test_a_passive_batch_hook_changes_no_bit_of_a_weighted_regression(iris):
    X, y = iris[0][:, :3], iris[0][:, 3]
    weight = np.linspace(0, 2, len(y))
    params = {"batch_size": 40, "max_iter": 4, "random_state": 0}
    plain = MLPRegressor(**params).fit(X, y, weight)
    hooked = MLPRegressor(callbacks=[make_batch_recorder()], **params).fit(X, y, weight)
    assert_array_equal(get_weights(hooked), get_weights(plain))
    assert_allclose(hooked.loss_curve_, plain.loss_curve_, rtol=1e-12)


def test_batch_hooks_see_every_batch(split):
    X, y, X_val, y_val = split
    recorder = make_batch_recorder()
    net = make_classifier(callbacks=[recorder], alpha=0.3)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    steps = [row for row in recorder.log if row[1]]
    sizes = np.reshape([row[2] for row in steps], (net.n_iter_, -1))
    losses = np.reshape([row[3] for row in steps], (net.n_iter_, -1))
    assert_array_equal(sizes, [[32, 32, 11]] * net.n_iter_)
    weighted_mean = np.average(losses, axis=1, weights=sizes)
    assert_allclose(weighted_mean, net.loss_curve_, rtol=1e-12)
    n_validated = sum(row[2] for row in recorder.log if not row[1])
    assert n_validated == net.n_iter_ * len(X_val)


def test_the_parameter_is_left_alone_and_callbacks_are_cloned(iris):
    class Counter(Callback):
        def on_epoch_end(self, net, **kwargs):
            self.count_ = getattr(self, "count_", 0) + 1

    counter = Counter()
    callbacks = [("counter", counter), EpochTimer()]
    before = list(callbacks)
    net = make_classifier(callbacks=callbacks).fit(*iris)
    assert net.callbacks is callbacks
    assert callbacks == before
    assert not hasattr(counter, "count_")
    assert dict(net.callbacks_)["counter"].count_ == net.n_iter_


def test_clone_and_get_params_carry_callbacks(iris):
    net = make_classifier(callbacks=[EarlyStopping("train_loss", threshold=10)])
    copy = clone(net)
    assert copy.callbacks[0] is not net.callbacks[0]
    assert copy.callbacks[0].threshold == 10
    assert net.set_params(callbacks=None).fit(*iris).n_iter_ == 5


def test_epoch_scoring_of_a_named_scorer_on_validation_rows(split):
    X, y, X_val, y_val = split
    scorings = [
        EpochScoring("accuracy", lower_is_better=False, name="acc"),
        EpochScoring("neg_log_loss", lower_is_better=False, name="nll"),
    ]
    net = make_classifier(callbacks=scorings).fit(X, y, X_val=X_val, y_val=y_val)
    assert net.history_[-1, "acc"] == net.score(X_val, y_val)
    expected = -log_loss(y_val, net.predict_proba(X_val))
    assert_allclose(net.history_[-1, "nll"], expected, rtol=1e-9)


def test_epoch_scoring_on_training_rows(iris):
    X, y = iris
    scoring = EpochScoring("accuracy", on_train=True, name="acc", use_caching=False)
    net = make_classifier(callbacks=[scoring]).fit(X, y)
    assert net.history_[-1, "acc"] == net.score(X, y)


def test_epoch_scoring_caches_the_predictions_of_the_epoch(iris):
    X, y = iris
    scoring = EpochScoring("accuracy", on_train=True, name="acc")
    net = make_classifier(callbacks=[scoring], learning_rate_init=1e-12).fit(X, y)
    assert net.history_[-1, "acc"] == net.score(X, y)  # no step moved anything


def test_epoch_scoring_of_a_regression(iris):
    X, y = iris[0][:, :3], iris[0][:, 3]
    net = MLPRegressor(max_iter=5, random_state=0, callbacks=[EpochScoring("r2")])
    net.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert_allclose(net.history_[-1, "r2"], net.score(X[1::2], y[1::2]), rtol=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_early_stopping_callback_restores_the_best_epoch(split, solver):
    X, y, X_val, y_val = split
    stop = EarlyStopping("valid_loss", patience=3, load_best=True)
    rate = {"sgd": 1.0, "adam": 0.1}[solver]
    net = make_classifier(
        solver=solver, learning_rate_init=rate, max_iter=200, callbacks=[stop]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(X, y, X_val=X_val, y_val=y_val)
    losses = net.history_[:, "valid_loss"]
    assert 3 < net.n_iter_ < 200
    assert min(losses) < losses[-1]
    outside = log_loss(y_val, net.predict_proba(X_val))
    assert_allclose(outside, min(losses), rtol=1e-9)


def test_early_stopping_callback_on_the_training_loss(iris):
    stop = EarlyStopping("train_loss", patience=4, threshold=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = make_classifier(max_iter=200, callbacks=[stop]).fit(*iris)
    assert 4 < net.n_iter_ < 50
    same = make_classifier(max_iter=net.n_iter_).fit(*iris)
    assert_array_equal(get_weights(net), get_weights(same))


def test_checkpoint_writes_the_best_epoch(split, tmp_path):
    X, y, X_val, y_val = split
    checkpoint = Checkpoint(monitor="valid_loss_best", dirname=str(tmp_path))
    params = {"learning_rate_init": 0.3, "max_iter": 20}
    net = make_classifier(callbacks=[checkpoint], **params)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    best = 1 + np.flatnonzero(net.history_[:, "event_cp"])[-1]
    assert best == 1 + np.argmin(net.history_[:, "valid_loss"])
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    same = make_classifier(**{**params, "max_iter": best}).fit(X, y)
    for name, tensor in same.module_.state_dict().items():
        assert torch.equal(saved[name], tensor)
    assert {"optimizer.pt", "history.json"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_checkpoint_load_best(split, tmp_path):
    X, y, X_val, y_val = split
    checkpoint = Checkpoint(dirname=str(tmp_path), load_best=True)
    net = make_classifier(callbacks=[checkpoint], learning_rate_init=0.3, max_iter=20)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    best = min(net.validation_loss_curve_)
    assert best < net.validation_loss_curve_[-1]
    assert net.history_[-1, "valid_loss"] == best  # skorch goes back in it too
    assert_allclose(log_loss(y_val, net.predict_proba(X_val)), best, rtol=1e-9)
    net.set_params(callbacks=None).partial_fit(X, y)
    first = next(net.module_.parameters()).detach()
    assert_array_equal(net.coefs_[0].T, first)
    assert not np.isclose(log_loss(y_val, net.predict_proba(X_val)), best)


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("hooked", [False, True])
def test_lr_scheduler_sets_the_rate(iris, solver, hooked):
    rate = {"momentum": 0, "solver": solver, "learning_rate_init": 0.01}
    callbacks = [LRScheduler("StepLR", step_size=2, gamma=0.0)]
    if hooked:
        callbacks.append(make_batch_recorder())
    net = make_classifier(callbacks=callbacks, **rate).fit(*iris)
    assert_allclose(net.history_[:, "lr"], [0.01, 0.01, 0, 0, 0])
    same = make_classifier(max_iter=2, **rate).fit(*iris)
    assert_array_equal(get_weights(net), get_weights(same))


def test_lr_scheduler_of_every_step(iris):
    X, y = iris
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.5, step_every="batch")
    params = {"solver": "sgd", "momentum": 0, "max_iter": 1, "alpha": 0}
    params |= {"shuffle": False, "hidden_layer_sizes": ()}
    net = make_classifier(learning_rate_init=1.0, callbacks=[schedule], **params)
    net.fit(X, y)
    start = make_classifier(learning_rate_init=1e-300, **params).fit(X, y)
    W, b = start.coefs_[0].copy(), start.intercepts_[0].copy()
    one_hot = (y[:, None] == net.classes_).astype(float)
    for step in range(5):
        rows = slice(32 * step, 32 * (step + 1))
        delta = softmax(X[rows] @ W + b, axis=1) - one_hot[rows]
        W -= 0.5**step * X[rows].T @ delta / len(delta)
        b -= 0.5**step * delta.mean(axis=0)
    assert_allclose(net.coefs_[0], W, rtol=1e-9)
    assert_allclose(net.intercepts_[0], b, rtol=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_gradient_norm_clipping_clips(iris, solver):
    clip = GradientNormClipping(1e-3)
    unclipped, clipped = make_gradient_recorder(), make_gradient_recorder()
    params = {"solver": solver, "momentum": 0, "alpha": 0, "max_iter": 3}
    plain = make_classifier(callbacks=[unclipped], **params).fit(*iris)
    net = make_classifier(callbacks=[clip, clipped], **params).fit(*iris)
    assert min(unclipped.log) > 1e-2
    assert len(clipped.log) == 15
    assert max(clipped.log) <= 1e-3 * (1 + 1e-9)
    assert not np.array_equal(get_weights(net), get_weights(plain))


def test_clipped_sgd_cannot_move_further_than_its_steps(iris):
    params = {"solver": "sgd", "momentum": 0, "learning_rate_init": 1.0, "max_iter": 3}
    net = make_classifier(callbacks=[GradientNormClipping(1e-3)], **params).fit(*iris)
    start = make_classifier(**{**params, "max_iter": 1, "learning_rate_init": 1e-300})
    start.fit(*iris)
    distance = np.linalg.norm(get_weights(net) - get_weights(start))
    assert 0 < distance <= 15 * 1e-3 * (1 + 1e-9)


def get_first_parameter(iris):
    return next(iter(dict(make_classifier().fit(*iris).module_.named_parameters())))


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("epoch", [1, 3])
def test_frozen_weights_do_not_move(iris, solver, epoch):
    name = get_first_parameter(iris)
    frozen = make_classifier(solver=solver, callbacks=[Freezer(name, at=epoch)])
    frozen.fit(*iris)
    if epoch == 1:
        until = make_classifier(max_iter=1, solver="sgd", learning_rate_init=1e-300)
    else:
        until = make_classifier(max_iter=epoch - 1, solver=solver)
    until.fit(*iris)
    parameters = dict(frozen.module_.named_parameters())
    for other, tensor in until.module_.named_parameters():
        # Plain parameters are trained by autograd: equal to rounding.
        same = torch.allclose(parameters[other], tensor, rtol=1e-9, atol=1e-12)
        assert same == (other == name)


def test_param_mapper_sets_weights(iris):
    name = get_first_parameter(iris)
    fill = functools.partial(torch.nn.init.constant_, val=0.5)
    net = make_classifier(
        callbacks=[ParamMapper(name, fn=fill, at=5)], learning_rate_init=1e-9
    )
    net.fit(*iris)
    weight = dict(net.module_.named_parameters())[name].detach().numpy()
    assert_allclose(weight, 0.5, rtol=1e-6)
    assert_array_equal(net.coefs_[0].T, weight)


def test_batch_progress_bar(iris, capsys):
    bar = BatchProgressBar(detect_notebook=False)
    make_classifier(callbacks=[bar]).fit(*iris)
    assert "it/s" in capsys.readouterr().err


def test_epoch_timer_and_print_log(iris):
    lines = []

    def sink(text):
        lines.append(text)

    net = make_classifier(callbacks=[EpochTimer(), PrintLog(sink=sink)]).fit(*iris)
    assert all(duration > 0 for duration in net.history_[:, "dur"])
    assert len(lines) == 2 + net.n_iter_  # names, a rule, one line an epoch
    assert "train_loss" in lines[0]


def test_an_error_of_a_callback_is_not_swallowed(iris):
    class Broken(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("of the callback")

    with pytest.raises(RuntimeError, match="of the callback"):
        make_classifier(callbacks=[Broken()]).fit(*iris)


def test_skorch_callbacks_in_a_grid_search(split):
    X, y, X_val, y_val = split
    net = make_classifier(callbacks=[EarlyStopping("valid_loss", patience=2)])
    net.set_params(learning_rate_init=1.0, max_iter=100)
    with config_context(enable_metadata_routing=True):
        net.set_fit_request(X_val=True, y_val=True)
        search = GridSearchCV(net, {"alpha": [1e-4, 1.0]}, cv=2)
        search.fit(X, y, X_val=X_val[:60], y_val=y_val[:60])
    assert search.best_estimator_.n_iter_ < 100


def test_two_kinds_of_callbacks_together(iris):
    recorder, batches = Recorder(stop_after=3), make_batch_recorder()
    net = make_classifier(callbacks=[batches]).set_callbacks(recorder).fit(*iris)
    assert net.n_iter_ == 3
    assert len(batches.log) == 3 * 5
    same = make_classifier(max_iter=2).fit(*iris)
    assert_array_equal(
        recorder.snapshots[1].predict_proba(iris[0]), same.predict_proba(iris[0])
    )


def test_print_log_prints_its_table(capsys):
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier((5,), max_iter=2, random_state=0, callbacks=[PrintLog()])
    net.set_params(tol=0, n_iter_no_change=2).fit(X, y)
    assert "train_loss" in capsys.readouterr().out
