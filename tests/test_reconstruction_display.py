"""The display of reconstructions: its tiles hold samples and what is made of them."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn.display import ReconstructionDisplay

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("agg")
X = load_digits().data[:200]
NOISY = X + np.random.default_rng(0).normal(0, 3, X.shape)
SHAPE = (8, 8)
KINDS = "X", "X_noisy", "reconstructions"


def make_ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


class Halves(BaseEstimator):
    """Estimator of samples of any shape, whose reconstructions are half of them."""

    def __init__(self, input_shape=None, image_shape=None):
        self.input_shape = input_shape
        self.image_shape = image_shape

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X / 2

    def inverse_transform(self, codes):
        return codes


def get_pca():
    return PCA(n_components=10).fit(X)


def get_images(display, kind):
    return np.stack([np.asarray(tile.get_array()) for tile in display.tiles_[kind]])


def get_curves(display, kind):
    """Heights of curves in their tiles, from the smallest number to the largest."""
    curves = np.stack([line.get_ydata() for line in display.tiles_[kind]])
    bottom = {name: -i for i, name in enumerate(display.tiles_)}[kind]
    height, gap = 1.0, 0.2 * 1.4
    return (curves - bottom * (height + gap) - 0.05) / 0.9


class TestPictures:
    def test_of_scikit_learn(self):
        display = ReconstructionDisplay.from_estimator(
            pca := get_pca(), X, image_shape=SHAPE
        )
        expected = pca.inverse_transform(pca.transform(X[:8]))
        assert_array_equal(get_images(display, "X"), X[:8].reshape(8, 8, 8))
        assert_array_equal(
            get_images(display, "reconstructions"), expected.reshape(8, 8, 8)
        )
        assert_allclose(display.errors, ((X[:8] - expected) ** 2).mean(axis=1))
        assert [text.get_text() for text in display.errors_] == [
            f"{error:.3g}" for error in display.errors
        ]
        assert display.originals_ == []

    def test_of_noisy_samples(self):
        display = ReconstructionDisplay.from_estimator(
            pca := get_pca(), X, X_noisy=NOISY, image_shape=SHAPE, n_samples=3
        )
        expected = pca.inverse_transform(pca.transform(NOISY[:3]))
        assert list(display.tiles_) == list(KINDS)
        for kind, rows in zip(KINDS, (X, NOISY, expected), strict=True):
            assert_array_equal(get_images(display, kind), rows[:3].reshape(3, 8, 8))
        assert_allclose(display.errors, ((X[:3] - expected) ** 2).mean(axis=1))
        names = [text.get_text() for text in display.names_]
        assert names == ["original", "noisy", "reconstruction", "mean squared error"]

    def test_one_scale(self):
        display = ReconstructionDisplay(X[:4] - 5, 3 * X[:4], image_shape=SHAPE)
        tiles = [*display.plot().tiles_["X"], *display.tiles_["reconstructions"]]
        assert {tile.get_clim() for tile in tiles} == {(-5.0, X[:4].max() - 5)}
        display.plot(limits=(0, 16))
        tiles = [*display.tiles_["X"], *display.tiles_["reconstructions"]]
        assert {tile.get_clim() for tile in tiles} == {(0, 16)}

    def test_of_colours(self, caplog):
        rows = np.random.default_rng(0).uniform(-1, 1, size=(3, 2 * 5 * 3))
        display = ReconstructionDisplay(rows, 2 * rows, image_shape=(2, 5, 3)).plot()
        low, high = rows.min(), rows.max()
        images = rows.reshape(3, 2, 5, 3)
        assert_allclose(get_images(display, "X"), (images - low) / (high - low))
        found = get_images(display, "reconstructions")
        assert_allclose(found, np.clip((2 * images - low) / (high - low), 0, 1))
        assert not caplog.records  # matplotlib logs what it has to clip

    def test_of_one_channel(self):
        display = ReconstructionDisplay(X[:2], X[:2], image_shape=(8, 8, 1)).plot()
        assert_array_equal(get_images(display, "X").reshape(2, 64), X[:2])

    def test_tiles_are_in_columns_and_do_not_overlap(self):
        display = ReconstructionDisplay.from_estimator(
            get_pca(), X, X_noisy=NOISY, image_shape=(4, 16)
        )
        boxes = [tile.get_extent() for kind in KINDS for tile in display.tiles_[kind]]
        for i, (left, right, _, top) in enumerate(boxes):
            for other in boxes[:i]:
                assert other[1] < left or right < other[0] or top < other[2]
        lefts = np.reshape([box[0] for box in boxes], (3, 8))
        bottoms = np.reshape([box[2] for box in boxes], (3, 8))
        assert (lefts == lefts[0]).all() and (np.diff(lefts[0]) > 0).all()
        assert (bottoms == bottoms[:, :1]).all() and (np.diff(bottoms[:, 0]) < 0).all()


class TestShape:
    @pytest.mark.parametrize("parameter", ["input_shape", "image_shape"])
    def test_is_the_parameter(self, parameter):
        model = Halves(**{parameter: (4, 16)}).fit(X)
        for estimator in (model, make_pipeline(StandardScaler(), model).fit(X)):
            display = ReconstructionDisplay.from_estimator(estimator, X)
            assert display.image_shape == (4, 16)
            chosen = ReconstructionDisplay.from_estimator(
                estimator, X, image_shape=[8, 8]
            )
            assert chosen.image_shape == (8, 8)

    @pytest.mark.parametrize("shape", [(64,), (4, 8, 2), (3, 3), "auto", 64])
    def test_of_parameters_that_are_no_shape_of_the_rows(self, shape):
        """Those of a network behind a projection, for example."""
        display = ReconstructionDisplay.from_estimator(Halves(shape).fit(X), X)
        assert display.image_shape is None

    @pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (4, 4, 4)])
    def test_is_that_of_the_samples(self, shape):
        images = X.reshape(200, *shape)
        display = ReconstructionDisplay.from_estimator(Halves().fit(images), images)
        assert display.image_shape == shape
        assert_array_equal(display.X, X[:8])
        assert_array_equal(display.reconstructions, X[:8] / 2)
        assert_allclose(display.errors, (X[:8] ** 2).mean(axis=1) / 4)


class TestCurves:
    @pytest.mark.parametrize("X_noisy", [None, NOISY])
    def test_hold_the_numbers(self, X_noisy):
        display = ReconstructionDisplay.from_estimator(get_pca(), X, X_noisy=X_noisy)
        shown = [getattr(display, kind) for kind in display.tiles_]
        low, high = np.min(shown), np.max(shown)
        for kind, rows in zip(display.tiles_, shown, strict=True):
            expected = (rows - low) / (high - low)
            assert_allclose(get_curves(display, kind), expected, atol=1e-12)

    def test_the_originals_are_behind(self):
        display = ReconstructionDisplay.from_estimator(get_pca(), X, X_noisy=NOISY)
        assert len(display.originals_) == 16
        for i, line in enumerate(display.originals_):
            shift = line.get_ydata() - display.tiles_["X"][i % 8].get_ydata()
            assert_allclose(shift, -(i // 8 + 1) * (1 + 0.2 * 1.4))
            kind = KINDS[1 + i // 8]
            tile = display.tiles_[kind][i % 8]
            assert_array_equal(line.get_xdata(), tile.get_xdata())
            assert line.get_color() != tile.get_color()

    def test_of_one_feature_are_points(self):
        display = ReconstructionDisplay(X[:3, 2:3], X[:3, 3:4]).plot()
        assert {tile.get_marker() for tile in display.tiles_["X"]} == {"o"}

    def test_of_constant_samples(self):
        for shape in (None, SHAPE):
            zeros = np.zeros((2, 64))
            display = ReconstructionDisplay(zeros, zeros, image_shape=shape).plot()
            display.figure_.canvas.draw()
            assert_array_equal(display.errors, 0)


class TestInputs:
    def test_tables_keep_their_names(self):
        """A warning, which is an error here, would say otherwise."""
        frame = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(64)])
        pca = PCA(n_components=10).set_output(transform="pandas").fit(frame)
        display = ReconstructionDisplay.from_estimator(pca, frame, image_shape=SHAPE)
        assert_array_equal(display.X, X[:8])
        assert_allclose(
            display.reconstructions, pca.inverse_transform(pca.transform(frame[:8]))
        )

    def test_sparse(self):
        svd = TruncatedSVD(n_components=10, random_state=0).fit(X)
        expected = ReconstructionDisplay.from_estimator(svd, X)
        display = ReconstructionDisplay.from_estimator(svd, csr_array(X))
        assert_array_equal(display.X, expected.X)
        assert_allclose(display.reconstructions, expected.reconstructions, atol=1e-9)

    def test_lists_and_fewer_samples(self):
        display = ReconstructionDisplay.from_estimator(get_pca(), X[:3].tolist())
        assert display.X.shape == display.reconstructions.shape == (3, 64)

    def test_the_samples_are_left_as_they_are(self):
        before = X.copy()
        ReconstructionDisplay.from_estimator(get_pca(), X, image_shape=SHAPE)
        assert_array_equal(X, before)


class TestPicture:
    def test_properties(self):
        display = ReconstructionDisplay(X[:2], X[2:4], image_shape=SHAPE).plot(
            cmap="viridis", artist_kwargs={"alpha": 0.5}
        )
        tiles = [*display.tiles_["X"], *display.tiles_["reconstructions"]]
        assert {tile.get_alpha() for tile in tiles} == {0.5}
        assert {tile.get_cmap().name for tile in tiles} == {"viridis"}
        assert display.figure_.axes == [display.ax_]

    def test_axes(self):
        display = ReconstructionDisplay.from_estimator(
            pca := get_pca(), X, ax=(ax := make_ax())
        )
        assert display.ax_ is ax and display.figure_ is ax.figure
        assert display.plot() is display
        assert display.ax_ is not ax
        with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
            ReconstructionDisplay.from_estimator(pca, X, ax=np.array([ax]))

    @pytest.mark.parametrize("n_samples", [1, 8, 60])
    def test_texts_are_within_the_figure_and_apart(self, n_samples):
        display = ReconstructionDisplay.from_estimator(
            get_pca(), X, image_shape=SHAPE, n_samples=n_samples
        )
        figure = display.figure_
        figure.canvas.draw()
        for text in [*display.names_, *display.errors_]:
            box = text.get_window_extent()
            assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 + 1
            assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1 + 1
        boxes = [text.get_window_extent() for text in display.errors_]
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))

    def test_of_other_sizes(self):
        """Large sets are drawn smaller, not on larger paper."""
        sizes = [
            ReconstructionDisplay.from_estimator(
                get_pca(), X, image_shape=SHAPE, n_samples=n
            ).figure_.get_size_inches()
            for n in (4, 8, 30, 60)
        ]
        widths = [size[0] for size in sizes]
        assert widths[0] < widths[1] < widths[2] == widths[3] == 12


class TestErrors:
    def test_not_fitted(self):
        for model in (PCA(), make_pipeline(StandardScaler(), PCA())):
            with pytest.raises(NotFittedError):
                ReconstructionDisplay.from_estimator(model, X)

    @pytest.mark.parametrize("model", [PCA, None, "pca", BaseEstimator()])
    def test_without_the_methods(self, model):
        match = "estimator must be fitted and have transform and inverse_transform"
        with pytest.raises(TypeError, match=match):
            ReconstructionDisplay.from_estimator(model, X)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"n_samples": 0}, "n_samples must be >= 1: got 0"),
            ({"image_shape": (8, 9)}, r"of 64 numbers.* \(8, 9\), which has 72"),
            ({"image_shape": (64,)}, r"image_shape must be \(height.* got \(64,\)"),
            ({"image_shape": (4, 8, 2)}, r"1, 3 or 4 channels: got \(4, 8, 2\)"),
            ({"image_shape": (8.0, 8)}, r"image_shape must be \(height"),
            ({"image_shape": (-8, -8)}, r"image_shape must be \(height"),
            ({"X_noisy": X[:7]}, r"X_noisy must have the shape of X, \(8, 64\): got"),
            ({"X_noisy": X[:, 1:]}, r"X_noisy must have the shape of X.* \(8, 63\)"),
            ({"X_noisy": X[:0]}, r"X_noisy must have the shape .* got \(0, 64\)"),
            ({"limits": (1, 1)}, r"limits must be .* got \(1, 1\)"),
            ({"limits": (0, np.nan)}, "limits must be finite"),
        ],
    )
    def test_wrong_values(self, options, match):
        with pytest.raises(ValueError, match=match):
            ReconstructionDisplay.from_estimator(get_pca(), X, **options)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"n_samples": 2.0}, r"n_samples must be a whole number: got 2\.0"),
            ({"n_samples": None}, "n_samples must be a whole number: got None"),
            ({"image_shape": 64}, "image_shape must be a tuple or None: got 64"),
            ({"limits": 3}, "limits must be two numbers.* got 3"),
            ({"limits": (0, "1")}, "limits must be two numbers"),
            ({"artist_kwargs": 3}, "artist_kwargs must be a dict .* 3"),
            ({"X_noisy": 3}, "X_noisy must be an array of samples: got 3"),
        ],
    )
    def test_wrong_types(self, options, match):
        with pytest.raises(TypeError, match=match):
            ReconstructionDisplay.from_estimator(get_pca(), X, **options)

    def test_wrong_samples(self):
        pca = get_pca()
        with pytest.raises(ValueError, match=r"X must have the shape .* \(0, 64\)"):
            ReconstructionDisplay.from_estimator(pca, X[:0])
        with pytest.raises(ValueError, match="X must be finite: got nan"):
            ReconstructionDisplay.from_estimator(pca, np.full((3, 64), np.nan))
        with pytest.raises(TypeError, match="X must be an array of samples: got None"):
            ReconstructionDisplay.from_estimator(pca, None)
        match = r"reconstructions must have the shape of X, \(3, 64\): got \(3, 10\)"
        with pytest.raises(ValueError, match=match):
            ReconstructionDisplay(X[:3], X[:3, :10]).plot()

    def test_nothing_is_drawn_before_an_error(self):
        from matplotlib import pyplot as plt

        for options in ({"image_shape": (8, 9)}, {"limits": (2, 1)}, {"n_samples": 0}):
            with pytest.raises(ValueError, match="must"):
                ReconstructionDisplay.from_estimator(get_pca(), X, **options)
        assert not plt.get_fignums()
