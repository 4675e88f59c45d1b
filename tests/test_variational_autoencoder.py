"""Variational autoencoders: bounds, samples and codes in use."""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from sknn import Autoencoder, VariationalAutoencoder

# They end before convergence, and after three epochs some have no use for the code.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PIXELS, LABELS = load_digits(return_X_y=True)
PIXELS = PIXELS / 16
X = np.random.RandomState(0).normal(size=(60, 12))
UNIT = np.random.RandomState(1).uniform(size=(60, 12))
SMALL = {"hidden_layer_sizes": (8,), "batch_size": 20, "max_iter": 3, "random_state": 0}


def fit(X=X, **params):
    return VariationalAutoencoder(**SMALL | params).fit(X)


def get_weights(model):
    return np.concatenate(
        [p.numpy().ravel() for p in model.module_.state_dict().values()]
    )


@pytest.fixture(scope="module")
def digits():
    return VariationalAutoencoder(max_iter=20, random_state=0).fit(PIXELS[:1200])


@pytest.fixture(scope="module")
def linear():
    """A linear decoder, and rows of three factors with noise of variance 1."""
    rng = np.random.RandomState(0)
    rows = 1 + rng.normal(size=(500, 3)) @ rng.normal(size=(3, 8)) * 2
    rows = rows + rng.normal(size=(500, 8))
    model = VariationalAutoencoder(
        3, (), max_iter=300, learning_rate="cosine", learning_rate_init=0.03,
        alpha=0.0, random_state=0, n_iter_no_change=300,
    )  # fmt: skip
    return model.fit(rows), rows


def encode(model, X):
    """Mean and variance of the codes, as arrays."""
    with torch.no_grad():
        x = torch.from_numpy(X).to(next(model.module_.parameters()).dtype)
        mean, log_variance = model.module_.encode_distribution(x)
    return mean.numpy().astype(float), log_variance.exp().numpy().astype(float)


def log_density(model, codes, X):
    """Log-density of each row given its code, by the formulas of the distributions."""
    means = model.inverse_transform(codes)
    if model.output_activation_ == "sigmoid":
        return (X * np.log(means) + (1 - X) * np.log1p(-means)).sum(1)
    return -0.5 * ((X - means) ** 2).sum(1) - X.shape[1] / 2 * np.log(2 * np.pi)


def log_normal(z, mean, variance):
    terms = (z - mean) ** 2 / variance + np.log(2 * np.pi * variance)
    return -0.5 * terms.sum(1)


# The bound


def test_bound_in_closed_form_where_the_decoder_is_linear(linear):
    r"""E|x - Wz - b|^2 is |x - W mu - b|^2 + tr(W S W^T): draws come near it.

    Each pair of opposite draws has the error of the squares of the noise alone; five
    standard errors of 4,000 pairs, found from the spread between single pairs.
    """
    model, rows = linear
    layer = model.module_.decoder.layers[0]
    W, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    mean, variance = encode(model, rows)
    square = ((rows - mean @ W.T - b) ** 2).sum(1) + (variance @ W.T**2).sum(1)
    divergence = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum(1)
    exact = -0.5 * square - 4 * np.log(2 * np.pi) - divergence
    found = model.elbo(rows, n_draws=8000)
    # variance of 1/2 sum_jk A_jk e_j e_k is 1/2 sum A_jk^2, A the decoder's share
    scaled = np.sqrt(variance)[:, :, None] * W.T
    spread = np.sqrt(0.5 * ((scaled @ scaled.swapaxes(1, 2)) ** 2).sum((1, 2)))
    assert (np.abs(found - exact) < 5 * spread / 4000**0.5 + 1e-9).all()


def test_bound_comes_near_the_evidence_of_the_linear_model(linear):
    """The exact log-evidence: normal with covariance W W^T + I; never exceeded."""
    model, rows = linear
    layer = model.module_.decoder.layers[0]
    W, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    evidence = multivariate_normal(b, W @ W.T + np.eye(8)).logpdf(rows)
    bound = model.elbo(rows, n_draws=2000)
    assert (bound < evidence + 0.2).all()  # what 2,000 draws leave of chance
    assert bound.mean() < evidence.mean()
    assert bound.mean() > evidence.mean() - 0.3  # 0.14, as the axes still turn


@pytest.mark.parametrize("rows", [PIXELS[:200], 3 * PIXELS[:200]], ids=["unit", "wide"])
def test_bound_is_below_the_importance_weighted_estimate(rows):
    """Burda et al. (2016): more draws tighten it, on the average over rows."""
    model = fit(rows, max_iter=20, n_components=3)
    mean, variance = encode(model, rows)
    rng, n_draws = np.random.RandomState(0), 2000
    terms = []
    for _ in range(n_draws):
        z = mean + np.sqrt(variance) * rng.normal(size=mean.shape)
        prior = log_normal(z, 0.0, np.ones_like(z))
        terms.append(
            log_density(model, z, rows) + prior - log_normal(z, mean, variance)
        )
    estimate = logsumexp(terms, axis=0) - np.log(n_draws)
    bound = model.elbo(rows, n_draws=500)
    own = np.mean(terms, axis=0)  # the same bound by single draws of our own
    error = np.std(terms, axis=0) * (1 / n_draws + 1 / 500) ** 0.5
    assert (np.abs(bound - own) < 6 * error).all()
    assert bound.mean() < estimate.mean()
    assert np.mean(bound < estimate + 3 * error) > 0.95


def test_bound_of_one_draw_by_hand():
    for rows in (X, UNIT):
        model = fit(rows)
        mean, variance = encode(model, rows)
        noise = model._draw_noise(4)
        assert_array_equal(noise[0], -noise[1])
        densities = [
            log_density(model, mean + np.sqrt(variance) * e, rows) for e in noise
        ]
        divergence = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum(1)
        expected = np.mean(densities, axis=0) - divergence
        assert_allclose(model.elbo(rows, n_draws=4), expected, rtol=1e-9)


def test_bound_does_not_depend_on_beta_or_on_the_rows_beside():
    model = fit()
    bound = model.elbo(X)
    assert_array_equal(model.elbo(X), bound)
    assert_allclose(model.elbo(X[::-3]), bound[::-3], rtol=1e-9)
    assert_array_equal(model.score_samples(X), bound)
    assert_allclose(model.score(X), bound.mean(), rtol=1e-12)
    weight = np.arange(60.0)
    expected = np.average(bound, weights=weight)
    assert_allclose(model.score(X, sample_weight=weight), expected, rtol=1e-12)
    model.set_params(beta=7.0).module_.beta = 7.0
    assert_array_equal(model.elbo(X), bound)
    assert not np.array_equal(model.elbo(X, n_draws=11), bound)


# Samples and codes


def test_samples_are_decoded_normal_codes(digits):
    rows = digits.sample(500, random_state=3)
    codes = np.random.RandomState(3).standard_normal((500, 2))
    assert_array_equal(rows, digits.inverse_transform(codes))
    assert_array_equal(digits.sample(500, np.random.RandomState(3)), rows)
    assert digits.sample().shape == (1, 64)
    assert (rows >= 0).all() and (rows <= 1).all()

    # they look like digits: near some training row, as far as the rows themselves are
    def distance(A):
        return np.sqrt(((A[:, None] - PIXELS[None, :600]) ** 2).sum(2)).min(1).mean()

    noise = (
        np.random.RandomState(0).permutation(PIXELS[600:800].ravel()).reshape(-1, 64)
    )
    assert distance(rows[:200]) < 0.6 * distance(noise)


def test_samples_without_a_seed_come_from_the_global_state(digits):
    with np.errstate():
        state = np.random.get_state()  # noqa: NPY002
        try:
            np.random.seed(5)  # noqa: NPY002
            rows = digits.sample(3)
        finally:
            np.random.set_state(state)  # noqa: NPY002
    assert_array_equal(rows, digits.sample(3, random_state=5))


def test_codes_are_means(digits):
    codes = digits.transform(PIXELS)
    assert_allclose(codes, encode(digits, PIXELS)[0], rtol=1e-12)
    assert list(digits.get_feature_names_out()) == [
        "variationalautoencoder0",
        "variationalautoencoder1",
    ]


def test_units_in_use_are_counted(digits):
    assert digits.active_units_ == 2
    model = fit(PIXELS, n_components=5, max_iter=10)
    variances = model.transform(PIXELS).var(axis=0)
    assert model.active_units_ == np.sum(variances > 0.01)


def test_collapse_warns():
    with pytest.warns(ConvergenceWarning, match="Posterior collapse.*active_units_=0"):
        model = fit(PIXELS[:200], beta=1e4, max_iter=60)
    assert model.active_units_ == 0
    assert model.partial_fit(PIXELS[:200]).active_units_ == 0  # and says nothing
    codes = model.transform(PIXELS[:200])
    assert codes.var(axis=0).max() < 0.01


def test_strange_rows_have_low_bounds():
    ones = np.flatnonzero(LABELS == 1)
    model = VariationalAutoencoder(random_state=0).fit(PIXELS[ones[::2]])
    rest = np.r_[ones[1::2], np.flatnonzero(LABELS != 1)]
    assert roc_auc_score(LABELS[rest] == 1, model.score_samples(PIXELS[rest])) > 0.9


def test_a_search_does_not_always_prefer_no_divergence():
    """By the reconstruction alone it would; by the bound a code of no use costs."""
    search = GridSearchCV(
        VariationalAutoencoder(8, max_iter=15, random_state=0),
        {"beta": [0.0, 1.0]},
        cv=3,
    ).fit(PIXELS[:500])
    assert search.best_params_ == {"beta": 1.0}


# Training


OPTIONS = [
    {"n_components": 3},
    {"hidden_layer_sizes": (8, 5)},
    {"hidden_layer_sizes": ()},
    {"activation": "tanh"},
    {"beta": 0.3},
    {"beta": 0.0},
    {"input_shape": (3, 4)},
    {"input_shape": (6, 2), "conv_dims": 1, "batch_norm": True},
    {"batch_norm": True},
    {"dropout": 0.3},
    {"solver": "adamw"},
    {"dtype": "float32"},
    {"output_activation": "sigmoid"},
]


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_every_option_changes_the_network_and_repeats(option):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    base = {"output_activation": "identity"}
    one, other = fit(UNIT, **base | option), fit(UNIT, **base | option)
    assert_array_equal(get_weights(one), get_weights(other))
    assert_array_equal(one.elbo(UNIT), other.elbo(UNIT))
    assert one.loss_curve_ == other.loss_curve_ != fit(UNIT, **base).loss_curve_
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    third = fit(UNIT, **base | option | {"random_state": 1})
    assert one.loss_curve_ != third.loss_curve_


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_copies_do_the_same(option):
    model = fit(UNIT, **option)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(twin.transform(UNIT), model.transform(UNIT))
        assert_array_equal(twin.elbo(UNIT), model.elbo(UNIT))
        again = copy.deepcopy(model).partial_fit(UNIT)
        assert_array_equal(get_weights(twin.partial_fit(UNIT)), get_weights(again))
    assert_array_equal(get_weights(clone(model).fit(UNIT)), get_weights(model))


@pytest.mark.parametrize("given", [False, True], ids=["split", "X_val"])
def test_early_stopping_keeps_the_best_bound(given):
    train, held_out = PIXELS[:300], PIXELS[1500:]
    model = VariationalAutoencoder(early_stopping=True, max_iter=30, random_state=0)
    model.fit(train, X_val=held_out if given else None)
    assert model.best_validation_score_ == max(model.validation_scores_)
    if given:
        assert_allclose(model.score(held_out), model.best_validation_score_, rtol=1e-9)


def test_validation_loss_has_the_divergence():
    model = fit(X[:40], beta=0.4)
    watched = VariationalAutoencoder(**SMALL, beta=0.4).fit(X[:40], X_val=X[40:])
    mean, variance = encode(model, X[40:])
    divergence = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum(1)
    error = 0.5 * ((model.inverse_transform(mean) - X[40:]) ** 2).sum(1)
    expected = np.mean(error + 0.4 * divergence)
    assert_allclose(watched.validation_loss_curve_[-1], expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_with_large_values_do_not_overflow(dtype):
    rows = load_breast_cancer().data.astype(dtype)  # up to 4254
    model = VariationalAutoencoder(max_iter=20, random_state=0).fit(rows)
    assert np.isfinite(model.elbo(rows)).all()
    assert np.mean((model.inverse_transform(model.transform(rows)) - rows) ** 2) < (
        0.1 * rows.var()
    )


def test_beta_may_change_between_fits():
    model = fit(warm_start=True)
    assert model.set_params(beta=0.2).fit(X).module_.beta == 0.2
    assert len(model.loss_curve_) == 6
    assert model.module_.noise.generator is None and not model.module_.training


def test_both_autoencoders_share_their_defaults():
    one, other = (
        inspect.signature(cls).parameters
        for cls in (Autoencoder, VariationalAutoencoder)
    )
    shared = [name for name in one if name in other]
    assert shared == [name for name in other if name in one]
    assert {n: one[n].default for n in shared} == {n: other[n].default for n in shared}
    assert one.keys() - other.keys() == {
        "corruption", "corruption_kind", "activity_l1", "tied_weights", "max_fun",
    }  # fmt: skip
    assert other.keys() - one.keys() == {"beta"}
