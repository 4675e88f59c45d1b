"""Seq2SeqTransformer as an estimator: forms of pairs, seeds, copies, weights, searches.

scikit-learn's own checks pass arrays of numbers, which it does not take.
"""

import inspect
import pickle
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import SkipTestWarning
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from sknn import Seq2SeqTransformer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
X = ["".join(RANDOM.choice(list("abcd"), n)) for n in RANDOM.randint(1, 6, 40)]
Y = [x[::-1].upper() for x in X]
SMALL = {"d_model": 8, "n_heads": 2, "n_layers": 1, "max_iter": 2, "batch_size": 16}
SMALL |= {"learning_rate": "cosine", "learning_rate_init": 0.02, "warmup_epochs": 1}
SMALL |= {"positional_encoding": "sinusoidal", "activation": "relu", "norm_first": True}
SMALL |= {"dropout": 0.0, "label_smoothing": 0.0, "beam_size": 1, "random_state": 0}
SMALL |= {"min_count": 1, "n_iter_no_change": 100}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More are slower at products this small where others use the cores too."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def make(**params):
    return Seq2SeqTransformer(**SMALL | params)


def fit(X=X, y=Y, **params):
    return make(**params).fit(X, y)


def get_weights(model):
    return np.concatenate(
        [p.numpy().ravel() for p in model.module_.state_dict().values()]
    )


def object_array(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


# What it says of itself


def test_tags_say_what_it_takes():
    tags = get_tags(Seq2SeqTransformer())
    inputs = tags.input_tags
    assert not (inputs.one_d_array or inputs.two_d_array or inputs.three_d_array)
    assert inputs.string and not inputs.sparse
    assert tags.target_tags.required and tags.requires_fit
    assert not (tags.no_validation or tags.non_deterministic)
    model = fit()
    assert not (is_classifier(model) or is_regressor(model))
    for name in ("transform", "predict_proba", "n_features_in_", "classes_"):
        assert not hasattr(model, name)


def test_scikit_learn_has_no_checks_of_such_inputs():
    with pytest.warns(SkipTestWarning, match="Can't test estimator Seq2Seq"):
        results = check_estimator(Seq2SeqTransformer())
    assert [result["status"] for result in results] == ["passed"]


def test_constraints_are_those_of_the_signature():
    names = inspect.signature(Seq2SeqTransformer).parameters.keys()
    constraints = Seq2SeqTransformer._parameter_constraints
    of_lbfgs_alone = {"max_fun"}
    assert constraints.keys() - names <= of_lbfgs_alone
    assert names <= constraints.keys()
    fit(callbacks=[])  # the defaults are within them


def test_documented_attributes_are_those_there_are():
    section = inspect.getdoc(Seq2SeqTransformer).split("Attributes\n----------\n")[1]
    section = re.split(r"\n[A-Z][A-Za-z ]+\n-+\n", section)[0]
    entries = re.findall(r"^([\w, ]+) : ", section, re.M)
    documented = {name for entry in entries for name in entry.split(", ")}
    found = {n for n in dir(fit()) if re.fullmatch(r"[a-z]\w*(?<!_)_", n)}
    assert documented == found


# Forms of pairs

CUT = {
    "strings": (X, Y),
    "tuples": (tuple(X), tuple(Y)),
    "array of strings": (np.array(X), np.array(Y)),
    "objects": (object_array(X), object_array(Y)),
    "series": (pd.Series(X, index=range(7, 47)), pd.Series(Y)),
}
LISTS = [list(x) for x in X], [list(y) for y in Y]
WORDS = {
    "lists": LISTS,
    "tuples": ([tuple(x) for x in X], [tuple(y) for y in Y]),
    "objects": tuple(map(object_array, LISTS)),
    "arrays": ([np.array(x) for x in LISTS[0]], [np.array(y) for y in LISTS[1]]),
    "series": tuple(map(pd.Series, LISTS)),
}
NUMBERS = [[ord(c) for c in x] for x in X], [[ord(c) for c in y] for y in Y]
INTEGERS = {
    "lists": NUMBERS,
    "arrays": tuple([np.array(row) for row in rows] for rows in NUMBERS),
    "tensors": tuple([torch.tensor(row) for row in rows] for rows in NUMBERS),
}
FORMS = [
    pytest.param(*pair, as_text, id=f"{kind}-{name}")
    for kind, table, as_text in (
        ("strings", CUT, str),
        ("words", WORDS, "".join),
        ("integers", INTEGERS, lambda row: "".join(map(chr, row))),
    )
    for name, pair in table.items()
]


@pytest.fixture(scope="module")
def of_strings(one_thread):
    """A network that was fitted to strings, long enough to tell sources apart."""
    return fit(max_iter=12)


@pytest.mark.parametrize(("sources", "targets", "as_text"), FORMS)
def test_forms_of_pairs(of_strings, sources, targets, as_text):
    model = fit(sources, targets, max_iter=12)
    assert_array_equal(get_weights(model), get_weights(of_strings))
    predicted = model.predict(sources)
    assert isinstance(predicted, np.ndarray) and predicted.shape == (40,)
    assert predicted.dtype == object
    assert list(map(as_text, predicted)) == of_strings.predict(X).tolist()
    assert_array_equal(model.score_samples(sources, targets), likelihoods(of_strings))
    assert model.score(sources, targets) == of_strings.score(X, Y)
    best, other = model.beam_search(sources, 2)[0], of_strings.beam_search(X, 2)[0]
    assert [(as_text(t), s) for t, s in best] == other


def likelihoods(model):
    return model.score_samples(X, Y)


def test_predictions_are_what_the_targets_were(of_strings):
    assert len(set(of_strings.predict(X))) > 5
    assert {type(y) for y in of_strings.predict(X)} == {str}
    words = fit(X, LISTS[1]).predict(X)
    assert {type(y) for y in words} == {list}
    assert {type(t) for y in words for t in y} <= {str}
    integers = fit(X, NUMBERS[1], max_iter=12)  # sources need not be like targets
    assert {type(t) for y in integers.predict(X) for t in y} == {int}
    equal = fit(X, ["ab"] * 40, max_iter=30).predict(X)
    assert equal.shape == (40,) and set(equal) == {"ab"}
    pairs = fit(X, [["a", "b"]] * 40, max_iter=30).predict(X)
    assert pairs.shape == (40,) and pairs[0] == ["a", "b"]


def test_arrays_of_tokens_are_sequences_of_one_length():
    numbers = np.arange(60).reshape(20, 3) % 4
    words = np.array(list("abcd"))[numbers]
    model = fit(numbers.tolist(), words.tolist())
    of_arrays = fit(numbers, words)
    assert_array_equal(get_weights(of_arrays), get_weights(model))
    expected = model.score_samples(numbers.tolist(), words.tolist())
    assert_array_equal(of_arrays.score_samples(numbers, words), expected)
    assert of_arrays.score(numbers, words) == model.score(numbers, words)


def test_vocabularies_of_sources_and_of_targets():
    model = fit(["aab", "ab"] * 8, ["xy", "xxyz"] * 8)
    assert model.source_vocabulary_ == {"a": 1, "b": 2}
    assert model.target_vocabulary_ == {"x": 1, "y": 2, "z": 3}
    assert model.max_length_ == 4 and model.n_outputs_ == 3 + 3
    rare = fit(["aab", "ab"] * 8 + ["q"], ["xy", "xxyz"] * 8 + ["w"], min_count=8)
    assert rare.source_vocabulary_.keys() == {"a", "b"}
    assert rare.target_vocabulary_.keys() == {"x", "y", "z"}
    two = fit(max_vocab=2).target_vocabulary_.keys()
    assert two == {letter for letter, _ in Counter("".join(Y)).most_common(2)}


def test_a_tokenizer_cuts_both_and_predictions_are_joined_by_spaces():
    texts = ["to be or not", "or be", "not to"] * 8
    model = fit(texts, texts, tokenizer=str.split, max_iter=40)
    assert model.target_vocabulary_.keys() == {"to", "be", "or", "not"}
    assert model.predict(["or be", "not to"]).tolist() == ["or be", "not to"]
    of_lists = [text.split() for text in texts]
    other = fit(of_lists, of_lists, max_iter=40)
    assert_array_equal(get_weights(other), get_weights(model))
    assert model.score(texts, texts) == other.score(of_lists, of_lists)


# Seeds, copies, going on


def test_one_seed_one_result_and_global_states_stay():
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one, other = (fit(dropout=0.2) for _ in range(2))
    assert_array_equal(get_weights(one), get_weights(other))
    assert one.loss_curve_ == other.loss_curve_
    one.beam_search(X), one.score(X, Y), one.attention_weights(X)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    third = fit(dropout=0.2, random_state=1)
    assert not np.array_equal(get_weights(one), get_weights(third))


def test_pickles_and_clones_are_the_same_network(of_strings):
    model = pickle.loads(pickle.dumps(of_strings))
    copied = pickle.loads(pickle.dumps(model))
    assert_array_equal(copied.predict(X), model.predict(X))
    assert copied.score(X, Y) == model.score(X, Y)
    assert_array_equal(get_weights(clone(model).fit(X, Y)), get_weights(model))
    for each in (copied, model):
        each.partial_fit(X[:20], Y[:20])
    assert_array_equal(get_weights(copied), get_weights(model))
    assert not np.array_equal(get_weights(model), get_weights(of_strings))


@pytest.mark.parametrize("rare", [{}, {"min_count": 3}], ids=["all", "frequent"])
def test_weights_are_repetition(rare):
    weight = np.random.RandomState(1).randint(0, 4, 40)
    assert max(len(y) for y, w in zip(Y, weight, strict=True) if w) == 5
    rows = np.repeat(np.arange(40), weight)
    options = {"batch_size": "full", "shuffle": False, "dtype": "float64", **rare}
    options |= {"max_iter": 3}
    weighted = make(**options).fit(X, Y, sample_weight=weight)
    repeated = fit([X[i] for i in rows], [Y[i] for i in rows], **options)
    assert weighted.target_vocabulary_ == repeated.target_vocabulary_
    # sums in another order, through three steps of float64
    assert_allclose(likelihoods(weighted), likelihoods(repeated), rtol=1e-9)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    assert np.abs(likelihoods(fit(**options)) - likelihoods(repeated)).max() > 1e-3


def test_training_goes_on_with_the_tokens_of_its_beginning():
    model = fit(batch_size="full")
    vocabularies = dict(model.source_vocabulary_), dict(model.target_vocabulary_)
    before = get_weights(model)
    model.partial_fit(["new", "ab"], ["NEWER", "BA"])
    assert (model.source_vocabulary_, model.target_vocabulary_) == vocabularies
    assert len(model.loss_curve_) == 3 and model.max_length_ == 5
    model.set_params(warm_start=True, max_iter=1).fit(["zz", "ab"], ["BA", "ABCDABCD"])
    assert (model.source_vocabulary_, model.target_vocabulary_) == vocabularies
    assert not np.array_equal(get_weights(model), before)
    model.set_params(warm_start=False).fit(["zz", "ab"], ["BA", "ABCDABCD"])
    assert model.source_vocabulary_.keys() == {"z", "a", "b"}
    assert model.max_length_ == 8 and len(model.loss_curve_) == 1


def test_calls_of_partial_fit_are_epochs_of_fit():
    options = {"learning_rate": "constant", "warmup_epochs": 0, "batch_size": "full"}
    whole = fit(shuffle=False, **options)
    model = make(shuffle=False, **options)
    for _ in range(2):
        model.partial_fit(X, Y)
    assert_array_equal(get_weights(model), get_weights(whole))


CHANGES = {"d_model": 4, "n_heads": 1, "n_layers": 2, "dim_feedforward": 5}
CHANGES |= {"positional_encoding": "rotary", "norm_first": False, "activation": "gelu"}


@pytest.mark.parametrize(("name", "value"), CHANGES.items())
def test_an_architecture_stays_while_training_goes_on(name, value):
    model = fit()
    before = get_weights(model)
    model.set_params(**{name: value})
    with pytest.raises(ValueError, match=f"^{name} must stay as fitted"):
        model.partial_fit(X, Y)
    with pytest.raises(ValueError, match=f"^{name} must stay as fitted"):
        model.set_params(warm_start=True).fit(X, Y)
    assert_array_equal(get_weights(model), before)


def test_type_of_the_numbers():
    for dtype in ("float32", "float64"):
        model = fit(dtype=dtype)
        assert {p.dtype for p in model.module_.parameters()} == {getattr(torch, dtype)}
        assert model.attention_weights(X[:2])[0].dtype == dtype
        assert likelihoods(model).dtype == np.float64
    assert {p.dtype for p in fit().module_.parameters()} == {torch.float32}
