"""Estimators of graphs: forms of input, batches, poolings, signals, tools."""

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
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sknn import Graph, GraphClassifier, GraphRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CONVOLUTIONS = ["gcn", "sage", "gat", "gin"]
POOLINGS = ["mean", "sum", "max"]
BOTH = [GraphClassifier, GraphRegressor]


def make_graphs(n=30, seed=0, directed=False):
    """Graphs of 1 to 50 nodes with three features a node, and weights of edges."""
    random = np.random.RandomState(seed)
    sizes = np.r_[1, 50, random.randint(1, 51, n - 2)]
    graphs = []
    for size in sizes:
        edges = random.randint(size, size=(2 * size, 2))
        weights = random.uniform(0.5, 2, 2 * size)
        X = random.normal(size=(size, 3))
        graphs.append(Graph(X, edges, edge_weight=weights, directed=directed))
    return graphs


GRAPHS = make_graphs()
N = len(GRAPHS)
LABELS = np.array(["odd", "even"])[[graph.n_nodes % 2 for graph in GRAPHS]]
REAL = np.array([graph.X[:, 0].sum() for graph in GRAPHS])
TARGETS = {GraphClassifier: LABELS, GraphRegressor: REAL}


def make(Estimator=GraphRegressor, **params):
    defaults = {"hidden_layer_sizes": (8, 8), "max_iter": 3, "random_state": 0}
    return Estimator(**defaults | {"batch_size": 10} | params)


def fit(Estimator=GraphRegressor, X=GRAPHS, y=None, **params):
    return make(Estimator, **params).fit(X, TARGETS[Estimator] if y is None else y)


def get_weights(model):
    values = model.module_.state_dict().values()
    return np.concatenate([value.numpy().ravel() for value in values])


def get_outputs(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def object_array(graphs):
    array = np.empty(len(graphs), dtype=object)
    array[:] = graphs
    return array


def as_networkx(graph):
    """The same for networkx, features in "x"."""
    made = graph.to_networkx()
    for node, x in zip(made, graph.X, strict=True):
        made.nodes[node]["x"] = x
    return made


def union(*graphs):
    """The graphs side by side, as one."""
    return Graph(
        np.concatenate([graph.X for graph in graphs]),
        sparse.block_diag([graph.adjacency for graph in graphs]),
    )


def renumber(graph, seed=0):
    order = np.random.RandomState(seed).permutation(graph.n_nodes)
    return graph.subgraph(order)


# Forms of input


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    "form",
    [
        tuple,
        object_array,
        lambda graphs: pd.Series(graphs, index=np.arange(N) + 5),
        lambda graphs: [as_networkx(graph) for graph in graphs],
        lambda graphs: [
            graph if i % 3 else as_networkx(graph) for i, graph in enumerate(graphs)
        ],
        lambda graphs: object_array([as_networkx(graph) for graph in graphs]),
    ],
    ids=["tuple", "object array", "series", "networkx", "mixed", "array of networkx"],
)
def test_forms_of_lists(Estimator, form):
    model, other = fit(Estimator), fit(Estimator, form(GRAPHS))
    assert_array_equal(get_weights(other), get_weights(model))
    assert_array_equal(get_outputs(other, form(GRAPHS)), get_outputs(model, GRAPHS))
    assert other.n_features_in_ == model.n_features_in_ == 3
    score = model.score(GRAPHS, TARGETS[Estimator])
    assert other.score(form(GRAPHS), TARGETS[Estimator]) == score


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_graphs_together_are_answered_as_alone(Estimator, pooling, conv):
    model = fit(Estimator, conv=conv, pooling=pooling, dtype="float64")
    outputs, vectors = get_outputs(model, GRAPHS), model.transform(GRAPHS)
    assert vectors.shape == (N, 8)
    for i, graph in enumerate(GRAPHS):
        # rows of a product in float64, in blocks of other sizes
        assert_allclose(get_outputs(model, [graph])[0], outputs[i], rtol=1e-9)
        assert_allclose(model.transform([graph])[0], vectors[i], rtol=1e-9, atol=1e-12)
    order = np.random.RandomState(0).permutation(N)
    shuffled = get_outputs(model, [GRAPHS[i] for i in order])
    assert_allclose(shuffled, outputs[order], rtol=1e-9)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("directed", [False, True])
def test_a_batch_takes_the_mean_of_the_steps_of_each_graph(directed, pooling, conv):
    graphs, y = make_graphs(8, directed=directed), REAL[:8]
    params = {"solver": "sgd", "momentum": 0, "alpha": 0.0, "standardize": False}
    params |= {"conv": conv, "pooling": pooling, "dtype": "float64", "max_iter": 1}
    params |= {"learning_rate": "constant", "learning_rate_init": 0.01}
    whole = get_weights(fit(X=graphs, y=y, batch_size=8, **params))
    alone = [
        get_weights(fit(X=[graph], y=y[[i]], batch_size=1, **params))
        for i, graph in enumerate(graphs)
    ]
    assert_allclose(np.mean(alone, axis=0), whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("Estimator", BOTH)
def test_the_order_of_nodes_is_no_matter(Estimator, directed, pooling, conv):
    graphs = make_graphs(directed=directed)
    params = {"conv": conv, "pooling": pooling, "dtype": "float64"}
    model = fit(Estimator, graphs, **params)
    moved = [renumber(graph, seed) for seed, graph in enumerate(graphs)]
    outputs = get_outputs(model, graphs)
    assert_allclose(get_outputs(model, moved), outputs, rtol=1e-9)
    other = fit(Estimator, moved, **params)
    assert_allclose(get_outputs(other, graphs), outputs, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("Estimator", BOTH)
def test_large_lists_are_answered_in_chunks(Estimator, monkeypatch):
    from sknn.data import _chunks

    model = fit(Estimator, dtype="float64")
    outputs = get_outputs(model, GRAPHS)
    cut = _chunks.cut_rows
    monkeypatch.setattr(_chunks, "cut_rows", lambda X, *_: cut(X, most_steps=40))
    assert_allclose(get_outputs(model, GRAPHS), outputs, rtol=1e-9)


# Poolings


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_only_sums_tell_a_graph_from_two_of_it(pooling, conv):
    model = fit(conv=conv, pooling=pooling, dtype="float64")
    for graph in GRAPHS[:5]:
        once, twice = model.transform([graph, union(graph, graph)])
        factor = 2 if pooling == "sum" else 1
        assert_allclose(twice, factor * once, rtol=1e-9, atol=1e-12)
        assert once.any()


def test_poolings_of_the_nodes_of_two_graphs():
    """Of a union sums are those of both added; means weighted by sizes; maxima."""
    one, other = GRAPHS[1], GRAPHS[2]
    both, sizes = union(one, other), np.array([one.n_nodes, other.n_nodes])
    for pooling, combine in {
        "sum": lambda parts: parts.sum(axis=0),
        "mean": lambda parts: np.average(parts, axis=0, weights=sizes),
        "max": lambda parts: parts.max(axis=0),
    }.items():
        model = fit(pooling=pooling, dtype="float64")
        parts = model.transform([one, other])
        expected = combine(parts)
        assert_allclose(model.transform([both])[0], expected, rtol=1e-9, atol=1e-12)


def test_sums_count_what_means_do_not():
    """How many nodes a graph of equal ones has."""
    graphs = [Graph(np.ones((n, 1)), []) for n in range(1, 21)]
    y, params = np.arange(1.0, 21), {"max_iter": 300, "batch_size": 20, "conv": "gin"}
    params |= {"standardize": False, "learning_rate_init": 0.01}
    assert fit(X=graphs, y=y, pooling="sum", **params).score(graphs, y) > 0.99
    for pooling in ("mean", "max"):
        predicted = fit(X=graphs, y=y, pooling=pooling, **params).predict(graphs)
        assert_allclose(predicted, predicted[0], rtol=1e-5)


# Signals and tables


RING = nx.to_numpy_array(nx.cycle_graph(7))
RING[0, 3] = RING[3, 0] = 2.5
SIGNALS = np.random.RandomState(0).normal(size=(24, 7, 2))
Y = SIGNALS[:, 0, 0] + SIGNALS[:, 3, 1]


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_axes", [2, 3])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("Estimator", BOTH)
def test_signals_are_graphs_with_the_same_edges(
    Estimator, directed, n_axes, pooling, conv
):
    adjacency = np.triu(RING) if directed else RING
    X = SIGNALS if n_axes == 3 else SIGNALS[..., 0]
    y = Y > 0 if Estimator is GraphClassifier else Y
    params = {"conv": conv, "pooling": pooling, "dtype": "float64"}
    model = fit(Estimator, X, y, adjacency=adjacency, **params)
    graphs = [Graph(x.reshape(7, -1), adjacency) for x in X]
    other = fit(Estimator, graphs, y, **params)
    assert_allclose(get_weights(model), get_weights(other), rtol=1e-7, atol=1e-10)
    outputs = get_outputs(other, graphs)
    assert_allclose(get_outputs(model, X), outputs, rtol=1e-7)
    assert_allclose(model.transform(X), other.transform(graphs), rtol=1e-7, atol=1e-10)
    assert model.n_features_in_ == X[0].size


@pytest.mark.parametrize(
    "form",
    [
        lambda a: Graph(None, a),
        lambda a: nx.from_numpy_array(a),
        sparse.csr_array,
        sparse.coo_matrix,
        pd.DataFrame,
        np.ndarray.tolist,
    ],
)
def test_forms_of_the_adjacency(form):
    model = fit(X=SIGNALS, y=Y, adjacency=RING)
    other = fit(X=SIGNALS, y=Y, adjacency=form(RING))
    assert_array_equal(get_weights(other), get_weights(model))
    assert_array_equal(
        get_weights(fit(X=SIGNALS.tolist(), y=Y, adjacency=RING, dtype="float64")),
        get_weights(fit(X=SIGNALS, y=Y, adjacency=RING, dtype="float64")),
    )


def test_only_the_edges_of_an_adjacency_count():
    with_features = Graph(np.ones((7, 5)), RING, y=np.arange(7))
    model = fit(X=SIGNALS, y=Y, adjacency=with_features)
    assert_array_equal(
        get_weights(model), get_weights(fit(X=SIGNALS, y=Y, adjacency=RING))
    )
    emptied = fit(X=SIGNALS, y=Y, adjacency=np.zeros((7, 7)))
    assert not np.allclose(get_weights(model), get_weights(emptied))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signals_keep_their_type(dtype):
    X = SIGNALS[..., 0].astype(dtype)
    assert fit(X=X, y=Y, adjacency=RING).predict(X).dtype == dtype


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_a_table_has_graphs_of_one_node(Estimator, pooling, conv):
    table = SIGNALS[:, :, 0]
    y = Y > 0 if Estimator is GraphClassifier else Y
    params = {"conv": conv, "pooling": pooling, "dtype": "float64"}
    model = fit(Estimator, table, y, **params)
    graphs = [Graph(row[None], []) for row in table]
    other = fit(Estimator, graphs, y, **params)
    assert_allclose(get_weights(model), get_weights(other), rtol=1e-7, atol=1e-10)
    outputs = get_outputs(model, table)
    assert_allclose(get_outputs(other, graphs), outputs, rtol=1e-7)
    assert_allclose(get_outputs(model, graphs), outputs, rtol=1e-7)
    frame = pd.DataFrame(table, columns=list("abcdefg"))
    assert list(fit(Estimator, frame, y).feature_names_in_) == list("abcdefg")
    assert not hasattr(other, "feature_names_in_")


# Weights, labels, directions, structure


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize(
    "options",
    [{}, {"solver": "lbfgs"}, {"standardize": False}, {"batch_norm": True}],
    ids=str,
)
@pytest.mark.parametrize("Estimator", BOTH)
def test_weights_are_repetition(Estimator, options, conv):
    weight = np.random.RandomState(0).randint(0, 4, N)
    often = np.repeat(np.arange(N), weight)
    y, params = TARGETS[Estimator], {"conv": conv, "dtype": "float64"}
    params |= {"batch_size": "full", "pooling": "mean"} | options
    model = make(Estimator, **params).fit(GRAPHS, y, sample_weight=weight)
    repeated = make(Estimator, **params).fit([GRAPHS[i] for i in often], y[often])
    close = {"rtol": 1e-6, "atol": 1e-8}
    assert_allclose(get_weights(model), get_weights(repeated), **close)
    score = model.score(GRAPHS, y, sample_weight=weight)
    assert score == pytest.approx(
        repeated.score([GRAPHS[i] for i in often], y[often]), rel=1e-6
    )


def test_class_weight_is_sample_weight():
    weights = {"odd": 2.0, "even": 0.5}
    model = fit(GraphClassifier, class_weight=weights)
    sample_weight = [weights[label] for label in LABELS]
    other = make(GraphClassifier).fit(GRAPHS, LABELS, sample_weight=sample_weight)
    assert_allclose(get_weights(model), get_weights(other), rtol=1e-6)


def test_several_targets_a_graph():
    labels = np.column_stack([REAL > 0, LABELS == "odd", REAL < 1]).astype(int)
    model = fit(GraphClassifier, y=labels)
    assert model.predict_proba(GRAPHS).shape == model.predict(GRAPHS).shape == (N, 3)
    real = np.column_stack([REAL, -REAL])
    assert fit(y=real).predict(GRAPHS).shape == (N, 2)
    three = fit(GraphClassifier, y=np.array(list("abc"))[np.arange(N) % 3])
    assert list(three.classes_) == list("abc")
    assert_allclose(three.predict_proba(GRAPHS).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_edges_in_both_directions_are_edges_without(conv):
    pairs = [(0, 1), (1, 2), (2, 3), (1, 3)]
    X = np.random.RandomState(0).normal(size=(4, 3))
    one_way = Graph(X, pairs, directed=True)
    both = Graph(X, pairs + [(j, i) for i, j in pairs], directed=True)
    model = fit(conv=conv, dtype="float64")
    assert_allclose(model.predict([both]), model.predict([Graph(X, pairs)]), rtol=1e-9)
    reverse = Graph(X, [(j, i) for i, j in pairs], directed=True)
    ways = model.predict([one_way, reverse, both])
    assert len(np.unique(ways.round(9))) == 3


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_directed_and_undirected_graphs_go_together(conv):
    graphs = [*make_graphs(10), *make_graphs(10, seed=1, directed=True)]
    y = np.arange(20.0)
    model = fit(X=graphs, y=y, conv=conv, dtype="float64")
    outputs = model.predict(graphs)
    alone = np.concatenate([model.predict([graph]) for graph in graphs])
    assert_allclose(alone, outputs, rtol=1e-9)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_graphs_without_features_have_their_structure(Estimator, conv):
    bare = [graph.replace(X=None) for graph in GRAPHS]
    model = fit(Estimator, bare, conv=conv)
    given = [graph.with_structure() for graph in bare]
    other = fit(Estimator, given, conv=conv)
    assert_array_equal(get_weights(model), get_weights(other))
    assert_array_equal(get_outputs(model, bare), get_outputs(other, given))
    assert not hasattr(model, "n_features_in_") and other.n_features_in_ == 5
    fit(Estimator).set_params(conv=conv).fit(bare, TARGETS[Estimator])


def test_rings_are_told_from_paths_by_their_edges_alone():
    def make_both(sizes):
        return [make_one(n) for n in sizes for make_one in kinds]

    kinds, y = (nx.cycle_graph, nx.path_graph), ["ring", "path"] * 10
    params = {"max_iter": 100, "hidden_layer_sizes": (16, 16), "pooling": "sum"}
    model = fit(GraphClassifier, make_both(range(4, 24, 2)), y, conv="gin", **params)
    assert model.score(make_both(range(5, 25, 2)), y) >= 0.9


@pytest.mark.parametrize("n_heads", [1, 4])
def test_attention_of_each_graph(n_heads):
    model = fit(conv="gat", n_heads=n_heads, dtype="float64")
    graphs = [GRAPHS[0], GRAPHS[1], renumber(GRAPHS[1])]
    found = model.attention_weights(graphs)
    assert [len(layers) for layers in found] == [2, 2, 2]
    for graph, layers in zip(graphs, found, strict=True):
        heard = graph.adjacency.toarray().T + np.eye(graph.n_nodes)
        for heads in layers:
            assert len(heads) == n_heads
            for head in heads:
                assert_allclose(head.sum(axis=1), 1, rtol=1e-9)
                assert_array_equal(head.toarray() > 0, heard > 0)
    (alone,) = model.attention_weights(graphs[1:2])
    assert_allclose(alone[1][0].toarray(), found[1][1][0].toarray(), rtol=1e-9)


# Tools of scikit-learn


@pytest.mark.parametrize("Estimator", BOTH)
def test_searches_over_convolutions_and_poolings(Estimator):
    folds, y = KFold(2, shuffle=True, random_state=0), TARGETS[Estimator]
    grid = {"conv": ["gcn", "gat"], "pooling": ["mean", "sum"]}
    search = GridSearchCV(make(Estimator), grid, cv=folds).fit(GRAPHS, y)
    results = search.cv_results_
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        expected = [
            fit(Estimator, [GRAPHS[i] for i in train], y[train], **params).score(
                [GRAPHS[i] for i in test], y[test]
            )
            for train, test in folds.split(GRAPHS)
        ]
        assert score == pytest.approx(np.mean(expected))
    assert len(search.predict(GRAPHS)) == N


@pytest.mark.parametrize("form", [list, object_array])
def test_cross_validation(form):
    folds = KFold(3, shuffle=True, random_state=0)
    predicted = cross_val_predict(make(), form(GRAPHS), REAL, cv=folds)
    for train, test in folds.split(GRAPHS):
        model = fit(X=[GRAPHS[i] for i in train], y=REAL[train])
        assert_array_equal(predicted[test], model.predict([GRAPHS[i] for i in test]))
    assert len(cross_val_score(make(), form(GRAPHS), REAL, cv=folds)) == 3
    sizes, *_ = learning_curve(
        make(),
        form(GRAPHS),
        REAL,
        cv=folds,
        train_sizes=[0.5, 1.0],
        exploit_incremental_learning=True,
    )
    assert list(sizes) == [10, 20]


def test_pipelines():
    made = FunctionTransformer(lambda sizes: [GRAPHS[i] for i in sizes])
    model = make_pipeline(made, make()).fit(np.arange(N), REAL)
    assert_array_equal(model.predict([3, 1]), fit().predict([GRAPHS[3], GRAPHS[1]]))
    table = SIGNALS[:, :, 0]
    scaled = make_pipeline(StandardScaler(), make(adjacency=RING)).fit(table, Y)
    assert scaled.predict(table).shape == (24,)
    folds = KFold(2, shuffle=True, random_state=0)
    grid = {"graphregressor__pooling": ["mean", "max"]}
    search = GridSearchCV(scaled, grid, cv=folds).fit(table, Y)
    assert search.best_params_["graphregressor__pooling"] in ("mean", "max")
    vectors = make_pipeline(make(), StandardScaler()).fit(GRAPHS, REAL)
    assert vectors.transform(GRAPHS).shape == (N, 8)


# Training goes on


FORMS = {
    "list": (GRAPHS, REAL, {}),
    "signals": (SIGNALS, Y, {"adjacency": RING}),
    "table": (SIGNALS[:, :, 0], Y, {}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_partial_fits_are_epochs(conv, form):
    X, y, params = FORMS[form]
    params = params | {"conv": conv, "shuffle": False, "dtype": "float64"}
    params |= {"learning_rate": "constant", "tol": 0.0}
    whole, model = fit(X=X, y=y, max_iter=4, **params), make(**params)
    for _ in range(4):
        model.partial_fit(X, y)
    assert_allclose(get_weights(model), get_weights(whole), rtol=1e-9)
    classifier = make(GraphClassifier, **params)
    classifier.partial_fit(X[:10], (y > 0)[:10], classes=[False, True])
    assert classifier.partial_fit(X, y > 0).predict_proba(X).shape == (len(y), 2)


@pytest.mark.parametrize("form", FORMS)
def test_warm_start_goes_on(form):
    X, y, params = FORMS[form]
    params = params | {"solver": "sgd", "momentum": 0, "shuffle": False, "tol": 0.0}
    params |= {"learning_rate": "constant", "dtype": "float64"}
    params |= {"learning_rate_init": 1e-3, "pooling": "mean"}
    whole = fit(X=X, y=y, max_iter=6, **params)
    model = fit(X=X, y=y, max_iter=3, warm_start=True, **params).fit(X, y)
    assert_allclose(get_weights(model), get_weights(whole), rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_validation_scores_are_scores(form):
    X, y, params = FORMS[form]
    model = make(**params).fit(X, y, X_val=X[:9], y_val=y[:9])
    score = model.score(X[:9], y[:9])
    assert model.validation_scores_[-1] == pytest.approx(score, rel=1e-4)
    assert_array_equal(get_weights(model), get_weights(make(**params).fit(X, y)))
    options = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 60}
    stopped = make(learning_rate_init=0.1, **params, **options).fit(X, y)
    assert stopped.best_validation_score_ == max(stopped.validation_scores_)
    stopped.fit(X, y, X_val=X[:9], y_val=y[:9])
    best = stopped.best_validation_score_
    assert stopped.score(X[:9], y[:9]) == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
def test_lbfgs_gets_lower_than_adam(form, conv):
    X, y, params = FORMS[form]
    params = params | {"conv": conv, "alpha": 0.0, "max_iter": 40}
    adam = fit(X=X, y=y, **params).loss_
    assert fit(X=X, y=y, solver="lbfgs", **params).loss_ < adam


# What is kept


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("form", FORMS)
def test_an_int_seed_decides_every_bit(form, conv):
    X, y, params = FORMS[form]
    params = params | {"conv": conv, "dropout": 0.2}
    weights = get_weights(fit(X=X, y=y, **params))
    assert_array_equal(get_weights(fit(X=X, y=y, **params)), weights)
    other = fit(X=X, y=y, random_state=1, **params)
    assert not np.allclose(get_weights(other), weights)


def get_random_states():
    return (
        random.getstate(),
        tuple(map(str, np.random.get_state())),  # noqa: NPY002
        torch.get_rng_state().numpy().tobytes(),
    )


@pytest.mark.parametrize("form", FORMS)
def test_global_random_states_are_left_alone(form):
    X, y, params = FORMS[form]
    before, n_threads = get_random_states(), torch.get_num_threads()
    model = fit(X=X, y=y, dropout=0.2, **params).partial_fit(X, y)
    model.predict(X), model.transform(X), model.score(X, y)
    pickle.loads(pickle.dumps(model)), copy.deepcopy(model), clone(model)
    assert get_random_states() == before
    assert torch.get_num_threads() == n_threads


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_copies_share_no_weights(copied, form):
    X, y, params = FORMS[form]
    model = fit(X=X, y=y, **params)
    expected, other = model.predict(X), copied(model)
    other = pickle.loads(other) if isinstance(other, bytes) else other
    assert_array_equal(other.predict(X), expected)
    other.partial_fit(X, y)
    assert_array_equal(model.predict(X), expected)
    model.partial_fit(X, y)  # with the same state of the optimizer
    assert_array_equal(get_weights(other), get_weights(model))


@pytest.mark.parametrize("form", FORMS)
def test_pickle_size(form):
    """Weights, what adam keeps of them, and little more: no data."""
    X, y, params = FORMS[form]
    times = 200
    X = X * times if form == "list" else np.tile(X, (times, *[1] * (X.ndim - 1)))
    model = fit(X=X, y=np.tile(y, times), max_iter=1, batch_size=1000, **params)
    model.predict(X)
    of_weights = 3 * 8 * sum(p.numel() for p in model.module_.parameters())
    assert len(pickle.dumps(model)) <= 1.1 * of_weights + 50_000


@pytest.mark.parametrize("n_nodes", [1, 2])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_a_single_tiny_graph(conv, pooling, n_nodes):
    X = [Graph(np.ones((n_nodes, 1)), [])]
    params = {"conv": conv, "pooling": pooling, "batch_size": "auto"}
    assert np.isfinite(fit(X=X, y=[3.0], **params).predict(X)).all()
    assert list(fit(GraphClassifier, X, ["a"], **params).predict(X)) == ["a"]
