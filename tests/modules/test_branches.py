"""Branches of a network in threads of their own: the same bits as one after another."""

import copy
import pickle

import numpy as np
import pytest
import torch

from sknn import RecurrentClassifier
from sknn.modules import RecurrentNet
from sknn.modules._branches import run_branches
from sknn.training._parallel import Team, attach_team


@pytest.fixture
def team():
    team = Team(2)
    yield team
    team.close()


def test_gradients_are_those_of_one_after_another(team):
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn(3, 3, generator=generator) for _ in range(3)]

    def find_gradients(map_calls):
        x, a, b = (tensor.clone().requires_grad_() for tensor in tensors)
        functions = (lambda x, w: (x @ w).tanh(), lambda x, w: (x * w).exp())
        first, second = run_branches(functions, ((x, a), (x, b)), map_calls)
        (first * second).sum().backward()
        return [first.detach(), second.detach(), x.grad, a.grad, b.grad]

    for ours, theirs in zip(
        find_gradients(team.map), find_gradients(None), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_inputs_that_need_no_gradient_get_none(team):
    x, weight = torch.ones(2), torch.ones(2, requires_grad=True)
    inputs = ((x, weight), (x, weight))
    first, second = run_branches((torch.mul, torch.add), inputs, team.map)
    (first + second).sum().backward()
    assert x.grad is None
    assert weight.grad.tolist() == [2, 2]


def test_without_gradients_nothing_is_recorded(team):
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        outputs = run_branches((torch.neg, torch.exp), ((x,), (x,)), team.map)
    assert not any(output.requires_grad for output in outputs)


def test_errors_of_a_branch_are_raised(team):
    def fail(x):
        raise ValueError("no such branch")

    x = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="no such branch"):
        run_branches((torch.neg, fail), ((x,), (x,)), team.map)


def make_net():
    return RecurrentNet(3, 2, hidden_layer_sizes=(64, 8), bidirectional=True)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_directions_at_the_same_time_change_no_bit(cell):
    rng = np.random.RandomState(0)
    X = [rng.randn(n, 3).astype(np.float32) for n in rng.randint(20, 40, 40)]
    y = np.arange(40) % 2
    model = RecurrentClassifier(cell=cell, max_iter=2, random_state=0, tol=0)
    weights, n_threads = [], torch.get_num_threads()
    for n in (1, 2):
        torch.set_num_threads(n)
        try:
            model.fit(X, y)
        finally:
            torch.set_num_threads(n_threads)
        weights.append(model._flat.values.clone())
    assert torch.equal(*weights)


def test_long_batches_use_both_threads_and_short_ones_do_not():
    net, calls = make_net(), []

    def count(function, n):
        calls.append(n)
        return [function(i) for i in range(n)]

    net.layers[0].map_calls = net.layers[1].map_calls = count
    net(torch.zeros(4, 3, 3))
    assert not calls
    net(torch.zeros(32, 50, 3))
    assert calls == [2, 2]


def test_a_net_with_a_team_is_pickled_and_copied_without(team):
    net = make_net()
    attached = attach_team(net, 2)
    try:
        for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
            assert other.layers[0].map_calls is None
        assert net.layers[0].map_calls is not None
    finally:
        attached.close()
    assert attach_team(net, 1) is None
    assert net.layers[0].map_calls is None


def test_only_networks_in_two_directions_have_a_team():
    assert attach_team(RecurrentNet(3, 2, hidden_layer_sizes=(4,)), 2) is None
