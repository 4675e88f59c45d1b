"""Parity with scikit-learn's perceptrons, whose own classes are the oracle.

Both sides compute the same expressions in float64 but sum them in another order,
so they differ by some 1e-16 a step. First-order solvers hand that on about
linearly; adam without a second moment, whose step is nearly the sign of the
gradient, magnifies it most. L-BFGS multiplies it by the condition of its curvature
estimate at every iteration and would end elsewhere in a flat valley after hundreds
of them, hence `LBFGS_ITERATIONS`. With the sizes and epochs used here, moving every
entry of X by two units in its last place moves nothing that is compared by more
than 5e-8 of itself: `RTOL` leaves a factor of twenty for other BLAS builds.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neural_network as oracle
from sklearn.base import is_classifier
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification

import sknn

# The few epochs that keep this file short end most fits before convergence.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-6
LBFGS_ITERATIONS = 15

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
FITTED = [
    "n_features_in_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
    "classes_",
    "n_iter_",
    "t_",
    "loss_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
    "coefs_",
    "intercepts_",
]


def digits(n_classes=10, n_samples=217):
    X, y = load_digits(n_class=n_classes, return_X_y=True)
    return X[:n_samples] / 16.0, y[:n_samples]


def diabetes(n_samples=217):
    X, y = load_diabetes(return_X_y=True)
    return X[:n_samples] * 20.0, (y[:n_samples] - 150.0) / 80.0


def binary():
    return digits(2)


def multiclass_strings():
    X, y = digits(3)
    return X, np.array(["zero", "one", "two"], dtype=object)[y]


def booleans():
    X, y = digits(2)
    return X, y == 1


def multilabel():
    X, y = make_multilabel_classification(n_samples=217, random_state=0)
    return X / 10.0, y


def multioutput():
    X, y = diabetes()
    return X, np.column_stack([y, X[:, 0] * X[:, 1], np.sin(y)])


def counts():
    X, y = diabetes()
    return X, np.floor(2.0 * np.exp(y))


TARGETS = {
    "binary": ("MLPClassifier", binary, {}),
    "multiclass": ("MLPClassifier", digits, {}),
    "strings": ("MLPClassifier", multiclass_strings, {}),
    "booleans": ("MLPClassifier", booleans, {}),
    "multilabel": ("MLPClassifier", multilabel, {}),
    "regression": ("MLPRegressor", diabetes, {}),
    "multioutput": ("MLPRegressor", multioutput, {}),
    "poisson": ("MLPRegressor", counts, {"loss": "poisson"}),
}
TASKS = ["multiclass", "regression"]


def make_pair(target, **params):
    name, load, own = TARGETS[target]
    params = {"random_state": 0, "batch_size": 32, "max_iter": 8} | own | params
    params.setdefault("hidden_layer_sizes", (12,))
    pair = [getattr(package, name)(**params) for package in (sknn, oracle)]
    return *pair, *load()


def fit_pair(target, *, sample_weight=None, **params):
    ours, theirs, X, y = make_pair(target, **params)
    for model in (ours, theirs):
        model.fit(X, y, sample_weight=sample_weight)
    assert_same_model(ours, theirs, X, y)
    return ours, theirs


def weights(n_samples=217):
    drawn = np.random.RandomState(1).uniform(0.1, 3.0, n_samples)
    drawn[::7] = 0.0
    return drawn


def assert_same(actual, expected, name):
    """Both None, equal labels and numbers of steps, or floats equal to rounding."""
    if isinstance(expected, list) and np.ndim(expected[0]) > 0:
        assert len(actual) == len(expected), name
        for ours, theirs in zip(actual, expected, strict=True):
            assert_same(ours, theirs, name)
    elif expected is None or np.asarray(expected).dtype.kind != "f":
        assert_array_equal(actual, expected, err_msg=name)
    else:
        assert np.asarray(actual).dtype == np.float64, name
        assert_allclose(actual, expected, rtol=RTOL, atol=0.0, err_msg=name)


def assert_same_model(ours, theirs, X, y):
    for name in FITTED:
        if hasattr(theirs, name):
            assert_same(getattr(ours, name), getattr(theirs, name), name)
    methods = ["predict"]
    if is_classifier(theirs):
        methods += ["predict_proba", "predict_log_proba"]
    for method in methods:
        assert_same(getattr(ours, method)(X), getattr(theirs, method)(X), method)
    assert_same(ours.score(X, y), theirs.score(X, y), "score")


MOMENTA = {
    "plain": {"momentum": 0.0},
    "classical": {"momentum": 0.8, "nesterovs_momentum": False},
    "nesterov": {"momentum": 0.9, "nesterovs_momentum": True},
}
SCHEDULES = {
    "constant": {"learning_rate_init": 0.05},
    "invscaling": {"learning_rate_init": 0.1, "power_t": 0.2},
    "adaptive": {"learning_rate_init": 0.05, "tol": 0.05, "n_iter_no_change": 1},
}


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("momentum", MOMENTA)
def test_sgd(target, activation, schedule, momentum):
    fit_pair(
        target,
        solver="sgd",
        activation=activation,
        learning_rate=schedule,
        **SCHEDULES[schedule],
        **MOMENTA[momentum],
    )


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"learning_rate_init": 0.02, "beta_1": 0.0, "beta_2": 0.5},
        {"beta_2": 0.0, "epsilon": 1e-3},
        {"epsilon": 0.5, "learning_rate_init": 0.05},
    ],
    ids=["defaults", "betas", "no-second-moment", "large-epsilon"],
)
def test_adam(target, activation, params):
    fit_pair(target, solver="adam", activation=activation, **params)


@pytest.mark.parametrize("target", TASKS)
def test_adam_over_hundred_epochs(target):
    """A thousand steps apart and still at the same weights."""
    ours, _ = fit_pair(target, activation="tanh", max_iter=100, tol=0.0)
    assert ours.n_iter_ == 100


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("params", [{}, {"alpha": 1.0}, {"max_fun": 7}], ids=str)
def test_lbfgs(target, activation, params):
    params = {"max_iter": LBFGS_ITERATIONS} | params
    fit_pair(target, solver="lbfgs", activation=activation, **params)


def test_lbfgs_stops_where_the_gradient_is_small():
    ours, _ = fit_pair("regression", solver="lbfgs", tol=0.05, max_iter=100)
    assert ours.n_iter_ < 100


@pytest.mark.parametrize("early_stopping", [False, True])
def test_adaptive_ends_by_itself(early_stopping):
    """Each two epochs divide the rate by 5, until it falls below 1e-6."""
    ours, _ = fit_pair(
        "regression",
        solver="sgd",
        learning_rate="adaptive",
        learning_rate_init=0.05,
        tol=0.5,
        n_iter_no_change=1,
        max_iter=100,
        early_stopping=early_stopping,
    )
    assert 10 < ours.n_iter_ < 60


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_loss_stops(solver):
    """The number of epochs is decided by `tol`, not by `max_iter`."""
    ours, _ = fit_pair(
        "multiclass",
        solver=solver,
        learning_rate_init=0.01,
        tol=0.02,
        n_iter_no_change=3,
        max_iter=150,
    )
    assert 5 < ours.n_iter_ < 150


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_targets(target, solver, weighted):
    sample_weight = weights() if weighted else None
    fit_pair(target, solver=solver, sample_weight=sample_weight)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_early_stopping(target, solver, weighted):
    ours, _ = fit_pair(
        target,
        solver=solver,
        sample_weight=weights() if weighted else None,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=2,
        learning_rate_init=0.01,
        max_iter=40,
    )
    assert len(ours.validation_scores_) == ours.n_iter_
    assert ours.best_loss_ is None


@pytest.mark.parametrize("target", ["multilabel", "multiclass", "regression"])
def test_early_stopping_restores_the_best_epoch(target):
    """A rate that overshoots, so that the last epoch is not the best."""
    ours, _ = fit_pair(
        target,
        solver="sgd",
        early_stopping=True,
        learning_rate_init=0.5 if target != "regression" else 0.02,
        n_iter_no_change=4,
        max_iter=30,
    )
    assert ours.validation_scores_[-1] < ours.best_validation_score_


def test_one_column_of_targets():
    ours, theirs, X, y = make_pair("regression")
    for model in (ours, theirs):
        with pytest.warns(UserWarning, match="column-vector y was passed"):
            model.fit(X, y[:, None])
    assert_same_model(ours, theirs, X, y)


OPTIONS = {
    "unshuffled": {"shuffle": False},
    "unshuffled-stopping": {"shuffle": False, "early_stopping": True},
    "one-row-batches": {"batch_size": 1, "max_iter": 2},
    "full-batch": {"batch_size": 217},
    "auto-batch": {"batch_size": "auto"},
    "width": {"hidden_layer_sizes": 9},
    "no-hidden-layer": {"hidden_layer_sizes": ()},
    "three-layers": {"hidden_layer_sizes": (11, 7, 5)},
    "array-of-widths": {"hidden_layer_sizes": np.array([6, 4])},
    "no-penalty": {"alpha": 0.0},
    "strong-penalty": {"alpha": 5.0},
    "never-stop": {"n_iter_no_change": np.inf, "tol": 10.0},
    "stop-at-once": {"n_iter_no_change": 1, "tol": 10.0},
    "fixed-weights": {"learning_rate_init": 1e-12},
}


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("option", OPTIONS)
def test_options(target, solver, option):
    fit_pair(target, solver=solver, **OPTIONS[option])


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("sizes", [7, (), (6, 5, 4)], ids=str)
def test_lbfgs_depth(target, sizes):
    fit_pair(target, solver="lbfgs", hidden_layer_sizes=sizes)


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_batch_larger_than_data(target, solver):
    ours, theirs, X, y = make_pair(target, solver=solver, batch_size=1000)
    for model in (ours, theirs):
        with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger"):
            model.fit(X, y)
    assert_same_model(ours, theirs, X, y)


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined")
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_one_sample(solver):
    ours, theirs, X, y = make_pair("regression", solver=solver, batch_size="auto")
    for model in (ours, theirs):
        model.fit(X[:1], y[:1])
    assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_one_class(solver):
    ours, theirs, X, y = make_pair("binary", solver=solver)
    for model in (ours, theirs):
        model.fit(X, np.zeros_like(y))
    assert_same_model(ours, theirs, X, np.zeros_like(y))


@pytest.mark.parametrize("container", [sp.csr_array, sp.csc_array, sp.csr_matrix])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_sparse(container, solver):
    ours, theirs, X, y = make_pair("multiclass", solver=solver)
    for model in (ours, theirs):
        model.fit(container(X), y)
    assert_same_model(ours, theirs, X, y)


def test_integers_become_float64():
    ours, theirs, X, y = make_pair("multiclass")
    X = np.rint(16 * X).astype(np.int64)
    for model in (ours, theirs):
        model.fit(X, y)
    assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_random_state_instance_is_left_in_the_same_state(early_stopping):
    """Whoever shares one generator between estimators gets the same draws after."""
    drawn = []
    ours, theirs, X, y = make_pair("multiclass", early_stopping=early_stopping)
    for model in (ours, theirs):
        generator = np.random.RandomState(3)
        model.set_params(random_state=generator).fit(X, y)
        drawn.append(generator.uniform(size=4))
    assert_same_model(ours, theirs, X, y)
    assert_array_equal(*drawn)


def test_no_seed_draws_from_the_global_state():
    ours, theirs, X, y = make_pair("regression", random_state=None)
    kept = np.random.get_state()  # noqa: NPY002
    try:
        for model in (ours, theirs):
            np.random.seed(11)  # noqa: NPY002
            model.fit(X, y)
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    assert_same_model(ours, theirs, X, y)


SOLVERS = {
    "sgd": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 1.0,
        "n_iter_no_change": 1,
    },
    "adam": {"solver": "adam"},
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("solver", ["sgd", "invscaling", "adaptive", "adam", "lbfgs"])
def test_warm_start(target, solver):
    params = SOLVERS.get(solver, {"solver": solver, "max_iter": 4})
    ours, theirs, X, y = make_pair(target, warm_start=True, **params)
    for sample_weight in (None, weights(), None):
        for model in (ours, theirs):
            model.fit(X, y, sample_weight=sample_weight)
        assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_warm_start_with_other_parameters(target, early_stopping):
    """Each fit obeys the parameters that it finds, on the weights of the last."""
    ours, theirs, X, y = make_pair(
        target, warm_start=True, early_stopping=early_stopping, max_iter=3
    )
    steps = [
        {},
        {"learning_rate_init": 0.01, "random_state": 4},
        {"solver": "sgd", "momentum": 0.5, "max_iter": 5},
        {"alpha": 0.1, "batch_size": 50, "learning_rate_init": 0.02},
    ]
    for step in steps:
        for model in (ours, theirs):
            model.set_params(**step).fit(X, y)
        assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_warm_start_with_another_activation(target, solver):
    ours, theirs, X, y = make_pair(
        target, warm_start=True, solver=solver, activation="relu"
    )
    for activation in ("relu", "tanh", "logistic"):
        for model in (ours, theirs):
            model.set_params(activation=activation).fit(X, y)
        assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_warm_start_with_another_loss(solver):
    """The output's activation goes with the loss; scikit-learn's has to be told."""
    ours, theirs, X, y = make_pair("poisson", warm_start=True, solver=solver)
    for loss, activation in [("squared_error", "identity"), ("poisson", "exp")]:
        theirs.out_activation_ = activation
        for model in (ours, theirs):
            model.set_params(loss=loss).fit(X, y)
        assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_warm_start_with_another_dtype_converts_the_weights(solver):
    ours, _, X, y = make_pair("multiclass", warm_start=True, solver=solver)
    start = [array.copy() for array in ours.fit(X, y).coefs_]
    ours.set_params(dtype="float32", solver="sgd", learning_rate_init=1e-12).fit(X, y)
    for now, before in zip(ours.coefs_, start, strict=True):
        assert now.dtype == np.float32
        assert_allclose(now, before, rtol=1e-5, atol=1e-7)
    ours.set_params(dtype="float64", solver=solver).fit(X, y)
    assert ours.coefs_[0].dtype == np.float64


def test_warm_start_that_does_not_improve_departs():
    """Ours goes back to the best weights; scikit-learn's were overwritten.

    After an early-stopped fit its `coefs_` and its copy of the best weights are the
    same arrays, so a later fit without an improvement ends at its last epoch.
    """
    params = {"warm_start": True, "early_stopping": True, "learning_rate_init": 0.01}
    ours, theirs, X, y = make_pair("binary", max_iter=20, **params)
    for model in (ours, theirs):
        model.fit(X, y)
    best = [array.copy() for array in ours.coefs_]
    for model in (ours, theirs):
        model.set_params(max_iter=2).fit(X, y)
    assert ours.validation_scores_ == theirs.validation_scores_
    assert max(ours.validation_scores_[-2:]) <= max(ours.validation_scores_[:-2])
    assert_same(ours.coefs_, best, "coefs_")
    assert not np.allclose(theirs.coefs_[0], best[0])


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_cold_refit_forgets(target, solver):
    ours, theirs, X, y = make_pair(target, **SOLVERS[solver])
    for model in (ours, theirs):
        model.fit(X[::2], y[::2]).fit(X, y)
    assert_same_model(ours, theirs, X, y)


def partial_fits(model, X, y, sample_weight):
    """Five calls on parts of the rows, all classes named in the first."""
    classes = {}
    if is_classifier(model):
        classes = {"classes": np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])}
    for part in range(5):
        rows = slice(40 * part, 40 * (part + 1))
        part_weight = None if sample_weight is None else sample_weight[rows]
        model.partial_fit(X[rows], y[rows], sample_weight=part_weight, **classes)
        classes = {}
        yield


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_partial_fit(target, solver, weighted):
    ours, theirs, X, y = make_pair(target, **SOLVERS[solver])
    sample_weight = weights() if weighted else None
    calls = [partial_fits(model, X, y, sample_weight) for model in (ours, theirs)]
    for _ in zip(*calls, strict=True):
        assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("warm_start", [False, True])
def test_fit_and_partial_fit_mixed(target, solver, warm_start):
    """partial_fit goes on with the optimizer of fit; fit builds its own."""
    ours, theirs, X, y = make_pair(target, warm_start=warm_start, **SOLVERS[solver])
    for method in ["fit", "partial_fit", "partial_fit", "fit", "partial_fit"]:
        for model in (ours, theirs):
            getattr(model, method)(X, y)
        assert_same_model(ours, theirs, X, y)


@pytest.mark.parametrize("target", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_lines(target, solver, early_stopping, capsys):
    params = {"tol": 0.01, "n_iter_no_change": 2, "max_iter": 60}
    params |= {"learning_rate_init": 0.01} | SOLVERS[solver]
    ours, theirs, X, y = make_pair(
        target, verbose=True, early_stopping=early_stopping, **params
    )
    printed = []
    for model in (ours, theirs):
        model.fit(X, y)
        printed.append(capsys.readouterr().out.splitlines())
    assert printed[0] == printed[1]
    assert len(printed[1]) > ours.n_iter_  # so that the stopping sentence is there


def test_verbose_partial_fit(capsys):
    printed = []
    ours, theirs, X, y = make_pair("regression", verbose=True)
    for model in (ours, theirs):
        for _ in range(3):
            model.partial_fit(X, y)
        printed.append(capsys.readouterr().out.splitlines())
    assert printed[0] == printed[1]
    assert len(printed[1]) == 3


@pytest.mark.parametrize("early_stopping", [False, True])
def test_silent_by_default(early_stopping, capsys):
    ours, _, X, y = make_pair("regression", early_stopping=early_stopping)
    ours.fit(X, y)
    assert capsys.readouterr().out == ""
