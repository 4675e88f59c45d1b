r"""Losses: a value to report and its derivative with respect to the raw outputs.

A loss takes raw outputs :math:`z`, targets and weights of a batch, and writes
:math:`\partial J / \partial z` for :math:`J = \sum_i w_i L_i / \sum_i w_i`. With it
the delta rule starts, and so does autograd. For several real outputs the reported
value is the mean over them and the derivative that of the sum, as in scikit-learn.
"""

from types import SimpleNamespace

import numpy as np
from scipy import sparse

from sknn.data import Batch
from sknn.training._array_ops import NumpyOps


class Loss:
    """Derivative and value of a loss over buffers that are made once a batch size."""

    def buffers(self, ops, raw):
        """Scratch memory for outputs shaped and typed like `raw`."""
        return SimpleNamespace(scratch=ops.empty(raw.shape, raw))

    def __call__(self, ops, raw, batch, delta, buffers):
        """Write the derivative to `delta` and return the value.

        Parameters
        ----------
        ops : NumpyOps or TorchOps
            Operations for the type of the arrays.
        raw : array of shape (..., batch, outputs)
            Outputs before the output activation.
        batch : Batch
            Targets, weights and the sum of the weights.
        delta : contiguous array, shaped like `raw`
            Where the derivative goes.
        buffers : namespace
            What `buffers` returned for this shape.
        """
        value = self._value_and_error(ops, raw, batch, delta, buffers)
        if batch.weight is not None:
            ops.multiply(delta, batch.weight, out=delta)
        ops.multiply(delta, 1 / batch.total, out=delta)
        return value

    def own_outputs(self, raw):
        """Those of a training batch's raw outputs that predictions are made of."""
        return raw

    def value(self, raw, y, weight=None):
        """Mean loss of numpy outputs, as reported for validation rows."""
        total = float(len(raw) if weight is None else weight.sum())
        column = None if weight is None else weight[:, None]
        batch = Batch(raw, y, column, total, len(raw))
        buffers = self.buffers(NumpyOps, raw)
        delta = NumpyOps.empty(raw.shape, raw)
        return float(self(NumpyOps, raw, batch, delta, buffers))

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        """Value of the batch, and each row's unweighted derivative in `delta`."""
        raise NotImplementedError

    @staticmethod
    def _average(ops, values, batch):
        """Weighted mean over rows of the sum over outputs of `values`, overwritten."""
        if batch.weight is not None:
            ops.multiply(values, batch.weight, out=values)
        return ops.sum(values) / denominator(batch.total)

    @staticmethod
    def _mean_product(ops, delta, error, batch):
        """Weighted mean over rows and outputs of a product; `error` is overwritten."""
        if batch.weight is not None:
            ops.multiply(error, batch.weight, out=error)
        total = ops.inner(delta, error)
        return total * (1 / delta.shape[-1]) / denominator(batch.total)


def denominator(total):
    """Sum of weights with one number a network: (networks, 1, 1) to (networks,)."""
    return total.reshape(-1) if getattr(total, "ndim", 0) else total


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
        buffers = super().buffers(ops, raw)
        buffers.inputs = ops.empty(raw.shape, raw)
        return buffers

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        x, _ = batch
        if sparse.issparse(x):
            x = x.toarray(out=buffers.inputs)
        elif not isinstance(x, np.ndarray):
            x = ops.native(x)
        batch = Batch(x, x, batch.weight, batch.total, batch.n_rows)
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


class LogLoss(Loss):
    r""":math:`-\log \mathrm{softmax}(z)_y` of the class codes :math:`y`."""

    def buffers(self, ops, raw):
        return SimpleNamespace(
            row=ops.empty((*raw.shape[:-1], 1), raw),
            ones=ops.ones((raw.shape[-1], 1), raw),
            starts=ops.row_starts(raw.shape, raw),
            eps=ops.epsilon(raw),
        )

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, codes = batch
        row = buffers.row
        ops.exp(ops.without_overflow(raw, row, out=delta), out=delta)
        ops.matmul(delta, buffers.ones, out=row)  # a product sums short rows fastest
        ops.divide(delta, row, out=delta)
        likelihood = self._compare(ops, delta, codes + buffers.starts, buffers)
        return -self._average(ops, likelihood, batch)

    def _compare(self, ops, probability, positions, buffers):
        """Take the targets from probabilities; return the log-likelihood a row.

        Parameters
        ----------
        ops : NumpyOps or TorchOps
            Operations for the type of the arrays.
        probability : array of shape (..., batch, classes)
            Softmax of the outputs, overwritten.
        positions : array of shape (..., batch)
            Where in it, flat, the true classes are.
        buffers : namespace
            What `buffers` returned.
        """
        row = ops.take(probability, positions, out=buffers.row)
        ops.add_at(probability, positions, -1)
        ops.clip(row, buffers.eps, 1 - buffers.eps, out=row)
        return ops.log(row, out=row)


class SmoothedLogLoss(LogLoss):
    r"""Cross-entropy :math:`-\sum_k q_k \log p_k` with targets that leave some doubt.

    With :math:`K` classes and the softmax :math:`p`, :math:`q_k` is
    :math:`1 - \epsilon + \epsilon / K` for the true class and :math:`\epsilon / K` for
    all others (Szegedy et al. 2016; Goodfellow et al., section 7.5.1).

    Parameters
    ----------
    label_smoothing : float
        :math:`\epsilon`.
    """

    def __init__(self, label_smoothing):
        self.label_smoothing = label_smoothing

    def buffers(self, ops, raw):
        buffers = super().buffers(ops, raw)
        buffers.logarithm = ops.empty(raw.shape, raw)
        return buffers

    def _compare(self, ops, probability, positions, buffers):
        r"""The same with targets :math:`q`: terms :math:`q_k \log p_k`."""
        logarithm, share = buffers.logarithm, self.label_smoothing
        ops.clip(probability, buffers.eps, 1 - buffers.eps, out=logarithm)
        ops.log(logarithm, out=logarithm)
        true = ops.take(logarithm, positions, out=buffers.row)
        ops.multiply(true, 1 - share, out=true)
        rest = share / probability.shape[-1]
        ops.multiply(logarithm, rest, out=logarithm)
        ops.add_at(logarithm, positions, true[..., 0])
        ops.subtract(probability, rest, out=probability)
        ops.add_at(probability, positions, share - 1)
        return logarithm


class BinaryLogLoss(Loss):
    r""":math:`-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))`, summed over labels."""

    def buffers(self, ops, raw):
        return SimpleNamespace(
            scratch=ops.empty(raw.shape, raw),
            complement=ops.empty(raw.shape, raw),
            eps=ops.epsilon(raw),
        )

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        _, y = batch
        likelihood, complement = buffers.scratch, buffers.complement
        ops.add(raw, 0, out=delta)
        ops.logistic(delta)
        ops.clip(delta, buffers.eps, 1 - buffers.eps, out=likelihood)
        ops.one_minus(likelihood, out=complement)
        ops.log(likelihood, out=likelihood)
        ops.log(complement, out=complement)
        ops.subtract(likelihood, complement, out=likelihood)
        ops.multiply(likelihood, y, out=likelihood)
        ops.add(likelihood, complement, out=likelihood)
        ops.subtract(delta, y, out=delta)
        return -self._average(ops, likelihood, batch)


class SmoothedBinaryLogLoss(BinaryLogLoss):
    r"""The same of targets :math:`(1 - \epsilon) y + \epsilon / 2`.

    Parameters
    ----------
    label_smoothing : float
        :math:`\epsilon`.
    """

    def __init__(self, label_smoothing):
        self.label_smoothing = label_smoothing

    def buffers(self, ops, raw):
        buffers = super().buffers(ops, raw)
        buffers.targets = ops.empty(raw.shape, raw)
        return buffers

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        x, y = batch
        targets = smooth(ops, y, self.label_smoothing, 2, out=buffers.targets)
        batch = Batch(x, targets, batch.weight, batch.total, batch.n_rows)
        return super()._value_and_error(ops, raw, batch, delta, buffers)


def smooth(ops, targets, share, n_classes, out):
    """Targets of which a share is spread evenly over all classes."""
    ops.multiply(targets, 1 - share, out=out)
    return ops.add(out, share / n_classes, out=out)


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
