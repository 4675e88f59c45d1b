"""Labels of the steps of sequences, as users pass and get them."""

from itertools import chain, pairwise
from numbers import Real
from reprlib import repr as short_repr

import numpy as np

from sknn.data._sequences import Sequences


def read_labels(y, lengths, name="y", of="X"):
    """Labels of all steps in one array.

    Parameters
    ----------
    y : array-like
        A list, tuple, Series or array with a list or array of labels for each sequence.
    lengths : ndarray of shape (n,)
        Steps of each sequence.
    name, of : str
        What errors call the labels, and the sequences.

    Returns
    -------
    Sequences
        Its values are an array of labels.

    Raises
    ------
    TypeError
        For what has no entry for each sequence.
    ValueError
        Naming the first sequence that is labelled wrongly.
    """
    rows = _as_rows(y, name)
    if len(rows) != len(lengths):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {of} has "
            f"{len(lengths)} sequences, {name} labels {len(rows)}."
        )
    labels, is_plain = rows, _are_lists_of_str(rows)
    if not is_plain:
        labels = [_as_labels(row, f"{name}[{i}]") for i, row in enumerate(rows)]
    for i, (row, length) in enumerate(zip(labels, lengths, strict=True)):
        if len(row) != length:
            raise ValueError(
                f"{name}[{i}] must have a label for each step of {of}[{i}]: got "
                f"{len(row)} for {length} steps."
            )
    if is_plain:
        values = np.array(list(chain.from_iterable(labels)))
    else:
        _refuse_other_kinds(labels, name)
        values = np.concatenate(labels)
    return Sequences(values, np.append(0, np.cumsum(lengths)))


def has_one_label_a_row(y):
    """Whether targets of a table's rows are labels rather than sequences of them."""
    if y is None:
        return True
    y = _as_array_or_list(y)
    shape = getattr(y, "shape", None)
    if shape is not None and len(shape) > 1:
        return shape[1] == 1
    first = next(iter(y), None)
    return isinstance(first, str | bytes) or not hasattr(first, "__len__")


def _as_array_or_list(y):
    """Array of what knows how to become one."""
    y = y.to_numpy() if hasattr(y, "to_numpy") else y
    return np.asarray(y) if hasattr(y, "__array__") else y


def _as_rows(y, name):
    """List of what labels each sequence."""
    y = _as_array_or_list(y)
    if isinstance(y, str | bytes | dict) or not hasattr(y, "__len__"):
        raise TypeError(
            f"{name} must be a list or array with the labels of each sequence: got "
            f"{short_repr(y)} ({type(y).__name__})."
        )
    return list(y)


def _are_lists_of_str(rows):
    """Whether there is nothing to look through entry by entry."""
    if not all(type(row) is list for row in rows):
        return False
    return set(map(type, chain.from_iterable(rows))) == {str}


def _as_labels(row, called):
    """Array of one sequence's labels."""
    is_row = hasattr(row, "__len__") and not isinstance(row, str | bytes | dict)
    is_flat = is_row and not any(
        isinstance(label, list | tuple | np.ndarray) for label in row
    )
    labels = np.asarray(row) if is_flat else None
    if labels is None or labels.ndim != 1:
        raise ValueError(
            f"{called} must be a list or array of labels, one a step: got "
            f"{short_repr(row)} ({type(row).__name__})."
        )
    is_of_text = isinstance(row, np.ndarray) and row.dtype.kind == "U"
    if labels.dtype.kind in "OU" and not is_of_text:
        labels = _of_one_type(list(row), called)
    if labels.dtype.kind not in "biufU":
        raise ValueError(
            f"{called} must hold strings, numbers or booleans: got {short_repr(row)}."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"Input {called} contains NaN or infinity.")
    return labels


def _of_one_type(labels, called):
    """Array of labels that one of strings and numbers would make strings of."""
    missing = [label is None or _is_nan(label) for label in labels]
    if any(missing):
        raise ValueError(
            f"Input {called} contains NaN: step {missing.index(True)} has no label."
        )
    is_text = [isinstance(label, str) for label in labels]
    if any(is_text) and not all(is_text):
        i = is_text.index(not is_text[0])
        raise ValueError(
            f"{called} must have labels of one type: step 0 has "
            f"{short_repr(labels[0])}, step {i} has {short_repr(labels[i])}."
        )
    return np.array(labels)


def _is_nan(label):
    return isinstance(label, Real) and label != label


def _refuse_other_kinds(labels, name):
    """Refuse strings among numbers: an array would make strings of all."""
    is_text = [row.dtype.kind == "U" for row in labels]
    if any(is_text) and not all(is_text):
        i = is_text.index(not is_text[0])
        raise ValueError(
            f"{name} must have labels of one type: {name}[0] has "
            f"{labels[0].dtype.name}, {name}[{i}] has {labels[i].dtype.name}."
        )


def as_object_array(sequences):
    """Array of shape (n,) whose entries are the arrays of each sequence's steps."""
    rows = np.empty(len(sequences), dtype=object)
    for i, (start, stop) in enumerate(pairwise(sequences.starts)):
        rows[i] = sequences.values[start:stop].copy()  # each may be kept alone
    return rows
