"""Shares of what is right: of all steps, and of whole sequences."""

from itertools import chain
from operator import eq

import numpy as np

from sknn.metrics._sequences import read_labels, read_sequences


def tagging_accuracy(y_true, y_pred, *, sample_weight=None):
    r"""Share of the steps that are labelled right, over all sequences together.

    .. math:: \frac{\sum_i w_i \sum_t [\hat y_i^{(t)} = y_i^{(t)}]}{\sum_i w_i \tau_i}

    with the weight :math:`w_i` and the number of steps :math:`\tau_i` of sequence
    :math:`i`. A long sequence counts for more than a short one; one without steps for
    nothing.

    Parameters
    ----------
    y_true : array-like of shape (n_sequences,)
        True labels: a list, tuple, Series or object array of sequences of labels, or an
        array of shape (n_sequences, n_steps). Labels are strings or numbers. A 1-D
        array of labels, or a list of strings, is sequences of one step.
    y_pred : array-like of shape (n_sequences,)
        Predicted labels, as many in each sequence as `y_true` has.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence, that is of each of its steps.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        For what is not as described, None among the labels included.
    ValueError
        For a sequence that has other numbers of labels in `y_true` and `y_pred`, for
        strings beside numbers, for NaN, and for no steps at all.

    See Also
    --------
    sequence_accuracy : Share of the sequences that are right in every step.
    span_f1_score : For labels that mark spans.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, section 11.1
    (accuracy; here of steps).

    Examples
    --------
    >>> from sknn.metrics import tagging_accuracy
    >>> y_true = [["DET", "NOUN", "VERB"], ["NOUN"]]
    >>> y_pred = [["DET", "NOUN", "NOUN"], ["NOUN"]]
    >>> tagging_accuracy(y_true, y_pred)
    0.75
    >>> tagging_accuracy(y_true, y_pred, sample_weight=[1, 5])
    0.875
    """
    true, predicted, weights = read_labels(y_true, y_pred, sample_weight)
    step_weights = np.repeat(weights, list(map(len, true)))
    if not step_weights.any():
        raise ValueError(
            "y_true must have at least one label in a sequence of positive weight: "
            "got none."
        )
    are_right = list(map(eq, chain.from_iterable(true), chain.from_iterable(predicted)))
    return float(np.average(are_right, weights=step_weights))


def sequence_accuracy(y_true, y_pred, *, sample_weight=None):
    r"""Share of the sequences that are right as a whole.

    .. math:: \frac{\sum_i w_i [\hat y_i = y_i]}{\sum_i w_i}

    Sequences are equal if they are equally long and agree in every step; two without
    steps are.

    Parameters
    ----------
    y_true : array-like of shape (n_sequences,)
        True sequences: a list, tuple, Series or object array of sequences of labels or
        tokens, which are strings or numbers, or of strings.
    y_pred : array-like of shape (n_sequences,)
        Predicted sequences, of any lengths.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        For what is not as described, None among tokens included.
    ValueError
        For strings beside lists or beside numbers, and for NaN.

    See Also
    --------
    tagging_accuracy : Share of the steps that are right.
    token_error_rate : How far predicted sequences are from the true ones.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, section 11.1
    (accuracy; here of sequences).

    Examples
    --------
    >>> from sknn.metrics import sequence_accuracy
    >>> sequence_accuracy(["three", "eight"], ["three", "eigth"])
    0.5
    >>> sequence_accuracy([["B", "I", "O"], ["O"]], [["B", "I", "O"], ["O"]])
    1.0
    """
    true, predicted, weights = read_sequences(y_true, y_pred, sample_weight)
    are_right = [
        len(a) == len(b) and all(map(eq, a, b))
        if isinstance(a, list | tuple)
        else a == b
        for a, b in zip(true, predicted, strict=True)
    ]
    return float(np.average(are_right, weights=weights))
