"""Autoencoders as estimators: what they learn, and that every option does its work."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import subspace_angles
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from skorch.callbacks import Callback

from sknn import Autoencoder, VariationalAutoencoder
from sknn.training._dropout import attach_masks, make_masks

# They end before convergence, and so does lbfgs.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS = load_digits()
PIXELS, LABELS = DIGITS.data / 16, DIGITS.target
X = np.random.RandomState(0).normal(size=(60, 12))
UNIT = np.random.RandomState(1).uniform(size=(60, 12))
SMALL = {"hidden_layer_sizes": (8,), "batch_size": 20, "max_iter": 3, "random_state": 0}


def fit(X=X, **params):
    return Autoencoder(**SMALL | params).fit(X)


def get_weights(model):
    return np.concatenate(
        [p.numpy().ravel() for p in model.module_.state_dict().values()]
    )


def assert_same_model(one, other):
    assert_array_equal(get_weights(one), get_weights(other))
    assert one.loss_curve_ == other.loss_curve_


# What it learns


@pytest.fixture(scope="module")
def factors():
    """Five factors with noise: the fifth eigenvalue is three times the sixth."""
    rng = np.random.RandomState(0)
    mixing = np.linalg.qr(rng.normal(size=(10, 10)))[0] * [5, 4, 3, 2.5, 2, *[0.6] * 5]
    return rng.normal(size=(400, 10)) @ mixing.T


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lbfgs", "max_iter": 2000, "tol": 1e-6},
        {"solver": "lbfgs", "max_iter": 2000, "tol": 1e-6, "tied_weights": True},
        {"max_iter": 300, "learning_rate": "cosine", "learning_rate_init": 0.02},
    ],
    ids=["lbfgs", "tied", "adam"],
)
def test_without_hidden_layers_it_spans_the_principal_components(factors, params):
    """Baldi and Hornik (1989): the only minimum, up to a change of basis.

    Rows move little by what is left of the noise of stochastic steps: a hundredth of
    the distance between the last eigenvalue within and the first without.
    """
    model = Autoencoder(
        5, (), output_activation="identity", alpha=0.0, random_state=0, **params
    ).fit(factors)
    pca = PCA(5).fit(factors)
    error = np.mean((factors - pca.inverse_transform(pca.transform(factors))) ** 2)
    assert -model.score(factors) < 1.02 * error
    decoder = model.module_.decoder.layers[0].weight.detach().numpy()
    angles = subspace_angles(decoder, pca.components_.T)
    assert np.degrees(angles.max()) < 3
    if params.get("solver") == "lbfgs":
        assert -model.score(factors) < (1 + 1e-5) * error
        assert np.degrees(angles.max()) < 0.3


def test_digits_are_reconstructed_better_than_by_principal_components():
    model = Autoencoder(8, max_iter=30, random_state=0).fit(PIXELS[:1200])
    pca = PCA(8).fit(PIXELS[:1200])
    rest = PIXELS[1200:]
    error = np.mean((rest - pca.inverse_transform(pca.transform(rest))) ** 2)
    assert -model.score(rest) < 0.9 * error


def test_strange_rows_have_low_scores():
    ones = np.flatnonzero(LABELS == 1)
    model = Autoencoder(random_state=0).fit(PIXELS[ones[::2]])
    rest = np.r_[ones[1::2], np.flatnonzero(LABELS != 1)]
    scores = model.score_samples(PIXELS[rest])
    assert roc_auc_score(LABELS[rest] == 1, scores) > 0.97


@pytest.mark.parametrize(("kind", "amount"), [("gaussian", 0.4), ("masking", 0.5)])
def test_denoising(kind, amount):
    """Rows that are corrupted are reconstructed better by who has seen such."""
    train, test = PIXELS[:1200], PIXELS[1200:]
    rng = np.random.RandomState(0)
    noisy = test + amount * rng.normal(size=test.shape)
    if kind == "masking":
        noisy = test * (rng.uniform(size=test.shape) >= amount)
    errors = []
    for corruption in (amount, 0.0):
        model = Autoencoder(
            16, corruption=corruption, corruption_kind=kind, max_iter=30, random_state=0
        ).fit(train)
        found = model.inverse_transform(model.transform(noisy))
        errors.append(np.mean((found - test) ** 2))
    assert errors[0] < 0.8 * errors[1]


def test_activity_l1_makes_codes_sparser():
    def share_small(factor):
        model = Autoencoder(32, activity_l1=factor, max_iter=30, random_state=0)
        codes = np.abs(model.fit_transform(PIXELS))
        return np.mean(codes < 0.1 * codes.max()), codes.mean()

    (plain, size), (sparse, smaller) = share_small(0.0), share_small(0.3)
    assert sparse > 1.5 * plain and smaller < size / 2


# Shapes, scores and what they are made of


@pytest.mark.parametrize("rows", [X, UNIT], ids=["identity", "sigmoid"])
def test_scores_are_those_of_reconstructions(rows):
    model = fit(rows)
    found = model.inverse_transform(model.transform(rows))
    scores = model.score_samples(rows)
    assert_allclose(scores, -np.mean((found - rows) ** 2, axis=1), rtol=1e-12)
    assert_allclose(model.score(rows), scores.mean(), rtol=1e-12)
    weight = np.arange(60.0)
    expected = np.average(scores, weights=weight)
    assert_allclose(model.score(rows, sample_weight=weight), expected, rtol=1e-12)
    raw = model._predict_raw(rows)
    link = expit if rows is UNIT else np.asarray
    assert_allclose(link(raw), found, rtol=1e-12, atol=1e-14)


def test_output_activation_is_decided_by_the_first_rows():
    assert fit(UNIT).output_activation_ == "sigmoid"
    assert fit(X).output_activation_ == "identity"
    assert fit(UNIT, output_activation="identity").output_activation_ == "identity"
    model = fit(UNIT)
    assert model.transform(X).shape == (60, 2)  # other rows may be anything
    assert np.isfinite(model.score(X))
    going_on = fit(X, warm_start=True).fit(UNIT)
    assert going_on.output_activation_ == "identity"
    assert fit(X).partial_fit(UNIT).output_activation_ == "identity"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types(dtype):
    rows = X.astype(dtype)
    model = fit(rows)
    codes = model.transform(rows)
    assert codes.dtype == model.inverse_transform(codes).dtype == dtype
    assert model.score_samples(rows).dtype == dtype
    other = fit(rows, dtype="float32").transform(rows)
    assert other.dtype == np.float32
    assert_allclose(other, codes, rtol=1e-3, atol=1e-4)  # float32 after nine steps


@pytest.mark.parametrize(
    ("rows", "params"),
    [
        (X[:, :1], {}),
        (X[:1], {}),
        (X[:1, :1], {}),
        (X, {"n_components": 40}),
        (X, {"batch_size": 7, "batch_norm": True}),
        (np.zeros((5, 3)), {}),
        (np.arange(12).reshape(4, 3), {}),
        (X, {"hidden_layer_sizes": 5}),
        (X, {"hidden_layer_sizes": ()}),
        (X, {"hidden_layer_sizes": (9, 4)}),
    ],
    ids=str,
)
def test_small_and_odd_inputs(rows, params):
    if len(rows) == 1 or len(rows) < 20:
        params = params | {"batch_size": "auto"}
    model = fit(rows, **params)
    codes = model.transform(rows)
    assert codes.shape == (len(rows), params.get("n_components", 2))
    assert model.inverse_transform(codes).shape == rows.shape
    assert list(model.get_feature_names_out()) == [
        f"autoencoder{i}" for i in range(codes.shape[1])
    ]


@pytest.mark.parametrize(
    ("shape", "params", "expected"),
    [
        ((3, 4), {}, (3, 4, 1)),
        ((2, 3, 2), {}, (2, 3, 2)),
        (12, {}, (12, 1)),
        ((6, 2), {"conv_dims": 1}, (6, 2)),
        (np.array([4, 3]), {}, (4, 3, 1)),
    ],
    ids=str,
)
def test_rows_that_are_images_or_series(shape, params, expected):
    model = fit(X, input_shape=shape, conv_channels=(3, 4), **params)
    assert model.input_shape_ == expected
    assert model.transform(X).dtype == np.float32  # as other convolutions
    assert model.inverse_transform(model.transform(X)).shape == X.shape
    wide = fit(X, input_shape=shape, conv_channels=3, dtype="float64", **params)
    assert wide.transform(X).dtype == np.float64


@pytest.mark.parametrize("input_shape", [None, (3, 4)])
def test_rows_in_several_chunks(input_shape, monkeypatch):
    """Products of other sizes round otherwise, by float32's 1e-7 of values near 1."""
    model = fit(input_shape=input_shape)
    codes, scores = model.transform(X), model.score_samples(X)
    found = model.inverse_transform(codes)
    monkeypatch.setattr("sknn._autoencoder_base.MOST_ENTRIES", 12 * 7)
    monkeypatch.setattr("sknn.data._chunks.MOST_ROWS", 7)
    assert_allclose(model.transform(X), codes, rtol=1e-5, atol=1e-5)
    assert_allclose(model.score_samples(X), scores, rtol=1e-5)
    assert_allclose(model.inverse_transform(codes), found, rtol=1e-5, atol=1e-5)


def test_convolutions_learn_digits():
    model = Autoencoder(8, (64,), input_shape=(8, 8), max_iter=30, random_state=0).fit(
        PIXELS[:1200]
    )
    pca = PCA(8).fit(PIXELS[:1200])
    rest = PIXELS[1200:]
    error = np.mean((rest - pca.inverse_transform(pca.transform(rest))) ** 2)
    assert -model.score(rest) < error


# Training


OPTIONS = [
    {"n_components": 3},
    {"hidden_layer_sizes": (8, 5)},
    {"activation": "tanh"},
    {"corruption": 0.3},
    {"corruption": 0.3, "corruption_kind": "masking"},
    {"activity_l1": 0.5},
    {"tied_weights": True},
    {"input_shape": (3, 4)},
    {"batch_norm": True},
    {"dropout": 0.3},
    {"solver": "sgd"},
    {"alpha": 1.0},
    {"alpha": 1.0, "l1_ratio": 0.5},
    {"learning_rate": "constant"},
    {"weight_init": "he_uniform"},
    {"gradient_clip": 0.1},
    {"output_activation": "sigmoid"},
]


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_every_option_changes_the_network_and_repeats(option):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    rows = UNIT
    base = {"output_activation": "identity"}
    one, other = fit(rows, **base | option), fit(rows, **base | option)
    assert_same_model(one, other)
    assert one.loss_curve_ != fit(rows, **base).loss_curve_
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    third = fit(rows, **base | option, random_state=1)
    assert one.loss_curve_ != third.loss_curve_


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_copies_do_the_same(option):
    model = fit(UNIT, **option)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(twin.transform(UNIT), model.transform(UNIT))
        assert_array_equal(twin.score_samples(UNIT), model.score_samples(UNIT))
        assert_same_model(
            twin.partial_fit(UNIT), copy.deepcopy(model).partial_fit(UNIT)
        )
    assert_same_model(clone(model).fit(UNIT), model)


@pytest.mark.parametrize(
    "params",
    [{}, {"activity_l1": 0.3}, {"batch_norm": True}, {"solver": "lbfgs"}],
    ids=str,
)
@pytest.mark.parametrize("rows", [X, UNIT], ids=["identity", "sigmoid"])
def test_integer_weights_are_repetitions(rows, params):
    """Sums in another order: 1e-9 after three steps, lbfgs multiplies it."""
    counts = np.random.RandomState(2).randint(0, 4, len(rows))
    params = {"batch_size": "full", "shuffle": False} | params
    repeated = fit(rows.repeat(counts, axis=0), **params)
    weighted = Autoencoder(**SMALL | params).fit(rows, None, counts)
    if params.get("solver") == "lbfgs":
        assert weighted.n_iter_ == repeated.n_iter_
    codes, expected = weighted.transform(rows), repeated.transform(rows)
    assert_allclose(codes, expected, rtol=1e-7, atol=1e-9)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)


def test_warm_start_and_partial_fit_go_on():
    model = fit(UNIT, warm_start=True)
    before = model.score(UNIT)
    model.set_params(max_iter=20).fit(UNIT)
    assert model.score(UNIT) > before
    assert len(model.loss_curve_) == 23
    by_parts = Autoencoder(**SMALL)
    for _ in range(3):
        by_parts.partial_fit(UNIT)
    assert len(by_parts.loss_curve_) == 3 and by_parts.t_ == 180


def test_another_objective_is_given_time():
    """Losses under another penalty say nothing of those before."""
    model = fit(UNIT, warm_start=True, n_iter_no_change=2, max_iter=30)
    model.set_params(activity_l1=5.0, tol=0.0, max_iter=10).fit(UNIT)
    assert model.n_iter_ == 10


@pytest.mark.parametrize(
    "change",
    [
        {"n_components": 3},
        {"hidden_layer_sizes": (9,)},
        {"tied_weights": True},
        {"output_activation": "identity"},
        {"input_shape": (3, 4)},
        {"batch_norm": True},
    ],
    ids=str,
)
def test_what_a_warm_start_cannot_change(change):
    model = fit(UNIT, warm_start=True)
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} must stay as fitted"):
        model.set_params(**change).fit(UNIT)


def test_parameters_that_may_change_between_fits():
    model = fit(UNIT, warm_start=True)
    changes = {"corruption": 0.2, "corruption_kind": "masking", "activity_l1": 0.1}
    model.set_params(**changes, dropout=0.1, activation="tanh").fit(UNIT)
    module = model.module_
    assert (module.corruption.amount, module.corruption.kind) == (0.2, "masking")
    assert module.activity_l1 == 0.1 and module.activation_name == "tanh"
    assert module.decoder.dropouts[0].rate == 0.1
    assert not module.training and module.corruption.generator is None


@pytest.mark.parametrize("given", [False, True], ids=["split", "X_val"])
def test_early_stopping_keeps_the_best(given):
    train, held_out = PIXELS[:300], PIXELS[1500:]
    model = Autoencoder(
        early_stopping=True, max_iter=40, learning_rate_init=0.02, random_state=0
    )
    model.fit(train, X_val=held_out if given else None)
    assert model.best_validation_score_ == max(model.validation_scores_)
    if given:
        assert_allclose(model.score(held_out), model.best_validation_score_, rtol=1e-12)
        weight = np.arange(len(held_out))
        model.fit(train, X_val=held_out, sample_weight_val=weight)
        expected = model.score(held_out, sample_weight=weight)
        assert_allclose(model.best_validation_score_, expected, rtol=1e-12)


def test_validation_loss_is_the_cross_entropy():
    model = fit(UNIT[:40])
    curve = Autoencoder(**SMALL).fit(UNIT[:40], X_val=UNIT[40:]).validation_loss_curve_
    raw = model._predict_raw(UNIT[40:])
    expected = (np.logaddexp(0, raw) - UNIT[40:] * raw).sum(1).mean()
    assert_allclose(curve[-1], expected, rtol=1e-12)


def test_validation_loss_has_the_size_of_the_codes():
    """Without an update both losses are the same."""
    model = Autoencoder(
        activity_l1=2.0, alpha=0.0, learning_rate_init=1e-300, max_iter=1,
        batch_size="full", random_state=0,
    )  # fmt: skip
    weight = np.random.RandomState(0).uniform(size=len(UNIT))
    model.fit(UNIT, None, weight, X_val=UNIT, sample_weight_val=weight)
    assert_allclose(model.validation_loss_curve_, model.loss_curve_, rtol=1e-10)


@pytest.mark.parametrize(
    "model",
    [
        Autoencoder(activity_l1=0.1, warm_start=True, random_state=0),
        VariationalAutoencoder(warm_start=True, random_state=0),
    ],
    ids=["sparse", "variational"],
)
def test_an_interrupt_within_a_step_leaves_a_model_to_keep(model, monkeypatch):
    model = clone(model).fit(UNIT)
    decoder = model.module_.decoder

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(decoder, "forward", interrupt, raising=False)
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(UNIT)
    vars(decoder).pop("forward", None)
    kept = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    assert_array_equal(kept.transform(UNIT), model.transform(UNIT))


@pytest.mark.parametrize(
    ("input_shape", "rates"),
    [
        (None, [0.1, 0.5]),
        (None, [0.6, 0.0]),
        ((3, 4), [0.1, 0.5, 0.3, 0.8]),
        ((3, 4), [0.1, 0.5, 0.0, 0.0]),
        ((3, 4), [0.0, 0.0, 0.3, 0.8]),
        ((3, 4), [0.0, 0.0, 0.0, 0.8]),
    ],
    ids=str,
)
def test_masks_are_drawn_at_the_rate_of_their_layer(input_shape, rates):
    """Layers ask for masks by number: both lists must be in one order."""
    shape = {"input_shape": input_shape, "hidden_layer_sizes": (6, 5)}
    model = fit(UNIT, dropout=rates, **shape)
    attach_masks(
        model.module_, make_masks(model._dropout_rates, np.random.RandomState(0), 0)
    )
    layers = [m for m in model.module_.modules() if hasattr(m, "draw_mask")]
    assert len(layers) == len(model._dropout_rates)
    assert sorted(layer.rate for layer in layers if layer.rate) == sorted(
        2 * [rate for rate in rates if rate]
    )
    for layer in layers:
        share = (layer.draw_mask(torch.ones(100, 100)) == 0).double().mean()
        assert abs(share - layer.rate) < 5 * 0.5 / 100  # five standard errors


def test_a_memory_map_trains_as_the_array(tmp_path):
    for rows in (UNIT, UNIT.astype(np.float32), (UNIT * 3).astype(np.int64) // 2):
        np.save(tmp_path / "X.npy", rows)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        for more in ({}, {"early_stopping": True}, {"solver": "lbfgs"}):
            one, other = fit(rows, **more), fit(mapped, **more)
            assert_same_model(one, other)
            assert_array_equal(one.transform(rows), other.transform(mapped))


class Watch(Callback):
    """Looks at every batch, which then takes skorch's own way through an epoch."""

    def on_batch_end(self, net, batch, training, **kwargs):
        self.rows_match = batch[0].equal(batch[1])


@pytest.mark.parametrize("option", [{}, {"activity_l1": 0.3}, {"corruption": 0.2}])
def test_whoever_looks_at_batches_sees_the_same_training(option):
    model, watched = fit(UNIT, **option), fit(UNIT, callbacks=[Watch()], **option)
    assert_allclose(get_weights(watched), get_weights(model), rtol=1e-9, atol=1e-12)
    assert_allclose(watched.loss_curve_, model.loss_curve_, rtol=1e-9)
    assert watched.callbacks_[0][1].rows_match


# Among scikit-learn's tools


def test_search_without_y():
    search = GridSearchCV(
        Autoencoder(max_iter=15, random_state=0), {"n_components": [1, 8]}, cv=3
    ).fit(PIXELS[:300])
    assert search.best_params_ == {"n_components": 8}
    assert search.best_score_ < 0
    assert cross_val_score(fit(), X, cv=3).shape == (3,)


def test_pipelines():
    features = Autoencoder(16, max_iter=30, random_state=0)
    model = make_pipeline(
        StandardScaler(), features, StandardScaler(), LogisticRegression(max_iter=500)
    ).fit(PIXELS[:1200], LABELS[:1200])
    assert model.score(PIXELS[1200:], LABELS[1200:]) > 0.8
    back = make_pipeline(MinMaxScaler(), Autoencoder(**SMALL)).fit(X)
    assert back.inverse_transform(back.transform(X)).shape == X.shape


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(library):
    frames = pytest.importorskip(library)
    names = [f"c{i}" for i in range(12)]
    frame = frames.DataFrame({name: X[:, i] for i, name in enumerate(names)})
    model = fit(frame).set_output(transform=library)
    codes = model.transform(frame)
    assert isinstance(codes, frames.DataFrame)
    assert list(codes.columns) == ["autoencoder0", "autoencoder1"]
    assert list(model.feature_names_in_) == names
    assert_array_equal(codes, fit(X).transform(X))
    assert isinstance(model.inverse_transform(codes), np.ndarray)


def test_y_is_ignored():
    for y in (np.arange(60), ["a"] * 60, np.zeros((60, 2))):
        assert_same_model(Autoencoder(**SMALL).fit(X, y), fit())
