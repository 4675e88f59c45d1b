"""Taggers: outputs of every step, tables, spelled words, learning."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier

from sknn import RecurrentTagger, TransformerTagger
from sknn.metrics import tagging_accuracy

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

TAGGERS = pytest.mark.parametrize("Tagger", [RecurrentTagger, TransformerTagger])
SMALL = {
    RecurrentTagger: {"hidden_layer_sizes": (6,)},
    TransformerTagger: {"d_model": 8, "n_heads": 2, "n_layers": 1},
}
RANDOM = np.random.RandomState(0)
LENGTHS = RANDOM.randint(1, 8, 24)
SERIES = [RANDOM.standard_normal((n, 2)).astype(np.float32) for n in LENGTHS]
WORDS = [RANDOM.choice(["tea", "heat", "cup", "a"], n).tolist() for n in LENGTHS]
NUMBERS = {"tea": 7, "heat": 3, "cup": 11, "a": 0}
TOKENS = [[NUMBERS[word] for word in row] for row in WORDS]
Y = [RANDOM.choice(["N", "V", "X"], n).tolist() for n in LENGTHS]
KINDS = {
    "series": (SERIES, {}),
    "words": (WORDS, {}),
    "texts": ([" ".join(row) for row in WORDS], {}),
    "whole words": (WORDS, {"char_embedding_dim": None}),
    "integers": (TOKENS, {"tokens": True}),
}
INPUTS = pytest.mark.parametrize(("X", "params"), KINDS.values(), ids=KINDS)


def make(Tagger, **params):
    options = {"max_iter": 2, "batch_size": 8, "random_state": 0, "min_count": 1}
    return Tagger(**SMALL[Tagger] | options | params)


def fit(Tagger, X=SERIES, y=Y, **params):
    return make(Tagger, **params).fit(X, y)


def join(rows):
    return np.concatenate(list(rows))


def get_outputs(model, X):
    return join(model.predict_proba(X))


def get_weights(model):
    return join(p.detach().numpy().ravel() for p in model.module_.parameters())


# Outputs


@TAGGERS
@INPUTS
def test_outputs_are_as_long_as_the_sequences(Tagger, X, params):
    model = fit(Tagger, X, **params)
    predicted, probability = model.predict(X), model.predict_proba(X)
    log_probability = model.predict_log_proba(X)
    for outputs in (predicted, probability, log_probability):
        assert outputs.dtype == object and outputs.shape == (24,)
        assert [len(row) for row in outputs] == LENGTHS.tolist()
    for labels, row, logs in zip(predicted, probability, log_probability, strict=True):
        assert_allclose(row.sum(1), 1, rtol=1e-6)
        assert_allclose(np.exp(logs), row, rtol=1e-6)
        assert_array_equal(labels, model.classes_[row.argmax(1)])
    assert list(model.classes_) == ["N", "V", "X"] and model.n_outputs_ == 3
    assert model.score(X, Y) == tagging_accuracy(Y, predicted)
    assert not is_classifier(model)
    assert not hasattr(model, "transform") and not hasattr(model, "decision_function")


@TAGGERS
@INPUTS
@pytest.mark.parametrize(("dtype", "atol"), [("float32", 1e-5), ("float64", 1e-10)])
def test_a_sequence_is_labelled_alone_as_among_others(Tagger, X, params, dtype, atol):
    """Products of other shapes add up in another order: roundings of the type."""
    model = fit(Tagger, X, dtype=dtype, **params)
    together = model.predict_proba(X)
    alone = [model.predict_proba([x])[0] for x in X[:8]]
    assert_allclose(join(alone), join(together[:8]), rtol=0, atol=atol)
    order = RANDOM.permutation(24)
    moved = model.predict_proba([X[i] for i in order])
    assert_allclose(join(moved), join(together[order]), rtol=0, atol=atol)


@TAGGERS
@INPUTS
def test_lengths_far_apart(Tagger, X, params):
    long = np.tile(X[0], (30, 1)) if X is SERIES else X[0] * 30
    long = " ".join([X[0]] * 30) if isinstance(X[0], str) else long
    labels = [*Y[1:12], Y[0] * 30]
    model = fit(Tagger, [*X[1:12], long], labels, max_iter=1, **params)
    probability = model.predict_proba([*X, long])
    assert len(probability[-1]) == 30 * LENGTHS[0]
    assert all(np.isfinite(row).all() for row in probability)
    assert np.isfinite(model.loss_curve_).all()
    assert_allclose(get_outputs(model, X), join(probability[:-1]), atol=1e-5)


@TAGGERS
def test_forms_of_series_and_labels(Tagger):
    expected = get_outputs(fit(Tagger), SERIES)
    for form in (tuple, pd.Series, lambda X: [x.tolist() for x in X]):
        y = [np.array(row) for row in Y] if form is tuple else pd.Series(Y)
        assert_array_equal(get_outputs(fit(Tagger, form(SERIES), y), SERIES), expected)
    array = np.stack([x[:1] for x in SERIES])
    labels = [row[:1] for row in Y]
    as_table = fit(Tagger, array, np.array(labels))
    assert_array_equal(
        get_outputs(as_table, array),
        get_outputs(fit(Tagger, list(array), labels), list(array)),
    )


@TAGGERS
@pytest.mark.parametrize(
    ("labels", "kind"),
    [(["N", "V", "X"], "U"), ([3, -1, 10], "i"), ([False, True, True], "b")],
)
def test_labels_keep_their_kind(Tagger, labels, kind):
    code = dict(zip("NVX", labels, strict=True))
    y = [[code[label] for label in row] for row in Y]
    model = fit(Tagger, y=y)
    assert model.classes_.tolist() == sorted(set(labels))
    predicted = model.predict(SERIES)
    assert {row.dtype.kind for row in predicted} == {kind}
    assert set(join(predicted).tolist()) <= set(labels)
    assert model.score(SERIES, y) == tagging_accuracy(y, predicted)


# Tables


@TAGGERS
def test_a_table_with_a_label_a_row_is_sequences_of_one_step(Tagger):
    rows, labels = join(SERIES).astype(np.float64), join(Y)
    frame = pd.DataFrame(rows, columns=["east", "north"])
    model = fit(Tagger, frame, pd.Series(labels), batch_size="full")
    assert list(model.feature_names_in_) == ["east", "north"]
    assert model.n_features_in_ == 2
    assert model.predict(frame).shape == labels.shape
    assert model.predict_proba(frame).shape == (len(rows), 3)
    assert model.predict_log_proba(frame).shape == (len(rows), 3)
    assert_array_equal(
        model.predict(frame), model.classes_[model.predict_proba(frame).argmax(1)]
    )
    assert model.score(frame, labels) == (model.predict(frame) == labels).mean()
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["north", "east"]])
    with pytest.raises(ValueError, match="X has 3 features"):
        fit(Tagger, rows, labels, batch_size=32).predict(np.ones((4, 3)))


@TAGGERS
def test_a_table_with_labels_a_row_is_series_of_one_channel(Tagger):
    table = np.stack([np.arange(5.0) + i for i in range(6)])
    y = [["N", "V", "X", "N", "V"]] * 6
    model = fit(Tagger, table, y, batch_size="full")
    assert model.n_features_in_ == 1
    assert [len(row) for row in model.predict(table)] == [5] * 6
    series = fit(Tagger, [row[:, None] for row in table], y, batch_size="full")
    expected = get_outputs(series, table)
    assert_array_equal(get_outputs(model, table), expected)
    assert len(model.predict([table[0, :3]])[0]) == 3  # of any length afterwards
    for labels in (np.array(y), pd.DataFrame(y), tuple(map(tuple, y))):
        model = fit(Tagger, table, labels, batch_size="full")
        assert_array_equal(get_outputs(model, table), expected)


# Spelling


@TAGGERS
def test_unseen_words_are_told_apart_by_their_letters_alone(Tagger):
    unseen = [["teas"], ["heats"]]
    spelled = fit(Tagger, WORDS).predict_proba(unseen)
    assert np.abs(spelled[0] - spelled[1]).max() > 1e-3
    whole = fit(Tagger, WORDS, char_embedding_dim=None).predict_proba(unseen)
    assert_array_equal(whole[0], whole[1])
    numbers = fit(Tagger, TOKENS, tokens=True).predict_proba([[101], [102]])
    assert_array_equal(numbers[0], numbers[1])


@TAGGERS
def test_endings_of_unseen_words_say_what_they_are(Tagger):
    rng = np.random.RandomState(0)
    stems = ["".join(rng.choice(list("bdfgkmprst"), 4)) for _ in range(120)]
    endings = {"ly": "ADV", "ing": "VERB", "o": "NOUN"}
    pairs = [(stem + end, tag) for stem in stems for end, tag in endings.items()]
    order = rng.permutation(len(pairs)).reshape(-1, 4)
    X = [[pairs[i][0] for i in row] for row in order]
    y = [[pairs[i][1] for i in row] for row in order]
    options = {"max_iter": 30, "learning_rate_init": 0.01, "n_iter_no_change": 30}
    model = fit(Tagger, X[:70], y[:70], **options)
    assert model.score(X[70:], y[70:]) > 0.95
    options["char_embedding_dim"] = None
    assert fit(Tagger, X[:70], y[:70], **options).score(X[70:], y[70:]) < 0.5


@TAGGERS
def test_sizes_of_the_letters(Tagger):
    n_letters = len(set("teaheatcupa")) + 4  # padding, unseen ones, both ends
    model = fit(Tagger, WORDS)
    spelling = model.module_.embedding.spelling
    dim = round(1.6 * n_letters**0.56)
    assert spelling.embedding.weight.shape == (n_letters, dim)
    assert spelling.n_features == 3 * dim
    five = fit(Tagger, WORDS, char_embedding_dim=5).module_.embedding.spelling
    assert five.embedding.weight.shape == (n_letters, 5)
    for X, params in (
        (WORDS, {"char_embedding_dim": None}),
        (TOKENS, {"tokens": True, "char_embedding_dim": 5}),
    ):
        assert not hasattr(fit(Tagger, X, **params).module_.embedding, "spelling")


@TAGGERS
def test_words_of_any_kind(Tagger):
    X = [["tea", "", "x" * 5000], ["çay"], ["茶", "🍵"]]
    y = [["N", "V", "X"], ["N"], ["N", "V"]]
    model = fit(Tagger, X, y, batch_size="full")
    assert np.isfinite(get_outputs(model, X)).all()
    alone = model.predict_proba([["x" * 5000, ""], ["никогда"]])
    assert all(np.isfinite(row).all() for row in alone)
    ends = [["x" * 16 + "q" * n + "x" * 16] for n in (5, 50)]  # the middle is left out
    assert_array_equal(*model.predict_proba(ends))
    wordless = fit(Tagger, [["", ""], [""]], [["N", "V"], ["N"]], batch_size="full")
    assert np.isfinite(get_outputs(wordless, [["", "a"]])).all()


@TAGGERS
def test_one_token(Tagger):
    model = fit(Tagger, [["a"], ["a", "a"]], [["N"], ["N", "V"]], batch_size="full")
    assert model.vocabulary_ == {"a": 1}
    assert np.isfinite(get_outputs(model, [["a", "b"]])).all()
    alone = fit(Tagger, [["a"]], [["N"]], batch_size="full")
    assert alone.predict([["a", "b"]])[0].tolist() == ["N", "N"]


@TAGGERS
def test_options_of_tokens_change_the_result(Tagger):
    texts = [" ".join(row) for row in WORDS]
    before = get_outputs(fit(Tagger, texts), texts)
    rarest = min(join(WORDS).tolist().count(word) for word in NUMBERS)
    options = [{"max_vocab": 2}, {"min_count": rarest + 1}, {"char_embedding_dim": 3}]
    options.append({"tokenizer": lambda text: [word[::-1] for word in text.split()]})
    if Tagger is RecurrentTagger:
        options.append({"embedding_dim": 3})
    for option in options:
        after = get_outputs(fit(Tagger, texts, **option), texts)
        assert np.abs(before - after).max() > 1e-5, option
    as_series = get_outputs(fit(Tagger, TOKENS), TOKENS)
    as_tokens = get_outputs(fit(Tagger, TOKENS, tokens=True), TOKENS)
    assert np.abs(as_series - as_tokens).max() > 1e-5


# Learning

LEARNERS = [
    *[(RecurrentTagger, {"cell": cell}) for cell in ("lstm", "gru", "rnn")],
    (RecurrentTagger, {"bidirectional": False}),
    (RecurrentTagger, {"hidden_layer_sizes": (24, 24)}),
    *[
        (TransformerTagger, {"positional_encoding": encoding})
        for encoding in ("sinusoidal", "learned", "rotary", None)
    ],
    (TransformerTagger, {"norm_first": False}),
]


def show(value):
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize("char_embedding_dim", ["auto", None])
@pytest.mark.parametrize(("Tagger", "params"), LEARNERS, ids=show)
def test_it_learns_twenty_sentences_by_heart(Tagger, params, char_embedding_dim):
    """A network with more weights than steps can; one that cannot has a fault.

    Words differ throughout, so that sets of steps suffice.
    """
    rng = np.random.RandomState(1)
    lengths = rng.randint(1, 6, 20)
    words = [f"w{i}" for i in rng.permutation(100)]
    X = [[words.pop() for _ in range(n)] for n in lengths]
    y = [rng.choice(["N", "V", "X"], n).tolist() for n in lengths]
    options = {"hidden_layer_sizes": (24,)}
    if Tagger is TransformerTagger:
        options = {"d_model": 16, "n_heads": 2, "n_layers": 1}
    options |= {"max_iter": 150, "alpha": 0.0, "tol": 0.0, "n_iter_no_change": 150}
    options |= {"learning_rate_init": 0.02, "learning_rate": "constant", "dropout": 0.0}
    options |= {"batch_size": "full", "warmup_epochs": 0, **params}
    model = fit(Tagger, X, y, char_embedding_dim=char_embedding_dim, **options)
    assert model.score(X, y) == 1.0


@TAGGERS
def test_a_label_may_depend_on_neighbours(Tagger):
    """Whether the step after is larger: no step knows by itself."""
    rng = np.random.RandomState(2)
    X = [rng.standard_normal((rng.randint(3, 9), 1)) for _ in range(150)]
    y = [(np.append(x[1:], 9.0) > x[:, 0]).astype(int) for x in X]
    options = {"max_iter": 40, "learning_rate_init": 0.02, "n_iter_no_change": 40}
    if Tagger is TransformerTagger:
        options |= {"d_model": 16, "learning_rate_init": 0.005, "warmup_epochs": 2}
        options["positional_encoding"] = "learned"
    model = fit(Tagger, X[:110], y[:110], **options)
    assert model.score(X[110:], y[110:]) > 0.85
