"""Several nets trained at once: as many as are alike become one batched network."""

import threading
from itertools import pairwise

import numpy as np
from sklearn import config_context, get_config

from sknn.data import are_equal
from sknn.training._parallel import Team
from sknn.training._stack import Member, Stack
from sknn.training._threads import available_threads, limited_threads

# bytes of a stack's memory that one step goes through
CACHE = 1 << 21
MOST_NETWORKS = 64


def train_together(runs):
    """Train nets, those that are alike as one.

    Parameters
    ----------
    runs : list of Run
        Each with a net and its rows.

    Returns
    -------
    list
        Outcome of each run, as `Run.train_alone` has it. Ctrl-C is the outcome of all
        that had not ended.
    """
    outcomes, stop = {}, threading.Event()
    blocks = make_blocks([run for run in runs if run.can_wait], available_threads())
    with limited_threads(0):
        _train_blocks(blocks, outcomes, stop)
    for run in runs:
        if not run.can_wait and not stop.is_set():
            _train_alone(run, outcomes, stop)
    return [outcomes.get(run, KeyboardInterrupt()) for run in runs]


def _train_blocks(blocks, outcomes, stop):
    """Train blocks, each in whichever thread is free first."""
    team = Team(min(available_threads(), len(blocks)))
    config = get_config()

    def train(i):
        if stop.is_set():
            return
        with config_context(**config):  # each thread has its own
            if len(blocks[i]) == 1:
                _train_alone(blocks[i][0], outcomes, stop)
            else:
                train_block(blocks[i], outcomes, stop)

    try:
        team.map(train, len(blocks))
    except KeyboardInterrupt:
        stop.set()
    finally:
        team.close()


def _train_alone(run, outcomes, stop):
    """Train one run by itself; write its outcome."""
    outcomes[run] = run.train_alone()
    if isinstance(outcomes[run], KeyboardInterrupt):
        stop.set()


def make_blocks(runs, n_threads):
    """Lists of runs that are trained as one network each, the longest first.

    Parameters
    ----------
    runs : list of Run
        All of them can wait.
    n_threads : int
        Blocks are as many, if runs are, so that each thread has one.
    """
    groups = {}
    for run in runs:
        if run.can_be_stacked:
            groups.setdefault(_key(run), []).append(run)
    blocks = [[run] for run in runs if not run.can_be_stacked]
    for group in map(_by_rows, groups.values()):
        most = n_networks_at_once(group[0])
        n_blocks = max(-(-len(group) // most), min(n_threads, len(group) // 2), 1)
        bounds = np.linspace(0, len(group), n_blocks + 1).astype(int)
        blocks += [group[start:stop] for start, stop in pairwise(bounds)]
    return sorted(blocks, key=len, reverse=True)


def _by_rows(runs):
    """Runs in such an order that those on equal rows are next to each other."""
    kinds = []  # lists of runs on equal rows
    for run in runs:
        arrays = run.rows.arrays
        for kind in kinds:
            if are_equal(kind[0].rows.arrays, arrays):
                kind.append(run)
                break
        else:
            kinds.append([run])
    return [run for kind in kinds for run in kind]


def _key(run):
    """What runs have to have in common to be trained as one network."""
    net, (X, y, _) = run.net, run.rows.arrays
    loss = net.task.loss
    return (
        net.task.form.key,
        type(loss),
        repr(vars(loss)),
        net.optimizer,
        net.batch_size,
        X.dtype,
        y.dtype,
        y.shape[1:],
    )


def n_networks_at_once(run):
    """Networks like that of a run whose weights and activations stay in cache."""
    n_parameters = len(run.net.task.flat.values)
    sizes = run.net.task.form.key[0]
    n_entries = 5 * n_parameters + 2 * run.net.batch_size * sum(sizes)
    n_bytes = n_entries * run.rows.arrays[0].dtype.itemsize
    return min(max(CACHE // n_bytes, 1), MOST_NETWORKS)


def train_block(runs, outcomes, stop):
    """Train runs of one block as one network; write each one's outcome."""
    members = [Member(run) for run in runs]
    while members and not stop.is_set():
        try:
            members = _train_stack(members, outcomes, stop)
        except KeyboardInterrupt:
            stop.set()
        except Exception as error:
            outcomes |= dict.fromkeys((member.run for member in members), error)
            return


def _train_stack(members, outcomes, stop):
    """Train until a network is over; return the members that go on."""
    stack, left = Stack(members), []
    try:
        while not stop.is_set():
            losses = stack.train_epoch()
            for member, loss in zip(stack.members, losses, strict=True):
                try:
                    outcome = member.end_epoch(float(loss))
                except Exception as error:
                    outcome = error
                if outcome is None:
                    left.append(member)
                else:
                    outcomes[member.run] = outcome
            if len(left) < len(members):
                break
            left = []
    finally:
        stack.release()
    return left
