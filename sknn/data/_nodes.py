"""Nodes of a graph as rows."""

import numpy as np

from sknn.data._casting import cast
from sknn.data._sampling import ReceptiveFields


class Nodes:
    """Nodes of one graph whose outputs are wanted.

    They can be the inputs of `Rows`. An array of ints, a mask or a slice selects nodes;
    all selections share the graph, and what is kept of it. One int gives the features
    of a node, or its id where nodes have no features.

    Parameters
    ----------
    graph : Graph
        The graph.
    ids : array-like of int of shape (n,)
        The nodes.
    conv : {"gcn", "sage", "gat", "gin"}
        Convolution that the inputs are for.
    n_layers : int
        Number of convolutions.
    dtype : numpy dtype
        Type of the inputs.

    Attributes
    ----------
    shape : tuple
        ``(n, graph.n_features)``.
    n_nodes : int
        Nodes of the whole graph.
    """

    ndim = 2

    def __init__(self, graph, ids, conv, n_layers, dtype):
        self._set(ReceptiveFields(graph, conv, dtype), ids, n_layers)

    def _set(self, fields, ids, n_layers):
        self._fields, self.n_layers = fields, n_layers
        self.ids = np.asarray(ids, np.int64)
        self.graph, self.conv, self.dtype = fields.graph, fields.conv, fields.dtype
        self.n_nodes = self.graph.n_nodes
        self.shape = (len(self.ids), self.graph.n_features)
        self._last = None

    def _replace(self, ids, n_layers):
        """Other nodes or layers of the same graph."""
        nodes = type(self).__new__(type(self))
        nodes._set(self._fields, ids, n_layers)
        return nodes

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, key):
        if isinstance(key, int | np.integer):
            X, node = self.graph.X, self.ids[key]
            return node if X is None else cast(X[node], self.dtype, "X")
        return self._replace(self.ids[key], self.n_layers)

    def with_layers(self, n_layers):
        """The same nodes for another number of convolutions."""
        return self._replace(self.ids, n_layers)

    def of_all(self):
        """All nodes of the graph."""
        return self._replace(np.arange(self.n_nodes), self.n_layers)

    def astype(self, dtype):
        """The same nodes with inputs of another type."""
        return Nodes(self.graph, self.ids, self.conv, self.n_layers, dtype)

    @property
    def features(self):
        """Features of all nodes of the graph as a tensor, or their ids."""
        return self._fields.features

    def inputs(self, index=slice(None), n_sampled=None, random_state=None):
        """What a module takes for selected nodes.

        What all neighbours say is kept until other nodes are asked for.

        Parameters
        ----------
        index : ndarray of int or slice
            Which nodes, in order.
        n_sampled : int or sequence of int, optional
            Most neighbours that a node hears, in each layer, or one number a layer,
            the first layer's first; drawn anew at each call. Weights of those that are
            heard grow by what is left out, but for "gat". None is all of them.
        random_state : numpy.random.RandomState, optional
            Where they are drawn from; needed with `n_sampled`.

        Returns
        -------
        dict
            "x", a tensor of shape (n_from, n_features), or of ids (n_from,) where nodes
            have no features; "messages", a list of `Messages`, the first layer's first.
            Receivers of the last layer's are the selected nodes.
        """
        if n_sampled is not None:
            if not np.iterable(n_sampled):
                n_sampled = [n_sampled] * self.n_layers
            return self._fields.find(self.ids[index], n_sampled, random_state)
        if self._last is None or not _is_same(self._last[0], index):
            found = self._fields.find(self.ids[index], [None] * self.n_layers)
            self._last = _unchanging(index), found
        return dict(self._last[1])

    def __getstate__(self):
        return {
            name: getattr(self, name)
            for name in ("graph", "ids", "conv", "n_layers", "dtype")
        }

    def __setstate__(self, state):
        self.__init__(**state)


def _unchanging(index):
    """An index that nobody will change."""
    if isinstance(index, np.ndarray) and index.flags.writeable:
        index = index.copy()
        index.flags.writeable = False
    return index


def _is_same(kept, index):
    """Whether two indices select the same, without looking where they are one."""
    if kept is index:
        return True
    if isinstance(kept, np.ndarray) and isinstance(index, np.ndarray):
        return kept.dtype == index.dtype and np.array_equal(kept, index)
    return type(kept) is type(index) is slice and kept == index
