"""Fixed costs: a fit of five rows for one epoch, and the import of sknn.

``python -m benchmarks.overhead [--quick]``
"""

import subprocess
import sys
from collections.abc import Callable

import numpy as np

from benchmarks._peers import PEERS
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import Shape
from benchmarks._timing import paired_ratios, time_in_turns, warm_up

NAMES = "sknn", "scikit-learn"
N_CALLS = 30
FIT_AT_MOST = 2.0
IMPORT_AT_MOST = 0.15
IMPORT_PROGRAM = """
from time import perf_counter
from sklearn.neural_network import MLPClassifier
import torch
start = perf_counter()
import sknn
print(perf_counter() - start)
"""
NOTES = [
    f"A fit of five rows for one epoch, {N_CALLS} of them a run; the ratio is sknn's "
    "time over scikit-learn's (below 1, sknn is faster).",
    "Import: seconds that `import sknn` takes in a new process where torch and "
    "scikit-learn's networks are already imported; its median and quartiles.",
]


def load_five_classes() -> tuple[np.ndarray, np.ndarray]:
    """Five rows of two classes."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 4)), np.array([0, 1, 0, 1, 0])


def load_five_targets() -> tuple[np.ndarray, np.ndarray]:
    """Five rows with a number each."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 4)), rng.standard_normal(5)


SHAPES = [
    Shape("5 rows, classifier", load_five_classes, (100,), 5, 1),
    Shape("5 rows, regressor", load_five_targets, (100,), 5, 1, regression=True),
]


def repeat_fit(train: Callable[[], object]) -> Callable[[], None]:
    """Make a run of many fits: one alone is too short for the clock."""

    def run() -> None:
        for _ in range(N_CALLS):
            train()

    return run


def time_import(repeats: int) -> list[float]:
    """Seconds of ``import sknn`` in new processes; the first writes bytecode."""
    command = [sys.executable, "-c", IMPORT_PROGRAM]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True)
        for _ in range(repeats + 1)
    ]
    return [float(run.stdout) for run in runs[1:]]


def measure_fit(report: Report, shape: Shape, repeats: int) -> None:
    """Add the row and the goal of one shape."""
    X, y = shape.load_as("float64")
    runs = {name: repeat_fit(PEERS[name].prepare(shape, X, y)) for name in NAMES}
    warm_up(runs)
    seconds = time_in_turns(runs, repeats)
    report.seconds[shape.name] = seconds
    ratio = paired_ratios(seconds, "sknn", "scikit-learn")
    milliseconds = [1000 * np.median(seconds[name]) / N_CALLS for name in NAMES]
    cells = [f"{value:.2f} ms" for value in milliseconds]
    report.add_row(shape.name, *cells, format_ratio(ratio))
    what = f"fixed cost of a fit ({shape.name}, 1 epoch) over scikit-learn's"
    report.goals.append(Goal(what, float(ratio[1]), at_most=FIT_AT_MOST))


def measure_import(report: Report, repeats: int) -> None:
    """Add the row and the goal of the import."""
    seconds = time_import(repeats)
    report.seconds["import"] = {"sknn": seconds}
    low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    cell = f"{middle:.3f} s ({low:.3f}-{high:.3f})"
    report.add_row("import, beyond scikit-learn and torch", cell, "", "")
    what = "import sknn, beyond scikit-learn and torch"
    report.goals.append(Goal(what, float(middle), at_most=IMPORT_AT_MOST, unit=" s"))


def measure(quick: bool = False) -> Report:
    """Time tiny fits and the import."""
    columns = ["what", *NAMES, "sknn / scikit-learn"]
    report = Report("overhead", "Fixed costs", columns, notes=NOTES)
    for shape in SHAPES:
        measure_fit(report, shape, 5 if quick else 21)
    measure_import(report, 3 if quick else 7)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
