"""Vectors of words from what they are and from how they are spelled."""

import torch
from torch import Tensor, nn

from sknn.modules._embedding import Embedding
from sknn.modules._mlp import Linear

# letters that a feature of a spelling sees at once
WINDOW = 3
# features of spellings to an entry of a letter's vector
FEATURES_A_LETTER = 3


class Spelling(nn.Module):
    """Features of strings: the largest response anywhere to each pattern of letters.

    A convolution over the letters' vectors, and the maximum over all places (dos Santos
    and Zadrozny 2014; Ma and Hovy 2016).

    Parameters
    ----------
    n_letters : int
        Size of the alphabet, of which number 0 is padding.
    letter_dim : int
        Entries of a letter's vector.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        n_letters: int,
        letter_dim: int,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.n_features = FEATURES_A_LETTER * letter_dim
        self.embedding = Embedding(n_letters, letter_dim, device=device)
        self.patterns = Linear(WINDOW * letter_dim, self.n_features, device=device)

    def forward(self, letters: Tensor) -> Tensor:
        """Features (words, n_features) of words (words, letters), 0 after each end.

        A letter adds the same to a pattern's response wherever it stands at a place of
        the window, so that a table of these, small beside the words, is all there is to
        multiply.
        """
        is_letter = letters != 0
        letters = letters[:, : int(is_letter.sum(1).max())].long()
        around = nn.functional.pad(letters, (WINDOW // 2, WINDOW // 2))
        places = torch.arange(WINDOW, device=letters.device)
        rows = around.unfold(1, WINDOW, 1) + places * self.embedding.num_embeddings
        table = self._make_table()  # (WINDOW * n_letters, n_features)
        responses = nn.functional.embedding_bag(
            rows.reshape(-1, WINDOW), table, mode="sum"
        ).view(*letters.shape, -1)  # (words, letters, n_features)
        outside = ~is_letter[:, : letters.shape[1], None]
        return responses.masked_fill(outside, -torch.inf).amax(1) + self.patterns.bias

    def _make_table(self) -> Tensor:
        """What each letter adds at each place of the window; nothing beyond an end."""
        vectors = self.embedding.weight
        vectors = torch.cat([vectors.new_zeros(1, vectors.shape[1]), vectors[1:]])
        weights = self.patterns.weight.unflatten(1, (-1, WINDOW))
        return torch.einsum("ld,fdk->klf", vectors, weights).flatten(0, 1)


class SpelledEmbedding(nn.Module):
    """A learned vector for each known word, and the features of its spelling beside it.

    Parameters
    ----------
    n_tokens : int
        Rows of the table of words, row 0 for all unseen ones.
    dim : int
        Entries of a word's vector.
    n_letters, letter_dim : int
        As for `Spelling`.
    scale : float
        What the words' vectors are multiplied by.
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    n_features : int
        Entries of a vector that comes out.

    Notes
    -----
    ``forward`` maps steps (batch, steps, 1 + letters) of whole numbers, the word's own
    first and its letters after it, to (batch, steps, n_features). A step without
    letters is padding.
    """

    def __init__(
        self,
        n_tokens: int,
        dim: int,
        n_letters: int,
        letter_dim: int,
        scale: float = 1.0,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.words = Embedding(n_tokens, dim, scale, device)
        self.spelling = Spelling(n_letters, letter_dim, device)
        self.n_features = dim + self.spelling.n_features

    def forward(self, x: Tensor) -> Tensor:
        words, letters = self.words(x[..., 0]), x[..., 1:]
        is_word = letters[..., 0] != 0
        spelled = words.new_zeros(*is_word.shape, self.spelling.n_features)
        spelled[is_word] = self.spelling(letters[is_word])
        return torch.cat([words, spelled], -1)
