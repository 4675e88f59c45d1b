"""Several nets of one form as one: a matrix of parameters, a row a network."""

import numpy as np
import torch

from sknn.data import StackedBatches
from sknn.training._array_ops import NumpyOps
from sknn.training._dropout import StackedMasks
from sknn.training._stacked_updates import in_order, make_updates

# bytes to whose multiples rows are filled up: kernels like them aligned
ALIGNMENT = 64


class Member:
    """A net in a stack, with its rows.

    Parameters
    ----------
    run : Run
        Not begun.
    """

    def __init__(self, run):
        self.run, self.net = run, run.net
        net = self.net
        self.rows, validation = net.get_dataset(run.rows), net.task.validation
        self.datasets = {
            "dataset_train": self.rows,
            "dataset_valid": validation and net.get_dataset(validation),
        }
        self.batches = net.get_iterator(self.rows, training=True)
        self.n_epochs_left = net.max_epochs
        net.begin_training(stacked=True)
        net._set_training(False)

    @property
    def weight(self):
        """Weights of its rows, or None."""
        return self.rows.arrays[2]

    def begin_epoch(self):
        """Tell the net.

        Returns
        -------
        iterator or None
            Sets the learning rate step by step; None where it stays.
        """
        self.net.notify("on_epoch_begin", **self.datasets)
        steps = self.batches.sizes()
        pace = self.net.pace(self.batches, steps)
        return None if pace is steps else pace

    def end_epoch(self, loss):
        """Record the epoch; say whether it was the last.

        Returns
        -------
        bool or None
            Whether training was over before the last epoch; None where it goes on.
        """
        self.net.record_as_batch(loss, len(self.rows))
        self.n_epochs_left -= 1
        if self.net.end_epoch(loss, self.datasets):
            return True
        return None if self.n_epochs_left else False


class Stack:
    """Networks that take their steps together.

    Parameters
    ----------
    members : list of Member
        Of one form, loss, optimizer, batch size and type. Until `release` the states
        of their optimizers, and after each epoch the weights, are here too.
    """

    def __init__(self, members):
        self.members = sorted(members, key=in_order)
        self._flats = [member.net.task.flat for member in self.members]
        n, dtype = len(self._flats[0].values), self._flats[0].values.dtype
        room = ALIGNMENT // dtype.itemsize
        shape = len(members), -(-n // room) * room
        self._values, self._gradients = torch.zeros(2, *shape, dtype=dtype)
        self._rows = [row[:n] for row in self._values]
        torch._foreach_copy_(self._rows, [flat.values for flat in self._flats])
        self._batches = StackedBatches([member.batches for member in self.members])
        self._updates = make_updates(self.members, self._values, self._gradients)
        tasks = [member.net.task for member in self.members]
        self._masks = None
        if any(task.masks for task in tasks):
            self._masks = StackedMasks([task.masks for task in tasks])
        self._task, self._rules = tasks[0], {}

    def train_epoch(self):
        """Train every network on each of its batches; return their mean losses."""
        paces = [member.begin_epoch() for member in self.members]
        paces = [pace for pace in paces if pace is not None]
        sums = np.zeros(len(self.members))
        for sizes, totals, batch in self._batches:
            n = len(totals)
            for pace in paces:
                next(pace, None)
            if self._masks is not None:
                # batches without any weight draw nothing, as they move nothing
                self._masks.sizes = np.where(totals == 0, 0, sizes)
            losses = self._step(n, totals, batch)
            sums[:n] += losses * sizes
        for pace in paces:
            next(pace, None)
        flat_values = [flat.values for flat in self._flats]
        torch._foreach_copy_(flat_values, self._rows)
        return sums / [len(member.rows) for member in self.members]

    def _step(self, n, totals, batch):
        """Move the first `n` networks; return their losses."""
        rule = self._rules.get(n)
        if rule is None:
            rule = self._rules[n] = self._make_rule(n)
        losses = rule(batch).astype(float)
        for update in self._updates:
            if update.rows.start >= n:
                break
            losses[update.rows] += update(totals)
        return losses

    def _make_rule(self, n):
        """Delta rule of the first `n` networks."""
        flat = self._flats[0]
        values, gradients = (
            list(flat.row_views(matrix[:n]))
            for matrix in (self._values, self._gradients)
        )
        make, loss = self._task.form.make_rule, self._task.loss
        return make(values, gradients, loss, NumpyOps, NumpyOps, self._masks)

    def release(self):
        """Give the optimizers, and whatever draws the batches, their states."""
        for update in self._updates:
            update.release()
        self._batches.release()
