"""What networks share whose gradient autograd finds, of inputs of any rank."""

import warnings
from math import prod
from numbers import Integral, Real

import numpy as np

from sknn._base import BaseNetwork
from sknn._sklearn_compat import StrOptions
from sknn.data import channel_moments
from sknn.training._initialization import WEIGHTS, initialize

# multiply-adds of a convolution from which a second thread is worth its waiting
WORTH_THREADS = 400_000_000


class BaseAutogradNetwork(BaseNetwork):
    """Networks that scale their own inputs and learn features of them.

    A subclass names in `_architecture` the parameters that decide the shapes and the
    wiring of its module, which later calls cannot change, and builds modules with a
    ``scaling`` of the input's channels and a method ``hidden``.
    """

    _parameter_constraints: dict = {
        **BaseNetwork._parameter_constraints,
        "solver": [StrOptions({"sgd", "adam", "adamw", "adagrad", "rmsprop"})],
        "standardize": ["boolean"],
        "weight_init": [StrOptions({"auto", *WEIGHTS})],
    }
    _architecture: tuple = ()
    _torch_multiplies = True
    _auto_weight_init = "he_uniform"

    def _calibrate(self, module, rows):
        if not hasattr(module, "scaling"):
            return
        if self.standardize:
            mean, deviation = channel_moments(rows)
            warn_of_coarse_inputs(mean, deviation, rows.arrays[0].dtype)
            module.scaling.set_scale(mean, 1 / deviation)
        elif rows.arrays[0].dtype == np.uint8:
            module.scaling.set_scale(0.0, 1 / 255)

    def _initialize(self, module, random_state):
        self._reset_buffers(module)
        initialize(module, random_state, self._weight_init_name)

    @property
    def _weight_init_name(self):
        """How weights are drawn, by the rule of the architecture for "auto"."""
        is_auto = self.weight_init == "auto"
        return self._auto_weight_init if is_auto else self.weight_init

    def _reset_buffers(self, module):
        """Give the buffers of a new module values, which "meta" ones have not."""
        for layer in module.modules():
            if hasattr(layer, "running_mean") or layer is getattr(
                module, "scaling", None
            ):
                layer.reset_parameters()

    def _update_layers(self, rates):
        """Give the module's layers dropout of these rates, and the activation."""
        self.module_.set_dropout(rates)
        if self.module_.activation_name != self.activation:
            self.module_.set_activation(self.activation)

    @property
    def _convolved_shape(self):
        """Shape of the samples, channels last, of a network that convolves; or None."""
        return None

    def _largest_product(self, X, n_rows):
        """Size of the work, with convolutions at every place of the samples."""
        product, shape = super()._largest_product(X, n_rows), self._convolved_shape
        if shape is None:
            return product
        return self._if_worth_threads(product * prod(shape[:-1]), WORTH_THREADS)

    def _if_worth_threads(self, product, least):
        """Size of the work, or 0 on a CPU where that is below `least`.

        torch's threads meet in each of its operations, and stand still there whenever
        another process holds a core.
        """
        return 0 if self._flat.on_cpu and product < least else product

    def _begin(self, targets, flat):
        super()._begin(targets, flat)
        self._fitted_architecture = self._describe_architecture()

    def _describe_architecture(self):
        return {name: _plain(getattr(self, name)) for name in self._architecture}

    def _check_same_layers(self, X, n_outputs):
        for name, value in self._describe_architecture().items():
            fitted = self._fitted_architecture[name]
            if value != fitted:
                raise ValueError(
                    f"{name} must stay as fitted while warm_start or partial_fit goes "
                    f"on with the weights: it was {fitted!r}, and now {value!r} is "
                    "asked for."
                )
        if n_outputs != self.n_outputs_:
            raise ValueError(
                "The columns of y and the number of quantiles must stay as fitted "
                "while warm_start or partial_fit goes on with the weights: there were "
                f"{self.n_outputs_} outputs, and now {n_outputs} are asked for."
            )

    def _hidden_outputs(self, X):
        X = self._checked_inputs(X)  # before anything that only a fit sets
        return self._outputs_of(self.module_.hidden, X)


def check_sizes(name, value, least=1):
    """Sizes of layers as a list of int.

    Parameters
    ----------
    name : str
        Parameter that they are the value of.
    value : int or array-like of int
        What was given.
    least : int
        Fewest layers.

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    sizes = list(value) if np.iterable(value) else [value]
    whole = all(isinstance(size, Integral) and size > 0 for size in sizes)
    if isinstance(value, str) or not whole or len(sizes) < least:
        some = "" if not least else f", at least {least} of them"
        raise ValueError(
            f"{name} must be whole numbers > 0, one a layer{some}: got {value!r}."
        )
    return [int(size) for size in sizes]


def check_rates(dropout, n_layers, layers):
    """Dropout rate of each layer as a list.

    Parameters
    ----------
    dropout : float or array-like of float
        One rate for all layers, or one each.
    n_layers : int
        Number of layers.
    layers : str
        What they are, for the error.

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    rates = list(dropout) if np.iterable(dropout) else [dropout] * n_layers
    sound = all(isinstance(rate, Real) and 0 <= rate < 1 for rate in rates)
    if isinstance(dropout, str) or not sound or len(rates) != n_layers:
        raise ValueError(
            "dropout must be a number in [0, 1), or a list of one for each of the "
            f"{n_layers} {layers}: got {dropout!r}."
        )
    return [float(rate) for rate in rates]


def warn_of_coarse_inputs(mean, deviation, dtype):
    """Warn where numbers far from zero have lost what tells them apart."""
    if dtype != np.float32:
        return
    steps = np.spacing(np.abs(mean).astype(np.float32))
    coarse = (steps > 0.01 * deviation) & (deviation != 1)  # which constants have
    if coarse.any():
        c = int(coarse.argmax())
        warnings.warn(
            f"X is around {mean[c]:.3g} in channel {c}, where the steps of float32 are "
            "large beside its deviation. Set dtype='float64' or subtract an offset.",
            stacklevel=2,
        )


def _plain(value):
    """Value of a parameter, to be compared: numbers and arrays of any kind as lists."""
    if isinstance(value, str | bool) or value is None:
        return value
    return np.atleast_1d(value).tolist()
