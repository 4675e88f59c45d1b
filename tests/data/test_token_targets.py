"""Targets of tokens: numbers and an end for training, strings and lists for users."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

from sknn.data import SequenceReader, TokenTargets

STRINGS = ["ab", "", "bba", "b"]
FORMS = {
    "strings": (STRINGS, list, "\ufffd"),
    "words": ([list(text) for text in STRINGS], None, "\ufffd"),
    "integers": ([[ord(c) for c in text] for text in STRINGS], None, -1),
}


def make(rows, tokenizer=None, joint="", **options):
    """Targets, and the sequences of the rows' numbers."""
    reader, y = SequenceReader.fit_read(
        rows, np.int64, tokens=True, tokenizer=tokenizer, empty="kept", **options
    )
    return TokenTargets(reader, joint), y


@pytest.mark.parametrize(("rows", "cut", "unseen"), FORMS.values(), ids=FORMS)
def test_what_training_sees_and_what_users_do(rows, cut, unseen):
    targets, y = make(rows, cut)
    assert list(targets.reader.vocabulary.values()) == [1, 2]  # b and a
    assert (targets.begin, targets.end, targets.n_outputs) == (3, 4, 5)
    encoded = targets.encode(y, np.float32)
    assert encoded.values.dtype == np.int64
    assert_array_equal(encoded.lengths, y.lengths + 1)
    expected = [2, 1, 4, 4, 1, 1, 2, 4, 1, 4]
    assert encoded.values.tolist() == expected
    lists = [list(row) for row in rows]
    assert targets.tokens_of(encoded) == lists
    decoded = targets.decode_encoded(encoded)
    assert decoded.dtype == object and decoded.shape == (4,)
    assert decoded.tolist() == rows
    assert_array_equal(targets.number(lists).values, y.values)
    assert_array_equal(targets.number(lists).starts, y.starts)
    assert targets.name_tokens(np.arange(3)) == [unseen, *targets.reader.vocabulary]


def test_tokens_that_have_no_number():
    targets, y = make(["aab", "aac"], list, min_count=2)
    assert y.values.tolist() == [1, 1, 0, 1, 1, 0]
    encoded = targets.encode(y, np.float32)
    assert targets.decode_encoded(encoded).tolist() == ["aa\ufffd", "aa\ufffd"]
    assert targets.number([["a", "x"], []]).values.tolist() == [1, 0]
    assert targets.number([[], []]).lengths.tolist() == [0, 0]


def test_strings_are_joined_and_lists_are_not():
    targets, _ = make(["a b", "b"], str.split, joint=" ")
    found = targets.join([["b", "a", "a"], [], ["b"]])
    assert found.tolist() == ["b a a", "", "b"]
    targets, _ = make([["a", "b"], ["b"]], joint=" ")
    found = targets.join([["b", "a"], ["a", "b"]])  # of one length, and yet no table
    assert found.shape == (2,) and found.tolist() == [["b", "a"], ["a", "b"]]
    assert targets.join([]).shape == (0,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_likelihood(dtype):
    targets, y = make(STRINGS, list)
    encoded = targets.encode(y, dtype)
    raw = np.random.RandomState(0).standard_normal((len(encoded.values), 5)) * 30
    raw = raw.astype(dtype)
    found = targets.log_likelihood(raw.copy(), encoded)
    log_p = np.zeros(raw.shape)
    can_be = [1, 2, targets.end]
    log_p[:, can_be] = log_softmax(raw[:, can_be].astype(np.float64), axis=1)
    chosen = log_p[np.arange(len(raw)), encoded.values]
    expected = [chosen[a:b].sum() for a, b in pairwise([0, 3, 4, 8, 10])]
    assert found.dtype == np.float64
    # exponents of up to 90 are rounded to 24 bits
    assert_allclose(found, expected, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_what_cannot_be_predicted_has_no_likelihood():
    targets, _ = make(STRINGS, list)
    y = targets.encode(targets.number([["a"], ["x"], ["a", "x", "x"]]), "float32")
    with np.errstate(all="raise"):
        found = targets.log_likelihood(np.zeros((len(y.values), 5)), y)
    assert_allclose(found, [2 * np.log(1 / 3), -np.inf, -np.inf])


def test_probabilities_are_a_softmax_of_all_outputs():
    targets, _ = make(STRINGS, list)
    raw = np.random.RandomState(0).standard_normal((7, 5))
    expected = np.exp(log_softmax(raw, axis=1))
    assert_allclose(targets.link(raw.copy()), expected, rtol=1e-12)
    assert targets.stratification(None) is None
