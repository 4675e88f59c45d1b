"""Wide first layers: updates in blocks equal those by a whole gradient."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from skorch.callbacks import Callback

from sknn import MLPClassifier, MLPRegressor
from sknn.training import _wide
from sknn.training._updates import SGD, Adagrad, Adam, AdamW, RMSprop
from sknn.training._wide import SparseProduct, is_wide, write_product

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

STOCHASTIC = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]
OPTIMIZERS = {
    "sgd": lambda p: SGD(p, lr=0.1),
    "plain sgd": lambda p: SGD(p, lr=0.1, momentum=0.0),
    "adam": Adam,
    "adamw": lambda p: AdamW(p, weight_decay=0.1, n_weights=13),
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
}


@pytest.fixture
def narrow(monkeypatch):
    """Take every layer for a wide one, of blocks of ten rows and less."""
    monkeypatch.setattr(_wide, "WIDE", 1)
    monkeypatch.setattr(_wide, "BLOCK", 100)


def make_data(n_rows=90, n_features=57, dtype=np.float64):
    rng = np.random.RandomState(0)
    X = sparse.random(
        n_rows, n_features, density=0.1, format="csr", random_state=rng, dtype=dtype
    )
    return X, np.asarray(X.sum(axis=1)).ravel() > 2


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_equal_dense_ones(form, dtype):
    x = make_data(dtype=dtype)[0]
    x.data[(x.indices >= 20) & (x.indices < 40)] = 0  # stored all the same
    x = form(sparse.vstack([x, x]))
    delta = np.random.RandomState(1).normal(size=(x.shape[0], 4)).astype(dtype)
    expected, product = x.toarray().T @ delta, SparseProduct(x, delta)
    for rows in (slice(0, 57), slice(0, 1), slice(20, 40), slice(50, 57)):
        out = np.full((rows.stop - rows.start, 4), np.nan, dtype)
        product.write(rows, out)
        assert_allclose(out, expected[rows], rtol=1e-5, atol=1e-6)


def test_products_of_empty_rows_are_zero():
    x, delta = sparse.csr_array((5, 7)), np.ones((5, 2))
    out = np.full((7, 2), np.nan)
    SparseProduct(x, delta).write(slice(0, 7), out)
    assert_array_equal(out, 0)


def test_a_wide_product_is_written_in_blocks(narrow):
    x = make_data()[0]
    delta = np.random.RandomState(1).normal(size=(90, 6))
    gradient = np.full((57, 6), np.nan)
    write_product(x, delta, gradient)
    assert_allclose(gradient, x.toarray().T @ delta, rtol=1e-12, atol=1e-12)


def test_what_is_wide():
    X = sparse.csr_array((3, 1 << 15))
    assert is_wide(X, torch.empty(1 << 15, 64))
    assert not is_wide(X, torch.empty((1 << 15) - 1, 64))
    assert not is_wide(np.empty((3, 1)), torch.empty(1 << 15, 64))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_in_parts_differs_by_rounding_alone(name):
    one, other = (
        torch.nn.Parameter(torch.linspace(-1, 1, 20, dtype=torch.float64))
        for _ in range(2)
    )
    whole, parted = OPTIMIZERS[name]([one]), OPTIMIZERS[name]([other])
    for step in range(4):
        gradient = torch.sin(torch.arange(20.0, dtype=torch.float64) + step)
        one.grad = gradient.clone()
        for optimizer in (whole, parted):
            optimizer.param_groups[0]["lr"] *= 0.9
        whole.update()
        move = parted.in_parts(other)
        for part in (slice(15, 20), slice(0, 8), slice(8, 15)):
            move(part, gradient[part].clone())
        assert_allclose(other.detach(), one.detach(), rtol=1e-12)
    groups = [optimizer.param_groups[0] for optimizer in (whole, parted)]
    plain, in_parts = ({**group, "params": None} for group in groups)
    assert plain == in_parts
    assert list(parted.state) == [other] or not whole.state
    for name, state in whole.state[one].items():
        assert_allclose(parted.state[other][name], state, rtol=1e-12)


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize(
    "params", [{}, {"alpha": 0.0}, {"early_stopping": True}], ids=str
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_train_as_a_whole_gradient_does(solver, params, dtype, monkeypatch):
    X, y = make_data(dtype=dtype)
    weight = np.random.RandomState(3).uniform(size=len(y))
    params = {"alpha": 0.1, "batch_size": 20, "max_iter": 6, **params}
    options = {"random_state": 0, "solver": solver, **params}

    def fit():
        return MLPClassifier((8, 5), **options).fit(X, y, weight)

    whole = fit()
    monkeypatch.setattr(_wide, "WIDE", 1)
    monkeypatch.setattr(_wide, "BLOCK", 100)
    blocks = fit()
    rtol = 1e-3 if dtype == np.float32 else 1e-9
    assert_allclose(get_weights(blocks), get_weights(whole), rtol=rtol, atol=rtol / 10)
    assert_allclose(blocks.loss_curve_, whole.loss_curve_, rtol=rtol)
    assert_array_equal(blocks.module_.layers[0].weight.grad, 0)  # never written
    assert whole.module_.layers[0].weight.grad.any()


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fit_goes_on_in_blocks(solver, narrow, monkeypatch):
    X, y = make_data()
    options = {"solver": solver, "random_state": 0, "batch_size": 30}
    blocks = MLPRegressor(hidden_layer_sizes=(7,), **options)
    mixed = MLPRegressor(hidden_layer_sizes=(7,), **options)
    for n in range(4):
        monkeypatch.setattr(_wide, "WIDE", 1)
        blocks.partial_fit(X, y * 1.0)
        monkeypatch.setattr(_wide, "WIDE", 1 if n % 2 else 1 << 21)
        mixed.partial_fit(X, y * 1.0)
    assert_allclose(get_weights(mixed), get_weights(blocks), rtol=1e-8, atol=1e-10)


class LooksAtGradients(Callback):
    """Sees the first layer's gradient after every epoch."""

    def on_epoch_end(self, net, **kwargs):
        self.gradient_ = net.module_.layers[0].weight.grad.abs().sum().item()


def test_callbacks_find_a_gradient(narrow):
    X, y = make_data()
    net = MLPClassifier((8,), max_iter=2, callbacks=[LooksAtGradients()]).fit(X, y)
    assert net.callbacks_[0][1].gradient_ > 0


@pytest.mark.parametrize("n_threads", [1, 3])
def test_the_number_of_threads_changes_no_bit(narrow, monkeypatch, n_threads):
    X, y = make_data()

    def fit():
        return MLPClassifier((8,), max_iter=4, random_state=0).fit(X, y)

    expected = fit()
    monkeypatch.setattr(_wide, "UPDATE_COST", 1 << 40)
    monkeypatch.setattr("sknn.training._parallel.FEWEST_ROWS", 1)
    monkeypatch.setattr("sknn.training._parallel.available_threads", lambda: n_threads)
    found = fit()
    assert_array_equal(get_weights(found), get_weights(expected))
    assert found.loss_curve_ == expected.loss_curve_
