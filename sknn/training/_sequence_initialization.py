"""Initial weights of networks over sequences, drawn from a `RandomState`."""

import numpy as np
import torch
from torch import nn

from sknn.training._initialization import WEIGHTS

# standard deviation of learned positions and vectors (Devlin et al. 2019)
VECTOR_DEVIATION = 0.02


@torch.no_grad()
def initialize_sequence_net(module, random_state, name="auto"):
    """Draw all parameters of a recurrent network or of a transformer.

    Each gate of a recurrent layer and each of the attention's queries, keys and values
    counts as a layer. Weights of the state before are orthogonal (Saxe et al. 2014);
    biases are zero but for the 1 of an LSTM's forget gates (Jozefowicz et al. 2015).
    Vectors of tokens are normal, of variance 1 as they come out of the embedding, that
    of unseen ones zero, their mean. Layer normalization starts as such, and learned
    positions and vectors from :math:`N(0, 0.02^2)`.

    Parameters
    ----------
    module : torch.nn.Module
        Filled in place, in its order. A layer with a ``weight_hh`` is recurrent and
        has a ``cell`` and ``n_units``; a linear layer may have ``n_blocks``, an
        embedding a ``scale``.
    random_state : numpy.random.RandomState
        Source of the draws, which are in float64.
    name : str
        How the weights of linear layers and of recurrent ones' inputs are drawn: a key
        of `WEIGHTS`, or "auto" for "glorot_uniform".
    """
    draw = WEIGHTS["glorot_uniform" if name == "auto" else name]
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            n_blocks = getattr(layer, "n_blocks", 1)
            _fill_blocks(layer.weight, n_blocks, draw, random_state)
            if layer.bias is not None:
                layer.bias.zero_()
        elif isinstance(layer, nn.LayerNorm):
            layer.weight.fill_(1)
            layer.bias.zero_()
        elif isinstance(layer, nn.Embedding):
            _fill_normal(layer.weight, 1 / getattr(layer, "scale", 1.0), random_state)
            layer.weight[0].zero_()
        elif hasattr(layer, "weight_hh"):
            _fill_recurrent(layer, draw, random_state)
        for vector in ("position_vectors", "class_vector"):
            if getattr(layer, vector, None) is not None:
                _fill_normal(getattr(layer, vector), VECTOR_DEVIATION, random_state)


@torch.no_grad()
def forget_unseen(embedding, ids):
    """Let tokens that no training row has share the unseen one's first vector, zero.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Vectors of all tokens of the vocabulary.
    ids : ndarray of int
        Tokens of the training rows; held-out rows may have others.
    """
    absent = torch.ones(len(embedding.weight), dtype=torch.bool)
    absent[torch.from_numpy(np.unique(ids))] = False
    embedding.weight[absent] = 0


def _fill_recurrent(layer, draw, random_state):
    """Draw a recurrent layer gate by gate."""
    n_gates = len(layer.weight_hh) // layer.n_units
    _fill_blocks(layer.weight_ih, n_gates, draw, random_state)
    _fill_blocks(layer.weight_hh, n_gates, WEIGHTS["orthogonal"], random_state)
    layer.bias_ih.zero_()
    layer.bias_hh.zero_()
    if layer.cell == "lstm":
        layer.bias_ih[layer.n_units : 2 * layer.n_units].fill_(1)


def _fill_blocks(weight, n_blocks, draw, random_state):
    """Draw blocks of units, (units, inputs) each, one after another."""
    for block in weight.chunk(n_blocks):
        n_units, n_inputs = block.shape
        values = draw(random_state, (n_inputs, n_units), n_units)
        block.copy_(torch.from_numpy(values.T))


def _fill_normal(parameter, deviation, random_state):
    """Draw from a normal distribution around zero."""
    values = random_state.normal(0.0, deviation, tuple(parameter.shape))
    parameter.copy_(torch.from_numpy(values))
