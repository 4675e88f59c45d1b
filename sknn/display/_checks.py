"""Checks that the displays share, and their one way to matplotlib."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def get_network(estimator, attribute):
    """Fitted network, the last step of a Pipeline or alone, that has an attribute."""
    network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    is_estimator = hasattr(network, "fit") and not isinstance(network, type)
    if is_estimator:
        check_is_fitted(network)
    if not is_estimator or getattr(network, attribute, None) is None:
        raise TypeError(
            f"estimator must be a fitted network that has {attribute}, or a Pipeline "
            f"that ends with one: got {estimator!r}."
        )
    return network


def get_axes(ax, caller, **figure_options):
    """Axes to draw on: those given, or of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        What the user passed.
    caller : str
        Name of the display, for the messages.
    **figure_options : dict
        Passed to ``matplotlib.pyplot.subplots`` for a new figure.

    Returns
    -------
    matplotlib Axes
        Where to draw.

    Raises
    ------
    ImportError
        If there is no matplotlib.
    TypeError
        If `ax` is something else.
    """
    try:
        from matplotlib.axes import Axes
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib: install it by `pip install sknn[examples]`."
        ) from error
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.subplots(layout="constrained", **figure_options)[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be one matplotlib Axes or None: got {ax!r}.")
    return ax


def check_flags(**flags):
    """Check that options are True or False."""
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} must be True or False: got {value!r}.")


def check_properties(**options):
    """Check that options are dicts of artist properties, or None for none."""
    for name, value in options.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(
                f"{name} must be a dict of properties of the artists, or None: got "
                f"{value!r}."
            )


def check_number(name, value, least, most, optional=False):
    """Check that an option is a whole number in a range, or None where it may be."""
    if value is None and optional:
        return
    if not isinstance(value, Integral) or isinstance(value, bool):
        or_none = " or None" if optional else ""
        raise TypeError(f"{name} must be a whole number{or_none}: got {value!r}.")
    if value < least or (most is not None and value > most):
        rule = f">= {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be {rule}: got {value}.")
