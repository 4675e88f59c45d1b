"""Convolutional encoder and its mirror image (Goodfellow et al., sections 9.5, 14.1).

Rows are flat, channels last; within, maps are (batch, channels, height, width), and a
series is an image of height one.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._conv_block import (
    ConvBlock,
    Convolution,
    NormalizedConvolution,
    Pooling,
)
from sknn.modules._dropout import ChannelDropout
from sknn.modules._levels import STRIDE, Upsampled, kernel_of, level_shapes
from sknn.modules._mlp import MLP


class ConvEncoder(nn.Module):
    """Convolutions of stride 2, each halving the maps, then fully connected layers.

    Parameters
    ----------
    input_shape : sequence of int
        (t, c) of series or (h, w, c) of images.
    layer_sizes : sequence of int
        Units of the fully connected layers: hidden ones, then the outputs.
    conv_channels : sequence of int
        Channels of each convolution; kernels span three positions along each axis.
    activation : str
        Name of the activation of convolutions and hidden layers, one of `MLP`'s.
    dropout : sequence of float, optional
        Rate of each convolution, where whole channels are left out, then of each
        hidden layer.
    batch_norm : bool
        Whether both are normalised, before the activation.
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    shapes : list of (int, int, int)
        Height, width and channels of the input and of each convolution's maps.

    Notes
    -----
    ``forward`` maps (batch, prod(input_shape)) to (batch, outputs).
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        layer_sizes: Sequence[int],
        conv_channels: Sequence[int],
        activation: str = "relu",
        dropout: Sequence[float] = (),
        batch_norm: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.shapes = level_shapes(input_shape, conv_channels)
        self.blocks = nn.ModuleList()
        for (height, width, n_in), (*size, n_out) in pairwise(self.shapes):
            body = NormalizedConvolution(
                n_in,
                n_out,
                (height, width),
                kernel_of(input_shape),
                STRIDE,
                batch_norm=batch_norm,
                device=device,
            )
            self.blocks.append(ConvBlock(body, Pooling("max", 1, tuple(size))))
        sizes = [prod(self.shapes[-1]), *layer_sizes]
        self.head = MLP(sizes, device=device, batch_norm=batch_norm)
        self.set_dropout(dropout)
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let all layers but the last have the activation of that name."""
        self.activation_name = name
        for layer in (*self.blocks, self.head):
            layer.set_activation(name)

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let convolutions, then hidden layers, have dropout of these rates."""
        n_blocks = len(self.blocks)
        for block, rate in zip(self.blocks, rates, strict=False):
            block.dropout.rate = rate
        self.head.set_dropout(rates[n_blocks:])

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        x = x.view(-1, *self.shapes[0]).permute(0, 3, 1, 2)
        for block in self.blocks:
            x = block(x, row_weight)
        x = x.permute(0, 2, 3, 1).flatten(1)  # as they lie in memory
        return self.head(x, row_weight)


class ConvDecoder(nn.Module):
    """Mirror image of a `ConvEncoder`: fully connected layers, then enlarging ones.

    Each enlargement brings the maps to the size that the encoder's had, odd ones too,
    and is followed by a convolution.

    Parameters
    ----------
    input_shape, conv_channels, activation, batch_norm, device
        Those of `ConvEncoder`.
    layer_sizes : sequence of int
        Units of the code, then of the hidden layers.
    dropout : sequence of float, optional
        Rate of each hidden layer, then of the maps of each convolution of the encoder,
        the last one first.

    Notes
    -----
    ``forward`` maps (batch, layer_sizes[0]) to (batch, prod(input_shape)).
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        layer_sizes: Sequence[int],
        conv_channels: Sequence[int],
        activation: str = "relu",
        dropout: Sequence[float] = (),
        batch_norm: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.shapes = level_shapes(input_shape, conv_channels)[::-1]
        sizes = [*layer_sizes, prod(self.shapes[0])]
        self.head = MLP(sizes, device=device, batch_norm=batch_norm)
        self.dropout = ChannelDropout(0.0)
        self.blocks = nn.ModuleList()
        kernel = kernel_of(input_shape)
        for (_, _, n_in), (*size, n_out) in pairwise(self.shapes[:-1]):
            body = NormalizedConvolution(
                n_in, n_out, size, kernel, batch_norm=batch_norm, device=device
            )
            enlarged = Upsampled(body, tuple(size))
            self.blocks.append(ConvBlock(enlarged, Pooling("max", 1, tuple(size))))
        *size, n_out = self.shapes[-1]
        last = Convolution(self.shapes[-2][-1], n_out, size, kernel, device=device)
        self.last = Upsampled(last, tuple(size))
        self.set_dropout(dropout)
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let all layers but the last have the activation of that name."""
        self.activation_name = name
        self.activation = ACTIVATIONS[name]()
        for layer in (*self.blocks, self.head):
            layer.set_activation(name)

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let hidden layers, then the maps, have dropout of these rates."""
        n_hidden = len(self.head.layers) - 1
        self.head.set_dropout(rates[:n_hidden])
        layers = [self.dropout, *(block.dropout for block in self.blocks)]
        for layer, rate in zip(layers, rates[n_hidden:], strict=False):
            layer.rate = rate

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        x = self.activation(self.head(x, row_weight))
        x = self.dropout(x.view(-1, *self.shapes[0]).permute(0, 3, 1, 2))
        for block in self.blocks:
            x = block(x, row_weight)
        return self.last(x).permute(0, 2, 3, 1).flatten(1)
