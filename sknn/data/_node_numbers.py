"""Nodes that are told by their numbers."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import column_or_1d


def check_numbers(X, n_nodes):
    """Numbers of nodes as a vector.

    Parameters
    ----------
    X : array-like of int of shape (n,) or (n, 1)
        Numbers from 0 on, in any order; some may be there several times.
    n_nodes : int
        Nodes of the graph.

    Raises
    ------
    ValueError
        For other shapes, and naming the first entry that is no node's number.
    """
    kind, X = type(X).__name__, np.asarray(X)
    if X.ndim not in (1, 2) or (X.ndim == 2 and X.shape[1] != 1):
        raise ValueError(
            "X must hold the numbers of nodes, of shape (n,) or (n, 1), as graph= is "
            f"given: got {kind} of shape {X.shape}."
        )
    numbers = column_or_1d(X.ravel())
    if numbers.dtype.kind not in "iuf" and numbers.dtype != object:
        raise ValueError(
            f"X must hold the numbers of nodes: got {numbers.dtype} for its type."
        )
    if not len(numbers):
        raise ValueError("X must hold the number of at least one node: it is empty.")
    if numbers.dtype == object:
        _refuse_objects(numbers)
    found = numbers.astype(np.float64)
    wrong = ~((found >= 0) & (found < n_nodes) & (found == np.floor(found)))
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(
            f"X must hold numbers of nodes, from 0 to {n_nodes - 1}: X[{k}] is "
            f"{numbers[k]}."
        )
    return found.astype(np.int64)


def _refuse_objects(numbers):
    """Name the first Python object that is no number."""
    for k, number in enumerate(numbers):
        if not isinstance(number, Real) or isinstance(number, bool):
            raise ValueError(
                f"X must hold the numbers of nodes: X[{k}] is {number!r} "
                f"({type(number).__name__})."
            )
