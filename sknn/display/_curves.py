"""What a fit has recorded epoch by epoch, as arrays of one length."""

import numpy as np
from sklearn.base import is_classifier, is_regressor


def check_curve(name, values, n_epochs=None):
    """Array of a curve's numbers, one an epoch; None stays None.

    Parameters
    ----------
    name : str
        Name of the parameter, for the messages.
    values : array-like of shape (n_epochs,) or None
        NaN where nothing was measured.
    n_epochs : int, optional
        How many numbers there have to be; by default at least one.

    Returns
    -------
    ndarray of shape (n_epochs,) or None
        The numbers.

    Raises
    ------
    ValueError
        For any other shape.
    """
    if values is None:
        return None
    curve = np.asarray(values, dtype=float)
    if curve.ndim != 1 or not curve.size:
        raise ValueError(
            f"{name} must have one number an epoch, and at least one epoch: got an "
            f"array of shape {curve.shape}."
        )
    if n_epochs is not None and len(curve) != n_epochs:
        raise ValueError(
            f"{name} must have one number an epoch, {n_epochs} as loss_curve: got "
            f"{len(curve)}."
        )
    return curve


def get_column(estimator, key):
    """Column of ``history_``, NaN in epochs that have none; None where no epoch has."""
    rows = getattr(estimator, "history_", None) or []
    if len(rows) != len(estimator.loss_curve_) or not any(key in row for row in rows):
        return None
    return [row.get(key, np.nan) for row in rows]


def get_curve(estimator, attribute, key):
    """Curve of an estimator at the epochs it belongs to.

    A `warm_start` may measure in some fits only. The attribute then has fewer numbers
    than there were epochs, and ``history_`` knows which.
    """
    curve = getattr(estimator, attribute, None)
    if curve is None or len(curve) == len(estimator.loss_curve_):
        return curve and list(curve)
    column = get_column(estimator, key)
    return list(curve) if column is None else column


def find_best_epoch(estimator, scores):
    """Epoch that early stopping went back to, counted from one; None without."""
    if scores is None or getattr(estimator, "best_loss_", None) is not None:
        return None
    scores = np.asarray(scores, dtype=float)
    if np.isnan(scores).all():
        return None
    return int(np.nanargmax(scores)) + 1


def get_score_name(estimator):
    """Name of what ``validation_scores_`` measure."""
    scoring = getattr(estimator, "scoring", None)
    if scoring is None:
        if is_classifier(estimator):
            return "accuracy"
        if not is_regressor(estimator):
            return "score"
        return "$D^2$" if getattr(estimator, "loss", None) == "quantile" else "$R^2$"
    if scoring == "loss":
        return "minus loss"
    return scoring if isinstance(scoring, str) else "score"


def get_range(values):
    """Smallest and largest of the numbers that are finite."""
    finite = values[np.isfinite(values)]
    return finite.min(initial=np.inf), finite.max(initial=-np.inf)
