"""What happens after every epoch: curves, scores, patience, best and safe weights."""

import time

import torch


class Diverged(Exception):
    """Weights are no longer finite."""


class Weights:
    """Copies of a module's parameters and buffers, to go back to.

    Parameters
    ----------
    tensors : list of tensors
        What to copy and restore: one flat tensor, or many, and the buffers.
    """

    def __init__(self, tensors):
        self.tensors = tensors
        self.copies = [tensor.clone() for tensor in tensors]

    def keep(self):
        """Copy the present values."""
        for copy, tensor in zip(self.copies, self.tensors, strict=True):
            copy.copy_(tensor)

    def restore(self):
        """Put the copied values back."""
        for copy, tensor in zip(self.copies, self.tensors, strict=True):
            tensor.copy_(copy)

    def are_finite(self):
        """Whether all present values are finite."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.tensors)


class Monitor:
    """Follows a training run and says when it is over.

    Parameters
    ----------
    curves : Curves
        Continued from epoch to epoch.
    patience : Patience
        Fed with the validation score if `keeps_best`, else with minus the loss.
    schedule : object
        Learning rate schedule.
    validate : callable or None
        Returns loss and score on the validation rows.
    keeps_best : bool
        Early stopping: watch the score, return the best weights.
    verbose : bool
        Print a line an epoch.
    """

    def __init__(self, curves, patience, schedule, validate, keeps_best, verbose):
        self.curves, self.patience, self.schedule = curves, patience, schedule
        self.validate, self.keeps_best, self.verbose = validate, keeps_best, verbose
        self.n_iter = 0

    def begin(self, net, tensors):
        """Remember the weights that training starts from."""
        self._safe = Weights(tensors)
        self._best = Weights(tensors) if self.keeps_best else None
        self._lowest_loss = min(self.curves.loss, default=float("inf"))
        self._clock = time.perf_counter()

    def after_epoch(self, net, loss, n_samples):
        """Record an epoch whose mean training loss was `loss`.

        Raises
        ------
        Diverged
            If a weight is no longer finite.
        """
        self.n_iter += 1
        self.curves.loss.append(loss)
        self.curves.n_samples_seen += n_samples
        if self.verbose:
            print(f"Iteration {self.n_iter}, loss = {loss:.8f}")
        is_finite = self._safe.are_finite()
        validation = self._validate(net, is_finite)
        self._record(net, loss, validation)
        score = validation[1] if self.keeps_best else -loss
        if self.patience.update(score) and self.keeps_best:
            self._best.keep()
        if not is_finite:
            raise Diverged
        self._safe.keep()
        if net.optimizer_ is not None:
            group = net.optimizer_.param_groups[0]
            self.schedule.after_epoch(group, self.curves.n_samples_seen)

    def _validate(self, net, is_finite):
        """Loss and score on the validation rows, NaN for weights that are."""
        if self.validate is None:
            return None
        net._set_training(False)
        loss, score = self.validate() if is_finite else (float("nan"), float("nan"))
        self.curves.validation_loss.append(loss)
        self.curves.validation_score.append(score)
        if self.verbose and self.keeps_best:
            print(f"Validation score: {score:f}")
        return loss, score

    def _record(self, net, loss, validation):
        """Write the epoch's row of skorch's history."""
        history, now = net.history, time.perf_counter()
        history.record("train_loss", loss)
        history.record("train_loss_best", loss < self._lowest_loss)
        self._lowest_loss = min(self._lowest_loss, loss)
        if validation is not None:
            curves = self.curves
            for name, value, past, sign in (
                ("valid_loss", validation[0], curves.validation_loss, 1),
                ("valid_score", validation[1], curves.validation_score, -1),
            ):
                earlier = min((sign * v for v in past[:-1]), default=float("inf"))
                history.record(name, value)
                history.record(name + "_best", sign * value < earlier)
        if net.optimizer_ is not None:
            history.record("lr", net.optimizer_.param_groups[0]["lr"])
        history.record("dur", now - self._clock)
        self._clock = now

    def is_over(self, net):
        """Whether nothing improves any more and the schedule has nothing left."""
        if not self.patience.is_exhausted:
            return False
        stops, what = self.schedule.on_plateau(net.optimizer_.param_groups[0])
        if self.verbose:
            watched = (
                "Validation score did not improve"
                if self.keeps_best
                else "Training loss did not improve"
            )
            print(
                f"{watched} more than tol={self.patience.tol:f} for "
                f"{self.patience.n_iter_no_change} consecutive epochs. {what}"
            )
        if not stops:
            self.patience.count = 0
        return stops

    def go_back(self):
        """Restore the weights of the last epoch that ended with finite ones."""
        self._safe.restore()

    def finish(self):
        """Restore the best weights where early stopping asked for them."""
        if self.keeps_best:
            self._best.restore()
