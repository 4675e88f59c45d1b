"""Transformer network that labels each step of a sequence."""

from sknn._docs import describe
from sknn._tagger_head import PARAMETERS as TAGGER_PARAMETERS
from sknn._tagger_head import TaggerHead
from sknn._transformer_base import PARAMETERS, BaseTransformer


@describe(
    {**PARAMETERS, **TAGGER_PARAMETERS},
    batch_size=32,
    dropout=0.2,
    weight_init='"glorot_uniform"',
)
class TransformerTagger(TaggerHead, BaseTransformer):
    """Transformer encoder that labels each step of a sequence.

    Self-attention (Vaswani et al. 2017) over sentences, as lists of words, over series
    of numbers and over texts, of any lengths; an output layer at each step. Words that
    are strings are read with their letters. Minimises the log-loss over all steps.

    ``fit(X, y)`` takes for y a list, or an object array, with a list of labels for each
    sequence, as long as the sequence. A table X with a label a row is so many sequences
    of one step.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
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
    RecurrentTagger : Recurrence in place of attention.
    TransformerClassifier : One label for a whole sequence.

    References
    ----------
    Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Ma and Hovy, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF", ACL
    2016 (the features of spellings).

    Examples
    --------
    >>> from sknn import TransformerTagger
    >>> X = ["the cat sleeps", "a dog barks", "the dog sleeps", "a cat sleeps"]
    >>> y = [["DET", "NOUN", "VERB"]] * 4
    >>> model = TransformerTagger(max_iter=500, tol=1e-3, min_count=1, random_state=0)
    >>> model.fit(X, y).predict(["the cat barks"])[0].tolist()
    ['DET', 'NOUN', 'VERB']
    """

    _parameter_constraints: dict = {
        **BaseTransformer._parameter_constraints,
        **TaggerHead._parameter_constraints,
    }
    _parameter_constraints.pop("pooling")
    _auto_dropout = 0.2
    _architecture = (*BaseTransformer._architecture, "char_embedding_dim")

    def __init__(
        self,
        *,
        d_model=64,
        n_heads=4,
        n_layers=2,
        dim_feedforward=None,
        positional_encoding="rotary",
        activation="relu",
        norm_first=True,
        char_embedding_dim="auto",
        tokens=False,
        tokenizer=None,
        min_count=2,
        max_vocab=None,
        standardize=True,
        dropout="auto",
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
        max_iter=50,
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
        class_weight=None,
        label_smoothing=0.0,
        n_networks=1,
        combine="average",
        init_from=None,
        freeze=0,
    ):
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.dim_feedforward = dim_feedforward
        self.positional_encoding = positional_encoding
        self.activation = activation
        self.norm_first = norm_first
        self.char_embedding_dim = char_embedding_dim
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
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.n_networks = n_networks
        self.combine = combine
        self.init_from = init_from
        self.freeze = freeze
