"""Multi-layer perceptron (Goodfellow, Bengio and Courville, chapter 6)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._batch_norm import BatchNorm
from sknn.modules._dropout import Dropout


class Linear(nn.Linear):
    """Linear layer that draws nothing for parameters that are not there yet."""

    def reset_parameters(self) -> None:
        """Draw torch's initial values, except on the meta device."""
        if not self.weight.is_meta:
            super().reset_parameters()


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

    Attributes
    ----------
    layers : torch.nn.ModuleList
        Linear layers.
    norms : torch.nn.ModuleList
        Normalization of each hidden layer, or nothing.
    dropouts : torch.nn.ModuleList
        Dropout of each hidden layer, or nothing where no layer has any.

    Notes
    -----
    ``forward`` maps (batch, features) to the raw outputs (batch, outputs): the
    output activation belongs to the loss.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activation: str = "relu",
        device: torch.device | str | None = None,
        dropout: Sequence[float] = (),
        batch_norm: bool = False,
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
        *layers, _ = self.layers
        for k, layer in enumerate(layers):
            x = layer(x)
            if self.norms:
                x = self.norms[k](x, row_weight)
            x = self.activation(x)
            if self.dropouts:
                x = self.dropouts[k](x)
        return x

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Raw outputs; `row_weight` (batch, 1) is for training with batch norm."""
        return self.layers[-1](self.hidden(x, row_weight))
