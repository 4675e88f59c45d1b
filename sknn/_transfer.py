"""Transfer: the hidden layers of a fitted network under outputs of one's own.

Goodfellow, Bengio and Courville, section 15.2; Yosinski et al. 2014.
"""

import warnings
from numbers import Integral

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sknn._sklearn_compat import Interval, StrOptions

# parameter -> its type and its meaning
PARAMETERS = {
    "init_from": (
        "FrozenEstimator or None",
        "``FrozenEstimator(network)`` of scikit-learn around a fitted network with the "
        "same layers: all but the output layer begin as copies of its own, with its "
        "scaling of inputs and its vocabulary. It matters to the first fit, not to "
        "those that go on.",
    ),
    "freeze": (
        'int or "body"',
        "How many layers before the output layer, from the first on, stay as "
        '`init_from` has them, with their running statistics; "body" is all. Dropout '
        "goes on.",
    ),
}


class TransferredBody:
    """Networks that may begin with the hidden layers of another, and keep some fixed.

    The module's `hidden_parts` are what the layers consist of. A network says by
    `_describe_architecture` and `_fitted_architecture` what two of them must have in
    common, and by `_describe_inputs` what it reads.
    """

    _parameter_constraints: dict = {
        "init_from": "no_validation",  # our error says what FrozenEstimator is for
        "freeze": [StrOptions({"body"}), Interval(Integral, 0, None, closed="left")],
    }

    @property
    def _source(self):
        """Fitted network that hidden layers are copied from, or None."""
        given = getattr(self, "init_from", None)  # which not all networks have
        return None if given is None else given.estimator

    @property
    def _freeze(self):
        """The parameter, or what it means for networks that have none."""
        return getattr(self, "freeze", 0)

    def _check_transfer(self, n_layers):
        """Check both parameters, for a network of so many hidden layers."""
        if isinstance(self._freeze, bool):
            raise ValueError(
                f"freeze must be a whole number or 'body': got {self._freeze}."
            )
        if getattr(self, "init_from", None) is not None:
            _check_source(self)
            if n_layers == 0:
                raise ValueError(
                    "init_from must be None with hidden_layer_sizes="
                    f"{self.hidden_layer_sizes!r}: there is no hidden layer to copy."
                )
        if self._freeze != "body" and self._freeze > n_layers:
            raise ValueError(
                f"freeze must be at most the number of hidden layers, {n_layers}, or "
                f"'body' for all of them: got {self._freeze}."
            )

    def _make_parameters(self, targets, X, dtype, device, random_state):
        if self._source is None and self._freeze != 0:
            raise ValueError(
                "freeze must be 0 without init_from in a fit that begins anew, since "
                "no layer has learned anything that is worth keeping: got "
                f"{self._freeze!r}."
            )
        flat = super()._make_parameters(targets, X, dtype, device, random_state)
        if self._source is not None:
            _check_fit(self._source, self, flat.module)
            pairs = zip(
                _list_parts(flat.module), _list_parts(self._source.module_), strict=True
            )
            for own, given in pairs:
                own.load_state_dict(given.state_dict())
        return flat

    def _calibrate(self, module, rows):
        """Leave the inputs' scaling to the network that the layers come from."""
        if self._source is None:
            super()._calibrate(module, rows)

    @property
    def _n_frozen(self):
        """Number of the module's hidden layers that training leaves as they are."""
        n_layers = len(self.module_.hidden_parts())
        return n_layers if self._freeze == "body" else int(self._freeze)

    @property
    def _frozen_parts(self):
        layers = self.module_.hidden_parts()[: self._n_frozen] if self._freeze else []
        return [part for parts in layers for part in parts]


def _list_parts(module):
    """Parts of all hidden layers, one after another."""
    return [part for parts in module.hidden_parts() for part in parts]


def _check_source(network):
    """Refuse an `init_from` that has no layers of the network's kind."""
    given = network.init_from
    if not isinstance(given, FrozenEstimator):
        raise TypeError(
            "init_from must be None or FrozenEstimator(network) of sklearn.frozen, "
            f"which keeps the network fitted when it is cloned: got {given!r}."
        )
    source = given.estimator
    if hasattr(source, "steps") or hasattr(source, "best_estimator_"):
        raise TypeError(
            "init_from must hold the fitted network itself: take the last step of a "
            "pipeline, best_estimator_ of a search, and give the new network inputs "
            f"that have gone through the same steps: got {type(source).__name__}."
        )
    of_a_kind = isinstance(source, TransferredBody)
    if not of_a_kind or source._architecture != network._architecture:
        raise TypeError(
            f"init_from must hold a network of the architecture of sknn's "
            f"{type(network).__name__}: got {_full_name(source)}."
        )
    if not source.__sklearn_is_fitted__():
        raise NotFittedError(
            f"init_from must hold a fitted network: got {source!r}, which is not."
        )


def _check_fit(source, network, module):
    """Refuse layers that are not those of the network's new module."""
    given = source._fitted_architecture | _activation_of(source.module_)
    wanted = network._describe_architecture() | _activation_of(module)
    for name, value in wanted.items():
        if given[name] != value:
            raise ValueError(
                f"{name} must be that of init_from, {given[name]!r}, whose layers are "
                f"copied: got {value!r}."
            )
    if _shapes_of(source.module_) != _shapes_of(module):
        raise ValueError(
            "X must be such as init_from was fitted to, whose layers are copied, "
            f"{source._describe_inputs()}: got {network._describe_inputs()}."
        )
    if all(getattr(of, "_fitted_to_table", True) for of in (source, network)):
        _check_names(source, network)  # which other sequences have none of


def _check_names(source, network):
    """Refuse columns of other names; where only one side has any, warn."""
    given, own = (getattr(of, "feature_names_in_", None) for of in (source, network))
    kind = type(source).__name__
    if given is None and own is not None:
        warnings.warn(
            f"X has feature names, but {kind} was fitted without feature names",
            stacklevel=2,
        )
    elif given is not None and own is None:
        warnings.warn(
            f"X does not have valid feature names, but {kind} was fitted with feature "
            "names",
            stacklevel=2,
        )
    elif given is not None and not np.array_equal(given, own):
        k = int(np.argmax(given != own))
        raise ValueError(
            "X must have the columns that init_from was fitted to, in their order: got "
            f"{own[k]!r} where {given[k]!r} was, in column {k}."
        )


def _full_name(estimator):
    """Name of its class, with that of the package."""
    kind = type(estimator)
    return f"{kind.__module__.split('._')[0]}.{kind.__qualname__}"


def _activation_of(module):
    """The activation of modules whose estimator may change it between fits."""
    name = getattr(module, "activation_name", None)
    return {} if name is None else {"activation": name}


def _shapes_of(module):
    """Shapes of the parameters and buffers of each part."""
    return [
        {name: tensor.shape for name, tensor in part.state_dict().items()}
        for part in _list_parts(module)
    ]
