"""Hidden activations for the delta rule: the function, and delta times its derivative.

Both are torch's fused kernels, on numpy's memory too: they read and write once what
numpy's calls go through several times. The hyperbolic tangent is numpy's, which takes a
tenth of the time of torch's on some processors.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

LEAK = 0.01
# Klambauer et al. (2017), equation 14
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
# where softplus is the identity to the last digit
SOFTPLUS_THRESHOLD = 40.0

aten = torch.ops.aten


@dataclass(frozen=True)
class Activation:
    """One activation function of hidden units, as functions of tensors.

    Parameters
    ----------
    write : callable
        ``write(z, out)`` puts the activations of `z` into `out`, which may be `z`, and
        is `z` unless the activation keeps its input.
    differentiate : callable
        ``differentiate(delta, a, z)`` multiplies `delta` by the derivative at `z`,
        where the activation is `a`.
    keeps_input : bool
        Whether the derivative needs `z`: its value does not follow from `a`.
    """

    write: Callable
    differentiate: Callable
    keeps_input: bool = False


def _tanh(z, out):
    """Hyperbolic tangent in place."""
    if z.device.type != "cpu":
        z.tanh_()
        return
    array = z.numpy()
    np.tanh(array, out=array)


def _elu_gradient(alpha, scale):
    """Derivative of scale * elu from its value."""

    def differentiate(delta, a, z):
        aten.elu_backward.grad_input(delta, alpha, scale, 1, True, a, grad_input=delta)

    return differentiate


def _nothing(*_):
    """Leave everything as it is."""


ACTIVATIONS = {
    "identity": Activation(_nothing, _nothing),
    "logistic": Activation(
        lambda z, out: z.sigmoid_(),
        lambda delta, a, z: aten.sigmoid_backward.grad_input(
            delta, a, grad_input=delta
        ),
    ),
    "tanh": Activation(
        _tanh,
        lambda delta, a, z: aten.tanh_backward.grad_input(delta, a, grad_input=delta),
    ),
    "relu": Activation(
        lambda z, out: z.clamp_min_(0),
        lambda delta, a, z: aten.threshold_backward.grad_input(
            delta, a, 0, grad_input=delta
        ),
    ),
    "leaky_relu": Activation(
        lambda z, out: functional.leaky_relu_(z, LEAK),
        lambda delta, a, z: aten.leaky_relu_backward.grad_input(
            delta, a, LEAK, True, grad_input=delta
        ),
    ),
    "elu": Activation(lambda z, out: functional.elu_(z), _elu_gradient(1.0, 1.0)),
    "selu": Activation(
        lambda z, out: functional.selu_(z), _elu_gradient(SELU_ALPHA, SELU_SCALE)
    ),
    "gelu": Activation(
        lambda z, out: aten.gelu.out(z, out=out),
        lambda delta, a, z: aten.gelu_backward.grad_input(delta, z, grad_input=delta),
        keeps_input=True,
    ),
    "silu": Activation(
        lambda z, out: aten.silu.out(z, out=out),
        lambda delta, a, z: aten.silu_backward.grad_input(delta, z, grad_input=delta),
        keeps_input=True,
    ),
    "mish": Activation(
        lambda z, out: aten.mish.out(z, out=out),
        lambda delta, a, z: delta.copy_(aten.mish_backward(delta, z)),
        keeps_input=True,
    ),
    "softplus": Activation(
        lambda z, out: aten.softplus.out(z, 1, SOFTPLUS_THRESHOLD, out=out),
        lambda delta, a, z: aten.softplus_backward.grad_input(
            delta, z, 1, SOFTPLUS_THRESHOLD, grad_input=delta
        ),
        keeps_input=True,
    ),
    # straight through: backwards the threshold is the identity (Bengio et al. 2013)
    "sign": Activation(lambda z, out: z.sign_(), _nothing),
}
