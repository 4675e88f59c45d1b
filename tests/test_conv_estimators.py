"""Convolutional estimators: shapes of inputs, every option, what they learn."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from sknn import ConvClassifier, ConvRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
DIGITS = load_digits()
IMAGES, LABELS = DIGITS.images[:80], DIGITS.target[:80]
COLOURED = RANDOM.randint(0, 256, (40, 6, 5, 3)).astype(np.uint8)
SERIES = RANDOM.standard_normal((40, 12, 2))
SMALL = {"conv_channels": (4, 6), "hidden_layer_sizes": (8,), "batch_size": 16}
SMALL |= {"max_iter": 2, "random_state": 0}


def fit(X=IMAGES, y=LABELS, Estimator=ConvClassifier, **params):
    return Estimator(**SMALL | params).fit(X, y)


def get_weights(model):
    state = model.module_.state_dict().values()
    return np.concatenate([value.numpy().ravel() for value in state])


def assert_same_model(one, other):
    assert_array_equal(get_weights(one), get_weights(other))
    assert one.loss_curve_ == other.loss_curve_


@pytest.mark.parametrize(
    ("X", "input_shape", "more"),
    [
        (IMAGES, (8, 8), {}),
        (IMAGES, np.array([8, 8, 1]), {}),
        (COLOURED, (6, 5, 3), {}),
        (SERIES, (12, 2), {"conv_dims": 1}),
        (SERIES[..., 0], 12, {"dtype": "float32"}),
        (SERIES[..., 0], [12], {"conv_dims": 1, "dtype": "float32"}),
    ],
    ids=["grey", "grey of one channel", "colour", "series", "step", "steps"],
)
def test_rows_of_a_table_are_given_a_shape(X, input_shape, more):
    y = np.arange(len(X)) % 3
    arrays = fit(X, y, **more)
    rows = X.reshape(len(X), -1)
    flat = fit(rows, y, input_shape=input_shape, **more)
    assert_same_model(arrays, flat)
    assert_array_equal(flat.predict_proba(rows), arrays.predict_proba(X))
    assert_array_equal(flat.transform(rows), arrays.transform(X))
    assert flat.input_shape_ == arrays.input_shape_
    assert flat.n_features_in_ == rows.shape[1]


@pytest.mark.parametrize(
    ("shape", "params", "input_shape", "conv_dims"),
    [
        ((20, 7), {}, (7, 1), 1),
        ((20, 5, 7), {}, (5, 7, 1), 2),
        ((20, 5, 7), {"conv_dims": 1}, (5, 7), 1),
        ((20, 5, 7, 3), {}, (5, 7, 3), 2),
        ((20, 5, 7, 3), {"conv_dims": 2}, (5, 7, 3), 2),
        ((20, 12), {"input_shape": (3, 4)}, (3, 4, 1), 2),
        ((20, 12), {"input_shape": (3, 4), "conv_dims": 1}, (3, 4), 1),
        ((20, 12), {"input_shape": (3, 2, 2)}, (3, 2, 2), 2),
    ],
    ids=str,
)
def test_shape_that_an_input_is_read_as(shape, params, input_shape, conv_dims):
    X = RANDOM.standard_normal(shape)
    model = fit(X, np.arange(20) % 2, **params)
    assert model.input_shape_ == input_shape
    assert model.conv_dims_ == conv_dims


def test_bytes_train_as_the_same_fractions():
    """X/255 differs from the scaled bytes only by a rounding, 6e-8 of a number."""
    y = np.arange(40) % 3
    from_bytes = fit(COLOURED, y, dtype="float64")
    fractions = COLOURED / 255
    from_floats = fit(fractions, y, dtype="float64")
    assert_allclose(
        from_bytes.predict_proba(COLOURED),
        from_floats.predict_proba(fractions),
        atol=1e-9,
    )
    assert_allclose(
        from_bytes.predict_proba(COLOURED.astype(float)),
        from_bytes.predict_proba(COLOURED),
        atol=1e-9,
    )
    raw = fit(COLOURED, y, standardize=False, dtype="float64")
    raw_floats = fit(fractions, y, standardize=False, dtype="float64")
    assert_allclose(
        raw.predict_proba(COLOURED), raw_floats.predict_proba(fractions), atol=1e-9
    )


@pytest.mark.parametrize("X", [COLOURED, COLOURED.astype(np.float32)], ids=["u1", "f4"])
def test_a_memory_map_trains_as_the_array(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    y = np.arange(40) % 3
    for more in ({}, {"early_stopping": True}, {"random_crop": 1}):
        one, other = fit(X, y, **more), fit(mapped, y, **more)
        assert_same_model(one, other)
        assert_array_equal(one.predict_proba(X), other.predict_proba(mapped))


@pytest.mark.parametrize("more", [{}, {"random_crop": 1, "horizontal_flip": True}])
def test_one_seed_one_result_and_global_states_stay(more):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one, other = fit(**more, dropout=0.2), fit(**more, dropout=0.2)
    assert_same_model(one, other)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    third = fit(**more, dropout=0.2, random_state=1)
    assert not np.array_equal(get_weights(one), get_weights(third))


# An option, and what else it needs to mean anything.
OPTIONS = [
    ({"conv_channels": (4, 7)}, {}),
    ({"conv_channels": 4}, {}),
    ({"kernel_size": 2}, {}),
    ({"kernel_size": 1}, {}),
    ({"stride": 2}, {"pool_size": None}),
    ({"padding": "valid"}, {"kernel_size": 2}),
    ({"pool_size": None}, {}),
    ({"pool_size": 3}, {}),
    ({"pooling": "mean"}, {}),
    ({"global_pooling": "mean"}, {}),
    ({"global_pooling": "max"}, {}),
    ({"residual": True}, {}),
    ({"hidden_layer_sizes": ()}, {}),
    ({"hidden_layer_sizes": (8, 5)}, {}),
    ({"activation": "tanh"}, {}),
    ({"activation": "gelu"}, {}),
    ({"random_crop": 1}, {}),
    ({"horizontal_flip": True}, {}),
    ({"standardize": False}, {}),
    ({"batch_norm": False}, {}),
    ({"dropout": 0.3}, {}),
    ({"dropout": [0.3, 0.0, 0.0]}, {"dropout": [0.0, 0.0, 0.3]}),
    ({"solver": "sgd"}, {}),
    ({"solver": "adamw"}, {"alpha": 0.1}),
    ({"solver": "adagrad"}, {}),
    ({"solver": "rmsprop"}, {}),
    ({"alpha": 10.0}, {}),
    ({"l1_ratio": 1.0}, {"alpha": 1.0}),
    ({"batch_size": 8}, {}),
    ({"batch_size": "full"}, {}),
    ({"learning_rate": "cosine"}, {}),
    ({"learning_rate": "one_cycle"}, {}),
    ({"learning_rate_init": 0.01}, {}),
    ({"warmup_epochs": 1}, {}),
    ({"decay_epochs": 1}, {"learning_rate": "linear"}),
    ({"learning_rate_final": 1e-4}, {"learning_rate": "linear"}),
    ({"power_t": 0.9}, {"solver": "sgd", "learning_rate": "invscaling"}),
    ({"max_iter": 3}, {}),
    ({"shuffle": False}, {}),
    ({"tol": 10.0, "n_iter_no_change": 1}, {"max_iter": 4}),
    ({"momentum": 0.5}, {"solver": "sgd"}),
    ({"nesterovs_momentum": False}, {"solver": "sgd"}),
    ({"beta_1": 0.5}, {}),
    ({"beta_2": 0.9}, {}),
    ({"epsilon": 0.01}, {}),
    ({"rho": 0.5}, {"solver": "rmsprop"}),
    ({"early_stopping": True}, {}),
    ({"validation_fraction": 0.4}, {"early_stopping": True}),
    ({"weight_init": "orthogonal"}, {}),
    ({"gradient_clip": 0.01}, {"solver": "sgd"}),
    ({"class_weight": {0: 9.0}}, {}),
    ({"label_smoothing": 0.2}, {}),
    ({"n_networks": 2}, {}),
    ({"combine": "best"}, {"n_networks": 2}),
    ({"deep_supervision": 0.5}, {}),
]


@pytest.mark.parametrize(("option", "others"), OPTIONS, ids=str)
def test_every_option_changes_the_result(option, others):
    before = fit(**others).predict_proba(IMAGES)
    after = fit(**others | option).predict_proba(IMAGES)
    # rounding moves a probability by 1e-6 at most; that of an option's effect is more
    assert np.abs(before - after).max() > 1e-5


@pytest.mark.parametrize(
    ("dtype", "X", "kept"),
    [
        ("auto", IMAGES, "float32"),
        ("auto", DIGITS.data[:80], "float64"),
        ("float64", IMAGES, "float64"),
        ("float32", DIGITS.data[:80], "float32"),
    ],
    ids=["images", "table", "float64", "float32"],
)
def test_type_of_the_numbers(dtype, X, kept):
    model = fit(X, dtype=dtype)
    assert {p.dtype for p in model.module_.parameters()} == {getattr(torch, kept)}
    assert model.transform(X).dtype == kept


def test_no_option_was_forgotten():
    tried = {name for option, _ in OPTIONS for name in option}
    elsewhere = {"input_shape", "conv_dims", "random_state", "warm_start", "scoring"}
    elsewhere |= {"dtype", "init_from", "freeze"}
    without_effect_on_the_fit = {"verbose", "device", "callbacks"}
    names = set(ConvClassifier().get_params())
    assert names == tried | elsewhere | without_effect_on_the_fit


@pytest.mark.parametrize(
    "option",
    [
        {"loss": "absolute_error"},
        {"loss": "huber"},
        {"loss": "poisson"},
        {"loss": "gamma"},
        {"loss": "quantile"},
    ],
)
def test_every_loss_of_the_regressor_changes_the_result(option):
    y = np.exp(IMAGES.mean((1, 2)) - 4)
    before = fit(IMAGES, y, ConvRegressor)
    after = fit(IMAGES, y, ConvRegressor, **option)
    assert np.abs(before.predict(IMAGES) - after.predict(IMAGES)).max() > 1e-5
    assert np.isfinite(after.loss_curve_).all()


@pytest.mark.parametrize(
    ("y", "params", "shape"),
    [
        (RANDOM.rand(40), {}, (40,)),
        (RANDOM.rand(40, 1), {}, (40,)),
        (RANDOM.rand(40, 3), {}, (40, 3)),
        (RANDOM.rand(40), {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, (40, 3)),
    ],
    ids=lambda value: "" if isinstance(value, np.ndarray) else str(value),
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_shape_of_a_regression(y, params, shape):
    model = fit(COLOURED, y, ConvRegressor, **params)
    assert model.predict(COLOURED).shape == shape


def test_several_labels_a_row():
    y = np.column_stack([LABELS % 2, LABELS > 4])
    model = fit(IMAGES, y)
    assert model.predict(IMAGES).shape == (80, 2)
    assert ((model.predict_proba(IMAGES) > 0.5) == model.predict(IMAGES)).all()


@pytest.mark.parametrize("method", ["partial_fit", "warm_start"])
@pytest.mark.parametrize(
    "change",
    [
        {"conv_channels": (4, 7)},
        {"kernel_size": 2},
        {"stride": 2},
        {"padding": "valid"},
        {"pool_size": 3},
        {"pooling": "mean"},
        {"global_pooling": "max"},
        {"residual": True},
        {"hidden_layer_sizes": (9,)},
        {"batch_norm": False},
        {"standardize": False},
    ],
    ids=str,
)
def test_an_architecture_stays_while_training_goes_on(method, change):
    model = fit()
    before = get_weights(model)
    model.set_params(**change)
    name = next(iter(change))
    with pytest.raises(ValueError, match=f"^{name} must stay as fitted"):
        if method == "partial_fit":
            model.partial_fit(IMAGES, LABELS)
        else:
            model.set_params(warm_start=True).fit(IMAGES, LABELS)
    assert_array_equal(get_weights(model), before)


def test_training_goes_on_where_it_stopped():
    model = fit(conv_channels=[4, 6])
    model.set_params(conv_channels=(4, 6), activation="elu", dropout=0.1)
    model.partial_fit(IMAGES, LABELS)
    assert len(model.loss_curve_) == 3
    assert model.module_.activation_name == "elu"
    assert [block.dropout.rate for block in model.module_.blocks] == [0.1, 0.1]
    kept = fit(max_iter=1, warm_start=True)
    kept.fit(IMAGES, LABELS)
    assert len(kept.loss_curve_) == 2


def test_pickles_and_clones_are_the_same_network():
    model = fit(input_shape=(8, 8), X=IMAGES.reshape(80, -1))
    copied = pickle.loads(pickle.dumps(model))
    rows = IMAGES.reshape(80, -1)
    assert_array_equal(copied.predict_proba(rows), model.predict_proba(rows))
    assert_same_model(clone(model).fit(rows, LABELS), model)
    more = [m.partial_fit(rows, LABELS) for m in (copied, model)]
    assert_same_model(*more)


def test_a_prediction_does_not_depend_on_the_batch():
    """Each product sums in another order where there are fewer rows: rounding only."""
    model = fit(random_crop=2, horizontal_flip=True, dropout=0.5, residual=True)
    together = model.predict_proba(IMAGES)
    for rows in (slice(0, 1), slice(3, 20)):
        assert_allclose(model.predict_proba(IMAGES[rows]), together[rows], atol=1e-5)


def test_search_in_a_pipeline():
    X, y = DIGITS.data[:200], DIGITS.target[:200]
    pipeline = make_pipeline(MinMaxScaler(), ConvClassifier(**SMALL))
    options = {"input_shape": (8, 8), "learning_rate_init": 0.01}
    pipeline[-1].set_params(**options)
    grid = {
        "convclassifier__conv_channels": [(4,), (8, 8)],
        "convclassifier__max_iter": [1, 15],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_["convclassifier__max_iter"] == 15
    assert search.score(X, y) > 0.8
    assert len(np.unique(search.cv_results_["mean_test_score"])) == 4


def test_images_pass_through_a_pipeline_and_folds():
    to_float = FunctionTransformer(lambda X: X / 16.0)
    options = SMALL | {"max_iter": 20, "learning_rate_init": 0.01}
    model = make_pipeline(to_float, ConvClassifier(**options))
    scores = cross_val_score(model, DIGITS.images[:300], DIGITS.target[:300], cv=3)
    assert scores.min() > 0.8


LEARNERS = [
    {},
    {"residual": True},
    {"global_pooling": "mean", "hidden_layer_sizes": ()},
    {"batch_norm": False},
    {"padding": "valid", "pooling": "mean", "pool_size": None},
    {"stride": 2, "pool_size": None},
]


@pytest.mark.parametrize("params", LEARNERS, ids=str)
def test_it_learns_twenty_examples_by_heart(params):
    """A network with more weights than examples can; one that cannot has a fault."""
    rng = np.random.RandomState(2)
    X, y, target = IMAGES[:20], rng.randint(0, 2, 20), rng.standard_normal(20)
    options = {"conv_channels": (16, 16), "max_iter": 150, "learning_rate_init": 0.01}
    options |= {"alpha": 0.0, "tol": 0.0, "n_iter_no_change": 150, "batch_size": "full"}
    assert fit(X, y, **options | params).score(X, y) == 1.0
    regressor = fit(X, target, ConvRegressor, **options | params)
    assert regressor.score(X, target) > 0.95


def test_a_shifted_pattern_is_found_wherever_it_is():
    """Only weights that all positions share can see it where training had none."""
    n, rng = 400, np.random.RandomState(1)
    X = rng.normal(0, 0.3, (n, 24, 1))
    y = np.arange(n) % 2
    for row, label in zip(X, y, strict=True):
        start = rng.randint(0, 9)
        row[start : start + 3, 0] += [2, -2, 2] if label else [-2, 2, -2]
    moved = np.roll(X, 12, axis=1)
    options = {"conv_dims": 1, "global_pooling": "max", "hidden_layer_sizes": ()}
    options |= {"pool_size": None, "max_iter": 20, "learning_rate_init": 0.01}
    model = fit(X, y, **options)
    assert model.score(X, y) > 0.95
    assert model.score(moved, y) > 0.95


@pytest.mark.parametrize("with_X_val", [False, True])
@pytest.mark.parametrize("params", [{}, {"input_shape": (5, 2)}, {"conv_dims": 1}])
def test_a_scorer_is_given_what_was_fitted(params, with_X_val):
    X, y = RANDOM.standard_normal((40, 10)), np.arange(40) % 2
    options = {"early_stopping": True, "scoring": "accuracy", **params}
    validation = {"X_val": X[:20], "y_val": y[:20]} if with_X_val else {}
    model = ConvClassifier(**SMALL | options).fit(X, y, **validation)
    assert len(model.validation_scores_) == model.n_iter_


def test_parameters_that_are_set_later_change_no_predictions():
    X, y = RANDOM.standard_normal((20, 10)), np.arange(20) % 2
    model = fit(X, y, input_shape=(5, 2))
    before = model.predict_proba(X)
    model.set_params(input_shape=None, conv_dims=1)
    assert_allclose(model.predict_proba(X), before, rtol=0)


def test_series_are_not_mirrored_later_either():
    X, y = RANDOM.standard_normal((20, 10)), np.arange(20) % 2
    model = fit(X, y, warm_start=True).set_params(horizontal_flip=True)
    with pytest.raises(ValueError, match="horizontal_flip=True must have images"):
        model.fit(X, y)
