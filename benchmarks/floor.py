"""Time of ``fit`` with large batches over that of its matrix products alone.

``python -m benchmarks.floor [--quick]``
"""

from collections.abc import Callable

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks._peers import PEERS
from benchmarks._products import list_products, multiply
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import LARGE_BATCH_SHAPES, Shape
from benchmarks._timing import paired_ratios, time_in_turns, warm_up

N_THREADS = 2
AT_MOST = 1.3
NOTES = [
    "The floor does the matrix products of the same fit and nothing else: for each "
    "batch of each epoch the forward products, the weight gradients and the deltas "
    "sent back, of the same shapes, into arrays made beforehand. It knows no bias, "
    "activation, loss, update or shuffling.",
    f"The floor is the faster of numpy's and torch's products at {N_THREADS} threads; "
    "sknn runs as it is.",
]


def list_fit_products(shape: Shape, X: np.ndarray, y: np.ndarray) -> list:
    """Products of one epoch: the full batches and the short last one."""
    full, rest = divmod(len(X), shape.batch_size)
    n_outputs = 1 if shape.regression else len(np.unique(y))
    n_outputs = 1 if n_outputs == 2 else n_outputs
    sizes = X.shape[1], *shape.hidden_layer_sizes, n_outputs
    products = full * list_products(sizes, shape.batch_size)
    if rest:
        products += list_products(sizes, rest)
    return products


def multiply_by_numpy(products: list, epochs: int) -> Callable[[], None]:
    """Make the floor of numpy's BLAS; torch's threads rest."""

    def run() -> None:
        with threadpool_limits(N_THREADS, user_api="blas"):
            multiply(products, epochs)

    return run


def multiply_by_torch(products: list, epochs: int) -> Callable[[], None]:
    """Make the floor of torch's products, on the same memory."""
    tensors = [tuple(map(torch.from_numpy, product)) for product in products]

    def run() -> None:
        found = torch.get_num_threads()
        torch.set_num_threads(N_THREADS)
        with torch.inference_mode():
            for _ in range(epochs):
                for a, b, out in tensors:
                    torch.mm(a, b, out=out)
        torch.set_num_threads(found)

    return run


def measure(quick: bool = False) -> Report:
    """Train every large-batch shape beside its two floors."""
    columns = ["shape", "sknn, ms", "numpy's floor, ms", "torch's floor, ms"]
    columns += ["fit / floor", "scikit-learn / floor"]
    report = Report("floor", "Large batches, over the floor", columns, notes=NOTES)
    for shape in LARGE_BATCH_SHAPES:
        X, y = shape.load_as("float32")
        products = list_fit_products(shape, X, y)
        runs = {
            "sknn": PEERS["sknn"].prepare(shape, X, y),
            "numpy": multiply_by_numpy(products, shape.epochs),
            "torch": multiply_by_torch(products, shape.epochs),
            "scikit-learn": PEERS["scikit-learn"].prepare(shape, X, y),
        }
        warm_up(runs)
        seconds = time_in_turns(runs, 3 if quick else 11)
        report.seconds[shape.name] = seconds
        medians = {name: np.median(times) for name, times in seconds.items()}
        floor = min("numpy", "torch", key=medians.get)
        ratio = paired_ratios(seconds, "sknn", floor)
        report.add_row(
            shape.name,
            *(f"{1000 * medians[name]:.0f}" for name in ("sknn", "numpy", "torch")),
            format_ratio(ratio),
            format_ratio(paired_ratios(seconds, "scikit-learn", floor)),
        )
        what = f"{shape.name}, over the floor of matrix products"
        report.goals.append(Goal(what, float(ratio[1]), at_most=AT_MOST))
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
