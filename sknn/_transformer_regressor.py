"""Transformer regressor of sequences."""

from sknn._docs import describe
from sknn._features import LearnedFeatures
from sknn._heads import RegressorHead
from sknn._transformer_base import PARAMETERS, BaseTransformer


@describe(PARAMETERS, batch_size=32, weight_init='"glorot_uniform"')
class TransformerRegressor(RegressorHead, LearnedFeatures, BaseTransformer):
    """Transformer regressor of sequences of any lengths.

    An encoder of self-attention layers (Vaswani et al. 2017) on
    arrays (samples, steps, channels), the rows of a table, lists of series of
    unequal lengths, of lists of tokens, or of texts. Padding is invisible.
    Minimises half the squared error, or another `loss`.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    vocabulary_ : dict of token to int
        Number of each known token from 1 on, the most frequent first; only where
        sequences are of tokens.
    [attributes of training]
    n_features_in_ : int
        Columns of a table, or channels of series.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where it has any.

    See Also
    --------
    TransformerClassifier : The same network for class labels.
    RecurrentRegressor : Recurrence in place of attention.

    References
    ----------
    Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Xiong et al., "On layer normalization in the transformer architecture", ICML 2020.

    Su et al., "RoFormer: enhanced transformer with rotary position embedding",
    Neurocomputing 568, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import TransformerRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=rng.integers(3, 12)) for _ in range(300)]
    >>> y = [series.max() for series in X]
    >>> model = TransformerRegressor(learning_rate_init=0.01, random_state=0)
    >>> model = model.fit(X[:200], y[:200])
    >>> bool(model.score(X[200:], y[200:]) > 0.7)
    True
    """

    _parameter_constraints: dict = {
        **BaseTransformer._parameter_constraints,
        **RegressorHead._parameter_constraints,
    }

    def __init__(
        self,
        *,
        loss="squared_error",
        quantile=0.5,
        huber_delta=1.0,
        d_model=64,
        n_heads=4,
        n_layers=2,
        dim_feedforward=None,
        positional_encoding="sinusoidal",
        pooling="mean",
        activation="relu",
        norm_first=True,
        tokens=False,
        tokenizer=None,
        min_count=1,
        max_vocab=None,
        standardize=True,
        dropout=0.0,
        solver="adam",
        alpha=0.0001,
        l1_ratio=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.001,
        power_t=0.5,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=5,
        max_iter=100,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
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
        gradient_clip=1.0,
        device="auto",
        dtype="auto",
        callbacks=None,
        n_networks=1,
        combine="average",
        init_from=None,
        freeze=0,
    ):
        self.loss = loss
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.dim_feedforward = dim_feedforward
        self.positional_encoding = positional_encoding
        self.pooling = pooling
        self.activation = activation
        self.norm_first = norm_first
        self.tokens = tokens
        self.tokenizer = tokenizer
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.standardize = standardize
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
        self.init_from = init_from
        self.freeze = freeze
