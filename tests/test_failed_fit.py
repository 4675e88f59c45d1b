"""An error before the first epoch leaves a fitted estimator exactly as it was."""

import copy
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal, assert_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale
from skorch.callbacks import Callback

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ["sgd", "adam", "lbfgs"]
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
FITTED = ["n_features_in_", "feature_names_in_", "classes_", "n_outputs_", "n_layers_"]
FITTED += ["n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "history_", "coefs_"]
FITTED += ["validation_scores_", "best_validation_score_", "intercepts_"]
FITTED += ["out_activation_", "validation_loss_curve_"]


def fail(estimator, X, y):
    raise RuntimeError("of the scorer")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), np.array(["a", "b", "c"])[y]


@pytest.fixture
def other(iris):
    """Rows of two columns and two classes: as good as any for a first fit."""
    X, y = iris
    return X[:100, :2], np.where(y[:100] == "a", "no", "yes")


def make_fitted(iris, **params):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(iris[0], columns=NAMES)
    params = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0} | params
    return MLPClassifier(**params).fit(frame, iris[1]), frame


def get_state(net):
    return {name: copy.deepcopy(getattr(net, name)) for name in FITTED}


def assert_unchanged(net, frame, call, error, match):
    """Assert that a call raises and leaves all that was fitted."""
    before, names = get_state(net), set(vars(net))
    predicted, features = net.predict_proba(frame), net.transform(frame)
    with pytest.raises(error, match=match):
        call(net)
    assert_equal(get_state(net), before)
    assert set(vars(net)) == names
    assert not net.module_.training
    assert_array_equal(net.predict_proba(frame), predicted)
    assert_array_equal(net.transform(frame), features)


# params, keyword arguments of fit beside X and y, what is raised
FAILURES = {
    "negative weight": ({}, {"sample_weight": -np.ones(100)}, "sample_weight"),
    "short weight": ({}, {"sample_weight": np.ones(7)}, "sample_weight"),
    "zero weights": ({}, {"sample_weight": np.zeros(100)}, "zero"),
    "unknown class": ({"class_weight": {"a": 2}}, {}, "class_weight"),
    "no weight of any class": ({"class_weight": {"no": 0, "yes": 0}}, {}, "zero"),
    "name alone": ({"callbacks": [("a",)]}, {}, "callbacks"),
    "names twice": (
        {"callbacks": [("a", Callback()), ("a", Callback())]},
        {},
        r"callback.*\ba\b",
    ),
    "no callback": ({"callbacks": [1]}, {}, "callbacks"),
    "unknown device": ({"device": "nonsense"}, {}, "device"),
    "device without memory": ({"device": "meta"}, {}, "device"),
    "uneven sizes": ({"hidden_layer_sizes": [(1, 2), 3]}, {}, "hidden_layer_sizes"),
    "narrow X_val": ({}, {"X_val": "narrow"}, "X_val"),
    "unknown y_val": ({}, {"y_val": np.full(100, "maybe")}, "y_val"),
    "X_val alone": ({}, {"y_val": None}, "y_val"),
    "validation weights": (
        {},
        {"sample_weight_val": -np.ones(100)},
        "sample_weight_val",
    ),
    "zero validation weights": (
        {},
        {"sample_weight_val": np.zeros(100)},
        "sample_weight_val",
    ),
    "scorer": ({"scoring": fail}, {}, "of the scorer"),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_refit_on_other_columns(iris, other, failure, solver):
    net, frame = make_fitted(iris, solver=solver)
    params, arguments, match = FAILURES[failure]
    X, y = other
    if {"X_val", "y_val", "sample_weight_val"} & set(arguments) or "scoring" in params:
        arguments = {"X_val": X, "y_val": y} | arguments
    if arguments.get("X_val") is not None and isinstance(arguments["X_val"], str):
        arguments["X_val"] = X[:, :1]
    net.set_params(**params)
    errors = (ValueError, TypeError, RuntimeError)
    assert_unchanged(net, frame, lambda net: net.fit(X, y, **arguments), errors, match)


SPLITS = {
    "scorer": ({"scoring": fail}, {}, "of the scorer"),
    "scorer of two classes": ({"scoring": "roc_auc"}, {}, "multi_class|multiclass"),
    "all weight in one row": ({}, {"sample_weight": np.eye(150)[0]}, "sample_weight"),
    "too few rows": (
        {"validation_fraction": 0.001},
        {},
        "validation_fraction|test_size",
    ),
}


@pytest.mark.parametrize("case", SPLITS)
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_refit_with_early_stopping(iris, case, warm_start, seed):
    """Whichever side of the split has the only weight, the other has none."""
    net, frame = make_fitted(iris)
    params, arguments, match = SPLITS[case]
    X = frame if warm_start else iris[0][:, :3]
    net.set_params(early_stopping=True, random_state=seed, warm_start=warm_start)
    net.set_params(**params)
    errors = (ValueError, RuntimeError)
    assert_unchanged(
        net, frame, lambda net: net.fit(X, iris[1], **arguments), errors, match
    )


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "callbacks", [[("a",)], [("a", Callback()), ("a", Callback())]], ids=len
)
def test_going_on(iris, method, callbacks):
    net, frame = make_fitted(iris, warm_start=True)
    net.set_params(callbacks=callbacks)
    assert_unchanged(
        net,
        frame,
        lambda net: getattr(net, method)(frame, iris[1]),
        (ValueError, TypeError),
        "callback",
    )


def test_training_goes_on_as_if_nothing_had_been_tried(iris, other):
    y = iris[1]
    untouched, _ = make_fitted(iris)
    net, frame = make_fitted(iris)
    with pytest.raises(ValueError, match="sample_weight"):
        net.fit(*other, sample_weight=-np.ones(100))
    for model in (untouched, net):
        model.partial_fit(frame, y)
    assert_array_equal(net.coefs_[0], untouched.coefs_[0])
    assert net.loss_curve_ == untouched.loss_curve_
    assert len(net.history_) == len(untouched.history_) == 4


@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_an_unfitted_estimator_stays_unfitted(iris, make):
    X, y = iris[0], (iris[1] == "a").astype(int)
    net = make(callbacks=[("a", Callback()), ("a", Callback())])
    with pytest.raises(ValueError, match="callback"):
        net.fit(X, y)
    assert not hasattr(net, "module_")
    net.set_params(callbacks=None, max_iter=2, random_state=0).fit(X, y)
    assert_array_equal(
        net.coefs_[0], make(max_iter=2, random_state=0).fit(X, y).coefs_[0]
    )


# The trial of the scorer


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_scorer_is_tried_once_before_training(iris, early_stopping):
    X, y = iris
    seen = []

    def score(estimator, X, y, sample_weight=None):
        seen.append(sample_weight)
        return estimator.score(X, y, sample_weight)

    net = MLPClassifier((6,), scoring=score, early_stopping=early_stopping, max_iter=2)
    weight = np.linspace(0, 2, 75)
    net.fit(X, y, X_val=X[::2], y_val=y[::2], sample_weight_val=weight)
    assert len(seen) == 1 + net.n_iter_
    assert all(np.array_equal(one, weight) for one in seen)


def test_the_trial_leaves_the_random_state_alone(iris):
    X, y = iris

    def score(estimator, X, y):
        return estimator.score(X, y)

    params = {"hidden_layer_sizes": (6,), "max_iter": 4, "random_state": 0}
    one, other = (
        MLPClassifier(scoring=scoring, early_stopping=True, **params).fit(X, y)
        for scoring in (None, score)
    )
    assert one.validation_scores_ == other.validation_scores_
    assert_array_equal(one.coefs_[0], other.coefs_[0])


def test_one_warning_for_a_scorer_without_weights(iris):
    X, y = iris

    def score(estimator, X, y):
        return estimator.score(X, y)

    net = MLPClassifier((6,), scoring=score, early_stopping=True, max_iter=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(X, y, sample_weight=np.linspace(1, 2, 150))
    said = [w for w in caught if "scoring" in str(w.message)]
    assert len(said) == 1
    assert said[0].category is UserWarning
