"""What networks on sequences promise whatever is set, weighted, held out or watched."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback, Freezer

from sknn import (
    RecurrentClassifier,
    RecurrentTagger,
    Seq2SeqTransformer,
    TransformerClassifier,
    TransformerTagger,
)
from sknn.metrics import tagging_accuracy_scorer
from sknn.modules._branches import run_branches

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
LENGTHS = RANDOM.randint(1, 30, 40)
SERIES = [RANDOM.standard_normal((n, 2)).astype(np.float32) for n in LENGTHS]
TAGS = [(x[:, 0] > 0).astype(int) for x in SERIES]
WORDS = [["a", "b", "c", "d"][: 1 + i % 4] for i in range(40)]
LABELS = np.arange(40) % 2
COMMON = {"max_iter": 2, "batch_size": 8, "random_state": 0}
TINY = {"d_model": 8, "n_heads": 2, "n_layers": 1, **COMMON}
PAIRS = ["ab", "bca", "c", "abcab"] * 10


class Watcher(Callback):
    """Looks at every batch and does nothing."""

    def on_batch_end(self, net, **kwargs):
        """Do nothing."""


def make_models(**params):
    """Make one network of each kind, with what it is fitted to."""
    yield RecurrentClassifier(**COMMON, **params), SERIES, LABELS
    yield RecurrentTagger(**COMMON, **params), SERIES, TAGS
    yield Seq2SeqTransformer(**TINY, dropout=0.0, **params), PAIRS, PAIRS


def test_watching_batches_changes_no_loss():
    plain, watched = (list(make_models(callbacks=c)) for c in (None, [Watcher()]))
    for (model, X, y), (other, *_) in zip(plain, watched, strict=True):
        # the same sums in another order
        assert_allclose(
            model.fit(X, y).loss_curve_, other.fit(X, y).loss_curve_, rtol=1e-6
        )


def test_all_rows_have_the_same_pull_whatever_their_lengths():
    """Without inputs a network learns how often there is each label, no more."""
    lengths = np.append(np.full(90, 5), np.full(10, 300))
    X = [np.zeros((n, 1), np.float32) for n in lengths]
    plain = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1}
    plain |= {"max_iter": 60, "batch_size": 32, "positional_encoding": None}
    model = TransformerClassifier(**TINY | plain, n_iter_no_change=60)
    y = (lengths > 5).astype(int)
    share = model.fit(X, y).predict_proba(X[:1])[0, 1]
    # its gradient is zero at 0.1; a step for each eighth of a batch finds 0.16
    assert abs(share - 0.1) < 0.02


def test_a_frozen_direction_is_left_alone_by_both_threads():
    model = RecurrentClassifier(**COMMON, callbacks=[Freezer("layers.0.ahead.*")])
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        long = [np.ones((40, 2), np.float32) * i for i in range(40)]
        model.fit(long, LABELS)
    finally:
        torch.set_num_threads(n_threads)
    assert model.n_iter_ == 2


def test_branches_are_gone_back_through_once():
    x = torch.ones(2, requires_grad=True)
    call_all = lambda function, n: [function(i) for i in range(n)]  # noqa: E731
    first, second = run_branches((torch.exp, torch.neg), ((x,), (x,)), call_all)
    loss = (first + second).sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="a single time"):
        loss.backward()


def test_tokens_of_held_out_rows_alone_are_as_unseen_ones():
    X = [[f"w{i}"] for i in range(40)]
    model = RecurrentClassifier(
        **COMMON, early_stopping=True, validation_fraction=0.25, alpha=0.0
    ).fit(X, LABELS)
    norms = model.module_.embedding.weight.norm(dim=1)
    assert int((norms == 0).sum()) == 1 + 10  # the unseen one's row, and theirs


@pytest.mark.parametrize("offset", [1e6, 0.0])
def test_offsets_that_float32_cannot_bear_are_named(offset):
    X = [x.astype(np.float64) + offset for x in SERIES]
    model = RecurrentClassifier(**COMMON)
    if offset:
        with pytest.warns(UserWarning, match=r"around 1e\+06 in channel 0"):
            model.fit(X, LABELS)
    model.set_params(dtype="float64" if offset else "auto").fit(X, LABELS)


def test_texts_are_no_table_of_one_column():
    texts = ["good film", "bad film"] * 20
    for X in (pd.DataFrame({"t": texts}), np.array(texts, object)[:, None]):
        for model in (RecurrentClassifier(**COMMON), Seq2SeqTransformer(**TINY)):
            with pytest.raises(ValueError, match="X must not be a table of one column"):
                model.fit(X, texts)


@pytest.mark.parametrize("kind", [np.array, pd.DataFrame, list])
def test_tables_of_words_are_tokens(kind):
    words = [["a", "b"], ["b", "c"]] * 20
    table = np.array(words, object) if kind is np.array else kind(words)
    model = RecurrentClassifier(**COMMON).fit(table, LABELS)
    assert set(model.vocabulary_) == set("abc")


def test_what_tokens_are_is_decided_by_the_fit():
    X = [[1, 2, 3], [2, 3]] * 20
    for model, y in (
        (RecurrentClassifier(**COMMON, tokens=True), LABELS),
        (RecurrentTagger(**COMMON, tokens=True), X),
    ):
        before = list(model.fit(X, y).predict(X))
        after = list(model.set_params(tokens=False).predict(X))
        for a, b in zip(before, after, strict=True):
            assert_array_equal(a, b)


def test_the_same_layers_in_other_words_are_the_same():
    model = RecurrentClassifier(**COMMON, hidden_layer_sizes=4, warm_start=True)
    model.fit(SERIES, LABELS)
    for sizes in ([4], (4,), np.array([4])):
        model.set_params(hidden_layer_sizes=sizes).fit(SERIES, LABELS)
    with pytest.raises(ValueError, match="hidden_layer_sizes must stay as fitted"):
        model.set_params(hidden_layer_sizes=[4, 4]).fit(SERIES, LABELS)


# Taggers


def score_itself(estimator, X, y):
    return estimator.score(X, y)


@pytest.mark.parametrize(
    "scoring", [tagging_accuracy_scorer, score_itself, None], ids=["metric", "own", "0"]
)
@pytest.mark.parametrize("is_table", [False, True])
def test_scorers_of_taggers_see_what_users_see(scoring, is_table):
    X, y = (np.stack([x[0] for x in SERIES]), LABELS) if is_table else (SERIES, TAGS)
    options = {"early_stopping": True, "validation_fraction": 0.3, "scoring": scoring}
    model = RecurrentTagger(**COMMON, **options).fit(X, y)
    plain = RecurrentTagger(**COMMON, **options | {"scoring": None}).fit(X, y)
    assert_allclose(model.validation_scores_, plain.validation_scores_)


def test_weights_that_leave_nothing_are_refused():
    y = [["a"] * len(x) if i else ["b"] * len(x) for i, x in enumerate(SERIES)]
    weight = np.arange(40) > 0
    model = RecurrentTagger(**COMMON, class_weight={"a": 0.0})
    with pytest.raises(ValueError, match="products are all zero"):
        model.fit(SERIES, y, weight)
    validation = {"X_val": SERIES[1:4], "y_val": y[1:4]}
    with pytest.raises(ValueError, match="products are all zero"):
        model.fit(SERIES, y, **validation)
    assert not hasattr(model, "module_")


def test_labels_of_another_type_are_no_errors_of_the_network():
    model = RecurrentTagger(**COMMON).fit(SERIES, TAGS)
    with pytest.raises(ValueError, match="labels of the type of those fitted"):
        model.score(SERIES, [tags.astype(str) for tags in TAGS])


def test_a_fold_may_lack_a_label_that_has_a_weight():
    weights = {0: 1.0, 1: 2.0}
    model = RecurrentTagger(**COMMON, class_weight=weights | {2: 0.0})
    plain = RecurrentTagger(**COMMON, class_weight=weights)
    assert model.fit(SERIES, TAGS).loss_curve_ == (plain.fit(SERIES, TAGS).loss_curve_)


# Sequence to sequence


def test_the_longest_target_is_that_of_all_calls():
    model = Seq2SeqTransformer(**TINY)
    model.partial_fit(["ab"] * 8, ["ba"] * 8)
    assert model.max_length_ == 2
    model.partial_fit(["ab"] * 8, ["baba"] * 8)
    assert model.max_length_ == 4
    model.partial_fit(["ab"] * 8, ["b"] * 8)
    assert model.max_length_ == 4
    assert model.fit(["ab"] * 8, ["b"] * 8).max_length_ == 1


def test_targets_of_no_weight_have_no_length():
    X, y = ["ab"] * 9, [*["ba"] * 8, "babababa"]
    weight = np.arange(9) < 8
    assert Seq2SeqTransformer(**TINY).fit(X, y, weight).max_length_ == 2


@pytest.mark.parametrize(
    "params",
    [
        {"beam_size": 0},
        {"beam_size": 2.5},
        {"max_length": 0},
        {"length_penalty": -1.0},
        {"length_penalty": "a"},
    ],
    ids=str,
)
def test_what_is_set_after_the_fit_is_checked_too(params):
    model = Seq2SeqTransformer(**TINY).fit(PAIRS, PAIRS).set_params(**params)
    for method in (model.predict, model.beam_search):
        with pytest.raises(ValueError, match=next(iter(params))):
            method(PAIRS)


def test_unseen_numbers_are_shown_as_none_that_is_a_token():
    y = [[-1, 5], [-2, 5]] * 20
    model = Seq2SeqTransformer(**TINY | {"max_iter": 1}).fit(PAIRS, y)
    shown = model._targets.name_tokens(np.array([0]))[0]
    assert shown not in model.target_vocabulary_


@pytest.mark.parametrize("Tagger", [RecurrentTagger, TransformerTagger])
def test_divergence_of_spelled_words_is_said_as_always(Tagger):
    y = [["odd" if len(x) % 2 else "even"] * len(x) for x in WORDS]
    params = {"solver": "sgd", "learning_rate_init": 1e30, "gradient_clip": None}
    model = Tagger(**COMMON, min_count=1, **params)
    with pytest.raises(ValueError, match="Solver produced non-finite"):
        model.fit(WORDS, y)
    with pytest.warns(match="Solver produced non-finite"):
        model.set_params(early_stopping=True).fit(WORDS, y)
