"""Transformer from sequences to sequences."""

from sknn._docs import describe
from sknn._seq2seq_base import PARAMETERS, BaseSeq2Seq


@describe(PARAMETERS, batch_size=64, weight_init='"glorot_uniform"')
class Seq2SeqTransformer(BaseSeq2Seq):
    r"""Transformer that maps sequences of tokens to sequences of tokens.

    An encoder reads a source, and a decoder predicts the target token by token, from
    what it has predicted before and from the encoder's outputs, which it attends to
    (Vaswani et al. 2017). Trained by maximum likelihood, each token given the true ones
    before it (teacher forcing; Goodfellow et al. 2016, section 10.2.1); predictions are
    found by beam search.

    X and y are lists, or object arrays, of strings or of lists of tokens: strings or
    whole numbers.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    source_vocabulary_, target_vocabulary_ : dict of token to int
        Number of each known token from 1 on, the most frequent first.
    max_length_ : int
        Most tokens of a training target.
    [attributes of training]

    See Also
    --------
    TransformerTagger : A label for each step.
    sknn.metrics.token_error_rate : What `score` is one minus of.

    References
    ----------
    Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks",
    NeurIPS 2014.

    Wu et al., "Google's neural machine translation system", 2016 (section 7, the score
    of a hypothesis).

    Examples
    --------
    >>> from sknn import Seq2SeqTransformer
    >>> words = ["abc", "cab", "bca", "acb", "bac", "cba", "ab", "ba", "ca", "bc"]
    >>> model = Seq2SeqTransformer(max_iter=300, tol=0.001, random_state=0)
    >>> model = model.fit(words, [word.upper() for word in words])
    >>> model.predict(["abc", "ba"]).tolist()
    ['ABC', 'BA']
    """

    def __init__(
        self,
        *,
        d_model=64,
        n_heads=4,
        n_layers=2,
        dim_feedforward=None,
        positional_encoding="sinusoidal",
        activation="relu",
        norm_first=True,
        tokenizer=None,
        min_count=1,
        max_vocab=None,
        beam_size=1,
        length_penalty=0.6,
        max_length=None,
        dropout=0.1,
        solver="adam",
        alpha=0.0001,
        l1_ratio=0.0,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.002,
        power_t=0.5,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=1,
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
        label_smoothing=0.0,
        n_networks=1,
        combine="average",
    ):
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.dim_feedforward = dim_feedforward
        self.positional_encoding = positional_encoding
        self.activation = activation
        self.norm_first = norm_first
        self.tokenizer = tokenizer
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.max_length = max_length
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
        self.label_smoothing = label_smoothing
        self.n_networks = n_networks
        self.combine = combine
