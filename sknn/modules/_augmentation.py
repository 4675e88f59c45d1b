"""Random shifts and mirror images of training rows (Goodfellow et al., section 7.4)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Augmentation(nn.Module):
    """Each row of a training batch moved, and mirrored, at random.

    A row is one that could have been in the data as well, so that the network learns
    not to mind (Goodfellow et al., section 7.4; crops and flips as in He et al. 2016,
    section 4.2). In evaluation nothing happens.

    Parameters
    ----------
    random_crop : int
        Zeros put before and after every axis of positions, of which a window as large
        as the input was is kept: a shift by up to so many positions each way.
    horizontal_flip : bool
        Whether a row is mirrored along its last axis of positions, the width of an
        image, with probability 1/2.

    Attributes
    ----------
    generator : torch.Generator or None
        Source of the draws, on the CPU; None takes them from torch's global one.
    """

    generator: torch.Generator | None

    def __init__(self, random_crop: int = 0, horizontal_flip: bool = False) -> None:
        super().__init__()
        self.random_crop, self.horizontal_flip = random_crop, horizontal_flip
        self.generator = None

    def forward(self, x: Tensor) -> Tensor:
        """Move and mirror the rows of `x`: (batch, t, c) or (batch, h, w, c)."""
        if not self.training or not (self.random_crop or self.horizontal_flip):
            return x
        *lengths, n_channels = x.shape[1:]
        x_padded = functional.pad(x, (0, 0, *[self.random_crop] * 2 * len(lengths)))
        source = self._draw_source(len(x), lengths).to(x.device)
        # one row a position: a fifth of the time of an index an axis
        chosen = x_padded.view(-1, n_channels).index_select(0, source)
        return chosen.view(x.shape)

    def _draw_source(self, n_rows: int, lengths: list[int]) -> Tensor:
        """Number of the padded position that each position is taken from."""
        margin = self.random_crop
        shape = n_rows, len(lengths)
        offsets = torch.randint(2 * margin + 1, shape, generator=self.generator)
        source = torch.arange(n_rows)[:, None]  # (batch, positions so far)
        for axis, length in enumerate(lengths):
            along = torch.arange(length).expand(n_rows, -1)
            if self.horizontal_flip and axis == len(lengths) - 1:
                flips = torch.randint(2, (n_rows, 1), generator=self.generator)
                along = torch.where(flips > 0, length - 1 - along, along)
            along = along + offsets[:, axis, None]  # (batch, length)
            start = source[:, :, None] * (length + 2 * margin)
            source = (start + along[:, None]).flatten(1)
        return source.flatten()

    def extra_repr(self) -> str:
        """Return the parameters for the module's representation."""
        return f"{self.random_crop}, horizontal_flip={self.horizontal_flip}"
