"""What every estimator shares: the way from `fit` to a trained module.

Think twice before adding anything here.
"""

import warnings
from abc import ABC, abstractmethod
from copy import deepcopy

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from sknn._door import (
    FLOAT_TYPES,
    TRAINING_CONSTRAINTS,
    Checked,
    check_callbacks,
    check_solver,
    read_validation,
    refuse_if_not_finite,
    resolve_device,
    warn_of_ignored,
)
from sknn._outputs import RawOutputs
from sknn._sklearn_compat import (
    ManyParameters,
    fit_context,
    has_callbacks,
    init_callback_context,
)
from sknn._state import TrainedState, torch_dtype
from sknn.data import (
    Rows,
    combine_weights,
    convert,
    converts_late,
    split_for_validation,
)
from sknn.training._flat import FlatParameters


class BaseNetwork(RawOutputs, TrainedState, CallbackSupportMixin, ManyParameters, ABC):
    """Base of all networks: parameters, data, training, persistence.

    An architecture adds `_make_module` and, where it has a faster gradient than
    autograd, `_make_gradient`; a head adds how targets are encoded and predictions
    read off raw outputs.
    """

    _parameter_constraints: dict = TRAINING_CONSTRAINTS
    _accept_sparse = False
    _torch_multiplies = False
    _auto_batch_size = 200
    _frozen_parts = ()  # of the module, which training leaves as they are

    @abstractmethod
    def _make_module(self, X, n_outputs, device):
        """Module of raw outputs for checked inputs, uninitialized on `device`."""

    @abstractmethod
    def _initialize(self, module, random_state):
        """Draw the module's initial parameters."""

    @abstractmethod
    def _make_targets(self, y, classes, continues, incremental):
        """Encoder of the validated `y`, agreeing with that of an earlier fit."""

    def _set_target_attributes(self, targets):
        """Set fitted attributes that follow from the targets."""

    def __sklearn_is_fitted__(self):
        return "module_" in vars(self)

    def _make_gradient(self, flat, loss, batch_size, rows, masks):
        """Gradient by hand, or None for autograd."""
        return None

    def _form(self, rows):
        """What networks have to have in common to be trained as one, or None."""
        return None

    @property
    def _dropout_rates(self):
        """Rate of each of the module's dropout layers."""
        return []

    def _make_adversary(self, rows, held_out, generator, incremental):
        """What the module is trained against, or None for a loss of its outputs."""
        return None

    @property
    def _augments(self):
        """Whether training rows are changed at random."""
        return False

    def _batch_options(self, rows):
        """What the iterator of batches is given besides."""
        return {}

    def _sampling_options(self, random_state):
        """What that of training rows is given which draws a part of their inputs."""
        return {}

    def _evaluator(self, rows):
        """Closure that gives the raw outputs for rows."""
        X = rows.inputs
        return lambda: self._raw_outputs(X)

    def _score_held_out(self, rows, raw, y, weight):
        """Default score of rows whose raw outputs, targets and weights are given.

        A head reads the score off the outputs by `_score_raw`, or in another way here.
        """
        return self._score_raw(raw, y, weight)

    def _held_out_penalty(self, rows):
        """What the validation loss has beside that of the raw outputs."""
        return 0.0

    def _rows_of_loss(self, rows):
        """Encoded targets and weights of what raw outputs have a row for."""
        return rows.y, rows.weight

    def _calibrate(self, module, rows):
        """Set what a new module takes from the training rows, before any training."""

    def _pretrain(self, rows, batch_size, random_state):
        """Train a new module part by part, before all of it is trained."""

    def _check_parameters(self):
        """Check what a table of types and ranges cannot say."""
        check_callbacks(self.callbacks)
        check_solver(self)
        warn_of_ignored(self)

    def _check_X(self, X, dtype, *, sample_weight=None, **options):
        """Checked inputs, and y where `options` have it.

        Weights are not checked here: they say how often rows count, where that matters.
        """
        options["accept_sparse"] = self._accept_sparse
        if not converts_late(X, dtype):
            return validate_data(self, X, dtype=dtype, **options)
        later = options.get("ensure_all_finite", True) and X.dtype.kind == "f"
        options |= {"dtype": None, "ensure_all_finite": False}
        checked = validate_data(self, X, **options)
        X, *y = checked if isinstance(checked, tuple) else (checked,)
        X = convert(X, dtype[0] if isinstance(dtype, list) else dtype)
        if later and not get_config()["assume_finite"]:
            refuse_if_not_finite(X, type(self).__name__)
        return (X, *y) if y else X

    def _input_dtype(self, X, continues):
        """Types that inputs may have, the first being what others turn into."""
        if self.dtype != "auto":
            return FLOAT_TYPES[self.dtype]
        return self._flat.numpy_dtype if continues else [np.float64, np.float32]

    def _training_dtype(self, X, continues):
        """Type of weights for checked inputs, which need not be real numbers."""
        if X.dtype.kind == "f":
            return X.dtype
        if continues and self.dtype == "auto":
            return self._flat.numpy_dtype
        return np.dtype(FLOAT_TYPES.get(self.dtype, np.float32))

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
        X : array-like
            Training inputs, in a form that the class describes.
        y : array-like
            Targets: class labels, an indicator matrix, real numbers, or what else the
            class describes.
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
        validation = (X_val, y_val, sample_weight_val)
        return self._fit_watched(X, y, sample_weight, validation)

    def _fit_watched(self, X, y, sample_weight, validation):
        """Fit, and tell scikit-learn's callbacks; a `fit` of any signature ends here.

        It has to be decorated as the one here is.
        """
        root = self._start_contexts(X, y, sample_weight)
        self._fit(X, y, sample_weight, validation=validation, root=root)
        if root is not None:
            context, arguments = root
            context.call_on_fit_task_end(**arguments, reconstruction_attributes={})
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
        """Check, encode, train. What goes wrong before training changes nothing."""
        before = dict(vars(self))
        try:
            data = self._prepare(X, y, sample_weight, validation, classes, incremental)
            prepared = self._prepare_training(data, before, incremental, root)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise
        del before  # the memory of an earlier network
        self._run_training(prepared, data, incremental)
        return self

    def _prepare(self, X, y, sample_weight, validation, classes, incremental):
        """What is trained on, checked and encoded."""
        self._check_parameters()
        continues = self._continues(incremental)
        X, y = self._check_X(
            X,
            self._input_dtype(X, continues),
            y=y,
            reset=not continues,
            sample_weight=sample_weight,
            **self._y_options,
        )
        y = self._check_y(y)
        X = X.tocsr() if sparse.issparse(X) else X
        targets = self._make_targets(y, classes, continues, incremental)
        dtype = fitted_dtype = self._training_dtype(X, continues)
        if self.solver == "lbfgs" and dtype != np.float64:
            X, dtype = convert(X, np.float64), np.float64  # line searches need digits
        device = resolve_device(self.device, dtype)
        weight = self._combine_weights(X, y, sample_weight, targets, incremental, dtype)
        rows = Rows(X, targets.encode(y, dtype), weight)
        held_out = read_validation(self, validation, targets, X, dtype)
        if self.scoring not in (None, "loss"):
            check_scoring(self, self.scoring)
        return Checked(targets, X, rows, held_out, dtype, fitted_dtype, device)

    def _prepare_training(self, data, before, incremental, root):
        """What `_run_training` is to run; `before` is the state before the fit."""
        is_new = not self._continues(incremental)
        random_state = check_random_state(self.random_state)
        net, rows = self._prepare_net(data, random_state, incremental, root)
        if is_new:
            self._pretrain(rows, net.batch_size, random_state)
        return net, rows

    def _prepare_net(self, data, random_state, incremental, root, batch_size=None):
        """Net that is ready for the training of its parts or all, and its rows."""
        from sknn._assembly import make_net

        targets, X, _, _, dtype, _, device = data
        continues = self._continues(incremental)
        if continues:
            self._check_same_layers(X, targets.n_outputs)
        else:
            flat = self._make_parameters(targets, X, dtype, device, random_state)
        rows, held_out = self._hold_out(data, random_state)
        if continues:
            self._place_copy(dtype, device)
            self._targets = targets
            self._set_target_attributes(targets)
        else:
            self._calibrate(flat.module, rows)
            self._begin(targets, flat)
        batch_size = batch_size or self._resolve_batch_size(len(rows))
        net = make_net(
            self, rows, held_out, batch_size, random_state, incremental, root
        )
        return net, rows

    def _place_copy(self, dtype, device):
        """Place a copy of the module: an error before training leaves the old one."""
        if not self._is_placed(dtype, device):
            self.module_ = deepcopy(self.module_)
            self._place(dtype, device)

    def _hold_out(self, data, random_state):
        """Training and validation rows, split where none are given and some needed."""
        needed = self.early_stopping and self.solver != "lbfgs"
        if data.held_out is not None or not needed:
            return data.rows, data.held_out
        return split_for_validation(
            data.rows,
            self.validation_fraction,
            random_state,
            data.targets.stratification(data.rows.y),
        )

    def _continues(self, incremental):
        """Whether a fit goes on with the weights there are."""
        return hasattr(self, "module_") and (incremental or self.warm_start)

    def _partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        return self._fit(X, y, sample_weight, classes=classes, incremental=True)

    def _combine_weights(self, X, y, sample_weight, targets, incremental, dtype):
        return combine_weights(X, sample_weight, dtype)

    def _check_same_layers(self, X, n_outputs):
        """Refuse to go on with a network of another shape."""

    def _check_y(self, y):
        return y

    def _make_parameters(self, targets, X, dtype, device, random_state):
        """Flat parameters of a new module with their initial values."""
        module = self._make_module(X, targets.n_outputs, "meta")
        flat = FlatParameters(module, torch_dtype(dtype), device)
        self._initialize(module, random_state)
        return flat

    def _begin(self, targets, flat):
        """Take a new module and forget everything of earlier fits."""
        self._adopt(flat, None)
        self._targets = targets
        self._set_target_attributes(targets)
        self.history_ = None
        self.n_iter_, self.t_, self._no_improvement_count = 0, 0, 0
        self.loss_curve_ = []
        self.validation_loss_curve_ = self.validation_scores_ = None
        self.best_loss_ = self.best_validation_score_ = None

    def _run_training(self, prepared, data, incremental):
        """Train what has been prepared, and set what that found."""
        net, rows = prepared
        self._optimizer, self._packed_optimizer = net.optimizer_, None
        try:
            self._train(net, rows, incremental)
        finally:
            self._place(data.fitted_dtype, data.device)

    def _train(self, net, rows, incremental):
        """Run one training and set what it found, however it ended."""
        from sknn._assembly import keep_results
        from sknn.training._fit import run_all

        run = self._make_run(net, rows, incremental)
        try:
            run_all([run])
        finally:
            keep_results(self, net, run.result)
        run.tell()

    def _make_run(self, net, rows, incremental):
        """Training of a net by the estimator's parameters, not begun."""
        from sknn.training._fit import Run

        self._update_module()
        net.task.flat.frozen = self._frozen_parts
        lbfgs = None
        if self.solver == "lbfgs":
            names = ("tol", "max_iter", "max_fun", "verbose")
            lbfgs = {name: getattr(self, name) for name in names}
        size = self._largest_product(rows.arrays[0], net.batch_size)
        warns = net.task.adversary is None and not incremental
        threads = size, self._torch_multiplies
        return Run(net, rows, lbfgs=lbfgs, warns=warns, threads=threads)

    def _update_module(self):
        """Give a module that is trained on what parameters changed since."""

    def _resolve_batch_size(self, n_rows):
        if self.solver == "lbfgs" or self.batch_size == "full":
            return n_rows
        if self.batch_size == "auto":
            return min(self._auto_batch_size, n_rows)
        if self.batch_size > n_rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going "
                f"to be clipped: batch_size={self.batch_size} for {n_rows} rows.",
                stacklevel=6,
            )
        return min(int(self.batch_size), n_rows)

    def _start_contexts(self, X, y, sample_weight):
        """Root context of scikit-learn's callbacks and what their hooks are given.

        None where nobody listens.
        """
        if not has_callbacks(self):
            return None
        root = init_callback_context(self, max_subtasks=self._n_subtasks)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        arguments = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        root.call_on_fit_task_begin(**arguments)
        return root, arguments

    @property
    def _n_subtasks(self):
        """Most subtasks of a fit's root context: epochs."""
        return self.max_iter
