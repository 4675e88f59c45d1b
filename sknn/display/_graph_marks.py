"""Nodes of a graph as circles and squares, with rings, names and a legend."""

from math import ceil, sqrt

import numpy as np

from sknn.display._graph_colors import UNKNOWN
from sknn.display._graph_layout import import_networkx
from sknn.display._pictures import write

LARGEST, SMALLEST = 200.0, 8.0  # areas of a node, in square points
RING = 1.5  # diameter of a ring, in diameters of a node
GAP = 0.1  # between a node and its ring, in diameters of a node
GREY = "0.5"  # of what the legend says of all colours
MOST_ROWS = 16  # of the legend


def choose_area(n_nodes):
    """Area of a node, in square points, which shrinks as nodes become many."""
    return float(np.clip(LARGEST * 40 / n_nodes, SMALLEST, LARGEST))


class NodePen:
    """Draws nodes by networkx: squares those of a mask, circles the others.

    Parameters
    ----------
    ax : matplotlib Axes
    network : networkx graph
    positions : ndarray of shape (n_nodes, 2)
    squares : ndarray of bool of shape (n_nodes,)
    area : float
        Of a node, in square points.
    """

    def __init__(self, ax, network, positions, squares, area):
        self.ax, self.network, self.squares = ax, network, squares
        self.names, self.area = list(network), area
        self.places = dict(zip(self.names, positions, strict=True))

    def draw_nodes(self, rgba, properties):
        """Draw all nodes in their colours and list the artists."""
        chosen = np.ones(len(rgba), bool)
        gap = GAP * sqrt(self.area)
        nodes = self._draw(
            chosen,
            rgba,
            node_size=self.area,
            edgecolors=[self.ax.get_facecolor()],
            linewidths=gap,
        )
        for artist in nodes:
            artist.set(**properties)
        return nodes

    def draw_rings(self, chosen, rgba):
        """Draw what the rings around some nodes are seen of, and list the artists."""
        return self._draw(chosen, rgba, node_size=self.area * RING**2, linewidths=0)

    def _draw(self, chosen, rgba, **options):
        drawn = []
        for shape, members in (("o", ~self.squares), ("s", self.squares)):
            members = np.flatnonzero(members & chosen)
            if len(members):
                nodes = import_networkx().draw_networkx_nodes(
                    self.network,
                    self.places,
                    nodelist=[self.names[i] for i in members],
                    node_color=rgba[members],
                    node_shape=shape,
                    ax=self.ax,
                    **options,
                )
                drawn.append(nodes)
        return drawn


def write_names(ax, names, positions, rgba, area):
    """Write names into the nodes if all have room there, or else above them."""
    from matplotlib.patheffects import withStroke

    diameter, names = sqrt(area), [str(name) for name in names]
    longest = max(map(len, names))
    size = diameter / max(1.2, 0.75 * longest)  # a digit is 0.6 of its height wide
    if size >= 6:
        style, shift, va = {"fontsize": min(size, 9.0)}, (0, 0), "center_baseline"
        colors = np.where(rgba[:, :3] @ (0.299, 0.587, 0.114) < 0.55, "white", "black")
    else:
        style, shift, va = {"fontsize": "x-small"}, (0, 0.6 * diameter + 1), "bottom"
        halo = withStroke(linewidth=2, foreground=ax.get_facecolor())
        style["path_effects"] = [halo]
        colors = [None] * len(names)
    return [
        write(ax, name, place, shift, "center", va, color=color, zorder=4, **style)
        for name, place, color in zip(names, positions, colors, strict=True)
    ]


def find_labelled(labelled, n_nodes):
    """Mask of the nodes that the user passed as a mask or by their numbers.

    Raises
    ------
    ValueError
        If they are neither.
    """
    if labelled is None:
        return np.zeros(n_nodes, bool)
    array = np.asarray(labelled)
    if array.dtype == bool and array.shape == (n_nodes,):
        return array
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"labelled must be numbers of nodes, or a mask of shape {(n_nodes,)}: got "
            f"{array.dtype} of shape {array.shape}."
        )
    wrong = (array < 0) | (array >= n_nodes)
    if wrong.any():
        raise ValueError(
            f"labelled must be numbers from 0 to {n_nodes - 1}: got {array[wrong][0]}."
        )
    return np.isin(np.arange(n_nodes), array)


def list_marks(paints, has_unknown, has_rings, has_squares):
    """Pairs of a line that stands for something in the picture, and what that is."""
    from matplotlib.lines import Line2D

    def mark(**style):
        return Line2D([], [], linestyle="none", markersize=7, **style)

    is_class = hasattr(paints, "list_colors")
    colors = paints.list_colors() if is_class else []
    marks = [
        (mark(marker="o", color=tuple(color)), str(label)) for label, color in colors
    ]
    if has_unknown:
        marks.append((mark(marker="o", color=UNKNOWN), "unknown"))
    ring = {"markerfacecolor": "none", "markeredgecolor": GREY, "markeredgewidth": 2}
    if has_rings:
        name = "true class, where wrong" if is_class else "true number"
        marks.append((mark(marker="o", **ring), name))
    if has_squares:
        marks.append((mark(marker="s", color=GREY), "labelled"))
    return marks


def mark_edges(edges, name, max_linewidth):
    """The widest line and how strong it is, a pair in a list; none if all are alike."""
    from matplotlib import rcParams
    from matplotlib.lines import Line2D

    if not edges.differ:
        return []
    color = rcParams["text.color"]
    line = Line2D([], [], color=color, alpha=0.6, linewidth=max_linewidth)
    return [(line, f"{name} {edges.largest:.3g}")]


def make_legend(ax, marks):
    """Legend at the right of the axes, where a layout makes room for it."""
    if not marks:
        return None
    if ax.figure.get_layout_engine() is None:
        ax.figure.figure.set_layout_engine("constrained")
    lines, names = zip(*marks, strict=True)
    legend = ax.legend(
        lines,
        ["."] * len(lines),  # an underscore in front would hide a name
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        ncols=ceil(len(lines) / MOST_ROWS),
        fontsize="small",
        frameon=False,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False)
    return legend
