"""The pen that draws curves over the epochs, and tells networks apart."""

from collections import Counter
from math import ceil

import numpy as np

MAX_LINES_INSIDE = 4  # of a legend: more, a learning rate is one, cross the axes
LONG_LEGEND = {  # n columns are n times as wide as one: the gap is two paddings
    "fontsize": "x-small",
    "borderpad": 0.6,
    "columnspacing": 1.2,
}
MARK = "sknn: "  # starts the labels of axes that a pen has added
STYLES = {  # of curves that share their network's colour
    "training loss": "-",
    "validation loss": "--",
    "learning rate": (0, (6, 1, 1, 1, 1, 1)),
}
SCORE_STYLE = "-."


class Pen:
    """Draws curves on axes that share the epochs, with what is there already.

    Curves of a network with a name have one colour, and line styles by what they show.
    Without a name what they show has the colour.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes on the left.
    name : str or None
        Put before all labels.
    properties : dict
        Properties of all curves.
    """

    def __init__(self, ax, name, properties):
        self.axes = [ax, *find_right_axes(ax)]
        self.name, self.properties = name, properties
        self._n_drawn = len(ax.get_lines())
        self._color = None if name is None else self._choose_color()

    def get_label(self, what):
        """Label of a curve, with the network's name where it has one."""
        return what if self.name is None else f"{self.name}: {what}"

    def draw(self, ax, values, what, linestyle="-"):
        """Draw numbers, one an epoch, and return the line."""
        style = {"color": self._color, "linestyle": STYLES.get(what, SCORE_STYLE)}
        if self.name is None:
            style = {"color": self._find_color(what), "linestyle": linestyle}
        if np.isfinite(values).sum() == 1:
            style["marker"] = "o"  # one point makes no line
        epochs = np.arange(1, len(values) + 1)
        (line,) = ax.plot(epochs, values, label=self.get_label(what), **style)
        line.set(**self.properties)
        self._n_drawn += 1
        return line

    def add_axes(self, label):
        """Axes on the right: those that show this already, or new ones outside."""
        for ax in self.axes[1:]:
            if ax.get_label() == MARK + label:
                return ax
        ax = self.axes[0].twinx()
        ax.spines["right"].set_position(("outward", 64 * (len(self.axes) - 1)))
        ax.set_label(MARK + label)
        ax.set_ylabel(label)
        self.axes.append(ax)
        return ax

    def make_legend(self):
        """Put one legend for all axes on the topmost, below it if it is long."""
        lines = {line.get_label(): line for line in self._get_lines()}
        lines = [line for label, line in lines.items() if not label.startswith("_")]
        for ax in self.axes:
            if ax.get_legend() is not None:
                ax.get_legend().remove()
        if len(lines) > MAX_LINES_INSIDE:
            return make_long_legend(self.axes[-1], lines)
        where = "best" if len(self.axes) == 1 else "center right"
        return self.axes[-1].legend(handles=lines, loc=where)

    def _get_lines(self):
        return [line for ax in self.axes for line in ax.get_lines()]

    def _choose_color(self):
        """Colour of the network of this name, or the one least used so far."""
        from matplotlib import rcParams
        from matplotlib.colors import to_rgba

        lines = self._get_lines()
        for line in lines:
            if line.get_label().startswith(self.get_label("")):
                return line.get_color()
        n_uses = Counter(to_rgba(line.get_color()) for line in lines)
        colors = [f"C{i}" for i in range(len(rcParams["axes.prop_cycle"]))]
        return min(colors, key=lambda color: n_uses[to_rgba(color)])

    def _find_color(self, label):
        """Colour of what has this label already, or the next one."""
        for line in self._get_lines():
            if line.get_label() == label:
                return line.get_color()
        return f"C{self._n_drawn}"


def find_right_axes(ax):
    """Axes that pens have added on the right of others, from the inside out."""
    place = ax.get_position(original=True).bounds
    return [
        other
        for other in ax.figure.axes
        if other is not ax
        and str(other.get_label()).startswith(MARK)
        and other.get_position(original=True).bounds == place
        and ax.get_shared_x_axes().joined(ax, other)
    ]


def make_long_legend(ax, lines):
    """Put a legend below axes, where a layout can make room for it, or inside."""
    from matplotlib.transforms import ScaledTranslation

    colors = [line.get_color() for line in lines]
    lines = sorted(lines, key=lambda line: colors.index(line.get_color()))
    figure, options = ax.figure, {"handles": lines, **LONG_LEGEND}
    n_columns = count_columns(ax, ax.legend(**options), len(lines))
    if not n_columns:
        return ax.legend(loc="best", **options)
    if figure.get_layout_engine() is None:
        figure.figure.set_layout_engine("constrained")
    below = ScaledTranslation(0, -0.5, figure.dpi_scale_trans)  # inches
    return ax.legend(
        loc="upper center",
        ncols=n_columns,
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        borderaxespad=0.0,
        **options,
    )


def count_columns(ax, legend, n_lines):
    """Columns of a legend below a subplot; zero if half its height were not enough."""
    place = ax.get_subplotspec()
    if place is None:
        return 0
    n_rows, n_columns = place.get_gridspec().get_geometry()
    width = ax.figure.bbox.width * len(place.colspan) / n_columns
    height = ax.figure.bbox.height * len(place.rowspan) / n_rows
    column = legend.get_window_extent()
    n_columns = min(int(width // column.width), n_lines)
    if not n_columns:
        return 0
    n_rows = ceil(n_lines / n_columns)
    return n_columns if n_rows * column.height / n_lines < height / 2 else 0
