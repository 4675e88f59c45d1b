"""What networks of sequences share: how raw steps come in, and how outputs leave."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sknn.modules._channel_scaling import ChannelScaling
from sknn.modules._embedding import Embedding
from sknn.modules._mlp import Linear
from sknn.modules._steps import clear_padding


class SequenceNet(nn.Module, ABC):
    """A network from padded sequences to features of each, and to raw outputs.

    Parameters
    ----------
    n_channels : int or None
        Numbers of a step; unused where steps are tokens.
    n_tokens : int or None
        Size of the vocabulary, row 0 for unseen tokens included; None: steps are
        numbers.
    embedding_dim : int or None
        Entries of a token's vector.
    embedding_scale : float
        What these vectors are multiplied by.
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    scaling : ChannelScaling
        What numbers go through first; or
    embedding : Embedding
        what makes vectors of tokens.
    output : Linear
        Last layer.
    """

    output: Linear

    def __init__(
        self,
        n_channels: int | None,
        *,
        n_tokens: int | None = None,
        embedding_dim: int | None = None,
        embedding_scale: float = 1.0,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.takes_tokens = n_tokens is not None
        if self.takes_tokens:
            self.embedding = Embedding(n_tokens, embedding_dim, embedding_scale, device)
        else:
            self.scaling = ChannelScaling(n_channels, device)

    def enter(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Scaled channels or vectors of tokens, (batch, steps, features)."""
        if self.takes_tokens:
            return self.embedding(clear_padding(x, lengths))
        return clear_padding(self.scaling(x), lengths)

    @abstractmethod
    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Features of every step; those of the padding are of no meaning."""

    @abstractmethod
    def hidden(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Features of each sequence, (batch, n_features): the steps' ones, pooled."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.output(self.hidden(x, lengths))
