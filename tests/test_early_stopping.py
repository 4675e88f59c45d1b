"""Early stopping: leak-free pipelines, validation data in `fit`, `scoring`."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import (
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
    mean_squared_error,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale
from skorch.callbacks import Callback, Freezer, ParamMapper

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def split_by_parity(X, y):
    """Split into training and validation rows: ``X, y, X_val, y_val``."""
    return X[::2], y[::2], X[1::2], y[1::2]


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return split_by_parity(X, np.array(["a", "b", "c"])[y])


@pytest.fixture(scope="module")
def binary():
    X, y = load_breast_cancer(return_X_y=True)
    return split_by_parity(scale(X), np.array(["benign", "malignant"])[y])


@pytest.fixture(scope="module")
def regression():
    X, y = load_diabetes(return_X_y=True)
    return split_by_parity(scale(X), scale(y))


@pytest.fixture(scope="module")
def outputs(regression):
    X, y, X_val, y_val = regression
    return X, np.c_[y, X[:, 0]], X_val, np.c_[y_val, X_val[:, 0]]


@pytest.fixture(scope="module")
def labels(iris):
    X, y, X_val, y_val = iris
    encode = [["a"], ["b", "c"]]
    Y, Y_val = (
        np.stack([np.isin(t, group) for group in encode], axis=1).astype(int)
        for t in (y, y_val)
    )
    return X, Y, X_val, Y_val


def make_classifier(**params):
    """Make a network that overfits within its epochs."""
    defaults = {"hidden_layer_sizes": (16,), "batch_size": 16, "max_iter": 40}
    defaults |= {"learning_rate_init": 0.05, "random_state": 0}
    return MLPClassifier(**{**defaults, **params})


def make_regressor(**params):
    defaults = {"hidden_layer_sizes": (16,), "batch_size": 32, "max_iter": 40}
    defaults |= {"learning_rate_init": 0.01, "random_state": 0}
    return MLPRegressor(**{**defaults, **params})


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


# Without leaks


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
def test_pipeline_equals_scaling_by_hand(iris, early_stopping, scoring):
    X, y, X_val, y_val = iris
    params = {"early_stopping": early_stopping, "scoring": scoring}
    with config_context(enable_metadata_routing=True):
        net = make_classifier(**params).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("net", net)]
        pipe = Pipeline(steps, transform_input=["X_val"])
        pipe.fit(X, y, X_val=X_val, y_val=y_val)
    scaler = StandardScaler().fit(X)
    by_hand = make_classifier(**params).fit(
        scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val
    )
    assert_array_equal(get_weights(pipe[-1]), get_weights(by_hand))
    assert pipe[-1].validation_scores_ == by_hand.validation_scores_
    assert pipe[-1].validation_loss_curve_ == by_hand.validation_loss_curve_


def test_pipeline_routes_the_validation_weights(regression):
    X, y, X_val, y_val = regression
    w, w_val = np.linspace(0, 2, len(y)), np.linspace(2, 0, len(y_val))
    names = ["sample_weight", "X_val", "y_val", "sample_weight_val"]
    with config_context(enable_metadata_routing=True):
        net = make_regressor().set_fit_request(**dict.fromkeys(names, True))
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = Pipeline([("scale", scaler), ("net", net)], transform_input=["X_val"])
        pipe.fit(X, y, **dict(zip(names, [w, X_val, y_val, w_val], strict=True)))
    scaler = StandardScaler().fit(X)
    by_hand = make_regressor().fit(
        scaler.transform(X),
        y,
        w,
        X_val=scaler.transform(X_val),
        y_val=y_val,
        sample_weight_val=w_val,
    )
    assert_array_equal(get_weights(pipe[-1]), get_weights(by_hand))
    assert pipe[-1].validation_loss_curve_ == by_hand.validation_loss_curve_


def test_validation_data_pass_a_grid_search_whole(iris):
    X, y, X_val, y_val = iris
    X_val, y_val = X_val[:60], y_val[:60]  # not as long as X, or they would be cut
    with config_context(enable_metadata_routing=True):
        net = make_classifier(early_stopping=True)
        net.set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("net", net)]
        pipe = Pipeline(steps, transform_input=["X_val"])
        search = GridSearchCV(pipe, {"net__alpha": [1e-4, 10]}, cv=3)
        search.fit(X, y, X_val=X_val, y_val=y_val)
    best = search.best_estimator_
    assert best[-1].best_validation_score_ == best.score(X_val, y_val)


def test_internal_split_inside_a_grid_search(iris):
    X, y = iris[:2]
    net = make_classifier(early_stopping=True, scoring="f1_macro")
    search = GridSearchCV(net, {"alpha": [1e-4, 1.0]}, cv=2).fit(X, y)
    alone = make_classifier(early_stopping=True, scoring="f1_macro")
    alone.set_params(**search.best_params_).fit(X, y)
    assert_array_equal(get_weights(search.best_estimator_), get_weights(alone))


def test_training_rows_are_all_used_when_validation_data_are_given(iris):
    X, y, X_val, y_val = iris
    net = make_classifier(early_stopping=True).fit(X, y, X_val=X_val, y_val=y_val)
    assert net.t_ == net.n_iter_ * len(X)
    split = make_classifier(early_stopping=True).fit(X, y)
    assert split.t_ < split.n_iter_ * len(X)


# Validation data


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw", "adagrad", "rmsprop"])
def test_validation_data_alone_change_nothing(iris, solver):
    X, y, X_val, y_val = iris
    params = {"solver": solver, "max_iter": 60, "n_iter_no_change": 60}
    plain = make_classifier(**params).fit(X, y)
    watched = make_classifier(**params).fit(X, y, X_val=X_val, y_val=y_val)
    assert watched.n_iter_ == 60
    assert_array_equal(get_weights(watched), get_weights(plain))
    assert watched.loss_curve_ == plain.loss_curve_
    assert len(watched.validation_loss_curve_) == 60
    assert len(watched.validation_scores_) == 60
    assert watched.validation_scores_[-1] == watched.score(X_val, y_val)
    assert watched.best_loss_ == min(plain.loss_curve_)


def test_no_validation_data_no_curves(iris):
    net = make_classifier(max_iter=3).fit(*iris[:2])
    assert net.validation_loss_curve_ is None
    assert net.validation_scores_ is None
    assert net.best_validation_score_ is None


def test_refit_without_validation_data_forgets_the_curves(iris):
    X, y, X_val, y_val = iris
    net = make_classifier(max_iter=3).fit(X, y, X_val=X_val, y_val=y_val).fit(X, y)
    assert net.validation_loss_curve_ is None
    assert net.validation_scores_ is None


def test_stops_and_restores_the_best_epoch(iris):
    X, y, X_val, y_val = iris
    net = make_classifier(early_stopping=True, max_iter=200, n_iter_no_change=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.n_iter_ < 200
    assert len(net.validation_scores_) == len(net.loss_curve_) == net.n_iter_
    assert net.best_validation_score_ == max(net.validation_scores_)
    assert net.score(X_val, y_val) == net.best_validation_score_
    assert net.best_loss_ is None
    best = 1 + np.argmax(net.validation_scores_)
    same = make_classifier(max_iter=best).fit(X, y)
    assert_array_equal(get_weights(net), get_weights(same))


def test_patience_and_tol_count_as_in_scikit_learn(iris):
    X, y, X_val, y_val = iris
    net = make_classifier(early_stopping=True, tol=2.0, n_iter_no_change=4)
    net.fit(X, y, X_val=X_val, y_val=y_val)  # no score improves by 2; -inf + 2 does
    assert net.n_iter_ == 1 + 5


def test_internal_split_has_a_loss_curve_too(iris):
    net = make_classifier(early_stopping=True, max_iter=8).fit(*iris[:2])
    assert len(net.validation_loss_curve_) == len(net.validation_scores_) == net.n_iter_


def test_validation_weights_decide(regression):
    X, y, X_val, y_val = regression
    weight = np.where(X_val[:, 0] > 0, 1.0, 1e-3)
    net = make_regressor(early_stopping=True).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight
    )
    weighted = net.score(X_val, y_val, weight)
    assert_allclose(net.best_validation_score_, weighted, rtol=1e-12)
    assert abs(weighted - net.score(X_val, y_val)) > 1e-3


@pytest.mark.parametrize("scoring", ["neg_log_loss", "f1_macro", "loss"])
def test_validation_weights_reach_the_scorer(iris, scoring):
    X, y, X_val, y_val = iris
    weight = np.linspace(0, 3, len(y_val))
    net = make_classifier(early_stopping=True, scoring=scoring, max_iter=5).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight
    )
    scorer = get_scorer("neg_log_loss" if scoring == "loss" else scoring)
    expected = scorer(net, X_val, y_val, sample_weight=weight)
    assert_allclose(net.best_validation_score_, expected, rtol=1e-9)


def test_integer_validation_weights_equal_repetition(regression):
    X, y, X_val, y_val = regression
    counts = np.arange(len(y_val)) % 3
    weighted = make_regressor(max_iter=10).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=counts
    )
    rows = np.repeat(np.arange(len(y_val)), counts)
    repeated = make_regressor(max_iter=10).fit(
        X, y, X_val=X_val[rows], y_val=y_val[rows]
    )
    for curve in ("validation_loss_curve_", "validation_scores_"):
        assert_allclose(getattr(weighted, curve), getattr(repeated, curve), rtol=1e-9)


def test_early_stopping_with_training_weights(iris):
    X, y, X_val, y_val = iris
    weight = np.linspace(0.5, 1.5, len(y))
    net = make_classifier(early_stopping=True, max_iter=10)
    net.fit(X, y, weight, X_val=X_val, y_val=y_val)
    assert net.best_validation_score_ == net.score(X_val, y_val)  # those are not of X


# The validation loss is the loss, without the penalty


@pytest.mark.parametrize("weighted", [False, True])
def test_validation_loss_of_a_classifier(iris, weighted):
    X, y, X_val, y_val = iris
    weight = np.linspace(0, 2, len(y_val)) if weighted else None
    net = make_classifier(alpha=5.0, max_iter=3).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight
    )
    outside = log_loss(y_val, net.predict_proba(X_val), sample_weight=weight)
    assert_allclose(net.validation_loss_curve_[-1], outside, rtol=1e-9)


def test_validation_loss_of_two_classes(binary):
    X, y, X_val, y_val = binary
    net = make_classifier(alpha=5.0, max_iter=3).fit(X, y, X_val=X_val, y_val=y_val)
    outside = log_loss(y_val, net.predict_proba(X_val))
    assert_allclose(net.validation_loss_curve_[-1], outside, rtol=1e-9)


def test_validation_loss_of_several_labels(labels):
    X, Y, X_val, Y_val = labels
    net = make_classifier(alpha=5.0, max_iter=3).fit(X, Y, X_val=X_val, y_val=Y_val)
    P = net.predict_proba(X_val)
    outside = sum(log_loss(Y_val[:, k], P[:, k]) for k in range(Y.shape[1]))
    assert_allclose(net.validation_loss_curve_[-1], outside, rtol=1e-9)


@pytest.mark.parametrize("data", ["regression", "outputs"])
@pytest.mark.parametrize("weighted", [False, True])
def test_validation_loss_of_a_regression(data, weighted, request):
    X, y, X_val, y_val = request.getfixturevalue(data)
    weight = np.linspace(0, 2, len(y_val)) if weighted else None
    net = make_regressor(alpha=5.0, max_iter=3).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight
    )
    outside = mean_squared_error(y_val, net.predict(X_val), sample_weight=weight) / 2
    assert_allclose(net.validation_loss_curve_[-1], outside, rtol=1e-9)


def test_validation_loss_falls_with_the_training_loss(iris):
    X, y = iris[:2]
    net = make_classifier(alpha=0, batch_size=75, max_iter=10)
    net.fit(X, y, X_val=X, y_val=y)
    # Full batches: an epoch's training loss is that of the weights it began with.
    assert_allclose(net.loss_curve_[1:], net.validation_loss_curve_[:-1], rtol=1e-9)


# Scoring


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("data", "scoring"),
    [
        ("binary", "roc_auc"),
        ("iris", "f1_macro"),
        ("iris", "neg_log_loss"),
        ("iris", "roc_auc_ovr"),
        ("labels", "f1_micro"),
        ("regression", "neg_mean_absolute_error"),
        ("outputs", "r2"),
    ],
)
@pytest.mark.filterwarnings("ignore:F-score is ill-defined")
def test_scorer_names(data, scoring, early_stopping, request):
    X, y, X_val, y_val = request.getfixturevalue(data)
    make = make_regressor if data in ("regression", "outputs") else make_classifier
    net = make(scoring=scoring, early_stopping=early_stopping, max_iter=8)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    score = get_scorer(scoring)(net, X_val, y_val)
    kept = net.best_validation_score_ if early_stopping else net.validation_scores_[-1]
    assert_allclose(kept, score, rtol=1e-9)
    assert net.history_[:, "valid_score"] == net.validation_scores_


def test_scoring_by_the_loss(iris):
    X, y, X_val, y_val = iris
    net = make_classifier(scoring="loss", early_stopping=True, max_iter=200)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.n_iter_ < 200
    assert_allclose(net.validation_scores_, -np.array(net.validation_loss_curve_))
    outside = -log_loss(y_val, net.predict_proba(X_val))
    assert_allclose(net.best_validation_score_, outside, rtol=1e-9)


def score_by_hand(estimator, X, y):
    """Score as a callable that is no scorer object."""
    return f1_score(y, estimator.predict(X), average="macro")


@pytest.mark.parametrize(
    "scoring", [score_by_hand, make_scorer(f1_score, average="macro")]
)
def test_callables(iris, scoring):
    X, y, X_val, y_val = iris
    net = make_classifier(scoring=scoring, early_stopping=True, max_iter=8)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.best_validation_score_ == scoring(net, X_val, y_val)


def test_a_scorer_sees_the_rows_and_labels_of_the_user(iris):
    X, y, X_val, y_val = iris
    seen = []

    def score(estimator, X, y):
        seen.append((X.shape, "".join(sorted(set(y))), "".join(estimator.classes_)))
        return estimator.score(X, y)

    net = make_classifier(scoring=score, early_stopping=True, max_iter=2)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert seen == [((75, 4), "abc", "abc")] * (1 + 2)  # once before training


def test_unknown_scorer_is_an_error_before_training(iris):
    X, y, X_val, y_val = iris
    with pytest.raises(ValueError, match="scoring"):
        make_classifier(scoring="nonsense").fit(X, y, X_val=X_val, y_val=y_val)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_scorer_that_takes_no_weights_is_called_without(iris, early_stopping):
    X, y, X_val, y_val = iris
    net = make_classifier(
        scoring=score_by_hand, early_stopping=early_stopping, max_iter=4
    )
    validation = {"X_val": X_val, "y_val": y_val}
    same = clone(net).fit(X, y, **validation)
    with pytest.warns(UserWarning, match="scoring"):
        net.fit(X, y, **validation, sample_weight_val=np.linspace(0, 2, len(y_val)))
    assert net.validation_scores_ == same.validation_scores_


# Parameters of which a callback picks some are plain tensors


class Interrupt(Callback):
    """Raises KeyboardInterrupt after the second step of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        self.step_ = 0

    def on_batch_end(self, net, training=None, **kwargs):
        self.step_ += bool(training)
        if len(net.history) == self.epoch and self.step_ == 2:
            raise KeyboardInterrupt


def leave(parameter):
    """Change nothing; whoever asks for it makes the parameters plain."""


@pytest.mark.parametrize(
    "callback", [Freezer("layers.0.bias"), ParamMapper("*", leave)]
)
@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw", "rmsprop"])
def test_the_best_of_plain_parameters_come_back(iris, solver, callback):
    X, y, X_val, y_val = iris
    net = MLPClassifier((8,), solver=solver, learning_rate_init=0.1, random_state=0)
    net.set_params(early_stopping=True, scoring="loss", tol=0, callbacks=[callback])
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.validation_scores_[-1] < net.best_validation_score_
    outside = -log_loss(y_val, net.predict_proba(X_val))
    assert_allclose(outside, net.best_validation_score_, rtol=1e-9)


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_plain_parameters_are_validated_as_flat_ones(iris, early_stopping, scoring):
    X, y, X_val, y_val = iris
    params = {"early_stopping": early_stopping, "scoring": scoring, "max_iter": 8}
    flat, plain = (
        make_classifier(callbacks=callbacks, **params).fit(
            X, y, X_val=X_val, y_val=y_val
        )
        for callbacks in (None, [ParamMapper("*", leave)])
    )
    for name in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
        assert_allclose(getattr(plain, name), getattr(flat, name), rtol=1e-6)
    assert_allclose(get_weights(plain), get_weights(flat), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_restores_plain_parameters(iris, early_stopping):
    X, y, X_val, y_val = iris
    params = {"early_stopping": early_stopping, "scoring": "loss"}
    params["n_iter_no_change"] = 40
    freezer = Freezer("layers.0.bias")
    net = make_classifier(callbacks=[freezer, Interrupt(7)], **params)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y, X_val=X_val, y_val=y_val)
    same = make_classifier(callbacks=[freezer], max_iter=6, **params)
    same.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.n_iter_ == len(net.validation_scores_) == 6
    assert_array_equal(get_weights(net), get_weights(same))


def test_divergence_restores_plain_parameters():
    X, freezer = np.ones((20, 1)), Freezer("layers.0.bias")
    params = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0}
    params |= {"learning_rate_init": 1e30, "tol": 0, "n_iter_no_change": 1000}
    net = MLPRegressor(random_state=0, callbacks=[freezer], **params)
    with pytest.raises(ValueError, match="non-finite"):
        net.fit(X, np.ones(20))
    assert np.isfinite(get_weights(net)).all()
    assert_array_equal(net.intercepts_[0], start_bias(net, X))


def start_bias(net, X):
    """Bias that a network like `net` begins with."""
    start = clone(net).set_params(learning_rate_init=1e-300, max_iter=1)
    return start.fit(X, np.ones(len(X))).intercepts_[0]


# Data frames


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
@pytest.mark.parametrize("own", [False, True])
def test_data_frames_give_no_warnings(iris, library, scoring, own):
    frames = pytest.importorskip(library)
    X, y, X_val, y_val = iris
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    frame, frame_val = (
        frames.DataFrame(dict(zip(names, rows.T, strict=True))) for rows in (X, X_val)
    )
    validation = {"X_val": frame_val, "y_val": frames.Series(y_val)} if own else {}
    net = make_classifier(early_stopping=True, scoring=scoring, n_iter_no_change=40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Stochastic Optimizer")
        net.fit(frame, frames.Series(y), **validation)
    plain = {"X_val": X_val, "y_val": y_val} if own else {}
    same = make_classifier(**net.get_params()).fit(X, y, **plain)
    assert list(net.feature_names_in_) == names
    assert net.validation_scores_ == same.validation_scores_
    assert_array_equal(get_weights(net), get_weights(same))
