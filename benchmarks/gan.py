"""Generated digits: how good they are, and a fit against a plain torch loop.

``python -m benchmarks.gan [--quick]``
"""

from dataclasses import astuple, dataclass, field
from time import perf_counter

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from benchmarks._gan_peers import prepare_plain
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._timing import paired_ratios, time_in_turns, warm_up
from sknn import GANSampler

N_SEEDS, N_EPOCHS = 3, 40
COLUMNS = [
    "network",
    "agrees with the class",
    "trained on samples",
    "spread in a class",
    "diversity",
    "discrepancy x 1000",
    "s a fit",
]
NOTES = [
    "scikit-learn's digits, 1797 rows of 64 pixels, with their classes; "
    f"max_iter={N_EPOCHS}, all else as it is by default. Means over the seeds, with "
    "the lowest and the highest.",
    "Agreement: a logistic regression of the real digits names the class that was "
    "asked for. Trained on samples: accuracy of a logistic regression of as many "
    "generated digits on a real quarter that the network has not seen, over that of "
    "one of the real rest. Spread: mean distance of two digits of a class over that "
    "of real ones; diversity: the same as the estimator records it, of 256 rows. "
    "Discrepancy: squared maximum mean discrepancy from that quarter.",
    "Plain loop: the same layers, penalty and average in torch, with a DataLoader and "
    "torch's Adam; float32, one ratio a round, with quartiles. Above 1, sknn is "
    "faster.",
]


@dataclass(frozen=True)
class Case:
    """A network, and how good its digits should be."""

    name: str
    parameters: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Quality:
    """Figures of the digits that one fit generates."""

    agreement: float
    usefulness: float
    spread: float
    diversity: float
    discrepancy: float


CASES = [Case("flat"), Case("convolutional", {"image_shape": (8, 8)})]


def fit_judge(X, y) -> LogisticRegression:
    """Logistic regression of pixels in 0 to 16."""
    return LogisticRegression(max_iter=1000).fit(X / 16, y)


def measure_spread(X, y) -> float:
    """Mean over the classes of the mean distance of two of their rows."""
    return float(np.mean([pdist(X[y == label]).mean() for label in np.unique(y)]))


def judge(case: Case, seed: int) -> Quality:
    """Figures of one fit."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    model = GANSampler(max_iter=N_EPOCHS, random_state=seed, **case.parameters)
    made, asked = model.fit(X, y).sample(y=y, random_state=seed)
    real, own = fit_judge(X, y), fit_judge(made, asked)
    return Quality(
        agreement=real.score(made / 16, asked),
        usefulness=own.score(X_test / 16, y_test) / real.score(X_test / 16, y_test),
        spread=measure_spread(made, asked) / measure_spread(X, y),
        diversity=model.diversity_curve_[-1],
        discrepancy=-1000 * model.score(X_test),
    )


def measure_quality(report: Report, n_seeds: int) -> None:
    """Fit every network with several seeds."""
    means = {}
    for case in CASES:
        start = perf_counter()
        rows = np.array([astuple(judge(case, seed)) for seed in range(n_seeds)])
        seconds, means[case.name] = (perf_counter() - start) / n_seeds, rows.mean(0)
        triples = zip(rows.mean(0), rows.min(0), rows.max(0), strict=True)
        cells = [f"{mean:.3f} ({low:.3f}-{high:.3f})" for mean, low, high in triples]
        report.add_row(case.name, *cells, f"{seconds:.1f}")
        report.seconds[case.name] = {"s": [seconds]}
        if case.name == "flat":
            add_goals(report, rows)
        worst = float(rows[:, 3].min())
        what = f"diversity, {case.name}, worst seed: no collapse"
        report.goals.append(Goal(what, worst, 0.2, unit=""))
    for name, column in (("agreement", 0), ("usefulness", 1), ("spread", 2)):
        better = means["convolutional"][column] / means["flat"][column]
        report.goals.append(Goal(f"convolutional over flat, {name}", better, 1.0))


def add_goals(report: Report, rows: np.ndarray) -> None:
    """Goals of the worst seed."""
    names = "agrees with the class asked for", "trained on samples, tested on real"
    bounds = zip((*names, "spread within a class"), (0.8, 0.8, 0.6), strict=True)
    for column, (name, least) in enumerate(bounds):
        worst = float(rows[:, column].min())
        report.goals.append(Goal(f"{name}, worst seed", worst, least, unit=""))


def measure_time(report: Report, n_rounds: int, n_epochs: int) -> None:
    """Let sknn and the plain loop take turns."""
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32)
    runs = {
        "sknn": lambda: GANSampler(max_iter=n_epochs, random_state=0).fit(X, y),
        "plain": prepare_plain(X / 8 - 1, y, n_epochs),
    }
    warm_up(runs)
    seconds = report.seconds["flat, float32"] = time_in_turns(runs, n_rounds)
    ratio = paired_ratios(seconds, "plain", "sknn")
    seconds_of_fit = f"{np.median(seconds['sknn']):.2f}"
    name = f"fit of {n_epochs} epochs against a plain loop: {format_ratio(ratio)}"
    report.add_row(name, *[""] * 5, seconds_of_fit)
    report.goals.append(Goal("fit against a plain torch loop", float(ratio[1]), 2.0))


def measure(quick: bool = False) -> Report:
    """Judge generated digits, then time a fit."""
    report = Report("gan", "Generated digits", [*COLUMNS], notes=[*NOTES])
    measure_quality(report, 1 if quick else N_SEEDS)
    measure_time(report, 3 if quick else 7, 5 if quick else 10)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
