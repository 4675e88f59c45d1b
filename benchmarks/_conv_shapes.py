"""The images and series that convolutional networks are timed at, one entry each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks._data import load_equal_series, load_mnist_part, load_small_digits
from benchmarks._shapes import Data, Shape, make_classes


@dataclass(frozen=True)
class ConvShape(Shape):
    """A data set and the convolutional network, of default layers, trained on it.

    Parameters
    ----------
    adds_channel : bool
        Whether the data lack the last axis, which has length one.
    """

    adds_channel: bool = False


@cache
def load_digits() -> Data:
    """Load 1792 digits, whole batches of 32, of 8 x 8 pixels in [0, 1]."""
    images, y = load_small_digits()
    return images[:1792] / 16, y[:1792]


@cache
def load_images() -> Data:
    """Load 1000 images of 28 x 28 pixels in [0, 1]."""
    _, _, images, y = load_mnist_part()
    return images / 255, y


@cache
def load_motions() -> Data:
    """Load 80 series of six sensors, 100 steps each, standardized."""
    X_train, y_train, X_test, y_test = load_equal_series("basic_motions")
    X = np.concatenate([X_train, X_test])
    _, y = np.unique(np.concatenate([y_train, y_test]), return_inverse=True)
    return (X - X.mean((0, 1))) / X.std((0, 1)), y


def make_shapes(name: str, *parts, adds_channel: bool = False, **options):
    """Make a shape with batch normalization and one without."""
    for batch_norm in (True, False):
        suffix = "" if batch_norm else ", no batch norm"
        parameters = {**options, "batch_norm": batch_norm}
        yield ConvShape(
            name + suffix, *parts, parameters=parameters, adds_channel=adds_channel
        )


CONV_SHAPES = [
    *make_shapes("digits 8x8 b32", load_digits, (128,), 32, 5, adds_channel=True),
    *make_shapes("digits 8x8 b200", load_digits, (128,), 200, 8, adds_channel=True),
    *make_shapes("images 28x28 b32", load_images, (128,), 32, 2, adds_channel=True),
    *make_shapes("series 100x6 b32", load_motions, (128,), 32, 40, conv_dims=1),
    *make_shapes(
        "series 24x1 b64",
        lambda: make_classes(2000, 24),
        (128,),
        64,
        6,
        adds_channel=True,
    ),
]
