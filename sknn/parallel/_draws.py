"""Draws from one random state, by nets that train at the same time."""

from collections import Counter
from copy import deepcopy

import numpy as np
from sklearn.utils import check_random_state

MOST_DRAWS = 2**20
"""Rows that are shuffled at most, in all epochs of a net, to move a state on."""


def draw_apart(run):
    """Let a net that would shuffle by numpy's global state do so by a copy."""
    if _state_of(run) is check_random_state(None):
        _draw_by_copy(run)


def draw_apart_from_one_another(runs):
    """Let nets that would all shuffle by one state do so by copies, one after another.

    Parameters
    ----------
    runs : list of Run
        Those about to be trained at once, in the order of their tasks.
    """
    states = [_state_of(run) for run in runs]
    n_runs = Counter(map(id, states))
    for run, state in zip(runs, states, strict=True):
        if state is not None and n_runs[id(state)] > 1:
            _draw_by_copy(run)


def _state_of(run):
    """What a net shuffles by, if it does."""
    return run.net.iterator_train__random_state


def _draw_by_copy(run):
    """Shuffle by a copy of the state, which moves on as training would have moved it.

    What draws next then gets what it would have got. It moves on by the last epoch, or
    for a long training by whole epochs of a million rows in all: otherwise that would
    take longer than many a training that stops early.
    """
    state, n_rows = _state_of(run), len(run.rows)
    run.net.iterator_train__random_state = deepcopy(state)
    order = np.arange(n_rows)
    for _ in range(min(run.net.max_epochs, max(MOST_DRAWS // n_rows, 1))):
        state.shuffle(order)
