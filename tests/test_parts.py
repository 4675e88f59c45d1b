"""Large batches and predictions in parts, shared by Python threads.

The threshold is lowered, so that small networks are computed in parts too.
"""

import multiprocessing
import os
import threading
import warnings

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from skorch.callbacks import Callback, EpochScoring

from sknn import MLPClassifier, MLPRegressor, _mlp_base
from sknn.training import _forward_pass, _parallel
from sknn.training._delta_rule import DeltaRule
from sknn.training._forward_pass import ForwardPass

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ["sgd", "adam", "lbfgs"]
N_ROWS, BATCH_SIZE = 1300, 200  # the last 100 rows are not worth so many parts
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(N_ROWS, 20))
CODES = (np.abs(X[:, :2]).sum(axis=1) + 0.2 * RANDOM.normal(size=N_ROWS) > 1.5) + 0
TARGETS = {
    "binary": (MLPClassifier, CODES),
    "multiclass": (MLPClassifier, CODES + (X[:, 2] > 0)),
    "multilabel": (MLPClassifier, (X[:, :3] > 0.2).astype(int)),
    "regression": (MLPRegressor, np.sin(X[:, 0])),
    "outputs": (MLPRegressor, np.cos(X[:, :2])),
}


@pytest.fixture(autouse=True)
def threads_put_back():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def parted(monkeypatch):
    """Compute everything in parts, by two threads."""
    monkeypatch.setattr(_parallel, "WORTH_A_THREAD", 1000)
    monkeypatch.setattr(_mlp_base, "MOST_SUMMED_PARTS", 8)  # whatever this machine has
    monkeypatch.setattr(_forward_pass, "CHUNK_ENTRIES", 2000)
    torch.set_num_threads(2)


def make_net(target="multiclass", **params):
    Estimator, y = TARGETS[target]
    defaults = {"hidden_layer_sizes": (16,), "batch_size": BATCH_SIZE, "max_iter": 3}
    defaults |= {"random_state": 0, "learning_rate_init": 0.01}
    if params.get("solver") == "lbfgs":
        defaults |= {"max_iter": 8}
    return Estimator(**{**defaults, **params}), y


def get_weights(net):
    return np.concatenate([np.ravel(w) for w in [*net.coefs_, *net.intercepts_]])


class ThreadCount(Callback):
    """Counts the Python threads at the end of each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.counts_ = []

    def on_epoch_end(self, net, **kwargs):
        self.counts_.append(threading.active_count())


class BatchHook(Callback):
    """Keeps the rows of what each batch predicted."""

    def on_train_begin(self, net, **kwargs):
        self.n_predicted_ = []

    def on_batch_end(self, net, y_pred=None, **kwargs):
        self.n_predicted_.append(len(y_pred))


# Which threads


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_as_many_threads_as_torch_has(parted, n_threads):
    torch.set_num_threads(n_threads)
    before = threading.active_count()
    net, y = make_net(callbacks=[("count", ThreadCount())])
    net.fit(X, y)
    counts = dict(net.callbacks_)["count"].counts_
    assert counts == [before + n_threads - 1] * net.n_iter_
    assert threading.active_count() == before
    assert torch.get_num_threads() == n_threads


def test_small_networks_start_no_thread():
    torch.set_num_threads(2)
    before = threading.active_count()
    net, y = make_net(callbacks=[("count", ThreadCount())])
    net.fit(X, y)
    assert dict(net.callbacks_)["count"].counts_ == [before] * net.n_iter_


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_thread_is_left(parted, solver):
    before = threading.active_count()
    net, y = make_net(solver=solver)
    for _ in range(3):
        net.fit(X, y)
        net.predict(X), net.predict_proba(X), net.transform(X)
        if solver != "lbfgs":
            net.partial_fit(X, y)
    assert threading.active_count() == before


# The same numbers


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_parts_train_as_the_whole_does(target, solver, weighted, form, request):
    net, y = make_net(target, solver=solver, alpha=0.1)
    weight = np.arange(N_ROWS) % 3 if weighted else None
    whole = clone(net).fit(form(X), y, weight)
    request.getfixturevalue("parted")
    parts = net.fit(form(X), y, weight)
    assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-9)
    assert_allclose(get_weights(parts), get_weights(whole), rtol=1e-6, atol=1e-9)
    assert not np.array_equal(get_weights(parts), get_weights(whole))  # so they are


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_changes_no_bit(parted, solver, activation, dtype):
    net, y = make_net(solver=solver, activation=activation)
    fits = []
    for n_threads in (1, 2, 3):
        torch.set_num_threads(n_threads)
        fits.append(clone(net).fit(X.astype(dtype), y))
    for other in fits[1:]:
        assert_array_equal(get_weights(other), get_weights(fits[0]))
        assert other.loss_curve_ == fits[0].loss_curve_


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_number_of_threads_changes_no_bit_of_a_large_network(
    early_stopping, monkeypatch
):
    """Of a size that is parted without being told."""
    rows = np.random.RandomState(0).normal(size=(2500, 64)).astype(np.float32)
    y = (rows[:, 0] * rows[:, 1] > 0).astype(int)
    monkeypatch.setattr(_mlp_base, "MOST_SUMMED_PARTS", 8)
    net = MLPClassifier((256, 256), batch_size=1024, max_iter=2, random_state=0)
    net.set_params(early_stopping=early_stopping)
    fits, predictions, counts = [], [], []
    before = threading.active_count()
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        fit = clone(net).set_params(callbacks=[("count", ThreadCount())]).fit(rows, y)
        fits.append(get_weights(fit))
        predictions.append(fit.predict_proba(np.tile(rows, (3, 1))))
        counts.append(max(dict(fit.callbacks_)["count"].counts_) - before)
    assert counts == [0, 1]
    assert_array_equal(*fits)
    assert_array_equal(*predictions)


def test_a_batch_hook_changes_no_bit_and_sees_all_rows(parted):
    net, y = make_net()
    plain = clone(net).fit(X, y)
    net.set_params(callbacks=[("hook", BatchHook())]).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(plain))
    n_predicted = dict(net.callbacks_)["hook"].n_predicted_
    assert n_predicted == [200, 200, 200, 200, 200, 200, 100] * net.n_iter_


def test_cached_predictions_of_parts_are_in_order(parted):
    scoring = EpochScoring("accuracy", on_train=True, name="acc")
    net, y = make_net(callbacks=[scoring], learning_rate_init=1e-12, shuffle=False)
    net.fit(X, y)
    assert_allclose(net.history_[-1, "acc"], net.score(X, y), rtol=1e-12)


def test_fits_in_threads_of_ones_own(parted):
    net, y = make_net()
    before = threading.active_count()

    def fit(seed):
        warnings.simplefilter("ignore")
        return get_weights(clone(net).set_params(random_state=seed).fit(X, y))

    alone = [fit(seed) for seed in range(4)]
    together = Parallel(n_jobs=2, backend="threading")(
        delayed(fit)(seed) for seed in range(4)
    )
    assert_array_equal(together, alone)
    assert threading.active_count() <= before + 2  # joblib's may outlive the call


# Predictions


@pytest.mark.parametrize("hidden", [(), (16,), (16, 9)])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_predictions_in_parts(hidden, form, request):
    net, y = make_net(hidden_layer_sizes=hidden)
    net.fit(X, y)
    rows = form(np.tile(X, (9, 1)))
    methods = [net.predict_proba, net.transform, net.predict]
    whole = [method(rows) for method in methods]
    request.getfixturevalue("parted")
    parts = [method(rows) for method in methods]
    torch.set_num_threads(1)
    alone = [method(rows) for method in methods]
    for one, two, three in zip(whole, parts, alone, strict=True):
        if sparse.issparse(one):
            one, two, three = one.toarray(), two.toarray(), three.toarray()
        assert_allclose(two, one, rtol=1e-12)
        assert_array_equal(two, three)


# What goes wrong


class Interrupt(Callback):
    """Raises KeyboardInterrupt after the third step of the third epoch."""

    def on_epoch_begin(self, net, **kwargs):
        self.step_ = 0

    def on_batch_end(self, net, training=None, **kwargs):
        self.step_ += bool(training)
        if len(net.history) == 3 and self.step_ == 3:
            raise KeyboardInterrupt


def test_ctrl_c(parted):
    before = threading.active_count()
    net, y = make_net(callbacks=[Interrupt()], max_iter=50)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y)
    assert threading.active_count() == before
    same = make_net(max_iter=2)[0].fit(X, y)
    assert net.n_iter_ == 2
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_real_ctrl_c(parted, alarm, solver):
    before = threading.active_count()
    net, y = make_net(solver=solver, tol=0, alpha=1e-9, n_iter_no_change=10**6)
    if solver == "lbfgs":
        y = np.random.RandomState(0).randint(0, 10, N_ROWS)  # more than 20 units fit:
        net.set_params(hidden_layer_sizes=(20,), activation="tanh")  # takes long
    net.set_params(max_iter=1).fit(X, y)  # imports are not the subject
    net.set_params(max_iter=10**6, max_fun=10**7)
    with pytest.warns(UserWarning, match="interrupted by user"):
        alarm(0.2)
        net.fit(X, y)
    assert threading.active_count() == before
    assert net.n_iter_ > 0
    same = clone(net).set_params(max_iter=net.n_iter_).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(same))


def test_divergence(parted):
    before = threading.active_count()
    params = {"solver": "sgd", "learning_rate_init": 1e6, "max_iter": 50}
    net, y = make_net("regression", **params)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        net.fit(100 * X, y)
    assert threading.active_count() == before
    assert np.isfinite(get_weights(net)).all()
    assert_array_equal(
        net.set_params(max_iter=2, learning_rate_init=0.01).fit(X, y).t_, 2 * N_ROWS
    )


# Values that are not finite, looked for chunk by chunk


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
@pytest.mark.parametrize("n_rows", [1, N_ROWS])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_refuse_what_is_not_finite(parted, method, n_rows, bad):
    net, y = make_net()
    net.fit(X, y)
    X_bad = X[:n_rows].copy()
    X_bad[-1, 3] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        getattr(net, method)(X_bad)
    with config_context(assume_finite=True):
        assert len(getattr(net, method)(X_bad)) == n_rows


def test_finite_values_whose_sum_is_not_are_fine(parted):
    net, y = make_net(dtype="float32")
    net.fit(X, y)
    huge = np.full_like(X, 3e38, dtype=np.float32)
    assert set(net.predict(huge)) <= set(net.classes_)


@pytest.mark.parametrize("n_rows", [N_ROWS, 1201, 1])  # a last chunk of one row
@pytest.mark.parametrize("n_columns", [20, 1])
def test_predictions_of_any_memory(parted, n_rows, n_columns):
    net, y = make_net()
    rows = X[:n_rows, :n_columns]
    net.fit(X[:, :n_columns], y)
    expected = net.predict_proba(np.array(rows))
    frozen = np.array(rows)
    frozen.flags.writeable = False
    record = np.zeros(n_rows, [("flag", "i1"), ("x", "f8", (n_columns,))])
    record["x"] = rows
    backwards = np.array(rows[::-1, ::-1])[::-1, ::-1]
    for form in (frozen, np.asfortranarray(rows), record["x"], backwards):
        assert_allclose(net.predict_proba(form), expected, rtol=1e-12)
        assert net.transform(form).shape == (n_rows, 16)


class BrokenError(Exception):
    """What no code of ours raises."""


def break_in(monkeypatch, cls, name, in_worker):
    """Make a method raise in a worker's thread, or in the caller's."""
    original, caller = getattr(cls, name), threading.get_ident()
    has_raised = threading.Event()

    def method(self, *args, **kwargs):
        if (threading.get_ident() != caller) == in_worker:
            has_raised.set()
            raise BrokenError
        has_raised.wait(timeout=60)  # leave some work for the thread that is to raise
        return original(self, *args, **kwargs)

    monkeypatch.setattr(cls, name, method)


@pytest.mark.parametrize("in_worker", [False, True], ids=["caller", "worker"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_error_in_a_part_reaches_the_caller(parted, solver, in_worker):
    before = threading.active_count()
    net, y = make_net(solver=solver)
    with pytest.MonkeyPatch.context() as patch:
        break_in(patch, DeltaRule, "__call__", in_worker)
        with pytest.raises(BrokenError):
            net.fit(X, y)
    assert threading.active_count() == before
    assert torch.get_num_threads() == 2
    same = make_net(solver=solver)[0].fit(X, y)
    assert_array_equal(get_weights(net.fit(X, y)), get_weights(same))


@pytest.mark.parametrize("in_worker", [False, True], ids=["caller", "worker"])
def test_an_error_in_a_prediction_reaches_the_caller(parted, in_worker):
    before = threading.active_count()
    net, y = make_net()
    expected = net.fit(X, y).predict_proba(X)
    with pytest.MonkeyPatch.context() as patch:
        break_in(patch, ForwardPass, "_propagate", in_worker)
        with pytest.raises(BrokenError):
            net.predict_proba(X)
    assert threading.active_count() == before
    assert_array_equal(net.predict_proba(X), expected)


# Forks


def fit_and_send(pipe):
    warnings.simplefilter("ignore")
    net, y = make_net()
    net.fit(X, y)
    pipe.send((get_weights(net), net.predict_proba(X)))


class ForkInTheMiddle(Callback):
    """Forks a child that fits, while the parent's threads wait."""

    log = []

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            self.log.append(fork_and_receive())


def fork_and_receive():
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=fit_and_send, args=(sender,))
    child.start()
    try:
        assert receiver.poll(60), "the child hangs"
        received = receiver.recv()
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
    return received


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("when", ["after", "during"])
def test_a_forked_child_computes_the_same(parted, when):
    ForkInTheMiddle.log.clear()
    net, y = make_net(callbacks=[ForkInTheMiddle()] if when == "during" else None)
    net.fit(X, y)
    received = fork_and_receive() if when == "after" else ForkInTheMiddle.log[0]
    assert_array_equal(received[0], get_weights(net))
    assert_array_equal(received[1], net.predict_proba(X))
