"""The scores as scorers, for `scoring=` of cross-validation and searches."""

from sklearn.metrics import make_scorer

from sknn.metrics._accuracy import sequence_accuracy, tagging_accuracy
from sknn.metrics._edits import token_error_rate
from sknn.metrics._spans import span_f1_score

tagging_accuracy_scorer = make_scorer(tagging_accuracy)
tagging_accuracy_scorer.__doc__ = "Scorer of :func:`tagging_accuracy`."

span_f1_scorer = make_scorer(span_f1_score)
span_f1_scorer.__doc__ = "Scorer of :func:`span_f1_score`, the micro-average."

neg_token_error_rate_scorer = make_scorer(token_error_rate, greater_is_better=False)
neg_token_error_rate_scorer.__doc__ = "Scorer of minus the :func:`token_error_rate`."

sequence_accuracy_scorer = make_scorer(sequence_accuracy)
sequence_accuracy_scorer.__doc__ = "Scorer of :func:`sequence_accuracy`."
