"""What a second fit of a network of nodes begins anew, and what it goes on with."""

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn import Graph, GraphClassifier, NodeClassifier, NodeRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
EDGES = [(i, (i + 1) % 40) for i in range(40)]
RING = Graph(X, EDGES, y=Y)
OTHER = Graph(X[::-1], EDGES, y=Y[::-1])
BARE = Graph(None, EDGES, y=Y)
SHORT = {"max_iter": 3, "random_state": 0}


def test_graph_is_the_one_that_was_given():
    model = NodeClassifier(node_features="structure", **SHORT).fit(BARE)
    assert model.graph_ is BARE
    assert_array_equal(model.predict(model.graph_), model.predict(BARE))


def test_a_fit_that_goes_on_remembers_its_graph():
    model = NodeClassifier(warm_start=True, **SHORT).fit(RING)
    assert model.fit(OTHER).graph_ is OTHER
    model = NodeClassifier(**SHORT).partial_fit(RING, classes=[0, 1])
    assert model.partial_fit(OTHER).graph_ is OTHER


def test_rows_of_a_fit_that_goes_on_are_neighbours():
    model = NodeClassifier(warm_start=True, **SHORT).fit(X, Y)
    model.fit(X[:30], Y[:30])
    assert model.graph_.n_nodes == 30
    assert_array_equal(model.graph_.adjacency.sum(axis=0), 10)
    assert not model.graph_.adjacency.diagonal().any()


@pytest.mark.parametrize("later", [(X, Y), (OTHER,)], ids=["rows", "a graph"])
def test_the_form_stays(later):
    first = (X, Y) if len(later) == 1 else (RING,)
    model = NodeClassifier(warm_start=True, **SHORT).fit(*first)
    with pytest.raises(ValueError, match=r"^X must be .*, as in the fit that"):
        model.fit(*later)
    model.set_params(warm_start=False).fit(*later)


def test_a_score_is_that_of_the_graph_of_the_fit():
    model = NodeClassifier(graph=RING, **SHORT).fit(np.arange(20))
    expected = model.score(np.arange(40))
    model.set_params(graph=None)
    assert model.score(np.arange(40)) == expected
    model.set_params(graph=OTHER)
    assert model.score(np.arange(40)) == expected


def test_a_class_of_minus_one_is_not_lost_in_silence():
    with pytest.warns(UserWarning, match="All labels but -1 are 1"):
        NodeClassifier(**SHORT).fit(RING, np.where(Y, 1, -1))


def test_vectors_serve_the_same_nodes_alone():
    club = nx.karate_club_graph()
    y = np.arange(34) % 2
    model = NodeClassifier(**SHORT).fit(club, y)
    fewer = nx.Graph(club)
    fewer.remove_edge(0, 1)
    model.predict(fewer)
    renamed = nx.relabel_nodes(club, {i: f"member {i}" for i in club})
    with pytest.raises(ValueError, match="vectors were learned"):
        model.predict(renamed)


def test_what_stands_for_features_stays():
    model = NodeClassifier(warm_start=True, **SHORT).fit(BARE)
    model.set_params(node_features="structure")
    with pytest.raises(ValueError, match=r"^node_features must stay as fitted"):
        model.fit(BARE)


def test_signals_stay_signals():
    signals = RNG.normal(size=(12, 4))
    y = [0, 1] * 6
    ring = np.roll(np.eye(4), 1, axis=1)
    ring = ring + ring.T
    model = GraphClassifier(adjacency=ring, warm_start=True, **SHORT).fit(signals, y)
    model.set_params(adjacency=None)
    with pytest.raises(ValueError, match=r"^adjacency must be given to all fits"):
        model.fit(signals, y)
    model.set_params(adjacency=np.ones((4, 4)))
    other = model.fit(signals, y).predict_proba(signals)
    model.set_params(adjacency=ring, warm_start=False)
    assert (model.fit(signals, y).predict_proba(signals) != other).any()


@pytest.mark.parametrize("graph", [RING, BARE], ids=["features", "none"])
def test_names_without_a_hidden_layer(graph):
    model = NodeRegressor(hidden_layer_sizes=(), dropout=0, **SHORT).fit(graph)
    n_columns = model.transform(graph).shape[1]
    assert_array_equal(
        model.get_feature_names_out(), [f"noderegressor{i}" for i in range(n_columns)]
    )


def test_scores_of_rows_need_targets():
    model = NodeClassifier(**SHORT).fit(X, Y)
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.score(X)


def test_targets_by_name_are_in_order():
    import pandas as pd

    club = nx.relabel_nodes(nx.path_graph(4), dict(enumerate("dabc")))
    y = pd.Series([0, 1, 0, 1], index=list("dabc"))
    NodeClassifier(**SHORT).fit(club, y)
    NodeClassifier(**SHORT).fit(club, y.reset_index(drop=True))
    with pytest.raises(ValueError, match=r"^y must be in the order of the nodes: its"):
        NodeClassifier(**SHORT).fit(club, y.sort_index())


def test_what_looks_like_another_way_in():
    with pytest.raises(TypeError, match=r"Graph\(None, X\)"):
        NodeClassifier(**SHORT).fit(RING.adjacency, Y)
    with pytest.raises(ValueError, match="graph="):
        NodeClassifier(**SHORT).fit([0, 3, 5], [0, 1, 0])
    with pytest.raises(ValueError, match=r"^y must be of shape .* got dict"):
        NodeClassifier(**SHORT).fit(RING, {0: 1})
    with pytest.warns(UserWarning, match="node_features='structure' has no effect"):
        NodeClassifier(node_features="structure", **SHORT).fit(RING)
