"""`deep_supervision`: the sum that is minimised, and that nothing else is changed."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale
from skorch.callbacks import Callback, EpochScoring, Freezer
from torch.nn import functional

from sknn import (
    ConvClassifier,
    ConvRegressor,
    MLPClassifier,
    MLPRegressor,
    RecurrentClassifier,
    RecurrentRegressor,
    RecurrentTagger,
)
from sknn.modules import MLP, ConvNet, RecurrentNet

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHARE = 0.4
SIZES = (7, 6, 5)
# a step of this length changes nothing
NO_STEP = 1e-30


@pytest.fixture(scope="module")
def rows():
    """Rows of iris, mixed, with the columns scaled."""
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    return scale(X)[order], y[order]


def make_network(Estimator=MLPClassifier, **params):
    defaults = {"hidden_layer_sizes": SIZES, "deep_supervision": SHARE}
    return Estimator(**defaults | {"max_iter": 5, "random_state": 0} | params)


def get_values(net):
    """Copy all parameters, those of companions included."""
    return [p.detach().clone() for p in net.module_.parameters()]


def assert_same_values(one, other):
    for a, b in zip(get_values(one), get_values(other), strict=True):
        assert_array_equal(a, b)


# What is minimised

QUANTILES = {"loss": "quantile", "quantile": [0.2, 0.7]}
CASES = {
    "multiclass": (MLPClassifier, {}),
    "smoothed": (MLPClassifier, {"label_smoothing": 0.2}),
    "binary": (MLPClassifier, {}),
    "multilabel": (MLPClassifier, {}),
    "several": (MLPRegressor, {}),
    "quantiles": (MLPRegressor, QUANTILES),
    "huber": (MLPRegressor, {"loss": "huber", "huber_delta": 0.5}),
    "poisson": (MLPRegressor, {"loss": "poisson"}),
}


def make_targets(kind, X, y):
    if kind in ("multiclass", "smoothed"):
        return y
    if kind == "binary":
        return (y == 2).astype(int)
    if kind == "multilabel":
        return np.column_stack([y == 0, y >= 1, X[:, 0] > 0]).astype(int)
    if kind == "several":
        return X[:, :2] ** 2
    return np.abs(X[:, 1])


def compute_losses(kind, raw, y):
    """Compute the loss of every row by torch: its value's, and its gradient's."""
    y = torch.from_numpy(y)
    if kind in ("multiclass", "smoothed"):
        smoothing = 0.2 * (kind == "smoothed")
        each = functional.cross_entropy(
            raw, y, reduction="none", label_smoothing=smoothing
        )
        return each, each
    y = y.double().view(len(raw), -1).expand(raw.shape)
    if kind in ("binary", "multilabel"):
        each = functional.binary_cross_entropy_with_logits(raw, y, reduction="none")
        return each.sum(1), each.sum(1)
    if kind == "poisson":
        deviance = torch.special.xlogy(y, y) - y * raw + raw.exp() - y
        return deviance.sum(1), deviance.sum(1)
    if kind == "quantiles":
        levels, error = y.new_tensor(QUANTILES["quantile"]), y - raw
        each = torch.maximum(levels * error, (levels - 1) * error)
    elif kind == "huber":
        each = functional.huber_loss(raw, y, reduction="none", delta=0.5)
    else:
        each = 0.5 * (raw - y) ** 2
    return each.mean(1), each.sum(1)


def compute_states(module, X, weight):
    """Compute the outputs of all hidden layers as the textbook has them."""
    h, states = torch.from_numpy(X), []
    share = torch.ones(len(X)).double() if weight is None else torch.from_numpy(weight)
    share = (share / share.sum())[:, None]
    for k, layer in enumerate(module.layers[:-1]):
        a = layer(h)
        if len(module.norms):
            mean = (share * a).sum(0)
            variance = (share * (a - mean) ** 2).sum(0)
            norm = module.norms[k]
            a = norm.weight * (a - mean) / (variance + norm.eps).sqrt() + norm.bias
        h = torch.tanh(a)
        states.append(h)
    return states


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "normalised"])
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("kind", CASES)
def test_a_step_goes_down_the_written_out_sum(rows, kind, weighted, batch_norm):
    X, labels = rows
    (Estimator, options), y = CASES[kind], make_targets(kind, X, labels)
    weight = np.arange(len(X)) % 4 / 2 if weighted else None
    options = {"activation": "tanh", "batch_norm": batch_norm, "alpha": 3.0} | options
    options |= {"solver": "sgd", "momentum": 0, "batch_size": "full", "max_iter": 1}
    start, end = (
        make_network(Estimator, learning_rate_init=rate, **options).fit(X, y, weight)
        for rate in (NO_STEP, 1e-3)
    )
    module = start.module_.train()
    *states, last = compute_states(module, X, weight)
    raws = [module.layers[-1](last)]
    raws += [to(h) for to, h in zip(module.companions, states, strict=True)]
    values, slopes = zip(*(compute_losses(kind, raw, y) for raw in raws), strict=True)
    factors = torch.ones(len(X)).double() if weight is None else torch.tensor(weight)
    weights = [p for p in module.parameters() if p.ndim == 2]
    penalty = sum((w**2).sum() for w in weights) * 1.5 / factors.sum()

    def add_up(losses):
        own, *others = [(factors * each).sum() / factors.sum() for each in losses]
        return own + SHARE * sum(others) + penalty

    assert_allclose(start.loss_curve_, [add_up(values).item()], rtol=1e-10)
    gradient = torch.autograd.grad(add_up(slopes), list(module.parameters()))
    for before, after, slope in zip(
        get_values(start), get_values(end), gradient, strict=True
    ):
        assert_allclose((before - after) / 1e-3, slope, rtol=1e-8, atol=1e-10)


SERIES = np.random.RandomState(0).normal(size=(12, 9, 2)).astype(np.float32)
IMAGES = np.random.RandomState(1).normal(size=(12, 8, 8, 2)).astype(np.float32)
CONV = {
    "conv_channels": (3, 4, 5),
    "activation": "tanh",
    "standardize": False,
    "batch_norm": False,
}
RECURRENT = {"hidden_layer_sizes": (5, 4, 3), "standardize": False}
OTHERS = {
    "conv": (ConvClassifier, IMAGES, CONV | {"hidden_layer_sizes": (6, 5)}),
    "blocks": (ConvRegressor, IMAGES, CONV | {"hidden_layer_sizes": ()}),
    "pooled": (ConvRegressor, IMAGES, CONV | {"global_pooling": "mean"}),
    "recurrent": (RecurrentClassifier, SERIES, RECURRENT),
    "both ways": (RecurrentRegressor, SERIES, RECURRENT | {"bidirectional": True}),
    "mean": (RecurrentRegressor, SERIES, RECURRENT | {"pooling": "mean"}),
    "tagger": (RecurrentTagger, SERIES, RECURRENT | {"cell": "gru"}),
}


def make_truncated(module, k):
    """Make the network that ends with hidden layer `k`: its companion is the output."""
    if isinstance(module, RecurrentNet):
        net = RecurrentNet(
            2,
            module.output.out_features,
            hidden_layer_sizes=[b.ahead.n_units for b in module.layers[: k + 1]],
            cell=module.layers[0].ahead.cell,
            bidirectional=module.bidirectional,
            pooling=module.pooling,
        )
        net.layers.load_state_dict(module.layers[: k + 1].state_dict())
        net.output.load_state_dict(module.companions[k].state_dict())
        return net
    n_blocks, n_outputs = len(module.blocks), module.head.layers[-1].out_features
    hidden = module.head.layers[: max(k + 1 - n_blocks, 0)]
    net = ConvNet(
        module.input_shape,
        [*(layer.out_features for layer in hidden), n_outputs],
        conv_channels=CONV["conv_channels"][: k + 1],
        global_pooling=module.global_pooling,
        activation="tanh",
        batch_norm=False,
    )
    net.blocks.load_state_dict(module.blocks[: k + 1].state_dict())
    net.head.layers[:-1].load_state_dict(hidden.state_dict())
    companion = [*module.companions, *module.head.companions][k]
    net.head.layers[-1].load_state_dict(companion.state_dict())
    return net


@pytest.mark.parametrize("name", OTHERS)
def test_companions_are_the_outputs_of_networks_that_end_there(name):
    Estimator, X, options = OTHERS[name]
    y = np.arange(len(X)) % 3
    if Estimator is RecurrentTagger:
        y = [np.arange(len(x)) % 3 for x in X]
    options = {"learning_rate_init": NO_STEP, "batch_size": "full"} | options
    net = make_network(Estimator, max_iter=1, alpha=0, **options).fit(X, y)
    module = net.module_.double()
    n_companions = len(module.companions)
    n_companions += len(module.head.companions) if name in ("conv", "pooled") else 0
    n_hidden = len(net._dropout_rates)
    assert n_companions == n_hidden - 1
    nets = [module, *(make_truncated(module, k).double() for k in range(n_companions))]
    y, losses = torch.from_numpy(np.ravel(y)), []
    for each in nets:
        with torch.no_grad():
            raw = each.eval()(torch.from_numpy(X).double())
        if raw.shape[1] == 3:
            losses.append(functional.cross_entropy(raw, y).item())
        else:
            losses.append(functional.mse_loss(raw[:, 0], y.double()).item() / 2)
    own, *others = losses
    assert_allclose(net.loss_curve_, [own + SHARE * sum(others)], rtol=1e-5)


def test_a_weight_is_a_number_of_copies(rows):
    X, y = rows
    counts = np.random.RandomState(0).randint(0, 4, len(y))
    options = {"batch_size": "full", "shuffle": False, "learning_rate_init": 0.02}
    weighted, repeated = (
        make_network(**options).fit(*data)
        for data in ((X, y, counts), (np.repeat(X, counts, 0), np.repeat(y, counts)))
    )
    for one, other in zip(get_values(weighted), get_values(repeated), strict=True):
        assert_allclose(one, other, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_rows_learn_the_same(rows, solver):
    X, y = rows
    dense, thin = (
        make_network(solver=solver).fit(A, y) for A in (X, sparse.csr_array(X))
    )
    for one, other in zip(get_values(dense), get_values(thin), strict=True):
        assert_allclose(one, other, rtol=1e-7, atol=1e-10)


def test_lbfgs_minimises_it(rows):
    X, y = rows
    options = {"solver": "lbfgs", "max_iter": 5000, "max_fun": 10**6, "tol": 1e-6}
    net = make_network(activation="tanh", alpha=1, **options)
    module = net.fit(X, y).module_.train()
    raw, y = module(torch.from_numpy(X)), torch.from_numpy(y)
    own, *others = [functional.cross_entropy(part, y) for part in raw.split(3, 1)]
    weights = [p for p in module.parameters() if p.ndim == 2]
    penalty = sum((w**2).sum() for w in weights) / (2 * len(X))
    objective = own + SHARE * sum(others) + penalty
    assert net.loss_ == pytest.approx(objective.item())
    gradient = torch.autograd.grad(objective, list(module.parameters()))
    assert max(part.abs().max() for part in gradient) < 1e-4


# What is left alone


@pytest.mark.parametrize("batch_norm", [False, True])
def test_predictions_have_no_use_for_companions(rows, batch_norm):
    X, y = rows
    net = make_network(batch_norm=batch_norm).fit(X, y)
    lone = MLP([4, *SIZES, 3], batch_norm=batch_norm).double().eval()
    state = {k: v for k, v in net.module_.state_dict().items() if "compan" not in k}
    lone.load_state_dict(state)
    x = torch.from_numpy(X)
    with torch.no_grad():
        probability, features = lone(x).softmax(1), lone.hidden(x)
        # the strides of the weights differ, and so may the products' rounding
        assert_allclose(net.module_(x), lone(x), rtol=1e-12, atol=1e-14)
    assert_allclose(net.predict_proba(X), probability, rtol=1e-9)
    assert_allclose(net.transform(X), features, rtol=1e-9, atol=1e-12)
    assert len(net.get_feature_names_out()) == SIZES[-1]
    assert net.n_layers_ == 5
    assert [w.shape for w in net.coefs_] == [(4, 7), (7, 6), (6, 5), (5, 3)]
    assert [b.shape for b in net.intercepts_] == [(7,), (6,), (5,), (3,)]


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "tagger"])
def test_features_are_those_of_the_last_layer(name):
    Estimator, X, options = OTHERS[name]
    net = make_network(Estimator, max_iter=1, **options).fit(X, np.arange(len(X)) % 3)
    assert net.transform(X).shape == (len(X), len(net.get_feature_names_out()))


def test_the_network_itself_begins_with_the_same_weights(rows):
    options = {"max_iter": 1, "learning_rate_init": NO_STEP}
    plain = make_network(deep_supervision=0, **options).fit(*rows)
    net = make_network(**options).fit(*rows)
    for one, other in zip(plain.coefs_, net.coefs_, strict=True):
        assert_array_equal(one, other)


def test_validation_is_of_the_networks_own_outputs(rows):
    X, y = rows
    net = make_network(max_iter=30).fit(X, y, X_val=X, y_val=y)
    loss = log_loss(y, net.predict_proba(X))
    assert net.validation_loss_curve_[-1] == pytest.approx(loss)
    assert net.validation_scores_[-1] == net.score(X, y)
    assert net.loss_ > 1.5 * loss


class LooksAtBatches(Callback):
    """Keeps the losses and the outputs of training batches."""

    def initialize(self):
        self.losses, self.outputs = [], []
        return self

    def on_batch_end(self, net, training=False, loss=None, y_pred=None, **kwargs):
        if training:
            self.losses.append(loss.item())
            self.outputs.append(y_pred)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_see_the_networks_own_outputs(rows, solver):
    X, y = rows
    watch, options = LooksAtBatches(), {"batch_size": "full", "solver": solver}
    scoring = EpochScoring("accuracy", name="hits", on_train=True)
    net = make_network(callbacks=[watch, scoring], **options).fit(X, y)
    assert_same_values(net, make_network(**options).fit(X, y))
    (_, watch), _ = net.callbacks_
    assert {tuple(raw.shape) for raw in watch.outputs} == {(len(X), 3)}
    assert all(0 <= hits <= 1 for hits in net.history_[:, "hits"])
    if solver == "adam":
        assert_allclose(watch.losses, net.loss_curve_, rtol=1e-12)


def test_frozen_layers_leave_the_rest_to_learn(rows):
    freezer = Freezer(lambda name: name.startswith("layers.0"))
    net = make_network(callbacks=[freezer]).fit(*rows)
    start = make_network(max_iter=1, learning_rate_init=NO_STEP).fit(*rows)
    assert_array_equal(net.coefs_[0], start.coefs_[0])
    moved = zip(net.module_.companions, start.module_.companions, strict=True)
    assert all((a.weight != b.weight).any() for a, b in moved)


def test_rows_without_weight_move_nothing(rows):
    X, y = rows
    weight = (np.arange(len(y)) < 100).astype(float)
    options = {"shuffle": False, "batch_size": 50, "callbacks": [LooksAtBatches()]}
    some, all_rows = (
        make_network(**options).fit(X[:n], y[:n], weight[:n]) for n in (100, 150)
    )
    assert_same_values(some, all_rows)


# Fits that go on


@pytest.mark.parametrize("share", [0.0, SHARE])
@pytest.mark.parametrize(
    "Estimator", [MLPClassifier, ConvClassifier, RecurrentClassifier]
)
def test_companions_neither_come_nor_go(rows, Estimator, share):
    X, y = rows
    net = make_network(Estimator, deep_supervision=share, max_iter=1, warm_start=True)
    before = get_values(net.fit(X, y))
    net.set_params(deep_supervision=SHARE - share)
    message = "deep_supervision must stay zero, or above zero, as fitted.*asked for"
    for refit in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=message):
            refit(X, y)
    for one, other in zip(before, get_values(net), strict=True):
        assert_array_equal(one, other)


def test_the_weight_may_change(rows):
    X, y = rows
    net = make_network(max_iter=1).fit(X, y)
    net.set_params(deep_supervision=2.0).partial_fit(X, y)
    raw = net.module_.train()(torch.from_numpy(X))
    own, *others = [
        functional.cross_entropy(part, torch.from_numpy(y)).item()
        for part in raw.split(3, 1)
    ]
    assert net.loss_ == pytest.approx(own + 2 * sum(others), rel=0.05)


def test_a_pickle_goes_on_alike(rows):
    net = make_network(max_iter=3).fit(*rows)
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict_proba(rows[0]), net.predict_proba(rows[0]))
    assert_same_values(copy.partial_fit(*rows), net.partial_fit(*rows))


def test_a_seed_decides_all(rows):
    options = {"dropout": 0.3, "batch_norm": True, "batch_size": 20}
    state = torch.get_rng_state()
    one, other = (make_network(**options).fit(*rows) for _ in range(2))
    assert_same_values(one, other)
    assert_array_equal(torch.get_rng_state(), state)


# At the door


@pytest.mark.parametrize(
    ("Estimator", "options"),
    [
        (MLPRegressor, {"hidden_layer_sizes": (5,)}),
        (MLPRegressor, {"hidden_layer_sizes": ()}),
        (ConvRegressor, {"hidden_layer_sizes": (), "conv_channels": 3}),
        (RecurrentRegressor, {"hidden_layer_sizes": 5}),
    ],
)
def test_a_single_hidden_layer_has_an_output_already(rows, Estimator, options):
    X = rows[0]
    plain = make_network(Estimator, deep_supervision=0, **options).fit(X, X[:, 0])
    with pytest.warns(UserWarning, match=r"deep_supervision=0\.4 has no effect with"):
        net = make_network(Estimator, **options).fit(X, X[:, 0])
    assert_same_values(net, plain)


@pytest.mark.parametrize("value", [-0.1, "all", None])
@pytest.mark.parametrize("Estimator", [MLPClassifier, ConvRegressor, RecurrentTagger])
def test_bad_weights_are_named(rows, Estimator, value):
    with pytest.raises(ValueError, match="deep_supervision"):
        make_network(Estimator, deep_supervision=value).fit(*rows)
