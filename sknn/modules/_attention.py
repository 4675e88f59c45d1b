"""Self-attention with several heads (Vaswani et al. 2017, section 3.2)."""

import math

import torch
from torch import Tensor, nn

from sknn.modules._mlp import Linear


class BlockLinear(Linear):
    """Several linear layers of the same inputs as one product, their units in turn.

    Parameters
    ----------
    in_features : int
        Inputs of each.
    out_features : int
        Units of each.
    n_blocks : int
        How many there are.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        n_blocks: int,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(in_features, n_blocks * out_features, device=device)
        self.n_blocks = n_blocks


class SelfAttention(nn.Module):
    r"""Each step's mixture of all steps, weighted by how their keys fit its query.

    :math:`\operatorname{softmax}(Q K^\top / \sqrt{d}) V` in each head, with d features
    a head, and a linear layer over the heads' results side by side.

    Parameters
    ----------
    d_model : int
        Features of a step; a multiple of `n_heads`.
    n_heads : int
        Heads, each of which sees its own share of the features.
    rotary : RotaryPositions, optional
        What queries and keys go through.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        rotary: nn.Module | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.n_heads, self.rotary = n_heads, rotary
        self.in_projection = BlockLinear(d_model, d_model, 3, device)
        self.out_projection = Linear(d_model, d_model, device=device)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (batch, heads, steps, features of a head) each."""
        projected = self.in_projection(x).unflatten(-1, (3, self.n_heads, -1))
        query, key, value = projected.unbind(2)  # (batch, steps, heads, features)
        if self.rotary is not None:
            query, key = self.rotary(query), self.rotary(key)
        return query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mix the steps of `x` (batch, steps, d_model).

        `mask` (batch, 1, 1, steps) is true where a step may be looked at.
        """
        mixed = nn.functional.scaled_dot_product_attention(
            *self._project(x), attn_mask=mask
        )
        return self.out_projection(mixed.transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Shares of the steps in each mixture, (batch, heads, steps, steps).

        Those of a query are a row, which sums to 1.
        """
        query, key, _ = self._project(x)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(-1)
