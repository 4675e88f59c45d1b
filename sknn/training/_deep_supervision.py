r"""The loss of a network whose hidden layers have outputs of their own.

:math:`J + \lambda \sum_k J_k`, with the loss :math:`J_k` of hidden layer :math:`k`'s
companion, an output for training alone (Lee et al. 2015).
"""

from types import SimpleNamespace

from sknn.training._loss import Loss


class DeepSupervision(Loss):
    r"""Loss of a network's outputs, and by a weight that of others beside them.

    Parameters
    ----------
    loss : Loss
        :math:`J`, of raw outputs shaped (batch, n_outputs).
    n_outputs : int
        Columns of the network's own outputs, which come first, and of each companion's.
    weight : float
        :math:`\lambda`.
    """

    def __init__(self, loss, n_outputs, weight):
        self.loss, self.n_outputs, self.weight = loss, n_outputs, weight

    def own_outputs(self, raw):
        """Columns of the network's own outputs."""
        return raw[..., : self.n_outputs]

    def buffers(self, ops, raw):
        """Memory for one output's columns, in which they lie side by side."""
        own = ops.empty((*raw.shape[:-1], self.n_outputs), raw)
        return SimpleNamespace(
            raw=own, delta=ops.empty(own.shape, raw), loss=self.loss.buffers(ops, own)
        )

    def _value_and_error(self, ops, raw, batch, delta, buffers):
        total, own = 0.0, buffers.raw
        for start in range(0, raw.shape[-1], self.n_outputs):
            columns = slice(start, start + self.n_outputs)
            weight = self.weight if start else 1.0
            ops.multiply(raw[..., columns], 1.0, out=own)
            value = self.loss._value_and_error(
                ops, own, batch, buffers.delta, buffers.loss
            )
            ops.multiply(buffers.delta, weight, out=delta[..., columns])
            total = total + weight * value
        return total
