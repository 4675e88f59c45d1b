"""The training loop: skorch's, on our batches, our gradient and one flat tensor."""

import numpy as np
import torch
from skorch.dataset import Dataset
from torch import nn
from torch.optim import Optimizer

from sknn.data import Batch, Parts, Rows, make_batches
from sknn.training._answers import AnsweringNet
from sknn.training._array_ops import NumpyOps
from sknn.training._callbacks import (
    BATCH_HOOKS,
    EpochContexts,
    StopTraining,
    is_request,
    looks_at_batches,
    noting_sizes,
    picks_parameters,
)
from sknn.training._checkpoint import load_optimizer, owners_of, pack_optimizer
from sknn.training._gradient import AutogradGradient, call
from sknn.training._updates import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    FusedOptimizer,
    RMSprop,
)
from sknn.training._wide import WideStep

# optimizers that treat every entry of a tensor alike, so that one flat tensor is as
# good as many
ELEMENTWISE = {
    SGD,
    Adam,
    AdamW,
    Adagrad,
    RMSprop,
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adagrad,
    torch.optim.RMSprop,
}


class NetRows(Rows, Dataset):
    """Rows whose inputs and targets skorch's scoring callbacks find."""


class Net(AnsweringNet):
    """skorch's net with resident batches, a flat parameter and a lean epoch.

    Every skorch callback works on it. Parameters stay plain, one tensor each, where a
    flat one would be silently wrong: callbacks that pick parameters, parameter groups,
    and optimizers that look at a tensor's shape, or know of no frozen parameters.

    Parameters
    ----------
    *args, **kwargs
        As for `skorch.NeuralNet`.
    task : Task
        What the estimator adds.
    """

    def __init__(self, *args, task, **kwargs):
        self.task = task
        kwargs.setdefault("dataset", NetRows)
        kwargs.setdefault("iterator_train", make_batches)
        kwargs.setdefault("iterator_valid", make_batches)
        super().__init__(*args, train_split=None, verbose=0, **kwargs)

    def __setattr__(self, name, value):
        """Set an attribute; skorch does more for modules and optimizers alone."""
        if isinstance(value, (nn.Module, Optimizer)):
            super().__setattr__(name, value)
        else:
            object.__setattr__(self, name, value)

    def get_default_callbacks(self):
        """No callbacks but those given: the monitor records what they would."""
        return []

    def initialize_callbacks(self):
        """Take those given, if any: for none skorch makes a class that is garbage."""
        if self.callbacks:
            return super().initialize_callbacks()
        self.callbacks_ = []
        return self

    @property
    def is_flat(self):
        """Whether one flat tensor may stand for all parameters."""
        return (
            self.optimizer in ELEMENTWISE
            and not any(picks_parameters(cb) for _, cb in self.callbacks_)
            and "optimizer__param_groups" not in vars(self)
            and (
                issubclass(self.optimizer, FusedOptimizer) or self.task.flat.trains_all
            )
        )

    def _validate_params(self):
        """Check names that callbacks set later; the estimator's own are right."""
        if self.initialized_:
            super()._validate_params()

    def initialize_module(self):
        """Take the module as it is."""
        self.module_ = self.module
        return self

    def initialize_criterion(self):
        """Take the criterion as it is."""
        self.criterion_ = self.criterion
        return self

    def initialize_optimizer(self, *args, **kwargs):
        """Build the optimizer on the flat parameter, or go on with an earlier one."""
        task = self.task
        if self.optimizer is None:
            self.optimizer_ = None
        elif task.optimizer is not None and self._goes_on(task.optimizer):
            self.optimizer_ = task.optimizer
        elif self.is_flat:
            task.flat.tie()
            args, kwargs = self.get_params_for_optimizer(
                "optimizer", [("flat", task.flat.parameter)]
            )
            self.optimizer_ = self.optimizer(*args, **kwargs)
        else:
            task.flat.untie()
            super().initialize_optimizer()
        if task.optimizer is not None and self.optimizer_ is not task.optimizer:
            packed = pack_optimizer(task.flat, task.optimizer)
            load_optimizer(task.flat, packed, self.optimizer_)
        return self

    def _goes_on(self, optimizer):
        """Whether an earlier optimizer steps on the parameters that are used now."""
        on_flat = owners_of(self.task.flat, optimizer)[0] is self.task.flat.parameter
        return on_flat == self.is_flat

    def initialize_history(self):
        """Begin a history, or go on with that of an earlier fit."""
        super().initialize_history()
        if self.task.history is not None:
            self.history_ = self.task.history
        return self

    def _set_training(self, training=True):
        """Set the mode of the module and of what is in it, if it is another."""
        if self.module_.training != training:
            super()._set_training(training)

    def _zero_grad_optimizer(self, set_to_none=None):
        """Clear gradients; the flat one is kept, since views would come loose."""
        if not self.is_flat_now:
            super()._zero_grad_optimizer(set_to_none)
            return
        flat = self.task.flat
        if not flat.is_tied():
            flat.tie()
        flat.gradient.zero_()

    def get_dataset(self, X, y=None):
        """Rows that skorch knows as a data set of its own, from rows or arrays."""
        if isinstance(X, NetRows):
            return X
        return NetRows(*X.arrays, X.index) if isinstance(X, Rows) else NetRows(X, y)

    def notify(self, method_name, **cb_kwargs):
        """Tell callbacks, which stop training by a KeyboardInterrupt after an epoch."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as interrupt:
            if method_name in BATCH_HOOKS or not is_request(interrupt):
                raise
            raise StopTraining from interrupt

    @property
    def has_own_gradient(self):
        """Whether it has a gradient by hand on the CPU, and nobody looks on."""
        if self.task.form is None or self.optimizer is None or self.callbacks_:
            return False
        return self.task.flat.on_cpu and self.is_flat

    def begin_training(self, stacked=False):
        """Make the gradient and remember the weights that training starts from.

        Parameters
        ----------
        stacked : bool
            Whether the gradient is found elsewhere, with those of other nets.
        """
        task = self.task
        self.is_flat_now = self.optimizer is None or self.is_flat
        self.gradient = None if stacked else self._make_gradient()
        flat, is_flat = task.flat, self.is_flat_now
        self._has_callbacks = any(
            not isinstance(cb, EpochContexts) for _, cb in self.callbacks_
        )
        self.penalize = self._penalize_each
        self.update = self.optimizer_ and self.optimizer_.step
        if is_flat:
            self._update_flat()
        if task.penalty.l1:
            self.penalize = self._pass_on_l1(self.penalize)
        others = [*getattr(task.adversary, "tensors", ()), *self.module_.buffers()]
        task.monitor.begin(self, [*flat.tensors(is_flat), *others])

    def _make_gradient(self):
        """Gradient of a batch: by hand, against an adversary, or by autograd."""
        task = self.task
        gradient = task.make_gradient(task.flat) if self.is_flat_now else None
        if task.adversary is not None:
            gradient = task.adversary.against(self)
        if gradient is not None:
            return gradient
        sources = {"masks": task.masks, "generator": task.generator}
        clear = self._zero_grad_optimizer
        return AutogradGradient(self.module_, task.loss, clear, **sources)

    def _update_flat(self):
        """Penalise and update the flat tensor, or what of it is to move."""
        flat = self.task.flat
        self.penalize = self.task.penalty.on_trained(flat)
        slices = None
        if not flat.trains_all:
            flat.zero_frozen_gradients()
            slices = flat.trained_slices()
        if isinstance(self.optimizer_, FusedOptimizer):
            self.optimizer_.move_only(slices)
            self.update = self.optimizer_.on(flat.parameter)
            if slices is None:
                self._update_in_blocks()

    def _update_in_blocks(self):
        """Penalise and update in one where that saves the gradient's memory.

        A callback may look at the gradient.
        """
        task, shape = self.task, getattr(self.gradient, "wide_shape", None)
        if shape and not self._has_callbacks:
            step = WideStep(task.flat, self.optimizer_, task.penalty, *shape)
            self.gradient.write_sparse = step.keep_product
            self.penalize, self.update = step, lambda: None

    def end_training(self):
        """Let go of the gradient, its memory and its threads; go to evaluation mode."""
        close = getattr(self.gradient, "close", None)
        if close is not None:
            close()
        self.gradient = self.penalize = self.update = None
        if self.is_flat_now and isinstance(self.optimizer_, FusedOptimizer):
            self.optimizer_.move_only(None)
        self._set_training(False)

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train for a number of epochs, or until the monitor says that it is over.

        Returns
        -------
        bool
            Whether it was over before the last epoch.
        """
        train, validation = self.get_dataset(X, y), self.task.validation
        validation = validation and self.get_dataset(validation)
        datasets = {"dataset_train": train, "dataset_valid": validation}
        batches = self.get_iterator(train, training=True)
        for _ in range(self.max_epochs if epochs is None else epochs):
            self.notify("on_epoch_begin", **datasets)
            loss = self._train_epoch(batches)
            self.show_batches(validation, training=False)
            if self.end_epoch(loss, datasets):
                return True
        return False

    def end_epoch(self, loss, datasets):
        """Record an epoch and tell callbacks; say whether training is over."""
        self.task.monitor.after_epoch(self, loss, len(datasets["dataset_train"]))
        self.notify("on_epoch_end", **datasets)
        return self.task.monitor.is_over(self)

    def _train_epoch(self, batches):
        """Train on every batch once and return the mean loss."""
        if not self.module_.training:
            self._set_training(True)
        if any(looks_at_batches(cb, training=True) for _, cb in self.callbacks_):
            sizes = []
            counted = noting_sizes(self.pace(batches, batches), sizes)
            self.run_single_epoch(counted, True, "train", self.train_step)
            rows = self.history[-1, "batches"]
            losses = [row["train_loss"] for row in rows if "train_loss" in row]
            return float(np.average(losses, weights=sizes[: len(losses)]))
        return self._train_lean_epoch(batches)

    def _train_lean_epoch(self, batches):
        """The same without telling anybody: a gradient and an update a batch."""
        flat, gradient = self.task.flat, self.gradient
        if self.is_flat_now and self._has_callbacks and not flat.is_tied():
            flat.tie()
        x_native, y_native = (
            None if ops is NumpyOps else torch.from_numpy
            for ops in (gradient.ops, gradient.loss_ops)
        )
        penalize, update = self.penalize, self.update
        if self._has_callbacks:
            update = self.optimizer_.step
        total, n_rows = 0.0, 0
        cut = getattr(gradient, "cut", None)
        for batch in self.pace(batches, batches.reused(x_native, y_native, cut)):
            n_rows += batch.n_rows
            if batch.total == 0:
                continue
            loss = gradient(batch) + penalize(batch.total)
            update()
            update = self.update  # one `step` is what a scheduler wants to see
            total += loss * batch.n_rows
        gradient.settle()
        loss = float(total) / n_rows
        self.record_as_batch(loss, n_rows)
        return loss

    def pace(self, batches, drawn):
        """Batches of an epoch, `drawn` somehow, the schedule setting their rates."""
        group, schedule = self.optimizer_.param_groups[0], self.task.monitor.schedule
        return schedule.paced(drawn, group, batches.n_rows)

    def record_as_batch(self, loss, n_rows):
        """Give an epoch that showed no batches one: callbacks ask for its keys."""
        batch = {"train_loss": loss, "train_batch_size": n_rows}
        self.history[-1]["batches"].append(batch)

    def _penalize_each(self, total):
        """Add the penalty's gradient to each plain parameter; return its value."""
        parameters = self.task.flat.parameters
        trained = [p for p in parameters if p.ndim >= 2 and p.grad is not None]
        weights = [p.detach() for p in trained]
        return self.task.penalty(weights, [p.grad for p in trained], total)

    def _pass_on_l1(self, penalize):
        """The same penalty, which also gives the optimizer the L1 norm's strength."""
        l1, optimizer = self.task.penalty.l1, self.optimizer_

        def penalize_and_pass_on(total):
            for group in optimizer.param_groups:
                group["l1"] = l1 / total
            return penalize(total)

        return penalize_and_pass_on

    def train_step(self, batch, **fit_params):
        """One update that tells callbacks; rows without any weight move nothing."""
        if batch.total == 0:
            self._set_training(False)
            forward = torch.zeros_like if self.task.adversary else self.module_
            with torch.no_grad():
                outputs = call(forward, batch[0])
            self._set_training(True)
            return {"loss": torch.zeros(()), "y_pred": outputs}
        return super().train_step(batch, **fit_params)

    def train_step_single(self, batch, **fit_params):
        """Gradient of one batch, with the penalty's."""
        (x, y), weight = batch, batch.weight
        gradient, loss_native = self.gradient, self.gradient.loss_ops.native
        weight = weight if weight is None else loss_native(weight)
        x = x if isinstance(x, dict | Parts) else gradient.ops.native(x)
        loss = gradient(Batch(x, loss_native(y), weight, batch.total, batch.n_rows))
        gradient.settle()
        loss = loss + self.penalize(batch.total)
        loss = torch.as_tensor(loss, dtype=torch.float64)
        return {"loss": loss, "y_pred": torch.as_tensor(self.gradient.raw).clone()}

    def show_batches(self, rows, training):
        """Evaluate rows in batches where a callback looks at these; say whether."""
        listening = any(looks_at_batches(cb, training) for _, cb in self.callbacks_)
        if rows is None or not listening:
            return False
        prefix = "train" if training else "valid"
        self.criterion_.sees_training_rows = training
        batches = self.get_iterator(rows, training=False)
        self.run_single_epoch(batches, training, prefix, self.validation_step)
        return True
