"""What networks share whose units hear those of neighbouring nodes."""

from numbers import Integral

import numpy as np
import torch
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.utils.validation import validate_data
from torch import nn

from sknn._autograd_base import BaseAutogradNetwork, check_rates, check_sizes
from sknn._features import LearnedFeatures
from sknn._sklearn_compat import Interval, StrOptions
from sknn.data import channel_moments, move
from sknn.training._activations import ACTIVATIONS
from sknn.training._graph_initialization import initialize_graph_net

# multiply-adds of the largest product of a step from which torch's second thread pays
WORTH_THREADS = 16_000_000
CONVOLUTIONS = {"gcn", "sage", "gat", "gin"}

# parameter -> its type and its meaning
PARAMETERS = {
    "conv": (
        '{"gcn", "sage", "gat", "gin"}',
        "Graph convolution: the normalised sum over neighbours and the node itself "
        "(Kipf and Welling 2017), the mean of the neighbours beside the node's own "
        "vector (Hamilton et al. 2017), attention (Velickovic et al. 2018), or a "
        "perceptron of the sum (Xu et al. 2019).",
    ),
    "n_heads": (
        "int",
        'With ``conv="gat"``, the attention heads that share the units of each hidden '
        "layer, whose number they divide.",
    ),
    "batch_norm": (
        "bool",
        "Whether each unit is normalised over the nodes of the batch before the "
        "activation; predictions use running statistics.",
    ),
    "dropout": (
        "float or array-like of float",
        "Probability that a unit of a hidden convolution is left out at a node in a "
        "training step, in [0, 1): one for all layers, or one each.",
    ),
    "solver": (
        '{"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"}',
        "L-BFGS-B of scipy, which needs ``dropout=0``, stochastic gradient descent "
        "with momentum, Adam, Adam with decoupled weight decay, AdaGrad or RMSProp.",
    ),
    "max_fun": ("int", "Most evaluations of the loss by lbfgs."),
    "standardize": (
        "bool",
        "Whether each feature is brought to mean 0 and variance 1 over the nodes, and "
        "the outputs of a regressor to the mean and variance of the training targets.",
    ),
}


class BaseMessagePassing(LearnedFeatures, BaseAutogradNetwork):
    """Graph convolutions, one upon the other."""

    _parameter_constraints: dict = {
        **BaseAutogradNetwork._parameter_constraints,
        "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "conv": [StrOptions(CONVOLUTIONS)],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_norm": ["boolean"],
    }
    _architecture: tuple = (
        "conv",
        "hidden_layer_sizes",
        "n_heads",
        "batch_norm",
        "standardize",
    )
    _fewest_layers = 0
    _auto_weight_init = "glorot_uniform"

    def _check_parameters(self):
        sizes, _ = self._hidden_sizes, self._dropout_rates  # raise what is wrong
        if self.conv == "gat" and any(size % self.n_heads for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} must be divisible by "
                f"n_heads={self.n_heads} with conv='gat'."
            )
        super()._check_parameters()

    @property
    def _hidden_sizes(self):
        """Units of each hidden convolution as a list."""
        return check_sizes(
            "hidden_layer_sizes", self.hidden_layer_sizes, self._fewest_layers
        )

    @property
    def _dropout_rates(self):
        sizes = self._hidden_sizes
        return check_rates(self.dropout, len(sizes), "hidden convolutions")

    @property
    def _module_options(self):
        """What modules of nodes and of graphs are told alike."""
        return {
            "conv": self.conv,
            "hidden_layer_sizes": self._hidden_sizes,
            "activation": self.activation,
            "dropout": self._dropout_rates,
            "n_heads": self.n_heads,
            "batch_norm": self.batch_norm,
            "rescales": self.standardize and is_regressor(self),
        }

    def _initialize(self, module, random_state):
        self._reset_buffers(module)
        initialize_graph_net(module, random_state, self._weight_init_name)

    def _reset_buffers(self, module):
        super()._reset_buffers(module)
        if hasattr(module, "rescaling"):
            module.rescaling.reset_parameters()

    def _calibrate(self, module, rows):
        super()._calibrate(module, rows)
        if hasattr(module, "rescaling"):
            module.rescaling.set_scale(*target_scale(rows, self.loss))

    def _update_module(self):
        self._update_layers(self._dropout_rates)

    def _size_of_work(self, n_nodes):
        """Multiply-adds of a layer at so many nodes, or 0 where one thread is best."""
        linear = (m for m in self.module_.modules() if isinstance(m, nn.Linear))
        product = n_nodes * max(layer.weight.numel() for layer in linear)
        return self._if_worth_threads(product, WORTH_THREADS)

    def _keep_wiring(self, n_node_features):
        """Remember what the first fit's layers read and how far they reach."""
        self._fitted_conv, self._n_hidden = self.conv, len(self._hidden_sizes)
        self._n_node_features = n_node_features

    def _check_node_features(self, n_features):
        """Refuse nodes that do not have as many features as those of the fit."""
        if n_features != self._n_node_features:
            raise ValueError(
                f"X has {n_features} features a node, but {type(self).__name__} was "
                f"fitted to {self._n_node_features}."
            )

    def _check_targets(self, y, reset, options):
        """Targets whose inputs scikit-learn does not look at."""
        own = {k: v for k, v in options.items() if k in ("multi_output", "y_numeric")}
        return validate_data(self, "no_validation", y, reset=reset, **own)

    @property
    def _n_learned(self):
        return self.module_.n_features

    @torch.no_grad()
    def _attend(self, inputs):
        """Attention of each layer's heads, as matrices of the nodes in `inputs`."""
        inputs = move(inputs, self._flat.values.device)
        messages = inputs["messages"]
        weights = self.module_.attention(inputs["x"], messages)
        if not isinstance(messages, list):  # the same for all layers
            messages = [messages] * len(weights)
        return [
            [as_matrix(heard, head) for head in of_layer.T]
            for heard, of_layer in zip(messages, weights, strict=True)
        ]


def target_scale(rows, loss):
    """Location and scale of the raw outputs that targets ask for, column by column."""
    mean, deviation = channel_moments(rows.y, rows.weight)
    if loss in ("poisson", "gamma"):  # their outputs are logarithms of means
        return np.log(np.where(mean > 0, mean, 1)), np.ones_like(mean)
    return mean, deviation


def attends(estimator):
    """Refuse `attention_weights` where no layer attends."""
    conv = vars(estimator).get("_fitted_conv", estimator.conv)
    if conv != "gat":
        raise AttributeError(f"attention_weights needs conv='gat': it is {conv!r}.")
    return True


def as_matrix(messages, weights):
    """Sparse matrix of one weight for each entry of `messages`."""
    parts = weights, messages.sources, messages.starts
    parts = tuple(part.cpu().numpy() for part in parts)
    return sparse.csr_array(parts, shape=messages.shape)
