"""Convolutional networks: sknn, skorch and a plain loop train the same module.

``python -m benchmarks.conv [--quick]``
"""

import warnings

import numpy as np

from benchmarks._conv_peers import CONV_PEERS
from benchmarks._conv_shapes import CONV_SHAPES, ConvShape
from benchmarks._memory import in_new_process, measure_growth
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._timing import paired_ratios, time_in_turns, warm_up
from benchmarks.fit import check_epochs

AT_LEAST = 1.5
WATCHED = "sknn", "torch"
NOTES = [
    "float32; each ratio is the peer's time over sknn's: the median over the rounds, "
    "with its quartiles. Above 1, sknn is faster.",
    "All train sknn's own module, of the layers that ConvClassifier has by default, "
    "for the same epochs in batches of the same size; the benchmark fails if any of "
    "them ends at a loss no better than guessing.",
    "torch: a loop over a shuffling DataLoader with torch.optim.Adam. skorch: the "
    "same within NeuralNetClassifier, with its callbacks as they are by default "
    "(verbose=0) and no validation split. Both have no penalty.",
    "Memory: by how much a fit makes the resident memory of a new process grow at "
    "most, the inputs and all imports being there before. MB are 10^6 bytes.",
    "No thread count is set: each library runs as it is installed.",
]


def prepare_all(shape: ConvShape) -> dict:
    """Timed calls of a shape's competitors, each run once and checked."""
    X, y = shape.load_as("float32")
    runs = {name: peer.prepare(shape, X, y) for name, peer in CONV_PEERS.items()}
    for name, fitted in warm_up(runs).items():
        check_epochs(name, CONV_PEERS[name].n_epochs(fitted), shape)
        check_loss(name, CONV_PEERS[name].final_loss(fitted), shape, y)
    return runs


def check_loss(name: str, loss: float, shape: ConvShape, y: np.ndarray) -> None:
    """Refuse to time what learns nothing."""
    guess = np.log(len(np.unique(y)))
    if not loss < guess:
        raise RuntimeError(
            f"{name} ends {shape.name} at loss {loss:.4g}, guessing has {guess:.4g}."
        )


def measure_fit(name: str, number: int) -> float:
    """Megabytes that a competitor's fit of a shape takes, in this process."""
    warnings.simplefilter("ignore")
    shape, prepare = CONV_SHAPES[number], CONV_PEERS[name].prepare
    X, y = shape.load_as("float32")
    _, few = np.unique(y, return_index=True)
    prepare(shape, X[few], y[few])()  # for what is imported on the way
    return measure_growth(prepare(shape, X, y))[1]


def measure(quick: bool = False) -> Report:
    """Train every shape, and once more in processes of their own."""
    peers = [name for name in CONV_PEERS if name != "sknn"]
    columns = ["shape", "epochs", "sknn, ms", *(f"against {peer}" for peer in peers)]
    columns += [f"memory of {name}, MB" for name in WATCHED]
    report = Report("conv", "Convolutional networks", columns, notes=NOTES)
    least, memory = dict.fromkeys(peers, np.inf), []
    for number, shape in enumerate(CONV_SHAPES):
        seconds = time_in_turns(prepare_all(shape), 3 if quick else 9)
        report.seconds[shape.name] = seconds
        ratios = {peer: paired_ratios(seconds, peer, "sknn") for peer in peers}
        least = {peer: min(least[peer], float(ratios[peer][1])) for peer in peers}
        memory.append([in_new_process(measure_fit, name, number) for name in WATCHED])
        report.add_row(
            shape.name,
            str(shape.epochs),
            f"{1000 * np.median(seconds['sknn']):.0f}",
            *(format_ratio(quartiles) for quartiles in ratios.values()),
            *(f"{megabytes:.1f}" for megabytes in memory[-1]),
        )
    report.goals = [
        Goal(f"fit of a ConvClassifier against {peer}: least", ratio, AT_LEAST)
        for peer, ratio in least.items()
    ]
    most = max(ours / theirs for ours, theirs in memory)
    what = "memory of such a fit over that of the torch loop: most"
    report.goals.append(Goal(what, most, at_most=1.0))
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
