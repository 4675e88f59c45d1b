"""How arrays are read as images or series with their channels last."""

from math import prod
from numbers import Integral

import numpy as np


def sample_shape(shape, conv_dims="auto", input_shape=None):
    """Shape of one sample, its channels last, in an array of that shape.

    Parameters
    ----------
    shape : tuple of int
        Of two axes, series of one channel or samples that `input_shape` unfolds; of
        three, grey images, or series with ``conv_dims=1``; of four, images.
    conv_dims : {"auto", 1, 2}
        Axes to convolve over.
    input_shape : int, sequence of int or None
        Shape of a sample of a table's row, with or without an axis of channels.

    Returns
    -------
    tuple of int
        (steps, channels) or (height, width, channels).

    Raises
    ------
    ValueError
        Naming the parameter that does not fit, or where samples are empty.
    """
    given = None if input_shape is None else _check_input_shape(input_shape)
    inner = tuple(shape[1:])
    if 0 in inner:
        raise ValueError(f"X must have no empty samples: got samples of shape {inner}.")
    if len(shape) == 2 and given is not None:
        if prod(given) != shape[1]:
            raise ValueError(
                f"input_shape must have a product of {shape[1]}, the columns of X: got "
                f"{given}, whose product is {prod(given)}."
            )
        inner = given
    elif given and inner not in (given, (*given, 1)) and given != (*inner, 1):
        raise ValueError(
            f"input_shape must be the shape of X's samples, {inner}, where X has more "
            f"than two axes: got {given}."
        )
    dims = _resolve_dims(len(inner), conv_dims)
    if dims is None:
        raise ValueError(
            f"conv_dims={conv_dims!r} does not fit samples of shape {inner}: 1 takes "
            "series, (steps,) or (steps, channels), and 2 takes images, (height, "
            "width) or (height, width, channels). A table's rows become images by "
            f"input_shape: got {input_shape!r}."
        )
    return inner if len(inner) > dims else (*inner, 1)


def _resolve_dims(n_axes, conv_dims):
    """Axes to convolve over in samples of `n_axes` axes, or None."""
    if conv_dims == "auto":
        return {1: 1, 2: 2, 3: 2}.get(n_axes)
    return conv_dims if n_axes in (conv_dims, conv_dims + 1) else None


def _check_input_shape(input_shape):
    sizes = input_shape if np.iterable(input_shape) else [input_shape]
    sizes = tuple(sizes)
    whole = all(isinstance(size, Integral) and size > 0 for size in sizes)
    if isinstance(input_shape, str) or not whole or not 1 <= len(sizes) <= 3:
        raise ValueError(
            "input_shape must be None or one to three whole numbers > 0: got "
            f"{input_shape!r}."
        )
    return tuple(int(size) for size in sizes)
