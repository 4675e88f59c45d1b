"""Time of ``fit``: sknn, scikit-learn and skorch train the same networks.

``python -m benchmarks.fit [--quick]``
"""

from collections.abc import Sequence

import numpy as np

from benchmarks._peers import PEERS
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import FIT_SHAPES, Shape
from benchmarks._timing import geometric_mean, paired_ratios, time_in_turns, warm_up

# dtype -> peer -> (geometric mean of the ratios, smallest ratio) to reach
GOALS = {
    "float32": {"scikit-learn": (2.5, 1.5), "skorch": (7.0, None)},
    "float64": {"scikit-learn": (1.6, 1.1)},
}
# float32 sums in another order drift apart over the epochs, float64 hardly
LOSS_RTOL = {"float32": 1e-2, "float64": 1e-6}

NOTES = [
    "Each ratio is the peer's time over sknn's: the median over the rounds, with its "
    "quartiles. Above 1, sknn is faster.",
    "Every competitor does the same number of epochs on the same rows in batches of "
    "the same size; the benchmark fails if sknn and scikit-learn do not end at the "
    "same training loss.",
    "skorch trains the same layers with torch's own optimizer, its DataLoader and its "
    "callbacks as they are by default (verbose=0), without a penalty; it keeps no "
    "best weights and, unless the shape stops early, has no validation split.",
    "Early stopping: a tenth is held out and scored after each epoch; the number of "
    "epochs is fixed.",
    "No thread count is set: each library runs as it is installed.",
]


def train_in_turns(
    shape: Shape, dtype: str, repeats: int, names: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Time a shape's competitors; also the training losses they end at."""
    X, y = shape.load_as(dtype)
    runs = {name: PEERS[name].prepare(shape, X, y) for name in names}
    fitted = warm_up(runs)
    for name, estimator in fitted.items():
        check_epochs(name, PEERS[name].n_epochs(estimator), shape)
    losses = {name: PEERS[name].final_loss(fitted[name]) for name in names}
    check_losses(losses, shape, LOSS_RTOL[dtype])
    return time_in_turns(runs, repeats), losses


def check_epochs(name: str, epochs: int, shape: Shape) -> None:
    """Refuse to compare different amounts of work."""
    if epochs != shape.epochs:
        raise RuntimeError(
            f"{name} did {epochs} epochs of {shape.name}, not {shape.epochs}."
        )


def check_losses(losses: dict[str, float], shape: Shape, rtol: float) -> None:
    """Refuse to compare fits that lead elsewhere."""
    ours, theirs = losses["sknn"], losses["scikit-learn"]
    if not np.isclose(ours, theirs, rtol=rtol, atol=0):
        raise RuntimeError(
            f"{shape.name}: sknn ends at loss {ours:.8g}, scikit-learn at "
            f"{theirs:.8g}, further apart than rtol={rtol:g}."
        )


def make_goals(ratios: dict[tuple[str, str], list[float]]) -> list[Goal]:
    """Goals of the geometric means and of the smallest ratios."""
    goals = []
    for dtype, peers in GOALS.items():
        for peer, (mean, smallest) in peers.items():
            what, found = f"fit, {dtype}, against {peer}", ratios[dtype, peer]
            goals.append(
                Goal(f"{what}: geometric mean", geometric_mean(found), at_least=mean)
            )
            if smallest is not None:
                goals.append(Goal(f"{what}: least", min(found), at_least=smallest))
    return goals


def measure(quick: bool = False) -> Report:
    """Train every shape in every dtype."""
    columns = ["shape", "dtype", "epochs", "sknn, ms"]
    peers = list(GOALS["float32"])
    columns += [f"against {peer}" for peer in peers]
    columns += [f"loss of {name}" for name in ("sknn", *peers)]
    report = Report("fit", "Time of fit", columns, notes=NOTES)
    ratios: dict[tuple[str, str], list[float]] = {}
    for dtype in GOALS:
        for shape in FIT_SHAPES:
            names, repeats = ["sknn", *GOALS[dtype]], 3 if quick else 9
            seconds, losses = train_in_turns(shape, dtype, repeats, names)
            report.seconds[f"{shape.name}, {dtype}"] = seconds
            milliseconds = 1000 * np.median(seconds["sknn"])
            row = [shape.name, dtype, str(shape.epochs), f"{milliseconds:.0f}"]
            for peer in peers:
                if peer not in seconds:
                    row.append("")
                    continue
                quartiles = paired_ratios(seconds, peer, "sknn")
                ratios.setdefault((dtype, peer), []).append(float(quartiles[1]))
                row.append(format_ratio(quartiles))
            row += [
                f"{losses[name]:.4f}" if name in losses else ""
                for name in ("sknn", *peers)
            ]
            report.add_row(*row)
    report.goals = make_goals(ratios)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
