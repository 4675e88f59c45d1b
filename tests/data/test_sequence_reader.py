"""What users pass as sequences: every form reads the same, what is wrong is named."""

import array
import pickle
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn import config_context

from sknn.data import SequenceReader

RNG = np.random.RandomState(0)
SERIES = [RNG.randint(-9, 9, size=(n, 2)).astype(float) for n in (3, 1, 4)]
FLAT = [row[:, 0] for row in SERIES]
BLOCK = RNG.randint(-9, 9, size=(3, 4, 2)).astype(float)


def as_objects(rows):
    objects = np.empty(len(rows), object)
    objects[:] = rows
    return objects


def as_tensor(row, dtype=torch.float32):
    return torch.tensor(row, dtype=dtype)


NUMBERS = {
    "arrays": (SERIES, SERIES),
    "tuple": (tuple(SERIES), SERIES),
    "objects": (as_objects(SERIES), SERIES),
    "pandas_series": (pd.Series(SERIES), SERIES),
    "frames": ([pd.DataFrame(row) for row in SERIES], SERIES),
    "polars_frames": ([pl.DataFrame(row) for row in SERIES], SERIES),
    "tensors": ([as_tensor(row).requires_grad_() for row in SERIES], SERIES),
    "bfloat16": ([as_tensor(row, torch.bfloat16) for row in SERIES], SERIES),
    "float16": ([row.astype(np.float16) for row in SERIES], SERIES),
    "several_types": (
        [SERIES[0].astype(np.int8), SERIES[1].astype("f2"), SERIES[2]],
        SERIES,
    ),
    "read_only": ([np.broadcast_to(row, row.shape) for row in SERIES], SERIES),
    "reversed": ([row[::-1] for row in SERIES], [row[::-1] for row in SERIES]),
    "fortran": ([np.asfortranarray(row) for row in SERIES], SERIES),
    "lists": ([row.tolist() for row in SERIES], SERIES),
    "lists_of_tuples": ([list(map(tuple, row)) for row in SERIES], SERIES),
    "lists_of_arrays": ([list(row) for row in SERIES], SERIES),
    "lists_of_tensors": ([list(as_tensor(row)) for row in SERIES], SERIES),
    "lists_and_arrays": ([SERIES[0].tolist(), SERIES[1], SERIES[2].tolist()], SERIES),
    "object_arrays": ([row.astype(object) for row in SERIES], SERIES),
    "flat_arrays": (FLAT, FLAT),
    "flat_lists": ([row.tolist() for row in FLAT], FLAT),
    "flat_ints": ([row.astype(int).tolist() for row in FLAT], FLAT),
    "flat_series": ([pd.Series(row) for row in FLAT], FLAT),
    "flat_and_one_channel": ([FLAT[0], FLAT[1][:, None], FLAT[2]], FLAT),
    "polars_lists": (pl.Series([row.tolist() for row in FLAT]), FLAT),
    "standard_library": (
        [deque([1, 2]), array.array("d", [3]), range(3)],
        [[1, 2], [3], [0, 1, 2]],
    ),
    "bools": ([[True, False], [True]], [[1, 0], [1]]),
    "other_numbers": ([[Fraction(1, 2), Decimal(1)], [np.float16(2)]], [[0.5, 1], [2]]),
    "block": (BLOCK, BLOCK),
    "block_float32": (BLOCK.astype(np.float32), BLOCK),
    "block_int": (BLOCK.astype(np.int16), BLOCK),
    "block_transposed": (BLOCK.T.copy().T, BLOCK),
    "block_tensor": (torch.tensor(BLOCK), BLOCK),
    "block_list": (BLOCK.tolist(), BLOCK),
    "block_objects": (BLOCK.astype(object), BLOCK),
    "table": (BLOCK[:, :, 0], BLOCK[:, :, 0]),
    "table_frame": (pd.DataFrame(BLOCK[:, :, 0]), BLOCK[:, :, 0]),
    "table_polars": (pl.DataFrame(BLOCK[:, :, 0]), BLOCK[:, :, 0]),
    "table_list": (BLOCK[:, :, 0].tolist(), BLOCK[:, :, 0]),
    "table_objects": (BLOCK[:, :, 0].astype(object), BLOCK[:, :, 0]),
    "table_bools": (BLOCK[:, :, 0] > 0, BLOCK[:, :, 0] > 0),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", NUMBERS)
def test_numbers_of_every_form(form, dtype):
    X, expected = NUMBERS[form]
    reader, sequences = SequenceReader.fit_read(X, dtype)
    assert (reader.kind, reader.form) == ("numbers", "numbers")
    assert reader.vocabulary is None
    assert reader.n_channels == sequences.n_channels
    assert sequences.dtype == dtype
    assert len(sequences) == len(expected)
    for i, row in enumerate(expected):
        row = np.asarray(row, dtype)
        assert_array_equal(sequences[i], row.reshape(len(row), -1))
    again = SequenceReader.fit(X).read(X, dtype)
    assert_array_equal(again.values, sequences.values)
    assert_array_equal(again.starts, sequences.starts)


def test_a_block_of_the_right_type_is_not_copied():
    X = BLOCK.astype(np.float32)
    _, sequences = SequenceReader.fit_read(X, np.float32)
    assert np.shares_memory(sequences.values, X)
    assert sequences.is_even


WORDS = [["b", "a"], ["a"], ["c", "b", "a"]]
WORD_IDS = [[2, 1], [1], [3, 2, 1]]
INTS = [[7, 5], [5], [-3, 7, 5]]  # by falling count, then by value: 5, 7, -3
TOKENS = {
    "words": (WORDS, "words"),
    "word_tuples": (tuple(map(tuple, WORDS)), "words"),
    "word_arrays": ([np.array(row) for row in WORDS], "words"),
    "word_object_arrays": (as_objects([as_objects(r) for r in WORDS]), "words"),
    "word_series": (pd.Series([pd.Series(row) for row in WORDS]), "words"),
    "polars_words": (pl.Series(WORDS), "words"),
    "strings": (["b A", "a", "C b a"], "strings"),
    "string_array": (np.array(["b a", "a", "c b a"]), "strings"),
    "string_objects": (np.array(["b a", "a", "c b a"], object), "strings"),
    "string_series": (pd.Series(["b a", "a", "c b a"]), "strings"),
    "string_categories": (
        pd.Series(["b a", "a", "c b a"], dtype="category"),
        "strings",
    ),
    "string_polars": (pl.Series(["b a", "a", "c b a"]), "strings"),
    "numpy_strings": (list(map(np.str_, ["b a", "a", "c b a"])), "strings"),
    "ints": (INTS, "integers"),
    "int_arrays": ([np.array(row, np.int16) for row in INTS], "integers"),
    "int_tensors": ([torch.tensor(row) for row in INTS], "integers"),
    "numpy_ints": ([list(map(np.int64, row)) for row in INTS], "integers"),
}


@pytest.mark.parametrize("form", TOKENS)
def test_tokens_of_every_form(form):
    X, expected = TOKENS[form]
    tokens = expected == "integers"
    reader, sequences = SequenceReader.fit_read(X, np.float32, tokens=tokens)
    assert (reader.kind, reader.form) == ("tokens", expected)
    assert reader.n_channels is None
    assert sequences.dtype == np.int64
    assert [sequences[i].tolist() for i in range(3)] == WORD_IDS
    names = [5, 7, -3] if tokens else ["a", "b", "c"]
    assert reader.vocabulary == dict(zip(names, (1, 2, 3), strict=True))
    assert {type(token) for token in reader.vocabulary} <= {int, str}
    again = pickle.loads(pickle.dumps(reader)).read(X, np.float64)
    assert_array_equal(again.values, sequences.values)


def test_tables_of_tokens():
    ids = np.array([[4, 2], [2, 2]], np.uint64)
    reader, sequences = SequenceReader.fit_read(ids, np.float32, tokens=True)
    assert reader.vocabulary == {2: 1, 4: 2}
    assert_array_equal(sequences.padded()[0], [[2, 1], [1, 1]])
    words = np.array([["b", "a"], ["a", "a"]])
    for X in (words, pd.DataFrame(words), words.astype(object)):
        reader, sequences = SequenceReader.fit_read(X, np.float32)
        assert reader.form == "words"
        assert_array_equal(sequences.padded()[0], [[2, 1], [1, 1]])


def test_what_is_unseen_or_empty_is_zero():
    reader = SequenceReader.fit(["a b", "a", ""])
    found = reader.read(["", "b zzz", " ", "a"], np.float32)
    assert [found[i].tolist() for i in range(4)] == [[0], [2, 0], [0], [1]]
    assert_array_equal(reader.read(["", ""], np.float32).values, [0, 0])
    reader = SequenceReader.fit([[], ["x"], []])
    assert_array_equal(reader.read([["x"], []], np.float32).values, [1, 0])
    assert_array_equal(reader.read([[], []], np.float32).values, [0, 0])
    reader = SequenceReader.fit([[5, 6], []], tokens=True)
    empty = np.array([])
    assert_array_equal(reader.read([[6], []], np.float32).values, [2, 0])
    assert_array_equal(reader.read([empty, empty], np.float32).values, [0, 0])
    assert_array_equal(reader.read([np.array([5]), empty], np.float32).values, [1, 0])


def test_options_of_the_vocabulary_and_the_tokenizer():
    texts = ["aab", "b a", "c"]
    reader = SequenceReader.fit(texts, tokenizer=list, min_count=2, max_vocab=1)
    assert reader.vocabulary == {"a": 1}
    found = reader.read(["ab", "c"], np.float32)
    assert [found[i].tolist() for i in range(2)] == [[1, 0], [0]]
    reader = SequenceReader.fit(["x y", "y"], tokenizer=lambda s: iter(s.split()))
    assert reader.vocabulary == {"y": 1, "x": 2}


@pytest.mark.parametrize(
    ("weight", "vocabulary"),
    [
        (None, {"b": 1, "a": 2, "c": 3}),
        ([3, 1, 0], {"a": 1, "b": 2}),  # repetitions
        ([0.5, 0.5, 0], {"b": 1, "a": 2}),  # rows of some weight count once
        ([True, False, False], {"a": 1, "b": 2}),
        ([0, 0, 0], {"b": 1, "a": 2, "c": 3}),  # refused elsewhere, as the next ones
        ([1, 2], {"b": 1, "a": 2, "c": 3}),
    ],
)
def test_how_often_weighted_tokens_count(weight, vocabulary):
    X = [["a", "a", "b"], ["b", "b"], ["c"]]
    assert SequenceReader.fit(X, sample_weight=weight).vocabulary == vocabulary


NAN, INF = float("nan"), float("inf")
BAD = {
    "nothing": ([], ValueError, r"0 sample\(s\) \(shape=\(0,\)\).*X must"),
    "no_rows": (np.zeros((0, 3)), ValueError, r"0 sample\(s\) \(shape=\(0, 3\)\)"),
    "no_columns": (np.zeros((3, 0)), ValueError, r"0 feature\(s\) \(shape=\(3, 0\)\)"),
    "no_channels": ([np.zeros((3, 0))] * 2, ValueError, r"X\[0\] has 0"),
    "no_steps": ([[1.0], []], ValueError, r"X\[1\] has no steps"),
    "no_steps_array": ([np.ones(2), np.ones(0)], ValueError, r"X\[1\] has no steps"),
    "no_steps_anywhere": ([[], []], ValueError, r"X\[0\] has no steps"),
    "no_words_anywhere": (["", ""], ValueError, "min_count=1"),
    "channels": (
        [np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 3))],
        ValueError,
        r"X\[0\] has 2, X\[2\] has 3",
    ),
    "channels_of_lists": (
        [[[1, 2]], [[1, 2], [1]]],
        ValueError,
        r"X\[0\]\[0\] has 2, X\[1\]\[1\] has 1",
    ),
    "vector": ([1.0, 2.0], ValueError, r"X\[0\] must be a sequence.*Reshape your data"),
    "one_axis": (np.arange(3.0), ValueError, "Expected 2D array.*Reshape your data"),
    "four_axes": (np.ones((1, 2, 3, 4)), ValueError, r"shape \(1, 2, 3, 4\)"),
    "three_axes_each": ([np.ones((1, 2, 3))], ValueError, r"X\[0\].*shape \(1, 2, 3\)"),
    "scalar": (3.0, ValueError, r"X must be a sequence.*3\.0 \(float\)"),
    "scalar_among": ([[1.0], 2.0], ValueError, r"X\[1\] must be a sequence.*2\.0"),
    "zero_axes": ([np.ones(2), np.array(1.0)], ValueError, r"X\[1\] must be a seq"),
    "zero_axes_step": ([[np.array(1.0)]], ValueError, r"X\[0\]\[0\] must be a seq"),
    "nan": (
        [np.ones(2), np.array([1, 2, NAN])],
        ValueError,
        r"Input X contains NaN: X\[1\] does, at step 2",
    ),
    "inf": (
        [[[1.0, 2.0]], [[3.0, -INF]]],
        ValueError,
        r"Input X contains infinity.*float32.*X\[1\] does, at step 0",
    ),
    "too_large": ([[1.0], [1e300]], ValueError, r"too large.*X\[1\]"),
    "too_long": ([[1.0], [1, 10**400]], ValueError, r"X\[1\]\[1\] must fit"),
    "nan_in_block": (np.full((2, 2), NAN), ValueError, r"NaN: X\[0\]"),
    "word_among_numbers": (
        [[1.0, 2.0], [3.0, "4.0"]],
        ValueError,
        r"X\[1\]\[1\] must be a number as X\[0\]\[0\] is: got '4.0' \(str\)",
    ),
    "number_among_words": ([["a"], ["b", 1]], ValueError, r"X\[1\]\[1\].*a string as"),
    "vector_among_numbers": ([[1.0], [[1.0]]], ValueError, r"X\[1\]\[0\].*a number as"),
    "list_among_strings": (["a b", ["a"]], ValueError, r"strings only.*X\[1\]"),
    "string_among_lists": ([[1.0], "a"], ValueError, r"strings only.*X\[1\]"),
    "missing_string": (pd.Series(["a", None]), ValueError, r"strings only.*X\[1\]"),
    "words_as_channels": (
        [[["1", "2"]]],
        ValueError,
        r"X\[0\]\[0\]\[0\] must be a n",
    ),
    "words_in_block": (
        np.array([[["1"]]]),
        ValueError,
        r"X\[0\]\[0\]\[0\] must be a n",
    ),
    "none_step": ([[1.0], [None]], TypeError, r"X\[1\]\[0\] must be a number or.*None"),
    "none": ([[1.0], None], TypeError, r"X\[1\] must be an array.*NoneType"),
    "dict_step": (
        np.array([[{"a": 1}, 2]], object),
        TypeError,
        r"X\[0\]\[0\].*argument must be .* string.* number",
    ),
    "complex": (np.ones((2, 2), complex), ValueError, "Complex data not supp.*X is"),
    "complex_row": ([[1.0], np.array([1j])], ValueError, r"Complex.*X\[1\]"),
    "complex_step": ([[1.0], [2, 1j]], ValueError, r"Complex.*X\[1\]\[1\]"),
    "sparse": (sparse.csr_matrix(np.eye(2)), TypeError, "Sparse data was passed for X"),
    "sparse_row": ([sparse.csr_array(np.eye(2))], TypeError, r"Sparse.*X\[0\]"),
    "string": ("a b", TypeError, r"X must be.*'a b' \(str\)"),
    "bytes": ([b"a", b"b"], TypeError, r"X\[0\].*\(bytes\)"),
    "bytes_array": (np.array([[b"a"]]), TypeError, r"X\[0\]\[0\].*\(bytes\)"),
    "generator": ((row for row in SERIES), TypeError, r"X must be.*\(generator\)"),
    "generators": ([iter([1.0])], TypeError, r"X\[0\].*\(list_iterator\)"),
    "map": (map(list, SERIES), TypeError, r"\(map\)"),
    "set": ({1.0}, TypeError, r"\(set\)"),
    "sets": ([[1.0], {1.0}], TypeError, r"X\[1\].*\(set\)"),
    "dict": ({"a": [1.0]}, TypeError, r"\(dict\)"),
    "dicts": ([{"a": 1}], TypeError, r"X\[0\].*\(dict\)"),
    "class": (pd.DataFrame, TypeError, r"\(type\)"),
    "dates": (np.zeros((2, 2), "M8[s]"), TypeError, r"datetime64"),
    "missing_number": (
        [pd.Series([1, None], dtype="Int64")],
        (TypeError, ValueError),  # pandas 2 has an object there, pandas 3 a NaN
        r"X\[0\]",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    X, error, message = BAD[case]
    with pytest.raises(error, match=message):
        SequenceReader.fit_read(X, np.float32)


@pytest.mark.parametrize("case", ["channels", "nan", "none", "nothing", "string"])
def test_errors_use_the_name_given(case):
    X, error, _ = BAD[case]
    reader = SequenceReader.fit(np.ones((2, 3)))
    with pytest.raises(error, match="X_val"):
        reader.read(X, np.float32, name="X_val")


BAD_TOKENS = {
    "floats": ([[1], [1.5]], r"X\[1\]\[0\] is 1\.5 \(float\)"),
    "bools": ([[1], [2, True]], r"X\[1\]\[1\] is True"),
    "vectors": ([[[1]]], r"X\[0\]\[0\] is \[1\] \(list\)"),
    "float_arrays": ([np.array([1]), np.array([1.0])], r"X\[1\] is of type float64"),
    "channels": ([np.ones((2, 1), int)], r"X\[0\].*shape \(2, 1\)"),
    "block": (np.ones((2, 2, 1), int), r"X is of type int64 and shape \(2, 2, 1\)"),
    "table": (np.ones((2, 2)), "X is of type float64"),
    "too_long": ([[1], [2**70]], r"X\[1\]\[0\] must fit into int64"),
    "unsigned": ([np.array([1]), np.array([2**63], np.uint64)], r"in X\[1\]"),
}


@pytest.mark.parametrize("case", BAD_TOKENS)
def test_bad_tokens_are_refused_by_name(case):
    X, message = BAD_TOKENS[case]
    with pytest.raises(ValueError, match=message):
        SequenceReader.fit(X, tokens=True)


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (3, "must be None or callable.*got 3"),
        ("words", "must be None or callable.*got 'words'"),
        (lambda s: "b", r"X\[0\] it returned 'b' \(str\)"),
        (lambda s: [1] if s == "b" else [s], r"X\[1\] it returned \[1\] \(list\)"),
        (lambda s: None, r"X\[0\] it returned None"),
    ],
)
def test_bad_tokenizers(tokenizer, message):
    with pytest.raises(TypeError, match=f"tokenizer.*{message}"):
        SequenceReader.fit(["a", "b"], tokenizer=tokenizer)


FITTED = {
    "numbers": SERIES,
    "words": WORDS,
    "strings": ["a b", "c"],
    "integers": INTS,
}


@pytest.mark.parametrize("fitted", FITTED)
@pytest.mark.parametrize("other", FITTED)
def test_other_forms_than_fitted(fitted, other):
    reader = SequenceReader.fit(FITTED[fitted], tokens=fitted == "integers")
    if fitted == other:
        reader.read(FITTED[other], np.float32)
        return
    with pytest.raises(ValueError, match=r"X must hold|Tokens must|n_channels"):
        reader.read(FITTED[other], np.float32)


def test_other_channels_than_fitted():
    reader = SequenceReader.fit(SERIES)
    with pytest.raises(ValueError, match=r"n_channels=2, as fitted: X\[0\] has 1"):
        reader.read(FLAT, np.float32)
    with pytest.raises(ValueError, match=r"X\[0\] has no steps"):
        reader.read([[], []], np.float32)


def test_finiteness_can_be_assumed():
    reader = SequenceReader.fit([[1.0]])
    with config_context(assume_finite=True):
        assert np.isnan(reader.read([[NAN]], np.float32).values).all()


def test_large_finite_numbers_are_fine():
    X = np.full((10, 1000), 3e38)
    assert SequenceReader.fit(X).read(X, np.float32).dtype == np.float32
