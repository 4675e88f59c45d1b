"""Accuracy of recurrent networks, transformers and taggers on held-out real data.

``python -m benchmarks.sequence_accuracy [--quick]``
"""

from functools import partial

import numpy as np

from benchmarks._data import load_names, load_series, load_treebank
from benchmarks._report import Goal, Report, run_from_command_line
from benchmarks.accuracy import (
    COLUMNS,
    NOTES,
    Case,
    load_basic_motions,
    load_italy,
    measure_cases,
)

load_vowels = partial(load_series, "japanese_vowels")
load_gestures = partial(load_series, "pickup_gesture")
LETTERS = {"tokenizer": list}
FAMILIES = "RecurrentClassifier", "TransformerClassifier"
CASES = [
    *(Case("JapaneseVowels", load_vowels, name, {}, 0.97) for name in FAMILIES),
    *(Case("BasicMotions", load_basic_motions, name, {}, 0.95) for name in FAMILIES),
    *(Case("ItalyPowerDemand", load_italy, name, {}, 0.95) for name in FAMILIES),
    *(Case("PickupGesture", load_gestures, name) for name in FAMILIES),
    Case("names", load_names, "RecurrentClassifier", LETTERS, 0.86, n_seeds=2),
    Case("names", load_names, "TransformerClassifier", LETTERS, n_seeds=2),
    Case("treebank", load_treebank, "RecurrentTagger", {}, 0.90, n_seeds=2),
    Case("treebank", load_treebank, "TransformerTagger", {}, 0.88, n_seeds=2),
]
BEST_OF = {"BasicMotions": 0.975, "ItalyPowerDemand": 0.975}


def measure(quick: bool = False) -> Report:
    """Train every case; the best of two families is judged as well."""
    report = Report(
        "sequence_accuracy", "Accuracy on sequences", [*COLUMNS], notes=[*NOTES]
    )
    measure_cases(report, CASES, quick)
    for data, bound in BEST_OF.items():
        best = np.max([float(row[1]) for row in report.rows if row[0].startswith(data)])
        what = f"{data}: the better of both"
        report.goals.append(Goal(what, float(best), at_least=bound, unit=""))
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
