"""Targets as training sees them, and predictions as users see them."""

from types import MappingProxyType

import numpy as np
from sklearn.utils.multiclass import (
    check_classification_targets,
    type_of_target,
    unique_labels,
)


class ClassTargets:
    """Encoder of class labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted; for an indicator matrix its column numbers.
    kind : {"binary", "multiclass", "multilabel"}
        How outputs are read: one logistic unit, a softmax, or a logistic unit a
        label. One class alone counts as binary.
    """

    def __init__(self, classes, kind):
        self.classes, self.kind = classes, kind

    @classmethod
    def fit(cls, labels, name="y"):
        """Encoder for the labels or the indicator matrix `labels`.

        Raises
        ------
        ValueError
            If `labels` are not class labels.
        """
        found = type_of_target(labels, input_name=name)
        if found == "multilabel-indicator":
            return cls(np.arange(np.shape(labels)[1]), "multilabel")
        if found not in ("binary", "multiclass"):
            check_classification_targets(labels)
            raise ValueError(
                f"{name} must be one column of labels or a multilabel indicator "
                f"matrix of zeros and ones: got shape {np.shape(labels)} of other "
                "values."
            )
        classes = unique_labels(labels)
        return cls(classes, "multiclass" if len(classes) > 2 else "binary")

    loss_options = MappingProxyType({})

    @property
    def n_outputs(self):
        """Output units that the network needs."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def loss(self):
        """Name of the loss that these targets are trained with."""
        return "log_loss" if self.kind == "multiclass" else "binary_log_loss"

    def codes(self, y):
        """Position in `classes` of each label of a vector, all of them known."""
        return np.searchsorted(self.classes, y)

    def check_known(self, y):
        """Check that `y` has no labels, or columns, but those fitted.

        Raises
        ------
        ValueError
            Naming the labels.
        """
        if self.kind == "multilabel":
            if np.shape(y)[1:] != (len(self.classes),):
                raise ValueError(
                    f"y must be an indicator matrix of {len(self.classes)} columns, as "
                    f"fitted: got shape {np.shape(y)}."
                )
            return
        if np.ndim(y) != 1:
            raise ValueError(
                f"y must be a vector of labels, as fitted: got shape {np.shape(y)}."
            )
        found = np.unique(y)
        if not set(found.tolist()) <= set(self.classes.tolist()):
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes}. 'y' has {found}."
            )

    def encode(self, y, dtype):
        """Labels as class codes (softmax) or columns of zeros and ones (logistic).

        Returns
        -------
        ndarray
            int64 of shape (n_rows,) for multiclass targets, else `dtype` of shape
            (n_rows, n_outputs).
        """
        if self.kind == "multilabel":
            dense = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
            return np.ascontiguousarray(dense, dtype=dtype)
        codes = self.codes(y)
        if self.kind == "multiclass":
            return codes.astype(np.int64, copy=False)
        return codes.astype(dtype)[:, None]

    def decode_encoded(self, y):
        """Labels that were encoded as `y`."""
        if self.kind == "multilabel":
            return y.astype(np.int64)
        codes = y if self.kind == "multiclass" else y[:, 0].astype(np.int64)
        return self.classes[codes]

    def link(self, raw):
        """Outputs (n_rows, n_outputs) as probabilities, in place."""
        return softmax(raw) if self.kind == "multiclass" else logistic(raw)

    def average(self, raws):
        """Raw outputs whose probabilities are the mean of those of several.

        In logarithms, where no probability is lost for being small. The arrays given
        are overwritten.
        """
        if self.kind == "multiclass":
            return mean_of_logs(map(log_softmax, raws))
        yes = no = -np.inf  # logarithms of the sums over networks
        for raw in raws:
            yes = np.logaddexp(yes, -np.logaddexp(0, -raw))
            no = np.logaddexp(no, -np.logaddexp(0, raw))
        return yes - no

    def decode_codes(self, raw):
        """Predicted codes (n_rows,) or indicators (n_rows, n_labels) of raw outputs."""
        if self.kind == "multiclass":
            return raw.argmax(axis=1)
        codes = (raw > 0).astype(np.int64)
        if self.kind == "multilabel":
            return codes
        return np.minimum(codes[:, 0], len(self.classes) - 1)

    def decode(self, raw):
        """Predicted labels of raw outputs."""
        codes = self.decode_codes(raw)
        return codes if self.kind == "multilabel" else self.classes[codes]

    def stratification(self, y):
        """What to keep the proportions of in a split of the encoded `y`, or None."""
        return y.astype(bool) if self.kind == "binary" else None


def softmax(raw):
    """Softmax of the rows of a floating array, in place and without overflow."""
    raw -= raw.max(axis=1, keepdims=True)
    np.exp(raw, out=raw)
    raw /= raw.sum(axis=1, keepdims=True)
    return raw


def logistic(raw):
    """Logistic function of a floating array, in place and without overflow."""
    with np.errstate(over="ignore"):
        np.negative(raw, out=raw)
        np.exp(raw, out=raw)
        raw += 1
        return np.reciprocal(raw, out=raw)


def log_softmax(raw):
    """Logarithm of the softmax of the rows of a floating array, in place."""
    raw -= raw.max(axis=1, keepdims=True)
    raw -= np.log(np.exp(raw).sum(axis=1, keepdims=True))
    return raw


def mean_of_logs(logs):
    """Logarithm of the mean of several arrays, of which the logarithms are given."""
    total, n = accumulate(np.logaddexp, logs)
    return total - total.dtype.type(np.log(n))


def accumulate(add, arrays):
    """Sum of arrays, of which only one need be there at a time, and their number."""
    arrays = iter(arrays)
    total, n = next(arrays), 1
    for array in arrays:
        total, n = add(total, array), n + 1
    return total, n


class RealTargets:
    """Encoder of real-valued targets, one column an output.

    Parameters
    ----------
    n_columns : int
        Columns of the targets.
    loss : str
        Name of the loss that they are trained with.
    loss_options : dict
        What the loss is made with besides.
    n_levels : int or None
        Quantiles of a single column that are predicted at once, an output each.
    """

    def __init__(self, n_columns, loss, loss_options=None, n_levels=None):
        self.n_columns, self.loss, self.n_levels = n_columns, loss, n_levels
        self.loss_options = loss_options or {}

    @property
    def n_outputs(self):
        """Output units that the network needs."""
        return self.n_levels or self.n_columns

    def encode(self, y, dtype):
        """Targets of shape (n_rows, n_outputs)."""
        y = np.repeat(y.reshape(len(y), -1), self.n_levels or 1, axis=1)
        return np.ascontiguousarray(y, dtype=dtype)

    def decode_encoded(self, y):
        """Targets that were encoded as `y`."""
        return y[:, 0] if self.n_columns == 1 else y

    def link(self, raw):
        """Outputs as predictions, in place: exponentials for positive means."""
        return np.exp(raw, out=raw) if self.loss in ("poisson", "gamma") else raw

    def average(self, raws):
        """Raw outputs whose predictions are the mean of those of several."""
        if self.loss in ("poisson", "gamma"):
            return mean_of_logs(raws)
        total, n = accumulate(np.add, raws)
        return total / n

    def decode(self, raw):
        """Predictions of shape (n_rows,), or (n_rows, n_outputs) for several."""
        raw = self.link(raw)
        return raw if self.n_levels or self.n_columns > 1 else raw[:, 0]

    def stratification(self, y):
        """Nothing: real targets are split at random."""
        return None
