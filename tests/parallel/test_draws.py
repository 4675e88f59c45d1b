"""Nets that train at once draw from one random state as they would one by one."""

from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import check_random_state

from sknn.parallel._draws import draw_apart, draw_apart_from_one_another


def make_run(state, n_rows=10, max_epochs=3):
    """Run of a net as far as its draws go."""
    net = SimpleNamespace(iterator_train__random_state=state, max_epochs=max_epochs)
    return SimpleNamespace(net=net, rows=range(n_rows))


def shuffle(state, n_rows, n_epochs):
    """Order of rows after so many epochs."""
    order = np.arange(n_rows)
    for _ in range(n_epochs):
        state.shuffle(order)
    return order


@pytest.fixture
def shared():
    """Give numpy's global state, and leave it as it was."""
    state = check_random_state(None)
    before = state.get_state()
    yield state
    state.set_state(before)


@pytest.mark.parametrize(
    ("n_rows", "max_epochs", "n_epochs"),
    [(100, 3, 3), (100, 10_485, 10_485), (100, 50_000, 10_485), (2**20 + 1, 2, 1)],
)
def test_the_global_state_moves_on(shared, n_rows, max_epochs, n_epochs):
    """By all epochs, or as many as a million draws are enough for."""
    run, before = make_run(shared, n_rows, max_epochs), deepcopy(shared)
    draw_apart(run)
    own = run.net.iterator_train__random_state
    assert own is not shared
    assert_array_equal(shuffle(own, 9, 1), shuffle(deepcopy(before), 9, 1))
    shuffle(before, n_rows, n_epochs)
    assert_array_equal(shuffle(shared, 9, 1), shuffle(before, 9, 1))


def test_states_of_ones_own_and_none_are_left(shared):
    states = [np.random.RandomState(0), np.random.RandomState(0), None]
    before = [repr(state and state.get_state()) for state in states]
    runs = [make_run(state) for state in states]
    for run in runs:
        draw_apart(run)
    draw_apart_from_one_another(runs)
    for run, state in zip(runs, states, strict=True):
        assert run.net.iterator_train__random_state is state
    assert [repr(state and state.get_state()) for state in states] == before


def test_those_who_share_a_state_draw_one_after_another():
    state = np.random.RandomState(0)
    expected = deepcopy(state)
    runs = [make_run(state, n_rows, 2) for n_rows in (30, 20, 10)]
    draw_apart_from_one_another([runs[0], make_run(None), *runs[1:]])
    assert len({id(run.net.iterator_train__random_state) for run in runs}) == 3
    for run in runs:
        own, n_rows = run.net.iterator_train__random_state, len(run.rows)
        assert_array_equal(shuffle(own, n_rows, 2), shuffle(expected, n_rows, 2))
    assert_array_equal(shuffle(state, 9, 1), shuffle(expected, 9, 1))
