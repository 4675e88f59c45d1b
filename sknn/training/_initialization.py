"""Initial weights, drawn from a `RandomState` layer by layer."""

import math

import numpy as np
import torch
from torch import nn

# incoming weights of a unit (Martens 2010)
N_INCOMING = 15
# layers whose weights are (units, inputs, *positions)
WEIGHTED_LAYERS = nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d
# standard deviation of plain normal weights (Krizhevsky et al. 2012)
PLAIN_DEVIATION = 0.01


@torch.no_grad()
def glorot_uniform(module, random_state, factor=6.0):
    r"""Draw weights and biases of all linear layers from :math:`U(-b, b)`.

    :math:`b = \sqrt{f / (n_{in} + n_{out})}` with :math:`f` = 6, or 2 for logistic
    units (Glorot and Bengio 2010). The draws come in scikit-learn's order: a layer's
    weights (fan_in, fan_out), then its biases from the same bound, in float64.

    Parameters
    ----------
    module : torch.nn.Module
        Its `torch.nn.Linear` layers are filled in place.
    random_state : numpy.random.RandomState
        Source of the draws.
    factor : float
        :math:`f` above.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            fans = (layer.in_features, layer.out_features)
            bound = np.sqrt(factor / sum(fans))
            weight = random_state.uniform(-bound, bound, fans)
            layer.weight.t().copy_(torch.from_numpy(weight))
            if layer.bias is not None:
                bias = random_state.uniform(-bound, bound, layer.out_features)
                layer.bias.copy_(torch.from_numpy(bias))


def _uniform(variance):
    """Draw uniformly, with a variance that follows from fan_in and fan_out."""

    def draw(random_state, shape, fan_out):
        bound = np.sqrt(3 * variance(shape[0], fan_out))
        return random_state.uniform(-bound, bound, shape)

    return draw


def _normal(variance):
    """Draw normally, with a variance that follows from fan_in and fan_out."""

    def draw(random_state, shape, fan_out):
        deviation = np.sqrt(variance(shape[0], fan_out))
        return random_state.normal(0.0, deviation, shape)

    return draw


def _orthogonal(random_state, shape, fan_out):
    """Orthonormal columns, or rows where these are fewer, evenly distributed."""
    tall = random_state.normal(size=(max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diag(r) < 0, -1, 1)  # else the distribution is uneven
    return q if shape[0] >= shape[1] else q.T


def _sparse(random_state, shape, fan_out):
    """Standard normal weights from a few inputs to each unit, zero from all others."""
    weight = np.zeros(shape)
    n_inputs = min(N_INCOMING, shape[0])
    for column in weight.T:
        chosen = random_state.choice(shape[0], n_inputs, replace=False)
        column[chosen] = random_state.normal(size=n_inputs)
    return weight


# name -> how to draw the weights (fan_in, units) of a layer
WEIGHTS = {
    "glorot_uniform": _uniform(lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
    "glorot_normal": _normal(lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
    "he_uniform": _uniform(lambda fan_in, fan_out: 2 / fan_in),
    "he_normal": _normal(lambda fan_in, fan_out: 2 / fan_in),
    "lecun_normal": _normal(lambda fan_in, fan_out: 1 / fan_in),
    "orthogonal": _orthogonal,
    "sparse": _sparse,
    "normal": _normal(lambda fan_in, fan_out: PLAIN_DEVIATION**2),
}


@torch.no_grad()
def initialize(module, random_state, name):
    """Draw the weights of linear and convolutional layers; their biases are zero.

    A unit of a convolution has as many inputs as its kernel has entries, channel by
    channel, and as many outputs as the kernels that an input takes part in have entries
    (Glorot and Bengio 2010; He et al. 2015, section 2.2): ``fan_in`` is input channels
    times kernel positions, ``fan_out`` output channels times kernel positions.

    Parameters
    ----------
    module : torch.nn.Module
        Its layers are filled in place, in its order.
    random_state : numpy.random.RandomState
        Source of the draws, which are in float64.
    name : str
        A key of `WEIGHTS`.
    """
    for layer in module.modules():
        if isinstance(layer, WEIGHTED_LAYERS):
            n_units, *of_unit = layer.weight.shape
            fan_out = n_units * math.prod(of_unit[1:])
            shape = math.prod(of_unit), n_units
            weight = WEIGHTS[name](random_state, shape, fan_out)
            weight = torch.from_numpy(weight.T).reshape(layer.weight.shape)
            layer.weight.copy_(weight)
            if layer.bias is not None:
                layer.bias.zero_()
