"""Limited-memory BFGS: scipy's, over the same gradient of all rows."""

import numpy as np
import scipy.optimize
import torch
from sklearn.exceptions import ConvergenceWarning

from sknn._sklearn_compat import lbfgs_verbosity
from sknn.data import Graphs, Nodes, cut_rows, make_batch, to_tensor
from sknn.data import move as move_inputs
from sknn.training._array_ops import NumpyOps

CHUNK = 16384
# nodes of several graphs
MOST_NODES = 1 << 17


class Objective:
    """Loss and gradient of all rows at a flat parameter vector, a chunk at a time.

    Parameters
    ----------
    net : Net
        Holds the flat parameters, the gradient and the penalty.
    rows : Rows
        Training rows.
    """

    def __init__(self, net, rows):
        self.net, self.rows = net, rows
        weight = rows.weight
        self.total = float(len(rows) if weight is None else weight.sum())
        self._bounds = _find_chunks(rows)
        self._single = None

    def __call__(self, x):
        """Loss and gradient at `x`, in float64."""
        flat, net = self.net.task.flat, self.net
        move(flat, x)
        net._set_training(True)
        loss, gradient = 0.0, torch.zeros_like(flat.gradient)
        for batch in self._chunks():
            loss += net.gradient(batch)
            gradient += flat.gradient
        flat.gradient.copy_(gradient)
        loss += net.penalize(self.total)
        flat.zero_frozen_gradients()
        return float(loss), flat.gradient.cpu().numpy().astype(np.float64)

    def _chunks(self):
        """Batches of rows whose total weight is that of all of them."""
        if self._single is None and len(self._bounds) == 1:
            self._single = self._chunk(*self._bounds[0])
        if self._single is not None:
            yield self._single
            return
        for start, stop in self._bounds:
            yield self._chunk(start, stop)

    def _chunk(self, start, stop):
        part = self.rows.subset(np.arange(start, stop))
        gradient = self.net.gradient
        x_native, y_native = (
            ops.from_numpy if ops is NumpyOps else self._tensor
            for ops in (gradient.ops, gradient.loss_ops)
        )
        X, y, weight = part.X, part.y, part.weight
        if isinstance(X, Graphs | Nodes):
            X = move_inputs(X.inputs(), self.net.task.flat.values.device)
        else:
            X = x_native(X)
        batch = make_batch(X, y_native(y), weight, y_native)
        batch.total = self.total
        return batch

    def _tensor(self, array):
        array = array.toarray() if hasattr(array, "toarray") else array
        return to_tensor(array).to(self.net.task.flat.values.device)


def _find_chunks(rows):
    """Bounds of the rows whose gradient is found at once."""
    X, n_rows = rows.arrays[0], len(rows)
    if isinstance(X, Nodes):
        return [(0, n_rows)]  # parts of a graph would compute the same again
    if isinstance(X, Graphs):
        return [(part.start, part.stop) for part in cut_rows(rows.X, MOST_NODES)]
    starts = range(0, n_rows, CHUNK)
    return [(start, min(start + CHUNK, n_rows)) for start in starts]


def minimize(net, rows, tol, max_iter, max_fun, verbose, warns=True):
    """Train by L-BFGS-B (Goodfellow et al., section 8.6.3), an iteration an epoch.

    Parameters
    ----------
    net : Net
        Net whose flat parameters are moved; its callbacks see every iteration.
    rows : Rows
        Training rows.
    tol : float
        Largest component of the gradient at which to stop.
    max_iter, max_fun : int
        Bounds on iterations and on evaluations.
    verbose : bool or int
        Whether scipy prints, where it still does.
    warns : bool
        Whether a search that ends before it has converged is worth a warning.

    Returns
    -------
    n_iter : int
        Iterations done.
    loss : float
        Loss at the end.
    problem : ConvergenceWarning or None
        What there is to tell.
    """
    flat, monitor, rows = net.task.flat, net.task.monitor, net.get_dataset(rows)
    validation = net.task.validation and net.get_dataset(net.task.validation)
    datasets = {"dataset_train": rows, "dataset_valid": validation}
    objective, in_epoch = Objective(net, rows), True
    net.notify("on_epoch_begin", **datasets)  # it may set initial weights

    if not flat.is_tied():
        flat.tie()
    initial = flat.values.cpu().numpy().astype(np.float64)

    def evaluate(x):
        nonlocal in_epoch
        if not in_epoch:
            net.notify("on_epoch_begin", **datasets)
            in_epoch = True
        return objective(x)

    def after_iteration(intermediate_result):
        nonlocal in_epoch
        move(flat, intermediate_result.x)
        loss = float(intermediate_result.fun)
        if not net.show_batches(rows, training=True):
            net.record_as_batch(loss, len(rows))
        net.show_batches(validation, training=False)
        monitor.after_epoch(net, loss, 0)
        in_epoch = False
        net.notify("on_epoch_end", **datasets)

    result = scipy.optimize.minimize(
        evaluate,
        initial,
        method="L-BFGS-B",
        jac=True,
        callback=after_iteration,
        options={
            "maxfun": max_fun,
            "maxiter": max_iter,
            "gtol": tol,
            **lbfgs_verbosity("iprint", 1 if verbose else -1),
        },
    )
    move(flat, result.x)
    if in_epoch:  # evaluations that led to no iteration
        net.history.pop()
    problem = None
    if warns and result.status != 0:
        problem = ConvergenceWarning(
            f"lbfgs failed to converge in {result.nit} iterations ({result.message}). "
            f"Try a larger max_iter than {max_iter} or max_fun than {max_fun}, or "
            "inputs scaled to unit variance."
        )
    return result.nit, float(result.fun), problem


def move(flat, x):
    """Set the flat parameters, and tie whatever a callback took loose."""
    if not flat.is_tied():
        flat.tie()
    flat.values.copy_(torch.from_numpy(x))
