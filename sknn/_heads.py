"""Heads: how classifiers and regressors encode targets and read predictions."""

import warnings
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from sknn._ensemble import SeveralNetworks
from sknn._sklearn_compat import Interval, StrOptions, fit_context
from sknn.data import ClassTargets, RealTargets, combine_weights

REGRESSION_LOSSES = {
    "squared_error",
    "absolute_error",
    "huber",
    "quantile",
    "poisson",
    "gamma",
}


def check_stochastic(estimator):
    """Refuse `partial_fit` where there are no epochs."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


def _one_column(y):
    """Vector of a single column of targets, with scikit-learn's warning."""
    if y.ndim == 2 and y.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change "
            "the shape of y to (n_samples,), for example using ravel().",
            DataConversionWarning,
            stacklevel=5,
        )
        return y.ravel()
    return y


def check_classes(estimator, classes, continues):
    """Check that `classes` come with the first partial_fit and never change."""
    if not continues and classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit.")
    if classes is None:
        return
    if continues and not np.array_equal(estimator.classes_, unique_labels(classes)):
        raise ValueError(
            f"classes must be the same as on the last call to partial_fit, "
            f"{estimator.classes_}: got {classes}."
        )


def refuse_balanced(estimator):
    """Refuse weights that only the counts of all rows tell, in partial_fit."""
    if estimator.class_weight == "balanced":
        raise ValueError(
            "class_weight='balanced' is not supported for partial_fit, which never "
            "sees all classes' counts: pass a dict of weights, for example from "
            "sklearn.utils.compute_class_weight."
        )


class ClassifierHead(SeveralNetworks, ClassifierMixin):
    """Labels in; labels and probabilities out."""

    _parameter_constraints: dict = {
        **SeveralNetworks._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    _y_options = {"multi_output": True}
    _fewest_scored = 1

    def _check_y(self, y):
        return _one_column(y.toarray() if sparse.issparse(y) else y)

    def _make_targets(self, y, classes, continues, incremental):
        if incremental:
            check_classes(self, classes, continues)
        if not continues:
            if classes is None or y.ndim == 2:
                return ClassTargets.fit(y)
            targets = ClassTargets.fit(np.asarray(classes), name="classes")
            targets.check_known(y)
            return targets
        check_classification_targets(y)
        if not incremental and set(unique_labels(y)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes_}, `y` has "
                f"{unique_labels(y)}"
            )
        self._targets.check_known(y)
        return self._targets

    def _check_validation_targets(self, targets, y_val):
        targets.check_known(y_val)

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.classes_, self.n_outputs_ = targets.classes, targets.n_outputs

    def _combine_weights(self, X, y, sample_weight, targets, incremental, dtype):
        if incremental:
            refuse_balanced(self)
        return combine_weights(X, sample_weight, dtype, self.class_weight, targets, y)

    def _score_raw(self, raw, y, sample_weight):
        """Accuracy, or the share of rows with all labels right."""
        if not np.isfinite(raw).all():
            return float("nan")
        truth = y[:, 0] if self._targets.kind == "binary" else y
        hits = self._targets.decode_codes(raw) == truth
        if hits.ndim == 2:
            hits = hits.all(axis=1)
        return float(np.average(hits, weights=sample_weight))

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch more on the given rows.

        Parameters
        ----------
        X : array-like
            Training inputs, in a form that the class describes.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels or an indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see. Needed on the first call.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X):
        """Predict the most probable class, or all probable labels, of each row.

        Parameters
        ----------
        X : array-like
            Inputs, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Predicted labels.
        """
        raw = self._predict_raw(X)  # before anything that only a fit sets
        return self._targets.decode(raw)

    def predict_proba(self, X):
        """Predict the probability of each class, or of each label.

        Parameters
        ----------
        X : array-like
            Inputs, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``.
        """
        raw = self._predict_raw(X)
        probability = self._targets.link(raw)
        if self._targets.kind == "binary":
            return np.hstack([1 - probability, probability])
        if self._targets.kind == "multilabel":
            limits = np.finfo(probability.dtype)
            return np.clip(probability, limits.tiny, 1 - limits.epsneg)
        return probability

    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like
            Inputs, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class RegressorHead(SeveralNetworks, RegressorMixin):
    """Real numbers in; real numbers out."""

    _parameter_constraints: dict = {
        **SeveralNetworks._parameter_constraints,
        "loss": [StrOptions(REGRESSION_LOSSES)],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
    }

    _y_options = {"multi_output": True, "y_numeric": True}

    @property
    def _fewest_scored(self):
        """Rows without which there is no score: its variance would be zero."""
        return 2 if self.scoring is None else 1

    @property
    def _quantiles(self):
        """Levels of the quantile loss as a list."""
        several = np.iterable(self.quantile)
        return list(self.quantile) if several else [self.quantile]

    def _check_parameters(self):
        levels = self._quantiles
        if not levels or not all(isinstance(q, Real) and 0 < q < 1 for q in levels):
            raise ValueError(
                "quantile must be a number between 0 and 1, or a list of such: got "
                f"{self.quantile!r}."
            )
        super()._check_parameters()

    def _check_y(self, y):
        if sparse.issparse(y):
            raise TypeError("y must be dense: got sparse numbers; use y.toarray().")
        if y.dtype.kind not in "fiub":
            raise ValueError(f"y must hold numbers: got dtype {y.dtype}.")
        lowest = np.min(y)
        if self.loss == "poisson" and lowest < 0:
            raise ValueError(
                f"y must be >= 0 with loss='poisson': got {lowest} as its smallest "
                "value."
            )
        if self.loss == "gamma" and lowest <= 0:
            raise ValueError(
                f"y must be > 0 with loss='gamma': got {lowest} as its smallest value."
            )
        return _one_column(y)

    def _make_targets(self, y, classes, continues, incremental):
        n_columns, n_levels, options = 1 if y.ndim == 1 else y.shape[1], None, {}
        if self.loss == "huber":
            options["delta"] = float(self.huber_delta)
        if self.loss == "quantile":
            options["levels"] = [float(level) for level in self._quantiles]
            n_levels = len(options["levels"]) if np.iterable(self.quantile) else None
        if n_levels and n_columns > 1:
            raise ValueError(
                "quantile must be one number where y has several columns: got "
                f"{self.quantile!r} for {n_columns} columns."
            )
        return RealTargets(n_columns, self.loss, options, n_levels)

    def _check_validation_targets(self, targets, y_val):
        n_columns = 1 if y_val.ndim == 1 else y_val.shape[1]
        if n_columns != targets.n_columns:
            raise ValueError(
                f"y_val must have as many columns as y, {targets.n_columns}: got "
                f"{n_columns}."
            )

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.n_outputs_ = targets.n_outputs

    def _score_raw(self, raw, y, sample_weight):
        """Score of encoded targets as `score` has it."""
        prediction = self._targets.link(raw)
        if not np.isfinite(prediction).all():
            return float("nan")
        y = self._targets.decode_encoded(y)
        return self._score_predictions(y, prediction, sample_weight)

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination, or with ``loss="quantile"`` that of quantiles.

        Parameters
        ----------
        X : array-like
            Inputs, as for `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        float
            :math:`R^2`; with ``loss="quantile"`` the
            :func:`sklearn.metrics.d2_pinball_score`, its mean over a list of quantiles.
            At most 1.
        """
        return self._score_predictions(y, self.predict(X), sample_weight)

    def _score_predictions(self, y, prediction, sample_weight):
        if self._targets.loss != "quantile":
            return float(r2_score(y, prediction, sample_weight=sample_weight))
        levels = self._targets.loss_options["levels"]
        if not self._targets.n_levels:
            return float(
                d2_pinball_score(
                    y, prediction, alpha=levels[0], sample_weight=sample_weight
                )
            )
        scores = [
            d2_pinball_score(y, column, alpha=level, sample_weight=sample_weight)
            for level, column in zip(levels, prediction.T, strict=True)
        ]
        return float(np.mean(scores))

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch more on the given rows.

        Parameters
        ----------
        X : array-like
            Training inputs, in a form that the class describes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X, return_std=False):
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like
            Inputs, as for `fit`.
        return_std : bool, default=False
            Whether to return the standard deviation over the networks too, which needs
            several whose answers are averaged.

        Returns
        -------
        prediction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        deviation : ndarray of the same shape
            Their standard deviation over ``networks_``, with ``return_std=True`` alone.
        """
        if return_std:
            return self._predict_with_deviation(X)
        raw = self._predict_raw(X)  # before anything that only a fit sets
        return self._targets.decode(raw)
