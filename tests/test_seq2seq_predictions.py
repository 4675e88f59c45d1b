"""What a Seq2SeqTransformer predicts, and how likely it says that is."""

import copy
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sknn import Seq2SeqTransformer
from sknn.metrics import token_error_rate

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

STRINGS = ["".join(s) for n in range(1, 6) for s in product("abc", repeat=n)]
SMALL = {
    "d_model": 16,
    "n_heads": 2,
    "n_layers": 1,
    "positional_encoding": "sinusoidal",
    "activation": "relu",
    "norm_first": True,
    "dropout": 0.0,
    "label_smoothing": 0.0,
    "length_penalty": 0.0,
    "batch_size": 16,
    "learning_rate": "cosine",
    "learning_rate_init": 0.02,
    "warmup_epochs": 1,
    "beam_size": 1,
    "min_count": 1,
    "n_iter_no_change": 100,
    "random_state": 0,
}
TASKS = {"copy": str, "reverse": lambda text: text[::-1]}


def fit(X, y, **params):
    return Seq2SeqTransformer(**SMALL | params).fit(X, y)


def reversed_of(X):
    return [x[::-1].upper() for x in X]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More are slower at products this small where others use the cores too."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def rough(fitted):
    """A network that reverses strings, and is often wrong."""
    return copy.deepcopy(fitted)


@pytest.fixture(scope="module")
def fitted(one_thread):
    X = STRINGS[:120:2] + STRINGS[120::8]
    return fit(X, reversed_of(X), max_iter=10, dtype="float64", max_length=8)


# What can be learned


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_it_learns_what_to_do_with_strings_of_lengths_it_has_seen(task):
    """Of letters of strings that are one letter longer it gets two thirds or more."""
    held_out = [x for x in STRINGS if len(x) > 2][::7]
    X = sorted(set(STRINGS) - set(held_out))
    model = fit(X, list(map(task, X)), max_iter=60)
    assert model.score(X, list(map(task, X))) == 1.0
    assert model.score(held_out, list(map(task, held_out))) > 0.97
    assert_array_equal(model.predict(X), np.array(list(map(task, X)), dtype=object))
    first, *_, last = model.loss_curve_
    assert last < 0.05 * first
    assert np.mean(np.diff(model.loss_curve_) < 0) > 0.6


# Likelihood


def log_likelihood(model, source, target, never=None):
    """Log-probability of a target by torch, without those of some tokens."""
    net = model.module_
    numbers = [model.target_vocabulary_[token] for token in target]
    x = torch.tensor([[model.source_vocabulary_[token] for token in source]])
    with torch.no_grad():
        raw = net(x, y=torch.tensor([[net.begin, *numbers]]))
    raw[:, [0, net.begin] if never is None else never] = -torch.inf
    log_p = raw.log_softmax(1)
    return sum(float(log_p[t, k]) for t, k in enumerate([*numbers, net.end]))


def test_score_samples_is_the_likelihood_with_the_true_tokens_before(rough):
    X = STRINGS[::17]
    y = [*reversed_of(X[:-2]), "", "ABCABCABC"]
    by_hand = [log_likelihood(rough, *pair) for pair in zip(X, y, strict=True)]
    assert_allclose(rough.score_samples(X, y), by_hand, rtol=1e-9)


def test_targets_with_tokens_that_training_has_not_named_are_impossible(rough):
    scores = rough.score_samples(["ab", "ab", "ab"], ["BA", "BAx", "x"])
    assert np.isfinite(scores[0]) and (scores[1:] == -np.inf).all()


def test_the_likelihoods_of_all_targets_add_up_to_what_short_ones_leave(rough):
    """Those of up to two tokens, and of what goes on after two, are one together."""
    tokens = list(rough.target_vocabulary_)
    short = ["".join(t) for n in (0, 1, 2) for t in product(tokens, repeat=n)]
    total = np.exp(rough.score_samples(["ab"] * len(short), short)).sum()
    pairs = ["".join(t) for t in product(tokens, repeat=2)]
    longer = np.exp([beginning_of(rough, "ab", pair) for pair in pairs])
    ended = np.exp(rough.score_samples(["ab"] * len(pairs), pairs))
    assert_allclose(total + (longer - ended).sum(), 1, rtol=1e-9)


def beginning_of(model, source, target):
    """Log-probability that a target begins so."""
    net = model.module_
    numbers = [model.target_vocabulary_[token] for token in target]
    x = torch.tensor([[model.source_vocabulary_[token] for token in source]])
    with torch.no_grad():
        raw = net(x, y=torch.tensor([[net.begin, *numbers[:-1]]]))
    raw[:, [0, net.begin]] = -torch.inf
    log_p = raw.log_softmax(1)
    return sum(float(log_p[t, k]) for t, k in enumerate(numbers))


def test_the_validation_loss_is_the_mean_over_all_steps_and_outputs():
    """Unlike `score_samples` it counts the outputs of what cannot be predicted."""
    X, X_val = STRINGS[::3], STRINGS[1::9]
    model = Seq2SeqTransformer(**SMALL | {"max_iter": 2, "dtype": "float64"})
    model.set_params(label_smoothing=0.3)  # of the training alone
    weight = np.arange(1.0, len(X_val) + 1)
    model.fit(X, X, X_val=X_val, y_val=X_val, sample_weight_val=weight)
    total = [log_likelihood(model, x, x, never=[]) for x in X_val]
    n_steps = [len(x) + 1 for x in X_val]
    expected = -weight @ total / (weight @ n_steps)
    assert_allclose(model.validation_loss_curve_[-1], expected, rtol=1e-9)
    assert expected > -weight @ model.score_samples(X_val, X_val) / (weight @ n_steps)


# Search


def test_scores_of_the_beam_are_likelihoods(rough):
    X = STRINGS[::11]
    found = rough.beam_search(X, n_best=4)
    assert {len(best) for best in found} == {4}
    n_whole = 0
    for x, best in zip(X, found, strict=True):
        targets, scores = zip(*best, strict=True)
        assert list(scores) == sorted(scores, reverse=True)
        assert len(set(targets)) == 4
        for target, score in best:
            whole = len(target) < rough.max_length
            likelihood = log_likelihood if whole else beginning_of
            assert_allclose(score, likelihood(rough, x, target), rtol=1e-9)
            n_whole += whole
    assert n_whole > 50


def test_scores_are_divided_by_the_penalty_of_the_length(rough):
    plain = rough.beam_search(["abca"], n_best=12)[0]
    rough.set_params(length_penalty=2.0)
    penalized = rough.beam_search(["abca"], n_best=12)[0]
    scores = dict(plain)
    common = [(target, score) for target, score in penalized if target in scores]
    assert len({len(target) for target, _ in common}) > 1
    for target, score in common:
        n = min(len(target) + 1, rough.max_length)  # the end's included
        assert_allclose(score, scores[target] / ((5 + n) / 6) ** 2, rtol=1e-9)
    assert [target for target, _ in penalized] != [target for target, _ in plain]


def test_a_beam_finds_what_is_as_likely_as_what_greed_finds(rough):
    X = STRINGS[1::5]
    greedy = [best[0][1] for best in rough.beam_search(X, n_best=1)]
    beam = [best[0][1] for best in rough.beam_search(X, n_best=5)]
    assert (np.array(beam) >= np.array(greedy) - 1e-12).all()
    assert max(beam) > min(greedy)
    assert (np.array(beam) > np.array(greedy) + 1e-6).any()


def test_predict_takes_the_best_of_the_beam(rough):
    X = STRINGS[2::7]
    greedy = rough.predict(X).tolist()
    assert greedy == [found[0][0] for found in rough.beam_search(X, n_best=1)]
    best = rough.set_params(beam_size=4).predict(X).tolist()
    assert best == [found[0][0] for found in rough.beam_search(X, n_best=2)]
    assert best != greedy


def test_no_target_is_longer_than_asked_for(rough):
    rough.set_params(max_length=None)
    X = [*STRINGS[-20:], "abcabcabc"]
    whole = rough.predict(X)
    assert max(map(len, whole)) <= rough.max_length_ == 5
    short = rough.set_params(max_length=2).predict(X)
    assert max(map(len, short)) == 2
    # greedy search does the same until there
    assert [target[:2] for target in whole] == short.tolist()
    assert max(len(t) for best in rough.beam_search(X, 3) for t, _ in best) == 2
    longer = rough.set_params(max_length=9).beam_search(X, n_best=20)
    assert max(len(t) for best in longer for t, _ in best) > 5


def test_a_prediction_does_not_depend_on_its_batch_mates(rough):
    X = np.random.RandomState(0).permutation(STRINGS)[::4].tolist()
    y = reversed_of(X)
    together = rough.score_samples(X, y)
    alone = [rough.score_samples([a], [b])[0] for a, b in zip(X, y, strict=True)]
    assert_allclose(alone, together, rtol=1e-9)
    targets = rough.predict(X)
    assert [rough.predict([x])[0] for x in X] == targets.tolist()
    order = np.random.RandomState(0).permutation(len(X))
    assert_array_equal(rough.predict([X[i] for i in order]), targets[order])


def test_predictions_of_many_sources_are_found_a_few_at_a_time(rough, monkeypatch):
    X = STRINGS[::7]
    expected = rough.beam_search(X, n_best=2)
    monkeypatch.setattr("sknn._seq2seq_base.STEPS_AT_A_TIME", 20)
    for few, all_ in zip(rough.beam_search(X, n_best=2), expected, strict=True):
        assert [target for target, _ in few] == [target for target, _ in all_]
        assert_allclose([s for _, s in few], [s for _, s in all_], rtol=1e-9)


def test_letters_that_training_has_not_seen_are_one(rough):
    """And an empty source is one of them."""
    X = ["axb", "ayb", "a\N{SNOWMAN}b"]
    scores = rough.score_samples(X, ["BA"] * 3)
    assert_allclose(scores, scores[0], rtol=1e-12)
    assert len(set(rough.predict(X))) == 1
    scores = rough.score_samples(["", "x", "xx"], ["A"] * 3)
    assert scores[0] == scores[1] != scores[2]


def test_score_is_one_minus_the_error_rate(rough):
    X, y = STRINGS[::5], reversed_of(STRINGS[::5])
    weight = np.arange(len(X)) % 3
    expected = 1 - token_error_rate(y, rough.predict(X).tolist())
    assert rough.score(X, y) == expected < 1
    expected = 1 - token_error_rate(y, rough.predict(X), sample_weight=weight)
    assert rough.score(X, y, sample_weight=weight) == expected
    assert rough.score(X, ["x" * len(x) for x in X]) <= 0  # unseen tokens are errors


# Attention


def test_attention_to_the_source(rough):
    X, y = ["ab", "abc", "c", "abcab"], ["", "ABCA", "B", "x"]
    weights = rough.attention_weights(X, y)
    for of_pair, source, target in zip(weights, X, y, strict=True):
        assert of_pair.shape == (1, 2, len(target) + 1, len(source))
        assert_allclose(of_pair.sum(-1), 1, rtol=1e-12)
    for of_pair, source, target in zip(weights, X, y, strict=True):
        alone = rough.attention_weights([source], [target])[0]
        assert_allclose(alone, of_pair, rtol=1e-9)
    of_even = rough.attention_weights(["ab", "ba"], ["A", "B"])
    assert np.shape(of_even) == (2, 1, 2, 2, 2)


def test_attention_of_what_is_predicted(rough):
    X = STRINGS[3::20]
    for given, found in zip(
        rough.attention_weights(X, rough.predict(X)),
        rough.attention_weights(X),
        strict=True,
    ):
        assert_array_equal(given, found)


def test_attention_of_predictions_that_cannot_be_cut_again():
    """Predictions join tokens by spaces, at which this tokenizer does not cut."""
    X = ["a-b-c", "b-a", "c-c-a"] * 10
    model = fit(X, X, max_iter=30, tokenizer=lambda text: text.split("-"))
    assert model.predict(["b-a"]).tolist() == ["b a"]
    found = model.attention_weights(["b-a", "c-c-a"])
    given = model.attention_weights(["b-a", "c-c-a"], ["b-a", "c-c-a"])
    for one, other in zip(found, given, strict=True):
        assert_array_equal(one, other)
