"""How the nodes of a graph get their targets, of which some are unknown."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import is_classifier
from sklearn.callback import with_callbacks
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length

from sknn._door import require_y
from sknn._heads import ClassifierHead, RegressorHead, check_stochastic
from sknn._sklearn_compat import fit_context
from sknn.data import (
    as_graph,
    check_numbers,
    is_graph,
    read_known,
    refuse_other_order,
)


class NodeHead:
    """Targets of nodes, of which some may be unknown, and all may be the graph's own.

    It comes before `ClassifierHead` or `RegressorHead`.
    """

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, X_val=None, y_val=None):
        """Train the network on the nodes whose target is known.

        Parameters
        ----------
        X : Graph, array-like of int or array-like of shape (n_samples, n_features)
            A graph; with the parameter `graph` the numbers of some of its nodes, of
            shape (n_samples,) or (n_samples, 1); or else rows of features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Target of each node, NaN or None where it is unknown; class labels may also
            be -1 there. None is what the graph has for them. Of rows of features all
            are known, and -1 is a class.
        X_val, y_val : array-like, default=None
            Validation nodes. With ``early_stopping=True`` they take the place of the
            internal split; without it they are only scored after every epoch.

        Returns
        -------
        self : object
            The trained network.

        Raises
        ------
        ValueError
            For bad input, before any training; for weights that are no longer
            finite, with the last finite ones left on the estimator.
        """
        X = as_graph(X) if is_graph(X) else X  # networkx is read once
        X_val = as_graph(X_val, "X_val") if is_graph(X_val) else X_val
        y = self._own_targets(X, y, self.graph)
        y_val = self._own_targets(X_val, y_val, self.graph)
        return self._fit_watched(X, y, None, (X_val, y_val, None))

    def _own_targets(self, X, y, graph):
        """Targets that are given, or those that X or `graph`, if any, has."""
        if is_graph(X):
            X = as_graph(X)
            refuse_other_order(y, X)
            return X.y if y is None else y
        if y is not None or X is None:
            return y
        if graph is None:
            return None
        graph = as_graph(graph, "graph")
        return None if graph.y is None else graph.y[check_numbers(X, graph.n_nodes)]

    def _known_targets(self, nodes, y, trains=False):
        """Targets as an array, and which nodes have one."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, or a "
                "graph that has y: Graph.from_networkx(graph, target=...) takes an "
                "attribute of nodes for it."
            )
        y, known = read_known(y, is_classifier(self))
        if len(y) != len(nodes):
            raise ValueError(
                f"y must have an entry for each of the {len(nodes)} nodes of X (NaN "
                f"where it is unknown): got {len(y)}."
            )
        if not known.any():
            raise ValueError(
                "y must have a target for at least one node: all are unknown."
            )
        if trains and is_classifier(self):
            warn_of_lost_class(y, known)
        return y, known

    def score(self, X, y=None, sample_weight=None):
        """Score of the predictions for the nodes whose target is known.

        Parameters
        ----------
        X : Graph or array-like
            Nodes, as for `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their targets, as for `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each node.

        Returns
        -------
        float
            Accuracy of a classifier; :math:`R^2` of a regressor, or with
            ``loss="quantile"`` the :func:`sklearn.metrics.d2_pinball_score`.
        """
        nodes = self._checked_inputs(X)  # before anything that only a fit sets
        if self._fitted_form == "rows" and not is_graph(X):
            require_y(self, y)
            return super().score(nodes, y, sample_weight)
        y = self._own_targets(X, y, self.graph_)
        y, known = self._known_targets(nodes, y)
        if sample_weight is not None:
            check_consistent_length(y, sample_weight)
            sample_weight = np.asarray(sample_weight)[known]
        return super().score(nodes[known], y[known], sample_weight)

    def predict(self, X):
        """Predict the target of each node.

        Parameters
        ----------
        X : Graph or array-like
            A graph, seen before or not; numbers of nodes where `fit` was given these;
            or rows of features, which hear the training rows that are nearest. A
            training row is one of these to itself.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, of all nodes of a graph.
        """
        return super().predict(X)

    def transform(self, X):
        """Activations of the last hidden convolution: a vector for each node.

        Parameters
        ----------
        X : Graph or array-like
            Nodes, as for `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_learned)
            Activations; what the convolution reads where there is no hidden one.
        """
        return super().transform(X)


def warn_of_lost_class(y, known):
    """Warn where -1 may have been meant for a class."""
    lost = any(isinstance(value, Real) and value == -1 for value in y[~known].flat)
    left = set(y[known].tolist()) if lost and y.ndim == 1 else ()
    if len(left) == 1:
        warnings.warn(
            f"All labels but -1 are {left.pop()!r}: -1 says that a label is unknown, "
            "and is no class. If it is to be one, give the classes other labels.",
            stacklevel=2,
        )


class NodeClassifierHead(NodeHead, ClassifierHead):
    """Labels of nodes in; labels and probabilities out."""

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, classes=None):
        """Train for one epoch more on the given nodes.

        Parameters
        ----------
        X : Graph or array-like
            Nodes, as for `fit`. Rows of features are neighbours of one another, and
            later ones of the rows of the last call.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), default=None
            Labels, as for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(
            X, self._own_targets(X, y, self.graph), classes=classes
        )


class NodeRegressorHead(NodeHead, RegressorHead):
    """Real targets of nodes in; real numbers out."""

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one epoch more on the given nodes.

        Parameters
        ----------
        X : Graph or array-like
            Nodes, as for `fit`. Rows of features are neighbours of one another, and
            later ones of the rows of the last call.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets, as for `fit`.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, self._own_targets(X, y, self.graph))

    def predict(self, X, return_std=False):
        """Predict the target of each node.

        Parameters
        ----------
        X : Graph or array-like
            A graph, seen before or not; numbers
            of nodes where `fit` was given these; or rows of features, which hear the
            training rows that are nearest. A training row is one of these to itself.
        return_std : bool, default=False
            Whether to return the standard deviation over the networks too, which needs
            several whose answers are averaged.

        Returns
        -------
        prediction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, of all nodes of a graph.
        deviation : ndarray of the same shape
            Their standard deviation over ``networks_``, with ``return_std=True`` alone.
        """
        return RegressorHead.predict(self, X, return_std)
