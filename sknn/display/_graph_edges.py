"""Edges of a graph as lines or arrows, as wide as they are strong."""

import numpy as np
from scipy import sparse

from sknn.display._graph_layout import import_networkx

MOST_ARROWS = 1000  # each is an artist; beyond, arrows are a tangle anyway
THINNEST = 0.4  # points
ALIKE = 1e-6  # of the largest: what rounding makes of equal shares
BEND = 0.12  # of two arrows between the same nodes, so that both are seen


class Edges:
    """Edges between different nodes, the strongest last.

    Parameters
    ----------
    graph : Graph
        Its edges are drawn.
    strengths : "weight", array-like or sparse matrix of shape (n_nodes, n_nodes), None
        Entry (i, j) is the strength of the edge from i to j; without directions the
        larger of both counts. "weight" are the graph's own, None is for no differences.
    """

    def __init__(self, graph, strengths):
        matrix = graph.adjacency.tocoo()
        chosen = matrix.row != matrix.col
        if not graph.is_directed:
            chosen = matrix.row < matrix.col
        self.graph, self.is_directed = graph, graph.is_directed
        pairs = np.column_stack([matrix.row[chosen], matrix.col[chosen]])
        strengths = self._find(pairs, strengths)
        order = np.argsort(strengths, kind="stable")
        self.pairs, self.strengths = pairs[order], strengths[order]

    def _find(self, pairs, strengths):
        if strengths is None or not len(pairs):
            return np.ones(len(pairs))
        is_weight = isinstance(strengths, str)
        matrix = self.graph.adjacency if is_weight else self._check(strengths)
        matrix = sparse.csr_matrix(matrix)  # an array of pairs differs among scipys
        if not self.is_directed:
            matrix = matrix.maximum(matrix.T).tocsr()
        return np.asarray(matrix[pairs[:, 0], pairs[:, 1]]).ravel()

    def _check(self, strengths):
        strengths = sparse.csr_matrix(strengths, dtype=float)
        n_nodes = self.graph.n_nodes
        if strengths.shape != (n_nodes, n_nodes):
            raise ValueError(
                f"edges must have the shape {(n_nodes, n_nodes)}: got "
                f"{strengths.shape}."
            )
        sound = np.isfinite(strengths.data) & (strengths.data >= 0)
        if not sound.all():
            raise ValueError(
                f"edges must be >= 0 and finite: got {strengths.data[~sound][0]}."
            )
        return strengths

    @property
    def differ(self):
        """Whether some edges are stronger than others."""
        return len(self.strengths) > 0 and np.ptp(self.strengths) > ALIKE * self.largest

    @property
    def largest(self):
        """The largest strength."""
        return self.strengths[-1]

    def draw(self, ax, network, positions, max_linewidth, node_areas):
        """Draw all edges and return their artists.

        Parameters
        ----------
        ax : matplotlib Axes
        network : networkx graph
            The same graph.
        positions : ndarray of shape (n_nodes, 2)
        max_linewidth : float
            Width of the strongest, in points.
        node_areas : ndarray of shape (n_nodes,)
            Where the arrows end, in square points.

        Returns
        -------
        list of LineCollection or FancyArrowPatch
        """
        shares = self.strengths / self.largest if self.differ else None
        if not len(self.pairs):
            return []
        has_arrows = self.is_directed and len(self.pairs) <= MOST_ARROWS
        pen = EdgePen(ax, network, positions, max_linewidth, node_areas, has_arrows)
        if not has_arrows:
            return pen.draw(self.pairs, shares)
        both = self._are_mutual()
        artists = []
        for chosen, bend in ((~both, 0.0), (both, BEND)):
            part = None if shares is None else shares[chosen]
            artists += pen.draw(self.pairs[chosen], part, bend)
        return artists

    def _are_mutual(self):
        """Which edges have one in the other direction."""
        found = set(map(tuple, self.pairs.tolist()))
        return np.array([(j, i) in found for i, j in self.pairs.tolist()], bool)


class EdgePen:
    """Draws edges by networkx.

    Parameters
    ----------
    ax, network, positions, max_linewidth, node_areas
        As for `Edges.draw`.
    has_arrows : bool
    """

    def __init__(self, ax, network, positions, max_linewidth, node_areas, has_arrows):
        self.ax, self.network, self.names = ax, network, list(network)
        self.places = dict(zip(self.names, positions, strict=True))
        self.max_linewidth, self.has_arrows = max_linewidth, has_arrows
        self.node_areas = node_areas
        self.opacity = choose_opacity(network.number_of_edges())

    def draw(self, pairs, shares, bend=0.0):
        """Draw edges whose shares are of the strongest, and list the artists."""
        if not len(pairs):
            return []
        options = {
            "edgelist": [(self.names[i], self.names[j]) for i, j in pairs.tolist()],
            "width": self._choose_widths(pairs, shares),
            "edge_color": self._choose_colors(pairs, shares),
            "arrows": self.has_arrows,
            "ax": self.ax,
        }
        if self.has_arrows:
            options |= {
                "nodelist": self.names,
                "node_size": self.node_areas,
                "arrowstyle": "-|>",
                "arrowsize": 9,
                "connectionstyle": f"arc3,rad={bend}",
            }
        drawn = import_networkx().draw_networkx_edges(
            self.network, self.places, **options
        )
        return list(drawn) if self.has_arrows else [drawn]

    def _choose_widths(self, pairs, shares):
        if shares is None:
            width = 1.0 if len(pairs) <= MOST_ARROWS else THINNEST
            return [min(width, self.max_linewidth)] * len(pairs)
        thinnest = min(THINNEST, self.max_linewidth)
        return (thinnest + (self.max_linewidth - thinnest) * shares).tolist()

    def _choose_colors(self, pairs, shares):
        """Colour of the text, paler for weak edges and where there are many."""
        from matplotlib import rcParams
        from matplotlib.colors import to_rgb

        color = to_rgb(rcParams["text.color"])
        shares = np.full(len(pairs), 0.5) if shares is None else shares
        return [(*color, self.opacity * (0.45 + 0.55 * share)) for share in shares]


def choose_opacity(n_edges):
    """Opacity of the strongest edge."""
    return float(np.clip(10 / np.sqrt(n_edges), 0.04, 0.7))
