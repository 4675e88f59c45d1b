"""Losses of real outputs, and all losses by name."""

from types import SimpleNamespace

import numpy as np
from scipy import sparse

from sknn.training._log_losses import (
    BinaryLogLoss,
    LogLoss,
    SmoothedBinaryLogLoss,
    SmoothedLogLoss,
)
from sknn.training._loss import Loss, denominator


class SquaredError(Loss):
    r""":math:`\frac12 \lVert y - z \rVert^2`."""

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        ops.subtract(raw, y, out=delta)
        error = delta
        if batch.weight is not None:
            error = ops.multiply(delta, batch.weight, out=buffers.scratch)
        square = ops.inner(delta, error)
        return square * (0.5 / raw.shape[-1]) / denominator(batch.total)


class SummedSquaredError(SquaredError):
    """The same, of which the value too is the sum over outputs."""

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        mean = super()._value_and_error(ops, raw, batch, delta, buffers)
        return mean * raw.shape[-1]


class Reconstruction(SquaredError):
    """The squared error where the inputs of a batch, sparse or not, are its targets."""

    def buffers(self, ops, raw):
        """Scratch memory, and some for the inputs."""
        buffers = super().buffers(ops, raw)
        buffers.inputs = ops.empty(raw.shape, raw)
        return buffers

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        x, _ = batch
        if sparse.issparse(x):
            x = x.toarray(out=buffers.inputs)
        elif not isinstance(x, np.ndarray):
            x = ops.native(x)
        batch = batch.with_targets(x)
        return super()._value_and_error(ops, raw, batch, delta, buffers)


class Quantile(Loss):
    r"""Pinball loss :math:`\max(q (y - z), (q - 1)(y - z))`, a level q an output.

    Parameters
    ----------
    levels : sequence of float
        One for all outputs, or one each.
    """

    def __init__(self, levels=(0.5,)):
        self.levels = levels

    def buffers(self, ops, raw):
        offsets = ops.empty((len(self.levels),), raw)
        for i, level in enumerate(self.levels):
            offsets[i] = 0.5 - level
        return SimpleNamespace(scratch=ops.empty(raw.shape, raw), offsets=offsets)

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        error = ops.subtract(raw, y, out=buffers.scratch)
        ops.sign(error, out=delta)
        ops.multiply(delta, 0.5, out=delta)
        ops.add(delta, buffers.offsets, out=delta)
        return self._mean_product(ops, delta, error, batch)


class AbsoluteError(Loss):
    r""":math:`\lvert y - z \rvert`."""

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        error = ops.subtract(raw, y, out=buffers.scratch)
        ops.sign(error, out=delta)
        return self._mean_product(ops, delta, error, batch)


class Huber(Loss):
    r"""Half the squared error up to :math:`\delta`, its tangent beyond.

    Parameters
    ----------
    delta : float
        Error from which the loss grows linearly.
    """

    def __init__(self, delta=1.0):
        self.delta = delta

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        error = ops.subtract(raw, y, out=buffers.scratch)
        ops.clip(error, -self.delta, self.delta, out=delta)
        tangent = self._mean_product(ops, delta, error, batch)
        ops.multiply(delta, 1, out=error)
        return tangent - 0.5 * self._mean_product(ops, delta, error, batch)


class Poisson(Loss):
    r"""Half Poisson deviance of the mean :math:`e^z`, summed over outputs."""

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        ops.exp(raw, out=delta)
        ops.multiply(raw, y, out=buffers.scratch)
        ops.subtract(ops.xlogy(y, y), buffers.scratch, out=buffers.scratch)
        ops.subtract(delta, y, out=delta)
        ops.add(buffers.scratch, delta, out=buffers.scratch)
        return self._average(ops, buffers.scratch, batch)


class Gamma(Loss):
    r"""Half the gamma deviance of the mean :math:`e^z`, summed over outputs."""

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        ops.multiply(raw, -1, out=delta)
        ops.exp(delta, out=delta)
        ops.multiply(delta, y, out=delta)  # y over the mean
        ops.log(y, out=buffers.scratch)
        ops.subtract(raw, buffers.scratch, out=buffers.scratch)
        ops.add(buffers.scratch, delta, out=buffers.scratch)
        ops.subtract(buffers.scratch, 1, out=buffers.scratch)
        value = self._average(ops, buffers.scratch, batch)
        ops.multiply(delta, -1, out=delta)
        ops.add(delta, 1, out=delta)
        return value


LOSSES = {
    "squared_error": SquaredError,
    "summed_squared_error": SummedSquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "poisson": Poisson,
    "gamma": Gamma,
    "log_loss": LogLoss,
    "binary_log_loss": BinaryLogLoss,
}
# losses that inputs are the targets of
LOSSES_OF_INPUTS = {"reconstruction": Reconstruction}
SMOOTHED_LOSSES = {
    "log_loss": SmoothedLogLoss,
    "binary_log_loss": SmoothedBinaryLogLoss,
}


def make_loss(name, label_smoothing=0.0, **options):
    """Loss of that name, with what it takes: `levels` of quantiles, Huber's `delta`.

    Parameters
    ----------
    name : str
        One of `LOSSES`, or of `LOSSES_OF_INPUTS`.
    label_smoothing : float
        Share of a class's target that is spread over all classes.
    **options : dict
        What the loss is made with besides.
    """
    if label_smoothing:
        return SMOOTHED_LOSSES[name](float(label_smoothing), **options)
    return {**LOSSES, **LOSSES_OF_INPUTS}[name](**options)
