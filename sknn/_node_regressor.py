"""Graph network that predicts numbers for the nodes of a graph."""

from sknn._docs import describe
from sknn._node_base import PARAMETERS, BaseNode
from sknn._node_head import NodeRegressorHead


@describe(PARAMETERS, weight_init='"glorot_uniform"')
class NodeRegressor(NodeRegressorHead, BaseNode):
    """Graph network that predicts numbers for the nodes of a graph.

    Each layer lets every node hear its neighbours; the last one puts out the numbers.
    Minimises half the squared error, or another `loss`, at the nodes whose target is
    known, while all nodes and edges are heard. There are three ways in:

    - ``fit(graph)`` with a :class:`Graph`, or a graph of networkx, some of whose nodes
      have a target: NaN or None says that a node has none. It is also for graphs
      that come later.
    - ``fit(numbers, y)`` with the parameter `graph`, where X holds the numbers of
      nodes: folds of a search then differ in the targets that are seen, and nothing
      but these.
    - ``fit(X, y)`` with rows of features, each of which hears the nearest
      training rows.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    [attributes of training]
    graph_ : Graph
        Graph of the fit: that which was given, or that of the training rows.
    n_features_in_ : int
        Features of a node, or columns of rows; not there for nodes without any.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of rows, where they have any.

    See Also
    --------
    NodeClassifier : The same network for class labels.
    GraphRegressor : A number for each graph.

    References
    ----------
    Kipf and Welling, "Semi-supervised classification with graph convolutional
    networks", ICLR 2017.

    Hamilton, Ying and Leskovec, "Inductive representation learning on large graphs",
    NeurIPS 2017.

    Velickovic et al., "Graph attention networks", ICLR 2018.

    Xu et al., "How powerful are graph neural networks?", ICLR 2019.

    Examples
    --------
    How far the nodes of a path are from its end, of which every second one is told:

    >>> import numpy as np
    >>> from sknn import Graph, NodeRegressor
    >>> path = Graph(np.arange(40.0)[:, None], [(i, i + 1) for i in range(39)])
    >>> y = np.where(np.arange(40) % 2, np.nan, np.arange(40) / 40)
    >>> model = NodeRegressor(dropout=0, random_state=0).fit(path, y)
    >>> bool(abs(model.predict(path) - np.arange(40) / 40).max() < 0.2)
    True
    """

    _parameter_constraints: dict = {
        **BaseNode._parameter_constraints,
        **NodeRegressorHead._parameter_constraints,
    }

    def __init__(
        self,
        *,
        loss="squared_error",
        quantile=0.5,
        huber_delta=1.0,
        conv="gcn",
        hidden_layer_sizes=(64,),
        n_heads=4,
        activation="relu",
        graph=None,
        n_neighbors=10,
        n_sampled_neighbors=None,
        node_features="auto",
        standardize=True,
        batch_norm=False,
        dropout=0.5,
        solver="adam",
        alpha=0.0001,
        l1_ratio=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.01,
        power_t=0.5,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=0,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
        max_fun=15000,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        rho=0.9,
        early_stopping=False,
        validation_fraction=0.1,
        scoring=None,
        weight_init="auto",
        gradient_clip=None,
        device="auto",
        dtype="auto",
        callbacks=None,
        n_networks=1,
        combine="average",
    ):
        self.loss = loss
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.conv = conv
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_heads = n_heads
        self.activation = activation
        self.graph = graph
        self.n_neighbors = n_neighbors
        self.n_sampled_neighbors = n_sampled_neighbors
        self.node_features = node_features
        self.standardize = standardize
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.solver = solver
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.learning_rate_final = learning_rate_final
        self.decay_epochs = decay_epochs
        self.warmup_epochs = warmup_epochs
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.rho = rho
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.weight_init = weight_init
        self.gradient_clip = gradient_clip
        self.device = device
        self.dtype = dtype
        self.callbacks = callbacks
        self.n_networks = n_networks
        self.combine = combine
