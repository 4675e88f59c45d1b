"""Scaling of the input's channels, the first thing a network does with raw numbers."""

import torch
from torch import Tensor, nn


class ChannelScaling(nn.Module):
    r""":math:`(x_c - \mu_c) f_c` for each channel :math:`c`, the last axis of inputs.

    Whole numbers, such as the bytes of images, become real ones on the way, a batch at
    a time; the outputs have the type of the buffers.

    Parameters
    ----------
    n_channels : int
        Entries of the last axis.
    device : torch.device or str, optional
        Where the buffers are made.

    Attributes
    ----------
    location, factor : tensors of shape (n_channels,)
        :math:`\mu` and :math:`f`: 0 and 1 until `set_scale` is called.
    """

    location: Tensor
    factor: Tensor

    def __init__(
        self, n_channels: int, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("location", torch.zeros(n_channels, device=device))
        self.register_buffer("factor", torch.ones(n_channels, device=device))

    def reset_parameters(self) -> None:
        """Let inputs stay as they are; buffers from the meta device hold anything."""
        self.set_scale(0.0, 1.0)

    @torch.no_grad()
    def set_scale(self, location: Tensor | float, factor: Tensor | float) -> None:
        """Take another location and factor from now on."""
        self.location.copy_(torch.as_tensor(location))
        self.factor.copy_(torch.as_tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        x = x.float() if x.dtype == torch.bool else x  # bools cannot be subtracted
        centred = x - self.location  # new memory, which the product may have
        return centred.mul_(self.factor).to(self.factor.dtype)

    def extra_repr(self) -> str:
        """Return the number of channels for the layer's representation."""
        return f"{len(self.factor)}"
