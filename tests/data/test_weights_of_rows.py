"""Weights of rows: sample weights times class weights, against repetition."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.class_weight import compute_sample_weight

from sknn.data import ClassTargets, combine_weights

LABELS = {
    "binary": np.array(["no", "yes", "no", "no", "yes", "no"]),
    "multiclass": np.array([4, 1, 1, 9, 4, 1]),
    "multilabel": np.array([[1, 0], [0, 0], [1, 1], [0, 0], [1, 0], [0, 0]]),
    "one": np.array([3, 3, 3, 3, 3, 3]),
}
COUNTS = np.array([2, 1, 0, 3, 1, 2])
X = np.zeros((6, 2))


def combine(y, sample_weight=None, class_weight=None, dtype=np.float64):
    X = np.zeros((len(y), 2))
    targets = ClassTargets.fit(y)
    return combine_weights(X, sample_weight, dtype, class_weight, targets, y)


def test_nothing_asked_for_is_none():
    assert combine_weights(X, None, np.float64) is None
    assert combine(LABELS["binary"]) is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight", [COUNTS, COUNTS.tolist(), 2], ids=str)
def test_sample_weights_are_taken_as_they_are(weight, dtype):
    found = combine_weights(X, weight, dtype)
    assert_array_equal(found, np.broadcast_to(weight, 6))
    assert found.dtype == dtype


def test_the_given_weights_are_not_shared():
    weight = np.ones(6)
    combine_weights(X, weight, np.float64)[:] = 5
    assert_array_equal(weight, np.ones(6))


@pytest.mark.parametrize("kind", LABELS)
def test_balanced_equals_scikit_learn(kind):
    expected = compute_sample_weight("balanced", LABELS[kind])
    assert_allclose(combine(LABELS[kind], None, "balanced"), expected, rtol=1e-14)


@pytest.mark.parametrize("kind", LABELS)
def test_balanced_weights_count_copies(kind):
    y = LABELS[kind]
    found = combine(y, COUNTS, "balanced")
    repeated = combine(y.repeat(COUNTS, axis=0), None, "balanced")
    rows = np.repeat(np.arange(6), COUNTS)
    assert_allclose(found, np.bincount(rows, repeated, 6), rtol=1e-14)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("weight", [None, COUNTS], ids=["even", "weighted"])
def test_balanced_classes_have_equal_totals(kind, weight):
    y = LABELS[kind]
    found = combine(y, weight, "balanced")
    totals = [found[y == label].sum() for label in np.unique(y)]
    assert_allclose(totals, totals[0], rtol=1e-14)
    assert_allclose(found.sum(), 6 if weight is None else COUNTS.sum(), rtol=1e-14)


@pytest.mark.parametrize(
    ("kind", "class_weight"),
    [("binary", {"yes": 3, "no": 0.5}), ("multiclass", {9: 0, 4: 2.5})],
)
def test_a_dict_equals_scikit_learn(kind, class_weight):
    y = LABELS[kind]
    full = {label: class_weight.get(label, 1) for label in np.unique(y)}
    expected = compute_sample_weight(full, y)
    assert_allclose(combine(y, None, class_weight), expected)
    assert_allclose(combine(y, COUNTS, class_weight), expected * COUNTS)


def test_classes_without_weight_are_no_division_by_zero():
    y, weight = np.array([0, 0, 1, 2]), np.array([1.0, 1.0, 0.0, 2.0])
    found = combine(y, weight, "balanced")
    assert_array_equal(found[2], 0)
    assert_allclose(found[:2].sum(), found[3])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-COUNTS, "Negative values"),
        (np.zeros(6), "at least one (positive|non-zero)"),
        (np.ones(5), r"sample_weight.*\(5,\)"),
        (np.ones((6, 1)), "[Ss]ample.?weight"),
        (np.full(6, np.nan), "NaN"),
        (np.full(6, np.inf), "infinity"),
    ],
    ids=str,
)
def test_bad_sample_weights(weight, message):
    with pytest.raises(ValueError, match=message):
        combine_weights(X, weight, np.float64)


@pytest.mark.parametrize(
    ("kind", "class_weight", "message"),
    [
        ("binary", {"maybe": 1}, "class_weight must name classes.*'maybe'"),
        ("binary", {"yes": -1}, "class_weight must be a finite non-negative"),
        ("binary", {"yes": np.inf}, "class_weight must be a finite non-negative"),
        ("binary", {"yes": np.nan}, "class_weight must be a finite non-negative"),
        ("binary", {"yes": "much"}, "class_weight must be a finite non-negative"),
        ("binary", {"yes": 0, "no": 0}, "all weights are zero"),
        ("multilabel", {0: 1}, "class_weight must be 'balanced' or None"),
    ],
)
def test_bad_class_weights(kind, class_weight, message):
    with pytest.raises(ValueError, match=message):
        combine(LABELS[kind], None, class_weight)
