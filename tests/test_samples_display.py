"""The display of samples: each class has its row, and tiles hold what was sampled."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknn.display import SamplesDisplay

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("agg")
X, y = load_digits(return_X_y=True)
NAMES = np.array(["b", "a", "c"])[y % 3]


def make_ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


class Resampler(BaseEstimator):
    """Generator that draws training rows, of the classes asked for if it knows some."""

    def __init__(self, input_shape=None, image_shape=None):
        self.input_shape = input_shape
        self.image_shape = image_shape

    def fit(self, X, y=None):
        self.X_, self.y_ = X, y
        self.n_features_in_ = X.shape[1]
        if y is not None:
            self.classes_ = np.unique(y)
        return self

    def sample(self, n_samples=None, y=None, random_state=None):
        check_is_fitted(self)
        rng = check_random_state(random_state)
        if self.y_ is None:
            return self.X_[rng.choice(len(self.X_), n_samples)]
        rows = [rng.choice(np.flatnonzero(self.y_ == label)) for label in y]
        return self.X_[rows], y


def get_images(display):
    return np.stack([np.asarray(tile.get_array()) for tile in display.tiles_])


def get_corners(display):
    """Left and bottom of each picture."""
    return np.array([tile.get_extent()[::2] for tile in display.tiles_])


class TestClasses:
    @pytest.mark.parametrize("options", [{}, {"n_samples": 3}])
    @pytest.mark.parametrize("labels", [y, NAMES, y == 3])
    def test_each_has_a_row(self, labels, options):
        model = Resampler().fit(X, labels)
        display = SamplesDisplay.from_estimator(
            model, image_shape=(8, 8), random_state=0, **options
        )
        n_samples = options.get("n_samples", 5)
        asked = np.repeat(model.classes_, n_samples)
        expected, _ = model.sample(y=asked, random_state=0)
        assert_array_equal(get_images(display), expected.reshape(-1, 8, 8))
        assert_array_equal(display.y, asked)
        corners = get_corners(display).reshape(-1, n_samples, 2)
        assert (corners[:, :, 0] == corners[0, :, 0]).all()
        assert (corners[:, :, 1] == corners[:, :1, 1]).all()
        assert (np.diff(corners[:, 0, 1]) < 0).all()
        names = [text.get_text() for text in display.names_]
        assert names == [str(label) for label in model.classes_]
        for text, (left, bottom) in zip(display.names_, corners[:, 0], strict=True):
            assert text.xy == (left, bottom + 4)

    @pytest.mark.parametrize("asked", [[8, 3], np.array([8, 3]), [8]])
    def test_asked_for(self, asked):
        display = SamplesDisplay.from_estimator(Resampler().fit(X, y), y=asked)
        assert_array_equal(display.y, np.repeat(asked, 5))
        assert [text.get_text() for text in display.names_] == list(map(str, asked))

    def test_in_several_rows(self):
        display = SamplesDisplay.from_estimator(
            Resampler((8, 8)).fit(X, NAMES), n_samples=5, n_columns=3
        )
        left, bottom = get_corners(display).T
        assert len(set(left)) == 3
        rows = np.unique(-bottom, return_inverse=True)[1]
        once = [0, 0, 0, 1, 1]
        assert_array_equal(rows, [2 * i + row for i in range(3) for row in once])

    def test_in_any_order(self):
        """Rows of the grid are classes by their first sample, the samples in order."""
        labels = ["b", "a", "a", "b", "a"]
        display = SamplesDisplay(X[:5], y=labels, image_shape=(8, 8)).plot()
        assert_array_equal(display.shown_, [0, 3, 1, 2, 4])
        assert_array_equal(get_images(display).reshape(5, 64), X[display.shown_])
        assert len(set(get_corners(display)[:2, 1])) == 1
        assert [text.get_text() for text in display.names_] == ["b", "a"]


class TestWithoutClasses:
    @pytest.mark.parametrize(
        ("options", "n_samples", "n_columns"),
        [({}, 25, 5), ({"n_samples": 7}, 7, 3), ({"n_columns": 10}, 25, 10)],
    )
    def test_is_a_grid(self, options, n_samples, n_columns):
        model = Resampler(image_shape=(8, 8)).fit(X)
        display = SamplesDisplay.from_estimator(model, random_state=3, **options)
        expected = model.sample(n_samples, random_state=3)
        assert_array_equal(get_images(display), expected.reshape(-1, 8, 8))
        assert display.names_ == [] and display.y is None
        left, bottom = get_corners(display).T
        assert len(set(left)) == n_columns
        assert len(set(bottom)) == -(-n_samples // n_columns)

    def test_of_a_density(self):
        model = KernelDensity().fit(X)
        display = SamplesDisplay.from_estimator(
            model, image_shape=(8, 8), random_state=0
        )
        assert_array_equal(display.samples, model.sample(25, random_state=0))

    def test_of_a_mixture(self):
        """Its labels are components, which a grid has no rows of."""
        model = GaussianMixture(3, covariance_type="diag", random_state=0).fit(X)
        display = SamplesDisplay.from_estimator(model, n_samples=6, image_shape=(8, 8))
        assert_array_equal(display.samples, model.sample(6)[0])
        assert display.y is None and display.names_ == []
        with pytest.raises(
            TypeError, match=r"random_state=0 is for .* GaussianMixture"
        ):
            SamplesDisplay.from_estimator(model, random_state=0)

    def test_through_a_pipeline(self):
        model = make_pipeline(StandardScaler(), PCA(10), KernelDensity()).fit(X)
        display = SamplesDisplay.from_estimator(
            model, image_shape=(8, 8), n_samples=4, random_state=0
        )
        codes = model[-1].sample(4, random_state=0)
        assert_allclose(display.samples, model[:-1].inverse_transform(codes))
        alone = make_pipeline(KernelDensity()).fit(X)
        display = SamplesDisplay.from_estimator(alone, random_state=0)
        assert_array_equal(display.samples, alone[-1].sample(25, random_state=0))


class TestPictures:
    def test_one_scale(self):
        display = SamplesDisplay(X[:6] - 3, image_shape=(8, 8)).plot()
        limits = X[:6].min() - 3, X[:6].max() - 3
        assert {tile.get_clim() for tile in display.tiles_} == {limits}
        display.plot(limits=(0, 1))
        assert {tile.get_clim() for tile in display.tiles_} == {(0, 1)}

    def test_of_colours(self):
        rows = np.random.default_rng(0).uniform(-1, 1, size=(3, 2 * 5 * 3))
        display = SamplesDisplay(rows, image_shape=(2, 5, 3)).plot(limits=(-1, 1))
        expected = (rows.reshape(3, 2, 5, 3) + 1) / 2
        assert_allclose(get_images(display), expected)

    @pytest.mark.parametrize("shape", [(8, 8), (4, 16), (8, 8, 1), (4, 4, 4)])
    def test_of_samples_that_are_images(self, shape):
        images = X.reshape(-1, *shape)
        display = SamplesDisplay.from_estimator(Resampler().fit(images, y))
        assert display.image_shape == shape
        assert len(display.tiles_) == 50

    def test_shape_is_the_parameter(self):
        for name in ("input_shape", "image_shape"):
            model = Resampler(**{name: (4, 16)}).fit(X)
            assert SamplesDisplay.from_estimator(model).image_shape == (4, 16)
            other = SamplesDisplay.from_estimator(model, image_shape=(16, 4))
            assert other.image_shape == (16, 4)

    def test_properties(self):
        display = SamplesDisplay(X[:3], image_shape=(8, 8)).plot(
            cmap="viridis", artist_kwargs={"alpha": 0.5}
        )
        assert {tile.get_alpha() for tile in display.tiles_} == {0.5}
        assert {tile.get_cmap().name for tile in display.tiles_} == {"viridis"}


class TestCurves:
    def test_hold_the_numbers(self):
        display = SamplesDisplay(X[:3]).plot(n_columns=1)
        low, high = X[:3].min(), X[:3].max()
        for i, line in enumerate(display.tiles_):
            heights = (line.get_ydata() + i * (1 + 0.2 * 1.4) - 0.05) / 0.9
            assert_allclose(heights, (X[i] - low) / (high - low), atol=1e-12)
        assert display.points_ == []


class TestPoints:
    def test_of_classes(self):
        model = Resampler().fit(X[:, 20:22], NAMES)
        display = SamplesDisplay.from_estimator(model, n_samples=30, random_state=0)
        asked = np.repeat(["a", "b", "c"], 30)
        expected, _ = model.sample(y=asked, random_state=0)
        found = np.vstack([points.get_offsets() for points in display.points_])
        assert_array_equal(found, expected)
        colors = {tuple(points.get_facecolor()[0]) for points in display.points_}
        assert len(colors) == len(display.points_) == 3
        texts = [text.get_text() for text in display.legend_.get_texts()]
        assert texts == ["a", "b", "c"]
        assert display.tiles_ == [] and display.frames_ is None

    @pytest.mark.parametrize(
        ("asked", "counts"), [(None, [167, 167, 166]), (["c", "a"], [250, 250])]
    )
    def test_of_classes_are_500_in_all(self, asked, counts):
        model = Resampler().fit(X[:, 20:22], NAMES)
        display = SamplesDisplay.from_estimator(model, y=asked, random_state=0)
        labels = np.repeat(asked or ["a", "b", "c"], counts)
        assert_array_equal(display.y, labels)
        expected, _ = model.sample(y=labels, random_state=0)
        assert_array_equal(display.samples, expected)
        assert [len(points.get_offsets()) for points in display.points_] == counts

    def test_of_components(self):
        model = GaussianMixture(3, random_state=0).fit(X[:, 20:22])
        display = SamplesDisplay.from_estimator(model)
        samples, components = model.sample(500)
        for i, points in enumerate(display.points_):
            assert_array_equal(points.get_offsets(), samples[components == i])

    def test_without_classes(self):
        model = KernelDensity().fit(X[:, 20:22])
        display = SamplesDisplay.from_estimator(model, random_state=0)
        (points,) = display.points_
        assert_array_equal(points.get_offsets(), model.sample(500, random_state=0))
        assert display.legend_ is None

    def test_of_two_pixels(self):
        display = SamplesDisplay(X[:3, :2], image_shape=(1, 2)).plot()
        assert len(display.tiles_) == 3 and display.points_ == []


class TestPicture:
    def test_axes(self):
        for columns in (slice(None), slice(2)):
            model = Resampler().fit(X[:, columns], y)
            ax = make_ax()
            display = SamplesDisplay.from_estimator(model, ax=ax)
            assert display.ax_ is ax and display.figure_ is ax.figure
            assert display.plot() is display
            assert display.ax_ is not ax
            with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
                display.plot(ax=np.array([ax]))

    def test_of_another_kind_on_the_same_display(self):
        display = SamplesDisplay(X[:4, :2]).plot()
        display.image_shape = (2, 1)
        display.plot()
        assert display.points_ == [] and len(display.tiles_) == 4
        display.figure_.canvas.draw()

    @pytest.mark.parametrize("suffix", ["", " of a rather long name"])
    @pytest.mark.parametrize("n_samples", [1, 20])
    def test_names_are_within_the_figure(self, n_samples, suffix):
        labels = np.char.add(y.astype(str), suffix)
        display = SamplesDisplay.from_estimator(
            Resampler((8, 8)).fit(X, labels), n_samples=n_samples
        )
        figure = display.figure_
        figure.canvas.draw()
        for text in display.names_:
            box = text.get_window_extent()
            assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert max(figure.get_size_inches()) <= 12 + 1e-9

    def test_global_randomness_is_left_alone(self):
        rng = np.random.RandomState(0)
        model = Resampler().fit(X, y)
        first = SamplesDisplay.from_estimator(model, random_state=rng).samples
        second = SamplesDisplay.from_estimator(model, random_state=rng).samples
        assert not np.array_equal(first, second)
        again = SamplesDisplay.from_estimator(model, random_state=0).samples
        assert_array_equal(first, again)


class TestErrors:
    def test_not_fitted(self):
        for model in (
            Resampler(),
            GaussianMixture(),
            make_pipeline(PCA(), KernelDensity()),
        ):
            with pytest.raises(NotFittedError):
                SamplesDisplay.from_estimator(model)

    @pytest.mark.parametrize("model", [KernelDensity, None, PCA()])
    def test_without_sample(self, model):
        with pytest.raises(TypeError, match="estimator must be fitted and have sample"):
            SamplesDisplay.from_estimator(model)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"n_samples": 0}, "n_samples must be >= 1: got 0"),
            ({"n_columns": 0}, "n_columns must be >= 1: got 0"),
            ({"y": [1, 10]}, r"y must be some of the classes \[0, .* got \[1, 10\]"),
            ({"y": ["1"]}, r"y must be some of the classes .* got \['1'\]"),
            ({"y": []}, r"y must be some of the classes .* got \[\]"),
            ({"y": [[1, 2]]}, r"y must be some of the classes"),
            ({"image_shape": (8, 9)}, r"of 64 numbers.* \(8, 9\), which has 72"),
            ({"limits": (1, 0)}, r"limits must be .* got \(1, 0\)"),
        ],
    )
    def test_wrong_values(self, options, match):
        from matplotlib import pyplot as plt

        with pytest.raises(ValueError, match=match):
            SamplesDisplay.from_estimator(Resampler().fit(X, y), **options)
        assert not plt.get_fignums()

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"n_samples": 2.5}, r"n_samples must be a whole number or None: got 2\.5"),
            ({"n_columns": "all"}, "n_columns must be a whole number or None"),
            ({"image_shape": "8x8"}, "image_shape must be a tuple or None: got '8x8'"),
            ({"artist_kwargs": 3}, "artist_kwargs must be a dict .* 3"),
        ],
    )
    def test_wrong_types(self, options, match):
        with pytest.raises(TypeError, match=match):
            SamplesDisplay.from_estimator(Resampler().fit(X, y), **options)

    def test_classes_of_a_model_that_has_none(self):
        with pytest.raises(ValueError, match="asks for classes: Resampler was fitted"):
            SamplesDisplay.from_estimator(Resampler().fit(X), y=[1])

    def test_wrong_samples(self):
        with pytest.raises(ValueError, match="y must have one class a sample, 3: got"):
            SamplesDisplay(X[:3], y=[1, 2]).plot()
        with pytest.raises(ValueError, match=r"samples must have the shape .* \(3,\)"):
            SamplesDisplay([1, 2, 3]).plot()
        with pytest.raises(ValueError, match="samples must be finite: got inf"):
            SamplesDisplay([[1, np.inf]]).plot()
