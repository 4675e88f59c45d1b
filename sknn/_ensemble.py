"""Several networks in one estimator: how they are trained, and which are kept."""

import re
import warnings
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sknn._ensemble_answers import AveragedAnswers
from sknn._ensemble_contexts import NetworkContexts
from sknn._ensemble_state import EnsembleState
from sknn._sklearn_compat import OWN_ATTRIBUTES, Interval, StrOptions

# attributes of an estimator of several networks that they have not themselves
OF_ALL = {"_networks", "_numbers", "_best", "_combined_as", *OWN_ATTRIBUTES}


class Prepared(NamedTuple):
    """One of several networks, ready to train.

    Attributes
    ----------
    number : int
        Which of the seeds of a fit is its own.
    network : BaseNetwork
        Estimator of this network alone.
    net : Net
        Its net.
    rows : Rows
        Training rows.
    root : tuple or None
        Its part of the fit's context for scikit-learn's callbacks, and what these are
        given.
    """

    number: int
    network: Any
    net: Any
    rows: Any
    root: Any


class SeveralNetworks(AveragedAnswers, EnsembleState, NetworkContexts):
    """What `n_networks` and `combine` add to an estimator.

    It comes before a `BaseNetwork` in the bases. Each network is an estimator of the
    same class and parameters with a seed of its own. What they read and train on they
    share, and the fitted attributes of the estimator are those of the best of them.
    """

    _parameter_constraints: dict = {
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "combine": [StrOptions({"average", "best"})],
    }

    def _prepare_training(self, data, before, incremental, root):
        continues = self._continues(incremental)
        if continues:
            self._check_same_networks()
        if self.n_networks == 1:
            for name in OF_ALL - OWN_ATTRIBUTES:
                vars(self).pop(name, None)
            return super()._prepare_training(data, before, incremental, root)
        random_state = check_random_state(self.random_state)
        rows, held_out = self._hold_out(data, random_state)  # the same for all
        data = data._replace(rows=rows, held_out=held_out)
        batch_size = self._resolve_batch_size(len(rows))
        numbers = self._numbers if continues else range(self.n_networks)
        networks = self._make_networks(before, random_state, numbers, continues)
        random_states = [check_random_state(one.random_state) for one in networks]
        prepared = []
        for i, network in enumerate(networks):
            own = self._open_context(root)
            options = random_states[i], incremental, own, batch_size
            net, _ = network._prepare_net(data, *options)
            net.task.monitor.whose = f"Network {numbers[i] + 1}: "
            prepared.append(Prepared(numbers[i], network, net, rows, own))
        if not continues:
            prepared = pretrain_all(prepared, random_states)
        self._keep_best(prepared, 0)
        return prepared

    def _check_same_networks(self):
        """Refuse to go on with another number of networks, or for another purpose."""
        fitted = self._combined_as or (1, self.combine)
        for name, was in zip(("n_networks", "combine"), fitted, strict=True):
            if getattr(self, name) != was:
                raise ValueError(
                    f"{name} must stay as fitted while warm_start or partial_fit goes "
                    f"on with the weights: it was {was!r}, and now "
                    f"{getattr(self, name)!r} is asked for."
                )

    def _make_networks(self, before, random_state, numbers, continues):
        """Estimators of one network each, sharing what has been read for all."""
        seeds = random_state.randint(np.iinfo(np.int32).max, size=self.n_networks)
        now = {name: v for name, v in vars(self).items() if name not in OF_ALL}
        if continues:  # with the state of each, and what reading has changed
            parameters = self.get_params(deep=False)
            changed = (n for n, v in now.items() if before.get(n, before) is not v)
            now = {name: now[name] for name in {*parameters, *changed}}
            states = [vars(network) for network in self._networks]
        else:
            states = [{}] * self.n_networks
        networks = []
        for state, number in zip(states, numbers, strict=True):
            network = object.__new__(type(self))
            own = {"n_networks": 1, "random_state": int(seeds[number])}
            vars(network).update({**state, **now, **own})
            networks.append(network)
        return networks

    def _run_training(self, prepared, data, incremental):
        if self.n_networks == 1:
            super()._run_training(prepared, data, incremental)
            return
        from sknn._assembly import keep_results

        runs = []
        for _, network, net, rows, _ in prepared:
            network._optimizer, network._packed_optimizer = net.optimizer_, None
            runs.append(network._make_run(net, rows, incremental))
        try:
            run_prepared(prepared, runs)
        finally:
            for (_, network, net, *_), run in zip(prepared, runs, strict=True):
                keep_results(network, net, run.result)
                network._place(data.fitted_dtype, data.device)
            n_left_out = self._choose(prepared, runs, incremental)
        tell_of_all(runs, n_left_out)

    def _choose(self, prepared, runs, incremental):
        """Keep what `combine` asks for; return how many networks are of no use.

        These are networks that have diverged, or that Ctrl-C came before.
        """
        useful = [
            one
            for one, run in zip(prepared, runs, strict=True)
            if one.network.loss_curve_ and run.ended_by != "divergence"
        ]
        kept = useful = useful or prepared
        best = int(np.argmax([merit(one.network, one.net) for one in useful]))
        if self.combine == "best" and not incremental:
            kept, best = [useful[best]], 0
        self._keep_best(kept, best)
        return len(prepared) - len(useful)

    def _keep_best(self, prepared, best):
        """Keep networks, and the number of each."""
        networks = [one.network for one in prepared]
        self._keep(networks, [one.number for one in prepared], best)


def pretrain_all(prepared, random_states):
    """Train the parts of new networks; return those that can be trained further."""
    sound, failures = [], []
    for one, random_state in zip(prepared, random_states, strict=True):
        try:
            one.network._pretrain(one.rows, one.net.batch_size, random_state)
        except ValueError as error:  # weights that are not finite
            failures.append(str(error))
        else:
            sound.append(one)
    if not sound:
        raise ValueError(failures[0])
    if failures:
        warn_of_left_out(len(failures), len(prepared), failures[0])
    return sound


def run_prepared(prepared, runs):
    """Train networks, as one where that can be, else one after another."""
    from sknn.training._fit import run_all

    if all(run.can_wait for run in runs):
        run_all(runs)
        return
    for one, run in zip(prepared, runs, strict=True):
        with one.network._in_context(one.root):
            run_all([run])
        if run.ended_by in ("interrupt", "error"):
            break


def merit(network, net):
    """How good a network is that has been trained: the more, the better.

    Its validation score where there are validation rows, else minus its loss.
    """
    monitor = net.task.monitor
    if monitor.validate is None:
        value = -network.loss_
    elif monitor.keeps_best:
        value = network.best_validation_score_
    else:
        value = network.validation_scores_[-1] if network.validation_scores_ else np.nan
    return value if np.isfinite(value) else -np.inf


def tell_of_all(runs, n_left_out):
    """Warn of what went wrong in several runs, once of each kind, or raise it.

    A divergence is no error as long as it only leaves out some of the networks.
    """
    fatal = {"error"} if n_left_out else {"error", "divergence"}
    for run in runs:
        if run.ended_by in fatal:
            run.tell()
    told = set()
    for run in runs:
        first_sentence = str(run.problem).split(".")[0]
        kind = re.sub(r"\d+", "", first_sentence)  # whatever the number of epochs
        if isinstance(run.problem, Warning) and kind not in told:
            run.tell()
        told.add(kind)
    if n_left_out:
        diverged = [run for run in runs if run.ended_by == "divergence"]
        why = "Training was interrupted before they had finished an epoch."
        if diverged:
            why = str(diverged[0].problem).rsplit(" The estimator", 1)[0]
        warn_of_left_out(n_left_out, len(runs), why)


def warn_of_left_out(n_left_out, n_networks, why):
    """Warn that some of the networks are of no use."""
    warnings.warn(
        f"Left out: {n_left_out} of {n_networks} networks. {why}",
        ConvergenceWarning,
        stacklevel=4,
    )
