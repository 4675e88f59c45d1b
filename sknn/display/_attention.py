"""What the steps of a sequence attend to in a transformer."""

from collections.abc import Iterable
from math import ceil, log10
from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline

from sknn.display._checks import check_flags, check_properties, get_axes, get_network
from sknn.display._names import get_feature_names

CLS = "[CLS]"  # Devlin et al. (2019)
LONGEST_TOKEN = 20  # characters, the ellipsis included
SMALLEST_FONT = 6.0  # points
LINE = 1.25  # height of a line of text, of its font's size


class AttentionDisplay:
    """Attention of a transformer over one sequence, as a matrix or as bars.

    Each row of the matrix is a step that attends, and its columns are the steps that it
    attends to: a row sums to one. Bars are the mean of the rows, or with
    ``pooling="cls"`` the row of the step in front, which alone is read off in the end.
    Use `from_estimator` to make a display.

    Parameters
    ----------
    weights : array-like of shape (n_steps, n_steps)
        Shares of the steps in the columns in what the steps in the rows attend to.
    labels : sequence of str, default=None
        Names of the steps, without the one that is put in front; their numbers by
        default.
    cls_step : bool, default=False
        Whether the first row and column are of the learned step that ``pooling="cls"``
        puts in front.
    layer, head : int or "mean", default="mean"
        Where they are from, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.
    image_ : matplotlib AxesImage or None
        The matrix.
    colorbar_ : matplotlib Colorbar or None
        Values of the matrix' colours, where they are shown.
    bars_ : matplotlib BarContainer or None
        The bars.
    even_ : matplotlib Line2D or None
        Height of bars that are all alike.

    See Also
    --------
    FiltersDisplay : Kernels and feature maps of a convolutional layer.

    Notes
    -----
    A step of a deeper layer is a mixture of all steps already, and what is attended to
    is changed by the layers behind: attention is what the network mixes, and not a
    measure of what a step contributes to the prediction (Jain and Wallace 2019).

    References
    ----------
    Jain and Wallace, "Attention is not explanation", NAACL 2019.

    Examples
    --------
    >>> from sknn import TransformerClassifier
    >>> from sknn.display import AttentionDisplay
    >>> texts = ["a very good film", "a very bad film", "so good", "so bad"]
    >>> model = TransformerClassifier(n_iter_no_change=1, tol=0.1, random_state=0)
    >>> model = model.fit(texts, [1, 0, 1, 0])
    >>> display = AttentionDisplay.from_estimator(model, texts[:1], layer=1, head=0)
    >>> display.weights.shape, display.labels
    ((4, 4), ['a', 'very', 'good', 'film'])
    """

    def __init__(
        self, weights, *, labels=None, cls_step=False, layer="mean", head="mean"
    ):
        self.weights = weights
        self.labels = labels
        self.cls_step = cls_step
        self.layer = layer
        self.head = head

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        layer="mean",
        head="mean",
        labels=None,
        kind="matrix",
        ax=None,
        cmap="Blues",
        colorbar=True,
        artist_kwargs=None,
    ):
        """Plot what the steps of a sequence attend to.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted `TransformerClassifier` or `TransformerRegressor`, or a Pipeline that
            ends with one.
        X : array-like holding one sequence
            As for `predict`: ``X[:1]``, ``["a text"]`` or ``[series]``, for example.
        layer : int or "mean", default="mean"
            Which layer, counted from zero, or the mean of all.
        head : int or "mean", default="mean"
            Which head, counted from zero, or the mean of all.
        labels : sequence of str, default=None
            Names of the sequence's steps, one each. By default its tokens, the names of
            a table's columns, or else the steps' numbers from zero on. The step that
            ``pooling="cls"`` puts in front is named "[CLS]" always.
        kind : {"matrix", "bars"}, default="matrix"
            Whether to show what each step attends to, or in a bar a step how much is
            attended to it: by all steps on average, or with ``pooling="cls"`` by the
            step in front.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default, larger for many labels.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours of the matrix from zero to its largest entry.
        colorbar : bool, default=True
            Whether the values of the colours are shown beside a matrix.
        artist_kwargs : dict, default=None
            Properties of the matrix, such as ``{"clim": (0, 1)}``, or of all bars, such
            as ``{"color": "black"}``.

        Returns
        -------
        AttentionDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` is no transformer; for options of a wrong type, and a string
            for `X`.
        ValueError
            If `X` is not one sequence as in `fit`, if there is no such layer or head or
            another number of labels than steps; for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        network = get_network(estimator, "attention_weights")
        if isinstance(estimator, Pipeline):
            X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        check_one_sequence(X)
        if not hasattr(network.module_, "pooling"):
            raise TypeError(
                "estimator must attend within one sequence: the attention of "
                f"{type(network).__name__} is from a target to its source. Draw "
                "attention_weights(X)[0][-1].mean(axis=0), a matrix."
            )
        weights = network.attention_weights(X)[0]
        n_layers, n_heads = weights.shape[:2]
        weights = choose("layer", layer, weights, n_layers)
        weights = choose("head", head, weights, n_heads)
        cls_step = network.module_.pooling == "cls"
        if labels is None:
            n_steps = len(weights) - cls_step
            labels = get_labels(estimator, network, X, n_steps)
        display = cls(weights, labels=labels, cls_step=cls_step, layer=layer, head=head)
        return display.plot(
            kind=kind,
            ax=ax,
            cmap=cmap,
            colorbar=colorbar,
            artist_kwargs=artist_kwargs,
        )

    def plot(
        self,
        *,
        kind="matrix",
        ax=None,
        cmap="Blues",
        colorbar=True,
        artist_kwargs=None,
    ):
        """Plot the attention.

        Parameters
        ----------
        kind : {"matrix", "bars"}, default="matrix"
            Whether to show what each step attends to, or how much is attended to each.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default, larger for many labels.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours of the matrix from zero to its largest entry.
        colorbar : bool, default=True
            Whether the values of the colours are shown beside a matrix.
        artist_kwargs : dict, default=None
            Properties of the matrix, or of all bars.

        Returns
        -------
        self : AttentionDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            If `weights` are no square matrix of shares, if there is another number of
            labels than steps, or for options out of range.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(kind, str) or kind not in ("matrix", "bars"):
            raise ValueError(f'kind must be "matrix" or "bars": got {kind!r}.')
        check_flags(colorbar=colorbar, cls_step=self.cls_step)
        check_properties(artist_kwargs=artist_kwargs)
        weights = check_weights(self.weights)
        labels = check_labels(self.labels, len(weights) - self.cls_step)
        size = choose_size(kind, len(weights), self.labels is not None)
        self.ax_ = ax = get_axes(ax, "AttentionDisplay", figsize=size)
        self.figure_ = ax.figure
        self.image_ = self.colorbar_ = self.bars_ = self.even_ = None
        if kind == "matrix":
            self._plot_matrix(weights, cmap, colorbar, artist_kwargs or {})
        else:
            self._plot_bars(weights, artist_kwargs or {})
        self._write_labels(labels)
        ax.set_title(f"layer={self.layer}, head={self.head}: attention")
        return self

    def _plot_matrix(self, weights, cmap, colorbar, properties):
        self.image_ = self.ax_.imshow(
            weights, cmap=cmap, vmin=0.0, vmax=weights.max() or 1.0
        )
        self.image_.set(**properties)
        self.ax_.set(xlabel="step attended to", ylabel="step that attends")
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(self.image_, ax=self.ax_)

    def _plot_bars(self, weights, properties):
        n_steps = len(weights)
        shares = weights[0] if self.cls_step else weights.mean(axis=0)
        width = 0.8 if self.labels is not None else 1.0
        self.bars_ = self.ax_.bar(range(n_steps), shares, width, color="tab:blue")
        for bar in self.bars_:
            bar.set(**properties)
        self.even_ = self.ax_.axhline(
            1 / n_steps, color="0.5", linewidth=0.8, linestyle="--"
        )
        self.ax_.annotate(
            "even",
            (1, 1 / n_steps),
            (3, 0),
            xycoords=self.ax_.get_yaxis_transform(),
            textcoords="offset points",
            color="0.5",
            va="center",
        )
        of = CLS if self.cls_step else "all steps, mean"
        self.ax_.set(
            xlim=(-0.6, n_steps - 0.4),
            xlabel="step attended to",
            ylabel=f"attention of {of}",
        )

    def _write_labels(self, labels):
        """Write as many labels as there is room for."""
        from matplotlib import rcParams
        from matplotlib.font_manager import FontProperties

        extent, dpi = self.ax_.get_window_extent(), self.figure_.dpi
        length = extent.width if self.image_ is None else min(extent.size)
        room = length * 72 / dpi / (len(labels) + self.cls_step)  # points a step
        font = FontProperties(size=rcParams["xtick.labelsize"]).get_size_in_points()
        numbers = self.labels is None
        size, every = fit_labels(numbers, room, font)
        shown = choose_labels(len(labels), every, self.cls_step)
        names = [CLS, *labels] if self.cls_step else labels
        names = [names[i] for i in shown]
        style = {"labels": names, "fontsize": size, "parse_math": False}
        if self.image_ is not None:
            self.ax_.set_yticks(shown, **style)
        self.ax_.set_xticks(shown, **style)
        # a character is about two thirds as wide as its font's size
        fits = room * every / (size * 2 / 3)
        longest = max(map(len, names[self.cls_step :]), default=0)
        texts = self.ax_.get_xticklabels()
        if longest > fits:
            for text in texts:
                text.set_rotation(90)
        elif self.cls_step and (longest + len(CLS)) / 2 > fits:  # upright letters
            texts[0].set_rotation(90)


def check_one_sequence(X):
    """Refuse other than one sequence; what it consists of is for the network to say."""
    if isinstance(X, str):
        raise TypeError(
            "X must hold one sequence, such as X[:1], or a text in a list: got the "
            f"string {X!r}."
        )
    try:
        n = len(X)
    except TypeError:
        return
    if n != 1:
        raise ValueError(
            f"X must hold one sequence, such as X[:1] or [sequence]: got {n} of them."
        )


def choose(name, value, weights, n):
    """One layer or head, which are the first axis, or the mean of all."""
    if isinstance(value, str) and value == "mean":
        return weights.mean(axis=0)
    if not isinstance(value, Integral) or isinstance(value, bool):
        error = ValueError if isinstance(value, str) else TypeError
        raise error(f'{name} must be a whole number or "mean": got {value!r}.')
    if not 0 <= value < n:
        raise ValueError(f'{name} must be from 0 to {n - 1}, or "mean": got {value}.')
    return np.array(weights[value])


def get_labels(estimator, network, X, n_steps):
    """Tokens of the sequence or names of the columns; None where there are neither."""
    if network._reader.kind == "tokens":
        (tokens,) = network._reader.get_tokens(X)
        return [write_token(token) for token in tokens] or ["[UNK]"]
    names = get_feature_names(estimator, network)
    has_names = names is not None and len(names) == n_steps
    return [str(name) for name in names] if has_names else None


def write_token(token):
    """Token on one line, not too long, and to be seen."""
    token = str(token)
    if not token.strip(" "):
        token = token.replace(" ", "\N{OPEN BOX}") or repr(token)
    elif not token.strip() or not token.isprintable():
        token = repr(token)
    if len(token) > LONGEST_TOKEN:
        token = token[: LONGEST_TOKEN - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return token


def check_weights(weights):
    """Shares as a square array."""
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 2 or len(weights) != weights.shape[1] or not weights.size:
        raise ValueError(
            f"weights must have the shape (n_steps, n_steps): got {weights.shape}."
        )
    sound = np.isfinite(weights) & (weights >= 0)
    if not sound.all():
        raise ValueError(f"weights must be >= 0 and finite: got {weights[~sound][0]}.")
    return weights


def check_labels(labels, n_steps):
    """Names of the steps as a list; their numbers by default."""
    if labels is None:
        return [str(i) for i in range(n_steps)]
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        raise TypeError(f"labels must be a list of strings, or None: got {labels!r}.")
    labels = [str(label) for label in labels]
    if len(labels) != n_steps:
        raise ValueError(
            f"labels must be one a step, {n_steps} of them: got {len(labels)}."
        )
    return labels


def choose_size(kind, n_steps, has_names):
    """Width and height of a new figure, in inches; None is matplotlib's."""
    side = 1.5 + 0.18 * n_steps
    if not has_names or side <= 4.8:
        return None
    side = min(side, 12.0)
    return (side + 1.5, side) if kind == "matrix" else (max(side, 6.4), 4.8)


def fit_labels(numbers, room, font):
    """Size of the font, and each which step is labelled, for some points a step."""
    if numbers:  # a few round ones
        return font, round_up(3 * font / room)
    size = min(font, max(room / LINE, SMALLEST_FONT))
    return size, ceil(LINE * size / room - 1e-9)


def round_up(number):
    """Smallest of 1, 2, 5, 10, 20, 50, ... that is not below a number."""
    power = 10 ** max(0, ceil(log10(number)) - 1)
    return next(n * power for n in (1, 2, 5, 10) if n * power >= number)


def choose_labels(n_steps, every, cls_step):
    """Rows of each n-th step, and of the one in front, which displaces neighbours."""
    if not cls_step:
        return list(range(0, n_steps, every))
    return [0, *(i for i in range(1, n_steps + 1, every) if i >= every)]
