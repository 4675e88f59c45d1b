"""Every option of recurrent networks and transformers does something."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sknn import (
    RecurrentClassifier,
    RecurrentRegressor,
    RecurrentTagger,
    TransformerClassifier,
    TransformerRegressor,
    TransformerTagger,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
LENGTHS = RANDOM.randint(2, 9, 40)
X = [RANDOM.standard_normal((n, 2)) for n in LENGTHS]
Y = np.arange(40) % 3
Y_OF_STEPS = [(np.arange(n) + i) % 3 for i, n in enumerate(LENGTHS)]
CLASSIFIERS = [RecurrentClassifier, TransformerClassifier]
TAGGERS = [RecurrentTagger, TransformerTagger]
COMMON = {"batch_size": 8, "max_iter": 2, "random_state": 0, "warmup_epochs": 0}
COMMON |= {"learning_rate": "constant", "learning_rate_init": 0.01}
SMALL = {
    RecurrentClassifier: {"hidden_layer_sizes": (6,), **COMMON},
    TransformerClassifier: {"d_model": 8, "n_heads": 2, "n_layers": 1, **COMMON},
}
SMALL[RecurrentRegressor] = SMALL[RecurrentClassifier]
SMALL[TransformerRegressor] = SMALL[TransformerClassifier]
SMALL[RecurrentTagger] = SMALL[RecurrentClassifier]
SMALL[TransformerTagger] = SMALL[TransformerClassifier]

# An option, and what else it needs to mean anything.
SHARED = [
    ({"standardize": False}, {}),
    ({"dropout": 0.3}, {}),
    ({"solver": "sgd"}, {}),
    ({"solver": "adamw"}, {"alpha": 0.1}),
    ({"solver": "adagrad"}, {}),
    ({"solver": "rmsprop"}, {}),
    ({"alpha": 10.0}, {}),
    ({"l1_ratio": 1.0}, {"alpha": 1.0}),
    ({"batch_size": 10}, {}),
    ({"batch_size": "full"}, {}),
    ({"learning_rate": "cosine"}, {}),
    ({"learning_rate": "one_cycle"}, {}),
    ({"learning_rate_init": 0.02}, {}),
    ({"warmup_epochs": 1}, {}),
    ({"decay_epochs": 1}, {"learning_rate": "linear"}),
    ({"learning_rate_final": 1e-3}, {"learning_rate": "linear"}),
    ({"power_t": 0.9}, {"solver": "sgd", "learning_rate": "invscaling"}),
    ({"max_iter": 3}, {}),
    ({"shuffle": False}, {}),
    ({"tol": 10.0, "n_iter_no_change": 1}, {"max_iter": 4}),
    ({"momentum": 0.5}, {"solver": "sgd"}),
    ({"nesterovs_momentum": False}, {"solver": "sgd"}),
    ({"beta_1": 0.5}, {}),
    ({"beta_2": 0.9}, {}),
    ({"epsilon": 0.01}, {}),
    ({"rho": 0.5}, {"solver": "rmsprop"}),
    ({"early_stopping": True}, {}),
    ({"validation_fraction": 0.4}, {"early_stopping": True}),
    ({"weight_init": "orthogonal"}, {}),
    ({"gradient_clip": 0.01}, {"solver": "sgd"}),
    ({"gradient_clip": None}, {"solver": "sgd", "alpha": 100.0}),
    ({"class_weight": {0: 9.0}}, {}),
    ({"label_smoothing": 0.2}, {}),
    ({"n_networks": 2}, {}),
    ({"combine": "best"}, {"n_networks": 2}),
]
OWN = {
    RecurrentClassifier: [
        ({"cell": "gru"}, {}),
        ({"cell": "rnn"}, {}),
        ({"hidden_layer_sizes": (6, 4)}, {}),
        ({"hidden_layer_sizes": 7}, {}),
        ({"bidirectional": False}, {}),
        ({"pooling": "last"}, {}),
        ({"pooling": "mean"}, {}),
        ({"deep_supervision": 0.5}, {"hidden_layer_sizes": (6, 4)}),
        (
            {"dropout": [0.3, 0.0]},
            {"dropout": [0.0, 0.3], "hidden_layer_sizes": (6, 6)},
        ),
    ],
    TransformerClassifier: [
        ({"d_model": 4}, {}),
        ({"n_heads": 4}, {}),
        ({"n_layers": 2}, {}),
        ({"dim_feedforward": 5}, {}),
        ({"positional_encoding": "learned"}, {}),
        ({"positional_encoding": "rotary"}, {"positional_encoding": "sinusoidal"}),
        ({"positional_encoding": None}, {}),
        ({"pooling": "cls"}, {}),
        ({"pooling": "max"}, {}),
        ({"norm_first": False}, {}),
        ({"activation": "gelu"}, {}),
    ],
}
for tagger, classifier in zip(TAGGERS, CLASSIFIERS, strict=True):
    OWN[tagger] = [case for case in OWN[classifier] if "pooling" not in case[0]]
CASES = [(cls, *case) for cls in OWN for case in SHARED + OWN[cls]]


def fit(Estimator, y=None, X=X, **params):
    if y is None:
        y = Y_OF_STEPS if Estimator in TAGGERS else Y
    return Estimator(**SMALL[Estimator] | params).fit(X, y)


def show(value):
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("Estimator", "option", "others"), CASES, ids=show)
def test_every_option_changes_the_result(Estimator, option, others):
    before, after = (
        np.vstack(fit(Estimator, **params).predict_proba(X))
        for params in (others, others | option)
    )
    # rounding moves a probability by 1e-6 at most; that of an option's effect is more
    assert np.abs(before - after).max() > 1e-5


@pytest.mark.parametrize("Estimator", OWN)
def test_no_option_was_forgotten(Estimator):
    tried = {name for option, _ in SHARED + OWN[Estimator] for name in option}
    of_tokens = {"tokens", "tokenizer", "min_count", "max_vocab", "embedding_dim"}
    of_tokens |= {"char_embedding_dim"} if Estimator in TAGGERS else set()
    elsewhere = {"random_state", "warm_start", "scoring", "dtype", *of_tokens}
    elsewhere |= {"init_from", "freeze"}
    without_effect_on_the_fit = {"verbose", "device", "callbacks"}
    names = set(Estimator().get_params())
    assert names <= tried | elsewhere | without_effect_on_the_fit
    assert tried <= names


@pytest.mark.parametrize("Estimator", [RecurrentRegressor, TransformerRegressor])
@pytest.mark.parametrize("loss", ["absolute_error", "huber", "poisson", "gamma"])
def test_every_loss_of_the_regressors(Estimator, loss):
    y = np.exp([x.mean() for x in X])
    before, after = fit(Estimator, y), fit(Estimator, y, loss=loss)
    assert np.abs(before.predict(X) - after.predict(X)).max() > 1e-5
    assert np.isfinite(after.loss_curve_).all()


@pytest.mark.parametrize("Tagger", TAGGERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_type_of_the_numbers_of_taggers(Tagger, dtype):
    model = fit(Tagger, dtype=dtype)
    assert {p.dtype for p in model.module_.parameters()} == {getattr(torch, dtype)}
    assert {row.dtype.name for row in model.predict_proba(X)} == {dtype}
    assert fit(Tagger).predict_proba(X)[0].dtype == np.float32
    table = RANDOM.standard_normal((40, 3))
    assert fit(Tagger, Y, table).predict_proba(table).dtype == np.float64


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_type_of_the_numbers(Estimator, dtype):
    model = fit(Estimator, dtype=dtype)
    assert {p.dtype for p in model.module_.parameters()} == {getattr(torch, dtype)}
    assert model.transform(X).dtype == dtype
    assert fit(Estimator).transform(X).dtype == np.float32
    table = RANDOM.standard_normal((40, 3))
    assert fit(Estimator, X=table).transform(table).dtype == np.float64


def test_size_of_the_vectors_of_tokens():
    words = [["a", "b", "c"][: 1 + i % 3] for i in range(40)]
    model = fit(RecurrentClassifier, X=words)
    # 1.6 times the 0.56th power of four rows, the unseen one's among them
    assert model.module_.embedding.weight.shape == (4, 3)
    model = fit(RecurrentClassifier, X=words, embedding_dim=5)
    assert model.module_.embedding.weight.shape == (4, 5)
    model = fit(TransformerClassifier, X=words)
    assert model.module_.embedding.weight.shape == (4, 8)


LEARNERS = [
    *[
        (RecurrentClassifier, RecurrentRegressor, {"cell": cell, "pooling": pooling})
        for cell in ("lstm", "gru", "rnn")
        for pooling in ("last", "mean", "max")
    ],
    (RecurrentClassifier, RecurrentRegressor, {"bidirectional": False}),
    *[
        (
            TransformerClassifier,
            TransformerRegressor,
            {"positional_encoding": encoding, "pooling": pooling},
        )
        for encoding in ("sinusoidal", "learned", "rotary", None)
        for pooling in ("mean", "cls", "max")
    ],
    (TransformerClassifier, TransformerRegressor, {"norm_first": False}),
]


@pytest.mark.parametrize(("Classifier", "Regressor", "params"), LEARNERS, ids=show)
def test_it_learns_twenty_sequences_by_heart(Classifier, Regressor, params):
    """A network with more weights than examples can; one that cannot has a fault."""
    rng = np.random.RandomState(1)
    y, target = rng.randint(0, 2, 20), rng.standard_normal(20)
    size = {"hidden_layer_sizes": (24,)}
    if Classifier is TransformerClassifier:
        size = {"d_model": 16, "n_layers": 2}
    options = {"max_iter": 250, "alpha": 0.0, "tol": 0.0, "n_iter_no_change": 250}
    options |= {"batch_size": "full", **size, **params}
    assert fit(Classifier, y, X[:20], **options).score(X[:20], y) == 1.0
    options["learning_rate"] = "cosine"
    assert fit(Regressor, target, X[:20], **options).score(X[:20], target) > 0.9


def test_attention_weights_of_a_tagger():
    model = fit(TransformerTagger, n_layers=2)
    for of_one, n in zip(model.attention_weights(X), LENGTHS, strict=True):
        assert of_one.shape == (2, 2, n, n)
        assert_allclose(of_one.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize("Estimator", [TransformerClassifier, TransformerRegressor])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_attention_weights(Estimator, pooling):
    model = fit(Estimator, n_layers=2, pooling=pooling)
    weights, front = model.attention_weights(X), pooling == "cls"
    assert len(weights) == len(X)
    for of_one, n in zip(weights, LENGTHS + front, strict=True):
        assert of_one.shape == (2, 2, n, n)
        assert_allclose(of_one.sum(-1), 1, rtol=1e-5)
    alone = model.attention_weights([X[7]])[0]
    assert_allclose(alone, weights[7], atol=1e-5)
    as_array = model.attention_weights(np.stack([X[7]] * 3))
    assert_allclose(as_array[2], weights[7], atol=1e-5)
    with pytest.raises(ValueError, match="n_channels=2"):
        model.attention_weights([np.ones((4, 3))])


def test_order_matters_to_all_but_sets():
    """Whether the first half or the second is the larger: only order tells."""
    rng = np.random.RandomState(2)
    y = np.arange(200) % 2
    rows = rng.standard_normal((200, 8, 1)) * 0.3
    rows[y == 0, :4] += 1
    rows[y == 1, 4:] += 1
    options = {"max_iter": 25, "batch_size": 16}
    for Estimator in CLASSIFIERS:
        assert fit(Estimator, y, rows, **options).score(rows, y) > 0.95
    options |= {"positional_encoding": None, "standardize": False}
    a_set = fit(TransformerClassifier, y, rows, **options)
    assert_allclose(
        a_set.predict_proba(rows[:, ::-1]), a_set.predict_proba(rows), atol=1e-4
    )
