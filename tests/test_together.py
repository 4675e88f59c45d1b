"""Networks that are trained as one, against the same ones trained by themselves."""

import threading
import warnings
from contextvars import copy_context

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier, MLPRegressor
from sknn.training import _together
from sknn.training._submit import in_company
from sknn.training._together import train_together

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"
)
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


def fit_together(estimators, data):
    """Fit clones as one network; return them."""
    estimators, problems = [clone(e) for e in estimators], []
    company = Company(len(estimators))

    def fit(estimator, arguments):
        try:
            with in_company(company.wait):
                estimator.fit(*arguments[:2], **dict(arguments[2:]))
        except Exception as error:
            problems.append((estimator, error))

    threads = [
        threading.Thread(target=copy_context().run, args=(fit, *pair))
        for pair in zip(estimators, data, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert company.n_trainings == [len(estimators)]
    return estimators, dict(problems)


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
}


def make(Estimator=MLPClassifier, **options):
    options = {"max_iter": 6, "batch_size": 32, "random_state": 0, **options}
    return Estimator((12,), **options)


@pytest.mark.parametrize("own", [{}, {"l1_ratio": 0.5, "alpha": 0.1}], ids=["l2", "l1"])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_and_schedule(solver, schedule, own):
    options = [*SOLVERS[solver], {"alpha": 1.0}, {"random_state": 7}]
    common = {"solver": solver, "learning_rate": schedule, **SCHEDULES[schedule]}
    check([make(**common | one | own) for one in options], FOLDS)


@pytest.mark.parametrize("schedule", ["invscaling", "adaptive"])
def test_schedules_of_sgd(schedule):
    common = {"solver": "sgd", "learning_rate": schedule, "tol": 0.1}
    own = [{"learning_rate_init": rate} for rate in (0.001, 0.01, 0.1, 0.5, 1.0)]
    check([make(**common, n_iter_no_change=1, **one) for one in own], FOLDS)
