"""Networks on sequences: sknn, skorch and a plain loop train the same module.

``python -m benchmarks.sequences [--quick]``
"""

import warnings

import numpy as np

from benchmarks._memory import in_new_process, measure_growth
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._sequence_peers import SEQUENCE_PEERS
from benchmarks._sequence_shapes import SEQUENCE_SHAPES, SequenceShape
from benchmarks._timing import paired_ratios, time_in_turns, warm_up
from benchmarks.conv import check_loss
from benchmarks.fit import check_epochs

AT_LEAST = {"Recurrent": 3.0, "Transformer": 1.5}
WATCHED = "sknn", "torch"
RAGGED = "JapaneseVowels", "PickupGesture", "names", "5 to 200 steps"
NOTES = [
    "float32; each ratio is the peer's time over sknn's: the median over the rounds, "
    "with its quartiles. Above 1, sknn is faster.",
    "All train sknn's own module, of the layers that its estimators have by default, "
    "for the same epochs in batches of 32 with Adam at a constant rate, no penalty but "
    "sknn's, no clipping; the benchmark fails if any of them ends at a loss no better "
    "than guessing.",
    "skorch: NeuralNetClassifier on arrays padded to the longest sequence of all, with "
    "its callbacks as they are by default (verbose=0). torch: a loop over a shuffling "
    "DataLoader that pads each batch to its longest.",
    "Goals are for the least ratio over ragged sequences (all but BasicMotions).",
    "Memory: by how much a fit makes the resident memory of a new process grow at "
    "most, the inputs and all imports being there before. MB are 10^6 bytes.",
    "No thread count is set: each library runs as it is installed.",
]


def prepare_all(shape: SequenceShape) -> dict:
    """Timed calls of a shape's competitors, each run once and checked."""
    X, y = shape.load()
    runs = {name: peer.prepare(shape, X, y) for name, peer in SEQUENCE_PEERS.items()}
    for name, fitted in warm_up(runs).items():
        check_epochs(name, SEQUENCE_PEERS[name].n_epochs(fitted), shape)
        check_loss(name, SEQUENCE_PEERS[name].final_loss(fitted), shape, y)
    return runs


def measure_fit(name: str, number: int) -> float:
    """Megabytes that a competitor's fit of a shape takes, in this process."""
    warnings.simplefilter("ignore")
    shape, prepare = SEQUENCE_SHAPES[number], SEQUENCE_PEERS[name].prepare
    X, y = shape.load()
    few = np.unique(y, return_index=True)[1]
    prepare(shape, [X[i] for i in few], y[few])()  # for what is imported on the way
    return measure_growth(prepare(shape, X, y))[1]


def measure(quick: bool = False) -> Report:
    """Train every shape, and once more in processes of their own."""
    peers = [name for name in SEQUENCE_PEERS if name != "sknn"]
    columns = ["shape", "epochs", "sknn, ms", *(f"against {peer}" for peer in peers)]
    columns += [f"memory of {name}, MB" for name in WATCHED]
    report = Report("sequences", "Networks on sequences", columns, notes=NOTES)
    least, memory = dict.fromkeys(AT_LEAST, np.inf), []
    for number, shape in enumerate(SEQUENCE_SHAPES):
        seconds = time_in_turns(prepare_all(shape), 3 if quick else 9)
        report.seconds[shape.name] = seconds
        ratios = {peer: paired_ratios(seconds, peer, "sknn") for peer in peers}
        if shape.data in RAGGED:
            ratio = float(ratios["skorch"][1])
            least[shape.family] = min(least[shape.family], ratio)
        memory.append([in_new_process(measure_fit, name, number) for name in WATCHED])
        report.add_row(
            shape.name,
            str(shape.epochs),
            f"{1000 * np.median(seconds['sknn']):.0f}",
            *(format_ratio(quartiles) for quartiles in ratios.values()),
            *(f"{megabytes:.1f}" for megabytes in memory[-1]),
        )
    report.goals = [
        Goal(f"fit of a {family}Classifier against skorch: least", least[family], goal)
        for family, goal in AT_LEAST.items()
    ]
    most = max(ours / theirs for ours, theirs in memory)
    what = "memory of a fit to sequences over that of the torch loop: most"
    report.goals.append(Goal(what, most, at_most=1.0))
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
