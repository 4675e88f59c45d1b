"""What every estimator shares: the way from `fit` to a trained module.

Think twice before adding anything here.
"""

import warnings
from abc import ABC, abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn._sklearn_compat import (
    Interval,
    Options,
    StrOptions,
    fit_context,
    init_callback_context,
)
from sknn.data import Rows, combine_weights, split_for_validation
from sknn.training._checkpoint import pack, unpack, unpack_optimizer
from sknn.training._flat import FlatParameters
from sknn.training._losses import make_loss
from sknn.training._penalty import L2Penalty
from sknn.training._schedules import make_schedule
from sknn.training._stopping import Curves, Patience
from sknn.training._threads import limited_threads

FLOAT_TYPES = {"float32": np.float32, "float64": np.float64}


class BaseNetwork(CallbackSupportMixin, TransformerMixin, BaseEstimator, ABC):
    """Base of all networks: parameters, data, training, persistence.

    An architecture adds `_make_module` and, where it has a faster gradient than
    autograd, `_make_gradient`; a head adds how targets are encoded and predictions
    read off raw outputs.
    """

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "device": [str, torch.device],
        "dtype": [StrOptions({"auto", *FLOAT_TYPES})],
        "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
        "callbacks": ["array-like", None],
    }

    # -- what an architecture and a head provide -------------------------------

    @abstractmethod
    def _make_module(self, n_features, n_outputs, device):
        """Module of raw outputs, its parameters uninitialized on `device`."""

    @abstractmethod
    def _initialize(self, module, random_state):
        """Draw the module's initial parameters."""

    @abstractmethod
    def _make_targets(self, y, classes, continues, incremental):
        """Encoder of the validated `y`, agreeing with that of an earlier fit."""

    def _set_target_attributes(self, targets):
        """Set fitted attributes that follow from the targets."""

    @abstractmethod
    def _score_raw(self, raw, y, sample_weight):
        """Default score of raw outputs for encoded targets `y`."""

    def _make_gradient(self, flat, loss, batch_size, rows):
        """Gradient by hand, or None for autograd."""
        return None

    def _largest_product(self, n_rows):
        """Multiply-adds of the largest matrix product for a batch of `n_rows`."""
        return n_rows * max(p.numel() for p in self.module_.parameters())

    # -- checks at the door ----------------------------------------------------

    def _check_parameters(self):
        """Check what a table of types and ranges cannot say."""
        for callback in self.callbacks or ():
            member = callback[1] if isinstance(callback, tuple) else callback
            if not hasattr(member, "on_epoch_end"):
                raise TypeError(
                    "callbacks must be a list of skorch callbacks (scikit-learn's go "
                    f"through set_callbacks): got {callback!r}."
                )
        self._warn_of_ignored()

    def _warn_of_ignored(self):
        """Warn of pairs of parameters of which one does nothing."""
        ignored = []
        if self.solver == "lbfgs" and self.early_stopping:
            ignored.append("early_stopping=True")
        if self.solver != "sgd" and self.learning_rate != "constant":
            ignored.append(f"learning_rate={self.learning_rate!r}")
        for name in ignored:
            warnings.warn(
                f"{name} has no effect with solver={self.solver!r}.", stacklevel=4
            )

    def _resolve_device(self, dtype):
        """Device to train on; "auto" is an accelerator for float32 work only."""
        if self.device == "auto":
            accelerated = torch.accelerator.is_available() and dtype == np.float32
            return torch.accelerator.current_accelerator() if accelerated else "cpu"
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device must be 'auto' or a device that torch finds here: got "
                f"{self.device!r} ({str(error).splitlines()[0]})."
            ) from error
        return self.device

    def _check_X(self, X, dtype, **options):
        return validate_data(
            self, X, dtype=dtype, accept_sparse=["csr", "csc"], **options
        )

    def _input_dtype(self, continues):
        """Types that inputs may have, the first being what others turn into."""
        if continues:
            return [FLOAT_TYPES[str(self._flat.values.dtype).removeprefix("torch.")]]
        if self.dtype != "auto":
            return [FLOAT_TYPES[self.dtype]]
        return [np.float64, np.float32]

    # -- fit -------------------------------------------------------------------

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train the network on `X` and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets: class labels, an indicator matrix, or real numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; a whole number weighs as much as repetition.
        X_val, y_val : array-like, default=None
            Validation rows. With ``early_stopping=True`` they take the place of the
            internal split; without it they are only scored after every epoch.
        sample_weight_val : array-like, default=None
            Weights of the validation rows.

        Returns
        -------
        self : object
            The trained network.

        Raises
        ------
        ValueError
            For bad input, before any training; for weights that are no longer
            finite, with the last finite ones left on the estimator.
        """
        root = self._start_contexts(X, y, sample_weight)
        validation = (X_val, y_val, sample_weight_val)
        self._fit(X, y, sample_weight, validation=validation, root=root)
        context, arguments = root
        context.call_on_fit_task_end(
            estimator=self, **arguments, reconstruction_attributes={}
        )
        return self

    def _fit(
        self,
        X,
        y,
        sample_weight=None,
        validation=(None, None, None),
        classes=None,
        incremental=False,
        root=None,
    ):
        """Check, encode, train. Nothing fitted changes before all checks are done."""
        self._check_parameters()
        continues = hasattr(self, "module_") and (incremental or self.warm_start)
        X, y = self._check_X(
            X, self._input_dtype(continues), y=y, reset=not continues, **self._y_options
        )
        y = self._check_y(y)
        X = X.tocsr() if sparse.issparse(X) else X
        targets = self._make_targets(y, classes, continues, incremental)
        dtype = X.dtype
        if self.solver == "lbfgs" and dtype != np.float64:
            X = X.astype(np.float64)  # line searches need the digits
        device = self._resolve_device(X.dtype)
        weight = self._combine_weights(X, y, sample_weight, targets, incremental)
        rows = Rows(X, targets.encode(y, X.dtype), weight)
        random_state = check_random_state(self.random_state)
        held_out = self._validation_rows(validation, targets, X)
        self._check_scoring()
        if not continues:
            self._begin(targets, X, device, random_state)
        else:
            self._check_same_layers(X.shape[1], targets.n_outputs)
            self._place(X.dtype, device)
        if self.early_stopping and held_out is None and self.solver != "lbfgs":
            rows, held_out = split_for_validation(
                rows,
                self.validation_fraction,
                random_state,
                targets.stratification(rows.y),
            )
        self._train(rows, held_out, random_state, incremental, root)
        if dtype != X.dtype:
            self._place(dtype, device)
        return self

    def _partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        return self._fit(X, y, sample_weight, classes=classes, incremental=True)

    def _combine_weights(self, X, y, sample_weight, targets, incremental):
        return combine_weights(X, sample_weight, X.dtype)

    def _check_same_layers(self, n_features, n_outputs):
        """Refuse to go on with a network of another shape."""

    def _validation_rows(self, validation, targets, X):
        """Checked and encoded validation data, or None."""
        X_val, y_val, weight = validation
        if X_val is None and y_val is None and weight is None:
            return None
        if X_val is None or y_val is None:
            given = [
                name
                for name, value in zip(
                    ("X_val", "y_val", "sample_weight_val"), validation, strict=True
                )
                if value is not None
            ]
            raise ValueError(
                f"X_val and y_val must be given together: got {' and '.join(given)} "
                "alone."
            )
        try:
            X_val, y_val = self._check_X(
                X_val, X.dtype, y=y_val, reset=False, **self._y_options
            )
            y_val = self._check_y(y_val)
            if weight is not None:
                weight = combine_weights(X_val, weight, X.dtype)
        except ValueError as error:
            raise ValueError(f"X_val, y_val or sample_weight_val: {error}") from error
        self._check_validation_targets(targets, y_val)
        X_val = X_val.tocsr() if sparse.issparse(X_val) else X_val
        rows = Rows(X_val, targets.encode(y_val, X.dtype), weight)
        rows.labels = y_val
        return rows

    def _check_y(self, y):
        return y

    def _check_scoring(self):
        if self.scoring not in (None, "loss"):
            check_scoring(self, self.scoring)

    def _begin(self, targets, X, device, random_state):
        """Make a new module and forget everything of earlier fits."""
        module = self._make_module(X.shape[1], targets.n_outputs, "meta")
        flat = FlatParameters(module, torch_dtype(X.dtype), device)
        self._initialize(module, random_state)
        self._adopt(flat, None)
        self._targets = targets
        self._set_target_attributes(targets)
        self.history_ = None
        self.n_iter_, self.t_, self._no_improvement_count = 0, 0, 0
        self.loss_curve_ = []
        self.validation_loss_curve_ = self.validation_scores_ = None
        self.best_loss_ = self.best_validation_score_ = None

    def _adopt(self, flat, optimizer):
        self._flat, self.module_ = flat, flat.module
        self._optimizer, self._packed_optimizer = optimizer, None

    def _place(self, dtype, device):
        """Move the module to another type or device, and start its optimizer anew."""
        wanted = torch_dtype(dtype)
        values = self._flat.values
        if values.dtype == wanted and values.device == torch.device(device):
            return
        module = self.module_.to(device, wanted)
        self._adopt(FlatParameters(module, wanted, device), None)

    def _train(self, rows, held_out, random_state, incremental, root):
        """Run one training and set what it found, however it ended."""
        from sknn.training._fit import run

        batch_size = self._resolve_batch_size(len(rows))
        net = self._make_net(
            rows, held_out, batch_size, random_state, incremental, root
        )
        net.initialize()
        lbfgs = None
        if self.solver == "lbfgs":
            lbfgs = {
                "tol": self.tol,
                "max_iter": self.max_iter,
                "max_fun": self.max_fun,
                "verbose": self.verbose,
            }
            batch_size = len(rows)
        result = None
        try:
            with limited_threads(self._largest_product(batch_size)):
                result = run(net, rows, lbfgs=lbfgs, warns=not incremental)
        finally:
            self._keep(net, result)

    def _resolve_batch_size(self, n_rows):
        if self.solver == "lbfgs":
            return n_rows
        if self.batch_size == "auto":
            return min(200, n_rows)
        if self.batch_size > n_rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going "
                f"to be clipped: batch_size={self.batch_size} for {n_rows} rows.",
                stacklevel=5,
            )
        return min(int(self.batch_size), n_rows)

    def _make_net(self, rows, held_out, batch_size, random_state, incremental, root):
        """skorch net of the present module, set up for one training."""
        from sklearn.base import clone

        from sknn.training._net import Criterion, Net, Task

        loss = make_loss(self._targets.loss)
        validate = None if held_out is None else self._make_validation(held_out, loss)
        task = Task(
            loss=loss,
            penalty=L2Penalty(self.alpha),
            monitor=self._make_monitor(validate),
            make_gradient=lambda flat: self._make_gradient(
                flat, loss, batch_size, rows
            ),
            targets=self._targets,
            validation=held_out,
            flat=self._flat,
            optimizer=self.optimizer_ if incremental else None,
            history=self.history_,
        )
        callbacks = [clone(callback, safe=False) for callback in self.callbacks or ()]
        contexts = [] if root is None else self._make_contexts(root, task.monitor)
        return Net(
            self.module_,
            criterion=Criterion(loss),
            task=task,
            max_epochs=1 if incremental else self.max_iter,
            batch_size=batch_size,
            callbacks=callbacks + contexts,
            device=None,
            iterator_train__random_state=random_state if self.shuffle else None,
            iterator_train__device=self._flat.values.device,
            iterator_valid__device=self._flat.values.device,
            **self._optimizer_options(),
        )

    def _optimizer_options(self):
        """Optimizer class and parameters as skorch takes them."""
        from sknn.training._updates import SGD, Adam

        if self.solver == "lbfgs":
            return {"optimizer": None}
        if self.solver == "sgd":
            return {
                "optimizer": SGD,
                "lr": float(self.learning_rate_init),
                "optimizer__momentum": self.momentum,
                "optimizer__nesterov": self.nesterovs_momentum,
            }
        return {
            "optimizer": Adam,
            "lr": float(self.learning_rate_init),
            "optimizer__betas": (self.beta_1, self.beta_2),
            "optimizer__eps": self.epsilon,
        }

    def _make_monitor(self, validate):
        from sknn.training._monitor import Monitor

        keeps_best = self.early_stopping and validate is not None
        if self.solver == "lbfgs":
            keeps_best = False
        best = self.best_validation_score_ if keeps_best else self.best_loss_
        best = -np.inf if best is None else best if keeps_best else -best
        patience = Patience(
            self.tol, self.n_iter_no_change, best, self._no_improvement_count
        )
        curves = Curves(
            list(self.loss_curve_),
            list(self.validation_loss_curve_ or ()),
            list(self.validation_scores_ or ()),
            self.t_,
        )
        name = self.learning_rate if self.solver == "sgd" else "constant"
        schedule = make_schedule(name, self.learning_rate_init, self.power_t)
        return Monitor(
            curves, patience, schedule, validate, keeps_best, bool(self.verbose)
        )

    def _make_validation(self, held_out, loss):
        """Closure that gives loss and score of the validation rows."""
        X, y, weight = held_out.X, held_out.y, held_out.weight
        labels = getattr(held_out, "labels", None)
        if labels is None:
            labels = self._targets.decode_encoded(y)
        scored = self._nameless() if self.scoring not in (None, "loss") else None
        scorer = None if scored is None else check_scoring(scored, self.scoring)
        options = {} if weight is None else {"sample_weight": weight}

        def validate():
            raw = self._raw_outputs(X)
            value = float(loss.value(raw, y, weight))
            if self.scoring == "loss":
                return value, -value
            if scorer is not None:
                return value, float(scorer(scored, X, labels, **options))
            return value, self._score_raw(raw, y, weight)

        return validate

    def _nameless(self):
        """This estimator, sharing its state, for arrays without feature names."""
        twin = object.__new__(type(self))
        twin.__dict__.update(
            {k: v for k, v in vars(self).items() if k != "feature_names_in_"}
        )
        return twin

    def _make_contexts(self, root, monitor):
        """skorch callback that opens a subcontext of `root` an epoch."""
        from sknn.training._callbacks import EpochContexts

        context, arguments = root

        def begin():
            epoch = context.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(estimator=self, **arguments)
            return epoch

        def end(epoch):
            return epoch.call_on_fit_task_end(
                estimator=self,
                **arguments,
                reconstruction_attributes=lambda: {
                    "n_iter_": monitor.n_iter,
                    "loss_curve_": list(monitor.curves.loss),
                },
            )

        return [("sklearn_callbacks", EpochContexts(begin, end))]

    def _keep(self, net, result):
        """Set the fitted attributes of a training that has ended."""
        monitor, curves = net.task.monitor, net.task.monitor.curves
        self._flat.tie()
        self._optimizer, self._packed_optimizer = net.optimizer_, None
        self.history_ = net.history_
        self.callbacks_ = [
            (name, cb) for name, cb in net.callbacks_ if name != "sklearn_callbacks"
        ]
        self.n_iter_, self.t_ = monitor.n_iter, curves.n_samples_seen
        self.loss_curve_ = curves.loss
        self.loss_ = curves.loss[-1] if curves.loss else np.nan
        if result is not None:
            self.n_iter_, self.loss_ = result
        self._no_improvement_count = monitor.patience.count
        if monitor.validate is not None:
            self.validation_scores_ = curves.validation_score
            self.validation_loss_curve_ = curves.validation_loss
            self.best_validation_score_ = max(curves.validation_score, default=-np.inf)
        if monitor.keeps_best:
            self.best_loss_ = None
            self.best_validation_score_ = monitor.patience.best
        else:
            self.best_loss_ = -monitor.patience.best

    def _start_contexts(self, X, y, sample_weight):
        """Root context of scikit-learn's callbacks and what their hooks are given."""
        root = init_callback_context(self, max_subtasks=self.max_iter)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        arguments = {"X": X, "y": y, "metadata": metadata}
        root.call_on_fit_task_begin(estimator=self, **arguments)
        return root, arguments

    # -- predictions -----------------------------------------------------------

    def _checked_inputs(self, X):
        """Inputs for a fitted network, in its type."""
        check_is_fitted(self)
        dtype = self._input_dtype(continues=True)
        X = self._check_X(X, dtype, reset=False)
        return X.tocsr() if sparse.issparse(X) else X

    def _predict_raw(self, X):
        """Raw outputs for inputs that are checked first."""
        return self._raw_outputs(self._checked_inputs(X))

    @torch.no_grad()
    def _raw_outputs(self, X, forward=None):
        """Outputs of the module, or of `forward`, a chunk of rows at a time."""
        forward = self.module_ if forward is None else forward
        device, chunks = self._flat.values.device, []
        for start in range(0, X.shape[0], 4096):
            part = X[start : start + 4096]
            part = part.toarray() if sparse.issparse(part) else np.array(part)
            chunks.append(forward(torch.from_numpy(part).to(device)).cpu().numpy())
        return np.concatenate(chunks)

    @property
    def optimizer_(self):
        """Optimizer of the last training, with its state; None for lbfgs."""
        if "_flat" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'optimizer_' before "
                "fit."
            )
        if self._packed_optimizer is not None:
            self._optimizer = unpack_optimizer(self._flat, self._packed_optimizer)
            self._packed_optimizer = None
        return self._optimizer

    # -- persistence -----------------------------------------------------------

    def __getstate__(self):
        state = super().__getstate__().copy()
        flat = state.pop("_flat", None)
        if flat is None:
            return state
        for name in ("module_", "_optimizer", "callbacks_"):
            state.pop(name, None)
        packed_optimizer = state.pop("_packed_optimizer", None)
        state["_packed"] = pack(flat, self._optimizer)
        if packed_optimizer is not None:
            state["_packed"]["optimizer"] = packed_optimizer
        return state

    def __setstate__(self, state):
        state = dict(state)
        packed = state.pop("_packed", None)
        super().__setstate__(state)
        if packed is not None:
            self._adopt(unpack(packed), None)
            self._packed_optimizer = packed["optimizer"]
            self.callbacks_ = []
            self.module_.eval()


def torch_dtype(dtype):
    """torch's type for numpy's."""
    return torch.float64 if dtype == np.float64 else torch.float32
