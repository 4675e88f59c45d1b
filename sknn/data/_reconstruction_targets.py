"""Inputs as the targets of their own reconstruction."""

from types import MappingProxyType

import numpy as np

from sknn.data._mapped import convert
from sknn.data._targets import logistic

# entries that are looked through at a time
CHUNK_ENTRIES = 1 << 20
# how far rounding may have put a value beyond a bound: scalers do
TOLERANCE = 1e-6


class ReconstructionTargets:
    """Encoder of rows that are to be reconstructed: themselves, in the same memory.

    Parameters
    ----------
    n_columns : int
        Columns of the rows.
    activation : {"sigmoid", "identity"}
        What makes reconstructions of raw outputs. The sigmoid goes with the
        cross-entropy, for which rows must be within [0, 1], the identity with half the
        squared error; both are summed over the columns.
    """

    loss_options = MappingProxyType({})

    def __init__(self, n_columns, activation):
        self.n_columns, self.activation = n_columns, activation

    @property
    def n_outputs(self):
        """Output units that the network needs."""
        return self.n_columns

    @property
    def loss(self):
        """Name of the loss that these targets are trained with."""
        is_sigmoid = self.activation == "sigmoid"
        return "binary_log_loss" if is_sigmoid else "summed_squared_error"

    def encode(self, y, dtype):
        """The rows themselves, or a copy in another type.

        Raises
        ------
        ValueError
            Naming a value that is out of the sigmoid's reach, and its place.
        """
        if self.activation == "sigmoid":
            refuse_outside(y)
        return y if y.dtype == dtype else convert(y, dtype)

    def decode_encoded(self, y):
        """Rows that were encoded as `y`."""
        return y

    def link(self, raw):
        """Outputs as reconstructions, in place."""
        return logistic(raw) if self.activation == "sigmoid" else raw

    def decode(self, raw):
        """Reconstructions of raw outputs."""
        return self.link(raw)

    def stratification(self, y):
        """Nothing: rows are split at random."""
        return None


def find_outside(X):
    """Row and column of a value that is not within [0, 1] to rounding, or None."""
    chunk = max(CHUNK_ENTRIES // max(X.shape[1], 1), 1)
    for start in range(0, X.shape[0], chunk):
        part = X[start : start + chunk]
        low, high = -TOLERANCE, 1 + TOLERANCE
        if part.min() < low or part.max() > high:
            row, column = np.argwhere((part < low) | (part > high))[0]
            return start + int(row), int(column)
    return None


def within_unit(X):
    """Whether all values are within [0, 1]."""
    return find_outside(X) is None


def refuse_outside(X):
    """Raise an error about a value that is not within [0, 1]."""
    place = find_outside(X)
    if place is not None:
        row, column = place
        value = X[row : row + 1][0, column]
        raise ValueError(
            "output_activation='sigmoid', given or found by the first fit, needs all "
            f"values within [0, 1], those of X_val too: got {value} in row {row}, "
            f"column {column}. Scale the columns, by MinMaxScaler(clip=True), or have "
            "output_activation='identity'."
        )
