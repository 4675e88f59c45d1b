"""Time of ``predict``: many rows and one.

``python -m benchmarks.predict [--quick]``
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks._peers import PEERS
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import PREDICT_SHAPES, Shape
from benchmarks._timing import paired_ratios, time_in_turns, warm_up

NAMES = "sknn", "scikit-learn"


@dataclass(frozen=True)
class Request:
    """How many rows are asked for, how often a run, and the ratio to reach."""

    what: str
    n_rows: int
    n_calls: int
    at_least: float


REQUESTS = [Request("100,000 rows", 100_000, 1, 1.5), Request("one row", 1, 300, 1.0)]
NOTES = [
    "float32; each ratio is scikit-learn's time over sknn's: the median over the "
    "rounds, with its quartiles. Above 1, sknn is faster.",
    "Times are of one call; a run of one row is 300 calls.",
    "Both networks are trained for one epoch from the same seed; the benchmark fails "
    "if they predict differently.",
]


def fit_both(shape: Shape, X: np.ndarray, y: np.ndarray) -> dict[str, object]:
    """Both estimators after one epoch."""
    shape = replace(shape, epochs=1)
    return warm_up({name: PEERS[name].prepare(shape, X, y) for name in NAMES})


def check_predictions(estimators: dict[str, object], X: np.ndarray) -> None:
    """Refuse to compare networks that predict differently."""
    ours, theirs = (estimators[name].predict(X).astype(float) for name in NAMES)
    agreement = np.isclose(ours, theirs, rtol=1e-2, atol=1e-2).mean()
    if agreement < 0.995:  # in float32 a unit near zero may be rounded to either side
        raise RuntimeError(f"Only {agreement:.2%} of the predictions agree.")


def call_predict(estimator, X: np.ndarray, n_calls: int) -> Callable[[], None]:
    """Make a run of calls to predict."""

    def run() -> None:
        for _ in range(n_calls):
            estimator.predict(X)

    return run


def measure(quick: bool = False) -> Report:
    """Predict with every shape, many rows and one."""
    columns = ["shape", "rows", *(f"{name}, ms" for name in NAMES), "ratio"]
    report = Report("predict", "Time of predict", columns, notes=NOTES)
    smallest = {request: np.inf for request in REQUESTS}
    for shape in PREDICT_SHAPES:
        X, y = shape.load_as("float32")
        estimators = fit_both(shape, X, y)
        check_predictions(estimators, X)
        for request in REQUESTS:
            rows = X[np.arange(request.n_rows) % len(X)]
            runs = {
                name: call_predict(estimators[name], rows, request.n_calls)
                for name in NAMES
            }
            warm_up(runs)
            seconds = time_in_turns(runs, 5 if quick else 15)
            report.seconds[f"{shape.name}, {request.what}"] = seconds
            ratio = paired_ratios(seconds, "scikit-learn", "sknn")
            smallest[request] = min(smallest[request], float(ratio[1]))
            cells = [
                f"{1000 * np.median(seconds[name]) / request.n_calls:.3g}"
                for name in NAMES
            ]
            report.add_row(shape.name, request.what, *cells, format_ratio(ratio))
    report.goals = [
        Goal(
            f"predict, {request.what}, float32, against scikit-learn: least",
            smallest[request],
            at_least=request.at_least,
        )
        for request in REQUESTS
    ]
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
