"""Time of graph networks against torch-geometric, and how it grows; memory.

``python -m benchmarks.graphs [--quick]``
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks._graph_peers import FORMS, N_CLASSES, N_KINDS
from benchmarks._graph_sknn import (
    Outcome,
    run_pyg,
    train_graphs,
    train_nodes,
)
from benchmarks._memory import in_new_process
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._timing import paired_ratios

COLUMNS = [
    "what",
    "threads",
    "sknn, ms an epoch",
    "first epoch, ms",
    "of the peer, ms",
    *(f"against {form}" for form in FORMS),
    "memory, MB",
]
NOTES = [
    "float32, full-batch or in batches of 128 graphs; gcn of 16 hidden units with "
    "dropout, or of 64 and 64 and the mean over a graph; Adam at a constant rate. The "
    "data are random, and the same for both.",
    "Each ratio is torch-geometric's time of an epoch over sknn's: the median over the "
    "rounds, with its quartiles. Above 1, sknn is faster. A round is a new process for "
    "each competitor, in turns, with as many threads of torch; the time of an epoch is "
    "the median of those after the first.",
    "Forms of the peer's edges: edge_index as its documentation has them; sorted by "
    "the receiver; csr, a sparse matrix; compiled, the network by torch.compile on "
    "sorted edges. It keeps normalised edges from the first epoch on where there is "
    "one graph, and normalises those of each batch; sknn normalises all edges once. "
    "Half of the nodes have a label: the peer's last layer is of all nodes, sknn's of "
    "these.",
    "First epoch: with all that is done once, but for making Graphs of sknn or of the "
    "peer, whose edges are an edge_index there.",
    "Memory: the most that the process of sknn has in all while the Graph is made and "
    "the network trained. MB are 10^6 bytes.",
    "The benchmark fails if any network ends at a loss no better than guessing, or "
    "the peer at one that differs by more than a tenth.",
]


@dataclass(frozen=True)
class Problem:
    """What both train on.

    Parameters
    ----------
    name : str
        What identifies the row.
    key : str
        Name of the peer's problem.
    train : callable
        What trains sknn's network.
    n_epochs : int
        Epochs that are timed in a process.
    n_classes : int
    forms : tuple of str
        The peer's edges; to compile for batches of all sizes takes a minute a process.
    """

    name: str
    key: str
    train: Callable[..., Outcome]
    n_epochs: int
    n_classes: int
    forms: tuple[str, ...] = FORMS


@dataclass(frozen=True)
class Way:
    """How a large graph is trained on, and how many neighbours are heard."""

    name: str
    n_epochs: int
    n_sampled: int | None = None


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Parameters
    ----------
    forms : tuple of str
        The peer's edges.
    threads : tuple of int
    n_rounds : int
    share : float
        Of the epochs that a full run has.
    large : tuple of int
        Nodes and edges of the large graph.
    """

    forms: tuple[str, ...] = FORMS
    threads: tuple[int, ...] = (1, 2)
    n_rounds: int = 3
    share: float = 1.0
    large: tuple[int, int] = (200_000, 1_000_000)

    def count(self, n_epochs: int) -> int:
        """Epochs in place of those of a full run."""
        return max(2, round(self.share * n_epochs))


QUICK = Plan(("edge_index",), (1,), 1, 0.2, (20_000, 100_000))
NODES = Problem("20,000 nodes, 200,000 edges", "nodes", train_nodes, 50, N_CLASSES)
GRAPHS = Problem(
    "10,000 graphs of 20 nodes, 40 edges",
    "graphs",
    train_graphs,
    6,
    N_KINDS,
    ("edge_index", "csr"),
)
FOUR_TIMES = 80_000, 800_000
LARGE = [
    Way("full batch", 20),
    Way("10 neighbours sampled, batches of 512", 2, 10),
]
GROWTH_AT_MOST, MEMORY_AT_MOST = 5.0, 4000.0


def describe_size(n_nodes: int, n_edges: int) -> str:
    """Nodes and edges in words."""
    return f"{n_nodes:,} nodes, {n_edges:,} edges"


def train_in_turns(
    runs: dict[str, Callable[[], Outcome]], n_rounds: int
) -> dict[str, list[Outcome]]:
    """Let the competitors take turns, in an order reversed from round to round."""
    found: dict[str, list[Outcome]] = {name: [] for name in runs}
    for turn in range(n_rounds):
        for name in list(runs)[:: 1 if turn % 2 == 0 else -1]:
            found[name].append(runs[name]())
    return found


def list_epochs(found: dict[str, list[Outcome]]) -> dict[str, list[float]]:
    """Seconds of an epoch, one a round for each competitor."""
    return {name: [o.epoch for o in outcomes] for name, outcomes in found.items()}


def check_losses(found: dict[str, list[Outcome]], n_classes: int) -> None:
    """Refuse to time networks that do not learn, or not the same."""
    expected = found["sknn"][-1].losses[-1]
    for name, outcomes in found.items():
        loss = outcomes[-1].losses[-1]
        if not loss < np.log(n_classes):
            raise RuntimeError(
                f"{name} ends at a loss of {loss:.4f}, that of guessing."
            )
        if abs(loss - expected) > 0.1 * expected:
            raise RuntimeError(
                f"{name} ends at a loss of {loss:.4f}, sknn at one of {expected:.4f}."
            )


def in_milliseconds(seconds: list[float]) -> str:
    """Median over the rounds."""
    return f"{1000 * np.median(seconds):.1f}"


def make_row(
    name: str, n_threads: int, found: dict[str, list[Outcome]], ratios: dict
) -> list[str]:
    """Cells of what the competitors found; those of missing ones are empty."""
    first = {
        peer: in_milliseconds([outcome.first for outcome in outcomes])
        for peer, outcomes in found.items()
    }
    own = found["sknn"]
    return [
        name,
        str(n_threads),
        in_milliseconds([outcome.epoch for outcome in own]),
        first["sknn"],
        first.get("edge_index", ""),
        *(format_ratio(ratios[form]) if form in ratios else "" for form in FORMS),
        f"{max(outcome.megabytes for outcome in own):.0f}",
    ]


def measure_ratios(
    report: Report, problem: Problem, n_threads: int, plan: Plan
) -> dict[str, float]:
    """Train both with a number of threads; median ratio of each form."""
    n_epochs = plan.count(problem.n_epochs)
    runs = {"sknn": partial(in_new_process, problem.train, n_threads, n_epochs)}
    forms = [form for form in problem.forms if form in plan.forms]
    for form in forms:
        runs[form] = partial(run_pyg, problem.key, form, n_threads, n_epochs)
    found = train_in_turns(runs, plan.n_rounds)
    check_losses(found, problem.n_classes)
    seconds = list_epochs(found)
    report.seconds[f"{problem.name}, threads: {n_threads}"] = seconds
    ratios = {form: paired_ratios(seconds, form, "sknn") for form in forms}
    report.add_row(*make_row(problem.name, n_threads, found, ratios))
    return {form: float(ratio[1]) for form, ratio in ratios.items()}


def measure_against_peer(report: Report, problem: Problem, plan: Plan) -> None:
    """Train both with every number of threads; the worst has the goals."""
    rows = [measure_ratios(report, problem, n, plan) for n in plan.threads]
    least = min(row["edge_index"] for row in rows)
    plain = [{**row, "compiled": np.inf} for row in rows]
    fastest = min(min(row.values()) for row in plain)
    bounds = {"edge_index": least, "its fastest form that is not compiled": fastest}
    for form, ratio in bounds.items():
        what = f"epoch of {problem.name}, against torch-geometric, {form}: least"
        report.goals.append(Goal(what, ratio, at_least=1.0))


def measure_growth(report: Report, plan: Plan) -> None:
    """Time four times the nodes and edges beside the usual ones, by one thread."""
    n_epochs = plan.count(20)
    sizes = {"usual": (), "four times": FOUR_TIMES}
    runs = {
        name: partial(in_new_process, train_nodes, 1, n_epochs, *size)
        for name, size in sizes.items()
    }
    found = train_in_turns(runs, plan.n_rounds)
    seconds = list_epochs(found)
    ratio = paired_ratios(seconds, "four times", "usual")
    name = describe_size(*FOUR_TIMES)
    report.seconds[name] = seconds
    title = f"{name}: {format_ratio(ratio)} times as long"
    report.add_row(*make_row(title, 1, {"sknn": found["four times"]}, {}))
    what = f"epoch of {name}, over that of a quarter"
    report.goals.append(Goal(what, float(ratio[1]), at_most=GROWTH_AT_MOST))


def measure_large(report: Report, way: Way, plan: Plan) -> None:
    """Train on a large graph; what it takes of memory has a goal."""
    n_threads, n_epochs = max(plan.threads), plan.count(way.n_epochs)
    options = n_threads, n_epochs, *plan.large, way.n_sampled
    outcome = in_new_process(train_nodes, *options)
    check_losses({"sknn": [outcome]}, N_CLASSES)
    name = f"{describe_size(*plan.large)}, {way.name}"
    report.seconds[name] = {"sknn": outcome.seconds}
    report.add_row(*make_row(name, n_threads, {"sknn": [outcome]}, {}))
    bound = {"at_most": MEMORY_AT_MOST, "unit": " MB"}
    report.goals.append(Goal(f"memory, {name}", outcome.megabytes, **bound))


def measure(quick: bool = False) -> Report:
    """Train beside the peer, then on larger graphs alone."""
    plan = QUICK if quick else Plan()
    report = Report("graphs", "Graph networks", [*COLUMNS], notes=[*NOTES])
    for problem in (NODES, GRAPHS):
        measure_against_peer(report, problem, plan)
    measure_growth(report, plan)
    for way in LARGE:
        measure_large(report, way, plan)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
