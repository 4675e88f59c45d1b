"""Generator and discriminator (Goodfellow et al., section 20.10.4).

Both see rows of the data's own units from outside. Between themselves they speak of
features scaled to [-1, 1], which a hyperbolic tangent can give.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._gan_conv import LogitOfImage, MapsFromRow
from sknn.modules._mlp import MLP


class Range(nn.Module):
    r"""Features between two bounds, and the same between -1 and 1.

    Parameters
    ----------
    n_features : int
        Entries of a row.
    device : torch.device or str, optional
        Where the buffers are made.

    Attributes
    ----------
    low, high, middle, radius, inverse : tensors of shape (n_features,)
        Bounds of each feature, their middle, half the width between them, and one over
        that, which is 0 for a feature that is constant.
    has_constants : bool
        Whether any feature is.
    """

    low: Tensor
    high: Tensor
    middle: Tensor
    radius: Tensor
    inverse: Tensor

    def __init__(
        self, n_features: int, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        for name in ("low", "high", "middle", "radius", "inverse"):
            self.register_buffer(name, torch.ones(n_features, device=device))
        self.has_constants = False

    @torch.no_grad()
    def set_bounds(self, low: Tensor, high: Tensor) -> None:
        """Scale features whose bounds are these, in float64, from now on."""
        radius = (high - low) / 2
        self.low.copy_(low)
        self.high.copy_(high)
        self.middle.copy_(low + radius)
        self.radius.copy_(radius)
        inverse = 1 / self.radius  # of the buffers' type, for which it may be too large
        self.inverse.copy_(inverse.nan_to_num(0.0, posinf=0.0))
        self.has_constants = not bool(self.inverse.all())

    def scale(self, x: Tensor) -> Tensor:
        """Rows (batch, features) with every feature in [-1, 1]."""
        return (x - self.middle) * self.inverse

    def unscale(self, scaled: Tensor) -> Tensor:
        """Rows in the data's units, within the bounds."""
        rows = torch.addcmul(self.middle, scaled, self.radius)  # may round past them
        return rows.clamp(self.low, self.high)

    def zero_constants(self, scaled: Tensor) -> Tensor:
        """Scaled rows whose constant features are what `scale` makes of them, 0."""
        return scaled * (self.inverse != 0) if self.has_constants else scaled


class Conditioned(nn.Module):
    """Network with a range of its features that may be told the class of each row.

    Parameters
    ----------
    body : torch.nn.Module
        What it consists of.
    n_features : int
        Entries of a row.
    n_classes : int
        Classes; 0 for a network that is told none.
    device : torch.device or str, optional
        Where the buffers are made.
    """

    def __init__(
        self,
        body: nn.Module,
        n_features: int,
        n_classes: int = 0,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.n_classes, self.body = n_classes, body
        self.range = Range(n_features, device)

    def set_activation(self, name: str) -> None:
        """Let the hidden layers have the activation of that name."""
        self.body.set_activation(name)

    def encode(self, codes: Tensor | None, dtype: torch.dtype) -> Tensor | None:
        """One-hot rows (batch, classes) of class codes (batch,), or None."""
        if not self.n_classes:
            return None
        if codes is None:
            raise ValueError(
                f"codes must be given to a network of {self.n_classes} classes."
            )
        return functional.one_hot(codes, self.n_classes).to(dtype)


class Generator(Conditioned):
    """Rows from noise, of given classes where it is conditional.

    The class enters one-hot beside the noise (Mirza and Osindero 2014).

    Parameters
    ----------
    body : torch.nn.Module
        Maps (batch, latent_dim + n_classes) to (batch, n_features).
    latent_dim : int
        Entries of the noise.
    n_features, n_classes, device
        Those of `Conditioned`.
    """

    def __init__(
        self,
        body: nn.Module,
        latent_dim: int,
        n_features: int,
        n_classes: int = 0,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(body, n_features, n_classes, device)
        self.latent_dim = latent_dim

    def make(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Scaled rows for noise (batch, latent_dim) and one-hot classes."""
        return self.range.zero_constants(torch.tanh(self.body(join(noise, condition))))

    def forward(self, noise: Tensor, codes: Tensor | None = None) -> Tensor:
        """Rows in the data's units for noise and class codes (batch,)."""
        return self.range.unscale(self.make(noise, self.encode(codes, noise.dtype)))


class Discriminator(Conditioned):
    """Logit that a row is real rather than generated, given its class if conditional.

    Parameters
    ----------
    body : torch.nn.Module
        Maps scaled rows, beside one-hot classes, (batch, n_features + n_classes) to
        (batch, 1).
    n_features, n_classes, device
        Those of `Conditioned`.
    """

    def judge(self, scaled: Tensor, condition: Tensor | None = None) -> Tensor:
        """Logits (batch, 1) of scaled rows and one-hot classes."""
        return self.body(join(scaled, condition))

    def forward(self, x: Tensor, codes: Tensor | None = None) -> Tensor:
        """Logits (batch, 1) of rows in the data's units and class codes (batch,)."""
        return self.judge(self.range.scale(x), self.encode(codes, x.dtype))


def join(x: Tensor, condition: Tensor | None) -> Tensor:
    """Columns of both, where there is a condition."""
    return x if condition is None else torch.cat([x, condition], 1)


def make_generator(
    latent_dim: int,
    layer_sizes: Sequence[int],
    n_features: int,
    n_classes: int = 0,
    activation: str = "leaky_relu",
    image_shape: Sequence[int] | None = None,
    device: torch.device | str | None = None,
) -> Generator:
    """Generator of rows, or of images channels last, by the sizes of its layers.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import make_generator
    >>> net = make_generator(16, [32], n_features=64, n_classes=10)
    >>> net(torch.randn(5, 16), torch.arange(5)).shape
    torch.Size([5, 64])
    """
    n_inputs = latent_dim + n_classes
    body: nn.Module
    if image_shape is None:
        body = MLP([n_inputs, *layer_sizes, n_features], activation, device)
    else:
        body = MapsFromRow(n_inputs, image_shape, layer_sizes, activation, device)
    return Generator(body, latent_dim, n_features, n_classes, device)


def make_discriminator(
    layer_sizes: Sequence[int],
    n_features: int,
    n_classes: int = 0,
    activation: str = "leaky_relu",
    image_shape: Sequence[int] | None = None,
    device: torch.device | str | None = None,
) -> Discriminator:
    """Discriminator of rows, or of images channels last, by the sizes of its layers."""
    body: nn.Module
    if image_shape is None:
        body = MLP([n_features + n_classes, *layer_sizes, 1], activation, device)
    else:
        body = LogitOfImage(image_shape, layer_sizes, n_classes, activation, device)
    return Discriminator(body, n_features, n_classes, device)
