"""Embedding of tokens (Goodfellow et al., section 12.4.2)."""

import torch
from torch import Tensor, nn


class Embedding(nn.Embedding):
    r"""A learned vector for each token, times a constant.

    Row 0 is an ordinary one: it stands for tokens that training has not named, and
    what lies in the padding does not reach it.

    Parameters
    ----------
    n_tokens : int
        Rows of the table.
    dim : int
        Entries of a vector.
    scale : float
        The constant: :math:`\sqrt{d}` in transformers (Vaswani et al. 2017, section
        3.4).
    device : torch.device or str, optional
        Where the table is made.
    """

    def __init__(
        self,
        n_tokens: int,
        dim: int,
        scale: float = 1.0,
        device: torch.device | str | None = None,
    ) -> None:
        self.scale = scale
        super().__init__(n_tokens, dim, device=device)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw vectors whose entries have variance 1 once scaled; nothing on meta."""
        if not self.weight.is_meta:
            self.weight.normal_(std=1 / self.scale)
            self.weight[0].zero_()

    def forward(self, x: Tensor) -> Tensor:
        vectors = super().forward(x)
        return vectors if self.scale == 1 else vectors * self.scale

    def extra_repr(self) -> str:
        """Return the sizes for the layer's representation."""
        return f"{self.num_embeddings}, {self.embedding_dim}, scale={self.scale:.4g}"
