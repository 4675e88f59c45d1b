"""Networks that are trained as one, against the same ones trained by themselves."""

import gc
import threading
import time
import warnings
from contextvars import copy_context
from functools import partial
from itertools import product
from weakref import ref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier, MLPRegressor
from sknn.data import Rows
from sknn.training import _stacked_updates, _together
from sknn.training._submit import in_company
from sknn.training._together import make_blocks, train_together

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_digits(return_X_y=True)
X = X[:, 8:40] / 16
# Stacked and single products sum in other orders: float64 rounding, 1e-16, which some
# hundred steps of adaptive rates carry on a thousandfold and more.
TOLERANCE = {"rtol": 1e-8, "atol": 1e-9}


class Company:
    """Fits in threads of their own, all of which wait before any is trained."""

    def __init__(self, n_fits):
        self.n_fits, self.waiting, self.n_trainings = n_fits, [], []
        self.all_here = threading.Barrier(n_fits, self.train)
        self.outcomes = {}

    def wait(self, runs):
        self.waiting.extend(runs)
        self.all_here.wait(60)
        return [self.outcomes[run] for run in runs]

    def train(self):
        outcomes = train_together(self.waiting)
        self.outcomes = dict(zip(self.waiting, outcomes, strict=True))
        self.n_trainings.append(len(self.waiting))


def call_together(calls):
    """Make calls in threads of their own, whose runs are trained at once."""
    company, problems = Company(len(calls)), {}

    def make(number, call):
        try:
            with in_company(company.wait):
                call()
        except Exception as error:
            problems[number] = error

    threads = [
        threading.Thread(target=copy_context().run, args=(make, *pair))
        for pair in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return company, problems


def fit_together(estimators, data):
    """Fit clones as one network; return them, and what some raised."""
    estimators = [clone(e) for e in estimators]
    calls = [
        partial(estimator.fit, *arguments[:2], **dict(arguments[2:]))
        for estimator, arguments in zip(estimators, data, strict=True)
    ]
    company, problems = call_together(calls)
    assert company.n_trainings == [len(estimators)]
    return estimators, {estimators[k]: error for k, error in problems.items()}


def partial_fit_together(estimators, data):
    """Train estimators for one epoch more, as one network."""
    calls = [
        partial(estimator.partial_fit, *rows, classes=range(10))
        for estimator, rows in zip(estimators, data, strict=True)
    ]
    company, problems = call_together(calls)
    assert not problems
    return company


def assert_equal(actual, expected):
    """Check that two fitted estimators are equal to rounding."""
    assert actual.n_iter_ == expected.n_iter_
    assert actual.t_ == expected.t_
    assert_allclose(actual.loss_curve_, expected.loss_curve_, **TOLERANCE)
    for name in ("coefs_", "intercepts_"):
        pairs = zip(getattr(actual, name), getattr(expected, name), strict=True)
        for one, other in pairs:
            assert_allclose(one, other, **TOLERANCE)
            assert_array_equal(one == 0, other == 0)
    if expected.validation_scores_ is None:
        assert actual.validation_scores_ is None
    else:
        for name in ("validation_scores_", "validation_loss_curve_"):
            assert_allclose(getattr(actual, name), getattr(expected, name), **TOLERANCE)
    rates = [row["lr"] for row in actual.history_]
    assert_allclose(rates, [row["lr"] for row in expected.history_])
    assert_equal_optimizers(actual.optimizer_, expected.optimizer_)


def assert_equal_optimizers(actual, expected):
    """Check that what a later fit would go on from is equal."""
    group, other = actual.param_groups[0], expected.param_groups[0]
    for name in set(other) - {"params"}:
        assert group[name] == pytest.approx(other[name]), name
    state, other_state = (
        opt.state.get(opt.param_groups[0]["params"][0], {})
        for opt in (actual, expected)
    )
    assert set(state) == set(other_state)
    for name in other_state:
        assert_allclose(state[name], other_state[name], **TOLERANCE)


def check(estimators, data):
    """Check that estimators trained together equal those trained alone."""
    together, problems = fit_together(estimators, data)
    assert not problems
    for estimator, arguments, actual in zip(estimators, data, together, strict=True):
        expected = clone(estimator).fit(*arguments[:2], **dict(arguments[2:]))
        assert_equal(actual, expected)


def draw(n_rows, seed=0):
    index = np.random.RandomState(seed).choice(len(X), n_rows, replace=False)
    return X[index], Y[index]


FOLDS = [draw(n, seed) for seed, n in enumerate((150, 151, 150, 95, 203))]
SOLVERS = {
    "sgd": [{"momentum": m, "learning_rate_init": 0.1} for m in (0.9, 0.5, 0.0)],
    "adam": [{}, {"beta_1": 0.8}, {"beta_2": 0.99, "epsilon": 1e-6}],
    "adamw": [{"alpha": a} for a in (0.0, 0.1, 1.0)],
    "adagrad": [{"learning_rate_init": r} for r in (0.01, 0.1, 0.03)],
    "rmsprop": [{"rho": r} for r in (0.9, 0.99, 0.9)],
}
SCHEDULES = {
    "constant": {},
    "linear": {"decay_epochs": 3},
    "cosine": {"warmup_epochs": 1.5},
    "one_cycle": {},
    "inverse_sqrt": {"warmup_epochs": 2},
    "plateau": {"tol": 0.5, "n_iter_no_change": 1},
    "linear to zero": {"learning_rate_final": 0.0, "decay_epochs": 3},
}


def make(Estimator=MLPClassifier, **options):
    options = {"max_iter": 6, "batch_size": 32, "random_state": 0, **options}
    return Estimator(hidden_layer_sizes=(12,), **options)


@pytest.mark.parametrize("own", [{}, {"l1_ratio": 0.5, "alpha": 0.1}], ids=["l2", "l1"])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_and_schedule(solver, schedule, own):
    options = [*SOLVERS[solver], {"alpha": 1.0}, {"random_state": 7}]
    name = schedule.split()[0]
    common = {"solver": solver, "learning_rate": name, **SCHEDULES[schedule]}
    check([make(**common | one | own) for one in options], FOLDS)


@pytest.mark.parametrize("schedule", ["invscaling", "adaptive"])
def test_schedules_of_sgd(schedule):
    common = {"solver": "sgd", "learning_rate": schedule, "tol": 0.1}
    own = [{"learning_rate_init": rate} for rate in (0.001, 0.01, 0.1, 0.5, 1.0)]
    check([make(**common, n_iter_no_change=1, **one) for one in own], FOLDS)


def test_velocities_of_rates_that_part_and_reach_zero():
    common = {"solver": "sgd", "learning_rate": "linear", "decay_epochs": 3}
    own = [{}, {"learning_rate_final": 0.0}, {"alpha": 1.0}]
    estimators = [make(**common, learning_rate_init=0.1, **one) for one in own]
    check(estimators, FOLDS[:3])


def test_networks_leave_when_they_are_over():
    common = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 25}
    rates = [0.0003, 0.001, 0.01, 0.03, 0.3]
    estimators = [make(learning_rate_init=rate, **common) for rate in rates]
    check(estimators, FOLDS)
    lengths = {clone(e).fit(*d).n_iter_ for e, d in zip(estimators, FOLDS, strict=True)}
    assert len(lengths) > 2


@pytest.mark.parametrize("scoring", ["loss", "f1_macro"])
def test_validation_rows_and_scorers(scoring):
    validation = {"X_val": X[:40], "y_val": Y[:40]}
    data = [(*fold, *validation.items()) for fold in FOLDS]
    pairs = product((False, True), (0.0, 1.0))
    own = [{"early_stopping": stops, "alpha": alpha} for stops, alpha in pairs]
    check([make(**o | {"scoring": scoring}) for o in own], data[: len(own)])


def test_dropout_of_different_rates():
    rates = [0.0, 0.5, [0.2], 0.5, 0.1]
    check([make(dropout=rate) for rate in rates], FOLDS)


def weigh(data, seed=0):
    """Give all but the first some weights, which may be zero for a whole batch."""
    rng = np.random.RandomState(seed)
    weights = [rng.uniform(0.2, 2, len(y)) for _, y in data]
    weights[1] = rng.randint(3, size=len(weights[1])).astype(float)
    weights[2][:-20] = 0
    named = [(*d, ("sample_weight", w)) for d, w in zip(data, weights, strict=True)]
    return [data[0], *named[1:]]


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("shuffle", [True, False])
def test_weights_of_rows(shuffle, dropout):
    common = {"shuffle": shuffle, "class_weight": "balanced", "dropout": dropout}
    check([make(**common) for _ in FOLDS], weigh(FOLDS))


@pytest.mark.parametrize(
    "option",
    [
        {"gradient_clip": 0.1},
        {"label_smoothing": 0.2},
        {"activation": "gelu"},
        {"weight_init": "he_normal"},
        {"batch_size": "full"},
        {"batch_size": 1, "max_iter": 1},
        {"batch_size": 150},
        {"shuffle": False},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (7, 9)},
        {"batch_norm": True},
    ],
    ids=str,
)
def test_options(option):
    options = {"max_iter": 3, **option}
    estimators = [make(alpha=alpha).set_params(**options) for alpha in (0, 1, 0.1)]
    check(estimators, FOLDS[:3])


@pytest.mark.parametrize(
    ("loss", "transform"),
    [
        ("squared_error", np.asarray),
        ("squared_error", lambda y: np.column_stack([y, -y])),
        ("absolute_error", np.asarray),
        ("huber", np.asarray),
        ("quantile", np.asarray),
        ("poisson", np.asarray),
        ("gamma", lambda y: y + 1.0),
    ],
)
def test_losses_of_regressors(loss, transform):
    quantile = [0.1, 0.5] if loss == "quantile" else 0.5
    options = {"loss": loss, "quantile": quantile}
    data = [(x, transform(y.astype(float))) for x, y in FOLDS]
    check([make(MLPRegressor, alpha=a, **options) for a in (0, 1, 2, 0, 1)], data)


def test_two_classes_and_labels():
    binary = [(x, y % 2) for x, y in FOLDS[:3]]
    labels = [(x, np.column_stack([y % 2, y % 3 == 0])) for x, y in FOLDS[:3]]
    for data in (binary, labels):
        check([make(alpha=alpha) for alpha in (0, 1, 0.1)], data)


def test_sparse_inputs():
    data = [(sparse.csr_array(x), y) for x, y in FOLDS[:3]]
    check([make(alpha=alpha) for alpha in (0, 1, 0.1)], data)


def test_what_differs_is_grouped_apart():
    options = [
        {},
        {"hidden_layer_sizes": (5,)},
        {"activation": "tanh"},
        {"solver": "sgd"},
        {"batch_size": 16},
        {"dtype": "float64"},
        {"label_smoothing": 0.1},
    ]
    estimators = [make().set_params(**own) for own in options for _ in range(2)]
    check(estimators, [FOLDS[k % 5] for k in range(len(estimators))])


def test_states_of_randomness():
    estimators = [make(random_state=np.random.RandomState(k)) for k in range(3)]
    check(estimators, FOLDS[:3])


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_any_number_of_networks_at_once(most, n_threads, monkeypatch):
    monkeypatch.setattr(_together, "MOST_NETWORKS", most)
    monkeypatch.setattr(_together, "available_threads", lambda: n_threads)
    rates = [0.001, 0.01, 0.1, 0.003, 0.0001]
    check([make(learning_rate_init=rate, dropout=0.3) for rate in rates], FOLDS)


def test_float32():
    data = [(x.astype(np.float32), y) for x, y in FOLDS[:3]]
    together, _ = fit_together([make(alpha=a) for a in (0, 1, 2)], data)
    for actual, alpha, (x, y) in zip(together, (0, 1, 2), data, strict=True):
        expected = make(alpha=alpha).fit(x, y)
        assert actual.coefs_[0].dtype == np.float32
        # rounding of 6e-8, a thousandfold
        assert_allclose(actual.loss_curve_, expected.loss_curve_, rtol=1e-4)


def test_fits_that_go_on():
    estimators = [make(alpha=a, warm_start=True, solver="sgd") for a in (0, 1, 0.1)]
    first, _ = fit_together(estimators, FOLDS[:3])
    alone = [clone(e).fit(*d) for e, d in zip(estimators, FOLDS[:3], strict=True)]
    for one, other, data in zip(first, alone, FOLDS[:3], strict=True):
        assert_equal(one.fit(*data), other.fit(*data))


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_calls_that_go_on_with_states_of_their_own(solver, schedule):
    options = {"solver": solver, "learning_rate": schedule, "warmup_epochs": 1.5}
    estimators = [make(**options, alpha=alpha) for alpha in (0, 1)]
    together, alone = ([clone(e) for e in estimators] for _ in range(2))
    for data in (FOLDS[:2], [FOLDS[4], FOLDS[3]], FOLDS[2:4]):  # unequal steps
        call = partial_fit_together(together, data)
        assert call.n_trainings == [2]
        for estimator, (x, y) in zip(alone, data, strict=True):
            estimator.partial_fit(x, y, classes=range(10))
        for one, other in zip(together, alone, strict=True):
            assert_equal(one, other)


def test_one_that_diverges_leaves_the_others_alone():
    common = {"solver": "sgd", "activation": "identity"}
    rates = [0.01, 1e30, 0.02]
    data = [(x, y.astype(float)) for x, y in FOLDS[:3]]
    estimators = [make(MLPRegressor, learning_rate_init=r, **common) for r in rates]
    together, problems = fit_together(estimators, data)
    assert list(problems) == [together[1]]
    assert "non-finite parameter weights" in str(problems[together[1]])
    assert np.isfinite(together[1].coefs_[0]).all()
    for k in (0, 2):
        assert_equal(together[k], clone(estimators[k]).fit(*data[k]))


def test_a_scorer_that_raises_ends_its_own_network():
    calls = []

    def fail(estimator, x, y):
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("no score today")
        return 1.0

    own = [{"early_stopping": True, "scoring": s} for s in (None, fail, None)]
    estimators = [make(**o) for o in own]
    together, problems = fit_together(estimators, FOLDS[:3])
    assert str(problems[together[1]]) == "no score today"
    for k in (0, 2):
        assert_equal(together[k], clone(estimators[k]).fit(*FOLDS[k]))


def test_an_interrupt_ends_all_with_the_last_epoch(monkeypatch):
    begin_epoch, epochs = _together.Member.begin_epoch, []

    def interrupt(member):
        epochs.append(1)
        if len(epochs) == 8:
            raise KeyboardInterrupt
        return begin_epoch(member)

    monkeypatch.setattr(_together.Member, "begin_epoch", interrupt)
    monkeypatch.setattr(_together, "available_threads", lambda: 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        together, problems = fit_together([make() for _ in range(3)], FOLDS[:3])
    assert not problems
    assert [e.n_iter_ for e in together] == [2, 2, 2]
    for actual, data in zip(together, FOLDS[:3], strict=True):
        expected = make(max_iter=2).fit(*data)
        assert_allclose(actual.coefs_[0], expected.coefs_[0], **TOLERANCE)
    messages = {str(warning.message) for warning in caught}
    assert "Training interrupted by user." in messages


def test_scorers_run_one_at_a_time():
    running, most = [], []

    def score(estimator, x, y):
        running.append(1)
        most.append(len(running))
        time.sleep(0.002)
        running.pop()
        return estimator.score(x, y)

    options = {"early_stopping": True, "scoring": score, "max_iter": 3}
    make(**options, n_networks=5).fit(*FOLDS[0])
    assert len(most) > 15 and max(most) == 1


@pytest.mark.parametrize("name", ["begin_epoch", "__init__"])
def test_an_error_of_one_network_is_an_error_of_its_own(name, monkeypatch):
    original, calls = getattr(_together.Member, name), []

    def fail(member, *arguments):
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError("too little")
        return original(member, *arguments)

    monkeypatch.setattr(_together.Member, name, fail)
    monkeypatch.setattr(_together, "available_threads", lambda: 1)
    _, problems = fit_together([make() for _ in range(3)], FOLDS[:3])
    errors = list(problems.values())
    assert all(isinstance(error, MemoryError) for error in errors)
    assert len(set(map(id, errors))) == len(errors)
    if name == "__init__":
        assert len(problems) == 1


def test_failed_trainings_are_not_kept_alive():
    stacks = []

    class Watched(_together.Stack):
        def __init__(self, members):
            super().__init__(members)
            stacks.append(ref(self))

    estimators = [make(solver="sgd", learning_rate_init=r) for r in (0.01, 1e30)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_together, "Stack", Watched)
        patch.setattr(_together, "available_threads", lambda: 1)
        gc.collect()
        gc.disable()
        try:
            _, problems = fit_together(estimators, FOLDS[:2])
            assert len(problems) == 1
            del problems
            assert stacks and not any(stack() for stack in stacks)
        finally:
            gc.enable()


def test_networks_that_can_move_in_one_call_do(monkeypatch):
    updates = []

    class Watched(_stacked_updates.SharedUpdate):
        def __init__(self, nets, *arguments):
            updates.append(len(nets))
            super().__init__(nets, *arguments)

    monkeypatch.setattr(_stacked_updates, "SharedUpdate", Watched)
    monkeypatch.setattr(_together, "available_threads", lambda: 1)
    own = [{"beta_1": beta} for beta in (0.9, 0.8, 0.7)] * 4
    fit_together([make(max_iter=1, **o) for o in own], [FOLDS[0]] * 12)
    assert updates == [4, 4, 4]


@pytest.mark.parametrize(("rates", "in_place"), [([0.1] * 3, 1), ([0.1, 0.2, 0.1], 0)])
def test_networks_of_one_rate_move_where_they_are(rates, in_place, monkeypatch):
    moved = set()

    class Watched(_stacked_updates.SharedUpdate):
        def _move(self, values):
            moved.add(values is self._values)
            super()._move(values)

    monkeypatch.setattr(_stacked_updates, "SharedUpdate", Watched)
    estimators = [make(max_iter=1, learning_rate_init=rate) for rate in rates]
    fit_together(estimators, [FOLDS[0]] * 3)
    assert moved == {bool(in_place)}


def test_blocks_are_as_large_as_they_should_be(monkeypatch):
    class FakeRun:
        can_be_stacked = True

        def __init__(self, number, kind="a"):
            self.kind, X = kind, np.zeros((3, 2)) + number
            self.rows = Rows(X, np.zeros(3))

    monkeypatch.setattr(_together, "_key", lambda run: run.kind)

    def sizes(n_runs, n_threads, most):
        monkeypatch.setattr(_together, "_n_networks_at_once", lambda run: most)
        runs = [FakeRun(k % 5) for k in range(n_runs)]
        blocks = make_blocks(runs, n_threads)
        assert sorted(map(id, runs)) == sorted(id(run) for b in blocks for run in b)
        return [len(block) for block in blocks]

    assert sizes(60, 1, 64) == [60]
    assert sizes(60, 2, 64) == [30, 30]
    assert sizes(60, 2, 12) == [10] * 6
    assert sizes(3, 2, 64) == [3]
    assert sizes(1, 2, 64) == [1]
    assert sizes(4, 2, 1) == [1] * 4
    monkeypatch.setattr(_together, "_n_networks_at_once", lambda run: 64)
    runs = [FakeRun(0, kind) for kind in "abab"]
    kinds = [{run.kind for run in block} for block in make_blocks(runs, 2)]
    assert kinds == [{"a"}, {"b"}]
    runs[0].can_be_stacked = False
    assert [runs[0]] in make_blocks(runs, 2)
    numbers = [FakeRun(k % 2) for k in range(6)]
    (block,) = make_blocks(numbers, 1)
    assert [run.rows.X[0, 0] for run in block] == [0, 0, 0, 1, 1, 1]


def test_warnings_reach_their_own_fits():
    common = {"tol": 0.0, "max_iter": 2}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fit_together([make(**common) for _ in range(3)], FOLDS[:3])
    assert sum(w.category is ConvergenceWarning for w in caught) == 3


def make_instances(kind):
    """Make states of the caller's, equal ones and another."""
    if kind == "MT19937":
        return [np.random.RandomState(seed) for seed in (0, 0, 1, 0)]
    return [np.random.RandomState(np.random.PCG64(seed)) for seed in (0, 0, 1, 0)]


@pytest.mark.parametrize("kind", ["MT19937", "PCG64"])
@pytest.mark.parametrize("options", [{"tol": 0.05}, {"early_stopping": True}], ids=str)
def test_instances_of_the_callers_are_where_lone_fits_leave_them(options, kind):
    """Equal ones draw once for all, and the networks leave one after another."""
    together, alone = make_instances(kind), make_instances(kind)
    parameters = {"max_iter": 30, "n_iter_no_change": 2, **options}
    rates = (0.1, 0.001, 0.01, 0.02)
    calls = []
    for state, rate in zip(together, rates, strict=True):
        own = MLPClassifier((4,), random_state=state, learning_rate_init=rate)
        calls.append(partial(own.set_params(**parameters).fit, X[:300], Y[:300]))
    _, problems = call_together(calls)
    assert not problems
    n_iters = set()
    for call, state, rate in zip(calls, alone, rates, strict=True):
        expected = MLPClassifier((4,), random_state=state, learning_rate_init=rate)
        expected.set_params(**parameters).fit(X[:300], Y[:300])
        assert_equal(call.func.__self__, expected)
        n_iters.add(expected.n_iter_)
    assert len(n_iters) > 1
    for state, expected in zip(together, alone, strict=True):
        assert state.randint(2**31) == expected.randint(2**31)
