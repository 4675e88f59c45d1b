"""Checks at the door: parameters, callbacks, devices, before any work is done."""

import warnings
from contextlib import contextmanager
from inspect import signature
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn import config_context
from sklearn.metrics import get_scorer_names
from sklearn.utils.validation import assert_all_finite

from sknn._sklearn_compat import Interval, Options, StrOptions
from sknn.data import Rows
from sknn.training._schedules import TIMED, effective_schedule

# entries of inputs that are looked through at a time
CHUNK_ENTRIES = 1 << 20
FLOAT_TYPES = {"float32": np.float32, "float64": np.float64}

# types and ranges of the parameters that all architectures share
TRAINING_CONSTRAINTS = {
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [
        StrOptions({"auto", "full"}),
        Interval(Integral, 1, None, closed="left"),
    ],
    "learning_rate": [
        StrOptions({"constant", "invscaling", "adaptive", "plateau", *TIMED})
    ],
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
    "rho": [Interval(Real, 0, 1, closed="left")],
    "learning_rate_final": [Interval(Real, 0, None, closed="left"), None],
    "decay_epochs": [Interval(Real, 0, None, closed="neither"), None],
    "warmup_epochs": [Interval(Real, 0, None, closed="left")],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "device": [str, torch.device],
    "dtype": [StrOptions({"auto", *FLOAT_TYPES})],
    "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
    "callbacks": [list, tuple, None],
}

# what lbfgs cannot have -> the value that asks for none, and why
NOT_WITH_LBFGS = {
    "l1_ratio": ("0", "which needs a gradient at zero"),
    "dropout": ("0", "whose line searches need the same loss at every evaluation"),
    "batch_norm": ("False", "which takes no batches"),
    "n_sampled_neighbors": (
        "None",
        "whose line searches need the same loss at every evaluation",
    ),
}


class Checked(NamedTuple):
    """What a fit trains on, checked and encoded.

    Attributes
    ----------
    targets : ClassTargets or the like
        Encoder of the targets.
    X : array
        Inputs, of all rows.
    rows, held_out : Rows
        Training rows, and validation rows or None.
    dtype, fitted_dtype : numpy dtype
        Type to train in, and that of the weights in the end.
    device : torch.device or str
        Where the weights are.
    """

    targets: Any
    X: Any
    rows: Any
    held_out: Any
    dtype: Any
    fitted_dtype: Any
    device: Any


def check_callbacks(callbacks):
    """Check that all of a list are skorch's, named or not.

    Raises
    ------
    TypeError
        Naming the first that is not.
    """
    for callback in callbacks or ():
        named = isinstance(callback, tuple) and len(callback) == 2
        if not hasattr(callback[1] if named else callback, "on_epoch_end"):
            raise TypeError(
                "callbacks must be a list of skorch callbacks (scikit-learn's go "
                f"through set_callbacks): got {callback!r}."
            )


def check_count(name, value, optional=False):
    """Refuse what is not a whole number of at least one, or None where it may be.

    Raises
    ------
    ValueError
        Naming the argument of a method that it is the value of.
    """
    if value is None and optional:
        return
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < 1:
        rule = "None or a whole number" if optional else "a whole number"
        raise ValueError(f"{name} must be {rule} >= 1: got {value!r}.")


def require_y(estimator, y):
    """Refuse None for targets, as scikit-learn does."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )


def check_solver(estimator):
    """Refuse what the solver cannot do.

    Raises
    ------
    ValueError
        Naming the first parameter that lbfgs has no way of honouring.
    """
    for name, (none, why) in NOT_WITH_LBFGS.items():
        value = getattr(estimator, name, None)
        if estimator.solver == "lbfgs" and np.any(value):
            raise ValueError(
                f"{name} must be {none} with solver='lbfgs', {why}: got {value!r}."
            )


def warn_of_ignored(estimator):
    """Warn of pairs of parameters of which one does nothing."""
    solver = estimator.solver
    schedule = effective_schedule(estimator.learning_rate, solver)
    ignored = []
    if solver == "lbfgs" and estimator.early_stopping:
        ignored.append(("early_stopping", "solver"))
    if schedule != estimator.learning_rate:
        own = signature(type(estimator)).parameters.get("learning_rate")
        if own is None or own.default != estimator.learning_rate:
            ignored.append(("learning_rate", "solver"))
    if solver == "lbfgs" and estimator.warmup_epochs:
        ignored.append(("warmup_epochs", "solver"))
    if solver == "lbfgs" and estimator.gradient_clip is not None:
        ignored.append(("gradient_clip", "solver"))
    why = "learning_rate" if schedule == estimator.learning_rate else "solver"
    for name in ("learning_rate_final", "decay_epochs"):
        given = getattr(estimator, name) is not None
        if given and (schedule == "inverse_sqrt" or schedule not in TIMED):
            ignored.append((name, why))
    loss = getattr(estimator, "loss", None)
    for name, default, of_loss in (
        ("quantile", 0.5, "quantile"),
        ("huber_delta", 1.0, "huber"),
    ):
        value = getattr(estimator, name, default)
        if loss not in (None, of_loss) and value != default:
            ignored.append((name, "loss"))
    warn_of_pairs(estimator, ignored)


def warn_of_pairs(estimator, pairs):
    """Warn of the first parameter of each pair: the second leaves it without effect."""
    for pair in pairs:
        one, other = (f"{name}={getattr(estimator, name)!r}" for name in pair)
        warnings.warn(f"{one} has no effect with {other}.", stacklevel=6)


def resolve_device(device, dtype):
    """Device to train on; "auto" is an accelerator for float32 work only.

    Raises
    ------
    ValueError
        If torch finds no such device here.
    """
    if device == "auto":
        accelerated = torch.accelerator.is_available() and dtype == np.float32
        return torch.accelerator.current_accelerator() if accelerated else "cpu"
    try:
        found = torch.empty(0, device=device).device
        if found.type == "meta":
            raise RuntimeError("nothing is computed there")
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device must be 'auto' or a device that torch finds here: got {device!r} "
            f"({str(error).splitlines()[0]})."
        ) from error
    return found


def refuse_if_not_finite(X, estimator_name):
    """Raise scikit-learn's error about a value of `X` that is not finite.

    Parameters
    ----------
    X : ndarray or MappedRows of shape (n_rows, ...)
        Read a few rows at a time.
    estimator_name : str
        Named in the message.

    Raises
    ------
    ValueError
        Also for values too large for the type of `X`.
    """
    chunk = max(CHUNK_ENTRIES * len(X) // max(X.size, 1), 1)
    with config_context(assume_finite=False):  # another thread has its own
        for start in range(0, len(X), chunk):
            assert_all_finite(
                X[start : start + chunk], input_name="X", estimator_name=estimator_name
            )


@contextmanager
def naming(name):
    """Put the name of an argument in front of an error about it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error


def read_validation(estimator, validation, targets, X, dtype):
    """Check and encode validation data.

    Parameters
    ----------
    estimator : BaseNetwork
        Which is trained.
    validation : tuple
        ``(X_val, y_val, sample_weight_val)`` as `fit` got them.
    targets : ClassTargets or the like
        Encoder of the training targets.
    X : array
        Checked training inputs.
    dtype : numpy dtype
        Type of the weights.

    Returns
    -------
    Rows or None
        None where nothing was given.
    """
    if all(part is None for part in validation):
        return None
    X_val, y_val, weight = validation
    if X_val is None or y_val is None:
        names = ("X_val", "y_val", "sample_weight_val")
        parts = zip(names, validation, strict=True)
        given = " and ".join(name for name, part in parts if part is not None)
        raise ValueError(f"X_val and y_val must be given together: got {given} alone.")
    with naming("X_val"):
        checked = estimator._check_X(X_val, X.dtype, reset=False)
    with naming("y_val"):
        # inputs without targets may be left out
        checked, y_val = estimator._check_X(
            X_val,
            X.dtype,
            y=y_val,
            reset=False,
            ensure_all_finite=False,  # X_val has been looked through
            **estimator._y_options,
        )
        y_val = estimator._check_y(y_val)
        estimator._check_validation_targets(targets, y_val)
    with naming("sample_weight_val"):
        weight = estimator._combine_weights(
            checked, y_val, weight, targets, False, dtype
        )
    checked = checked.tocsr() if sparse.issparse(checked) else checked
    if len(y_val) < estimator._fewest_scored and estimator.early_stopping:
        raise ValueError(
            f"X_val must have at least {estimator._fewest_scored} rows for "
            f"early_stopping=True with scoring=None: got {len(y_val)}."
        )
    return Rows(checked, targets.encode(y_val, dtype), weight)
