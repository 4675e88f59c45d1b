"""How a generator is trained against a discriminator."""

from numbers import Integral

import numpy as np
import torch
from sklearn.callback import with_callbacks

from sknn._autograd_base import BaseAutogradNetwork, check_sizes
from sknn._gan_parameters import CONSTRAINTS, LAYER_SIZES, NOISE, PENALTIES, PENALTY
from sknn._gan_sampling import Sampling
from sknn._gan_scoring import Scoring
from sknn._gan_state import AdversaryState
from sknn._gan_watch import warn_of_collapse, warn_of_range
from sknn._sklearn_compat import fit_context
from sknn.data import Conditions, channel_bounds
from sknn.modules import make_discriminator, make_generator
from sknn.training._adversarial_loss import LOSSES
from sknn.training._adversarial_passes import AutogradPasses
from sknn.training._adversarial_perceptrons import SLOPES, PerceptronPasses
from sknn.training._adversary import Adversary
from sknn.training._flat import FlatParameters
from sknn.training._initialization import initialize


class BaseGAN(Sampling, Scoring, AdversaryState, BaseAutogradNetwork):
    """Generator and discriminator, which train each other."""

    _parameter_constraints: dict = CONSTRAINTS
    _architecture = ("latent_dim", *LAYER_SIZES, "image_shape")
    _auto_batch_size = 32
    _fewest_scored = 1
    _augments = True
    _y_options: dict = {}
    alpha, l1_ratio, tol, power_t, scoring = 0.0, 0.0, 0.0, 0.5, None

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Train the two networks on `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn the distribution of.
        y : array-like of shape (n_samples,), default=None
            Class of each row, with which the networks are conditional.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The trained network.

        Raises
        ------
        ValueError
            For bad input, before any training; for weights that are no longer finite,
            with the last finite ones left on the estimator.
        """
        return self._fit_watched(X, y, sample_weight, (None, None, None))

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None, classes=None):
        """Train for one epoch more on the given rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. Those of the first call set the range of each feature.
        y : array-like of shape (n_samples,), default=None
            Class of each row, in every call or in none.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see; None takes those of the first call.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    # Parameters and data

    def _check_parameters(self):
        for name in LAYER_SIZES:
            self._sizes_of(name)
        super()._check_parameters()

    def _sizes_of(self, name):
        """Sizes of the hidden layers of one of the two networks."""
        value = getattr(self, name)
        if isinstance(value, str) and value == "auto":
            value = LAYER_SIZES[name][self.image_shape is not None]
        return check_sizes(name, value, least=0 if self.image_shape is None else 1)

    @property
    def _latent_dim(self):
        """Entries of the noise."""
        if self.latent_dim != "auto":
            return self.latent_dim
        least, most = NOISE
        return min(max(self.n_features_in_, least), most)

    def _describe_architecture(self):
        described = super()._describe_architecture()
        sizes = {name: self._sizes_of(name) for name in LAYER_SIZES}
        return described | sizes | {"latent_dim": self._latent_dim}

    def _check_same_layers(self, X, n_outputs):
        super()._check_same_layers(X, self.n_outputs_)
        warn_of_range(X, self.module_.range)

    def _input_dtype(self, X, continues):
        dtype = super()._input_dtype(X, continues)
        is_image = isinstance(dtype, list) and self.image_shape is not None
        return np.float32 if is_image else dtype

    def _check_X(self, X, dtype, **options):
        if "y" not in options:
            return super()._check_X(X, dtype, **options)
        y = options.pop("y")
        if y is None:
            X = super()._check_X(X, dtype, **options)
        else:
            X, y = super()._check_X(X, dtype, y=y, **options)
        if options["reset"]:
            self.image_shape_ = self._read_image_shape(X.shape[1])
        return X, y

    def _read_image_shape(self, n_features):
        """Height, width and channels of rows that are images, or None."""
        if self.image_shape is None:
            return None
        shape = tuple(self.image_shape)
        whole = all(isinstance(size, Integral) and size > 0 for size in shape)
        if not whole or len(shape) not in (2, 3) or np.prod(shape) != n_features:
            raise ValueError(
                "image_shape must be (height, width) or (height, width, channels), "
                f"whole numbers > 0 whose product is {n_features}, the columns of X: "
                f"got {self.image_shape!r}."
            )
        return (*map(int, shape), 1)[:3]

    def _make_targets(self, y, classes, continues, incremental):
        if continues:
            self._targets.check(y)
            if classes is not None:
                self._check_classes(classes)
            return self._targets
        if y is None and classes is not None:
            raise ValueError(f"classes must be None where y is: got {classes}.")
        if y is None:
            return Conditions()
        targets = Conditions(y if classes is None else np.asarray(classes))
        targets.check(y)
        return targets

    def _check_classes(self, classes):
        fitted = self._targets.classes
        if fitted is None or not np.array_equal(fitted, np.unique(classes)):
            raise ValueError(
                "classes must be the same as on the first call to partial_fit, "
                f"{fitted}: got {classes}."
            )

    def _set_target_attributes(self, targets):
        if targets.classes is not None:
            self.classes_ = targets.classes
        else:
            for name in ("classes_", "class_prior_"):
                vars(self).pop(name, None)
        self.n_outputs_ = self.n_features_in_

    # Networks

    def _make_module(self, X, n_outputs, device):
        return make_generator(
            self._latent_dim,
            self._sizes_of("generator_layer_sizes"),
            X.shape[1],
            n_outputs,
            self.activation,
            self.image_shape_,
            device,
        )

    def _make_discriminator(self, n_classes, device):
        return make_discriminator(
            self._sizes_of("discriminator_layer_sizes"),
            self.n_features_in_,
            n_classes,
            self.activation,
            self.image_shape_,
            device,
        )

    def _initialize(self, module, random_state):
        name = "he_uniform" if self.weight_init == "auto" else self.weight_init
        initialize(module, random_state, name)

    def _make_parameters(self, targets, X, dtype, device, random_state):
        # so that what is held out and scored is the same for all architectures
        most = np.iinfo(np.int32).max
        self._score_seed, seed = random_state.randint(most, size=2).tolist()
        random_state = np.random.RandomState(seed)
        flat = super()._make_parameters(targets, X, dtype, device, random_state)
        module = self._make_discriminator(targets.n_outputs, "meta")
        of_module = FlatParameters(module, flat.values.dtype, device)
        self._initialize(module, random_state)
        self._adversary = Adversary(of_module, flat)
        return flat

    def _calibrate(self, module, rows):
        low, high = map(torch.from_numpy, channel_bounds(rows))
        if self.image_shape_ is not None:
            n_channels = self.image_shape_[-1]
            low = low.view(-1, n_channels).amin(0).repeat(len(low) // n_channels)
            high = high.view(-1, n_channels).amax(0).repeat(len(high) // n_channels)
        for network in (module, self._adversary.flat.module):
            network.range.set_bounds(low, high)
        self._class_totals = 0
        self._begin_scores()

    def _update_module(self):
        for network in (self.module_, self.discriminator_):
            network.set_activation(self.activation)

    # Training

    def _resolve_batch_size(self, n_rows):
        size = super()._resolve_batch_size(n_rows)
        return min(size * self.n_discriminator_steps, n_rows)

    def _make_adversary(self, rows, held_out, generator, incremental):
        from sknn._assembly import make_optimizer

        self._note_rows(rows, incremental)
        adversary, loss = self._adversary, LOSSES[self.loss]
        strength = self.gradient_penalty
        if strength == "auto":
            is_image = self.image_shape is not None
            strength = PENALTIES.get(self.loss, PENALTY)[is_image]
        where = "mixtures" if self.loss == "wasserstein_gp" else "real"
        objective = loss, where if strength else None, float(strength)
        optimizer = adversary.optimizer if incremental else None
        adversary.prepare(
            optimizer or make_optimizer(self, adversary.flat),
            loss,
            observe=self._make_observer(rows),
            validate=self._make_validation(held_out),
            make_passes=lambda net: self._make_passes(net, objective),
            generator=generator,
            n_steps=self.n_discriminator_steps,
            ema=float(self.ema),
            draws_mixtures=objective[1] == "mixtures",
        )
        return adversary

    @property
    def _torch_multiplies(self):
        """Whether autograd finds the gradients: by hand it is numpy that multiplies."""
        by_hand = self._flat.on_cpu and self.activation in SLOPES
        return not by_hand or self.image_shape is not None

    def _make_passes(self, net, objective):
        """What computes the losses and the gradients of both networks."""
        flat, of_discriminator = net.task.flat, self._adversary.flat
        if net.is_flat_now and not self._torch_multiplies:
            return PerceptronPasses(flat, of_discriminator, self.activation, *objective)
        return AutogradPasses(
            net.module_,
            of_discriminator.module,
            of_discriminator,
            net._zero_grad_optimizer,
            flat.parameters,
            *objective,
        )

    def _batch_options(self, rows):
        if self._targets.classes is not None:
            totals = np.bincount(rows.y, rows.weight, self._targets.n_outputs)
            self._class_totals = self._class_totals + totals
            self.class_prior_ = self._class_totals / self._class_totals.sum()
        return {}

    def _train(self, net, rows, incremental):
        self._adversary.exchange()
        try:
            super()._train(net, rows, incremental)
        finally:
            self._adversary.exchange()
        if not incremental:
            warn_of_collapse(net.task.monitor.observe.diversity())
