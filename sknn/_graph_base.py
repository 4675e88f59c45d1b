"""What the two networks share that answer for whole graphs."""

from math import prod
from reprlib import repr as short_repr

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length

from sknn._door import naming
from sknn._message_passing_base import PARAMETERS as SHARED_PARAMETERS
from sknn._message_passing_base import BaseMessagePassing, attends
from sknn._sklearn_compat import StrOptions
from sknn.data import (
    Graph,
    Graphs,
    as_graph,
    holds_graphs,
    is_graph,
    read_matrix,
)
from sknn.modules import GraphNet

PARAMETERS = {
    **SHARED_PARAMETERS,
    "hidden_layer_sizes": (
        "int or array-like of int",
        "Units of each hidden convolution, at least one of them. What they give for "
        "the nodes of a graph is pooled, and a linear layer puts out the answers.",
    ),
    "pooling": (
        '{"mean", "sum", "max"}',
        "What becomes of the last convolution's units at all nodes of a graph. Sums "
        "tell how many nodes there are.",
    ),
    "adjacency": (
        "array-like or sparse matrix of shape (n_nodes, n_nodes), Graph or None",
        "Edges that all samples share, whose signals X holds: (n_samples, n_nodes) or "
        "(n_samples, n_nodes, n_channels).",
    ),
}


class BaseGraph(BaseMessagePassing):
    """Graphs of any sizes; the rows of a table are graphs of one node."""

    _parameter_constraints: dict = {
        **BaseMessagePassing._parameter_constraints,
        "pooling": [StrOptions({"mean", "sum", "max"})],
        "adjacency": "no_validation",
    }
    _architecture = (*BaseMessagePassing._architecture, "pooling")
    _fewest_layers = 1
    _auto_batch_size = 32

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    # Data

    def _prepare(self, X, y, sample_weight, validation, classes, incremental):
        """Read the edges of signals anew in a fit that goes on: they may be others."""
        if self._continues(incremental):
            found = self._read_adjacency()
            if (found is None) != (self._fitted_adjacency is None):
                raise ValueError(
                    "adjacency must be given to all fits that go on with the weights, "
                    f"or to none: got {short_repr(self.adjacency)}."
                )
            self._fitted_adjacency = found
        return super()._prepare(X, y, sample_weight, validation, classes, incremental)

    def _check_X(self, X, dtype, *, reset, sample_weight=None, **options):
        if isinstance(X, Graphs):  # read before
            return (X, options["y"]) if "y" in options else X
        if is_graph(X):
            raise ValueError(
                "X must be a list of graphs: got a single one. [graph] is a list; for "
                "answers about nodes there are NodeClassifier and NodeRegressor."
            )
        shared = self._read_adjacency() if reset else self._fitted_adjacency
        if not holds_graphs(X):
            return self._read_array(X, dtype, reset, options, shared)
        if shared is not None:
            raise ValueError(
                "adjacency must be None where X is a list of graphs, which have edges "
                "of their own; with it X holds signals."
            )
        return self._read_graphs(X, dtype, reset, options)

    def _read_adjacency(self):
        """Graph that all samples are signals on, or None."""
        if self.adjacency is None:
            return None
        if is_graph(self.adjacency):
            return as_graph(self.adjacency, "adjacency")
        with naming("adjacency"):
            return Graph(None, read_matrix(self.adjacency))

    def _read_graphs(self, X, dtype, reset, options):
        """A list of graphs, and y where there is any."""
        graphs = [as_graph(graph, f"X[{i}]") for i, graph in enumerate(X)]
        n_features = check_alike(graphs)
        if not n_features:
            graphs = [graph.with_structure() for graph in graphs]
        if reset:
            self._begin_reading(None, n_features)
            for name in ("feature_names_in_", "n_features_in_"):
                vars(self).pop(name, None)
            if n_features:
                self.n_features_in_ = n_features
        self._check_node_features(n_features)
        dtype = np.float32 if isinstance(dtype, list) else dtype
        X = Graphs.from_list(graphs, self._fitted_conv, dtype)
        if "y" not in options:
            return X
        y = self._check_targets(options["y"], reset, options)
        check_consistent_length(X, y)
        return X, y

    def _read_array(self, X, dtype, reset, options, shared):
        """Rows of a table, or signals on the nodes of one graph, and y."""
        if isinstance(X, list | tuple) and shared is not None:
            X = np.asarray(X)
        n_axes = len(getattr(X, "shape", ()))
        if shared is not None and n_axes > 2:
            options |= {"allow_nd": True, "ensure_2d": False}
            dtype = np.float32 if isinstance(dtype, list) else dtype
        checked = super()._check_X(X, dtype, reset=reset, **options)
        X, *y = checked if isinstance(checked, tuple) else (checked,)
        signals = as_signals(X, shared)
        n_channels = signals.shape[2]
        if reset:
            self._begin_reading(shared, n_channels)
            self.n_features_in_ = prod(X.shape[1:])
        self._check_node_features(n_channels)
        graph = Graph(None, [], n_nodes=1) if shared is None else shared
        X = Graphs.from_signals(signals, graph, self._fitted_conv)
        return (X, *y) if y else X

    def _begin_reading(self, adjacency, n_node_features):
        """Remember what the first fit was given."""
        self._keep_wiring(n_node_features)
        self._fitted_adjacency = adjacency

    # The module

    def _make_module(self, X, n_outputs, device):
        return GraphNet(
            X.n_channels,
            n_outputs,
            pooling=self.pooling,
            **self._module_options,
            device=device,
        )

    def _largest_product(self, X, n_rows):
        """Size of the work: a matrix product takes the nodes of a batch at once."""
        return self._size_of_work(int(n_rows * X.lengths.mean()))

    @available_if(attends)
    def attention_weights(self, X):
        """How much the nodes of each graph attend to their neighbours.

        With ``conv="gat"`` alone.

        Parameters
        ----------
        X : list of Graph, or array-like
            Graphs, as for `fit`.

        Returns
        -------
        list of list of list of csr_array of shape (n_nodes, n_nodes)
            One list a graph, of one list a layer, of one matrix a head: entry (i, j)
            is the share of node j in what node i hears; rows sum to one.
        """
        graphs = self._checked_inputs(X)
        n_graphs = np.arange(len(graphs))[:, None]
        return [self._attend(graphs.inputs(index)) for index in n_graphs]


def check_alike(graphs):
    """Number of features that the nodes of all graphs have.

    Raises
    ------
    ValueError
        Naming the first graph whose nodes have another number of them.
    """
    n_features = graphs[0].n_features
    for i, graph in enumerate(graphs):
        if graph.n_features != n_features:
            raise ValueError(
                f"X must be graphs with as many features a node: X[{i}] has "
                f"{graph.n_features}, and X[0] has {n_features}."
            )
    return n_features


def as_signals(X, graph):
    """Checked array as signals (n_samples, n_nodes, n_channels) on one graph.

    Raises
    ------
    ValueError
        Where there is not a value, or a vector, for each node.
    """
    if graph is None:
        return X[:, None]  # rows are nodes
    if X.ndim not in (2, 3) or X.shape[1] != graph.n_nodes or not X.size:
        raise ValueError(
            f"X must have shape (n_samples, {graph.n_nodes}) or (n_samples, "
            f"{graph.n_nodes}, n_channels) with an adjacency of {graph.n_nodes} nodes: "
            f"got shape {X.shape}."
        )
    return X[..., None] if X.ndim == 2 else X
