"""Outputs of hidden layers beside a network's own (Lee et al. 2015)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sknn.modules._linear import Linear


class Companion(Linear):
    """Linear output of a hidden layer, of the same units as the network's own."""


class Companions(nn.ModuleList):
    """Linear outputs of the first hidden layers of a network, for training alone.

    Lee et al., "Deeply-supervised nets", AISTATS 2015.

    Parameters
    ----------
    widths : sequence of int
        Numbers that each of these layers gives its companion; empty for none.
    n_outputs : int
        Units of the network's own output, and of every companion.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        widths: Sequence[int],
        n_outputs: int,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(Companion(width, n_outputs, device=device) for width in widths)

    def outputs(
        self, k: int, x: Tensor, read: Callable[[Tensor], Tensor] | None = None
    ) -> list[Tensor]:
        """Raw outputs of hidden layer number `k`, where it has a companion.

        Parameters
        ----------
        k : int
            Number of the layer, from 0 on.
        x : Tensor
            What the layer gives the next one.
        read : callable, optional
            Turns that into (batch, features).

        Returns
        -------
        list of Tensor
            One of shape (batch, n_outputs) in training, none in evaluation.
        """
        if not self.training or k >= len(self):
            return []
        return [self[k](read(x) if read else x)]


def place_beside(own: Tensor, others: Sequence[Tensor]) -> Tensor:
    """Columns of a network's own outputs, then those of its companions."""
    return torch.cat([own, *others], -1) if others else own
