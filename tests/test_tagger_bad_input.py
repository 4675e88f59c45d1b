"""Bad input of taggers is refused by name, rule and value, and changes nothing."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from sknn import RecurrentTagger, TransformerTagger

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

TAGGERS = pytest.mark.parametrize("Tagger", [RecurrentTagger, TransformerTagger])
SMALL = {
    RecurrentTagger: {"hidden_layer_sizes": 4},
    TransformerTagger: {"d_model": 4, "n_heads": 2, "n_layers": 1},
}
RANDOM = np.random.RandomState(0)
LENGTHS = 2 + np.arange(12) % 3
SERIES = [RANDOM.standard_normal((n, 2)) for n in LENGTHS]
WORDS = [["tea", "hot", "cup", "a"][:n] for n in LENGTHS]
Y = [["N", "V", "X", "N"][:n] for n in LENGTHS]
INPUTS = pytest.mark.parametrize("X", [SERIES, WORDS], ids=["series", "words"])


def make(Tagger, **params):
    options = {"max_iter": 1, "batch_size": "full", "random_state": 0, "min_count": 1}
    return Tagger(**SMALL[Tagger] | options | params)


def refuses(call, *parts):
    with pytest.raises((ValueError, TypeError)) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


def with_row(rows, i, row):
    return [*rows[:i], row, *rows[i + 1 :]]


PARAMETERS = [("char_embedding_dim", value) for value in (0, -1, 2.5, "big", [3])] + [
    ("class_weight", "even"),
    ("class_weight", [1, 2, 3]),
    ("label_smoothing", 1.0),
    ("label_smoothing", -0.1),
    ("label_smoothing", None),
]


@TAGGERS
@pytest.mark.parametrize(("name", "value"), PARAMETERS)
def test_parameter(Tagger, name, value):
    model = make(Tagger, **{name: value})
    said = f"'{name}' parameter of {Tagger.__name__}"
    refuses(lambda: model.fit(WORDS, Y), said, "must be", re.escape(f"Got {value!r}"))
    assert not hasattr(model, "module_")


@TAGGERS
def test_there_is_no_pooling(Tagger):
    with pytest.raises(TypeError, match="pooling"):
        make(Tagger, pooling="mean")


LABELS = {
    "fewer sequences": (Y[:9], ["12 sequences", "y labels 9"]),
    "fewer labels": (with_row(Y, 4, ["N"]), [r"y\[4\]", r"X\[4\]", "1 for 3 steps"]),
    "more labels": (with_row(Y, 3, ["N"] * 4), [r"y\[3\]", "4 for 2 steps"]),
    "no labels": (with_row(Y, 3, []), [r"y\[3\]", "0 for 2 steps"]),
    "a label a row": (["N"] * 12, [r"y\[0\]", "one a step", "'N'"]),
    "a number a row": (np.arange(12), [r"y\[0\]", "one a step", "0"]),
    "mixed": (with_row(Y, 3, ["N", 1]), [r"y\[3\]", "one type", "'N'", "1"]),
    "another type": (with_row(Y, 3, [0, 1]), ["one type", r"y\[3\] has int64"]),
    "none": (with_row(Y, 3, ["N", None]), [r"y\[3\]", "NaN", "step 1"]),
    "nan": ([np.full(n, np.nan) for n in LENGTHS], [r"y\[0\]", "NaN"]),
    "continuous": ([np.full(n, 0.5) for n in LENGTHS], ["continuous"]),
    "nothing": (None, ["requires y to be passed"]),
    "text": ("N" * 12, ["y must be a list", "'N"]),
}


@TAGGERS
@INPUTS
@pytest.mark.parametrize(("y", "parts"), LABELS.values(), ids=LABELS)
def test_labels(Tagger, X, y, parts):
    model = make(Tagger)
    refuses(lambda: model.fit(X, y), *parts)
    assert not hasattr(model, "module_")
    assert get_tags(model).target_tags.required


@TAGGERS
@INPUTS
@pytest.mark.parametrize(
    ("y", "parts"),
    [
        (with_row(Y, 4, ["N"]), [r"y\[4\]", "1 for 3 steps"]),
        (Y[:9], ["y labels 9"]),
        (with_row(Y, 3, ["N", None]), [r"y\[3\]", "NaN"]),
    ],
)
def test_labels_to_score_by(Tagger, X, y, parts):
    model = make(Tagger).fit(X, Y)
    refuses(lambda: model.score(X, y), *parts)


@TAGGERS
@INPUTS
def test_labels_of_validation(Tagger, X):
    model = make(Tagger)

    def fit(X_val=X[:3], y_val=Y[:3]):
        model.fit(X, Y, X_val=X_val, y_val=y_val)

    refuses(lambda: fit(y_val=[["N", "Q"], *Y[1:3]]), "y_val", "not in", "Q")
    refuses(lambda: fit(y_val=[["N"], *Y[1:3]]), "y_val", r"y\[0\]", "1 for 2")
    refuses(lambda: fit(y_val=Y[:2]), "y_val", "3 sequences")
    refuses(lambda: fit(X_val=None), "X_val and y_val must be given together")
    assert not hasattr(model, "module_")


EMPTY = {
    "series": (with_row(SERIES, 4, np.ones((0, 2))), SERIES),
    "words": (with_row(WORDS, 4, []), WORDS),
    "texts": (
        with_row([" ".join(row) for row in WORDS], 4, " "),
        [" ".join(row) for row in WORDS],
    ),
}


@TAGGERS
@pytest.mark.parametrize(("X", "whole"), EMPTY.values(), ids=EMPTY)
def test_empty_sequences(Tagger, X, whole):
    refuses(lambda: make(Tagger).fit(X, with_row(Y, 4, [])), r"X\[4\] has no steps")
    model = make(Tagger).fit(whole, Y)
    expected = np.concatenate(list(model.predict_proba(whole)))
    for method in (model.predict, model.predict_proba, model.predict_log_proba):
        refuses(lambda method=method: method(X), r"X\[4\] has no steps")
    refuses(lambda: model.partial_fit(X, with_row(Y, 4, [])), r"X\[4\] has no steps")
    assert_array_equal(np.concatenate(list(model.predict_proba(whole))), expected)


@TAGGERS
def test_inputs_of_another_kind(Tagger):
    model = make(Tagger).fit(WORDS, Y)
    refuses(lambda: model.predict(SERIES), "sequences of strings, as fitted")
    refuses(lambda: model.predict(["tea hot"]), "sequences of strings, as fitted")
    model.fit(SERIES, Y)
    refuses(lambda: model.predict(WORDS), "sequences of numbers, as fitted")
    refuses(lambda: model.predict([np.ones((3, 5))]), "n_channels=2", "5")
    refuses(lambda: model.predict([np.full((3, 2), np.nan)]), "NaN", r"X\[0\]")


@TAGGERS
def test_a_network_of_a_table_takes_tables(Tagger):
    table, y = np.concatenate(SERIES), np.concatenate(Y)
    model = make(Tagger).fit(table, y)
    refuses(
        lambda: model.predict(WORDS), "2D|two|table|array|numeric|convert|dimension"
    )
    refuses(lambda: model.predict(table[:, :1]), "X has 1 features", "expecting 2")
    refuses(lambda: model.score(table, y[:5]), "inconsistent numbers of samples")


@TAGGERS
@pytest.mark.parametrize(
    ("weight", "parts"),
    [
        (np.ones(5), ["sample_weight", "shape"]),
        (np.full(12, -1.0), ["sample_weight", "[Nn]egative"]),
        (np.full(12, np.nan), ["sample_weight", "NaN"]),
        (np.zeros(12), ["[Ss]ample.weight", "zero"]),
        ([np.ones(n) for n in LENGTHS], ["inhomogeneous|sample_weight"]),
    ],
    ids=["short", "negative", "nan", "zero", "a weight a step"],
)
def test_weights(Tagger, weight, parts):
    model = make(Tagger)
    refuses(lambda: model.fit(WORDS, Y, sample_weight=weight), *parts)
    assert not hasattr(model, "module_")


@TAGGERS
@pytest.mark.parametrize(
    ("class_weight", "parts"),
    [
        ({"Q": 1.0}, ["class_weight", "Q"]),
        ({"N": -1.0}, ["class_weight", "non-negative", "-1"]),
        ({"N": "big"}, ["class_weight", "number", "big"]),
        (dict.fromkeys("NVX", 0.0), ["class_weight", "zero"]),
    ],
)
def test_class_weights(Tagger, class_weight, parts):
    model = make(Tagger, class_weight=class_weight)
    refuses(lambda: model.fit(WORDS, Y), *parts)
    assert not hasattr(model, "module_")


@TAGGERS
def test_a_network_that_is_not_fitted_says_so(Tagger):
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError, match=Tagger.__name__):
            getattr(make(Tagger), method)(WORDS)
    with pytest.raises(NotFittedError, match=Tagger.__name__):
        make(Tagger).score(WORDS, Y)


@TAGGERS
def test_a_bad_fit_leaves_the_one_before(Tagger):
    model = make(Tagger).fit(WORDS, Y)
    expected = np.concatenate(list(model.predict_proba(WORDS)))
    refuses(lambda: model.fit(SERIES, with_row(Y, 3, ["N"])), r"y\[3\]")
    found = np.concatenate(list(model.predict_proba(WORDS)))
    assert_array_equal(found, expected)
