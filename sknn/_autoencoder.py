"""Autoencoder: undercomplete, denoising, sparse, tied or convolutional."""

from numbers import Integral, Real

import numpy as np
from sklearn.callback import with_callbacks
from sklearn.utils.metaestimators import available_if

from sknn._autoencoder_base import PARAMETERS as SHARED_PARAMETERS
from sknn._autoencoder_base import BaseAutoencoder
from sknn._docs import describe
from sknn._heads import check_stochastic
from sknn._sklearn_compat import Interval, StrOptions, fit_context
from sknn.modules import AutoencoderNet

PARAMETERS = {
    **SHARED_PARAMETERS,
    "solver": (
        '{"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"}',
        "Stochastic gradient descent with momentum, Adam, Adam with decoupled weight "
        "decay, AdaGrad, RMSProp, or the quasi-Newton method L-BFGS-B, which suits "
        "small data.",
    ),
    "max_iter": ("int", "Most epochs, or lbfgs iterations."),
    "max_fun": ("int", "Most evaluations of the loss by lbfgs."),
    "corruption": (
        "float",
        "How much training rows are changed at random before they are encoded, in [0, "
        "1): the reconstruction is still that of the rows as they are. Not for lbfgs.",
    ),
    "corruption_kind": (
        '{"gaussian", "masking"}',
        "Normal noise whose standard deviation is `corruption`, in the units of X, or "
        "a share `corruption` of each row's values set to 0.",
    ),
    "activity_l1": (
        "float",
        "Factor of the sum of a code's absolute values in the loss of its row.",
    ),
    "tied_weights": (
        "bool",
        "Whether the decoder's weights are the encoder's, transposed. Not with "
        "`input_shape`.",
    ),
}


@describe(PARAMETERS, batch_size=64, weight_init='"glorot_uniform"')
class Autoencoder(BaseAutoencoder):
    """Autoencoder: a network that reconstructs its input from a short code.

    Undercomplete, denoising (`corruption`), sparse (`activity_l1`), with tied weights,
    or convolutional (`input_shape`): Goodfellow et al. 2016, chapter 14. The code is
    linear, and the decoder the encoder's mirror image.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    input_shape_ : tuple of int or None
        Shape that rows are read as, channels last; None for a table.
    output_activation_ : {"sigmoid", "identity"}
        What reconstructions go through.
    [attributes of training]
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, where it has any.

    See Also
    --------
    VariationalAutoencoder : One that can be sampled from.
    sklearn.decomposition.PCA : What it is without hidden layers.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, chapter 14.

    Vincent, Larochelle, Lajoie, Bengio and Manzagol, "Stacked denoising autoencoders",
    Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import Autoencoder
    >>> X = load_digits().data / 16
    >>> model = Autoencoder(n_components=8, learning_rate_init=0.005, tol=0.2,
    ...                     n_iter_no_change=2, random_state=0)
    >>> codes = model.fit_transform(X)
    >>> codes.shape, model.inverse_transform(codes).shape
    ((1797, 8), (1797, 64))
    >>> bool(model.score(X) > -0.03)
    True
    """

    _parameter_constraints: dict = {
        **BaseAutoencoder._parameter_constraints,
        "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "corruption": [Interval(Real, 0, 1, closed="left")],
        "corruption_kind": [StrOptions({"gaussian", "masking"})],
        "activity_l1": [Interval(Real, 0, None, closed="left")],
        "tied_weights": ["boolean"],
    }
    _architecture = (*BaseAutoencoder._architecture, "tied_weights")

    def __init__(
        self,
        n_components=2,
        hidden_layer_sizes=(128,),
        activation="relu",
        *,
        corruption=0.0,
        corruption_kind="gaussian",
        activity_l1=0.0,
        tied_weights=False,
        output_activation="auto",
        input_shape=None,
        conv_channels=(16, 32),
        conv_dims="auto",
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
        max_iter=50,
        max_fun=15000,
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
        gradient_clip=None,
        device="auto",
        dtype="auto",
        callbacks=None,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.corruption = corruption
        self.corruption_kind = corruption_kind
        self.activity_l1 = activity_l1
        self.tied_weights = tied_weights
        self.output_activation = output_activation
        self.input_shape = input_shape
        self.conv_channels = conv_channels
        self.conv_dims = conv_dims
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
        self.max_fun = max_fun
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

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, *, X_val=None, sample_weight_val=None):
        """Train the network to reconstruct the rows of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; a whole number weighs as much as repetition.
        X_val : array-like of shape (n_validation_samples, n_features), default=None
            Validation rows. With ``early_stopping=True`` they take the place of the
            internal split; without it they are only scored after every epoch.
        sample_weight_val : array-like, default=None
            Weights of the validation rows.

        Returns
        -------
        self : object
            The trained network.

        Raises
        ------
        ValueError
            For bad input, before any training; for weights that are no longer
            finite, with the last finite ones left on the estimator.
        """
        if X_val is None and sample_weight_val is not None:
            raise ValueError("sample_weight_val must come with X_val: got it alone.")
        validation = (X_val, X_val, sample_weight_val)
        return self._fit_watched(X, None, sample_weight, validation)

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train for one epoch more on the given rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, None, sample_weight)

    def score_samples(self, X):
        """Minus the mean squared reconstruction error of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            The mean is over the features, whatever the loss. Low values are rows
            unlike the training rows.
        """
        X = self._checked_inputs(X)
        return self._outputs_of(self._row_scores, X)

    def _row_scores(self, x):
        return -(self._link(self.module_(x)) - x).square().mean(1)

    def _score_held_out(self, rows, raw, y, weight):
        errors = np.square(self._targets.link(raw) - y).mean(axis=1)
        return -float(np.average(errors, weights=weight))

    def _held_out_penalty(self, rows):
        if not self.activity_l1:
            return 0.0
        sizes = self._outputs_of(self._sizes_of_codes, rows.inputs)
        return float(self.activity_l1 * np.average(sizes, weights=rows.weight))

    def _sizes_of_codes(self, x):
        return self.module_.encode(x).abs().sum(1)

    def _check_parameters(self):
        if self.tied_weights and self.input_shape is not None:
            raise ValueError(
                "tied_weights must be False with input_shape, whose decoder is not the "
                f"encoder transposed: got {self.tied_weights!r}."
            )
        if self.solver == "lbfgs" and self.corruption:
            raise ValueError(
                "corruption must be 0 with solver='lbfgs', whose line searches need "
                f"the same loss at every evaluation: got {self.corruption!r}."
            )
        super()._check_parameters()

    @property
    def _augments(self):
        return bool(self.corruption)

    def _make_module(self, X, n_outputs, device):
        return AutoencoderNet(
            n_outputs,
            self.n_components,
            self._hidden_sizes,
            tied_weights=self.tied_weights,
            **self._module_options(X, device),
        )

    def _update_module(self):
        super()._update_module()
        module = self.module_
        module.activity_l1 = float(self.activity_l1)
        module.corruption.amount = float(self.corruption)
        module.corruption.kind = self.corruption_kind
