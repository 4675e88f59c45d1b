"""Edit distances between sequences of tokens."""

from math import inf

from sknn.metrics._sequences import describe, read_sequences


def token_error_rate(y_true, y_pred, *, sample_weight=None):
    r"""Edits that lead from the predictions to the references, per token of those.

    .. math:: \frac{\sum_i w_i \, d(\hat y_i, y_i)}{\sum_i w_i \tau_i}

    with the weight :math:`w_i` of sequence :math:`i`, the number of tokens
    :math:`\tau_i` of its reference, and Levenshtein's distance :math:`d`: the least
    number of insertions, deletions and substitutions of a token. Of words it is known
    as the word error rate, of letters as the character error rate.

    Predictions that are too long have rates above 1. An empty reference adds to the
    edits alone; if all are empty, the rate is 0 where all predictions are empty too and
    infinite otherwise.

    Parameters
    ----------
    y_true : array-like of shape (n_sequences,)
        References: a list, tuple, Series or object array of sequences of tokens, which
        are strings or numbers, or of strings, whose tokens are their characters.
    y_pred : array-like of shape (n_sequences,)
        Predictions, strings where `y_true` has strings.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence.

    Returns
    -------
    float
        0 if all predictions are right, without an upper bound.

    Raises
    ------
    TypeError
        For what is not as described, None among tokens included.
    ValueError
        For strings beside lists or beside numbers, and for NaN.

    See Also
    --------
    sequence_accuracy : Share of the sequences without any error.

    Notes
    -----
    The errors of all sequences are summed before the division, so that an error weighs
    the same in a long and in a short reference. The mean of the sequences' rates is
    another measure, the label error rate of Graves et al. (2006) for one.

    Two ways to write an accented letter are different characters; see
    :func:`unicodedata.normalize`.

    References
    ----------
    Levenshtein, "Binary codes capable of correcting deletions, insertions, and
    reversals", Soviet Physics Doklady 10, 1966.

    Graves, Fernández, Gomez and Schmidhuber, "Connectionist temporal classification",
    ICML 2006.

    Examples
    --------
    >>> from sknn.metrics import token_error_rate
    >>> token_error_rate(["kitten"], ["sitting"])
    0.5
    >>> y_true = [["the", "cat", "sat"], ["yes"]]
    >>> token_error_rate(y_true, [["the", "cat"], ["yes"]])
    0.25
    """
    from rapidfuzz.distance import Levenshtein

    true, predicted, weights = read_sequences(y_true, y_pred, sample_weight)
    if not isinstance(true[0], list | tuple | str):
        raise TypeError(
            f"y_true[0] must be a list of tokens or a string: got {describe(true[0])}."
        )
    if not isinstance(true[0], str):
        true, predicted = _encode_tokens(true, predicted)
    n_edits = weights @ list(map(Levenshtein.distance, true, predicted))
    n_tokens = weights @ list(map(len, true))
    if not n_tokens:
        return inf if n_edits else 0.0
    return float(n_edits / n_tokens)


def _encode_tokens(*targets):
    """Sequences of integers that are equal where tokens are.

    rapidfuzz compares hashes of tokens, and the hash of 0 is that of 2**61 - 1 too.
    """
    codes = {}
    return [
        [[codes.setdefault(token, len(codes)) for token in row] for row in rows]
        for rows in targets
    ]
