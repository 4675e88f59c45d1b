"""One training run, whatever ends it: convergence, a callback, Ctrl-C, divergence."""

import warnings
from contextlib import suppress

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn.data import memory_of
from sknn.training._callbacks import StopTraining
from sknn.training._freezing import frozen
from sknn.training._lbfgs import minimize
from sknn.training._monitor import Diverged
from sknn.training._submit import train
from sknn.training._threads import limited_threads
from sknn.training._updates import begin_anew


class Run:
    """A net with the rows that it is to be trained on.

    Parameters
    ----------
    net : Net
        Initialized net.
    rows : Rows
        Training rows.
    lbfgs : dict, optional
        Options of `minimize`; None trains by the net's own loop.
    warns : bool
        Whether reaching the last epoch is worth a warning, unless the schedule of the
        learning rate ended there.
    threads : tuple of int and bool
        Size of the largest matrix product, and whether torch multiplies.

    Attributes
    ----------
    result : tuple or None
        Number of epochs, or lbfgs iterations, done, and training loss at the end; None
        where training raised.
    problem : Warning, Exception or None
        What `tell` has to say.
    ended_by : {"itself", "interrupt", "divergence", "error"}
        What ended the training; a divergence that left best weights is none.
    """

    ended_by = "itself"

    def __init__(self, net, rows, *, lbfgs=None, warns=True, threads=(0, False)):
        self.net, self.rows, self.lbfgs, self.warns = net, rows, lbfgs, warns
        self._threads, self.result, self.problem = threads, None, None

    @property
    def can_wait(self):
        """Whether it is worth company: a gradient by hand, nobody looking on."""
        return self.net.has_own_gradient

    @property
    def can_be_stacked(self):
        """Whether it may be one of several networks, each a row of one matrix."""
        task = self.net.task
        return self.can_wait and task.form.key is not None and task.flat.trains_all

    @property
    def n_bytes(self):
        """Memory of the inputs that the run holds on to while it waits."""
        return memory_of(self.rows.arrays[0])

    def train_alone(self):
        """Train now; return the outcome.

        Returns
        -------
        bool, tuple or BaseException
            Whether training was over before the last epoch, or what lbfgs found, or
            what was raised.
        """
        try:
            with limited_threads(*self._threads), frozen(self.net.task.flat.frozen):
                self.net.begin_training()
                return self._train()
        except BaseException as error:
            return error

    def _train(self):
        self.net.notify("on_train_begin", X=self.rows, y=None)
        if self.lbfgs is not None:
            return minimize(self.net, self.rows, **self.lbfgs, warns=self.warns)
        return self.net.fit_loop(self.rows)

    def end(self, outcome):
        """Leave the net with the weights to keep, whatever ended training."""
        net, monitor = self.net, self.net.task.monitor
        if not self._has_begun:
            self._take(outcome)
            return
        try:
            completed = self._take(outcome)
        finally:
            net.end_training()
            monitor.finish()
        if completed:
            with suppress(StopTraining):
                net.notify("on_train_end", X=self.rows, y=None)

    @property
    def _has_begun(self):
        """Whether training has: one of several may have been interrupted before."""
        return self.net.task.monitor.has_begun

    def _take(self, outcome):
        """Take what training returned or raised; say whether it came to an end."""
        net, monitor = self.net, self.net.task.monitor
        if isinstance(outcome, StopTraining):
            monitor.forget_unfinished(net)
        elif isinstance(outcome, KeyboardInterrupt):
            if self._has_begun:
                monitor.forget_unfinished(net)
            self.ended_by = "interrupt"
            self.problem = UserWarning("Training interrupted by user.")
        elif isinstance(outcome, Diverged):
            self.problem = _on_divergence(net)
            if isinstance(self.problem, ValueError):
                self.ended_by = "divergence"
        elif isinstance(outcome, BaseException):
            self.ended_by, self.problem = "error", outcome
            return False
        elif self.lbfgs is not None:
            n_iter, loss, self.problem = outcome
            self.result = n_iter, loss
        elif not outcome and self.warns and not _has_ended(net):
            self.problem = _not_converged(net.max_epochs)
        if self.result is None and isinstance(self.problem, Warning | None):
            last_loss = monitor.curves.loss[-1] if monitor.curves.loss else float("nan")
            self.result = monitor.n_iter, last_loss
        return True

    def tell(self):
        """Warn of what went wrong, or raise it, once all is in order."""
        problem, self.problem = self.problem, None
        if isinstance(problem, Warning):
            warnings.warn(problem, stacklevel=3)
        elif problem is not None:
            try:
                raise problem
            finally:
                problem = None  # it would keep this frame, and the frame it


def run_all(runs):
    """Train nets, together where that can be; leave each with the weights to keep.

    What a run has to warn of, or raises, waits for `Run.tell`.

    Parameters
    ----------
    runs : list of Run
        What to train.
    """
    with np.errstate(all="ignore"):
        outcomes = train(runs)
        for run, outcome in zip(runs, outcomes, strict=True):
            run.end(outcome)


def _has_ended(net):
    """Whether the learning rate is where it was to end: there is no more to expect."""
    return net.task.monitor.schedule.has_ended(net.optimizer_.param_groups[0])


def _not_converged(max_iter):
    return ConvergenceWarning(
        f"Stochastic Optimizer: Maximum iterations ({max_iter}) reached and the "
        "optimization hasn't converged yet."
    )


def _on_divergence(net):
    """Go back to finite weights and return the error, or a warning of best ones."""
    monitor = net.task.monitor
    monitor.go_back()
    rate = "with lbfgs"
    if net.optimizer_ is not None:
        rate = f"with learning rate {net.optimizer_.param_groups[0]['lr']:g}"
        begin_anew(net.optimizer_)
    if net.task.adversary is not None:
        begin_anew(net.task.adversary.optimizer)
    what = (
        "Solver produced non-finite parameter weights. The input data may contain "
        f"large values and need to be preprocessed. It happened in epoch "
        f"{monitor.n_iter} {rate}. Try a smaller learning_rate_init, gradient_clip, or "
        "inputs, and targets of a regressor, scaled to unit variance."
    )
    if monitor.keeps_best:
        return ConvergenceWarning(f"{what} The estimator keeps the best weights.")
    return ValueError(f"{what} The estimator keeps the last finite weights.")
