"""Recurrent regressor of sequences."""

from sknn._docs import describe
from sknn._features import LearnedFeatures
from sknn._heads import RegressorHead
from sknn._recurrent_base import PARAMETERS, BaseRecurrent


@describe(PARAMETERS, batch_size=32, weight_init='"glorot_uniform"')
class RecurrentRegressor(RegressorHead, LearnedFeatures, BaseRecurrent):
    """Recurrent regressor of sequences of any lengths.

    Layers of lstm, gru or plain recurrent units (Goodfellow et al. 2016, chapter 10) on
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
    RecurrentClassifier : The same network for class labels.
    TransformerRegressor : Attention in place of recurrence.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, chapter 10.

    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9, 1997.

    Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", EMNLP 2014.

    Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network
    architectures", ICML 2015 (the forget gate's bias of one).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import RecurrentRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=rng.integers(3, 12)) for _ in range(300)]
    >>> y = [series.max() for series in X]
    >>> model = RecurrentRegressor(learning_rate_init=0.01, random_state=0)
    >>> model = model.fit(X[:200], y[:200])
    >>> bool(model.score(X[200:], y[200:]) > 0.7)
    True
    """

    _parameter_constraints: dict = {
        **BaseRecurrent._parameter_constraints,
        **RegressorHead._parameter_constraints,
    }

    def __init__(
        self,
        *,
        loss="squared_error",
        quantile=0.5,
        huber_delta=1.0,
        cell="lstm",
        hidden_layer_sizes=(64,),
        bidirectional=True,
        pooling="max",
        embedding_dim="auto",
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
        deep_supervision=0.0,
        init_from=None,
        freeze=0,
    ):
        self.loss = loss
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.cell = cell
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.embedding_dim = embedding_dim
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
        self.deep_supervision = deep_supervision
        self.init_from = init_from
        self.freeze = freeze
