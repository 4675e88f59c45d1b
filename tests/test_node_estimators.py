"""Estimators of nodes: three ways in, unknown targets, searches, and what is kept."""

import copy
import pickle
import random

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    PredefinedSplit,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)

from sknn import Graph, NodeClassifier, NodeRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CONVOLUTIONS = ["gcn", "sage", "gat", "gin"]
BOTH = [NodeClassifier, NodeRegressor]
FORMS = ["graph", "numbers", "rows"]
N = 60


def make_blocks(n=N, seed=0):
    """Graph of three groups that keep to themselves, whose features hint at them."""
    random = np.random.RandomState(seed)
    y = random.permutation(np.arange(n) % 3)
    chance = np.where(y[:, None] == y, 0.3, 0.03)
    upper = np.triu(random.uniform(size=(n, n)) < chance, 1)
    X = random.normal(size=(n, 4)) + 0.5 * np.eye(3, 4)[y]
    return Graph(X, (upper | upper.T).astype(float), y)


GRAPH = make_blocks()
BARE = GRAPH.replace(X=None)
NUMBERS = np.arange(N)
X, Y = GRAPH.X, GRAPH.y
REAL = X @ [1.0, -1.0, 0.5, 0.0] + Y
TARGETS = {NodeClassifier: Y, NodeRegressor: REAL}
TRAIN = np.random.RandomState(1).permutation(N)[: N // 2]
TEST = np.setdiff1d(NUMBERS, TRAIN)


def make(Estimator=NodeClassifier, **params):
    return Estimator(**{"max_iter": 5, "random_state": 0} | params)


def model_and_inputs(Estimator, form, **params):
    """An unfitted estimator, inputs of that form, and their targets."""
    if form == "numbers":
        params["graph"] = GRAPH
    inputs = {"graph": GRAPH, "numbers": NUMBERS, "rows": X}[form]
    return make(Estimator, **params), inputs, TARGETS[Estimator]


def get_weights(model):
    values = model.module_.state_dict().values()
    return np.concatenate([value.numpy().ravel() for value in values])


def get_outputs(model, inputs):
    return getattr(model, "predict_proba", model.predict)(inputs)


def without(y, nodes):
    """Targets as real numbers, those of some nodes unknown."""
    y = np.array(y, dtype=float)
    y[nodes] = np.nan
    return y


# Three ways in


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_numbers_are_a_graph_with_some_known_targets(Estimator, conv):
    y = TARGETS[Estimator]
    whole = make(Estimator, conv=conv).fit(GRAPH, without(y, TEST))
    known = np.sort(TRAIN)
    model = make(Estimator, conv=conv, graph=GRAPH).fit(known, y[known])
    assert_array_equal(get_weights(model), get_weights(whole))
    outputs = get_outputs(whole, GRAPH)
    assert_array_equal(get_outputs(model, GRAPH), outputs)
    # a few nodes are computed without the others: sums of float32 in another order
    few = TEST[::-1][:3]
    assert_allclose(get_outputs(model, few), outputs[few], rtol=1e-4, atol=1e-5)
    assert_allclose(model.transform(few), whole.transform(GRAPH)[few], atol=1e-5)


def test_the_order_of_numbers_is_that_of_answers_and_they_may_be_repeated():
    model = make(graph=GRAPH).fit(NUMBERS, Y)
    outputs = model.predict_proba(NUMBERS)
    several = np.array([7, 3, 7, 59, 0])
    assert_allclose(model.predict_proba(several), outputs[several], rtol=1e-5)
    assert_array_equal(model.predict_proba(several[:, None]).shape, (5, 3))
    for form in (list, pd.Series, lambda x: pd.DataFrame({"node": x}), np.float64):
        assert_array_equal(
            model.predict_proba(form(several)), model.predict_proba(several)
        )


@pytest.mark.parametrize("Estimator", BOTH)
def test_graphs_of_networkx(Estimator):
    club = nx.karate_club_graph()
    y = np.array([club.nodes[node]["club"] == "Officer" for node in club])
    y = y.astype(int) if Estimator is NodeClassifier else y.astype(float)
    ours = Graph.from_networkx(club)
    model = make(Estimator).fit(ours, y)
    other = make(Estimator).fit(club, y)
    assert_array_equal(get_outputs(other, club), get_outputs(model, ours))
    by_number = make(Estimator, graph=club).fit(np.arange(34), y)
    assert_array_equal(get_outputs(by_number, club), get_outputs(model, ours))
    for node in club:
        club.nodes[node]["y"] = y[node]
    assert_array_equal(
        get_outputs(make(Estimator).fit(club), ours), get_outputs(model, ours)
    )


def test_targets_of_the_graph_are_taken_where_none_are_given():
    model = make().fit(GRAPH, Y)
    bare = GRAPH.replace(y=None)
    assert_array_equal(get_weights(make().fit(GRAPH)), get_weights(model))
    by_number = make(graph=GRAPH).fit(TRAIN)
    assert_array_equal(
        get_weights(by_number), get_weights(make(graph=bare).fit(TRAIN, Y[TRAIN]))
    )
    assert by_number.score(TEST) == by_number.score(TEST, Y[TEST])
    assert model.score(GRAPH) == model.score(bare, Y)
    other = GRAPH.replace(y=(Y + 1) % 3)  # what is given wins
    assert_array_equal(get_weights(make().fit(other, Y)), get_weights(model))


@pytest.mark.parametrize("Estimator", BOTH)
def test_rows_hear_their_nearest_training_rows(Estimator):
    """A graph made by hand is the same."""
    y = TARGETS[Estimator]
    model = make(Estimator, n_neighbors=4, standardize=False).fit(X[TRAIN], y[TRAIN])
    assert model.n_features_in_ == 4
    distance = np.linalg.norm(X[TRAIN][:, None] - X[TRAIN], axis=2)
    np.fill_diagonal(distance, np.inf)
    near = distance <= np.sort(distance)[:, [3]]
    graph = Graph(X[TRAIN], near.T.astype(float), directed=True)
    assert_array_equal(model.graph_.adjacency.toarray(), graph.adjacency.toarray())
    same = make(Estimator, standardize=False, dtype="float64").fit(graph, y[TRAIN])
    assert_allclose(get_weights(same), get_weights(model), rtol=1e-12)
    # a new row hears the four nearest, and nobody hears it
    distance = np.linalg.norm(X[TEST[0]] - X[TRAIN], axis=1)
    adjacency = np.zeros((len(TRAIN) + 1,) * 2)
    adjacency[:-1, :-1] = graph.adjacency.toarray()
    adjacency[np.argsort(distance)[:4], -1] = 1
    joined = Graph(np.vstack([X[TRAIN], X[TEST[:1]]]), adjacency, directed=True)
    expected = get_outputs(same, joined)[-1:]
    assert_allclose(get_outputs(model, X[TEST[:1]]), expected, rtol=1e-9)


@pytest.mark.parametrize("standardize", [True, False])
def test_distances_are_those_of_standardized_features(standardize):
    factor = np.array([1.0, 1000.0, 0.001, 5.0])
    models = [make(standardize=standardize).fit(rows, Y) for rows in (X, X * factor)]
    one, other = (model.graph_.adjacency for model in models)
    assert ((one != other).nnz == 0) == standardize


def test_names_of_columns():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = make().fit(frame, Y)
    assert list(model.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("dcba")])
    model.fit(GRAPH)
    assert model.n_features_in_ == 4 and not hasattr(model, "feature_names_in_")
    model.fit(BARE, Y)
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("Estimator", BOTH)
def test_rows_have_pipelines_and_searches_as_any(Estimator):
    y = TARGETS[Estimator]
    search = GridSearchCV(make(Estimator), {"n_neighbors": [2, 8]}, cv=3).fit(X, y)
    assert search.best_params_["n_neighbors"] in (2, 8)
    predicted = cross_val_predict(make(Estimator), X, y, cv=KFold(3))
    for train, test in KFold(3).split(X):
        alone = make(Estimator).fit(X[train], y[train]).predict(X[test])
        assert_array_equal(predicted[test], alone)


# Unknown targets


WORDS = np.array(["red", "green", "blue"], dtype=object)[Y]
UNKNOWN = {
    "minus one": lambda: np.where(np.isin(NUMBERS, TEST), -1, Y),
    "nan": lambda: without(Y, TEST),
    "none": lambda: [None if i in TEST else int(y) for i, y in enumerate(Y)],
    "pandas na": lambda: [pd.NA if i in TEST else int(y) for i, y in enumerate(Y)],
    "nullable": lambda: pd.Series(Y, dtype="Int64").mask(np.isin(NUMBERS, TEST)),
    "minus one among floats": lambda: np.where(np.isin(NUMBERS, TEST), -1.0, Y),
    "objects": lambda: np.where(np.isin(NUMBERS, TEST), None, Y),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_nodes_without_a_label(name):
    y = UNKNOWN[name]()
    expected = make(graph=GRAPH).fit(np.sort(TRAIN), Y[np.sort(TRAIN)])
    for model in (make().fit(GRAPH, y), make().fit(GRAPH.replace(y=y))):
        assert_array_equal(get_weights(model), get_weights(expected))
        assert_array_equal(model.classes_, [0, 1, 2])
        known = expected.score(TRAIN, Y[TRAIN])
        assert model.score(GRAPH, y) == pytest.approx(known)
    by_number = make(graph=GRAPH).fit(NUMBERS, y)
    assert_array_equal(get_weights(by_number), get_weights(expected))


@pytest.mark.parametrize(
    "unknown", [None, np.nan, pd.NA, -1], ids=["None", "nan", "NA", "-1"]
)
@pytest.mark.parametrize(
    "form", [np.array, list, pd.Series, lambda y: pd.Series(y, dtype="category")]
)
def test_words_as_labels(form, unknown):
    y = WORDS.copy()
    y[TEST] = unknown
    y = form(y)
    model = make().fit(GRAPH, y)
    assert list(model.classes_) == ["blue", "green", "red"]
    expected = make(graph=GRAPH).fit(np.sort(TRAIN), WORDS[np.sort(TRAIN)])
    assert_array_equal(get_weights(model), get_weights(expected))
    assert set(model.predict(GRAPH)) <= set(WORDS)


def test_strings_of_pandas_with_missing_ones():
    y = pd.Series(WORDS, dtype="string").mask(np.isin(NUMBERS, TEST))
    model = make().fit(GRAPH, y)
    expected = make(graph=GRAPH).fit(np.sort(TRAIN), WORDS[np.sort(TRAIN)])
    assert_array_equal(get_weights(model), get_weights(expected))


def test_labels_that_are_floats_stay_floats():
    y = without(Y + 0.0, TEST)
    assert make().fit(GRAPH, y).classes_.dtype == np.float64
    assert_array_equal(make().fit(GRAPH, y).classes_, [0.0, 1.0, 2.0])


def test_of_rows_of_features_minus_one_is_a_class():
    model = make().fit(X, np.where(Y == 0, -1, Y))
    assert_array_equal(model.classes_, [-1, 1, 2])


def test_minus_one_is_a_number_to_a_regressor():
    y = np.where(np.isin(NUMBERS, TEST), -1.0, REAL)
    model = make(NodeRegressor, graph=GRAPH).fit(NUMBERS, y)
    one_by_one = make(NodeRegressor).fit(GRAPH, y)
    assert_array_equal(get_weights(model), get_weights(one_by_one))
    fewer = make(NodeRegressor).fit(GRAPH, without(REAL, TEST))
    assert not np.allclose(get_weights(fewer), get_weights(model))


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_several_labels_a_node(form, as_sparse):
    model, inputs, _ = model_and_inputs(NodeClassifier, form)
    labels = np.column_stack([Y == 0, Y != 1]).astype(int)
    y = sparse.csr_array(labels) if as_sparse else labels
    model.fit(inputs, y)
    assert model.predict_proba(inputs).shape == (N, 2)
    assert set(np.unique(model.predict(inputs))) <= {0, 1}
    assert model.score(inputs, labels) == model.score(inputs, y)


@pytest.mark.parametrize("unknown", [-1, np.nan])
def test_several_labels_of_some_nodes(unknown):
    labels = np.column_stack([Y == 0, Y != 1]).astype(float)
    known = np.sort(TRAIN)
    expected = make(graph=GRAPH).fit(known, labels[known])
    labels[TEST] = unknown
    model = make().fit(GRAPH, labels)
    assert_array_equal(get_weights(model), get_weights(expected))


@pytest.mark.parametrize("form", FORMS)
def test_several_real_targets_a_node(form):
    model, inputs, _ = model_and_inputs(NodeRegressor, form)
    y = np.column_stack([REAL, X[:, 0], -REAL])
    assert model.fit(inputs, y).predict(inputs).shape == (N, 3)
    if form == "rows":
        return
    partly = y.copy()
    partly[TEST, 1] = np.nan  # the whole node counts as unknown
    expected = make(NodeRegressor, graph=GRAPH).fit(np.sort(TRAIN), y[np.sort(TRAIN)])
    assert_array_equal(get_weights(model.fit(inputs, partly)), get_weights(expected))


@pytest.mark.parametrize("form", FORMS)
def test_class_weight_is_repetition(form):
    """Nodes may be named several times; the mean over them is the weighted one."""
    weights = {0: 3, 1: 1, 2: 2}
    params = {"dropout": 0.0, "dtype": "float64", "alpha": 0.0}
    weighted = make(class_weight=weights, graph=GRAPH, **params).fit(NUMBERS, Y)
    often = np.repeat(NUMBERS, [weights[label] for label in Y])
    repeated = make(graph=GRAPH, **params).fit(often, Y[often])
    assert_allclose(get_weights(weighted), get_weights(repeated), rtol=1e-9)
    model, inputs, y = model_and_inputs(NodeClassifier, form, **params)
    plain = get_weights(model.fit(inputs, y))
    model.set_params(class_weight=weights).fit(inputs, y)
    assert not np.allclose(get_weights(model), plain)
    counts = np.bincount(Y)
    balanced = {c: N / (3 * n) for c, n in enumerate(counts)}
    assert_allclose(
        get_weights(model.set_params(class_weight="balanced").fit(inputs, y)),
        get_weights(model.set_params(class_weight=balanced).fit(inputs, y)),
    )


# No test label is seen


def scramble(y, nodes):
    """Targets of which those of some nodes have changed places."""
    y = np.array(y)
    y[nodes] = np.roll(y[nodes], 1)
    return y


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", ["graph", "numbers"])
@pytest.mark.parametrize("Estimator", BOTH)
def test_labels_of_test_nodes_decide_nothing(Estimator, form, conv):
    fits = []
    for y in (TARGETS[Estimator], scramble(TARGETS[Estimator], TEST)):
        graph = GRAPH.replace(y=y)
        if form == "graph":
            model = make(Estimator, conv=conv).fit(graph, without(y, TEST))
        else:
            model = make(Estimator, conv=conv, graph=graph).fit(TRAIN, y[TRAIN])
        fits.append((get_weights(model), get_outputs(model, graph), y))
    (weights, outputs, y), (other_weights, other_outputs, other_y) = fits
    assert not np.array_equal(y, other_y)
    assert_array_equal(weights, other_weights)
    assert_array_equal(outputs, other_outputs)


@pytest.mark.parametrize("Estimator", BOTH)
def test_features_of_test_nodes_are_heard(Estimator):
    """It is transductive: all nodes and edges are there from the start."""
    y, changed = TARGETS[Estimator], X.copy()
    changed[TEST] *= 2
    model = make(Estimator, graph=GRAPH).fit(TRAIN, y[TRAIN])
    other = make(Estimator, graph=GRAPH.replace(X=changed)).fit(TRAIN, y[TRAIN])
    assert not np.allclose(get_weights(other), get_weights(model))


@pytest.mark.parametrize("Estimator", BOTH)
def test_cross_validation_fits_the_whole_graph(Estimator):
    y, folds = TARGETS[Estimator], KFold(3, shuffle=True, random_state=0)
    predicted = cross_val_predict(make(Estimator, graph=GRAPH), NUMBERS, y, cv=folds)
    scores = cross_val_score(make(Estimator, graph=GRAPH), NUMBERS, y, cv=folds)
    for (train, test), score in zip(folds.split(NUMBERS), scores, strict=True):
        model = make(Estimator).fit(GRAPH, without(y, test))
        hidden = GRAPH.replace(y=without(y, train))
        assert_allclose(predicted[test], model.predict(GRAPH)[test], rtol=1e-4)
        assert score == pytest.approx(model.score(hidden), rel=1e-4)
        assert len(train) + len(test) == N


@pytest.mark.parametrize("Estimator", BOTH)
def test_folds_do_not_see_their_test_labels(Estimator):
    y = TARGETS[Estimator]
    folds = PredefinedSplit(np.where(np.isin(NUMBERS, TEST), 0, -1))
    found = []
    for labels in (y, scramble(y, TEST)):
        model = make(Estimator, graph=GRAPH.replace(y=labels))
        options = {"cv": folds, "return_estimator": True, "return_indices": True}
        (fitted,) = cross_validate(model, NUMBERS, labels, **options)["estimator"]
        found.append((get_weights(fitted), get_outputs(fitted, NUMBERS)))
    assert_array_equal(found[0][0], found[1][0])
    assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("column", [False, True])
def test_searches_over_numbers(column):
    numbers = NUMBERS[:, None] if column else NUMBERS
    folds = KFold(2, shuffle=True, random_state=0)
    grid = {"conv": ["gcn", "gin"], "hidden_layer_sizes": [(4,), (8, 8)]}
    search = GridSearchCV(make(graph=GRAPH), grid, cv=folds).fit(numbers, Y)
    for params, score in zip(
        search.cv_results_["params"],
        search.cv_results_["mean_test_score"],
        strict=True,
    ):
        expected = [
            make(graph=GRAPH, **params).fit(train, Y[train]).score(test, Y[test])
            for train, test in folds.split(NUMBERS)
        ]
        assert score == pytest.approx(np.mean(expected))
    assert search.best_estimator_.graph is GRAPH
    assert_array_equal(search.predict(numbers), search.predict(NUMBERS))
    options = {"n_iter": 2, "cv": folds, "random_state": 0}
    drawn = RandomizedSearchCV(make(graph=GRAPH), grid, **options).fit(numbers, Y)
    assert drawn.best_score_ in search.cv_results_["mean_test_score"]


def test_graphs_can_be_searched_over():
    """A Graph is one value of a parameter, although it has many nodes."""
    emptied = Graph(X, [], Y)
    grid = {"graph": [GRAPH, emptied], "conv": ["sage"], "max_iter": [30]}
    search = GridSearchCV(make(), grid, cv=KFold(3)).fit(NUMBERS, Y)
    assert search.best_params_["graph"] is GRAPH


@pytest.mark.parametrize("incremental", [False, True])
def test_learning_curves(incremental):
    folds = KFold(3, shuffle=True, random_state=0)
    sizes, train_scores, test_scores = learning_curve(
        make(graph=GRAPH),
        NUMBERS,
        Y,
        cv=folds,
        train_sizes=[0.5, 1.0],
        exploit_incremental_learning=incremental,
    )
    assert list(sizes) == [20, 40] and train_scores.shape == test_scores.shape == (2, 3)
    train, test = next(folds.split(NUMBERS))
    model = make(graph=GRAPH)
    if incremental:
        model.partial_fit(train[:20], Y[train[:20]], classes=[0, 1, 2])
    else:
        model.fit(train[:20], Y[train[:20]])
    assert test_scores[0, 0] == pytest.approx(model.score(test, Y[test]))
    _, scores = validation_curve(
        make(graph=GRAPH),
        NUMBERS,
        Y,
        cv=folds,
        param_name="max_iter",
        param_range=[1, 5],
    )
    model = make(graph=GRAPH).fit(train, Y[train])
    assert scores[1, 0] == pytest.approx(model.score(test, Y[test]))


# Graphs never seen


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_a_new_graph_is_answered_as_part_of_a_larger_one(Estimator, form, conv):
    """Nodes hear none of another component."""
    new = make_blocks(25, seed=5)
    model, inputs, y = model_and_inputs(Estimator, form, conv=conv)
    model.fit(inputs, y)
    both = Graph(
        np.concatenate([X, new.X]),
        sparse.block_diag([GRAPH.adjacency, new.adjacency]),
    )
    outputs = get_outputs(model, both)
    assert_allclose(get_outputs(model, new), outputs[N:], rtol=1e-4, atol=1e-6)
    assert_allclose(get_outputs(model, GRAPH), outputs[:N], rtol=1e-4, atol=1e-6)
    assert len(model.transform(new)) == 25
    if Estimator is NodeClassifier:
        assert 0 <= model.score(new) <= 1


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_structure_serves_every_graph(conv):
    params = {"conv": conv, "node_features": "structure"}
    model = make(**params).fit(BARE, Y)
    given = make(conv=conv).fit(BARE.with_structure(), Y)
    assert_array_equal(get_weights(model), get_weights(given))
    new = make_blocks(25, seed=5).replace(X=None)
    assert_array_equal(
        model.predict_proba(new), given.predict_proba(new.with_structure())
    )
    by_number = make(graph=BARE, **params).fit(NUMBERS, Y)
    assert_array_equal(get_weights(by_number), get_weights(model))
    assert not hasattr(model, "n_features_in_")


def test_features_that_are_there_are_taken_in_any_case():
    with pytest.warns(UserWarning, match="has no effect: nodes have features"):
        model = make(node_features="structure").fit(GRAPH)
    assert_array_equal(get_weights(model), get_weights(make().fit(GRAPH)))


@pytest.mark.parametrize("name", ["auto", "embedding"])
def test_vectors_of_nodes_are_learned(name):
    params = {"node_features": name, "hidden_layer_sizes": (16,)}
    model = make(max_iter=50, **params).fit(BARE, Y)
    vectors = model.module_.embedding.weight
    start = make(learning_rate_init=1e-300, **params).fit(BARE, Y)
    assert vectors.shape == (N, 16)
    moved = (vectors - start.module_.embedding.weight).abs().amax(1)
    assert (moved > 0).all()
    assert model.score(BARE, Y) > 0.9
    other = BARE.subgraph(np.arange(N)[::-1])  # as many nodes: they keep their vectors
    assert model.predict(other).shape == (N,)


def test_numbers_of_nodes_are_never_features():
    """Ids of any size: only which node they name matters."""
    model = make(graph=GRAPH, dropout=0.0).fit(TRAIN, Y[TRAIN])
    order = np.random.RandomState(0).permutation(N)
    moved = GRAPH.subgraph(order)
    places = np.argsort(order)
    other = make(graph=moved, dropout=0.0).fit(places[TRAIN], Y[TRAIN])
    assert_allclose(
        other.predict_proba(places), model.predict_proba(NUMBERS), atol=1e-4
    )


# Training goes on


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_partial_fits_are_epochs(Estimator, form, conv):
    params = {"dropout": 0.0, "conv": conv, "max_iter": 4, "dtype": "float64"}
    params |= {"learning_rate": "constant"}
    model, inputs, y = model_and_inputs(Estimator, form, tol=0.0, **params)
    whole = clone(model).fit(inputs, y)
    first = {"classes": [0, 1, 2]} if Estimator is NodeClassifier else {}
    for _ in range(4):
        model.partial_fit(inputs, y, **first)
    assert_allclose(get_weights(model), get_weights(whole), rtol=1e-9)
    assert_allclose(model.loss_curve_, whole.loss_curve_, rtol=1e-9)
    assert_allclose(get_outputs(model, inputs), get_outputs(whole, inputs))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_warm_start_goes_on(Estimator, form):
    """By plain gradient steps there is nothing to remember but the weights."""
    params = {"dropout": 0.0, "solver": "sgd", "momentum": 0, "dtype": "float64"}
    params |= {"tol": 0.0, "learning_rate_init": 0.05, "learning_rate": "constant"}
    model, inputs, y = model_and_inputs(Estimator, form, warm_start=True, **params)
    model.set_params(max_iter=3).fit(inputs, y).fit(inputs, y)
    whole, *_ = model_and_inputs(Estimator, form, **params)
    whole.set_params(max_iter=6).fit(inputs, y)
    assert_allclose(get_weights(model), get_weights(whole), rtol=1e-9)
    model.set_params(warm_start=False).fit(inputs, y)
    whole.set_params(max_iter=3).fit(inputs, y)
    assert_array_equal(get_weights(model), get_weights(whole))


def test_later_parts_are_of_new_graphs():
    new = make_blocks(25, seed=5)
    model = make().fit(GRAPH)
    before = get_weights(model)
    model.partial_fit(new)
    assert not np.array_equal(get_weights(model), before)
    again = make().fit(GRAPH).partial_fit(new)
    assert_array_equal(get_weights(model), get_weights(again))
    other = make(graph=GRAPH).fit(NUMBERS, Y).set_params(graph=new)
    other.partial_fit(np.arange(25), new.y)
    assert_array_equal(get_weights(other), get_weights(model))
    assert other.graph_ is new
    assert other.predict(np.arange(25)).shape == (25,)


def test_later_rows_are_neighbours_of_one_another():
    model = make().partial_fit(X[:40], Y[:40], classes=[0, 1, 2])
    model.partial_fit(X[40:], Y[40:])
    assert_array_equal(model.graph_.X, X[40:])
    near = make(n_neighbors=10).fit(X[40:], Y[40:]).graph_
    assert_array_equal(model.graph_.adjacency.toarray(), near.adjacency.toarray())


@pytest.mark.parametrize("form", FORMS)
def test_classes_that_come_later(form):
    model, inputs, y = model_and_inputs(NodeClassifier, form)
    some = inputs if form == "graph" else inputs[Y < 2]
    labels = np.where(Y < 2, Y, -1) if form == "graph" else Y[Y < 2]
    model.partial_fit(some, labels, classes=[0, 1, 2])
    assert model.predict_proba(inputs).shape == (N, 3)
    assert model.partial_fit(inputs, y).score(inputs, y) >= 0


# Validation


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_validation_scores_are_scores(Estimator, form):
    model, inputs, y = model_and_inputs(Estimator, form)
    if form == "graph":
        val = make_blocks(30, seed=7)
        y_val = val.y if Estimator is NodeClassifier else val.X[:, 0]
        y_val = without(y_val, [0, 4])
    else:
        val = inputs[TEST]
        y_val = y[TEST]
    model.fit(inputs, y, X_val=val, y_val=y_val)
    assert len(model.validation_scores_) == 5
    score = model.score(val, y_val)
    assert model.validation_scores_[-1] == pytest.approx(score, rel=1e-4)
    plain, *_ = model_and_inputs(Estimator, form)
    assert_array_equal(get_weights(plain.fit(inputs, y)), get_weights(model))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("Estimator", BOTH)
def test_early_stopping_keeps_the_best_weights(Estimator, form, given):
    options = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 100}
    options |= {"learning_rate_init": 0.1, "validation_fraction": 0.3}
    model, inputs, y = model_and_inputs(Estimator, form, **options)
    val = {"X_val": inputs, "y_val": y} if given else {}
    model.fit(inputs, y, **val)
    assert model.best_validation_score_ == max(model.validation_scores_)
    if given:
        score = model.score(inputs, y)
        assert score == pytest.approx(model.best_validation_score_, rel=1e-4)
    assert model.n_iter_ < 100


def test_validation_targets_are_the_graphs_own():
    val = make_blocks(30, seed=7)
    model = make().fit(GRAPH, X_val=val)
    other = make().fit(GRAPH, X_val=val, y_val=val.y)
    assert model.validation_scores_ == other.validation_scores_
    assert_array_equal(
        make(graph=GRAPH).fit(TRAIN, X_val=TEST).validation_scores_,
        make(graph=GRAPH)
        .fit(TRAIN, Y[TRAIN], X_val=TEST, y_val=Y[TEST])
        .validation_scores_,
    )


def test_labels_held_out_teach_nothing():
    """Whatever the held-out labels are, the weights after each epoch are the same."""
    fits = []
    for y in (Y, scramble(Y, TEST)):
        options = {"early_stopping": True, "n_iter_no_change": np.inf, "max_iter": 5}
        model = make(graph=GRAPH, **options)
        model.fit(TRAIN, Y[TRAIN], X_val=TEST, y_val=y[TEST])
        fits.append(model)
    assert fits[0].loss_curve_ == fits[1].loss_curve_
    assert fits[0].validation_scores_ != fits[1].validation_scores_


# Solvers and batches


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_lbfgs_gets_lower_than_adam(Estimator, form, conv):
    params = {"dropout": 0.0, "alpha": 0.0, "max_iter": 60, "conv": conv}
    model, inputs, y = model_and_inputs(Estimator, form, **params)
    adam = model.fit(inputs, y).loss_
    assert clone(model).set_params(solver="lbfgs").fit(inputs, y).loss_ < adam


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("n_sampled", [None, 3, [2, 4]], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_small_batches_train(form, n_sampled, conv):
    params = {"n_sampled_neighbors": n_sampled, "batch_size": 15, "conv": conv}
    params |= {"dropout": 0.0, "max_iter": 40, "n_neighbors": 3}
    clear = GRAPH.replace(X=X + 2 * np.eye(3, 4)[Y])
    inputs = {"graph": clear, "numbers": NUMBERS, "rows": clear.X}[form]
    model = make(graph=clear if form == "numbers" else None, **params)
    model.fit(inputs, Y)
    assert model.loss_curve_[-1] < 0.7 * model.loss_curve_[0]
    assert model.score(inputs, Y) > 0.6  # a third have each label
    assert model.t_ == model.n_iter_ * N


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("batch_size", [60, 25, 7])
@pytest.mark.parametrize("Estimator", BOTH)
def test_sampling_every_neighbour_is_sampling_none(Estimator, batch_size, conv):
    params = {"shuffle": False, "dropout": 0.0, "batch_size": batch_size}
    params |= {"conv": conv, "dtype": "float64", "graph": GRAPH}
    y = TARGETS[Estimator]
    plain = make(Estimator, **params).fit(NUMBERS, y)
    everything = make(Estimator, n_sampled_neighbors=N, **params).fit(NUMBERS, y)
    assert_allclose(get_weights(everything), get_weights(plain), rtol=1e-9)
    few = make(Estimator, n_sampled_neighbors=1, **params).fit(NUMBERS, y)
    assert not np.allclose(get_weights(few), get_weights(plain), rtol=1e-3)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_batches_of_any_size_take_the_same_full_step(conv):
    """Rows of a batch are computed with all that they hear: means of gradients."""
    params = {"dropout": 0.0, "solver": "sgd", "momentum": 0, "alpha": 0.0}
    params |= {"conv": conv, "dtype": "float64", "max_iter": 1, "graph": GRAPH}
    params |= {"standardize": False, "learning_rate_init": 0.01}
    whole = get_weights(make(**params).fit(NUMBERS, Y))
    parts = [
        get_weights(make(**params).partial_fit(part, Y[part], classes=[0, 1, 2]))
        for part in np.split(np.random.RandomState(0).permutation(N), 4)
    ]
    assert_allclose(np.mean(parts, axis=0), whole, rtol=1e-8, atol=1e-12)


def test_auto_batches():
    many = np.tile(NUMBERS, 20)
    model = make(graph=GRAPH, max_iter=1).fit(many, Y[many])
    full = make(graph=GRAPH, max_iter=1, batch_size="full").fit(many, Y[many])
    assert_array_equal(get_weights(model), get_weights(full))
    params = {"graph": GRAPH, "n_sampled_neighbors": 3, "max_iter": 1}
    sampled = make(**params).fit(many, Y[many])
    same = make(batch_size=512, **params).fit(many, Y[many])
    assert_array_equal(get_weights(sampled), get_weights(same))


@pytest.mark.parametrize("conv", ["gcn", "gat", "gin"])
def test_weights_of_edges_are_used(conv):
    random = np.random.RandomState(0)
    factor = random.uniform(0.5, 5, (N, N))
    weighted = Graph(X, GRAPH.adjacency.toarray() * (factor + factor.T), Y)
    plain, other = (make(conv=conv).fit(graph) for graph in (GRAPH, weighted))
    assert not np.allclose(plain.predict_proba(GRAPH), other.predict_proba(weighted))


@pytest.mark.parametrize(("conv", "same"), [("sage", True), ("gin", False)])
def test_means_do_not_tell_all_weights_doubled(conv, same):
    doubled = Graph(X, GRAPH.adjacency * 2, Y)
    plain, other = (make(conv=conv).fit(graph) for graph in (GRAPH, doubled))
    outputs = plain.predict_proba(GRAPH), other.predict_proba(doubled)
    assert np.allclose(*outputs, rtol=1e-4) == same


def test_directions_are_heard():
    """In a chain 0 -> 1 -> 2 ... a node hears what is before it alone."""
    edges = [(i, i + 1) for i in range(9)]
    chain = Graph(X[:10], edges, Y[:10], directed=True)
    model = make(hidden_layer_sizes=(8,)).fit(chain)
    outputs, changed = model.predict_proba(chain), X[:10].copy()
    changed[5] += 10
    moved = model.predict_proba(chain.replace(X=changed)) != outputs
    assert_array_equal(moved.any(axis=1), [i in (5, 6, 7) for i in range(10)])


def test_depth_is_how_far_a_node_hears():
    chain = Graph(X[:10], [(i, i + 1) for i in range(9)], Y[:10])
    changed = X[:10].copy()
    changed[0] += 10
    for n_hidden in range(4):
        model = make(hidden_layer_sizes=(8,) * n_hidden, activation="tanh").fit(chain)
        moved = model.predict_proba(chain.replace(X=changed))
        moved = (moved != model.predict_proba(chain)).any(axis=1)
        assert_array_equal(moved, np.arange(10) <= n_hidden + 1)


def test_a_network_without_hidden_layers():
    model = make(hidden_layer_sizes=()).fit(GRAPH)
    assert model.predict_proba(GRAPH).shape == (N, 3)
    assert_allclose(  # what its one convolution reads: standardized features
        model.transform(GRAPH), (X - X.mean(0)) / X.std(0), atol=1e-6
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_embeddings(Estimator, form):
    model, inputs, y = model_and_inputs(Estimator, form, hidden_layer_sizes=(8, 6))
    vectors = model.fit(inputs, y).transform(inputs)
    assert vectors.shape == (N, 6) and vectors.min() >= 0
    names = [f"{Estimator.__name__.lower()}{k}" for k in range(6)]
    assert list(model.get_feature_names_out()) == names


# What is kept


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_an_int_seed_decides_every_bit(Estimator, form, conv):
    params = {"conv": conv, "n_sampled_neighbors": 2, "batch_size": 16}
    model, inputs, y = model_and_inputs(Estimator, form, **params)
    weights = get_weights(model.fit(inputs, y))
    assert_array_equal(get_weights(clone(model).fit(inputs, y)), weights)
    assert_array_equal(get_weights(model.fit(inputs, y)), weights)
    other = clone(model).set_params(random_state=1).fit(inputs, y)
    assert not np.allclose(get_weights(other), weights)


def get_random_states():
    return (
        random.getstate(),
        tuple(map(str, np.random.get_state())),  # noqa: NPY002
        torch.get_rng_state().numpy().tobytes(),
    )


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
def test_global_random_states_are_left_alone(form, conv):
    before, n_threads = get_random_states(), torch.get_num_threads()
    params = {"conv": conv, "n_sampled_neighbors": 2}
    model, inputs, y = model_and_inputs(NodeClassifier, form, **params)
    model.fit(inputs, y).partial_fit(inputs, y)
    model.predict(inputs), model.transform(inputs), model.score(inputs, y)
    pickle.loads(pickle.dumps(model)), copy.deepcopy(model), clone(model)
    assert get_random_states() == before
    assert torch.get_num_threads() == n_threads


def round_trip(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("copied", [copy.deepcopy, round_trip])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_copies_share_no_weights(Estimator, form, copied):
    model, inputs, y = model_and_inputs(Estimator, form)
    model.fit(inputs, y)
    expected = get_outputs(model, inputs)
    other = copied(model)
    assert_array_equal(get_outputs(other, inputs), expected)
    other.partial_fit(inputs, y)
    assert_array_equal(get_outputs(model, inputs), expected)
    model.partial_fit(inputs, y)  # with the same state of the optimizer
    assert_array_equal(get_weights(other), get_weights(model))


def test_a_clone_has_the_graph_and_nothing_that_was_fitted():
    model = make(graph=GRAPH).fit(NUMBERS, Y)
    cloned = clone(model)
    assert cloned.graph is GRAPH
    assert vars(cloned) == cloned.get_params()
    with pytest.raises(NotFittedError):
        cloned.predict(NUMBERS)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_pickle_size(form, conv):
    """Once the graph and the weights with what adam keeps of them, and little more."""
    random = np.random.RandomState(0)
    rows, n = random.normal(size=(3000, 40)), 3000
    graph = Graph(rows, random.randint(n, size=(20_000, 2)))
    model = make(conv=conv, max_iter=1, graph=graph if form == "numbers" else None)
    inputs = {"graph": graph, "numbers": np.arange(n), "rows": rows}[form]
    y = np.arange(n) % 3
    model.fit(inputs, y)
    model.predict(inputs)  # which keeps matrices, and an index of neighbours
    adjacency = model.graph_.adjacency
    of_graph = rows.nbytes + adjacency.indices.nbytes + adjacency.indptr.nbytes
    of_weights = 3 * 8 * sum(p.numel() for p in model.module_.parameters())
    assert len(pickle.dumps(model)) <= 1.1 * (of_graph + of_weights) + 100_000


@pytest.mark.parametrize("Estimator", BOTH)
def test_fit_changes_no_argument(Estimator):
    y, numbers, rows = TARGETS[Estimator].copy(), NUMBERS.copy(), X.copy()
    unknown = without(y, TEST)
    kept = unknown.copy()
    make(Estimator).fit(GRAPH, unknown)
    make(Estimator, graph=GRAPH).fit(numbers, y)
    make(Estimator).fit(rows, y)
    assert_array_equal(unknown, kept)
    assert_array_equal(y, TARGETS[Estimator])
    assert_array_equal(numbers, NUMBERS)
    assert_array_equal(rows, GRAPH.X)


@pytest.mark.parametrize("Estimator", BOTH)
def test_float64_and_float32(Estimator):
    y = TARGETS[Estimator]
    for form, dtype, expected in [
        ("graph", "auto", np.float32),
        ("graph", "float64", np.float64),
        ("numbers", "float64", np.float64),
        ("rows", "auto", np.float64),
        ("rows", "float32", np.float32),
    ]:
        model, inputs, y = model_and_inputs(Estimator, form, dtype=dtype)
        outputs = get_outputs(model.fit(inputs, y), inputs)
        assert outputs.dtype == expected, (form, dtype)
    assert is_classifier(model) == (Estimator is NodeClassifier)


@pytest.mark.parametrize("n_nodes", [1, 2, 3])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_tiny_graphs(conv, n_nodes):
    for edges in ([], [(0, n_nodes - 1)]):
        graph = Graph(X[:n_nodes], edges, np.zeros(n_nodes, int))
        model = make(conv=conv).fit(graph)
        assert_array_equal(model.predict(graph), graph.y)
        regressor = make(NodeRegressor, conv=conv).fit(graph, REAL[:n_nodes])
        assert np.isfinite(regressor.predict(graph)).all()
