"""Weights of a perceptron as arrays, and as parts of a flat tensor."""


class WeightArrays:
    """What perceptrons add for readers of their weights."""

    @property
    def coefs_(self):
        """Weights of each layer, (fan_in, fan_out): views of the module's."""
        return Views(array_view(layer.weight.t()) for layer in self.module_.layers)

    @property
    def intercepts_(self):
        """Biases of each layer, (fan_out,): views of the module's.

        A normalised layer's is what is added after the normalization.
        """
        *hidden, last = self.module_.layers
        owners = [*(self.module_.norms or hidden), last]
        return Views(array_view(owner.bias) for owner in owners)


class Views(list):
    """List of arrays whose items are assigned in place, in the module itself."""

    def __setitem__(self, index, value):
        self[index][...] = value


def array_view(tensor):
    """Array on a CPU tensor's memory, or a copy from an accelerator."""
    return tensor.detach().cpu().numpy()


def split_views(parameters, n_layers, n_companions=0):
    """Weights, biases and scales of parameters in flat order, companions left out.

    Weights are (..., fan_in, fan_out), biases and scales (..., 1, fan_out). Only
    normalised layers have scales; their biases come with these, after those of linear
    layers.
    """
    weights = [weight.mT for weight in parameters[:n_layers]]
    own = parameters[n_layers + n_companions : len(parameters) - n_companions]
    vectors = [vector.unsqueeze(-2) for vector in own]
    if len(vectors) == n_layers:
        return weights, vectors, []
    last, *of_norms = vectors
    return weights, [*of_norms[1::2], last], of_norms[::2]
