"""Networks of nodes against networks written by hand, and what must not matter."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

from sknn import Graph, NodeClassifier, NodeRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CONVOLUTIONS = ["gcn", "sage", "gat", "gin"]
BOTH = [NodeClassifier, NodeRegressor]
N = 30
RANDOM = np.random.RandomState(0)
Y = RANDOM.randint(3, size=N)
X = RANDOM.normal(size=(N, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, -1]
WEIGHTS = np.triu(RANDOM.uniform(0.5, 2, (N, N)) * (RANDOM.uniform(size=(N, N)) < 0.2))
UNDIRECTED = Graph(X, WEIGHTS + np.triu(WEIGHTS, 1).T)
DIRECTED = Graph(X, WEIGHTS * RANDOM.randint(2, size=(N, N)), directed=True)
GRAPHS = pytest.mark.parametrize("graph", [UNDIRECTED, DIRECTED], ids=["both", "one"])
KNOWN = np.sort(RANDOM.permutation(N)[:20])
TARGETS = {NodeClassifier: Y, NodeRegressor: X @ [1.0, 0.1, 5.0, 0.0]}


def make(Estimator=NodeClassifier, **params):
    defaults = {"max_iter": 5, "random_state": 0, "dropout": 0.0, "dtype": "float64"}
    return Estimator(**defaults | params)


def get_outputs(model, inputs):
    return getattr(model, "predict_proba", model.predict)(inputs)


def state_of(model):
    return {name: value.clone() for name, value in model.module_.state_dict().items()}


# Numbers of nodes


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize(
    "options",
    [{}, {"solver": "lbfgs"}, {"batch_norm": True}, {"hidden_layer_sizes": (8, 4)}],
    ids=str,
)
@GRAPHS
@pytest.mark.parametrize("Estimator", BOTH)
def test_renumbered_nodes_have_renumbered_answers(Estimator, graph, options, conv):
    y, order = TARGETS[Estimator], np.random.RandomState(3).permutation(N)
    model = make(Estimator, conv=conv, **options).fit(graph, y)
    moved = graph.subgraph(order)
    other = make(Estimator, conv=conv, **options).fit(moved, y[order])
    # sums of float64 in another order, which line searches and steps of adam enlarge
    close = {"rtol": 1e-6, "atol": 1e-8}
    for name, value in other.module_.state_dict().items():
        assert_allclose(value, model.module_.state_dict()[name], **close)
    outputs = get_outputs(model, graph)[order]
    assert_allclose(get_outputs(other, moved), outputs, **close)
    assert_allclose(other.transform(moved), model.transform(graph)[order], **close)


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_renumbered_nodes_have_their_structure(conv):
    graph = UNDIRECTED.replace(X=None)
    order = np.random.RandomState(3).permutation(N)
    params = {"conv": conv, "node_features": "structure"}
    model = make(**params).fit(graph, Y)
    other = make(**params).fit(graph.subgraph(order), Y[order])
    assert_allclose(
        other.predict_proba(graph.subgraph(order)),
        model.predict_proba(graph)[order],
        rtol=1e-6,
    )


# By hand


def forward_gcn(parameters, x, adjacency):
    """Two layers of Kipf and Welling on dense matrices."""
    looped = adjacency.T + torch.eye(len(x))
    factor = looped.sum(1) ** -0.5
    heard = factor[:, None] * looped * factor
    first, first_bias, last, last_bias = parameters
    h = torch.relu(heard @ x @ first.T + first_bias)
    return heard @ h @ last.T + last_bias


def forward_sage(parameters, x, adjacency):
    """Two layers with the mean aggregator of Hamilton et al. on dense matrices."""
    degree = adjacency.T.sum(1, keepdim=True)
    means = adjacency.T / torch.where(degree > 0, degree, 1)
    first, first_bias, last, last_bias = parameters
    h = torch.relu(torch.cat([x, means @ x], 1) @ first.T + first_bias)
    return torch.cat([h, means @ h], 1) @ last.T + last_bias


NAMES = [
    "convolutions.0.linear.weight",
    "convolutions.0.linear.bias",
    "output.linear.weight",
    "output.linear.bias",
]


@pytest.mark.parametrize("alpha", [0.0, 2.0])
@pytest.mark.parametrize(
    ("conv", "forward"), [("gcn", forward_gcn), ("sage", forward_sage)]
)
@GRAPHS
@pytest.mark.parametrize("Estimator", BOTH)
def test_full_batches_by_hand(Estimator, graph, conv, forward, alpha):
    """Gradient descent on the loss of the known nodes while all are heard."""
    rate, n_steps, y = 0.05, 6, TARGETS[Estimator]
    if Estimator is NodeRegressor:  # whatever outputs are scaled by
        y = (y - y[KNOWN].mean()) / y[KNOWN].std()
    params = {"conv": conv, "solver": "sgd", "momentum": 0, "alpha": alpha}
    params |= {"learning_rate": "constant", "tol": 0.0, "graph": graph}
    start = make(Estimator, learning_rate_init=1e-300, max_iter=1, **params)
    start.fit(KNOWN, y[KNOWN])
    model = make(Estimator, learning_rate_init=rate, max_iter=n_steps, **params)
    model.fit(KNOWN, y[KNOWN])
    state = state_of(start)
    parameters = [state[name].requires_grad_() for name in NAMES]
    x = torch.from_numpy((graph.X - graph.X.mean(0)) / graph.X.std(0))
    adjacency = torch.from_numpy(graph.adjacency.toarray())
    losses = []
    for _ in range(n_steps):
        raw = forward(parameters, x, adjacency)[KNOWN]
        truth = torch.from_numpy(y[KNOWN])
        if Estimator is NodeClassifier:
            loss = torch.nn.functional.cross_entropy(raw, truth)
        else:
            loss = ((raw[:, 0] - truth) ** 2).mean() / 2
        squares = sum((w**2).sum() for w in parameters if w.ndim == 2)
        loss = loss + alpha / (2 * len(KNOWN)) * squares
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= rate * gradient
        losses.append(loss.item())
    for name, parameter in zip(NAMES, parameters, strict=True):
        fitted = model.module_.state_dict()[name]
        assert_allclose(fitted, parameter.detach(), rtol=1e-9, atol=1e-12)
    assert_allclose(model.loss_curve_, losses, rtol=1e-9)
    raw = forward(parameters, x, adjacency).detach().numpy()
    expected = softmax(raw, axis=1) if Estimator is NodeClassifier else raw[:, 0]
    assert_allclose(get_outputs(model, graph), expected, rtol=1e-9)


# Attention


def attend_densely(layer, h, weights):
    """Equation 3 of Velickovic et al. with weights of edges: (heads, to, from)."""
    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    _, n_heads, width = state["attention_vectors"].shape
    h = (h @ state["linear.weight"].T).reshape(len(h), n_heads, width)
    receiver, sender = np.einsum("vkw,nkw->vkn", state["attention_vectors"], h)
    scores = receiver[:, :, None] + sender[:, None, :]
    scores = np.where(scores > 0, scores, 0.2 * scores)
    with np.errstate(divide="ignore"):
        return softmax(scores + np.log(weights), axis=2), h


@pytest.mark.parametrize("n_heads", [1, 4])
@GRAPHS
def test_attention_is_a_softmax_over_neighbours(graph, n_heads):
    model = make(conv="gat", hidden_layer_sizes=(8,), n_heads=n_heads, max_iter=20)
    first, last = model.fit(graph, Y).attention_weights(graph)
    assert len(first) == len(last) == n_heads
    heard = graph.adjacency.toarray().T + np.eye(N)
    x = (graph.X - graph.X.mean(0)) / graph.X.std(0)
    layer = model.module_.convolutions[0]
    expected, h = attend_densely(layer, x, heard)
    for head, dense in zip(first, expected, strict=True):
        assert_allclose(head.toarray(), dense, rtol=1e-9, atol=1e-12)
        assert_allclose(head.sum(axis=1), 1, rtol=1e-9)
        assert_array_equal(head.toarray() > 0, heard > 0)
    hidden = np.einsum("kij,jkw->ikw", expected, h).reshape(N, -1)
    hidden = np.maximum(hidden + layer.bias.detach().numpy(), 0)
    assert_allclose(model.transform(graph), hidden, rtol=1e-9, atol=1e-12)
    expected, h = attend_densely(model.module_.output, hidden, heard)
    for head, dense in zip(last, expected, strict=True):
        assert_allclose(head.toarray(), dense, rtol=1e-9, atol=1e-12)
    raw = np.einsum("kij,jkw->ikw", expected, h).mean(1)  # heads are averaged there
    raw += model.module_.output.bias.detach().numpy()
    assert_allclose(model.predict_proba(graph), softmax(raw, axis=1), rtol=1e-9)


def test_attention_is_of_the_graph_that_is_asked_about():
    model = make(conv="gat", graph=UNDIRECTED).fit(KNOWN, Y[KNOWN])
    whole = model.attention_weights(UNDIRECTED)
    for one, other in zip(model.attention_weights([3, 4]), whole, strict=True):
        assert_array_equal(one[0].toarray(), other[0].toarray())
    of_other = model.attention_weights(DIRECTED)[0][0]
    heard = DIRECTED.adjacency.toarray().T + np.eye(N)
    assert_array_equal(of_other.toarray() > 0, heard > 0)
    of_rows = make(conv="gat", n_neighbors=3).fit(X, Y).attention_weights(X[:2])
    matrix = of_rows[0][0]  # training rows, and the two behind them
    assert matrix.shape == (N + 2, N + 2)
    assert_array_equal(np.diff(matrix.indptr)[N:], [3 + 1, 3 + 1])
    assert_allclose(matrix.sum(axis=1), 1)


# Which convolution for which graph


def make_heterophilous(seed, n=150):
    """Nodes of three kinds that meet others six times as often as their own."""
    random = np.random.RandomState(seed)
    y = random.permutation(np.arange(n) % 3)
    chance = np.where(y[:, None] == y, 0.01, 0.06)
    upper = np.triu(random.uniform(size=(n, n)) < chance, 1)
    X = random.normal(size=(n, 5)) + 1.5 * np.eye(3, 5)[y]
    is_known = random.permutation(n) < n // 2
    return Graph(X, (upper | upper.T).astype(float)), y, is_known


@pytest.mark.parametrize("seed", range(4))
def test_where_neighbours_differ_sage_beats_gcn(seed):
    """It hears a node beside its neighbours, not mixed with them."""
    graph, y, is_known = make_heterophilous(seed)
    seen, hidden = np.where(is_known, y, -1), np.where(is_known, -1, y)
    scores = [
        NodeClassifier(conv=conv, random_state=seed, max_iter=100)
        .fit(graph, seen)
        .score(graph, hidden)
        for conv in ("sage", "gcn")
    ]
    assert scores[0] > scores[1] + 0.1


# Rows


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("Estimator", BOTH)
def test_answers_for_rows_do_not_depend_on_those_beside(Estimator, conv):
    model = make(Estimator, conv=conv, n_neighbors=4).fit(X, TARGETS[Estimator])
    new = np.random.RandomState(5).normal(size=(12, 4)) * X.std(0) + X.mean(0)
    outputs, vectors = get_outputs(model, new), model.transform(new)
    for i in range(12):
        # what is summed is the same, its order is that of blocks in products
        assert_allclose(get_outputs(model, new[[i]])[0], outputs[i], rtol=1e-12)
        assert_allclose(model.transform(new[[i]])[0], vectors[i], rtol=1e-12)
    assert_allclose(get_outputs(model, new[::-1]), outputs[::-1], rtol=1e-12)
    assert_allclose(
        get_outputs(model, np.repeat(new, 50, 0)[::50]), outputs, rtol=1e-12
    )


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_large_parts_are_answered_in_chunks(conv, monkeypatch):
    """Chunks of nodes hear what the whole graph's nodes hear."""
    from sknn.data import _chunks

    model = make(conv=conv, graph=UNDIRECTED).fit(KNOWN, Y[KNOWN])
    outputs, vectors = model.predict_proba(UNDIRECTED), model.transform(UNDIRECTED)
    monkeypatch.setattr(_chunks, "MOST_WANTED", 7)
    assert_allclose(model.predict_proba(UNDIRECTED), outputs, rtol=1e-12)
    assert_allclose(model.transform(UNDIRECTED), vectors, rtol=1e-12, atol=1e-15)
