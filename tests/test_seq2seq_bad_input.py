"""Bad input of Seq2SeqTransformer is refused by name, rule and value."""

import copy
import re

import numpy as np
import pytest
import torch

from sknn import Seq2SeqTransformer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

X = ["sun", "sea", "ice", "wind"] * 5
Y = ["nus", "aes", "eci", "dniw"] * 5
SMALL = {"d_model": 4, "n_heads": 2, "n_layers": 1, "max_iter": 1, "random_state": 0}
LISTS = [list(x) for x in X]
NUMBERS = [[ord(c) for c in x] for x in X]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More are slower at products this small where others use the cores too."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def make(**params):
    return Seq2SeqTransformer(**SMALL | params)


def refuses(call, *parts):
    with pytest.raises((ValueError, TypeError)) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


# Refused by scikit-learn's own check of parameters, in its words.
PARAMETERS = {
    "d_model": [0, -4, 2.5, None],
    "n_heads": [0, -1, 1.5, None],
    "n_layers": [0, -1, 1.5, None],
    "dim_feedforward": [0, -1, 2.5, "wide"],
    "positional_encoding": ["relative", 1, True],
    "activation": ["step", None],
    "norm_first": ["yes", None, 2],
    "tokenizer": ["words", 3],
    "min_count": [0, -1, 2.5, None],
    "max_vocab": [0, -1, 2.5, "all"],
    "beam_size": [0, -1, 2.5, None, "wide"],
    "length_penalty": [-0.1, None, "long"],
    "max_length": [0, -1, 2.5, "long"],
    "dropout": [-0.1, 1.0, None, "half"],
    "label_smoothing": [-0.1, 1.0, None],
    "solver": ["lbfgs", "newton", None],
    "alpha": [-1e-4, "small", None],
    "batch_size": [0, 2.5, "big", None],
    "learning_rate": ["fast", None, 0.1],
    "learning_rate_init": [0, -0.1, None],
    "max_iter": [0, 2.5, None],
    "weight_init": ["xavier", None],
    "gradient_clip": [0, -1, np.nan],
    "dtype": ["float16", None],
    "random_state": ["seed", -1],
    "validation_fraction": [-0.1, 1, None],
}
CASES = [(name, value) for name, values in PARAMETERS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_parameter(name, value):
    model = make(**{name: value})
    said = f"'{name}' parameter of Seq2SeqTransformer"
    refuses(lambda: model.fit(X, Y), said, "must be", re.escape(f"Got {value!r}"))
    assert not hasattr(model, "module_")
    if value != "lbfgs":  # which has no partial_fit
        refuses(lambda: model.partial_fit(X, Y), said, "must be")


MEANINGS = [
    ({"n_heads": 3}, ["d_model=4", "n_heads=3"]),
    (
        {"d_model": 3, "n_heads": 1, "positional_encoding": "rotary"},
        ["d_model=3", "n_heads=1", "even", "rotary"],
    ),
    ({"min_count": 1000}, ["X", "min_count=1000", "10 times"]),
    ({"scoring": "f0"}, ["f0"]),
    ({"callbacks": [3]}, ["callbacks", "3"]),
]


@pytest.mark.parametrize(("params", "parts"), MEANINGS, ids=range(len(MEANINGS)))
def test_values_that_do_not_go_together(params, parts):
    model = make(**params)
    refuses(lambda: model.fit(X, Y), *parts)
    assert not hasattr(model, "module_")


# What is said of sources is said of targets too.
SEQUENCES = {
    "nothing": ([], ["{} must have at least one sequence", r"0 sample"]),
    "none": (None, ["None"]),
    "one string": ("sun", ["{}", "'sun' \\(str\\)"]),
    "number": (3.0, ["{}", "3.0"]),
    "bytes": ([b"sun"] * 20, [r"{}\[0\]", "b'sun' \\(bytes\\)"]),
    "numbers": (list(range(20)), [r"{}\[0\] must be a sequence", r"0 \(int\)"]),
    "floats": ([[0.5, 1.0]] * 20, ["integer or string", r"{}\[0\]\[0\] is 0.5"]),
    "array of floats": (np.ones((20, 3)), ["integer or string", "{}", "float64"]),
    "list of floats": ([np.ones(3)] * 20, ["integer or string", r"{}\[0\]", "float64"]),
    "bools": ([[True]] * 20, ["integer or string", r"{}\[0\]\[0\] is True"]),
    "vectors": ([[[1, 2]]] * 20, ["integer or string", r"{}\[0\]\[0\]"]),
    "strings beside lists": ([*X[:19], ["sun"]], [r"{}\[0\]", r"{}\[19\]"]),
    "none inside": ([*X[:19], None], [r"{}\[19\] is None"]),
    "none in a list": ([*LISTS[:19], ["s", None]], [r"{}\[19\]\[1\]", "None"]),
    "kinds of tokens": (
        [*LISTS[:19], ["s", 1]],
        [r"{}\[19\]\[1\] must be a string", r"1 \(int\)"],
    ),
    "numbers beside strings": (
        [*NUMBERS[:19], ["s"]],
        [r"{}\[19\]\[0\] must be a number", r"'s' \(str\)"],
    ),
    "objects": ([[object()]] * 20, [r"{}\[0\]\[0\]", "a number or a string"]),
    "empty strings": ([""] * 20, ["{} must have tokens"]),
    "empty lists": ([[]] * 20, ["no steps", "{}"]),
    "large": ([[2**70]] * 20, [r"{}\[0\]\[0\] must fit into int64"]),
}


@pytest.mark.parametrize(("rows", "parts"), SEQUENCES.values(), ids=SEQUENCES)
def test_sources(rows, parts):
    model = make()
    parts = [part.format("X") for part in parts]
    refuses(lambda: model.fit(rows, Y), *parts)
    refuses(lambda: model.partial_fit(rows, Y), *parts)
    assert not hasattr(model, "module_")
    assert not vars(model).keys() - model.get_params().keys()


@pytest.mark.parametrize(("rows", "parts"), SEQUENCES.values(), ids=SEQUENCES)
def test_targets(rows, parts):
    model = make()
    refuses(lambda: model.fit(X, rows), *[part.format("y") for part in parts])
    assert not hasattr(model, "module_")
    assert not vars(model).keys() - model.get_params().keys()


def test_numbers_of_pairs():
    model = make()
    said = "inconsistent numbers of samples: X has 20 sequences, y 19"
    refuses(lambda: model.fit(X, Y[:19]), said)
    refuses(lambda: model.fit(X, Y, sample_weight=np.ones(3)), "sample_weight", "20")
    refuses(lambda: model.fit(X, Y, sample_weight=-np.ones(20)), "sample_weight")
    refuses(lambda: model.fit(X, Y, sample_weight=np.zeros(20)), "sample_weight|zero")
    model.fit(X, Y)
    refuses(lambda: model.score(X, Y[:19]), said)
    refuses(lambda: model.score_samples(X, Y[:19]), said)
    refuses(lambda: model.attention_weights(X, Y[:19]), said)
    refuses(lambda: model.score(X, Y, sample_weight=np.ones(3)), "20", "3")


def test_validation_pairs():
    model = make()
    refuses(lambda: model.fit(X, Y, X_val=X), "X_val and y_val", "X_val alone")
    refuses(lambda: model.fit(X, Y, y_val=Y), "X_val and y_val", "y_val alone")
    refuses(lambda: model.fit(X, Y, X_val=LISTS, y_val=Y), "^X_val: ", "as fitted")
    refuses(lambda: model.fit(X, Y, X_val=X, y_val=LISTS), "^y_val: ", "as fitted")
    refuses(lambda: model.fit(X, Y, X_val=X, y_val=Y[:3]), "^y_val: ", "20", "3")
    assert not hasattr(model, "module_")


def test_scorers_that_take_no_sequences():
    model = make(scoring="accuracy", early_stopping=True)
    refuses(lambda: model.fit(LISTS, LISTS), "scoring='accuracy'", "multi-label")
    model = make(early_stopping=True)
    refuses(lambda: model.partial_fit(X, Y), "partial_fit", "early_stopping=True")


# A fitted network


@pytest.fixture
def fitted():
    return make().fit(X, Y)


METHODS = ["predict", "beam_search", "score", "score_samples", "attention_weights"]
METHODS += ["partial_fit"]
OF_ANOTHER_FORM = {
    "lists": (LISTS, "strings to be cut, as fitted: got sequences of strings"),
    "numbers": (NUMBERS, "strings to be cut, as fitted: got sequences of numbers"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("rows", "said"), OF_ANOTHER_FORM.values(), ids=OF_ANOTHER_FORM
)
def test_sources_and_targets_of_another_form(fitted, method, rows, said):
    before = copy.deepcopy(fitted.module_.state_dict())
    call = getattr(fitted, method)
    takes_one = method in ("predict", "beam_search")
    arguments = (rows,) if takes_one else (rows, Y)
    refuses(lambda: call(*arguments), f"^X must hold {said}")
    if not takes_one:
        refuses(lambda: call(X, rows), f"^y must hold {said}")
    for name, value in fitted.module_.state_dict().items():
        assert value.equal(before[name])
    assert len(fitted.predict(X)) == 20


@pytest.mark.parametrize("method", METHODS)
def test_a_fitted_network_refuses_what_a_new_one_does(fitted, method):
    call = getattr(fitted, method)
    arguments = () if method in ("predict", "beam_search") else (Y,)
    for rows, part in (
        ([], "X must have at least one sequence"),
        (None, "X .* None"),
        ("sun", "X .* 'sun'"),
        ([*X[:19], None], r"X\[19\] is None"),
    ):
        refuses(lambda rows=rows: call(rows, *arguments), part)


@pytest.mark.parametrize("method", ["score", "score_samples", "partial_fit", "fit"])
def test_targets_are_needed(fitted, method):
    said = "Seq2SeqTransformer estimator requires y to be passed, .* y is None"
    refuses(lambda: getattr(fitted, method)(X, None), said)


@pytest.mark.parametrize("n_best", [0, -1, 2.5, None, "all"])
def test_number_of_targets(fitted, n_best):
    said = f"n_best must be a whole number >= 1: got {n_best!r}"
    refuses(lambda: fitted.beam_search(X, n_best=n_best), said)
    assert [len(best) for best in fitted.beam_search(X, n_best=np.int64(2))] == [2] * 20


def test_empty_sources_and_targets_are_allowed(fitted):
    assert fitted.predict(["", "sun"]).shape == (2,)
    model = make().fit([*X, ""], [*Y, "nus"])
    assert model.source_vocabulary_ == fitted.source_vocabulary_
    assert np.isfinite(model.score_samples([""], ["nus"])).all()
    model = make(max_iter=60, learning_rate_init=0.02, n_iter_no_change=60)
    model.fit(X, [""] * 15 + Y[15:])
    assert (model.predict(X) == "").any()
    assert np.isfinite(model.score_samples(["sun"], [""])).all()
    words = make().fit(LISTS, [*LISTS[:19], []])
    assert np.isfinite(words.score_samples(LISTS[:2], [[], []])).all()
    assert words.attention_weights(LISTS[:1], [[]])[0].shape == (1, 2, 1, 3)


@pytest.mark.parametrize(
    ("tokenizer", "parts"),
    [
        (len, ["tokenizer must return a list of strings", r"X\[0\]", r"3 \(int\)"]),
        (lambda text: [len(text)], ["tokenizer must return a list of strings", "X"]),
        (lambda text: 1 / len(text[:0]), ["division"]),
    ],
    ids=["a number", "numbers", "fails"],
)
def test_what_a_tokenizer_must_give(tokenizer, parts):
    model = make(tokenizer=tokenizer)
    with pytest.raises((TypeError, ZeroDivisionError)) as raised:
        model.fit(X, Y)
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)
    assert not hasattr(model, "module_")


def test_a_bad_parameter_leaves_the_fit_before():
    model = make(warm_start=True).fit(X, Y)
    expected = model.score_samples(X, Y)
    refuses(lambda: model.set_params(n_heads=3).fit(X, Y), "n_heads=3")
    refuses(lambda: model.set_params(n_heads=2).fit(LISTS, Y), "as fitted")
    model.set_params(warm_start=False)
    refuses(lambda: model.fit(LISTS, [*LISTS[:19], ["s", 1]]), r"y\[19\]\[1\]")
    np.testing.assert_array_equal(model.score_samples(X, Y), expected)
    assert model.score(X, Y) == model.score(X, Y)


@pytest.mark.parametrize("method", METHODS[:-1])
def test_a_network_has_to_be_fitted_first(method):
    arguments = (X,) if method in ("predict", "beam_search") else (X, Y)
    refuses(lambda: getattr(make(), method)(*arguments), "is not fitted yet")
