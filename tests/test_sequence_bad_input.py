"""Bad input of networks on sequences is refused by name, rule and value."""

import copy
import re

import numpy as np
import pytest

from sknn import (
    RecurrentClassifier,
    RecurrentRegressor,
    TransformerClassifier,
    TransformerRegressor,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
X = [RANDOM.standard_normal((2 + i % 5, 2)) for i in range(30)]
Y = np.arange(30) % 3
TEXTS = [["sun", "sea", "ice"][i % 3] + " and wind" for i in range(30)]
FAMILIES = {
    RecurrentClassifier: RecurrentRegressor,
    TransformerClassifier: TransformerRegressor,
}
ESTIMATORS = [*FAMILIES, *FAMILIES.values()]
SMALL = {
    RecurrentClassifier: {"hidden_layer_sizes": 4, "max_iter": 1},
    TransformerClassifier: {"d_model": 4, "n_heads": 2, "n_layers": 1, "max_iter": 1},
}
for classifier, regressor in FAMILIES.items():
    SMALL[regressor] = SMALL[classifier]

# Refused by scikit-learn's own check of parameters, in its words.
SHARED = {
    "tokens": ["yes", None, 2],
    "tokenizer": ["words", 3],
    "min_count": [0, -1, 2.5, None],
    "max_vocab": [0, -1, 2.5, "all"],
    "standardize": ["yes", None, 2],
    "dropout": [-0.1, 1.0, None, "half"],
    "solver": ["lbfgs", "newton", None],
    "alpha": [-1e-4, "small", None],
    "batch_size": [0, 2.5, "big", None],
    "learning_rate": ["fast", None, 0.1],
    "learning_rate_init": [0, -0.1, None],
    "max_iter": [0, 2.5, None],
    "weight_init": ["xavier", None],
    "gradient_clip": [0, -1, np.nan],
    "dtype": ["float16", None],
    "random_state": ["seed", -1],
}
OWN = {
    RecurrentClassifier: {
        "cell": ["LSTM", "elman", None, 1],
        "hidden_layer_sizes": [0, -1, 2.5, "wide", None],
        "bidirectional": ["yes", None, 2],
        "pooling": ["first", "cls", None],
        "embedding_dim": [0, -2, 2.5, "small", None],
    },
    TransformerClassifier: {
        "d_model": [0, -4, 2.5, None],
        "n_heads": [0, -1, 1.5, None],
        "n_layers": [0, -1, 1.5, None],
        "dim_feedforward": [0, -1, 2.5, "wide"],
        "positional_encoding": ["relative", 1, True],
        "pooling": ["last", "first", None],
        "norm_first": ["yes", None, 2],
        "activation": ["step", None],
    },
}
CASES = [
    (Estimator, name, value)
    for Estimator in ESTIMATORS
    for table in (SHARED, OWN.get(Estimator, {}))
    for name, values in table.items()
    for value in values
]


def make(Estimator, **params):
    return Estimator(**SMALL[Estimator] | params)


def refuses(call, *parts):
    with pytest.raises((ValueError, TypeError)) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


def show(value):
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("Estimator", "name", "value"), CASES, ids=show)
def test_parameter(Estimator, name, value):
    model = make(Estimator, **{name: value})
    said = f"'{name}' parameter of {Estimator.__name__}"
    refuses(lambda: model.fit(X, Y), said, "must be", re.escape(f"Got {value!r}"))
    assert not hasattr(model, "module_")


# Refused by what the values mean together, or inside a list.
MEANINGS = [
    (RecurrentClassifier, {"hidden_layer_sizes": ()}, ["hidden_layer_sizes", r"\(\)"]),
    (RecurrentClassifier, {"hidden_layer_sizes": (4, 0)}, ["hidden_layer_sizes", "0"]),
    (RecurrentClassifier, {"dropout": [0.1, 0.2]}, ["dropout", "1 recurrent layers"]),
    (RecurrentClassifier, {"dropout": [1.5]}, ["dropout", r"\[0, 1\)", "1.5"]),
    (TransformerClassifier, {"n_heads": 3}, ["d_model=4", "n_heads=3"]),
    (
        TransformerClassifier,
        {"d_model": 3, "n_heads": 1, "positional_encoding": "rotary"},
        ["d_model=3", "n_heads=1", "even", "rotary"],
    ),
]


@pytest.mark.parametrize(("Estimator", "params", "parts"), MEANINGS, ids=show)
def test_values_that_do_not_go_together(Estimator, params, parts):
    model = make(Estimator, **params)
    refuses(lambda: model.fit(X, Y), *parts)
    assert not hasattr(model, "module_")


def with_value(value):
    changed = [x.copy() for x in X]
    changed[3][1, 0] = value
    return changed


INPUTS = {
    "none": ([], ["0 sample", "at least one sequence"]),
    "nan": (with_value(np.nan), ["NaN", r"X\[3\]", "step 1"]),
    "inf": (with_value(np.inf), ["infinity", r"X\[3\]", "step 1"]),
    "nan in an array": (
        np.where(np.arange(360).reshape(30, 4, 3) == 43, np.nan, 1),
        ["NaN", r"X\[3\]", "step 2"],
    ),
    "empty series": ([*X[:29], np.ones((0, 2))], [r"X\[29\]", "no steps"]),
    "channels": ([*X[:29], np.ones((2, 3))], [r"X\[29\]", "3", "2"]),
    "mixed": ([*X[:29], ["sun"]], [r"X\[29\]"]),
    "4d": (np.ones((30, 4, 4, 2)), ["4"]),
    "number": (3.0, ["3.0|scalar|0D|sequence|float"]),
    "one string": ("sun", ["sun|string|sequence"]),
    "objects": ([[object()]] * 30, ["number or a string"]),
    "few": (X[:20], ["inconsistent numbers of samples", "20", "30"]),
    "complex": ([x + 1j for x in X], ["[Cc]omplex"]),
    "none inside": ([*X[:29], None], [r"X\[29\]|None"]),
}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(("inputs", "parts"), INPUTS.values(), ids=INPUTS)
def test_inputs(Estimator, inputs, parts):
    model = make(Estimator)
    refuses(lambda: model.fit(inputs, Y), *parts)
    assert not hasattr(model, "module_")


OF_FITTED = {
    "channels": (X, [np.ones((4, 3))], ["n_channels=2", "3"]),
    "nan": (X, [np.full((3, 2), np.nan)], ["NaN", r"X\[0\]"]),
    "tokens": (X, TEXTS, ["sequences of numbers, as fitted"]),
    "numbers": (TEXTS, X, ["strings to be cut, as fitted"]),
    "words": (TEXTS, [t.split() for t in TEXTS], ["strings to be cut, as fitted"]),
    "empty": (X, [np.ones((0, 2))], ["no steps"]),
}


@pytest.mark.parametrize("Estimator", list(FAMILIES))
@pytest.mark.parametrize(("seen", "inputs", "parts"), OF_FITTED.values(), ids=OF_FITTED)
@pytest.mark.parametrize("method", ["predict", "score", "transform", "partial_fit"])
def test_inputs_of_a_fitted_network(Estimator, method, seen, inputs, parts):
    model = make(Estimator).fit(seen, Y)
    before = copy.deepcopy(model.module_.state_dict())
    y = Y[: len(inputs)]
    arguments = (inputs, y) if method in ("score", "partial_fit") else (inputs,)
    refuses(lambda: getattr(model, method)(*arguments), *parts)
    for name, value in model.module_.state_dict().items():
        assert value.equal(before[name])
    assert len(model.predict(seen)) == 30


@pytest.mark.parametrize("Estimator", list(FAMILIES))
@pytest.mark.parametrize(
    ("tokenizer", "parts"),
    [
        (len, ["tokenizer", "int"]),
        (lambda text: [len(text)], ["tokenizer"]),
        (lambda text: 1 / 0, ["division"]),
    ],
    ids=["a number", "numbers", "fails"],
)
def test_what_a_tokenizer_must_give(Estimator, tokenizer, parts):
    model = make(Estimator, tokenizer=tokenizer)
    with pytest.raises((TypeError, ValueError, ZeroDivisionError)) as raised:
        model.fit(TEXTS, Y)
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)
    assert not hasattr(model, "module_")


@pytest.mark.parametrize("Estimator", list(FAMILIES))
def test_a_bad_parameter_leaves_the_fit_before(Estimator):
    model = make(Estimator, warm_start=True).fit(X, Y)
    expected = model.predict_proba(X)
    refuses(lambda: model.set_params(pooling="first").fit(X, Y), "pooling")
    np.testing.assert_array_equal(model.predict_proba(X), expected)
