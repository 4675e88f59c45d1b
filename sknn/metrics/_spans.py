"""F1 of the spans that tags mark, such as the names in a text."""

import re
from itertools import chain

import numpy as np
from sklearn.metrics import f1_score

from sknn.metrics._sequences import as_list_or_value, describe, read_labels

AVERAGES = ("micro", "macro", "weighted", None)
TAG = re.compile("O|[BI](-.+)?", re.DOTALL)
OUTSIDE = -1  # code of what is no span, or of a type that does not count


def span_f1_score(
    y_true,
    y_pred,
    *,
    average="micro",
    labels=None,
    zero_division=0.0,
    sample_weight=None,
):
    r"""F1 of the spans that IOB2 tags mark, such as names in a text.

    .. math:: F_1 = \frac{2 P R}{P + R} = \frac{2 \, n_\text{both}}{n_\text{true}
              + n_\text{predicted}}

    with the precision :math:`P`, the share of predicted spans that are right, and the
    recall :math:`R`, the share of true spans that are found. A predicted span is right
    if a true one has its first step, its last step and its type: half of a name found
    is a name missed and another invented.

    "B-PER" is the first step of a span of the type PER, "I-PER" a further one and "O"
    a step outside. An "I-PER" that follows neither "B-PER" nor "I-PER" begins a span,
    as in the evaluation of CoNLL-2003. "B" and "I" alone mark spans of the type "".

    Parameters
    ----------
    y_true : array-like of shape (n_sequences,)
        True tags: a list, tuple, Series or object array of sequences of strings, or an
        array of shape (n_sequences, n_steps).
    y_pred : array-like of shape (n_sequences,)
        Predicted tags, as many in each sequence as `y_true` has.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        "micro" counts the spans of all types together, "macro" takes the mean of the
        types' scores and "weighted" their mean weighted by the types' true spans. None
        gives the scores themselves.
    labels : array-like of str, default=None
        Types that count, "PER" for example, and their order with ``average=None``. None
        takes those that occur in either target, sorted.
    zero_division : {0.0, 1.0, np.nan, "warn"}, default=0.0
        Score where there is neither a true nor a predicted span. "warn" is 0.0 with an
        :class:`~sklearn.exceptions.UndefinedMetricWarning`. "macro" and "weighted"
        leave NaN out.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence, that is of each of its spans.

    Returns
    -------
    float or ndarray of shape (n_types,)
        Between 0 and 1.

    Raises
    ------
    TypeError
        For what is not as described, None among the tags included.
    ValueError
        For a sequence that has other numbers of tags in `y_true` and `y_pred`, and for
        tags of another form.

    See Also
    --------
    tagging_accuracy : Share of the tags that are right.

    References
    ----------
    Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 shared task:
    language-independent named entity recognition", CoNLL 2003.

    Examples
    --------
    >>> from sknn.metrics import span_f1_score
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    >>> y_pred = [["B-PER", "O", "O", "B-LOC"], ["O", "B-LOC"]]
    >>> round(span_f1_score(y_true, y_pred), 3)
    0.667
    >>> span_f1_score(y_true, y_pred, average=None, labels=["LOC", "PER"])
    array([1., 0.])
    """
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {AVERAGES}: got {average!r}.")
    true, predicted, weights = read_labels(y_true, y_pred, sample_weight)
    true_spans = _collect_spans(true, "y_true")
    predicted_spans = _collect_spans(predicted, "y_pred")
    found = list(true_spans | predicted_spans)
    types = _as_types(labels, found)
    if average is None and not types:
        return np.empty(0)
    codes = {kind: code for code, kind in enumerate(types)}
    pairs = [
        [codes.get(span[-1], OUTSIDE) if span in spans else OUTSIDE for span in found]
        for spans in (true_spans, predicted_spans)
    ]
    # One step outside, which changes no count: scikit-learn wants one entry at least.
    return f1_score(
        *([*codes_of_spans, OUTSIDE] for codes_of_spans in pairs),
        labels=[*codes.values()] or [0],
        average=average,
        zero_division=zero_division,
        sample_weight=[*(weights[span[0]] for span in found), 1.0],
    )


def _collect_spans(rows, name):
    """Set of all spans, each as the number of its sequence, start, stop and type."""
    if not all(map(_is_tag, set(chain.from_iterable(rows)))):
        i, tag = next(
            (i, t) for i, row in enumerate(rows) for t in row if not _is_tag(t)
        )
        raise ValueError(
            f"{name}[{i}] must hold tags like 'B-PER', 'I-PER' and 'O': got "
            f"{describe(tag)}."
        )
    return {(i, *span) for i, tags in enumerate(rows) for span in find_spans(tags)}


def _is_tag(value):
    return isinstance(value, str) and TAG.fullmatch(value) is not None


def find_spans(tags):
    """Find the spans of one sequence.

    Parameters
    ----------
    tags : list of str
        IOB2 tags.

    Returns
    -------
    list of tuple
        First step, step after the last one, and type of each span.
    """
    spans, last = [], None
    for step, tag in enumerate(tags):
        kind = None if tag == "O" else tag[2:]
        if kind is not None and kind == last and tag[0] == "I":
            spans[-1] = (spans[-1][0], step + 1, kind)
        elif kind is not None:
            spans.append((step, step + 1, kind))
        last = kind
    return spans


def _as_types(labels, spans):
    """Types that count: those asked for, or all that spans have."""
    if labels is None:
        return sorted({kind for *_, kind in spans})
    types = as_list_or_value(labels)
    is_list = isinstance(types, list | tuple) and len(types) > 0
    if not is_list or not all(isinstance(kind, str) for kind in types):
        raise ValueError(
            "labels must be a list of types, such as 'PER', one at least: got "
            f"{describe(labels)}."
        )
    if len(set(types)) < len(types):
        raise ValueError(f"labels must name a type once: got {describe(labels)}.")
    return list(types)
