"""What happens after every epoch: curves, scores, patience, best and safe weights."""

import time
from math import isfinite

import torch


class Diverged(Exception):
    """Weights are no longer finite."""


class Weights:
    """One copy of a module's parameters and buffers, to go back to.

    The copy carries a number, by which the note that belongs to it is found. Numbers
    and values are copied by a single call, and Python sees Ctrl-C between calls alone.

    Parameters
    ----------
    tensors : list of tensors
        What to copy and restore: one flat tensor, or many, and the buffers.
    note : object, optional
        What to keep with the copy.
    """

    def __init__(self, tensors, note=None):
        self.tensors = tensors
        self._number = torch.zeros((), dtype=torch.int64)
        self._numbered = [*tensors, self._number]
        self._copies = [tensor.clone() for tensor in self._numbered]
        self._notes = {0: note}

    def keep(self, note=None):
        """Copy the present values, whole or, if interrupted, not at all."""
        number = int(self._number) + 1
        self._notes = {**self._kept_note(), number: note}
        self._number.fill_(number)
        torch._foreach_copy_(self._copies, self._numbered)

    def annotate(self, note):
        """Keep another note with the copy that there is."""
        self._notes = dict.fromkeys(self._kept_note(), note)

    def restore(self):
        """Put the copied values back and return the note kept with them."""
        torch._foreach_copy_(self.tensors, self._copies[:-1])
        return next(iter(self._kept_note().values()))

    def _kept_note(self):
        number = int(self._copies[-1])
        return {number: self._notes[number]}

    def are_finite(self):
        """Whether all present values are finite."""
        return all(map(all_finite, self.tensors))


def all_finite(tensor):
    """Whether all values are finite; a sum that is says so at once."""
    return isfinite(tensor.sum()) or bool(torch.isfinite(tensor).all())


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
        Returns loss and score on the validation rows, and, where it is not the
        patience's `tol`, what the score has to rise by for an improvement.
    keeps_best : bool
        Early stopping: watch the score, return the best weights.
    verbose : bool
        Print a line an epoch.
    observe : callable, optional
        Returns what else is recorded of an epoch, by name, given its loss.

    Attributes
    ----------
    has_begun : bool
        Whether there are weights to go back to.
    whose : str
        What its printed lines begin with: nothing, or what several networks have set.
    """

    def __init__(
        self, curves, patience, schedule, validate, keeps_best, verbose, observe=None
    ):
        self.curves, self.patience, self.schedule = curves, patience, schedule
        self.validate, self.keeps_best, self.verbose = validate, keeps_best, verbose
        self.observe, self.n_iter, self.has_begun = observe, 0, False
        self.whose = ""

    def begin(self, net, tensors):
        """Remember the weights that training starts from.

        Of later ones those of the best epoch are kept, or with no early stopping those
        of the last one: whatever ends training, no others are gone back to.
        """
        self._kept = Weights(tensors, self._progress())
        curves = self.curves
        self._start = len(net.history)
        self._curves = [curves.loss, curves.validation_loss, curves.validation_score]
        self._lengths = [len(curve) for curve in self._curves]
        self._lowest_loss = min(self.curves.loss, default=float("inf"))
        self._clock = time.perf_counter()
        self.has_begun = True

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
        observed = self.observe(loss) if self.observe else {}
        if self.verbose:
            values = observed or {"loss": loss}
            entries = (f"{name} = {value:.8f}" for name, value in values.items())
            self._tell(f"Iteration {self.n_iter}, {', '.join(entries)}")
        is_finite = self._kept.are_finite()
        validation = self._validate(net, is_finite)
        self._record(net, loss, validation, observed)
        score, *margin = validation[1:] if self.keeps_best else [-loss]
        improved = self.patience.update(score, *margin)
        if not is_finite:
            raise Diverged
        if improved or not self.keeps_best:
            self._kept.keep(self._progress())
        else:
            self._kept.annotate(self._progress())
        if net.optimizer_ is not None:
            group = net.optimizer_.param_groups[0]
            self.schedule.after_epoch(group, self.curves.n_samples_seen)

    def _validate(self, net, is_finite):
        """What `validate` returns, NaN for weights that are."""
        if self.validate is None:
            return None
        net._set_training(False)
        validation = self.validate() if is_finite else (float("nan"), float("nan"))
        self.curves.validation_loss.append(validation[0])
        self.curves.validation_score.append(validation[1])
        if self.verbose and self.keeps_best:
            self._tell(f"Validation score: {validation[1]:f}")
        return validation

    def _record(self, net, loss, validation, observed):
        """Write the epoch's row of skorch's history."""
        now, curves = time.perf_counter(), self.curves
        row = {"train_loss": loss, "train_loss_best": loss < self._lowest_loss}
        row |= observed
        self._lowest_loss = min(self._lowest_loss, loss)
        if validation is not None:
            best_loss = min(curves.validation_loss[:-1], default=float("inf"))
            best_score = max(curves.validation_score[:-1], default=-float("inf"))
            row |= {
                "valid_loss": validation[0],
                "valid_loss_best": validation[0] < best_loss,
                "valid_score": validation[1],
                "valid_score_best": validation[1] > best_score,
            }
        if net.optimizer_ is not None:
            row["lr"] = net.optimizer_.param_groups[0]["lr"]
        net.history[-1].update(row, dur=now - self._clock)
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
            self._tell(
                f"{watched} more than tol={self.patience.tol:f} for "
                f"{self.patience.n_iter_no_change} consecutive epochs. {what}"
            )
        if not stops:
            self.patience.count = 0
        return stops

    def _tell(self, what):
        print(f"{self.whose}{what}")

    def _progress(self):
        """What has been reached by the end of the present epoch."""
        patience = self.patience
        return self.n_iter, self.curves.n_samples_seen, patience.best, patience.count

    def go_back(self):
        """Restore the best weights, or the last finite ones that ended an epoch.

        Returns
        -------
        tuple
            Progress at the end of the last epoch that ended with finite weights.
        """
        return self._kept.restore()

    def forget_unfinished(self, net):
        """Go back to the last finished epoch in everything, after an interrupt."""
        n_iter, n_samples_seen, best, count = self.go_back()
        del net.history[self._start + n_iter :]
        for curve, length in zip(self._curves, self._lengths, strict=True):
            del curve[length + n_iter :]
        self.n_iter, self.curves.n_samples_seen = n_iter, n_samples_seen
        self.patience.best, self.patience.count = best, count

    def finish(self):
        """Restore the best weights where early stopping asked for them."""
        if self.keeps_best:
            self._kept.restore()
