"""Initial weights, drawn from a `RandomState` layer by layer."""

import numpy as np
import torch
from torch import nn


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
            bias = random_state.uniform(-bound, bound, layer.out_features)
            layer.weight.t().copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
