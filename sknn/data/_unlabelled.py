"""Targets of which some are unknown."""

import numpy as np
from scipy import sparse


def read_known(y, is_classifier):
    """Targets as an array, and which are known.

    Unknown are NaN and None, and of class labels -1; a row of several columns is known
    where all of its entries are.

    Parameters
    ----------
    y : array-like or sparse matrix of shape (n,) or (n, n_outputs)
        Targets.
    is_classifier : bool
        Whether they are class labels, of which -1 says that there is none.

    Returns
    -------
    y : ndarray of shape (n,) or (n, n_outputs)
        The targets; numbers among Python objects as numbers.
    known : ndarray of bool of shape (n,)
        Which are known.

    Raises
    ------
    ValueError
        For what has not one or two axes, and for arrays of strings with "None",
        "nan", or "-1" beside words.
    """
    given, y = y, np.asarray(y.toarray() if sparse.issparse(y) else y)
    if y.ndim not in (1, 2):
        raise ValueError(
            "y must be of shape (n_nodes,) or (n_nodes, n_outputs): got "
            f"{type(given).__name__} of shape {y.shape}."
        )
    if y.dtype.kind == "U":
        if isinstance(given, list | tuple):  # which made words of numbers among them
            y = np.array(given, dtype=object)
        else:
            refuse_words(y)
    known = np.ones(y.shape, bool)
    if y.dtype == object:
        known = np.array([_is_known(value) for value in y.flat], bool).reshape(y.shape)
    elif y.dtype.kind == "f":
        known = ~np.isnan(y)
    if is_classifier and y.dtype.kind in "fiO":
        known[known] = y[known] != -1  # pandas' NA does not compare
    known = known.reshape(len(y), -1).all(axis=1)
    return _as_numbers(y, known), known


def refuse_words(y):
    """Refuse strings that were None or NaN before an array made words of them.

    Parameters
    ----------
    y : ndarray of str
        Targets. Those that are all numbers may have "-1".

    Raises
    ------
    ValueError
        Naming the first such word.
    """
    found = [word for word in ("None", "nan", "<NA>") if (y == word).any()]
    if (y == "-1").any() and not all(map(_is_number, np.unique(y))):
        found.append("-1")
    if found:
        raise ValueError(
            "y must be an array of objects where None says that a label is unknown: "
            f"as strings, {found[0]!r} is a label like all others. Use "
            "y.astype(object) before None is put in."
        )


def _is_number(word):
    try:
        float(word)
    except ValueError:
        return False
    return True


def _is_known(value):
    """Whether it is neither None, nor NaN, nor what pandas has for either."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return False
    return not (isinstance(value, float | np.floating) and np.isnan(value))


def _as_numbers(y, known):
    """Python objects as an array of numbers where those that are known are numbers."""
    if y.dtype != object or not known.any():
        return y
    values = np.array(y[known].tolist())
    if values.dtype.kind not in "fiub":
        return y
    numbers = np.zeros(y.shape, values.dtype)
    numbers[known] = values
    return numbers
