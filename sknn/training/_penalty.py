r"""The penalty of a batch: L1 and L2 norms of the weights, the elastic net.

:math:`\frac{\alpha}{n} \left(r \lVert W \rVert_1 + \frac{1 - r}{2} \lVert W \rVert^2
\right)` for rows of total weight :math:`n` (Zou and Hastie 2005; Goodfellow et al.,
section 7.1). The L2 norm adds to the gradient. The L1 norm has none at zero, where it
wants its weights: it is left to a proximal step after each update, `soft_threshold`.
"""

import math

import numpy as np
import torch
from scipy.linalg.blas import dasum, daxpy, sasum, saxpy

BLAS = {np.dtype(np.float32): (saxpy, sasum), np.dtype(np.float64): (daxpy, dasum)}


class Penalty:
    """Penalty on weights, biases left free, divided by the batch's total weight.

    Parameters
    ----------
    alpha : float
        Strength.
    l1_ratio : float, default=0.0
        Share of the L1 norm.

    Attributes
    ----------
    l1, l2 : float
        Strengths of the two norms, undivided.
    """

    def __init__(self, alpha, l1_ratio=0.0):
        self.l1, self.l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)

    def __call__(self, weights, gradients, total):
        """Add the L2 norm's gradient to `gradients` and return the penalty's value.

        Parameters
        ----------
        weights, gradients : lists of tensors
            Penalised parameters and where their gradients are summed.
        total : float
            Sum of the weights of the batch's rows.
        """
        value = 0.0
        if self.l1:
            value += self.l1 / total * sum(weight.abs().sum() for weight in weights)
        if self.l2:
            strength, square = self.l2 / total, 0.0
            for weight, gradient in zip(weights, gradients, strict=True):
                gradient.add_(weight, alpha=strength)
                square += weight.square().sum()
            value += 0.5 * strength * square
        return value

    def on(self, weights, gradients):
        """Penalty as a function of the total weight, for one pair of flat tensors.

        On a CPU it is BLAS calls on their memory, two a norm of L2 and one of L1.
        """
        has_any = (self.l1 or self.l2) and len(weights)
        if not has_any or weights.device.type != "cpu":
            return lambda total: self([weights], [gradients], total)
        l1, l2, w, g = self.l1, self.l2, weights.numpy(), gradients.numpy()
        axpy, asum = BLAS[w.dtype]

        def penalize(total):
            strength = l2 / total
            axpy(w, g, a=strength)
            return 0.5 * strength * float(np.dot(w, w))

        if not l1:
            return penalize
        return lambda total: (
            l1 / total * float(asum(w)) + (penalize(total) if l2 else 0.0)
        )

    def on_trained(self, flat):
        """The same for all weights among flat parameters that are to move."""
        parts = [
            self.on(flat.values[part], flat.gradient[part])
            for part in flat.trained_slices()
            if part.start < flat.n_penalized
        ]
        if len(parts) == 1:
            return parts[0]
        return lambda total: sum(part(total) for part in parts)


def soft_threshold(weights, threshold, squares=None, eps=0.0, most=math.inf):
    r"""Move weights towards zero by a threshold and no further, in place.

    :math:`w \leftarrow \operatorname{sign}(w) \max(\lvert w \rvert - \tau, 0)`.

    Parameters
    ----------
    weights : tensor
        Changed; zeros are exact.
    threshold : float
        How far, :math:`\tau`.
    squares : tensor, optional
        With them the threshold of a weight is divided by the root of its square; they
        begin with those of the weights.
    eps : float
        Added to the roots.
    most : float
        Upper bound of such a threshold.
    """
    softshrink = torch.nn.functional.softshrink
    if squares is None:
        softshrink(weights, threshold, out=weights)
        return
    w, least = weights, threshold / most
    if weights.is_cpu:  # numpy's calls cost a third of torch's
        w, divisor = weights.numpy(), np.sqrt(squares.numpy()[: len(weights)])
        divisor += eps
        np.maximum(divisor, least, out=divisor)
    else:
        divisor = squares[: len(weights)].sqrt().add_(eps).clamp_(min=least)
    w *= divisor  # one threshold for all takes fewer passes than one each
    softshrink(weights, threshold, out=weights)
    w /= divisor
