"""Labels of the steps of sequences, as users pass and get them."""

from itertools import pairwise
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
    ValueError
        Naming the first sequence that is labelled wrongly.
    """
    rows = list(y)
    if len(rows) != len(lengths):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {of} has "
            f"{len(lengths)} sequences, {name} labels {len(rows)}."
        )
    labels = [_as_labels(row, f"{name}[{i}]") for i, row in enumerate(rows)]
    for i, (row, length) in enumerate(zip(labels, lengths, strict=True)):
        if len(row) != length:
            raise ValueError(
                f"{name}[{i}] must have a label for each step of {of}[{i}]: got "
                f"{len(row)} for {length} steps."
            )
    _refuse_other_kinds(labels, name)
    return Sequences(np.concatenate(labels), np.append(0, np.cumsum(lengths)))


def _as_labels(row, called):
    """Array of one sequence's labels."""
    is_row = hasattr(row, "__len__") and not isinstance(row, str | bytes | dict)
    labels = np.asarray(row) if is_row else None
    if labels is None or labels.ndim != 1:
        raise ValueError(
            f"{called} must be a list or array of labels, one a step: got "
            f"{short_repr(row)} ({type(row).__name__})."
        )
    if labels.dtype.kind == "O":
        missing = [label is None or label != label for label in labels]
        if any(missing):
            raise ValueError(
                f"Input {called} contains NaN: step {missing.index(True)} has no label."
            )
        labels = np.array(labels.tolist())  # of strings, say
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"Input {called} contains NaN or infinity.")
    return labels


def _refuse_other_kinds(labels, name):
    """Refuse strings among numbers: an array would make strings of all."""
    is_text = [row.dtype.kind in "US" for row in labels]
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
        rows[i] = sequences.values[start:stop]
    return rows
