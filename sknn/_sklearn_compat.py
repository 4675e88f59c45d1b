"""The one door to names that scikit-learn keeps private.

Everything here is imported by other files from here, so that a new release of
scikit-learn is met in one place.
"""

import inspect

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.fixes import _get_additional_lbfgs_options_dict as lbfgs_verbosity
from sklearn.utils.optimize import _check_optimize_result as check_optimize_result
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "Interval",
    "Options",
    "StrOptions",
    "check_feature_names_in",
    "check_optimize_result",
    "check_sample_weight",
    "fit_context",
    "has_callbacks",
    "init_callback_context",
    "lbfgs_verbosity",
    "takes_sample_weight",
]


def takes_sample_weight(scorer):
    """Whether a scorer, scikit-learn's or a callable, is to be given weights."""
    function = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in inspect.signature(function).parameters


def has_callbacks(estimator):
    """Whether scikit-learn's callbacks listen to an estimator, its own or passed on."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


def init_callback_context(estimator, max_subtasks):
    """Root context of one fit for scikit-learn's callbacks, an epoch a subtask."""
    return estimator._init_callback_context(max_subtasks=max_subtasks)
