"""Recurrent network over sequences (Goodfellow, Bengio and Courville, chapter 10)."""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from sknn.modules._companions import Companions, place_beside
from sknn.modules._dropout import Dropout
from sknn.modules._mlp import Linear
from sknn.modules._recurrent_layer import RecurrentBlock
from sknn.modules._sequence_net import SequenceNet
from sknn.modules._steps import POOLINGS, find_reversal, take_last


class RecurrentNet(SequenceNet):
    """Stacked recurrent layers, their states pooled over the steps, an output layer.

    Parameters
    ----------
    n_channels : int or None
        Numbers of a step; unused where steps are tokens.
    n_outputs : int
        Raw outputs.
    hidden_layer_sizes : sequence of int
        Units of each recurrent layer, at least one, in each direction.
    cell : {"lstm", "gru", "rnn"}
        Kind of the units.
    bidirectional : bool
        Whether each layer has another beside it that reads from the end.
    pooling : {"last", "mean", "max"} or None
        What is taken of the last layer's states: the one after all steps, in either
        direction, or the mean or the largest of all. None takes all: outputs are those
        of each step, sequence after sequence.
    dropout : sequence of float, optional
        Rate of each layer's outputs (Zaremba et al. 2014); those of the last are
        pooled before that, as averaging would undo it.
    n_tokens : int, optional
        Size of the vocabulary where steps are tokens, row 0 included, which stands
        for unseen ones.
    embedding_dim : int, optional
        Entries of a token's vector; None: as many as the first layer has units.
    n_letters, letter_dim : int, optional
        Size of the alphabet and entries of a letter's vector where tokens are spelled.
    companions : bool
        Whether every layer but the last has an output of its own in training, which
        reads its states as the network's own reads the last ones.
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
        Recurrent layers.
    dropouts : torch.nn.ModuleList
        Dropout of each layer.
    output : torch.nn.Linear
        Output layer.
    companions : Companions
        Outputs of layers, or nothing.

    Notes
    -----
    ``forward(x, lengths=None, letters=None)`` maps (batch, steps, channels) of any real
    type, or (batch, steps) tokens, or spelled ones as `SpelledEmbedding` takes them, to
    the raw outputs (batch, outputs). `lengths` (batch,), each at least 1, says where
    the padding begins, which has no influence; None: nowhere. In training the
    companions' raw outputs stand beside them, as further columns.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import RecurrentNet
    >>> net = RecurrentNet(3, 2, hidden_layer_sizes=(8, 4), bidirectional=True)
    >>> x, lengths = torch.zeros(5, 7, 3), torch.tensor([7, 2, 1, 5, 7])
    >>> net(x, lengths).shape, net.hidden(x, lengths).shape
    (torch.Size([5, 2]), torch.Size([5, 8]))
    """

    def __init__(
        self,
        n_channels: int | None,
        n_outputs: int,
        *,
        hidden_layer_sizes: Sequence[int] = (64,),
        cell: str = "lstm",
        bidirectional: bool = False,
        pooling: str | None = "last",
        dropout: Sequence[float] = (),
        n_tokens: int | None = None,
        embedding_dim: int | None = None,
        n_letters: int | None = None,
        letter_dim: int | None = None,
        companions: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(
            n_channels,
            n_tokens=n_tokens,
            embedding_dim=embedding_dim or hidden_layer_sizes[0],
            n_letters=n_letters,
            letter_dim=letter_dim,
            device=device,
        )
        n_inputs = self.n_entered
        self.bidirectional, self.pooling = bidirectional, pooling
        self.layers = nn.ModuleList()
        self.dropouts = nn.ModuleList(Dropout(0.0) for _ in hidden_layer_sizes)
        for n_units in hidden_layer_sizes:
            block = RecurrentBlock(cell, n_inputs, n_units, bidirectional, device)
            self.layers.append(block)
            n_inputs = n_units * (1 + bidirectional)
        self.output = Linear(n_inputs, n_outputs, device=device)
        sizes = hidden_layer_sizes[:-1] if companions else ()
        widths = [n_units * (1 + bidirectional) for n_units in sizes]
        self.companions = Companions(widths, n_outputs, device)
        self.set_dropout(dropout)

    def hidden_parts(self) -> list[list[nn.Module]]:
        """What each recurrent layer consists of, the entrance in the first."""
        first, *layers = ([layer] for layer in self.layers)
        return [[self.entrance, *first], *layers]

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let the layers have dropout of these rates, or of none."""
        rates = list(rates) or [0.0] * len(self.dropouts)
        for dropout, rate in zip(self.dropouts, rates, strict=True):
            dropout.rate = rate

    def encode(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """States of the last layer after each step, without its dropout.

        Returns
        -------
        Tensor of shape (batch, steps, n_features)
            Those of the padding are of no meaning.
        """
        return deque(self._states(x, lengths, letters), maxlen=1).pop()

    def hidden(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        """Pooled states of the last layer, (batch, n_features), or those of steps."""
        return self._read(-1, lengths, self.encode(x, lengths, letters))

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, letters: Tensor | None = None
    ) -> Tensor:
        others = []
        for k, states in enumerate(self._states(x, lengths, letters)):
            read = partial(self._read, k, lengths)
            others += self.companions.outputs(k, states, read)
        return place_beside(self.output(self._read(-1, lengths, states)), others)

    def _states(
        self, x: Tensor, lengths: Tensor | None, letters: Tensor | None
    ) -> Iterator[Tensor]:
        """Yield the states of every layer, without its dropout."""
        x = self.enter(x, lengths, letters)
        reversal = None
        if self.bidirectional and lengths is not None:
            reversal = find_reversal(lengths, x.shape[1])
        for number, layer in enumerate(self.layers):
            x = self.dropouts[number - 1](x) if number else x
            x = layer(x, reversal)
            yield x

    def _read(self, k: int, lengths: Tensor | None, states: Tensor) -> Tensor:
        """What an output reads of the states of layer number `k`: (batch, features)."""
        return self.dropouts[k](self._pool(states, lengths))

    def _pool(self, states: Tensor, lengths: Tensor | None) -> Tensor:
        """Take what `pooling` says; each direction ends at an end of its own."""
        if self.pooling != "last" or not self.bidirectional:
            return POOLINGS[self.pooling](states, lengths)
        ahead, back = states.chunk(2, -1)
        return torch.cat([take_last(ahead, lengths), back[:, 0]], -1)
