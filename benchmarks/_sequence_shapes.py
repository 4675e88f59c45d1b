"""The sequences that recurrent networks and transformers are timed at."""

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from benchmarks._data import load_equal_series, load_names, load_series


@dataclass(frozen=True)
class SequenceShape:
    """Sequences, and the network of default layers that is trained on them.

    Parameters
    ----------
    data : str
    load : callable
        Returns a list of series (steps, channels) or of strings, and labels from 0.
    family : {"Recurrent", "Transformer"}
    epochs : int
    parameters : mapping
        Of sknn's estimator, beside the defaults.
    """

    data: str
    load: object
    family: str
    epochs: int
    parameters: dict = field(default_factory=lambda: MappingProxyType({}))

    batch_size: ClassVar[int] = 32
    learning_rate: ClassVar[float] = 1e-3

    @property
    def name(self) -> str:
        """What identifies the row."""
        return f"{self.data}, {self.family}"

    @property
    def estimator_parameters(self) -> dict:
        """Parameters of sknn's estimator: nothing stops it before its last epoch."""
        return {
            "batch_size": self.batch_size,
            "learning_rate": "constant",
            "learning_rate_init": self.learning_rate,
            "warmup_epochs": 0,
            "gradient_clip": None,
            "max_iter": self.epochs,
            "tol": 0.0,
            "n_iter_no_change": self.epochs + 1,
            "random_state": 0,
            **self.parameters,
        }


def number_labels(labels) -> np.ndarray:
    """Labels as numbers from 0 on."""
    return np.unique(labels, return_inverse=True)[1]


def standardize(X: list) -> list:
    """Series of float32 whose channels have mean 0 and deviation 1."""
    steps = np.concatenate(X)
    mean, deviation = steps.mean(0), steps.std(0)
    return [((x - mean) / deviation).astype(np.float32) for x in X]


@cache
def load_vowels():
    """Load 640 series of 12 channels, 7 to 29 steps."""
    X, y, more, labels = load_series("japanese_vowels")
    return standardize([*X, *more]), number_labels([*y, *labels])


@cache
def load_gestures():
    """Load 100 series of 3 channels, 29 to 361 steps."""
    X, y, more, labels = load_series("pickup_gesture")
    return standardize([*X, *more]), number_labels([*y, *labels])


@cache
def load_motions():
    """Load 80 series of 6 channels, 100 steps each."""
    X, y, more, labels = load_equal_series("basic_motions")
    return standardize([*X, *more]), number_labels([*y, *labels])


@cache
def load_letters():
    """Load 2000 first names, to be read by letters."""
    X, y, _, _ = load_names()
    return X[:2000], number_labels(y[:2000])


@cache
def make_ragged():
    """Make 1000 series of 4 channels and 5 to 200 steps, two classes by their mean."""
    rng, y = np.random.RandomState(0), np.arange(1000) % 2
    lengths = rng.randint(5, 201, 1000)
    X = [rng.standard_normal((n, 4)) + 0.3 * k for n, k in zip(lengths, y, strict=True)]
    return standardize(X), y


LETTERS = MappingProxyType({"tokenizer": list})
SEQUENCE_SHAPES = [
    shape
    for family in ("Recurrent", "Transformer")
    for shape in (
        SequenceShape("JapaneseVowels", load_vowels, family, 6),
        SequenceShape("PickupGesture", load_gestures, family, 6),
        SequenceShape("BasicMotions", load_motions, family, 8),
        SequenceShape("names", load_letters, family, 3, LETTERS),
        SequenceShape("5 to 200 steps", make_ragged, family, 2),
    )
]
