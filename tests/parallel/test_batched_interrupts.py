"""Ctrl-C inside `sknn.batched()`: every task unwinds, and the search raises it."""

import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.callbacks import Callback
from waiting_runs import wait_for

import sknn
from sknn.parallel._threaded_task import Cancelled
from sknn.training import _together

# enough to tell an interrupted wait from one that ran to its end
LONG = 60


@pytest.fixture(autouse=True, scope="module")
def imports():
    """Load what the first fit loads: there Ctrl-C may get lost, as anywhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sknn.MLPClassifier((2,), max_iter=1).fit([[0.0], [1.0]], [0, 1])


@pytest.fixture(autouse=True)
def nothing_is_left():
    """See that threads end and that warnings go where they went."""
    state = [warnings.filters, warnings.showwarning, warnings._showwarnmsg_impl]
    begin = time.monotonic()
    yield
    assert not any("sknn" in thread.name for thread in threading.enumerate())
    now = [warnings.filters, warnings.showwarning, warnings._showwarnmsg_impl]
    assert all(a is b for a, b in zip(now, state, strict=True))
    assert time.monotonic() - begin < LONG, "nothing was interrupted"


def sleep():
    """Wait where an interrupt is heard soon."""
    for _ in range(100 * LONG):
        time.sleep(0.01)


def run(task, n_tasks=4):
    with sknn.batched():
        return Parallel()(delayed(task)(i) for i in range(n_tasks))


def interrupt(runs):
    """Training in which Ctrl-C comes when the first of all runs has ended."""
    return [runs[0].train_alone(), *(KeyboardInterrupt() for _ in runs[1:])]


def test_during_a_training(monkeypatch):
    log = []

    def task(i):
        try:
            log.append(wait_for(i))
        except Cancelled:
            log.append(f"{i} unwound")
            raise

    monkeypatch.setattr(_together, "train_together", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(task)
    assert sorted(log) == [f"{i} unwound" for i in range(4)]


def test_during_a_training_of_nets(monkeypatch):
    X, y = load_iris(return_X_y=True)
    net = sknn.MLPClassifier((8,), max_iter=3)
    monkeypatch.setattr(_together, "train_together", interrupt)
    search = GridSearchCV(net, {"alpha": [0.1, 1.0]}, cv=2)
    with sknn.batched(), pytest.raises(KeyboardInterrupt):
        cross_val_score(search, X, y)


def test_during_a_long_training(alarm):
    """The real one, in a training that would take hours."""
    X, y = load_iris(return_X_y=True)
    net = sknn.MLPClassifier((8,), max_iter=10**9, tol=0, n_iter_no_change=10**9)
    alarm(1)
    with sknn.batched(), pytest.raises(KeyboardInterrupt):
        cross_val_score(net, X, y, error_score="raise")


@pytest.mark.parametrize("number", [0, 2])
def test_while_a_task_runs(alarm, number):
    log = []

    def task(i):
        try:
            if i == number:
                sleep()
            wait_for(i)
        finally:
            log.append(i)

    alarm(0.3)
    with pytest.raises(KeyboardInterrupt):
        run(task)
    assert sorted(log) == list(range(number + 1))


def test_while_a_task_goes_on(alarm):
    def task(i):
        wait_for(i)
        sleep()

    alarm(0.3)
    with pytest.raises(KeyboardInterrupt):
        run(task)


def test_while_a_nested_task_runs(alarm):
    log = []

    def inner(k):
        try:
            wait_for(k)
            sleep()
        finally:
            log.append(k)

    def task(i):
        return Parallel()(delayed(inner)(10 * i + k) for k in range(2))

    alarm(0.3)
    with pytest.raises(KeyboardInterrupt):
        run(task, 2)
    assert sorted(log) == [0, 1, 10, 11]


def test_a_task_that_will_not_end_at_once(alarm):
    """One that takes Ctrl-C as a request, as networks do, is the last to run."""
    log = []

    def task(i):
        try:
            sleep()
        except KeyboardInterrupt:
            log.append(i)
        wait_for(i)
        log.append("went on")

    alarm(0.3)
    with pytest.raises(KeyboardInterrupt):
        run(task)
    assert log == [0]


def test_a_net_that_trains_by_itself(alarm):
    """It stops with a warning; the search does not go on."""
    X, y = load_iris(return_X_y=True)
    net = sknn.MLPClassifier(max_iter=10**9, tol=0, n_iter_no_change=10**9)
    net.set_params(callbacks=[Callback()])
    alarm(1)
    with sknn.batched(), pytest.raises(KeyboardInterrupt), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")
        cross_val_score(net, X, y, error_score="raise")


def test_calls_work_on_afterwards(alarm):
    def task(i):
        sleep()

    with sknn.batched(), Parallel() as parallel:
        alarm(0.3)
        with pytest.raises(KeyboardInterrupt):
            parallel(delayed(task)(i) for i in range(3))
        assert parallel(delayed(wait_for)(i) for i in range(3)) == [0, 1, 2]


SEARCH = """
import threading
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
import sknn
sknn.MLPClassifier((2,), solver="lbfgs").fit([[0.0], [1.0]], [0, 1])  # imports
net = sknn.MLPClassifier(max_iter=10**9, tol=0, n_iter_no_change=10**9)
search = GridSearchCV(net, {"alpha": [0.1, 1.0]}, cv=3)
print("begins", flush=True)
try:
    with sknn.batched():
        search.fit(*load_iris(return_X_y=True))
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_a_signal_from_outside():
    command = [sys.executable, "-c", SEARCH]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "begins\n"
            time.sleep(2)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=LONG)
        finally:
            process.kill()
    assert output == "interrupted 1\n"
    assert process.returncode == 0
