"""Samples that a generative model has drawn."""

from inspect import signature
from math import ceil, sqrt

import numpy as np
from sklearn.pipeline import Pipeline

from sknn.display._checks import check_number, check_properties, get_axes
from sknn.display._pictures import (
    AROUND,
    Grid,
    as_rows,
    check_image_shape,
    check_model,
    choose_image_shape,
    choose_limits,
)

N_A_CLASS, N_IN_ALL, N_POINTS = 5, 25, 500
LETTER = 0.1  # inches, the width of one


class SamplesDisplay:
    """Samples of a generative model, in a grid or as points of the plane.

    Pictures have one scale, from the smallest to the largest number of all samples.
    Samples with classes have a row of the grid for each class. Samples of two features
    are points, coloured by their class; others that are no pictures are curves over
    their features. Use `from_estimator` to make a display.

    Parameters
    ----------
    samples : array-like of shape (n, n_features) or (n, height, width, ...)
        The samples.
    y : array-like of shape (n,), default=None
        Class of each sample.
    image_shape : tuple of int, default=None
        Height and width of the pictures, and the number of channels if there are any;
        None draws points or curves.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.
    tiles_ : list of matplotlib AxesImage or Line2D
        Pictures or curves, class by class and row by row; none where there are points.
    shown_ : ndarray of shape (n,)
        Numbers of the samples in `tiles_`.
    frames_ : matplotlib PatchCollection or None
        Frames around the tiles.
    names_ : list of matplotlib Annotation
        Classes, at the left of their first rows.
    points_ : list of matplotlib PathCollection
        Points of each class, or of all; none where there are tiles.
    legend_ : matplotlib Legend or None
        Classes of the points.

    See Also
    --------
    ReconstructionDisplay : Samples and what an autoencoder makes of them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.mixture import GaussianMixture
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn.display import SamplesDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> mixture = GaussianMixture(n_components=20, random_state=0)
    >>> model = make_pipeline(PCA(n_components=16), mixture).fit(X)
    >>> display = SamplesDisplay.from_estimator(model, image_shape=(8, 8))
    >>> display.samples.shape
    (25, 64)
    """

    def __init__(self, samples, *, y=None, image_shape=None):
        self.samples = samples
        self.y = y
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        n_samples=None,
        y=None,
        image_shape=None,
        random_state=None,
        n_columns=None,
        ax=None,
        cmap="gray",
        limits=None,
        artist_kwargs=None,
    ):
        """Draw samples of a model and plot them.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with `sample`: a `GANSampler` or `VariationalAutoencoder`, or
            scikit-learn's `GaussianMixture` or `KernelDensity`. Of a Pipeline the last
            step samples, and the others' `inverse_transform` leads back to the
            features.
        n_samples : int, default=None
            How many samples of each class, or in all of a model without classes. None
            draws 5 of each class, or 25 in all; of points of the plane 500 in all, as
            many of each class.
        y : array-like, default=None
            Classes to sample of a model that knows some, such as ``[3, 8]``. None
            samples all.
        image_shape : tuple of int, default=None
            Height and width, or height, width and channels, of samples that are
            pictures. None takes the shape that the samples have, or the estimator's
            parameter `image_shape` or `input_shape`.
        random_state : int, RandomState instance or None, default=None
            Passed to `sample`. Mixtures of scikit-learn, whose `sample` does not take
            it, have their own.
        n_columns : int, default=None
            Tiles in a row. None has a row for each class, or as many rows as columns.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of pictures of one channel, from the smallest number to the largest.
        limits : tuple of float, default=None
            Numbers that are black and white, or at the bottom and top of a curve's
            frame, such as ``(0, 1)``. None takes the smallest and largest of all
            samples.
        artist_kwargs : dict, default=None
            Properties of all pictures, curves or points, such as
            ``{"interpolation": "bilinear"}`` of pictures.

        Returns
        -------
        SamplesDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` has no `sample`, or one without `random_state` where that is
            given; for options of a wrong type.
        ValueError
            If `y` has classes that the model does not know, if `image_shape` is of
            another number of features; for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        check_number("n_samples", n_samples, 1, None, optional=True)
        check_number("n_columns", n_columns, 1, None, optional=True)
        model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        check_model(model, "sample")
        classes = choose_classes(model, y)
        if n_samples is None:
            n_samples = choose_n_samples(estimator, classes, image_shape)
        samples, labels = draw_samples(model, n_samples, classes, random_state)
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            samples = estimator[:-1].inverse_transform(samples)
        rows = as_rows("samples", samples)
        image_shape = choose_image_shape(image_shape, estimator, samples)
        if classes is None and not is_plane(rows, image_shape):
            labels = None  # components of a mixture
        display = cls(rows, y=labels, image_shape=image_shape)
        return display.plot(
            n_columns=n_columns,
            ax=ax,
            cmap=cmap,
            limits=limits,
            artist_kwargs=artist_kwargs,
        )

    def plot(
        self, *, n_columns=None, ax=None, cmap="gray", limits=None, artist_kwargs=None
    ):
        """Plot the samples.

        Parameters
        ----------
        n_columns : int, default=None
            Tiles in a row. None has a row for each class, or as many rows as columns.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of pictures of one channel, from the smallest number to the largest.
        limits : tuple of float, default=None
            Numbers that are black and white, or at the bottom and top of a curve's
            frame, such as ``(0, 1)``. None takes the smallest and largest of all
            samples.
        artist_kwargs : dict, default=None
            Properties of all pictures, curves or points.

        Returns
        -------
        self : SamplesDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            For samples, classes and `image_shape` that do not fit, and for options out
            of range.
        ImportError
            If matplotlib is not installed.
        """
        check_number("n_columns", n_columns, 1, None, optional=True)
        check_properties(artist_kwargs=artist_kwargs)
        samples = as_rows("samples", self.samples)
        image_shape = check_image_shape(self.image_shape, samples.shape[1])
        limits = choose_limits(limits, samples)
        groups = group_by_class(self.y, len(samples))
        self.tiles_, self.names_, self.points_ = [], [], []
        self.frames_ = self.legend_ = None
        self.shown_ = np.concatenate(list(groups.values()))
        if is_plane(samples, image_shape):
            self._plot_points(samples, groups, ax)
        else:
            lengths, starts = cut_rows(groups, n_columns)
            grid = Grid(lengths, image_shape, limits)
            self._plot_tiles(grid, samples[self.shown_], ax, cmap)
            self._write_names(grid, groups, starts)
        for artist in self.tiles_ or self.points_:
            artist.set(**(artist_kwargs or {}))
        return self

    def _plot_points(self, samples, groups, ax):
        self.ax_ = ax = get_axes(ax, "SamplesDisplay")
        self.figure_ = ax.figure
        for label, members in groups.items():
            name = None if self.y is None else str(label)
            points = ax.scatter(*samples[members].T, s=12, label=name)
            self.points_.append(points)
        ax.set(xlabel="feature 0", ylabel="feature 1")
        if self.y is not None:
            self.legend_ = ax.legend()

    def _plot_tiles(self, grid, samples, ax, cmap):
        names = [] if self.y is None else map(str, self.y)
        left = AROUND + LETTER * max(map(len, names), default=0)
        self.ax_ = ax = grid.get_axes(ax, "SamplesDisplay", left)
        self.figure_ = ax.figure
        style = {"color": "tab:blue"} if grid.image_shape is None else {"cmap": cmap}
        corners = [corner for row in grid.rows for corner in row]
        self.tiles_ = [
            grid.draw(ax, row, corner, **style)
            for row, corner in zip(samples, corners, strict=True)
        ]
        self.frames_ = grid.finish(ax)

    def _write_names(self, grid, groups, starts):
        if self.y is not None:
            self.names_ = [
                grid.write_left(self.ax_, start, str(label))
                for label, start in zip(groups, starts, strict=True)
            ]


def choose_classes(model, y):
    """Classes to sample, those asked for or all; None of a model that knows none."""
    known = getattr(model, "classes_", None)
    if known is None:
        if y is not None:
            raise ValueError(
                f"y={y!r} asks for classes: {type(model).__name__} was fitted without "
                "any."
            )
        return None
    known = np.asarray(known)
    if y is None:
        return known
    classes = np.atleast_1d(y)
    unknown = [label for label in classes.tolist() if label not in known.tolist()]
    if classes.ndim != 1 or not len(classes) or unknown:
        raise ValueError(f"y must be some of the classes {known.tolist()}: got {y!r}.")
    return classes


def choose_n_samples(estimator, classes, image_shape):
    """How many samples of a class, one number or one each, or in all make a picture."""
    n_features = getattr(estimator, "n_features_in_", None)
    if n_features == 2 and image_shape is None:
        return N_POINTS if classes is None else share(N_POINTS, len(classes))
    return N_IN_ALL if classes is None else N_A_CLASS


def share(n, n_parts):
    """Sizes of parts of `n` that differ by one at most, the larger ones first."""
    return [len(range(part, n, n_parts)) for part in range(n_parts)]


def draw_samples(model, n_samples, classes, random_state):
    """Samples, and the class of each, or None."""
    options = {"n_samples": n_samples}
    if classes is not None:
        options = {"y": np.repeat(classes, n_samples)}
    if "random_state" in signature(model.sample).parameters:
        options["random_state"] = random_state
    elif random_state is not None:
        raise TypeError(
            f"random_state={random_state!r} is for models whose sample takes it: "
            f"{type(model).__name__} has one of its own."
        )
    found = model.sample(**options)
    return found if isinstance(found, tuple) else (found, options.get("y"))


def is_plane(samples, image_shape):
    """Whether samples are points of the plane."""
    return image_shape is None and samples.shape[1] == 2


def group_by_class(y, n_samples):
    """Numbers of the samples of each class, in the order of their first ones."""
    if y is None:
        return {None: np.arange(n_samples)}
    y = np.asarray(y)
    if y.shape != (n_samples,):
        raise ValueError(
            f"y must have one class a sample, {n_samples}: got the shape {y.shape}."
        )
    return {label: np.flatnonzero(y == label) for label in dict.fromkeys(y.tolist())}


def cut_rows(groups, n_columns):
    """Lengths of the rows of all groups, and the first row of each group."""
    if n_columns is None:
        longest = max(map(len, groups.values()))
        n_columns = longest if None not in groups else ceil(sqrt(longest))
    lengths, starts = [], []
    for members in groups.values():
        starts.append(len(lengths))
        n_full, n_left = divmod(len(members), n_columns)
        lengths += [n_columns] * n_full + [n_left] * bool(n_left)
    return lengths, starts
