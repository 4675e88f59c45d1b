"""What taggers minimise: the loss by hand, weights, class weights, smoothing."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional

from sknn import RecurrentTagger, TransformerTagger

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

TAGGERS = pytest.mark.parametrize("Tagger", [RecurrentTagger, TransformerTagger])
SMALL = {
    RecurrentTagger: {"hidden_layer_sizes": (4,)},
    TransformerTagger: {"d_model": 4, "n_heads": 2, "n_layers": 1},
}
RANDOM = np.random.RandomState(0)
LENGTHS = RANDOM.randint(1, 7, 30)
SERIES = [RANDOM.standard_normal((n, 2)) for n in LENGTHS]
WORDS = [RANDOM.choice(["tea", "hot", "cup", "a"], n).tolist() for n in LENGTHS]
Y = [RANDOM.choice(3, n, p=[0.6, 0.3, 0.1]) for n in LENGTHS]
WEIGHT = RANDOM.randint(0, 4, 30)
CLASS_WEIGHT = {0: 1.0, 1: 5.0, 2: 20.0}
FACTOR = np.array([1.0, 5.0, 20.0])
INPUTS = pytest.mark.parametrize("X", [SERIES, WORDS], ids=["series", "words"])


def make(Tagger, **params):
    options = {"max_iter": 3, "batch_size": "full", "shuffle": False, "min_count": 1}
    options |= {"dtype": "float64", "random_state": 0, "dropout": 0.0, "alpha": 0.0}
    options |= {"learning_rate": "constant", "warmup_epochs": 0}
    return Tagger(**SMALL[Tagger] | options | params)


def join(rows):
    return np.concatenate(list(rows))


def compute_loss(model, X, y, weight=None, smoothing=0.0):
    """Weighted mean over steps of the log-loss, from the probabilities."""
    log_probability, y = join(model.predict_log_proba(X)), join(y)
    target = np.full(log_probability.shape, smoothing / len(model.classes_))
    target[np.arange(len(y)), np.searchsorted(model.classes_, y)] += 1 - smoothing
    return np.average(-(target * log_probability).sum(1), weights=weight)


@TAGGERS
@INPUTS
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["even", "weighted"])
@pytest.mark.parametrize("class_weight", [None, CLASS_WEIGHT, "balanced"])
def test_validation_loss_and_score_by_hand(Tagger, X, weight, class_weight):
    model = make(Tagger, class_weight=class_weight)
    train, held_out = slice(0, 20), slice(20, 30)
    y, labels = Y[held_out], join(Y[held_out])
    of_step, weights = np.ones(len(labels)), (None, None)
    if weight is not None:
        weights = weight[train], weight[held_out]
        of_step = np.repeat(weights[1], LENGTHS[held_out]).astype(float)
    if class_weight == "balanced":
        of_training = np.ones(20) if weight is None else weights[0].astype(float)
        of_training = np.repeat(of_training, LENGTHS[train])
        totals = np.bincount(join(Y[train]), weights=of_training)
        of_step *= (totals.sum() / (3 * totals))[labels]
    elif class_weight:
        of_step *= FACTOR[labels]
    validation = {"X_val": X[held_out], "y_val": y, "sample_weight_val": weights[1]}
    for _ in range(2):  # a second fit remembers nothing of the first
        model.fit(X[train], Y[train], weights[0], **validation)
        expected = compute_loss(model, X[held_out], y, of_step)
        assert_allclose(model.validation_loss_curve_[-1], expected, rtol=1e-10)
        hits = join(model.predict(X[held_out])) == labels
        score = np.average(hits, weights=of_step)
        assert_allclose(model.validation_scores_[-1], score, rtol=1e-10)


def first_gradient(Tagger, X, **params):
    """Gradient and loss at the first step, from what plain descent changes."""
    options = {"solver": "sgd", "momentum": 0.0, "learning_rate": "constant"}
    options |= {"gradient_clip": None, "warmup_epochs": 0, "max_iter": 1}
    params = {"y": Y, "sample_weight": None, **params}
    y, weight, rate = params.pop("y"), params.pop("sample_weight"), 1e-3
    start = make(Tagger, **options | params | {"learning_rate_init": 1e-300})
    moved = make(Tagger, **options | params | {"learning_rate_init": rate})
    models = [model.fit(X, y, weight) for model in (start, moved)]
    before, after = (
        [p.detach().numpy() for p in model.module_.parameters()] for model in models
    )
    changes = [(a - b) / rate for a, b in zip(before, after, strict=True)]
    return models[0], changes, models[0].loss_


CASES = {
    "plain": {},
    "weights": {"sample_weight": WEIGHT},
    "classes": {"class_weight": CLASS_WEIGHT},
    "both": {"class_weight": CLASS_WEIGHT, "sample_weight": WEIGHT},
    "smoothing": {"label_smoothing": 0.2},
    "all": {
        "class_weight": CLASS_WEIGHT,
        "sample_weight": WEIGHT,
        "label_smoothing": 0.2,
    },
}


@TAGGERS
@INPUTS
@pytest.mark.parametrize("params", CASES.values(), ids=CASES)
def test_loss_and_gradient_are_those_of_torch(Tagger, X, params):
    model, changes, loss = first_gradient(Tagger, X, **params)
    read = model._checked_inputs(X)
    inputs = {k: torch.from_numpy(a) for k, a in read.inputs(slice(None)).items()}
    labels = torch.from_numpy(join(Y))
    weight = np.repeat(params.get("sample_weight", np.ones(30)), LENGTHS).astype(float)
    weight *= FACTOR[labels] if "class_weight" in params else 1
    losses = functional.cross_entropy(
        model.module_(**inputs),
        labels,
        reduction="none",
        label_smoothing=params.get("label_smoothing", 0.0),
    )
    weight = torch.from_numpy(weight)
    expected = (losses * weight).sum() / weight.sum()
    assert_allclose(loss, expected.item(), rtol=1e-10)
    gradient = torch.autograd.grad(expected, list(model.module_.parameters()))
    for change, of_parameter in zip(changes, gradient, strict=True):
        # differences of numbers near one, divided by the rate of 1e-3
        assert_allclose(change, of_parameter.numpy(), atol=1e-11)


@TAGGERS
@INPUTS
def test_weights_are_repetition(Tagger, X):
    rows = np.repeat(np.arange(30), WEIGHT)
    weighted = make(Tagger).fit(X, Y, sample_weight=WEIGHT)
    repeated = make(Tagger).fit([X[i] for i in rows], [Y[i] for i in rows])
    expected = join(repeated.predict_proba(X))
    # sums in another order, through three steps of float64
    assert_allclose(join(weighted.predict_proba(X)), expected, rtol=1e-7)
    plain = make(Tagger).fit(X, Y)
    assert np.abs(join(plain.predict_proba(X)) - expected).max() > 1e-4
    of_step = np.repeat(WEIGHT, LENGTHS)
    hits = join(weighted.predict(X)) == join(Y)
    assert weighted.score(X, Y, WEIGHT) == np.average(hits, weights=of_step)
    assert weighted.score(X, Y) == hits.mean()


@TAGGERS
def test_balanced_classes_are_a_factor_of_their_counts(Tagger):
    counts = np.bincount(join(Y), weights=np.repeat(WEIGHT, LENGTHS))
    by_hand = dict(enumerate(counts.sum() / (3 * counts)))
    models = [
        make(Tagger, class_weight=c).fit(SERIES, Y, WEIGHT)
        for c in ("balanced", by_hand)
    ]
    balanced, expected = (join(model.predict_proba(SERIES)) for model in models)
    assert_allclose(balanced, expected, rtol=1e-12)


@TAGGERS
def test_a_class_of_weight_zero_does_not_count(Tagger):
    model = make(Tagger, class_weight={2: 0.0}).fit(SERIES, Y)
    # full batches: what is reported for the next epoch is the loss after this one
    longer = make(Tagger, class_weight={2: 0.0}, max_iter=4).fit(SERIES, Y)
    expected = compute_loss(model, SERIES, Y, (join(Y) != 2).astype(float))
    assert_allclose(longer.loss_, expected, rtol=1e-10)


@TAGGERS
def test_label_smoothing_counts_in_training_alone(Tagger):
    model = make(Tagger, label_smoothing=0.3)
    model.fit(SERIES, Y, X_val=SERIES, y_val=Y)
    longer = make(Tagger, label_smoothing=0.3, max_iter=4).fit(SERIES, Y)
    smoothed = compute_loss(model, SERIES, Y, smoothing=0.3)
    assert_allclose(longer.loss_, smoothed, rtol=1e-10)
    plain = compute_loss(model, SERIES, Y)
    assert_allclose(model.validation_loss_curve_[-1], plain, rtol=1e-10)


@TAGGERS
@pytest.mark.parametrize("class_weight", [None, CLASS_WEIGHT])
def test_one_step_sequences_are_a_table(Tagger, class_weight):
    """A row of a table is a sequence of one step, whatever way it comes in."""
    table, y = np.stack([x[0] for x in SERIES]), np.array([y[0] for y in Y])
    as_steps = make(Tagger, class_weight=class_weight)
    as_steps.fit(list(table[:, None]), y[:, None])
    as_table = make(Tagger, class_weight=class_weight).fit(table, y)
    # series without dtype are read as float32, and then trained in float64
    expected = as_table.predict_proba(table)
    assert_allclose(join(as_steps.predict_proba(list(table[:, None]))), expected)
    assert as_table.predict(table).shape == (30,)


def test_a_plain_cell_on_single_steps_is_a_perceptron():
    """The state before is zero: tanh of the channels, then a softmax."""
    steps = [x[:1] for x in SERIES]
    y = np.array([y[0] for y in Y])
    params = {"cell": "rnn", "bidirectional": False, "y": [row[:1] for row in Y]}
    model, changes, loss = first_gradient(RecurrentTagger, steps, **params)
    W, _, b, c, V, d = (p.detach().numpy() for p in model.module_.parameters())
    x = join(steps)
    x = (x - x.mean(0)) / x.std(0)
    h = np.tanh(x @ W.T + b + c)
    probability = np.exp(h @ V.T + d)
    probability /= probability.sum(1, keepdims=True)
    # the series were read as float32
    assert_allclose(join(model.predict_proba(steps)), probability, rtol=1e-5)
    assert_allclose(loss, -np.log(probability[np.arange(30), y]).mean(), rtol=1e-5)
    error = (probability - np.eye(3)[y]) / 30
    at_tanh = error @ V * (1 - h**2)
    by_hand = [at_tanh.T @ x, at_tanh.sum(0), at_tanh.sum(0), error.T @ h, error.sum(0)]
    found = [changes[0], *changes[2:]]
    for change, expected in zip(found, by_hand, strict=True):
        assert_allclose(change, expected, atol=1e-6)
    assert not changes[1].any()
