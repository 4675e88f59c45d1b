"""A graph and what a network says of its nodes and edges."""

from numbers import Real

import numpy as np

from sknn.data import as_graph, is_graph
from sknn.display._checks import check_flags, check_properties, get_axes
from sknn.display._graph_answers import (
    describe_graph,
    describe_nodes,
    get_attention,
    get_graph_network,
    get_input,
)
from sknn.display._graph_colors import (
    ClassColors,
    NumberColors,
    Values,
    choose_rgba,
    find_rings,
)
from sknn.display._graph_edges import Edges
from sknn.display._graph_layout import choose_names, import_networkx, place_nodes
from sknn.display._graph_marks import (
    RING,
    NodePen,
    choose_area,
    find_labelled,
    list_marks,
    make_legend,
    mark_edges,
    write_names,
)


class GraphDisplay:
    """A graph, its nodes coloured by class or number, its edges as wide as strong.

    A node has the colour of its class or number. Where its true class is known and is
    another one, a ring around it has that one's colour; of numbers all rings are drawn.
    Squares are nodes that were labelled, if these are told. Edges from a node to itself
    are left out. networkx finds the places and draws. Use `from_estimator` to make a
    display.

    Parameters
    ----------
    graph : Graph or networkx graph
        What to draw.
    values : array-like of shape (n_nodes,), default=None
        Class or number of each node, NaN or None where it has none; class labels may
        also be -1 there. None leaves all nodes alike.
    y : array-like of shape (n_nodes,), default=None
        True class or number of each node, unknown ones as in `values`.
    classes : array-like, default=None
        Classes in the order of their colours. None takes real numbers for numbers, and
        anything else for classes, sorted.
    labelled : array-like of int, or of bool of shape (n_nodes,), default=None
        Nodes to draw as squares, their numbers or a mask.
    edges : "weight", None or matrix of shape (n_nodes, n_nodes), default="weight"
        Widths of the edges: their weights, one width for all, or entry (i, j) of a
        dense or sparse matrix for the edge from i to j. Without directions the larger
        one of both counts.
    value_name : str, default=None
        What numbers in `values` are, for the colour bar.
    edge_name : str, default=None
        What widths of the edges are, for the legend; "weight" by default.
    title : str, default=None
        Title of the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.
    positions_ : ndarray of shape (n_nodes, 2)
        Where the nodes are; `layout` takes it for a second picture of the same graph.
    nodes_ : list of matplotlib PathCollection
        Circles, and squares if there are any.
    rings_ : list of matplotlib PathCollection
        Rings around circles and around squares.
    edges_ : list of matplotlib LineCollection or FancyArrowPatch
        All lines, or an arrow an edge.
    names_ : list of matplotlib Annotation
        Names of the nodes.
    legend_ : matplotlib Legend or None
        Classes, and what rings, squares and widths are.
    colorbar_ : matplotlib Colorbar or None
        Numbers of the colours.

    See Also
    --------
    AttentionDisplay : What the steps of a sequence attend to.

    Notes
    -----
    A layer of attention sees what the layers before have mixed: strong edges are what
    the network hears most, and no measure of what decides a prediction.

    Examples
    --------
    >>> import networkx as nx
    >>> from sknn import Graph, NodeClassifier
    >>> from sknn.display import GraphDisplay
    >>> club = Graph.from_networkx(nx.karate_club_graph(), target="club")
    >>> y = club.y.copy()
    >>> y[1:33] = None
    >>> model = NodeClassifier(max_iter=500, random_state=0).fit(club, y)
    >>> display = GraphDisplay.from_estimator(model, labelled=[0, 33])
    >>> display.positions_.shape, display.legend_.get_texts()[0].get_text()
    ((34, 2), 'Mr. Hi')
    """

    def __init__(
        self,
        graph,
        *,
        values=None,
        y=None,
        classes=None,
        labelled=None,
        edges="weight",
        value_name=None,
        edge_name=None,
        title=None,
    ):
        self.graph = graph
        self.values = values
        self.y = y
        self.classes = classes
        self.labelled = labelled
        self.edges = edges
        self.value_name = value_name
        self.edge_name = edge_name
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        y=None,
        labelled=None,
        node_color=None,
        output=0,
        edges="weight",
        layer=-1,
        head=None,
        layout="spring",
        random_state=0,
        with_labels=None,
        ax=None,
        colors=None,
        cmap="viridis",
        node_size=None,
        max_linewidth=3.0,
        legend=True,
        node_kwargs=None,
        edge_kwargs=None,
    ):
        """Plot a graph with the predictions of a network.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted `NodeClassifier`, `NodeRegressor`, `GraphClassifier` or
            `GraphRegressor`, or a Pipeline that ends with one.
        X : Graph, networkx graph, or array-like holding one graph, default=None
            For a network that answers for nodes a graph; None is the one of the fit.
            For one that answers for graphs one graph, such as ``graphs[0]`` or
            ``graphs[:1]``, or with ``adjacency`` one signal, such as ``X[:1]``.
        y : array-like, default=None
            Targets of the nodes, NaN or None where they are unknown (also -1 of
            classes); None takes those that the graph has, if they are such as the
            network predicts. Or the target of the one graph, for the title.
        labelled : array-like of int, or of bool of shape (n_nodes,), default=None
            Nodes to draw as squares, their numbers or a mask; those that were labelled
            in the fit, for example.
        node_color : int or array-like of shape (n_nodes,), default=None
            For networks that answer for graphs: a feature of the nodes, counted from
            zero, or a class or number a node. None leaves all nodes alike.
        output : int, default=0
            Which of several outputs to draw.
        edges : {"weight", "attention"} or None, default="weight"
            Widths of the edges: their weights, with ``conv="gat"`` attention, or one
            width for all. Attention has the arrows of a directed graph, from the node
            that is heard; otherwise the larger one of both directions is drawn.
        layer : int, default=-1
            Layer whose attention is drawn; negative ones count from the last.
        head : int, default=None
            Head whose attention is drawn; None is the mean of all.
        layout : str, callable, dict or array-like, default="spring"
            Where nodes are: "spring", "kamada_kawai", "circular", "shell", "spiral",
            "spectral", "planar" or "random" of networkx, which see edges without
            weights and directions; a function of a networkx graph; or coordinates, as
            an array of shape (n_nodes, 2) or a dict from the nodes' names.
        random_state : int, RandomState instance or None, default=0
            Where "spring" begins, and "random" ends.
        with_labels : bool or array-like of shape (n_nodes,), default=None
            Whether nodes are named: by their names in networkx, or their numbers; or
            what else to write at them. None names up to 40 nodes.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        colors : list or dict of color, default=None
            Colours of the classes in their order, or by class. None has seven that all
            eyes tell apart, or shades for more classes.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of numbers.
        node_size : float, default=None
            Area of a node in square points; None is smaller for more nodes.
        max_linewidth : float, default=3.0
            Width of the strongest edge, in points.
        legend : bool, default=True
            Whether to explain colours, rings, squares and widths.
        node_kwargs : dict, default=None
            Properties of all nodes, such as ``{"edgecolor": "black"}``.
        edge_kwargs : dict, default=None
            Properties of all edges, such as ``{"alpha": 0.1}``.

        Returns
        -------
        GraphDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` is no network on graphs; for options of a wrong type.
        ValueError
            If `X` is not one graph, or not as in the fit; if `y` or another array has
            not an entry for each node; for attention without ``conv="gat"``, and for
            options out of range.
        ImportError
            If networkx or matplotlib is not installed.
        """
        import_networkx()
        network = get_graph_network(estimator)
        check_edge_kind(edges)
        for_nodes = hasattr(network, "graph_")
        if for_nodes:
            if node_color is not None:
                raise ValueError(
                    "node_color must be None for a network that answers for nodes, "
                    f"whose predictions are the colours: got {node_color!r}."
                )
            X = get_input(estimator, X)
            data = describe_nodes(network, X, y, output)
        else:
            X = get_input(estimator, [X] if is_graph(X) else X)
            data = describe_graph(network, X, y, node_color, output)
        if edges == "attention":
            X = data["graph"] if for_nodes else X
            data["edge_name"] = "attention"
            edges = get_attention(network, X, layer, head)
        display = cls(**data, labelled=labelled, edges=edges)
        return display.plot(
            layout=layout,
            random_state=random_state,
            with_labels=with_labels,
            ax=ax,
            colors=colors,
            cmap=cmap,
            node_size=node_size,
            max_linewidth=max_linewidth,
            legend=legend,
            node_kwargs=node_kwargs,
            edge_kwargs=edge_kwargs,
        )

    def plot(
        self,
        *,
        layout="spring",
        random_state=0,
        with_labels=None,
        ax=None,
        colors=None,
        cmap="viridis",
        node_size=None,
        max_linewidth=3.0,
        legend=True,
        node_kwargs=None,
        edge_kwargs=None,
    ):
        """Plot the graph.

        Parameters
        ----------
        layout : str, callable, dict or array-like, default="spring"
            Where nodes are: the name of a layout of networkx, a function of a networkx
            graph, or coordinates.
        random_state : int, RandomState instance or None, default=0
            Where "spring" begins, and "random" ends.
        with_labels : bool or array-like of shape (n_nodes,), default=None
            Whether nodes are named, or what to write at them; None names up to 40
            nodes.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        colors : list or dict of color, default=None
            Colours of the classes in their order, or by class.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of numbers.
        node_size : float, default=None
            Area of a node in square points; None is smaller for more nodes.
        max_linewidth : float, default=3.0
            Width of the strongest edge, in points.
        legend : bool, default=True
            Whether to explain colours, rings, squares and widths.
        node_kwargs : dict, default=None
            Properties of all nodes.
        edge_kwargs : dict, default=None
            Properties of all edges.

        Returns
        -------
        self : GraphDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            For arrays that do not fit the graph, and for options out of range.
        ImportError
            If networkx or matplotlib is not installed.
        """
        import_networkx()
        check_options(node_size, max_linewidth, with_labels, legend)
        check_properties(node_kwargs=node_kwargs, edge_kwargs=edge_kwargs)
        graph = as_graph(self.graph, "graph")
        network = graph.to_networkx()
        values, truth = self._read_values(graph.n_nodes)
        squares = find_labelled(self.labelled, graph.n_nodes)
        edges = Edges(graph, check_edges(self.edges))
        self.positions_ = place_nodes(network, layout, random_state)
        area = choose_area(graph.n_nodes) if node_size is None else float(node_size)
        self.ax_ = ax = get_axes(ax, "GraphDisplay")
        self.figure_ = ax.figure
        paints = self._choose_paints(values, truth, colors, cmap)
        pen = NodePen(ax, network, self.positions_, squares, area)
        rings = find_rings(values, truth, graph.n_nodes)
        areas = np.where(rings, area * RING**2, area)
        self._plot_edges(edges, network, max_linewidth, areas, edge_kwargs or {})
        self.rings_ = pen.draw_rings(rings, paints.paint(truth)) if rings.any() else []
        rgba = choose_rgba(paints, values, graph.n_nodes)
        self.nodes_ = pen.draw_nodes(rgba, node_kwargs or {})
        self._write_names(list(network), with_labels, rgba, area)
        set_limits(ax, layout, self.title)
        self.legend_ = self.colorbar_ = None
        if legend:
            has_unknown = values is not None and not values.known.all()
            marks = list_marks(paints, has_unknown, rings.any(), squares.any())
            marks += mark_edges(edges, self.edge_name or "weight", max_linewidth)
            self.legend_ = make_legend(ax, marks)
            self._add_colorbar(paints)
        return self

    def _read_values(self, n_nodes):
        """Values of the nodes and the true ones, None where there are none."""
        if self.values is None:
            if self.y is not None:
                raise ValueError("y must be None without values to compare it with.")
            return None, None
        values = Values("values", self.values, n_nodes, self.classes)
        if self.y is None:
            return values, None
        return values, Values("y", self.y, n_nodes, self.classes, like=values)

    def _choose_paints(self, values, truth, colors, cmap):
        """What colours values, None without any."""
        if values is None:
            return None
        found = values.of_known + ([] if truth is None else truth.of_known)
        if values.are_classes:
            return ClassColors(self.classes, found, colors)
        return NumberColors(found, cmap)

    def _plot_edges(self, edges, network, max_linewidth, areas, properties):
        positions = self.positions_
        self.edges_ = edges.draw(self.ax_, network, positions, max_linewidth, areas)
        for artist in self.edges_:
            artist.set(**properties)

    def _write_names(self, names, with_labels, rgba, area):
        self.names_ = []
        names = choose_names(names, with_labels)
        if names:
            self.names_ = write_names(self.ax_, names, self.positions_, rgba, area)

    def _add_colorbar(self, paints):
        if isinstance(paints, NumberColors):
            self.colorbar_ = self.figure_.colorbar(
                paints.mappable, ax=self.ax_, label=self.value_name, shrink=0.8
            )


def check_options(node_size, max_linewidth, with_labels, legend):
    """Check numbers and flags of a plot."""
    sizes = {"node_size": node_size, "max_linewidth": max_linewidth}
    for name, value in sizes.items():
        if value is None and name == "node_size":
            continue
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number: got {value!r}.")
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be > 0, finite: got {value}.")
    if isinstance(with_labels, str) or np.isscalar(with_labels):
        check_flags(with_labels=with_labels)
    check_flags(legend=legend)


def check_edge_kind(edges):
    """Check what the widths of edges shall be."""
    is_kind = isinstance(edges, str) and edges in ("weight", "attention")
    if edges is not None and not is_kind:
        raise ValueError(f'edges must be "weight", "attention" or None: got {edges!r}.')


def check_edges(edges):
    """Refuse other words than "weight"."""
    if isinstance(edges, str) and edges != "weight":
        raise ValueError(f'edges must be "weight", a matrix or None: got {edges!r}.')
    return edges


def set_limits(ax, layout, title):
    """Leave nodes and edges without ticks, and in proportion if that means anything."""
    ax.set_axis_off()
    fills = isinstance(layout, str) and layout in ("spring", "spectral", "random")
    ax.set_aspect("auto" if fills else "equal")
    ax.margins(0.08)
    if title is not None:
        ax.set_title(title, parse_math=False)
