"""Rows of a table as a graph of nearest neighbours."""

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from sknn.data._graph import Graph
from sknn.data._scaling import channel_moments


class Neighbours:
    """Training rows, each of which hears its nearest ones, as further rows do.

    No row hears a further one: what is predicted for a row does not depend on the rows
    beside it. All rows hear equally many, so that sums mean the same for all.

    Distances are those of rows in float64 whose mean is taken off, so that few digits
    are lost far from zero.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Training rows.
    n_neighbors : int
        Nearest rows; of fewer rows, all others.
    standardize : bool
        Whether distances are those of features with variance 1.

    Attributes
    ----------
    graph : Graph
        The training rows, with edges to each from those that it hears.
    """

    def __init__(self, X, n_neighbors, standardize):
        self._n_neighbors, self._index = n_neighbors, None
        self._mean, self._deviation = channel_moments(X)
        if not standardize:
            self._deviation = np.ones_like(self._deviation)
        n_nearest = min(n_neighbors, len(X) - 1)
        edges = sparse.csr_array((len(X), len(X)))
        if n_nearest:
            edges = self._search(X).kneighbors_graph(n_neighbors=n_nearest)
        self.graph = Graph(X, edges.T, directed=True)

    def __getstate__(self):
        return {**vars(self), "_index": None}  # which holds the rows once more

    def _search(self, X):
        """Index of the training rows, made when it is first asked for."""
        if self._index is None:
            self._index = NearestNeighbors().fit(self._scale(X))
        return self._index

    def _scale(self, X):
        return (X - self._mean) / self._deviation

    def attach(self, X):
        """Graph of the training rows and, behind them, the rows of `X` that hear them.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Further rows, in the type of the training rows.
        """
        known = self.graph
        n_nearest = min(self._n_neighbors, known.n_nodes)
        search = self._search(known.X)
        heard = search.kneighbors_graph(self._scale(X), n_nearest)
        adjacency = sparse.block_array(
            [[known.adjacency, heard.T], [None, sparse.csr_array((len(X), len(X)))]]
        )
        return Graph(np.concatenate([known.X, X]), adjacency, directed=True)
