"""Learned features: what `transform` of classifiers and regressors gives."""

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sknn._sklearn_compat import check_feature_names_in
from sknn.modules import Companion


class LearnedFeatures(TransformerMixin):
    """Activations of the last hidden layer as a transformer's output.

    A network says by `_hidden_outputs` what they are.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        kept = ["float32", "float64"] if self.dtype == "auto" else [self.dtype]
        tags.transformer_tags.preserves_dtype = kept
        return tags

    def transform(self, X):
        """Activations of the last hidden layer: the features that were learned.

        Parameters
        ----------
        X : array-like
            Inputs, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_learned)
            Activations; `X` itself where there is no hidden layer.
        """
        return self._hidden_outputs(X)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the inputs, checked against those seen in fit.

        Returns
        -------
        ndarray of str
            The lower-case class name and a number, or the inputs' names where there
            is no hidden layer.
        """
        check_is_fitted(self)
        names = None
        if hasattr(self, "n_features_in_"):
            names = check_feature_names_in(self, input_features)
        if not self._has_hidden_layers:
            return names
        prefix = type(self).__name__.lower()
        names = [f"{prefix}{i}" for i in range(self._n_learned)]
        return np.asarray(names, dtype=object)

    @property
    def _n_learned(self):
        """Number of learned features: all that the output layer is given."""
        layers = (m for m in self.module_.modules() if isinstance(m, nn.Linear))
        *_, last = (layer for layer in layers if not isinstance(layer, Companion))
        return last.in_features

    @property
    def _has_hidden_layers(self):
        """Whether a fitted network has any."""
        return True
