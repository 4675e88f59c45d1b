"""Scores of sequences: against scikit-learn's of single labels, and by definition."""

import pickle
from collections import Counter, deque
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from test_docs import DOCS, run_blocks

from sknn import metrics
from sknn.metrics import (
    neg_token_error_rate_scorer,
    sequence_accuracy,
    sequence_accuracy_scorer,
    span_f1_score,
    span_f1_scorer,
    tagging_accuracy,
    tagging_accuracy_scorer,
    token_error_rate,
)

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
AVERAGES = ["micro", "macro", "weighted", None]
SCORES = [tagging_accuracy, span_f1_score, token_error_rate, sequence_accuracy]
SCORERS = {
    tagging_accuracy_scorer: tagging_accuracy,
    span_f1_scorer: span_f1_score,
    neg_token_error_rate_scorer: lambda *args: -token_error_rate(*args),
    sequence_accuracy_scorer: sequence_accuracy,
}


def draw_tags(seed, n_sequences=40, max_length=6):
    """Draw true tags, and predictions that are wrong in every third step or so."""
    rng = np.random.RandomState(seed)
    lengths = rng.randint(0, max_length, size=n_sequences)
    y_true = [rng.choice(TAGS, size=length).tolist() for length in lengths]
    y_pred = [
        [tag if rng.uniform() < 0.7 else str(rng.choice(TAGS)) for tag in tags]
        for tags in y_true
    ]
    return y_true, y_pred


def draw_words(seed, letters, n_words=60):
    rng = np.random.RandomState(seed)
    words = [
        "".join(rng.choice(list(letters), size=rng.randint(0, 9)))
        for _ in range(2 * n_words)
    ]
    return words[:n_words], words[n_words:]


def join(rows):
    return [value for row in rows for value in row]


def as_objects(rows):
    objects = np.empty(len(rows), object)
    objects[:] = rows
    return objects


def as_array(row):
    return np.array(row, dtype=None if len(row) else str)


FORMS = {
    "tuple": tuple,
    "tuples": lambda rows: list(map(tuple, rows)),
    "deque": deque,
    "objects": lambda rows: as_objects(rows),
    "arrays": lambda rows: list(map(as_array, rows)),
    "objects_of_arrays": lambda rows: as_objects(list(map(as_array, rows))),
    "series": pd.Series,
    "series_of_series": lambda rows: pd.Series(
        [pd.Series(row, dtype=object) for row in rows]
    ),
    "categories": lambda rows: [pd.Series(row, dtype="category") for row in rows],
    "polars": lambda rows: pl.Series(rows, dtype=pl.List(pl.String)),
    "lists_of_numpy_strings": lambda rows: [list(as_array(row)) for row in rows],
}


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_targets_scores_the_same(form, score):
    y_true, y_pred = draw_tags(0)
    expected = score(y_true, y_pred)
    assert 0 < expected < 1
    assert score(FORMS[form](y_true), y_pred) == expected
    assert score(y_true, FORMS[form](y_pred)) == expected


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    "make", [np.array, pd.DataFrame, lambda y: np.array(y, object)]
)
def test_tables_are_sequences_of_equal_lengths(make, score):
    rng = np.random.RandomState(0)
    y_true, y_pred = rng.choice(TAGS[:3], size=(2, 40, 2)).tolist()
    expected = score(y_true, y_pred)
    assert 0 < expected < 1
    assert score(make(y_true), make(y_pred)) == expected


@pytest.mark.parametrize(
    "score", [tagging_accuracy, token_error_rate, sequence_accuracy]
)
@pytest.mark.parametrize("make", [np.array, torch.tensor, np.float32])
def test_labels_may_be_numbers(make, score):
    rng = np.random.RandomState(0)
    y_true, y_pred = rng.randint(2, size=(2, 20, 3))
    spelled = [[list("ab"[k] for k in row) for row in y] for y in (y_true, y_pred)]
    expected = score(*spelled)
    assert 0 < expected < 1
    assert score(make(y_true), make(y_pred)) == expected
    assert score(list(map(list, y_true)), y_pred == 1) == expected


@pytest.mark.parametrize("score", SCORES)
def test_whole_weights_are_repetitions(score):
    y_true, y_pred = draw_tags(1)
    weights = np.random.RandomState(1).randint(3, size=len(y_true))
    repeated = [
        [row for row, weight in zip(y, weights, strict=True) for _ in range(weight)]
        for y in (y_true, y_pred)
    ]
    weighted = score(y_true, y_pred, sample_weight=weights)
    assert weighted != score(y_true, y_pred)
    assert_allclose(weighted, score(*repeated), rtol=1e-12)
    assert score(y_true, y_pred, sample_weight=None) == score(y_true, y_pred)


@pytest.mark.parametrize("score", SCORES)
def test_the_order_of_sequences_and_the_scale_of_weights_are_nothing(score):
    y_true, y_pred = draw_tags(2)
    rng = np.random.RandomState(2)
    weights, order = rng.uniform(size=len(y_true)), rng.permutation(len(y_true))
    other = score(
        [y_true[i] for i in order],
        [y_pred[i] for i in order],
        sample_weight=3 * weights[order],
    )
    assert_allclose(other, score(y_true, y_pred, sample_weight=weights), rtol=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_scores_are_python_numbers(score):
    assert type(score(*draw_tags(0))) is float


@pytest.mark.parametrize("seed", range(3))
def test_tagging_accuracy_is_the_accuracy_of_all_labels(seed):
    y_true, y_pred = draw_tags(seed)
    assert_allclose(
        tagging_accuracy(y_true, y_pred), accuracy_score(join(y_true), join(y_pred))
    )
    weights = np.random.RandomState(seed).uniform(size=len(y_true))
    assert_allclose(
        tagging_accuracy(y_true, y_pred, sample_weight=weights),
        accuracy_score(
            join(y_true),
            join(y_pred),
            sample_weight=np.repeat(weights, list(map(len, y_true))),
        ),
    )


def test_labels_alone_are_sequences_of_one_step():
    y_true, y_pred = map(join, draw_tags(0))
    accuracy = accuracy_score(y_true, y_pred)
    weights = np.random.RandomState(0).uniform(size=len(y_true))
    for make in (list, np.array, as_objects, pd.Series):
        a, b = make(y_true), make(y_pred)
        assert_allclose(tagging_accuracy(a, b), accuracy)
        assert_allclose(sequence_accuracy(a, b), accuracy)
    numbers = [[TAGS.index(tag) for tag in y] for y in (y_true, y_pred)]
    assert_allclose(
        tagging_accuracy(*numbers, sample_weight=weights),
        accuracy_score(y_true, y_pred, sample_weight=weights),
    )
    # Each span is one step, so all spans are classes of steps.
    types = [[tag[2:] or "O" for tag in y] for y in (y_true, y_pred)]
    assert_allclose(
        span_f1_score(y_true, y_pred, average=None),
        f1_score(*types, average=None, labels=["LOC", "PER"]),
    )


def test_sequence_accuracy_is_the_accuracy_of_sequences_as_labels():
    y_true, y_pred = draw_tags(3, max_length=4)
    weights = np.random.RandomState(3).uniform(size=len(y_true))
    names = [[" ".join(row) for row in y] for y in (y_true, y_pred)]
    expected = accuracy_score(*names, sample_weight=weights)
    assert 0 < expected < 1
    for targets in ((y_true, y_pred), names):
        assert_allclose(sequence_accuracy(*targets, sample_weight=weights), expected)
    assert sequence_accuracy([[1, 2], [], [3]], [[1], [], [3, 4]]) == 1 / 3


def is_span(tags, start, stop, kind):
    """Whether steps are one whole span, by the rules of the CoNLL evaluation."""
    same = {f"B-{kind}", f"I-{kind}"}
    begins = tags[start] in same and (
        tags[start][0] == "B" or start == 0 or tags[start - 1] not in same
    )
    goes_on = all(tag == f"I-{kind}" for tag in tags[start + 1 : stop])
    return begins and goes_on and (stop == len(tags) or tags[stop] != f"I-{kind}")


def list_spans(rows):
    return {
        (i, start, stop, kind)
        for i, tags in enumerate(rows)
        for start in range(len(tags))
        for stop in range(start + 1, len(tags) + 1)
        for kind in ("LOC", "ORG", "PER")
        if is_span(tags, start, stop, kind)
    }


def f1_by_definition(y_true, y_pred, average, kinds):
    """F1 from precision and recall, a set of spans for each type."""
    true, predicted = list_spans(y_true), list_spans(y_pred)

    def f1(*some):
        a = {span for span in true if span[-1] in some}
        b = {span for span in predicted if span[-1] in some}
        precision, recall = len(a & b) / len(b), len(a & b) / len(a)
        return 2 * precision * recall / (precision + recall)

    if average == "micro":
        return f1(*kinds)
    scores = list(map(f1, kinds))
    counts = Counter(kind for *_, kind in true)
    if average is None:
        return scores
    weights = [counts[kind] if average == "weighted" else 1 for kind in kinds]
    return np.average(scores, weights=weights)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("average", AVERAGES)
def test_span_f1_by_definition(average, seed):
    y_true, y_pred = draw_tags(seed)
    score = partial(span_f1_score, y_true, y_pred, average=average)
    by_definition = partial(f1_by_definition, y_true, y_pred, average)
    assert_allclose(score(), by_definition(["LOC", "PER"]))
    for kinds in (["PER"], ["PER", "LOC"]):
        assert_allclose(score(labels=kinds), by_definition(kinds))
        assert_allclose(score(labels=np.array(kinds)), by_definition(kinds))


def test_span_f1_counted_by_hand():
    y_true = [["B-PER", "I-PER", "O", "B-LOC", "B-LOC"], ["O", "B-ORG"]]
    y_pred = [["B-PER", "I-PER", "O", "B-LOC", "I-LOC"], ["B-PER", "I-ORG"]]
    # PER: 1 of 1 true and 2 predicted; LOC: 0 of 2 and 1; ORG: 1 of 1 and 1
    per_type = np.array([0, 1, 2 / 3])  # LOC, ORG, PER
    score = partial(span_f1_score, y_true, y_pred)
    assert_allclose(score(average=None), per_type)
    assert_allclose(score(), 2 * 2 / (4 + 4))
    assert_allclose(score(average="macro"), per_type.mean())
    assert_allclose(score(average="weighted"), per_type @ [2, 1, 1] / 4)
    # sequences of weights 1 and 3: PER 1 of 1 and 4, ORG 3 of 3 and 3
    score = partial(score, sample_weight=[1, 3])
    per_type = np.array([0, 1, 2 / 5])
    assert_allclose(score(average=None), per_type)
    assert_allclose(score(), 2 * 4 / (6 + 8))
    assert_allclose(score(average="weighted"), per_type @ [2, 3, 1] / 6)


@pytest.mark.parametrize(
    "tags, repaired",
    [
        ("O I-PER I-PER", "O B-PER I-PER"),
        ("I-PER O I-PER", "B-PER O B-PER"),
        ("B-LOC I-PER", "B-LOC B-PER"),
        ("B-LOC I-PER I-LOC", "B-LOC B-PER B-LOC"),
    ],
)
def test_an_inside_tag_may_begin_a_span(tags, repaired):
    tags, repaired = tags.split(), repaired.split()
    assert span_f1_score([repaired], [tags]) == span_f1_score([tags], [repaired]) == 1


def test_spans_end_with_their_sequence():
    assert span_f1_score([["B-PER"], ["I-PER"]], [["B-PER"], ["B-PER"]]) == 1
    assert span_f1_score([["B-PER", "I-PER"]], [["B-PER", "B-PER"]]) == 0


def test_spans_may_have_any_type_or_none():
    y_true = [["B-B-cell", "I-B-cell", "O", "B-a b\n"]]
    assert span_f1_score(y_true, y_true, average=None).tolist() == [1, 1]
    assert span_f1_score(y_true, y_true, labels=["B-cell"]) == 1
    assert span_f1_score([["B", "I", "O", "B"]], [["B", "I", "O", "I"]]) == 1
    assert span_f1_score([["B", "I"]], [["B", "B"]]) == 0


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_no_spans_at_all(average):
    y = [["O", "O"], [], ["O"]]
    score = partial(span_f1_score, y, y, average=average)
    assert score() == 0
    assert score(zero_division=1.0) == score(zero_division=1) == 1
    assert np.isnan(score(zero_division=np.nan))
    with pytest.warns(UndefinedMetricWarning, match="F-score is ill-defined"):
        assert score(zero_division="warn") == 0
    assert score(labels=["PER"], zero_division=1.0) == 1
    assert span_f1_score(y, y, average=None).shape == (0,)


def test_a_type_that_does_not_occur():
    y = [["B-PER", "O"]]
    score = partial(span_f1_score, y, y, labels=["PER", "LOC"])
    assert score(average=None).tolist() == [1, 0]
    assert score(average=None, zero_division=1.0).tolist() == [1, 1]
    assert score(average="macro") == 0.5
    assert score(average="macro", zero_division=np.nan) == 1
    assert score(average="weighted") == score(average="micro") == 1
    with pytest.warns(UndefinedMetricWarning):
        assert score(average="macro", zero_division="warn") == 0.5


def test_spans_of_no_weight_are_none():
    y_true, y_pred = [["B-PER"], ["B-PER"], ["O"]], [["B-PER"], ["O"], ["O"]]
    assert span_f1_score(y_true, y_pred, sample_weight=[1, 0, 1]) == 1
    assert span_f1_score(y_true, y_pred, sample_weight=[0, 0, 1]) == 0


def edit_distance(a, b):
    """Levenshtein's distance by its recursion, a row of the table at a time."""
    row = list(range(len(b) + 1))
    for i, token in enumerate(a, start=1):
        above, row = row, [i]
        for j, other in enumerate(b, start=1):
            changed = above[j - 1] + (token != other)
            row.append(min(changed, above[j] + 1, row[-1] + 1))
    return row[-1]


@pytest.mark.parametrize("letters", ["ab", "abcdefgh", "aß中\U0001f600\ud800"])
def test_token_error_rate_by_recursion(letters):
    y_true, y_pred = draw_words(0, letters)
    weights = np.random.RandomState(0).uniform(size=len(y_true))
    distances = list(map(edit_distance, y_pred, y_true))
    lengths = list(map(len, y_true))
    assert_allclose(token_error_rate(y_true, y_pred), sum(distances) / sum(lengths))
    expected = weights @ distances / (weights @ lengths)
    assert_allclose(token_error_rate(y_true, y_pred, sample_weight=weights), expected)


TOKENS = {
    "characters": list("abcd"),
    "words": ["the", "cat", "sat", ""],
    "equal_hashes": [0, 2**61 - 1, -1, -2],
    "numbers": [0.5, -0.5, 2.0, 3.0],
    "numpy": list(np.arange(4)),
}


@pytest.mark.parametrize("tokens", TOKENS.values(), ids=TOKENS)
def test_names_of_tokens_are_nothing(tokens):
    y_true, y_pred = draw_words(1, "abcd")
    renamed = [
        [[tokens["abcd".index(letter)] for letter in word] for word in y]
        for y in (y_true, y_pred)
    ]
    expected = token_error_rate(y_true, y_pred)
    assert token_error_rate(*renamed) == expected
    assert token_error_rate([y[::-1] for y in y_true], [y[::-1] for y in y_pred]) == (
        expected
    )


def test_token_error_rate_of_nothing():
    assert token_error_rate([[], ["a"]], [["b"], ["a"]]) == 1
    assert token_error_rate(["a"], ["bcd"]) == 3
    assert token_error_rate(["ab", "c"], ["", ""]) == 1
    for empty, some in (("", "a"), ([], ["a"])):
        assert token_error_rate([empty, empty], [empty, empty]) == 0
        assert token_error_rate([empty, empty], [empty, some]) == np.inf
        assert token_error_rate([empty, some], [some, some]) == 1
        weights = [1, 0]
        assert token_error_rate([empty, some], [some] * 2, sample_weight=weights) == (
            np.inf
        )
        assert token_error_rate([empty, some], [empty] * 2, sample_weight=weights) == 0


class Echo(BaseEstimator):
    """Predict the rows of X, every `step`-th of them with its first label repeated."""

    def __init__(self, step=1):
        self.step = step

    def fit(self, X, y, sample_weight=None):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        rows = [
            [row[0]] * len(row) if i % self.step == 0 else row
            for i, row in enumerate(X)
        ]
        return as_objects(rows)


def draw_sentences(n_sequences=30):
    y, _ = draw_tags(4, n_sequences=3 * n_sequences)
    return [tags for tags in y if len(tags) > 1][:n_sequences]


@pytest.mark.parametrize("make", [list, as_objects, pd.Series])
@pytest.mark.parametrize("scorer", SCORERS, ids=str)
def test_scorers_cross_validate_ragged_targets(scorer, make):
    y = draw_sentences()
    scores = cross_val_score(Echo(), make(y), make(y), cv=3, scoring=scorer)
    folds = [y[:10], y[10:20], y[20:]]
    expected = [SCORERS[scorer](fold, Echo().predict(fold)) for fold in folds]
    assert len({*expected, 0.0, 1.0}) > 2
    assert_allclose(scores, expected)


@pytest.mark.parametrize("scorer", SCORERS, ids=str)
def test_scorers_choose_the_better_candidate(scorer):
    y = draw_sentences()
    search = GridSearchCV(Echo(), {"step": [1, 4, 2]}, scoring=scorer, cv=3)
    assert search.fit(y, y).best_params_ == {"step": 4}
    assert_allclose(search.score(y, y), scorer(Echo(4), y, y))


@pytest.mark.parametrize("scorer", SCORERS, ids=str)
def test_scorers_are_pickled(scorer):
    y = draw_sentences()
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy(Echo(), y, y) == scorer(Echo(), y, y)


@pytest.mark.parametrize("score", SCORES)
def test_scorers_take_routed_weights(score):
    y = draw_sentences()
    weights = np.random.RandomState(0).uniform(size=len(y))
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(score).set_score_request(sample_weight=True)
        model = Echo().set_fit_request(sample_weight=False)
        params = {"sample_weight": weights}
        scores = cross_val_score(model, y, y, cv=2, scoring=scorer, params=params)
    y, w, n = y[:15], weights[:15], weights[15:]
    assert len(w) == len(n) == 15
    assert_allclose(scores[0], score(y, Echo().predict(y), sample_weight=w))


NAN = float("nan")
PAIRS = {
    "string": ("BIO", ["BIO"], TypeError, r"y_true must be a list.* got 'BIO' \(str\)"),
    "bytes": ([["O"]], b"O", TypeError, "y_pred must be a list"),
    "none": (None, [["O"]], TypeError, r"y_true must be a list.* got None"),
    "set": ({"O"}, [["O"]], TypeError, "y_true must be a list"),
    "scalar": (np.array(3), [3], TypeError, "y_true must be a list"),
    "counts": ([["O"]], [["O"], ["O"]], ValueError, r"inconsistent .* \[1, 2\]"),
    "nothing": ([], [], ValueError, "y_true must have at least one sequence"),
    "string_in_lists": (
        [["O"], "BIO"],
        [["O"], list("BIO")],
        ValueError,
        r"y_true\[1\] must be a list as y_true\[0\] is: got 'BIO' \(str\)",
    ),
    "strings_for_lists": (
        [["O", "O"]],
        ["OO"],
        ValueError,
        r"y_pred\[0\] must be a list as y_true\[0\] is: got 'OO'",
    ),
    "lists_for_strings": (
        ["OO"],
        [["O", "O"]],
        ValueError,
        r"y_pred\[0\] must be a string as y_true\[0\] is: got \['O', 'O'\] \(list\)",
    ),
    "row_none": (
        [["O"], None],
        [["O"], ["O"]],
        TypeError,
        r"y_true\[1\] must be a list or a string or a number: got None",
    ),
    "label_none": (
        [["O", "O"], ["O", None]],
        [["O", "O"], ["O", "O"]],
        TypeError,
        r"y_true\[1\]\[1\] must be a string or a number: got None",
    ),
    "label_nan": ([[1.0]], [[NAN]], ValueError, r"y_pred\[0\]\[0\] must not be NaN"),
    "label_float32_nan": (
        [[1.0]],
        [[np.float32("nan")]],
        ValueError,
        r"y_pred\[0\]\[0\] must not be NaN",
    ),
    "plain_nan": ([1.0, NAN], [1.0, 1.0], ValueError, r"y_true\[1\] must not be NaN"),
    "missing": (
        pd.Series(["O", pd.NA], dtype="string"),
        ["O", "O"],
        (TypeError, ValueError),
        r"y_true\[1\] must",
    ),
    "label_list": (
        np.zeros((1, 2, 3)),
        np.zeros((1, 2, 3)),
        TypeError,
        r"y_true\[0\]\[0\] must be a string or a number: got \[0.0, 0.0, 0.0\]",
    ),
    "mixed": (
        [["O"], ["O", 1]],
        [["O"], ["O", "O"]],
        ValueError,
        r"y_true\[1\]\[1\] must be a string as y_true\[0\]\[0\] is: got 1 \(int\)",
    ),
    "unlike": (
        [[1, 2]],
        [["1", "2"]],
        ValueError,
        r"y_pred\[0\]\[0\] must be a number as y_true\[0\]\[0\] is: got '1' \(str\)",
    ),
}


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("y_true, y_pred, error, match", PAIRS.values(), ids=PAIRS)
def test_bad_targets(y_true, y_pred, error, match, score):
    with pytest.raises(error, match=match):
        score(y_true, y_pred)


WEIGHTS = {
    "negative": (
        [1, -1],
        ValueError,
        "Negative values in data passed to sample_weight",
    ),
    "long": ([1, 1, 1], ValueError, r"inconsistent numbers of samples: \[2, 2, 3\]"),
    "nan": ([1, NAN], ValueError, "Input sample_weight contains NaN"),
    "table": ([[1, 1], [1, 1]], ValueError, "should be a 1d array"),
    "zero": ([0, 0], ValueError, "sample_weight must have at least one positive entry"),
    "number": (2.0, TypeError, "Expected sequence or array-like"),
}


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("weights, error, match", WEIGHTS.values(), ids=WEIGHTS)
def test_bad_weights(weights, error, match, score):
    with pytest.raises(error, match=match):
        score([["O"], ["O"]], [["O"], ["O"]], sample_weight=weights)


@pytest.mark.parametrize("score", [tagging_accuracy, span_f1_score])
def test_unequal_lengths_are_named(score):
    y_true = [["O"], ["O"] * 2, [], ["O"] * 5, ["O"]]
    y_pred = [["O"], ["O"] * 2, [], ["O"] * 4, []]
    with pytest.raises(
        ValueError, match=r"y_pred\[3\] has 4 labels, y_true\[3\] has 5"
    ):
        score(y_true, y_pred)


def test_no_steps_have_no_accuracy():
    for y, weights in (([[], []], None), ([["O"], []], [0, 1])):
        with pytest.raises(ValueError, match="y_true must have at least one label"):
            tagging_accuracy(y, y, sample_weight=weights)


def test_numbers_have_no_tokens():
    with pytest.raises(
        TypeError, match=r"y_true\[0\] must be a list of tokens or a str"
    ):
        token_error_rate([1, 2], [1, 2])


@pytest.mark.parametrize("tag", ["S-PER", "PER", "b-PER", "B-", "BPER", "O-PER", ""])
def test_tags_of_another_form(tag):
    good, bad = [["O", "O"], ["O", "O"]], [["O", "O"], ["O", tag]]
    message = rf"\[1\] must hold tags like 'B-PER', 'I-PER' and 'O': got {tag!r}"
    with pytest.raises(ValueError, match=f"y_true{message}"):
        span_f1_score(bad, good)
    with pytest.raises(ValueError, match=f"y_pred{message}"):
        span_f1_score(good, bad)


def test_numbers_are_no_tags():
    with pytest.raises(
        ValueError, match=r"y_true\[0\] must hold tags .* got 1 \(int\)"
    ):
        span_f1_score([[1, 2]], [[1, 2]])


@pytest.mark.parametrize(
    "options, match",
    [
        ({"average": "binary"}, "average must be one of .* got 'binary'"),
        ({"average": "samples"}, "average must be one of"),
        ({"labels": "PER"}, r"labels must be a list of types.* got 'PER' \(str\)"),
        ({"labels": []}, "labels must be a list of types"),
        ({"labels": [1]}, "labels must be a list of types"),
        ({"labels": ["PER", "PER"]}, "labels must name a type once"),
        ({"zero_division": 5}, "'zero_division' parameter .* must be .* Got 5"),
    ],
)
def test_bad_options_of_span_f1(options, match):
    with pytest.raises(ValueError, match=match):
        span_f1_score([["B-PER"]], [["B-PER"]], **options)


def test_the_public_names_are_sorted():
    assert metrics.__all__ == sorted(metrics.__all__)
    public = {getattr(metrics, name) for name in metrics.__all__}
    assert public == {*SCORES, *SCORERS, metrics.maximum_mean_discrepancy}


def test_the_page_on_metrics_runs():
    names = run_blocks((DOCS / "metrics.rst").read_text(encoding="utf-8"), n_blocks=5)
    assert (names["accuracy"], names["f1"]) == (7 / 8, 1 / 2)
    assert_allclose(
        [names["letters"], names["words"], names["exact"]], [1 / 4, 1 / 3, 0.5]
    )
    assert names["scores"]["test_f1"].min() == 1
    assert_allclose(names["found"], [-0.0002, 0.0004, 0.0032], atol=1e-4)  # as printed
