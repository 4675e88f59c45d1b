"""Variational autoencoder: codes with a distribution, and new rows from it."""

import math
import warnings
from numbers import Real

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch.nn import functional

from sknn._autoencoder_base import PARAMETERS as SHARED_PARAMETERS
from sknn._autoencoder_base import BaseAutoencoder
from sknn._docs import describe
from sknn._door import check_count
from sknn._sklearn_compat import Interval, fit_context
from sknn.modules import VariationalNet
from sknn.modules._autoencoder import normal_divergence

# variance of a code's mean from which it is in use (Burda et al. 2016, section 4)
ACTIVE_VARIANCE = 0.01
N_DRAWS = 10
PARAMETERS = {
    **SHARED_PARAMETERS,
    "beta": (
        "float",
        "Factor of the codes' divergence from the standard normal distribution in the "
        "loss (Higgins et al. 2017); 1 is the evidence lower bound.",
    ),
}


@describe(PARAMETERS, batch_size=64, weight_init='"glorot_uniform"')
class VariationalAutoencoder(BaseAutoencoder):
    """Variational autoencoder: a distribution of codes for each row, and new rows.

    Maximises the evidence lower bound of a model in which a standard normal code is
    decoded to the mean of a row (Kingma and Welling 2014; Goodfellow et al. 2016,
    section 20.10.3): a normal distribution of variance 1, or, for data within [0, 1],
    Bernoulli distributions.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    active_units_ : int
        Entries of the code whose mean varies over the training rows, with a variance
        above 0.01 (Burda et al. 2016).
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
    Autoencoder : One whose codes are points, for compression.

    References
    ----------
    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.

    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, section 20.10.3.

    Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016.

    Higgins et al., "beta-VAE: learning basic visual concepts with a constrained
    variational framework", ICLR 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import VariationalAutoencoder
    >>> X = load_digits().data / 16
    >>> model = VariationalAutoencoder(tol=0.2, n_iter_no_change=2,
    ...                                random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape, model.active_units_
    ((3, 64), 2)
    """

    _parameter_constraints: dict = {
        **BaseAutoencoder._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=2,
        hidden_layer_sizes=(128,),
        activation="relu",
        *,
        beta=1.0,
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
        self.beta = beta
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
    def fit(self, X, y=None, *, X_val=None):
        """Train the network to reconstruct the rows of `X` from codes that it draws.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.
        X_val : array-like of shape (n_validation_samples, n_features), default=None
            Validation rows. With ``early_stopping=True`` they take the place of the
            internal split; without it they are only scored after every epoch.

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
        return self._fit_watched(X, None, None, (X_val, X_val, None))

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one epoch more on the given rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, None)

    def sample(self, n_samples=1, random_state=None):
        """Draw new rows: what the decoder makes of standard normal codes.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        random_state : int, RandomState instance or None, default=None
            Decides the codes; None draws them from numpy's global state.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows, without the noise of the distribution that each is the mean of.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        shape = int(n_samples), self.module_.n_components
        codes = check_random_state(random_state).standard_normal(shape)
        return self._decode(codes.astype(self._flat.numpy_dtype))

    def elbo(self, X, n_draws=N_DRAWS):
        """Evidence lower bound of each row's log-density, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        n_draws : int, default=10
            Codes drawn for each row, from noise that the fit has fixed and all rows
            share: the same row has the same bound.

        Returns
        -------
        ndarray of shape (n_samples,)
            Expected log-density of the row given its code, minus the divergence of the
            codes from the standard normal distribution, whatever `beta` is. Where
            `output_activation_` is "sigmoid" the density is Bernoulli's, which is a
            probability for zeros and ones, and for values between them a customary
            likeness of one.
        """
        X = self._checked_inputs(X)
        check_count("n_draws", n_draws)
        return self._bounds(X, int(n_draws))

    def score_samples(self, X):
        """Evidence lower bound of each row: `elbo`.

        Minus the reconstruction error, as of `Autoencoder`, would be best without any
        divergence in the loss, and a search would always choose ``beta=0``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats. Low values are rows unlike the training rows.
        """
        return self.elbo(X)

    def _held_out_penalty(self, rows):
        divergences = self._outputs_of(self._divergence, rows.inputs)
        return float(self.beta * np.mean(divergences))

    def _divergence(self, x):
        return normal_divergence(*self.module_.encode_distribution(x))

    def _bounds(self, X, n_draws):
        """`elbo` of checked rows."""
        noise = self._draw_noise(n_draws)

        def bound(x):
            mean, log_variance = self.module_.encode_distribution(x)
            deviation = torch.exp(0.5 * log_variance)
            total = 0.0
            for epsilon in torch.from_numpy(noise).to(x):
                raw = self.module_.decode(mean + deviation * epsilon)
                total = total + self._log_density(raw, x)
            return total / n_draws - normal_divergence(mean, log_variance)

        return self._outputs_of(bound, X)

    def _draw_noise(self, n_draws):
        """Standard normal numbers (n_draws, n_components), each with its opposite."""
        shape = -(-n_draws // 2), self.module_.n_components
        half = np.random.RandomState(self._noise_seed).standard_normal(shape)
        return np.stack([half, -half], axis=1).reshape(-1, shape[1])[:n_draws]

    def _log_density(self, raw, x):
        """Log-density of rows given raw outputs for their codes: (batch,)."""
        if self.output_activation_ == "sigmoid":
            return (x * raw - functional.softplus(raw)).sum(1)
        square = (raw - x).square().sum(1)
        return -0.5 * (square + x.shape[1] * math.log(2 * math.pi))

    def _score_held_out(self, rows, raw, y, weight):
        return float(np.mean(self._bounds(rows.inputs, N_DRAWS)))

    @property
    def _augments(self):
        return True

    def _make_module(self, X, n_outputs, device):
        return VariationalNet(
            n_outputs,
            self.n_components,
            self._hidden_sizes,
            **self._module_options(X, device),
        )

    def _initialize(self, module, random_state):
        super()._initialize(module, random_state)
        self._noise_seed = random_state.randint(np.iinfo(np.int32).max)

    def _update_module(self):
        super()._update_module()
        self.module_.beta = float(self.beta)

    def _count_active_units(self, X):
        means = self._outputs_of(self.module_.encode, X)
        return int(np.sum(means.var(axis=0, dtype=np.float64) > ACTIVE_VARIANCE))

    def _train(self, net, rows, incremental):
        try:
            super()._train(net, rows, incremental)
        finally:  # weights stay also where training has diverged
            known = hasattr(self, "active_units_")
            if not (incremental and known) or len(rows) > 1:  # one row says nothing
                self.active_units_ = self._count_active_units(rows.inputs)
        if not self.active_units_ and len(rows) > 1 and not incremental:
            smaller = f"a beta smaller than {self.beta}, " if self.beta else ""
            warnings.warn(
                "Posterior collapse: all rows have nearly the same code, and the "
                "decoder has learned to do without it (active_units_=0). Try "
                f"{smaller}more epochs, or columns of a larger variance.",
                ConvergenceWarning,
                stacklevel=2,
            )
