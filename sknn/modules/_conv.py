"""Convolutional network (Goodfellow, Bengio and Courville, chapter 9)."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from sknn.modules._augmentation import Augmentation
from sknn.modules._channel_scaling import ChannelScaling
from sknn.modules._companions import Companions, place_beside
from sknn.modules._conv_block import (
    ConvBlock,
    NormalizedConvolution,
    Pooling,
    Residual,
    Size,
)
from sknn.modules._mlp import MLP


class ConvNet(nn.Module):
    """Blocks of convolutions over a series or an image, then fully connected layers.

    Inputs are channels last, as arrays of images are. Within, they are seen as
    (batch, channels, height, width) without being moved in memory, a series as an image
    of height one: two-dimensional convolutions of channels last are the fastest.

    Parameters
    ----------
    input_shape : sequence of int
        (t, c) of series or (h, w, c) of images.
    layer_sizes : sequence of int
        Units of the fully connected layers: hidden ones, then the outputs.
    conv_channels : sequence of int
        Channels of each block.
    kernel_size : int
        Positions of a kernel along each axis.
    stride : int
        Positions from one place of a kernel to the next, along each axis.
    padding : {"same", "valid"}
        Whether zeros around the maps keep their size, which is then divided by the
        stride and rounded up, or there are none.
    pool_size : int or None
        Positions of a pooling window along each axis, clipped to what is left; those
        at the end that do not fill a window are left out. 1 or None: no pooling.
    pooling : {"max", "mean"}
        What is taken of a window.
    global_pooling : {"max", "mean"} or None
        What is taken of each channel before the fully connected layers; None keeps all
        positions.
    residual : bool
        Whether blocks are residual ones, of two convolutions; `padding` is "same" then.
    activation : str
        Name of the activation of blocks and hidden layers, one of `MLP`'s.
    dropout : sequence of float, optional
        Rate of each block, where whole channels are left out, then of each hidden
        layer.
    batch_norm : bool
        Whether blocks and hidden layers are normalised, before the activation. They
        then have the normalization's bias in place of their own.
    random_crop : int
        Largest random shift of a training row along each axis of positions; zeros come
        in, which after the scaling are the mean.
    horizontal_flip : bool
        Whether images are mirrored at random in training.
    companions : bool
        Whether every block and hidden layer but the last has an output of its own in
        training, which reads a block as the fully connected layers would.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    scaling : ChannelScaling
        What the raw inputs go through first.
    augmentation : Augmentation
        Random shifts and mirror images; its `generator` may be set.
    blocks : torch.nn.ModuleList
        Convolutional blocks.
    head : MLP
        Fully connected layers, with the companions of hidden ones.
    companions : Companions
        Outputs of blocks, or nothing.

    Raises
    ------
    ValueError
        Where a kernel without padding is larger than what reaches its layer, or where
        parameters contradict each other.

    Notes
    -----
    ``forward`` maps (batch, *input_shape), of any real type, to the raw outputs
    (batch, outputs): the output activation belongs to the loss. In training the
    companions' raw outputs stand beside them, as further columns.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import ConvNet
    >>> net = ConvNet((8, 8, 1), [10], conv_channels=(16, 32))
    >>> net(torch.zeros(5, 8, 8, 1, dtype=torch.uint8)).shape
    torch.Size([5, 10])
    >>> [maps.shape for maps in net.feature_maps(torch.zeros(5, 8, 8, 1))]
    [torch.Size([5, 4, 4, 16]), torch.Size([5, 2, 2, 32])]
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        layer_sizes: Sequence[int],
        *,
        conv_channels: Sequence[int] = (32, 64),
        kernel_size: int = 3,
        stride: int = 1,
        padding: str = "same",
        pool_size: int | None = 2,
        pooling: str = "max",
        global_pooling: str | None = None,
        residual: bool = False,
        activation: str = "relu",
        dropout: Sequence[float] = (),
        batch_norm: bool = True,
        random_crop: int = 0,
        horizontal_flip: bool = False,
        companions: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        *positions, n_channels = self.input_shape = tuple(input_shape)
        self.is_series = len(positions) == 1
        self.global_pooling, self.batch_norm = global_pooling, batch_norm
        self._check(residual, padding)
        kernel = (1 if self.is_series else kernel_size), kernel_size
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "batch_norm": batch_norm,
            "device": device,
        }
        make_body = partial(Residual, **options)
        if not residual:
            make_body = partial(NormalizedConvolution, padding=padding, **options)
        self.scaling = ChannelScaling(n_channels, device)
        self.augmentation = Augmentation(0, False)
        self.set_augmentation(random_crop, horizontal_flip)
        self.blocks = nn.ModuleList()
        size = (1, *positions) if self.is_series else tuple(positions)
        widths = [self._count_features(n_channels, size)]
        for n_in, n_out in pairwise([n_channels, *conv_channels]):
            if padding == "valid":
                self._check_kernel(kernel, size)
            body = make_body(n_in, n_out, size)
            pool = Pooling(pooling, pool_size or 1, body.out_size)
            self.blocks.append(ConvBlock(body, pool))
            size = pool.out_size
            widths.append(self._count_features(n_out, size))
        self.head = MLP(
            [widths[-1], *layer_sizes],
            device=device,
            batch_norm=batch_norm,
            companions=companions,
        )
        is_last = len(layer_sizes) == 1  # the last block is the last hidden layer
        supervised = widths[1 : len(widths) - is_last] if companions else ()
        self.companions = Companions(supervised, layer_sizes[-1], device)
        self.set_dropout(dropout)
        self.set_activation(activation)

    def set_augmentation(self, random_crop: int, horizontal_flip: bool) -> None:
        """Let training rows be shifted by so much, and mirrored, or not."""
        if horizontal_flip and self.is_series:
            raise ValueError(
                "horizontal_flip=True must have images, (h, w, c), to mirror: got "
                f"series with input_shape={self.input_shape}."
            )
        self.augmentation.random_crop = random_crop
        self.augmentation.horizontal_flip = horizontal_flip

    def _check(self, residual: bool, padding: str) -> None:
        """Refuse parameters that contradict each other."""
        if residual and padding != "same":
            raise ValueError(
                "padding must be 'same' with residual=True, where the input of a block "
                f"is added to its output: got {padding!r}."
            )

    def _check_kernel(self, kernel: Size, size: Size) -> None:
        """Refuse a kernel larger than the maps that reach the next block."""
        names = ("", "step") if self.is_series else ("row", "column")
        for name, length, n_positions in zip(names, kernel, size, strict=True):
            if length > n_positions:
                left = f"{n_positions} {name}s that reach"
                if n_positions == 1:
                    left = f"one {name} that reaches"
                raise ValueError(
                    f"kernel_size={length} must be at most the {left} "
                    f"convolutional layer {len(self.blocks) + 1}: an input "
                    f"of shape {self.input_shape} has no more left there. Have "
                    "padding='same', fewer layers, or a smaller kernel_size, stride or "
                    "pool_size."
                )

    @property
    def has_batch_norm(self) -> bool:
        """Whether rows depend on their batch in training, and on its rows' weights."""
        return self.batch_norm and len(self.blocks) + len(self.head.norms) > 0

    def hidden_parts(self) -> list[list[nn.Module]]:
        """What each block and hidden layer consists of; the first has the scaling."""
        parts = [*([block] for block in self.blocks), *self.head.hidden_parts()]
        if parts:
            parts[0].insert(0, self.scaling)
        return parts

    def set_activation(self, name: str) -> None:
        """Let the blocks and the hidden layers have the activation of that name."""
        self.activation_name = name
        for layer in (*self.blocks, self.head):
            layer.set_activation(name)

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let blocks, then hidden layers, have dropout of these rates, or of none."""
        n_blocks = len(self.blocks)
        rates = list(rates) or [0.0] * (n_blocks + len(self.head.layers) - 1)
        self.head.set_dropout(rates[n_blocks:])
        for block, rate in zip(self.blocks, rates[:n_blocks], strict=True):
            block.dropout.rate = rate

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Outputs of every block, (batch, t, channels) or (batch, h, w, channels)."""
        maps, x = [], self._enter(x)
        for block in self.blocks:
            x = block(x)
            of_block = x.permute(0, 2, 3, 1)
            maps.append(of_block.squeeze(1) if self.is_series else of_block)
        return maps

    def hidden(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Activations of the last hidden layer, or what the blocks give it."""
        x = self._enter(x)
        for block in self.blocks:
            x = block(x, row_weight)
        return self.head.hidden(self._flatten(x), row_weight)

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        x, others = self._enter(x), []
        for k, block in enumerate(self.blocks):
            x = block(x, row_weight)
            others += self.companions.outputs(k, x, self._flatten)
        return place_beside(self.head(self._flatten(x), row_weight), others)

    def _enter(self, x: Tensor) -> Tensor:
        """Scaled and augmented maps of raw inputs."""
        x = self.augmentation(self.scaling(x))
        x = x.unsqueeze(1) if self.is_series else x
        return x.permute(0, 3, 1, 2)  # (batch, channels, height, width)

    def _count_features(self, n_channels: int, size: Size) -> int:
        """How many numbers maps of that size give the fully connected layers."""
        return n_channels if self.global_pooling else size[0] * size[1] * n_channels

    def _flatten(self, x: Tensor) -> Tensor:
        """What maps give the fully connected layers: (batch, features)."""
        if self.global_pooling == "max":
            return x.amax((2, 3))
        if self.global_pooling == "mean":
            return x.mean((2, 3))
        return x.permute(0, 2, 3, 1).flatten(1)  # as they lie in memory
