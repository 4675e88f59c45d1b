"""Phone error rate of English words that the network has not seen.

``python -m benchmarks.pronunciation [--quick]``
"""

import warnings
from time import perf_counter

from sklearn.exceptions import ConvergenceWarning

import sknn
from benchmarks._data import load_pronunciations
from benchmarks._report import Goal, Report, run_from_command_line

AT_MOST, MINUTES, BEAM = 0.14, 15, 5
NOTES = [
    "20,000 words to train on, 2,000 to be judged by, with the defaults; "
    "benchmarks/_data.py says which words. Edits over phones, without stress.",
]


def measure(quick: bool = False) -> Report:
    """Train once, decode greedily and with a beam; a quick run trains an epoch."""
    X, y, X_test, y_test = load_pronunciations()
    columns = ["search", "phone error rate", "s to predict", "s to fit"]
    report = Report("pronunciation", "Words to phones", columns, notes=NOTES)
    model = sknn.Seq2SeqTransformer(random_state=0)
    if quick:
        model.set_params(max_iter=1)
    start, rates = perf_counter(), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # epochs are few on purpose
        model.fit(X, y)
    seconds = perf_counter() - start
    for beam_size in (1, BEAM):
        start = perf_counter()
        rates[beam_size] = 1 - model.set_params(beam_size=beam_size).score(
            X_test, y_test
        )
        name = "greedy" if beam_size == 1 else f"beam of {beam_size}"
        cells = f"{rates[beam_size]:.4f}", f"{perf_counter() - start:.1f}"
        report.add_row(name, *cells, f"{seconds:.0f}")
    report.seconds["fit"] = {"s": [seconds]}
    gain = rates[1] - rates[BEAM]
    report.goals = [
        Goal("phone error rate, greedy", rates[1], at_most=AT_MOST, unit=""),
        Goal(f"what a beam of {BEAM} takes from it", gain, at_least=0.0, unit=""),
        Goal("minutes of that fit", seconds / 60, at_most=MINUTES, unit=""),
    ]
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
