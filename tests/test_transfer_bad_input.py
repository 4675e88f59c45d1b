"""Transfer: errors that come before any training, and name what does not fit."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    Autoencoder,
    ConvClassifier,
    GraphClassifier,
    MLPClassifier,
    RecurrentClassifier,
    RecurrentTagger,
    Seq2SeqTransformer,
    TransformerClassifier,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

X = np.random.RandomState(0).standard_normal((20, 4))
Y = np.arange(20) % 2
IMAGES = X.reshape(20, 2, 2, 1)
SERIES = X.reshape(20, 2, 2)
WORDS = [["tea", "cup"]] * 20
ONE_EPOCH = {"max_iter": 1, "learning_rate": "linear"}  # whose end is no warning
SMALL = {"d_model": 4, "n_heads": 2, "n_layers": 1, **ONE_EPOCH}
MLP = MLPClassifier((3, 2), **ONE_EPOCH).fit(X, Y)
CONV = ConvClassifier(conv_channels=2, hidden_layer_sizes=3, **ONE_EPOCH).fit(IMAGES, Y)
OF_SERIES, OF_WORDS = (
    RecurrentClassifier(hidden_layer_sizes=2, **ONE_EPOCH).fit(inputs, Y)
    for inputs in (SERIES, WORDS)
)
TRANSFORMER = TransformerClassifier(**SMALL).fit(SERIES, Y)


def make(source=MLP, **params):
    if isinstance(source, MLPClassifier):
        params = {"hidden_layer_sizes": (3, 2)} | params
    elif isinstance(source, ConvClassifier):
        params = {"conv_channels": 2, "hidden_layer_sizes": 3} | params
    elif isinstance(source, RecurrentClassifier):
        params = {"hidden_layer_sizes": 2} | params
    elif isinstance(source, TransformerClassifier):
        params = SMALL | params
    return type(source)(**{"init_from": FrozenEstimator(source)} | params)


def expect(error, message, model, inputs=X, y=Y):
    """Expect an error from a fit that leaves nothing behind."""
    before = dict(vars(model))
    with pytest.raises(error, match=re.escape(message)):
        model.fit(inputs, y)
    assert vars(model) == before


WRONG_SOURCES = {
    "not frozen": (
        MLP,
        TypeError,
        "init_from must be None or FrozenEstimator(network)",
    ),
    "a name": ("MLPClassifier", TypeError, "clone"),
    "a pipeline": (
        FrozenEstimator(make_pipeline(StandardScaler(), MLP)),
        TypeError,
        "take the last step of a pipeline",
    ),
    "a search": (
        FrozenEstimator(GridSearchCV(MLP, {"alpha": [1e-4]}, cv=2).fit(X, Y)),
        TypeError,
        "best_estimator_ of a search",
    ),
    "frozen twice": (
        FrozenEstimator(FrozenEstimator(MLP)),
        TypeError,
        "got sklearn.frozen.FrozenEstimator",
    ),
    "not fitted": (
        FrozenEstimator(MLPClassifier((3, 2))),
        NotFittedError,
        "init_from must hold a fitted network: got MLPClassifier(",
    ),
    "no network": (
        FrozenEstimator(LogisticRegression().fit(X, Y)),
        TypeError,
        "of sknn's MLPClassifier: got sklearn.linear_model.LogisticRegression",
    ),
    "another architecture": (
        FrozenEstimator(CONV),
        TypeError,
        "got sknn.ConvClassifier",
    ),
    "no body to share": (
        FrozenEstimator(Autoencoder(**ONE_EPOCH).fit(X)),
        TypeError,
        "got sknn.Autoencoder",
    ),
}


@pytest.mark.parametrize("case", WRONG_SOURCES)
def test_what_is_no_source(case):
    source, error, message = WRONG_SOURCES[case]
    expect(error, message, MLPClassifier((3, 2), init_from=source))


def test_taggers_and_classifiers_are_no_sources_of_one_another():
    tagger = RecurrentTagger(max_iter=1).fit(WORDS, WORDS)
    model = RecurrentClassifier(init_from=FrozenEstimator(tagger))
    expect(TypeError, "RecurrentClassifier: got sknn.RecurrentTagger", model, WORDS)


@pytest.mark.parametrize("Estimator", [GraphClassifier, Seq2SeqTransformer])
def test_networks_without_such_parameters(Estimator):
    network = Estimator()
    assert set(network._parameter_constraints) == set(network.get_params())
    assert not any(hasattr(network, name) for name in ("init_from", "freeze"))


WRONG_FREEZES = {
    "too many": ({"freeze": 3}, "hidden layers, 2, or 'body' for all of them: got 3."),
    "negative": ({"freeze": -1}, "The 'freeze' parameter"),
    "a word": ({"freeze": "head"}, "The 'freeze' parameter"),
    "half": ({"freeze": 0.5}, "The 'freeze' parameter"),
    "a bool": ({"freeze": True}, "a whole number or 'body': got True."),
    "no bool": ({"freeze": False}, "a whole number or 'body': got False."),
    "no source": (
        {"init_from": None, "freeze": 1},
        "freeze must be 0 without init_from",
    ),
    "no source, body": ({"init_from": None, "freeze": "body"}, "got 'body'."),
    "no layers": (
        {"hidden_layer_sizes": ()},
        "init_from must be None with hidden_layer_sizes=()",
    ),
}


@pytest.mark.parametrize("case", WRONG_FREEZES)
def test_what_cannot_be_frozen(case):
    params, message = WRONG_FREEZES[case]
    expect(ValueError, message, make(**params))


LAYERS = {
    "conv": (CONV, 2),
    "recurrent": (OF_SERIES, 1),
    "transformer": (TRANSFORMER, 1),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_layers_that_count(kind):
    source, n_layers = LAYERS[kind]
    message = f"hidden layers, {n_layers}, or 'body' for all of them: got 5."
    expect(ValueError, message, make(source, freeze=5), SERIES)


WRONG_PARAMETERS = [
    (MLP, {"hidden_layer_sizes": (3, 4)}, "hidden_layer_sizes", [3, 2], [3, 4]),
    (MLP, {"hidden_layer_sizes": 3}, "hidden_layer_sizes", [3, 2], [3]),
    (MLP, {"batch_norm": True}, "batch_norm", False, True),
    (MLP, {"activation": "tanh"}, "activation", "relu", "tanh"),
    (CONV, {"conv_channels": (2, 2)}, "conv_channels", [2], [2, 2]),
    (CONV, {"kernel_size": 2}, "kernel_size", [3], [2]),
    (CONV, {"standardize": False}, "standardize", True, False),
    (CONV, {"activation": "tanh"}, "activation", "relu", "tanh"),
    (OF_SERIES, {"cell": "gru"}, "cell", "lstm", "gru"),
    (OF_SERIES, {"bidirectional": False}, "bidirectional", True, False),
    (TRANSFORMER, {"d_model": 8}, "d_model", [4], [8]),
    (TRANSFORMER, {"pooling": "cls"}, "pooling", "mean", "cls"),
    (TRANSFORMER, {"n_layers": 2}, "n_layers", [1], [2]),
]


@pytest.mark.parametrize("case", WRONG_PARAMETERS, ids=lambda case: str(case[1]))
def test_parameters_that_differ(case):
    source, params, name, theirs, ours = case
    message = f"{name} must be that of init_from, {theirs!r}, whose layers are copied: "
    inputs = {MLP: X, CONV: IMAGES}.get(source, SERIES)
    expect(ValueError, f"{message}got {ours!r}.", make(source, **params), inputs)


WRONG_INPUTS = {
    "columns": (MLP, X[:, :3], "tables of 4 columns: got tables of 3 columns."),
    "channels": (
        CONV,
        np.tile(IMAGES, 2),
        "(2, 2, 1): got samples of shape (2, 2, 2).",
    ),
    "size": (CONV, np.tile(IMAGES, (1, 4, 4, 1)), "got samples of shape (8, 8, 1)."),
    "series": (OF_SERIES, np.tile(SERIES, 2), "series of 2 channels: got series of 4"),
    "words": (OF_SERIES, WORDS, "channels: got sequences of 2 known tokens."),
    "no words": (OF_WORDS, list(SERIES), "X must hold sequences of strings"),
}


@pytest.mark.parametrize("case", WRONG_INPUTS)
def test_inputs_that_differ(case):
    source, inputs, message = WRONG_INPUTS[case]
    expect(ValueError, message, make(source), inputs)


def test_columns_of_other_names():
    source = MLPClassifier((3, 2), max_iter=1).fit(
        pd.DataFrame(X, columns=[*"abcd"]), Y
    )
    message = "fitted to, in their order: got 'b' where 'a' was, in column 0."
    expect(ValueError, message, make(source), pd.DataFrame(X, columns=[*"bacd"]))


def test_names_of_one_side_alone():
    frame = pd.DataFrame(X, columns=[*"abcd"])
    of_frame = MLPClassifier((3, 2), **ONE_EPOCH).fit(frame, Y)
    message = "X does not have valid feature names, but MLPClassifier was fitted with "
    with pytest.warns(UserWarning, match=message):
        make(of_frame).fit(X, Y)
    message = "X has feature names, but MLPClassifier was fitted without feature names"
    with pytest.warns(UserWarning, match=message):
        make(MLP).fit(frame, Y)


def test_series_have_no_names_to_miss():
    table = pd.DataFrame(X, columns=[*"abcd"])
    series = [row[:, None] for row in X]
    for inputs, others in ((series, table), (table, series)):
        source = RecurrentClassifier(hidden_layer_sizes=2, **ONE_EPOCH).fit(inputs, Y)
        make(source).fit(others, Y)
