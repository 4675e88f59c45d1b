"""Numbers in the type that a network computes with."""

import numpy as np


def cast(array, dtype, name):
    """Array of finite numbers in another type, in which they stay finite.

    Parameters
    ----------
    array : ndarray
        Finite numbers.
    dtype : numpy dtype
        Type of the result.
    name : str
        Named in an error.

    Returns
    -------
    ndarray
        The same array if it has the type.

    Raises
    ------
    ValueError
        Naming the first number that is too large for the type.
    """
    with np.errstate(over="ignore"):
        found = np.asarray(array, dtype)
    if found.dtype.itemsize < array.dtype.itemsize:
        is_right = np.isfinite(found)
        if not is_right.all():
            value = array[np.unravel_index(is_right.argmin(), array.shape)]
            raise ValueError(
                f"{name} must hold numbers up to {np.finfo(dtype).max:.2g}, the "
                f"largest of {found.dtype}: got {value:.4g}. "
                'dtype="float64" has room for it.'
            )
    return found
