"""Matrix products of training perceptrons, and nothing else: what it takes at least."""

from functools import cache
from itertools import pairwise

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


def list_products(sizes: tuple, n_rows: int, lead: tuple = ()) -> list:
    """Operands and results of a step's matrix products, (A, B, out) each.

    Parameters
    ----------
    sizes : tuple of int
        Columns of the inputs, units of every layer.
    n_rows : int
        Rows a batch.
    lead : tuple of int
        Leading axes of all arrays: several networks at once.
    """
    rng = np.random.default_rng(0)

    def draw(*dims):
        return rng.standard_normal((*lead, *dims), dtype=np.float32)

    activations = [draw(n_rows, size) for size in sizes]
    deltas = [draw(n_rows, size) for size in sizes]
    weights = [draw(*dims) for dims in pairwise(sizes)]
    gradients = [np.empty_like(weight) for weight in weights]
    outputs = [np.empty_like(activation) for activation in activations]
    products = []
    for k, weight in enumerate(weights):
        transposed = activations[k].swapaxes(-1, -2)
        products.append((activations[k], weight, outputs[k + 1]))
        products.append((transposed, deltas[k + 1], gradients[k]))
        if k > 0:
            transposed = weight.swapaxes(-1, -2)
            products.append((deltas[k + 1], transposed, outputs[k]))
    return products


def multiply(products: list, n_steps: int) -> None:
    """Compute products by numpy, in memory that is there."""
    for _ in range(n_steps):
        for a, b, out in products:
            np.matmul(a, b, out=out)


keep_products = cache(list_products)  # there from the first fit on


class OnlyProducts(ClassifierMixin, BaseEstimator):
    """Network whose fit does its matrix products, and nothing else.

    Parameters
    ----------
    sizes, n_rows : tuple of int, int
        As for `list_products`.
    n_steps : int
        Steps of the network; those of a number of networks are computed by one call
        each, and fewer of them.
    n_at_once : int
        This number.
    learning_rate_init : float
        Of no use but to be searched.
    """

    def __init__(
        self, sizes=(), n_rows=1, n_steps=1, n_at_once=1, learning_rate_init=0.001
    ):
        self.sizes, self.n_rows, self.n_steps = sizes, n_rows, n_steps
        self.n_at_once, self.learning_rate_init = n_at_once, learning_rate_init

    def fit(self, X: np.ndarray, y: np.ndarray) -> "OnlyProducts":
        """Compute them, by as many threads as BLAS has."""
        products = keep_products(self.sizes, self.n_rows, (self.n_at_once,))
        multiply(products, self.n_steps // self.n_at_once)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict one class."""
        return np.full(len(X), self.classes_[0])
