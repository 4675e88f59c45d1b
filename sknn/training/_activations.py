"""Hidden activations for the delta rule: the function, and delta times its derivative.

The four of scikit-learn's networks have operations of their own in `NumpyOps` and
`TorchOps`; the others are torch's fused kernels on either's memory.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
    """One activation function of hidden units.

    Parameters
    ----------
    write : callable
        ``write(ops, z, out)`` puts the activations of `z` into `out`, which may be
        `z` itself.
    differentiate : callable
        ``differentiate(ops, delta, a, z)`` multiplies `delta` by the derivative at
        `z`, where the activation is `a`. It may destroy `a`.
    keeps_input : bool
        Whether the derivative needs `z`: its value does not follow from `a`.
    """

    write: Callable
    differentiate: Callable
    keeps_input: bool = False


def _kernel(write, differentiate, keeps_input=False):
    """Activation of functions of tensors."""
    return Activation(
        lambda ops, z, out: write(ops.tensor(z), ops.tensor(out)),
        lambda ops, delta, a, z: differentiate(*map(ops.tensor, (delta, a, z))),
        keeps_input,
    )


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
        lambda ops, z, out: ops.logistic(z),
        lambda ops, delta, a, z: ops.logistic_gradient(delta, a),
    ),
    "tanh": Activation(
        lambda ops, z, out: ops.tanh(z, out=z),
        lambda ops, delta, a, z: ops.tanh_gradient(delta, a),
    ),
    "relu": Activation(
        lambda ops, z, out: ops.relu(z),
        lambda ops, delta, a, z: ops.relu_gradient(delta, a),
    ),
    "leaky_relu": _kernel(
        lambda z, out: functional.leaky_relu_(z, LEAK),
        lambda delta, a, z: aten.leaky_relu_backward.grad_input(
            delta, a, LEAK, True, grad_input=delta
        ),
    ),
    "elu": _kernel(lambda z, out: functional.elu_(z), _elu_gradient(1.0, 1.0)),
    "selu": _kernel(
        lambda z, out: functional.selu_(z), _elu_gradient(SELU_ALPHA, SELU_SCALE)
    ),
    "gelu": _kernel(
        lambda z, out: aten.gelu.out(z, out=out),
        lambda delta, a, z: aten.gelu_backward.grad_input(delta, z, grad_input=delta),
        keeps_input=True,
    ),
    "silu": _kernel(
        lambda z, out: aten.silu.out(z, out=out),
        lambda delta, a, z: aten.silu_backward.grad_input(delta, z, grad_input=delta),
        keeps_input=True,
    ),
    "mish": _kernel(
        lambda z, out: aten.mish.out(z, out=out),
        lambda delta, a, z: delta.copy_(aten.mish_backward(delta, z)),
        keeps_input=True,
    ),
    "softplus": _kernel(
        lambda z, out: aten.softplus.out(z, 1, SOFTPLUS_THRESHOLD, out=out),
        lambda delta, a, z: aten.softplus_backward.grad_input(
            delta, z, 1, SOFTPLUS_THRESHOLD, grad_input=delta
        ),
        keeps_input=True,
    ),
    # straight through: backwards the threshold is the identity (Bengio et al. 2013)
    "sign": _kernel(lambda z, out: z.sign_(), _nothing),
}
