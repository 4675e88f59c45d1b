"""Bodies of a generator and of a discriminator of images.

Rows are images channels last. Maps are (batch, channels, height, width), and stay in
memory channels last.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._conv_block import Convolution
from sknn.modules._levels import STRIDE, Upsampled, kernel_of, level_shapes
from sknn.modules._mlp import Linear


class MapsFromRow(nn.Module):
    """Small maps made of a row, then doubled and convolved up to an image.

    Their sizes are those that the discriminator has on its way: ceil(size / 2),
    ceil(size / 4) and so on.

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
        self.shapes = level_shapes(image_shape, channels[::-1])[::-1]
        self.input = Linear(n_inputs, prod(self.shapes[0]), device=device)
        self.convolutions, kernel = nn.ModuleList(), kernel_of(image_shape)
        for (_, _, n_in), (*size, n_out) in pairwise(self.shapes):
            body = Convolution(n_in, n_out, size, kernel, device=device)
            self.convolutions.append(Upsampled(body, tuple(size)))
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let the maps have the activation of that name."""
        self.activation_name, self.activation = name, ACTIVATIONS[name]()

    def forward(self, x: Tensor) -> Tensor:
        """Images (batch, height * width * channels) of rows (batch, n_inputs)."""
        x = self.input(x).view(len(x), *self.shapes[0]).permute(0, 3, 1, 2)
        for convolution in self.convolutions:
            x = convolution(self.activation(x))
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
        self.image_shape, kernel = tuple(image_shape), kernel_of(image_shape)
        shapes = level_shapes(image_shape, channels)
        self.convolutions = nn.ModuleList(
            Convolution(n_in, n_out, size, kernel, STRIDE, device=device)
            for (*size, n_in), (_, _, n_out) in pairwise(shapes)
        )
        self.shift = None
        if n_classes:
            self.shift = Linear(n_classes, channels[0], bias=False, device=device)
        self.output = Linear(prod(shapes[-1]), 1, device=device)
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
