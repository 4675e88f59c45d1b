"""Displays: their artists hold the estimator's numbers."""

import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neural_network
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.callbacks import LRScheduler

from sknn import MLPClassifier, MLPRegressor
from sknn.display import LossCurveDisplay, NetworkDisplay

matplotlib = pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("agg")
DISPLAYS = [LossCurveDisplay, NetworkDisplay]
IRIS = load_iris(as_frame=True)
X, y = StandardScaler().fit_transform(IRIS.data), IRIS.target.to_numpy()
OWN, SKLEARN = MLPClassifier, neural_network.MLPClassifier


def make_ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


def fit(cls=OWN, X=X, y=y, *, fit_params=None, **params):
    """Fit a small network for a few epochs."""
    params = {"hidden_layer_sizes": (5, 3), "max_iter": 12, "random_state": 0} | params
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return cls(**params).fit(X, y, **(fit_params or {}))


def get_labels(legend):
    return [text.get_text() for text in legend.get_texts()]


def get_data(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def plot_networks(ax, **options):
    """Plot networks of other seeds and learning rates on the same axes."""
    return [
        LossCurveDisplay.from_estimator(
            fit(random_state=seed, early_stopping=True, learning_rate_init=rate),
            ax=ax,
            name=f"seed {seed}",
            **options,
        )
        for seed, rate in enumerate([0.001, 0.02, 0.1])
    ]


def get_lines(display):
    lines = display.loss_line_, display.validation_loss_line_, display.score_line_
    lines += (display.learning_rate_line_,)
    return [line for line in lines if line is not None]


def get_colors(display):
    return [line.get_color() for line in get_lines(display)]


def assert_below(display):
    """Assert that the legend is under the axes and inside of the figure."""
    display.figure_.draw_without_rendering()
    legend, ax = display.legend_.get_window_extent(), display.ax_
    assert legend.y1 < ax.xaxis.label.get_window_extent().y0 < ax.bbox.y0
    room = display.figure_.bbox
    assert room.x0 <= legend.x0 < legend.x1 <= room.x1
    assert room.y0 <= legend.y0


class TestLossCurve:
    @pytest.mark.parametrize("cls", [OWN, SKLEARN])
    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_lines_hold_the_curves(self, cls, early_stopping):
        mlp = fit(cls, early_stopping=early_stopping)
        display = LossCurveDisplay.from_estimator(mlp)
        epochs, loss = get_data(display.loss_line_)
        assert_array_equal(epochs, np.arange(1, mlp.n_iter_ + 1))
        assert_array_equal(loss, mlp.loss_curve_)
        assert display.figure_ is display.ax_.figure
        assert (display.score_line_ is None) is not early_stopping
        if early_stopping:
            epochs, scores = get_data(display.score_line_)
            assert_array_equal(epochs, np.arange(1, mlp.n_iter_ + 1))
            assert_array_equal(scores, mlp.validation_scores_)
            assert display.score_line_.axes is display.score_ax_ is not display.ax_

    def test_validation_loss(self):
        display = LossCurveDisplay.from_estimator(mlp := fit(early_stopping=True))
        line = display.validation_loss_line_
        assert line.axes is display.ax_
        assert_array_equal(line.get_ydata(), mlp.validation_loss_curve_)

    def test_validation_rows_without_early_stopping(self):
        mlp = fit(fit_params={"X_val": X[::2], "y_val": y[::2]})
        display = LossCurveDisplay.from_estimator(mlp)
        assert_array_equal(display.score_line_.get_ydata(), mlp.validation_scores_)
        assert display.best_epoch is None is display.best_epoch_line_

    @pytest.mark.parametrize("cls", [OWN, SKLEARN])
    def test_best_epoch_is_that_of_the_weights(self, cls):
        params = {"learning_rate_init": 0.05, "solver": "sgd", "early_stopping": True}
        mlp = fit(cls, max_iter=40, **params)
        best = LossCurveDisplay.from_estimator(mlp).best_epoch
        assert mlp.validation_scores_[best - 1] == mlp.best_validation_score_
        assert 1 < best < mlp.n_iter_
        stopped = fit(cls, max_iter=best, **params)  # ends with the weights in question
        for weights, expected in zip(mlp.coefs_, stopped.coefs_, strict=True):
            assert_array_equal(weights, expected)

    def test_best_epoch_is_marked(self):
        display = LossCurveDisplay.from_estimator(fit(early_stopping=True))
        assert set(display.best_epoch_line_.get_xdata()) == {display.best_epoch}
        assert f"best epoch, {display.best_epoch}" in get_labels(display.legend_)

    def test_learning_rates(self):
        scheduler = LRScheduler(policy="ExponentialLR", gamma=0.9)
        mlp = fit(callbacks=[scheduler], learning_rate_init=0.01)
        display = LossCurveDisplay.from_estimator(mlp, learning_rate=True)
        rates = display.learning_rate_line_.get_ydata()
        assert_array_equal(rates, mlp.history_[:, "lr"])
        assert_allclose(rates, 0.01 * 0.9 ** np.arange(12))
        assert display.learning_rate_ax_ is not display.ax_
        assert display.plot().learning_rate_line_ is None

    def test_rates_of_several_magnitudes_have_a_logarithmic_axis(self):
        for factor, scale in [(0.9, "linear"), (0.5, "log"), (0.0, "linear")]:
            rates = factor ** np.arange(5.0)
            display = LossCurveDisplay(np.ones(5), learning_rates=rates)
            ax = display.plot(learning_rate=True).learning_rate_ax_
            assert ax.get_yscale() == scale

    @pytest.mark.parametrize(
        "make", [lambda: fit(solver="lbfgs"), lambda: fit(SKLEARN)]
    )
    def test_no_learning_rates(self, make):
        with pytest.raises(ValueError, match=r"learning_rate=True .* lbfgs"):
            LossCurveDisplay.from_estimator(make(), learning_rate=True)

    def test_lbfgs(self):
        display = LossCurveDisplay.from_estimator(mlp := fit(solver="lbfgs"))
        assert_array_equal(display.loss_line_.get_ydata(), mlp.loss_curve_)
        assert mlp.n_iter_ == len(mlp.loss_curve_)

    @pytest.mark.parametrize("validates_first", [False, True])
    def test_warm_start_that_measures_once(self, validates_first):
        validation = {"X_val": X[::2], "y_val": y[::2]}
        steps = [validation, {}] if validates_first else [{}, validation]
        mlp = fit(warm_start=True, fit_params=steps[0], max_iter=4)
        with pytest.warns(ConvergenceWarning):
            mlp.set_params(max_iter=3).fit(X, y, **steps[1])
        display = LossCurveDisplay.from_estimator(mlp)
        where = slice(0, 4) if validates_first else slice(4, 7)
        for line, curve in [
            (display.validation_loss_line_, mlp.validation_loss_curve_),
            (display.score_line_, mlp.validation_scores_),
        ]:
            expected = np.full(7, np.nan)
            expected[where] = curve
            assert_array_equal(line.get_ydata(), expected)

    def test_later_training_leaves_a_display_as_it_is(self):
        mlp = fit()
        curves, network = (cls.from_estimator(mlp) for cls in DISPLAYS)
        loss, weights = list(mlp.loss_curve_), mlp.coefs_[0].copy()
        mlp.partial_fit(X, y)
        assert curves.loss_curve == loss != mlp.loss_curve_
        assert_array_equal(network.coefs[0], weights)

    def test_log_scale(self):
        display = LossCurveDisplay.from_estimator(fit(), log_scale=True)
        assert display.ax_.get_yscale() == "log"
        assert display.plot().ax_.get_yscale() == "linear"

    @pytest.mark.parametrize(
        ("params", "name"),
        [
            ({}, "accuracy"),
            ({"scoring": "loss"}, "minus loss"),
            ({"scoring": "f1_macro"}, "f1_macro"),
            ({"scoring": lambda estimator, X, y: 0.5}, "score"),
            ({"cls": MLPRegressor}, "$R^2$"),
        ],
    )
    def test_score_names(self, params, name):
        display = LossCurveDisplay.from_estimator(fit(early_stopping=True, **params))
        assert display.score_ax_.get_ylabel() == f"validation {name}"

    @pytest.mark.parametrize("learning_rate", [False, True])
    def test_networks_on_the_same_axes_share_those_on_the_right(self, learning_rate):
        displays = plot_networks(make_ax(), learning_rate=learning_rate)
        first, *others = displays
        assert len(first.figure_.axes) == 2 + learning_rate
        for display in others:
            assert display.ax_ is first.ax_
            assert display.score_ax_ is first.score_ax_
            assert display.learning_rate_ax_ is first.learning_rate_ax_
        first.figure_.draw_without_rendering()
        for line in (line for display in displays for line in get_lines(display)):
            low, high = line.axes.get_ylim()
            assert low <= np.nanmin(line.get_ydata())
            assert np.nanmax(line.get_ydata()) <= high

    @pytest.mark.parametrize("learning_rate", [False, True])
    def test_one_legend_for_networks_on_the_same_axes(self, learning_rate):
        displays = plot_networks(make_ax(), learning_rate=learning_rate)
        figure, legend = displays[-1].figure_, displays[-1].legend_
        assert [ax.get_legend() for ax in figure.axes if ax.get_legend()] == [legend]
        kinds = ["training loss", "validation loss", "validation accuracy"]
        kinds += ["learning rate"] * learning_rate
        labels = get_labels(legend)
        assert len(labels) == len(set(labels)) == len(displays) * (len(kinds) + 1)
        assert {f"{d.name}: {kind}" for d in displays for kind in kinds} < set(labels)
        names = [label.split(": ")[0] for label in labels]
        assert names == sorted(names)

    def test_names_have_colors_and_curves_have_styles(self):
        displays = plot_networks(make_ax(), learning_rate=True)
        for display in displays:
            lines = get_lines(display)
            assert len({line.get_color() for line in lines}) == 1
            patterns = {str(line._dash_pattern) for line in lines}
            assert len(patterns) == len(lines) == 4
        assert len({d.loss_line_.get_color() for d in displays}) == len(displays)
        again = plot_networks(displays[0].ax_)[1]
        assert again.score_line_.get_color() == displays[1].score_line_.get_color()

    @pytest.mark.parametrize(
        "options", [{}, {"score": False}, {"learning_rate": True}], ids=str
    )
    def test_long_legend_is_below_the_curves(self, options):
        display = plot_networks(make_ax(), **options)[-1]
        assert_below(display)

    def test_legend_with_a_learning_rate_is_below_the_curves(self):
        display = LossCurveDisplay.from_estimator(
            fit(early_stopping=True), learning_rate=True
        )
        assert_below(display)

    def test_long_legend_without_room_below(self):
        from matplotlib.figure import Figure

        for ax in (
            Figure().add_axes((0.1, 0.1, 0.8, 0.8)),
            Figure().subplots(3, 3)[1, 1],
        ):
            display = plot_networks(ax)[-1]
            assert display.figure_.get_layout_engine() is None
            display.figure_.draw_without_rendering()

    def test_plot_again_on_the_same_axes(self):
        display = LossCurveDisplay.from_estimator(fit(early_stopping=True))
        figure, ax, right = display.figure_, display.ax_, display.score_ax_
        labels, colors = get_labels(display.legend_), get_colors(display)
        display.plot(ax=ax)
        assert figure.axes == [ax, right]
        assert get_labels(display.legend_) == labels
        assert get_colors(display) == colors == ["C0", "C1", "C2"]

    def test_other_scores_have_another_axis(self):
        ax = make_ax()
        for name in ["accuracy", "f1", "accuracy"]:
            scores = {"validation_scores": [0.1, 0.2], "score_name": name}
            LossCurveDisplay([2.0, 1.0], **scores).plot(ax=ax)
        labels = ["loss", "validation accuracy", "validation f1"]
        assert [a.get_ylabel() for a in ax.figure.axes] == labels

    def test_neighbours_have_their_own_axis(self):
        from matplotlib.figure import Figure

        left, right = Figure().subplots(1, 2, sharex=True)
        display = LossCurveDisplay([2.0, 1.0], validation_scores=[0.1, 0.2])
        assert display.plot(ax=left).score_ax_ is not display.plot(ax=right).score_ax_

    def test_rates_of_networks_have_a_scale_for_all(self):
        ax = make_ax()
        for rates in ([0.1, 0.01 / 2], [0.1, 0.1]):
            display = LossCurveDisplay([2.0, 1.0], learning_rates=rates)
            display.plot(ax=ax, learning_rate=True)
        assert display.learning_rate_ax_.get_yscale() == "log"

    def test_networks_without_scores(self):
        displays = plot_networks(ax := make_ax(), score=False)
        assert ax.figure.axes == [ax]
        assert all(display.score_line_ is None for display in displays)
        labels = get_labels(displays[-1].legend_)
        assert {"seed 0: training loss", "seed 1: training loss"} <= set(labels)

    def test_line_kwargs(self):
        display = LossCurveDisplay.from_estimator(
            fit(early_stopping=True), line_kwargs={"lw": 5, "alpha": 0.5}
        )
        lines = display.loss_line_, display.validation_loss_line_, display.score_line_
        assert {line.get_linewidth() for line in lines} == {5}
        assert {line.get_alpha() for line in lines} == {0.5}

    def test_one_epoch_is_visible(self):
        display = LossCurveDisplay.from_estimator(fit(max_iter=1))
        assert display.loss_line_.get_marker() == "o"

    def test_epochs_that_measured_nothing(self):
        empty = np.full(3, np.nan)
        display = LossCurveDisplay(
            empty, validation_loss_curve=empty, learning_rates=empty
        ).plot(learning_rate=True, log_scale=True)
        display.figure_.draw_without_rendering()
        assert display.loss_line_.get_marker() == "None"

    @pytest.mark.parametrize(
        ("data", "options", "match"),
        [
            ({"loss_curve": []}, {}, r"loss_curve must .*\(0,\)"),
            ({"loss_curve": [[1.0, 2.0]]}, {}, r"loss_curve must .*\(1, 2\)"),
            ({"validation_scores": [1.0]}, {}, "validation_scores must .* 2 .*: got 1"),
            ({"learning_rates": [1.0]}, {}, "learning_rates must .* 2 .*: got 1"),
            ({"best_epoch": 0}, {}, "best_epoch must be from 1 .* 2: got 0"),
            ({"best_epoch": 3}, {}, "best_epoch must be from 1 .* 2: got 3"),
            ({"loss_curve": [1.0, 0.0]}, {"log_scale": True}, "log_scale.*> 0: got 0"),
            (
                {"validation_loss_curve": [1.0, -0.5]},
                {"log_scale": True},
                "log_scale=True must have losses > 0: got -0.5",
            ),
        ],
    )
    def test_wrong_values(self, data, options, match):
        display = LossCurveDisplay(**{"loss_curve": [2.0, 1.0]} | data)
        with pytest.raises(ValueError, match=match):
            display.plot(**options)

    @pytest.mark.parametrize("name", ["score", "learning_rate", "log_scale"])
    def test_wrong_flags(self, name):
        with pytest.raises(TypeError, match=f"{name} must be True or False: got 0.1"):
            LossCurveDisplay([2.0, 1.0]).plot(**{name: 0.1})


def get_drawn_weights(display, layer, max_linewidth=3.0):
    """Read a layer's weights off the lines, in units of the largest."""
    from matplotlib.colors import same_color

    n_left, n_right = (len(s) for s in display.shown_[layer : layer + 2])
    left = display.units_[layer].get_offsets()
    right = display.units_[layer + 1].get_offsets()
    lines = display.weights_[layer]
    drawn = np.full((n_left, n_right), np.nan)
    for (start, end), width, color in zip(
        lines.get_segments(), lines.get_linewidths(), lines.get_colors(), strict=True
    ):
        (row,) = np.flatnonzero((left == start).all(axis=1))
        (column,) = np.flatnonzero((right == end).all(axis=1))
        sign = 1 if same_color(color[:3], "tab:blue") else -1
        assert sign == 1 or same_color(color[:3], "tab:red")
        drawn[row, column] = sign * width / max_linewidth
    return drawn


class TestNetwork:
    @pytest.mark.parametrize("cls", [OWN, SKLEARN, MLPRegressor])
    def test_lines_are_the_weights(self, cls):
        mlp = fit(cls)
        display = NetworkDisplay.from_estimator(mlp)
        largest = max(np.abs(weights).max() for weights in mlp.coefs_)
        assert len(display.weights_) == len(mlp.coefs_)
        for layer, weights in enumerate(mlp.coefs_):
            assert len(display.weights_[layer].get_segments()) == weights.size
            assert_allclose(get_drawn_weights(display, layer), weights / largest)

    @pytest.mark.parametrize("max_units", [1, 2, 4, 5])
    def test_lines_of_the_strongest_units(self, max_units):
        mlp = fit(hidden_layer_sizes=(9,))
        display = NetworkDisplay.from_estimator(mlp, max_units=max_units)
        largest = max(np.abs(weights).max() for weights in mlp.coefs_)
        for layer, weights in enumerate(mlp.coefs_):
            shown = weights[np.ix_(*display.shown_[layer : layer + 2])]
            assert_allclose(get_drawn_weights(display, layer), shown / largest)
        assert [len(s) for s in display.shown_] == [
            min(max_units, n) for n in (4, 9, 3)
        ]
        assert len(display.ellipses_) == sum(n > max_units for n in (4, 9, 3))

    def test_which_units_are_strong(self):
        """The ones without which a linear network would change most."""
        random = np.random.RandomState(0)
        into, out = random.normal(size=(6, 8)), random.normal(size=(8, 2))
        display = NetworkDisplay([into, out]).plot(max_units=3)
        products = [np.outer(into[:, unit], out[unit]) for unit in range(8)]
        changes = [np.linalg.norm(product) for product in products]
        assert_array_equal(display.shown_[1], np.sort(np.argsort(changes)[-3:]))
        scale = np.arange(1, 9)
        rescaled = NetworkDisplay([into * scale, out / scale[:, None]])
        assert_array_equal(rescaled.plot(max_units=3).shown_[1], display.shown_[1])

    def test_all_units(self):
        mlp = fit(hidden_layer_sizes=(40,))
        assert len(NetworkDisplay.from_estimator(mlp).shown_[1]) == 16
        display = NetworkDisplay.from_estimator(mlp, max_units=None)
        assert_array_equal(display.shown_[1], np.arange(40))
        assert display.ellipses_ == []

    def test_units_stand_in_their_order(self):
        display = NetworkDisplay.from_estimator(fit(), max_units=3)
        for layer, circles in enumerate(display.units_):
            places = circles.get_offsets()
            assert set(places[:, 0]) == {layer}
            assert (np.diff(places[:, 1]) == -1).all()
            assert (np.diff(display.shown_[layer]) > 0).all()

    def test_large_weights_are_drawn_last(self):
        display = NetworkDisplay.from_estimator(fit())
        assert all((np.diff(w.get_linewidths()) >= 0).all() for w in display.weights_)

    def test_no_hidden_layer_and_zero_weights(self):
        display = NetworkDisplay([np.zeros((2, 3))]).plot()
        assert_array_equal(display.weights_[0].get_linewidths(), np.zeros(6))
        captions = [caption.get_text() for caption in display.captions_]
        assert captions == ["input\n2", "output\n3"]

    def test_names_seen_in_fit(self):
        target = IRIS.target_names[y]
        display = NetworkDisplay.from_estimator(fit(X=IRIS.data, y=target))
        names = [text.get_text() for text in display.names_]
        assert names == [*IRIS.data.columns, *IRIS.target_names]

    @pytest.mark.parametrize("max_units", [2, 16])
    def test_names_given(self, max_units):
        features = pd.Index(["a", "b", "c", "d"])
        display = NetworkDisplay.from_estimator(
            fit(),
            feature_names=features,
            target_names=IRIS.target_names,
            max_units=max_units,
        )
        expected = [
            *features[display.shown_[0]],
            *IRIS.target_names[display.shown_[-1]],
        ]
        assert [text.get_text() for text in display.names_] == expected
        heights = [places for u in display.units_[::3] for places in u.get_offsets()]
        assert_array_equal([text.xy for text in display.names_], heights)

    @pytest.mark.parametrize("given", [None, ["no", "yes"], ["yes"]])
    def test_two_classes_share_an_output(self, given):
        labels = np.where(y == 1, "yes", "no")
        display = NetworkDisplay.from_estimator(fit(y=labels), target_names=given)
        assert display.names_[-1].get_text() == "yes"
        assert len(display.names_) == 5

    def test_numbers_where_there_are_no_names(self):
        outputs = NetworkDisplay.from_estimator(fit(MLPRegressor, y=X[:, :2]))
        names = [text.get_text() for text in outputs.names_]
        assert names == ["x0", "x1", "x2", "x3", "y0", "y1"]
        output = NetworkDisplay.from_estimator(fit(MLPRegressor))
        assert output.names_[-1].get_text() == "y"

    def test_names_through_a_pipeline(self):
        step = fit()
        for model, data, expected in [
            (make_pipeline(StandardScaler(), step), IRIS.data, IRIS.data.columns[0]),
            (make_pipeline(FunctionTransformer(np.asarray), step), IRIS.data, "x0"),
            (make_pipeline(StandardScaler(), step), X, "x0"),
            (make_pipeline(step), IRIS.data, IRIS.data.columns[0]),
        ]:
            with pytest.warns(ConvergenceWarning):
                display = NetworkDisplay.from_estimator(model.fit(data, y))
            assert display.names_[0].get_text() == expected

    def test_colors_and_properties(self):
        from matplotlib.colors import to_rgba

        display = NetworkDisplay([[[1.0, -2.0]]]).plot(
            positive_color="black",
            negative_color="gold",
            max_linewidth=6.0,
            line_kwargs={"linestyle": "--"},
            unit_kwargs={"facecolor": "pink"},
        )
        (lines,) = display.weights_
        assert_allclose(lines.get_linewidths(), [3.0, 6.0])
        expected = [to_rgba("black", 0.25 + 0.75 / 2), to_rgba("gold")]
        assert_allclose(lines.get_colors(), expected)
        assert lines.get_linestyles()[0][1] is not None
        assert_allclose(display.units_[0].get_facecolors(), [to_rgba("pink")])
        assert get_labels(display.legend_) == ["positive weight", "negative weight"]
        assert display.plot(legend=False).legend_ is None

    @pytest.mark.parametrize(
        ("data", "options", "match"),
        [
            ({"coefs": []}, {}, r"coefs must be arrays .* \[\]"),
            ({"coefs": [[1.0, 2.0]]}, {}, r"coefs must be arrays .*\(2,\)"),
            (
                {"coefs": [np.ones((2, 3)), np.ones((2, 1))]},
                {},
                "follow on one another",
            ),
            ({"coefs": [[[1.0, np.nan]]]}, {}, r"finite: got nan in coefs\[0\]"),
            ({"feature_names": ["a"]}, {}, "feature_names must .*, 2: got 1"),
            ({"target_names": ["a"]}, {}, "target_names must .*, 3: got 1"),
            ({}, {"max_units": 0}, "max_units must be >= 1: got 0"),
            ({}, {"max_linewidth": 0.0}, "max_linewidth must be > 0, .* 0.0"),
            ({}, {"max_linewidth": np.nan}, "max_linewidth must be > 0, .* nan"),
        ],
    )
    def test_wrong_values(self, data, options, match):
        display = NetworkDisplay(**{"coefs": [np.ones((2, 3))]} | data)
        with pytest.raises(ValueError, match=match):
            display.plot(**options)

    @pytest.mark.parametrize(
        ("data", "options", "match"),
        [
            ({"feature_names": "ab"}, {}, "feature_names must be a list .* 'ab'"),
            ({}, {"max_units": 2.0}, r"max_units must be a whole number .* 2\.0"),
            ({}, {"max_units": True}, "max_units must be a whole number .* True"),
            ({}, {"max_linewidth": "thick"}, "max_linewidth must be a number.*'thick'"),
            ({}, {"legend": "best"}, "legend must be True or False: got 'best'"),
            ({}, {"unit_kwargs": "red"}, "unit_kwargs must be a dict .* 'red'"),
        ],
    )
    def test_wrong_types(self, data, options, match):
        display = NetworkDisplay(**{"coefs": [np.ones((2, 3))]} | data)
        with pytest.raises(TypeError, match=match):
            display.plot(**options)


@pytest.mark.parametrize("cls", DISPLAYS)
class TestBoth:
    def test_axes_given(self, cls):
        ax = make_ax()
        display = cls.from_estimator(fit(), ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        other = make_ax()
        assert display.plot(ax=other) is display
        assert display.ax_ is other

    def test_new_axes_by_default(self, cls):
        display = cls.from_estimator(fit())
        assert display.ax_ is not display.plot().ax_

    def test_drawing_is_without_warnings(self, cls):
        mlp = fit(hidden_layer_sizes=(30, 20), early_stopping=True)
        cls.from_estimator(mlp).figure_.canvas.draw()

    def test_pipeline(self, cls):
        model = make_pipeline(StandardScaler(), fit())
        with pytest.warns(ConvergenceWarning):
            model.fit(X, y)
        display = cls.from_estimator(model)
        assert type(display.plot()) is cls

    @pytest.mark.parametrize("make", [OWN, SKLEARN, MLPRegressor])
    def test_not_fitted(self, cls, make):
        for estimator in (make(), make_pipeline(StandardScaler(), make())):
            with pytest.raises(NotFittedError, match=make.__name__):
                cls.from_estimator(estimator)

    def test_no_network(self, cls):
        fitted = LogisticRegression().fit(X, y)
        record = SimpleNamespace(loss_curve_=[1.0], coefs_=[[[1.0]]])
        for wrong in (fitted, make_pipeline(fitted), OWN, record, None):
            with pytest.raises(TypeError, match="estimator must be a fitted network"):
                cls.from_estimator(wrong)

    def test_wrong_axes(self, cls):
        for ax in (np.array([make_ax()]), make_ax().figure):
            with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
                cls.from_estimator(fit(), ax=ax)

    def test_wrong_properties(self, cls):
        with pytest.raises(TypeError, match=r"line_kwargs must be a dict .* 3"):
            cls.from_estimator(fit(), line_kwargs=3)

    def test_no_matplotlib(self, cls, monkeypatch):
        mlp = fit()
        for name in [n for n in sys.modules if n.split(".")[0] == "matplotlib"]:
            monkeypatch.setitem(sys.modules, name, None)
        message = rf"{cls.__name__} needs matplotlib.*pip install sknn\[examples\]"
        with pytest.raises(ImportError, match=message):
            cls.from_estimator(mlp)


def test_sklearn_lbfgs_has_no_curve():
    with pytest.raises(TypeError, match="has loss_curve_"):
        LossCurveDisplay.from_estimator(fit(SKLEARN, solver="lbfgs"))


def test_import_is_without_matplotlib():
    code = "import sys, sknn.display; print('matplotlib' in sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.strip() == "False"


def test_importing_sknn_leaves_displays_alone():
    code = "import sys, sknn; print('sknn.display' in sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.strip() == "False"
