"""Scores that scikit-learn has not: of sequences, of spans in them, and of samples."""

from sknn.metrics._accuracy import sequence_accuracy, tagging_accuracy
from sknn.metrics._discrepancy import maximum_mean_discrepancy
from sknn.metrics._edits import token_error_rate
from sknn.metrics._scorers import (
    neg_token_error_rate_scorer,
    sequence_accuracy_scorer,
    span_f1_scorer,
    tagging_accuracy_scorer,
)
from sknn.metrics._spans import span_f1_score

__all__ = [
    "maximum_mean_discrepancy",
    "neg_token_error_rate_scorer",
    "sequence_accuracy",
    "sequence_accuracy_scorer",
    "span_f1_score",
    "span_f1_scorer",
    "tagging_accuracy",
    "tagging_accuracy_scorer",
    "token_error_rate",
]
