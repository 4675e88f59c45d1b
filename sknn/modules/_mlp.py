"""Multi-layer perceptron (Goodfellow, Bengio and Courville, chapter 6)."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._batch_norm import BatchNorm
from sknn.modules._companions import Companions, place_beside
from sknn.modules._dropout import Dropout
from sknn.modules._linear import Linear


class MLP(nn.Module):
    """Fully connected layers with one activation between them.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units of every layer, the input's first and the output's last.
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", \
            "gelu", "silu", "mish", "softplus", "sign"}
        Name of the hidden layers' activation.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.
    dropout : sequence of float, optional
        Rate of each hidden layer's dropout, after the activation.
    batch_norm : bool
        Whether hidden layers are normalised, before the activation. They then have
        the normalization's bias in place of their own.
    companions : bool
        Whether every hidden layer but the last has an output of its own in training.

    Attributes
    ----------
    layers : torch.nn.ModuleList
        Linear layers.
    norms : torch.nn.ModuleList
        Normalization of each hidden layer, or nothing.
    dropouts : torch.nn.ModuleList
        Dropout of each hidden layer, or nothing where no layer has any.
    companions : Companions
        Outputs of hidden layers, or nothing.

    Notes
    -----
    ``forward`` maps (batch, features) to the raw outputs (batch, outputs): the
    output activation belongs to the loss. In training the companions' raw outputs stand
    beside them, as further columns.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activation: str = "relu",
        device: torch.device | str | None = None,
        dropout: Sequence[float] = (),
        batch_norm: bool = False,
        companions: bool = False,
    ) -> None:
        super().__init__()
        *hidden_sizes, n_last = list(pairwise(layer_sizes))
        self.layers = nn.ModuleList(
            Linear(fan_in, fan_out, bias=not batch_norm, device=device)
            for fan_in, fan_out in hidden_sizes
        )
        self.layers.append(Linear(*n_last, device=device))
        norms = (BatchNorm(n_units, device) for _, n_units in hidden_sizes)
        self.norms = nn.ModuleList(norms if batch_norm else ())
        self.dropouts = nn.ModuleList()
        self.set_dropout(dropout)
        widths = layer_sizes[1:-2] if companions else ()
        self.companions = Companions(widths, layer_sizes[-1], device)
        self.set_activation(activation)

    @property
    def has_batch_norm(self) -> bool:
        """Whether rows depend on their batch in training, and on its rows' weights."""
        return len(self.norms) > 0

    def hidden_parts(self) -> list[list[nn.Module]]:
        """What each hidden layer consists of that is trained or counted."""
        norms = list(self.norms)
        *hidden, _ = self.layers
        return [[layer, *norms[k : k + 1]] for k, layer in enumerate(hidden)]

    def set_activation(self, name: str) -> None:
        """Let the hidden layers have the activation of that name."""
        self.activation_name = name
        self.activation = ACTIVATIONS[name]()

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let the hidden layers have dropout of these rates, or of none."""
        rates = list(rates) if any(rates) else []
        if [dropout.rate for dropout in self.dropouts] != rates:
            self.dropouts = nn.ModuleList(map(Dropout, rates))

    def hidden(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Activations of the last hidden layer, or the input where there is none."""
        last = deque(self._states(x, row_weight), maxlen=1)  # one at a time in memory
        return last.pop() if last else x

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        others, h = [], x
        for k, h in enumerate(self._states(x, row_weight)):
            others += self.companions.outputs(k, h)
        return place_beside(self.layers[-1](h), others)

    def _states(self, h: Tensor, row_weight: Tensor | None) -> Iterator[Tensor]:
        """Yield the outputs of every hidden layer, (batch, units)."""
        *layers, _ = self.layers
        for k, layer in enumerate(layers):
            h = layer(h)
            if self.norms:
                h = self.norms[k](h, row_weight)
            h = self.activation(h)
            if self.dropouts:
                h = self.dropouts[k](h)
            yield h
