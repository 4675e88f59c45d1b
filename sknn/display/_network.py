"""Units and weights of a network."""

from numbers import Integral, Real

import numpy as np

from sknn.display._checks import check_flags, check_properties, get_axes, get_network
from sknn.display._layers import check_coefs, choose_units, place_units
from sknn.display._names import check_names, get_feature_names, get_target_names


class NetworkDisplay:
    """Units of a network as circles, layers from left to right, weights as lines.

    A line is as wide as its weight is large, relative to the largest of the network;
    its colour is the sign, and pale where the weight is small. Use `from_estimator` to
    make a display.

    Parameters
    ----------
    coefs : sequence of array-like of shape (fan_in, fan_out)
        Weights, a layer an array.
    feature_names : sequence of str of shape (n_features,), default=None
        Names of the inputs; x0, x1, ... by default.
    target_names : sequence of str of shape (n_outputs,), default=None
        Names of the output units; y0, y1, ... by default.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.
    shown_ : list of ndarray of shape (n_shown,)
        Numbers of the units shown, for the inputs and each layer.
    units_ : list of matplotlib PathCollection
        Circles of the inputs and of each layer.
    weights_ : list of matplotlib LineCollection
        Weights between each two layers, the largest drawn last.
    names_ : list of matplotlib Text
        Names of the inputs and outputs that are shown.
    captions_ : list of matplotlib Text
        Captions of the inputs and of each layer.
    ellipses_ : list of matplotlib Text
        Ellipsis of each layer that is abbreviated.
    legend_ : matplotlib Legend or None
        Which colour is which sign.

    See Also
    --------
    LossCurveDisplay : Loss over the epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.display import NetworkDisplay
    >>> iris = load_iris()
    >>> mlp = MLPClassifier((20,), solver="lbfgs", alpha=0.1, max_iter=1000,
    ...                     random_state=0).fit(iris.data, iris.target)
    >>> display = NetworkDisplay.from_estimator(
    ...     mlp, feature_names=iris.feature_names, target_names=iris.target_names,
    ...     max_units=8
    ... )
    >>> [len(shown) for shown in display.shown_]
    [4, 8, 3]
    """

    def __init__(self, coefs, *, feature_names=None, target_names=None):
        self.coefs = coefs
        self.feature_names = feature_names
        self.target_names = target_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        feature_names=None,
        target_names=None,
        max_units=16,
        max_linewidth=3.0,
        positive_color="tab:blue",
        negative_color="tab:red",
        legend=True,
        line_kwargs=None,
        unit_kwargs=None,
    ):
        """Plot a fitted network.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted network with ``coefs_``, scikit-learn's own included, or a Pipeline
            that ends with one.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        feature_names : sequence of str of shape (n_features,), default=None
            Names of the inputs; by default those seen in `fit`, if any, else x0, x1,
            and so on.
        target_names : sequence of str, default=None
            Names of the outputs, or of two classes that share one output, which is
            then named by the second. By default a classifier's ``classes_``, else y0,
            y1, and so on.
        max_units : int or None, default=16
            How many units of a layer to show. Of wider ones the strongest are shown,
            by the norm of the weights that come in times that of those that go out,
            and an ellipsis stands for the others. None shows all.
        max_linewidth : float, default=3.0
            Width of the largest weight, in points.
        positive_color, negative_color : color
            Colours of positive and negative weights; blue and red by default.
        legend : bool, default=True
            Whether to say which colour is which sign.
        line_kwargs : dict, default=None
            Properties of all lines, such as ``{"alpha": 0.5}``.
        unit_kwargs : dict, default=None
            Properties of all circles, such as ``{"facecolor": "gold"}``.

        Returns
        -------
        NetworkDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` has no ``coefs_``; for options of a wrong type.
        ValueError
            If there are more or fewer names than units; for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        network = get_network(estimator, "coefs_")
        if feature_names is None:
            feature_names = get_feature_names(estimator, network)
        display = cls(
            [np.array(weights) for weights in network.coefs_],
            feature_names=feature_names,
            target_names=get_target_names(network, target_names),
        )
        return display.plot(
            ax=ax,
            max_units=max_units,
            max_linewidth=max_linewidth,
            positive_color=positive_color,
            negative_color=negative_color,
            legend=legend,
            line_kwargs=line_kwargs,
            unit_kwargs=unit_kwargs,
        )

    def plot(
        self,
        *,
        ax=None,
        max_units=16,
        max_linewidth=3.0,
        positive_color="tab:blue",
        negative_color="tab:red",
        legend=True,
        line_kwargs=None,
        unit_kwargs=None,
    ):
        """Plot the network.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        max_units : int or None, default=16
            How many units of a layer to show, the strongest; None shows all.
        max_linewidth : float, default=3.0
            Width of the largest weight, in points.
        positive_color, negative_color : color
            Colours of positive and negative weights; blue and red by default.
        legend : bool, default=True
            Whether to say which colour is which sign.
        line_kwargs : dict, default=None
            Properties of all lines, such as ``{"alpha": 0.5}``.
        unit_kwargs : dict, default=None
            Properties of all circles, such as ``{"facecolor": "gold"}``.

        Returns
        -------
        self : NetworkDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            If `coefs` do not follow on one another, if there are more or fewer names
            than units, or for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        check_options(max_units, max_linewidth, legend)
        check_properties(line_kwargs=line_kwargs, unit_kwargs=unit_kwargs)
        coefs = check_coefs(self.coefs)
        names = [
            check_names("feature_names", self.feature_names, coefs[0].shape[0], "x"),
            check_names("target_names", self.target_names, coefs[-1].shape[1], "y"),
        ]
        sizes = [coefs[0].shape[0], *(weights.shape[1] for weights in coefs)]
        self.shown_ = choose_units(coefs, max_units)
        heights = [
            place_units(len(shown), len(shown) < size)
            for shown, size in zip(self.shown_, sizes, strict=True)
        ]
        self.ax_ = ax = get_axes(ax, "NetworkDisplay")
        self.figure_ = ax.figure
        diameter = set_limits(ax, heights)
        colors = positive_color, negative_color
        self._plot_weights(coefs, heights, max_linewidth, colors, line_kwargs or {})
        self._plot_units(heights, diameter, unit_kwargs or {})
        self._write_names(names, heights, diameter / 2 + 4)
        self._write_captions(sizes, heights)
        self.legend_ = make_legend(ax, *colors) if legend else None
        return self

    def _plot_weights(self, coefs, heights, max_linewidth, colors, properties):
        largest = max(np.abs(weights).max() for weights in coefs) or 1.0
        self.weights_ = []
        for index, weights in enumerate(coefs):
            left, right = self.shown_[index : index + 2]
            chosen = weights[np.ix_(left, right)]  # (n_shown_left, n_shown_right)
            order = np.argsort(np.abs(chosen), axis=None, kind="stable")
            rows, columns = np.unravel_index(order, chosen.shape)
            chosen = chosen[rows, columns] / largest
            lines = make_lines(
                index,
                (heights[index][rows], heights[index + 1][columns]),
                chosen,
                max_linewidth,
                colors,
            )
            lines.set(**properties)
            self.weights_.append(self.ax_.add_collection(lines, autolim=False))

    def _plot_units(self, heights, diameter, properties):
        from matplotlib import rcParams

        self.units_, self.ellipses_ = [], []
        for index, (shown, places) in enumerate(zip(self.shown_, heights, strict=True)):
            circles = self.ax_.scatter(
                np.full(len(shown), index),
                places[: len(shown)],
                s=diameter**2,
                facecolor=self.ax_.get_facecolor(),
                edgecolor=rcParams["text.color"],
                zorder=3,
                clip_on=False,
            )
            circles.set(**properties)
            self.units_.append(circles)
            if len(places) > len(shown):
                dots = self.ax_.text(
                    index, places[-1], r"$\vdots$", ha="center", va="center"
                )
                self.ellipses_.append(dots)

    def _write_names(self, names, heights, distance):
        """Write names to the left of inputs and to the right of outputs."""
        ends = [(0, -distance, "right"), (len(heights) - 1, distance, "left")]
        self.names_ = [
            self.ax_.annotate(
                layer_names[unit],
                (index, height),
                (shift, 0),
                textcoords="offset points",
                ha=side,
                va="center",
            )
            for layer_names, (index, shift, side) in zip(names, ends, strict=True)
            for unit, height in zip(self.shown_[index], heights[index], strict=False)
        ]

    def _write_captions(self, sizes, heights):
        top = max(places[0] for places in heights) + 0.8
        hidden = [f"hidden {i}" for i in range(1, len(sizes) - 1)]
        titles = ["input", *hidden, "output"]
        self.captions_ = []
        for index, (title, size) in enumerate(zip(titles, sizes, strict=True)):
            n_shown = len(self.shown_[index])
            count = f"{n_shown} of {size}" if n_shown < size else str(size)
            caption = self.ax_.text(
                index, top, f"{title}\n{count}", ha="center", va="bottom"
            )
            self.captions_.append(caption)


def check_options(max_units, max_linewidth, legend):
    """Check numbers and flags of a plot."""
    is_whole = isinstance(max_units, Integral) and not isinstance(max_units, bool)
    if max_units is not None and not is_whole:
        raise TypeError(f"max_units must be a whole number or None: got {max_units!r}.")
    if is_whole and max_units < 1:
        raise ValueError(f"max_units must be >= 1: got {max_units}.")
    if not isinstance(max_linewidth, Real):
        raise TypeError(f"max_linewidth must be a number: got {max_linewidth!r}.")
    if not 0 < max_linewidth < float("inf"):
        raise ValueError(f"max_linewidth must be > 0, finite: got {max_linewidth}.")
    check_flags(legend=legend)


def set_limits(ax, heights):
    """Leave the layers, their captions and no ticks; return a unit's size in points."""
    n_layers, n_slots = len(heights), max(map(len, heights))
    middle = max(n_slots, 6) / 2
    ax.set(xlim=(-0.15, n_layers - 0.85), ylim=(-middle, middle + 1.5))
    ax.set_axis_off()
    points = ax.get_window_extent().height * 72 / ax.figure.dpi
    return 0.65 * points / (2 * middle + 1.5)


def make_lines(index, heights, weights, max_linewidth, colors):
    """Lines from a layer to the next one; `heights` are those of both ends."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba

    left, right = heights
    places = np.full_like(left, index)
    ends = [np.column_stack([places, left]), np.column_stack([places + 1, right])]
    strengths = np.abs(weights)
    rgba = np.array([to_rgba(color) for color in colors])[(weights < 0).astype(int)]
    rgba[:, 3] *= 0.25 + 0.75 * strengths  # in a dense layer the weak ones recede
    segments = np.stack(ends, axis=1)  # (n_lines, 2 ends, 2 coordinates)
    widths = max_linewidth * strengths
    return LineCollection(segments, linewidths=widths, colors=rgba, zorder=2)


def make_legend(ax, positive_color, negative_color):
    """Legend of the signs, below the layers."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=positive_color, label="positive weight"),
        Line2D([], [], color=negative_color, label="negative weight"),
    ]
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}
    return ax.legend(handles=handles, ncols=2, frameon=False, **where)
