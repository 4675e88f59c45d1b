"""Names of the inputs and outputs of a network."""

import numpy as np
from sklearn.base import is_classifier


def check_names(parameter, names, n_units, letter):
    """Names of units as a list; by default a letter with the unit's number."""
    if names is None:
        return [f"{letter}{i}" for i in range(n_units)] if n_units > 1 else [letter]
    if isinstance(names, str):
        raise TypeError(f"{parameter} must be a list of names: got {names!r}.")
    names = [str(name) for name in names]
    if len(names) != n_units:
        raise ValueError(
            f"{parameter} must have one name a unit, {n_units}: got {len(names)}."
        )
    return names


def get_feature_names(estimator, network):
    """Names of a network's inputs, as seen in fit or as a Pipeline's steps name them.

    None where there are none.
    """
    names = getattr(network, "feature_names_in_", None)
    if names is not None or network is estimator or len(estimator) == 1:
        return names
    if getattr(estimator, "feature_names_in_", None) is None:
        return None
    try:
        return estimator[:-1].get_feature_names_out()
    except AttributeError:  # a step that does not name its columns
        return None


def get_target_names(network, names):
    """Names of a network's outputs; two classes that share one output give theirs."""
    if names is None and is_classifier(network):
        names = network.classes_
    shares_output = is_classifier(network) and network.coefs_[-1].shape[1] == 1
    return names[1:] if shares_output and np.size(names) == 2 else names
