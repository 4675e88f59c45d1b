"""The display of attention: its cells and bars hold the network's numbers."""

import csv
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import MLPClassifier, TransformerClassifier, TransformerRegressor
from sknn.data import SequenceReader
from sknn.display import AttentionDisplay

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("agg")
DATA = Path(__file__).parents[1] / "examples" / "data"
TEXTS = ["A very good film!", "a very bad film", "It's so good", "So bad"] * 3
WORDS = [["a", "good", "film"], ["a", "bad", "film"], ["good"], ["so", "bad"]] * 3
TABLE = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
y = np.arange(12) % 2


def load_names(n):
    with open(DATA / "first_names.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    rows = rows[:: len(rows) // n][:n]
    return [name for name, _ in rows], [gender for _, gender in rows]


def load_vowels():
    with np.load(DATA / "japanese_vowels.npz") as file:
        series = np.split(file["values"], np.cumsum(file["lengths"])[:-1])
        return series[:270:9], file["labels"][:270:9]


def make_ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


def fit(X=TEXTS, y=y, cls=TransformerClassifier, *, wrap=None, **params):
    """Fit a small network for two epochs, at the end of a Pipeline if asked to."""
    small = {"d_model": 8, "n_heads": 2, "n_layers": 3, "learning_rate_init": 0.1}
    fixed = {"max_iter": 2, "random_state": 0, "pooling": "mean"}
    model = cls(**(small | fixed | params))
    model = model if wrap is None else make_pipeline(wrap, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def get_names(display, axis="x"):
    return [text.get_text() for text in getattr(display.ax_, f"get_{axis}ticklabels")()]


def get_places(display, axis="x"):
    return list(getattr(display.ax_, f"get_{axis}ticks")())


def get_heights(display):
    return [bar.get_height() for bar in display.bars_]


def softmax_of_queries_and_keys(model, series):
    """Attention of each head of the first layer, written out."""
    net, n_heads = model.module_, model.n_heads
    attention = net.layers[0].attention.in_projection
    with torch.no_grad():
        x = net.projection(net.scaling(torch.as_tensor(series)[None]))[0]
        if net.class_vector is not None:
            x = torch.cat([net.class_vector[None], x])
        x = net.layers[0].attention_norm(x)
        query, key, _ = (x @ attention.weight.T + attention.bias).chunk(3, dim=1)
        heads = zip(query.chunk(n_heads, 1), key.chunk(n_heads, 1), strict=True)
        width = query.shape[1] // n_heads
        scores = [(q @ k.T / width**0.5).numpy() for q, k in heads]
    exp = np.exp(np.stack(scores).astype(float))
    return exp / exp.sum(axis=2, keepdims=True)


class TestMatrix:
    @pytest.mark.parametrize("pooling", ["mean", "cls"])
    def test_of_vowels(self, pooling):
        series, labels = load_vowels()
        model = fit(series, labels, positional_encoding=None, pooling=pooling)
        expected = softmax_of_queries_and_keys(model, series[4])
        first = int(pooling == "cls")
        assert expected.shape[1] == len(series[4]) + first
        for head, of_head in [(0, expected[0]), (1, expected[1]), ("mean", expected)]:
            display = AttentionDisplay.from_estimator(
                model, series[4:5], layer=0, head=head
            )
            of_head = of_head if of_head.ndim == 2 else of_head.mean(axis=0)
            shown = np.asarray(display.image_.get_array())
            # shares of order 1 in float32, through a few products
            assert_allclose(shown, of_head, atol=1e-5)
            assert display.image_.get_clim() == (0.0, shown.max())

    @pytest.mark.parametrize("layer", [0, 2, "mean"])
    @pytest.mark.parametrize("head", [0, 1, "mean"])
    def test_layers_and_heads(self, layer, head):
        model = fit(TABLE)
        with torch.no_grad():
            x = torch.from_numpy(TABLE[3:4, :, None])
            weights = model.module_.attention_weights(x)[0].numpy()
        weights = weights.mean(0) if layer == "mean" else weights[layer]
        weights = weights.mean(0) if head == "mean" else weights[head]
        display = AttentionDisplay.from_estimator(
            model, TABLE[3:4], layer=layer, head=head
        )
        assert_allclose(display.weights, weights, rtol=1e-6)
        assert_allclose(display.weights.sum(axis=1), 1, rtol=1e-6)
        title = f"layer={layer}, head={head}: attention"
        assert display.ax_.get_title() == title

    def test_words_in_another_order_are_shown_in_that_order(self):
        # without positions the network sees sets, whatever the layer
        model = fit(positional_encoding=None)
        words = ["a", "very", "good", "bad", "film"]
        order = [3, 0, 4, 1, 2]
        one = AttentionDisplay.from_estimator(model, [" ".join(words)])
        other = AttentionDisplay.from_estimator(
            model, [" ".join(words[i] for i in order)]
        )
        assert get_names(one) == get_names(one, "y") == words
        assert get_names(other) == [words[i] for i in order]
        assert_allclose(other.weights, one.weights[np.ix_(order, order)], atol=1e-5)
        assert np.abs(other.weights - one.weights).max() > 1e-3

    def test_rows_attend(self):
        display = AttentionDisplay([[0.2, 0.8], [1, 0]], labels=["a", "b", "c"])
        with pytest.raises(ValueError, match="labels must be one a step, 2 of them"):
            display.plot()
        display = AttentionDisplay([[0.2, 0.8], [1, 0]], labels=list("ab")).plot()
        assert display.image_.origin == "upper"
        assert display.image_.get_extent() == [-0.5, 1.5, 1.5, -0.5]
        assert get_places(display) == get_places(display, "y") == [0, 1]
        assert display.ax_.get_xlabel() == "step attended to"
        assert display.ax_.get_ylabel() == "step that attends"
        assert display.bars_ is display.even_ is None

    def test_of_regressors(self):
        model = fit(TABLE, cls=TransformerRegressor)
        display = AttentionDisplay.from_estimator(model, TABLE[:1], layer=1, head=1)
        assert_array_equal(display.weights, model.attention_weights(TABLE[:1])[0][1, 1])

    def test_through_a_pipeline(self):
        scale = FunctionTransformer(lambda X: X / 16)
        model = fit(TABLE, wrap=scale)
        display = AttentionDisplay.from_estimator(model, TABLE[:1])
        alone = AttentionDisplay.from_estimator(model[-1], TABLE[:1] / 16)
        assert_array_equal(display.weights, alone.weights)
        last = AttentionDisplay.from_estimator(make_pipeline(model[-1]), TABLE[:1] / 16)
        assert_array_equal(last.weights, alone.weights)

    @pytest.mark.parametrize("pooling", ["mean", "cls"])
    def test_a_parameter_set_after_the_fit_changes_nothing(self, pooling):
        model = fit(pooling=pooling)
        before = AttentionDisplay.from_estimator(model, TEXTS[1:2])
        model.set_params(pooling="max" if pooling == "cls" else "cls")
        after = AttentionDisplay.from_estimator(model, TEXTS[1:2])
        assert_array_equal(after.weights, before.weights)
        assert get_names(after) == get_names(before)

    def test_later_training_leaves_a_display_as_it_is(self):
        display = AttentionDisplay.from_estimator(model := fit(), TEXTS[:1], layer=0)
        before = display.weights.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.partial_fit(TEXTS, y)
        assert_array_equal(display.weights, before)
        again = AttentionDisplay.from_estimator(model, TEXTS[:1], layer=0)
        assert not np.array_equal(again.weights, before)


class TestBars:
    def test_are_what_all_steps_attend_to(self):
        display = AttentionDisplay([[0.2, 0.8], [1, 0]], labels=["a", "b"])
        display.plot(kind="bars")
        assert_allclose(get_heights(display), [0.6, 0.4])
        assert [bar.get_x() + bar.get_width() / 2 for bar in display.bars_] == [0, 1]
        assert list(display.even_.get_ydata()) == [0.5, 0.5]
        assert display.ax_.get_ylabel() == "attention of all steps, mean"
        assert display.image_ is display.colorbar_ is None

    def test_are_what_the_step_in_front_attends_to(self):
        names, genders = load_names(60)
        model = fit(names, genders, tokenizer=list, pooling="cls")
        options = {"kind": "bars", "layer": 2, "head": 0}
        display = AttentionDisplay.from_estimator(model, ["Clara"], **options)
        expected = model.attention_weights(["Clara"])[0][2, 0, 0]
        assert_allclose(get_heights(display), expected, rtol=1e-6)
        assert get_names(display) == ["[CLS]", *"Clara"]
        assert display.ax_.get_ylabel() == "attention of [CLS]"

    def test_add_up_to_one(self):
        for pooling in ("mean", "cls"):
            display = AttentionDisplay.from_estimator(
                fit(TABLE, pooling=pooling), TABLE[:1], kind="bars"
            )
            assert_allclose(sum(get_heights(display)), 1, rtol=1e-6)


class TestLabels:
    @pytest.mark.parametrize(
        ("X", "sequence", "params", "expected"),
        [
            (TEXTS, "It's NOT so", {}, ["it", "'", "s", "not", "so"]),
            (TEXTS, "so bad", {"tokenizer": list}, [*"so", "\N{OPEN BOX}", *"bad"]),
            (TEXTS, "a\nb", {"tokenizer": list}, ["a", r"'\n'", "b"]),
            (TEXTS, "", {}, ["[UNK]"]),
            (WORDS, ["so", "New York", ""], {}, ["so", "New York", "''"]),
            (WORDS, ["x" * 20, "x" * 21], {}, ["x" * 20, "x" * 19 + "…"]),
            (WORDS, [], {}, ["[UNK]"]),
            ([[3, 1], [4]] * 6, [4, 3, 99], {"tokens": True}, ["4", "3", "99"]),
            (TEXTS, "so bad", {"pooling": "cls"}, ["[CLS]", "so", "bad"]),
        ],
        ids=[
            "text",
            "characters",
            "newline",
            "empty",
            "words",
            "long",
            "no_words",
            "ids",
            "cls",
        ],
    )
    def test_tokens(self, X, sequence, params, expected):
        display = AttentionDisplay.from_estimator(fit(X, **params), [sequence])
        assert get_names(display) == get_names(display, "y") == expected
        assert get_places(display) == list(range(len(expected)))

    def test_tokens_of_arrays(self):
        tokens = np.array([[3, 1, 2], [1, 1, 4]] * 6)
        display = AttentionDisplay.from_estimator(fit(tokens, tokens=True), tokens[1:2])
        assert get_names(display) == ["1", "1", "4"]

    def test_columns_of_a_table(self):
        table = pd.DataFrame(TABLE, columns=[f"hour {i}" for i in range(6)])
        model = fit(table)
        display = AttentionDisplay.from_estimator(model, table[:1])
        assert get_names(display) == list(table.columns)
        display = AttentionDisplay.from_estimator(model, table[:1], labels=range(6))
        assert get_names(display) == list("012345")

    @pytest.mark.parametrize(
        ("n_steps", "first", "step"), [(3, 0, 1), (24, 0, 5), (100, 0, 20)]
    )
    def test_numbers(self, n_steps, first, step):
        display = AttentionDisplay(np.full((n_steps, n_steps), 1 / n_steps)).plot()
        assert get_places(display) == list(range(first, n_steps, step))
        assert get_names(display) == [str(i) for i in get_places(display)]

    def test_numbers_behind_the_step_in_front(self):
        display = AttentionDisplay(np.full((101, 101), 1 / 101), cls_step=True).plot()
        assert get_names(display) == ["[CLS]", "20", "40", "60", "80"]
        assert get_places(display) == [0, 21, 41, 61, 81]

    @pytest.mark.parametrize("kind", ["matrix", "bars"])
    @pytest.mark.parametrize("n_steps", [2, 20, 60, 400])
    @pytest.mark.parametrize("own_ax", [False, True])
    def test_do_not_overlap(self, n_steps, kind, own_ax):
        from matplotlib import pyplot as plt

        shares = np.full((n_steps, n_steps), 1 / n_steps)
        display = AttentionDisplay(shares, labels=["word"] * n_steps)
        if own_ax:
            _, axes = plt.subplots(1, 2)
            display.plot(kind=kind, ax=axes[0])
        else:
            display.plot(kind=kind)
        display.figure_.canvas.draw()
        texts = [display.ax_.get_xticklabels()]
        if kind == "matrix":
            texts.append(display.ax_.get_yticklabels())
        for of_axis in texts:
            boxes = [text.get_window_extent() for text in of_axis]
            # boxes have some space for the parts of letters below the line
            boxes = [box.shrunk(0.8, 0.8) for box in boxes]
            for one, other in pairwise(boxes):
                assert not one.overlaps(other)

    @pytest.mark.parametrize("kind", ["matrix", "bars"])
    def test_a_new_figure_has_room_for_those_of_a_long_text(self, kind):
        shares = np.full((50, 50), 1 / 50)
        display = AttentionDisplay(shares, labels=["word"] * 50).plot(kind=kind)
        assert len(get_names(display)) == 50
        assert display.ax_.get_xticklabels()[0].get_fontsize() > 7
        assert len(get_names(display.plot(kind=kind, ax=make_ax()))) < 50

    def test_dollars_are_no_formulas(self):
        display = AttentionDisplay(np.full((2, 2), 0.5), labels=["$5", "$x^2$"]).plot()
        assert not display.ax_.get_xticklabels()[1].get_parse_math()
        display.figure_.canvas.draw()


class TestPicture:
    def test_properties(self):
        display = AttentionDisplay(np.full((3, 3), 1 / 3)).plot(
            cmap="Greys", colorbar=False, artist_kwargs={"clim": (0, 1), "alpha": 0.5}
        )
        assert display.image_.get_clim() == (0, 1)
        assert display.image_.get_alpha() == 0.5
        assert display.image_.get_cmap().name == "Greys"
        assert display.colorbar_ is None
        assert display.figure_.axes == [display.ax_]
        display.plot(kind="bars", artist_kwargs={"alpha": 0.5})
        assert {bar.get_alpha() for bar in display.bars_} == {0.5}

    def test_axes(self):
        display = AttentionDisplay.from_estimator(
            model := fit(), TEXTS[:1], ax=(ax := make_ax())
        )
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        assert display.plot() is display
        assert display.ax_ is not ax
        with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
            AttentionDisplay.from_estimator(model, TEXTS[:1], ax=np.array([ax]))

    @pytest.mark.parametrize("kind", ["matrix", "bars"])
    def test_drawing_is_without_warnings(self, kind):
        for X in (TEXTS, WORDS, TABLE, TABLE[:, :1]):
            for pooling in ("max", "cls"):
                model = fit(X, pooling=pooling)
                display = AttentionDisplay.from_estimator(model, X[:1], kind=kind)
                display.figure_.canvas.draw()


class TestOneSequence:
    SERIES = [np.ones((5, 2), "float32"), np.zeros((7, 2), "float32")] * 6

    @pytest.mark.parametrize("form", ["list", "tuple", "array", "objects"])
    def test_forms(self, form):
        objects = np.empty(1, object)
        objects[0] = self.SERIES[0]
        one = {
            "list": self.SERIES[:1],
            "tuple": tuple(self.SERIES[:1]),
            "array": self.SERIES[0][None],
            "objects": objects,
        }[form]
        display = AttentionDisplay.from_estimator(fit(self.SERIES), one)
        assert display.weights.shape == (5, 5)

    @pytest.mark.parametrize(
        ("X", "error", "match"),
        [
            (SERIES[:2], ValueError, "X must hold one sequence, .*: got 2 of them"),
            (SERIES[0], ValueError, r"X must hold one sequence, such as X\[:1\] or"),
            ([], ValueError, "X must hold one sequence, .*: got 0 of them"),
            ("ab", TypeError, "X must hold one sequence, .*: got the string 'ab'"),
            (["ab"], ValueError, "X must hold sequences of numbers, as fitted"),
            (None, TypeError, "X must be an array, list"),
            (3, ValueError, "X must be a sequence"),
            (SERIES[0][None, :, :1], ValueError, "X .*1"),
            ([SERIES[0] * np.nan], ValueError, "NaN"),
        ],
        ids=[
            "two",
            "bare",
            "none",
            "string",
            "text",
            "None",
            "number",
            "channels",
            "nan",
        ],
    )
    def test_others(self, X, error, match):
        with pytest.raises(error, match=match):
            AttentionDisplay.from_estimator(fit(self.SERIES), X)


class TestErrors:
    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="TransformerClassifier"):
            AttentionDisplay.from_estimator(TransformerClassifier(), TEXTS[:1])

    def test_no_transformer(self):
        perceptron = MLPClassifier(n_iter_no_change=1, tol=9.0).fit(TABLE, y)
        for wrong in (perceptron, TransformerClassifier, None):
            with pytest.raises(TypeError, match="estimator must be a fitted network"):
                AttentionDisplay.from_estimator(wrong, TABLE[:1])

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"layer": 3}, 'layer must be from 0 to 2, or "mean": got 3'),
            ({"layer": -1}, 'layer must be from 0 to 2, or "mean": got -1'),
            ({"layer": "last"}, "layer must be a whole number or \"mean\": got 'last'"),
            ({"head": 2}, 'head must be from 0 to 1, or "mean": got 2'),
            ({"head": "max"}, "head must be a whole number or \"mean\": got 'max'"),
            ({"kind": "lines"}, 'kind must be "matrix" or "bars": got \'lines\''),
            ({"kind": None}, 'kind must be "matrix" or "bars": got None'),
            ({"labels": ["a"]}, "labels must be one a step, 5 of them: got 1"),
            ({"labels": []}, "labels must be one a step, 5 of them: got 0"),
        ],
    )
    def test_wrong_values(self, options, match):
        with pytest.raises(ValueError, match=match):
            AttentionDisplay.from_estimator(fit(), TEXTS[:1], **options)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"layer": 0.0}, r'layer must be a whole number or "mean": got 0\.0'),
            ({"layer": None}, 'layer must be a whole number or "mean": got None'),
            ({"head": True}, 'head must be a whole number or "mean": got True'),
            ({"head": [0]}, r'head must be a whole number or "mean": got \[0\]'),
            ({"labels": "a b c"}, "labels must be a list of strings, or None: got 'a"),
            ({"labels": 5}, "labels must be a list of strings, or None: got 5"),
            ({"colorbar": "right"}, "colorbar must be True or False: got 'right'"),
            ({"artist_kwargs": 3}, "artist_kwargs must be a dict .* 3"),
        ],
    )
    def test_wrong_types(self, options, match):
        with pytest.raises(TypeError, match=match):
            AttentionDisplay.from_estimator(fit(), TEXTS[:1], **options)

    @pytest.mark.parametrize("shape", [(3,), (0, 0), (2, 3), (1, 2, 2)])
    def test_wrong_shapes(self, shape):
        with pytest.raises(ValueError, match=r"weights must have the shape .* got \("):
            AttentionDisplay(np.ones(shape)).plot()

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -0.5])
    def test_weights_that_are_no_shares(self, wrong):
        with pytest.raises(ValueError, match=f"weights must be >= 0 .* got {wrong}"):
            AttentionDisplay([[1.0, 0.0], [0.5, wrong]]).plot()

    def test_a_flag_that_is_none(self):
        with pytest.raises(TypeError, match="cls_step must be True or False: got 2"):
            AttentionDisplay(np.ones((1, 1)), cls_step=2).plot()


def test_tokens_of_a_reader_give_the_ids_that_it_reads():
    for X, options in [
        (TEXTS, {}),
        (TEXTS, {"tokenizer": list}),
        ([*WORDS, []], {}),
        (np.array([[5, 7], [7, 9]]), {"tokens": True}),
        ([[5], np.array([7, 9])], {"tokens": True}),
    ]:
        reader, sequences = SequenceReader.fit_read(X, np.float32, **options)
        tokens = reader.get_tokens(X)
        assert len(tokens) == len(X)
        ids = [[reader.vocabulary[t] for t in row] or [0] for row in tokens]
        assert ids == [sequences[i].tolist() for i in range(len(X))]
