"""Sparse inputs: time of ``fit`` beside scikit-learn's, and the memory both take.

``python -m benchmarks.sparse [--quick]``
"""

import warnings
from functools import cache

import numpy as np
from scipy import sparse

from benchmarks._memory import in_new_process, measure_growth
from benchmarks._peers import PEERS
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import Data, Shape
from benchmarks._timing import paired_ratios
from benchmarks.fit import train_in_turns

NAMES = "sknn", "scikit-learn"
DTYPES = "float32", "float64"
WIDE_AT_MOST = 700.0
NOTES = [
    "Each ratio is scikit-learn's time over sknn's: the median over the rounds, with "
    "its quartiles. Above 1, sknn is faster.",
    "Both do the same epochs on the same CSR matrix; the benchmark fails if they do "
    "not end at the same training loss.",
    "Memory: by how much a fit makes the resident memory of a new process grow at "
    "most, the inputs and all imports being there before. MB are 10^6 bytes.",
]


@cache
def make_sparse(n_samples: int, n_features: int, density: float) -> Data:
    """Uniform numbers at random places, and three classes at random."""
    rng = np.random.default_rng(0)
    X = sparse.random(
        n_samples, n_features, density=density, format="csr", random_state=rng
    )
    return X, rng.integers(3, size=n_samples)


WIDE = Shape(
    "3000x200000, 0.02 % (100,) b200",
    lambda: make_sparse(3000, 200_000, 2e-4),
    (100,),
    200,
    1,
)
SHAPES = [
    WIDE,
    Shape(
        "20000x5000, 1 % (100,) b200",
        lambda: make_sparse(20_000, 5000, 0.01),
        (100,),
        200,
        2,
    ),
    Shape(
        "20000x1000, 5 % (100,) b200",
        lambda: make_sparse(20_000, 1000, 0.05),
        (100,),
        200,
        3,
    ),
]


def measure_fit(name: str, number: int, dtype: str) -> float:
    """Megabytes that a competitor's fit of a shape takes, in this process."""
    warnings.simplefilter("ignore")
    shape, prepare = SHAPES[number], PEERS[name].prepare
    X, y = shape.load_as(dtype)
    prepare(shape, X[:60, :20], y[:60])()  # for what is imported on the way
    return measure_growth(prepare(shape, X, y))[1]


def measure(quick: bool = False) -> Report:
    """Train every shape in every dtype."""
    columns = ["shape", "dtype", "epochs", "sknn, ms", "against scikit-learn"]
    columns += [f"memory of {name}, MB" for name in NAMES]
    columns += [f"loss of {name}" for name in NAMES]
    report = Report("sparse", "Sparse inputs", columns, notes=NOTES)
    for number, shape in enumerate(SHAPES):
        for dtype in DTYPES:
            repeats = 2 if quick else 7
            seconds, losses = train_in_turns(shape, dtype, repeats, NAMES)
            report.seconds[f"{shape.name}, {dtype}"] = seconds
            megabytes = [in_new_process(measure_fit, n, number, dtype) for n in NAMES]
            report.add_row(
                shape.name,
                dtype,
                str(shape.epochs),
                f"{1000 * np.median(seconds['sknn']):.0f}",
                format_ratio(paired_ratios(seconds, "scikit-learn", "sknn")),
                *(f"{value:.0f}" for value in megabytes),
                *(f"{losses[name]:.4f}" for name in NAMES),
            )
            if shape is WIDE:
                what = f"memory of a fit, sparse {shape.name}, {dtype}"
                goal = Goal(what, megabytes[0], at_most=WIDE_AT_MOST, unit=" MB")
                report.goals.append(goal)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
