"""A memory-mapped file beside the same array in memory: memory, and rows a second.

``python -m benchmarks.memmap [--quick]``
"""

import os
import shutil
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from benchmarks._memory import AnonymousMemory, in_new_process
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._timing import paired_ratios

N_FEATURES = 1000
N_ROWS = 1_000_000
N_ROWS_QUICK = 50_000
ROWS_A_WRITE = 10_000
MEMORY_AT_MOST = 1000.0
PARAMETERS = {
    "hidden_layer_sizes": (64,),
    "batch_size": 200,
    "max_iter": 1,
    "random_state": 0,
}


@dataclass(frozen=True)
class Way:
    """A way to have the rows, and what is asked of `fit`.

    Parameters
    ----------
    mapped : bool
        Memory-mapped, or read into memory beforehand.
    cold : bool
        Whether the system has forgotten the file's pages.
    parameters : dict
        Of the estimator, beyond `PARAMETERS`.
    """

    mapped: bool
    cold: bool = False
    parameters: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Seconds of `fit` and `predict`, growth of memory, and loss of one process."""

    fit: float
    predict: float
    megabytes: float
    loss: float


IN_MEMORY = "in memory"
WAYS = {
    IN_MEMORY: Way(mapped=False),
    "mapped": Way(mapped=True),
    "mapped, cold": Way(mapped=True, cold=True),
    "mapped, shuffle=False": Way(mapped=True, parameters={"shuffle": False}),
    "mapped, early stopping": Way(mapped=True, parameters={"early_stopping": True}),
}
NOTES = [
    "One epoch of MLPClassifier((64,)) in batches of 200, each time in a new process; "
    "rows a second of fit include its look for values that are not finite.",
    "Memory: by how much the anonymous memory of the process (no page of a file) grows "
    "from before the array is opened to the end of predict. MB are 10^6 bytes.",
    "Cold: the system was told to drop the file's pages beforehand; otherwise the file "
    "has just been read, and its pages are in memory as far as there is room. The look "
    "for values that are not finite reads a cold file once, in order.",
    "The ratio is the time of a fit in memory over that of the row, paired over the "
    "rounds, with its quartiles; mapped and in memory train the same bits, or the "
    "benchmark fails.",
]


def write_file(path: Path, n_rows: int) -> None:
    """Write normal float32 numbers a few rows at a time."""
    needed = 4 * n_rows * N_FEATURES
    free = shutil.disk_usage(path.parent).free
    if free < 1.1 * needed:
        raise RuntimeError(f"{path.parent} must have {needed:,} bytes: {free:,} free.")
    shape = (n_rows, N_FEATURES)
    X = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    rng = np.random.default_rng(0)
    for start in range(0, n_rows, ROWS_A_WRITE):
        part = X[start : start + ROWS_A_WRITE]
        rng.standard_normal(out=part, dtype=np.float32)
    X.flush()


def drop_pages(path: Path) -> None:
    """Let the system forget what it has of a file in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm_pages(path: Path) -> None:
    """Read a file once, for its pages."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def train_alone(path: Path, name: str) -> Outcome:
    """Train in one of the `WAYS`, in this process."""
    from sknn import MLPClassifier

    warnings.simplefilter("ignore")
    way, rng = WAYS[name], np.random.default_rng(0)
    net = MLPClassifier(**PARAMETERS | way.parameters)
    net.fit(rng.normal(size=(500, 2)).astype(np.float32), np.arange(500) % 2)
    (drop_pages if way.cold else warm_pages)(path)
    with AnonymousMemory() as memory:
        X = np.load(path, mmap_mode="r" if way.mapped else None)
        y = rng.integers(2, size=len(X))
        start = time.perf_counter()
        net.fit(X, y)
        middle = time.perf_counter()
        net.predict(X)
        end = time.perf_counter()
    return Outcome(middle - start, end - middle, memory.growth, net.loss_)


def check_losses(outcomes: dict[str, list[Outcome]]) -> None:
    """Refuse to compare different networks."""
    expected = outcomes[IN_MEMORY][0].loss
    for name in ("mapped", "mapped, cold"):
        if any(outcome.loss != expected for outcome in outcomes[name]):
            raise RuntimeError(f"{name} ends at another loss than in memory.")


def measure(quick: bool = False) -> Report:
    """Train in every way, in turns."""
    n_rows, rounds = (N_ROWS_QUICK, 2) if quick else (N_ROWS, 3)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        in_new_process(write_file, path, n_rows)
        for turn in range(rounds):
            for name in list(WAYS)[:: 1 if turn % 2 == 0 else -1]:
                outcomes[name].append(in_new_process(train_alone, path, name))
    check_losses(outcomes)
    return make_report(outcomes, n_rows)


def make_report(outcomes: dict[str, list[Outcome]], n_rows: int) -> Report:
    """Rows a second and memory of each way."""
    columns = ["rows", "fit, rows a second", "predict, rows a second"]
    columns += ["memory, MB", "in memory / this"]
    size = 4 * n_rows * N_FEATURES / 1e9
    title = f"Memory-mapped inputs, {n_rows:,} x {N_FEATURES} float32 ({size:.1f} GB)"
    report = Report("memmap", title, columns, notes=NOTES)
    seconds = {name: [o.fit for o in found] for name, found in outcomes.items()}
    for name, found in outcomes.items():
        predict = np.median([outcome.predict for outcome in found])
        megabytes = max(outcome.megabytes for outcome in found)
        report.seconds[name] = {
            key: [asdict(outcome)[key] for outcome in found]
            for key in ("fit", "predict")
        }
        report.add_row(
            name,
            f"{n_rows / np.median(seconds[name]):,.0f}",
            f"{n_rows / predict:,.0f}",
            f"{megabytes:.0f}",
            format_ratio(paired_ratios(seconds, IN_MEMORY, name)),
        )
        if WAYS[name].mapped:
            what = f"memory of a fit, {size:.1f} GB {name}"
            goal = Goal(what, megabytes, at_most=MEMORY_AT_MOST, unit=" MB")
            report.goals.append(goal)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
