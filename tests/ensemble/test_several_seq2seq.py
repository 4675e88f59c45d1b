"""Several networks of sequences to sequences: mean probabilities of each token."""

import copy
import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sknn import Seq2SeqTransformer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


SOURCES = ["ab", "ba", "aab", "b", "abb", "bba"]
TARGETS = ["AB", "BA", "AAB", "B", "ABB", "BBA"]
PAIRS = list(zip(SOURCES, TARGETS, strict=True))


@pytest.fixture(scope="module")
def translator():
    """Three small networks, trained so little that they disagree."""
    return Seq2SeqTransformer(
        d_model=8,
        n_heads=2,
        n_layers=1,
        max_iter=12,
        n_networks=3,
        random_state=1,
        max_length=3,
        length_penalty=0.0,
    ).fit(SOURCES, TARGETS)


def step_probabilities(model, source, begun):
    """Mean over networks of the probabilities of the token after `begun`."""
    x = model._reader.read([source], np.int64).values[None]
    y = [model._targets.begin, *(model.target_vocabulary_[token] for token in begun)]
    each = []
    for network in model.networks_:
        with torch.no_grad():
            raw = network.module_(torch.from_numpy(x), y=torch.tensor([y]))[-1]
        raw[[0, model._targets.begin]] = -torch.inf
        each.append(raw.double().softmax(0).numpy())
    return np.mean(each, axis=0)


def log_likelihood(model, source, target, ends=True):
    """Sum of the logarithms of the mean probabilities of a target's steps."""
    total = 0.0
    for i in range(len(target) + ends):
        p = step_probabilities(model, source, target[:i])
        end = i == len(target)
        token = model._targets.end if end else model.target_vocabulary_[target[i]]
        total += np.log(p[token])
    return total


def test_likelihoods_are_of_mean_probabilities(translator):
    expected = [log_likelihood(translator, *pair) for pair in PAIRS]
    found = translator.score_samples(SOURCES, TARGETS)
    assert_allclose(found, expected, rtol=1e-5)
    alone = [n.score_samples(SOURCES, TARGETS) for n in translator.networks_]
    assert np.abs(found - np.mean(alone, axis=0)).max() > 1e-3


def test_a_wide_beam_finds_the_likeliest_by_mean_probabilities(translator):
    longest = 3
    candidates = [
        "".join(tokens)
        for n in range(longest + 1)
        for tokens in itertools.product("AB", repeat=n)
    ]
    model = copy.deepcopy(translator).set_params(beam_size=30)
    beams = model.beam_search(SOURCES, n_best=3)
    for source, found in zip(SOURCES, beams, strict=True):
        score = {
            target: log_likelihood(model, source, target, len(target) < longest)
            for target in candidates
        }
        best = sorted(score, key=score.get, reverse=True)[:3]
        assert [target for target, _ in found] == best
        assert_allclose([s for _, s in found], [score[t] for t in best], rtol=1e-5)


def test_greedy_decoding_takes_the_likeliest_token_by_mean_probabilities(translator):
    for source, predicted in zip(SOURCES, translator.predict(SOURCES), strict=True):
        begun, names = "", dict(map(reversed, translator.target_vocabulary_.items()))
        while len(begun) < 3:
            token = step_probabilities(translator, source, begun).argmax()
            if token == translator._targets.end:
                break
            begun += names[token]
        assert predicted == begun


def test_attention_is_the_best_network_s(translator):
    best = translator.networks_[translator._best]
    for source, target in PAIRS:
        one, other = (
            model.attention_weights([source], [target]) for model in (translator, best)
        )
        assert_array_equal(one, other)
