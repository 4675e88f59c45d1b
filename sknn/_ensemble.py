"""Several networks in one estimator: the mean of their answers, or the best one."""

import warnings
from contextlib import contextmanager
from copy import copy
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sknn._sklearn_compat import OWN_ATTRIBUTES, Interval, StrOptions

# attributes of an estimator of several networks that they have not themselves
OF_ALL = {"_networks", "_numbers", "_best", "_combined_as", *OWN_ATTRIBUTES}


class Member(NamedTuple):
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


class SeveralNetworks:
    """What `n_networks` and `combine` add to an estimator.

    It comes before a `BaseNetwork` in the bases. Each network is an estimator of the
    same class and parameters with a seed of its own. What they read and train on they
    share, and the fitted attributes of the estimator are those of the best of them.
    """

    _parameter_constraints: dict = {
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "combine": [StrOptions({"average", "best"})],
    }

    @property
    def networks_(self):
        """Fitted networks, each an estimator of its own."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'networks_' before "
                "fit."
            )
        return list(self._several or [self])

    @property
    def optimizer_(self):
        """Optimizer of the last training, with its state; None for lbfgs."""
        if self._several:
            return self._networks[self._best].optimizer_
        return super().optimizer_

    @property
    def _several(self):
        """Networks that a fit to several has kept, or None."""
        return vars(self).get("_networks")

    @property
    def _averages(self):
        """Whether answers are the mean of those of several networks."""
        return bool(self._several) and self._combined_as[1] == "average"

    # Training

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
        members = []
        numbers = self._numbers if continues else range(self.n_networks)
        networks = self._make_networks(before, random_state, numbers, continues)
        for number, network in zip(numbers, networks, strict=True):
            own, seed = self._open_context(root), network.random_state
            net, _ = network._prepare_net(data, seed, incremental, own, batch_size)
            members.append(Member(number, network, net, rows, own))
        self._keep(members, 0)
        return members

    def _check_same_networks(self):
        """Refuse to go on with another number of networks, or for another purpose."""
        fitted = vars(self).get("_combined_as", (1, self.combine))
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
            self._run_members(prepared, runs)
        finally:
            for member, run in zip(prepared, runs, strict=True):
                keep_results(member.network, member.net, run.result)
                member.network._place(data.fitted_dtype, data.device)
            n_left_out = self._choose(prepared, runs, incremental)
        tell_of_all(runs, n_left_out)

    def _run_members(self, members, runs):
        """Train networks, as one where that can be, else one after another."""
        from sknn.training._fit import run_all

        if all(run.can_wait for run in runs):
            run_all(runs)
            return
        for member, run in zip(members, runs, strict=True):
            with self._in_context(member):
                run_all([run])
            if run.ended_by in ("interrupt", "error"):
                break

    def _choose(self, members, runs, incremental):
        """Keep what `combine` asks for; return how many networks are of no use.

        These are networks that have diverged, or that Ctrl-C came before.
        """
        sound = [
            bool(member.network.loss_curve_) and run.ended_by != "divergence"
            for member, run in zip(members, runs, strict=True)
        ]
        useful = [m for m, is_sound in zip(members, sound, strict=True) if is_sound]
        kept = useful = useful or members
        best = int(np.argmax([merit(m.network, m.net) for m in useful]))
        if self.combine == "best" and not incremental:
            kept, best = [useful[best]], 0
        self._keep(kept, best)
        return len(members) - len(useful)

    def _keep(self, members, best):
        """Take networks, and the fitted attributes of the best one."""
        self._networks = [member.network for member in members]
        self._numbers = [member.number for member in members]
        self._best = best
        self._combined_as = self.n_networks, self.combine
        vars(self).update(self._adopted())

    def _adopted(self):
        """Fitted attributes that are the best network's."""
        parameters = self.get_params(deep=False)
        state = vars(self._networks[self._best])
        return {name: v for name, v in state.items() if name not in parameters}

    # scikit-learn's callbacks

    @property
    def _n_subtasks(self):
        """Most subtasks of a fit's root context: epochs, or networks."""
        return super()._n_subtasks if self.n_networks == 1 else self.n_networks

    def _open_context(self, root):
        """Part of a fit's root context that is one network's."""
        if root is None:
            return None
        context, arguments = root
        options = {"task_name": "network", "max_subtasks": self.max_iter}
        return context.subcontext(**options), arguments

    @contextmanager
    def _in_context(self, member):
        """Tell callbacks when the training of a network begins and ends."""
        if member.root is None:
            yield
            return
        context, arguments = member.root
        context.call_on_fit_task_begin(**arguments)
        yield
        context.call_on_fit_task_end(
            **arguments, reconstruction_attributes=member.network._alone
        )

    def _alone(self):
        """Attributes that let another estimator stand for this network."""
        return vars(copy(self)) | {"_networks": None, "_combined_as": (1, self.combine)}

    # Pickles, in which the best network is written once

    def __getstate__(self):
        if not self._several:
            return super().__getstate__()
        adopted, missing = self._adopted(), object()
        apart = {"_networks", "_optimizer", "_packed_optimizer"}
        rest = object.__new__(type(self))
        vars(rest).update(
            (name, v)
            for name, v in vars(self).items()
            if name not in apart and adopted.get(name, missing) is not v
        )
        networks = [network.__getstate__() for network in self._networks]
        return rest.__getstate__() | {"_networks": networks}

    def __setstate__(self, state):
        state = dict(state)
        states = state.pop("_networks", None) or []
        super().__setstate__(state)
        if not states:
            return
        self._networks = [object.__new__(type(self)) for _ in states]
        for network, own in zip(self._networks, states, strict=True):
            network.__setstate__(own)
        vars(self).update(self._adopted() | vars(self))

    # Answers

    def _predict_raw(self, X):
        if not self._averages:
            return super()._predict_raw(X)
        return self._raw_outputs(self._checked_inputs(X))

    def _raw_outputs(self, X):
        if not self._averages:
            return super()._raw_outputs(X)
        return self._targets.average(n._raw_outputs(X) for n in self._networks)

    def _predict_with_deviation(self, X):
        """Predictions, and their standard deviation over the networks."""
        X = self._checked_inputs(X)  # before anything that only a fit sets
        if not self._averages:
            raise ValueError(
                "return_std=True needs n_networks > 1 with combine='average' in the "
                f"fit: got n_networks={self.n_networks}, combine={self.combine!r}."
            )
        raws, targets = [n._raw_outputs(X) for n in self._networks], self._targets
        mean = targets.decode(targets.average(raw.copy() for raw in raws))
        return mean, np.std([targets.decode(raw) for raw in raws], axis=0)


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
        kind = str(run.problem).split(".")[0]  # its first sentence
        if isinstance(run.problem, Warning) and kind not in told:
            run.tell()
        told.add(kind)
    if n_left_out:
        diverged = [run for run in runs if run.ended_by == "divergence"]
        why = "training was interrupted before they had finished an epoch."
        if diverged:
            why = str(diverged[0].problem).rsplit(" The estimator", 1)[0]
        warnings.warn(
            f"{n_left_out} of {len(runs)} networks are left out: {why}",
            ConvergenceWarning,
            stacklevel=3,
        )
