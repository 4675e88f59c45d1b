"""Rows of a table with their targets and weights, split by index."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from sknn.data._mapped import MappedRows, is_memory_mapped


class Rows(torch.utils.data.Dataset):
    """Inputs, encoded targets and weights of a set of rows.

    A subset shares the arrays of its parent and keeps an index into them, so that
    a validation split of a memory-mapped file never copies the file.

    Parameters
    ----------
    X : ndarray, MappedRows or CSR matrix of shape (n_rows, n_features)
        Inputs; memory-mapped and read-only arrays are fine.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs), optional
        Targets as an encoder of `sknn.data` gives them.
    weight : ndarray of shape (n_rows,), optional
        Weight of each row; None is one each.
    index : ndarray of int, optional
        Which rows belong to this set, in order; None is all of them.
    """

    def __init__(self, X, y=None, weight=None, index=None):
        self._X, self._y, self._weight, self.index = X, y, weight, index

    def __len__(self):
        return self._X.shape[0] if self.index is None else len(self.index)

    def __getitem__(self, i):
        return self.X[i], self.y[i]

    @property
    def X(self):
        """Inputs of this set's rows, in memory where that is not all rows' own."""
        X = self._select(self._X)
        return np.asarray(X) if isinstance(X, MappedRows) else X

    @property
    def inputs(self):
        """The same for readers of slices: what is memory-mapped stays in its file."""
        if is_memory_mapped(self._X):
            return MappedRows(self._X, index=self.index)
        return self.X

    @property
    def y(self):
        """Targets of this set's rows."""
        return self._select(self._y)

    @property
    def weight(self):
        """Weights of this set's rows, or None."""
        return self._select(self._weight)

    def _select(self, array):
        return array if array is None or self.index is None else array[self.index]

    def subset(self, index):
        """Rows at positions `index`, sharing this set's arrays."""
        index = index if self.index is None else self.index[index]
        return Rows(self._X, self._y, self._weight, index)

    def positions(self, order):
        """Where the rows of `order`, positions in this set, lie in the arrays."""
        return order if self.index is None else self.index[order]

    @property
    def arrays(self):
        """Underlying inputs, targets and weights, to be indexed by `positions`."""
        return self._X, self._y, self._weight


def split_for_validation(rows, fraction, random_state, stratify=None):
    """Split rows at random as scikit-learn's networks do.

    Parameters
    ----------
    rows : Rows
        What to split.
    fraction : float
        Share of the rows to hold out.
    random_state : numpy.random.RandomState
        Where the permutation is drawn from.
    stratify : ndarray of shape (n_rows,), optional
        Labels whose proportions both parts keep.

    Returns
    -------
    train, validation : Rows
        Both share the arrays of `rows`.

    Raises
    ------
    ValueError
        If the classes cannot be kept, fewer than two rows are held out, or all weight
        is on one side.
    """
    if fraction == 0:
        raise ValueError(
            "validation_fraction must be > 0 with early_stopping=True and no X_val: "
            f"got {fraction}."
        )
    try:
        train, validation = train_test_split(
            np.arange(len(rows)),
            random_state=random_state,
            test_size=fraction,
            stratify=stratify,
        )
    except ValueError as error:
        raise ValueError(
            f"{error} (validation_fraction={fraction} of {len(rows)} rows)"
        ) from error
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the "
            f"size of your dataset: validation_fraction={fraction} of {len(rows)} "
            f"rows leaves {len(validation)}, and at least 2 are needed."
        )
    parts = rows.subset(train), rows.subset(validation)
    if any(part.weight is not None and not part.weight.any() for part in parts):
        raise ValueError(
            "sample_weight must be positive somewhere in both parts of the split for "
            f"validation: with validation_fraction={fraction} one part has zero "
            "weights only."
        )
    return parts
