"""Networks of graphs against their layers, loops over graphs, and repetition."""

import copy
import pickle

import numpy as np
import pytest
import torch
from message_matrices import (
    CONVOLUTIONS,
    draw_adjacency,
    make_graph,
    make_matrix,
    make_messages,
)
from scipy.linalg import block_diag
from torch import nn
from torch.testing import assert_close

from sknn.modules import GraphNet, NodeNet
from sknn.modules._graph_pooling import POOLINGS
from sknn.training._dropout import DropoutMasks, attach_masks
from sknn.training._flat import FlatParameters
from sknn.training._graph_initialization import initialize_graph_net

N_INPUTS = 3
SIZES = [4, 1, 7, 4]
LOOPS = {
    "mean": lambda h: h.mean(0),
    "sum": lambda h: h.sum(0),
    "max": lambda h: h.max(0).values,
}


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64)


def make_node_net(conv="gcn", n_outputs=2, **parameters):
    options = {"hidden_layer_sizes": (6, 4), "n_heads": 2, **parameters}
    return NodeNet(N_INPUTS, n_outputs, conv=conv, **options).double()


def make_graph_net(conv="gcn", n_outputs=2, **parameters):
    options = {"hidden_layer_sizes": (6, 4), "n_heads": 2, **parameters}
    return GraphNet(N_INPUTS, n_outputs, conv=conv, **options).double()


def make_batch(conv, sizes=SIZES, seeds=None):
    """Make graphs of these sizes: features, messages and starts of all, and of each."""
    seeds = range(len(sizes)) if seeds is None else seeds
    pairs = list(zip(sizes, seeds, strict=True))
    matrices = [make_matrix(draw_adjacency(n, seed=s), conv) for n, s in pairs]
    features = [
        torch.from_numpy(np.random.RandomState(s).normal(size=(n, 3))) for n, s in pairs
    ]
    starts = torch.tensor([0, *np.cumsum(sizes)])
    together = torch.cat(features), make_messages(block_diag(*matrices)), starts
    alone = [
        (x, make_messages(matrix), torch.tensor([0, len(x)]))
        for x, matrix in zip(features, matrices, strict=True)
    ]
    return together, alone


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_a_net_of_nodes_is_its_layers_in_turn(conv, batch_norm):
    net = make_node_net(conv, activation="tanh", batch_norm=batch_norm)
    net.scaling.set_scale(1.0, 2.0)
    messages = [make_graph(9, conv, seed=k)[0] for k in range(3)]
    x = draw(9, N_INPUTS)
    h = 2 * (x - 1)
    for k in range(2):
        h = net.convolutions[k](h, messages[k])
        if batch_norm:
            h = nn.functional.batch_norm(h, None, None, training=True)
        h = h.tanh()
    assert_close(net.hidden(x, messages[:2]), h)
    assert_close(net(x, messages), net.output(h, messages[2]))


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_without_hidden_layers_one_convolution_is_left(conv):
    net, (messages, _) = make_node_net(conv, hidden_layer_sizes=()), make_graph(9, conv)
    x = draw(9, N_INPUTS)
    assert_close(net(x, [messages]), net.output(x, messages))
    assert torch.equal(net.hidden(x, []), x)


@pytest.mark.parametrize("sizes", [(), (6,)])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_nodes_without_features_have_vectors(conv, sizes):
    net = make_node_net(conv, hidden_layer_sizes=sizes, n_nodes=9)
    messages = [make_graph(9, conv)[0]] * (len(sizes) + 1)
    outputs = net(torch.arange(9), messages)
    table = net.embedding.weight
    assert table.shape == (9, [*sizes, 2][0])
    assert not hasattr(net, "scaling")
    featured = NodeNet(
        table.shape[1], 2, conv=conv, hidden_layer_sizes=sizes, n_heads=2
    ).double()
    featured.load_state_dict(net.state_dict(), strict=False)
    assert_close(outputs, featured(table, messages))
    outputs.sum().backward()
    assert (table.grad != 0).any(1).all()


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_layers_to_some_nodes_only(conv):
    adjacency = draw_adjacency(9)
    matrix, wanted = make_matrix(adjacency, conv), [7, 2, 2]
    net, x, whole = make_node_net(conv), draw(9, N_INPUTS), make_messages(matrix)
    last = make_messages(matrix[wanted], own=wanted)
    expected = net(x, [whole] * 3)[wanted]
    assert_close(net(x, [whole, whole, last]), expected)


def test_weights_of_rows_say_nothing_of_nodes():
    net, (messages, _) = make_node_net(batch_norm=True), make_graph(9, "gcn")
    x, weight = draw(9, N_INPUTS), torch.rand(4, 1)
    other = copy.deepcopy(net)
    assert net.has_batch_norm
    assert not make_node_net().has_batch_norm
    outputs = net(x, [messages] * 3, row_weight=weight)
    assert torch.equal(outputs, other(x, [messages] * 3))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_graphs_do_not_see_each_other(conv, pooling):
    net = make_graph_net(conv, pooling=pooling)
    together, alone = make_batch(conv)
    outputs = net(*together)
    assert_close(outputs, torch.cat([net(*one) for one in alone]))
    hidden = net.hidden(*together)
    assert_close(net.output(hidden), outputs)
    x, messages, _ = together
    h = net.convolve(x, [messages] * 2)
    loop = [LOOPS[pooling](part) for part in h.split(SIZES)]
    assert_close(hidden, torch.stack(loop))


@pytest.mark.parametrize("sizes", [SIZES, [1, 1, 1], [3, 3], [5]])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_a_loop_over_graphs(pooling, sizes):
    h = draw(sum(sizes), 5).round()  # with several largest
    starts, results = torch.tensor([0, *np.cumsum(sizes)]), []
    delta = draw(len(sizes), 5)
    for pool in (
        lambda h: POOLINGS[pooling](h, starts),
        lambda h: torch.stack([LOOPS[pooling](part) for part in h.split(sizes)]),
    ):
        leaf = h.clone().requires_grad_()
        outputs = pool(leaf)
        outputs.backward(delta)
        results.append((outputs, leaf.grad))
    (ours, ours_grad), (loop, loop_grad) = results
    assert_close(ours, loop)
    if pooling != "max":
        assert_close(ours_grad, loop_grad)
        return
    # which of several largest has the gradient is left open
    is_largest = h == torch.repeat_interleave(ours, torch.tensor(sizes), 0)
    assert not ours_grad[~is_largest].any()
    sums = [part.sum(0) for part in ours_grad.split(sizes)]
    assert_close(torch.stack(sums), delta)


@pytest.mark.parametrize("make", [make_node_net, make_graph_net])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_gradients_are_those_of_differences(conv, make):
    net = make(conv, hidden_layer_sizes=(2,), activation="tanh")
    (x, messages, starts), _ = make_batch(conv, [3, 2])
    names = [name for name, _ in net.named_parameters()]
    rest = ([messages] * 2,) if make is make_node_net else (messages, starts)

    def run(x, *values):
        parameters = dict(zip(names, values, strict=True))
        return torch.func.functional_call(net, parameters, (x, *rest))

    values = [p.detach().clone().requires_grad_() for p in net.parameters()]
    assert torch.autograd.gradcheck(run, (x.requires_grad_(), *values))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_a_weight_of_two_is_a_graph_twice(conv, pooling):
    net = make_graph_net(conv, pooling=pooling, batch_norm=True)
    other, (once, _) = copy.deepcopy(net), make_batch(conv, [4, 3], [0, 1])
    twice, _ = make_batch(conv, [4, 3, 3], [0, 1, 1])
    weight = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    outputs = net(*once, row_weight=weight)
    repeated = other(*twice)
    assert net.has_batch_norm
    assert_close(outputs[[0, 1, 1]], repeated)
    assert_close(dict(net.named_buffers()), dict(other.named_buffers()))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_twenty_graphs_are_learned_by_heart(conv, batch_norm):
    options = {"hidden_layer_sizes": (24, 24), "batch_norm": batch_norm}
    net = make_graph_net(conv, pooling="sum", **options)
    initialize_graph_net(net, np.random.RandomState(0))
    batch, _ = make_batch(conv, [k % 4 + 2 for k in range(20)])
    y = torch.arange(20) % 2
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(*batch), y).backward()
        optimizer.step()
    assert (net(*batch).argmax(1) == y).all()


@pytest.mark.parametrize("make", [make_node_net, make_graph_net])
def test_attention_of_every_layer(make):
    net = make("gat")
    (x, messages, _), _ = make_batch("gat")
    per_layer = make is make_node_net
    weights = net.attention(x, [messages] * 3 if per_layer else messages)
    assert len(weights) == 2 + per_layer
    assert torch.equal(weights[0], net.convolutions[0].attention(x, messages))
    h = net.convolve(x, [messages] * 2)
    if per_layer:
        assert_close(weights[2], net.output.attention(h, messages))
    rows = torch.repeat_interleave(messages.starts.diff())
    for of_layer in weights:
        sums = of_layer.new_zeros(len(x), 2).index_add(0, rows, of_layer)
        assert_close(sums, torch.ones_like(sums))


@pytest.mark.parametrize("make", [make_node_net, make_graph_net])
def test_dropout_of_every_hidden_layer(make):
    net = make(dropout=[0.5, 0.25])
    (x, messages, starts), _ = make_batch("gcn")
    rest = ([messages] * 3,) if make is make_node_net else (messages, starts)
    assert not torch.equal(net(x, *rest), net(x, *rest))
    net.eval()
    assert torch.equal(net(x, *rest), net(x, *rest))
    net.train()
    masks = [DropoutMasks([0.5, 0.25], [np.random.SeedSequence(0)]) for _ in range(2)]
    attach_masks(net, masks[0])
    drawn = net.convolve(x, [messages] * 2)
    h = x
    for k, rate in enumerate([0.5, 0.25]):
        h = net.activation(net.convolutions[k](h, messages))
        h = h * masks[1].draw_like(k, h)
        assert net.dropouts[k].rate == rate
    assert torch.equal(drawn, h)
    with pytest.raises(ValueError, match="zip"):
        net.set_dropout([0.1])
    for n_given in (1, 3):
        with pytest.raises(ValueError, match=f"of 2 layers: got {n_given} of them"):
            net.convolve(x, [messages] * n_given)


@pytest.mark.parametrize("make", [make_node_net, make_graph_net])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_without_dropout_nothing_is_drawn(conv, make):
    net = make(conv, dropout=[0.0, 0.5])
    net.set_dropout(())
    (x, messages, starts), _ = make_batch(conv)
    rest = ([messages] * 3,) if make is make_node_net else (messages, starts)
    state = torch.get_rng_state()
    assert torch.equal(net(x, *rest), net.eval()(x, *rest))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("make", [make_node_net, make_graph_net])
def test_activations_may_be_changed(make):
    net, other = make("gin", activation="tanh"), make("gin", activation="relu")
    other.load_state_dict(net.state_dict())
    other.set_activation("tanh")
    (x, messages, starts), _ = make_batch("gin")
    rest = ([messages] * 3,) if make is make_node_net else (messages, starts)
    assert other.activation_name == "tanh"
    assert torch.equal(net(x, *rest), other(x, *rest))


def test_a_perceptron_before_the_outputs_is_not_as_narrow_as_these():
    net = make_node_net("gin", n_outputs=1)
    assert net.output.first.out_features == 4
    assert make_node_net("gin", 5).output.first.out_features == 5


@pytest.mark.parametrize("make", [make_node_net, make_graph_net])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_parameters_in_one_flat_tensor_train(conv, make):
    state = torch.get_rng_state()
    net = make(conv, device="meta", batch_norm=True)
    assert torch.equal(torch.get_rng_state(), state)
    flat = FlatParameters(net, torch.float64, torch.device("cpu"))
    initialize_graph_net(net, np.random.RandomState(0))
    for layer in (net.scaling, *net.norms):
        layer.reset_parameters()
    (x, messages, starts), _ = make_batch(conv)
    rest = ([messages] * 3,) if make is make_node_net else (messages, starts)
    before = net(x, *rest)
    before.sum().backward()
    assert before.isfinite().all()
    vectors = [p for p in net.parameters() if p.ndim < 2]
    assert flat.n_penalized + sum(p.numel() for p in vectors) == flat.values.numel()
    with torch.no_grad():
        flat.values.sub_(0.1)
    assert not torch.equal(net(x, *rest), before)


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_copies_are_equal(conv, clone):
    (x, messages, starts), _ = make_batch(conv)
    net = make_node_net(conv)
    assert torch.equal(clone(net)(x, [messages] * 3), net(x, [messages] * 3))
    net = make_graph_net(conv)
    assert torch.equal(clone(net)(x, messages, starts), net(x, messages, starts))


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_scaled_features_are_kept_while_training_alone(conv):
    """Outputs and gradients are those of a network that scales each time."""
    net = make_node_net(conv)
    net.scaling.set_scale(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 1.0, 0.5]))
    messages = [make_messages(make_matrix(draw_adjacency(5), conv))] * 3
    x, n_calls = draw(5, N_INPUTS), []
    net.scaling.register_forward_hook(lambda *_: n_calls.append(1))
    net.train()
    first = net(x, messages)
    first.sum().backward()
    before = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    again = net(x, messages)  # with sums of features, which the third time are kept
    third = net(x, messages)
    third.sum().backward()
    assert len(n_calls) == 1
    assert_close(again, first)
    assert_close(third, first)
    assert_close([p.grad for p in net.parameters()], before)
    net(x.clone(), messages)
    assert len(n_calls) == 2  # other features, though they are equal
    net.eval()
    assert_close(net(x, messages), first, rtol=0, atol=0)
    assert len(n_calls) == 3 and net._scaled is None
