"""Tasks that take turns: order, errors, limits, nesting, settings, threads."""

import contextvars
import multiprocessing
import os
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from sklearn import config_context, get_config
from waiting_runs import WaitingRun, wait_for

import sknn
from sknn.parallel import _backend, _openmp, _session, _threaded_task
from sknn.parallel._threaded_task import Cancelled, current_task
from sknn.training import _together
from sknn.training._submit import train


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    """Record what is trained together, and see that no thread is left."""
    log = []

    def train_together(runs):
        log.append([run.value for run in runs])
        return [run.train_alone() for run in runs]

    monkeypatch.setattr(_together, "train_together", train_together)
    yield log
    assert not any("sknn" in thread.name for thread in threading.enumerate())


def run(function, n_tasks, **limits):
    """Run ``function(i)`` for every i in the backend."""
    with joblib.parallel_config(backend="sknn", **limits):
        return Parallel()(delayed(function)(i) for i in range(n_tasks))


# Turns


def test_all_tasks_train_together(trainings):
    assert run(wait_for, 5) == list(range(5))
    assert trainings == [list(range(5))]


def test_one_task_at_a_time_in_order():
    log = []

    def task(i):
        for step in ("begins", "goes on", "ends"):
            log.append((step, i))
            if step != "ends":
                wait_for(i)

    run(task, 4)
    steps = ("begins", "goes on", "ends")
    assert log == [(step, i) for step in steps for i in range(4)]


def test_no_two_threads_run_at_once():
    """A task that is switched out by the interpreter finds nobody else moving."""
    running, interval = [], sys.getswitchinterval()

    def task(i):
        for _ in range(3):
            running.append(i)
            for _ in range(2000):
                assert running == [i]
            running.clear()
            wait_for(i)

    sys.setswitchinterval(1e-6)
    try:
        run(task, 8)
    finally:
        sys.setswitchinterval(interval)


def test_tasks_that_never_wait_run_one_after_another(trainings):
    log = []

    def task(i):
        log.append(i)
        return i * i

    assert run(task, 5) == [0, 1, 4, 9, 16]
    assert log == list(range(5))
    assert trainings == []


def test_tasks_that_wait_differently_often(trainings):
    def task(i):
        return sum(wait_for(10 * i + k) for k in range(i))

    assert run(task, 4) == [0, 10, 41, 93]
    assert trainings == [[10, 20, 30], [21, 31], [32]]


def test_several_runs_of_one_task_wait_together(trainings):
    def task(i):
        return train([WaitingRun(i), WaitingRun(-i)])

    assert run(task, 3) == [[0, 0], [1, -1], [2, -2]]
    assert trainings == [[0, 0, 1, -1, 2, -2]]


@pytest.mark.parametrize(
    "options",
    [
        {"n_jobs": 1},
        {"n_jobs": 2, "pre_dispatch": 2},
        {"n_jobs": -1, "pre_dispatch": "all"},
        {"verbose": 60},
    ],
)
def test_options_of_a_call_change_nothing(trainings, options):
    with sknn.batched():
        found = Parallel(**options)(delayed(wait_for)(i) for i in range(9))
    assert found == list(range(9))
    assert trainings == [list(range(9))]


def test_tasks_in_lots(trainings):
    """joblib's own batches are one task each; it makes the last ones smaller."""
    with sknn.batched():
        found = Parallel(batch_size=2)(delayed(wait_for)(i) for i in range(6))
    assert found == list(range(6))
    assert trainings == [[0, 2, 4, 5], [1, 3]]


def test_one_parallel_object_for_several_calls(trainings):
    with sknn.batched(), Parallel() as parallel:
        for n in (3, 0, 2):
            assert parallel(delayed(wait_for)(i) for i in range(n)) == list(range(n))
    assert trainings == [[0, 1, 2], [0, 1]]


def test_no_jobs_are_refused():
    with sknn.batched(), pytest.raises(ValueError, match="n_jobs == 0"):
        Parallel(n_jobs=0)(delayed(wait_for)(i) for i in range(3))


# Errors


def fail(*where):
    """Make a task that raises before or after it waits, at certain numbers."""

    def task(i):
        begun.append(i)
        if ("before", i) in where:
            raise ValueError(f"before {i}")
        wait_for(i)
        if ("after", i) in where:
            raise ValueError(f"after {i}")
        ended.append(i)

    begun, ended = [], []
    return task, begun, ended


@pytest.mark.parametrize(
    ("where", "message", "n_begun", "n_ended"),
    [
        ([("before", 3)], "before 3", 4, 3),
        ([("before", 3), ("after", 1)], "after 1", 4, 1),
        ([("after", 2), ("after", 1)], "after 1", 6, 1),
        ([("before", 0)], "before 0", 1, 0),
        ([("after", 5)], "after 5", 6, 5),
    ],
)
def test_the_first_error_in_order_is_raised(where, message, n_begun, n_ended):
    task, begun, ended = fail(*where)
    with pytest.raises(ValueError, match=message):
        run(task, 6)
    assert begun == list(range(n_begun))
    assert ended == list(range(n_ended))


def test_what_comes_after_an_error_is_not_trained(trainings):
    task, _, _ = fail(("before", 3))
    with pytest.raises(ValueError, match="before 3"):
        run(task, 6)
    assert trainings == [[0, 1, 2]]


def test_a_training_that_failed_is_raised_in_its_task(monkeypatch):
    def task(i):
        try:
            return wait_for(i)
        except ValueError as error:
            return str(error)

    def train_together(runs):
        return [ValueError("no") if r.value == 1 else r.value for r in runs]

    monkeypatch.setattr(_together, "train_together", train_together)
    assert run(task, 3) == [0, "no", 2]


def test_an_error_of_the_iterable_is_raised():
    def produce():
        yield from (delayed(wait_for)(i) for i in range(7))
        raise ValueError("no more")

    with sknn.batched(), pytest.raises(ValueError, match="no more"):
        Parallel()(produce())


def test_tasks_that_are_dropped_unwind():
    log = []

    def task(i):
        try:
            wait_for(i)
            if i == 1:
                raise ValueError("first")
        except Cancelled:
            log.append(i)
            raise

    with pytest.raises(ValueError, match="first"):
        run(task, 5)
    assert log == [2, 3, 4]


@pytest.mark.parametrize("exception", [SystemExit, KeyboardInterrupt])
def test_what_is_no_exception_ends_all_at_once(trainings, exception):
    def task(i):
        if i == 2:
            raise exception
        wait_for(i)

    with pytest.raises(exception):
        run(task, 5)
    assert trainings == []


@pytest.mark.parametrize("n_threads", [0, 3])
def test_a_machine_without_more_threads(monkeypatch, n_threads):
    left, start = iter(range(n_threads)), threading.Thread.start

    def start_if_there_is_one(thread):
        if "sknn" in thread.name and next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_there_is_one)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run(nested, 3)


def test_a_parallel_object_works_on_after_an_error(trainings):
    task, _, _ = fail(("before", 2))
    with sknn.batched(), Parallel() as parallel:
        with pytest.raises(ValueError, match="before 2"):
            parallel(delayed(task)(i) for i in range(4))
        assert parallel(delayed(wait_for)(i) for i in range(3)) == [0, 1, 2]


# Limits


def count_waiting(monkeypatch):
    """Get a list to which each task that begins appends how many wait."""
    seen, start = [], _threaded_task.ThreadedTask.start

    def counting(task):
        seen.append(task.session.n_waiting)
        start(task)

    monkeypatch.setattr(_threaded_task.ThreadedTask, "start", counting)
    return seen


@pytest.mark.parametrize(
    ("limits", "n_bytes", "sizes"),
    [
        ({"max_waiting": 4}, 0, [4, 4, 2]),
        ({"max_bytes": 100}, 40, [3, 3, 3, 1]),
        ({"max_bytes": 100}, 1000, [1] * 10),
        ({"max_bytes": 100, "max_waiting": 2}, 40, [2] * 5),
        ({}, 2**29, [2] * 5),
        ({}, 0, [10]),
    ],
)
def test_limits_of_what_waits(trainings, limits, n_bytes, sizes):
    log = []

    def task(i):
        log.append(("begins", i))
        wait_for(i, n_bytes)
        log.append(("ends", i))
        return i

    assert run(task, 10, **limits) == list(range(10))
    assert [len(training) for training in trainings] == sizes
    expected, done = [], 0
    for size in sizes:
        batch = range(done, done + size)
        expected += [(what, i) for what in ("begins", "ends") for i in batch]
        done += size
    assert log == expected


@pytest.mark.parametrize("value", [0, -1, "5", np.nan])
@pytest.mark.parametrize("limit", ["max_waiting", "max_bytes"])
def test_limits_below_one_are_refused(limit, value):
    message = f"{limit} must be a number >= 1: got {limit}={value!r}."
    with pytest.raises(ValueError, match=message):
        joblib.parallel_config(backend="sknn", **{limit: value})


def test_a_thousand_tasks_never_wait_beyond_the_limit(trainings, monkeypatch):
    waiting = count_waiting(monkeypatch)
    assert run(wait_for, 1000) == list(range(1000))
    assert [len(training) for training in trainings] == [512, 488]
    assert max(waiting) == _backend.MAX_WAITING - 1


# Nesting


def nested(i):
    inner = Parallel(n_jobs=2)(delayed(wait_for)(10 * i + k) for k in range(3))
    return [*inner, wait_for(-i)]


NESTED = [[10 * i, 10 * i + 1, 10 * i + 2, -i] for i in range(3)]


def test_calls_inside_tasks_join(trainings):
    assert run(nested, 3) == NESTED
    assert trainings == [[0, 1, 2, 10, 11, 12, 20, 21, 22], [0, -1, -2]]


@pytest.mark.parametrize("max_waiting", [1, 2, 4, 8])
def test_nested_calls_under_limits(trainings, max_waiting):
    assert run(nested, 3, max_waiting=max_waiting) == NESTED
    assert max(map(len, trainings)) == max_waiting
    assert sorted(chain(*trainings)) == sorted(chain(*NESTED))


def test_three_levels(trainings):
    def middle(i):
        return Parallel()(delayed(nested)(k) for k in range(i))

    assert run(middle, 4) == [NESTED[:i] for i in range(4)]
    assert [len(training) for training in trainings] == [18, 6]


def test_a_context_inside_a_task_joins_too(trainings):
    def task(i):
        with sknn.batched():
            return nested(i)

    assert run(task, 3) == NESTED
    assert len(trainings) == 2


@pytest.mark.parametrize("where", ["before", "after"])
def test_errors_of_nested_calls_are_their_callers(trainings, where):
    def task(i):
        inner, _, _ = fail((where, 1))
        try:
            return Parallel()(delayed(inner)(k) for k in range(4))
        except ValueError as error:
            return f"{error} of {wait_for(i)}"

    assert run(task, 3) == [f"{where} 1 of {i}" for i in range(3)]
    assert trainings[-1] == [0, 1, 2]


def test_errors_end_tasks_of_all_levels():
    def task(i):
        if i == 1:
            wait_for(i)
            raise ValueError("outer")
        return nested(i)

    with pytest.raises(ValueError, match="outer"):
        run(task, 4)


# Settings


def test_settings_are_the_callers():
    variable = contextvars.ContextVar("variable", default="unset")

    def task(i):
        wait_for(i)
        return get_config()["assume_finite"], np.geterr()["divide"], variable.get()

    with config_context(assume_finite=True), np.errstate(divide="raise"):
        token = variable.set("set")
        found = run(task, 2)
        variable.reset(token)
    assert found == [(True, "raise", "set")] * 2


def test_settings_of_tasks_stay_with_them():
    def task(i):
        with config_context(assume_finite=bool(i)), np.errstate(divide="ignore"):
            wait_for(i)
            return get_config()["assume_finite"], np.geterr()["divide"]

    before = get_config(), np.geterr()
    assert run(task, 2) == [(False, "ignore"), (True, "ignore")]
    assert (get_config(), np.geterr()) == before


def test_warnings_are_recorded_where_they_belong():
    def task(i):
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            warnings.warn(f"before {i}", stacklevel=1)
            wait_for(i)
            warnings.warn(f"after {i}", stacklevel=1)
        return [str(warning.message) for warning in record]

    state = [warnings.filters, warnings.showwarning, warnings._showwarnmsg_impl]
    assert run(task, 3) == [[f"before {i}", f"after {i}"] for i in range(3)]
    now = [warnings.filters, warnings.showwarning, warnings._showwarnmsg_impl]
    assert all(a is b for a, b in zip(now, state, strict=True))


def test_filters_of_one_task_are_none_of_anothers():
    def task(i):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if i else "error")
            wait_for(i)
            try:
                warnings.warn("as it may be", stacklevel=1)
            except UserWarning:
                return "raised"
            return "ignored"

    assert run(task, 3) == ["raised", "ignored", "ignored"]


def test_warnings_reach_the_callers_recorder():
    def task(i):
        wait_for(i)
        warnings.warn(f"of {i}", stacklevel=1)

    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        run(task, 3)
    assert [str(warning.message) for warning in record] == ["of 0", "of 1", "of 2"]


# Threads and processes


def test_user_threads_have_sessions_of_their_own(trainings):
    both = threading.Barrier(2)

    def call(k):
        def task(i):
            if i == 0:
                both.wait(10)
            return wait_for(10 * k + i)

        with sknn.batched():
            return Parallel()(delayed(task)(i) for i in range(4))

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(call, range(2)))
    assert found == [[0, 1, 2, 3], [10, 11, 12, 13]]
    assert sorted(trainings) == found


def test_a_thread_of_a_task_trains_by_itself(trainings):
    def task(i):
        context, found = contextvars.copy_context(), []
        thread = threading.Thread(
            target=context.run, args=(lambda: found.append(wait_for(i)),)
        )
        thread.start()
        thread.join()
        return found

    assert run(task, 2) == [[0], [1]]
    assert trainings == [], "one run trains alone"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_trains_by_itself():
    def exit_with(value):
        os._exit(value if current_task() is None and wait_for(7) == 7 else 1)

    def task(i):
        child = multiprocessing.get_context("fork").Process(target=exit_with, args=(3,))
        child.start()
        child.join(20)
        child.kill()  # if it waits for ever
        child.join()
        return child.exitcode

    assert run(task, 2) == [3, 3]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_threads_of_openmp_are_given_up_by_many_that_wait(monkeypatch):
    """An array that torch fills starts a thread of its own for each core."""
    torch = pytest.importorskip("torch")
    seen = []

    def task(i):
        torch.set_num_threads(4)
        torch.ones(1 << 20)
        wait_for(i)

    def count_after_training(runs):
        seen.append(len(os.listdir("/proc/self/task")))
        return [None] * len(runs)

    before = torch.get_num_threads()
    monkeypatch.setattr(_together, "train_together", count_after_training)
    try:
        for most in (10**6, 0):
            monkeypatch.setattr(_openmp, "MOST_KEPT", most)
            run(task, 8)
    finally:
        torch.set_num_threads(before)
    kept, given_up = seen
    assert kept - given_up >= 8


# Times


@pytest.fixture
def clock(monkeypatch):
    """Give a clock that goes on when told to."""
    now = [0.0]
    for module in (_threaded_task, _session, _backend):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])

    def work(seconds):
        now[0] += seconds
        return now[0]

    return work


@pytest.fixture
def slow_training(clock, monkeypatch):
    """Let a joint training take twelve seconds."""

    def train_together(runs):
        clock(12)
        return [run.train_alone() for run in runs]

    monkeypatch.setattr(_together, "train_together", train_together)


def timed(clock, fit):
    """Result as scikit-learn's searches have it."""
    begin = clock(0)
    fit()
    fit_time = clock(0) - begin
    clock(5)
    return {"fit_time": fit_time, "score_time": clock(0) - begin - fit_time}


def test_times_are_own_work_and_an_equal_share(clock, slow_training):
    def fit(i):
        clock(i)
        wait_for(i)
        clock(1)

    for context in (sknn.batched(), sknn.batched("threading", n_jobs=1)):
        with context:
            found = Parallel()(delayed(timed)(clock, partial(fit, i)) for i in range(4))
        fit_times = [result["fit_time"] for result in found]
        assert fit_times == [i + 1 + 12 / 4 for i in range(4)]
        assert {result["score_time"] for result in found} == {5}


def test_times_of_a_whole_validation_are_those_of_its_fits(clock, slow_training):
    """A task that returns times of fits, which were tasks of their own."""

    def fit(k):
        clock(1)
        wait_for(k)

    def validate(n_fits):
        found = Parallel()(
            delayed(timed)(clock, partial(fit, k)) for k in range(n_fits)
        )
        return {"fit_time": np.array([result["fit_time"] for result in found])}

    found = run(lambda i: validate(i + 1), 3)
    for i, result in enumerate(found):
        assert_array_equal(result["fit_time"], [1 + 12 / 6] * (i + 1))


def test_times_of_nested_calls_are_those_of_their_tasks(clock, slow_training):
    def inner(k):
        clock(1)
        wait_for(k)
        clock(2)

    def fit(i):
        clock(100)
        Parallel()(delayed(inner)(k) for k in range(i + 1))

    found = run(lambda i: timed(clock, lambda: fit(i)), 3)
    shares = [100 + (i + 1) * (3 + 12 / 6) for i in range(3)]
    assert [result["fit_time"] for result in found] == shares
