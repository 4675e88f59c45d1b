"""Weights of rows: those that the user gives times those of the classes."""

from numbers import Real

import numpy as np

from sknn._sklearn_compat import check_sample_weight


def combine_weights(X, sample_weight, dtype, class_weight=None, targets=None, y=None):
    """Multiply sample weights by class weights.

    Parameters
    ----------
    X : array of shape (n_rows, ...)
        Inputs, for their number of rows.
    sample_weight : array-like of shape (n_rows,) or None
        Weights given to fit.
    dtype : numpy dtype
        Type of the result.
    class_weight : dict, "balanced" or None
        Weights of the classes; "balanced" makes the classes' total weights equal.
    targets : ClassTargets, optional
        Encoder of the labels; needed with `class_weight`.
    y : ndarray, optional
        Labels as given; needed with `class_weight`.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        None where every row weighs the same.

    Raises
    ------
    ValueError
        For negative or all-zero weights, a wrong length, or a class weight of a
        class that is not there.
    """
    weight = None
    if sample_weight is not None:
        weight = check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
    if class_weight is not None:
        factor = class_factor(class_weight, targets, y, weight)
        weight = factor if weight is None else weight * factor
    if weight is None:
        return None
    if not weight.any():
        raise ValueError(
            "sample_weight must have at least one positive entry after class_weight "
            "is applied: all weights are zero."
        )
    return weight.astype(dtype)


def class_factor(class_weight, targets, y, weight):
    """Class weight of each row's label, as `combine_weights` describes it."""
    if targets.kind == "multilabel":
        if class_weight != "balanced":
            raise ValueError(
                "class_weight must be 'balanced' or None for a multilabel y: got "
                f"{class_weight}."
            )
        columns = y.astype(np.int64).T
        factors = [_balanced(column, 2, weight)[column] for column in columns]
        return np.prod(factors, axis=0)
    codes = targets.codes(y)
    return weights_of_classes(class_weight, targets.classes, codes, weight)[codes]


def weights_of_classes(class_weight, classes, codes, weight=None):
    """Weight of each class.

    Parameters
    ----------
    class_weight : dict or "balanced"
        As for `combine_weights`.
    classes : ndarray of shape (n_classes,)
        Labels.
    codes : ndarray of int
        Classes of the rows.
    weight : ndarray, optional
        Weights of the rows.
    """
    if class_weight == "balanced":
        return _balanced(codes, len(classes), weight)
    return _class_weights(class_weight, classes.tolist())


def _balanced(codes, n_classes, weight):
    """Weights under which all classes that occur have the same total."""
    counts = np.bincount(codes, weights=weight, minlength=n_classes)
    n_present, total = np.count_nonzero(counts), counts.sum()
    counts[counts == 0] = 1  # nothing of weight refers to these
    return total / (n_present * counts)


def _class_weights(class_weight, classes):
    """Weight of each class, one for those that `class_weight` leaves out."""
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(
            f"class_weight must name classes of y only: got weights for {unknown}, "
            f"but the classes are {classes}."
        )
    weights = [class_weight.get(label, 1.0) for label in classes]
    if not all(isinstance(w, Real) and 0 <= w < np.inf for w in weights):
        raise ValueError(
            "class_weight must be a finite non-negative number for every class: got "
            f"{class_weight}."
        )
    return np.array(weights, dtype=float)
