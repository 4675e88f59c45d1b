"""Graph convolutions against dense matrices in numpy."""

import copy
import pickle

import numpy as np
import pytest
import torch
from message_matrices import (
    CONVOLUTIONS,
    draw_adjacency,
    make_graph,
    make_matrix,
    make_messages,
)
from numpy.testing import assert_allclose
from torch.testing import assert_close

from sknn.modules import _graph_conv
from sknn.modules._attention_conv import GATConv
from sknn.modules._graph_conv import GCNConv, GINConv, SAGEConv

N_NODES, N_INPUTS, N_UNITS = 9, 3, 4
LAYERS = {
    "gcn": (GCNConv, {}),
    "sage": (SAGEConv, {}),
    "gat": (GATConv, {"n_heads": 2}),
    "gat, averaged": (GATConv, {"n_heads": 3, "concat": False}),
    "gin": (GINConv, {"activation": "tanh", "n_inner": 5}),
}
# some nodes listen to all, out of order
RECEIVERS = [5, 0, 3, 8]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64)


@torch.no_grad()
def make_layer(name, n_inputs=N_INPUTS, n_units=N_UNITS, **options):
    """Make a layer in which no parameter is zero."""
    kind, parameters = LAYERS[name]
    layer = kind(n_inputs, n_units, **parameters | options).double()
    for parameter in layer.parameters():
        parameter.normal_()
    return layer


def make_both(name, *, some=False, dtype=torch.float64, **parameters):
    """Make messages of a random graph, to all or some nodes, and their matrix."""
    matrix = make_graph(N_NODES, name.split(",")[0], **parameters)[1]
    if not some:
        return make_messages(matrix, dtype), matrix
    return make_messages(matrix[RECEIVERS], dtype, RECEIVERS), matrix[RECEIVERS]


def run_gcn(layer, matrix, h, own):
    return matrix @ h @ layer.linear.weight.T + layer.linear.bias


def run_sage(layer, matrix, h, own):
    both = np.concatenate([own, matrix @ h], 1)
    return both @ layer.linear.weight.T + layer.linear.bias


def run_gin(layer, matrix, h, own):
    z = (1 + layer.epsilon) * own + matrix @ h
    z = np.tanh(z @ layer.first.weight.T + layer.first.bias)
    return z @ layer.last.weight.T + layer.last.bias


def attend(layer, matrix, h, own):
    """Equations 1 to 3 of Velickovic et al. for each head: attention, features."""
    for k, vectors in enumerate(layer.attention_vectors.transpose(1, 0, 2)):
        width = vectors.shape[1]
        W = layer.linear.weight[k * width : (k + 1) * width]
        z = (own @ W.T @ vectors[0])[:, None] + h @ W.T @ vectors[1]
        scores = np.where(matrix > 0, np.where(z > 0, z, 0.2 * z), -np.inf)
        scores = scores - scores.max(1, keepdims=True)
        factors = matrix * np.exp(scores)
        yield factors / factors.sum(1, keepdims=True), h @ W.T


def run_gat(layer, matrix, h, own):
    heads = [alpha @ z for alpha, z in attend(layer, matrix, h, own)]
    joined = np.concatenate(heads, 1) if layer.concat else np.mean(heads, 0)
    return joined + layer.bias


EQUATIONS = {"gcn": run_gcn, "sage": run_sage, "gat": run_gat, "gin": run_gin}


def in_numpy(layer):
    """Copy a layer whose parameters are arrays."""
    plain = copy.deepcopy(layer)
    for module in plain.modules():
        for name, parameter in list(module._parameters.items()):
            del module._parameters[name]
            values = parameter if parameter is None else parameter.detach().numpy()
            setattr(module, name, values)
    return plain


@pytest.mark.parametrize("some", [False, True], ids=["all", "some"])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_papers(name, directed, some):
    messages, matrix = make_both(name, some=some, directed=directed)
    layer, h = make_layer(name), draw(N_NODES, N_INPUTS)
    own = h[RECEIVERS] if some else h
    run = EQUATIONS[name.split(",")[0]]
    expected = run(in_numpy(layer), matrix, h.numpy(), own.numpy())
    # a few dozen roundings of float64, of numbers below 100
    assert_allclose(layer(h, messages).detach(), expected, rtol=0, atol=1e-12)


def test_gcn_is_the_symmetrically_normalised_sum():
    adjacency = draw_adjacency(N_NODES, directed=False)
    with_loops = adjacency + np.eye(N_NODES)
    root = np.diag(with_loops.sum(1) ** -0.5)
    layer, h = make_layer("gcn", bias=False), draw(N_NODES, N_INPUTS)
    expected = root @ with_loops @ root @ layer.linear(h).detach().numpy()
    messages = make_messages(make_matrix(adjacency, "gcn"))
    assert_allclose(layer(h, messages).detach(), expected, rtol=0, atol=1e-13)


def test_equal_scores_make_attention_a_weighted_mean():
    messages, matrix = make_both("gat")
    layer, h = make_layer("gat", bias=False), draw(N_NODES, N_INPUTS)
    layer.attention_vectors.data.zero_()
    mean = matrix / matrix.sum(1, keepdims=True) @ layer.linear(h).detach().numpy()
    assert_allclose(layer(h, messages).detach(), mean, rtol=0, atol=1e-13)


@pytest.mark.parametrize("some", [False, True], ids=["all", "some"])
@pytest.mark.parametrize("scale", [1, 30, 1e4])
def test_attention_by_small_and_large_scores(scale, some):
    messages, matrix = make_both("gat", some=some)
    layer, h = make_layer("gat"), scale * draw(N_NODES, N_INPUTS)
    own = h[RECEIVERS] if some else h
    plain = in_numpy(layer)
    # scores are up to `scale` times a dozen, so that they round as much more
    error = 1e-14 * 12 * scale
    expected = run_gat(plain, matrix, h.numpy(), own.numpy())
    outputs = layer(h, messages).detach()
    assert_allclose(outputs, expected, rtol=0, atol=10 * scale * error)
    weights = layer.attention(h, messages).detach().numpy()
    heads = attend(plain, matrix, h.numpy(), own.numpy())
    for of_head, (alpha, _) in zip(weights.T, heads, strict=True):
        assert_allclose(of_head, alpha[matrix > 0], rtol=0, atol=error)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [-1, 1])
def test_attention_by_scores_of_any_size(dtype, sign):
    messages, _ = make_both("gat", dtype=dtype)
    layer, h = make_layer("gat").to(dtype), draw(N_NODES, N_INPUTS).to(dtype)
    layer.attention_vectors.data.mul_(sign * 1e4)
    h.requires_grad_()
    outputs = layer(h, messages)
    outputs.sum().backward()
    weights = layer.attention(h, messages)
    assert_close(weights[0], torch.ones_like(weights[0]))  # it hears itself alone
    # each row has one winner, whose features are all that is heard
    assert ((weights > 0.99).sum(0) == N_NODES).all()
    assert outputs.isfinite().all()
    assert h.grad.isfinite().all()
    assert layer.attention_vectors.grad.isfinite().all()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("some", [False, True], ids=["all", "some"])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_differences(name, some, first, bias, monkeypatch):
    monkeypatch.setattr(_graph_conv, "propagates_first", lambda *_: first)
    messages, _ = make_both(name, some=some)
    layer = make_layer(name, bias=bias)
    names = [name for name, _ in layer.named_parameters()]

    def run(h, *values):
        parameters = dict(zip(names, values, strict=True))
        return torch.func.functional_call(layer, parameters, (h, messages))

    values = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    h = draw(N_NODES, N_INPUTS).requires_grad_()
    assert torch.autograd.gradcheck(run, (h, *values))


def test_gradients_of_attention_by_large_scores():
    messages, _ = make_both("gat")
    layer, h = make_layer("gat"), 30 * draw(N_NODES, N_INPUTS)

    def run(h, vectors):
        parameters = {"attention_vectors": vectors}
        return torch.func.functional_call(layer, parameters, (h, messages))

    vectors = layer.attention_vectors.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(run, (h.requires_grad_(), vectors), atol=1e-4)


@pytest.mark.parametrize("some", [False, True], ids=["all", "some"])
@pytest.mark.parametrize("name", ["gcn", "sage", "gin"])
def test_both_orders_of_products_are_equal(name, some, monkeypatch):
    messages, _ = make_both(name, some=some)
    layer, h = make_layer(name), draw(N_NODES, N_INPUTS)
    results = []
    for first in (False, True):
        monkeypatch.setattr(_graph_conv, "propagates_first", lambda *_, f=first: f)
        results.append(layer(h, messages))
    assert_close(*results)


@pytest.mark.parametrize("name", LAYERS)
def test_new_numbers_for_nodes_renumber_the_outputs(name):
    adjacency, order = draw_adjacency(N_NODES), torch.randperm(N_NODES)
    layer, h = make_layer(name), draw(N_NODES, N_INPUTS)
    conv = name.split(",")[0]
    before = layer(h, make_messages(make_matrix(adjacency, conv)))
    renumbered = make_messages(make_matrix(adjacency[order][:, order], conv))
    assert_close(layer(h[order], renumbered), before[order])


@pytest.mark.parametrize("name", LAYERS)
def test_single_precision_rounds_more_and_no_more(name):
    layer, h = make_layer(name), draw(N_NODES, N_INPUTS).requires_grad_()
    outputs = layer(h, make_both(name)[0])
    single, x = copy.deepcopy(layer).float(), h.detach().float().requires_grad_()
    rounded = single(x, make_both(name, dtype=torch.float32)[0])
    outputs.square().sum().backward()
    rounded.square().sum().backward()
    pairs = [(outputs, rounded), (h.grad, x.grad)]
    pairs += [
        (p.grad, q.grad)
        for p, q in zip(layer.parameters(), single.parameters(), strict=True)
    ]
    for exact, approximate in pairs:
        # some dozen roundings of 6e-8 of the largest number
        atol = 3e-6 * exact.abs().max().item()
        assert_close(approximate.double(), exact, rtol=0, atol=atol)


def test_sums_tell_multisets_apart_that_means_do_not():
    adjacency = np.zeros((5, 5))
    adjacency[[2, 3, 4], [0, 1, 1]] = 1  # node 1 hears twice what node 0 hears once
    h = torch.tensor([[1.0], [1.0], [2.0], [2.0], [2.0]], dtype=torch.float64)
    for name, is_told in (("sage", False), ("gin", True)):
        layer = make_layer(name, 1)
        one, two = layer(h, make_messages(make_matrix(adjacency, name)))[:2]
        assert torch.allclose(one, two, rtol=1e-12) != is_told


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(4, 4), (0, 4)])
@pytest.mark.parametrize("name", LAYERS)
def test_graphs_without_edges_and_nodes_that_hear_nothing(name, shape, dtype):
    own = None if shape[0] else np.empty(0, np.int64)
    messages = make_messages(np.zeros(shape), dtype, own)
    layer, h = make_layer(name).to(dtype), draw(4, N_INPUTS).to(dtype)
    h.requires_grad_()
    outputs = layer(h, messages)
    outputs.sum().backward()
    assert outputs.shape == (shape[0], N_UNITS)
    assert h.grad.isfinite().all()
    if name.startswith("gat") and shape[0]:
        assert torch.equal(outputs, layer.bias.expand(4, -1))
        assert layer.attention(h, messages).shape == (0, layer.n_heads)


@pytest.mark.parametrize("name", LAYERS)
def test_a_row_without_entries_beside_others(name):
    matrix = make_both(name)[1].copy()
    matrix[4] = 0
    messages, layer = make_messages(matrix), make_layer(name)
    h = draw(N_NODES, N_INPUTS).requires_grad_()
    outputs = layer(h, messages)
    outputs.sum().backward()
    assert outputs.isfinite().all()
    assert all(p.grad.isfinite().all() for p in layer.parameters())
    assert h.grad.isfinite().all()


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
@pytest.mark.parametrize("name", LAYERS)
def test_copies_are_equal(name, clone):
    messages, _ = make_both(name)
    layer, h = make_layer(name), draw(N_NODES, N_INPUTS)
    assert torch.equal(clone(layer)(h, messages), layer(h, messages))


@pytest.mark.parametrize("name", LAYERS)
def test_meta_parameters_take_no_memory_and_no_random_numbers(name):
    kind, parameters = LAYERS[name]
    state = torch.get_rng_state()
    layer = kind(3, 4, device="meta", **parameters)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.is_meta for p in layer.parameters())


def test_all_convolutions_are_tested():
    assert {name.split(",")[0] for name in LAYERS} == set(CONVOLUTIONS)
