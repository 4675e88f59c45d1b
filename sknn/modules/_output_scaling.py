"""Outputs in the units of the targets, the last thing that a network does."""

import torch
from torch import Tensor

from sknn.modules._channel_scaling import ChannelScaling


class OutputScaling(ChannelScaling):
    r""":math:`\mu_k + \sigma_k o_k` for each raw output :math:`o_k`.

    With mean and deviation of the targets for :math:`\mu` and :math:`\sigma` a network
    begins near its targets, however large they are and however few its steps will be.

    Parameters
    ----------
    n_channels : int
        Raw outputs.
    device : torch.device or str, optional
        Where the buffers are made.

    Attributes
    ----------
    location, factor : tensors of shape (n_channels,)
        :math:`\mu` and :math:`\sigma`: 0 and 1 until `set_scale` is called.
    """

    def forward(self, outputs: Tensor) -> Tensor:
        return torch.addcmul(self.location, outputs, self.factor)
