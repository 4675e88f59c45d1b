"""One training run, whatever ends it: convergence, a callback, Ctrl-C, divergence."""

import warnings
from contextlib import suppress

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn.training._callbacks import StopTraining
from sknn.training._lbfgs import minimize
from sknn.training._monitor import Diverged
from sknn.training._updates import begin_anew


def run(net, rows, *, lbfgs=None, warns=True):
    """Train `net` on `rows` and leave it with the weights to keep.

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

    Returns
    -------
    n_iter : int
        Epochs, or lbfgs iterations, done.
    loss : float
        Training loss at the end.

    Raises
    ------
    ValueError
        If weights are no longer finite; the net then has the last finite ones.
    """
    monitor, result, problem = net.task.monitor, None, None
    net.begin_training()
    with np.errstate(all="ignore"):
        try:
            net.notify("on_train_begin", X=rows, y=None)
            if lbfgs is not None:
                result = minimize(net, rows, **lbfgs)
            elif not net.fit_loop(rows) and warns and not _has_ended(net):
                problem = _not_converged(net.max_epochs)
        except StopTraining:
            monitor.forget_unfinished(net)
        except KeyboardInterrupt:
            monitor.forget_unfinished(net)
            problem = UserWarning("Training interrupted by user.")
        except Diverged:
            problem = _on_divergence(net)
        finally:
            net.end_training()
            monitor.finish()
        with suppress(StopTraining):
            net.notify("on_train_end", X=rows, y=None)
    if isinstance(problem, Warning):
        warnings.warn(problem, stacklevel=2)  # once all is in order: it may raise
    elif problem is not None:
        raise problem
    last_loss = monitor.curves.loss[-1] if monitor.curves.loss else float("nan")
    return result or (monitor.n_iter, last_loss)


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
