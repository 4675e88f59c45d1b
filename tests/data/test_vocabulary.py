"""Words, vocabularies and ids of tokens."""

import re
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data._vocabulary import cut_words, encode_tokens, make_vocabulary

TOKENS = ["b", "a", "c", "b", "a", "d", "e", "e", "e"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world", ["hello", ",", "world"]),
        ("  tabs\tand\nlines ", ["tabs", "and", "lines"]),
        ("x_1=3.5!!", ["x_1", "=", "3", ".", "5", "!", "!"]),
        ("Ärger 日本", ["ärger", "日本"]),
        ("", []),
        (" \n", []),
    ],
)
def test_words(text, words):
    assert cut_words(text) == words
    assert "".join(words) == re.sub(r"\s", "", text.lower())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "eabcd"),
        ({"min_count": 2}, "eab"),
        ({"max_vocab": 4}, "eabc"),
        ({"min_count": 2, "max_vocab": 1}, "e"),
        ({"max_vocab": 100}, "eabcd"),
    ],
)
def test_the_most_frequent_come_first_and_ties_in_order(options, expected):
    vocabulary = make_vocabulary(TOKENS, **options)
    assert vocabulary == {token: i for i, token in enumerate(expected, start=1)}
    ids = encode_tokens([*TOKENS, "unseen"], vocabulary)
    assert ids.dtype == np.int64
    assert ids.tolist() == [vocabulary.get(t, 0) for t in TOKENS] + [0]


def test_integers():
    tokens = np.random.RandomState(0).randint(-5, 5, 200)
    vocabulary = make_vocabulary(tokens)
    counts = Counter(tokens.tolist())
    assert list(vocabulary) == sorted(counts, key=lambda t: (-counts[t], t))
    assert all(type(token) is int for token in vocabulary)
    found = encode_tokens(np.append(tokens, 99), vocabulary)
    assert_array_equal(found, [*(vocabulary[t] for t in tokens.tolist()), 0])
    assert encode_tokens(np.array([], int), vocabulary).shape == (0,)


def test_no_token_is_left():
    with pytest.raises(ValueError, match=r"text must.*min_count=4.*occurs 3 times"):
        make_vocabulary(TOKENS, min_count=4, name="text")
    with pytest.raises(ValueError, match="occurs 0 times"):
        make_vocabulary([])
