"""What the two networks share that answer for the nodes of a graph."""

import warnings
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.utils.metaestimators import available_if

from sknn._message_passing_base import PARAMETERS as SHARED_PARAMETERS
from sknn._message_passing_base import BaseMessagePassing, attends
from sknn._sklearn_compat import Interval, StrOptions
from sknn.data import (
    Neighbours,
    Nodes,
    as_graph,
    check_numbers,
    holds_graphs,
    is_graph,
)
from sknn.modules import NodeNet

# nodes a batch where their neighbours are sampled
SAMPLED_BATCH = 512

# how X may be given to a fit
FORMS = {
    "graph": "a graph",
    "numbers": "numbers of nodes of graph=",
    "rows": "rows of features",
}

PARAMETERS = {
    **SHARED_PARAMETERS,
    "hidden_layer_sizes": (
        "int or array-like of int",
        "Units of each hidden convolution. One more convolution puts out the answers, "
        "so that a node hears those that are up to ``len(hidden_layer_sizes) + 1`` "
        "edges away.",
    ),
    "graph": (
        "Graph or None",
        "Graph whose node numbers X holds, for searches and cross-validation; also one "
        "of networkx. None reads X as a graph itself, or as rows of features.",
    ),
    "n_neighbors": (
        "int",
        "For rows of features, the nearest training rows that each row hears; a "
        "training row hears others.",
    ),
    "batch_size": (
        'int, "auto" or "full"',
        "Nodes with a target a batch, which is computed with all that they hear. "
        '"auto" and "full" are all of them at once; with `n_sampled_neighbors` "auto" '
        "is ``min(512, n_samples)``.",
    ),
    "n_sampled_neighbors": (
        "int, array-like of int or None",
        "Most neighbours that a node hears in a training step, drawn anew for each: "
        "one number, or one for each convolution (Hamilton et al. 2017). None hears "
        "all; predictions always do.",
    ),
    "node_features": (
        '{"auto", "embedding", "structure"}',
        "What stands for the features of a graph that has none: a vector learned for "
        "each node, which serves graphs of the same nodes alone, or numbers read off "
        "the edges, which serve every graph: degrees, clustering, the neighbours' "
        "degrees. "
        '"auto" is "embedding".',
    ),
}


class BaseNode(BaseMessagePassing):
    """One graph, some of whose nodes have a target."""

    _parameter_constraints: dict = {
        **BaseMessagePassing._parameter_constraints,
        "graph": "no_validation",
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_sampled_neighbors": [
            Interval(Integral, 1, None, closed="left"),
            "array-like",
            None,
        ],
        "node_features": [StrOptions({"auto", "embedding", "structure"})],
    }

    _architecture = (*BaseMessagePassing._architecture, "node_features")

    # Parameters

    def _check_parameters(self):
        super()._check_parameters()
        if self.graph is not None and not is_graph(self.graph):
            raise TypeError(
                "graph must be a sknn.Graph, a graph of networkx, or None: got "
                f"{type(self.graph).__name__}."
            )
        self._sampled_counts  # noqa: B018 - raises where they do not fit the layers

    @property
    def _sampled_counts(self):
        """Most neighbours that each convolution hears, or None for all."""
        value, n_layers = self.n_sampled_neighbors, len(self._hidden_sizes) + 1
        if value is None:
            return None
        counts = list(value) if np.iterable(value) else [value] * n_layers
        whole = all(isinstance(count, Integral) and count >= 1 for count in counts)
        if not whole or len(counts) != n_layers:
            raise ValueError(
                "n_sampled_neighbors must be None, a whole number >= 1, or a list of "
                f"one for each of the {n_layers} convolutions: got {value!r}."
            )
        return [int(count) for count in counts]

    def _sampling_options(self, random_state):
        if self.n_sampled_neighbors is None:
            return {}
        seed = random_state.randint(np.iinfo(np.int32).max)
        return {"n_sampled": self._sampled_counts, "seed": (seed, self.t_)}

    def _resolve_batch_size(self, n_rows):
        if self.batch_size == "auto" and self.solver != "lbfgs":
            sampled = self.n_sampled_neighbors is not None
            return min(SAMPLED_BATCH, n_rows) if sampled else n_rows
        return super()._resolve_batch_size(n_rows)

    # Data

    def _prepare(self, X, y, sample_weight, validation, classes, incremental):
        """Read what a fit that goes on trains on as that of a first one: it is new."""
        form = self._form_of_training(X)
        if self._continues(incremental):
            if form != self._fitted_form:
                raise ValueError(
                    f"X must be {FORMS[self._fitted_form]}, as in the fit that "
                    f"warm_start or partial_fit goes on with: got {FORMS[form]}."
                )
            options = {"y": y, **self._y_options}
            X, y = self._read(X, self._input_dtype(X, True), False, True, options)
        return super()._prepare(X, y, sample_weight, validation, classes, incremental)

    def _form_of_training(self, X):
        """Which of the three ways in a fit takes."""
        refuse_several(X)
        if not is_graph(X):
            return "rows" if self.graph is None else "numbers"
        if self.graph is None:
            return "graph"
        raise ValueError(
            "graph must be None where fit is given a graph; with graph= X holds the "
            "numbers of nodes."
        )

    def _check_X(self, X, dtype, *, reset, sample_weight=None, **options):
        if isinstance(X, Nodes):  # read before
            return (X, options["y"]) if "y" in options else X
        return self._read(X, dtype, reset, reset, options)

    def _read(self, X, dtype, reset, trains, options):
        """Nodes, and the targets that are known of them, by the rules of the fit."""
        refuse_several(X)
        if is_graph(X):
            X = self._read_graph(X, dtype, reset, trains)
        elif (self._form_of_training(X) if reset else self._fitted_form) == "numbers":
            X = self._read_numbers(X, dtype, reset, trains)
        else:
            return self._read_rows(X, dtype, reset, trains, options)
        if "y" not in options:
            return X
        y, known = self._known_targets(X, options["y"], trains)
        return X[known], self._check_targets(y[known], reset, options)

    def _read_graph(self, X, dtype, reset, trains):
        """All nodes of a graph."""
        graph = as_graph(X)
        if trains:
            self._keep_graph("graph", graph, reset)
        return self._nodes_of(graph, np.arange(graph.n_nodes), dtype)

    def _read_numbers(self, X, dtype, reset, trains):
        """Nodes of the estimator's own graph by their numbers."""
        if trains:
            self._keep_graph("numbers", as_graph(self.graph, "graph"), reset)
        numbers = check_numbers(X, self.graph_.n_nodes)
        return self._nodes_of(self.graph_, numbers, dtype)

    def _read_rows(self, X, dtype, reset, trains, options):
        """Rows of features: training rows, or such as hear these."""
        if not reset and self._fitted_form == "graph":
            raise ValueError(
                f"X must be a graph, as {type(self).__name__} was fitted to one: got "
                f"{type(X).__name__}. With the parameter graph= X holds numbers of "
                "nodes."
            )
        if reset:
            refuse_other_forms(X)
        checked = super()._check_X(X, dtype, reset=reset, **options)
        X, *y = checked if isinstance(checked, tuple) else (checked,)
        if trains:
            self._neighbours = Neighbours(X, self.n_neighbors, self.standardize)
            self._keep_graph("rows", self._neighbours.graph, reset)
            graph, first = self.graph_, 0
        else:
            graph, first = self._neighbours.attach(X), self.graph_.n_nodes
        X = self._nodes_of(graph, np.arange(first, graph.n_nodes), X.dtype)
        return (X, *y) if y else X

    def _keep_graph(self, form, graph, reset):
        """Remember the graph of a fit, and of the first one what its nodes have."""
        if not reset:
            self._check_graph(graph)
            self.graph_ = graph
            return
        self._keep_wiring(graph.n_features)
        self._fitted_form, self.graph_ = form, graph
        self._reads_structure = graph.X is None and self.node_features == "structure"
        if graph.X is not None and self.node_features != "auto":
            warnings.warn(
                f"node_features={self.node_features!r} has no effect: nodes have "
                "features.",
                stacklevel=7,
            )
        if form != "rows":
            for name in ("_neighbours", "feature_names_in_", "n_features_in_"):
                vars(self).pop(name, None)
            if graph.n_features:
                self.n_features_in_ = graph.n_features

    def _check_graph(self, graph):
        """Refuse a graph whose nodes are not such as those of the fit, or not these."""
        self._check_node_features(graph.n_features)
        if graph.X is not None or self._reads_structure:
            return
        known = self.graph_
        named = graph.node_names is not None and known.node_names is not None
        same = graph.n_nodes == known.n_nodes
        if not same or (named and (graph.node_names != known.node_names).any()):
            raise ValueError(
                f"X is a graph of {graph.n_nodes} nodes, but vectors were learned of "
                f"the {known.n_nodes} nodes of another one: with "
                "node_features='structure' predictions are for any graph."
            )

    def _nodes_of(self, graph, numbers, dtype):
        """Nodes with features, unless vectors are to be learned in their place."""
        self._check_graph(graph)
        graph = graph.with_structure() if self._reads_structure else graph
        dtype = np.float32 if isinstance(dtype, list) else dtype
        return Nodes(graph, numbers, self._fitted_conv, self._n_hidden + 1, dtype)

    # The module

    def _make_module(self, X, n_outputs, device):
        graph = X.graph
        return NodeNet(
            graph.n_features,
            n_outputs,
            n_nodes=graph.n_nodes if graph.X is None else None,
            **self._module_options,
            device=device,
        )

    def _largest_product(self, X, n_rows):
        """Size of the work: a pass over the graph, or over what a batch may hear."""
        n_nodes, counts = X.graph.n_nodes, self._sampled_counts
        if counts is not None:
            n_nodes = min(n_nodes, n_rows * (1 + counts[-1]))
        return self._size_of_work(n_nodes)

    def _hidden_outputs(self, X):
        X = self._checked_inputs(X)  # before anything that only a fit sets
        return self._outputs_of(self.module_.hidden, X.with_layers(self._n_hidden))

    @available_if(attends)
    def attention_weights(self, X):
        """How much each node attends to its neighbours, with ``conv="gat"``.

        Parameters
        ----------
        X : Graph or array-like
            Nodes, as for `predict`.

        Returns
        -------
        list of list of csr_array of shape (n_nodes, n_nodes)
            One list a layer, one matrix a head: entry (i, j) is the share of node j in
            what node i hears; rows sum to one. They are of the whole graph that has
            the nodes; rows of features that are no training rows stand behind these.
        """
        return self._attend(self._checked_inputs(X).of_all().inputs())


def refuse_several(X):
    """Refuse a list of graphs for one."""
    if holds_graphs(X):
        raise ValueError(
            "X must be one graph: got several. For answers about whole graphs there "
            "are GraphClassifier and GraphRegressor."
        )


def refuse_other_forms(X):
    """Refuse what is no rows of features but looks like another way in."""
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense rows of features are required, or "
            "a graph: Graph(None, X) is that of an adjacency matrix."
        )
    numbers = np.asarray(X) if isinstance(X, list | np.ndarray | range) else None
    if numbers is not None and numbers.ndim == 1 and numbers.dtype.kind in "iu":
        raise ValueError(
            "Expected 2D array, got 1D array instead. Numbers of nodes need the "
            "parameter graph=, whose nodes they are. Reshape your data if it is one "
            "feature."
        )
