"""What holds around training: randomness, threads, memory, forks, Ctrl-C, pickles."""

import copy
import gc
import multiprocessing
import os
import pickle
import random
import re
import signal
import sys
import threading
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier as ReferenceClassifier
from sklearn.neural_network import MLPRegressor as ReferenceRegressor
from sklearn.preprocessing import scale
from skorch.callbacks import Callback
from threadpoolctl import threadpool_info, threadpool_limits

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ["sgd", "adam", "lbfgs"]
STOCHASTIC = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]
reads_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def digits():
    """400 images of small integers, exact in every numeric type down to float16."""
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


def make_classifier(**params):
    defaults = {"hidden_layer_sizes": (8,), "batch_size": 32, "max_iter": 5}
    return MLPClassifier(**{**defaults, "random_state": 0, **params})


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


class BatchHook(Callback):
    """Does nothing, but is asked a batch: training goes skorch's way."""

    def on_batch_end(self, net, **kwargs):
        pass


# Randomness


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore:.*early_stopping")
def test_an_int_seed_decides_every_bit(iris, solver, early_stopping):
    params = {"solver": solver, "early_stopping": early_stopping}
    one, other = (make_classifier(**params).fit(*iris) for _ in range(2))
    assert_array_equal(get_weights(one), get_weights(other))
    assert one.loss_ == other.loss_
    again = one.fit(*iris)
    assert_array_equal(get_weights(again), get_weights(other))
    seed = make_classifier(random_state=1, **params).fit(*iris)
    assert not np.array_equal(get_weights(seed), get_weights(other))


def fit_digits():
    warnings.simplefilter("ignore")
    X, y = load_digits(return_X_y=True)
    net = MLPClassifier((32,), max_iter=3, random_state=5).fit(X, y)
    return get_weights(net), net.predict_proba(X)


def test_same_bits_in_another_process():
    here = fit_digits()
    for there in Parallel(n_jobs=2, backend="loky")([delayed(fit_digits)()] * 2):
        assert_array_equal(there[0], here[0])
        assert_array_equal(there[1], here[1])


def get_random_states():
    return (
        random.getstate(),
        tuple(map(str, np.random.get_state())),  # noqa: NPY002
        torch.get_rng_state().numpy().tobytes(),
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("callbacks", [None, [BatchHook()]])
def test_global_random_states_are_left_alone(iris, solver, callbacks):
    X, y = iris
    before = get_random_states()
    net = make_classifier(solver=solver, callbacks=callbacks).fit(X, y)
    net.predict(X), net.predict_proba(X), net.transform(X), net.score(X, y)
    if solver != "lbfgs":
        net.partial_fit(X, y)
    copy.deepcopy(net), clone(net), pickle.loads(pickle.dumps(net))
    assert get_random_states() == before


def test_no_seed_draws_from_numpys_global_state(iris):
    fits = []
    for Estimator in (MLPClassifier, MLPClassifier, ReferenceClassifier):
        np.random.seed(3)  # noqa: NPY002
        fits.append(Estimator((8,), max_iter=3).fit(*iris))
    unseeded = MLPClassifier((8,), max_iter=3).fit(*iris)
    one, other, reference = fits
    assert_array_equal(get_weights(one), get_weights(other))
    assert_allclose(get_weights(one), get_weights(reference), rtol=1e-6)
    assert not np.allclose(get_weights(one), get_weights(unseeded))


def test_a_random_state_instance_is_drawn_from(iris):
    generator = np.random.RandomState(4)
    ours = [make_classifier(random_state=generator).fit(*iris) for _ in range(2)]
    assert not np.allclose(get_weights(ours[0]), get_weights(ours[1]))
    generator = np.random.RandomState(4)
    again = make_classifier(random_state=generator).fit(*iris)
    assert_array_equal(get_weights(ours[0]), get_weights(again))


# Threads


def get_thread_counts():
    pools = threadpool_info()
    counts = {pool["filepath"]: pool["num_threads"] for pool in pools}
    return torch.get_num_threads(), counts


@pytest.fixture(params=[1, 2])
def n_threads(request, iris):
    """Set the number of threads of every pool, and put it back."""
    make_classifier(max_iter=1).fit(*iris)  # loads every library that fit needs
    before = torch.get_num_threads()
    with threadpool_limits(request.param):
        torch.set_num_threads(request.param)
        yield request.param
        torch.set_num_threads(before)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [8, 400])
def test_thread_counts_are_put_back(digits, n_threads, solver, size):
    before = get_thread_counts()
    net = MLPClassifier((size,), solver=solver, batch_size=400, max_iter=2)
    net.fit(*digits).predict(digits[0])
    assert get_thread_counts() == before
    assert before[0] == n_threads
    if solver != "lbfgs":
        net.partial_fit(*digits)
    assert get_thread_counts() == before


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_thread_counts_after_a_failing_fit(digits, n_threads):
    before = get_thread_counts()
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        MLPRegressor(solver="sgd", learning_rate_init=1e6).fit(*digits)
    assert get_thread_counts() == before


def test_thread_counts_after_ctrl_c(digits, n_threads):
    before = get_thread_counts()
    with pytest.warns(UserWarning, match="interrupted by user"):
        MLPClassifier(callbacks=[Interrupt(2, 1)]).fit(*digits)
    assert get_thread_counts() == before


class ThreadRecorder(Callback):
    """Keeps the number of computing threads of each epoch, on its class.

    Each of the Python threads that fit started may run as many of torch or BLAS.
    """

    log = []

    def on_train_begin(self, net, **kwargs):
        self.n_before_ = threading.active_count()

    def on_epoch_end(self, net, **kwargs):
        blas = [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]
        n_python = threading.active_count() - self.n_before_ + 1
        self.log.append(n_python * max([torch.get_num_threads(), *blas]))


def count_threads_of_a_fit(seed):
    warnings.simplefilter("ignore")
    X = np.random.RandomState(seed).rand(2000, 100)
    net = MLPRegressor(
        hidden_layer_sizes=(256, 256), batch_size=1000, max_iter=2, random_state=seed
    )
    net.set_params(callbacks=[ThreadRecorder()]).fit(X, X[:, 0])
    return os.getpid(), max(ThreadRecorder.log)


def test_workers_do_not_oversubscribe():
    seen = Parallel(n_jobs=2, backend="loky")(
        delayed(count_threads_of_a_fit)(seed) for seed in range(4)
    )
    assert os.getpid() not in {process for process, _ in seen}
    n_cores = joblib.cpu_count()
    assert all(n_threads <= max(1, n_cores // 2) for _, n_threads in seen)


def test_threads_train_as_one_would(digits, n_threads):
    X, y = digits

    def fit(seed):
        size = [8, 128, 512][seed % 3]
        net = MLPClassifier((size,), max_iter=4, random_state=seed)
        return get_weights(net.fit(X, y))

    before = get_thread_counts()
    one_by_one = [fit(seed) for seed in range(9)]
    together = Parallel(n_jobs=4, backend="threading")(
        delayed(fit)(seed) for seed in range(9)
    )
    for alone, beside in zip(one_by_one, together, strict=True):
        assert_array_equal(alone, beside)
    assert get_thread_counts() == before
    with ThreadPoolExecutor() as new_threads:
        assert new_threads.submit(torch.get_num_threads).result() == n_threads


# Memory


def get_resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@reads_proc
@pytest.mark.parametrize(("solver", "n_fits"), [("adam", 1000), ("lbfgs", 300)])
def test_many_fits_take_no_more_memory(solver, n_fits):
    # One X kept a fit would be 32 kB * 1000 = 32 MB, a net some 10 kB * 1000.
    X, y = make_regression(n_samples=80, n_features=50, random_state=0)
    net = MLPRegressor(hidden_layer_sizes=(4,), solver=solver, max_iter=2)

    def fit_and_measure(n_fits):
        for _ in range(n_fits):
            net.fit(X.copy(), y)
        gc.collect()
        return get_resident_bytes()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = fit_and_measure(100)
        assert fit_and_measure(n_fits) - before < 4000 * n_fits


@pytest.mark.parametrize("callbacks", [None, [BatchHook()]])
def test_fits_leave_no_objects_behind(callbacks):
    X, y = make_regression(n_samples=40, n_features=5, random_state=0)
    net = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, callbacks=callbacks)

    def fit_and_count(n_fits):
        for _ in range(n_fits):
            net.fit(X, y)
        gc.collect()
        return len(gc.get_objects())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = fit_and_count(20)
        assert fit_and_count(50) - before < 50  # not an object a fit


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_leaves_nothing_to_the_garbage_collector():
    X, y = make_regression(n_samples=40, n_features=5, random_state=0)
    net = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2).fit(X, y)
    gc.collect()
    gc.disable()
    try:
        net.fit(X, y)
        del net
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_memory_map_is_never_copied(tmp_path, early_stopping):
    shape = (20_000, 100)  # 16 MB
    X = np.memmap(tmp_path / "X", dtype=np.float64, mode="w+", shape=shape)
    X[:] = np.random.RandomState(0).rand(*shape)
    X.flush()
    X = np.memmap(tmp_path / "X", dtype=np.float64, mode="r", shape=shape)
    y = np.array(X[:, 0])
    net = MLPRegressor(
        hidden_layer_sizes=(4,), max_iter=1, early_stopping=early_stopping
    )
    net.fit(X[:500], y[:500])  # imports are not the subject
    tracemalloc.start()
    try:
        net.fit(X, y).predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2


# Forks


def fit_and_send(pipe, callbacks):
    warnings.simplefilter("ignore")
    X, y = load_iris(return_X_y=True)
    net = make_classifier(callbacks=callbacks).fit(X, y)
    torch.rand(300, 300) @ torch.rand(300, 300)
    pipe.send(get_weights(net))
    pipe.send(net.predict_proba(X))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("callbacks", [None, [BatchHook()]])
@pytest.mark.parametrize("n_threads", [2], indirect=True)
def test_a_forked_child_does_not_hang(callbacks, n_threads):
    torch.rand(600, 600) @ torch.rand(600, 600)  # starts torch's threads
    net = make_classifier(callbacks=callbacks).fit(*load_iris(return_X_y=True))
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=fit_and_send, args=(sender, callbacks))
    child.start()
    try:
        assert receiver.poll(60), "the child hangs"
        assert_array_equal(receiver.recv(), get_weights(net))
        assert receiver.poll(60), "the child hangs in predict"
        X = load_iris(return_X_y=True)[0]
        assert_array_equal(receiver.recv(), net.predict_proba(X))
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()


# Ctrl-C


class Interrupt(Callback):
    """Raises KeyboardInterrupt after a step in the middle of an epoch."""

    def __init__(self, epoch, step):
        self.epoch = epoch
        self.step = step

    def on_epoch_begin(self, net, **kwargs):
        self.step_ = 0

    def on_batch_end(self, net, training=None, **kwargs):
        self.step_ += bool(training)
        if len(net.history) == self.epoch and self.step_ == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("step", [1, 3, 5])
def test_ctrl_c_keeps_the_last_finished_epoch(iris, solver, step):
    X, y = iris
    net = make_classifier(solver=solver, callbacks=[Interrupt(4, step)], max_iter=50)
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        net.fit(X, y)
    same = make_classifier(solver=solver, max_iter=3).fit(X, y)
    assert net.n_iter_ == len(net.loss_curve_) == len(net.history_) == 3
    assert_allclose(net.history_[:, "train_loss"], net.loss_curve_, rtol=1e-12)
    assert_array_equal(get_weights(net), get_weights(same))
    assert_array_equal(net.predict_proba(X), same.predict_proba(X))


def test_training_goes_on_after_ctrl_c(iris):
    X, y = iris
    net = make_classifier(callbacks=[Interrupt(4, 2)], max_iter=50)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y)
    loss = net.loss_
    net.set_params(callbacks=None)
    for _ in range(3):
        net.partial_fit(X, y)
    assert len(net.loss_curve_) == len(net.history_) == 3 + 3
    assert net.loss_ < loss


def test_ctrl_c_in_the_first_epoch_leaves_a_model(iris):
    X, y = iris
    net = make_classifier(callbacks=[Interrupt(1, 2)])
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y)
    assert net.n_iter_ == 0
    assert set(net.predict(X)) <= set("abc")
    net.set_params(callbacks=None).partial_fit(X, y)


class SignalBetweenEpochs(Callback):
    """Sends the process Ctrl-C from a hook of the third epoch."""

    def __init__(self, hook):
        self.hook = hook

    def on_epoch_begin(self, net, **kwargs):
        self.send(net, "on_epoch_begin")

    def on_epoch_end(self, net, **kwargs):
        self.send(net, "on_epoch_end")

    def send(self, net, hook):
        if hook == self.hook and len(net.history) == 3:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("hook", "n_finished"), [("on_epoch_begin", 2), ("on_epoch_end", 3)]
)
@pytest.mark.usefixtures("alarm")
def test_ctrl_c_between_epochs(iris, hook, n_finished):
    X, y = iris
    net = make_classifier(callbacks=[SignalBetweenEpochs(hook)], max_iter=50)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y)
    same = make_classifier(max_iter=n_finished).fit(X, y)
    assert net.n_iter_ == len(net.loss_curve_) == len(net.history_) == n_finished
    assert_array_equal(get_weights(net), get_weights(same))


def test_ctrl_c_with_early_stopping_restores_the_best(iris):
    X, y = iris
    params = {"early_stopping": True, "n_iter_no_change": 50}
    params |= {"learning_rate_init": 0.1, "max_iter": 50}
    net = make_classifier(callbacks=[Interrupt(12, 2)], **params)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y, X_val=X[::3], y_val=y[::3])
    assert len(net.validation_scores_) == net.n_iter_ == 11
    assert net.best_validation_score_ == max(net.validation_scores_)
    assert net.score(X[::3], y[::3]) == net.best_validation_score_


# Warnings that a user turns into errors


def fit_strictly(net, X, y, **validation):
    """Fit with every warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(X, y, **validation)


def test_an_interrupt_that_raises_keeps_the_last_finished_epoch(iris):
    X, y = iris
    net = make_classifier(callbacks=[Interrupt(4, 2)], max_iter=50)
    with pytest.raises(UserWarning, match="interrupted by user"):
        fit_strictly(net, X, y)
    same = make_classifier(max_iter=3).fit(X, y)
    assert net.n_iter_ == len(net.loss_curve_) == len(net.history_) == 3
    assert not net.module_.training
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_last_epoch_that_raises_keeps_its_weights(iris, solver):
    X, y = iris
    net = make_classifier(solver=solver)
    with pytest.raises(ConvergenceWarning):
        fit_strictly(net, X, y)
    same = make_classifier(solver=solver).fit(X, y)
    assert net.n_iter_ == len(net.loss_curve_) == len(net.history_) == 5
    assert net.loss_ == same.loss_
    assert not net.module_.training
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.parametrize("end", ["last epoch", "interrupt"])
def test_early_stopping_that_raises_restores_the_best(iris, end):
    X, y = iris
    params = {"early_stopping": True, "n_iter_no_change": 50, "scoring": "loss"}
    params |= {"learning_rate_init": 0.3, "max_iter": 11 if end == "last epoch" else 50}
    callbacks = [Interrupt(12, 2)] if end == "interrupt" else None
    net = make_classifier(callbacks=callbacks, **params)
    with pytest.raises((UserWarning, ConvergenceWarning)):
        fit_strictly(net, X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert net.n_iter_ == 11
    assert net.validation_scores_[-1] < net.best_validation_score_
    outside = -log_loss(y[1::2], net.predict_proba(X[1::2]))
    assert_allclose(outside, net.best_validation_score_, rtol=1e-9)


def test_divergence_that_raises_restores_the_best():
    X, y = load_iris(return_X_y=True)
    params = {"solver": "sgd", "learning_rate_init": 1, "activation": "identity"}
    net = MLPRegressor(early_stopping=True, random_state=0, **params)
    with pytest.raises(ConvergenceWarning, match="non-finite"):
        fit_strictly(net, X, y, X_val=X, y_val=y)
    assert np.isfinite(get_weights(net)).all()
    assert net.score(X, y) == net.best_validation_score_


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("callbacks", [None, [BatchHook()]])
def test_a_real_ctrl_c(digits, alarm, solver, callbacks):
    X, y = digits
    net = MLPClassifier((64,), solver=solver, random_state=0, alpha=1e-9)
    net.set_params(max_iter=10**6, max_fun=10**7, tol=0, n_iter_no_change=10**6)
    net.set_params(callbacks=callbacks if solver != "lbfgs" else None)
    if solver == "lbfgs":
        y = np.random.RandomState(0).randint(0, 10, len(y))  # more than 20 units fit:
        net.set_params(hidden_layer_sizes=(20,), activation="tanh")  # takes long
    net.set_params(max_iter=1).fit(X, y)  # imports are not the subject
    net.set_params(max_iter=10**6)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        alarm(0.3)
        net.fit(X, y)
    assert net.n_iter_ > 0
    same = clone(net).set_params(max_iter=net.n_iter_).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(same))


# Divergence


def make_diverging(**params):
    """Make a network whose weights overflow in the fourth epoch of digits."""
    return MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0, **params)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("callbacks", [None, [BatchHook()]])
def test_divergence_is_an_error_that_tells_what_to_try(digits, callbacks):
    X, y = digits
    net = make_diverging(callbacks=callbacks)
    sentence = (
        "Solver produced non-finite parameter weights. The input data may contain "
        "large values and need to be preprocessed."
    )
    with pytest.raises(ValueError, match="epoch") as error:
        net.fit(X, y)
    message = str(error.value)
    assert message.startswith(sentence)
    assert "epoch 4" in message
    assert "learning rate 1e+06" in message
    assert "learning_rate_init" in message


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("callbacks", [None, [BatchHook()]])
def test_finite_weights_stay_after_divergence(digits, callbacks):
    X, y = digits
    net = make_diverging(callbacks=callbacks)
    with pytest.raises(ValueError, match="non-finite"):
        net.fit(X, y)
    assert np.isfinite(get_weights(net)).all()
    assert np.isfinite(net.predict(X / 16)).all()
    assert net.predict(X).shape == y.shape


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_in_a_later_epoch_keeps_the_last_finite_epoch():
    X = np.ones((20, 1))
    params = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0}
    params |= {"learning_rate_init": 1e30, "tol": 0, "n_iter_no_change": 1000}
    net = MLPRegressor(random_state=0, **params)
    with pytest.raises(ValueError, match="epoch") as error:
        net.fit(X, np.ones(20))
    n_finished = int(re.search(r"epoch (\d+)", str(error.value))[1]) - 1
    assert 1 < n_finished < 20  # each step multiplies the error by 1e30
    assert np.isfinite(get_weights(net)).all()
    same = MLPRegressor(random_state=0, max_iter=n_finished, **params)
    same.fit(X, np.ones(20))
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_absolute_error"])
def test_divergence_with_early_stopping_restores_the_best(scoring):
    X, y = load_iris(return_X_y=True)
    params = {"solver": "sgd", "learning_rate_init": 1, "activation": "identity"}
    net = MLPRegressor(early_stopping=True, scoring=scoring, random_state=0, **params)
    with pytest.warns(ConvergenceWarning):
        net.fit(X, y)
    assert isinstance(net.validation_scores_[-1], float)
    assert np.isnan(net.validation_scores_[-1])
    assert np.isfinite(get_weights(net)).all()
    assert np.isfinite(net.predict(X)).all()


# Pickles and copies


def count_bytes(net):
    parameters = sum(w.nbytes for w in [*net.coefs_, *net.intercepts_])
    return parameters * {"adam": 3, "sgd": 2, "lbfgs": 1}[net.solver]


@pytest.mark.parametrize("hidden", [(10,), (400, 400)])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("validate", [False, True])
def test_pickle_size(hidden, solver, validate):
    X = np.random.RandomState(0).rand(3000, 100)  # 2.4 MB that must not go in
    y = (X[:, 0] > 0.5).astype(int)
    net = MLPClassifier(hidden, solver=solver, max_iter=2, batch_size=500)
    if solver == "lbfgs":
        net.fit(X, y)
    else:
        net.set_params(early_stopping=validate).fit(X, y)
    assert len(pickle.dumps(net)) <= 1.1 * count_bytes(net) + 100_000
    assert len(pickle.dumps(copy.deepcopy(net))) <= 1.1 * count_bytes(net) + 100_000


def round_trip_by_joblib(net, tmp_path):
    joblib.dump(net, tmp_path / "net")
    return joblib.load(tmp_path / "net")


def round_trip_by_memory_map(net, tmp_path):
    joblib.dump(net, tmp_path / "net")
    return joblib.load(tmp_path / "net", mmap_mode="r")


COPIES = {
    "pickle": lambda net, _: pickle.loads(pickle.dumps(net)),
    "joblib": round_trip_by_joblib,
    "deepcopy": lambda net, _: copy.deepcopy(net),
    "memory map": round_trip_by_memory_map,
}


@pytest.fixture(params=COPIES)
def duplicate(request, tmp_path):
    return lambda net: COPIES[request.param](net, tmp_path)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_duplicate_predicts_the_same_bits(iris, solver, dtype, duplicate):
    X, y = iris[0].astype(dtype), iris[1]
    net = make_classifier(solver=solver).fit(X, y)
    other = duplicate(net)
    assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    assert_array_equal(other.predict(X), net.predict(X))
    assert_array_equal(other.transform(X), net.transform(X))
    assert other.coefs_[0].dtype == dtype
    assert other.loss_curve_ == net.loss_curve_
    assert other.get_params() == net.get_params()


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("params", [{}, {"learning_rate": "invscaling"}])
@pytest.mark.filterwarnings("ignore:.*learning_rate")
def test_a_duplicate_goes_on_training_as_the_original(iris, solver, params, duplicate):
    X, y = iris
    net = make_classifier(solver=solver, **params).fit(X, y)
    other = duplicate(net)
    for _ in range(3):
        net.partial_fit(X, y)
        other.partial_fit(X, y)
    assert_array_equal(get_weights(other), get_weights(net))
    assert other.loss_curve_ == net.loss_curve_
    assert other.t_ == net.t_
    assert len(other.history_) == len(net.history_)


def test_a_duplicate_is_independent(iris, duplicate):
    X, y = iris
    net = make_classifier().fit(X, y)
    other = duplicate(net)
    before = net.predict_proba(X)
    other.partial_fit(X, y)
    assert_array_equal(net.predict_proba(X), before)
    assert not np.array_equal(other.predict_proba(X), before)


@pytest.mark.parametrize("kind", ["original", "pickle", "joblib", "deepcopy"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_coefs_are_views_of_the_module(iris, solver, kind, tmp_path):
    X, y = iris
    net = make_classifier(solver=solver).fit(X, y)
    if kind != "original":
        net = COPIES[kind](net, tmp_path)
    net.coefs_[-1][...] = 0
    net.intercepts_[-1][...] = [0.0, 5.0, 0.0]
    assert set(net.predict(X)) == {"b"}
    parameters = list(net.module_.parameters())
    assert torch.equal(parameters[-1].detach(), torch.tensor([0.0, 5, 0]).double())
    assert not parameters[-2].detach().any()


def test_coefs_are_views_after_more_training(iris):
    X, y = iris
    net = make_classifier().fit(X, y)
    coefs = net.coefs_[0]
    net.partial_fit(X, y)
    assert_array_equal(net.coefs_[0].T, next(net.module_.parameters()).detach())
    assert_array_equal(net.coefs_[0], coefs)


def test_a_shallow_copy_predicts_and_a_clone_is_unfitted(iris):
    X, y = iris
    net = make_classifier().fit(X, y)
    assert_array_equal(copy.copy(net).predict_proba(X), net.predict_proba(X))
    unfitted = clone(net)
    assert not hasattr(unfitted, "module_")
    assert_array_equal(get_weights(unfitted.fit(X, y)), get_weights(net))


def go_on_training(net, X, y):
    return get_weights(net.partial_fit(X, y))


def test_workers_train_what_they_are_sent_as_a_memory_map(iris):
    X, y = iris
    net = make_classifier().fit(X, y)
    there = Parallel(n_jobs=2, backend="loky", max_nbytes=100)(
        delayed(go_on_training)(net, X, y) for _ in range(2)
    )
    assert_array_equal(there[0], get_weights(net.partial_fit(X, y)))
    assert_array_equal(there[1], there[0])


def test_pickle_with_callbacks(iris):
    X, y = iris
    net = make_classifier(callbacks=[BatchHook()]).fit(X, y)
    other = pickle.loads(pickle.dumps(net))
    other.partial_fit(X, y)
    assert_array_equal(get_weights(other), get_weights(net.partial_fit(X, y)))


# partial_fit


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit_keeps_the_state_of_the_optimizer(iris, solver):
    X, y = iris
    params = {"hidden_layer_sizes": (8,), "solver": solver, "random_state": 0}
    ours = MLPClassifier(max_iter=3, **params).fit(X, y)
    reference = ReferenceClassifier(max_iter=3, **params).fit(X, y)
    for _ in range(4):
        ours.partial_fit(X, y)
        reference.partial_fit(X, y)
    assert_allclose(get_weights(ours), get_weights(reference), rtol=1e-6)
    assert_allclose(ours.loss_curve_, reference.loss_curve_, rtol=1e-6)
    assert ours.t_ == reference.t_


def test_fit_after_partial_fit_starts_anew(iris):
    X, y = iris
    net = make_classifier().partial_fit(X, y, classes=np.unique(y)).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(make_classifier().fit(X, y)))


# Kinds of X and y


def freeze(X):
    X = X.copy()
    X.flags.writeable = False
    return X


CONTAINERS = {
    "read-only": freeze,
    "lists": lambda X: X.tolist(),
    "float16": lambda X: X.astype(np.float16),
    "int8": lambda X: X.astype(np.int8),
    "int64": lambda X: X.astype(np.int64),
    "uint8": lambda X: X.astype(np.uint8),
    "object": lambda X: X.astype(object),
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
}
ORDERED = {
    "fortran": np.asfortranarray,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "csr matrix": sparse.csr_matrix,
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_containers_change_no_bit(digits, kind):
    X, y = digits
    plain = make_classifier(batch_size=100).fit(X, y)
    X_kind = CONTAINERS[kind](X)
    net = make_classifier(batch_size=100).fit(X_kind, y)
    assert_array_equal(get_weights(net), get_weights(plain))
    assert_array_equal(net.predict_proba(X_kind), plain.predict_proba(X))


@pytest.mark.parametrize("kind", ORDERED)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore:.*early_stopping")
def test_other_orders_change_rounding_alone(digits, kind, solver, early_stopping):
    X, y = digits
    params = {"solver": solver, "early_stopping": early_stopping, "batch_size": 100}
    plain = make_classifier(**params).fit(X / 16, y)
    X_kind = ORDERED[kind](X / 16)
    net = make_classifier(**params).fit(X_kind, y)
    assert_allclose(get_weights(net), get_weights(plain), rtol=1e-7, atol=1e-9)
    assert_allclose(net.predict_proba(X_kind), plain.predict_proba(X / 16), rtol=1e-7)


def test_bool_x(digits):
    X, y = digits[0] > 8, digits[1]
    net = make_classifier().fit(X, y)
    same = make_classifier().fit(X.astype(float), y)
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_memory_mapped_x(digits, tmp_path, early_stopping):
    X, y = digits
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    net = make_classifier(early_stopping=early_stopping).fit(mapped, y)
    same = make_classifier(early_stopping=early_stopping).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(same))
    assert_array_equal(net.predict_proba(mapped), same.predict_proba(X))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_x_and_y_are_left_alone(digits, early_stopping):
    X, y = digits[0].copy(), digits[1].astype(float)
    weight = np.ones(len(y))
    MLPRegressor(max_iter=2, early_stopping=early_stopping).fit(X, y, weight)
    assert_array_equal(X, digits[0])
    assert_array_equal(y, digits[1])
    assert_array_equal(weight, 1)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_and_series(iris, library):
    frames = pytest.importorskip(library)
    X, y = iris
    frame = frames.DataFrame({f"column {i}": X[:, i] for i in range(4)})
    net = make_classifier().fit(frame, frames.Series(y))
    assert list(net.feature_names_in_) == list(frame.columns)
    assert_array_equal(get_weights(net), get_weights(make_classifier().fit(X, y)))
    assert net.score(frame, frames.Series(y)) == np.mean(net.predict(frame) == y)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_of_outputs(iris, library):
    frames = pytest.importorskip(library)
    X = iris[0]
    outputs = frames.DataFrame({"width": X[:, 2], "height": X[:, 3]})
    net = MLPRegressor(hidden_layer_sizes=(5,), max_iter=3, random_state=0).fit(
        X[:, :2], outputs
    )
    same = MLPRegressor(hidden_layer_sizes=(5,), max_iter=3, random_state=0).fit(
        X[:, :2], X[:, 2:]
    )
    assert_array_equal(net.predict(X[:, :2]), same.predict(X[:, :2]))


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "yes"]),
        np.array(["no", "yes"], dtype=object),
        np.array([False, True]),
        np.array([-1.0, 1.0]),
        np.array([7, 3]),
        np.array([1, 2], dtype=np.uint8),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_come_back_as_they_were(iris, labels):
    X = iris[0]
    y = labels[(iris[1] == "c").astype(int)]
    net = make_classifier(max_iter=30).fit(X, y)
    reference = ReferenceClassifier((8,), batch_size=32, max_iter=30, random_state=0)
    reference.fit(X, y)
    assert_array_equal(net.classes_, np.unique(y))
    assert net.predict(X).dtype == reference.predict(X).dtype
    assert_array_equal(net.predict(X), reference.predict(X))
    assert_allclose(net.predict_proba(X), reference.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_a_column_y_warns(iris, Estimator):
    X, y = iris[0], (iris[1] == "a").astype(int)
    net = Estimator(hidden_layer_sizes=(5,), max_iter=2, random_state=0)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        net.fit(X, y[:, None])
    assert net.predict(X).shape == (150,)
    same = Estimator(hidden_layer_sizes=(5,), max_iter=2, random_state=0).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(same))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.array([[1.0, 2.0]]), np.array([3.0])),
        (np.linspace(0, 1, 20)[:, None], np.linspace(1, 2, 20)),
        (np.eye(10), np.full(10, 4.0)),
        (np.zeros((10, 3)), np.arange(10.0)),
    ],
    ids=["one sample", "one feature", "constant y", "constant X"],
)
@pytest.mark.filterwarnings("ignore:.*R.2 score is not well-defined")
def test_small_regressions_are_scikit_learns(solver, X, y):
    params = {"hidden_layer_sizes": (4,), "solver": solver, "max_iter": 10}
    net = MLPRegressor(random_state=0, **params).fit(X, y)
    reference = ReferenceRegressor(random_state=0, **params).fit(X, y)
    assert_allclose(net.predict(X), reference.predict(X), rtol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_samples", [1, 6])
def test_one_class_is_what_scikit_learn_makes_of_it(solver, n_samples):
    X = np.arange(2.0 * n_samples).reshape(-1, 2)
    y = np.full(n_samples, "only")
    params = {"hidden_layer_sizes": (4,), "solver": solver, "max_iter": 5}
    net = MLPClassifier(random_state=0, **params).fit(X, y)
    reference = ReferenceClassifier(random_state=0, **params).fit(X, y)
    assert_array_equal(net.classes_, reference.classes_)
    assert_array_equal(net.predict(X), reference.predict(X))


def test_one_feature_and_one_row_at_a_time(iris):
    X, y = iris[0][:, :1], iris[1]
    net = make_classifier(batch_size=1, max_iter=1).fit(X, y)
    reference = ReferenceClassifier((8,), batch_size=1, max_iter=1, random_state=0)
    reference.fit(X, y)
    assert_allclose(net.predict_proba(X), reference.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("hidden", [(), (300, 20)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_x_is_predicted_as_its_parts_are(hidden, dtype):
    X = np.random.RandomState(0).randn(50_001, 6).astype(dtype)
    net = MLPClassifier(hidden, max_iter=1, random_state=0)
    net.fit(X[:500], np.arange(500) % 3)
    whole = net.predict_proba(X)
    starts = range(0, 50_001, 777)
    parts = [net.predict_proba(X[start : start + 777]) for start in starts]
    # Another shape takes another kernel of the matrix product: rounding differs.
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert_allclose(whole, np.concatenate(parts), rtol=tolerance)
    assert_array_equal(net.predict(X), net.classes_[whole.argmax(axis=1)])
    assert net.transform(X).shape == (50_001, (6, *hidden)[-1])


@reads_proc
def test_predict_of_large_x_takes_little_memory():
    X = np.zeros((100_000, 2))
    net = MLPRegressor(hidden_layer_sizes=(500,), max_iter=1).fit(X[:10], X[:10, 0])
    net.predict(X[:10])
    before = get_resident_bytes()
    tracemalloc.start()
    try:
        net.predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    activations = 100_000 * 500 * 8
    assert peak < activations / 4
    assert get_resident_bytes() - before < activations / 4


def test_assigning_an_item_of_coefs_changes_the_network(iris):
    X, y = iris
    net = make_classifier().fit(X, y)
    weight = np.zeros_like(net.coefs_[0])
    net.coefs_[0] = weight
    net.intercepts_[0] = 0.0
    assert_array_equal(net.coefs_[0], weight)
    assert_array_equal(net.transform(X), 0)
    probability = net.predict_proba(X)
    assert_array_equal(probability, np.broadcast_to(probability[0], probability.shape))
