"""Noise on the inputs of a denoising autoencoder (Goodfellow et al., section 14.5)."""

import torch
from torch import Tensor, nn


class Corruption(nn.Module):
    """Inputs changed at random in training, in evaluation left as they are.

    Parameters
    ----------
    amount : float
        Standard deviation of the noise, or share of the entries that become zero.
    kind : {"gaussian", "masking"}
        Which of both (Vincent et al. 2010, section 3.3).

    Attributes
    ----------
    generator : torch.Generator or None
        Source of the draws, on the CPU; None takes them from torch's global one.
    """

    generator: torch.Generator | None

    def __init__(self, amount: float = 0.0, kind: str = "gaussian") -> None:
        super().__init__()
        self.amount, self.kind = amount, kind
        self.generator = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.amount:
            return x
        draw = torch.randn if self.kind == "gaussian" else torch.rand
        noise = draw(x.shape, dtype=x.dtype, generator=self.generator).to(x.device)
        if self.kind == "gaussian":
            return x + self.amount * noise
        return x * (noise >= self.amount)

    def extra_repr(self) -> str:
        """Return the parameters for the module's representation."""
        return f"{self.amount}, kind={self.kind!r}"
