"""Nodes and the edges between them, as users pass them to networks on graphs."""

from copy import copy

import numpy as np

from sknn.data._adjacency import make_csr
from sknn.data._edge_memory import EdgeMemory
from sknn.data._graph_networkx import (
    has_features,
    is_networkx,
    make_networkx,
    read_networkx,
    read_node_features,
    read_node_targets,
)
from sknn.data._graph_reading import (
    count_nodes,
    read_adjacency,
    read_features,
    read_targets,
    refuse_weights,
)

UNCHANGED = "unchanged"


class Graph:
    """Nodes with features and targets, and weighted edges between them.

    A graph is immutable: its arrays are read-only copies, and `clone`, `copy` and
    `deepcopy` of it give itself. It is no sequence, so that scikit-learn's tools hand
    it on as one object. Two graphs are equal if they are the same object.

    Parameters
    ----------
    X : array-like of shape (n_nodes, n_features), or None
        Features of the nodes, finite numbers; float32 stays float32, anything else
        becomes float64. None is for nodes without features.
    edges_or_adjacency : array-like, sparse matrix or networkx graph
        What is connected with what, in one of these forms:

        - Edges: an array-like of shape (n_edges, 2) or an iterable of pairs, the
          positions of nodes from 0 on. They have no directions unless `directed` is
          True. An edge listed several times, in whichever direction where there is
          none, is one edge of weight 1 without `edge_weight`; with it the weights are
          added. A weighted list that has both directions of each edge therefore needs
          ``directed=True``, or each edge once. An empty list is a graph without edges.
        - An adjacency: a scipy sparse matrix or array of any format, or an array-like
          or DataFrame, of shape (n_nodes, n_nodes): entry (i, j) is the weight of the
          edge from node i to node j. It is directed if it is not symmetric.
        - A networkx graph of any kind: nodes in its order, `node_names` has their
          keys. Edges have their attribute "weight", or 1; parallel edges add their
          weights, and are one edge where no edge of the graph has a weight. Without
          `X`, the attribute "x" of nodes is taken if all have one. `from_networkx`
          takes other attributes, and targets.

        A square array-like is an adjacency, but one of shape (2, 2) is two edges where
        the number of nodes is not known, or known and not 2. Where there are two nodes,
        it is two edges if `edge_weight` is given, or if it is ``[[0, 1], [1, 0]]``, the
        same graph either way; an adjacency if an entry is neither 0 nor 1; and refused
        otherwise. A sparse matrix is always an adjacency.

        Weights are finite and >= 0; an edge of weight 0 is none. Edges from a node to
        itself are kept, and nodes may have no edges.
    y : array-like of shape (n_nodes,) or (n_nodes, n_outputs), optional
        Targets of the nodes. They are not interpreted: labels, strings, -1, None and
        NaN are all fine. Refused are arrays of strings in which numpy has made words
        of None or NaN, "None" and "nan", or of -1 among words.
    edge_weight : array-like of shape (n_edges,), optional
        Weights of a list of edges; the other forms have their own.
    directed : bool, optional
        Whether an edge is heard at its second node alone. None: edges are not, an
        adjacency is if it is not symmetric, and networkx graphs know. False with what
        is asymmetric is an error.
    n_nodes : int, optional
        Number of nodes, where neither X nor an adjacency tells it; without, edges reach
        to the last node.

    Attributes
    ----------
    X : ndarray of shape (n_nodes, n_features) or None
        Features of the nodes, read-only.
    adjacency : csr_array of shape (n_nodes, n_nodes), float64
        Weights of the edges from rows to columns; indices sorted, no explicit zeros.
        A new object over the same read-only arrays each time it is asked for: what
        becomes of it is nothing to the graph.
    y : ndarray of shape (n_nodes,) or (n_nodes, n_outputs), or None
        Targets of the nodes, read-only.
    is_directed : bool
        Whether edges have directions. If not, `adjacency` is symmetric.
    node_names : ndarray of shape (n_nodes,), object, or None
        Keys of the nodes in the networkx graph that it was made of.

    Raises
    ------
    TypeError
        For arguments that are no arrays of numbers.
    ValueError
        Naming the argument, the rule and the first entry that breaks it.

    Examples
    --------
    >>> from sknn import Graph
    >>> X = [[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [3.0, 0.0]]
    >>> graph = Graph(X, [(0, 1), (1, 2), (2, 0)], y=["a", "a", "b", None])
    >>> graph
    Graph(4 nodes, 3 edges, 2 features, y)
    >>> graph.X.shape, graph.adjacency.shape, graph.y.shape
    ((4, 2), (4, 4), (4,))
    >>> graph.adjacency.toarray()
    array([[0., 1., 1., 0.],
           [1., 0., 1., 0.],
           [1., 1., 0., 0.],
           [0., 0., 0., 0.]])

    Weights, directions, and nodes without features:

    >>> Graph(None, [(0, 1), (1, 2)], edge_weight=[0.5, 2.0], directed=True, n_nodes=5)
    Graph(5 nodes, 2 directed edges, 0 features)

    Of the nearest points of each. ``near`` leads from a point to those near it, which
    would hear it. With ``near.T`` each point hears those near it, and with edges in
    both directions either hears the other:

    >>> from sklearn.neighbors import kneighbors_graph
    >>> near = kneighbors_graph(X, 2)
    >>> Graph(X, near.T)
    Graph(4 nodes, 8 directed edges, 2 features)
    >>> Graph(X, near.maximum(near.T))
    Graph(4 nodes, 5 edges, 2 features)
    """

    __slots__ = {
        "X": "Features of the nodes, or None.",
        "__weakref__": "Weak references to the graph.",
        "_adjacency": "Weights of the edges from rows to columns.",
        "_kept": "What nodes hear of one another, and what their edges tell of them.",
        "is_directed": "Whether edges have directions.",
        "node_names": "Keys of the nodes in a networkx graph, or None.",
        "y": "Targets of the nodes, or None.",
    }

    def __init__(
        self,
        X,
        edges_or_adjacency,
        y=None,
        edge_weight=None,
        *,
        directed=None,
        n_nodes=None,
    ):
        X = None if X is None else read_features(X)
        n_nodes, names = count_nodes(X, n_nodes), None
        if is_networkx(edges_or_adjacency):
            refuse_weights(edge_weight, "a networkx graph")
            found = read_networkx(edges_or_adjacency, directed=directed)
            adjacency, is_directed, names = found
            if n_nodes not in (None, len(names)):
                raise ValueError(
                    "X or n_nodes must have as many nodes as the networkx graph, "
                    f"{len(names)}: got {n_nodes}."
                )
            if X is None and has_features(edges_or_adjacency):
                X = read_features(read_node_features(edges_or_adjacency, "x"))
        else:
            adjacency, is_directed = read_adjacency(
                edges_or_adjacency, edge_weight, n_nodes, directed
            )
        y = read_targets(y, adjacency.shape[0])
        self._fill(X, adjacency, y, is_directed, names)

    def _fill(self, X, adjacency, y, is_directed, node_names, kept=None):
        """Set all attributes, once, and make arrays read-only."""
        arrays = (adjacency.data, adjacency.indices, adjacency.indptr)
        for array in (X, y, node_names, *arrays):
            if array is not None:
                array.flags.writeable = False
        values = {
            "X": X,
            "_adjacency": adjacency,
            "y": y,
            "is_directed": is_directed,
            "node_names": node_names,
            "_kept": EdgeMemory() if kept is None else kept,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        return self

    @classmethod
    def from_networkx(cls, graph, features="x", target="y", weight="weight"):
        """Make a graph of a networkx graph and attributes of its nodes and edges.

        Parameters
        ----------
        graph : networkx graph
            Of any of the four kinds.
        features : str, list of str, or None
            Attribute of nodes that holds their features, a number or equally many a
            node, or a list of attributes that hold a number each. None, and "x" where
            no node has it, is for nodes without features.
        target : str or None
            Attribute of nodes that holds their targets. Nodes without it have NaN if
            the others have numbers, and None otherwise. None, and "y" where no node has
            it, is for nodes without targets.
        weight : str or None
            Attribute of edges; those without have weight 1. None ignores weights.

        Returns
        -------
        Graph
            Its `node_names` are the keys of the nodes.

        Examples
        --------
        >>> import networkx
        >>> from sknn import Graph
        >>> karate = networkx.karate_club_graph()
        >>> Graph.from_networkx(karate, target="club")
        Graph(34 nodes, 78 edges, 0 features, y)
        """
        if not is_networkx(graph):
            raise TypeError(f"graph must be a networkx graph: got {type(graph)}.")
        adjacency, is_directed, names = read_networkx(graph, weight)
        X = read_node_features(graph, features)
        X = None if X is None else read_features(X)
        y = read_node_targets(graph, target)
        return cls.__new__(cls)._fill(X, adjacency, y, is_directed, names)

    def to_networkx(self):
        """Make a networkx graph of the edges, to draw it for instance.

        Returns
        -------
        networkx.Graph or networkx.DiGraph
            Its nodes are `node_names`, or their positions; edges have "weight".
            Features and targets are left out.
        """
        return make_networkx(self)

    @property
    def adjacency(self):
        """Weights of the edges from rows to columns."""
        return copy(self._adjacency)  # shares the arrays

    @property
    def n_nodes(self):
        """Number of nodes."""
        return self._adjacency.shape[0]

    @property
    def n_features(self):
        """Number of features a node, 0 without `X`."""
        return 0 if self.X is None else self.X.shape[1]

    @property
    def n_edges(self):
        """Number of edges; those without directions count once."""
        n_entries = self._adjacency.nnz
        if self.is_directed:
            return n_entries
        n_loops = int(np.count_nonzero(self._adjacency.diagonal()))
        return (n_entries + n_loops) // 2

    def replace(self, *, X=UNCHANGED, y=UNCHANGED):
        """Make a graph with the same edges and other features or targets.

        Parameters
        ----------
        X : array-like of shape (n_nodes, n_features), or None
            Features of the nodes; unchanged if left out.
        y : array-like of shape (n_nodes,) or (n_nodes, n_outputs), or None
            Targets of the nodes; unchanged if left out.

        Returns
        -------
        Graph
            It shares the adjacency, and what was left out.
        """
        if isinstance(X, str) and X == UNCHANGED:
            X = self.X
        elif X is not None:
            X = read_features(X)
            if len(X) != self.n_nodes:
                raise ValueError(
                    f"X must have one row a node, {self.n_nodes}: got {len(X)}."
                )
        is_same = isinstance(y, str) and y == UNCHANGED
        y = self.y if is_same else read_targets(y, self.n_nodes)
        edges = (self._adjacency, y, self.is_directed, self.node_names, self._kept)
        return type(self).__new__(type(self))._fill(X, *edges)

    def subgraph(self, ids):
        """Make the graph of some nodes and the edges among them.

        Parameters
        ----------
        ids : array-like of int, or of bool of shape (n_nodes,)
            Positions of the nodes, each once, in the order that the new graph has them;
            or a mask.

        Returns
        -------
        Graph
            With the features, targets and names of these nodes.
        """
        ids = self._check_ids(ids)
        adjacency = self._adjacency[ids][:, ids]
        adjacency.sort_indices()
        X, y, names = (
            None if array is None else array[ids]
            for array in (self.X, self.y, self.node_names)
        )
        made = type(self).__new__(type(self))
        return made._fill(X, adjacency, y, self.is_directed, names)

    def _check_ids(self, ids):
        """Positions of nodes, each once."""
        array = np.asarray(ids)
        if array.dtype.kind == "b" and array.shape == (self.n_nodes,):
            array = array.nonzero()[0]
        if array.ndim != 1 or array.dtype.kind not in "iu" or not len(array):
            raise ValueError(
                "ids must be positions of nodes, one or more, or a mask of shape "
                f"{(self.n_nodes,)}: got {array.dtype.name} of shape {array.shape}."
            )
        is_wrong = (array < 0) | (array >= self.n_nodes)
        if is_wrong.any():
            i = int(is_wrong.argmax())
            raise ValueError(
                f"ids must be from 0 to {self.n_nodes - 1}: ids[{i}] is {array[i]}."
            )
        counts = np.bincount(array)
        if counts.max() > 1:
            raise ValueError(
                f"ids must name each node once: {counts.argmax()} comes "
                f"{counts.max()} times."
            )
        return array

    def _messages(self, conv, dtype):
        """What nodes hear of one another in a convolution, kept for the next call."""
        return self._kept.messages(self, conv, dtype)

    def with_structure(self):
        """Make a graph of the same edges whose nodes have what these tell as features.

        Networks for graphs without features take them. Neighbours are those without
        weights, directions and edges from a node to itself. Renumbering the nodes
        permutes the rows.

        Returns
        -------
        Graph
            Its X, of shape (n_nodes, 5) and float64, has in its columns 1; log(1 +
            weighted in-degree); log(1 + weighted out-degree); the share of the pairs of
            neighbours that are neighbours themselves (local clustering coefficient), 0
            with fewer than two; and the mean of the neighbours' second column, 0
            without any.

        Examples
        --------
        >>> from sknn import Graph
        >>> graph = Graph(None, [(0, 1), (1, 2), (2, 0), (2, 3)]).with_structure()
        >>> graph
        Graph(4 nodes, 4 edges, 5 features)
        >>> graph.X.round(2)
        array([[1.  , 1.1 , 1.1 , 1.  , 1.24],
               [1.  , 1.1 , 1.1 , 1.  , 1.24],
               [1.  , 1.39, 1.39, 0.33, 0.96],
               [1.  , 0.69, 0.69, 0.  , 1.39]])
        """
        edges = (self._adjacency, self.y, self.is_directed, self.node_names, self._kept)
        return type(self).__new__(type(self))._fill(self._kept.structure(self), *edges)

    def __setattr__(self, name, value):
        raise AttributeError(
            f"{name} cannot be set: a Graph is immutable. Its method replace makes one "
            "with other X or y."
        )

    def __delattr__(self, name):
        raise AttributeError(f"{name} cannot be deleted: a Graph is immutable.")

    def __repr__(self):
        kind = "directed edge" if self.is_directed else "edge"
        parts = [
            _count(self.n_nodes, "node"),
            _count(self.n_edges, kind),
            _count(self.n_features, "feature"),
        ]
        return f"Graph({', '.join(parts if self.y is None else [*parts, 'y'])})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __sklearn_clone__(self):
        return self

    def __getstate__(self):
        adjacency = self._adjacency
        return {
            "X": self.X,
            "y": self.y,
            "data": None if (adjacency.data == 1).all() else adjacency.data,
            "indices": adjacency.indices,
            "indptr": adjacency.indptr,
            "is_directed": self.is_directed,
            "node_names": self.node_names,
        }

    def __setstate__(self, state):
        indices, indptr, data = (state[k] for k in ("indices", "indptr", "data"))
        data = np.ones(len(indices)) if data is None else data
        adjacency = make_csr(data, indices, indptr)
        names = ("y", "is_directed", "node_names")
        self._fill(state["X"], adjacency, *(state[name] for name in names))


def _count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"
