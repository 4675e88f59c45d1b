"""Multi-layer perceptron (Goodfellow, Bengio and Courville, chapter 6)."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn


class StraightThroughSign(torch.autograd.Function):
    """Sign whose gradient is the identity's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Map every entry to -1, 0 or 1."""
        return x.sign()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Pass the gradient on."""
        return gradient


class Sign(nn.Module):
    """Threshold units that learn by a straight-through gradient.

    Backwards the threshold counts as the identity (Bengio, Leonard and Courville
    2013, section 4).
    """

    def forward(self, x: Tensor) -> Tensor:
        return StraightThroughSign.apply(x)


ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": partial(nn.Softplus, threshold=40.0),
    "sign": Sign,
}


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
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Linear(fan_in, fan_out, device=device)
            for fan_in, fan_out in pairwise(layer_sizes)
        )
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let the hidden layers have the activation of that name."""
        self.activation_name = name
        self.activation = ACTIVATIONS[name]()

    def hidden(self, x: Tensor) -> Tensor:
        """Activations of the last hidden layer, or the input where there is none."""
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[-1](self.hidden(x))
