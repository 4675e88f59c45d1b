"""Learning rate schedules as parameters of the estimators."""

import itertools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, LRScheduler

from sknn import MLPClassifier, MLPRegressor
from sknn.training._schedules import TIMED, make_schedule

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

INITIAL, N_ROWS, BATCH_SIZE = 0.02, 50, 20
X = np.random.RandomState(0).normal(size=(N_ROWS, 4))
Y = {MLPClassifier: (X[:, 0] > 0).astype(int), MLPRegressor: X[:, 0] - X[:, 1]}
SOLVERS = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]
every_solver = pytest.mark.parametrize("solver", SOLVERS)
every_timed = pytest.mark.parametrize("learning_rate", sorted(TIMED))
both = pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])


class Rates(Callback):
    """Records the rate of every step."""

    def initialize(self):
        self.log_ = []
        return self

    def on_batch_end(self, net, training, **kwargs):
        if training:
            self.log_.append(net.optimizer_.param_groups[0]["lr"])


def make(Estimator=MLPRegressor, **params):
    defaults = {"learning_rate_init": INITIAL, "batch_size": BATCH_SIZE, "tol": 0}
    defaults |= {"max_iter": 6, "random_state": 0, "n_iter_no_change": 100}
    defaults |= {"shuffle": False}
    return Estimator(hidden_layer_sizes=(5,), **defaults | params)


def fit(Estimator=MLPRegressor, **params):
    return make(Estimator, **params).fit(X, Y[Estimator])


def get_weights(model):
    return np.concatenate([w.ravel() for w in [*model.coefs_, *model.intercepts_]])


def expected_rates(name, n_epochs, final=INITIAL / 100, tau=6, warmup=0):
    rate = make_schedule(name, INITIAL, 0.5, final, tau, warmup).rate
    starts = np.add.outer(np.arange(n_epochs), [0, 0.4, 0.8]).ravel()
    ends = np.add.outer(np.arange(n_epochs), [0.4, 0.8, 1]).ravel()
    factors = np.minimum(1, ends / warmup) if warmup else 1
    return factors * [rate(t) for t in starts]


@both
@every_solver
@every_timed
def test_every_step_has_its_rate(Estimator, solver, learning_rate):
    params = {"solver": solver, "learning_rate": learning_rate}
    hooked = fit(Estimator, callbacks=[Rates()], **params)
    rates = hooked.callbacks_[0][1].log_
    assert_allclose(rates, expected_rates(learning_rate, 6), rtol=1e-12)
    lean = fit(Estimator, **params)
    assert_array_equal(get_weights(lean), get_weights(hooked))
    assert lean.history_[:, "lr"] == hooked.history_[:, "lr"] == rates[2::3]
    plain = fit(Estimator, solver=solver)
    assert not np.allclose(get_weights(lean), get_weights(plain), rtol=1e-6)


@pytest.mark.parametrize("learning_rate", ["linear", "cosine", "one_cycle"])
def test_final_rate_and_decay_epochs(learning_rate):
    params = {"learning_rate_final": 0.003, "decay_epochs": 2.5}
    model = fit(learning_rate=learning_rate, callbacks=[Rates()], **params)
    expected = expected_rates(learning_rate, 6, 0.003, 2.5)
    assert_allclose(model.callbacks_[0][1].log_, expected, rtol=1e-12)
    assert model.history_[-1, "lr"] == 0.003


@every_solver
@every_timed
def test_warm_up(solver, learning_rate):
    params = {"solver": solver, "learning_rate": learning_rate, "warmup_epochs": 2}
    model = fit(callbacks=[Rates()], **params)
    expected = expected_rates(learning_rate, 6, warmup=2)
    assert_allclose(model.callbacks_[0][1].log_, expected, rtol=1e-12)


@every_solver
def test_warm_up_of_a_constant_rate(solver):
    model = fit(solver=solver, warmup_epochs=2, callbacks=[Rates()])
    factors = np.array([0.2, 0.4, 0.5, 0.7, 0.9, 1.0])
    rates = model.callbacks_[0][1].log_
    assert_allclose(rates, [*(INITIAL * factors), *[INITIAL] * 12])
    lean = fit(solver=solver, warmup_epochs=2)
    assert_array_equal(get_weights(lean), get_weights(model))


def test_warm_up_of_inverse_scaling():
    params = {"solver": "sgd", "learning_rate": "invscaling"}
    plain, warm = fit(**params), fit(warmup_epochs=2.5, **params)
    factors = np.minimum(1, np.arange(1, 7) / 2.5)
    assert_allclose(warm.history_[:, "lr"], factors * plain.history_[:, "lr"])


def test_plateau_is_adaptive_for_any_solver():
    params = {"max_iter": 60, "n_iter_no_change": 2, "tol": 1.0}
    adaptive = fit(solver="sgd", learning_rate="adaptive", **params)
    plateau = fit(solver="sgd", learning_rate="plateau", **params)
    assert_array_equal(get_weights(adaptive), get_weights(plateau))
    assert plateau.history_[:, "lr"] == adaptive.history_[:, "lr"]
    for solver in SOLVERS:
        rates = fit(solver=solver, learning_rate="plateau", **params).history_[:, "lr"]
        assert rates[0] == INITIAL
        assert rates[-1] < INITIAL / 4
        assert {round(a / b, 9) for a, b in itertools.pairwise(rates)} == {
            1.0,
            5.0,
        }


@every_timed
@pytest.mark.parametrize("warmup_epochs", [0, 3])
@pytest.mark.parametrize("pickled", [False, True])
def test_time_goes_on_in_partial_fit(learning_rate, warmup_epochs, pickled):
    params = {"learning_rate": learning_rate, "warmup_epochs": warmup_epochs}
    if learning_rate != "inverse_sqrt":
        params["decay_epochs"] = 6
    whole = fit(**params)
    parts = fit(**params | {"max_iter": 2})
    for _ in range(4):
        parts = pickle.loads(pickle.dumps(parts)) if pickled else parts
        parts.partial_fit(X, Y[MLPRegressor])
    assert parts.history_[:, "lr"] == whole.history_[:, "lr"]
    assert_array_equal(get_weights(parts), get_weights(whole))


@pytest.mark.parametrize("learning_rate", ["linear", "cosine", "one_cycle"])
def test_without_an_end_the_rate_of_partial_fit_stays(learning_rate):
    model = make(learning_rate=learning_rate)
    for _ in range(10):
        model.partial_fit(X, Y[MLPRegressor])
    assert set(model.history_[:, "lr"]) == {INITIAL}


def test_time_begins_anew_in_a_warm_start():
    model = make(learning_rate="cosine", warm_start=True)
    for _ in range(2):
        model.fit(X, Y[MLPRegressor])
    rates = model.history_[:, "lr"]
    assert len(rates) == 12
    assert rates[:6] == rates[6:]


@pytest.mark.parametrize("warmup_epochs", [0, 1])
def test_a_scheduler_of_skorch_has_the_last_word_on_a_constant_rate(warmup_epochs):
    schedule = LRScheduler("StepLR", step_size=3, gamma=0.1)
    model = fit(callbacks=[schedule], warmup_epochs=warmup_epochs)
    assert_allclose(model.history_[:, "lr"], [INITIAL] * 3 + [INITIAL / 10] * 3)


@every_timed
def test_early_stopping(learning_rate):
    params = {"early_stopping": True, "max_iter": 200, "n_iter_no_change": 5}
    model = fit(learning_rate=learning_rate, **params)
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_a_warm_up_that_is_called_off():
    X = np.random.RandomState(0).normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    net = MLPClassifier((4,), warmup_epochs=5, learning_rate_init=0.01)
    net.partial_fit(X, y, classes=[0, 1])
    assert net.history_[-1, "lr"] == pytest.approx(0.002)
    net.set_params(warmup_epochs=0).partial_fit(X, y)
    assert net.history_[-1, "lr"] == 0.01


def test_time_counts_epochs_at_a_constant_rate():
    X = np.random.RandomState(0).normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    net = MLPClassifier((4,), learning_rate_init=0.01, decay_epochs=10)
    net.set_params(learning_rate_final=1e-3, batch_size="full")
    with pytest.warns(UserWarning, match="no effect"):
        net.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    net.set_params(learning_rate="linear").partial_fit(X, y)
    assert net.history_[-1, "lr"] == pytest.approx(0.8 * 0.01 + 0.2 * 1e-3)


@both
@pytest.mark.filterwarnings("error")
def test_a_fit_that_ends_as_its_schedule_has_converged(Estimator):
    y = Y[Estimator]
    make(Estimator, learning_rate="cosine", max_iter=3).fit(X, y)
    make(Estimator, learning_rate="linear", max_iter=4, decay_epochs=3).fit(X, y)
    for cut_off in (
        {"learning_rate": "linear", "decay_epochs": 4},
        {"learning_rate": "inverse_sqrt"},
        {"learning_rate": "constant"},
    ):
        with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
            make(Estimator, max_iter=3, **cut_off).fit(X, y)
