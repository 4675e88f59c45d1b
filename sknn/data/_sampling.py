"""What nodes of a graph hear through several layers, all of it or a sample."""

from functools import cached_property

import numpy as np
import torch

from sknn.data._batches import to_tensor
from sknn.data._casting import cast
from sknn.data._messages import Messages

# share of all nodes from which it is cheaper to take all of them
MANY = 0.5
# times that fewer nodes are sorted sooner than all are looked through
FEW = 64


class ReceptiveFields:
    """Finds the nodes and edges that the outputs of nodes depend on.

    Parameters
    ----------
    graph : Graph
        Has the features and the message matrix.
    conv : {"gcn", "sage", "gat", "gin"}
        The convolution.
    dtype : numpy dtype
        Type of features and weights.
    """

    def __init__(self, graph, conv, dtype):
        self.graph, self.conv, self.dtype = graph, conv, np.dtype(dtype)

    @property
    def messages(self):
        """Messages between all nodes, which the graph keeps."""
        return self.graph._messages(self.conv, self.dtype)

    @cached_property
    def features(self):
        """Features of all nodes, or their ids where they have none."""
        X = self.graph.X
        if X is None:
            return torch.arange(self.graph.n_nodes)
        return to_tensor(cast(X, self.dtype, "X"))

    def _take_features(self, nodes):
        """Features or ids of some nodes; unless all are there, these are converted."""
        if nodes is None:
            return self.features
        if self.graph.X is None:
            return torch.from_numpy(np.array(nodes, order="C"))
        if "features" in vars(self):
            return self.features[to_tensor(nodes)]
        return to_tensor(cast(self.graph.X[nodes], self.dtype, "X"))

    @property
    def _always_hears_itself(self):
        return self.conv in ("gcn", "gat")

    @cached_property
    def _nodes(self):
        return np.arange(self.graph.n_nodes)

    def find(self, wanted, n_sampled, random_state=None):
        """Inputs of a module that gives the outputs of some nodes.

        Parameters
        ----------
        wanted : ndarray of int
            The nodes, in any order.
        n_sampled : list of int or None, one a layer
            Most neighbours that a node hears there; None is all of them.
        random_state : numpy.random.RandomState, optional
            Where these are drawn from.

        Returns
        -------
        dict
            "x", a tensor of shape (n_from, ...), and "messages", a list of `Messages`,
            first layer first.
        """
        nodes, layers = wanted, []
        if len(wanted) == self.graph.n_nodes and (wanted == self._nodes).all():
            nodes = None  # all of them, in order
        for most in reversed(n_sampled):
            messages, nodes = self._find_layer(nodes, most, random_state)
            layers.append(messages)
        return {"x": self._take_features(nodes), "messages": layers[::-1]}

    def _find_layer(self, nodes, most, random_state):
        """Messages to nodes, and who sends them; None stands for all nodes in order."""
        if nodes is None and (most is None or most >= self._most_neighbors):
            return self.messages, None
        n_nodes, rows = self.graph.n_nodes, self._nodes if nodes is None else nodes
        starts, sources, weights = self._take_rows(rows, most, random_state)
        senders = None if nodes is None else _distinct(sources, rows, n_nodes)
        if senders is None or len(senders) > MANY * n_nodes:
            own, senders, shape = nodes, None, (len(rows), n_nodes)
        else:
            places = np.empty(n_nodes, np.int64)
            places[senders] = np.arange(len(senders))
            own, sources = places[rows], places[sources]
            shape = (len(rows), len(senders))
        own = None if own is None else to_tensor(own)
        tensors = map(torch.from_numpy, (starts, sources, weights))
        return Messages(*tensors, shape, own=own), senders

    @cached_property
    def _most_neighbors(self):
        counts = np.diff(self.messages.starts.numpy())
        return int(counts.max(initial=0)) - self._always_hears_itself

    def _take_rows(self, rows, most, random_state):
        """Starts, sources and weights of rows of the message matrix, or a sample."""
        whole = self.messages
        bounds = whole.starts.numpy()
        if most is None:
            entries, starts = gather_ranges(bounds[rows], bounds[rows + 1])
            factor = None
        else:
            own = whole.loops[rows] if self._always_hears_itself else None
            entries, starts, factor = sample_entries(
                bounds[rows], bounds[rows + 1], own, most, random_state
            )
        weights = whole.weights.numpy()[entries]
        if factor is not None and self.conv != "gat":
            weights = (weights * factor).astype(weights.dtype)
        return starts, whole.sources.numpy()[entries], weights


def _distinct(sources, rows, n_nodes):
    """Nodes that are sources or rows, ascending."""
    if FEW * (len(sources) + len(rows)) < n_nodes:
        return np.unique(np.concatenate([sources, rows]))
    is_there = np.zeros(n_nodes, bool)
    is_there[sources] = is_there[rows] = True
    return np.flatnonzero(is_there)


def gather_ranges(first, stop):
    """Members of ranges one after another, and where those of each begin.

    Parameters
    ----------
    first, stop : ndarrays of int of shape (n,)
        Bounds of the ranges.

    Returns
    -------
    members : ndarray of int
        All numbers of all ranges.
    starts : ndarray of shape (n + 1,), int64
        Where those of each range begin, and their number.
    """
    lengths = stop - first
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    members = np.repeat(first - starts[:-1], lengths)
    members += np.arange(len(members))
    return members, starts


def sample_entries(first, stop, own, most, random_state):
    """The same for ranges that are cut down to a sample of so many members.

    Parameters
    ----------
    first, stop : ndarrays of int of shape (n,)
        Bounds of the ranges: entries of rows of a matrix.
    own : ndarray of int of shape (n,), optional
        A member of each range that is kept, and not counted.
    most : int
        Other members that are kept, drawn without replacement.
    random_state : numpy.random.RandomState
        Where they are drawn from.

    Returns
    -------
    members, starts : ndarrays of int
        As from `gather_ranges`.
    factor : ndarray of shape (n_members,), float64
        Members over kept members; 1 where all are kept, and for `own`.
    """
    n_others = stop - first - (own is not None)
    cut = np.flatnonzero(n_others > most)
    kept = stop - first
    kept[cut] = most + (own is not None)
    members, starts = gather_ranges(first, first + kept)
    factor = np.ones(len(members))
    drawn = draw_subsets(n_others[cut], most, random_state) + first[cut]
    ratio = np.broadcast_to(n_others[cut] / most, drawn.shape)
    if own is not None:
        drawn += drawn >= own[cut]
        drawn = np.concatenate([drawn, own[None, cut]])
        ratio = np.concatenate([ratio, np.ones((1, len(cut)))])
    places = starts[:-1][cut] + np.arange(len(drawn))[:, None]
    members[places], factor[places] = drawn, ratio
    return members, starts, factor


def draw_subsets(sizes, n_drawn, random_state):
    """Subsets of ``range(size)``, each as likely as any other (Floyd's algorithm).

    Parameters
    ----------
    sizes : ndarray of int of shape (n,)
        How many there are to choose from, at least `n_drawn`.
    n_drawn : int
        Members of each subset.
    random_state : numpy.random.RandomState
        Where they are drawn from.

    Returns
    -------
    ndarray of shape (n_drawn, n), int64
        A subset a column.
    """
    drawn = np.empty((n_drawn, len(sizes)), np.int64)
    uniform = random_state.random_sample(drawn.shape)
    for j in range(n_drawn):
        last = sizes - n_drawn + j
        number = (uniform[j] * (last + 1)).astype(np.int64)
        is_taken = (drawn[:j] == number).any(axis=0)
        drawn[j] = np.where(is_taken, last, number)
    return drawn
