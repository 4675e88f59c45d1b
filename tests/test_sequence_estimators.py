"""Estimators of sequences: forms of input, lengths, tokens, and who sees whom."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier

from sknn import (
    RecurrentClassifier,
    RecurrentRegressor,
    TransformerClassifier,
    TransformerRegressor,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

CLASSIFIERS = [RecurrentClassifier, TransformerClassifier]
ESTIMATORS = [*CLASSIFIERS, RecurrentRegressor, TransformerRegressor]
SMALL = {
    RecurrentClassifier: {"hidden_layer_sizes": (6,)},
    TransformerClassifier: {"d_model": 8, "n_heads": 2, "n_layers": 1},
}
SMALL[RecurrentRegressor] = SMALL[RecurrentClassifier]
SMALL[TransformerRegressor] = SMALL[TransformerClassifier]

RANDOM = np.random.RandomState(0)
ARRAY = RANDOM.standard_normal((24, 7, 2)).astype(np.float32)
LENGTHS = RANDOM.randint(1, 8, 24)
RAGGED = [x[:n] for x, n in zip(ARRAY, LENGTHS, strict=True)]
Y = np.arange(24) % 3
WORDS = [["a", "b", "c", "d"][: 1 + i % 4] * (1 + i % 2) for i in range(24)]


def make(Estimator, **params):
    options = {"max_iter": 2, "batch_size": 8, "random_state": 0}
    return Estimator(**SMALL[Estimator] | options | params)


def fit(Estimator, X=RAGGED, y=Y, **params):
    return make(Estimator, **params).fit(X, y)


def get_outputs(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def get_weights(model):
    return np.concatenate(
        [p.numpy().ravel() for p in model.module_.state_dict().values()]
    )


def object_array(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def is_one(cls, *others):
    return cls in others


# Forms of input


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        lambda X: [x.tolist() for x in X],
        lambda X: [pd.DataFrame(x) for x in X],
        lambda X: [torch.from_numpy(x) for x in X],
        lambda X: pd.Series(list(X)),
        object_array,
    ],
    ids=["list", "tuple", "lists", "frames", "tensors", "series", "object array"],
)
@pytest.mark.parametrize("ragged", [False, True])
def test_forms_of_series(Estimator, form, ragged):
    X = RAGGED if ragged else ARRAY
    model, other = fit(Estimator, X), fit(Estimator, form(list(X)))
    assert_array_equal(get_weights(other), get_weights(model))
    assert_array_equal(get_outputs(other, form(list(X))), get_outputs(model, X))
    assert other.n_features_in_ == model.n_features_in_ == 2


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_table_is_series_of_one_channel(Estimator):
    table = ARRAY[..., 0].astype(np.float64)
    model = fit(Estimator, table, dtype="float32")
    as_series = fit(Estimator, ARRAY[..., :1])
    assert_array_equal(
        get_outputs(model, table), get_outputs(as_series, ARRAY[..., :1])
    )
    assert (model.n_features_in_, as_series.n_features_in_) == (7, 1)
    assert_array_equal(get_outputs(fit(Estimator, table), table).dtype, np.float64)
    with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 7"):
        model.predict(table[:, :5])
    frame = pd.DataFrame(table, columns=list("abcdefg"))
    assert list(fit(Estimator, frame).feature_names_in_) == list("abcdefg")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_lists_are_series_whether_equally_long_or_not(Estimator):
    lists = ARRAY[..., 0].astype(np.float64).tolist()
    model = fit(Estimator, lists)
    arrays = [np.array(row) for row in lists]
    assert_array_equal(
        get_outputs(model, lists), get_outputs(fit(Estimator, arrays), arrays)
    )
    shorter = [row[: 3 + i % 2] for i, row in enumerate(lists)]
    expected = get_outputs(model, [np.array(row) for row in shorter])
    # float32, summed in other orders where there are no others beside
    assert_allclose(get_outputs(model, shorter), expected, rtol=1e-5)
    assert_allclose(get_outputs(model, [shorter[0]]), expected[:1], rtol=1e-5)
    with pytest.raises(ValueError, match="X has 3 features"):  # a table has columns
        model.predict(np.array(lists)[:, :3])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("X", [ARRAY, RAGGED], ids=["array", "ragged"])
def test_series_of_other_lengths_are_predicted(Estimator, X):
    model = fit(Estimator, X)
    outputs = get_outputs(model, RAGGED)
    longer = [np.concatenate([x, x, x]) for x in ARRAY]
    assert np.isfinite(get_outputs(model, longer)).all()
    assert_allclose(get_outputs(model, np.stack(longer)), get_outputs(model, longer))
    assert len(outputs) == 24
    one_channel = fit(Estimator, [x[:, 0] for x in RAGGED])
    assert len(one_channel.predict(ARRAY[..., 0])) == 24  # a table of any width


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_forms_of_tokens(Estimator):
    words = fit(Estimator, WORDS)
    strings = fit(Estimator, [" ".join(x) for x in WORDS])
    characters = fit(Estimator, ["".join(x) for x in WORDS], tokenizer=list)
    number = {token: k for k, token in enumerate("abcd")}
    ids = [[number[token] for token in x] for x in WORDS]
    integers = fit(Estimator, ids, tokens=True)
    expected = get_outputs(words, WORDS)
    for model, X in (
        (strings, [" ".join(x).upper() for x in WORDS]),
        (characters, ["".join(x) for x in WORDS]),
        (integers, ids),
        (words, object_array(WORDS)),
    ):
        assert_array_equal(get_outputs(model, X), expected)
        assert set(model.vocabulary_.values()) == {1, 2, 3, 4}
        assert not hasattr(model, "n_features_in_")
    assert integers.vocabulary_.keys() == {0, 1, 2, 3}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_vocabulary_leaves_rare_tokens_out(Estimator):
    X = [["a", "b"], ["a", "c"], ["a", "b"], ["d"]] * 2 + [["e"]]
    y = np.arange(9) % 3
    assert fit(Estimator, X, y, min_count=2).vocabulary_.keys() == set("abcd")
    assert list(fit(Estimator, X, y, max_vocab=2).vocabulary_) == ["a", "b"]
    model = fit(Estimator, X, y, min_count=2)
    unseen = get_outputs(model, [["e"], ["never"], [], [""]])
    for row in unseen[1:]:
        assert_allclose(row, unseen[0], rtol=1e-6)
    assert np.isfinite(unseen).all()
    one_token = [["a"], ["a", "a"], ["a"]]
    alone = fit(Estimator, one_token, [0, 1, 0], batch_size="full")
    assert list(alone.vocabulary_) == ["a"]
    assert len(model.module_.embedding.weight) == 5


# Lengths


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_sequence_is_predicted_alone_as_among_others(Estimator):
    """Products of other shapes add up in another order: roundings of float32."""
    model = fit(Estimator, max_iter=5)
    together = get_outputs(model, RAGGED)
    alone = np.concatenate([get_outputs(model, [x]) for x in RAGGED])
    assert_allclose(alone, together, atol=1e-5)
    order = RANDOM.permutation(24)
    moved = get_outputs(model, [RAGGED[i] for i in order])
    assert_allclose(moved, together[order], atol=1e-5)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_lengths_far_apart(Estimator):
    X = [*RAGGED[:11], RANDOM.standard_normal((900, 2))]
    model = fit(Estimator, X, Y[:12])
    outputs = get_outputs(model, X)
    assert np.isfinite(outputs).all() and np.isfinite(model.loss_curve_).all()
    assert_allclose(get_outputs(model, X[:11]), outputs[:11], atol=1e-5)
    ones = [x[:1] for x in RAGGED]
    assert np.isfinite(get_outputs(fit(Estimator, ones), ones)).all()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_channels_are_standardized_by_the_steps_there_are(Estimator):
    steps = np.concatenate(RAGGED).astype(np.float64)
    mean, deviation = steps.mean(0), steps.std(0)
    scaled = [(x - mean) / deviation for x in RAGGED]
    model = fit(Estimator, dtype="float64")
    by_hand = fit(Estimator, scaled, dtype="float64", standardize=False)
    # means and deviations to the last digits, through two epochs of float64
    expected = get_outputs(by_hand, scaled)
    assert_allclose(get_outputs(model, RAGGED), expected, rtol=1e-6)
    raw = fit(Estimator, dtype="float64", standardize=False)
    assert np.abs(get_outputs(raw, RAGGED) - expected).max() > 1e-4


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("X", [RAGGED, WORDS], ids=["series", "tokens"])
def test_weights_are_repetition(Estimator, X):
    weight = np.random.RandomState(1).randint(0, 4, 24)
    rows = np.repeat(np.arange(24), weight)
    options = {"batch_size": "full", "shuffle": False, "dtype": "float64"}
    options |= {"max_iter": 3}
    weighted = make(Estimator, **options).fit(X, Y, sample_weight=weight)
    repeated = make(Estimator, **options).fit([X[i] for i in rows], Y[rows])
    # sums in another order, through three steps of float64
    assert_allclose(get_outputs(weighted, X), get_outputs(repeated, X), rtol=1e-7)
    plain = fit(Estimator, X, **options)
    assert np.abs(get_outputs(plain, X) - get_outputs(repeated, X)).max() > 1e-4


# Seeds, copies, going on


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_one_seed_one_result_and_global_states_stay(Estimator):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one, other = (fit(Estimator, dropout=0.2) for _ in range(2))
    assert_array_equal(get_weights(one), get_weights(other))
    assert one.loss_curve_ == other.loss_curve_
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    third = fit(Estimator, dropout=0.2, random_state=1)
    assert not np.array_equal(get_weights(one), get_weights(third))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("X", [RAGGED, WORDS], ids=["series", "tokens"])
def test_pickles_and_clones_are_the_same_network(Estimator, X):
    model = fit(Estimator, X)
    copied = pickle.loads(pickle.dumps(model))
    assert_array_equal(get_outputs(copied, X), get_outputs(model, X))
    assert_array_equal(get_weights(clone(model).fit(X, Y)), get_weights(model))
    for each in (copied, model):
        each.partial_fit(X, Y)
    assert_array_equal(get_weights(copied), get_weights(model))


CHANGES = {
    RecurrentClassifier: {
        "cell": "gru",
        "hidden_layer_sizes": (7,),
        "bidirectional": False,
        "pooling": "mean",
        "standardize": False,
    },
    TransformerClassifier: {
        "d_model": 4,
        "n_heads": 1,
        "n_layers": 2,
        "dim_feedforward": 5,
        "positional_encoding": "rotary",
        "pooling": "cls",
        "norm_first": False,
        "activation": "gelu",
        "standardize": False,
    },
}


@pytest.mark.parametrize("method", ["partial_fit", "warm_start"])
@pytest.mark.parametrize(
    ("Estimator", "name", "value"),
    [(cls, name, value) for cls in CLASSIFIERS for name, value in CHANGES[cls].items()],
)
def test_an_architecture_stays_while_training_goes_on(Estimator, name, value, method):
    model = fit(Estimator)
    before = get_weights(model)
    model.set_params(**{name: value})
    with pytest.raises(ValueError, match=f"^{name} must stay as fitted"):
        if method == "partial_fit":
            model.partial_fit(RAGGED, Y)
        else:
            model.set_params(warm_start=True).fit(RAGGED, Y)
    assert_array_equal(get_weights(model), before)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_training_goes_on_with_the_vocabulary_of_its_beginning(Estimator):
    model = fit(Estimator, WORDS, batch_size="full")
    vocabulary = dict(model.vocabulary_)
    model.partial_fit([["new", "a"], ["b"], ["new"]], [0, 1, 2])
    assert model.vocabulary_ == vocabulary
    assert len(model.loss_curve_) == 3
    model.set_params(warm_start=True).fit([["new"], ["b"], ["a"]], [0, 1, 2])
    assert model.vocabulary_ == vocabulary
    model.set_params(warm_start=False).fit([["new"], ["b"], ["a"]], [0, 1, 2])
    assert model.vocabulary_.keys() == {"new", "b", "a"}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_another_fit_forgets_what_the_inputs_were(Estimator):
    frame = pd.DataFrame(ARRAY[..., 0], columns=list("abcdefg"))
    model = fit(Estimator, frame).fit(WORDS, Y)
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")
    model.fit(RAGGED, Y)
    assert not hasattr(model, "vocabulary_") and model.n_features_in_ == 2
    assert not hasattr(model.fit(frame, Y), "vocabulary_")


# Outputs


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_learned_features_have_names(Estimator):
    model = fit(Estimator)
    features, names = model.transform(RAGGED), model.get_feature_names_out()
    assert features.shape == (24, len(names))
    assert names[0] == f"{Estimator.__name__.lower()}0"
    output = model.module_.output
    raw = features @ output.weight.detach().numpy().T + output.bias.detach().numpy()
    if not is_classifier(model):
        assert_allclose(raw[:, 0], model.predict(RAGGED), rtol=1e-4, atol=1e-5)
    frame = model.set_output(transform="pandas").transform(RAGGED)
    assert list(frame.columns) == list(names)


@pytest.mark.parametrize("Estimator", [RecurrentRegressor, TransformerRegressor])
@pytest.mark.parametrize(
    ("n_columns", "params", "shape"),
    [
        (None, {}, (24,)),
        (3, {}, (24, 3)),
        (None, {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, (24, 3)),
    ],
)
def test_shape_of_a_regression(Estimator, n_columns, params, shape):
    y = RANDOM.rand(24) if n_columns is None else RANDOM.rand(24, n_columns)
    assert fit(Estimator, RAGGED, y, **params).predict(RAGGED).shape == shape


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_labels_of_any_kind(Estimator):
    named = np.array(["x", "y", "z"])[Y]
    model = fit(Estimator, y=named)
    assert set(model.predict(RAGGED)) <= {"x", "y", "z"}
    several = np.column_stack([Y == 0, Y > 1]).astype(int)
    assert fit(Estimator, y=several).predict(RAGGED).shape == (24, 2)
    assert_allclose(model.predict_proba(RAGGED).sum(1), 1, rtol=1e-6)
    weighted = fit(Estimator, class_weight={0: 50.0, 1: 1.0, 2: 1.0}, max_iter=20)
    assert (weighted.predict(RAGGED) == 0).mean() > 0.9


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("X", [RAGGED, WORDS], ids=["series", "tokens"])
def test_validation_of_ragged_sequences(Estimator, X):
    split = fit(Estimator, X, early_stopping=True, validation_fraction=0.3)
    assert len(split.validation_scores_) == split.n_iter_
    given = make(Estimator).fit(X, Y, X_val=X[:5], y_val=Y[:5])
    assert len(given.validation_loss_curve_) == 2
    assert_array_equal(get_weights(given), get_weights(fit(Estimator, X)))
    with pytest.raises(TypeError, match=r"^X_val: "):
        make(Estimator).fit(X, Y, X_val=[[object()]], y_val=[0])
