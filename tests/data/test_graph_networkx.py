"""Graphs of networkx, against its own arrays."""

import networkx
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn import Graph

KINDS = [
    networkx.Graph,
    networkx.DiGraph,
    networkx.MultiGraph,
    networkx.MultiDiGraph,
]
NODES = ["d", ("t", 1), 7, "a", 2.5]


def make(kind, weights=True, seed=0):
    """Make a graph with parallel edges, loops and edges in both directions."""
    rng = np.random.RandomState(seed)
    made = kind()
    made.add_nodes_from(NODES)
    made.add_node("alone")
    for k in range(12):
        first, second = (NODES[i] for i in rng.randint(0, 5, 2))
        attributes = {"weight": float(k), "other": 0.5 + k} if weights else {}
        made.add_edge(first, second, **attributes)
    return made


def get_dense(*args, **kwargs):
    return Graph.from_networkx(*args, **kwargs).adjacency.toarray()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_weights(kind, seed):
    made = make(kind, seed=seed)
    graph = Graph(None, made)
    assert_array_equal(graph.adjacency.toarray(), networkx.to_numpy_array(made))
    assert graph.is_directed == made.is_directed()
    assert graph.node_names.tolist() == [*NODES, "alone"]
    assert not graph.node_names.flags.writeable
    assert graph.X is None and graph.y is None
    assert_array_equal(get_dense(made), networkx.to_numpy_array(made))
    expected = networkx.to_numpy_array(made, weight="other")
    assert_array_equal(get_dense(made, weight="other"), expected)
    expected = networkx.to_numpy_array(made, weight=None) > 0
    assert_array_equal(get_dense(made, weight=None), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_without_weights_parallel_edges_are_one(kind):
    made = make(kind, weights=False)
    assert_array_equal(get_dense(made), networkx.to_numpy_array(made) > 0)
    made.add_edge("d", "alone", weight=0.5)
    made.add_edge("a", "d")
    assert_array_equal(get_dense(made), networkx.to_numpy_array(made))


def test_directions():
    one_way, both = networkx.DiGraph([(0, 1)]), networkx.DiGraph([(0, 1), (1, 0)])
    assert Graph(None, one_way).is_directed and Graph(None, both).is_directed
    assert not Graph(None, both, directed=False).is_directed
    assert Graph(None, networkx.path_graph(3), directed=True).is_directed
    assert not Graph(None, networkx.path_graph(3), directed=False).is_directed
    with pytest.raises(ValueError, match=r"^directed must be True or None"):
        Graph(None, one_way, directed=False)
    with pytest.raises(ValueError, match=r"^directed must be True, False or None"):
        Graph(None, one_way, directed="no")


def test_edges_of_a_graph_are_edges():
    path = networkx.path_graph(4)
    for edges in (path.edges, path.edges(), list(path.edges)):
        found = Graph(None, edges).adjacency.toarray()
        assert_array_equal(found, networkx.to_numpy_array(path))


def test_no_edges():
    made = networkx.empty_graph(3)
    for weight in ("weight", "other", None):
        assert_array_equal(get_dense(made, weight=weight), np.zeros((3, 3)))


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, "1", [1]])
def test_wrong_weights(value):
    made = networkx.Graph()
    made.add_edge("a", "b", weight=1)
    made.add_edge("b", "c", weight=value)
    with pytest.raises(ValueError, match=r"finite .*>= 0: .*'b' to 'c' has weight="):
        Graph(None, made)
    with pytest.raises(ValueError, match=r"^weight must be .*got 'w', and no edge"):
        Graph.from_networkx(made, weight="w")


def test_wrong_graphs():
    with pytest.raises(ValueError, match="at least one node"):
        Graph(None, networkx.Graph())
    with pytest.raises(ValueError, match="at least one node"):
        Graph.from_networkx(networkx.Graph())
    with pytest.raises(TypeError, match=r"^graph must be a networkx graph: got"):
        Graph.from_networkx(np.eye(3))
    path = networkx.path_graph(3)
    with pytest.raises(ValueError, match=r"^edge_weight must be None for a networkx"):
        Graph(None, path, edge_weight=[1, 2])
    for kwargs in ({"X": np.ones((2, 1))}, {"X": None, "n_nodes": 2}):
        with pytest.raises(ValueError, match=r"as many nodes as .*, 3: got 2\."):
            Graph(edges_or_adjacency=path, **kwargs)
    with pytest.raises(ValueError, match=r"^y must have one entry a node"):
        Graph(None, path, y=[1])


def set_attribute(name, values, graph=None):
    made = networkx.path_graph(len(values)) if graph is None else graph
    for node, value in enumerate(values):
        if value is not ...:
            made.nodes[node][name] = value
    return made


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        [np.array([1, 2]), [3, 4], (5, 6)],
        [1, 2.5, True],
        [np.float32(1), np.float32(2), np.float32(3)],
    ],
)
def test_features(values):
    made = set_attribute("x", values)
    expected = np.array([np.ravel(value) for value in values])
    for graph in (Graph(None, made), Graph.from_networkx(made)):
        assert_array_equal(graph.X, expected)
    named = set_attribute("z", values)
    assert Graph(None, named).X is None
    assert_array_equal(Graph.from_networkx(named, features="z").X, expected)
    assert Graph.from_networkx(made, features=None).X is None


def test_given_features_win():
    made = set_attribute("x", [1, 2, 3])
    given = np.array([[7.0], [8.0], [9.0]])
    assert_array_equal(Graph(given, made).X, given)


def test_features_of_some_nodes():
    made = set_attribute("x", [1, ..., 3])
    assert Graph(None, made).X is None
    with pytest.raises(ValueError, match=r"^features must .*node 1 has no 'x'"):
        Graph.from_networkx(made)


def test_features_of_many_attributes():
    made = set_attribute("mass", [1, 2.5, 3])
    set_attribute("charge", [True, False, True], made)
    graph = Graph.from_networkx(made, features=["charge", "mass"])
    assert_array_equal(graph.X, [[1, 1], [0, 2.5], [1, 3]])
    with pytest.raises(ValueError, match=r"no 'spin', but \['mass', 'charge'\]"):
        Graph.from_networkx(made, features=["mass", "spin"])
    with pytest.raises(ValueError, match=r"^features must .*no 'spin'"):
        Graph.from_networkx(made, features="spin")
    with pytest.raises(ValueError, match=r"^features must have at least one name"):
        Graph.from_networkx(made, features=[])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2], [3, 4], [5]], r"shape, \(2,\): node 2 has \[5\]"),
        ([1, "2", 3], "a number: node 1 has '2'"),
        ([1, None, 3], "a number: node 1 has None"),
        ([[1], [2], 3], r"shape, \(1,\): node 2 has 3"),
        ([[[1]], [[1]], [[1]]], r"node 0 has \[\[1\]\]"),
    ],
)
def test_wrong_features(values, message):
    with pytest.raises(ValueError, match=f"^Attribute 'x' .* must hold .*{message}"):
        Graph.from_networkx(set_attribute("x", values))


def test_features_that_are_not_finite():
    with pytest.raises(ValueError, match=r"^X must be finite: X\[1, 0\] is nan"):
        Graph.from_networkx(set_attribute("x", [1.0, np.nan, 3.0]))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3], np.array([1, 2, 3])),
        ([1, ..., 3], np.array([1, np.nan, 3])),
        ([..., 0.5, ...], np.array([np.nan, 0.5, np.nan])),
        ([*"aba"], np.array([*"aba"], object)),
        (["a", ..., "b"], np.array(["a", None, "b"], object)),
        ([True, ..., False], np.array([True, None, False], object)),
        (["a", ..., 1], np.array(["a", None, 1], object)),
        (["a", None, ...], np.array(["a", None, None], object)),
        ([[1, 2], ..., [3, 4]], np.array([[1, 2], [np.nan] * 2, [3, 4]])),
    ],
)
def test_targets(values, expected):
    for name in ("y", "club"):
        graph = Graph.from_networkx(set_attribute(name, values), target=name)
        assert graph.y.dtype == expected.dtype
        assert_array_equal(graph.y, expected)


def test_no_targets():
    made = set_attribute("y", [1, 2, 3])
    assert Graph.from_networkx(made, target=None).y is None
    assert Graph.from_networkx(networkx.path_graph(3)).y is None
    assert Graph(None, made).y is None
    with pytest.raises(ValueError, match=r"^target must be .*got 'club', and no node"):
        Graph.from_networkx(made, target="club")


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind):
    graph = Graph.from_networkx(make(kind))
    made = graph.to_networkx()
    assert list(made) == [*NODES, "alone"]
    assert made.is_directed() == graph.is_directed
    assert made.number_of_edges() == graph.n_edges
    again = Graph.from_networkx(made)
    assert_array_equal(again.adjacency.toarray(), graph.adjacency.toarray())


def test_graphs_for_networkx_have_plain_numbers():
    made = Graph([[1.0], [2.0], [3.0]], [(2, 1)], [1, 2, 3]).to_networkx()
    assert list(made.nodes(data=True)) == [(0, {}), (1, {}), (2, {})]
    ((first, second, weight),) = made.edges(data="weight")
    assert (first, second, weight) == (1, 2, 1.0)
    assert type(first) is int and type(weight) is float
