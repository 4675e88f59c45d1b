"""How well networks on graphs do with their defaults: the benchmarks in small."""

import networkx as nx
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph

from benchmarks._data import FOLDER, load_molecules
from sknn import (
    Graph,
    GraphClassifier,
    GraphRegressor,
    NodeClassifier,
    NodeRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SEEDS = range(5)


def keep_some(y, n_each, seed):
    """Labels of which so many of each class are known, and which are not."""
    random = np.random.RandomState(seed)
    known = np.concatenate(
        [random.permutation(np.flatnonzero(y == c))[:n_each] for c in np.unique(y)]
    )
    is_hidden = ~np.isin(np.arange(len(y)), known)
    return np.where(is_hidden, None, y), is_hidden


def test_two_members_of_each_side_tell_that_of_the_others():
    """A karate club of which nothing but its ties is known (Kipf and Welling 2017)."""
    club = Graph.from_networkx(nx.karate_club_graph(), target="club")
    scores = []
    for seed in SEEDS:
        seen, is_hidden = keep_some(club.y, 2, seed)
        model = NodeClassifier(random_state=seed).fit(club, seen)
        scores.append(model.score(club, np.where(is_hidden, club.y, None)))
    assert np.mean(scores) >= 0.8


@pytest.fixture(scope="module")
def digits():
    """Graph of 600 digits, each with its ten nearest."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:600], y[:600]
    near = kneighbors_graph(X, 10)
    return Graph(X, near.maximum(near.T), y)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat"])
def test_digits_beside_which_others_lie(digits, conv):
    """Two of each are named; a tenth would be right by chance."""
    scores = []
    for seed in range(2):
        seen, is_hidden = keep_some(digits.y, 2, seed)
        model = NodeClassifier(conv=conv, random_state=seed).fit(digits, seen)
        scores.append(model.score(digits, np.where(is_hidden, digits.y, None)))
    assert np.mean(scores) >= 0.7


def test_more_labels_make_better_answers(digits):
    scores = []
    for n_each in (1, 20):
        seen, is_hidden = keep_some(digits.y, n_each, seed=0)
        model = NodeClassifier(random_state=0).fit(digits, seen)
        scores.append(model.score(digits, np.where(is_hidden, digits.y, None)))
    assert scores[1] > max(scores[0] + 0.1, 0.85)


def test_a_smooth_target_on_a_grid():
    """Half of its values are known, and the places of all nodes."""
    grid = nx.grid_2d_graph(15, 15)
    places = np.array(list(grid), dtype=float)
    y = np.sin(places[:, 0] / 4) + np.cos(places[:, 1] / 4)
    graph, is_known = Graph(places, grid), np.random.RandomState(0).rand(225) < 0.5
    model = NodeRegressor(conv="sage", dropout=0.0, random_state=0)
    model.fit(graph, np.where(is_known, y, np.nan))
    assert model.score(graph, np.where(is_known, np.nan, y)) > 0.8


@pytest.fixture(scope="module")
def molecules():
    """A third of the molecules of either part, and what is asked of them."""
    if not (FOLDER / "solubility.npz").exists():
        pytest.skip("needs examples/data/solubility.npz")
    found, y, classes, n_train = load_molecules()
    graphs = np.empty(len(found), dtype=object)
    graphs[:] = [Graph(X, bonds) for X, bonds, _ in found]
    parts = np.arange(0, n_train, 3), np.arange(n_train, len(found), 3)
    return [(graphs[part], y[part], classes[part]) for part in parts]


def test_how_well_molecules_dissolve(molecules):
    (train, y, _), (test, y_test, _) = molecules
    model = GraphRegressor(random_state=0, max_iter=40).fit(train, y)
    assert model.score(test, y_test) > 0.65


def test_classes_of_molecules(molecules):
    """The most frequent one has about a half."""
    (train, _, classes), (test, _, truth) = molecules
    model = GraphClassifier(random_state=0, max_iter=40).fit(train, classes)
    assert model.score(test, truth) > 0.6
