"""Minus log-likelihoods of classes, and of numbers from 0 to 1."""

from types import SimpleNamespace

from sknn.training._loss import Loss


class LogLoss(Loss):
    r""":math:`-\log \mathrm{softmax}(z)_y` of the class codes :math:`y`."""

    def buffers(self, ops, raw):
        """Scratch memory of a number a row, and constants."""
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
        (_, y), targets, share = batch, buffers.targets, self.label_smoothing
        ops.multiply(y, 1 - share, out=targets)
        ops.add(targets, share / 2, out=targets)
        batch = batch.with_targets(targets)
        return super()._value_and_error(ops, raw, batch, delta, buffers)
