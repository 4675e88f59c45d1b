"""Penalties of rows: what a module adds to the loss of each row is minimised too."""

import gc
import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.nn import functional

from sknn import Autoencoder, VariationalAutoencoder
from sknn.data import Batch
from sknn.modules import AutoencoderNet, VariationalNet
from sknn.training._gradient import AutogradGradient
from sknn.training._losses import make_loss

N_ROWS, N_FEATURES = 9, 6


class Penalised(nn.Module):
    """Linear layer whose rows pay for the squares of their outputs."""

    def __init__(self):
        super().__init__()
        self.layer, self.row_penalty = nn.Linear(N_FEATURES, 3), None

    def forward(self, x):
        outputs = self.layer(x)
        self.row_penalty = 0.7 * outputs.square().sum(1)
        return outputs


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def make_batch(weighted, n_outputs):
    x = torch.rand(N_ROWS, N_FEATURES, dtype=torch.float64)
    y = torch.rand(N_ROWS, n_outputs, dtype=torch.float64)
    weight = torch.rand(N_ROWS, 1, dtype=torch.float64) if weighted else None
    total = float(N_ROWS if weight is None else weight.sum())
    return Batch(x, y, weight, total, N_ROWS)


def get_gradients(module):
    return [parameter.grad.clone() for parameter in module.parameters()]


def compute(module, loss, batch, **options):
    """Value and gradients by the engine."""
    gradient = AutogradGradient(module, make_loss(loss), module.zero_grad, **options)
    value = gradient(batch)
    gradient.close()
    return value, get_gradients(module)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
def test_gradient_is_that_of_the_whole_loss(weighted):
    module, batch = Penalised().double(), make_batch(weighted, 3)
    x, y = batch
    value, gradients = compute(module, "summed_squared_error", batch)
    assert module.row_penalty is None
    module.zero_grad()
    outputs = module.layer(x)
    rows = 0.5 * (outputs - y).square().sum(1) + 0.7 * outputs.square().sum(1)
    weight = torch.ones(N_ROWS) if batch.weight is None else batch.weight[:, 0]
    expected = (weight * rows).sum() / weight.sum()
    expected.backward()
    assert_allclose(value, expected.item(), rtol=1e-13)
    for gradient, parameter in zip(gradients, module.parameters(), strict=True):
        assert_allclose(gradient, parameter.grad, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
def test_gradient_of_the_negative_elbo(weighted):
    """The cross-entropy with codes drawn from known noise, and torch's divergence."""
    module = VariationalNet(N_FEATURES, 2, (5,), beta=0.3).double()
    batch = make_batch(weighted, N_FEATURES)
    batch = Batch(batch[0], batch[0], batch.weight, batch.total, N_ROWS)
    (x, _), source = batch, torch.Generator().manual_seed(3)
    value, gradients = compute(module, "binary_log_loss", batch, generator=source)
    module.zero_grad()
    source.manual_seed(3)
    mean, log_variance = module.encode_distribution(x)
    deviation = torch.exp(0.5 * log_variance)
    noise = torch.randn(N_ROWS, 2, dtype=torch.float64, generator=source)
    raw = module.decode(mean + deviation * noise)
    cross = functional.binary_cross_entropy_with_logits(raw, x, reduction="none")
    q, p = (
        torch.distributions.Normal(m, s) for m, s in ((mean, deviation), (0.0, 1.0))
    )
    rows = cross.sum(1) + 0.3 * torch.distributions.kl_divergence(q, p).sum(1)
    weight = torch.ones(N_ROWS) if batch.weight is None else batch.weight[:, 0]
    expected = (weight * rows).sum() / weight.sum()
    expected.backward()
    assert_allclose(value, expected.item(), rtol=1e-12)
    for gradient, parameter in zip(gradients, module.parameters(), strict=True):
        assert_allclose(gradient, parameter.grad, rtol=1e-9, atol=1e-12)


def test_rows_without_weight_pay_nothing():
    module, batch = Penalised().double(), make_batch(False, 3)
    weight = torch.tensor([[0.0], *[[1.0]] * (N_ROWS - 1)], dtype=torch.float64)
    weighted = Batch(*batch, weight, N_ROWS - 1.0, N_ROWS)
    x, y = batch
    rest = Batch(x[1:], y[1:], None, N_ROWS - 1.0, N_ROWS - 1)
    value, gradients = compute(module, "summed_squared_error", weighted)
    expected, expected_gradients = compute(module, "summed_squared_error", rest)
    assert_allclose(value, expected, rtol=1e-13)
    for one, other in zip(gradients, expected_gradients, strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_the_graph_is_let_go_of():
    module, batch = AutoencoderNet(N_FEATURES, 2, activity_l1=0.1).double(), None
    batch = make_batch(False, N_FEATURES)
    kept = []
    module.encoder.register_forward_hook(
        lambda *args: kept.append(weakref.ref(args[-1]))
    )
    compute(module.train(), "summed_squared_error", batch)
    gc.collect()
    assert len(kept) == 1 and kept[0]() is None


def fit_once(model, X):
    """One iteration, of which lbfgs says that it was cut off."""
    if model.solver != "lbfgs":
        return model.fit(X)
    with pytest.warns(match="[Ii]ter"):
        return model.fit(X)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_reported_loss_has_the_penalty(solver):
    """One full batch from known weights: the value before the first step."""
    X = np.random.RandomState(0).uniform(size=(30, 4))
    common = {"random_state": 0, "batch_size": "full", "alpha": 0.0, "solver": solver}
    common |= {"max_iter": 1}
    plain, penalised = (
        Autoencoder(activity_l1=factor, **common) for factor in (0.0, 2.0)
    )
    for model in (plain, penalised):
        fit_once(model, X)
    if solver == "adam":
        first = penalised.loss_curve_[0] - plain.loss_curve_[0]
        before = Autoencoder(**common | {"learning_rate_init": 1e-300})
        codes = before.fit(X).transform(X)
        assert_allclose(first, 2 * np.abs(codes).sum(1).mean(), rtol=1e-10)
    else:
        codes, raw = penalised.transform(X), penalised._predict_raw(X)
        cross = np.logaddexp(0, raw) - X * raw
        value = cross.sum(1).mean() + 2 * np.abs(codes).sum(1).mean()
        assert_allclose(penalised.loss_, value, rtol=1e-10)


def test_variational_loss_of_an_epoch():
    """With the weights held still: reconstruction of drawn codes, and divergence."""
    X = np.random.RandomState(0).normal(size=(2000, 3))
    model = VariationalAutoencoder(
        learning_rate_init=1e-300, batch_size="full", max_iter=1, beta=0.5, alpha=0.0,
        random_state=0,
    )  # fmt: skip
    bounds = model.fit(X).elbo(X, n_draws=200)
    divergence = model._outputs_of(model._divergence, X)
    constant = 1.5 * np.log(2 * np.pi)
    rows = -(bounds + divergence) - constant + 0.5 * divergence
    # one draw a row: its spread around the expectation, five standard errors
    spread = model.elbo(X, 1) - model.elbo(X, 200)
    assert abs(model.loss_ - rows.mean()) < 5 * spread.std() / len(X) ** 0.5 + 0.02
