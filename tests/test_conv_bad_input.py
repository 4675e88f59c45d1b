"""Bad input of convolutional estimators is refused by name, rule and value."""

import copy
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sknn import ConvClassifier, ConvRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

BOTH = [ConvClassifier, ConvRegressor]
X = load_digits().images[:30]
Y = np.arange(30) % 3
SMALL = {"conv_channels": 4, "hidden_layer_sizes": 5, "max_iter": 1}

# Refused by scikit-learn's own check of parameters, in its words.
KINDS = {
    "conv_channels": [0, -1, 2.5, "wide", None],
    "kernel_size": [0, -1, 2.5, (3, 3), None],
    "stride": [0, -1, 1.5, None],
    "padding": ["full", 1, None],
    "pool_size": [0, -2, 2.5, "max"],
    "pooling": ["min", None, 2],
    "global_pooling": ["sum", True, 1],
    "residual": ["yes", None, 2],
    "hidden_layer_sizes": [0, -1, 2.5, "wide", None],
    "activation": ["step", None, ["relu"]],
    "random_crop": [-1, 0.5, None],
    "horizontal_flip": ["yes", None, 2],
    "input_shape": [0, -8, 2.5, "square"],
    "conv_dims": [0, 3, None, "two", 1.5],
    "standardize": ["yes", None, 2],
    "batch_norm": ["yes", None, 2],
    "dropout": [-0.1, 1.0, None, "half"],
    "solver": ["lbfgs", "newton", None],
    "alpha": [-1e-4, "small", None, np.nan],
    "batch_size": [0, -5, 2.5, "big", None],
    "learning_rate": ["fast", None, 0.1],
    "learning_rate_init": [0, -0.1, None],
    "max_iter": [0, -1, 2.5, None],
    "tol": [-1e-4, None],
    "l1_ratio": [-0.1, 1.1, None],
    "weight_init": ["xavier", None],
    "gradient_clip": [0, -1, np.nan],
    "dtype": ["float16", None],
    "device": [3, None],
    "validation_fraction": [-0.1, 1.0],
    "early_stopping": ["yes", None],
    "random_state": ["seed", -1],
}
CASES = [(name, value) for name, values in KINDS.items() for value in values]


def refuses(call, *parts):
    with pytest.raises((ValueError, TypeError)) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(("name", "value"), CASES)
def test_parameter(Estimator, name, value):
    model = Estimator(**SMALL | {name: value})
    said = f"'{name}' parameter of {Estimator.__name__}"
    refuses(lambda: model.fit(X, Y), said, "must be", re.escape(f"Got {value!r}"))
    assert not hasattr(model, "module_")


# Refused by what the values mean together, or inside a list.
MEANINGS = [
    ({"conv_channels": ()}, ["conv_channels", "at least 1", r"\(\)"]),
    ({"conv_channels": (4, 0)}, ["conv_channels", "> 0", r"\(4, 0\)"]),
    ({"conv_channels": (4, 2.5)}, ["conv_channels", "whole", "2.5"]),
    ({"conv_channels": [[4, 4]]}, ["conv_channels", "whole", r"\[\[4, 4\]\]"]),
    ({"hidden_layer_sizes": (4, -1)}, ["hidden_layer_sizes", "> 0", "-1"]),
    ({"dropout": [0.1]}, ["dropout", "each of the 2", r"\[0.1\]"]),
    ({"dropout": [0.1, 1.0]}, ["dropout", r"\[0, 1\)", "1.0"]),
    ({"dropout": [0.1, "much"]}, ["dropout", "much"]),
    ({"residual": True, "padding": "valid"}, ["padding", "'same'", "'valid'"]),
    (
        {"padding": "valid", "kernel_size": 9},
        ["kernel_size=9", "at most the 8 rows", "layer 1"],
    ),
    (
        {"padding": "valid", "conv_channels": (4, 4, 4)},
        ["kernel_size=3", "at most the one row", "layer 3"],
    ),
    ({"input_shape": (8, 8)}, None),
    ({"input_shape": (8, 7)}, ["input_shape", r"\(8, 7\)", r"\(8, 8"]),
    ({"input_shape": (8, 0)}, ["input_shape", r"\(8, 0\)"]),
    ({"input_shape": (8, "8")}, ["input_shape", "8"]),
    ({"input_shape": (2, 2, 4, 4)}, ["input_shape", r"\(2, 2, 4, 4\)"]),
    ({"input_shape": ()}, ["input_shape", r"\(\)"]),
    ({"conv_dims": 1, "horizontal_flip": True}, ["horizontal_flip", "images"]),
]


@pytest.mark.parametrize(("params", "parts"), MEANINGS, ids=str)
def test_values_that_do_not_go_together(params, parts):
    model = ConvClassifier(**SMALL | params)
    if parts is None:  # images that have the shape already
        assert model.fit(X, Y).input_shape_ == (8, 8, 1)
        return
    refuses(lambda: model.fit(X, Y), *parts)
    assert not hasattr(model, "module_")


def with_value(value):
    changed = X.copy()
    changed[3, 4, 5] = value
    return changed


INPUTS = [
    (X[0, 0], ["1D array|Expected 2D"]),
    (X.reshape(30, 8, 4, 2, 1), ["conv_dims", r"\(8, 4, 2, 1\)"]),
    (with_value(np.nan), ["NaN"]),
    (with_value(np.inf), ["infinity"]),
    (X[:0], ["0 sample"]),
    (X[:, :0], ["empty", r"\(0, 8\)"]),
    (np.full(X.shape, "red"), ["could not convert string to float: .*red"]),
    (X[:20], ["inconsistent numbers of samples", "20", "30"]),
    (X + 1j, ["[Cc]omplex"]),
    ([[1.0, 2.0], [3.0]], ["inhomogeneous|sequence|setting"]),
]


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("inputs", "parts"),
    INPUTS,
    ids=[
        "1d",
        "5d",
        "nan",
        "inf",
        "none",
        "empty",
        "words",
        "few",
        "complex",
        "ragged",
    ],
)
def test_inputs(Estimator, inputs, parts):
    model = Estimator(**SMALL)
    refuses(lambda: model.fit(inputs, Y), *parts)
    assert not hasattr(model, "module_")


@pytest.mark.parametrize(
    ("inputs", "parts"),
    [
        (X[:, :7], [r"\(7, 8, 1\)", r"\(8, 8, 1\)"]),
        (X[..., None].repeat(3, axis=-1), [r"\(8, 8, 3\)", r"\(8, 8, 1\)"]),
        (X.reshape(30, -1), [r"\(64, 1\)", r"\(8, 8, 1\)"]),
        (with_value(np.nan), ["NaN"]),
    ],
    ids=["rows", "channels", "table", "nan"],
)
@pytest.mark.parametrize("method", ["predict", "score", "transform", "partial_fit"])
def test_inputs_of_a_fitted_network(method, inputs, parts):
    model = ConvClassifier(**SMALL).fit(X, Y)
    before = copy.deepcopy(model.module_.state_dict())
    arguments = (inputs, Y) if method in ("score", "partial_fit") else (inputs,)
    refuses(lambda: getattr(model, method)(*arguments), *parts)
    for name, value in model.module_.state_dict().items():
        assert value.equal(before[name])


@pytest.mark.parametrize("Estimator", BOTH)
def test_a_bad_parameter_leaves_the_fit_before(Estimator):
    model = Estimator(**SMALL | {"warm_start": True}).fit(X, Y)
    expected = model.predict(X)
    refuses(lambda: model.set_params(kernel_size=0).fit(X, Y), "kernel_size")
    model.set_params(kernel_size=3)
    np.testing.assert_array_equal(model.predict(X), expected)
