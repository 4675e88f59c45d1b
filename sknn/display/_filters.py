"""Kernels of a convolutional layer, and what they make of a sample."""

from math import ceil, sqrt

import numpy as np
from sklearn.pipeline import Pipeline

from sknn.display._checks import (
    check_flags,
    check_number,
    check_properties,
    get_axes,
    get_network,
)

GAP = 0.2  # between tiles, of the longer side of one
SERIES_SIZE = 1.0, 1.4  # height and width of a series' tile


class FiltersDisplay:
    """Kernels of a convolutional layer, or its feature maps of a sample, as a grid.

    All have one scale, symmetric about zero: blue is positive, red negative, white
    zero. Kernels over three colours are colours themselves, grey being zero, and series
    are drawn as steps about a line at zero. Use `from_estimator` to make a display.

    Parameters
    ----------
    tiles : array-like of shape (n_filters, steps), (n_filters, height, width) or \
            (n_filters, height, width, 3)
        Values of each kernel, or of each channel's map.
    kind : str, default="kernels"
        What they are, for the title.
    layer : int, default=0
        Where they are from, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.
    shown_ : ndarray of shape (n_shown,)
        Numbers of the tiles shown.
    tiles_ : list of matplotlib AxesImage or StepPatch
        The tiles, row by row: images, or the steps of series.
    frames_ : matplotlib PatchCollection
        Frames around the tiles.
    colorbar_ : matplotlib Colorbar or None
        Values of the colours, where they are shown.

    See Also
    --------
    NetworkDisplay : Units and weights of a perceptron.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import ConvClassifier
    >>> from sknn.display import FiltersDisplay
    >>> digits = load_digits()
    >>> conv = ConvClassifier(conv_channels=(8,), n_iter_no_change=1, tol=0.1,
    ...                       random_state=0)
    >>> conv = conv.fit(digits.images[:500], digits.target[:500])
    >>> FiltersDisplay.from_estimator(conv).tiles.shape
    (8, 3, 3)
    >>> FiltersDisplay.from_estimator(conv, X=digits.images[:1]).tiles.shape
    (8, 4, 4)
    """

    def __init__(self, tiles, *, kind="kernels", layer=0):
        self.tiles = tiles
        self.kind = kind
        self.layer = layer

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        X=None,
        layer=0,
        channel=None,
        ax=None,
        max_filters=64,
        n_columns=None,
        cmap="RdBu",
        colorbar=True,
        tile_kwargs=None,
    ):
        """Plot the kernels of a layer, or what the layer makes of a sample.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted `ConvClassifier` or `ConvRegressor`, or a Pipeline that ends with
            one.
        X : array-like holding one sample, default=None
            What to show the feature maps of, such as ``X[:1]``: the output of the
            layer, after activation and pooling. None shows the kernels.
        layer : int, default=0
            Which convolutional layer, or residual block, counted from zero. Of a block
            the kernels of the first convolution are shown.
        channel : int, default=None
            Channel of the layer's input whose part of the kernels is shown. None shows
            three input channels of images as red, green and blue in the first layer,
            and else channel 0.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        max_filters : int or None, default=64
            How many to show, those of the largest norm; None shows all.
        n_columns : int or None, default=None
            Tiles in a row; None has about as many rows as columns.
        cmap : str or matplotlib Colormap, default="RdBu"
            Colours of the values from negative to positive.
        colorbar : bool, default=True
            Whether the values of the colours are shown beside images.
        tile_kwargs : dict, default=None
            Properties of all tiles, such as ``{"interpolation": "bilinear"}`` of images
            or ``{"color": "black"}`` of series.

        Returns
        -------
        FiltersDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` is no convolutional network; for options of a wrong type.
        ValueError
            If there is no such layer or channel, if `X` is not one sample as in `fit`;
            for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        network = get_network(estimator, "conv_dims_")
        check_number("layer", layer, 0, len(network.module_.blocks) - 1)
        if X is None:
            tiles, kind = get_kernels(network.module_, layer, channel), "kernels"
        elif channel is None:
            tiles, kind = get_maps(estimator, network, X, layer), "feature maps"
        else:
            raise ValueError(
                f"channel={channel!r} chooses a part of kernels: feature maps, which X "
                "asks for, have none."
            )
        display = cls(tiles, kind=kind, layer=layer)
        return display.plot(
            ax=ax,
            max_filters=max_filters,
            n_columns=n_columns,
            cmap=cmap,
            colorbar=colorbar,
            tile_kwargs=tile_kwargs,
        )

    def plot(
        self,
        *,
        ax=None,
        max_filters=64,
        n_columns=None,
        cmap="RdBu",
        colorbar=True,
        tile_kwargs=None,
    ):
        """Plot the kernels or feature maps.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        max_filters : int or None, default=64
            How many to show, those of the largest norm; None shows all.
        n_columns : int or None, default=None
            Tiles in a row; None has about as many rows as columns.
        cmap : str or matplotlib Colormap, default="RdBu"
            Colours of the values from negative to positive.
        colorbar : bool, default=True
            Whether the values of the colours are shown beside images.
        tile_kwargs : dict, default=None
            Properties of all tiles.

        Returns
        -------
        self : FiltersDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            If `tiles` are none, or for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        check_number("max_filters", max_filters, 1, None, optional=True)
        check_number("n_columns", n_columns, 1, None, optional=True)
        check_flags(colorbar=colorbar)
        check_properties(tile_kwargs=tile_kwargs)
        tiles = check_tiles(self.tiles)
        norms = np.linalg.norm(tiles.reshape(len(tiles), -1), axis=1)
        self.shown_ = np.sort(np.argsort(-norms, kind="stable")[:max_filters])
        largest = np.abs(tiles).max() or 1.0
        self.ax_ = ax = get_axes(ax, "FiltersDisplay")
        self.figure_ = ax.figure
        size = SERIES_SIZE if tiles.ndim == 2 else tiles.shape[1:3]
        corners = place_tiles(len(self.shown_), n_columns, size)
        draw = draw_series if tiles.ndim == 2 else draw_image
        scale = {"cmap": cmap, "vmin": -largest, "vmax": largest}
        self.tiles_ = [
            draw(ax, tile / largest if tiles.ndim != 3 else tile, corner, size, scale)
            for tile, corner in zip(tiles[self.shown_], corners, strict=True)
        ]
        for artist in self.tiles_:
            artist.set(**(tile_kwargs or {}))
        self.frames_ = draw_frames(ax, corners, size)
        self.colorbar_ = None
        if colorbar and tiles.ndim == 3:
            self.colorbar_ = self.figure_.colorbar(self.tiles_[0], ax=ax)
        ax.set_title(self._make_title(len(tiles)))
        return self

    def _make_title(self, n_tiles):
        n_shown = len(self.shown_)
        count = n_tiles if n_shown == n_tiles else f"{n_shown} of {n_tiles}"
        return f"layer={self.layer}: {count} {self.kind}"


def check_tiles(tiles):
    """Finite numbers of tiles that can be drawn, as an array."""
    tiles = np.asarray(tiles, dtype=float)
    is_drawable = tiles.ndim in (2, 3) or (tiles.ndim == 4 and tiles.shape[3] == 3)
    if not is_drawable or not tiles.size:
        raise ValueError(
            "tiles must have the shape (n_filters, steps), (n_filters, height, width) "
            f"or (n_filters, height, width, 3): got {tiles.shape}."
        )
    if not np.isfinite(tiles).all():
        raise ValueError(f"tiles must be finite: got {tiles[~np.isfinite(tiles)][0]}.")
    return tiles


def get_kernels(module, layer, channel):
    """Copy of the kernels of a convolution, or of the first one of a residual block."""
    body = module.blocks[layer].body
    weight = getattr(body, "first", body).convolution.weight
    kernels = np.array(weight.numpy(force=True))  # (out, in, height, width)
    n_channels = kernels.shape[1]
    if channel is None and layer == 0 and n_channels == 3 and not module.is_series:
        return kernels.transpose(0, 2, 3, 1)
    channel = 0 if channel is None else channel
    check_number("channel", channel, 0, n_channels - 1)
    kernels = kernels[:, channel]
    return kernels[:, 0] if module.is_series else kernels


def get_maps(estimator, network, X, layer):
    """Feature maps of one sample after a layer, the channels first."""
    if isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
    X = network._checked_inputs(X)
    if len(X) != 1:
        raise ValueError(
            f"X must hold one sample, such as X[:1]: got {len(X)} of them."
        )
    maps = network._outputs_of(lambda x: network.module_.feature_maps(x)[layer], X)
    return np.moveaxis(maps[0], -1, 0)


def place_tiles(n_tiles, n_columns, size):
    """Lower left corner (x, y) of each tile, row by row from the top."""
    height, width = (side + GAP * max(size) for side in size)
    if n_columns is None:
        square = ceil(sqrt(n_tiles))
        # fewest empty places in the last row, then about as many rows as columns
        n_columns = min(range(square, 2 * square), key=lambda n: (-n_tiles % n, n))
    return [
        (width * (i % n_columns), -height * (i // n_columns)) for i in range(n_tiles)
    ]


def draw_image(ax, tile, corner, size, scale):
    """Draw a map of numbers in colours, or of three colours from -1 to 1."""
    (x, y), (height, width) = corner, size
    extent = (x, x + width, y, y + height)
    image = tile if tile.ndim == 2 else (tile + 1) / 2
    return ax.imshow(image, extent=extent, origin="upper", **scale)


def draw_series(ax, tile, corner, size, scale):
    """Draw numbers from -1 to 1 as steps up or down from a line in the middle."""
    (x, y), (height, width) = corner, size
    middle = y + height / 2
    ax.plot([x, x + width], [middle, middle], color="0.7", linewidth=0.8)
    edges = np.linspace(x, x + width, len(tile) + 1)
    heights = middle + 0.45 * height * tile
    return ax.stairs(heights, edges, baseline=middle, fill=True, color="tab:blue")


def draw_frames(ax, corners, size):
    """Draw frames around tiles, and let the axes end there."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    height, width = size
    frames = PatchCollection(
        [Rectangle(corner, width, height) for corner in corners],
        facecolor="none",
        edgecolor="0.7",
        linewidth=0.8,
    )
    ax.add_collection(frames)
    (left, bottom), (right, top) = np.min(corners, axis=0), np.max(corners, axis=0)
    margin = 0.05 * max(size)
    ax.set(
        xlim=(left - margin, right + width + margin),
        ylim=(bottom - margin, top + height + margin),
        aspect="equal",
    )
    ax.set_axis_off()
    return frames
