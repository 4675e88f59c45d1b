r"""The L2 penalty :math:`\frac{\alpha}{2 n} \lVert W \rVert^2` of a batch."""

import torch


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
        value = 0.0
        for weight, gradient in zip(weights, gradients, strict=True):
            gradient.add_(weight, alpha=strength)
            flat = weight.reshape(-1)
            value += torch.dot(flat, flat)
        if torch.is_tensor(value) and value.device.type == "cpu":
            value = value.item()
        return 0.5 * strength * value
