"""What a network says of a graph, for its picture."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from sknn._graph_base import BaseGraph
from sknn._node_base import BaseNode
from sknn.data import as_graph, holds_graphs, read_known
from sknn.display._checks import check_number, get_network


def get_graph_network(estimator):
    """Fitted network on graphs, the last step of a Pipeline or alone."""
    network = get_network(estimator, "module_")
    if not isinstance(network, BaseNode | BaseGraph):
        raise TypeError(
            "estimator must be a fitted NodeClassifier, NodeRegressor, GraphClassifier "
            f"or GraphRegressor, or a Pipeline that ends with one: got {estimator!r}."
        )
    return network


def get_input(estimator, X):
    """What the network reads of X, behind the other steps of a Pipeline."""
    if X is None or not isinstance(estimator, Pipeline) or len(estimator) == 1:
        return X
    return estimator[:-1].transform(X)


def describe_nodes(network, X, y, output):
    """Graph of a network for nodes, and what it predicts there.

    Parameters
    ----------
    network : NodeClassifier or NodeRegressor
        Fitted.
    X : Graph, networkx graph or None
        None is the graph of the fit.
    y : array-like or None
        Targets of the nodes; None takes those of the graph that are such targets.
    output : int
        Which one of several.

    Returns
    -------
    dict
        Parameters of `GraphDisplay`.
    """
    graph = network.graph_ if X is None else as_graph(X)
    predictions = network.predict(graph)
    if y is None and is_own_target(network, graph.y, predictions):
        y = graph.y
    y = y if y is None else np.asarray(y)
    if y is not None and y.shape == predictions.shape:
        y = choose_output(y, output)
    return {
        "graph": graph,
        "values": choose_output(predictions, output),
        "y": y,
        "classes": get_classes(network, predictions),
        "value_name": "prediction",
    }


def describe_graph(network, X, y, node_color, output):
    """The one graph that X holds, with what is predicted for it as a title.

    Parameters
    ----------
    network : GraphClassifier or GraphRegressor
        Fitted.
    X : list of Graph or networkx graphs, or array-like of shape (1, n_nodes, ...)
        One graph, or a signal on the nodes of the network's own.
    y : object or None
        Its target, as it is or in a list.
    node_color : int, array-like or None
        A column of the nodes' features, or a value a node.
    output : int
        Which one of several.

    Returns
    -------
    dict
        Parameters of `GraphDisplay`.
    """
    graph = get_one_graph(network, X)
    predictions = network.predict(X)
    parts = [f"prediction: {write_value(choose_output(predictions, output)[0])}"]
    if y is not None:
        y = check_one_target(y, predictions)
        parts.append(f"truth: {write_value(choose_output(y, output)[0])}")
    values = choose_values(graph, node_color)
    is_column = isinstance(node_color, Integral)
    return {
        "graph": graph,
        "values": values,
        "value_name": f"feature {node_color}" if is_column else None,
        "title": ", ".join(parts),
    }


def get_one_graph(network, X):
    """The graph of a list of one, or the network's own with a signal on its nodes."""
    n_graphs = count_samples(X)
    if n_graphs != 1:
        got = f"{n_graphs} of them" if n_graphs else repr(X)
        raise ValueError(f"X must be one graph, or hold one as X[:1] does: got {got}.")
    if holds_graphs(X):
        return as_graph(next(iter(X)))
    adjacency = network._fitted_adjacency
    if adjacency is None:
        raise ValueError(
            "X must be one graph, or an array of one signal for a network with "
            f"adjacency: got {X!r}."
        )
    network._checked_inputs(X)
    return adjacency.replace(X=np.reshape(np.asarray(X), (adjacency.n_nodes, -1)))


def count_samples(X):
    """Length of a list or an array, also of a sparse one; 0 of anything else."""
    if getattr(X, "shape", ()):
        return X.shape[0]
    return len(X) if isinstance(X, list | tuple) else 0


def check_one_target(y, predictions):
    """Target of the one graph, in the shape of its prediction."""
    y = np.asarray(y)
    if y.size != predictions.size:
        raise ValueError(
            f"y must be the target of the one graph, with {predictions.size} value(s): "
            f"got the shape {y.shape}."
        )
    return y.reshape(predictions.shape)


def choose_values(graph, node_color):
    """Values of nodes to colour: a column of their features, or those given."""
    if node_color is None:
        return None
    if not isinstance(node_color, Integral) or isinstance(node_color, bool):
        if isinstance(node_color, str | bool) or not np.iterable(node_color):
            raise TypeError(
                "node_color must be the number of a feature, an array of one value a "
                f"node, or None: got {node_color!r}."
            )
        return node_color
    if not graph.n_features:
        raise ValueError(
            f"node_color={node_color} must be a feature of the nodes, but these have "
            "none."
        )
    check_number("node_color", node_color, 0, graph.n_features - 1)
    return graph.X[:, node_color]


def write_value(value):
    """A class as it is, a number with three digits."""
    return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)


def choose_output(values, output):
    """One of several outputs, which are the columns."""
    n_outputs = 1 if values.ndim == 1 else values.shape[1]
    check_number("output", output, 0, n_outputs - 1)
    return values if values.ndim == 1 else values[:, output]


def get_classes(network, predictions):
    """Classes that a node may have; None of a regressor."""
    if not is_classifier(network):
        return None
    return network.classes_ if predictions.ndim == 1 else np.arange(2)


def is_own_target(network, y, predictions):
    """Whether targets of a graph are such as the network predicts."""
    if y is None or y.shape != predictions.shape:
        return False
    y, known = read_known(y, is_classifier(network))
    if not is_classifier(network):
        return y.dtype.kind in "fiub"
    classes = set(get_classes(network, predictions).tolist())
    return not classes.isdisjoint(y[known].ravel().tolist())


def get_attention(network, X, layer, head):
    """Attention of a layer from the node that is heard to the one that hears.

    Parameters
    ----------
    network : estimator
        With ``conv="gat"``.
    X : Graph, or what holds one graph
        As the network takes it.
    layer : int
        Which layer; negative ones count from the last.
    head : int or None
        Which head, or the mean of all.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes)
        Entry (i, j) is the share of node i in what node j hears.
    """
    if not hasattr(network, "attention_weights"):
        raise ValueError(
            "edges='attention' needs a network with conv='gat': got "
            f"conv={network.conv!r}."
        )
    layers = network.attention_weights(X)
    layers = layers[0] if isinstance(network, BaseGraph) else layers
    check_number("layer", layer, -len(layers), len(layers) - 1)
    heads = layers[layer]
    check_number("head", head, 0, len(heads) - 1, optional=True)
    weights = sum(heads) / len(heads) if head is None else heads[head]
    return weights.T.tocsr()
