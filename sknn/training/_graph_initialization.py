"""Initial weights of networks over graphs, drawn from a `RandomState`."""

import torch
from torch import nn

from sknn.training._initialization import WEIGHTS, initialize


@torch.no_grad()
def initialize_graph_net(module, random_state, name="glorot_uniform"):
    """Draw all parameters of a network of graph convolutions.

    Linear layers come first, in the module's order, then what convolutions have
    besides: each attention vector counts as a layer of one unit, biases and what a node
    of a "gin" layer counts more than its neighbours are zero. Vectors of nodes are
    standard normal, as features are after scaling.

    Parameters
    ----------
    module : torch.nn.Module
        Filled in place. A layer may have ``attention_vectors`` (2, heads, width) and a
        ``bias`` beside them, or an ``epsilon``.
    random_state : numpy.random.RandomState
        Source of the draws, which are in float64.
    name : str
        How the weights of linear layers and the attention vectors are drawn: a key of
        `WEIGHTS`.
    """
    initialize(module, random_state, name)
    for layer in module.modules():
        if hasattr(layer, "attention_vectors"):
            _fill_attention(layer, WEIGHTS[name], random_state)
        elif hasattr(layer, "epsilon"):
            layer.epsilon.zero_()
        elif isinstance(layer, nn.Embedding):
            vectors = random_state.normal(size=tuple(layer.weight.shape))
            layer.weight.copy_(torch.from_numpy(vectors))


def _fill_attention(layer, draw, random_state):
    """Draw the vectors of receivers, head by head, then those of senders."""
    for vector in layer.attention_vectors.flatten(0, 1):
        values = draw(random_state, (len(vector), 1), 1)
        vector.copy_(torch.from_numpy(values[:, 0]))
    if layer.bias is not None:
        layer.bias.zero_()
