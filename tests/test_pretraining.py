"""`pretrain`: each layer is what a network of that layer alone learns."""

import gc
import pickle
import tracemalloc
import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, Freezer

import sknn._pretraining
from sknn import MLPClassifier, MLPRegressor
from sknn.modules import MLP
from sknn.training._initialization import glorot_uniform
from sknn.training._monitor import Weights
from sknn.training._net import Net

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = ["supervised", "autoencoder"]
SIZES = (6, 5, 4)


@pytest.fixture(scope="module")
def rows():
    """Rows of iris, mixed, with the columns scaled."""
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    return scale(X)[order], y[order]


def make_network(Estimator=MLPClassifier, **params):
    defaults = {"hidden_layer_sizes": SIZES, "activation": "logistic"}
    defaults |= {"pretrain": "supervised", "pretrain_iter": 3, "max_iter": 2}
    return Estimator(
        **{**defaults, "learning_rate_init": 0.02, "random_state": 0, **params}
    )


class KeepsTheFirstState(Callback):
    """Keeps a copy of the module as the joint training finds it."""

    def on_train_begin(self, net, **kwargs):
        self.state = {k: v.clone() for k, v in net.module_.state_dict().items()}
        self.module = net.module_


def fit_watched(net, *data, **options):
    """Fit, and return the network and the module that the joint training found."""
    net.set_params(callbacks=[KeepsTheFirstState()]).fit(*data, **options)
    ((_, watch),) = net.callbacks_
    sizes = [net.n_features_in_, *net._hidden_sizes, net.n_outputs_]
    module = MLP(sizes, net.activation, batch_norm=net.batch_norm)
    module.to(watch.state["layers.0.weight"].dtype)
    module.load_state_dict(watch.state)
    return net, module.eval().requires_grad_(False)


def get_weights(net):
    return np.concatenate([w.ravel() for w in [*net.coefs_, *net.intercepts_]])


# Against the package's own networks of one layer, one after another

OPTIONS = {
    "adam": {},
    "sgd": {"solver": "sgd", "alpha": 0.1, "batch_size": 20},
    "rmsprop, l1": {"solver": "rmsprop", "l1_ratio": 0.5, "alpha": 0.1},
    "lbfgs": {"solver": "lbfgs", "pretrain_iter": 7},
    "batch_norm": {"batch_norm": True, "batch_size": 50},
    "clipped": {"gradient_clip": 0.1, "shuffle": False},
    "another start": {"weight_init": "orthogonal", "activation": "tanh"},
    "scheduled": {"learning_rate": "cosine", "warmup_epochs": 2},
    "dropout": {"dropout": [0.2, 0.0, 0.5]},
    "float32": {"dtype": "float32"},
}
PLAIN = {"learning_rate": "constant", "warmup_epochs": 0, "n_iter_no_change": np.inf}


def draw_seeds(net, X, n_outputs):
    """Draw the layers' seeds, after the network's own weights and its dropout's."""
    random_state = np.random.RandomState(0)
    module = MLP([X.shape[1], *SIZES, n_outputs], batch_norm=net.batch_norm)
    if net.weight_init == "auto":
        glorot_uniform(module, random_state)
    else:
        sknn.training._initialization.initialize(module, random_state, net.weight_init)
    if np.any(net.dropout):
        random_state.randint(2)
    return random_state.randint(np.iinfo(np.int32).max, size=len(SIZES))


def train_layers(net, X, y, weight, seeds, rebuilds):
    """Train a network of each layer alone; give them, and what scaled their inputs."""
    Estimator = MLPRegressor if rebuilds else type(net)
    parameters = {
        name: value
        for name, value in net.get_params().items()
        if name in Estimator().get_params()
    }
    rates = np.broadcast_to(net.dropout, len(SIZES))
    for k, (size, rate, seed) in enumerate(zip(SIZES, rates, seeds, strict=True)):
        layer = Estimator(**parameters)
        layer.set_params(hidden_layer_sizes=size, max_iter=net.pretrain_iter)
        layer.set_params(pretrain=None, dropout=rate, random_state=int(seed))
        mean, deviation = 0.0, 1.0
        if rebuilds and k:
            mean = np.average(X, axis=0, weights=weight)
            deviation = np.average((X - mean) ** 2, axis=0, weights=weight) ** 0.5
        X = ((X - mean) / deviation).astype(X.dtype)
        layer.set_params(**PLAIN).fit(X, X if rebuilds else y, weight)
        yield layer, mean, deviation
        X = layer.transform(X)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_is_that_of_a_network_alone(rows, kind, name, weighted):
    X, y = rows
    weight = np.arange(len(X)) % 3 + 0.5 if weighted else None
    net = make_network(pretrain=kind, **OPTIONS[name])
    X = X.astype(net.dtype.replace("auto", "d"))
    net, module = fit_watched(net, X, y, weight)
    is_single = net.dtype == "float32"
    close = {"rtol": 1e-3 if is_single else 1e-7, "atol": 1e-5 if is_single else 1e-9}
    h, rebuilds = torch.from_numpy(X), kind == "autoencoder"
    layers = train_layers(net, X, y, weight, draw_seeds(net, X, 3), rebuilds)
    for k, (layer, mean, deviation) in enumerate(layers):
        assert_allclose(net.pretrain_curves_[k], layer.loss_curve_, **close)
        scaled = ((h.numpy() - mean) / deviation).astype(X.dtype)
        expected = layer.transform(scaled)
        h = module.layers[k](h)
        h = module.norms[k](h) if net.batch_norm else h
        h = module.activation(h)
        assert_allclose(h, expected, **close)
        if not rebuilds:  # with no scaling in between it is the same layer
            assert_allclose(module.layers[k].weight.T, layer.coefs_[0], **close)
    if not rebuilds:
        assert_allclose(module.layers[-1].weight.T, layer.coefs_[-1], **close)
        assert_allclose(module.layers[-1].bias, layer.intercepts_[-1], **close)


def test_the_features_of_a_layer_are_scaled_by_their_own_moments(rows):
    """Without that the third layer of logistic units would hardly vary at all."""
    options = {"pretrain": "autoencoder", "pretrain_iter": 30, "batch_size": 20}
    _, module = fit_watched(make_network(**options), *rows)
    h = torch.from_numpy(rows[0])
    for layer in module.layers[:-1]:
        h = module.activation(layer(h))
        assert h.std(0).min() > 0.1


@pytest.mark.parametrize("loss", ["poisson", "quantile", "absolute_error"])
@pytest.mark.parametrize("kind", KINDS)
def test_regressors_are_pretrained_too(rows, kind, loss):
    X = rows[0]
    y = np.abs(X[:, 0])
    net = make_network(MLPRegressor, pretrain=kind, loss=loss, pretrain_iter=40)
    net.fit(X[:, 1:], y)
    assert [len(curve) for curve in net.pretrain_curves_] == [40] * 3
    assert all(curve[-1] < curve[0] for curve in net.pretrain_curves_)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_may_be_of_any_kind(rows, kind):
    X, y = rows
    for targets in (
        y == 1,
        np.column_stack([y == 0, y == 2]),
        np.array(list("abc"))[y],
    ):
        net = make_network(pretrain=kind, label_smoothing=0.1, class_weight=None)
        net.fit(X, targets.astype(int) if targets.ndim == 2 else targets)
        assert len(net.pretrain_curves_) == 3


# Rows


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_is_a_number_of_copies(rows, kind, solver):
    X, y = rows
    counts = np.random.RandomState(0).randint(0, 4, len(y))
    net = make_network(pretrain=kind, solver=solver, batch_size="full")
    weighted = get_weights(net.fit(X, y, counts))
    repeated = get_weights(net.fit(np.repeat(X, counts, 0), np.repeat(y, counts)))
    assert_allclose(weighted, repeated, rtol=1e-6, atol=1e-8)


def test_class_weights_count(rows):
    X, y = rows
    factors = {0: 1.0, 1: 2.0, 2: 5.0}
    by_class = make_network(class_weight=factors).fit(X, y)
    by_row = make_network().fit(X, y, np.vectorize(factors.get)(y))
    assert_array_equal(get_weights(by_class), get_weights(by_row))


@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"dtype": "float32"}])
@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows_learn_the_same(rows, kind, options):
    X, y = np.where(rows[0] > 0.3, rows[0], 0), rows[1]
    dense, thin = (
        make_network(pretrain=kind, **options).fit(A, y)
        for A in (X, sparse.csr_matrix(X))
    )
    rtol = 1e-3 if options.get("dtype") else 1e-6
    for one, other in zip(dense.pretrain_curves_, thin.pretrain_curves_, strict=True):
        assert_allclose(one, other, rtol=rtol)
    assert_allclose(get_weights(thin), get_weights(dense), rtol=rtol, atol=1e-5)


def test_sparse_rows_are_made_dense_a_batch_at_a_time(rows, monkeypatch):
    X, y = sparse.csr_array(rows[0]), rows[1]
    as_dense, n_rows = sparse.csr_array.toarray, []

    def note(self, *args, **kwargs):
        n_rows.append(self.shape[0])
        return as_dense(self, *args, **kwargs)

    monkeypatch.setattr(sparse.csr_array, "toarray", note)
    make_network(pretrain="autoencoder", batch_size=10, pretrain_iter=2).fit(X, y)
    assert n_rows == [10] * 30


@pytest.mark.parametrize("kind", KINDS)
def test_validation_rows_are_not_learned_from(rows, kind):
    """A row that is changed changes the curves, unless it is held out."""
    X, y = (part[:30] for part in rows)
    net = make_network(
        pretrain=kind, early_stopping=True, validation_fraction=0.2, max_iter=1
    )
    first, n_unchanged = net.fit(X, y).pretrain_curves_, 0
    for i in range(len(X)):
        changed = X.copy()
        changed[i] += 1
        n_unchanged += net.fit(changed, y).pretrain_curves_ == first
    assert n_unchanged == 6
    X_val, y_val = X + 1, y
    net.fit(X, y, X_val=X, y_val=y)
    whole = net.pretrain_curves_
    assert net.fit(X, y, X_val=X_val, y_val=y_val).pretrain_curves_ == whole != first


def test_autoencoders_look_at_no_targets(rows):
    X, y = rows
    net = make_network(pretrain="autoencoder")
    assert net.fit(X, y).pretrain_curves_ == net.fit(X, y[::-1]).pretrain_curves_


def test_memory_maps_learn_the_same(rows, tmp_path):
    np.save(tmp_path / "X.npy", rows[0])
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    for kind in KINDS:
        mapped, loaded = (
            make_network(pretrain=kind).fit(A, rows[1]) for A in (X, X[:])
        )
        assert_allclose(get_weights(mapped), get_weights(loaded), rtol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_memory_maps_are_read_a_slice_at_a_time(tmp_path, kind, early_stopping):
    shape = (20_000, 100)  # 16 MB
    X = np.memmap(tmp_path / "X", dtype=np.float64, mode="w+", shape=shape)
    X[:] = np.random.RandomState(0).rand(*shape)
    X.flush()
    X = np.memmap(tmp_path / "X", dtype=np.float64, mode="r", shape=shape)
    y = np.array(X[:, 0])
    net = make_network(
        MLPRegressor,
        hidden_layer_sizes=(4, 3),
        pretrain=kind,
        pretrain_iter=1,
        max_iter=1,
        early_stopping=early_stopping,
    )
    net.fit(X[:500], y[:500])  # imports are not the subject
    tracemalloc.start()
    try:
        net.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2


# Once, before all else


@pytest.fixture
def calls(monkeypatch):
    """Count how often layers are pre-trained."""
    calls, pretrain = [], sknn._pretraining.pretrain
    monkeypatch.setattr(
        sknn._pretraining, "pretrain", lambda *a: calls.append(a) or pretrain(*a)
    )
    return calls


def test_fits_that_go_on_do_not_begin_again(rows, calls):
    net = make_network(warm_start=True).fit(*rows)
    curves = net.pretrain_curves_
    net.fit(*rows).partial_fit(*rows)
    assert len(calls) == 1
    assert net.pretrain_curves_ is curves
    plain = make_network(warm_start=True, pretrain=None).fit(*rows)
    plain.set_params(pretrain="supervised").fit(*rows)
    assert len(calls) == 1
    assert plain.pretrain_curves_ is None
    net.set_params(warm_start=False, pretrain=None).fit(*rows)
    assert net.pretrain_curves_ is None
    make_network().partial_fit(*rows, classes=[0, 1, 2])
    assert len(calls) == 2


def test_no_epoch_counts_in_the_joint_training(rows):
    net = make_network().fit(*rows)
    assert (net.n_iter_, net.t_, len(net.loss_curve_), len(net.history_)) == (
        2,
        300,
        2,
        2,
    )


def test_all_else_is_checked_first(rows, calls):
    def refuse(estimator, X, y):
        raise ValueError("no such score")

    with pytest.raises(ValueError, match="no such score"):
        make_network(early_stopping=True, scoring=refuse).fit(*rows)
    assert not calls


def test_no_hidden_layer_nothing_to_train(rows):
    plain = make_network(hidden_layer_sizes=(), pretrain=None, dropout=[]).fit(*rows)
    with pytest.warns(UserWarning, match="pretrain='supervised' has no effect with"):
        net = make_network(hidden_layer_sizes=(), dropout=[]).fit(*rows)
    assert net.pretrain_curves_ is None
    assert_array_equal(get_weights(net), get_weights(plain))


@pytest.mark.parametrize("params", [{"pretrain": "both"}, {"pretrain_iter": 0}])
def test_bad_parameters_are_named(rows, params):
    with pytest.raises(ValueError, match=next(iter(params))):
        make_network(**params).fit(*rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_decides_all(rows, kind):
    options = {"pretrain": kind, "dropout": 0.3, "early_stopping": True}
    state = torch.get_rng_state()
    one, other = (make_network(**options).fit(*rows) for _ in range(2))
    assert_array_equal(get_weights(one), get_weights(other))
    assert_array_equal(torch.get_rng_state(), state)
    third = make_network(random_state=1, **options).fit(*rows)
    assert third.pretrain_curves_ != one.pretrain_curves_


def test_curves_are_pickled(rows):
    net = make_network().fit(*rows)
    assert pickle.loads(pickle.dumps(net)).pretrain_curves_ == net.pretrain_curves_


def test_frozen_layers_stay_as_pretrained(rows):
    frozen = make_network(callbacks=[Freezer(lambda name: "layers.0" in name)])
    _, module = fit_watched(make_network(), *rows)
    frozen.fit(*rows)
    assert_array_equal(frozen.coefs_[0], module.layers[0].weight.T)


def test_deep_supervision_comes_with_the_joint_training(rows):
    alone = make_network(deep_supervision=0.0).fit(*rows)
    both = make_network(deep_supervision=0.5).fit(*rows)
    assert len(both.module_.companions) == 2
    assert [len(curve) for curve in both.pretrain_curves_] == [3, 3, 3]
    assert both.loss_ > alone.loss_


def test_layers_are_announced(rows, capsys):
    network = make_network(verbose=True).fit(*rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        f"Hidden layer {k}, loss = {losses[0]:.8f} to {losses[-1]:.8f}"
        for k, losses in enumerate(network.pretrain_curves_, start=1)
    ]


# What goes wrong changes nothing


@pytest.mark.parametrize("kind", KINDS)
def test_divergence_names_the_layer(rows, kind):
    net = make_network(pretrain=None).fit(*rows)
    before = get_weights(net)
    net.set_params(pretrain=kind, solver="sgd", learning_rate_init=1e200)
    message = r"with learning rate 1e\+200 led to weights of hidden layer 1 that are "
    with pytest.raises(ValueError, match=message):
        net.fit(*rows)
    assert_array_equal(get_weights(net), before)
    assert net.pretrain_curves_ is None


def test_divergence_of_lbfgs_names_it(rows, monkeypatch):
    """Its line searches end before: the weights have to be called what they are not."""
    monkeypatch.setattr(Weights, "are_finite", lambda weights: False)
    with pytest.raises(ValueError, match="Pre-training with lbfgs led to weights of h"):
        make_network(solver="lbfgs").fit(*rows)


def test_ctrl_c_ends_the_fit(rows, monkeypatch):
    epoch, n_epochs = Net._train_epoch, []

    def interrupt(net, batches):
        n_epochs.append(None)
        if len(n_epochs) == 5:
            raise KeyboardInterrupt
        return epoch(net, batches)

    monkeypatch.setattr(Net, "_train_epoch", interrupt)
    net = make_network()
    with pytest.raises(KeyboardInterrupt):
        net.fit(*rows)
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
    assert len(n_epochs) == 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_ends_a_fit_leaves_nothing_to_the_garbage_collector(
    rows, monkeypatch, error
):
    kept = []

    def fail(net, batches):
        kept.append(weakref.ref(net))
        raise error

    net, X = make_network(max_iter=1), rows[0].copy()
    net.fit(X, rows[1])  # imports are not the subject
    monkeypatch.setattr(Net, "_train_epoch", fail)
    gc.collect()
    gc.disable()
    try:
        try:
            net.fit(X, rows[1])
        except error:
            kept.append(weakref.ref(X))
        del net, X
        assert [of() for of in kept] == [None] * 2
    finally:
        gc.enable()


# Seven layers of logistic units

REMEDIES = {
    "pretrain, supervised": {"pretrain": "supervised"},
    "pretrain, autoencoder": {"pretrain": "autoencoder"},
    "deep_supervision": {"deep_supervision": 0.3},
    "batch_norm": {"batch_norm": True},
}


def score_deep_network(seed, **remedy):
    """Score seven layers of 40 logistic units on digits that they have not seen."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    net = MLPClassifier(
        hidden_layer_sizes=(40,) * 7,
        activation="logistic",
        learning_rate_init=0.005,
        batch_size=50,
        max_iter=30,
        n_iter_no_change=30,
        random_state=seed,
        **remedy,
    )
    return net.fit(X[::2], y[::2]).score(X[1::2], y[1::2])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_seven_logistic_layers_learn_nothing_from_scratch(seed):
    assert score_deep_network(seed) < 0.25


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", REMEDIES)
def test_seven_logistic_layers_learn_with_each_remedy(name, seed):
    assert score_deep_network(seed, **REMEDIES[name]) > 0.8
