"""What the edges say of each node, against networkx and plain loops."""

import networkx
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn import Graph
from sknn.data import _structure, structural_features


def make_graph(n_nodes, n_edges, directed, seed=0):
    """Make a graph with loops, weights and nodes without edges."""
    rng = np.random.RandomState(seed)
    edges = rng.randint(0, max(n_nodes - 2, 1), (n_edges, 2))
    edges[: n_edges // 4, 0] = 0  # a hub
    weights = rng.rand(n_edges) * 3
    return Graph(None, edges, None, weights, directed=directed, n_nodes=n_nodes)


def describe(graph):
    """Describe nodes one by one."""
    dense = graph.adjacency.toarray()
    received, sent = np.log1p(dense.sum(axis=0)), np.log1p(dense.sum(axis=1))
    simple = graph.to_networkx().to_undirected()
    simple.remove_edges_from(list(networkx.selfloop_edges(simple)))
    clustering = networkx.clustering(simple)
    rows = []
    for node in range(graph.n_nodes):
        heard = [received[other] for other in simple[node]]
        mean = np.mean(heard) if heard else 0
        rows.append([1, received[node], sent[node], clustering[node], mean])
    return np.array(rows)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize(
    ("n_nodes", "n_edges"), [(1, 0), (1, 3), (7, 0), (7, 12), (60, 900), (300, 2000)]
)
def test_features(n_nodes, n_edges, directed):
    graph = make_graph(n_nodes, n_edges, directed)
    found = structural_features(graph)
    assert found.shape == (n_nodes, 5) and found.dtype == np.float64
    assert_allclose(found, describe(graph), rtol=1e-12)


def test_both_ways_to_count_triangles_agree():
    graph = make_graph(129, 1500, False)
    large = structural_features(graph)
    small = structural_features(graph.subgraph(range(128)))
    assert large[:, 3].max() > 0
    assert_allclose(small[:, 3], large[:128, 3], rtol=1e-12)  # the last is alone


def test_graphs_that_are_regular():
    complete = structural_features(Graph(None, 1 - np.eye(200)))
    expected = [1, np.log(200), np.log(200), 1, np.log(200)]
    assert_allclose(complete, np.tile(expected, (200, 1)), rtol=1e-12)
    star = structural_features(Graph(None, [(0, i) for i in range(1, 200)]))
    assert_allclose(star[0], [1, np.log(200), np.log(200), 0, np.log(2)], rtol=1e-12)
    assert_allclose(star[1], [1, np.log(2), np.log(2), 0, np.log(200)], rtol=1e-12)


def test_no_edges():
    for n_nodes in (3, 300):
        found = structural_features(Graph(None, [], n_nodes=n_nodes))
        assert_array_equal(found, np.tile([1.0, 0, 0, 0, 0], (n_nodes, 1)))


@pytest.mark.parametrize("most", [1, 50, 1000])
def test_products_in_parts_are_the_same(most, monkeypatch):
    graph = make_graph(300, 2000, False)
    whole = structural_features(graph)
    monkeypatch.setattr(_structure, "MOST_PATHS", most)
    assert_array_equal(structural_features(graph), whole)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n_nodes", [40, 300])
def test_renumbering_permutes_rows(n_nodes, directed):
    graph = make_graph(n_nodes, 5 * n_nodes, directed)
    order = np.random.RandomState(1).permutation(n_nodes)
    found = structural_features(graph.subgraph(order))
    assert_allclose(found, structural_features(graph)[order], rtol=1e-12)


def test_directions_reversed():
    graph = make_graph(50, 200, True)
    found = structural_features(graph)
    back = structural_features(Graph(None, graph.adjacency.T, directed=True))
    assert_allclose(back[:, [2, 1, 3]], found[:, [1, 2, 3]], rtol=1e-12)


def test_features_and_targets_do_not_matter():
    graph = make_graph(30, 60, False)
    other = graph.replace(X=np.ones((30, 2)), y=range(30))
    assert_array_equal(structural_features(other), structural_features(graph))


def test_a_hub_is_cheap_in_memory():
    """Its neighbours are not multiplied with each other: here 10 ** 10 numbers."""
    n = 100_000
    leaves = np.arange(1, n)
    ring = sparse.coo_array(
        (np.ones(n - 1), (leaves, np.append(leaves[1:], 1))), shape=(n, n)
    )
    hub = sparse.coo_array((np.ones(n - 1), (np.zeros(n - 1, int), leaves)), (n, n))
    wheel = (ring + hub).tocsr()
    found = structural_features(Graph(None, wheel.maximum(wheel.T)))
    assert_allclose(found[0, 3], 2 / (n - 2), rtol=1e-12)
    assert_allclose(found[1:, 3], 2 / 3, rtol=1e-12)
