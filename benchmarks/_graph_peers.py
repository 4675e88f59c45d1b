"""Graph networks by torch-geometric, in an interpreter of its own.

``python -m benchmarks._graph_peers nodes --form csr --threads 1`` prints its times as
JSON. Edges come as the documentation has them ("edge_index"), in the order of the
receiving nodes ("sorted"), in that order to a compiled network ("compiled": the first
epoch takes long, and a C++ compiler), or as a sparse matrix ("csr"). The interpreter
needs torch, torch_geometric and numpy alone; `time_pyg` runs it from any other: the one
that the environment variable SKNN_BENCHMARK_PYG names, or that of an environment made
for the purpose.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

N_CLASSES = 7
N_HIDDEN = 16
DROPOUT = 0.5
LEARNING_RATE = 0.01
WEIGHT_DECAY = 5e-4
N_UNITS = 64
N_KINDS = 2
BATCH_SIZE = 128
FORMS = "edge_index", "sorted", "compiled", "csr"


@dataclass
class NodeProblem:
    """One graph, some of its nodes labelled.

    Parameters
    ----------
    X : ndarray of shape (n_nodes, n_features), float32
    edges : ndarray of shape (n_edges, 2)
        Undirected, each once, none from a node to itself.
    y : ndarray of shape (n_nodes,)
        Classes of all nodes.
    labelled : ndarray of shape (n_labelled,)
        Nodes to learn from.
    """

    X: np.ndarray
    edges: np.ndarray
    y: np.ndarray
    labelled: np.ndarray


@dataclass
class GraphProblem:
    """Graphs of one size, each with a class.

    Parameters
    ----------
    X : ndarray of shape (n_graphs, n_nodes, n_features), float32
    edges : ndarray of shape (n_graphs, n_edges, 2)
        Undirected, each once, none from a node to itself.
    y : ndarray of shape (n_graphs,)
    """

    X: np.ndarray
    edges: np.ndarray
    y: np.ndarray


def make_node_problem(
    seed: int = 0,
    n_nodes: int = 20_000,
    n_edges: int = 200_000,
    n_features: int = 64,
    n_labelled: int | None = None,
) -> NodeProblem:
    """Make a random graph whose nodes lie around the centre of their class.

    `n_labelled` nodes of each class are labelled; None labels half of all nodes.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n_nodes)
    centres = rng.standard_normal((N_CLASSES, n_features))
    X = 0.3 * centres[y] + rng.standard_normal((n_nodes, n_features))
    pairs = np.sort(rng.integers(n_nodes, size=(n_edges + n_edges // 4, 2)))
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    edges = rng.permutation(pairs)[:n_edges]
    order = rng.permutation(n_nodes)
    if n_labelled is None:
        labelled = order[: n_nodes // 2]
    else:
        own = [order[y[order] == k][:n_labelled] for k in range(N_CLASSES)]
        labelled = np.concatenate(own)
    return NodeProblem(X.astype(np.float32), edges, y, labelled)


def make_graph_problem(
    seed: int = 0,
    n_graphs: int = 10_000,
    n_nodes: int = 20,
    n_edges: int = 40,
    n_features: int = 16,
) -> GraphProblem:
    """Make random graphs of two classes, whose nodes differ in their mean."""
    rng = np.random.default_rng(seed)
    y = rng.integers(N_KINDS, size=n_graphs)
    X = rng.standard_normal((n_graphs, n_nodes, n_features))
    X += 0.05 * (2 * y[:, None, None] - 1)
    pairs = np.column_stack(np.triu_indices(n_nodes, 1))
    drawn = rng.random((n_graphs, len(pairs))).argsort(1)[:, :n_edges]
    return GraphProblem(X.astype(np.float32), pairs[drawn], y)


def make_edge_index(edges: np.ndarray, form: str = "edge_index") -> torch.Tensor:
    """Make edges (2, 2 n_edges), both ways, from undirected ones (n_edges, 2)."""
    both = np.concatenate([edges, edges[:, ::-1]]).T
    if form in ("sorted", "compiled"):
        both = both[:, np.lexsort(both)]  # by the receiver, then by the sender
    return torch.from_numpy(both.copy())


def make_node_net(n_features: int) -> nn.Module:
    """Two graph convolutions, which keep the normalised edges of the first call."""
    from torch_geometric.nn import GCNConv

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = GCNConv(n_features, N_HIDDEN, cached=True)
            self.second = GCNConv(N_HIDDEN, N_CLASSES, cached=True)

        def forward(self, x, edges):
            h = self.first(x, edges).relu()
            return self.second(functional.dropout(h, DROPOUT, self.training), edges)

    return Net()


def make_graph_net(n_features: int) -> nn.Module:
    """Two graph convolutions, the mean over a graph's nodes and a linear layer."""
    from torch_geometric.nn import GCNConv, global_mean_pool

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = GCNConv(n_features, N_UNITS)
            self.second = GCNConv(N_UNITS, N_UNITS)
            self.output = nn.Linear(N_UNITS, N_KINDS)

        def forward(self, x, edges, graph_of_node, n_graphs):
            h = self.first(x, edges).relu()
            h = self.second(h, edges).relu()
            return self.output(global_mean_pool(h, graph_of_node, n_graphs))

    return Net()


def make_optimizer(net: nn.Module, weight_decay: float = 0.0) -> torch.optim.Optimizer:
    """Adam as the documentation has it."""
    return torch.optim.Adam(
        net.parameters(), lr=LEARNING_RATE, weight_decay=weight_decay
    )


def prepare_nodes(form: str, seed: int) -> Callable[[], float]:
    """Return what trains an epoch on the full graph and gives its loss."""
    from torch_geometric.utils import to_torch_csr_tensor

    problem = make_node_problem(seed)
    x, y = torch.from_numpy(problem.X), torch.from_numpy(problem.y)
    labelled = torch.from_numpy(problem.labelled)
    edges = make_edge_index(problem.edges, form)
    if form == "csr":
        edges = to_torch_csr_tensor(edges, size=(len(x), len(x)))
    net = make_node_net(x.shape[1]).train()
    if form == "compiled":
        net.compile()
    optimizer = make_optimizer(net, WEIGHT_DECAY)

    def train() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x, edges)[labelled], y[labelled])
        loss.backward()
        optimizer.step()
        return loss.item()

    return train


def prepare_graphs(form: str, seed: int) -> Callable[[], float]:
    """Return what trains an epoch of batches of graphs and gives its mean loss."""
    from torch_geometric.data import Data
    from torch_geometric.loader import DataLoader
    from torch_geometric.transforms import ToSparseTensor

    problem = make_graph_problem(seed)
    graphs = [
        Data(torch.from_numpy(x), make_edge_index(edges, form), y=int(y))
        for x, edges, y in zip(problem.X, problem.edges, problem.y, strict=True)
    ]
    if form == "csr":
        graphs = [ToSparseTensor(layout=torch.sparse_csr)(graph) for graph in graphs]
    loader = DataLoader(graphs, batch_size=BATCH_SIZE, shuffle=True)
    net = make_graph_net(problem.X.shape[2]).train()
    if form == "compiled":
        net.compile(dynamic=True)
    optimizer = make_optimizer(net)

    def train() -> float:
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            edges = batch.adj_t if form == "csr" else batch.edge_index
            outputs = net(batch.x, edges, batch.batch, batch.num_graphs)
            loss = functional.cross_entropy(outputs, batch.y)
            loss.backward()
            optimizer.step()
            total += loss.item() * batch.num_graphs
        return total / len(graphs)

    return train


PREPARE = {"nodes": prepare_nodes, "graphs": prepare_graphs}


def find_interpreter() -> str:
    """Return an interpreter that has torch-geometric; make it where none is named."""
    named = os.environ.get("SKNN_BENCHMARK_PYG")
    if named:
        return named
    folder = Path(tempfile.gettempdir()) / "sknn-benchmark-pyg"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        same = f"torch=={torch.__version__.split('+')[0]}"
        install = [
            python,
            "-m",
            "pip",
            "install",
            "-q",
            same,
            "torch_geometric",
            "numpy",
        ]
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(install, check=True)
        done.touch()
    return str(python)


def time_pyg(
    problem: str, form: str, n_threads: int, n_epochs: int, seed: int = 0
) -> dict:
    """Time torch-geometric in a process of its own.

    Parameters
    ----------
    problem : str
        "nodes" or "graphs".
    form : str
        One of `FORMS`.
    n_threads : int
        Threads of torch.
    n_epochs : int
        Epochs to time, after a first one that is not.
    seed : int
        Seed of the data.

    Returns
    -------
    dict
        ``seconds``, one an epoch; ``losses``, likewise; ``first``, the seconds of the
        untimed epoch, compilation included; ``versions``.
    """
    options = {"form": form, "threads": n_threads, "epochs": n_epochs, "seed": seed}
    command = [find_interpreter(), "-m", "benchmarks._graph_peers", problem]
    command += [f"--{name}={value}" for name, value in options.items()]
    root = Path(__file__).parents[1]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    return json.loads(run.stdout)


def time_epochs(train: Callable[[], float], n_epochs: int) -> dict:
    """Seconds and losses of epochs after a first one, which may compile."""
    seconds, losses = [], []
    for _ in range(1 + n_epochs):
        start = time.perf_counter()
        losses.append(train())
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[1:], "losses": losses[1:], "first": seconds[0]}


def main() -> None:
    """Print the times of one problem."""
    import torch_geometric

    parser = argparse.ArgumentParser()
    parser.add_argument("problem", choices=PREPARE)
    parser.add_argument("--form", choices=FORMS, default=FORMS[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    train = PREPARE[options.problem](options.form, options.seed)
    versions = {"torch": torch.__version__, "pyg": torch_geometric.__version__}
    print(json.dumps({**time_epochs(train, options.epochs), "versions": versions}))


if __name__ == "__main__":
    main()
