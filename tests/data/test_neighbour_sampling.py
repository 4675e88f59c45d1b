"""Sampled neighbours: how many, which, how heavy, and that their mean is the truth."""

from itertools import combinations

import numpy as np
import pytest
from graph_standin import Graph, as_dense, make_adjacency
from numpy.testing import assert_allclose, assert_array_equal

from sknn.data import Nodes
from sknn.data._sampling import draw_subsets, gather_ranges, sample_entries

CONVS = ["gcn", "sage", "gat", "gin"]
N_NODES = 60


def make_graph(n_edges=300, weighted=True, directed=False, n_nodes=N_NODES):
    rng = np.random.RandomState(0)
    options = {"weighted": weighted, "directed": directed}
    A = make_adjacency(n_nodes, n_edges, rng, **options)
    return Graph(rng.normal(size=(n_nodes, 2)), A)


def find_senders(inputs):
    """Nodes whose outputs enter each layer, and those that the last one computes."""
    nodes = [inputs["x"].numpy()]
    for messages in inputs["messages"]:
        own = messages.own
        nodes.append(nodes[-1] if own is None else nodes[-1][own.numpy()])
    return nodes


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n_sampled", [1, [3, 2], [2, 100]], ids=str)
def test_counts_members_and_weights(conv, directed, n_sampled):
    adjacency = make_graph(directed=directed).adjacency
    graph = Graph(None, adjacency)
    nodes = Nodes(graph, np.arange(N_NODES), conv, 2, np.float64)
    whole = as_dense(graph._messages(conv, np.float64))
    index = np.array([3, 59, 3, 40, 11])
    inputs = nodes.inputs(index, n_sampled, np.random.RandomState(0))
    senders = find_senders(inputs)
    assert_array_equal(senders[-1], index)
    most_of_layers = n_sampled if isinstance(n_sampled, list) else [n_sampled] * 2
    has_own = conv in ("gcn", "gat")
    layers = zip(inputs["messages"], most_of_layers, senders, senders[1:], strict=False)
    for messages, most, from_nodes, to_nodes in layers:
        found = as_dense(messages)
        for row, node in zip(found, to_nodes, strict=True):
            true = whole[node].copy()
            heard = np.zeros(N_NODES)
            heard[from_nodes] = row
            assert not heard[true == 0].any()
            if has_own:
                assert heard[node] == true[node]
                heard[node] = true[node] = 0
            degree, kept = np.count_nonzero(true), np.count_nonzero(heard)
            assert kept == min(degree, most)
            factor = 1 if conv == "gat" or not kept else degree / kept
            assert_allclose(heard[heard > 0], (true * factor)[heard > 0], rtol=1e-14)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gin"])
def test_sums_are_right_on_average(conv):
    graph, n_draws = make_graph(n_edges=120, n_nodes=20), 4000
    nodes = Nodes(graph, np.arange(20), conv, 1, np.float64)
    whole = as_dense(graph._messages(conv, np.float64))
    random_state = np.random.RandomState(0)
    total, squares = 0, 0
    for _ in range(n_draws):
        found = as_dense(nodes.inputs(slice(None), 3, random_state)["messages"][0])
        total, squares = total + found, squares + found**2
    mean = total / n_draws
    error = np.sqrt((squares / n_draws - mean**2).clip(0) / n_draws)
    # 400 means, each beyond 5 standard errors with a probability of 6e-7
    assert (np.abs(mean - whole) <= 5 * error + 1e-12).all()
    assert error.max() > 0


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_neighbours_sampled_is_not_sampled(conv, n_layers, dtype):
    graph = make_graph(n_edges=80)
    nodes = Nodes(graph, np.arange(N_NODES), conv, n_layers, dtype)
    for index in (np.array([4, 50, 4]), np.arange(0, N_NODES, 2), slice(None)):
        exact = nodes.inputs(index)
        random_state = np.random.RandomState(0)
        sampled = nodes.inputs(index, N_NODES, random_state)
        assert_array_equal(sampled["x"], exact["x"])
        for one, other in zip(sampled["messages"], exact["messages"], strict=True):
            assert one.shape == other.shape
            for name in ("starts", "sources", "weights"):
                assert_array_equal(getattr(one, name), getattr(other, name))
            assert (one.own is None) == (other.own is None)
            assert one.own is None or (one.own == other.own).all()


def test_a_layer_can_hear_all():
    graph = make_graph()
    nodes = Nodes(graph, np.arange(N_NODES), "sage", 1, np.float64)
    found = nodes.inputs(np.array([2, 3]), [None], np.random.RandomState(0))
    exact = nodes.inputs(np.array([2, 3]))
    assert_array_equal(found["messages"][0].sources, exact["messages"][0].sources)


@pytest.mark.parametrize("conv", CONVS)
def test_whole_layers_are_sampled_too(conv):
    graph = make_graph(n_edges=900)
    nodes = Nodes(graph, np.arange(N_NODES), conv, 2, np.float64)
    inputs = nodes.inputs(slice(None), 4, np.random.RandomState(0))
    for messages in inputs["messages"]:
        assert messages.shape == (N_NODES, N_NODES)
        assert messages.own is None
        assert messages.starts.diff().max() == 4 + (conv in ("gcn", "gat"))
    first, second = inputs["messages"]
    assert first.sources.tolist() != second.sources.tolist()


def test_draws_follow_from_the_random_state():
    nodes = Nodes(make_graph(), np.arange(N_NODES), "gcn", 2, np.float64)

    def draw(random_state):
        inputs = nodes.inputs(np.arange(5), 2, random_state)
        return [m.sources.tolist() for m in inputs["messages"]], inputs["x"].tolist()

    assert draw(np.random.RandomState(0)) == draw(np.random.RandomState(0))
    random_state = np.random.RandomState(0)
    assert draw(random_state) != draw(random_state)


def test_subsets_are_equally_likely():
    n_draws = 20_000
    drawn = draw_subsets(np.full(n_draws, 5), 3, np.random.RandomState(0))
    assert drawn.shape == (3, n_draws)
    found = list(map(tuple, np.sort(drawn, axis=0).T.tolist()))
    counts = [found.count(subset) for subset in combinations(range(5), 3)]
    assert sum(counts) == n_draws  # members are distinct
    expected = n_draws / 10
    # chi-square of 9 degrees of freedom: beyond 33.7 with a probability of 1e-4
    assert ((np.array(counts) - expected) ** 2 / expected).sum() < 33.7


def test_subsets_of_many_sizes():
    sizes = np.array([3, 4, 1000, 10**12])
    drawn = draw_subsets(sizes, 3, np.random.RandomState(0))
    assert (drawn >= 0).all()
    assert (drawn < sizes).all()
    assert sorted(drawn[:, 0]) == [0, 1, 2]
    assert draw_subsets(sizes[:0], 3, np.random.RandomState(0)).shape == (3, 0)


def test_ranges():
    first, stop = np.array([5, 0, 3, 9]), np.array([8, 0, 4, 11])
    members, starts = gather_ranges(first, stop)
    assert members.tolist() == [5, 6, 7, 3, 9, 10]
    assert starts.tolist() == [0, 3, 3, 4, 6]
    members, starts = gather_ranges(first[:0], stop[:0])
    assert (members.tolist(), starts.tolist()) == ([], [0])


@pytest.mark.parametrize("own", [None, np.array([12, 5, 30])], ids=["others", "own"])
def test_samples_of_ranges(own):
    first, stop = np.array([10, 5, 30]), np.array([20, 7, 31])
    random_state = np.random.RandomState(0)
    members, starts, factor = sample_entries(first, stop, own, 4, random_state)
    n_own = own is not None
    assert starts.tolist() == [0, 4 + n_own, 6 + n_own, 7 + n_own]
    cut = members[: starts[1]]
    assert len(set(cut)) == len(cut)
    assert set(cut) <= set(range(10, 20))
    assert not n_own or 12 in cut
    assert members[starts[1] :].tolist() == [5, 6, 30]
    expected = np.where(cut == 12, 1, 9 / 4) if n_own else np.full(4, 10 / 4)
    assert_allclose(factor[: starts[1]], expected)
    assert (factor[starts[1] :] == 1).all()
