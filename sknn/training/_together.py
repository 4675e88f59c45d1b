"""Several nets trained at once: as many as are alike become one batched network."""

import threading
from contextlib import nullcontext
from copy import copy
from itertools import pairwise

import numpy as np
from sklearn import config_context, get_config

from sknn.data import are_equal
from sknn.training._monitor import Diverged
from sknn.training._parallel import Team
from sknn.training._stack import Member, Stack
from sknn.training._threads import (
    available_threads,
    limited_threads,
    sharing_cores,
)

# bytes of parameters, their gradients and moments, and of activations, that a step of a
# block goes through: with more, they come from slower memory than they need; with
# less, calls cost more than what they do (digits, one core: networks of 32 units are
# fastest by 20 and more, of 100 units by 12, of two layers of 256 one by one)
CACHE = 5 << 20
# networks at once that a block has at least: with fewer there is nothing to gain
FEWEST_NETWORKS = 4
# multiply-adds of a step of a block from which threads save more than they lose by
# waiting for Python's lock at each of its calls
WORTH_A_THREAD = 16_000_000
# networks of a block at most, whose scores are all found by one thread
MOST_NETWORKS = 64


def train_together(runs):
    """Train nets, those that are alike as one.

    Parameters
    ----------
    runs : list of Run
        Each with a net and its rows; all of them can wait.

    Returns
    -------
    list
        Outcome of each run, as `Run.train_alone` has it. Ctrl-C is the outcome of all
        that had not ended.
    """
    outcomes, stop = {}, threading.Event()
    # scorers are not ours: they run one at a time, in the thread that asks for them
    ours = [run for run in runs if not run.net.task.form.has_scorer]
    theirs = [run for run in runs if run.net.task.form.has_scorer]
    with limited_threads(0):
        n_threads = available_threads()
        large, small = [], []
        for block in make_blocks(ours, n_threads):
            if _work(block) >= WORTH_A_THREAD:
                large.append(block)
            else:
                small += block
        _train_blocks(make_blocks([*theirs, *small], 1), 1, outcomes, stop)
        _train_blocks(large, n_threads, outcomes, stop)
    return [outcomes.get(run, KeyboardInterrupt()) for run in runs]


def _train_blocks(blocks, n_threads, outcomes, stop):
    """Train blocks, each in whichever thread is free first."""
    if not blocks or stop.is_set():
        return
    team, config = Team(min(n_threads, len(blocks))), get_config()
    in_thread = sharing_cores if n_threads > 1 else nullcontext

    def train(i):
        if stop.is_set():
            return
        try:
            with config_context(**config), in_thread():  # each thread has its own
                _train_block(blocks[i], outcomes, stop)
        except BaseException:  # Ctrl-C, which the main thread alone hears
            stop.set()
            raise

    try:
        team.map(train, len(blocks))
    except KeyboardInterrupt:
        stop.set()
    finally:
        team.close()


def make_blocks(runs, n_threads):
    """Lists of runs that are trained as one network each, the longest first.

    Parameters
    ----------
    runs : list of Run
        All of them can wait.
    n_threads : int
        Threads that are to have equally many blocks of a kind.
    """
    groups = {}
    for run in runs:
        if run.can_be_stacked:
            groups.setdefault(_key(run), []).append(run)
    blocks = [[run] for run in runs if not run.can_be_stacked]
    for group in map(_by_rows, groups.values()):
        at_once = _n_networks_at_once(group[0])
        n_rounds = -(-len(group) // (at_once * n_threads))
        n_blocks = min(n_rounds * n_threads, max(len(group) // 2, 1))
        if at_once == 1:
            n_blocks = len(group)
        bounds = np.linspace(0, len(group), n_blocks + 1).astype(int)
        blocks += [group[start:stop] for start, stop in pairwise(bounds)]
    return sorted(blocks, key=len, reverse=True)


def _work(runs):
    """Multiply-adds of a step of a block."""
    return sum(3 * run.net.batch_size * run.net.task.flat.n_penalized for run in runs)


def _by_rows(runs):
    """Runs in such an order that those on equal rows are next to each other."""
    kinds = {}  # what can be seen at a glance -> lists of runs on equal rows
    for run in runs:
        X, y, _ = run.rows.arrays
        alike = kinds.setdefault((X.shape, X[-1:].tobytes(), y[-1:].tobytes()), [])
        for kind in alike:
            if are_equal(kind[0].rows.arrays, (X, y)):
                kind.append(run)
                break
        else:
            alike.append([run])
    return [run for alike in kinds.values() for kind in alike for run in kind]


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


def _n_networks_at_once(run):
    """Networks like that of a run whose weights and activations stay in cache."""
    n_parameters = len(run.net.task.flat.values)
    sizes = run.net.task.form.key[0]
    n_entries = 5 * n_parameters + 2 * run.net.batch_size * sum(sizes)
    n_bytes = n_entries * run.rows.arrays[0].dtype.itemsize
    n_networks = min(CACHE // n_bytes, MOST_NETWORKS)
    return n_networks if n_networks >= FEWEST_NETWORKS else 1


def _train_block(runs, outcomes, stop):
    """Train runs of one block as one network; write each one's outcome."""
    if len(runs) == 1:
        (run,) = runs
        outcomes[run] = run.train_alone()
        if isinstance(outcomes[run], KeyboardInterrupt):
            stop.set()
        return
    members = []
    for run in runs:
        member = _attempt(Member, run)
        if isinstance(member, Exception):
            outcomes[run] = member
        else:
            members.append(member)
    while members and not stop.is_set():
        left = _attempt(_train_stack, members, outcomes, stop)
        if isinstance(left, Exception):
            outcomes |= {member.run: copy(left) for member in members}
            return
        members = left


def _train_stack(members, outcomes, stop):
    """Train until a network is over; return the members that go on."""
    stack, left = Stack(members), members
    try:
        while len(left) == len(members) and not stop.is_set():
            losses, left = stack.train_epoch().tolist(), []
            for member, loss in zip(stack.members, losses, strict=True):
                outcome = _attempt(member.end_epoch, loss)
                if outcome is None:
                    left.append(member)
                else:
                    outcomes[member.run] = outcome
    finally:
        stack.release()
    return left


def _attempt(function, *arguments):
    """What a function returns, or the exception that it raises."""
    try:
        return function(*arguments)
    except Diverged as error:
        return error.with_traceback(None)  # through its frames it would keep the stack
    except Exception as error:
        return error
