"""Graphs in one array: selecting them, and block-diagonal matrices against scipy's."""

import pickle

import numpy as np
import pytest
import torch
from graph_standin import Graph, as_dense, make_adjacency, message_matrix
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn.data import (
    Graphs,
    Rows,
    channel_moments,
    combine_weights,
    convert,
    cut_rows,
    iter_chunks,
    move,
    split_for_validation,
)
from sknn.data import _scaling as scaling_module

CONVS = ["gcn", "sage", "gat", "gin"]
SIZES = [3, 1, 5, 5, 2, 9, 4]
KEYS = {
    "ints": np.array([4, 4, 0, 6]),
    "negative": np.array([-1, 2]),
    "one": np.array([1]),
    "none": np.array([], dtype=int),
    "list": [3, 2],
    "mask": np.arange(7) % 2 == 0,
    "slice": slice(1, 4),
    "all": slice(None),
    "empty_slice": slice(5, 2),
    "steps": slice(None, None, -2),
}
KINDS = ["undirected", "weighted", "directed", "mixed"]


def make_graphs(kind, sizes=SIZES):
    rng = np.random.RandomState(0)
    found = []
    for i, n in enumerate(sizes):
        directed = kind == "directed" or (kind == "mixed" and i % 2 == 0)
        A = make_adjacency(
            n, 2 * n, rng, directed=directed, weighted=kind == "weighted"
        )
        found.append(Graph(rng.normal(size=(n, 3)), A))
    return found


def block_diagonal(graphs, conv):
    """Join matrices by scipy."""
    blocks = [message_matrix(graph.adjacency.toarray(), conv) for graph in graphs]
    return sparse.block_diag(blocks).toarray() if blocks else np.zeros((0, 0))


def check_inputs(inputs, graphs, conv, dtype=np.float64):
    sizes = [graph.n_nodes for graph in graphs]
    assert inputs["starts"].dtype == torch.int64
    assert_array_equal(inputs["starts"], np.append(0, np.cumsum(sizes)))
    assert inputs["x"].numpy().dtype == dtype
    X = [graph.X for graph in graphs] or [np.zeros((0, 3))]
    assert_array_equal(inputs["x"], np.concatenate(X).astype(dtype))
    messages, expected = inputs["messages"], block_diagonal(graphs, conv)
    assert messages.shape == expected.shape
    assert messages.own is None
    assert messages.weights.numpy().dtype == dtype
    rounding = 4 * np.finfo(dtype).eps
    assert_allclose(as_dense(messages), expected, rtol=rounding)
    assert_allclose(as_dense(messages.backward), expected.T, rtol=rounding)
    assert_array_equal(messages.backward.weights, messages.weights[messages.order])


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", KEYS)
def test_batches_are_block_diagonal(conv, kind, key):
    graphs = make_graphs(kind)
    chosen = [graphs[i] for i in np.arange(7)[KEYS[key]]]
    every = Graphs.from_list(graphs, conv, np.float64)
    check_inputs(every.inputs(KEYS[key]), chosen, conv)
    selected = every[KEYS[key]]
    check_inputs(selected.inputs(), chosen, conv)
    assert selected.shape == (len(chosen),)
    assert_array_equal(selected.lengths, [graph.n_nodes for graph in chosen])
    assert len(selected.values) == sum(graph.n_nodes for graph in chosen)
    if len(chosen) > 1:
        check_inputs(selected[[1, 0]].inputs(), [chosen[1], chosen[0]], conv)
        check_inputs(selected.inputs(np.array([1])), chosen[1:2], conv)


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("kind", KINDS)
def test_types(conv, kind):
    graphs = make_graphs(kind)
    every = Graphs.from_list(graphs, conv, np.float32)
    assert every.dtype == np.float32
    check_inputs(every.inputs(), graphs, conv, np.float32)
    converted = convert(every[1:5], np.float64)
    assert converted.dtype == np.float64
    inputs = converted.inputs()
    assert inputs["x"].dtype == inputs["messages"].weights.dtype == torch.float64
    assert inputs["messages"].backward.weights.dtype == torch.float64
    expected = block_diagonal(graphs[1:5], conv)
    assert_allclose(as_dense(inputs["messages"]), expected, rtol=1e-6)  # was float32


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("kind", ["undirected", "directed"])
def test_one_node_and_no_edges(conv, kind):
    graphs = [Graph(np.ones((n, 3)), np.zeros((n, n))) for n in (1, 3)]
    graphs += make_graphs(kind)
    every = Graphs.from_list(graphs, conv, np.float64)
    check_inputs(
        every.inputs(np.array([1, 0, 4, 0])), [graphs[i] for i in (1, 0, 4, 0)], conv
    )
    check_inputs(every.inputs(np.array([0, 1])), graphs[:2], conv)


def test_what_they_say_of_themselves():
    graphs = make_graphs("undirected")
    every = Graphs.from_list(graphs, "gcn", np.float32)
    assert (every.shape, every.ndim, every.n_channels, len(every)) == ((7,), 1, 3, 7)
    assert_array_equal(every[-2], graphs[-2].X.astype(np.float32))
    assert_array_equal(every[2:][1], graphs[3].X.astype(np.float32))
    with pytest.raises(IndexError):
        every[7]
    assert np.shares_memory(every[2], every.values)
    assert np.shares_memory(every[::-1][0], every.values)


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signals(conv, kind, dtype):
    A = make_graphs(kind, [6])[0].adjacency
    values = np.random.RandomState(0).normal(size=(9, 6, 3)).astype(dtype)
    signals = Graphs.from_signals(values, Graph(None, A), conv)
    assert np.shares_memory(signals.values, values)
    assert_array_equal(signals.lengths, [6] * 9)
    for key in ([2], [0, 5, 5, 1], np.arange(9)[::-1], [2, 1], [3, 3, 3, 8], [], [7]):
        key = np.array(key, int)
        chosen = [Graph(values[i], A) for i in key]
        check_inputs(signals.inputs(key), chosen, conv, dtype)
        check_inputs(signals[key].inputs(), chosen, conv, dtype)
    converted = convert(signals, np.float64)
    chosen = [Graph(values[i].astype(np.float64), A) for i in (1, 2)]
    check_inputs(converted.inputs(slice(1, 3)), chosen, conv)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat"])
def test_matrices_of_signals_are_kept(conv):
    A = make_graphs("directed", [6])[0].adjacency
    signals = Graphs.from_signals(np.zeros((9, 6, 1)), Graph(None, A), conv)
    large, small = (signals.inputs(slice(0, n))["messages"] for n in (8, 3))
    for n, kept in ((8, large), (3, small), (8, large)):
        assert signals[::-1].inputs(np.arange(n))["messages"] is kept
    assert np.shares_memory(small.sources.numpy(), large.sources.numpy())
    back = [m.backward.sources.numpy() for m in (small, large)]
    assert np.shares_memory(*back)
    signals.inputs(slice(0, 4))
    assert signals.inputs(slice(0, 8))["messages"] is large


def test_tables_are_graphs_of_one_node():
    X = np.random.RandomState(0).normal(size=(5, 1, 4))
    table = Graphs.from_signals(X, Graph(None, np.zeros((1, 1))), "gcn")
    inputs = table.inputs(np.array([3, 1]))
    assert_array_equal(inputs["x"], X[[3, 1], 0])
    assert_array_equal(as_dense(inputs["messages"]), np.eye(2))
    assert inputs["starts"].tolist() == [0, 1, 2]


def test_they_are_the_inputs_of_rows():
    graphs = make_graphs("undirected")
    weight = np.arange(1.0, 8)
    whole = Rows(Graphs.from_list(graphs, "gcn", np.float64), np.arange(7), weight)
    subset = whole.subset(np.array([6, 2, 0, 3])).subset(np.array([3, 1]))
    for found in (subset.X, subset.inputs):
        check_inputs(found.inputs(), [graphs[3], graphs[2]], "gcn")
    assert subset.arrays[0] is whole.arrays[0]
    assert_array_equal(whole[2][0], graphs[2].X)
    train, held_out = split_for_validation(whole, 0.3, np.random.RandomState(0))
    assert sorted([*train.X.lengths, *held_out.X.lengths]) == sorted(SIZES)
    assert_array_equal(combine_weights(whole.X, weight, np.float64), weight)
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        combine_weights(whole.X, weight[1:], np.float64)


@pytest.mark.parametrize("chunk", [1 << 20, 10], ids=["one_chunk", "chunks"])
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
def test_moments(monkeypatch, chunk, weighted):
    monkeypatch.setattr(scaling_module, "CHUNK_ENTRIES", chunk)
    graphs = make_graphs("undirected")
    every = Graphs.from_list(graphs, "gcn", np.float32)
    weight = np.array([0.5, 2, 0, 1, 3, 1, 1]) if weighted else np.ones(7)
    for index in (np.arange(7), np.array([5, 0, 2])):
        X = np.concatenate([graphs[i].X.astype(np.float32) for i in index])
        X, w = X.astype(np.float64), np.repeat(weight[index], np.array(SIZES)[index])
        expected = np.average(X, axis=0, weights=w)
        spread = np.sqrt(np.average((X - expected) ** 2, axis=0, weights=w))
        rows = Rows(every, None, weight if weighted else None).subset(index)
        given = weight[index] if weighted else None
        for mean, std in (channel_moments(rows), channel_moments(every[index], given)):
            assert_allclose(mean, expected, rtol=1e-12, atol=1e-14)
            assert_allclose(std, spread, rtol=1e-12)


@pytest.mark.parametrize("most", [1, 9, 10, 29, 1000])
def test_chunks(most):
    graphs = make_graphs("undirected")
    every, seen = Graphs.from_list(graphs, "gcn", np.float64)[::-1], []
    for rows, inputs in iter_chunks(every, most):
        chosen = graphs[::-1][rows]
        check_inputs(inputs, chosen, "gcn")
        assert len(chosen) == 1 or len(inputs["x"]) <= most
        seen += chosen
    assert seen == graphs[::-1]
    sizes = np.array(SIZES[::-1])
    for one, other in zip(
        cut_rows(every, most), cut_rows(every, most)[1:], strict=False
    ):
        assert one.stop == other.start
        assert sizes[one].sum() + sizes[other.start] > most  # not one more fits


def test_moving_inputs():
    inputs = Graphs.from_list(make_graphs("mixed"), "gat", np.float32).inputs()
    moved = move(inputs | {"list": [inputs["messages"]]}, "meta")
    assert moved["list"][0] is moved["messages"]
    devices = {moved[name].device.type for name in ("x", "starts")}
    assert devices | {moved["messages"].sources.device.type} == {"meta"}
    assert move(inputs, "cpu")["messages"] is inputs["messages"]


def test_pickle():
    graphs = make_graphs("directed")
    every = Graphs.from_list(graphs, "gat", np.float64)[1:5]
    check_inputs(pickle.loads(pickle.dumps(every)).inputs(), graphs[1:5], "gat")
    values = np.random.RandomState(0).normal(size=(4, 5, 3))
    A = graphs[2].adjacency
    signals = Graphs.from_signals(values, Graph(None, A), "sage")
    signals.inputs()
    again = pickle.loads(pickle.dumps(signals))
    check_inputs(again.inputs(slice(0, 2)), [Graph(v, A) for v in values[:2]], "sage")


def test_numbers_too_large_for_their_type():
    A, X = np.eye(3, k=1), np.ones((3, 2))
    small, large, heavy = Graph(X, A), Graph(1e39 * X, A), Graph(X, 1e39 * A)
    with pytest.raises(
        ValueError, match=r"^X\[1\] must .*float32: got 1e\+39\. dtype="
    ):
        Graphs.from_list([small, large], "gin", np.float32)
    with pytest.raises(ValueError, match=r"^edge_weight must .*got 1e\+39\. dtype="):
        Graphs.from_list([small, heavy], "gin", np.float32)
    graphs = Graphs.from_list([large, heavy], "gin", np.float64)
    assert (
        graphs.inputs()["x"].max() == graphs.inputs()["messages"].weights.max() == 1e39
    )
    with pytest.raises(ValueError, match=r"^X must .*float32: got 1e\+39"):
        graphs.astype(np.float32)
    graphs = Graphs.from_list([heavy], "gin", np.float64)
    with pytest.raises(ValueError, match=r"^edge_weight must .*got 1e\+39"):
        graphs.astype(np.float32)
