"""Batches of graphs: every row once; and what training makes of nodes and graphs."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from graph_standin import Graph, as_dense, make_adjacency
from numpy.testing import assert_allclose, assert_array_equal

from sknn.data import GraphBatches, Graphs, Nodes, Parts, Rows, make_batches
from sknn.training import _lbfgs
from sknn.training._array_ops import TorchOps
from sknn.training._gradient import call
from sknn.training._lbfgs import Objective
from sknn.training._net import Net

SIZES = np.random.RandomState(0).randint(1, 12, 53)


def make_rows(weighted=False, signals=False, conv="gcn"):
    rng = np.random.RandomState(0)
    weight = rng.uniform(size=len(SIZES)) if weighted else None
    y = np.arange(len(SIZES))
    if signals:
        graph = Graph(None, make_adjacency(6, 9, rng))
        values = rng.normal(size=(len(SIZES), 6, 2))
        return Rows(Graphs.from_signals(values, graph, conv), y, weight)
    graphs = [
        Graph(rng.normal(size=(n, 2)), make_adjacency(n, 2 * n, rng)) for n in SIZES
    ]
    return Rows(Graphs.from_list(graphs, conv, np.float64), y, weight)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("signals", [False, True], ids=["graphs", "signals"])
@pytest.mark.parametrize("batch_size", [1, 7, 53, 100])
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
def test_every_row_comes_once(weighted, signals, batch_size, reused):
    rows = make_rows(weighted, signals).subset(np.arange(len(SIZES))[::-1][:40])
    batches = GraphBatches(rows, batch_size, np.random.RandomState(0))
    every = rows.arrays[0]
    for _ in range(2):
        seen = []
        for batch in batches.reused() if reused else batches:
            x, y = batch
            assert isinstance(x, Parts)
            assert len(x) == batch.n_rows == len(y) <= batch_size
            (inputs,) = x.inputs
            expected = every.inputs(y.numpy())
            assert_array_equal(inputs["x"], expected["x"])
            assert_array_equal(inputs["starts"], expected["starts"])
            assert_array_equal(
                as_dense(inputs["messages"]), as_dense(expected["messages"])
            )
            if weighted:
                assert_array_equal(batch.weight[:, 0], rows.arrays[2][y.numpy()])
            seen += y.tolist()
        assert sorted(seen) == sorted(rows.y)
    assert len(batches) == -(-40 // batch_size)


def test_orders_follow_from_the_random_state():
    rows = make_rows()

    def find_orders(seed):
        batches = GraphBatches(rows, 8, np.random.RandomState(seed))
        return [[y.tolist() for _, y in batches] for _ in range(2)]

    assert find_orders(0) == find_orders(0)
    assert find_orders(0) != find_orders(1)
    assert find_orders(0)[0] != find_orders(0)[1]


@pytest.mark.parametrize("signals", [False, True], ids=["graphs", "signals"])
def test_make_batches_knows_graphs(signals):
    rows = make_rows(weighted=True, signals=signals)
    for device in ("cpu", "meta"):
        batches = make_batches(rows, 16, np.random.RandomState(0), device=device)
        assert type(batches) is GraphBatches
        for batch in batches:
            x, y = batch
            (inputs,) = x.inputs
            messages = inputs["messages"]
            tensors = [y, batch.weight, inputs["x"], inputs["starts"]]
            tensors += [messages.starts, messages.sources, messages.weights]
            assert {tensor.device.type for tensor in tensors} == {device}


def test_nothing_global_is_touched():
    torch_state = torch.get_rng_state()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    list(GraphBatches(make_rows(), 5, np.random.RandomState(0)))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


class MeanOfSums(torch.nn.Module):
    """Sums over neighbours, then over each graph's nodes, by dense products."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, 1, dtype=torch.float64))

    def forward(self, x, messages, starts=None):
        layers = messages if isinstance(messages, list) else [messages]
        h = x @ self.weight
        for layer in layers:
            h = torch.from_numpy(as_dense(layer)) @ h
        if starts is None:
            return h
        return torch.segment_reduce(h, "sum", offsets=starts)


def test_a_net_infers_parts():
    rows, module = make_rows(), MeanOfSums()
    expected = call(module, rows.X.inputs())
    net = SimpleNamespace(module_=module)
    for x, y in GraphBatches(rows, 16):
        assert_allclose(
            Net.infer(net, x).detach(), expected.detach()[y.numpy()], atol=1e-12
        )


class SquaredSums:
    """The gradient that `Objective` asks a net for."""

    ops = loss_ops = TorchOps

    def __init__(self, flat):
        self.flat, self.n_batches = flat, 0

    def __call__(self, batch):
        module = MeanOfSums()
        with torch.no_grad():
            module.weight.copy_(self.flat.values[:, None])
        x, y = batch
        outputs = call(module, x)[:, 0] - y
        weight = 1 if batch.weight is None else batch.weight[:, 0]
        loss = (weight * outputs**2).sum() / batch.total
        loss.backward()
        self.flat.gradient.copy_(module.weight.grad[:, 0])
        self.n_batches += 1
        return loss.item()


def make_objective(rows):
    flat = SimpleNamespace(
        values=torch.zeros(2, dtype=torch.float64),
        gradient=torch.zeros(2, dtype=torch.float64),
        is_tied=lambda: True,
        zero_frozen_gradients=lambda: None,
    )
    net = SimpleNamespace(
        task=SimpleNamespace(flat=flat),
        gradient=SquaredSums(flat),
        penalize=lambda total: 0.0,
        _set_training=lambda training: None,
    )
    return Objective(net, rows)


def make_node_rows():
    rng = np.random.RandomState(0)
    graph = Graph(rng.normal(size=(30, 2)), make_adjacency(30, 50, rng))
    nodes = Nodes(graph, rng.permutation(30)[:20], "gcn", 2, np.float64)
    return Rows(nodes, rng.normal(size=20), rng.uniform(size=20))


@pytest.mark.parametrize("chunked", [False, True], ids=["one_chunk", "chunks"])
@pytest.mark.parametrize("make", [make_rows, make_node_rows], ids=["graphs", "nodes"])
def test_lbfgs_sees_all_rows(monkeypatch, make, chunked):
    if chunked:
        monkeypatch.setattr(_lbfgs, "MOST_NODES", 60)
    rows = make()
    rows = Rows(rows.arrays[0], rows.y.astype(np.float64), rows.weight)
    rows = rows.subset(np.arange(len(rows))[::-2])
    objective = make_objective(rows)
    found = [objective(np.array([0.3, -2.0])) for _ in range(2)]
    weight = torch.tensor([[0.3], [-2.0]], dtype=torch.float64, requires_grad=True)
    module = MeanOfSums()
    outputs = torch.func.functional_call(
        module, {"weight": weight}, (), rows.X.inputs()
    )[:, 0]
    row_weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    row_weight = torch.from_numpy(row_weight / row_weight.sum())
    loss = (row_weight * (outputs - torch.from_numpy(rows.y)) ** 2).sum()
    loss.backward()
    for value, gradient in found:
        assert value == pytest.approx(loss.item(), rel=1e-12)
        assert_allclose(gradient, weight.grad[:, 0], rtol=1e-11)
    n_chunks = objective.net.gradient.n_batches / 2
    assert (n_chunks > 1) == (chunked and make is make_rows)
