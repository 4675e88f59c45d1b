r"""The L2 penalty :math:`\frac{\alpha}{2 n} \lVert W \rVert^2` of a batch."""

import numpy as np
from scipy.linalg.blas import daxpy, saxpy


class L2Penalty:
    """Penalty on weights, biases left free, divided by the batch's total weight.

    Parameters
    ----------
    alpha : float
        Strength.
    """

    def __init__(self, alpha):
        self.alpha = alpha

    def __call__(self, weights, gradients, total):
        """Add the penalty's gradient to `gradients` and return its value.

        Parameters
        ----------
        weights, gradients : lists of tensors
            Penalised parameters and where their gradients are summed.
        total : float
            Sum of the weights of the batch's rows.
        """
        if not self.alpha:
            return 0.0
        strength = self.alpha / total
        square = 0.0
        for weight, gradient in zip(weights, gradients, strict=True):
            gradient.add_(weight, alpha=strength)
            square += weight.square().sum()
        return 0.5 * strength * square

    def on(self, weights, gradients):
        """Penalty as a function of the total weight, for one pair of flat tensors.

        On a CPU it is two BLAS calls on their memory.
        """
        if not self.alpha or not len(weights) or weights.device.type != "cpu":
            return lambda total: self([weights], [gradients], total)
        alpha, w, g = self.alpha, weights.numpy(), gradients.numpy()
        axpy = saxpy if w.dtype == np.float32 else daxpy

        def penalize(total):
            strength = alpha / total
            axpy(w, g, a=strength)
            return 0.5 * strength * float(np.dot(w, w))

        return penalize
