"""Receptive fields of nodes against products with whole matrices."""

import pickle

import numpy as np
import pytest
import torch
from graph_standin import Graph, as_dense, make_adjacency, message_matrix
from numpy.testing import assert_allclose, assert_array_equal

from sknn.data import (
    Messages,
    Neighbours,
    Nodes,
    Parts,
    Rows,
    channel_moments,
    check_numbers,
    combine_weights,
    convert,
    iter_chunks,
    make_batches,
    split_for_validation,
)
from sknn.data import _chunks as chunks_module
from sknn.data._node_batches import NodeBatches

CONVS = ["gcn", "sage", "gat", "gin"]
N_NODES = 60
KEYS = {
    "all": slice(None),
    "slice": slice(3, 9),
    "few": np.array([7]),
    "unsorted": np.array([50, 2, 2, 0, 59, 31, 2]),
    "none": np.array([], dtype=int),
    "mask": np.arange(N_NODES) % 7 == 3,
    "permuted": np.random.RandomState(0).permutation(N_NODES),
}


@pytest.fixture(params=["undirected", "directed", "weighted"])
def graph(request):
    return make_graph(request.param)


def make_graph(kind="undirected", features=True, n_edges=70):
    rng = np.random.RandomState(0)
    options = {"directed": kind == "directed", "weighted": kind == "weighted"}
    A = make_adjacency(N_NODES, n_edges, rng, **options)
    return Graph(rng.normal(size=(N_NODES, 3)) if features else None, A)


def make_nodes(graph, conv="gcn", n_layers=2, ids=None, dtype=np.float64):
    ids = np.arange(graph.n_nodes) if ids is None else ids
    return Nodes(graph, ids, conv, n_layers, dtype)


def propagate(inputs):
    """Multiply with all matrices one after another."""
    h = inputs["x"].numpy()
    for messages in inputs["messages"]:
        h = as_dense(messages) @ h
    return h


def check_shapes(inputs, n_rows):
    """Check what layers hear is what layers before say, their own node included."""
    n_from = len(inputs["x"])
    for messages in inputs["messages"]:
        assert messages.shape[1] == n_from
        n_to = messages.shape[0]
        assert len(messages.starts) == n_to + 1
        if messages.own is None:
            assert n_to == n_from
        else:
            assert len(messages.own) == n_to
        n_from = n_to
    assert n_from == n_rows


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("n_layers", [0, 1, 2, 3])
@pytest.mark.parametrize("key", KEYS)
def test_wanted_rows_of_the_whole_product(graph, conv, n_layers, key):
    ids = np.arange(N_NODES)[KEYS[key]]
    matrix = message_matrix(graph.adjacency.toarray(), conv)
    expected = (np.linalg.matrix_power(matrix, n_layers) @ graph.X)[ids]
    inputs = make_nodes(graph, conv, n_layers).inputs(KEYS[key])
    assert len(inputs["messages"]) == n_layers
    check_shapes(inputs, len(ids))
    # sums of at most 60 terms in another order, of a few times the result's size
    assert_allclose(propagate(inputs), expected, rtol=1e-12, atol=1e-12 * N_NODES)


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("key", ["few", "unsorted", "slice"])
def test_where_own_nodes_are(graph, conv, key):
    nodes = make_nodes(graph.__class__(None, graph.adjacency), conv, 2)
    ids = np.arange(N_NODES)[KEYS[key]]
    inputs = nodes.inputs(KEYS[key])
    x = inputs["x"]
    assert x.dtype == torch.int64
    assert len(x.unique()) == len(x)
    for messages in inputs["messages"]:
        x = x if messages.own is None else x[messages.own]
    assert_array_equal(x, ids)


@pytest.mark.parametrize("conv", CONVS)
def test_no_more_is_computed_than_is_heard(conv):
    A = np.diag(np.ones(N_NODES - 1), 1)
    graph = Graph(np.zeros((N_NODES, 1)), A + A.T)  # a path
    inputs = make_nodes(graph, conv, 3).inputs(np.array([20, 40]))
    assert [m.shape for m in inputs["messages"]] == [(10, 14), (6, 10), (2, 6)]


@pytest.mark.parametrize("conv", CONVS)
def test_where_most_nodes_are_heard_all_are(graph, conv):
    nodes = make_nodes(graph, conv, 3)
    inputs = nodes.inputs(np.arange(0, N_NODES, 2))
    whole = graph._messages(conv, np.float64)
    assert inputs["messages"][0] is inputs["messages"][1] is whole
    assert inputs["messages"][2].shape == (30, N_NODES)
    assert_array_equal(inputs["messages"][2].own, np.arange(0, N_NODES, 2))
    assert inputs["x"] is nodes.features
    assert nodes.inputs()["messages"] == [whole] * 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_they_say_of_themselves(dtype):
    graph = make_graph()
    nodes = make_nodes(graph, ids=[5, 1, 1], dtype=dtype)
    assert (nodes.shape, nodes.ndim, len(nodes)) == ((3, 3), 2, 3)
    assert (nodes.dtype, nodes.n_nodes) == (dtype, N_NODES)
    assert nodes.inputs()["x"].numpy().dtype == dtype
    assert nodes.inputs()["messages"][0].weights.numpy().dtype == dtype
    assert_array_equal(nodes[0], graph.X[5].astype(dtype))
    other = nodes.with_layers(1)
    assert len(other.inputs()["messages"]) == 1
    assert_array_equal(other.ids, nodes.ids)
    assert other.features is nodes.features
    other = convert(nodes, np.float64)
    assert other.dtype == np.float64
    assert_array_equal(other.features, graph.X)


def test_nodes_without_features():
    nodes = make_nodes(make_graph(features=False), ids=[5, 1])
    assert nodes.shape == (2, 0)
    assert nodes[1] == 1
    assert_array_equal(nodes.with_layers(0).inputs()["x"], [5, 1])
    assert_array_equal(nodes.features, np.arange(N_NODES))


@pytest.mark.parametrize("key", KEYS)
def test_selections(key):
    graph = make_graph()
    ids = np.random.RandomState(1).permutation(N_NODES)
    nodes = make_nodes(graph, ids=ids)
    selected = nodes[KEYS[key]]
    assert_array_equal(selected.ids, ids[KEYS[key]])
    assert selected.features is nodes.features
    assert_array_equal(propagate(selected.inputs()), propagate(nodes.inputs(KEYS[key])))


def test_the_same_inputs_are_made_once():
    nodes = make_nodes(make_graph(), n_layers=1)
    index = np.array([4, 9])
    kept = nodes.inputs(index)["messages"][0]
    assert nodes.inputs(index)["messages"][0] is kept
    assert nodes.inputs(index.copy())["messages"][0] is kept
    index[0] = 5
    changed = nodes.inputs(index)
    assert changed["messages"][0] is not kept
    expected = make_nodes(make_graph(), n_layers=1).inputs(np.array([5, 9]))
    assert_array_equal(propagate(changed), propagate(expected))
    changed["x"] = None
    assert nodes.inputs(index)["x"] is not None
    whole = nodes.inputs(slice(0, 5))
    assert nodes.inputs(slice(0, 5))["messages"][0] is whole["messages"][0]
    assert nodes.inputs(slice(0, 4))["messages"][0].shape[0] == 4


def test_they_are_the_inputs_of_rows():
    graph = make_graph()
    weight = np.arange(1.0, 9)
    whole = Rows(make_nodes(graph, ids=np.arange(20, 28)), np.arange(8), weight)
    subset = whole.subset(np.array([6, 2, 0])).subset(np.array([2, 1]))
    assert_array_equal(subset.X.ids, [20, 22])
    assert_array_equal(subset.inputs.ids, [20, 22])
    assert subset.arrays[0] is whole.arrays[0]
    assert_array_equal(whole[2][0], graph.X[22])
    train, held_out = split_for_validation(whole, 0.3, np.random.RandomState(0))
    assert {*train.X.ids, *held_out.X.ids} == set(range(20, 28))
    assert_array_equal(combine_weights(whole.X, weight, np.float64), weight)


def test_moments_are_those_of_all_nodes():
    graph = make_graph()
    nodes = make_nodes(graph, ids=[3, 4])
    for rows in (nodes, Rows(nodes, None, np.array([0.0, 1])), Rows(nodes).subset([0])):
        mean, std = channel_moments(rows)
        assert_allclose(mean, graph.X.mean(axis=0), rtol=1e-12, atol=1e-14)
        assert_allclose(std, graph.X.std(axis=0), rtol=1e-12)


def test_pickle():
    nodes = make_nodes(make_graph(), ids=[3, 4, 5])
    nodes.inputs()
    again = pickle.loads(pickle.dumps(nodes))
    assert_array_equal(propagate(again.inputs()), propagate(nodes.inputs()))
    assert "_last" not in nodes.__getstate__()


@pytest.mark.parametrize("most", [4, 1 << 16])
def test_chunks(monkeypatch, most):
    monkeypatch.setattr(chunks_module, "MOST_WANTED", most)
    nodes = make_nodes(make_graph(), ids=np.arange(10)[::-1])
    found, seen = np.empty((10, 3)), 0
    for rows, inputs in iter_chunks(nodes):
        found[rows] = propagate(inputs)
        assert len(found[rows]) <= most
        seen += 1
    assert seen == -(-10 // most)
    assert_allclose(found, propagate(nodes.inputs()), atol=1e-12)


def make_rows(graph, n_rows=40, weighted=True, **options):
    ids = np.random.RandomState(2).permutation(graph.n_nodes)[:n_rows]
    weight = np.random.RandomState(3).uniform(size=n_rows) if weighted else None
    return Rows(make_nodes(graph, ids=ids, **options), ids, weight)


@pytest.mark.parametrize("batch_size", [1, 7, 40, 100])
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("subset", [False, True], ids=["whole", "subset"])
def test_every_row_comes_once(graph, batch_size, reused, subset):
    rows = make_rows(graph)
    rows = rows.subset(np.arange(40)[::-2]) if subset else rows
    batches = NodeBatches(rows, batch_size, np.random.RandomState(0))
    whole = propagate(make_nodes(graph).inputs())
    for _ in range(2):
        seen = []
        for batch in batches.reused() if reused else batches:
            x, y = batch
            assert isinstance(x, Parts)
            assert len(x) == batch.n_rows == len(y) <= batch_size
            (inputs,) = x.inputs
            # features and sums of a few dozen of them, of the order of one
            assert_allclose(propagate(inputs), whole[y.numpy()], atol=1e-12)
            assert batch.total == pytest.approx(batch.weight.sum().item())
            seen += y.tolist()
        assert sorted(seen) == sorted(rows.y)


def test_orders_follow_from_the_random_state():
    rows = make_rows(make_graph())

    def find_orders(seed):
        batches = NodeBatches(rows, 8, np.random.RandomState(seed))
        return [[y.tolist() for _, y in batches] for _ in range(2)]

    assert find_orders(0) == find_orders(0)
    assert find_orders(0) != find_orders(1)
    assert find_orders(0)[0] != find_orders(0)[1]


def test_one_batch_comes_as_it_is_given_and_is_made_once():
    rows = make_rows(make_graph())
    for subset in (rows, rows.subset(np.arange(40)[::-3])):
        random_state = np.random.RandomState(0)
        batches = NodeBatches(subset, 40, random_state)
        ((x, y),), ((x_again, y_again),) = batches, batches
        assert_array_equal(y, subset.y)
        assert_array_equal(y_again, subset.y)
        assert x is x_again
        assert random_state.randint(1 << 30) == np.random.RandomState(0).randint(
            1 << 30
        )


def test_samples_are_drawn_anew_and_by_the_seed():
    rows = make_rows(make_graph(n_edges=600))

    def draw(seed, size=40):
        batches = NodeBatches(rows, size, n_sampled=2, seed=seed)
        found = [x.inputs[0]["messages"] for _ in range(2) for x, _ in batches]
        return [[m.sources.tolist() for m in messages] for messages in found]

    assert draw(0) == draw(0)
    assert draw(0) != draw(1)
    assert draw(0)[0] != draw(0)[1]
    assert draw(0, 9) == draw(0, 9)


def test_seeds_of_several_parts_may_be_large():
    rows = make_rows(make_graph(n_edges=600))

    def draw(seed):
        batches = NodeBatches(rows, 40, n_sampled=2, seed=seed)
        return [m.sources.tolist() for x, _ in batches for m in x.inputs[0]["messages"]]

    assert draw((3, 7)) == draw((3, 7 + (1 << 32))) == draw((3 + (1 << 33), 7))
    assert draw((3, 7)) != draw((3, 8))
    assert draw(3) == draw(3 + (1 << 32))


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("n_sampled", [None, 2])
def test_make_batches_knows_nodes(conv, n_sampled):
    rows = make_rows(make_graph(), conv=conv)
    for device, size in (("cpu", 16), ("meta", 16), ("meta", 40)):
        options = {"n_sampled": n_sampled, "seed": 0, "device": device}
        batches = make_batches(rows, size, np.random.RandomState(0), **options)
        assert type(batches) is NodeBatches
        for _ in range(2):
            for batch in batches:
                x, y = batch
                (inputs,) = x.inputs
                tensors = [y, batch.weight, inputs["x"]]
                for m in inputs["messages"]:
                    tensors += [m.starts, m.sources, m.weights]
                assert {tensor.device.type for tensor in tensors} == {device}


def test_nothing_global_is_touched():
    torch_state = torch.get_rng_state()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    rows = make_rows(make_graph(n_edges=600))
    list(NodeBatches(rows, 5, np.random.RandomState(0), n_sampled=2, seed=0))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["1", 0], r"X\[0\] is '1' \(str\)"),
        ([0, True], r"X\[1\] is True \(bool\)"),
        ([0, np.True_], r"X\[1\] is .*True.* \(bool"),
        ([0, None], r"X\[1\] is None \(NoneType\)"),
    ],
    ids=str,
)
def test_objects_that_are_no_numbers_of_nodes(given, message):
    with pytest.raises(ValueError, match=f"^X must hold the numbers .*{message}"):
        check_numbers(np.array(given, dtype=object), 3)


def test_numbers_of_nodes():
    for given in ([2, 0, 2], np.array([2, 0.0, np.int8(2)], object), [[2], [0], [2]]):
        assert_array_equal(check_numbers(given, 3), [2, 0, 2])
    with pytest.raises(ValueError, match="got bool for its type"):
        check_numbers(np.array([True, False]), 3)


# beyond 15 columns distances are found by products, which lose digits
@pytest.mark.parametrize("n_columns", [2, 20])
@pytest.mark.parametrize("standardize", [False, True])
def test_neighbours_do_not_depend_on_constants_and_shifts(n_columns, standardize):
    rng = np.random.RandomState(0)
    X = rng.randint(0, 1 << 12, (80, n_columns)) / 64.0  # exact when shifted
    X, new = X[:60], X[60:]
    known = Neighbours(X, 4, standardize)
    graph, attached = known.graph, known.attach(new)

    def check(change, dtype=np.float64):
        other = Neighbours(change(X).astype(dtype), 4, standardize)
        found = other.attach(change(new).astype(dtype)).adjacency
        assert (other.graph.adjacency != graph.adjacency).nnz == 0
        assert (found != attached.adjacency).nnz == 0

    check(lambda X: X + 1e8)
    check(lambda X: X, np.float32)
    check(lambda X: X + 1024, np.float32)
    check(lambda X: np.column_stack([X, np.full(len(X), 0.1)]))


def test_new_rows_may_differ_where_training_rows_do_not():
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.normal(size=(50, 2)), np.full(50, 0.1)])
    new = X[:5] + np.array([0, 0, 1e-3])
    attached = Neighbours(X, 1, True).attach(new).adjacency[:50, 50:]
    assert_array_equal(attached.toarray(), np.eye(50, 5))


def test_features_too_large_for_their_type():
    A = np.diag(np.ones(N_NODES - 1), 1)
    X = np.ones((N_NODES, 2))
    X[-1, 1] = -1e39
    graph = Graph(X, A + A.T)  # a path
    nodes = make_nodes(graph, dtype=np.float32)
    rule = (
        r'^X must hold numbers up to 3.4e\+38, .*float32: got -1e\+39. dtype="float64"'
    )
    for read in (nodes.inputs, lambda: nodes[N_NODES - 1], lambda: nodes.features):
        with pytest.raises(ValueError, match=rule):
            read()
    assert (nodes.inputs(np.array([0]))["x"] == 1).all()  # which hears nothing of it
    assert make_nodes(graph).inputs()["x"].min() == -1e39


@pytest.mark.parametrize("conv", ["gat", "gin"])
def test_weights_too_large_for_their_type(conv):
    graph = Graph(None, np.diag([1e39, 0.0], 1))
    with pytest.raises(ValueError, match=r"^edge_weight must .*got 1e\+39\. dtype="):
        make_nodes(graph, conv, dtype=np.float32).inputs()
    (messages, _) = make_nodes(graph, conv).inputs()["messages"]
    assert messages.weights.max() == 1e39


@pytest.mark.parametrize("conv", CONVS)
def test_a_few_nodes_cost_no_more_than_what_they_hear(monkeypatch, conv):
    calls, find = [], Messages._find_loops

    def find_loops(messages):
        calls.append(messages)
        return find(messages)

    monkeypatch.setattr(Messages, "_find_loops", find_loops)
    A = np.diag(np.ones(999), 1)
    graph = Graph(np.arange(2000.0).reshape(1000, 2), A + A.T)
    nodes = make_nodes(graph, conv)
    inputs = nodes.inputs(np.array([500, 20]))
    senders = np.concatenate([np.arange(18, 23), np.arange(498, 503)])
    assert_array_equal(inputs["x"], graph.X[senders])
    assert "features" not in vars(nodes._fields)  # all of them, converted
    assert not calls
    for _ in range(2):
        nodes = make_nodes(graph, conv)
        nodes.inputs(np.array([500]), 1, np.random.RandomState(0))
    assert len(calls) == (1 if conv in ("gcn", "gat") else 0)


def test_features_are_converted_once_for_many_batches():
    rows = make_rows(make_graph(), dtype=np.float32)
    nodes = rows.arrays[0]
    list(NodeBatches(rows.subset(np.arange(2)), 40, n_sampled=1, seed=0))
    assert "features" not in vars(nodes._fields)
    batches = NodeBatches(rows, 5, np.random.RandomState(0), n_sampled=1, seed=0)
    assert "features" in vars(nodes._fields)
    for x, y in batches:
        (inputs,) = x.inputs
        features = inputs["x"]
        for messages in inputs["messages"]:
            own = messages.own
            features = features if own is None else features[own]
        assert_array_equal(features, nodes.graph.X[y].astype(np.float32))


def test_ids_that_change_later_change_no_inputs():
    ids = np.array([3, 1])
    nodes = make_nodes(make_graph(features=False), n_layers=0, ids=ids)
    inputs = nodes.inputs()
    ids[:] = 0
    assert inputs["x"].tolist() == [3, 1]
