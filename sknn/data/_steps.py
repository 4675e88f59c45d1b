"""The steps of what users pass as sequences, one after another."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from numbers import Complex, Integral, Real
from reprlib import repr as short_repr

import numpy as np
import torch
from scipy import sparse

from sknn.data._vocabulary import cut_words

PLAIN = {list, tuple}
# iterable, or array-like, but without an order, a length or steps
NO_SEQUENCES = (str, bytes, bytearray, Mapping, Set, Iterator, type)


@dataclass
class Steps:
    """Steps of all sequences.

    Parameters
    ----------
    form : {"numbers", "integers", "words", "strings"} or None
        What was passed: series, or tokens that are integers, that are strings, that are
        cut from strings. None where no sequence has a step.
    values : ndarray or list of str
        Numbers of shape (n_steps, n_channels), integer tokens of shape (n_steps,), or a
        list of tokens.
    lengths : ndarray of shape (n,), int64
        Steps of each sequence.
    """

    form: str | None
    values: np.ndarray | list
    lengths: np.ndarray


def collect_steps(X, *, tokens=False, tokenizer=None, name="X"):
    """Look through sequences of any form and put their steps into one array.

    Parameters
    ----------
    X : array-like
        An array of shape (n, n_steps, n_channels) or (n, n_steps), or a list, tuple,
        Series or object array with an array, list, DataFrame, tensor or string each.
    tokens : bool
        Whether integers are tokens.
    tokenizer : callable, optional
        Cuts a string into a list of strings; None is `cut_words`.
    name : str
        What errors call `X`.

    Raises
    ------
    TypeError
        For what cannot be a sequence, or a step of one.
    ValueError
        For sequences that do not fit together.
    """
    rows = as_array_or_list(X, name)
    if not len(rows):
        shape = np.shape(rows) or (0,)
        raise ValueError(
            f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is "
            f"required: {name} must have at least one sequence."
        )
    if isinstance(rows, np.ndarray):
        return _from_array(rows, tokens, name)
    is_text = [issubclass(found, str) for found in set(map(type, rows))]
    if all(is_text):
        return _from_strings(rows, tokenizer, name)
    if any(is_text):
        first = isinstance(rows[0], str)
        i = next(i for i, row in enumerate(rows) if isinstance(row, str) != first)
        raise ValueError(
            f"{name} must have strings only or none: {name}[0] is "
            f"{_described(rows[0])}, {name}[{i}] is {_described(rows[i])}."
        )
    return _from_rows(rows, tokens, name)


def as_array_or_list(value, where):
    """Numeric array of one axis at least, or list or tuple, of any array-like.

    Parameters
    ----------
    value : object
        All sequences, one of them, or a step.
    where : str
        Its name in errors.
    """
    if type(value) in PLAIN:
        return value
    if sparse.issparse(value):
        raise TypeError(
            f"Sparse data was passed for {where}, but dense data is required. Use "
            "'.toarray()' to convert to a dense numpy array."
        )
    is_array_like = hasattr(value, "to_numpy") or hasattr(value, "__array__")
    if not isinstance(value, NO_SEQUENCES):
        if is_array_like or isinstance(value, Complex | Decimal):
            return _checked_array(_as_array(value), value, where)
        if isinstance(value, Sequence):
            return list(value)
    raise TypeError(
        f"{where} must be an array, list, tuple, Series, DataFrame or tensor: got "
        f"{_described(value)}."
    )


def _as_array(value):
    """Array of what knows how to become one."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype is torch.bfloat16 else value).numpy()
    if hasattr(value, "to_numpy"):
        return np.asarray(value.to_numpy())
    return np.asarray(value)


def _checked_array(array, value, where):
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {where} is {short_repr(value)}")
    if array.ndim == 0:
        raise ValueError(
            f"{where} must be a sequence, one number or token a step: got "
            f"{_described(value)}. Reshape your data: sequences of one step are "
            "the rows of a 2D array of one column."
        )
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind in "OUTS":
        of_one_column = array.ndim == 2 and array.shape[1] == 1 and array.size
        if of_one_column and isinstance(array[0, 0], str | list):
            raise ValueError(
                f"{where} must not be a table of one column, whose entries are "
                f"{_described(array[0, 0])} and so on: pass the column itself, such as "
                f"{where}['name'] of a DataFrame or {where}.ravel() of an array."
            )
        return array.tolist()
    raise TypeError(
        f"{where} must hold numbers or strings: got an array of type {array.dtype}."
    )


def _described(value):
    return f"{short_repr(value)} ({type(value).__name__})"


def _from_array(X, tokens, name):
    """Steps of an array of shape (n, n_steps, n_channels) or (n, n_steps)."""
    if X.ndim == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead: {name} must have shape (n, "
            "n_steps) or (n, n_steps, n_channels). Reshape your data either using "
            "array.reshape(-1, 1) if they are n sequences of one step or "
            "array.reshape(1, -1) if they are one sequence."
        )
    if X.ndim > 3:
        raise ValueError(
            f"{name} must have shape (n, n_steps) or (n, n_steps, n_channels): got "
            f"shape {X.shape}."
        )
    if 0 in X.shape:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is "
            f"required: {name}[0] has no steps or no channels."
        )
    lengths = np.full(X.shape[0], X.shape[1], np.int64)
    if tokens:
        _refuse_other_tokens([X], lambda i: name)
        return Steps("integers", _as_int64([X.reshape(-1)], name), lengths)
    n_channels = 1 if X.ndim == 2 else X.shape[2]
    return Steps("numbers", X.reshape(-1, n_channels), lengths)


def _from_strings(texts, tokenizer, name):
    """Tokens that strings are cut into."""
    rows = list(map(cut_words if tokenizer is None else tokenizer, texts))
    for i, row in enumerate(rows if tokenizer is not None else ()):
        is_list = hasattr(row, "__iter__") and not isinstance(row, str | bytes)
        rows[i] = list(row) if is_list else [None]
        if not all(isinstance(token, str) for token in rows[i]):
            raise TypeError(
                f"tokenizer must return a list of strings: for {name}[{i}] it returned "
                f"{_described(row)}."
            )
    words = list(chain.from_iterable(rows))
    return Steps("strings", list(map(str, words)), _lengths(rows))


def _from_rows(rows, tokens, name):
    """Steps of a list of arrays, lists, DataFrames and so on."""
    if not set(map(type, rows)) <= PLAIN:
        rows = [
            row if type(row) in PLAIN else as_array_or_list(row, f"{name}[{i}]")
            for i, row in enumerate(rows)
        ]
        if not any(type(row) in PLAIN for row in rows):
            return _from_arrays(rows, tokens, name)
        rows = [row if type(row) in PLAIN else row.tolist() for row in rows]
    return _from_lists(rows, tokens, name)


def _lengths(rows):
    return np.fromiter(map(len, rows), np.int64, len(rows))


def _from_arrays(rows, tokens, name):
    """Steps of arrays of shape (n_steps, n_channels) or (n_steps,)."""
    lengths = _lengths(rows)
    if tokens:
        _refuse_other_tokens(rows, lambda i: f"{name}[{i}]", ndim=1)
        form = "integers" if lengths.any() else None
        return Steps(form, _as_int64(rows, name), lengths)
    n_axes = {row.ndim for row in rows}
    if not n_axes <= {1, 2}:
        i = next(i for i, row in enumerate(rows) if row.ndim > 2)
        raise ValueError(
            f"{name}[{i}] must have shape (n_steps, n_channels) or (n_steps,): got "
            f"shape {rows[i].shape}."
        )
    if not lengths.any():
        return Steps(None, [], lengths)
    _refuse_no_steps(lengths, name)
    widths = [1 if row.ndim == 1 else row.shape[1] for row in rows]
    _refuse_other_widths(widths, lambda i: f"{name}[{i}]")
    if len(n_axes) == 2:
        rows = [row.reshape(len(row), -1) for row in rows]
    values = np.concatenate(rows)
    return Steps("numbers", values.reshape(len(values), -1), lengths)


def _refuse_other_tokens(rows, called, ndim=2):
    """Refuse arrays of anything but integers in `ndim` axes."""
    for i, row in enumerate(rows):
        if row.ndim != ndim or (row.size and row.dtype.kind not in "iu"):
            raise ValueError(
                "Tokens must be one integer or string a step: "
                f"{called(i)} is of type {row.dtype} and shape {row.shape}."
            )


def _as_int64(rows, name):
    for i, row in enumerate(rows):
        if row.dtype == np.uint64 and row.size and row.max() > np.iinfo(np.int64).max:
            raise ValueError(
                f"Integer tokens must fit into 64 bits with a sign: {name} has "
                f"{row.max()}" + (f" in {name}[{i}]." if len(rows) > 1 else ".")
            )
    return np.concatenate(rows, dtype=np.int64, casting="unsafe")


def _refuse_no_steps(lengths, name):
    if not lengths.all():
        raise ValueError(
            f"{name}[{lengths.argmin()}] has no steps: a sequence of numbers must have "
            "at least one."
        )


def _refuse_other_widths(widths, called):
    """Refuse steps of no channels, or of other numbers of them than the first."""
    for i, width in enumerate(widths):
        if width != widths[0] or not width:
            raise ValueError(
                "All sequences must have the same number of channels, at least one: "
                f"{called(0)} has {widths[0]}, {called(i)} has {width}."
            )


def _from_lists(rows, tokens, name):
    """Steps of lists: numbers, strings, or lists of channels."""
    lengths = _lengths(rows)
    steps = list(chain.from_iterable(rows))
    if not steps:
        return Steps(None, [], lengths)

    def called(k):
        i = int(np.searchsorted(np.cumsum(lengths), k, side="right"))
        return f"{name}[{i}][{k - lengths[:i].sum()}]"

    kind = _one_kind(steps, called)
    if kind == "string":
        return Steps("words", list(map(str, steps)), lengths)
    if tokens:
        return Steps("integers", _integers(steps, called), lengths)
    _refuse_no_steps(lengths, name)
    if kind == "number":
        return Steps("numbers", _real(steps, called)[:, None], lengths)
    return Steps("numbers", _from_vectors(steps, called), lengths)


def _kind_of(found):
    """What values of a type are: strings, numbers, vectors of numbers, or neither."""
    if issubclass(found, str):
        return "string"
    if issubclass(found, Real | np.bool_ | Decimal):
        return "number"
    is_vector = issubclass(found, list | tuple | np.ndarray | torch.Tensor)
    return "vector" if is_vector or hasattr(found, "to_numpy") else "other"


def _one_kind(values, called):
    """Kind that all values are of."""
    kinds = {found: _kind_of(found) for found in set(map(type, values))}
    if "other" in kinds.values():
        k = next(k for k, value in enumerate(values) if kinds[type(value)] == "other")
        _refuse_other(values[k], called(k))
    first = kinds[type(values[0])]
    if set(kinds.values()) != {first}:
        k = next(k for k, value in enumerate(values) if kinds[type(value)] != first)
        raise ValueError(
            f"{called(k)} must be a {first} as {called(0)} is: got "
            f"{_described(values[k])}."
        )
    return first


def _refuse_other(value, where):
    """Refuse what is neither a number nor a string."""
    if isinstance(value, Complex):
        raise ValueError(f"Complex data not supported: {where} is {value!r}")
    reason = f"got {_described(value)}"
    try:
        float(value)
    except TypeError as error:
        reason = f"{error}"
    except ValueError:
        pass
    raise TypeError(f"{where} must be a number or a string: {reason}.")


def _integers(values, called):
    """Integer tokens as an array."""
    found = set(map(type, values))
    if not all(issubclass(t, Integral) and t is not bool for t in found):
        k = next(
            k
            for k, value in enumerate(values)
            if not isinstance(value, Integral) or isinstance(value, bool)
        )
        raise ValueError(
            "Tokens must be one integer or string a step: "
            f"{called(k)} is {_described(values[k])}."
        )
    return _converted(values, np.int64, called)


def _real(values, called):
    return _converted(values, np.float64, called)


def _converted(values, dtype, called):
    try:
        return np.array(values, dtype)
    except OverflowError:
        for k, value in enumerate(values):
            try:
                np.array(value, dtype)
            except OverflowError as error:
                raise ValueError(
                    f"{called(k)} must fit into {np.dtype(dtype).name}: got "
                    f"{short_repr(value)}."
                ) from error
        raise


def _from_vectors(steps, called):
    """Array (n_steps, n_channels) of steps that are lists or arrays themselves."""
    if not set(map(type, steps)) <= PLAIN:
        steps = [as_array_or_list(step, called(k)) for k, step in enumerate(steps)]
    widths = list(map(len, steps))
    _refuse_other_widths(widths, called)
    entries, width = list(chain.from_iterable(steps)), widths[0]

    def entry_called(k):
        return f"{called(k // width)}[{k % width}]"

    kind = _one_kind(entries, entry_called)
    if kind != "number":
        raise ValueError(
            f"{entry_called(0)} must be a number, a channel of a step: got "
            f"{_described(entries[0])}."
        )
    return _real(entries, entry_called).reshape(-1, width)
