"""Outputs in the units of the targets, the last thing that a network does."""

import torch
from torch import Tensor, nn


class OutputScaling(nn.Module):
    r""":math:`\mu_k + \sigma_k o_k` for each raw output :math:`o_k`.

    With mean and deviation of the targets for :math:`\mu` and :math:`\sigma` a network
    begins near its targets, however large they are and however few its steps will be.

    Parameters
    ----------
    n_outputs : int
        Raw outputs.
    device : torch.device or str, optional
        Where the buffers are made.

    Attributes
    ----------
    location, factor : tensors of shape (n_outputs,)
        :math:`\mu` and :math:`\sigma`: 0 and 1 until `set_scale` is called.
    """

    location: Tensor
    factor: Tensor

    def __init__(
        self, n_outputs: int, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("location", torch.zeros(n_outputs, device=device))
        self.register_buffer("factor", torch.ones(n_outputs, device=device))

    def reset_parameters(self) -> None:
        """Let outputs stay as they are; buffers from the meta device hold anything."""
        self.set_scale(0.0, 1.0)

    @torch.no_grad()
    def set_scale(self, location: Tensor | float, factor: Tensor | float) -> None:
        """Multiply by `factor` from now on, and add `location` after that."""
        self.location.copy_(torch.as_tensor(location))
        self.factor.copy_(torch.as_tensor(factor))

    def forward(self, outputs: Tensor) -> Tensor:
        return torch.addcmul(self.location, outputs, self.factor)
