"""`transform`: the activations of the last hidden layer, as a step of a pipeline."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from skorch.callbacks import Freezer

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


@pytest.fixture(scope="module")
def frame(iris):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(iris[0], columns=NAMES)


def make_network(Estimator=MLPClassifier, **params):
    return Estimator(
        **{"hidden_layer_sizes": (7, 5), "max_iter": 5, "random_state": 0, **params}
    )


def forward_by_hand(net, X):
    hidden = ACTIVATIONS[net.activation]
    for W, b in zip(net.coefs_[:-1], net.intercepts_[:-1], strict=True):
        X = hidden(X @ W + b)
    return X


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_transform_is_the_last_hidden_layer(iris, Estimator, activation, solver):
    X, y = iris
    net = make_network(Estimator, activation=activation, solver=solver).fit(X, y)
    hidden = net.transform(X)
    assert hidden.shape == (150, 5)
    assert_allclose(hidden, forward_by_hand(net, X), rtol=1e-10, atol=1e-12)


def test_transform_feeds_the_output_layer(iris):
    X, y = iris
    net = make_network(MLPRegressor).fit(X, y)
    output = net.transform(X) @ net.coefs_[-1] + net.intercepts_[-1]
    assert_allclose(output[:, 0], net.predict(X), rtol=1e-10)


@pytest.mark.parametrize("fmt", ["csr_array", "csc_array", "coo_array"])
def test_transform_of_sparse_x(iris, fmt):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = iris
    net = make_network().fit(X, y)
    hidden = net.transform(getattr(sparse, fmt)(X))
    assert isinstance(hidden, np.ndarray)
    assert_allclose(hidden, net.transform(X), rtol=1e-10, atol=1e-12)


def test_fit_transform_is_fit_then_transform(iris):
    X, y = iris
    net = make_network().fit(X, y)
    assert_array_equal(make_network().fit_transform(X, y), net.transform(X))


def test_transform_keeps_float32(iris):
    X, y = iris
    net = make_network().fit(X.astype(np.float32), y)
    assert net.transform(X.astype(np.float32)).dtype == np.float32


def test_transform_before_fit(iris):
    with pytest.raises(NotFittedError):
        make_network().transform(iris[0])


def test_transform_leaves_x_alone(iris):
    X, y = iris
    before = X.copy()
    net = make_network(hidden_layer_sizes=()).fit(X, y)
    net.transform(X)
    assert_array_equal(X, before)


# Names and containers


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_feature_names(iris, Estimator):
    net = make_network(Estimator).fit(*iris)
    stem = Estimator.__name__.lower()
    assert list(net.get_feature_names_out()) == [f"{stem}{i}" for i in range(5)]
    assert net.get_feature_names_out().dtype == object


def test_without_a_hidden_layer_x_goes_through(iris, frame):
    X, y = iris
    net = make_network(hidden_layer_sizes=()).fit(X, y)
    assert_array_equal(net.transform(X), X)
    assert list(net.get_feature_names_out()) == ["x0", "x1", "x2", "x3"]
    net.fit(frame, y)
    assert list(net.get_feature_names_out()) == NAMES
    out = net.set_output(transform="pandas").transform(frame)
    assert list(out.columns) == NAMES


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(iris, library):
    frames = pytest.importorskip(library)
    X, y = iris
    net = make_network().set_output(transform=library).fit(X, y)
    out = net.transform(X)
    assert isinstance(out, frames.DataFrame)
    assert list(out.columns) == [f"mlpclassifier{i}" for i in range(5)]
    assert_array_equal(out.to_numpy(), make_network().fit(X, y).transform(X))
    assert isinstance(net.predict(X), np.ndarray)


def test_pandas_output_keeps_the_index(iris, frame):
    shuffled = frame.sample(frac=1, random_state=0)
    net = make_network().set_output(transform="pandas").fit(frame, iris[1])
    assert net.transform(shuffled).index.equals(shuffled.index)


# As a step


def test_in_the_middle_of_a_pipeline(iris):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), make_network(), LogisticRegression())
    pipe.fit(X, y)
    scaled = StandardScaler().fit_transform(X)
    hidden = make_network().fit_transform(scaled, y)
    same = LogisticRegression().fit(hidden, y)
    assert_array_equal(pipe.predict_proba(X), same.predict_proba(hidden))
    assert list(pipe[:-1].get_feature_names_out()) == [
        f"mlpclassifier{i}" for i in range(5)
    ]


def test_in_a_column_transformer(iris, frame):
    columns = ColumnTransformer(
        [("net", make_network(), NAMES[:2]), ("rest", "passthrough", NAMES[2:])]
    ).set_output(transform="pandas")
    out = columns.fit_transform(frame, iris[1])
    hidden = make_network().fit_transform(frame[NAMES[:2]], iris[1])
    names = [f"net__mlpclassifier{i}" for i in range(5)]
    assert list(out.columns) == [*names, *(f"rest__{name}" for name in NAMES[2:])]
    assert_array_equal(out[names].to_numpy(), hidden)


def test_in_a_feature_union(iris):
    X, y = iris
    union = FeatureUnion(
        [("c", make_network()), ("r", make_network(MLPRegressor)), ("x", "passthrough")]
    )
    out = union.fit_transform(X, y)
    assert out.shape == (150, 5 + 5 + 4)
    assert_array_equal(out[:, :5], make_network().fit_transform(X, y))
    assert "r__mlpregressor4" in union.get_feature_names_out()


@pytest.mark.parametrize("callbacks", [None, [Freezer("layers.0.*")]])
def test_predictions_follow_a_changed_activation(iris, callbacks):
    net = make_network(warm_start=True).fit(*iris)
    net.set_params(activation="tanh", callbacks=callbacks).fit(*iris)
    for parameter in net.module_.parameters():
        parameter.requires_grad_()
    net.set_params(callbacks=None).fit(*iris)
    with torch.no_grad():
        hidden = net.module_.hidden(torch.from_numpy(iris[0]))
    assert_allclose(net.transform(iris[0]), hidden, rtol=1e-12)
    net.coefs_[-1] = 0
    net.intercepts_[-1] = [0, 0, 0]
    assert_allclose(net.predict_proba(iris[0]), 1 / 3)


def test_scores_during_training_are_of_the_changed_activation(iris):
    net = make_network(warm_start=True).fit(*iris)
    net.set_params(activation="tanh", scoring="neg_log_loss", max_iter=1)
    net.fit(*iris, X_val=iris[0], y_val=iris[1])
    expected = -log_loss(iris[1], net.predict_proba(iris[0]))
    assert_allclose(net.validation_scores_[-1], expected)
