"""What networks of sequences share: how raw steps come in, and how outputs leave."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sknn.modules._channel_scaling import ChannelScaling
from sknn.modules._embedding import Embedding
from sknn.modules._mlp import Linear
from sknn.modules._spelling import SpelledEmbedding
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
    n_letters, letter_dim : int, optional
        Size of the alphabet and entries of a letter's vector where tokens are spelled;
        None: they are not.
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    scaling : ChannelScaling
        What numbers go through first; or
    embedding : Embedding or SpelledEmbedding
        what makes vectors of tokens.
    n_entered : int
        Entries of such a vector, or channels.
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
        n_letters: int | None = None,
        letter_dim: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.takes_tokens = n_tokens is not None
        if not self.takes_tokens:
            self.scaling, self.n_entered = (
                ChannelScaling(n_channels, device),
                n_channels,
            )
        elif n_letters is None:
            self.embedding = Embedding(n_tokens, embedding_dim, embedding_scale, device)
            self.n_entered = embedding_dim
        else:
            self.embedding = SpelledEmbedding(
                n_tokens, embedding_dim, n_letters, letter_dim, embedding_scale, device
            )
            self.n_entered = self.embedding.n_features

    @property
    def token_vectors(self) -> Embedding:
        """Table of the tokens' own vectors."""
        return getattr(self.embedding, "words", self.embedding)

    @property
    def entrance(self) -> nn.Module:
        """What raw steps go through first."""
        return self.embedding if self.takes_tokens else self.scaling

    @abstractmethod
    def hidden_parts(self) -> list[list[nn.Module]]:
        """What each layer before the outputs consists of, the entrance in the first."""

    def enter(
        self, x: Tensor, lengths: Tensor | None, letters: Tensor | None = None
    ) -> Tensor:
        """Scaled channels or vectors of tokens, (batch, steps, features)."""
        if letters is not None:
            return self.embedding(clear_padding(x, lengths), letters)
        if self.takes_tokens:
            return self.embedding(clear_padding(x, lengths))
        return clear_padding(self.scaling(x), lengths)

    @abstractmethod
    def encode(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """Features of every step; those of the padding are of no meaning."""

    @abstractmethod
    def hidden(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """Features of each sequence, (batch, n_features): the steps' ones, pooled."""

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        return self.output(self.hidden(x, lengths, letters))
