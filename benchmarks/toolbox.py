"""Time of a fit with each solver and regulariser over that of plain adam.

``python -m benchmarks.toolbox [--quick]``
"""

from dataclasses import replace

import numpy as np

from benchmarks._peers import PEERS
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import FIT_SHAPES, Shape
from benchmarks._timing import paired_ratios, time_in_turns, warm_up
from benchmarks.fit import check_epochs

PLAIN = "adam"
OPTIONS = {
    PLAIN: {},
    "sgd": {"solver": "sgd"},
    "adamw": {"solver": "adamw"},
    "adagrad": {"solver": "adagrad"},
    "rmsprop": {"solver": "rmsprop"},
    "dropout=0.5": {"dropout": 0.5},
    "batch_norm=True": {"batch_norm": True},
    "l1_ratio=0.5": {"l1_ratio": 0.5},
    "gradient_clip=1.0": {"gradient_clip": 1.0},
    "label_smoothing=0.1": {"label_smoothing": 0.1},
}
# one small, one medium, one large, and one whose first layer is most of it
SHAPES = [FIT_SHAPES[k] for k in (0, 1, 2, 5)]
AT_MOST = 1.4
NOTES = [
    "float32; each ratio is the time of a fit with the option over that of plain adam: "
    "the median over the rounds, with its quartiles. Above 1, the option costs time.",
    "All fits of a shape do the same number of epochs in batches of the same size.",
]


def prepare(shape: Shape, option: str, X: np.ndarray, y: np.ndarray):
    """Make the timed fit of a shape with an option."""
    parameters = {**shape.parameters, **OPTIONS[option]}
    return PEERS["sknn"].prepare(replace(shape, parameters=parameters), X, y)


def describe_idle(shape: Shape, fitted: dict[str, object]) -> list[str]:
    """Note of the options that changed nothing, if any."""
    losses = {o: PEERS["sknn"].final_loss(fitted[o]) for o in OPTIONS}
    idle = [o for o in OPTIONS if o != PLAIN and losses[o] == losses[PLAIN]]
    if not idle:
        return []
    return [
        f"{shape.name}: {', '.join(idle)} ended at plain adam's loss, so did nothing."
    ]


def measure(quick: bool = False) -> Report:
    """Train every shape with every option."""
    columns = ["shape", "plain adam, ms", *list(OPTIONS)[1:]]
    report = Report("toolbox", "Options over plain adam", columns, notes=[*NOTES])
    largest: dict[str, float] = {}
    for shape in SHAPES:
        X, y = shape.load_as("float32")
        runs = {option: prepare(shape, option, X, y) for option in OPTIONS}
        fitted = warm_up(runs)
        for option, estimator in fitted.items():
            check_epochs(option, PEERS["sknn"].n_epochs(estimator), shape)
        report.notes += describe_idle(shape, fitted)
        seconds = time_in_turns(runs, 3 if quick else 9)
        report.seconds[shape.name] = seconds
        ratios = {o: paired_ratios(seconds, o, PLAIN) for o in OPTIONS if o != PLAIN}
        for option, quartiles in ratios.items():
            middle = float(quartiles[1])
            largest[option] = max(largest.get(option, 0.0), middle)
        milliseconds = 1000 * np.median(seconds[PLAIN])
        cells = [format_ratio(quartiles) for quartiles in ratios.values()]
        report.add_row(shape.name, f"{milliseconds:.0f}", *cells)
    report.goals = [
        Goal(f"fit with {option} over plain adam: most", ratio, at_most=AT_MOST)
        for option, ratio in largest.items()
    ]
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
