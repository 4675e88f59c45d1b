"""What the two multi-layer perceptrons share."""

from numbers import Integral

import numpy as np
import torch
from scipy import sparse
from sklearn import get_config
from sklearn.utils.validation import check_is_fitted

from sknn._base import BaseNetwork
from sknn._door import refuse_if_not_finite
from sknn._sklearn_compat import Interval, StrOptions, check_feature_names_in
from sknn.modules import MLP
from sknn.training._activations import ACTIVATIONS
from sknn.training._delta_rule import DeltaRule, ForwardPass, choose_ops
from sknn.training._initialization import WEIGHTS, glorot_uniform, initialize
from sknn.training._parallel import MOST_SUMMED_PARTS, PartedGradient, n_parts_worth
from sknn.training._threads import available_threads
from sknn.training._wide import is_wide

OUTPUT_ACTIVATIONS = {
    "log_loss": "softmax",
    "binary_log_loss": "logistic",
    "squared_error": "identity",
    "absolute_error": "identity",
    "huber": "identity",
    "quantile": "identity",
    "poisson": "exp",
    "gamma": "exp",
}


class BaseMLP(BaseNetwork):
    """What both perceptrons share: layers, the delta rule, weights as arrays."""

    _parameter_constraints: dict = {
        **BaseNetwork._parameter_constraints,
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"})],
        "weight_init": [StrOptions({"auto", *WEIGHTS})],
        "batch_norm": ["boolean"],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def _hidden_sizes(self):
        """Units of the hidden layers as a list."""
        sizes = self.hidden_layer_sizes
        return [int(size) for size in (sizes if np.iterable(sizes) else [sizes])]

    def _check_parameters(self):
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if np.iterable(sizes) else [sizes]
        if not all(isinstance(size, Integral) and size > 0 for size in sizes):
            raise ValueError(
                "hidden_layer_sizes must be > 0, whole numbers, one a layer: got "
                f"{self.hidden_layer_sizes}."
            )
        super()._check_parameters()

    def _layer_sizes(self, n_features, n_outputs):
        return [n_features, *self._hidden_sizes, n_outputs]

    def _make_module(self, n_features, n_outputs, device):
        return MLP(self._layer_sizes(n_features, n_outputs), self.activation, device)

    def _initialize(self, module, random_state):
        if self.weight_init != "auto":
            initialize(module, random_state, self.weight_init)
            return
        factor = 2.0 if self.activation == "logistic" else 6.0
        glorot_uniform(module, random_state, factor)

    def _check_same_layers(self, n_features, n_outputs):
        layers = self.module_.layers
        fitted = [layers[0].in_features, *(layer.out_features for layer in layers)]
        wanted = self._layer_sizes(n_features, n_outputs)
        if fitted != wanted:
            raise ValueError(
                "hidden_layer_sizes and the columns of y must stay as fitted while "
                "warm_start or partial_fit goes on with the weights: the fitted layers "
                f"have {fitted} units, and now {wanted} are asked for."
            )

    def _update_module(self):
        self.module_.set_activation(self.activation)
        if self._forward_pass and self._forward_pass.activation != self.activation:
            self._forward_pass = self._make_forward_pass()

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.n_layers_ = len(self._hidden_sizes) + 2
        self.out_activation_ = OUTPUT_ACTIVATIONS[targets.loss]

    def _largest_product(self, n_rows):
        """None that more than one thread would share: parts of a batch are."""
        if self._flat.on_cpu:
            return 0
        return super()._largest_product(n_rows)

    def _parameter_views(self):
        """Weights (fan_in, fan_out) and biases (1, fan_out) of each layer."""
        return split_views([p.detach() for p in self._flat.parameters])

    def _forward_of(self, views):
        """Forward pass through weights and biases."""
        return ForwardPass(*views, self.module_.activation_name)

    def _make_gradient(self, flat, loss, batch_size, rows):
        X, (weights, biases) = rows.arrays[0], self._parameter_views()
        widths = [bias.shape[-1] for bias in biases]
        wide = flat.on_cpu and is_wide(X, weights[0])
        first = weights[0].numel()
        if sparse.issparse(X):
            first = widths[0] * X.nnz // X.shape[0]
        largest = max([first, *(weight.numel() for weight in weights[1:])])
        n_parts = n_parts_worth(batch_size * largest, batch_size, MOST_SUMMED_PARTS)
        if wide or not flat.on_cpu:
            n_parts = 1  # others have gradients of their own
        ops, loss_ops = choose_ops(flat.values.device, X, batch_size // n_parts, widths)
        others = [torch.zeros_like(flat.gradient) for _ in range(n_parts - 1)]
        parts = [
            DeltaRule(
                weights,
                biases,
                *split_views(list(flat.views_of(gradient))),
                self.module_.activation_name,
                loss,
                ops,
                loss_ops,
            )
            for gradient in (flat.gradient, *others)
        ]
        # a clip wants the whole gradient, an L1 norm a step of its own afterwards
        if wide and self.gradient_clip is None and not self.l1_ratio:
            parts[0].wide_shape = tuple(weights[0].shape)
        if n_parts == 1:
            return parts[0]
        arrays = [other.numpy() for other in others]
        n_threads = min(n_parts, available_threads())
        return PartedGradient(parts, flat.gradient.numpy(), arrays, n_threads)

    def _make_forward_pass(self):
        if not self._flat.on_cpu:
            return None
        return self._forward_of(split_views(list(self._flat.value_views)))

    def _raw_outputs(self, X):
        if not self._flat.on_cpu:
            return super()._raw_outputs(X)
        return self._forward(X)

    def _predict_raw(self, X):
        return self._checked_outputs(X)

    def _checked_outputs(self, X, hidden=False):
        """Outputs of inputs whose values are looked through chunk by chunk."""
        later = not sparse.issparse(X) and not get_config()["assume_finite"]
        X = self._checked_inputs(X, ensure_all_finite=not later)
        refuse = self._refuse_if_not_finite if later else None
        if self._flat.on_cpu:
            return self._forward(X, hidden, refuse)
        if later:
            refuse(X)
        return self._outputs_of(self.module_.hidden if hidden else self.module_, X)

    def _refuse_if_not_finite(self, X):
        refuse_if_not_finite(X, type(self).__name__)

    def _forward(self, X, hidden=False, on_doubt=None):
        forward = self._forward_pass
        same = forward.activation == self.module_.activation_name
        if not same or not self._flat.holds_values():  # loose, now or for good
            forward = self._forward_of(self._parameter_views())
        return forward(X, hidden, on_doubt)

    def transform(self, X):
        """Activations of the last hidden layer: the features that were learned.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, hidden_layer_sizes[-1])
            Activations; `X` itself where there is no hidden layer.
        """
        check_is_fitted(self)
        if len(self.module_.layers) == 1:
            X = self._checked_inputs(X)
            return X if sparse.issparse(X) else np.asarray(X)
        return self._checked_outputs(X, hidden=True)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the inputs, checked against those seen in fit.

        Returns
        -------
        ndarray of str
            The lower-case class name and a number, or the inputs' names where there
            is no hidden layer.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        if len(self.module_.layers) == 1:
            return names
        n_hidden = self.module_.layers[-1].in_features
        prefix = type(self).__name__.lower()
        return np.asarray([f"{prefix}{i}" for i in range(n_hidden)], dtype=object)

    @property
    def coefs_(self):
        """Weights of each layer, (fan_in, fan_out): views of the module's."""
        return Views(array_view(layer.weight.t()) for layer in self.module_.layers)

    @property
    def intercepts_(self):
        """Biases of each layer, (fan_out,): views of the module's."""
        return Views(array_view(layer.bias) for layer in self.module_.layers)


class Views(list):
    """List of arrays whose items are assigned in place, in the module itself."""

    def __setitem__(self, index, value):
        self[index][...] = value


def array_view(tensor):
    """Array on a CPU tensor's memory, or a copy from an accelerator."""
    return tensor.detach().cpu().numpy()


def split_views(parameters):
    """Weights (fan_in, fan_out) and biases (1, fan_out) of parameters in flat order."""
    n_layers = len(parameters) // 2
    weights = [weight.t() for weight in parameters[:n_layers]]
    return weights, [bias.view(1, -1) for bias in parameters[n_layers:]]
