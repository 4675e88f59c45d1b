"""Letters of words as numbers, against the words themselves."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data import SequenceReader
from sknn.data._spelling import (
    BEGIN,
    END,
    MOST_LETTERS,
    N_RESERVED,
    UNSEEN,
    make_alphabet,
    spell,
)

WORDS = ["tea", "eat", "a", "", "tea"]


def read_back(row, alphabet):
    """Letters of a row of numbers, unseen ones as stars."""
    letters = {number: letter for letter, number in alphabet.items()}
    row = row[: np.count_nonzero(row)]
    assert row[0] == BEGIN and row[-1] == END
    return "".join(letters.get(number, "*") for number in row[1:-1])


def spell_each(words, alphabet):
    """Letters of every word, said before or not."""
    letters, rows = spell(words, alphabet)
    assert len(letters) == len(set(words)) and rows.dtype == np.int32
    return letters[rows]


def test_an_alphabet_is_numbered_by_frequency():
    alphabet = make_alphabet(WORDS)
    assert alphabet == {"a": N_RESERVED, "e": N_RESERVED + 1, "t": N_RESERVED + 2}
    assert make_alphabet(["", ""]) == make_alphabet([]) == {}
    assert {UNSEEN, BEGIN, END, 0} == set(range(N_RESERVED))


def test_an_alphabet_counts_words_as_often_as_they_count():
    times = np.array([0, 3, 1, 5, 2])
    repeated = np.repeat(WORDS, times).tolist()
    assert make_alphabet(WORDS, times) == make_alphabet(repeated)
    assert make_alphabet(["xx", "y"], np.array([0, 1])) == {"y": N_RESERVED}
    assert make_alphabet(["xx", ""], np.array([0, 1])) == {}
    weight = np.array([0, 1, 2])
    reader, _ = fit_read(SENTENCES, spelled=True, sample_weight=weight)
    again, _ = fit_read([SENTENCES[i] for i in (1, 2, 2)], spelled=True)
    assert list(reader.alphabet) == list(again.alphabet)


def test_words_are_read_back_from_their_numbers():
    alphabet = make_alphabet(WORDS)
    spelled = spell_each(WORDS, alphabet)
    assert spelled.shape == (5, 3 + 2) and spelled.dtype == np.int32
    assert [read_back(row, alphabet) for row in spelled] == WORDS
    unseen = spell_each(["team", "m", "TEA"], alphabet)
    assert [read_back(row, alphabet) for row in unseen] == ["tea*", "*", "***"]
    assert spell_each(["team"], alphabet)[0, 4] == UNSEEN


@pytest.mark.parametrize("alphabet", [{}, {"a": N_RESERVED}])
def test_words_without_letters(alphabet):
    assert_array_equal(spell_each(["", ""], alphabet), [[BEGIN, END]] * 2)
    assert spell_each([], alphabet).shape == (0, 0)


def test_other_scripts():
    words = ["çay", "ای", "茶", "🍵🍵"]
    alphabet = make_alphabet(words)
    assert [read_back(row, alphabet) for row in spell_each(words, alphabet)] == words


@pytest.mark.parametrize("n", [MOST_LETTERS - 1, MOST_LETTERS, MOST_LETTERS + 1, 1000])
def test_long_words_keep_both_ends(n):
    word = "".join(chr(1000 + i) for i in range(n))
    alphabet = make_alphabet([word])
    spelled = spell_each([word, "x"], alphabet)
    assert spelled.shape == (2, min(n, MOST_LETTERS) + 2)
    kept = word
    if n > MOST_LETTERS:
        kept = word[: MOST_LETTERS // 2] + word[-(MOST_LETTERS // 2) :]
    assert read_back(spelled[0], alphabet) == kept


# In the reader

SENTENCES = [["the", "tea"], ["tea"], ["hot", "the", "tea"]]


def fit_read(X, **options):
    reader, sequences = SequenceReader.fit_read(X, np.float32, **options)
    return reader, sequences


def test_a_step_is_a_word_and_its_letters():
    reader, found = fit_read(SENTENCES, spelled=True)
    plain_reader, plain = fit_read(SENTENCES)
    words = [word for row in SENTENCES for word in row]
    assert_array_equal(found.values[:, 0], plain.values)
    letters = found.letters[found.values[:, 1]]
    assert_array_equal(letters, spell_each(words, reader.alphabet))
    assert reader.n_letters == len(set("theteahot")) + N_RESERVED
    assert plain_reader.n_letters is None
    unseen = reader.read([["heat", "tea"]], np.float32)
    assert_array_equal(unseen.values[:, 0], [0, found.values[1, 0]])
    assert read_back(unseen.letters[unseen.values[0, 1]], reader.alphabet) == "heat"


def test_rare_words_lose_their_number_and_keep_their_letters():
    reader, found = fit_read(SENTENCES, spelled=True, min_count=2)
    assert reader.vocabulary.keys() == {"the", "tea"}
    hot = found.values[3]
    assert hot[0] == 0
    assert read_back(found.letters[hot[1]], reader.alphabet) == "hot"


def test_a_batch_spells_each_of_its_words_once():
    reader, found = fit_read([*SENTENCES, ["incomprehensible"]], spelled=True)
    for index in (np.array([2, 1]), slice(0, 2), np.array([1]), [3]):
        inputs = found.inputs(index)
        x, letters = inputs["x"], inputs["letters"]
        assert len(letters) == len(np.unique(x[..., 1]))
        assert letters.any(0).all() and letters.any(1).all()
        selected = found[index]
        assert selected.letters is found.letters
        lengths = inputs.get("lengths", [x.shape[1]] * len(x))
        for row, length, steps in zip(x, lengths, selected, strict=True):
            assert_array_equal(row[:length, 0], steps[:, 0])
            words = [read_back(letters[k], reader.alphabet) for k in row[:length, 1]]
            assert words == [
                read_back(found.letters[k], reader.alphabet) for k in steps[:, 1]
            ]


@pytest.mark.parametrize(
    ("X", "options"),
    [
        ([[3, 1], [2]], {"tokens": True}),
        ([np.ones((2, 3)), np.ones((1, 3))], {}),
    ],
    ids=["integers", "numbers"],
)
def test_only_strings_are_spelled(X, options):
    reader, found = fit_read(X, spelled=True, **options)
    plain_reader, plain = fit_read(X, **options)
    assert reader.n_letters is plain_reader.n_letters is None
    assert_array_equal(found.values, plain.values)


@pytest.mark.parametrize("X", [["the tea", "", "tea"], [["the"], [], ["tea"]]])
def test_empty_sequences_are_named_where_steps_are_needed(X):
    for options in ({"spelled": True}, {"empty": "refused"}):
        with pytest.raises(ValueError, match=r"^X\[1\] has no steps"):
            fit_read(X, **options)
        reader, _ = fit_read([X[0], X[2]], **options)
        with pytest.raises(ValueError, match=r"^X_val\[1\] has no steps"):
            reader.read(X, np.float32, name="X_val")
    assert len(fit_read(X)[1]) == 3
