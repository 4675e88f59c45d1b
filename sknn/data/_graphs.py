"""Graphs of many sizes in one array, one after another."""

from itertools import accumulate

import numpy as np
import torch
from scipy import sparse

from sknn.data._batches import to_tensor
from sknn.data._blocks import OwnBlocks, SharedBlocks
from sknn.data._casting import cast
from sknn.data._sampling import gather_ranges


class Graphs:
    """Graphs one after another in memory.

    They can be the inputs of `Rows`. An array of ints, a mask or a slice selects
    graphs; all selections share memory. One int gives the features of a graph's nodes.
    `from_list` and `from_signals` make them.

    Parameters
    ----------
    values : ndarray of shape (n_nodes_of_all, n_channels)
        Features of the nodes of all graphs.
    starts : ndarray of shape (n + 1,), int64
        Where each graph's nodes begin in `values`, and their number.
    blocks : OwnBlocks or SharedBlocks
        Message matrices.
    index : ndarray of int, optional
        Which graphs belong to the selection, in order; None is all of them.

    Attributes
    ----------
    lengths : ndarray of shape (n,), int64
        Nodes of each graph.
    dtype : numpy dtype
        Type of the features.
    shape : tuple
        ``(n,)``.
    n_channels : int
        Features of a node.
    """

    ndim = 1

    def __init__(self, values, starts, blocks, index=None):
        self._values, self._starts, self._blocks = values, starts, blocks
        self._index = index
        lengths = np.diff(starts)
        self.lengths = lengths if index is None else lengths[index]
        self.dtype, self.shape = values.dtype, self.lengths.shape
        self.n_channels = values.shape[1]

    @classmethod
    def from_list(cls, graphs, conv, dtype):
        """Graphs with edges of their own.

        Parameters
        ----------
        graphs : list of Graph
            All have features, and as many of them.
        conv : {"gcn", "sage", "gat", "gin"}
            Convolution that the inputs are for.
        dtype : numpy dtype
            Type of features and weights.
        """
        lengths = [graph.n_nodes for graph in graphs]
        starts = np.array([0, *accumulate(lengths)], np.int64)
        values = _stack(graphs, dtype)
        adjacency = _join([graph.adjacency for graph in graphs], starts)
        symmetric = not any(graph.is_directed for graph in graphs)
        return cls(values, starts, OwnBlocks(adjacency, starts, conv, dtype, symmetric))

    @classmethod
    def from_signals(cls, values, adjacency_graph, conv):
        """The same graph with other features each time.

        Parameters
        ----------
        values : ndarray of shape (n, n_nodes, n_channels)
            Features, in the type that is to be computed in; not copied if C-contiguous.
        adjacency_graph : Graph
            Has the edges.
        conv : {"gcn", "sage", "gat", "gin"}
            Convolution that the inputs are for.
        """
        n, n_nodes, n_channels = values.shape
        starts = np.arange(n + 1, dtype=np.int64) * n_nodes
        blocks = SharedBlocks(adjacency_graph, conv, values.dtype)
        return cls(values.reshape(n * n_nodes, n_channels), starts, blocks)

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, key):
        if isinstance(key, int | np.integer):
            key = range(len(self))[key]
            key = key if self._index is None else self._index[key]
            return self._values[self._starts[key] : self._starts[key + 1]]
        return Graphs(self._values, self._starts, self._blocks, self._places(key))

    def _places(self, key):
        """Where selected graphs are among all."""
        if self._index is not None:
            return self._index[key]
        is_plain = isinstance(key, np.ndarray) and key.dtype.kind == "i"
        if is_plain and key.min(initial=0) >= 0:
            return key
        return np.arange(len(self))[key]

    @property
    def values(self):
        """Features of the nodes of all graphs, one after another."""
        if self._index is None:
            return self._values
        return self._values[self._find_nodes(self._index)[0]]

    def _find_nodes(self, graphs):
        """Nodes of graphs, and where each one's begin."""
        return gather_ranges(self._starts[graphs], self._starts[graphs + 1])

    def astype(self, dtype):
        """The same graphs with inputs of another type."""
        values = cast(self._values, dtype, "X")
        blocks = self._blocks.astype(dtype)
        return Graphs(values, self._starts, blocks, self._index)

    def inputs(self, index=slice(None)):
        """What a module takes for selected graphs.

        Parameters
        ----------
        index : ndarray of int or slice
            Which graphs, in order.

        Returns
        -------
        dict
            "x", a tensor of shape (n_nodes, n_channels) of the nodes of these graphs;
            "messages", block-diagonal `Messages` between them; "starts", where each
            graph's nodes begin, and their number, a tensor of shape (n + 1,), int64.
        """
        graphs = self._places(index)
        if isinstance(self._blocks, SharedBlocks):
            return self._shared_inputs(graphs)
        nodes, starts = self._find_nodes(graphs)
        return {
            "x": torch.from_numpy(self._values.take(nodes, axis=0)),
            "messages": self._blocks.messages(graphs, nodes, starts),
            "starts": torch.from_numpy(starts),
        }

    def _shared_inputs(self, graphs):
        n_nodes = self._blocks.n_nodes
        signals = self._values.reshape(-1, n_nodes * self.n_channels)
        x = signals[graphs].reshape(-1, self.n_channels)
        return {
            "x": to_tensor(x),
            "messages": self._blocks.messages(len(graphs)),
            "starts": torch.arange(0, len(x) + 1, n_nodes),
        }


def _stack(graphs, dtype):
    """Features of all graphs, one after another."""
    with np.errstate(over="ignore"):
        values = np.concatenate([graph.X for graph in graphs], dtype=dtype)
    if not np.isfinite(values).all():
        for i, graph in enumerate(graphs):
            cast(graph.X, dtype, f"X[{i}]")
    return values


def _join(adjacencies, starts):
    """Block-diagonal matrix of square ones, whose rows begin at `starts`."""
    counts = [0, *accumulate(len(one.data) for one in adjacencies)]
    largest = max(int(starts[-1]), counts[-1])
    index_type = np.int32 if largest < np.iinfo(np.int32).max else np.int64
    indptr, indices = np.zeros(starts[-1] + 1, index_type), []
    for one, first, count in zip(adjacencies, starts, counts, strict=False):
        indptr[first + 1 : first + one.shape[0] + 1] = one.indptr[1:] + count
        indices.append(one.indices + first)
    indices = np.concatenate(indices, dtype=index_type, casting="unsafe")
    data = np.concatenate([one.data for one in adjacencies])
    shape = (int(starts[-1]),) * 2
    return sparse.csr_array((data, indices, indptr), shape=shape)
