"""Labels of steps: what users pass, their codes and weights, and the way back."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from sknn.data import (
    Sequences,
    StepTargets,
    as_object_array,
    has_one_label_a_row,
    read_labels,
    step_weights,
)

ROWS = [["b", "a"], ["c"], ["a", "a", "b"]]
LENGTHS = np.array([2, 1, 3])
EVEN = [["b", "a"], ["c", "a"], ["a", "b"]]


def object_array(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


FORMS = {
    "lists": ROWS,
    "tuples": tuple(map(tuple, ROWS)),
    "arrays": [np.array(row) for row in ROWS],
    "object arrays": object_array([np.array(row, dtype=object) for row in ROWS]),
    "series of lists": pd.Series(ROWS),
    "list of series": [pd.Series(row) for row in ROWS],
    "polars": pl.Series(ROWS),
    "list of polars": [pl.Series(row) for row in ROWS],
    "categories": [pd.Series(row, dtype="category") for row in ROWS],
}
TABLES = {
    "array": np.array(EVEN),
    "object table": np.array(EVEN, dtype=object),
    "frame": pd.DataFrame(EVEN),
    "polars frame": pl.DataFrame(EVEN, orient="row"),
}


@pytest.mark.parametrize("y", FORMS.values(), ids=FORMS)
def test_forms(y):
    found = read_labels(y, LENGTHS)
    assert_array_equal(found.values, [label for row in ROWS for label in row])
    assert_array_equal(found.lengths, LENGTHS)
    assert found.values.dtype.kind == "U"


@pytest.mark.parametrize("y", TABLES.values(), ids=TABLES)
def test_tables_have_a_sequence_a_row(y):
    found = read_labels(y, np.array([2, 2, 2]))
    assert_array_equal(found.values, [label for row in EVEN for label in row])


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([[1, 0], [2]], "i"),
        ([[True, False], [True]], "b"),
        ([np.array([1, 0], np.uint8), np.array([2], np.int64)], "i"),
        ([[1.0, 0.0], [2.0]], "f"),
        ([[1, 0.0], [True]], "f"),
        ([["a", "long one"], ["b"]], "U"),
    ],
)
def test_labels_keep_their_kind(rows, kind):
    found = read_labels(rows, np.array([2, 1])).values
    assert found.dtype.kind == kind
    assert found.tolist() == [*rows[0], *rows[1]]


BAD = {
    "fewer": (ROWS[:2], ValueError, ["3 sequences", "y labels 2"]),
    "shorter": ([*ROWS[:2], ["a", "b"]], ValueError, [r"y\[2\]", "2 for 3 steps"]),
    "longer": ([ROWS[0], ["a", "b"], ["a"]], ValueError, [r"y\[1\]", "2 for 1 steps"]),
    "no labels": ([ROWS[0], [], ROWS[2]], ValueError, [r"y\[1\]", "0 for 1 steps"]),
    "one a row": (["b", "c", "a"], ValueError, [r"y\[0\]", "'b' .str"]),
    "numbers": ([1, 0, 2], ValueError, [r"y\[0\]", "1 .int"]),
    "nested": ([[["b"], ["a"]], *ROWS[1:]], ValueError, [r"y\[0\]", "one a step"]),
    "ragged": ([[["b"], ["a", "c"]], *ROWS[1:]], ValueError, [r"y\[0\]", "one a step"]),
    "none": ([*ROWS[:2], ["a", None, "b"]], ValueError, [r"y\[2\].*NaN", "step 1"]),
    "nan": ([*ROWS[:2], ["a", "b", np.nan]], ValueError, [r"y\[2\].*NaN", "step 2"]),
    "missing": (
        [*ROWS[:2], pd.Series(["a", None, "b"])],
        ValueError,
        [r"y\[2\].*NaN", "step 1"],
    ),
    "float nan": ([[1.0, 2.0], [np.nan], [0.0] * 3], ValueError, [r"y\[1\].*NaN"]),
    "infinity": ([[1.0, 2.0], [0.0], [np.inf] * 3], ValueError, [r"y\[2\].*infinity"]),
    "mixed within": (
        [ROWS[0], ROWS[1], ["a", 1, "b"]],
        ValueError,
        [r"y\[2\]", "one type", "step 0 has 'a', step 1 has 1"],
    ),
    "mixed rows": (
        [ROWS[0], [1], ROWS[2]],
        ValueError,
        ["one type", r"y\[0\] has str32, y\[1\] has int64"],
    ),
    "objects": ([ROWS[0], [object()], ROWS[2]], ValueError, [r"y\[1\]", "strings"]),
    "bytes": ([ROWS[0], [b"a"], ROWS[2]], ValueError, [r"y\[1\]", "strings", "b'a'"]),
    "complex": ([[1, 2], [1j], [0] * 3], ValueError, [r"y\[1\]", "numbers"]),
    "nothing": (None, TypeError, ["y must be a list", "NoneType"]),
    "a number": (3, TypeError, ["y must be a list", "3"]),
    "a string": ("bca", TypeError, ["y must be a list", "'bca'"]),
    "a dict": ({0: ["a"]}, TypeError, ["y must be a list", "dict"]),
}


@pytest.mark.parametrize(("y", "error", "parts"), BAD.values(), ids=BAD)
def test_what_is_no_labels_is_named(y, error, parts):
    with pytest.raises(error) as raised:
        read_labels(y, LENGTHS)
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


def test_names_in_errors_are_those_of_the_caller():
    with pytest.raises(ValueError, match=r"^y_val\[1\] .* X_val\[1\]: got 2 for 1"):
        read_labels([["a"], ["a", "b"]], np.array([1, 1]), "y_val", "X_val")


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (None, True),
        ([1, 0], True),
        (["a", "b"], True),
        (np.array([1, 0]), True),
        (np.array([[1], [0]]), True),
        (pd.Series(["a", "b"]), True),
        (pl.Series(["a", "b"]), True),
        (pd.DataFrame({"y": [1, 0]}), True),
        ([[1], [0]], False),
        ([["a", "b"], ["a", "b"]], False),
        (np.array([[1, 0], [0, 0]]), False),
        (pd.Series([["a"], ["b"]]), False),
        (pl.Series([["a"], ["b"]]), False),
        (object_array([np.array([1]), np.array([0, 1])]), False),
    ],
)
def test_a_label_a_row_is_told_from_a_sequence_a_row(y, expected):
    assert has_one_label_a_row(y) == expected


def test_entries_of_an_object_array_are_the_sequences():
    values = np.arange(6)
    found = as_object_array(Sequences(values, np.array([0, 2, 3, 6])))
    assert found.shape == (3,) and found.dtype == object
    assert [row.tolist() for row in found] == [[0, 1], [2], [3, 4, 5]]
    even = as_object_array(Sequences(values, np.array([0, 2, 4, 6])))
    assert even.shape == (3,) and even[1].tolist() == [2, 3]  # never a table
    wide = as_object_array(Sequences(np.ones((6, 4)), np.array([0, 2, 3, 6])))
    assert [row.shape for row in wide] == [(2, 4), (1, 4), (3, 4)]


# Codes


def test_codes_and_the_way_back():
    y = read_labels(ROWS, LENGTHS)
    targets = StepTargets.fit(y.values)
    encoded = targets.encode(y, np.float32)
    assert_array_equal(encoded.values, [1, 0, 2, 0, 0, 1])
    assert encoded.values.dtype == np.int64
    decoded = targets.decode_encoded(encoded)
    assert [row.tolist() for row in decoded] == ROWS


@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_all_numbers_of_classes_are_a_softmax(n_classes):
    targets = StepTargets.fit(np.arange(n_classes))
    assert (targets.loss, targets.n_outputs) == ("log_loss", n_classes)
    raw = np.random.RandomState(0).standard_normal((7, n_classes))
    assert_array_equal(targets.decode(raw), raw.argmax(1))
    np.testing.assert_allclose(targets.link(raw.copy()).sum(1), 1)
    assert targets.stratification(None) is None


def test_real_numbers_are_no_labels():
    with pytest.raises(ValueError, match="continuous"):
        StepTargets.fit(np.array([0.5, 1.5, 0.2]))


def test_weights_of_steps():
    y = Sequences(np.array([1, 0, 2, 0, 0, 1]), np.array([0, 2, 3, 6]))
    weight, factor = np.array([2.0, 0.5, 1.0]), np.array([1.0, 3.0, 10.0])
    assert step_weights(y, None) is None
    assert_array_equal(step_weights(y, weight), [2, 2, 0.5, 1, 1, 1])
    assert_array_equal(step_weights(y, None, factor), [3, 1, 10, 1, 1, 3])
    assert_array_equal(step_weights(y, weight, factor), [6, 2, 5, 1, 1, 3])
