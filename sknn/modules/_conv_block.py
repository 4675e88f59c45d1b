"""Blocks of convolutional networks (Goodfellow et al., sections 9.1 to 9.5).

Maps are (batch, channels, height, width), and stay in memory channels last; a series
is an image of height one.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._batch_norm import BatchNorm
from sknn.modules._dropout import ChannelDropout

Size = tuple[int, int]

# the largest of some values stays the largest: pooling may come first
MONOTONE = {
    "identity",
    "logistic",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "softplus",
}


class Convolution(nn.Conv2d):
    """Convolution of maps whose size is known, with zeros around them or without.

    Parameters
    ----------
    n_in, n_out : int
        Channels of the input and of the output.
    size : (int, int)
        Height and width of the input.
    kernel_size : (int, int)
        Height and width of the kernel.
    stride : int
        Positions from one place of the kernel to the next, along both axes.
    padding : {"same", "valid"}
        "same": as many zeros around the input as make the output ceil(size / stride)
        large, the odd one at the end; "valid": none (Goodfellow et al., section 9.5).
    bias : bool
        Whether a bias is added.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they draw no random numbers.

    Attributes
    ----------
    out_size : (int, int)
        Height and width of the output.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        size: Size,
        kernel_size: Size,
        stride: int = 1,
        padding: str = "same",
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        margins = [(0, 0), (0, 0)]
        if padding == "same":
            margins = [
                same_margins(n, k, stride)
                for n, k in zip(size, kernel_size, strict=True)
            ]
        (top, bottom), (left, right) = margins
        even = top == bottom and left == right  # torch's own padding will do
        super().__init__(
            n_in,
            n_out,
            kernel_size,
            stride,
            (top, left) if even else 0,
            bias=bias,
            device=device,
        )
        self.margins = None if even else (left, right, top, bottom)
        self.out_size = (
            (size[0] + top + bottom - kernel_size[0]) // stride + 1,
            (size[1] + left + right - kernel_size[1]) // stride + 1,
        )

    def reset_parameters(self) -> None:
        """Draw torch's initial values, except on the meta device."""
        if not self.weight.is_meta:
            super().reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        if self.margins:
            x = functional.pad(x, self.margins)
        return super().forward(x)


def same_margins(length: int, kernel_size: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis that make the output ceil(length / stride)."""
    n_outputs = -(-length // stride)
    missing = max((n_outputs - 1) * stride + kernel_size - length, 0)
    return missing // 2, missing - missing // 2


class NormalizedConvolution(nn.Module):
    """Convolution, then batch normalization, or a bias where there is none.

    Parameters
    ----------
    n_in, n_out, size, kernel_size, stride, padding, device
        Those of `Convolution`.
    batch_norm : bool
        Whether the output is normalised: a channel at a time, over rows and positions
        (Ioffe and Szegedy 2015, section 3.2).
    bias : bool
        Whether there is a bias without `batch_norm`.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        size: Size,
        kernel_size: Size,
        stride: int = 1,
        padding: str = "same",
        batch_norm: bool = True,
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        bias = bias and not batch_norm
        self.convolution = Convolution(
            n_in, n_out, size, kernel_size, stride, padding, bias, device
        )
        self.norm = BatchNorm(n_out, device) if batch_norm else None

    @property
    def out_size(self) -> Size:
        """Height and width of the output."""
        return self.convolution.out_size

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Convolve maps; `row_weight` (batch, 1) is for batch normalization."""
        x = self.convolution(x)
        return x if self.norm is None else self.norm(x, row_weight)


class Residual(nn.Module):
    r"""Two convolutions added to what they start from (He et al. 2016, section 3).

    :math:`F_2(\phi(F_1(x))) + S(x)`: the stride is that of :math:`F_1`; the shortcut
    :math:`S` is the identity, or where channels or the stride differ a convolution of
    one position (option B of section 3.3 there). The activation of the sum is left to
    the block.

    Parameters
    ----------
    n_in, n_out, size, kernel_size, stride, batch_norm, device
        Those of `NormalizedConvolution`; its padding is "same".
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        size: Size,
        kernel_size: Size,
        stride: int = 1,
        batch_norm: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        shared = {"batch_norm": batch_norm, "device": device}
        self.first = NormalizedConvolution(
            n_in, n_out, size, kernel_size, stride, **shared
        )
        self.second = NormalizedConvolution(
            n_out, n_out, self.first.out_size, kernel_size, **shared
        )
        self.shortcut = None
        if n_in != n_out or stride > 1:  # the second convolution has the sum's bias
            self.shortcut = NormalizedConvolution(
                n_in, n_out, size, (1, 1), stride, bias=False, **shared
            )
        self.activation: nn.Module = nn.Identity()

    @property
    def out_size(self) -> Size:
        """Height and width of the output."""
        return self.second.out_size

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """The sum; `row_weight` (batch, 1) is for batch normalization."""
        change = self.first(x, row_weight)
        change = self.second(self.activation(change), row_weight)
        if self.shortcut is not None:
            x = self.shortcut(x, row_weight)
        return change + x


class Pooling(nn.Module):
    """Largest value or mean of each window of a map (Goodfellow et al., section 9.3).

    Windows do not overlap. They are clipped to the axis where it is shorter; positions
    at the end that do not fill a window are left out.

    Parameters
    ----------
    kind : {"max", "mean"}
        What is taken of a window.
    pool_size : int
        Positions of a window along each axis.
    size : (int, int)
        Height and width of the input.

    Attributes
    ----------
    out_size : (int, int)
        Height and width of the output.
    """

    def __init__(self, kind: str, pool_size: int, size: Size) -> None:
        super().__init__()
        self.kind = kind
        self.window = min(pool_size, size[0]), min(pool_size, size[1])
        self.out_size = size[0] // self.window[0], size[1] // self.window[1]

    def forward(self, x: Tensor) -> Tensor:
        if self.window == (1, 1):
            return x
        if self.kind == "max":
            return functional.max_pool2d(x, self.window)
        return functional.avg_pool2d(x, self.window)

    def extra_repr(self) -> str:
        """Return kind and window for the module's representation."""
        return f"{self.kind}, {self.window}"


class ConvBlock(nn.Module):
    """Convolution, activation, pooling and dropout: one layer of a network.

    Parameters
    ----------
    body : NormalizedConvolution or Residual
        What comes before the activation.
    pooling : Pooling
        What comes after it.
    """

    def __init__(self, body: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.body, self.pooling = body, pooling
        self.dropout = ChannelDropout(0.0)
        self.set_activation("identity")

    def set_activation(self, name: str) -> None:
        """Let the block have the activation of that name."""
        self.activation = ACTIVATIONS[name]()
        self.pools_first = self.pooling.kind == "max" and name in MONOTONE
        if isinstance(self.body, Residual):
            self.body.activation = self.activation

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Maps of maps; `row_weight` (batch, 1) is for batch normalization."""
        x = self.body(x, row_weight)
        if self.pools_first:  # the same values, of which the activation sees fewer
            x = self.activation(self.pooling(x))
        else:
            x = self.pooling(self.activation(x))
        return self.dropout(x)
