"""Memory-mapped arrays, which stay in their file and are read a few rows at a time."""

import numpy as np
from scipy import sparse


def is_memory_mapped(array):
    """Whether an array's memory is a file's, be it through views."""
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


def memory_of(X):
    """Bytes of memory that inputs take: what is in a file takes none."""
    if sparse.issparse(X):
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    in_file = isinstance(X, MappedRows) or is_memory_mapped(X)
    return 0 if in_file else X.nbytes


def convert(X, dtype):
    """Array of another type, a memory-mapped one converted as it is read."""
    return MappedRows(X, dtype) if is_memory_mapped(X) else X.astype(dtype)


def converts_late(X, dtype):
    """Whether `X` is memory-mapped, of numbers, and of none of the wanted types.

    Parameters
    ----------
    X : object
        Input as it was given.
    dtype : numpy dtype or list of such
        Types that need no conversion.
    """
    wanted = dtype if isinstance(dtype, list) else [dtype]
    is_array = isinstance(X, np.ndarray) and X.dtype.kind in "biuf"
    return is_array and X.dtype not in wanted and is_memory_mapped(X)


class MappedRows:
    """Rows of a memory-mapped array, in a type of their own.

    Slices, rows that are taken, and ``np.asarray`` are arrays of that type.

    Parameters
    ----------
    base : ndarray or MappedRows
        What is memory-mapped.
    dtype : numpy dtype, optional
        Type of what is read; None is that of `base`.
    index : ndarray of int, optional
        Which rows, in order; None is all of them.
    """

    def __init__(self, base, dtype=None, index=None):
        self.base, self._index = base, index
        self.dtype = np.dtype(base.dtype if dtype is None else dtype)
        n_rows = base.shape[0] if index is None else len(index)
        self.shape = (n_rows, *base.shape[1:])
        self.ndim, self.size = base.ndim, int(np.prod(self.shape))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        key = key if self._index is None else self._index[key]
        return self.base[key].astype(self.dtype, copy=False)

    def reshape(self, n_rows, *shape):
        """The same rows, each of another shape."""
        base = self.base.reshape(self.base.shape[0], *shape)
        return MappedRows(base, self.dtype, self._index)

    def take(self, indices, axis, out, mode):
        """Rows at `indices`, written to `out`."""
        rows = indices if self._index is None else self._index[indices]
        return np.copyto(out, self.base.take(rows, axis, mode=mode), casting="unsafe")

    def __array__(self, dtype=None, copy=None):
        return self[:].astype(dtype or self.dtype, copy=bool(copy))
