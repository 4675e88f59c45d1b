"""Draws from numpy's global state, by nets that train at the same time."""

from copy import deepcopy

import numpy as np
from sklearn.utils import check_random_state


def draw_apart(run):
    """Let a net that would shuffle by numpy's global state do so by a copy.

    The state moves on as far as training to the last epoch would have moved it: what
    draws next gets what it would have got.
    """
    shared, net = check_random_state(None), run.net
    if net.iterator_train__random_state is not shared:
        return
    net.iterator_train__random_state = deepcopy(shared)
    order = np.arange(len(run.rows))
    for _ in range(net.max_epochs):
        shared.shuffle(order)
