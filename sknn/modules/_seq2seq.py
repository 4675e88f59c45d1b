"""Transformer that maps sequences of tokens to others (Vaswani et al. 2017)."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from sknn.modules._attention import DecoderState
from sknn.modules._decoder_layer import DecoderLayer
from sknn.modules._dropout import Dropout
from sknn.modules._embedding import Embedding
from sknn.modules._encoder_layer import EncoderLayer
from sknn.modules._mlp import Linear
from sknn.modules._positions import RotaryPositions, make_positions
from sknn.modules._steps import clear_padding, make_mask, take_all
from sknn.modules._transformer import check_sizes


class Seq2SeqNet(nn.Module):
    """An encoder of source tokens, and a decoder that goes on with target tokens.

    Parameters
    ----------
    n_source : int
        Size of the sources' vocabulary, token 0 included, which stands for unseen ones.
    n_target : int
        Size of the targets' vocabulary: 0 for unseen tokens, the known ones, and the
        two last, `begin` and `end`.
    d_model : int
        Features of a step within; a multiple of `n_heads`, with an even quotient for
        rotary positions.
    n_heads : int
        Heads of every attention.
    n_layers : int
        Layers of the encoder, and of the decoder.
    dim_feedforward : int, optional
        Units of their inner linear layer; None: four times `d_model`.
    positional_encoding : {"sinusoidal", "learned", "rotary"} or None
        How steps know their position, as in `TransformerNet`. Rotary positions are not
        for the attention to the source, whose steps are none of the target's.
    activation : str
        Name of the activation between linear layers, one of `MLP`'s.
    norm_first : bool
        Whether layers normalise their inputs, and a last normalization follows (Xiong
        et al. 2020), rather than their sums, as at first.
    dropout : float
        Rate of the embedded steps, and of every attention's and every second linear
        layer's outputs.
    max_length : int, optional
        Positions, of sources and of targets, that have a learned vector of their own;
        those beyond have the last one's. Needed for learned positions, and unused for
        others.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    begin, end : int
        Target tokens that a decoder's inputs begin with, and its outputs end with.
    encoder_layers, decoder_layers : torch.nn.ModuleList
        Layers.
    output : torch.nn.Linear
        Output layer, an output for each target token, `begin` and 0 included.

    Raises
    ------
    ValueError
        Where `d_model` cannot be shared by the heads, or learned positions have no
        `max_length`.

    Notes
    -----
    ``forward(x, lengths=None, *, y, y_lengths=None)`` maps sources (batch, steps) and
    the decoder's inputs `y` (batch, target steps), `begin` first, to raw outputs of
    every step's next token, without the padding and sequence after sequence:
    (sum of `y_lengths`, n_target). Lengths (batch,), each at least 1, say where the
    padding begins, which has no influence; None: nowhere.

    `start`, `advance` and the state's ``select`` decode step by step.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import Seq2SeqNet
    >>> net = Seq2SeqNet(9, 8, d_model=16, n_heads=2)
    >>> x, lengths = torch.ones(3, 5, dtype=torch.long), torch.tensor([5, 2, 4])
    >>> y, y_lengths = torch.tensor([[6, 1, 2, 3]] * 3), torch.tensor([2, 4, 1])
    >>> net(x, lengths, y=y, y_lengths=y_lengths).shape
    torch.Size([7, 8])
    >>> state = net.start(net.encode(x, lengths), lengths)
    >>> net.advance(state, torch.tensor([6, 6, 6])).shape
    torch.Size([3, 8])
    >>> state.select(torch.tensor([0, 0, 2]))  # two continuations of the first source
    >>> net.advance(state, torch.tensor([1, 2, 1])).shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        dim_feedforward: int | None = None,
        positional_encoding: str | None = "sinusoidal",
        activation: str = "relu",
        norm_first: bool = True,
        dropout: float = 0.0,
        max_length: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        check_sizes(d_model, n_heads, positional_encoding, max_length)
        super().__init__()
        self.begin, self.end = n_target - 2, n_target - 1
        make_embedding = partial(
            Embedding, dim=d_model, scale=math.sqrt(d_model), device=device
        )
        make_own_positions = partial(
            make_positions, positional_encoding, d_model, max_length, device
        )
        options = {
            "activation": activation,
            "norm_first": norm_first,
            "dropout": dropout,
            "rotary": RotaryPositions() if positional_encoding == "rotary" else None,
            "device": device,
        }
        sizes = d_model, n_heads, dim_feedforward or 4 * d_model
        make_norm = partial(nn.LayerNorm, d_model, device=device)
        self.dropout = Dropout(dropout)
        self.source_embedding = make_embedding(n_source)
        self.source_positions = make_own_positions()
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(*sizes, **options) for _ in range(n_layers)
        )
        self.encoder_norm = make_norm() if norm_first else nn.Identity()
        self.target_embedding = make_embedding(n_target)
        self.target_positions = make_own_positions()
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(*sizes, **options) for _ in range(n_layers)
        )
        self.decoder_norm = make_norm() if norm_first else nn.Identity()
        self.output = Linear(d_model, n_target, device=device)

    def set_dropout(self, rate: float) -> None:
        """Let all dropout have this rate."""
        for module in self.modules():
            if isinstance(module, Dropout):
                module.rate = rate

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Outputs of the encoder, normalised: what the decoder looks at.

        Returns
        -------
        Tensor of shape (batch, steps, d_model)
            Those of the padding are of no meaning.
        """
        mask = make_mask(lengths, x.shape[1])
        x = self.source_embedding(clear_padding(x, lengths))
        x = self.dropout(self.source_positions(x))
        for layer in self.encoder_layers:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def _embed_target(self, y: Tensor, y_lengths: Tensor | None) -> Tensor:
        """What the decoder's first layer takes, (batch, target steps, d_model)."""
        y = self.target_embedding(clear_padding(y, y_lengths))
        return self.dropout(self.target_positions(y))

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        *,
        y: Tensor,
        y_lengths: Tensor | None = None,
    ) -> Tensor:
        memory, mask = self.encode(x, lengths), make_mask(lengths, x.shape[1])
        hidden = self._embed_target(y, y_lengths)
        for layer in self.decoder_layers:
            hidden = layer(hidden, memory, mask)
        return self.output(self.decoder_norm(take_all(hidden, y_lengths)))

    def attention_weights(
        self,
        x: Tensor,
        lengths: Tensor | None,
        y: Tensor,
        y_lengths: Tensor | None = None,
    ) -> Tensor:
        """How much each target step looks at each source step, in every head.

        Returns
        -------
        Tensor of shape (batch, n_layers, n_heads, target steps, source steps)
            Rows sum to 1; source steps in the padding have 0. Rows of target steps in
            the padding are of no meaning.
        """
        memory, mask = self.encode(x, lengths), make_mask(lengths, x.shape[1])
        hidden = self._embed_target(y, y_lengths)
        weights = []
        for layer in self.decoder_layers:
            weights.append(layer.attention_weights(hidden, memory, mask))
            hidden = layer(hidden, memory, mask)
        return torch.stack(weights, 1)

    @torch.no_grad()
    def start(self, memory: Tensor, lengths: Tensor | None = None) -> DecoderState:
        """Make the state of targets without any step, one row a sequence.

        Parameters
        ----------
        memory : Tensor of shape (batch, source steps, d_model)
            What `encode` has returned.
        lengths : Tensor of shape (batch,), optional
            Steps of the sources.
        """
        projected = [
            torch.stack(layer.cross_attention.project_memory(memory))
            for layer in self.decoder_layers
        ]
        return DecoderState(torch.stack(projected), make_mask(lengths, memory.shape[1]))

    @torch.no_grad()
    def advance(self, state: DecoderState, tokens: Tensor) -> Tensor:
        """Take one step: raw outputs of what follows the tokens (rows,).

        `state` takes the step too; nothing can be differentiated.

        Returns
        -------
        Tensor of shape (rows, n_target)
            The same as those of `forward` at this step.
        """
        x = self.target_embedding(tokens)  # (rows, d_model)
        n_steps = 1 << state.n_steps.bit_length()  # few different ones, as in turn_at
        first = self.target_positions(x.new_zeros(1, n_steps, x.shape[1]))
        x = self.dropout(x + first[0, state.n_steps])
        state.begin_step()
        for k, layer in enumerate(self.decoder_layers):
            x = layer.step(x, state, k)
        state.n_steps += 1
        return self.output(self.decoder_norm(x))
