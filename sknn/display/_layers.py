"""Layers of a network: their weights, which units are shown, and where."""

from itertools import pairwise

import numpy as np


def check_coefs(coefs):
    """Weights of each layer as finite arrays that follow on one another.

    Parameters
    ----------
    coefs : sequence of array-like of shape (fan_in, fan_out)
        Weights, a layer an array.

    Returns
    -------
    list of ndarray of shape (fan_in, fan_out)
        The same, as numbers.

    Raises
    ------
    ValueError
        For other shapes, or numbers that are not finite.
    """
    coefs = [np.asarray(weights, dtype=float) for weights in coefs]
    shapes = [weights.shape for weights in coefs]
    if not coefs or any(len(shape) != 2 or 0 in shape for shape in shapes):
        raise ValueError(
            "coefs must be arrays of shape (fan_in, fan_out), one a layer: got shapes "
            f"{shapes}."
        )
    if any(a[1] != b[0] for a, b in pairwise(shapes)):
        raise ValueError(
            "coefs must follow on one another, with as many rows as the array before "
            f"has columns: got shapes {shapes}."
        )
    for index, weights in enumerate(coefs):
        if not np.isfinite(weights).all():
            raise ValueError(
                "coefs must be finite: got "
                f"{weights[~np.isfinite(weights)][0]} in coefs[{index}]."
            )
    return coefs


def choose_units(coefs, max_units):
    """Choose the strongest units of each layer, in their order.

    A unit is as strong as the norm of its outgoing weights times that of its incoming
    ones. For rectified units this product says how much they can contribute: scaling
    the one weights up and the others down changes neither it nor the network.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer.
    max_units : int or None
        How many units of a layer to choose; None for all.

    Returns
    -------
    list of ndarray of shape (n_shown,)
        Numbers of the chosen units, for the inputs and each layer.
    """
    into = [1.0, *(np.linalg.norm(weights, axis=0) for weights in coefs)]
    out = [*(np.linalg.norm(weights, axis=1) for weights in coefs), 1.0]
    strengths = [a * b for a, b in zip(into, out, strict=True)]
    return [
        np.sort(np.argsort(-strength, kind="stable")[:max_units])
        for strength in strengths
    ]


def place_units(n_shown, is_abbreviated):
    """Heights of a layer's units from top to bottom, the ellipsis' being the last."""
    heights = np.arange(n_shown + is_abbreviated, dtype=float)
    return heights[::-1] - heights.mean()
