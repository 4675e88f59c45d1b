"""The display of filters: its tiles hold the network's numbers."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import ConvClassifier, ConvRegressor, MLPClassifier
from sknn.display import FiltersDisplay

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("agg")
DIGITS = load_digits()
GREY, y = DIGITS.images[:60].astype("float32"), DIGITS.target[:60]
COLOUR = np.stack([GREY, GREY.transpose(0, 2, 1), 16 - GREY], axis=-1)
ROWS = GREY.reshape(60, 64)


def make_ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


def fit(X=GREY, cls=ConvClassifier, *, wrap=None, **params):
    """Fit a small network for two epochs, at the end of a Pipeline if asked to."""
    params = {"conv_channels": (5, 7), "max_iter": 2, "random_state": 0} | params
    model = cls(**params)
    model = model if wrap is None else make_pipeline(wrap, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def get_weight(model, layer=0):
    return model.module_.blocks[layer].body.convolution.weight.numpy(force=True)


def get_images(display):
    return np.stack([np.asarray(tile.get_array()) for tile in display.tiles_])


def get_steps(display):
    """Read series off their steps, in units of the largest number."""
    found = []
    for patch in display.tiles_:
        heights, _, baseline = patch.get_data()
        found.append((heights - baseline) / (0.45 * 1.0))
    return np.stack(found)


class TestKernels:
    @pytest.mark.parametrize("channel", [None, 0, 3])
    @pytest.mark.parametrize("layer", [0, 1])
    def test_of_grey_images(self, layer, channel):
        if layer == 0 and channel == 3:
            return
        display = FiltersDisplay.from_estimator(
            model := fit(), layer=layer, channel=channel
        )
        weight = get_weight(model, layer)[:, channel or 0]
        assert_array_equal(get_images(display), weight)
        largest = np.abs(weight).max()
        for image in display.tiles_:
            assert_allclose(image.get_clim(), (-largest, largest))

    def test_of_colour_images(self):
        display = FiltersDisplay.from_estimator(model := fit(COLOUR))
        weight = get_weight(model).transpose(0, 2, 3, 1)
        expected = weight / np.abs(weight).max() / 2 + 0.5
        assert_allclose(get_images(display), expected, atol=1e-6)
        assert display.colorbar_ is None
        one = FiltersDisplay.from_estimator(model, channel=2)
        assert_array_equal(get_images(one), weight[..., 2])

    def test_of_three_channels_that_are_no_colours(self):
        model = fit(conv_channels=(3, 4))
        assert FiltersDisplay.from_estimator(model, layer=1).tiles.shape == (4, 3, 3)

    @pytest.mark.parametrize("kernel_size", [3, 6])
    def test_of_series(self, kernel_size):
        display = FiltersDisplay.from_estimator(
            model := fit(ROWS, kernel_size=kernel_size)
        )
        weight = get_weight(model)[:, 0, 0]
        assert weight.shape == (5, kernel_size)
        assert_allclose(get_steps(display), weight / np.abs(weight).max(), atol=1e-6)
        assert display.colorbar_ is None

    def test_of_series_of_three_channels(self):
        model = fit(COLOUR.reshape(60, 64, 3), conv_dims=1)
        display = FiltersDisplay.from_estimator(model, channel=1)
        assert_array_equal(display.tiles, get_weight(model)[:, 1, 0])

    @pytest.mark.parametrize("layer", [0, 1])
    def test_of_residual_blocks(self, layer):
        model = fit(residual=True)
        display = FiltersDisplay.from_estimator(model, layer=layer)
        weight = model.module_.blocks[layer].body.first.convolution.weight
        assert_array_equal(display.tiles, weight.numpy(force=True)[:, 0])

    def test_of_regressors(self):
        display = FiltersDisplay.from_estimator(model := fit(cls=ConvRegressor))
        assert_array_equal(get_images(display), get_weight(model)[:, 0])

    def test_later_training_leaves_a_display_as_it_is(self):
        display = FiltersDisplay.from_estimator(model := fit())
        before = display.tiles.copy()
        model.partial_fit(GREY, y)
        assert_array_equal(display.tiles, before)
        assert not np.array_equal(get_weight(model)[:, 0], before)


class TestFeatureMaps:
    @pytest.mark.parametrize("X", [GREY, COLOUR, COLOUR.astype("uint8")])
    @pytest.mark.parametrize("layer", [0, 1])
    def test_of_images(self, X, layer):
        model = fit(X, dropout=0.5, random_crop=1)
        display = FiltersDisplay.from_estimator(model, X=X[3:4], layer=layer)
        with torch.no_grad():
            x = torch.from_numpy(X[3:4]).view(1, *model.input_shape_)
            maps = model.module_.feature_maps(x)[layer]
        assert_array_equal(get_images(display), np.moveaxis(maps[0].numpy(), -1, 0))
        low, high = display.tiles_[0].get_clim()
        assert high == -low == maps.abs().max()

    def test_of_series(self):
        display = FiltersDisplay.from_estimator(fit(ROWS), X=ROWS[:1])
        assert display.tiles.shape == (5, 32)
        expected = display.tiles / np.abs(display.tiles).max()
        assert_allclose(get_steps(display), expected, atol=1e-6)

    def test_of_rows_that_are_images(self):
        model = fit(ROWS, input_shape=(8, 8))
        display = FiltersDisplay.from_estimator(model, X=ROWS[:1])
        assert display.tiles.shape == (5, 4, 4)

    def test_through_a_pipeline(self):
        scale = FunctionTransformer(lambda X: X / 16)
        display = FiltersDisplay.from_estimator(
            model := fit(ROWS, wrap=scale, input_shape=(8, 8)), X=ROWS[:1]
        )
        alone = FiltersDisplay.from_estimator(model[-1], X=ROWS[:1] / 16)
        assert_array_equal(display.tiles, alone.tiles)
        last = FiltersDisplay.from_estimator(make_pipeline(model[-1]), X=ROWS[:1] / 16)
        assert_array_equal(last.tiles, alone.tiles)

    @pytest.mark.parametrize("X", [GREY[:2], GREY[:0]], ids=["two", "none"])
    def test_of_other_than_one_sample(self, X):
        with pytest.raises(ValueError, match="sample"):
            FiltersDisplay.from_estimator(fit(), X=X)

    def test_of_another_shape(self):
        with pytest.raises(ValueError, match="X has samples of shape"):
            FiltersDisplay.from_estimator(fit(), X=GREY[:1, :5])

    def test_without_a_choice_of_kernels(self):
        with pytest.raises(ValueError, match="channel=0 chooses a part of kernels"):
            FiltersDisplay.from_estimator(fit(), X=GREY[:1], channel=0)


class TestPicture:
    @pytest.mark.parametrize(
        ("n_tiles", "n_columns"), [(1, 1), (5, 5), (7, 4), (16, 4), (32, 8), (64, 8)]
    )
    def test_grid(self, n_tiles, n_columns):
        display = FiltersDisplay(np.ones((n_tiles, 2, 2))).plot()
        left = [tile.get_extent()[0] for tile in display.tiles_]
        bottom = [tile.get_extent()[2] for tile in display.tiles_]
        assert len(set(left)) == n_columns
        assert len(set(bottom)) == -(-n_tiles // n_columns)
        assert (np.diff(bottom) <= 0).all()

    def test_columns_given(self):
        display = FiltersDisplay(np.ones((4, 2, 2))).plot(n_columns=3)
        assert len({tile.get_extent()[0] for tile in display.tiles_}) == 3

    def test_tiles_do_not_overlap_and_are_within_the_axes(self):
        for shape in [(6, 2, 5), (6, 5, 2, 3)]:
            display = FiltersDisplay(np.ones(shape)).plot()
            boxes = [tile.get_extent() for tile in display.tiles_]
            for i, (left, right, bottom, top) in enumerate(boxes):
                for other in boxes[:i]:
                    assert other[1] < left or right < other[0] or top < other[2]
                assert display.ax_.get_xlim()[0] < left < right
                assert right < display.ax_.get_xlim()[1]
                low, high = display.ax_.get_ylim()
                assert low < bottom < top < high

    def test_the_strongest_are_shown(self):
        tiles = np.array([1.0, -5.0, 2.0, 4.0])[:, None, None] * np.ones((4, 2, 2))
        display = FiltersDisplay(tiles, kind="maps", layer=2).plot(max_filters=2)
        assert_array_equal(display.shown_, [1, 3])
        assert display.ax_.get_title() == "layer=2: 2 of 4 maps"
        assert display.tiles_[0].get_clim() == (-5.0, 5.0)
        assert len(display.plot(max_filters=None).tiles_) == 4

    def test_dead_maps(self):
        for shape in [(2, 3), (2, 3, 3), (2, 3, 3, 3)]:
            FiltersDisplay(np.zeros(shape)).plot().figure_.canvas.draw()

    def test_properties(self):
        display = FiltersDisplay(np.ones((2, 3, 3))).plot(
            cmap="PuOr", colorbar=False, tile_kwargs={"alpha": 0.5}
        )
        assert {tile.get_alpha() for tile in display.tiles_} == {0.5}
        assert display.tiles_[0].get_cmap().name == "PuOr"
        assert display.colorbar_ is None
        assert display.figure_.axes == [display.ax_]

    def test_axes(self):
        display = FiltersDisplay.from_estimator(model := fit(), ax=(ax := make_ax()))
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        assert display.plot() is display
        assert display.ax_ is not ax
        with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
            FiltersDisplay.from_estimator(model, ax=np.array([ax]))

    def test_drawing_is_without_warnings(self):
        for X in (GREY, COLOUR, ROWS):
            for sample in (None, X[:1]):
                display = FiltersDisplay.from_estimator(fit(X), X=sample)
                display.figure_.canvas.draw()


class TestErrors:
    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="ConvClassifier"):
            FiltersDisplay.from_estimator(ConvClassifier())

    def test_no_convolutional_network(self):
        perceptron = MLPClassifier(max_iter=500, random_state=0).fit(ROWS, y)
        for wrong in (perceptron, ConvClassifier, None):
            with pytest.raises(TypeError, match="estimator must be a fitted network"):
                FiltersDisplay.from_estimator(wrong)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"layer": 2}, "layer must be from 0 to 1: got 2"),
            ({"layer": -1}, "layer must be from 0 to 1: got -1"),
            ({"channel": 1}, "channel must be from 0 to 0: got 1"),
            ({"max_filters": 0}, "max_filters must be >= 1: got 0"),
            ({"n_columns": 0}, "n_columns must be >= 1: got 0"),
        ],
    )
    def test_wrong_values(self, options, match):
        with pytest.raises(ValueError, match=match):
            FiltersDisplay.from_estimator(fit(), **options)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"layer": 0.0}, r"layer must be a whole number: got 0\.0"),
            ({"layer": None}, "layer must be a whole number: got None"),
            ({"max_filters": "all"}, "max_filters must be a whole number or None"),
            ({"n_columns": True}, "n_columns must be a whole number or None: got True"),
            ({"colorbar": "right"}, "colorbar must be True or False: got 'right'"),
            ({"tile_kwargs": 3}, "tile_kwargs must be a dict .* 3"),
        ],
    )
    def test_wrong_types(self, options, match):
        with pytest.raises(TypeError, match=match):
            FiltersDisplay.from_estimator(fit(), **options)

    @pytest.mark.parametrize("shape", [(3,), (0, 3, 3), (2, 3, 3, 4), (1, 1, 1, 1, 1)])
    def test_wrong_shapes(self, shape):
        with pytest.raises(ValueError, match=r"tiles must have the shape .* got \("):
            FiltersDisplay(np.ones(shape)).plot()

    def test_numbers_that_are_not_finite(self):
        with pytest.raises(ValueError, match="tiles must be finite: got nan"):
            FiltersDisplay([[1.0, np.nan]]).plot()
