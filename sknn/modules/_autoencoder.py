"""Autoencoders (Goodfellow, Bengio and Courville, chapter 14 and section 20.10.3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._conv_autoencoder import ConvDecoder, ConvEncoder
from sknn.modules._corruption import Corruption
from sknn.modules._mlp import MLP

# log-variance that codes stay below; that of the standard normal distribution is 0
MOST_LOG_VARIANCE = 2.0


class EncoderDecoder(nn.Module):
    """An encoder, and a decoder that is its mirror image.

    Parameters
    ----------
    n_features : int
        Columns of the inputs, and of the outputs.
    n_components : int
        Entries of the code.
    hidden_sizes : sequence of int
        Units of the encoder's hidden layers.
    n_encoded : int
        Outputs of the encoder; None is `n_components`.
    input_shape : sequence of int, optional
        (t, c) or (h, w, c) that the columns are read as, with convolutions; None has
        fully connected layers alone.
    conv_channels : sequence of int
        Channels of the encoder's convolutions.
    activation : str
        Name of the activation of all layers but the code and the output, one of
        `MLP`'s.
    dropout : sequence of float, optional
        Rate of each of the encoder's layers before the code, and of the decoder's in
        the reverse order.
    batch_norm : bool
        Whether these layers are normalised, before the activation.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    encoder, decoder : MLP, or ConvEncoder and ConvDecoder
        Both halves.
    row_penalty : tensor of shape (batch,) or None
        What the last training step adds to the loss of each row, to be taken by
        whoever minimises it.
    """

    row_penalty: Tensor | None

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden_sizes: Sequence[int] = (128,),
        *,
        n_encoded: int | None = None,
        input_shape: Sequence[int] | None = None,
        conv_channels: Sequence[int] = (16, 32),
        activation: str = "relu",
        dropout: Sequence[float] = (),
        batch_norm: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.n_components, self.batch_norm = n_components, batch_norm
        self.row_penalty = None
        inner = [*hidden_sizes, n_encoded or n_components]
        outer = [n_components, *hidden_sizes[::-1]]
        options = {"batch_norm": batch_norm, "device": device}
        if input_shape is None:
            self.encoder = MLP([n_features, *inner], **options)
            self.decoder = MLP([*outer, n_features], **options)
        else:
            channels = list(conv_channels)
            self.encoder = ConvEncoder(input_shape, inner, channels, **options)
            self.decoder = ConvDecoder(input_shape, outer, channels, **options)
        self.set_dropout(dropout)
        self.set_activation(activation)

    @property
    def has_batch_norm(self) -> bool:
        """Whether rows depend on their batch in training, and on its rows' weights."""
        is_flat = isinstance(self.encoder, MLP)
        return self.batch_norm and not (is_flat and len(self.encoder.layers) == 1)

    def set_activation(self, name: str) -> None:
        """Let both halves have the activation of that name."""
        self.activation_name = name
        self.encoder.set_activation(name)
        self.decoder.set_activation(name)

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let the encoder have dropout of these rates, and the decoder its mirror's."""
        rates = list(rates)
        self.encoder.set_dropout(rates)
        self.decoder.set_dropout(rates[::-1])

    def decode(self, code: Tensor) -> Tensor:
        """Raw outputs (batch, features) of codes (batch, components)."""
        return self.decoder(code)


class AutoencoderNet(EncoderDecoder):
    r"""Autoencoder :math:`g(f(\tilde x))` with a linear code.

    Parameters
    ----------
    n_features, n_components, hidden_sizes, **options
        Those of `EncoderDecoder`.
    tied_weights : bool
        Whether the decoder's weights are the encoder's, transposed. Its biases are its
        own.
    corruption : float
        How much the inputs are changed in training.
    corruption_kind : {"gaussian", "masking"}
        What that is: see `Corruption`.
    activity_l1 : float
        Factor of a code's L1 norm in `row_penalty` (Goodfellow et al., section 14.2.1).

    Notes
    -----
    ``forward`` maps (batch, features) to raw outputs of that shape: the output
    activation belongs to the loss.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import AutoencoderNet
    >>> net = AutoencoderNet(63, 2, (16,), input_shape=(7, 9, 1))
    >>> net.encode(torch.zeros(5, 63)).shape, net(torch.zeros(5, 63)).shape
    (torch.Size([5, 2]), torch.Size([5, 63]))
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden_sizes: Sequence[int] = (128,),
        *,
        tied_weights: bool = False,
        corruption: float = 0.0,
        corruption_kind: str = "gaussian",
        activity_l1: float = 0.0,
        **options,
    ) -> None:
        super().__init__(n_features, n_components, hidden_sizes, **options)
        self.corruption = Corruption(corruption, corruption_kind)
        self.activity_l1 = activity_l1
        if tied_weights:
            tie(self.decoder, self.encoder)

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, components) of inputs (batch, features)."""
        return self.encoder(x)

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        code = self.encoder(self.corruption(x), row_weight)
        if self.training and self.activity_l1:
            self.row_penalty = self.activity_l1 * code.abs().sum(1)
        return self.decoder(code, row_weight)


class VariationalNet(EncoderDecoder):
    r"""Variational autoencoder with normal codes (Kingma and Welling 2014).

    The encoder gives mean and log-variance of :math:`q(z \mid x)`. In training a code
    is drawn from it by the reparameterization :math:`z = \mu + \sigma \odot \epsilon`
    (Goodfellow et al., sections 20.9 and 20.10.3), and in evaluation it is the mean.
    The log-variance bends below 2: else the first codes of rows with large values
    overflow. Larger ones the divergence from the prior's, 0, would not let stand.

    Parameters
    ----------
    n_features, n_components, hidden_sizes, **options
        Those of `EncoderDecoder`.
    beta : float
        Factor of :math:`D_{KL}(q(z \mid x) \| p(z))` in `row_penalty`.

    Notes
    -----
    ``forward`` maps (batch, features) to raw outputs of that shape: the output
    activation belongs to the loss.
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden_sizes: Sequence[int] = (128,),
        *,
        beta: float = 1.0,
        **options,
    ) -> None:
        options["n_encoded"] = 2 * n_components
        super().__init__(n_features, n_components, hidden_sizes, **options)
        self.beta = beta
        self.noise = NormalNoise()

    def encode(self, x: Tensor) -> Tensor:
        """Mean codes (batch, components) of inputs (batch, features)."""
        return self.encode_distribution(x)[0]

    def encode_distribution(
        self, x: Tensor, row_weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes, each (batch, components)."""
        mean, unbounded = self.encoder(x, row_weight).chunk(2, 1)
        below = functional.softplus(MOST_LOG_VARIANCE - unbounded)
        return mean, MOST_LOG_VARIANCE - below

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        code, log_variance = self.encode_distribution(x, row_weight)
        if self.training:
            self.row_penalty = self.beta * normal_divergence(code, log_variance)
            code = code + torch.exp(0.5 * log_variance) * self.noise(code)
        return self.decoder(code, row_weight)


class NormalNoise(nn.Module):
    """Standard normal numbers.

    Attributes
    ----------
    generator : torch.Generator or None
        Source of the draws, on the CPU; None takes them from torch's global one.
    """

    generator: torch.Generator | None

    def __init__(self) -> None:
        super().__init__()
        self.generator = None

    def forward(self, like: Tensor) -> Tensor:
        """Numbers with the shape, type and device of `like`."""
        noise = torch.randn(like.shape, dtype=like.dtype, generator=self.generator)
        return noise.to(like.device)


def normal_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Divergence of normal codes from standard normal ones, in nats: (batch,).

    :math:`\frac12 \sum_j \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2` (Kingma and
    Welling 2014, appendix B).
    """
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return 0.5 * terms.sum(1)


class TiedLinear(nn.Module):
    """Linear layer whose weights are another one's, transposed.

    Parameters
    ----------
    source : torch.nn.Linear
        Layer whose weights are used, also after they have been replaced.
    bias : torch.nn.Parameter or None
        Bias of its own.
    """

    bias: Tensor | None

    def __init__(self, source: nn.Linear, bias: nn.Parameter | None) -> None:
        super().__init__()
        self._source = (source,)  # not a part of this layer
        self.register_parameter("bias", bias)
        self.in_features, self.out_features = source.out_features, source.in_features

    @property
    def weight(self) -> Tensor:
        """Weights (out_features, in_features)."""
        return self._source[0].weight.t()

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)


def tie(decoder: MLP, encoder: MLP) -> None:
    """Let the layers of a decoder have the weights of an encoder, its mirror image."""
    decoder.layers = nn.ModuleList(
        TiedLinear(source, own.bias)
        for own, source in zip(decoder.layers, reversed(encoder.layers), strict=True)
    )
