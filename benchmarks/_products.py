"""Matrix products of training perceptrons, and nothing else: what it takes at least."""

from itertools import pairwise

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits


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


def multiply_in_processes(
    n_processes: int, n_steps: int, n_networks: int, sizes: tuple, n_rows: int
) -> None:
    """Share the steps of networks out among processes, on a core of their own each.

    Parameters
    ----------
    n_processes : int
        Workers of joblib.
    n_steps : int
        Steps of all networks together.
    n_networks : int
        Networks whose products are computed by one call.
    sizes, n_rows : tuple of int, int
        As for `list_products`.
    """
    n_own = n_steps // (n_processes * n_networks)
    own = delayed(_multiply_one_part)(sizes, n_rows, (n_networks,), n_own)
    Parallel(n_processes)([own] * n_processes)


def _multiply_one_part(sizes: tuple, n_rows: int, lead: tuple, n_steps: int) -> None:
    with threadpool_limits(1, user_api="blas"):
        multiply(list_products(sizes, n_rows, lead), n_steps)
