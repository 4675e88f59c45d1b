"""What the two autoencoders share."""

from numbers import Integral

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from sknn._autograd_base import BaseAutogradNetwork, check_rates, check_sizes
from sknn._base import BaseNetwork
from sknn._door import warn_of_pairs
from sknn._sklearn_compat import Interval, Options, StrOptions, check_sample_weight
from sknn.data import ReconstructionTargets, sample_shape, within_unit
from sknn.training._activations import ACTIVATIONS
from sknn.training._initialization import WEIGHTS

# entries of reconstructions made at a time: feature maps are many times as large
MOST_ENTRIES = 1 << 18
# parameters that hidden layers or convolutions have; of convolutions alone -> default
OF_HIDDEN = "dropout", "batch_norm"
OF_MAPS = {"conv_channels": [16, 32], "conv_dims": "auto"}
# parameter -> its type and its meaning
PARAMETERS = {
    "n_components": ("int", "Entries of the code, what `transform` gives."),
    "hidden_layer_sizes": (
        "int or array-like of int",
        "Units of the encoder's hidden layers, before the code; the decoder has them "
        "in the reverse order. ``()`` has none: with the identity as "
        "`output_activation` the codes then span the same subspace as principal "
        "components.",
    ),
    "output_activation": (
        '{"auto", "sigmoid", "identity"}',
        'What the reconstructions go through. "sigmoid" needs values within [0, 1] '
        'and is trained by the cross-entropy, "identity" by half the squared error, '
        'both summed over the features. "auto" is "sigmoid" where all training values '
        "of the first fit are within [0, 1].",
    ),
    "input_shape": (
        "int, sequence of int or None",
        "Shape that rows are read as, channels last: (height, width), (height, width, "
        "channels), (steps,), or, with ``conv_dims=1``, (steps, channels). X itself "
        "has two axes. With it, convolutions of stride 2 come first, and last in the "
        "decoder. None is for columns without an order.",
    ),
    "conv_channels": (
        "int or array-like of int",
        "With `input_shape`, the channels of each convolution of the encoder.",
    ),
    "conv_dims": (
        '{"auto", 1, 2}',
        'With `input_shape`, the axes to convolve over. "auto" reads one number as '
        "the steps of a series, two or three as an image.",
    ),
    "batch_norm": (
        "bool",
        "Whether the units of hidden layers, and channels, are normalised over the "
        "batch before the activation; predictions use running statistics. A last batch "
        "of less than a quarter of `batch_size`, or of one row, joins the one before.",
    ),
    "dropout": (
        "float or array-like of float",
        "Probability that a channel of a convolution, or a hidden unit, is left out of "
        "a training step, in [0, 1): one for all, or one for each of the encoder's "
        "layers before the code, which the decoder's mirror.",
    ),
    "dtype": (
        '{"auto", "float32", "float64"}',
        'Type to train in. "auto" is float64 for X that is not float32, and float32 '
        "with `input_shape`.",
    ),
    "scoring": (
        "str, callable or None",
        "What early stopping and ``validation_scores_`` measure: None for `score`, a "
        'callable ``scorer(estimator, X, y)``, or "loss" for minus the validation '
        "loss.",
    ),
}


class BaseAutoencoder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseAutogradNetwork
):
    """Rows of a table through a code, and back."""

    _parameter_constraints: dict = {
        **BaseNetwork._parameter_constraints,
        "solver": [StrOptions({"sgd", "adam", "adamw", "adagrad", "rmsprop"})],
        "weight_init": [StrOptions({"auto", *WEIGHTS})],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "output_activation": [StrOptions({"auto", "sigmoid", "identity"})],
        "input_shape": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "conv_channels": ["array-like", Interval(Integral, 1, None, closed="left")],
        "conv_dims": [StrOptions({"auto"}), Options(Integral, {1, 2})],
        "batch_norm": ["boolean"],
    }
    _architecture: tuple = (
        "n_components",
        "hidden_layer_sizes",
        "output_activation",
        "input_shape",
        "conv_channels",
        "conv_dims",
        "batch_norm",
    )
    _y_options: dict = {}
    _fewest_scored = 1
    _auto_batch_size = 64
    _auto_weight_init = "glorot_uniform"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        kept = ["float32", "float64"] if self.dtype == "auto" else [self.dtype]
        tags.transformer_tags.preserves_dtype = kept
        return tags

    # Parameters and data

    def _check_parameters(self):
        sizes, _ = self._hidden_sizes, self._encoder_rates  # raise what is wrong
        ignored = []
        if self.input_shape is None and not sizes:
            given = [name for name in OF_HIDDEN if np.any(getattr(self, name))]
            ignored += [(name, "hidden_layer_sizes") for name in given]
        if self.input_shape is None:
            values = self._describe_architecture()
            given = [name for name, none in OF_MAPS.items() if values[name] != none]
            ignored += [(name, "input_shape") for name in given]
        warn_of_pairs(self, ignored)
        super()._check_parameters()

    @property
    def _hidden_sizes(self):
        """Units of the encoder's hidden layers as a list."""
        return check_sizes("hidden_layer_sizes", self.hidden_layer_sizes, least=0)

    @property
    def _channels(self):
        """Channels of the encoder's convolutions as a list, empty where it has none."""
        channels = check_sizes("conv_channels", self.conv_channels)
        return [] if self.input_shape is None else channels

    @property
    def _encoder_rates(self):
        """Rate of each of the encoder's convolutions, then of its hidden layers."""
        n_layers = len(self._channels) + len(self._hidden_sizes)
        return check_rates(self.dropout, n_layers, "layers before the code")

    @property
    def _dropout_rates(self):
        """Rate of each of the module's dropout layers, in its order."""
        rates, n_channels = self._encoder_rates, len(self._channels)
        maps, hidden = rates[:n_channels], rates[n_channels:]
        hidden = hidden if any(hidden) else []  # where a perceptron has no such layers
        return [*maps, *hidden, *hidden[::-1], *maps[::-1]]

    def _input_dtype(self, X, continues):
        convolves = self.input_shape is not None and self.dtype == "auto"
        if convolves and not continues:
            return np.float32
        return super()._input_dtype(X, continues)

    def _check_X(self, X, dtype, *, sample_weight=None, **options):
        """Checked rows, and once more as targets where `options` have any y."""
        is_pair = "y" in options
        options.pop("y", None)
        X = super()._check_X(X, dtype, **options)
        return (X, X) if is_pair else X

    def _make_targets(self, y, classes, continues, incremental):
        if continues:
            return self._targets
        activation = self.output_activation
        if activation == "auto":
            activation = "sigmoid" if within_unit(y) else "identity"
        return ReconstructionTargets(y.shape[1], activation)

    def _check_validation_targets(self, targets, y_val):
        """Accept all: encoding the rows refuses what is out of reach."""

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.n_outputs_ = targets.n_outputs
        self.output_activation_ = targets.activation

    # The network

    def _module_options(self, X, device):
        """What modules of both estimators are made with; sets the shape of rows."""
        self.input_shape_ = None
        if self.input_shape is not None:
            self.input_shape_ = sample_shape(X.shape, self.conv_dims, self.input_shape)
        return {
            "input_shape": self.input_shape_,
            "conv_channels": self._channels,
            "activation": self.activation,
            "dropout": self._encoder_rates,
            "batch_norm": self.batch_norm,
            "device": device,
        }

    def _update_module(self):
        self._update_layers(self._encoder_rates)

    @property
    def _convolved_shape(self):
        return self.input_shape_

    def _outputs_of(self, forward, X):
        if self.input_shape_ is None:
            return super()._outputs_of(forward, X)
        step, outputs = max(MOST_ENTRIES // self.n_features_in_, 1), []
        for start in range(0, X.shape[0], step):
            part = X[start : start + step]
            outputs.append(super()._outputs_of(forward, part))
        return np.concatenate(outputs)

    def _link(self, raw):
        """Reconstructions of a tensor of raw outputs."""
        return raw.sigmoid() if self.output_activation_ == "sigmoid" else raw

    # Codes, reconstructions and scores

    @property
    def _n_features_out(self):
        """Entries of a code."""
        return self.module_.n_components

    def transform(self, X):
        """Codes of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Codes.
        """
        X = self._checked_inputs(X)
        return self._outputs_of(self.module_.encode, X)

    def inverse_transform(self, X):
        """Reconstructions of codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes, as `transform` gives them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Reconstructions, in the space of the rows that were fitted.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=self._flat.numpy_dtype, estimator=self)
        n_components = self.module_.n_components
        if X.shape[1] != n_components:
            raise ValueError(
                f"X has {X.shape[1]} columns, but inverse_transform of "
                f"{type(self).__name__} takes codes of n_components={n_components}."
            )
        return self._decode(X)

    def _decode(self, codes):
        """Reconstructions of checked codes."""
        return self._outputs_of(lambda z: self._link(self.module_.decode(z)), codes)

    def score(self, X, y=None, sample_weight=None):
        """Mean of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        float
            The higher, the better.
        """
        scores = self.score_samples(X)
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                sample_weight, scores, ensure_non_negative=True
            )
        return float(np.average(scores, weights=sample_weight))
