"""Transformer encoder over sequences (Vaswani et al. 2017)."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from sknn.modules._dropout import Dropout
from sknn.modules._encoder_layer import EncoderLayer
from sknn.modules._mlp import Linear
from sknn.modules._positions import RotaryPositions, make_positions
from sknn.modules._sequence_net import SequenceNet
from sknn.modules._steps import POOLINGS, make_mask


class TransformerNet(SequenceNet):
    """Encoder layers over embedded steps, their outputs pooled, an output layer.

    Parameters
    ----------
    n_channels : int or None
        Numbers of a step; unused where steps are tokens.
    n_outputs : int
        Raw outputs.
    d_model : int
        Features of a step within; a multiple of `n_heads`, with an even quotient for
        rotary positions.
    n_heads : int
        Heads of each layer's attention.
    n_layers : int
        Encoder layers.
    dim_feedforward : int, optional
        Units of their inner linear layer; None: four times `d_model`.
    positional_encoding : {"sinusoidal", "learned", "rotary"} or None
        How steps know their position: vectors added to them (Vaswani et al. 2017,
        section 3.5), or queries and keys turned in each layer (Su et al. 2021); None:
        sequences are sets.
    pooling : {"mean", "cls", "max"} or None
        Mean or largest value over the steps, or what becomes of a learned vector put
        in front of them (Devlin et al. 2019). None pools nothing: outputs are those of
        each step, sequence after sequence.
    activation : str
        Name of the activation between linear layers, one of `MLP`'s.
    norm_first : bool
        Whether layers normalise their inputs, and a last normalization follows (Xiong
        et al. 2020), rather than their sums, as at first.
    dropout : float
        Rate of the embedded steps, and of every attention's and every second linear
        layer's outputs.
    max_length : int, optional
        Positions that have a learned vector of their own; those beyond have the last
        one's. Needed for learned positions, and unused for others.
    n_tokens : int, optional
        Size of the vocabulary where steps are tokens, row 0 included, which stands
        for unseen ones.
    n_letters, letter_dim : int, optional
        Size of the alphabet and entries of a letter's vector where tokens are spelled.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    scaling : ChannelScaling
        What numbers go through first; or
    embedding : Embedding or SpelledEmbedding
        what makes vectors of tokens.
    layers : torch.nn.ModuleList
        Encoder layers.
    output : torch.nn.Linear
        Output layer.

    Raises
    ------
    ValueError
        Where `d_model` cannot be shared by the heads, or learned positions have no
        `max_length`.

    Notes
    -----
    ``forward(x, lengths=None, letters=None)`` maps (batch, steps, channels) of any real
    type, or (batch, steps) tokens, or spelled ones as `SpelledEmbedding` takes them, to
    the raw outputs (batch, outputs). `lengths` (batch,), each at least 1, says where
    the padding begins, which has no influence; None: nowhere.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import TransformerNet
    >>> net = TransformerNet(3, 2, d_model=16, n_heads=2)
    >>> x, lengths = torch.zeros(5, 7, 3), torch.tensor([7, 2, 1, 5, 7])
    >>> net(x, lengths).shape, net.hidden(x, lengths).shape
    (torch.Size([5, 2]), torch.Size([5, 16]))
    >>> net.attention_weights(x, lengths).shape  # (batch, layers, heads, steps, steps)
    torch.Size([5, 2, 2, 7, 7])
    """

    def __init__(
        self,
        n_channels: int | None,
        n_outputs: int,
        *,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        dim_feedforward: int | None = None,
        positional_encoding: str | None = "sinusoidal",
        pooling: str | None = "mean",
        activation: str = "relu",
        norm_first: bool = True,
        dropout: float = 0.0,
        max_length: int | None = None,
        n_tokens: int | None = None,
        n_letters: int | None = None,
        letter_dim: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        check_sizes(d_model, n_heads, positional_encoding, max_length)
        super().__init__(
            n_channels,
            n_tokens=n_tokens,
            embedding_dim=d_model,
            embedding_scale=math.sqrt(d_model),
            n_letters=n_letters,
            letter_dim=letter_dim,
            device=device,
        )
        self.pooling = pooling
        self.projection = nn.Identity()
        if n_tokens is None or n_letters is not None:
            self.projection = Linear(self.n_entered, d_model, device=device)
        self.positions = make_positions(
            positional_encoding, d_model, max_length, device
        )
        self.class_vector = None
        if pooling == "cls":
            self.class_vector = nn.Parameter(torch.empty(d_model, device=device))
        self.dropout = Dropout(dropout)
        make_layer = partial(
            EncoderLayer,
            d_model,
            n_heads,
            dim_feedforward or 4 * d_model,
            activation=activation,
            norm_first=norm_first,
            dropout=dropout,
            rotary=RotaryPositions() if positional_encoding == "rotary" else None,
            device=device,
        )
        self.layers = nn.ModuleList(make_layer() for _ in range(n_layers))
        self.norm = nn.Identity()
        if norm_first:
            self.norm = nn.LayerNorm(d_model, device=device)
        self.output = Linear(d_model, n_outputs, device=device)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the learned vector in front, except on the meta device."""
        if self.class_vector is not None and not self.class_vector.is_meta:
            self.class_vector.normal_(std=0.02)

    def hidden_parts(self) -> list[list[nn.Module]]:
        """What each layer consists of, what comes before or after included."""
        vectors = [] if self.class_vector is None else [self.class_vector]
        parts = [[layer] for layer in self.layers]
        parts[0] = [
            self.entrance,
            self.projection,
            self.positions,
            nn.ParameterList(vectors),
            *parts[0],
        ]
        parts[-1].append(self.norm)
        return parts

    def set_dropout(self, rate: float) -> None:
        """Let all dropout have this rate."""
        for module in self.modules():
            if isinstance(module, Dropout):
                module.rate = rate

    def _embed(
        self, x: Tensor, lengths: Tensor | None, letters: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """What the first layer takes, and the mask of what may be looked at."""
        x = self.positions(self.projection(self.enter(x, lengths, letters)))
        if self.class_vector is not None:
            front = self.class_vector.expand(len(x), 1, -1)
            x = torch.cat([front, x], 1)  # (batch, 1 + steps, d_model)
            lengths = None if lengths is None else lengths + 1
        return self.dropout(x), make_mask(lengths, x.shape[1])

    def encode(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """Outputs of the last layer, normalised.

        Returns
        -------
        Tensor of shape (batch, steps, d_model)
            Those of the padding are of no meaning. With ``pooling="cls"`` a step of
            the learned vector is in front.
        """
        x, mask = self._embed(x, lengths, letters)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)

    def hidden(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """Pooled outputs of the last layer, (batch, d_model), or those of all steps."""
        x = self.encode(x, lengths, letters)
        if self.pooling == "cls":
            return x[:, 0]
        return POOLINGS[self.pooling](x, lengths)

    def attention_weights(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """How much each step looks at each, in every head of every layer.

        Returns
        -------
        Tensor of shape (batch, n_layers, n_heads, steps, steps)
            Rows are queries and sum to 1; keys in the padding have 0. With
            ``pooling="cls"`` a step of the learned vector is in front.
        """
        x, mask = self._embed(x, lengths, letters)
        weights = []
        for layer in self.layers:
            weights.append(layer.attention_weights(x, mask))
            x = layer(x, mask)
        return torch.stack(weights, 1)


def check_sizes(
    d_model: int,
    n_heads: int,
    positional_encoding: str | None,
    max_length: int | None,
) -> None:
    """Refuse features that heads cannot share, and learned positions of no number."""
    if d_model % n_heads:
        raise ValueError(f"d_model={d_model} must be divisible by n_heads={n_heads}.")
    if positional_encoding == "rotary" and d_model // n_heads % 2:
        raise ValueError(
            f"d_model={d_model} must be divisible by n_heads={n_heads} with an even "
            "quotient when positional_encoding='rotary', which turns pairs."
        )
    if positional_encoding == "learned" and max_length is None:
        raise ValueError(
            "max_length must be an int when positional_encoding='learned', got None."
        )
