"""Positions of steps, which attention does not see by itself."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

# the longest wavelength, over 2 pi (Vaswani et al. 2017)
LONGEST = 10000.0


def angles(n_steps: int, n_features: int) -> Tensor:
    """:math:`t / 10000^{2i / d}` of step t and pair i of d features, in float64."""
    pairs = torch.arange(0, n_features, 2, dtype=torch.float64)
    steps = torch.arange(n_steps, dtype=torch.float64)
    return steps[:, None] * LONGEST ** (-pairs / n_features)


class ComputedPositions(nn.Module, ABC):
    """A table with a row for each step, computed when a longer sequence comes.

    It is no part of the state, nor of what is pickled.
    """

    def __init__(self) -> None:
        super().__init__()
        self._table: Tensor | None = None

    @abstractmethod
    def make_table(self, n_steps: int, n_features: int) -> Tensor:
        """Rows of the first steps."""

    def rows(self, n_steps: int, like: Tensor) -> Tensor:
        """Rows of the first steps for tensors (..., features) such as `like`."""
        table = self._table
        if (
            table is None
            or len(table) < n_steps
            or table.device != like.device
            or table.real.dtype != like.dtype
        ):
            with torch.inference_mode(False):  # training may use it later
                table = self.make_table(n_steps, like.shape[-1])
                wanted = like.dtype.to_complex() if table.is_complex() else like.dtype
                table = self._table = table.to(like.device, wanted)
        return table[:n_steps]

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_table": None}


class SinusoidalPositions(ComputedPositions):
    r"""Adds sines and cosines of the position, for sequences of any length.

    Features :math:`2i` and :math:`2i + 1` of step :math:`t` get
    :math:`\sin(t / 10000^{2i/d})` and :math:`\cos(t / 10000^{2i/d})` (Vaswani et al.
    2017, section 3.5). ``forward`` takes (batch, steps, d).
    """

    def make_table(self, n_steps: int, n_features: int) -> Tensor:
        """Sines and cosines by turns, (steps, features)."""
        phase = angles(n_steps, n_features)
        return torch.stack([phase.sin(), phase.cos()], -1).flatten(1)[:, :n_features]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.rows(x.shape[1], x)


class RotaryPositions(ComputedPositions):
    r"""Turns pairs of features by angles that grow with the position.

    Features :math:`2i` and :math:`2i + 1` of step :math:`t` turn by
    :math:`t / 10000^{2i/d}`; the scalar product of a query and a key then depends on
    the distance of their steps alone (Su et al. 2021, section 3.2). ``forward`` takes
    (batch, steps, heads, d) with an even d.
    """

    def make_table(self, n_steps: int, n_features: int) -> Tensor:
        """Complex numbers that a pair is multiplied by, (steps, 1, features / 2)."""
        phase = angles(n_steps, n_features)[:, None]
        return torch.polar(torch.ones_like(phase), phase)

    def forward(self, x: Tensor) -> Tensor:
        pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
        turned = pairs * self.rows(x.shape[1], x)
        return torch.view_as_real(turned).flatten(-2)


class LearnedPositions(nn.Module):
    """Adds a learned vector a position.

    Parameters
    ----------
    max_length : int
        Positions that have a vector of their own; later ones share the last's.
    d_model : int
        Features of a step.
    device : torch.device or str, optional
        Where the vectors are made.
    """

    def __init__(
        self,
        max_length: int,
        d_model: int,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.position_vectors = nn.Parameter(
            torch.empty(max_length, d_model, device=device)
        )
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw small values, except on the meta device."""
        if not self.position_vectors.is_meta:
            self.position_vectors.normal_(std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        n_steps, vectors = x.shape[1], self.position_vectors
        if n_steps > len(vectors):
            beyond = vectors[-1:].expand(n_steps - len(vectors), -1)
            vectors = torch.cat([vectors, beyond])
        return x + vectors[:n_steps]


def make_positions(
    name: str | None,
    d_model: int,
    max_length: int | None = None,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Make what adds the positions of that name to steps; nothing for others."""
    if name == "sinusoidal":
        return SinusoidalPositions()
    if name == "learned":
        return LearnedPositions(max_length, d_model, device)
    return nn.Identity()
