"""Samples beside what an autoencoder makes of them."""

import numpy as np

from sknn.display._checks import check_number, check_properties
from sknn.display._pictures import (
    BELOW,
    LEFT,
    Grid,
    as_rows,
    check_image_shape,
    check_model,
    choose_image_shape,
    choose_limits,
)

NAMES = {"X": "original", "X_noisy": "noisy", "reconstructions": "reconstruction"}
DIGIT = 5.5  # points, the width of a small one


class ReconstructionDisplay:
    """Samples in one row, and below them what is reconstructed of their codes.

    Samples are pictures, or curves over the features where they have no shape of an
    image. All have one scale; pictures that go beyond that of the originals are black
    or white there. Curves have the original behind them, in grey. The mean squared
    error of each reconstruction is written below it. Use `from_estimator` to make a
    display.

    Parameters
    ----------
    X : array-like of shape (n, n_features) or (n, height, width, ...)
        Samples.
    reconstructions : array-like of the shape of `X`
        What was reconstructed.
    X_noisy : array-like of the shape of `X`, default=None
        What it was reconstructed from, where that was not `X`.
    image_shape : tuple of int, default=None
        Height and width of the pictures, and the number of channels if there are any;
        None draws curves.

    Attributes
    ----------
    errors : ndarray of shape (n,)
        Mean squared difference of each reconstruction and its sample.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.
    tiles_ : dict of str to list of matplotlib AxesImage or Line2D
        The tiles "X", "X_noisy" where there are any, and "reconstructions".
    originals_ : list of matplotlib Line2D
        Grey curves of the originals; none behind pictures.
    frames_ : matplotlib PatchCollection
        Frames around the tiles.
    names_, errors_ : list of matplotlib Annotation
        Names of the rows; errors below the columns.

    See Also
    --------
    SamplesDisplay : Samples that a model has generated.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sknn.display import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> pca = PCA(n_components=16).fit(X[:1000])
    >>> display = ReconstructionDisplay.from_estimator(
    ...     pca, X[1000:], image_shape=(8, 8)
    ... )
    >>> display.errors.shape
    (8,)
    """

    def __init__(self, X, reconstructions, *, X_noisy=None, image_shape=None):
        self.X = X
        self.reconstructions = reconstructions
        self.X_noisy = X_noisy
        self.image_shape = image_shape

    @property
    def errors(self):
        """Mean squared difference of each reconstruction and its sample."""
        X, reconstructions = self._read_rows("X", "reconstructions")
        return np.mean((X - reconstructions) ** 2, axis=1)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        X_noisy=None,
        image_shape=None,
        n_samples=8,
        ax=None,
        cmap="gray",
        limits=None,
        artist_kwargs=None,
    ):
        """Plot samples and their reconstructions.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with `transform` and `inverse_transform`: an autoencoder, or
            scikit-learn's `PCA`, for example.
        X : array-like of shape (n, n_features) or (n, height, width, ...)
            Samples as for `transform`, of which the first are shown.
        X_noisy : array-like of the shape of `X`, default=None
            The same samples with noise. If given, they are shown as well and are what
            is reconstructed; errors are those from `X`.
        image_shape : tuple of int, default=None
            Height and width, or height, width and channels, of samples that are
            pictures. None takes the shape that the samples have, or the estimator's
            parameter `image_shape` or `input_shape`, and draws curves if there is none.
        n_samples : int, default=8
            How many samples to show, at most.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of pictures of one channel, from the smallest number to the largest.
        limits : tuple of float, default=None
            Numbers that are black and white, or at the bottom and top of a curve's
            frame, such as ``(0, 1)``. None takes the smallest and largest of `X`,
            and of all that is shown for curves.
        artist_kwargs : dict, default=None
            Properties of all tiles, such as ``{"interpolation": "bilinear"}`` of
            pictures or ``{"color": "black"}`` of curves.

        Returns
        -------
        ReconstructionDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` has not both methods; for options of a wrong type.
        ValueError
            If there are no samples, if `X_noisy` is not as many, if `image_shape` is of
            another number of features; for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        check_number("n_samples", n_samples, 1, None)
        check_model(estimator, "transform", "inverse_transform")
        X = take_first("X", X, n_samples)
        rows = as_rows("X", X)
        image_shape = choose_image_shape(image_shape, estimator, X)
        if X_noisy is not None:
            X_noisy = take_first("X_noisy", X_noisy, n_samples)
            check_alike("X_noisy", as_rows("X_noisy", X_noisy), rows)
        codes = estimator.transform(X if X_noisy is None else X_noisy)
        reconstructions = estimator.inverse_transform(codes)
        display = cls(
            rows,
            as_rows("reconstructions", reconstructions),
            X_noisy=None if X_noisy is None else as_rows("X_noisy", X_noisy),
            image_shape=image_shape,
        )
        return display.plot(
            ax=ax, cmap=cmap, limits=limits, artist_kwargs=artist_kwargs
        )

    def plot(self, *, ax=None, cmap="gray", limits=None, artist_kwargs=None):
        """Plot the samples and their reconstructions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of pictures of one channel, from the smallest number to the largest.
        limits : tuple of float, default=None
            Numbers that are black and white, or at the bottom and top of a curve's
            frame, such as ``(0, 1)``. None takes the smallest and largest of `X`,
            and of all that is shown for curves.
        artist_kwargs : dict, default=None
            Properties of all tiles.

        Returns
        -------
        self : ReconstructionDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            For samples, reconstructions and `image_shape` that do not fit.
        ImportError
            If matplotlib is not installed.
        """
        check_properties(artist_kwargs=artist_kwargs)
        shown = [name for name in NAMES if getattr(self, name) is not None]
        rows = dict(zip(shown, self._read_rows(*shown), strict=True))
        image_shape = check_image_shape(self.image_shape, rows["X"].shape[1])
        scaled = rows.values() if image_shape is None else [rows["X"]]
        limits = choose_limits(limits, *scaled)
        grid = Grid([len(rows["X"])] * len(rows), image_shape, limits)
        self.ax_ = ax = grid.get_axes(ax, "ReconstructionDisplay", LEFT, BELOW)
        self.figure_ = ax.figure
        self._draw_tiles(grid, rows, cmap, artist_kwargs or {})
        self.frames_ = grid.finish(ax)
        self._write_names(grid, shown)
        return self

    def _read_rows(self, *names):
        """Rows of some parameters, all of the shape of `X`."""
        found = [as_rows(name, getattr(self, name)) for name in names]
        for name, rows in zip(names, found, strict=True):
            check_alike(name, rows, found[0])
        return found

    def _draw_tiles(self, grid, rows, cmap, properties):
        is_curve = grid.image_shape is None
        style = {"color": "tab:blue"} if is_curve else {"cmap": cmap}
        self.tiles_, self.originals_ = {}, []
        for (name, samples), corners in zip(rows.items(), grid.rows, strict=True):
            if is_curve and name != "X":
                self.originals_ += [
                    grid.draw(self.ax_, row, corner, color="0.7")
                    for row, corner in zip(rows["X"], corners, strict=True)
                ]
            self.tiles_[name] = [
                grid.draw(self.ax_, row, corner, **style)
                for row, corner in zip(samples, corners, strict=True)
            ]
            for tile in self.tiles_[name]:
                tile.set(**properties)

    def _write_names(self, grid, shown):
        ax = self.ax_
        self.names_ = [
            grid.write_left(ax, i, NAMES[name]) for i, name in enumerate(shown)
        ]
        self.names_.append(grid.write_left(ax, None, "mean squared error"))
        errors = [f"{error:.3g}" for error in self.errors]
        width = ax.get_window_extent().width * 72 / self.figure_.dpi / len(errors)
        is_narrow = width < DIGIT * max(map(len, errors))
        style = {"fontsize": "small", "rotation": 90 if is_narrow else 0}
        self.errors_ = [
            grid.write_below(ax, j, error, **style) for j, error in enumerate(errors)
        ]


def take_first(name, X, n_samples):
    """Take the first of some samples, in whatever they are held."""
    try:
        return X[:n_samples]
    except TypeError as error:
        raise TypeError(f"{name} must be an array of samples: got {X!r}.") from error


def check_alike(name, rows, X):
    """Check that rows are as many, and as long, as those of X."""
    if rows.shape != X.shape:
        raise ValueError(
            f"{name} must have the shape of X, {X.shape}: got {rows.shape}."
        )
