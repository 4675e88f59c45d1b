"""What the two convolutional networks share."""

from math import prod
from numbers import Integral

import numpy as np

from sknn._autograd_base import BaseAutogradNetwork, check_rates, check_sizes
from sknn._deep_supervision import DeeplySupervised
from sknn._features import LearnedFeatures
from sknn._sklearn_compat import Interval, Options, StrOptions
from sknn._transfer import PARAMETERS as TRANSFER_PARAMETERS
from sknn._transfer import TransferredBody
from sknn.data import sample_shape
from sknn.modules import ConvNet
from sknn.training._activations import ACTIVATIONS

# parameter -> its type and its meaning
PARAMETERS = {
    **TRANSFER_PARAMETERS,
    "standardize": (
        "bool",
        "Whether each channel is brought to mean 0 and variance 1 over the training "
        "rows, weighted as they are. False divides by 255 where these are bytes "
        "(uint8), and leaves other inputs alone.",
    ),
    "conv_channels": (
        "int or array-like of int",
        "Channels that each convolutional layer, or residual block, puts out.",
    ),
    "kernel_size": ("int", "Positions that a kernel spans along each axis."),
    "stride": ("int", "Positions between neighbouring outputs of a convolution."),
    "padding": (
        '{"same", "valid"}',
        "Zeros around the maps such that ``ceil(n / stride)`` of n positions remain, "
        "or none; a kernel must then fit into its input.",
    ),
    "pool_size": (
        "int or None",
        "Positions that are pooled into one along each axis after every layer, as far "
        "as there are so many; 1 or None pools nothing.",
    ),
    "pooling": ('{"max", "mean"}', "How they are pooled."),
    "global_pooling": (
        '{"max", "mean"} or None',
        "How each channel's last map becomes one number; None keeps all positions.",
    ),
    "residual": (
        "bool",
        "Whether each layer is a residual block, two convolutions added to a shortcut "
        "(He et al. 2016).",
    ),
    "random_crop": (
        "int",
        "Most positions by which training samples are shifted at random along each "
        "axis, what is left blank being filled with zeros (after standardization).",
    ),
    "horizontal_flip": (
        "bool",
        "Whether training images are mirrored left to right, each with probability "
        "1/2.",
    ),
    "input_shape": (
        "int, sequence of int or None",
        "Shape that the rows of a table are given: (height, width), (height, width, "
        "channels), (steps,), or, with ``conv_dims=1``, (steps, channels). None takes "
        "the rows of a table as series of one channel, and arrays of more axes as they "
        "are.",
    ),
    "conv_dims": (
        '{"auto", 1, 2}',
        'Axes to convolve over. "auto" reads arrays of three axes as grey images, of '
        "four as images; 1 reads three axes as (samples, steps, channels).",
    ),
    "batch_norm": (
        "bool",
        "Whether each channel, and each hidden unit, is normalised over the batch "
        "before the activation; predictions use running statistics. A last batch of "
        "less than a quarter of `batch_size`, or of one row, joins the one before.",
    ),
    "dropout": (
        "float or array-like of float",
        "Probability that a channel of a convolutional layer, or a hidden unit, is "
        "left out of a training step, in [0, 1): one for all, or one for each "
        "convolutional layer and then for each hidden layer.",
    ),
}


class BaseConv(LearnedFeatures, TransferredBody, DeeplySupervised, BaseAutogradNetwork):
    """Images and series, channels last, through convolutions and a perceptron."""

    _parameter_constraints: dict = {
        **BaseAutogradNetwork._parameter_constraints,
        **DeeplySupervised._parameter_constraints,
        **TransferredBody._parameter_constraints,
        "conv_channels": ["array-like", Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "padding": [StrOptions({"same", "valid"})],
        "pool_size": [Interval(Integral, 1, None, closed="left"), None],
        "pooling": [StrOptions({"max", "mean"})],
        "global_pooling": [StrOptions({"max", "mean"}), None],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "residual": ["boolean"],
        "random_crop": [Interval(Integral, 0, None, closed="left")],
        "horizontal_flip": ["boolean"],
        "input_shape": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "conv_dims": [StrOptions({"auto"}), Options(Integral, {1, 2})],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_norm": ["boolean"],
    }
    _architecture = (
        "conv_channels",
        "kernel_size",
        "stride",
        "padding",
        "pool_size",
        "pooling",
        "global_pooling",
        "residual",
        "hidden_layer_sizes",
        "batch_norm",
        "standardize",
    )
    _auto_batch_size = 32

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_parameters(self):
        check_sizes("conv_channels", self.conv_channels)
        check_sizes("hidden_layer_sizes", self.hidden_layer_sizes, least=0)
        self._check_transfer(len(self._dropout_rates))  # one a layer
        if self.residual and self.padding == "valid":
            raise ValueError(
                "padding must be 'same' with residual=True, whose shortcuts keep their "
                f"size: got {self.padding!r}."
            )
        super()._check_parameters()

    @property
    def _n_hidden(self):
        """Number of convolutional blocks and hidden layers after them."""
        return len(self._dropout_rates)

    @property
    def _dropout_rates(self):
        """Rate of each convolutional block, then of each hidden layer after them."""
        n_blocks = len(check_sizes("conv_channels", self.conv_channels))
        sizes = check_sizes("hidden_layer_sizes", self.hidden_layer_sizes, least=0)
        layers = "convolutional and fully connected hidden layers"
        return check_rates(self.dropout, n_blocks + len(sizes), layers)

    def _check_X(self, X, dtype, *, reset, **options):
        if not hasattr(X, "shape"):
            X = np.asarray(X)
        if len(X.shape) > 2:
            options |= {"allow_nd": True, "ensure_2d": False}
        input_shape = self.input_shape if reset else self._fitted_shape
        if len(X.shape) > 2 or input_shape is not None:
            dtype = _image_dtype(X, dtype)
        checked = super()._check_X(X, dtype, reset=reset, **options)
        X, *y = checked if isinstance(checked, tuple) else (checked,)
        if reset or X.shape[1:] != self.input_shape_:
            X = X.reshape(X.shape[0], *self._sample_shape(X.shape, reset))
        return (X, *y) if y else X

    def _sample_shape(self, shape, reset):
        """Shape of one sample, set by the first fit and asked for ever after."""
        if reset:
            found = sample_shape(shape, self.conv_dims, self.input_shape)
            self.input_shape_, self.conv_dims_ = found, len(found) - 1
            self._fitted_shape, self.n_features_in_ = self.input_shape, prod(found)
            return found
        found = self._shape_by_fit(shape)
        if found != self.input_shape_:
            raise ValueError(
                f"X has samples of shape {found}, but {type(self).__name__} was fitted "
                f"on samples of shape {self.input_shape_}, channels last."
            )
        return found

    def _shape_by_fit(self, shape):
        """Shape of a sample as the fit has read them, or as it would be read alone."""
        try:
            return sample_shape(shape, self.conv_dims_, self._fitted_shape)
        except ValueError:
            return sample_shape(shape, "auto", self._fitted_shape)

    def _make_module(self, X, n_outputs, device):
        sizes = check_sizes("hidden_layer_sizes", self.hidden_layer_sizes, least=0)
        return ConvNet(
            X.shape[1:],
            [*sizes, n_outputs],
            conv_channels=check_sizes("conv_channels", self.conv_channels),
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            pool_size=self.pool_size,
            pooling=self.pooling,
            global_pooling=self.global_pooling,
            residual=self.residual,
            activation=self.activation,
            dropout=self._dropout_rates,
            batch_norm=self.batch_norm,
            random_crop=self.random_crop,
            horizontal_flip=self.horizontal_flip,
            companions=self._companion_weight > 0,
            device=device,
        )

    def _describe_inputs(self):
        return f"samples of shape {self.input_shape_}"

    def _update_module(self):
        self._update_layers(self._dropout_rates)
        self.module_.set_augmentation(self.random_crop, self.horizontal_flip)

    @property
    def _augments(self):
        return bool(self.random_crop or self.horizontal_flip)

    @property
    def _convolved_shape(self):
        return self.input_shape_


def _image_dtype(X, dtype):
    """Type of images: bytes stay bytes, all else is float32 unless asked for more."""
    if getattr(X, "dtype", None) == np.uint8:
        return np.uint8
    return np.float32 if isinstance(dtype, list) or dtype == np.uint8 else dtype
