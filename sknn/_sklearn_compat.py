"""The one door to names that scikit-learn keeps private.

Everything here is imported by other files from here, so that a new release of
scikit-learn is met in one place.
"""

import inspect
from contextlib import suppress
from functools import cache

from sklearn.base import BaseEstimator
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.fixes import _get_additional_lbfgs_options_dict as lbfgs_verbosity
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "OWN_ATTRIBUTES",
    "Interval",
    "ManyParameters",
    "Options",
    "StrOptions",
    "check_feature_names_in",
    "check_sample_weight",
    "fit_context",
    "has_callbacks",
    "init_callback_context",
    "lbfgs_verbosity",
    "submit_next",
    "takes_sample_weight",
]

# what scikit-learn keeps on an estimator that is nothing of its state
OWN_ATTRIBUTES = {
    "_callback_fit_ctx",
    "_metadata_request",
    "_parent_callback_ctx",
    "_skl_callbacks",
    "_skl_callbacks_to_teardown",
    "_sklearn_output_config",
}


class ManyParameters(BaseEstimator):
    """Estimator that reads its signature, and checks its defaults, once a class.

    With many parameters, of which few are set, a fit of a few rows would spend a tenth
    of its time on that.
    """

    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()

    @classmethod
    @cache
    def _get_valid_defaults(cls):
        """Defaults that satisfy their constraints: a subclass may have others."""
        valid = {}
        for name, parameter in inspect.signature(cls).parameters.items():
            with suppress(InvalidParameterError):
                cls._check_constraints({name: parameter.default})
                valid[name] = parameter.default
        return valid

    @classmethod
    def _check_constraints(cls, parameters):
        constraints = cls._parameter_constraints
        validate_parameter_constraints(constraints, parameters, cls.__name__)

    def _validate_params(self):
        """Check the parameters that are not at a default known to be valid."""
        valid, unset = self._get_valid_defaults(), object()
        parameters = self.get_params(deep=False).items()
        self._check_constraints(
            {n: value for n, value in parameters if value is not valid.get(n, unset)}
        )


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


def submit_next(parallel):
    """Let a `joblib.Parallel` submit its next task, if there are any left."""
    if parallel._original_iterator is not None:
        parallel.dispatch_next()
