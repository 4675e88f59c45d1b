"""The display of graphs: colours are predictions, rings truths, widths strengths."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    Graph,
    GraphClassifier,
    GraphRegressor,
    MLPClassifier,
    NodeClassifier,
    NodeRegressor,
)
from sknn.display import GraphDisplay

nx = pytest.importorskip("networkx")
pytest.importorskip("matplotlib")
pytestmark = [
    pytest.mark.usefixtures("agg"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
SHORT = {"max_iter": 15, "random_state": 0}
LABELLED = [0, 1, 32, 33]
PATH = Graph(None, [(0, 1), (1, 2), (2, 3)], edge_weight=[1.0, 2.0, 4.0])


def make_ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


def get_club():
    """The karate club with the true sides, and targets of which four are known."""
    club = Graph.from_networkx(nx.karate_club_graph(), target="club")
    y = np.full(34, None)
    y[LABELLED] = club.y[LABELLED]
    return club, y


def fit_club(**options):
    return NodeClassifier(**SHORT, **options).fit(*get_club())


def make_graphs():
    """Graphs of two features a node, and what to predict of them."""
    rng = np.random.default_rng(0)
    sizes = range(4, 12)
    graphs = [
        Graph(rng.normal(size=(n, 2)), nx.gnp_random_graph(n, 0.6, seed=n))
        for n in sizes
    ]
    return graphs, np.arange(8) % 2


def get_rows(artists, positions):
    """Numbers of the nodes that artists draw, found by their places."""
    places = np.concatenate([artist.get_offsets() for artist in artists])
    distances = np.abs(places[:, None] - positions).sum(axis=2)
    assert_allclose(distances.min(axis=1), 0)
    return distances.argmin(axis=1)


def get_colors(artists, positions):
    """Colour of each node that artists draw, by its number."""
    rows = get_rows(artists, positions).tolist()
    colors = np.concatenate([artist.get_facecolor() for artist in artists])
    return dict(zip(rows, map(tuple, colors), strict=True))


def get_legend(display):
    """Colours of the entries of the legend by their names."""
    from matplotlib.colors import to_rgba

    texts = [text.get_text() for text in display.legend_.get_texts()]
    colors = [to_rgba(line.get_color()) for line in display.legend_.legend_handles]
    return dict(zip(texts, colors, strict=True))


def get_widths(display):
    """Width of each undirected edge by the numbers of its ends."""
    (lines,) = display.edges_
    positions = display.positions_
    ends = np.array(lines.get_segments())  # (n_edges, 2 ends, 2 coordinates)
    rows = np.abs(ends[:, :, None] - positions).sum(axis=3).argmin(axis=2)
    pairs = map(tuple, np.sort(rows, axis=1).tolist())
    return dict(zip(pairs, lines.get_linewidths(), strict=True))


def get_arrows(display):
    """Width of each arrow by the numbers of the nodes at its start and its end."""
    found = {}
    for arrow in display.edges_:
        ends = np.array(arrow._posA_posB)
        rows = np.abs(ends[:, None] - display.positions_).sum(axis=2).argmin(axis=1)
        found[tuple(rows.tolist())] = arrow.get_linewidth()
    return found


class TestNodes:
    def test_have_the_colour_of_their_prediction(self):
        club, _ = get_club()
        model = fit_club()
        display = GraphDisplay.from_estimator(model)
        expected, legend = model.predict(club), get_legend(display)
        colors = get_colors(display.nodes_, display.positions_)
        assert list(legend)[:2] == model.classes_.tolist()
        assert [colors[i] for i in range(34)] == [legend[label] for label in expected]
        assert display.figure_ is display.ax_.figure

    def test_rings_are_of_the_true_class_where_it_is_another(self):
        club, _ = get_club()
        model = fit_club()
        y = club.y.copy()
        y[:3] = None
        y[10] = {"Mr. Hi": "Officer", "Officer": "Mr. Hi"}[model.predict(club)[10]]
        display = GraphDisplay.from_estimator(model, y=y)
        wrong = [i for i in range(3, 34) if y[i] != model.predict(club)[i]]
        rings = get_colors(display.rings_, display.positions_)
        legend = get_legend(display)
        assert rings == {i: legend[y[i]] for i in wrong}
        assert 10 in rings
        assert "true class, where wrong" in legend

    def test_the_graphs_own_targets_are_the_truth(self):
        club, _ = get_club()
        model = fit_club()
        own = GraphDisplay.from_estimator(model, club)
        given = GraphDisplay.from_estimator(model, club.replace(y=None), y=club.y)
        bare = GraphDisplay.from_estimator(model, club.replace(y=None))
        unlike = GraphDisplay.from_estimator(model, club.replace(y=np.arange(34)))
        assert_array_equal(own.y, given.y)
        assert bare.y is None is unlike.y
        assert not bare.rings_ and not unlike.rings_

    def test_labelled_ones_are_squares(self):
        mask = np.isin(np.arange(34), LABELLED)
        for labelled in (LABELLED, mask):
            display = GraphDisplay.from_estimator(fit_club(), labelled=labelled)
            circles, squares = display.nodes_
            assert sorted(get_rows([squares], display.positions_)) == LABELLED
            assert len(circles.get_offsets()) == 30
            assert len(squares.get_paths()[0].vertices) < len(
                circles.get_paths()[0].vertices
            )
            assert "labelled" in get_legend(display)

    def test_numbers_have_a_colour_bar_and_all_known_truths_rings(self):
        club, _ = get_club()
        y = np.linspace(-1, 1, 34)
        y[5] = np.nan
        model = NodeRegressor(**SHORT).fit(club, y)
        display = GraphDisplay.from_estimator(model, club, y=y)
        to_rgba = display.colorbar_.mappable.to_rgba
        predicted = model.predict(club)
        colors = get_colors(display.nodes_, display.positions_)
        rings = get_colors(display.rings_, display.positions_)
        assert_allclose([colors[i] for i in range(34)], to_rgba(predicted))
        known = [i for i in range(34) if i != 5]
        assert sorted(rings) == known
        assert_allclose([rings[i] for i in known], to_rgba(y[known]))
        low, high = display.colorbar_.mappable.get_clim()
        both = [*predicted, *y[known]]
        assert_allclose([low, high], [min(both), max(both)])
        assert display.colorbar_.ax.get_ylabel() == "prediction"

    def test_other_graphs_of_networkx(self):
        model = fit_club(node_features="structure")
        ladder = nx.relabel_nodes(nx.ladder_graph(3), dict(enumerate("abcdef")))
        display = GraphDisplay.from_estimator(model, ladder)
        assert_array_equal(display.values, model.predict(ladder))
        assert [text.get_text() for text in display.names_] == list("abcdef")

    def test_rows_behind_a_scaler(self):
        X, y = load_iris(return_X_y=True)
        model = make_pipeline(StandardScaler(), NodeClassifier(**SHORT)).fit(X, y)
        display = GraphDisplay.from_estimator(model, y=y)
        assert_array_equal(display.values, model[-1].predict(model[-1].graph_))
        assert not display.names_

    def test_numbers_of_nodes(self):
        club, _ = get_club()
        model = NodeClassifier(graph=club, **SHORT).fit(LABELLED, club.y[LABELLED])
        display = GraphDisplay.from_estimator(model)
        assert_array_equal(display.values, model.predict(np.arange(34)))

    def test_one_of_several_outputs(self):
        club, _ = get_club()
        Y = np.column_stack([np.arange(34.0), -np.arange(34.0)])
        model = NodeRegressor(**SHORT).fit(club, Y)
        display = GraphDisplay.from_estimator(model, y=Y, output=1)
        assert_array_equal(display.values, model.predict(club)[:, 1])
        assert_array_equal(display.y, Y[:, 1])
        labels = NodeClassifier(**SHORT).fit(club, (Y > 9).astype(int))
        display = GraphDisplay.from_estimator(labels, output=1)
        assert list(get_legend(display))[:2] == ["0", "1"]
        with pytest.raises(ValueError, match="output must be from 0 to 1: got 2"):
            GraphDisplay.from_estimator(model, output=2)


class TestGraphs:
    def test_the_title_is_the_prediction(self):
        graphs, y = make_graphs()
        names = np.array(["odd", "even"])[y]
        model = GraphClassifier(**SHORT).fit(graphs, names)
        (prediction,) = model.predict(graphs[:1])
        theirs = graphs[0].to_networkx()
        nx.set_node_attributes(theirs, dict(enumerate(graphs[0].X)), "x")
        array = np.empty(1, dtype=object)
        array[0] = graphs[0]
        for X in (graphs[0], graphs[:1], array, theirs):
            display = GraphDisplay.from_estimator(model, X)
            assert display.ax_.get_title() == f"prediction: {prediction}"
        for target in ("odd", ["odd"]):
            display = GraphDisplay.from_estimator(model, graphs[0], y=target)
            title = f"prediction: {prediction}, truth: odd"
            assert display.ax_.get_title() == title

    def test_numbers_of_a_title_are_short(self):
        graphs, _ = make_graphs()
        model = GraphRegressor(**SHORT).fit(graphs, np.arange(8.0))
        display = GraphDisplay.from_estimator(model, graphs[0], y=1.23456)
        (prediction,) = model.predict(graphs[:1])
        assert display.title == f"prediction: {prediction:.3g}, truth: 1.23"

    def test_nodes_may_show_a_feature_or_anything(self):
        graphs, y = make_graphs()
        model = GraphClassifier(**SHORT).fit(graphs, y)
        plain = GraphDisplay.from_estimator(model, graphs[0])
        assert len(set(get_colors(plain.nodes_, plain.positions_).values())) == 1
        assert plain.colorbar_ is None
        display = GraphDisplay.from_estimator(model, graphs[0], node_color=1)
        to_rgba = display.colorbar_.mappable.to_rgba
        colors = get_colors(display.nodes_, display.positions_)
        assert_allclose([colors[i] for i in range(4)], to_rgba(graphs[0].X[:, 1]))
        assert display.colorbar_.ax.get_ylabel() == "feature 1"
        atoms = list("CCON")
        display = GraphDisplay.from_estimator(model, graphs[0], node_color=atoms)
        colors = get_colors(display.nodes_, display.positions_)
        legend = get_legend(display)
        assert [colors[i] for i in range(4)] == [legend[atom] for atom in atoms]

    def test_a_signal_on_the_networks_own_graph(self):
        signals = np.random.default_rng(0).normal(size=(10, 4))
        model = GraphClassifier(adjacency=PATH, **SHORT)
        model.fit(signals, np.arange(10) % 2)
        display = GraphDisplay.from_estimator(model, signals[:1], node_color=0)
        assert_allclose(display.values, signals[0])
        assert display.graph.n_edges == 3
        (prediction,) = model.predict(signals[:1])
        assert display.title == f"prediction: {prediction}"
        with pytest.raises(ValueError, match=r"X must be .*: got 2 of them"):
            GraphDisplay.from_estimator(model, signals[:2])


class TestEdges:
    def test_are_as_wide_as_their_weight(self):
        widths = get_widths(GraphDisplay(PATH).plot(max_linewidth=4.4))
        # from 0.4, which none would have
        assert_allclose([widths[i, i + 1] for i in range(3)], [1.4, 2.4, 4.4])
        names = list(get_legend(GraphDisplay(PATH).plot()))
        assert names == ["weight 4"]

    def test_are_alike_without_strengths(self):
        display = GraphDisplay(PATH, edges=None).plot()
        assert len(set(get_widths(display).values())) == 1
        assert display.legend_ is None

    @pytest.mark.parametrize("head", [None, 1])
    @pytest.mark.parametrize("layer", [-1, 0])
    def test_attention_without_directions_is_the_larger_one(self, layer, head):
        club, _ = get_club()
        model = fit_club(conv="gat", n_heads=2, hidden_layer_sizes=(4, 4))
        display = GraphDisplay.from_estimator(
            model, edges="attention", layer=layer, head=head, max_linewidth=3.4
        )
        heads = [matrix.toarray() for matrix in model.attention_weights(club)[layer]]
        shares = np.mean(heads, axis=0) if head is None else heads[head]
        shares = np.maximum(shares, shares.T)
        np.fill_diagonal(shares, 0)
        widths = get_widths(display)
        assert len(widths) == club.n_edges
        expected = [0.4 + 3 * shares[pair] / shares.max() for pair in widths]
        # attention is in float32
        assert_allclose(list(widths.values()), expected, rtol=1e-6)
        assert f"attention {shares.max():.3g}" in get_legend(display)

    def test_attention_with_directions_comes_from_who_is_heard(self):
        edges = [(0, 1), (2, 1), (1, 3), (3, 1), (3, 0), (4, 0)]
        graph = Graph(np.eye(5), edges, y=list("ababa"), directed=True)
        model = NodeClassifier(conv="gat", **SHORT).fit(graph)
        display = GraphDisplay.from_estimator(
            model, edges="attention", max_linewidth=3.4
        )
        heads = model.attention_weights(graph)[-1]
        matrix = np.mean([head.toarray() for head in heads], axis=0)
        shares = np.array([matrix[j, i] for i, j in edges])
        arrows = get_arrows(display)
        assert sorted(arrows) == sorted(edges)
        widths = [arrows[edge] for edge in edges]
        assert_allclose(widths, 0.4 + 3 * shares / shares.max())

    def test_attention_of_a_network_for_graphs(self):
        graphs, y = make_graphs()
        model = GraphClassifier(conv="gat", hidden_layer_sizes=4, **SHORT)
        model.fit(graphs, y)
        display = GraphDisplay.from_estimator(model, graphs[2], edges="attention")
        heads = model.attention_weights([graphs[2]])[0][-1]
        assert_allclose(
            display.edges.toarray(), sum(head.toarray() for head in heads).T / 4
        )

    def test_loops_are_left_out(self):
        graph = Graph(None, [[1.0, 2.0, 0], [2, 0, 1], [0, 1, 9]], directed=False)
        assert sorted(get_widths(GraphDisplay(graph).plot())) == [(0, 1), (1, 2)]

    def test_a_matrix_says_the_widths_of_edges_alone(self):
        strengths = np.array([[0.0, 1, 9, 0], [3, 0, 1, 0], [0, 1, 0, 2], [0] * 4])
        for edges in (strengths, sparse.csr_array(strengths)):
            display = GraphDisplay(PATH, edges=edges).plot(max_linewidth=3.4)
            widths = get_widths(display)
            assert_allclose([widths[i, i + 1] for i in range(3)], [3.4, 1.4, 2.4])

    def test_many_arrows_are_lines(self):
        graph = nx.gnp_random_graph(60, 0.5, directed=True, seed=0)
        display = GraphDisplay(graph).plot(layout="circular")
        assert len(display.edges_) == 1
        assert len(display.edges_[0].get_segments()) == graph.number_of_edges()

    def test_no_edges(self):
        assert GraphDisplay(Graph(None, [], n_nodes=1)).plot().edges_ == []


class TestLayout:
    def test_is_the_same_each_time_and_leaves_numpy_alone(self):
        state = np.random.get_state()  # noqa: NPY002 - it is the global one
        before = state[1].copy()
        first, second = (GraphDisplay(PATH).plot().positions_ for _ in range(2))
        assert_array_equal(first, second)
        state = np.random.get_state()  # noqa: NPY002
        assert_array_equal(before, state[1])
        other = GraphDisplay(PATH).plot(random_state=1).positions_
        assert not np.allclose(first, other)

    @pytest.mark.parametrize(
        "layout",
        [
            "spring",
            "kamada_kawai",
            "circular",
            "shell",
            "spiral",
            "spectral",
            "planar",
            "random",
        ],
    )
    def test_names(self, layout):
        positions = GraphDisplay(PATH).plot(layout=layout).positions_
        assert len(np.unique(positions.round(6), axis=0)) == 4

    def test_does_not_depend_on_weights(self):
        plain = Graph(None, [(0, 1), (1, 2), (2, 3)])
        for layout in ("spring", "kamada_kawai", "spectral"):
            ours, theirs = (
                GraphDisplay(graph).plot(layout=layout).positions_
                for graph in (PATH, plain)
            )
            assert_array_equal(ours, theirs)

    def test_coordinates(self):
        graph = nx.relabel_nodes(nx.path_graph(3), dict(enumerate("bac")))
        expected = [[0, 1], [2, 3], [5, 4]]
        by_name = dict(zip("bac", expected, strict=True))
        for layout in (expected, np.array(expected), by_name, lambda g: by_name):
            display = GraphDisplay(graph).plot(layout=layout)
            assert_array_equal(display.positions_, expected)
            assert_array_equal(display.nodes_[0].get_offsets(), expected)

    @pytest.mark.parametrize(
        ("layout", "error", "message"),
        [
            ("nice", ValueError, r"layout must be one of \['circular'.* got 'nice'"),
            (3, ValueError, r"\(4, 2\): got the shape \(\)"),
            (object(), TypeError, "layout must be a name, .* got <object"),
            (np.zeros((3, 2)), ValueError, r"\(4, 2\): got the shape \(3, 2\)"),
            (np.full((4, 2), np.nan), ValueError, "finite coordinates: .* for node 0"),
            ({0: (0, 0)}, ValueError, "must place all nodes: 1 is not"),
        ],
    )
    def test_wrong_ones(self, layout, error, message):
        with pytest.raises(error, match=message):
            GraphDisplay(PATH).plot(layout=layout)

    def test_planar_does_not_suit_all(self):
        with pytest.raises(ValueError, match="layout must suit the graph: 'planar'"):
            GraphDisplay(nx.complete_graph(5)).plot(layout="planar")


class TestNames:
    def test_are_there_for_few_nodes_or_if_asked_for(self):
        for n_nodes, with_labels in ((40, None), (41, True)):
            display = GraphDisplay(nx.path_graph(n_nodes)).plot(
                layout="circular", with_labels=with_labels
            )
            texts = [text.get_text() for text in display.names_]
            assert texts == [str(i) for i in range(n_nodes)]
        for n_nodes, with_labels in ((41, None), (40, False)):
            display = GraphDisplay(nx.path_graph(n_nodes)).plot(
                layout="circular", with_labels=with_labels
            )
            assert display.names_ == []

    @pytest.mark.parametrize("name", ["$x_1^", "_hidden", "a long name"])
    def test_are_written_as_they_are(self, name):
        graph = nx.relabel_nodes(nx.path_graph(3), {1: name})
        display = GraphDisplay(graph, values=["a", name, name]).plot()
        assert display.names_[1].get_text() == name
        assert name in get_legend(display)
        display.figure_.draw_without_rendering()


class TestColours:
    @pytest.mark.parametrize("n_classes", [2, 7, 8, 14, 15, 40])
    def test_all_classes_differ(self, n_classes):
        display = GraphDisplay(nx.path_graph(n_classes), values=range(n_classes))
        legend = get_legend(display.plot(layout="circular"))
        assert len(set(legend.values())) == n_classes

    def test_unknown_ones_are_grey(self):
        for values in (["a", None, "b", None], [0, -1, 1, -1], [0.5, np.nan, 1, None]):
            display = GraphDisplay(PATH, values=values).plot()
            colors = get_colors(display.nodes_, display.positions_)
            assert colors[1] == colors[3] == get_legend(display)["unknown"]
            assert len(set(colors.values())) == 3

    def test_minus_one_may_be_a_class(self):
        display = GraphDisplay(PATH, values=[-1, 1, 1, -1], classes=[-1, 1]).plot()
        assert list(get_legend(display))[:2] == ["-1", "1"]
        assert "unknown" not in get_legend(display)

    def test_chosen_ones(self):
        from matplotlib.colors import to_rgba

        values = ["a", "b", "b", "a"]
        for colors in (["red", "blue"], {"b": "blue", "a": "red", "c": "green"}):
            display = GraphDisplay(PATH, values=values).plot(colors=colors)
            drawn = get_colors(display.nodes_, display.positions_)
            assert [drawn[0], drawn[1]] == [to_rgba("red"), to_rgba("blue")]

    def test_the_order_of_the_classes(self):
        display = GraphDisplay(PATH, values=list("abba"), classes=["b", "z", "a"])
        assert list(get_legend(display.plot()))[:3] == ["b", "z", "a"]


class TestLegend:
    def test_is_outside_the_axes_and_inside_the_figure(self):
        for ax in (None, make_ax()):
            values = ["first", "second", "third", "first"]
            display = GraphDisplay(PATH, values=values, y=["first"] * 4).plot(ax=ax)
            display.figure_.draw_without_rendering()
            legend = display.legend_.get_window_extent()
            assert legend.x0 >= display.ax_.get_window_extent().x1 - 1
            assert legend.x1 <= display.figure_.bbox.x1
            assert ax is None or display.ax_ is ax

    def test_beside_a_colour_bar(self):
        display = GraphDisplay(PATH, values=[1.0, 2, 3, 4], y=[1.0, 2, 3, 5]).plot()
        display.figure_.draw_without_rendering()
        bar = display.colorbar_.ax.get_window_extent()
        assert display.legend_.get_window_extent().x1 <= bar.x0

    def test_none(self):
        for values in (["a", "b", "a", "b"], [1.0, 2, 3, 4]):
            display = GraphDisplay(PATH, values=values).plot(legend=False)
            assert display.legend_ is None is display.colorbar_


class TestArguments:
    def test_properties_of_nodes_and_edges(self):
        for graph in (PATH, nx.DiGraph([(0, 1), (1, 0), (1, 2)])):
            display = GraphDisplay(graph).plot(
                node_size=50, node_kwargs={"alpha": 0.5}, edge_kwargs={"alpha": 0.25}
            )
            assert display.nodes_[0].get_alpha() == 0.5
            assert {edge.get_alpha() for edge in display.edges_} == {0.25}
            assert display.nodes_[0].get_sizes() == [50]

    def test_plot_again(self):
        display = GraphDisplay.from_estimator(fit_club(), labelled=LABELLED)
        before = get_colors(display.nodes_, display.positions_)
        again = display.plot(ax=make_ax(), layout=display.positions_)
        assert again is display
        assert get_colors(display.nodes_, display.positions_) == before

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"max_linewidth": 0}, ValueError, "max_linewidth must be > 0.*: got 0"),
            ({"max_linewidth": "a"}, TypeError, "max_linewidth must be a number"),
            ({"node_size": -1}, ValueError, "node_size must be > 0.*: got -1"),
            ({"with_labels": 1}, TypeError, "with_labels must be True or False"),
            ({"legend": None}, TypeError, "legend must be True or False: got None"),
            ({"node_kwargs": 3}, TypeError, "node_kwargs must be a dict"),
            ({"colors": "red"}, TypeError, "colors must be a list .* got 'red'"),
            ({"colors": ["red"]}, ValueError, "colors must be one a class, 2: got 1"),
            ({"colors": {"a": "red"}}, ValueError, "all classes: 'b' has none"),
            ({"ax": 3}, TypeError, "ax must be one matplotlib Axes"),
        ],
    )
    def test_wrong_options(self, options, error, message):
        from matplotlib import pyplot as plt

        with pytest.raises(error, match=message):
            GraphDisplay(PATH, values=list("abba")).plot(**options)
        if "colors" not in options:
            assert not plt.get_fignums()

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"values": [1, 2]}, r"values must have one value a node, 4: .* \(2,\)"),
            ({"y": [1, 2, 3, 4]}, "y must be None without values"),
            ({"values": "abba", "y": None}, r"values must .* got the shape \(\)"),
            ({"values": [1, 2, 1, 2], "y": [1]}, "y must have one value a node"),
            ({"values": np.ones(4), "y": list("abba")}, "y must be numbers"),
            ({"values": [1.0, np.inf, 0, 0]}, "values must be finite.*: got inf"),
            ({"labelled": [4]}, "labelled must be numbers from 0 to 3: got 4"),
            ({"labelled": [True]}, r"labelled must be .* mask of shape \(4,\)"),
            ({"edges": "attention"}, 'edges must be "weight", a matrix or None'),
            ({"edges": np.eye(3)}, r"edges must have the shape \(4, 4\)"),
            ({"edges": -np.eye(4)}, "edges must be >= 0 and finite: got -1.0"),
        ],
    )
    def test_wrong_data(self, data, message):
        with pytest.raises(ValueError, match=message):
            GraphDisplay(PATH, **data).plot()

    def test_no_graph(self):
        with pytest.raises(ValueError, match=r"graph must be a sknn\.Graph .* ndarray"):
            GraphDisplay(np.eye(3)).plot()

    def test_wrong_input_of_a_network_for_nodes(self):
        model = fit_club()
        draw = GraphDisplay.from_estimator
        with pytest.raises(ValueError, match=r"X must be a sknn\.Graph .* ndarray"):
            draw(model, np.eye(34))
        with pytest.raises(ValueError, match=r"node_color must be None .* got 0"):
            draw(model, node_color=0)
        with pytest.raises(ValueError, match="y must have one value a node, 34"):
            draw(model, y=[1, 2])
        with pytest.raises(ValueError, match="conv='gat': got conv='gcn'"):
            draw(model, edges="attention")
        for edges in ("other", 3, np.eye(34)):
            with pytest.raises(ValueError, match='edges must be "weight", "attention"'):
                draw(model, edges=edges)
        gat = fit_club(conv="gat")
        with pytest.raises(ValueError, match="layer must be from -2 to 1: got 2"):
            draw(gat, edges="attention", layer=2)
        with pytest.raises(ValueError, match="head must be from 0 to 3: got 4"):
            draw(gat, edges="attention", head=4)

    def test_wrong_input_of_a_network_for_graphs(self):
        graphs, y = make_graphs()
        model = GraphClassifier(**SHORT).fit(graphs, y)
        draw = GraphDisplay.from_estimator
        for X, got in ((graphs[:2], "2 of them"), (None, "None"), ([], r"\[\]")):
            with pytest.raises(ValueError, match=f"X must be one graph.*{got}"):
                draw(model, X)
        with pytest.raises(ValueError, match="X must be one graph, or an array of one"):
            draw(model, np.ones((1, 2)))
        with pytest.raises(ValueError, match="y must be the target of the one graph"):
            draw(model, graphs[0], y=[0, 1])
        with pytest.raises(ValueError, match="node_color must be from 0 to 1: got 2"):
            draw(model, graphs[0], node_color=2)
        with pytest.raises(TypeError, match=r"node_color must be the number .* 'red'"):
            draw(model, graphs[0], node_color="red")
        bare = [graph.replace(X=None) for graph in graphs]
        model = GraphClassifier(**SHORT).fit(bare, y)
        with pytest.raises(ValueError, match="node_color=0 must be a feature"):
            draw(model, bare[0], node_color=0)

    def test_wrong_estimators(self):
        X, y = load_iris(return_X_y=True)
        mlp = MLPClassifier(**SHORT).fit(X, y)
        with pytest.raises(NotFittedError):
            GraphDisplay.from_estimator(NodeClassifier())
        for wrong in (mlp, make_pipeline(mlp)):
            with pytest.raises(TypeError, match="must be a fitted NodeClassifier"):
                GraphDisplay.from_estimator(wrong)
        for wrong in (LogisticRegression().fit(X, y), NodeClassifier, None):
            with pytest.raises(TypeError, match="estimator must be a fitted network"):
                GraphDisplay.from_estimator(wrong)

    def test_no_networkx(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "networkx", None)
        message = r"GraphDisplay needs networkx.*pip install sknn\[graphs\]"
        with pytest.raises(ImportError, match=message):
            GraphDisplay(PATH).plot(layout=np.zeros((4, 2)))
        with pytest.raises(ImportError, match=message):
            GraphDisplay.from_estimator(NodeClassifier())


def test_other_words_at_the_nodes():
    display = GraphDisplay(PATH).plot(with_labels=list("CONC"))
    assert [name.get_text() for name in display.names_] == list("CONC")
    with pytest.raises(ValueError, match="with_labels must have an entry for each"):
        GraphDisplay(PATH).plot(with_labels=["C"])


def test_one_graph_of_networkx_a_picture(monkeypatch):
    club, _ = get_club()
    made, make = [], Graph.to_networkx

    def to_networkx(graph):
        made.append(make(graph))
        return made[-1]

    def place(network):
        network.clear()  # which nobody else sees
        return np.arange(68.0).reshape(34, 2)

    monkeypatch.setattr(Graph, "to_networkx", to_networkx)
    display = GraphDisplay(club).plot(ax=make_ax(), layout=place)
    assert len(made) == 1
    assert len(get_rows(display.nodes_, display.positions_)) == 34
