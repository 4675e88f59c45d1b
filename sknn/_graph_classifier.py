"""Graph network that classifies graphs."""

from sknn._docs import describe
from sknn._graph_base import PARAMETERS, BaseGraph
from sknn._heads import ClassifierHead


@describe(PARAMETERS, weight_init='"glorot_uniform"', batch_size=32)
class GraphClassifier(ClassifierHead, BaseGraph):
    """Graph network that classifies graphs.

    Each layer lets every node hear its neighbours; what the last one gives is pooled
    over the nodes of a graph, and a linear layer puts out the classes. Minimises the
    log-loss. X is

    - a list of :class:`Graph`, or of graphs of networkx, of any sizes;
    - signals (n_samples, n_nodes) or (n_samples, n_nodes, n_channels) on the nodes of
      one graph, whose edges the parameter `adjacency` holds;
    - without it a table, whose rows are graphs of a single node.

    Nodes without features are told by the edges: by a constant, the logarithms of
    their degrees, their clustering and their neighbours' degrees.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    [attributes of training]
    n_features_in_ : int
        Features of a node, columns of a table, or entries of a signal; not there for
        nodes without features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where it has any.

    See Also
    --------
    GraphRegressor : The same network for real targets.
    NodeClassifier : A label for each node of one graph.

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
    Cycles and stars:

    >>> import networkx as nx
    >>> from sknn import GraphClassifier
    >>> makers = nx.cycle_graph, nx.star_graph
    >>> graphs = [make(n) for n in range(4, 12) for make in makers]
    >>> model = GraphClassifier(random_state=0).fit(graphs, ["cycle", "star"] * 8)
    >>> print(*model.predict([nx.cycle_graph(20), nx.star_graph(20)]))
    cycle star
    """

    _parameter_constraints: dict = {
        **BaseGraph._parameter_constraints,
        **ClassifierHead._parameter_constraints,
    }

    def __init__(
        self,
        *,
        conv="sage",
        hidden_layer_sizes=(64, 64),
        n_heads=4,
        pooling="mean",
        activation="relu",
        adjacency=None,
        standardize=True,
        batch_norm=False,
        dropout=0.0,
        solver="adam",
        alpha=0.0001,
        l1_ratio=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.005,
        power_t=0.5,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=0,
        max_iter=100,
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
        class_weight=None,
        label_smoothing=0.0,
        n_networks=1,
        combine="average",
    ):
        self.conv = conv
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_heads = n_heads
        self.pooling = pooling
        self.activation = activation
        self.adjacency = adjacency
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
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.n_networks = n_networks
        self.combine = combine
