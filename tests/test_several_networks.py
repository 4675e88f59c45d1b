"""Several networks in one estimator: their mean, the best of them, and their state."""

import copy
import gc
import inspect
import itertools
import pickle
import warnings
import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, logsumexp
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.estimator_checks import check_estimator
from skorch.callbacks import Callback

import sknn
from sknn import MLPClassifier, MLPRegressor, Seq2SeqTransformer
from sknn.data import split_for_validation
from sknn.training import _fit
from sknn.training._submit import in_company

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    cls
    for cls in (getattr(sknn, name) for name in sknn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]
SUPERVISED = [
    cls for cls in ESTIMATORS if "n_networks" in inspect.signature(cls).parameters
]
ON_TABLES = [cls for cls in SUPERVISED if cls is not Seq2SeqTransformer]
CLASSIFIERS = [cls for cls in ON_TABLES if hasattr(cls, "predict_proba")]
REGRESSORS = [cls for cls in ON_TABLES if is_regressor(cls())]
PERCEPTRONS = [MLPClassifier, MLPRegressor]
ONE_EACH = [
    MLPClassifier,
    MLPRegressor,
    sknn.ConvRegressor,
    sknn.RecurrentTagger,
    sknn.TransformerClassifier,
    sknn.NodeRegressor,
    sknn.GraphClassifier,
]
WAYS = ["average", "best"]
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}  # some roundings of numbers near one


@pytest.fixture(scope="module")
def table():
    """Rows and labels of three classes."""
    return make_classification(60, 6, n_informative=4, n_classes=3, random_state=0)


@pytest.fixture(scope="module")
def numbers():
    """Rows and two columns of targets of unit scale."""
    X, y = make_regression(60, 6, n_targets=2, noise=5, random_state=0)
    return X, y / y.std(axis=0)


def make(Estimator, **changes):
    small = {"hidden_layer_sizes": (8,)} if Estimator in PERCEPTRONS else {}
    options = {"n_networks": 3, "max_iter": 4, "random_state": 0}
    return Estimator(**small | options | changes)


def answers(model, X):
    """Predictions, or probabilities where there are any."""
    if not hasattr(model, "predict_proba"):
        return model.predict(X)
    return model.predict_proba(X)


def assert_alike(one, other, X):
    """Compare networks, to rounding where one was trained as a part of another."""
    expected = answers(other, X)
    few = type(other) in PERCEPTRONS
    rtol, atol = (1e-10, 1e-10) if few else (0, 0)
    assert_allclose(answers(one, X), expected, rtol=rtol, atol=atol)


def data_for(Estimator, table, numbers):
    return (table[0], table[1]) if Estimator in CLASSIFIERS else numbers


def tolerance(array):
    return TOLERANCE[array.dtype.name]


def test_supervised_estimators_have_it_and_others_have_not():
    others = {"Autoencoder", "VariationalAutoencoder", "GANSampler"}
    assert {cls.__name__ for cls in ESTIMATORS} - others == {
        cls.__name__ for cls in SUPERVISED
    }
    for cls in SUPERVISED:
        assert (cls().n_networks, cls().combine) == (1, "average")
    assert not any(hasattr(getattr(sknn, name), "networks_") for name in others)


# Averages


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_probabilities_are_the_mean_of_the_networks(Estimator, table):
    X, y = table
    model = make(Estimator).fit(X, y)
    each = [network.predict_proba(X) for network in model.networks_]
    assert len(each) == 3
    assert np.ptp(each, axis=0).max() > 0.01
    proba = model.predict_proba(X)
    assert_allclose(proba, np.mean(each, axis=0), atol=tolerance(proba))
    assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    assert_allclose(model.predict_log_proba(X), np.log(proba), rtol=1e-5)
    assert model.score(X, y) == np.mean(model.predict(X) == y)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_predictions_are_the_mean_and_deviation_of_the_networks(Estimator, numbers):
    X, y = numbers
    model = make(Estimator).fit(X, y)
    each = np.array([network.predict(X) for network in model.networks_])
    mean, deviation = model.predict(X, return_std=True)
    assert_array_equal(mean, model.predict(X))
    assert mean.shape == deviation.shape == y.shape
    assert_allclose(mean, each.mean(axis=0), atol=tolerance(mean))
    assert_allclose(deviation, each.std(axis=0), atol=tolerance(mean))
    assert deviation.min() > 0
    assert len(model.predict(X[:, :], return_std=False)) == len(X)


@pytest.mark.parametrize(
    ("loss", "options"),
    [("poisson", {}), ("gamma", {}), ("quantile", {"quantile": [0.1, 0.5, 0.9]})],
)
def test_means_are_taken_after_the_link(numbers, loss, options):
    X, y = numbers[0], np.abs(numbers[1][:, 0]) + 0.1
    model = make(MLPRegressor, loss=loss, max_iter=60, **options).fit(X, y)
    each = np.array([network.predict(X) for network in model.networks_])
    mean, deviation = model.predict(X, return_std=True)
    assert_allclose(mean, each.mean(axis=0), rtol=1e-12)
    assert_allclose(deviation, each.std(axis=0), rtol=1e-9)
    weight = np.linspace(0, 1, len(X))
    alone = [network.score(X, y, weight) for network in model.networks_]
    assert min(alone) < model.score(X, y, weight) < 1


@pytest.mark.parametrize("kind", ["binary", "multilabel", "one"])
def test_probabilities_of_logistic_outputs(table, kind):
    X, y = table
    labels = {
        "binary": np.where(y == 0, "no", "yes"),
        "multilabel": np.stack([y == 0, y < 2], axis=1).astype(int),
        "one": np.zeros(len(y), int),
    }[kind]
    model = make(MLPClassifier, max_iter=30).fit(X, labels)
    proba = model.predict_proba(X)
    each = [network.predict_proba(X) for network in model.networks_]
    assert_allclose(proba, np.mean(each, axis=0), rtol=1e-12)
    predicted = model.predict(X)
    if kind == "multilabel":
        assert_array_equal(predicted, proba > 0.5)
    elif kind == "binary":
        assert_array_equal(predicted, np.where(proba[:, 1] > 0.5, "yes", "no"))
    else:
        assert not predicted.any()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_small_probabilities_are_not_lost(table, n_classes):
    """Far from the training rows all but one are below what floats can hold."""
    X, y = table[0], table[1] % n_classes
    model = make(MLPClassifier).fit(X, y)
    X = 1e4 * X
    raws = [network._raw_outputs(X) for network in model.networks_]
    if n_classes == 2:
        raws = [np.hstack([np.zeros_like(raw), raw]) for raw in raws]
    logs = logsumexp([log_softmax(raw, axis=1) for raw in raws], axis=0) - np.log(3)
    assert logs.min() < -1000
    found = model._predict_raw(X)
    if n_classes == 2:
        found = np.hstack([np.zeros_like(found), found])
    assert_allclose(log_softmax(found, axis=1), logs, rtol=1e-12, atol=1e-12)


def test_what_a_single_network_cannot_tell(numbers):
    X, y = numbers
    with pytest.raises(NotFittedError):
        MLPRegressor().predict(X, return_std=True)
    for changes in ({"n_networks": 1}, {"combine": "best"}):
        model = make(MLPRegressor, **changes).fit(X, y)
        with pytest.raises(ValueError, match="n_networks"):
            model.predict(X, return_std=True)


def test_networks_of_graphs_average_on_another_graph():
    edges = [(0, 1), (1, 2), (2, 3)]
    graph = sknn.Graph(np.eye(4)[:, :3], edges, y=[0, 1, 1, 0])
    model = make(sknn.NodeClassifier).fit(graph)
    other = sknn.Graph(np.eye(3)[:2], [(0, 1)])
    each = [network.predict_proba(other) for network in model.networks_]
    assert_allclose(model.predict_proba(other), np.mean(each, axis=0), atol=1e-6)


def test_taggers_average_at_each_step():
    X = [["a", "b", "c"], ["b"], ["c", "a"], ["a", "b", "c", "a"]]
    y = [[0, 1, 2], [1], [2, 0], [0, 1, 2, 0]]
    model = make(sknn.RecurrentTagger).fit(X, y)
    proba = model.predict_proba(X)
    for i, row in enumerate(proba):
        each = [network.predict_proba(X)[i] for network in model.networks_]
        assert_allclose(row, np.mean(each, axis=0), atol=1e-6)
        assert_array_equal(model.predict(X)[i], row.argmax(axis=1))
    hits = np.concatenate(list(model.predict(X))) == np.concatenate(y)
    assert model.score(X, y) == hits.mean()


# Sequences to sequences

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


# Members


@pytest.mark.parametrize("Estimator", ON_TABLES)
def test_networks_are_those_fitted_alone_with_their_seeds(Estimator, table, numbers):
    X, y = data_for(Estimator, table, numbers)
    model = make(Estimator).fit(X, y)
    assert len({network.random_state for network in model.networks_}) == 3
    for network in model.networks_:
        assert type(network) is Estimator and network.n_networks == 1
        alone = clone(network).fit(X, y)
        assert_alike(alone, network, X)
        assert_allclose(alone.loss_curve_, network.loss_curve_, rtol=1e-12)


def test_more_networks_are_the_same_ones_and_others(table):
    few, many = (make(MLPClassifier, n_networks=n).fit(*table) for n in (2, 4))
    for one, other in zip(few.networks_, many.networks_[:2], strict=True):
        assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_fitted_attributes_are_those_of_the_best(Estimator, table):
    model = make(Estimator).fit(*table)
    losses = [network.loss_ for network in model.networks_]
    best = model.networks_[int(np.argmin(losses))]
    assert model.loss_ == min(losses) < max(losses)
    for name in ("module_", "loss_curve_", "history_", "optimizer_", "n_iter_"):
        assert getattr(model, name) is getattr(best, name)
    assert_array_equal(model.transform(table[0]), best.transform(table[0]))
    assert_array_equal(model.classes_, [0, 1, 2])


def test_a_single_network_is_its_own_list(table):
    model = make(MLPClassifier, n_networks=1)
    with pytest.raises(AttributeError, match="networks_"):
        model.networks_  # noqa: B018
    assert model.fit(*table).networks_ == [model]
    is_gone = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert is_gone() is None
    finally:
        gc.enable()


def test_one_after_three(table):
    model = make(MLPClassifier).fit(*table).set_params(n_networks=1).fit(*table)
    alone = make(MLPClassifier, n_networks=1).fit(*table)
    assert model.networks_ == [model]
    assert vars(model).keys() == vars(alone).keys()
    assert_array_equal(model.predict_proba(table[0]), alone.predict_proba(table[0]))


@pytest.mark.parametrize("combine", WAYS)
@pytest.mark.parametrize("Estimator", [MLPRegressor, sknn.RecurrentRegressor])
def test_random_states(Estimator, combine, numbers):
    X, y = numbers

    def fit(random_state, n_fits=1):
        model = make(Estimator, combine=combine, random_state=random_state)
        return [model.fit(X, y).predict(X) for _ in range(n_fits)]

    once, again = fit(5, 2)
    assert_array_equal(once, again)
    first, second = fit(np.random.RandomState(5), 2)
    assert_array_equal(once, first)
    assert np.abs(first - second).max() > 1e-3
    before = np.random.get_state()  # noqa: NPY002 - scikit-learn's meaning of None
    try:
        np.random.seed(5)  # noqa: NPY002
        assert_array_equal(fit(None)[0], once)
    finally:
        np.random.set_state(before)  # noqa: NPY002


# The best


def fit_alone(model, X, y, seeds, **fit_params):
    """Fit a network alone with each of the seeds."""
    parameters = {"n_networks": 1, "combine": "average"}
    return [
        clone(model).set_params(random_state=seed, **parameters).fit(X, y, **fit_params)
        for seed in seeds
    ]


def seeds_of(random_state, n_networks=3):
    return random_state.randint(np.iinfo(np.int32).max, size=n_networks).tolist()


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_best_by_training_loss(Estimator, table):
    X, y = table
    model = make(Estimator, combine="best").fit(X, y)
    alone = fit_alone(model, X, y, seeds_of(check_random_state(0)))
    best = min(alone, key=lambda network: network.loss_)
    assert_alike(model, best, X)
    (network,) = model.networks_
    assert network.module_ is model.module_
    assert network.random_state == best.random_state


def test_the_best_goes_on_with_its_own_seed(table):
    model = make(MLPClassifier, combine="best", warm_start=True).fit(*table)
    (before,) = model.networks_
    assert before.random_state != seeds_of(check_random_state(0))[0]
    (after,) = model.fit(*table).networks_
    assert after.random_state == before.random_state
    assert len(after.loss_curve_) == 8


@pytest.mark.parametrize("early_stopping", [False, True])
def test_best_by_given_validation_rows(table, early_stopping):
    X, y = table
    given = {"X_val": X[40:], "y_val": y[40:]}
    model = make(
        MLPClassifier,
        combine="best",
        max_iter=20,
        n_networks=5,
        early_stopping=early_stopping,
        scoring="neg_log_loss",
        learning_rate_init=0.05,
    )
    model.fit(X[:40], y[:40], **given)
    seeds = seeds_of(check_random_state(0), 5)
    alone = fit_alone(model, X[:40], y[:40], seeds, **given)
    best = max(
        alone,
        key=lambda network: (
            network.best_validation_score_
            if early_stopping
            else network.validation_scores_[-1]
        ),
    )
    assert_alike(model, best, X)
    by_loss = min(alone, key=lambda network: network.loss_)
    assert early_stopping or by_loss is not best  # else it would tell nothing


@pytest.mark.parametrize("combine", WAYS)
@pytest.mark.parametrize("Estimator", [MLPRegressor, sknn.RecurrentRegressor])
def test_all_networks_stop_by_the_same_rows(Estimator, combine, numbers):
    X, y = numbers
    model = make(Estimator, combine=combine, early_stopping=True, max_iter=6)
    model.fit(X, y)
    random_state = check_random_state(0)
    rows = sknn.data._rows.Rows(np.arange(len(X)))
    train, held_out = split_for_validation(rows, 0.1, random_state)
    seeds = seeds_of(random_state)
    given = {"X_val": X[held_out.index], "y_val": y[held_out.index]}
    alone = fit_alone(model, X[train.index], y[train.index], seeds, **given)
    found = [network.best_validation_score_ for network in alone]
    assert model.best_validation_score_ == pytest.approx(max(found), rel=1e-5)
    if combine == "average":
        mean = np.mean([network.predict(X) for network in alone], axis=0)
        assert_allclose(model.predict(X), mean, atol=1e-5)


def test_the_others_are_freed(table):
    size = {}
    for n_networks, combine in ((1, "average"), (4, "best"), (4, "average")):
        options = {"n_networks": n_networks, "combine": combine}
        model = make(MLPClassifier, hidden_layer_sizes=(200,), **options).fit(*table)
        size[n_networks, combine] = len(pickle.dumps(model))
    assert size[4, "best"] < 1.2 * size[1, "average"]
    assert size[4, "average"] < 4 * size[1, "average"]


# State


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, "pickle"])
@pytest.mark.parametrize("Estimator", ONE_EACH)
def test_copies(Estimator, copied, table, numbers):
    X, y = data_for(Estimator, table, numbers)
    model = make(Estimator).fit(X, y)
    if copied == "pickle":
        written = pickle.dumps(model)
        of_networks = sum(len(pickle.dumps(network)) for network in model.networks_)
        assert len(written) < of_networks
        other = pickle.loads(written)
    else:
        other = copied(model)
    before = model.predict(X)
    assert_array_equal(other.predict(X), before)
    assert other.loss_curve_ == model.loss_curve_
    best = other.networks_[other._best]
    assert other.module_ is best.module_ and other.optimizer_ is best.optimizer_
    other.partial_fit(X, y)
    assert_array_equal(model.predict(X), before)
    assert_array_equal(other.predict(X), model.partial_fit(X, y).predict(X))
    assert clone(model).get_params() == model.get_params()


def test_an_optimizer_that_was_looked_at_is_not_written_twice(table):
    model = pickle.loads(pickle.dumps(make(MLPClassifier).fit(*table)))
    size = len(pickle.dumps(model))
    assert model.optimizer_.state
    assert len(pickle.dumps(model)) < size + 100  # its state is of 2000


@pytest.mark.parametrize("way", ["partial_fit", "warm_start"])
@pytest.mark.parametrize("Estimator", ONE_EACH)
def test_each_network_goes_on(Estimator, way, table, numbers):
    X, y = data_for(Estimator, table, numbers)
    model = make(Estimator, warm_start=True)
    alone = fit_alone(model, X, y, seeds_of(check_random_state(0)))
    method = "fit" if way == "warm_start" else way
    for network in [model.fit(X, y), *alone]:
        getattr(network, method)(X, y)
    for one, other in zip(model.networks_, alone, strict=True):
        assert_alike(one, other, X)
        assert len(one.loss_curve_) == 5 if way == "partial_fit" else 8


def test_what_changed_since_the_fit_is_heard_by_all(table):
    model = make(MLPClassifier, warm_start=True).fit(*table)
    model.set_params(activation="tanh", alpha=1.0).fit(*table)
    for network in model.networks_:
        assert network.module_.activation_name == "tanh"
        assert network.alpha == 1.0 and network.n_networks == 1


def test_partial_fit_keeps_all_and_answers_by_the_best(table):
    X, y = table
    model = make(MLPClassifier, combine="best")
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1, 2])
        assert len(model.networks_) == 3
        best = min(model.networks_, key=lambda network: network.loss_)
        assert_array_equal(model.predict_proba(X), best.predict_proba(X))
    model.set_params(warm_start=True).fit(X, y)
    assert len(model.networks_) == 1
    assert model.fit(X, y).loss_ < best.loss_


@pytest.mark.parametrize(
    ("fitted", "asked"),
    [
        ({"n_networks": 3}, {"n_networks": 2}),
        ({"n_networks": 1}, {"n_networks": 2}),
        ({"n_networks": 2}, {"n_networks": 1}),
        ({"n_networks": 2}, {"combine": "best"}),
    ],
)
def test_what_must_stay_as_fitted(table, fitted, asked):
    X, y = table
    model = make(MLPClassifier, **fitted).fit(X, y)
    before = model.predict_proba(X)
    model.set_params(**asked)
    (name,) = asked
    with pytest.raises(ValueError, match=f"{name} must stay as fitted"):
        model.partial_fit(X, y)
    assert_array_equal(model.predict_proba(X), before)
    model.fit(X, y)  # anew
    expected = make(MLPClassifier, **fitted | asked).fit(X, y)
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_input_loses_nothing(Estimator, method, table):
    X, y = table
    model = make(Estimator).fit(X, y)
    before, networks = model.predict_proba(X), model.networks_
    for bad, labels in ((X[:, :3], y), (X, np.where(y == 0, 7, y)), (X * np.nan, y)):
        if method == "fit" and not np.isnan(bad).any():
            continue
        with pytest.raises(ValueError):
            getattr(model, method)(bad, labels)
    assert_array_equal(model.predict_proba(X), before)
    assert model.networks_ == networks


@pytest.mark.parametrize("n_networks", [0, -1, 1.5, "2", None])
def test_numbers_of_networks_that_are_none(table, n_networks):
    with pytest.raises(ValueError, match="'n_networks' parameter"):
        make(MLPClassifier, n_networks=n_networks).fit(*table)


@pytest.mark.parametrize("n_networks", [1, 2])
def test_ways_to_combine_that_are_none(table, n_networks):
    with pytest.raises(ValueError, match="'combine' parameter"):
        make(MLPClassifier, n_networks=n_networks, combine="vote").fit(*table)


def test_names_of_columns_and_output_as_a_table(table):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(table[0], columns=list("abcdef"))
    model = make(MLPClassifier).set_output(transform="pandas").fit(X, table[1])
    assert_array_equal(model.feature_names_in_, X.columns)
    model.predict(X)
    assert model.transform(X).shape == (60, 8)
    for network in model.networks_:
        network.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[["b", "a", "c", "d", "e", "f"]])


# Training


@pytest.fixture
def calls(monkeypatch):
    """Lists of runs that `run_all` is given."""
    given, run_all = [], _fit.run_all

    def spy(runs):
        given.append(list(runs))
        run_all(runs)

    monkeypatch.setattr(_fit, "run_all", spy)
    return given


def test_perceptrons_are_trained_together_on_shared_rows(table, calls):
    make(MLPClassifier, early_stopping=True).fit(*table)
    (runs,) = calls
    assert len(runs) == 3
    assert all(run.rows is runs[0].rows for run in runs)
    assert all(run.net.task.validation is runs[0].net.task.validation for run in runs)


@pytest.mark.parametrize(
    "model",
    [
        make(MLPClassifier, solver="lbfgs"),
        make(MLPClassifier, callbacks=[Callback()]),
        make(sknn.ConvClassifier),
    ],
)
def test_others_are_trained_one_after_another(table, calls, model):
    model.fit(*table)
    assert [len(runs) for runs in calls] == [1, 1, 1]


def test_networks_of_a_fit_wait_for_company_together(table):
    waited = []

    def wait(runs):
        waited.append(len(runs))
        return [run.train_alone() for run in runs]

    with in_company(wait):
        model = make(MLPClassifier).fit(*table)
    assert waited == [3]
    expected = make(MLPClassifier).fit(*table).predict_proba(table[0])
    assert_allclose(model.predict_proba(table[0]), expected, rtol=1e-10)


def test_interrupted_before_the_others_have_begun(table):
    def wait(runs):
        first, *others = runs
        return [first.train_alone(), *(KeyboardInterrupt() for _ in others)]

    with in_company(wait), pytest.warns(UserWarning, match="interrupted"):
        model = make(MLPClassifier, early_stopping=True).fit(*table)
    (network,) = model.networks_
    assert network.n_iter_ == 4
    assert_array_equal(model.predict(table[0]), network.predict(table[0]))


class Saboteur(Callback):
    """Does harm in the epoch given to the networks of the given numbers.

    Numbers are counted by the class, since callbacks are cloned.
    """

    n_begun = 0

    def __init__(self, numbers, harm, epoch=2):
        self.numbers, self.harm, self.epoch = numbers, harm, epoch

    def on_train_begin(self, net, **kwargs):
        self.number_ = Saboteur.n_begun
        Saboteur.n_begun += 1

    def on_batch_begin(self, net, training=False, **kwargs):
        if len(net.history) == self.epoch and self.number_ in self.numbers:
            self.harm(net)


def poison(net):
    with torch.no_grad():
        next(net.module_.parameters()).fill_(np.nan)


def interrupt(net):
    raise KeyboardInterrupt


def fail(net):
    raise RuntimeError("out of order")


@pytest.fixture
def make_saboteur(monkeypatch):
    """Make a callback that counts from zero."""
    monkeypatch.setattr(Saboteur, "n_begun", 0)
    return Saboteur


@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_networks_that_diverge_are_left_out(Estimator, table, make_saboteur):
    X, y = table
    model = make(Estimator, callbacks=[make_saboteur([1], poison)])
    with pytest.warns(ConvergenceWarning, match="1 of 3 networks are left out.*finite"):
        model.fit(X, y)
    alone = fit_alone(make(Estimator), X, y, seeds_of(check_random_state(0)))
    mean = np.mean([alone[k].predict_proba(X) for k in (0, 2)], axis=0)
    assert len(model.networks_) == 2
    assert_allclose(model.predict_proba(X), mean, atol=1e-6)
    model.set_params(callbacks=None).partial_fit(X, y)  # with those there are
    assert len(model.networks_) == 2


def test_divergence_of_all_is_an_error(table, make_saboteur):
    X, y = table
    model = make(MLPClassifier, callbacks=[make_saboteur([0, 1, 2], poison)])
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("combine", WAYS)
def test_interrupted_while_the_second_is_trained(combine, table, make_saboteur):
    X, y = table
    callbacks = [make_saboteur([1], interrupt, epoch=3)]
    model = make(MLPClassifier, callbacks=callbacks, combine=combine)
    with pytest.warns(UserWarning) as warned:
        model.fit(X, y)
    messages = [str(warning.message) for warning in warned]
    assert "Training interrupted by user." in messages
    assert sum("1 of 3 networks are left out" in message for message in messages) == 1
    seeds = seeds_of(check_random_state(0))
    first, second = (
        make(MLPClassifier, n_networks=1, random_state=seed, max_iter=n).fit(X, y)
        for seed, n in ((seeds[0], 4), (seeds[1], 2))
    )
    expected = [first.predict_proba(X), second.predict_proba(X)]
    if combine == "best":
        expected = expected[: 1 if first.loss_ < second.loss_ else None][-1:]
    assert_allclose(model.predict_proba(X), np.mean(expected, axis=0), rtol=1e-12)


def test_interrupted_before_any_epoch(table, make_saboteur):
    callbacks = [make_saboteur([0], interrupt, epoch=1)]
    model = make(MLPClassifier, callbacks=callbacks)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(*table)
    assert len(model.networks_) == 3  # none is better than another


def test_what_a_callback_raises_ends_the_fit(table, make_saboteur):
    model = make(MLPClassifier, callbacks=[make_saboteur([1], fail)])
    with pytest.raises(RuntimeError, match="out of order"):
        model.fit(*table)
    assert Saboteur.n_begun == 2
    assert np.isfinite(model.predict_proba(table[0])).all()


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("Estimator", [MLPClassifier, sknn.ConvClassifier])
def test_warnings_come_once(Estimator, table):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        make(Estimator, batch_size=100).fit(*table)
    messages = [str(warning.message) for warning in warned]
    assert len(messages) == 2
    assert sum("Maximum iterations (4)" in message for message in messages) == 1
    assert sum("batch_size=100" in message for message in messages) == 1


class Recorder:
    """A scikit-learn callback that keeps what it is told, and may stop an epoch."""

    def __init__(self):
        self.calls, self.scores = [], []

    def setup(self, estimator, context):
        self.calls.append(("setup", context.max_subtasks))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.max_subtasks))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.calls.append(("end", context.task_name))
        self.scores.append(fitted_estimator.predict_proba(X))


def test_contexts_of_scikit_learn_s_callbacks(table):
    X, y = table
    recorder = Recorder()
    model = make(MLPClassifier, n_networks=2, max_iter=3).set_callbacks(recorder)
    model.fit(X, y)
    epochs = [("begin", "epoch"), ("end", "epoch")] * 3
    network = [("begin", "network"), *epochs, ("end", "network")]
    assert recorder.calls == [
        ("setup", 2),
        ("begin", "fit"),
        *network * 2,
        ("end", "fit"),
        ("teardown", 2),
    ]
    expected = []
    for seed in seeds_of(check_random_state(0), 2):
        alone = make(MLPClassifier, n_networks=1, random_state=seed)
        for n in (1, 2, 3, 3):
            expected += [alone.set_params(max_iter=n).fit(X, y).predict_proba(X)]
    assert_allclose(recorder.scores, [*expected, model.predict_proba(X)], rtol=1e-12)
    assert model.networks_[0].__dict__.keys().isdisjoint({"_skl_callbacks"})


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        *(cls(n_networks=2, combine=how) for cls in PERCEPTRONS for how in WAYS),
        sknn.GraphRegressor(n_networks=2, max_iter=50),
        sknn.ConvClassifier(n_networks=2, conv_channels=(8,), hidden_layer_sizes=16),
    ],
)
def test_check_estimator(model):
    check_estimator(model, on_skip=None)
