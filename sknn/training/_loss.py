r"""A loss: a value to report and its derivative with respect to the raw outputs.

A loss takes raw outputs :math:`z`, targets and weights of a batch, and writes
:math:`\partial J / \partial z` for :math:`J = \sum_i w_i L_i / \sum_i w_i`. With it
the delta rule starts, and so does autograd. For several real outputs the reported
value is the mean over them and the derivative that of the sum, as in scikit-learn.
"""

from types import SimpleNamespace

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
