"""Bodies of a generator and of a discriminator of images.

Rows are images channels last. Maps are (batch, channels, height, width), and stay in
memory channels last.
"""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._conv_block import Convolution
from sknn.modules._mlp import Linear


class MapsFromRow(nn.Module):
    """Small maps made of a row, then doubled and convolved up to an image.

    Nearest neighbours double the maps, which are then cut to what the discriminator
    halves on its way: sizes are ceil(size / 2), ceil(size / 4) and so on. Transposed
    convolutions would leave checkerboards (Odena et al. 2016).

    Parameters
    ----------
    n_inputs : int
        Entries of a row.
    image_shape : (int, int, int)
        Height, width and channels of the image.
    channels : sequence of int
        Channels of the maps, the smallest first.
    activation : str
        Name of the activation of all maps but the image.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        n_inputs: int,
        image_shape: Sequence[int],
        channels: Sequence[int],
        activation: str = "leaky_relu",
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        *size, n_last = image_shape
        n_doubled = len(channels)
        self.sizes = [
            tuple(-(-n // 2 ** (n_doubled - k)) for n in size)
            for k in range(n_doubled + 1)
        ]
        self.n_first = channels[0]
        n_units = channels[0] * prod(self.sizes[0])
        self.input = Linear(n_inputs, n_units, device=device)
        widths = [*channels, n_last]
        self.convolutions = nn.ModuleList(
            Convolution(n_in, n_out, size, (3, 3), device=device)
            for n_in, n_out, size in zip(
                widths[:-1], widths[1:], self.sizes[1:], strict=True
            )
        )
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let the maps have the activation of that name."""
        self.activation_name, self.activation = name, ACTIVATIONS[name]()

    def forward(self, x: Tensor) -> Tensor:
        """Images (batch, height * width * channels) of rows (batch, n_inputs)."""
        x = self.input(x).view(len(x), *self.sizes[0], self.n_first)
        x = x.permute(0, 3, 1, 2)
        for size, convolution in zip(self.sizes[1:], self.convolutions, strict=True):
            x = functional.interpolate(self.activation(x), size=size)
            x = convolution(x)
        return x.permute(0, 2, 3, 1).flatten(1)


class LogitOfImage(nn.Module):
    """Convolutions that halve an image until one number is left of it.

    What follows the pixels in a row, the class one-hot, shifts the first maps: as a
    plane for each class would, borders aside.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height, width and channels of the image.
    channels : sequence of int
        Channels of the maps, the largest first.
    n_classes : int
        Entries of a row behind the pixels.
    activation : str
        Name of the activation of all maps.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        channels: Sequence[int],
        n_classes: int = 0,
        activation: str = "leaky_relu",
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        *size, n_in = self.image_shape = tuple(image_shape)
        self.convolutions = nn.ModuleList()
        for n_out in channels:
            layer = Convolution(n_in, n_out, size, (3, 3), 2, device=device)
            self.convolutions.append(layer)
            size, n_in = layer.out_size, n_out
        self.shift = None
        if n_classes:
            self.shift = Linear(n_classes, channels[0], bias=False, device=device)
        self.output = Linear(n_in * prod(size), 1, device=device)
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let the maps have the activation of that name."""
        self.activation_name, self.activation = name, ACTIVATIONS[name]()

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (batch, 1) of rows (batch, height * width * channels + classes)."""
        n_pixels = prod(self.image_shape)
        x = rows[:, :n_pixels].reshape(-1, *self.image_shape).permute(0, 3, 1, 2)
        for k, convolution in enumerate(self.convolutions):
            x = convolution(x)
            if k == 0 and self.shift is not None:
                x = x + self.shift(rows[:, n_pixels:])[:, :, None, None]
            x = self.activation(x)
        return self.output(x.permute(0, 2, 3, 1).flatten(1))
