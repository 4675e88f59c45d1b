"""A layer of a transformer's encoder (Vaswani et al. 2017, section 3.1)."""

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._attention import SelfAttention
from sknn.modules._dropout import Dropout
from sknn.modules._mlp import Linear


class EncoderLayer(nn.Module):
    """Self-attention, then two linear layers at every step, each added to its input.

    Parameters
    ----------
    d_model, n_heads : int
        Features of a step, and heads that share them.
    dim_feedforward : int
        Units between the two linear layers.
    activation : str
        Name of their activation, one of `MLP`'s.
    norm_first : bool
        Whether the inputs of both parts are normalised (Xiong et al. 2020), rather
        than the sums.
    dropout : float
        Rate of what both parts give.
    rotary : RotaryPositions, optional
        What queries and keys go through.
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
        self.expand = Linear(d_model, dim_feedforward, device=device)
        self.activation = ACTIVATIONS[activation]()
        self.contract = Linear(dim_feedforward, d_model, device=device)
        self.feedforward_norm = nn.LayerNorm(d_model, device=device)
        self.feedforward_dropout = Dropout(dropout)

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Output of the attention, after its dropout."""
        return self.attention_dropout(self.attention(x, mask))

    def feed_forward(self, x: Tensor) -> Tensor:
        """Output of the two linear layers, after their dropout."""
        inner = self.activation(self.expand(x))  # (batch, steps, dim_feedforward)
        return self.feedforward_dropout(self.contract(inner))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (batch, steps, d_model) to the same shape; `mask` as in the attention."""
        if self.norm_first:
            x = x + self.attend(self.attention_norm(x), mask)
            return x + self.feed_forward(self.feedforward_norm(x))
        x = self.attention_norm(x + self.attend(x, mask))
        return self.feedforward_norm(x + self.feed_forward(x))

    def attention_weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Shares of steps in the attention's mixtures, (batch, heads, steps, steps)."""
        x = self.attention_norm(x) if self.norm_first else x
        return self.attention.weights(x, mask)
