"""Sequences of labels or tokens, in whatever form users pass them, as lists."""

from collections.abc import Sequence
from itertools import chain
from numbers import Real
from operator import ne
from reprlib import repr as short_repr

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_non_negative

VALUES = ("string", "number")
ROWS = ("list", *VALUES)


def read_sequences(y_true, y_pred, sample_weight):
    """Both targets as lists, and a weight for each sequence.

    Parameters
    ----------
    y_true, y_pred : array-like
        A list, tuple, array or Series of lists, tuples, arrays or Series, or of
        strings or numbers.
    sample_weight : array-like of shape (n,) or None
        None weighs all sequences alike.

    Returns
    -------
    true, predicted : list of list, or list of str, or list of numbers
        Sequences, or what was passed in place of them, in both the same.
    weights : ndarray of shape (n,), float64
        Finite, none negative, one at least positive.

    Raises
    ------
    TypeError
        For what is no list, or holds what is neither a string nor a number.
    ValueError
        For targets of unequal length or of unlike contents, for NaN, and for weights
        that are not as described.
    """
    true, predicted = _as_rows(y_true, "y_true"), _as_rows(y_pred, "y_pred")
    check_consistent_length(true, predicted, sample_weight)
    if not true:
        raise ValueError("y_true must have at least one sequence: got an empty list.")
    _check_alike(true + predicted, ROWS, lambda: _iter_rows(true, predicted))
    if isinstance(true[0], list | tuple):
        values = list(chain.from_iterable(true + predicted))
        _check_alike(values, VALUES, lambda: _iter_values(true, predicted))
    return true, predicted, _as_weights(sample_weight, len(true))


def read_labels(y_true, y_pred, sample_weight):
    """Labels of both targets, one of them for each step of a sequence.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As for `read_sequences`. Strings and numbers are sequences of one label.

    Returns
    -------
    true, predicted : list of list
        Labels of each sequence, in both as many.
    weights : ndarray of shape (n,), float64

    Raises
    ------
    TypeError, ValueError
        As `read_sequences` does, and for sequences of unequal lengths.
    """
    true, predicted, weights = read_sequences(y_true, y_pred, sample_weight)
    if not isinstance(true[0], list | tuple):
        return [[label] for label in true], [[label] for label in predicted], weights
    for i, (labels, others) in enumerate(zip(true, predicted, strict=True)):
        if len(labels) != len(others):
            raise ValueError(
                "y_pred must have a label for each of y_true: "
                f"y_pred[{i}] has {len(others)} labels, y_true[{i}] has {len(labels)}."
            )
    return true, predicted, weights


def as_list_or_value(value):
    """List or tuple of what is an array or sequence, anything else as it is."""
    if isinstance(value, list | tuple | str | bytes):
        return value
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, Sequence) else value


def describe(value):
    """Representation and type of a value, for errors."""
    return f"{short_repr(value)} ({type(value).__name__})"


def _as_rows(y, name):
    rows = as_list_or_value(y)
    if not isinstance(rows, list | tuple):
        raise TypeError(
            f"{name} must be a list, tuple, array or Series, with an entry for each "
            f"sequence: got {describe(y)}."
        )
    return list(map(as_list_or_value, rows))


def _as_weights(sample_weight, n_sequences):
    if sample_weight is None:
        return np.ones(n_sequences)
    weights = check_array(
        sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight"
    )
    weights = column_or_1d(weights)
    check_non_negative(weights, "sample_weight")
    if not weights.any():
        raise ValueError(
            "sample_weight must have at least one positive entry: all weights are zero."
        )
    return weights


def _iter_rows(true, predicted):
    """Iterate over sequences, each with its name in errors."""
    for name, rows in (("y_true", true), ("y_pred", predicted)):
        yield from ((f"{name}[{i}]", row) for i, row in enumerate(rows))


def _iter_values(true, predicted):
    """Iterate over labels or tokens, each with its name in errors."""
    for name, row in _iter_rows(true, predicted):
        yield from ((f"{name}[{j}]", value) for j, value in enumerate(row))


def _check_alike(values, allowed, iter_named):
    """Raise for the first value of no allowed kind, for NaN, and for two kinds.

    Parameters
    ----------
    values : list
        All of them.
    allowed : tuple of str
        Kinds.
    iter_named : callable
        Iterates over names and values, to find the culprit with.
    """
    kinds = {_kind_of(found) for found in set(map(type, values))}
    if len(kinds) <= 1 and kinds <= set(allowed) and not any(map(ne, values, values)):
        return
    first_name = first_kind = None
    for name, value in iter_named():
        kind = _kind_of(type(value))
        if kind not in allowed:
            rule = f"must be a {' or a '.join(allowed)}"
            raise TypeError(f"{name} {rule}: got {describe(value)}.")
        if value != value:
            raise ValueError(f"{name} must not be NaN: got {describe(value)}.")
        first_name, first_kind = first_name or name, first_kind or kind
        if kind != first_kind:
            raise ValueError(
                f"{name} must be a {first_kind} as {first_name} is: got "
                f"{describe(value)}."
            )


def _kind_of(found):
    """What values of a type are, None for what is neither sequence nor label."""
    if issubclass(found, list | tuple):
        return "list"
    if issubclass(found, str):
        return "string"
    return "number" if issubclass(found, Real | np.bool_) else None
