"""Transfer: hidden layers of another network, and layers that stay as they are."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, Freezer

from sknn import (
    ConvClassifier,
    ConvRegressor,
    MLPClassifier,
    MLPRegressor,
    RecurrentClassifier,
    RecurrentRegressor,
    RecurrentTagger,
    TransformerClassifier,
    TransformerRegressor,
    TransformerTagger,
)
from sknn.training._submit import in_company
from sknn.training._together import train_together

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
    "ignore:lbfgs failed:sklearn.exceptions.ConvergenceWarning",
)

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((60, 5))
OLD, NEW = np.arange(60) % 3, (X[:, 0] > 0) + 4
IMAGES = RANDOM.standard_normal((40, 6, 6)).astype(np.float32)
SERIES = [RANDOM.standard_normal((n, 2)) for n in RANDOM.randint(2, 9, 40)]
WORDS = [RANDOM.choice(["tea", "heat", "cup"], 4).tolist() for _ in range(40)]
TAGS = [RANDOM.choice(["N", "V"], 4).tolist() for _ in range(40)]
HALVES, REAL = np.arange(40) % 2, RANDOM.standard_normal((40, 2))
STEPPED = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]
SMALL = {"max_iter": 3, "random_state": 0, "batch_size": 16}
CONV = {"conv_channels": (3, 4), "hidden_layer_sizes": (6,)}
RECURRENT = {"hidden_layer_sizes": (4, 3)}
TRANSFORMER = {"d_model": 8, "n_heads": 2, "positional_encoding": "learned"}
# classes and options, inputs, targets of the source; class and targets of the new one
PAIRS = {
    "mlp": (MLPClassifier, {"hidden_layer_sizes": (7, 6)}, X, OLD, MLPRegressor, X),
    "conv": (ConvRegressor, CONV, IMAGES, REAL, ConvClassifier, HALVES),
    "residual": (
        ConvClassifier,
        CONV | {"residual": True},
        IMAGES,
        HALVES,
        ConvRegressor,
        REAL,
    ),
    "recurrent": (
        RecurrentClassifier,
        RECURRENT,
        SERIES,
        HALVES,
        RecurrentRegressor,
        REAL,
    ),
    "words": (
        RecurrentRegressor,
        RECURRENT,
        WORDS,
        HALVES,
        RecurrentClassifier,
        HALVES,
    ),
    "transformer": (
        TransformerRegressor,
        TRANSFORMER,
        SERIES,
        HALVES,
        TransformerClassifier,
        HALVES,
    ),
    "cls": (
        TransformerClassifier,
        TRANSFORMER | {"pooling": "cls"},
        WORDS,
        HALVES,
        TransformerRegressor,
        REAL,
    ),
    "tagger": (RecurrentTagger, RECURRENT, WORDS, TAGS, RecurrentTagger, WORDS),
    "transformer tagger": (
        TransformerTagger,
        TRANSFORMER,
        WORDS,
        TAGS,
        TransformerTagger,
        WORDS,
    ),
}
every_pair = pytest.mark.parametrize("pair", PAIRS)
HEADS = {"mlp": "layers.2.", "conv": "head.layers.1.", "residual": "head.layers.1."}


def fit_source(pair):
    Source, options, inputs, targets, *_ = PAIRS[pair]
    return Source(**SMALL | options).fit(inputs, targets)


def make_new(pair, source, **params):
    _, options, _, _, New, _ = PAIRS[pair]
    frozen = FrozenEstimator(source)
    return New(**{**SMALL, **options, "random_state": 1, "init_from": frozen, **params})


def fit_new(pair, source, **params):
    _, _, inputs, _, _, targets = PAIRS[pair]
    return make_new(pair, source, **params).fit(inputs, targets)


def get_state(model):
    return {k: v.clone() for k, v in model.module_.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def get_same(one, other):
    """Get the names whose tensors are the same to the bit."""
    ones, others = get_state(one), get_state(other)
    assert ones.keys() == others.keys()
    return {name for name in ones if torch.equal(ones[name], others[name])}


def fit_mlp(y=OLD, Estimator=MLPClassifier, **params):
    return Estimator(**SMALL | {"hidden_layer_sizes": (7, 6)} | params).fit(X, y)


def fit_on(source, y=NEW, **params):
    params = {"random_state": 1, "init_from": FrozenEstimator(source)} | params
    return fit_mlp(y, **params)


# What is copied


@every_pair
def test_the_body_is_copied_and_the_head_drawn_as_ever(pair):
    source, head = fit_source(pair), HEADS.get(pair, "output.")
    still = {"solver": "sgd", "learning_rate_init": 1e-300, "alpha": 0, "max_iter": 1}
    still |= {"warmup_epochs": 0}
    new = fit_new(pair, source, **still)
    from_source, from_new = get_state(source), get_state(new)
    names = [name for name in from_new if not name.startswith(head)]
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    for name in names:
        moved = name.endswith(statistics)
        assert torch.equal(from_source[name], from_new[name]) != moved, name
    fresh = get_state(fit_new(pair, source, **still, init_from=None))
    drawn = [name for name in from_new if name.startswith(head)]
    assert len(drawn) == 2
    if from_new[drawn[0]].shape == fresh[drawn[0]].shape:
        assert all(torch.equal(from_new[name], fresh[name]) for name in drawn)


@every_pair
@pytest.mark.parametrize("freeze", [0, 1, 2, "body"])
def test_frozen_layers_keep_every_bit_and_the_others_learn(pair, freeze):
    source = fit_source(pair)
    before = get_state(source)
    new = fit_new(pair, source, freeze=freeze)
    parts = new.module_.hidden_parts()
    n_frozen = len(parts) if freeze == "body" else freeze
    own = source.module_.hidden_parts()
    for number, (layer, given) in enumerate(zip(parts, own, strict=True)):
        for part, old in zip(layer, given, strict=True):
            state, expected = part.state_dict(), old.state_dict()
            fixed = number < n_frozen or not list(part.parameters())
            for name, tensor in state.items():
                same = torch.equal(tensor, expected[name])
                if fixed or "weight" in name:
                    assert same == fixed, (number, name)
    assert all(p.requires_grad for p in new.module_.parameters())
    assert new._flat.is_tied()
    assert_same(before, get_state(source))


def test_a_source_of_another_type_is_converted():
    source = MLPClassifier((7, 6), dtype="float32", **SMALL).fit(X, OLD)
    new = fit_on(source, freeze="body")
    assert new.coefs_[0].dtype == np.float64
    assert_array_equal(new.coefs_[0], source.coefs_[0].astype(np.float64))
    back = fit_on(new, OLD, freeze="body", dtype="float32")
    assert_array_equal(back.coefs_[1], source.coefs_[1])
    assert not np.shares_memory(back.coefs_[0], source.coefs_[0])


def test_scaling_is_that_of_the_source():
    source = ConvClassifier(**SMALL | CONV).fit(IMAGES, HALVES)
    frozen = FrozenEstimator(source)
    new = ConvClassifier(**SMALL | CONV, init_from=frozen).fit(5 * IMAGES, HALVES)
    for name in ("location", "factor"):
        own, given = (getattr(m.module_.scaling, name) for m in (new, source))
        assert torch.equal(own, given)


def test_images_of_another_size_fit_where_positions_are_pooled():
    options = SMALL | CONV | {"global_pooling": "mean"}
    source = ConvClassifier(**options).fit(IMAGES, HALVES)
    new = ConvClassifier(**options, init_from=FrozenEstimator(source), freeze="body")
    new.fit(np.tile(IMAGES, (1, 2, 1)), HALVES)
    assert new.predict(np.tile(IMAGES, (1, 2, 1))).shape == (40,)
    assert new.input_shape_ == (12, 6, 1)


def test_learned_positions_are_those_of_the_source():
    source = fit_source("transformer")
    longer = [np.tile(series, (3, 1)) for series in SERIES]
    new = make_new("transformer", source, freeze="body").fit(longer, HALVES)
    vectors = [m.module_.positions.position_vectors for m in (source, new)]
    assert torch.equal(*vectors)


@pytest.mark.parametrize("pair", ["words", "cls", "tagger"])
def test_tokens_are_numbered_as_the_source_numbers_them(pair):
    source = fit_source(pair)
    renamed = [["cup", "heat", "unheard"] for _ in range(6)]
    y = renamed if pair == "tagger" else np.arange(6) % 2
    new = make_new(pair, source, freeze="body", min_count=3, batch_size="full")
    new.fit(renamed, y)
    assert new.vocabulary_ == source.vocabulary_
    assert new.vocabulary_ is not source.vocabulary_
    assert "unheard" not in new.vocabulary_
    if pair != "tagger":
        assert_allclose(new.transform(renamed), source.transform(renamed), rtol=1e-6)


def test_texts_are_cut_and_integers_read_as_the_source_does():
    options = SMALL | RECURRENT | {"batch_size": 2}
    source = RecurrentClassifier(**options, tokenizer=list).fit(["ab", "ba"], [0, 1])
    new = make_new("words", source, batch_size=2).fit(["abba", "bb"], [0, 1])
    assert new.vocabulary_ == {"a": 1, "b": 2}
    source = RecurrentClassifier(**options, tokens=True).fit([[5, 7], [7, 5]], [0, 1])
    new = make_new("words", source, batch_size=2).fit([[7, 5, 5], [7]], [0, 1])
    assert new.vocabulary_ == {5: 1, 7: 2}


# How what is not frozen learns


def make_plain(**params):
    """Add a callback that leaves every parameter a tensor and the gradient autograd."""
    return params | {"callbacks": [Freezer(lambda name: False)]}


OPTIONS = {
    "l2": {"alpha": 0.5},
    "elastic": {"alpha": 0.5, "l1_ratio": 0.5},
    "clipped": {"gradient_clip": 1e-3},
    "batch norm": {"batch_norm": True},
    "dropout": {"dropout": 0.4},
}


@pytest.mark.parametrize("solver", STEPPED)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("freeze", [1, "body"])
def test_slices_of_a_flat_tensor_learn_as_single_tensors_do(solver, options, freeze):
    options = options | {"solver": solver, "freeze": freeze, "max_iter": 8}
    source = fit_mlp(batch_norm=options.get("batch_norm", False))
    flat, plain = fit_on(source, **options), fit_on(source, **make_plain(**options))
    assert_allclose(flat.loss_curve_, plain.loss_curve_, rtol=1e-7)
    # adagrad and rmsprop divide roundings of small gradients by their roots
    for one, other in zip(flat.coefs_, plain.coefs_, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-8)
    for model in (flat, plain):
        same = get_same(source, model) - {"layers.2.weight", "layers.2.bias"}
        assert {"layers.0.weight", "layers.0.bias"} & set(get_state(model)) <= same
        assert any(name.startswith("layers.1") for name in same) == (freeze == "body")


@pytest.mark.parametrize("options", [{}, {"alpha": 0.5}], ids=["plain", "l2"])
@pytest.mark.parametrize("freeze", [1, 2])
def test_lbfgs_keeps_every_bit(options, freeze):
    source = fit_mlp()
    new = fit_on(source, NEW, solver="lbfgs", freeze=freeze, max_iter=50, **options)
    same = [
        np.array_equal(*pair) for pair in zip(source.coefs_, new.coefs_, strict=True)
    ]
    assert same == [True, freeze == 2, False]


@pytest.mark.parametrize("weighted", [False, True])
def test_frozen_normalization_against_torch(weighted):
    source = fit_mlp(batch_norm=True)
    weight = RANDOM.uniform(0.5, 2, 60) if weighted else np.ones(60)
    options = {"solver": "sgd", "momentum": 0, "alpha": 0, "batch_size": "full"}
    options |= {"learning_rate_init": 0.1, "batch_norm": True, "freeze": 1}
    options |= {"max_iter": 1, "hidden_layer_sizes": (7, 6)}
    new = MLPRegressor(init_from=FrozenEstimator(source), **SMALL | options)
    start = clone(new).set_params(learning_rate_init=1e-300).fit(X, X[:, 0], weight)
    new.fit(X, X[:, 0], weight if weighted else None)
    module = pickle.loads(pickle.dumps(start)).module_
    inputs, w = torch.from_numpy(X), torch.from_numpy(weight)[:, None]
    module.train()
    module.norms[0].eval()
    outputs = module(inputs, w)
    error = (outputs - inputs[:, :1]) ** 2 / 2
    ((w * error).sum() / w.sum()).backward()
    for (name, own), old in zip(
        new.module_.named_parameters(), module.parameters(), strict=True
    ):
        frozen = name.startswith(("layers.0", "norms.0"))
        step = 0 if frozen else 0.1 * old.grad
        assert_allclose(own.detach(), (old - step).detach(), rtol=1e-10, atol=1e-12)


def test_a_frozen_body_is_a_linear_model_of_its_features():
    source = fit_mlp(max_iter=50)
    options = {"solver": "lbfgs", "alpha": 0.1, "tol": 1e-9, "max_iter": 1000}
    new = fit_on(source, NEW, freeze="body", **options)
    linear = LogisticRegression(C=1 / 0.1, tol=1e-10, max_iter=1000)
    linear.fit(source.transform(X), NEW)
    expected = linear.predict_proba(source.transform(X))
    # scipy stops where the loss changes by 2e-9, the square of what predictions do
    assert_allclose(new.predict_proba(X), expected, atol=1e-4)


def test_dropout_of_frozen_layers_goes_on():
    source = fit_mlp()
    options = {"freeze": "body", "max_iter": 1, "batch_size": "full"}
    losses = [fit_on(source, dropout=p, **options).loss_curve_[0] for p in (0, 0.8)]
    assert abs(losses[0] - losses[1]) > 1e-3


def test_wide_sparse_inputs():
    wide = sparse.random_array((60, 2100), density=0.01, rng=0, format="csr")
    params = SMALL | {"hidden_layer_sizes": (1000,), "max_iter": 1}
    source = MLPClassifier(**params).fit(wide, OLD)
    frozen = FrozenEstimator(source)
    new = MLPClassifier(**params, init_from=frozen, freeze=1).fit(wide, NEW)
    assert_array_equal(new.coefs_[0], source.coefs_[0])
    moved = MLPClassifier(**params, init_from=frozen).fit(wide, NEW)
    assert not np.array_equal(moved.coefs_[0], source.coefs_[0])


def test_early_stopping_and_validation_data():
    source = fit_mlp()
    new = MLPClassifier(
        (7, 6), init_from=FrozenEstimator(source), freeze=1, early_stopping=True
    )
    new.fit(X, NEW, X_val=X[:20], y_val=NEW[:20])
    assert new.best_validation_score_ == max(new.validation_scores_)
    assert_array_equal(new.coefs_[0], source.coefs_[0])


def test_frozen_layers_in_company():
    source = fit_mlp()
    with in_company(train_together):
        new = fit_on(source, freeze=1)
    assert_array_equal(new.coefs_[0], source.coefs_[0])
    assert_array_equal(new.coefs_[1], fit_on(source, freeze=1).coefs_[1])


# Going on


def test_freeze_stays_in_force_and_can_be_lifted():
    source = fit_mlp()
    new = fit_on(source, freeze="body", warm_start=True).fit(X, NEW)
    assert_array_equal(new.coefs_[1], source.coefs_[1])
    head = new.coefs_[2].copy()
    new.set_params(freeze=1).fit(X, NEW)
    assert_array_equal(new.coefs_[0], source.coefs_[0])
    assert not np.array_equal(new.coefs_[1], source.coefs_[1])
    assert np.abs(new.coefs_[2] - head).max() < 0.1  # it went on, not anew
    new.set_params(freeze=0).fit(X, NEW)
    assert not np.array_equal(new.coefs_[0], source.coefs_[0])


@pytest.mark.parametrize("n_networks", [1, 2])
def test_the_source_can_be_dropped_while_layers_stay_frozen(n_networks):
    source = fit_mlp()
    options = {"freeze": "body", "warm_start": True, "n_networks": n_networks}
    new = fit_on(source, **options).set_params(init_from=None)
    head = new.coefs_[2].copy()
    new = pickle.loads(pickle.dumps(new)).fit(X, NEW).partial_fit(X, NEW)
    for network in new.networks_:
        assert_array_equal(network.coefs_[1], source.coefs_[1])
    assert not np.array_equal(new.coefs_[2], head)
    with pytest.raises(ValueError, match=r"number of hidden layers, 2, .* got 3"):
        new.set_params(freeze=3).fit(X, NEW)
    with pytest.raises(ValueError, match="freeze must be 0 without init_from"):
        new.set_params(freeze=1, warm_start=False).fit(X, NEW)


def test_a_lifted_freeze_has_new_patience():
    source = fit_mlp()
    new = fit_on(source, freeze="body", warm_start=True, max_iter=500, tol=1e-3)
    new.set_params(freeze=0, n_iter_no_change=15).fit(X, NEW)
    assert new.n_iter_ > 15


@pytest.mark.parametrize("solver", STEPPED)
def test_partial_fit(solver):
    source = fit_mlp()
    new = MLPClassifier(
        (7, 6), solver=solver, init_from=FrozenEstimator(source), freeze=1
    )
    before = get_state(source)
    for _ in range(3):
        new.partial_fit(X, NEW, classes=[4, 5])
    second = new.coefs_[1].copy()
    new.set_params(freeze=2).partial_fit(X, NEW)
    new = pickle.loads(pickle.dumps(new)).partial_fit(X, NEW)
    assert_array_equal(new.coefs_[0], source.coefs_[0])
    assert_array_equal(new.coefs_[1], second)
    assert not np.array_equal(second, source.coefs_[1])
    new.set_params(freeze=0).partial_fit(X, NEW)
    assert not np.array_equal(new.coefs_[0], source.coefs_[0])
    assert_same(before, get_state(source))


class Fails(Callback):
    """Fails in the first epoch."""

    def on_epoch_end(self, net, **kwargs):
        """Raise an error."""
        raise RuntimeError("enough")


def test_a_failed_fit_leaves_nothing_frozen():
    source = ConvClassifier(**SMALL | CONV).fit(IMAGES, HALVES)
    new = ConvClassifier(
        **SMALL | CONV,
        init_from=FrozenEstimator(source),
        freeze="body",
        callbacks=[Fails()],
    )
    with pytest.raises(RuntimeError, match="enough"):
        new.fit(IMAGES, HALVES)
    assert all(p.requires_grad for p in new.module_.parameters())
    assert not any(getattr(m, "is_frozen", False) for m in new.module_.modules())


# Tools of scikit-learn


def test_clone_parameters_and_pickle():
    source = fit_mlp()
    frozen = FrozenEstimator(source)
    new = MLPClassifier((7, 6), init_from=frozen, freeze=1, random_state=0)
    assert clone(new).init_from is frozen
    assert new.get_params()["init_from__estimator"] is source
    assert clone(new).set_params(init_from=None, freeze=0).init_from is None
    with pytest.warns(Warning, match="Maximum iterations"):
        new.set_params(max_iter=3).fit(X, NEW)
    copy = pickle.loads(pickle.dumps(new))
    assert_array_equal(copy.predict_proba(X), new.predict_proba(X))
    again = copy.fit(X, NEW)
    assert_array_equal(again.predict_proba(X), new.predict_proba(X))


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_search_over_freeze(n_jobs):
    source = fit_mlp()
    before = get_state(source)
    frozen = FrozenEstimator(source)
    new = MLPClassifier((7, 6), init_from=frozen, **SMALL)
    grid = [{"freeze": [0, 1, "body"]}, {"init_from": [None]}]
    search = GridSearchCV(new, grid, cv=2, n_jobs=n_jobs).fit(X, NEW)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_
    expected = clone(new).set_params(**search.best_params_).fit(X, NEW)
    assert_array_equal(best.predict_proba(X), expected.predict_proba(X))
    assert_same(before, get_state(source))


def test_frames_with_the_same_columns():
    frame = pd.DataFrame(X, columns=list("abcde"))
    source = MLPClassifier((7, 6), **SMALL).fit(frame, OLD)
    new = MLPClassifier((7, 6), init_from=FrozenEstimator(source), **SMALL)
    new.set_params(freeze="body").fit(frame, NEW)
    assert_array_equal(new.coefs_[0], source.coefs_[0])
    assert new.feature_names_in_.tolist() == list("abcde")


# What it is for


def place(images, random_state):
    """Put images of 8 x 8 somewhere on blank ones of 12 x 12, as rows."""
    canvas = np.zeros((len(images), 12, 12))
    for blank, image in zip(canvas, images, strict=True):
        i, j = random_state.randint(0, 5, 2)
        blank[i : i + 8, j : j + 8] = image / 16
    return canvas.reshape(len(images), -1)


@pytest.mark.slow
def test_new_digits_from_few_examples():
    """What is known of five digits at many places helps with five others."""
    digits, random_state = load_digits(), np.random.RandomState(0)
    old = digits.target < 5
    rows = place(np.repeat(digits.images[old], 10, axis=0), random_state)
    options = {"hidden_layer_sizes": (200, 100), "random_state": 0}
    source = MLPClassifier(**options, dropout=0.5, max_iter=30)
    source.fit(rows, np.repeat(digits.target[old], 10))
    rows, labels = place(digits.images[~old], random_state), digits.target[~old]
    options |= {"batch_size": 32, "learning_rate_init": 0.003}
    gains = []
    for seed in range(5):
        order = np.random.RandomState(seed).permutation(len(rows))
        few = [order[labels[order] == label][:8] for label in range(5, 10)]
        few = np.concatenate(few)
        rest = np.setdiff1d(order, few)
        scratch = MLPClassifier(**options)
        transfer = MLPClassifier(**options, init_from=FrozenEstimator(source), freeze=1)
        scores = [
            model.fit(rows[few], labels[few]).score(rows[rest], labels[rest])
            for model in (scratch, transfer)
        ]
        gains.append(scores[1] - scores[0])
    assert min(gains) > 0.05
    assert np.mean(gains) > 0.1
