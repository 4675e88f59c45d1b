"""Block-diagonal message matrices of several graphs, put together a batch at a time."""

import numpy as np
import torch

from sknn.data._casting import cast
from sknn.data._messages import Messages, make_message_matrix
from sknn.data._sampling import gather_ranges


class OwnBlocks:
    """Message matrices of graphs with edges of their own, one after another.

    Parameters
    ----------
    adjacency : csr_array of shape (n_nodes, n_nodes)
        Edges of all graphs, block-diagonal.
    starts : ndarray of shape (n + 1,), int64
        Where each graph's nodes begin, and the number of all.
    conv : {"gcn", "sage", "gat", "gin"}
        The convolution.
    dtype : numpy dtype
        Type of the weights.
    symmetric : bool
        Whether `adjacency` is its own transpose.
    """

    def __init__(self, adjacency, starts, conv, dtype, symmetric):
        matrix = make_message_matrix(adjacency, conv, symmetric)
        symmetric = symmetric and conv != "sage"
        whole = Messages.from_csr(matrix, dtype, symmetric=symmetric)
        self._bounds = whole.starts.numpy()[starts]  # of the entries of each graph
        self._weights = whole.weights.numpy()
        self._pattern = self._make_pattern(whole, starts)
        self._symmetric, self._back_pattern, self._back_weights = symmetric, None, None
        if not symmetric:
            back = whole.transposed
            self._back_weights = back.weights.numpy()
            if back.sources is not whole.sources:
                self._back_pattern = self._make_pattern(back, starts)
        self._order = None
        if conv == "gat":  # it alone asks for the order of entries
            self._order = self._from_own(whole.order, self._bounds)

    def _make_pattern(self, messages, starts):
        """Entries of each row, and sources counted from each graph's first node."""
        counts = messages.starts.diff().numpy()
        return counts, self._from_own(messages.sources, starts)

    def _from_own(self, places, starts):
        """Places of entries counted from where each graph's own begin."""
        shift = np.repeat(starts[:-1], np.diff(self._bounds))
        return (places.numpy() - shift).astype(np.int32)

    def astype(self, dtype):
        """The same with weights of another type."""
        blocks = type(self).__new__(type(self))
        vars(blocks).update(vars(self))
        blocks._weights = cast(self._weights, dtype, "edge_weight")
        if not self._symmetric:
            blocks._back_weights = cast(self._back_weights, dtype, "edge_weight")
        return blocks

    def messages(self, graphs, nodes, starts):
        """Block-diagonal messages of some graphs.

        Parameters
        ----------
        graphs : ndarray of int of shape (n,)
            Which graphs, in order.
        nodes : ndarray of int of shape (n_nodes,)
            Their nodes among those of all graphs.
        starts : ndarray of shape (n + 1,), int64
            Where each graph's nodes begin in `nodes`, and their number.
        """
        first, stop = self._bounds[graphs], self._bounds[graphs + 1]
        entries, bounds = gather_ranges(first, stop)
        counts, shape = stop - first, (len(nodes), len(nodes))
        shift = np.repeat(starts[:-1], counts)
        places = _take_pattern(self._pattern, nodes, entries, shift)
        transposed = order = None
        if not self._symmetric:
            back = places
            if self._back_pattern is not None:
                back = _take_pattern(self._back_pattern, nodes, entries, shift)
            weights = torch.from_numpy(_take(self._back_weights, entries))
            transposed = Messages(*back, weights, shape)
        if self._order is not None:
            order = _take(self._order, entries) + np.repeat(bounds[:-1], counts)
            order = torch.from_numpy(order)
        weights = torch.from_numpy(_take(self._weights, entries))
        known = {"symmetric": self._symmetric, "transposed": transposed, "order": order}
        return Messages(*places, weights, shape, **known)


def _take_pattern(pattern, nodes, entries, shift):
    """Starts and sources of some nodes and entries as tensors."""
    counts, sources = pattern
    starts = np.zeros(len(nodes) + 1, np.int64)
    np.cumsum(counts[nodes], out=starts[1:])
    return torch.from_numpy(starts), torch.from_numpy(_take(sources, entries) + shift)


def _take(array, places):
    """The same as ``array[places]``, faster: they are known to be within it."""
    return array.take(places, mode="clip")


class SharedBlocks:
    """The message matrix of one graph many times over.

    Parameters
    ----------
    graph : Graph
        Has the matrix.
    conv : {"gcn", "sage", "gat", "gin"}
        The convolution.
    dtype : numpy dtype
        Type of the weights.

    Attributes
    ----------
    n_nodes : int
        Nodes of the graph.
    """

    def __init__(self, graph, conv, dtype):
        self._graph, self._conv = graph, conv
        self.n_nodes, self._one = graph.n_nodes, graph._messages(conv, dtype)
        self._largest, self._n_largest, self._kept = None, 0, {}

    def astype(self, dtype):
        """The same with weights of another type."""
        return SharedBlocks(self._graph, self._conv, dtype)

    def messages(self, n_graphs):
        """Block-diagonal messages of so many graphs.

        Fewer blocks are the beginning of more, whose memory they share. For the last
        two numbers asked for the same objects come again.
        """
        found = self._kept.pop(n_graphs, None)
        if found is None:
            if self._n_largest < n_graphs:
                self._largest, self._n_largest = self._repeat(n_graphs), n_graphs
            found = self._cut(n_graphs)
            self._kept = dict(list(self._kept.items())[-1:])
        self._kept[n_graphs] = found
        return found

    def _repeat(self, n_graphs):
        n_nodes, n_entries = self.n_nodes, len(self._one.sources)
        block, ends = torch.arange(n_graphs)[:, None], torch.tensor([n_graphs])

        def repeat(one):
            starts = (one.starts[:-1] + block * n_entries).ravel()
            sources = (one.sources + block * n_nodes).ravel()
            starts = torch.cat([starts, ends * n_entries])
            return starts, sources, one.weights.repeat(n_graphs)

        def repeat_order(order):
            return (order + block * n_entries).ravel()

        return self._change(self._one, n_graphs, repeat, repeat_order)

    def _cut(self, n_graphs):
        n_rows = n_graphs * self.n_nodes
        n_entries = n_graphs * len(self._one.sources)

        def cut(many):
            entries = many.sources[:n_entries], many.weights[:n_entries]
            return many.starts[: n_rows + 1], *entries

        return self._change(self._largest, n_graphs, cut, lambda x: x[:n_entries])

    def _change(self, messages, n_graphs, change, change_order):
        """Messages of so many graphs, made of others with their transpose."""
        shape = (n_graphs * self.n_nodes,) * 2
        known = {"symmetric": messages.is_symmetric}
        if not messages.is_symmetric:
            known["transposed"] = Messages(*change(messages.transposed), shape)
        if self._conv == "gat":  # it alone asks for the order of entries
            known["order"] = change_order(messages.order)
        return Messages(*change(messages), shape, **known)

    def __getstate__(self):
        return vars(self) | {"_largest": None, "_n_largest": 0, "_kept": {}}
