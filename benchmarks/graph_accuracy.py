"""Accuracy of graph networks: a karate club, solubility of molecules, few labels.

``python -m benchmarks.graph_accuracy [--quick]``
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from time import perf_counter

import networkx as nx
import numpy as np
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from benchmarks._data import load_molecules
from benchmarks._report import Goal, Report, run_from_command_line
from sknn import Graph, GraphClassifier, GraphRegressor, NodeClassifier

COLUMNS = "data and estimator", "score", "lowest", "highest", "s a fit"
NOTES = [
    "Mean over the seeds, with the lowest and the highest: accuracy, or R2 of "
    "regressors. Everything is at the defaults but for what a row says.",
    "Karate club: networkx's graph, 4 labels, two a class, drawn with the seed; "
    "accuracy on the 30 other members. Harmonic: the limit of label propagation on "
    "the same weighted edges.",
    "Solubility: 1025 molecules to train on, 257 to be judged by. Forests have the "
    "sums over the atoms of what networks are told of each atom: counts of elements, "
    "hydrogens and kinds of bonds.",
    "Digits: scikit-learn's 1797, standardised, 18 labels (1 %), each class having "
    "one, drawn with the seed; accuracy on the others. The network's graph joins "
    "each digit with the 10 nearest of all.",
]


@dataclass(frozen=True)
class FewLabels:
    """A graph with classes of its nodes, few of which a network is told.

    Parameters
    ----------
    graph : Graph
    y : ndarray of shape (n_nodes,)
        Classes from 0 on.
    n_labelled : int
    """

    graph: Graph
    y: np.ndarray
    n_labelled: int

    def split(self, seed: int) -> list[np.ndarray]:
        """Draw nodes with a label, in proportion to the classes; and all others."""
        return train_test_split(
            np.arange(len(self.y)),
            train_size=self.n_labelled,
            stratify=self.y,
            random_state=seed,
        )


@dataclass(frozen=True)
class Molecules:
    """Graphs of atoms, the first `n_train` of them to train on.

    Parameters
    ----------
    graphs : list of Graph
    solubility : ndarray of shape (n_molecules,)
    classes : ndarray of shape (n_molecules,)
    n_train : int
    """

    graphs: list[Graph]
    solubility: np.ndarray
    classes: np.ndarray
    n_train: int


@cache
def load_club() -> FewLabels:
    """Load a karate club, and whom its members followed."""
    club = Graph.from_networkx(nx.karate_club_graph(), target="club")
    return FewLabels(club, np.unique(club.y, return_inverse=True)[1], n_labelled=4)


@cache
def load_near_digits() -> FewLabels:
    """Load digits, each joined with the ten nearest."""
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    near = kneighbors_graph(X, 10)
    return FewLabels(Graph(X, near.maximum(near.T)), y, n_labelled=18)


@cache
def load_solubility() -> Molecules:
    """Load molecules as graphs."""
    molecules, y, classes, n_train = load_molecules()
    graphs = [Graph(atoms, bonds) for atoms, bonds, _ in molecules]
    return Molecules(graphs, y, classes, n_train)


def score_network(problem: FewLabels, seed: int, conv: str = "gcn") -> float:
    """Accuracy of a graph network at the nodes whose label it was not told."""
    known, rest = problem.split(seed)
    model = NodeClassifier(conv=conv, graph=problem.graph, random_state=seed)
    return model.fit(known, problem.y[known]).score(rest, problem.y[rest])


def score_harmonic(problem: FewLabels, seed: int) -> float:
    """Accuracy of labels that are the weighted mean of their neighbours'."""
    known, rest = problem.split(seed)
    weights = problem.graph.adjacency.toarray()
    laplacian = np.diag(weights.sum(1)) - weights
    told = np.eye(problem.y.max() + 1)[problem.y[known]]
    heard = weights[np.ix_(rest, known)] @ told  # (n_rest, n_classes)
    found = np.linalg.solve(laplacian[np.ix_(rest, rest)], heard)
    return float(np.mean(found.argmax(1) == problem.y[rest]))


def score_spreading(problem: FewLabels, seed: int) -> float:
    """Accuracy of scikit-learn's LabelSpreading over the ten nearest rows."""
    known, rest = problem.split(seed)
    y = np.full(len(problem.y), -1)
    y[known] = problem.y[known]
    model = LabelSpreading(kernel="knn", n_neighbors=10).fit(problem.graph.X, y)
    return float(np.mean(model.transduction_[rest] == problem.y[rest]))


def score_logistic(problem: FewLabels, seed: int) -> float:
    """Accuracy of a logistic regression, which hears of no other rows."""
    known, rest = problem.split(seed)
    X, y = problem.graph.X, problem.y
    return LogisticRegression().fit(X[known], y[known]).score(X[rest], y[rest])


def score_molecules(
    problem: Molecules, seed: int, model: BaseEstimator, sums: bool = False
) -> float:
    """Score on the test molecules, as graphs or as sums over their atoms."""
    X, n = problem.graphs, problem.n_train
    y = getattr(problem, "solubility" if is_regressor(model) else "classes")
    if sums:
        X = np.stack([graph.X.sum(0) for graph in X])
    model = clone(model).set_params(random_state=seed)
    return model.fit(X[:n], y[:n]).score(X[n:], y[n:])


@dataclass(frozen=True)
class Case:
    """A data set, what is trained on it, and how well it should do."""

    name: str
    load: Callable[[], object]
    score: Callable[[object, int], float]
    n_seeds: int
    goal: float | None = None


def make_club_case(conv: str, goal: float | None = None) -> Case:
    """Make the case of a convolution on the karate club."""
    name = f"karate club: NodeClassifier(conv={conv!r})"
    return Case(name, load_club, partial(score_network, conv=conv), 20, goal)


def make_molecule_case(
    model: BaseEstimator, goal: float | None = None, sums: bool = False
) -> Case:
    """Make the case of an estimator of solubility."""
    name = f"solubility: {model!r}{' of sums over the atoms' if sums else ''}"
    score = partial(score_molecules, model=model, sums=sums)
    return Case(name, load_solubility, score, 3, goal)


CASES = [
    make_club_case("gcn", 0.85),
    *(make_club_case(conv) for conv in ("sage", "gat", "gin")),
    Case("karate club: harmonic", load_club, score_harmonic, 20),
    make_molecule_case(GraphRegressor(), 0.84),
    make_molecule_case(GraphRegressor(conv="gcn", pooling="sum")),
    make_molecule_case(GraphRegressor(conv="gin", pooling="sum")),
    make_molecule_case(RandomForestRegressor(), sums=True),
    make_molecule_case(GraphClassifier(), 0.78),
    make_molecule_case(GraphClassifier(conv="gcn", pooling="sum")),
    make_molecule_case(GraphClassifier(conv="gin", pooling="sum")),
    make_molecule_case(RandomForestClassifier(), sums=True),
    Case("digits, 1 %: NodeClassifier()", load_near_digits, score_network, 10),
    Case("digits, 1 %: LabelSpreading", load_near_digits, score_spreading, 10),
    Case("digits, 1 %: LogisticRegression", load_near_digits, score_logistic, 10),
]


def measure_case(report: Report, case: Case, n_seeds: int) -> None:
    """Train with several seeds."""
    problem, start = case.load(), perf_counter()
    scores = [case.score(problem, seed) for seed in range(n_seeds)]
    seconds, mean = (perf_counter() - start) / n_seeds, float(np.mean(scores))
    cells = [f"{value:.3f}" for value in (mean, min(scores), max(scores))]
    report.add_row(case.name, *cells, f"{seconds:.1f}")
    report.seconds[case.name] = {"s": [seconds]}
    if case.goal is not None:
        report.goals.append(Goal(case.name, mean, at_least=case.goal, unit=""))


def measure(quick: bool = False) -> Report:
    """Train every case; a quick run leaves out what has no goal on molecules."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are few on purpose
    report = Report("graph_accuracy", "Accuracy on graphs", [*COLUMNS], notes=[*NOTES])
    for case in CASES:
        is_slow = case.load is load_solubility and case.goal is None
        if not (quick and is_slow):
            measure_case(
                report, case, case.n_seeds // 10 or 1 if quick else case.n_seeds
            )
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
