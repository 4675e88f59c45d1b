"""Graph networks by sknn on the peer's problems, each fit in a process of its own."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from benchmarks._graph_peers import (
    BATCH_SIZE,
    DROPOUT,
    LEARNING_RATE,
    N_HIDDEN,
    N_UNITS,
    WEIGHT_DECAY,
    make_graph_problem,
    make_node_problem,
    time_pyg,
)
from benchmarks._memory import measure_growth, read_memory
from sknn import Graph, GraphClassifier, NodeClassifier

SAMPLED_BATCH = 512
COMMON = {
    "conv": "gcn",
    "learning_rate": "constant",
    "learning_rate_init": LEARNING_RATE,
    "random_state": 0,
}


@dataclass(frozen=True)
class Outcome:
    """What one process found.

    Parameters
    ----------
    seconds, losses : list of float
        Of the epochs after the first.
    first : float
        Seconds of the first epoch, and of what is done once before it.
    megabytes : float
        Most memory that the process had from making its graphs on.
    """

    seconds: list[float]
    losses: list[float]
    first: float
    megabytes: float = float("nan")

    @property
    def epoch(self) -> float:
        """Seconds of an epoch: their median."""
        return float(np.median(self.seconds))


def run_pyg(problem: str, form: str, n_threads: int, n_epochs: int) -> Outcome:
    """Train torch-geometric likewise."""
    found = time_pyg(problem, form, n_threads, n_epochs)
    return Outcome(found["seconds"], found["losses"], found["first"])


def train_nodes(
    n_threads: int,
    n_epochs: int,
    n_nodes: int = 20_000,
    n_edges: int = 200_000,
    n_sampled: int | None = None,
) -> Outcome:
    """Train on a node problem in this process."""
    problem = make_node_problem(n_nodes=n_nodes, n_edges=n_edges)
    y = np.full(n_nodes, -1)
    y[problem.labelled] = problem.y[problem.labelled]
    n_rows = len(problem.labelled) if n_sampled is None else SAMPLED_BATCH
    model = NodeClassifier(
        hidden_layer_sizes=(N_HIDDEN,),
        dropout=DROPOUT,
        n_sampled_neighbors=n_sampled,
        batch_size=n_rows,
        alpha=WEIGHT_DECAY * n_rows,  # a penalty is divided by the rows of a batch
        **COMMON | fix_epochs(n_epochs),
    )
    return watch(model, lambda: Graph(problem.X, problem.edges), y, n_threads)


def train_graphs(n_threads: int, n_epochs: int) -> Outcome:
    """Train on the graph problem in this process."""
    problem = make_graph_problem()
    model = GraphClassifier(
        hidden_layer_sizes=(N_UNITS, N_UNITS),
        batch_size=BATCH_SIZE,
        alpha=0.0,
        **COMMON | fix_epochs(n_epochs),
    )
    pairs = zip(problem.X, problem.edges, strict=True)
    return watch(model, lambda: [Graph(*pair) for pair in pairs], problem.y, n_threads)


def fix_epochs(n_epochs: int) -> dict[str, int]:
    """Parameters that let a fit have one epoch more, whatever its losses."""
    return {"max_iter": 1 + n_epochs, "n_iter_no_change": 1 + n_epochs}


def watch(
    model: BaseEstimator, make: Callable[[], object], y: np.ndarray, n_threads: int
) -> Outcome:
    """Times and losses of a fit to what `make` returns; memory of both."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(n_threads)
    NodeClassifier(max_iter=1).fit(np.eye(20), np.arange(20) % 2)  # imports the rest
    whole, _ = measure_growth(partial(time_fit, model, make, y))
    seconds = model.history_[1:, "dur"]
    losses = model.history_[1:, "train_loss"]
    return Outcome(seconds, losses, whole - sum(seconds), read_memory("VmHWM"))


def time_fit(model: BaseEstimator, make: Callable[[], object], y: np.ndarray) -> float:
    """Seconds of a fit, without making its inputs."""
    X = make()
    start = perf_counter()
    model.fit(X, y)
    return perf_counter() - start
