"""What the two multi-layer perceptrons share."""

import warnings
from numbers import Integral, Real

import numpy as np
import torch
from scipy import sparse
from sklearn import get_config
from sklearn.utils.validation import check_is_fitted

from sknn._base import BaseNetwork
from sknn._deep_supervision import DeeplySupervised
from sknn._door import refuse_if_not_finite
from sknn._features import LearnedFeatures
from sknn._mlp_weights import WeightArrays, split_views
from sknn._sklearn_compat import Interval, StrOptions
from sknn._transfer import TransferredBody
from sknn.modules import MLP
from sknn.training._activations import ACTIVATIONS
from sknn.training._batch_norm import BatchNorm, FixedNorm
from sknn.training._delta_rule import DeltaRule, choose_ops
from sknn.training._forward_pass import ForwardPass
from sknn.training._initialization import WEIGHTS, glorot_uniform, initialize
from sknn.training._parallel import MOST_SUMMED_PARTS, PartedGradient, n_parts_worth
from sknn.training._task import Form
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


class BaseMLP(
    WeightArrays, LearnedFeatures, TransferredBody, DeeplySupervised, BaseNetwork
):
    """What both perceptrons share: layers, the delta rule, weights as arrays."""

    _parameter_constraints: dict = {
        **BaseNetwork._parameter_constraints,
        **DeeplySupervised._parameter_constraints,
        **TransferredBody._parameter_constraints,
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"})],
        "weight_init": [StrOptions({"auto", *WEIGHTS})],
        "batch_norm": ["boolean"],
        "pretrain": [StrOptions({"supervised", "autoencoder"}), None],
        "pretrain_iter": [Interval(Integral, 1, None, closed="left")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
    }

    _accept_sparse = ("csr", "csc")
    _architecture = ("hidden_layer_sizes", "batch_norm")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def _hidden_sizes(self):
        """Units of the hidden layers as a list."""
        sizes = self.hidden_layer_sizes
        return [int(size) for size in (sizes if np.iterable(sizes) else [sizes])]

    @property
    def _n_hidden(self):
        return len(self._hidden_sizes)

    def _check_parameters(self):
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if np.iterable(sizes) else [sizes]
        if not all(isinstance(size, Integral) and size > 0 for size in sizes):
            raise ValueError(
                "hidden_layer_sizes must be > 0, whole numbers, one a layer: got "
                f"{self.hidden_layer_sizes}."
            )
        self._check_dropout()
        for name in ("dropout", "batch_norm", "pretrain"):
            value = getattr(self, name)
            if not sizes and (isinstance(value, str) or np.any(value)):
                warnings.warn(
                    f"{name}={value!r} has no effect with "
                    f"hidden_layer_sizes={self.hidden_layer_sizes!r}.",
                    stacklevel=5,
                )
        self._check_transfer(len(sizes))
        if self.init_from is not None and self.pretrain is not None:
            raise ValueError(
                "pretrain must be None with init_from, whose layers have been trained "
                f"already: got {self.pretrain!r}."
            )
        super()._check_parameters()

    @property
    def _dropout_rates(self):
        """Rate of each hidden layer's dropout."""
        rates = self.dropout
        return list(rates) if np.iterable(rates) else [rates] * len(self._hidden_sizes)

    def _check_dropout(self):
        rates, n_hidden = self._dropout_rates, len(self._hidden_sizes)
        sound = all(isinstance(rate, Real) and 0 <= rate < 1 for rate in rates)
        if not sound or len(rates) != n_hidden:
            raise ValueError(
                "dropout must be a number in [0, 1), or a list of one for each of the "
                f"{n_hidden} hidden layers: got {self.dropout!r}."
            )

    def _layer_sizes(self, n_features, n_outputs):
        return [n_features, *self._hidden_sizes, n_outputs]

    def _make_module(self, X, n_outputs, device):
        return MLP(
            self._layer_sizes(X.shape[1], n_outputs),
            self.activation,
            device,
            self._dropout_rates,
            self.batch_norm,
            self._companion_weight > 0,
        )

    def _initialize(self, module, random_state):
        for norm in module.norms:
            norm.reset_parameters()
        if self.weight_init != "auto":
            initialize(module, random_state, self.weight_init)
            return
        factor = 2.0 if self.activation == "logistic" else 6.0
        glorot_uniform(module, random_state, factor)

    def _begin(self, targets, flat):
        super()._begin(targets, flat)
        self.pretrain_curves_ = None

    def _pretrain(self, rows, batch_size, random_state):
        if self.pretrain is not None and self._has_hidden_layers:
            from sknn._pretraining import pretrain

            self.pretrain_curves_ = pretrain(self, rows, batch_size, random_state)

    def _check_same_layers(self, X, n_outputs):
        super()._check_same_layers(X, n_outputs)
        layers = self.module_.layers
        fitted = [layers[0].in_features, *(layer.out_features for layer in layers)]
        wanted = self._layer_sizes(X.shape[1], n_outputs)
        if fitted != wanted:
            raise ValueError(
                "hidden_layer_sizes, the columns of y and the number of quantiles must "
                "stay as fitted while warm_start or partial_fit goes on with the "
                f"weights: the fitted layers have {fitted} units, and now {wanted} are "
                "asked for."
            )
        has_norms = len(self.module_.norms) > 0
        if has_norms != (self.batch_norm and len(layers) > 1):
            raise ValueError(
                "batch_norm must stay as fitted while warm_start or partial_fit goes "
                f"on with the weights: it was {has_norms}, and now {self.batch_norm} "
                "is asked for."
            )

    def _describe_architecture(self):
        return {
            "hidden_layer_sizes": self._hidden_sizes,
            "batch_norm": self.batch_norm,
        }

    @property
    def _fitted_architecture(self):
        *hidden, _ = self.module_.layers
        return {
            "hidden_layer_sizes": [layer.out_features for layer in hidden],
            "batch_norm": self.module_.has_batch_norm,
        }

    def _describe_inputs(self):
        return f"tables of {self.n_features_in_} columns"

    def _update_module(self):
        if self.module_.activation_name != self.activation:
            self.module_.set_activation(self.activation)
        self.module_.set_dropout(self._dropout_rates)
        if self._forward_pass and self._forward_pass.activation != self.activation:
            self._forward_pass = self._make_forward_pass()

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.n_layers_ = len(self._hidden_sizes) + 2
        self.out_activation_ = OUTPUT_ACTIVATIONS[targets.loss]

    def _largest_product(self, X, n_rows):
        """None that more than one thread would share: parts of a batch are."""
        if self._flat.on_cpu:
            return 0
        return super()._largest_product(X, n_rows)

    def _forward_of(self, parameters):
        """Forward pass through parameters in flat order."""
        module, n_companions = self.module_, len(self.module_.companions)
        weights, biases, scales = split_views(
            parameters, len(module.layers), n_companions
        )
        norms = list(zip(module.norms, scales, strict=True))
        return ForwardPass(weights, biases, module.activation_name, norms)

    def _make_forward_pass(self):
        if not self._flat.on_cpu:
            return None
        return self._forward_of(list(self._flat.value_views))

    def _make_gradient(self, flat, loss, batch_size, rows, masks):
        if len(self.module_.companions):
            return None
        X, values = rows.arrays[0], [p.detach() for p in flat.parameters]
        layers = self.module_.layers
        widths = [layer.out_features for layer in layers]
        wide = flat.on_cpu and is_wide(X, values[0])
        first = values[0].numel()
        if sparse.issparse(X):
            first = widths[0] * X.nnz // X.shape[0]
        largest = max([first, *(weight.numel() for weight in values[1 : len(layers)])])
        n_parts = n_parts_worth(batch_size * largest, batch_size, MOST_SUMMED_PARTS)
        if not flat.on_cpu or wide or self.module_.has_batch_norm:
            n_parts = (
                1  # wide gradients are seldom whole, normalised rows depend on all
            )
        ops, loss_ops = choose_ops(flat.values.device, X, batch_size // n_parts, widths)
        others = [torch.zeros_like(flat.gradient) for _ in range(n_parts - 1)]
        own_masks = [masks] * n_parts
        if masks and n_parts > 1:
            own_masks = masks.spawn(n_parts)
        parts = [
            self._make_rule(
                values, list(flat.views_of(to)), loss, ops, loss_ops, own_masks[i]
            )
            for i, to in enumerate((flat.gradient, *others))
        ]
        # a clip wants the whole gradient, an L1 norm a step of its own afterwards
        whole = self.gradient_clip is not None or self.l1_ratio or self._n_frozen
        if wide and not whole:
            parts[0].wide_shape = layers[0].in_features, layers[0].out_features
        if n_parts == 1:
            return parts[0]
        arrays = [other.numpy() for other in others]
        n_threads = min(n_parts, available_threads())
        return PartedGradient(parts, flat.gradient.numpy(), arrays, n_threads)

    def _form(self, rows):
        module, X, key = self.module_, rows.arrays[0], None
        if len(module.companions):
            return None
        if type(X) is np.ndarray and not module.has_batch_norm:
            sizes = [layer.out_features for layer in module.layers]
            key = (X.shape[1], *sizes), module.activation_name
        return Form(key, self._make_rule, self.scoring not in (None, "loss"))

    def _make_rule(self, values, gradients, loss, ops, loss_ops, masks):
        """Delta rule of parameters in flat order, and of where their gradients go."""
        n_layers = len(self.module_.layers)
        weights, biases, scales = split_views(values, n_layers)
        to_weights, to_biases, to_scales = split_views(gradients, n_layers)
        shifts = zip(scales, biases, to_scales, to_biases, strict=False)
        return DeltaRule(
            weights,
            biases,
            to_weights,
            to_biases,
            self.module_.activation_name,
            loss,
            ops,
            loss_ops,
            [
                FixedNorm(norm, *of_layer[:2])
                if norm.is_frozen
                else BatchNorm(norm, *of_layer)
                for norm, of_layer in zip(self.module_.norms, shifts, strict=True)
            ],
            masks,
            self._n_frozen,
        )

    def _raw_outputs(self, X):
        if not self._flat.on_cpu:
            return super()._raw_outputs(X)
        return self._forward(X)

    def _predict_raw(self, X):
        return self._checked_outputs(X)

    def _checked_outputs(self, X, hidden=False):
        """Outputs of inputs whose values are looked through chunk by chunk."""
        X = self._checked_inputs(X, ensure_all_finite=False)
        refuse = None if get_config()["assume_finite"] else self._refuse_if_not_finite
        if refuse and sparse.issparse(X):  # a frame can have become it
            refuse(X.data)
            refuse = None
        if self._flat.on_cpu:
            return self._forward(X, hidden, refuse)
        if refuse:
            refuse(X)
        return self._outputs_of(self.module_.hidden if hidden else self.module_, X)

    def _refuse_if_not_finite(self, X):
        refuse_if_not_finite(X, type(self).__name__)

    def _forward(self, X, hidden=False, on_doubt=None):
        forward, name = self._forward_pass, self.module_.activation_name
        same = forward.activation == name
        if not same or not self._flat.holds_values():  # loose, now or for good
            forward = self._forward_of([p.detach() for p in self._flat.parameters])
        return forward(X, hidden, on_doubt)

    def _features_of(self, X):
        """Activations of the last hidden layer for checked inputs."""
        if self._flat.on_cpu:
            return self._forward(X, hidden=True)
        return self._outputs_of(self.module_.hidden, X)

    def _hidden_outputs(self, X):
        check_is_fitted(self)
        if self._has_hidden_layers:
            return self._checked_outputs(X, hidden=True)
        X = self._checked_inputs(X)
        return X if sparse.issparse(X) else np.asarray(X)

    @property
    def _has_hidden_layers(self):
        return len(self.module_.layers) > 1
