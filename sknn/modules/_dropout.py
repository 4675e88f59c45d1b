"""Dropout from a source of its own (Goodfellow et al., section 7.12)."""

from collections.abc import Callable

from torch import Tensor, nn


class Dropout(nn.Module):
    """Units left out at random in training (Srivastava et al. 2014).

    Each entry is zero with probability `rate`, else divided by ``1 - rate``, so that
    nothing is to be rescaled for predictions (Goodfellow et al., section 7.12).

    Parameters
    ----------
    rate : float
        Probability in [0, 1).

    Attributes
    ----------
    draw_mask : callable or None
        ``draw_mask(x)`` returns the factors of the entries of `x`; None takes them
        from torch's global generator.
    """

    draw_mask: Callable[[Tensor], Tensor] | None

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.draw_mask = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        if self.draw_mask is None:
            return nn.functional.dropout(x, self.rate)
        return x * self.draw_mask(x)

    def extra_repr(self) -> str:
        """Return the rate for the layer's representation."""
        return f"rate={self.rate}"


class ChannelDropout(Dropout):
    """Whole channels of maps left out at random in training.

    Neighbours in a map say nearly the same, so that leaving out single positions would
    hide little (Tompson et al. 2015, section 3.2). ``draw_mask`` is asked for one
    factor a channel, by a tensor (batch, channels).
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        factors = super().forward(x.new_ones(x.shape[:2]))
        return x * factors.view(*factors.shape, *[1] * (x.dim() - 2))
