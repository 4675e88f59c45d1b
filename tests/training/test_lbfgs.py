"""lbfgs: one objective, in chunks or at once, against finite differences."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.optimize
import torch
from numpy.testing import assert_allclose
from scipy import sparse
from skorch.callbacks import Callback

from sknn import MLPClassifier, MLPRegressor
from sknn.data import Rows
from sknn.modules import MLP
from sknn.training import _lbfgs
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._delta_rule import DeltaRule
from sknn.training._flat import FlatParameters
from sknn.training._gradient import AutogradGradient
from sknn.training._initialization import glorot_uniform
from sknn.training._lbfgs import Objective
from sknn.training._losses import make_loss
from sknn.training._penalty import Penalty
from sknn.training._threads import limited_threads

N_ROWS = 37
FORMS = {"dense": np.asarray, "sparse": sparse.csr_matrix}
ENGINES = ["numpy", "torch", "mixed", "autograd"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep torch from waiting for a second thread over a handful of rows."""
    with limited_threads(0):
        yield


SMOOTH = ["squared_error", "poisson", "log_loss", "binary_log_loss"]


def make_rows(loss, weighted=True, form="dense"):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(N_ROWS, 4))
    y = {
        "squared_error": rng.normal(size=(N_ROWS, 1)),
        "poisson": rng.poisson(1.0, size=(N_ROWS, 2)).astype(float),
        "log_loss": rng.randint(3, size=N_ROWS),
        "binary_log_loss": rng.randint(2, size=(N_ROWS, 1)).astype(float),
    }[loss]
    weight = rng.uniform(0.2, 2, size=N_ROWS) if weighted else None
    return Rows(FORMS[form](X), y, weight)


def make_objective(loss, rows, engine="numpy", alpha=0.3):
    """Make the objective of a net of which only the gradient is there."""
    n_outputs = 3 if loss == "log_loss" else rows.y.shape[1]
    flat = FlatParameters(MLP([4, 5, n_outputs], "tanh", "meta"), torch.float64)
    glorot_uniform(flat.module, np.random.RandomState(0))
    net = SimpleNamespace(
        task=SimpleNamespace(flat=flat),
        gradient=make_gradient(flat, make_loss(loss), engine),
        _set_training=flat.module.train,
        penalize=Penalty(alpha).on(flat.weights, flat.weight_gradient),
    )
    return Objective(net, rows), flat.values.numpy().copy()


def make_gradient(flat, loss, engine):
    if engine == "autograd":
        return AutogradGradient(flat.module, loss, flat.gradient.zero_)
    layers = flat.module.layers
    return DeltaRule(
        [layer.weight.detach().t() for layer in layers],
        [layer.bias.detach().view(1, -1) for layer in layers],
        [layer.weight.grad.t() for layer in layers],
        [layer.bias.grad.view(1, -1) for layer in layers],
        "tanh",
        loss,
        NumpyOps if engine == "numpy" else TorchOps,
        TorchOps if engine == "torch" else NumpyOps,
    )


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("loss", SMOOTH)
def test_gradient_equals_finite_differences(loss, weighted):
    objective, x = make_objective(loss, make_rows(loss, weighted))
    value, gradient = objective(x)
    found = scipy.optimize.approx_fprime(x, lambda x: objective(x)[0], 1e-7)
    # for two outputs the reported squared error is a mean: here there is one
    assert_allclose(gradient, found, atol=1e-5)
    assert isinstance(value, float)
    assert gradient.dtype == np.float64


@pytest.mark.parametrize("chunk", [1, 10, 36, 37])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("loss", SMOOTH)
def test_chunks_equal_one_chunk(loss, engine, form, chunk, monkeypatch):
    if form == "sparse" and engine == "mixed":
        engine = "numpy"  # as sparse rows are always computed
    rows = make_rows(loss)
    whole, x = make_objective(loss, rows)
    expected, expected_gradient = whole(x)
    monkeypatch.setattr(_lbfgs, "CHUNK", chunk)
    objective, _ = make_objective(loss, make_rows(loss, form=form), engine)
    for _ in range(2):
        value, gradient = objective(x)
        assert value == pytest.approx(expected, rel=1e-12)
        assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-12)


def test_chunks_of_a_subset(monkeypatch):
    rows = make_rows("log_loss")
    index = np.arange(N_ROWS)[::-3]
    alone = Rows(rows.X[index], rows.y[index], rows.weight[index])
    monkeypatch.setattr(_lbfgs, "CHUNK", 5)
    objective, x = make_objective("log_loss", rows.subset(index))
    expected, _ = make_objective("log_loss", alone)
    assert_allclose(objective(x)[0], expected(x)[0], rtol=1e-13)
    assert_allclose(objective(x)[1], expected(x)[1], atol=1e-13)


def test_the_answer_is_not_overwritten_by_the_next():
    objective, x = make_objective("log_loss", make_rows("log_loss"))
    _, gradient = objective(x)
    before = gradient.copy()
    objective(x + 1)
    assert_allclose(gradient, before, rtol=0)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_a_fit_in_chunks_equals_one_chunk(Estimator, monkeypatch):
    rows = make_rows("log_loss")

    def fit():
        mlp = Estimator(
            hidden_layer_sizes=5,
            solver="lbfgs",
            max_iter=20,
            random_state=0,
            alpha=0.1,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mlp.fit(rows.X, rows.y, rows.weight)

    expected = fit()
    monkeypatch.setattr(_lbfgs, "CHUNK", 10)
    found = fit()
    assert found.n_iter_ == expected.n_iter_
    assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-8)
    assert len(found.loss_curve_) == found.n_iter_
    for one, other in zip(found.coefs_, expected.coefs_, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-6)


CHANGES = {
    "float": lambda module: module.float(),
    "zero_grad": lambda module: module.zero_grad(set_to_none=True),
    "clone": lambda module: [
        setattr(p, "data", p.data.clone()) for p in module.parameters()
    ],
}


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_epoch_end"])
@pytest.mark.parametrize("change", CHANGES)
def test_loose_views_do_not_change_the_result(change, hook):
    def meddle(self, net, *args, **kwargs):
        CHANGES[change](net.module_)

    meddler = type("Meddles", (Callback,), {hook: meddle})()
    rows, weights = make_rows("log_loss"), []
    for callbacks in (None, [meddler]):
        mlp = MLPClassifier((5,), solver="lbfgs", max_iter=5, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlp.set_params(callbacks=callbacks).fit(rows.X, rows.y)
        weights.append(mlp.coefs_[0])
    # a float32 module may begin, or end, with rounded weights
    tolerance = 1e-5 if change == "float" else 0
    assert_allclose(*weights, rtol=0, atol=tolerance)
