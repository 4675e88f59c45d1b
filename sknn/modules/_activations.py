"""Activations of hidden layers by name (Goodfellow et al., section 6.3)."""

from functools import partial
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
