"""Graphs as objects: immutable, shared, pickled, and what is made of them."""

import copy
import gc
import pickle
import subprocess
import sys
import weakref

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from sknn import Graph

X = np.arange(12.0).reshape(6, 2)
Y = np.array([*"abcabc"])
EDGES = [(0, 1), (1, 2), (2, 0), (3, 3), (4, 1)]
WEIGHTS = [0.5, 1.0, 2.0, 3.0, 4.0]


def make_graph(**kwargs):
    return Graph(X, EDGES, Y, WEIGHTS, **kwargs)


def name_nodes(graph):
    """Make a graph whose nodes have names by way of networkx."""
    import networkx

    names = dict(enumerate("uvwxyz"))
    named = Graph.from_networkx(networkx.relabel_nodes(graph.to_networkx(), names))
    return named.replace(X=graph.X, y=graph.y)


GRAPHS = {
    "weighted": make_graph(),
    "directed": make_graph(directed=True),
    "plain": Graph(X, EDGES),
    "featureless": Graph(None, EDGES, n_nodes=6),
    "float32": Graph(X.astype(np.float32), EDGES, Y),
    "objects": Graph(X, EDGES, [None, "a", None, "b", "c", None]),
    "columns": Graph(X, EDGES, np.ones((6, 3))),
    "named": name_nodes(make_graph()),
    "no edges": Graph(X, []),
    "one node": Graph([[1.0]], []),
}


def get_arrays(graph):
    adjacency = graph.adjacency
    arrays = (graph.X, graph.y, graph.node_names)
    return [*arrays, adjacency.data, adjacency.indices, adjacency.indptr]


def assert_alike(found, graph):
    """Check that two graphs hold the same, in arrays of the same types."""
    assert type(found) is Graph
    assert (found.is_directed, repr(found)) == (graph.is_directed, repr(graph))
    for one, other in zip(get_arrays(found), get_arrays(graph), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.dtype == other.dtype and not one.flags.writeable
            assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        (make_graph(), "Graph(6 nodes, 5 edges, 2 features, y)"),
        (make_graph(directed=True), "Graph(6 nodes, 5 directed edges, 2 features, y)"),
        (Graph(None, [(0, 1)]), "Graph(2 nodes, 1 edge, 0 features)"),
        (Graph([[1.0]], [(0, 0)]), "Graph(1 node, 1 edge, 1 feature)"),
        (Graph(X, []), "Graph(6 nodes, 0 edges, 2 features)"),
    ],
)
def test_repr(graph, text):
    assert repr(graph) == str(graph) == text


def test_counts():
    graph = make_graph()
    assert (graph.n_nodes, graph.n_edges, graph.n_features) == (6, 5, 2)
    assert graph.adjacency.nnz == 9  # each edge twice, the loop once
    directed = make_graph(directed=True)
    assert directed.n_edges == directed.adjacency.nnz == 5
    both = Graph(None, graph.adjacency, directed=True)
    assert both.is_directed and both.n_edges == 9
    assert type(graph.n_edges) is type(graph.n_nodes) is int


def test_it_is_no_sequence():
    graph = make_graph()
    for name in ("__len__", "__iter__", "__getitem__", "__array__", "shape"):
        assert not hasattr(graph, name)


def test_it_equals_itself_alone():
    graph = make_graph()
    other = graph.replace()
    assert graph == graph and graph != other
    assert len({graph, other, graph}) == 2


@pytest.mark.parametrize("name", ["X", "y", "adjacency", "n_nodes", "other"])
def test_attributes_cannot_be_set(name):
    graph = make_graph()
    with pytest.raises(AttributeError, match=rf"^{name} cannot be set: .*immutable"):
        setattr(graph, name, None)
    with pytest.raises(
        AttributeError, match=rf"^{name} cannot be deleted: .*immutable"
    ):
        delattr(graph, name)


@pytest.mark.parametrize("name", GRAPHS)
def test_arrays_are_read_only(name):
    for array in get_arrays(GRAPHS[name]):
        if array is not None:
            assert not array.flags.writeable
    if GRAPHS[name].adjacency.nnz:
        row, column = np.argwhere(GRAPHS[name].adjacency.toarray())[0]
        with pytest.raises(ValueError, match="read-only"):
            GRAPHS[name].adjacency[row, column] = 7


def test_the_adjacency_can_be_calculated_with():
    adjacency = make_graph(directed=True).adjacency
    dense = adjacency.toarray()
    assert_array_equal((adjacency @ adjacency).toarray(), dense @ dense)
    assert_array_equal((adjacency + adjacency.T).toarray(), dense + dense.T)
    assert_array_equal(adjacency.T.tocsr().toarray(), dense.T)
    assert_array_equal(adjacency[[4, 0]][:, [1, 2]].toarray(), dense[[4, 0]][:, [1, 2]])
    assert_array_equal(adjacency.sum(axis=1), dense.sum(axis=1))
    mine = adjacency.copy()
    mine.setdiag(5)
    assert mine[0, 0] == 5 and adjacency[0, 0] == 0


@pytest.mark.parametrize("name", GRAPHS)
def test_copies_are_the_graph_itself(name):
    graph = GRAPHS[name]
    assert copy.copy(graph) is copy.deepcopy(graph) is clone(graph) is graph
    assert copy.deepcopy({"graph": [graph]})["graph"][0] is graph


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling(name, protocol):
    graph = GRAPHS[name]
    assert_alike(pickle.loads(pickle.dumps(graph, protocol)), graph)


def test_pickling_with_buffers_of_its_own():
    graph, buffers = make_graph(), []
    data = pickle.dumps(graph, 5, buffer_callback=buffers.append)
    assert_alike(pickle.loads(data, buffers=buffers), graph)


@pytest.mark.parametrize("mmap_mode", [None, "r", "r+", "c"])
def test_joblib(mmap_mode, tmp_path):
    graph = make_graph(directed=True)
    joblib.dump(graph, tmp_path / "graph")
    found = joblib.load(tmp_path / "graph", mmap_mode=mmap_mode)
    assert_alike(found, graph)
    assert_array_equal((found.adjacency @ found.X), graph.adjacency @ graph.X)
    if mmap_mode is None:  # joblib's hashes tell memory maps apart
        assert joblib.hash(found) == joblib.hash(graph)


def test_pickles_are_small():
    rng = np.random.RandomState(0)
    edges = rng.randint(0, 1000, (20_000, 2))
    graph = Graph(None, edges)
    n_bytes = graph.adjacency.indices.nbytes + graph.adjacency.indptr.nbytes
    assert len(pickle.dumps(graph)) < n_bytes + 1000  # weights are all one
    graph._messages("gcn", np.float32)
    graph.with_structure()
    assert len(pickle.dumps(graph)) < n_bytes + 1000
    weighted = Graph(None, edges, edge_weight=rng.rand(20_000))
    assert_alike(pickle.loads(pickle.dumps(weighted)), weighted)


class Holder(BaseEstimator):
    """Predicts how many edges its graph has."""

    def __init__(self, graph=None, options=None):
        self.graph, self.options = graph, options

    def fit(self, X, y=None):
        self.n_edges_ = self.graph.n_edges
        return self

    def score(self, X, y=None):
        return self.n_edges_


def test_estimators_that_hold_graphs_can_be_cloned():
    graph = make_graph()
    held = clone(Holder(graph, {"graph": graph, "list": [graph]}))
    assert held.graph is held.options["graph"] is held.options["list"][0] is graph
    assert "Graph(6 nodes" in repr(held)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_grid_of_graphs(n_jobs):
    graphs = [Graph(X, EDGES), Graph(X, []), Graph(X, EDGES[:2])]
    search = GridSearchCV(Holder(), {"graph": graphs}, cv=2, n_jobs=n_jobs)
    search.fit(np.zeros((4, 1)))
    assert search.best_params_["graph"] is graphs[0]
    assert_array_equal(search.cv_results_["mean_test_score"], [5, 0, 2])


def test_it_can_be_referred_to_weakly():
    graph = make_graph()
    reference = weakref.ref(graph)
    assert reference() is graph
    del graph
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("name", GRAPHS)
def test_replacing_keeps_the_rest(name):
    graph = GRAPHS[name]
    n = graph.n_nodes
    other = graph.replace(X=np.ones((n, 4), np.float32))
    assert other.n_features == 4 and other.X.dtype == np.float32
    assert other.y is graph.y and other.node_names is graph.node_names
    assert other.adjacency.data is graph.adjacency.data
    assert other.adjacency.indices is graph.adjacency.indices
    assert other.is_directed == graph.is_directed
    other = graph.replace(y=range(n))
    assert_array_equal(other.y, range(n))
    assert other.X is graph.X
    other = graph.replace(X=None, y=None)
    assert other.X is None and other.y is None
    assert_alike(graph.replace(), graph)


def test_replacing_shares_what_follows_from_the_edges():
    graph = make_graph()
    assert graph.replace(X=None)._kept is graph._kept
    assert graph.subgraph(range(6))._kept is not graph._kept


def test_messages_of_the_last_two_kinds_stay():
    graph = make_graph()
    kinds = [("gcn", np.float32), ("gcn", np.float64), ("gat", np.float32)]
    first, second = (graph._messages(*kind) for kind in kinds[:2])
    structure = graph.with_structure().X
    assert graph._messages(*kinds[0]) is first
    references = [weakref.ref(first), weakref.ref(second)]
    third = graph.replace(X=None)._messages(*kinds[2])
    del first, second
    gc.collect()
    assert [reference() is None for reference in references] == [False, True]
    assert graph._messages(*kinds[2]) is third
    assert graph.with_structure().X is structure
    assert not structure.flags.writeable


@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_what_becomes_of_its_adjacency_is_nothing_to_a_graph():
    graph = make_graph()
    before, n_edges = graph.adjacency.toarray(), graph.n_edges
    changed = graph.adjacency
    changed.setdiag(5.0)
    changed[0, 5] = changed[5, 0] = 2.0
    changed.resize(3, 3)
    changed = graph.adjacency
    with pytest.raises(ValueError, match="read-only"):
        changed.data[0] = 2.0
    changed.data = np.zeros_like(changed.data)
    assert_array_equal(graph.adjacency.toarray(), before)
    assert graph.n_edges == n_edges
    assert graph.adjacency.has_canonical_format
    with pytest.raises(AttributeError):
        graph.adjacency = changed


def test_wrong_replacements():
    graph = make_graph()
    with pytest.raises(ValueError, match=r"^X must have one row a node, 6: got 2\."):
        graph.replace(X=X[:2])
    with pytest.raises(ValueError, match=r"^y must have one entry a node: got 2 for 6"):
        graph.replace(y=[1, 2])
    with pytest.raises(ValueError, match=r"^X must be finite: X\[0, 0\] is nan"):
        graph.replace(X=X * np.nan)
    with pytest.raises(ValueError, match=r"^y must be of shape"):
        graph.replace(y="else")


IDS = {
    "some": [1, 2, 3],
    "unsorted": [4, 0, 1, 3],
    "all": range(6),
    "one": np.array([3]),
    "mask": [True, True, False, False, True, False],
    "uint8": np.array([5, 1], np.uint8),
}


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("name", GRAPHS)
def test_subgraphs(name, ids):
    graph, ids = GRAPHS[name], np.array(IDS[ids])
    if graph.n_nodes == 1:
        ids = np.array([0])
    part = graph.subgraph(ids)
    dense = graph.adjacency.toarray()[ids][:, ids]
    assert_array_equal(part.adjacency.toarray(), dense)
    assert_alike(pickle.loads(pickle.dumps(part)), part)
    expected = sparse.csr_array(dense)
    expected.sort_indices()
    assert_array_equal(part.adjacency.indices, expected.indices)
    assert part.is_directed == graph.is_directed
    for array, whole in zip(get_arrays(part)[:3], get_arrays(graph)[:3], strict=True):
        assert (array is None) == (whole is None)
        if array is not None:
            assert_array_equal(array, whole[ids])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 6], r"from 0 to 5: ids\[1\] is 6\."),
        ([-1], r"from 0 to 5: ids\[0\] is -1\."),
        ([1, 2, 1], r"each node once: 1 comes 2 times\."),
        ([], r"one or more, .*got float64 of shape \(0,\)\."),
        ([0.0], r"one or more, .*got float64"),
        ([True, False], r"a mask of shape \(6,\): got bool of shape \(2,\)\."),
        ([False] * 6, r"one or more"),
        ([[0, 1]], r"one or more, .*got int64 of shape \(1, 2\)\."),
        (0, r"one or more, .*shape \(\)\."),
    ],
)
def test_wrong_ids(ids, message):
    with pytest.raises(ValueError, match=rf"^ids must .*{message}"):
        make_graph().subgraph(ids)


def test_networkx_is_loaded_where_its_graphs_are_made_alone():
    code = (
        "import sys, sknn; graph = sknn.Graph(None, [(0, 1)])\n"
        "assert 'networkx' not in sys.modules\n"
        "graph.to_networkx()\n"
        "assert 'networkx' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
