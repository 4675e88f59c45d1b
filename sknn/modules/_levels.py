"""Levels of maps, each half as large as the one before, and the way back up.

Maps are (batch, channels, height, width); a series is an image of height one.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._conv_block import Size

KERNEL_SIZE, STRIDE = 3, 2


def level_shapes(
    input_shape: Sequence[int], conv_channels: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Shape (height, width, channels) of the input and of each convolution's maps."""
    *positions, n_channels = input_shape
    height, width = positions if len(positions) == 2 else (1, *positions)
    shapes = [(height, width, n_channels)]
    for n_channels in conv_channels:
        height, width = -(-height // STRIDE), -(-width // STRIDE)
        shapes.append((height, width, n_channels))
    return shapes


def kernel_of(input_shape: Sequence[int]) -> Size:
    """Height and width of the kernels."""
    return (1 if len(input_shape) == 2 else KERNEL_SIZE), KERNEL_SIZE


class Upsampled(nn.Module):
    """Convolution of maps that are enlarged first, each position repeated.

    That leaves no pattern of squares, as convolutions with a stride do that are turned
    round (Odena et al. 2016).

    Parameters
    ----------
    body : torch.nn.Module
        Convolution.
    size : (int, int)
        Height and width that the maps are brought to.
    """

    def __init__(self, body: nn.Module, size: Size) -> None:
        super().__init__()
        self.body, self.out_size = body, size

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        x = functional.interpolate(x, self.out_size, mode="nearest")
        return self.body(x) if row_weight is None else self.body(x, row_weight)
