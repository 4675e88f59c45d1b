"""Rows of a table as pictures or curves, in a grid with names at its left."""

from math import prod
from numbers import Integral, Real

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknn.display._checks import get_axes
from sknn.display._filters import GAP, SERIES_SIZE, draw_frames

TILE = 0.9  # inches, the longer side
LARGEST = 12.0  # inches, of a new figure's sides
LEFT, BELOW, AROUND = 1.6, 0.5, 0.1  # inches, for names of rows and of columns


def check_model(estimator, *methods):
    """Check that an estimator is fitted and has some methods."""
    has_them = all(callable(getattr(estimator, method, None)) for method in methods)
    if not has_them or isinstance(estimator, type):
        raise TypeError(
            f"estimator must be fitted and have {' and '.join(methods)}: got "
            f"{estimator!r}."
        )
    check_is_fitted(estimator)


def as_rows(name, X):
    """Finite numbers, a row a sample.

    Parameters
    ----------
    name : str
        Name of the parameter, for the messages.
    X : array-like or sparse matrix of shape (n, n_features) or (n, height, width, ...)
        Samples, at least one.

    Returns
    -------
    ndarray of shape (n, n_features)

    Raises
    ------
    ValueError
        For other shapes and for numbers that are not finite.
    """
    X = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
    if X.ndim < 2 or not X.size:
        raise ValueError(
            f"{name} must have the shape (n, n_features) or (n, height, width, ...), "
            f"with n >= 1: got {X.shape}."
        )
    if not np.isfinite(X).all():
        raise ValueError(f"{name} must be finite: got {X[~np.isfinite(X)][0]}.")
    return X.reshape(len(X), -1)


def choose_image_shape(image_shape, estimator, X):
    """Shape asked for, or that of the samples, or the estimator's; None for curves.

    Parameters
    ----------
    image_shape : tuple of int or None
        What the user passed.
    estimator : estimator or Pipeline
        Its parameter `image_shape` or `input_shape` counts if it fits; that of the last
        step of a Pipeline.
    X : array-like of shape (n, n_features) or (n, height, width, ...)
        Samples.

    Returns
    -------
    tuple of int or None
        Height and width, and channels where there are any.

    Raises
    ------
    TypeError, ValueError
        If `image_shape` is not such a shape, or of another number of features.
    """
    shape = X.shape[1:] if hasattr(X, "shape") else np.shape(X)[1:]
    n_features = prod(shape)
    if image_shape is not None:
        return check_image_shape(image_shape, n_features)
    model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    parameters = [getattr(model, f"{name}_shape", None) for name in ("image", "input")]
    for found in (shape, *parameters):
        if is_image_shape(found) and prod(found) == n_features:
            return tuple(found)
    return None


def is_image_shape(shape):
    """Whether a value is (height, width), or has 1, 3 or 4 channels as well."""
    if not isinstance(shape, tuple | list):
        return False
    if not all(isinstance(n, Integral) and n >= 1 for n in shape):
        return False
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def check_image_shape(image_shape, n_features):
    """Shape of pictures of so many numbers, as a tuple; None stays None."""
    if image_shape is None:
        return None
    if not isinstance(image_shape, tuple | list):
        raise TypeError(f"image_shape must be a tuple or None: got {image_shape!r}.")
    if not is_image_shape(image_shape):
        raise ValueError(
            "image_shape must be (height, width) or (height, width, channels) with 1, "
            f"3 or 4 channels: got {image_shape!r}."
        )
    if prod(image_shape) != n_features:
        raise ValueError(
            f"image_shape must be of {n_features} numbers, as the rows are: got "
            f"{tuple(image_shape)}, which has {prod(image_shape)}."
        )
    return tuple(image_shape)


def choose_limits(limits, *samples):
    """Numbers that are black and white, by default the smallest and the largest."""
    if limits is None:
        low, high = min(map(np.min, samples)), max(map(np.max, samples))
        return (low, high) if low < high else (low - 0.5, high + 0.5)
    is_pair = isinstance(limits, tuple | list) and len(limits) == 2
    if not is_pair or not all(isinstance(limit, Real) for limit in limits):
        raise TypeError(
            f"limits must be two numbers, (low, high), or None: got {limits!r}."
        )
    if not -np.inf < limits[0] < limits[1] < np.inf:
        raise ValueError(
            f"limits must be finite, the first below the second: got {limits}."
        )
    return tuple(limits)


class Grid:
    """Tiles in rows, each a picture or a curve of one sample.

    Parameters
    ----------
    lengths : list of int
        Tiles in each row, from the top.
    image_shape : tuple of int or None
        Shape of the pictures; None draws curves.
    limits : tuple of float
        Numbers that are black and white, or at the bottom and top of a curve's tile.
    """

    def __init__(self, lengths, image_shape, limits):
        self.image_shape, self.limits = image_shape, limits
        self.size = SERIES_SIZE if image_shape is None else image_shape[:2]
        height, width = (side + GAP * max(self.size) for side in self.size)
        self.rows = [
            [(width * j, -height * i) for j in range(n)] for i, n in enumerate(lengths)
        ]  # lower left corners
        self._extent = width * max(lengths), height * len(lengths)

    def get_axes(self, ax, caller, left=AROUND, below=AROUND):
        """Axes to draw on: those given, or of a new figure with such margins."""
        if ax is not None:
            return get_axes(ax, caller)
        ax = get_axes(None, caller, figsize=self._choose_size(left, below))
        ax.set_anchor("SW")  # where the layout measures the names from
        return ax

    def _choose_size(self, left, below):
        """Width and height of a new figure with such margins, in inches."""
        margins = left + AROUND, below + AROUND
        tallest = TILE / max(self.size)  # inches a unit
        fitting = [
            (LARGEST - margin) / side
            for side, margin in zip(self._extent, margins, strict=True)
        ]
        scale = min(tallest, *fitting)
        return tuple(
            scale * side + margin
            for side, margin in zip(self._extent, margins, strict=True)
        )

    def draw(self, ax, row, corner, **style):
        """Draw one sample and return its AxesImage or Line2D."""
        (x, y), (height, width), (low, high) = corner, self.size, self.limits
        if self.image_shape is None:
            shares = (row - low) / (high - low)
            steps = (
                np.linspace(0.05, 0.95, len(row)) if len(row) > 1 else np.array([0.5])
            )
            style.setdefault("marker", "o" if len(row) == 1 else None)
            heights = y + height * (0.05 + 0.9 * shares)
            return ax.plot(x + width * steps, heights, linewidth=1, **style)[0]
        image, extent = row.reshape(self.image_shape), (x, x + width, y, y + height)
        if image.ndim == 3 and image.shape[2] > 1:
            image = np.clip((image - low) / (high - low), 0, 1)
        return ax.imshow(
            image, extent=extent, origin="upper", vmin=low, vmax=high, **style
        )

    def finish(self, ax):
        """Frame the tiles and let the axes end there."""
        return draw_frames(
            ax, [corner for row in self.rows for corner in row], self.size
        )

    def write_left(self, ax, i, text):
        """Write a name at the left of a row, or of what is below the last one."""
        x, y = self.rows[-1 if i is None else i][0]
        if i is None:
            return write(ax, text, (x, y), (-8, -4), "right", "top", fontsize="small")
        return write(ax, text, (x, y + self.size[0] / 2), (-8, 0), "right", "center")

    def write_below(self, ax, j, text, **style):
        """Write a number below a column."""
        x, y = self.rows[-1][j]
        return write(
            ax, text, (x + self.size[1] / 2, y), (0, -4), "center", "top", **style
        )


def write(ax, text, place, shift, ha, va, **style):
    """Write text that is some points away from a place."""
    return ax.annotate(
        text,
        place,
        shift,
        textcoords="offset points",
        ha=ha,
        va=va,
        annotation_clip=False,
        parse_math=False,
        **style,
    )
