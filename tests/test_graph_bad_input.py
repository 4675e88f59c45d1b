"""What estimators of nodes and of graphs refuse: by name, rule and value."""

import re
from functools import partial

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sknn import (
    Graph,
    GraphClassifier,
    GraphRegressor,
    NodeClassifier,
    NodeRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 12
X = np.random.RandomState(0).normal(size=(N, 3))
Y = np.arange(N) % 2
RING = nx.to_numpy_array(nx.cycle_graph(N))
GRAPH = Graph(X, RING, Y)
UNLABELLED = GRAPH.replace(y=None)
BARE = GRAPH.replace(X=None)
NARROW = Graph(X[:, :2], RING, Y)
NUMBERS = np.arange(N)
BROKEN = nx.Graph([(0, 1, {"weight": -1})])
GRAPHS = [Graph(X[:k], [(0, 1)]) for k in range(2, 10)]
LABELS = np.arange(8) % 2
SIGNALS = X.T  # three of one channel
SIGNAL_Y = np.array([0, 1, 0])

OF_NODES = [NodeClassifier, NodeRegressor]
OF_GRAPHS = [GraphClassifier, GraphRegressor]
ALL = [*OF_NODES, *OF_GRAPHS]
CLASSIFIERS = [NodeClassifier, GraphClassifier]
REGRESSORS = [NodeRegressor, GraphRegressor]


def make(Estimator, **params):
    return Estimator(**{"max_iter": 2, "random_state": 0} | params)


def fitted(Estimator, **params):
    """Fitted to a graph, or to a list of them."""
    if Estimator in OF_NODES:
        return make(Estimator, **params).fit(GRAPH)
    return make(Estimator, **params).fit(GRAPHS, LABELS)


def refuses(call, *parts, error=(ValueError, TypeError)):
    with pytest.raises(error) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


def get_state(model):
    """All that a fit sets, with copies of what could be changed in place."""
    state = {
        name: value.copy() if isinstance(value, list | np.ndarray) else value
        for name, value in vars(model).items()
    }
    weights = model.module_.state_dict().items() if "module_" in state else ()
    return state, {name: value.clone().numpy() for name, value in weights}


def assert_unchanged(model, before):
    state, weights = before
    assert vars(model).keys() == state.keys()
    for name in ("n_iter_", "t_", "loss_curve_", "classes_", "n_features_in_"):
        assert_equal(vars(model).get(name), state.get(name))
    for name in ("graph_", "module_", "_fitted_form", "_fitted_adjacency"):
        assert getattr(model, name, None) is state.get(name)
    assert_equal(get_state(model)[1], weights)


def refuses_to_fit(model, arguments, *parts, error=(ValueError, TypeError), **given):
    """A first fit leaves nothing behind, a later one what was fitted before."""
    before = dict(vars(model))
    refuses(lambda: model.fit(*arguments, **given), *parts, error=error)
    assert vars(model) == before
    other = fitted(type(model))
    other.set_params(**model.get_params())
    before = get_state(other)
    refuses(lambda: other.fit(*arguments, **given), *parts, error=error)
    assert_unchanged(other, before)


# Parameters


SHARED = {
    "conv": ["cheb", "GCN", None, 3],
    "hidden_layer_sizes": [0, -1, 2.5, "wide", None],
    "n_heads": [0, -1, 2.5, None],
    "activation": ["step", None, ["relu"]],
    "standardize": ["yes", None, 2],
    "batch_norm": ["yes", None, 2],
    "dropout": [-0.1, 1.0, None, "half"],
    "solver": ["newton", None],
    "alpha": [-1e-4, "small", None, np.nan],
    "l1_ratio": [-0.1, 1.1, None],
    "batch_size": [0, -5, 2.5, "big", None],
    "learning_rate": ["fast", None, 0.1],
    "learning_rate_init": [0, -0.1, None],
    "power_t": [-1, None],
    "learning_rate_final": [-1, "none"],
    "decay_epochs": [0, -1],
    "warmup_epochs": [-1, None],
    "max_iter": [0, -1, 2.5, None],
    "shuffle": ["yes", None],
    "random_state": ["seed", -1],
    "tol": [-1e-4, None],
    "n_iter_no_change": [0, 1.5],
    "max_fun": [0, 1.5],
    "verbose": ["loud", -1],
    "warm_start": ["yes", None],
    "momentum": [-0.1, 1.1],
    "nesterovs_momentum": ["yes", None],
    "beta_1": [-0.1, 1.0],
    "beta_2": [-0.1, 1.0],
    "epsilon": [0, -1],
    "rho": [-0.1, 1.0],
    "early_stopping": ["yes", None],
    "validation_fraction": [-0.1, 1.0],
    "scoring": ["no_such_score", 3],
    "weight_init": ["xavier", None],
    "gradient_clip": [0, -1, np.nan],
    "device": [3, None],
    "dtype": ["float16", None],
    "callbacks": ["print", 3],
    "n_networks": [0, -1, 2.5, None],
    "combine": ["mean", None, 1],
}
NODES = {
    "n_neighbors": [0, -1, 2.5, None],
    "n_sampled_neighbors": [0, -1, 2.5, "all"],
    "node_features": ["degree", None],
}
WHOLE = {"pooling": ["first", None, "attention"]}
LABELLED = {"class_weight": ["even", 3], "label_smoothing": [-0.1, 1.0, None]}
REAL = {
    "loss": ["log_loss", None],
    "quantile": [0, 1, 1.5, "half", None],
    "huber_delta": [0, -1, None],
}
OWN = {
    NodeClassifier: NODES | LABELLED,
    NodeRegressor: NODES | REAL,
    GraphClassifier: WHOLE | LABELLED,
    GraphRegressor: WHOLE | REAL,
}
CASES = [
    (Estimator, name, value)
    for Estimator in ALL
    for name, values in (SHARED | OWN[Estimator]).items()
    for value in values
]


@pytest.mark.parametrize(("Estimator", "name", "value"), CASES)
def test_parameter(Estimator, name, value):
    model = make(Estimator, **{name: value})
    inputs = (GRAPH,) if Estimator in OF_NODES else (GRAPHS, LABELS)
    said = f"'{name}' parameter of {Estimator.__name__}"
    refuses(lambda: model.fit(*inputs), said, "must be", re.escape(f"Got {value!r}"))
    assert not hasattr(model, "module_")


@pytest.mark.parametrize("Estimator", ALL)
def test_every_parameter_is_in_the_table(Estimator):
    data = {"graph"} if Estimator in OF_NODES else {"adjacency"}
    assert set(make(Estimator).get_params()) == {*SHARED, *OWN[Estimator], *data}


MEANINGS = [
    ({"hidden_layer_sizes": (4, 0)}, ["hidden_layer_sizes", "> 0", r"\(4, 0\)"]),
    ({"hidden_layer_sizes": (4, 2.5)}, ["hidden_layer_sizes", "whole", "2.5"]),
    ({"dropout": [0.1, 0.2, 0.3]}, ["dropout", "each of the", r"\[0.1, 0.2, 0.3\]"]),
    ({"dropout": [1.0]}, ["dropout", r"\[0, 1\)", "1.0"]),
    (
        {"conv": "gat", "hidden_layer_sizes": (8, 6)},
        ["hidden_layer_sizes=.8, 6.", "divisible by", "n_heads=4", "conv='gat'"],
    ),
    ({"solver": "lbfgs", "dropout": 0.1}, ["dropout must be 0", "lbfgs", "0.1"]),
    (
        {"solver": "lbfgs", "dropout": 0, "batch_norm": True},
        ["batch_norm must be False", "lbfgs", "True"],
    ),
    (
        {"solver": "lbfgs", "dropout": 0, "l1_ratio": 0.1},
        ["l1_ratio must be 0", "lbfgs", "0.1"],
    ),
    ({"device": "no-such-device"}, ["device", "no-such-device"]),
    ({"callbacks": [3]}, ["callbacks", "3"]),
]
OF_NODES_ALONE = [
    ({"n_sampled_neighbors": [3]}, ["n_sampled_neighbors", "each of the 2", r"\[3\]"]),
    ({"n_sampled_neighbors": [3, 0]}, ["n_sampled_neighbors", ">= 1", r"\[3, 0\]"]),
    ({"n_sampled_neighbors": [3, 1.5]}, ["n_sampled_neighbors", "whole", "1.5"]),
    (
        {"solver": "lbfgs", "dropout": 0, "n_sampled_neighbors": 3},
        ["n_sampled_neighbors must be None", "lbfgs", "3"],
    ),
]
OF_GRAPHS_ALONE = [
    ({"hidden_layer_sizes": ()}, ["hidden_layer_sizes", "at least 1", r"\(\)"]),
]


@pytest.mark.parametrize(
    ("Estimator", "params", "parts"),
    [(Estimator, *case) for Estimator in ALL for case in MEANINGS]
    + [(Estimator, *case) for Estimator in OF_NODES for case in OF_NODES_ALONE]
    + [(Estimator, *case) for Estimator in OF_GRAPHS for case in OF_GRAPHS_ALONE],
    ids=str,
)
def test_values_that_do_not_go_together(Estimator, params, parts):
    inputs = (GRAPH,) if Estimator in OF_NODES else (GRAPHS, LABELS)
    refuses_to_fit(make(Estimator, **params), inputs, *parts)


# Nodes


def table(**columns):
    return pd.DataFrame(columns)


# what; parameters, arguments of fit, what the error says
NODE_FITS = {
    "a list of graphs": ({}, ([GRAPH, GRAPH], [0, 1]), ["X must be one graph"]),
    "an array of graphs": (
        {},
        (np.array([GRAPH, 3], dtype=object), [0, 1]),
        ["X must be one graph", "GraphClassifier"],
    ),
    "an iterator": ({}, (iter(X), Y), ["X must be a list", "iterator"]),
    "a graph beside one": ({"graph": GRAPH}, (GRAPH,), ["graph must be None"]),
    "an adjacency for graph": (
        {"graph": RING},
        (NUMBERS, Y),
        ["graph must be a sknn.Graph", "networkx", "ndarray"],
    ),
    "a name for graph": ({"graph": "karate"}, (NUMBERS, Y), ["graph must be", "str"]),
    "a graph that cannot be read": (
        {"graph": BROKEN},
        ([0, 1], Y[:2]),
        ["graph: ", ">= 0", "from 0 to 1", "weight=-1"],
    ),
    "X that cannot be read": ({}, (BROKEN, Y[:2]), ["X: ", ">= 0", "weight=-1"]),
    "no nodes": ({}, (nx.Graph(), []), ["X: ", "at least one node"]),
    "no such node": (
        {"graph": GRAPH},
        ([0, 1, 99], Y[:3]),
        [r"X must hold numbers of nodes, from 0 to 11: X\[2\] is 99"],
    ),
    "numbers from the end": (
        {"graph": GRAPH},
        ([0, -1], Y[:2]),
        [r"from 0 to 11: X\[1\] is -1"],
    ),
    "half a node": ({"graph": GRAPH}, ([0, 1.5], Y[:2]), [r"X\[1\] is 1.5"]),
    "NaN for a node": ({"graph": GRAPH}, ([0, np.nan], Y[:2]), [r"X\[1\] is nan"]),
    "None for a node": ({"graph": GRAPH}, ([0, None], Y[:2]), [r"X\[1\] is None"]),
    "names of nodes": (
        {"graph": GRAPH},
        (["a", "b"], Y[:2]),
        ["X must hold the numbers of nodes", "<U1"],
    ),
    "names among numbers": (
        {"graph": GRAPH},
        (np.array([0, "b"], object), Y[:2]),
        ["X must hold the numbers of nodes", "'b'"],
    ),
    "a mask": (
        {"graph": GRAPH},
        (Y > 0, Y),
        ["X must hold the numbers of nodes", "bool"],
    ),
    "rows of features for numbers": (
        {"graph": GRAPH},
        (X, Y),
        [r"shape \(n,\) or \(n, 1\)", "graph=", r"ndarray of shape \(12, 3\)"],
    ),
    "one number": ({"graph": GRAPH}, (3, [0]), [r"int of shape \(\)"]),
    "sparse numbers": ({"graph": GRAPH}, (sparse.csr_array(X), Y), ["csr_array"]),
    "no numbers": ({"graph": GRAPH}, ([], []), ["at least one node", "empty"]),
    "nothing for numbers": ({"graph": GRAPH}, (None, Y), ["NoneType"]),
    "complex numbers": ({"graph": GRAPH}, (NUMBERS + 1j, Y), ["[Cc]omplex"]),
    "no targets": ({}, (UNLABELLED,), ["requires y to be passed"]),
    "no targets of numbers": (
        {"graph": UNLABELLED},
        (NUMBERS,),
        ["requires y to be passed"],
    ),
    "no targets of rows": ({}, (X,), ["requires y to be passed"]),
    "unknown targets": (
        {},
        (GRAPH, [None] * N),
        ["y must have a target for at least one node", "all are unknown"],
    ),
    "NaN for targets": ({}, (GRAPH, np.full(N, np.nan)), ["at least one node"]),
    "few targets": (
        {},
        (GRAPH, Y[:5]),
        ["y must have an entry for each of the 12 nodes", "got 5"],
    ),
    "few targets of numbers": (
        {"graph": GRAPH},
        (NUMBERS, Y[:5]),
        ["each of the 12 nodes", "got 5"],
    ),
    "few targets of rows": ({}, (X, Y[:5]), ["inconsistent numbers", r"\[12, 5\]"]),
    "a sparse X": ({}, (sparse.csr_array(X), Y), ["[Ss]parse"]),
    "NaN in rows": ({}, (X * np.nan, Y), ["X contains NaN"]),
    "infinity in rows": (
        {},
        (np.where(X.max() == X, np.inf, X), Y),
        ["X contains infinity"],
    ),
    "NaN for the target of a row": (
        {},
        (X, np.where(Y, np.nan, 1.0)),
        ["y contains NaN"],
    ),
    "one row of features": ({}, (X[0], Y), ["Expected 2D array"]),
    "no rows": ({}, (X[:0], Y[:0]), ["0 sample"]),
    "words in rows": ({}, (table(a=["x"] * N), Y), ["could not convert"]),
    "three axes": ({}, (X[None], [0]), ["dim 3"]),
}


@pytest.mark.parametrize("case", NODE_FITS)
@pytest.mark.parametrize("Estimator", OF_NODES)
def test_fits_of_nodes(Estimator, case):
    params, arguments, parts = NODE_FITS[case]
    refuses_to_fit(make(Estimator, **params), arguments, *parts)


TARGETS = {
    "words with None made a word": (
        NodeClassifier,
        np.array(["a", "None"] * 6),
        ["array of objects", "'None'"],
    ),
    "words with NaN made a word": (
        NodeClassifier,
        np.array(["a", "nan"] * 6),
        ["array of objects", "'nan'"],
    ),
    "real numbers for labels": (NodeClassifier, X[:, 0], ["continuous"]),
    "several columns of labels": (
        NodeClassifier,
        np.column_stack([Y, Y + 1]),
        ["multilabel indicator", r"\(12, 2\)"],
    ),
    "words for numbers": (NodeRegressor, np.array(["a", "b"] * 6), ["y must hold num"]),
    "infinity": (NodeRegressor, np.where(Y, np.inf, 1.0), ["y contains infinity"]),
}


@pytest.mark.parametrize("case", TARGETS)
def test_targets_of_nodes(case):
    Estimator, y, parts = TARGETS[case]
    refuses_to_fit(make(Estimator), (GRAPH, y), *parts)
    refuses_to_fit(make(Estimator, graph=GRAPH), (NUMBERS, y), *parts)


@pytest.mark.parametrize("Estimator", OF_NODES)
@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"X_val": NARROW}, ["X_val: ", "2 features a node", "fitted to 3"]),
        ({"X_val": UNLABELLED}, ["X_val and y_val", "together", "X_val alone"]),
        ({"y_val": Y}, ["X_val and y_val", "together", "y_val alone"]),
        ({"X_val": X, "y_val": Y}, ["X_val: X must be a graph", "ndarray"]),
        ({"X_val": [GRAPH], "y_val": Y}, ["X_val: X must be one graph"]),
        ({"X_val": GRAPH, "y_val": [None] * N}, ["y_val: ", "all are unknown"]),
        ({"X_val": GRAPH, "y_val": Y[:3]}, ["y_val: ", "12 nodes", "got 3"]),
    ],
    ids=str,
)
def test_validation_nodes(Estimator, given, parts):
    refuses_to_fit(make(Estimator), (GRAPH,), *parts, **given)


def test_classes_that_validation_nodes_do_not_have():
    refuses_to_fit(
        make(NodeClassifier), (GRAPH,), "y_val: ", r"\[5 6\]", X_val=GRAPH, y_val=Y + 5
    )


@pytest.mark.parametrize("Estimator", OF_NODES)
def test_nodes_have_no_weights(Estimator):
    for name in ("sample_weight", "sample_weight_val"):
        with pytest.raises(TypeError, match=name):
            make(Estimator).fit(GRAPH, **{name: np.ones(N)})
    with pytest.raises(TypeError, match="sample_weight"):
        make(Estimator).partial_fit(GRAPH, sample_weight=np.ones(N))


NODE_METHODS = ["predict", "transform", "score", "partial_fit"]
# what; parameters, arguments of fit, inputs of a later call, what the error says
NODE_CALLS = {
    "rows after a graph": ({}, (GRAPH,), X, ["X must be a graph", "fitted to one"]),
    "numbers after a graph": ({}, (GRAPH,), NUMBERS, ["X must be a graph"]),
    "fewer features": ({}, (GRAPH,), NARROW, ["2 features a node", "fitted to 3"]),
    "no features": ({}, (GRAPH,), BARE, ["0 features a node", "fitted to 3"]),
    "features after none": (
        {},
        (BARE, Y),
        GRAPH,
        ["3 features a node", "fitted to 0"],
    ),
    "features after structure": (
        {"node_features": "structure"},
        (BARE, Y),
        GRAPH,
        ["3 features a node", "fitted to 0"],
    ),
    "vectors of other nodes": (
        {},
        (BARE, Y),
        Graph(None, [(0, 1)], [0, 1]),
        ["2 nodes", "12 nodes", "node_features='structure'"],
    ),
    "several graphs": ({}, (GRAPH,), [GRAPH], ["X must be one graph"]),
    "no such node": ({"graph": GRAPH}, (NUMBERS,), [12], [r"X\[0\] is 12"]),
    "rows for numbers": ({"graph": GRAPH}, (NUMBERS,), X, [r"\(n,\) or \(n, 1\)"]),
    "a narrow graph after numbers": (
        {"graph": GRAPH},
        (NUMBERS,),
        NARROW,
        ["2 features a node", "fitted to 3"],
    ),
    "fewer columns": ({}, (X, Y), X[:, :2], ["2 features", "expecting 3"]),
    "NaN": ({}, (X, Y), X * np.nan, ["X contains NaN"]),
    "a narrow graph after rows": ({}, (X, Y), NARROW, ["2 features a node"]),
}


# what fits that go on say of another form of X, which predictions may have
OTHER_FORMS = {
    "rows after a graph": ["X must be a graph", "got rows of features"],
    "a narrow graph after numbers": ["graph must be None", "given a graph"],
    "a narrow graph after rows": ["X must be rows of features", "got a graph"],
}


@pytest.mark.parametrize("case", NODE_CALLS)
@pytest.mark.parametrize("method", NODE_METHODS)
@pytest.mark.parametrize("Estimator", OF_NODES)
def test_calls_after_a_fit_to_nodes(Estimator, method, case):
    params, arguments, inputs, parts = NODE_CALLS[case]
    if method == "partial_fit":
        parts = OTHER_FORMS.get(case, parts)
    model = make(Estimator, **params).fit(*arguments)
    before = get_state(model)
    given = (inputs,) if method in ("predict", "transform") else (inputs, Y)
    refuses(lambda: getattr(model, method)(*given), *parts)
    assert_unchanged(model, before)


@pytest.mark.parametrize("Estimator", OF_NODES)
def test_scores_of_nodes(Estimator):
    model = make(Estimator).fit(GRAPH)
    refuses(lambda: model.score(UNLABELLED), "requires y to be passed")
    refuses(lambda: model.score(GRAPH, Y[:4]), "each of the 12 nodes", "got 4")
    refuses(lambda: model.score(GRAPH, [None] * N), "all are unknown")
    weight = np.ones(4)
    refuses(lambda: model.score(GRAPH, Y, sample_weight=weight), r"\[12, 4\]")


WIRING = {
    "conv": ("gcn", "sage"),
    "hidden_layer_sizes": ((8,), (8, 4)),
    "batch_norm": (True, False),
    "standardize": (False, True),
}


@pytest.mark.parametrize("name", WIRING)
@pytest.mark.parametrize("Estimator", ALL)
def test_what_has_to_stay_while_training_goes_on(Estimator, name):
    first, later = WIRING[name]
    model = fitted(Estimator, warm_start=True, **{name: first})
    inputs = (GRAPH,) if Estimator in OF_NODES else (GRAPHS, LABELS)
    model.set_params(**{name: later})
    before = get_state(model)
    for call in (model.fit, model.partial_fit):
        refuses(partial(call, *inputs), f"{name} must stay as fitted", "asked for")
        assert_unchanged(model, before)
    model.set_params(**{name: first}).fit(*inputs)


@pytest.mark.parametrize("Estimator", ALL)
def test_partial_fit(Estimator):
    inputs = (GRAPH, Y) if Estimator in OF_NODES else (GRAPHS, LABELS)
    refuses(
        lambda: make(Estimator, early_stopping=True).partial_fit(*inputs),
        "early_stopping=True",
    )
    assert not hasattr(make(Estimator, solver="lbfgs"), "partial_fit")
    if Estimator in CLASSIFIERS:
        model = make(Estimator)
        refuses(lambda: model.partial_fit(*inputs), "classes must be passed")
        refuses(lambda: model.partial_fit(*inputs, classes=[3, 4]), r"\[0 1\]")
        model.set_params(class_weight="balanced")
        refuses(lambda: model.partial_fit(*inputs, classes=[0, 1]), "class_weight")
        assert vars(model) == model.get_params()


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_weights_of_classes_that_are_not_there(Estimator):
    inputs = (GRAPH, Y) if Estimator in OF_NODES else (GRAPHS, LABELS)
    model = make(Estimator, class_weight={7: 2.0})
    refuses_to_fit(model, inputs, "class_weight", r"\[7\]", r"\[0, 1\]")


@pytest.mark.parametrize("Estimator", ALL)
def test_before_the_fit(Estimator):
    X = GRAPH if Estimator in OF_NODES else GRAPHS
    y = Y if Estimator in OF_NODES else LABELS
    model = make(Estimator, conv="gat")
    calls = [(name, (X,)) for name in ("predict", "transform", "attention_weights")]
    calls += [("score", (X, y)), ("get_feature_names_out", ())]
    if Estimator in CLASSIFIERS:
        calls += [("predict_proba", (X,)), ("predict_log_proba", (X,))]
    for name, arguments in calls:
        with pytest.raises(NotFittedError, match=Estimator.__name__):
            getattr(model, name)(*arguments)


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("conv", ["gcn", "sage", "gin"])
def test_attention_where_there_is_none(Estimator, conv):
    model = fitted(Estimator, conv=conv)
    assert not hasattr(model, "attention_weights")
    model.set_params(conv="gat")  # it is the fit that counts
    assert not hasattr(model, "attention_weights")
    with pytest.raises(AttributeError, match="attention_weights"):
        model.attention_weights(GRAPH)


# Graphs


# what; parameters, arguments of fit, what the error says
GRAPH_FITS = {
    "one graph": ({}, (GRAPH, Y), ["X must be a list of graphs", "single", "NodeCl"]),
    "one graph of networkx": ({}, (nx.Graph([(0, 1)]), Y), ["X must be a list"]),
    "an iterator": ({}, (iter(GRAPHS), LABELS), ["X must be a list", "iterator"]),
    "a generator": ({}, ((g for g in GRAPHS), LABELS), ["X must be a list"]),
    "other features": (
        {},
        ([GRAPHS[0], NARROW], [0, 1]),
        ["as many features", r"X\[1\] has 2", r"X\[0\] has 3"],
    ),
    "no features among features": (
        {},
        ([GRAPHS[0], BARE], [0, 1]),
        [r"X\[1\] has 0", r"X\[0\] has 3"],
    ),
    "features among none": ({}, ([BARE, GRAPH], [0, 1]), [r"X\[1\] has 3"]),
    "something else": (
        {},
        ([GRAPHS[0], 3], [0, 1]),
        [r"X\[1\] must be a sknn.Graph", "networkx", "int"],
    ),
    "something else first": ({}, ([3, GRAPHS[0]], [0, 1]), [r"X\[0\] must be", "int"]),
    "nothing": ({}, ([None, GRAPHS[0]], [0, 1]), [r"X\[0\] must be", "NoneType"]),
    "an array in a list": (
        {},
        ([GRAPHS[0], RING], [0, 1]),
        [r"X\[1\] must be", "ndarray"],
    ),
    "one that cannot be read": (
        {},
        ([nx.Graph([(0, 1)]), BROKEN], [0, 1]),
        [r"X\[1\]: ", ">= 0", "weight=-1"],
    ),
    "no graphs": ({}, ([], []), ["Expected 2D array"]),
    "few targets": ({}, (GRAPHS, LABELS[:3]), ["inconsistent numbers", r"\[8, 3\]"]),
    "no targets": ({}, (GRAPHS, None), ["requires y to be passed"]),
    "NaN for a target": (
        {},
        (GRAPHS, np.where(LABELS, np.nan, 1.0)),
        ["y contains NaN"],
    ),
    "graphs with an adjacency": (
        {"adjacency": RING},
        (GRAPHS, LABELS),
        ["adjacency must be None", "list of graphs"],
    ),
    "negative weights": (
        {"adjacency": -RING},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", ">= 0", r"adjacency\[0, 1\] is -1.0"],
    ),
    "NaN for weights": (
        {"adjacency": RING * np.nan},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", r"adjacency\[0, 0\] is nan"],
    ),
    "an oblong adjacency": (
        {"adjacency": RING[:4]},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", "square", r"\(4, 12\)"],
    ),
    "an adjacency of one axis": (
        {"adjacency": RING[0]},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", r"\(n_nodes, n_nodes\)"],
    ),
    "a name for the adjacency": (
        {"adjacency": "ring"},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", r"\(n_nodes, n_nodes\)", "'ring'"],
    ),
    "a number for the adjacency": (
        {"adjacency": 12},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", r"\(n_nodes, n_nodes\)", "12"],
    ),
    "words in the adjacency": (
        {"adjacency": np.full((N, N), "near")},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", "numbers", "near"],
    ),
    "uneven rows of the adjacency": (
        {"adjacency": [[0, 1], [1]]},
        (SIGNALS, SIGNAL_Y),
        ["adjacency: ", "inhomogeneous"],
    ),
    "a graph that cannot be read": (
        {"adjacency": BROKEN},
        (SIGNALS[:, :2], SIGNAL_Y),
        ["adjacency: ", "weight=-1"],
    ),
    "signals of other nodes": (
        {"adjacency": RING},
        (X, Y),
        [r"\(n_samples, 12\)", "12 nodes", r"got shape \(12, 3\)"],
    ),
    "signals of four axes": (
        {"adjacency": RING},
        (np.ones((3, N, 2, 2)), SIGNAL_Y),
        [r"\(n_samples, 12, n_channels\)", r"got shape \(3, 12, 2, 2\)"],
    ),
    "signals without channels": (
        {"adjacency": RING},
        (np.ones((3, N, 0)), SIGNAL_Y),
        [r"\(n_samples, 12, n_channels\)", r"got shape \(3, 12, 0\)"],
    ),
    "no signals": ({"adjacency": RING}, (np.ones((0, N, 2)), []), ["0 sample"]),
    "NaN in signals": (
        {"adjacency": RING},
        (np.full((3, N, 2), np.nan), SIGNAL_Y),
        ["X contains NaN"],
    ),
    "words in signals": (
        {"adjacency": RING},
        (np.full((3, N, 2), "a"), SIGNAL_Y),
        ["could not convert"],
    ),
    "complex signals": (
        {"adjacency": RING},
        (np.full((3, N, 2), 1j), SIGNAL_Y),
        ["[Cc]omplex"],
    ),
    "uneven signals": (
        {"adjacency": RING},
        ([[1.0, 2.0], [1.0]], [0, 1]),
        ["inhomogeneous"],
    ),
    "sparse signals": (
        {"adjacency": RING},
        (sparse.csr_array(SIGNALS), SIGNAL_Y),
        ["[Ss]parse"],
    ),
    "one signal": ({"adjacency": RING}, (np.ones(N), [0]), ["Expected 2D array"]),
    "three axes and no adjacency": ({}, (np.ones((3, N, 2)), SIGNAL_Y), ["dim 3"]),
    "a sparse table": ({}, (sparse.csr_array(X), Y), ["[Ss]parse"]),
    "NaN in a table": ({}, (X * np.nan, Y), ["X contains NaN"]),
    "words for X": ({}, ("ab", [0, 1]), ["could not convert"]),
}


@pytest.mark.parametrize("case", GRAPH_FITS)
@pytest.mark.parametrize("Estimator", OF_GRAPHS)
def test_fits_of_graphs(Estimator, case):
    params, arguments, parts = GRAPH_FITS[case]
    refuses_to_fit(make(Estimator, **params), arguments, *parts)


@pytest.mark.parametrize("Estimator", OF_GRAPHS)
@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"sample_weight": np.ones(3)}, ["sample_weight", r"\(8,\)"]),
        ({"sample_weight": -np.ones(8)}, ["[Nn]egative", "sample_weight"]),
        ({"sample_weight": np.zeros(8)}, ["[Ss]ample.weight", "non-zero"]),
        (
            {"X_val": [NARROW], "y_val": [0]},
            ["X_val: ", "2 features a node", "fitted to 3"],
        ),
        ({"X_val": [GRAPHS[0], 2], "y_val": [0, 1]}, ["X_val: ", r"X\[1\]", "int"]),
        ({"X_val": GRAPH, "y_val": [0]}, ["X_val: ", "list of graphs"]),
        ({"X_val": GRAPHS, "y_val": [0]}, ["y_val: ", r"\[8, 1\]"]),
        ({"X_val": GRAPHS}, ["X_val and y_val", "together", "X_val alone"]),
        (
            {"X_val": GRAPHS, "y_val": LABELS, "sample_weight_val": [1.0]},
            ["sample_weight_val: "],
        ),
    ],
    ids=str,
)
def test_weights_and_validation_graphs(Estimator, given, parts):
    refuses_to_fit(make(Estimator), (GRAPHS, LABELS), *parts, **given)


# what; parameters, arguments of fit, inputs of a later call, what the error says
GRAPH_CALLS = {
    "one graph": ({}, (GRAPHS, LABELS), GRAPH, ["X must be a list of graphs"]),
    "an iterator": ({}, (GRAPHS, LABELS), iter(GRAPHS), ["X must be a list"]),
    "fewer features": (
        {},
        (GRAPHS, LABELS),
        [NARROW],
        ["2 features a node", "fitted to 3"],
    ),
    "no features": ({}, (GRAPHS, LABELS), [BARE], ["0 features", "fitted to 3"]),
    "features after none": (
        {},
        ([BARE, BARE], [0, 1]),
        GRAPHS,
        ["3 features a node", "fitted to 0"],
    ),
    "no graphs": ({}, (GRAPHS, LABELS), [], ["Expected 2D array"]),
    "something else": ({}, (GRAPHS, LABELS), [GRAPH, "b"], [r"X\[1\]", "str"]),
    "graphs after signals": (
        {"adjacency": RING},
        (SIGNALS, SIGNAL_Y),
        GRAPHS,
        ["adjacency must be None"],
    ),
    "signals of fewer nodes": (
        {"adjacency": RING},
        (SIGNALS, SIGNAL_Y),
        SIGNALS[:, 1:],
        ["11 features", "expecting 12"],
    ),
    "signals of more channels": (
        {"adjacency": RING},
        (SIGNALS, SIGNAL_Y),
        np.ones((3, N, 2)),
        ["2 features a node", "fitted to 1"],
    ),
    "fewer columns": ({}, (X, Y), X[:, :2], ["2 features", "expecting 3"]),
    "NaN": ({}, (X, Y), X * np.nan, ["X contains NaN"]),
}


@pytest.mark.parametrize("case", GRAPH_CALLS)
@pytest.mark.parametrize("method", ["predict", "transform", "score", "partial_fit"])
@pytest.mark.parametrize("Estimator", OF_GRAPHS)
def test_calls_after_a_fit_to_graphs(Estimator, method, case):
    params, arguments, inputs, parts = GRAPH_CALLS[case]
    model = make(Estimator, **params).fit(*arguments)
    before = get_state(model)
    y = np.arange(len(inputs) if isinstance(inputs, list | np.ndarray) else 1) % 2
    given = (inputs,) if method in ("predict", "transform") else (inputs, y)
    refuses(lambda: getattr(model, method)(*given), *parts)
    assert_unchanged(model, before)


@pytest.mark.parametrize("Estimator", OF_GRAPHS)
def test_pooling_has_to_stay_while_training_goes_on(Estimator):
    model = fitted(Estimator, warm_start=True, pooling="sum").set_params(pooling="max")
    before = get_state(model)
    refuses(lambda: model.fit(GRAPHS, LABELS), "pooling must stay", "'sum'", "'max'")
    assert_unchanged(model, before)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_weights_that_are_not_finite(Estimator):
    options = {"solver": "sgd", "learning_rate_init": 1e30, "max_iter": 20}
    model = make(Estimator, **options)
    inputs = (GRAPH, 1e3 * X[:, 0]) if Estimator in OF_NODES else (GRAPHS, LABELS)
    refuses(lambda: model.fit(*inputs), "non-finite", "learning_rate_init")
    for parameter in model.module_.parameters():
        assert parameter.isfinite().all()
