"""Dropout and batch normalization in the delta rule against autograd."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn.data import Batch, make_batch
from sknn.modules import MLP
from sknn.modules._batch_norm import BatchNorm as BatchNormLayer
from sknn.modules._dropout import Dropout
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._batch_norm import MOST_RECENT, BatchNorm
from sknn.training._delta_rule import DeltaRule
from sknn.training._dropout import DropoutMasks, attach_masks, make_masks
from sknn.training._flat import FlatParameters
from sknn.training._gradient import AutogradGradient
from sknn.training._losses import make_loss

SIZES = [5, 7, 6, 3]
RATES = [0.4, 0.25]
OPS = {"numpy": NumpyOps, "torch": TorchOps}
ACTIVATIONS = ["relu", "tanh", "gelu", "selu", "logistic", "identity"]
REGULARIZERS = {
    "dropout": {"dropout": RATES},
    "second-dropout": {"dropout": [0.0, 0.5]},
    "norm": {"batch_norm": True},
    "both": {"dropout": RATES, "batch_norm": True},
}


def make_flat(activation="relu", seed=0, **regularizers):
    module = MLP(SIZES, activation, **regularizers)
    flat = FlatParameters(module, torch.float64)
    generator = torch.Generator().manual_seed(seed)
    flat.values.normal_(generator=generator)
    return flat


def make_seed(seed):
    return np.random.SeedSequence(seed)


def make_dropout(rates, *seeds):
    return DropoutMasks(rates, list(map(make_seed, seeds))) if rates else None


def split(tensors):
    """Weights, biases and scales of tensors in flat order, as the delta rule's."""
    depth = len(SIZES) - 1
    weights = [tensor.mT for tensor in tensors[:depth]]
    last, *others = (vector.unsqueeze(-2) for vector in tensors[depth:])
    if len(others) == depth - 1:
        return weights, [last, *others], []
    return weights, [*others[1::2], last], others[::2]


def make_rule(values, gradients, norms, activation, ops, masks, loss="squared_error"):
    weights, biases, scales = split(values)
    to_weights, to_biases, to_scales = split(gradients)
    layers = [
        BatchNorm(norm, scales[k], biases[k], to_scales[k], to_biases[k])
        for k, norm in enumerate(norms)
    ]
    return DeltaRule(
        weights,
        biases,
        to_weights,
        to_biases,
        activation,
        make_loss(loss),
        ops,
        norms=layers,
        masks=masks,
    )


def make_rule_of(flat, ops, masks=None, loss="squared_error"):
    module = flat.module
    values = [p.detach() for p in flat.parameters]
    gradients, name = list(flat.views_of(flat.gradient)), module.activation_name
    return make_rule(values, gradients, module.norms, name, ops, masks, loss)


def make_autograd(flat, masks=None):
    flat.tie()
    attach_masks(flat.module.train(), masks)
    zero = flat.gradient.zero_
    return AutogradGradient(flat.module, make_loss("squared_error"), zero)


def make_rows(n_rows, weighted=False, seed=0):
    rng = np.random.RandomState(seed)
    weight = rng.uniform(0.2, 2.0, size=n_rows) if weighted else None
    return rng.normal(size=(n_rows, 5)), rng.normal(size=(n_rows, 3)), weight


def make_native(rows, ops):
    X, y, weight = rows
    return make_batch(ops.from_numpy(X), ops.from_numpy(y), weight, ops.from_numpy)


def assert_close(actual, expected):
    # two orders of summation in float64
    assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", REGULARIZERS)
@pytest.mark.parametrize("ops", OPS)
def test_gradient_equals_autograd(ops, case, activation, weighted):
    regularizers, ops = REGULARIZERS[case], OPS[ops]
    rates = regularizers.get("dropout")
    by_hand = make_flat(activation, **regularizers)
    by_autograd = make_flat(activation, **regularizers)
    rule = make_rule_of(by_hand, ops, make_dropout(rates, 3))
    autograd = make_autograd(by_autograd, make_dropout(rates, 3))
    for n_rows in (6, 1, 4, 6):
        rows = make_rows(n_rows, weighted, seed=n_rows)
        value, expected = (
            rule(make_native(rows, ops)),
            autograd(make_native(rows, TorchOps)),
        )
        assert_close(value, expected)
        assert_close(by_hand.gradient, by_autograd.gradient)
        rule.settle()
        pairs = zip(by_hand.module.buffers(), by_autograd.module.buffers(), strict=True)
        for buffer, other in pairs:
            assert_close(buffer, other)


@pytest.mark.parametrize("case", REGULARIZERS)
def test_sparse_rows_equal_dense_ones(case):
    regularizers = REGULARIZERS[case]
    losses, gradients = [], []
    for form in (np.asarray, sparse.csr_array):
        flat = make_flat(**regularizers)
        masks = make_dropout(regularizers.get("dropout"), 3)
        X, y, _ = make_rows(6)
        X[X < 0.3] = 0
        batch = Batch(form(X), y, None, 6.0, 6)
        losses.append(make_rule_of(flat, NumpyOps, masks)(batch))
        gradients.append(flat.gradient)
    assert_close(*losses)
    assert_close(*gradients)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("case", REGULARIZERS)
@pytest.mark.parametrize("ops", OPS)
def test_networks_at_once_equal_one_by_one(ops, case, weighted):
    regularizers, ops, n_networks = REGULARIZERS[case], OPS[ops], 3
    rates = regularizers.get("dropout")
    flats = [make_flat(seed=seed, **regularizers) for seed in range(n_networks)]
    values = [
        torch.stack(ts) for ts in zip(*(f.parameters for f in flats), strict=True)
    ]
    values = [value.detach() for value in values]
    gradients = [torch.zeros_like(value) for value in values]
    norms = [
        SimpleNamespace(
            running_mean=torch.zeros(n_networks, 1, n_units, dtype=torch.float64),
            running_var=torch.ones(n_networks, 1, n_units, dtype=torch.float64),
            num_batches_tracked=torch.tensor(0),
            eps=1e-5,
            momentum=0.1,
        )
        for n_units in (SIZES[1:-1] if "batch_norm" in regularizers else ())
    ]
    masks = make_dropout(rates, *range(n_networks))
    rule = make_rule(values, gradients, norms, "relu", ops, masks)
    singles = [
        make_rule_of(flat, ops, make_dropout(rates, seed))
        for seed, flat in enumerate(flats)
    ]
    for n_rows in (6, 1, 5):
        parts = [make_rows(n_rows, weighted, seed) for seed in range(n_networks)]
        x, y = (ops.from_numpy(np.stack([p[i] for p in parts])) for i in range(2))
        weight, total = None, float(n_rows)
        if weighted:
            stacked = np.stack([part[2] for part in parts])[:, :, None]
            weight = ops.from_numpy(stacked)
            total = ops.from_numpy(stacked.sum(1, keepdims=True))
        found = rule(Batch(x, y, weight, total, n_rows))
        for k, (flat, single) in enumerate(zip(flats, singles, strict=True)):
            assert_close(found[k], single(make_native(parts[k], ops)))
            joined = flat.join([gradient[k] for gradient in gradients])
            assert_close(joined, flat.gradient)
    rule.settle()
    for k, single in enumerate(singles):
        single.settle()
        for norm, own in zip(norms, flats[k].module.norms, strict=True):
            assert_close(norm.running_mean[k, 0], own.running_mean)
            assert_close(norm.running_var[k, 0], own.running_var)


# Dropout


def test_masks_have_mean_one_and_two_values():
    masks = make_dropout([0.3], 0)
    factors = masks.draw(0, np.empty((1000, 100)))
    kept = round(0.7 * 65536) / 65536
    assert_allclose(np.unique(factors), [0, 1 / kept], rtol=1e-12)
    # the standard error of a mean of 100,000 factors is 0.0021
    assert abs(factors.mean() - 1) < 0.01
    assert abs(np.corrcoef(factors[:-1].ravel(), factors[1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("n_columns", [1, 3, 4, 5])
def test_masks_differ_from_draw_to_draw_and_follow_their_seed(n_columns):
    draws = []
    for seed in (0, 0, 1):
        masks = make_dropout([0.5, 0.5], seed)
        draws.append([masks.draw(k, np.empty((50, n_columns))) for k in (0, 1, 0)])
    assert_array_equal(draws[0], draws[1])
    different = [draws[0][0], draws[0][1], draws[0][2], draws[2][0]]
    for i, one in enumerate(different):
        assert not any(np.array_equal(one, other) for other in different[:i])


def test_masks_of_one_network_do_not_depend_on_the_others():
    together = make_dropout([0.5], 7, 8).draw(0, np.empty((2, 9, 3)))
    for seed, mask in zip((7, 8), together, strict=True):
        assert_array_equal(mask, make_dropout([0.5], seed).draw(0, np.empty((9, 3))))


def test_masks_of_tensors_in_any_order_of_memory():
    x = torch.zeros(6, 4, dtype=torch.float64).t()
    factors = make_dropout([0.5], 0).draw_like(0, x)
    assert factors.shape == (4, 6)
    assert set(factors.flatten().tolist()) == {0.0, 2.0}


def test_masks_of_parts_are_independent():
    one, other = make_dropout([0.5], 0).spawn(2)
    assert (one.draw(0, np.empty(400)) != other.draw(0, np.empty(400))).mean() > 0.4


@pytest.mark.parametrize("rate", [1e-9, 1 - 1e-9])
def test_rates_beyond_the_resolution(rate):
    masks = make_dropout([rate], 0)
    factors = masks.draw(0, np.empty((100, 100), np.float32))
    assert np.isfinite(factors).all()
    assert masks.drops(0) == (rate > 0.5)
    assert (factors == 1).all() or rate > 0.5


def test_no_seed_is_drawn_for_nothing():
    random_state = np.random.RandomState(0)
    assert make_masks([0.0, 0.0], random_state, 0) is None
    assert random_state.randint(1000) == np.random.RandomState(0).randint(1000)


def test_how_far_training_has_come_changes_the_masks():
    draws = [
        make_masks([0.5], np.random.RandomState(0), t).draw(0, np.empty(100))
        for t in (0, 0, 150)
    ]
    assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_layer_of_its_own_draws_from_torch():
    layer, x = Dropout(0.5), torch.ones(1000)
    assert set(layer(x).tolist()) == {0.0, 2.0}
    assert layer.eval()(x) is x
    assert repr(layer) == "Dropout(rate=0.5)"


# Batch normalization


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_layer_equals_torchs(scale):
    x = scale * torch.randn(20, 4, dtype=torch.float64) + 5
    ours, theirs = BatchNormLayer(4).double(), torch.nn.BatchNorm1d(4).double()
    assert_close(ours(x).detach(), theirs(x).detach())
    # torch's running variance is an estimate for a population, and its mean a tenth
    assert_close(ours.running_mean, 10 * theirs.running_mean)
    assert_close(ours.running_var, x.var(0, correction=0))
    theirs.load_state_dict(ours.state_dict())
    assert_close(ours.eval()(x).detach(), theirs.eval()(x).detach())


def test_whole_weights_equal_repetition():
    x, weight = torch.randn(6, 4), torch.tensor([1, 2, 0, 3, 1, 1])
    one, other = BatchNormLayer(4), BatchNormLayer(4)
    repeated = other(x.repeat_interleave(weight, 0)).detach()
    weighted = one(x, weight[:, None].float()).detach()
    # float32
    assert_allclose(weighted.repeat_interleave(weight, 0), repeated, atol=1e-5)
    assert_allclose(one.running_var, other.running_var, rtol=1e-5)


def test_scale_of_the_weights_does_not_matter():
    x, weight = torch.randn(6, 4).double(), torch.rand(6, 1).double()
    outputs = [BatchNormLayer(4).double()(x, c * weight).detach() for c in (1, 1e-3)]
    assert_close(*outputs)


def test_running_statistics_are_exponential_means_without_bias():
    flat = make_flat(batch_norm=True)
    rule, means = make_rule_of(flat, TorchOps), []
    n_batches = 2 * MOST_RECENT + 3  # more than wait at a time
    for seed in range(n_batches):
        rows = make_rows(6, seed=seed)
        rule(make_native(rows, TorchOps))
        means.append(rows[0].mean(0) @ flat.module.layers[0].weight.detach().numpy().T)
    rule.settle()
    shares = 0.9 ** np.arange(n_batches)[::-1]
    norm = flat.module.norms[0]
    assert_close(norm.running_mean, shares @ means / shares.sum())
    assert norm.num_batches_tracked == n_batches
    before = norm.running_mean.clone()
    rule.settle()
    assert_array_equal(norm.running_mean, before)


def test_constant_units_are_zero_before_the_shift():
    flat = make_flat("identity", batch_norm=True)
    X, y, _ = make_rows(6)
    X[:] = X[0]
    rule = make_rule_of(flat, TorchOps)
    rule(make_native((X, y, None), TorchOps))
    assert torch.isfinite(flat.gradient).all()
    with torch.no_grad():
        found = flat.module.norms[0](flat.module.layers[0](torch.from_numpy(X)))
    assert_allclose(found, flat.module.norms[0].bias.detach().expand(6, -1), atol=1e-10)
