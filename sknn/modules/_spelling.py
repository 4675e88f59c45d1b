"""Vectors of words from what they are and from how they are spelled."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sknn.modules._embedding import Embedding
from sknn.modules._mlp import Linear

# letters that a feature of a spelling sees at once
WINDOW = 3
# features of spellings to an entry of a letter's vector
FEATURES_A_LETTER = 3


class _LargestResponse(torch.autograd.Function):
    """Largest response to each pattern of letters that a word has anywhere.

    A response is the sum of a window's rows of a table, each at a place of its own.
    Only the rows of the place that was largest have a gradient.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, letters: Tensor) -> Tensor:
        n_rows, n_features = table.shape[1:]
        around = nn.functional.pad(letters, (WINDOW // 2, WINDOW // 2))
        places = torch.arange(WINDOW, device=letters.device)
        rows = around.T.unfold(0, WINDOW, 1) + places * n_rows
        # (letters, words, WINDOW); beyond a word its first window once more
        rows = torch.where(letters.T[..., None] == 0, rows[0], rows)
        responses = nn.functional.embedding_bag(
            rows.flatten(0, 1), table.flatten(0, 1), mode="sum"
        ).view(*rows.shape[:2], n_features)
        largest = responses.amax(0)
        ctx.save_for_backward(around, responses, largest)
        ctx.shape = table.shape
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        around, responses, largest = ctx.saved_tensors
        n_places = len(responses)
        to_end = torch.arange(n_places, 0, -1, device=gradient.device)[:, None, None]
        # as numbers, which takes a fraction of the time of bools
        is_largest = torch.eq(responses, largest, out=torch.empty_like(responses))
        place = n_places - is_largest.mul_(to_end).amax(0).long()  # the first of them
        place.clamp_(max=n_places - 1)  # none is where weights have diverged to NaN
        of_table = gradient.new_zeros(ctx.shape)
        for k in range(WINDOW):
            of_table[k].scatter_add_(0, around.gather(1, place), gradient)
            place += 1
        return of_table, None


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
        """Features (words, n_features) of words (words, letters), 0 behind each end.

        A letter adds the same to a pattern's response wherever it stands at a place of
        the window, so that a table of these, small beside the words, is all there is to
        multiply.
        """
        largest = _LargestResponse.apply(self._make_table(), letters.long())
        return largest + self.patterns.bias

    def _make_table(self) -> Tensor:
        """What letters add at each place of the window, nothing beyond an end.

        Of shape (WINDOW, n_letters, n_features).
        """
        vectors = self.embedding.weight
        vectors = torch.cat([vectors.new_zeros(1, vectors.shape[1]), vectors[1:]])
        weights = self.patterns.weight.unflatten(1, (-1, WINDOW))
        return torch.einsum("ld,fdk->klf", vectors, weights)


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
    ``forward(x, letters)`` maps steps (batch, steps, 2) of whole numbers, each a word's
    own and the row of its spelling in `letters` (words, longest), to (batch, steps,
    n_features). A word that is said many times is spelled once.
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

    def forward(self, x: Tensor, letters: Tensor) -> Tensor:
        spelled = nn.functional.embedding(x[..., 1], self.spelling(letters))
        return torch.cat([self.words(x[..., 0]), spelled], -1)
