"""A layer of a transformer's decoder (Vaswani et al. 2017, section 3.1)."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._attention import CrossAttention, DecoderState, SelfAttention
from sknn.modules._dropout import Dropout
from sknn.modules._mlp import Linear


class DecoderLayer(nn.Module):
    """Attention to earlier steps and to a memory, then two linear layers at each step.

    Each of the three is added to its input.

    Parameters
    ----------
    d_model, n_heads : int
        Features of a step, and heads that share them.
    dim_feedforward : int
        Units between the two linear layers.
    activation : str
        Name of their activation, one of `MLP`'s.
    norm_first : bool
        Whether the inputs of the three parts are normalised (Xiong et al. 2020),
        rather than the sums.
    dropout : float
        Rate of what the parts give.
    rotary : RotaryPositions, optional
        What queries and keys of the steps themselves go through.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        dim_feedforward: int,
        *,
        activation: str = "relu",
        norm_first: bool = True,
        dropout: float = 0.0,
        rotary: nn.Module | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.attention = SelfAttention(d_model, n_heads, rotary, device)
        self.attention_norm = nn.LayerNorm(d_model, device=device)
        self.attention_dropout = Dropout(dropout)
        self.cross_attention = CrossAttention(d_model, n_heads, device)
        self.cross_norm = nn.LayerNorm(d_model, device=device)
        self.cross_dropout = Dropout(dropout)
        self.expand = Linear(d_model, dim_feedforward, device=device)
        self.activation = ACTIVATIONS[activation]()
        self.contract = Linear(dim_feedforward, d_model, device=device)
        self.feedforward_norm = nn.LayerNorm(d_model, device=device)
        self.feedforward_dropout = Dropout(dropout)

    def _add(
        self,
        x: Tensor,
        part: Callable[[Tensor], Tensor],
        norm: nn.Module,
        dropout: nn.Module,
    ) -> Tensor:
        """Add to `x` what a part makes of it."""
        if self.norm_first:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.contract(self.activation(self.expand(x)))

    def _combine(
        self,
        x: Tensor,
        attend: Callable[[Tensor], Tensor],
        look_up: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Add the three parts in turn, attentions as given."""
        x = self._add(x, attend, self.attention_norm, self.attention_dropout)
        x = self._add(x, look_up, self.cross_norm, self.cross_dropout)
        return self._add(
            x, self._feed_forward, self.feedforward_norm, self.feedforward_dropout
        )

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (batch, steps, d_model) to the same shape.

        `memory` (batch, its steps, d_model) and `mask` as in the cross-attention.
        """
        attend = partial(self.attention, is_causal=True)
        return self._combine(
            x, attend, partial(self.cross_attention, memory=memory, mask=mask)
        )

    def step(self, x: Tensor, state: DecoderState, layer: int) -> Tensor:
        """Map the next step of rows (rows, d_model) to the same shape.

        `layer` is this one's number in `state`.
        """
        attend = partial(self.attention.step, state=state, layer=layer)
        look_up = partial(self.cross_attention.step, state=state, layer=layer)
        return self._combine(x, attend, look_up)

    def attention_weights(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Shares of the memory's steps, (batch, heads, steps, steps of the memory)."""
        attend = partial(self.attention, is_causal=True)
        x = self._add(x, attend, self.attention_norm, self.attention_dropout)
        x = self.cross_norm(x) if self.norm_first else x
        return self.cross_attention.weights(x, memory, mask)
