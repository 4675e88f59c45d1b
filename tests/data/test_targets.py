"""Targets: against LabelBinarizer, links against scipy, labels of all kinds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.preprocessing import LabelBinarizer

from sknn.data import ClassTargets, RealTargets

LABELS = {
    "int": np.array([3, -1, 7, 3, 7, -1]),
    "binary_int": np.array([5, 2, 2, 5]),
    "string": np.array(["cat", "ape", "bee", "ape"]),
    "object": np.array(["cat", "ape", "bee", "ape"], dtype=object),
    "binary_string": np.array(["yes", "no", "no"]),
    "bool": np.array([True, False, True]),
    "float": np.array([2.0, 0.0, 1.0, 2.0]),
    "one_int": np.array([4, 4, 4]),
    "one_string": np.array(["cat", "cat"]),
}
INDICATORS = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])


def as_columns(targets, encoded):
    """Columns of zeros and ones as LabelBinarizer has them."""
    return np.eye(targets.n_outputs)[encoded] if encoded.ndim == 1 else encoded


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LABELS)
def test_encoding_equals_label_binarizer(name, dtype):
    y = LABELS[name]
    targets, binarizer = ClassTargets.fit(y), LabelBinarizer().fit(y)
    encoded = targets.encode(y, dtype)
    assert_array_equal(targets.classes, binarizer.classes_)
    assert targets.classes.dtype == binarizer.classes_.dtype
    assert_array_equal(as_columns(targets, encoded), binarizer.transform(y))
    assert targets.n_outputs == binarizer.transform(y).shape[1]
    assert encoded.dtype == (np.int64 if targets.kind == "multiclass" else dtype)
    assert_array_equal(targets.decode_encoded(encoded), y)


@pytest.mark.parametrize("name", LABELS)
def test_sure_outputs_decode_to_the_labels(name):
    y = LABELS[name]
    targets = ClassTargets.fit(y)
    columns = as_columns(targets, targets.encode(y, np.float64))
    raw = 10 * columns - 5
    assert_array_equal(targets.decode(raw), y)
    assert targets.decode(raw).dtype == targets.classes.dtype
    assert_array_equal(targets.decode_codes(raw), targets.codes(y))


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_indicator_matrices(convert):
    y = convert(INDICATORS)
    targets = ClassTargets.fit(y)
    encoded = targets.encode(y, np.float32)
    assert (targets.kind, targets.n_outputs) == ("multilabel", 3)
    assert_array_equal(targets.classes, LabelBinarizer().fit(INDICATORS).classes_)
    assert encoded.dtype == np.float32
    assert_array_equal(encoded, INDICATORS)
    assert_array_equal(targets.decode_encoded(encoded), INDICATORS)
    assert_array_equal(targets.decode(10 * encoded - 5), INDICATORS)
    assert targets.decode(encoded).dtype == np.int64


def test_one_class_is_always_predicted():
    targets = ClassTargets.fit(LABELS["one_string"])
    assert targets.kind == "binary"
    assert targets.decode(np.array([[-3.0], [0.0], [3.0]])).tolist() == ["cat"] * 3


@pytest.mark.parametrize(
    ("y", "kind", "loss"),
    [
        (LABELS["int"], "multiclass", "log_loss"),
        (LABELS["bool"], "binary", "binary_log_loss"),
        (LABELS["one_int"], "binary", "binary_log_loss"),
        (INDICATORS, "multilabel", "binary_log_loss"),
    ],
)
def test_kinds(y, kind, loss):
    targets = ClassTargets.fit(y)
    assert (targets.kind, targets.loss) == (kind, loss)


LOGITS = np.array([[0.0, 1.0, -2.0], [500, -500, 499], [1e4, -1e4, 0], [3, 3, 3]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_links_equal_scipy(dtype):
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    tiny = np.finfo(dtype).tiny
    softmaxes = ClassTargets.fit(LABELS["int"]).link(LOGITS.astype(dtype))
    assert_allclose(softmaxes, softmax(LOGITS, axis=1), rtol=rtol, atol=tiny)
    assert softmaxes.dtype == dtype
    for y in (LABELS["bool"], INDICATORS):
        raw = LOGITS.astype(dtype)
        raw = raw[:, :1] if y.ndim == 1 else raw
        expected = expit(raw.astype(float))
        found = ClassTargets.fit(y).link(raw.copy())
        assert_allclose(found, expected, rtol=rtol, atol=tiny)
        assert found.dtype == dtype


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_links_of_what_is_not_finite_are_no_errors(value):
    raw = np.array([[value, 0.0, 1.0]])
    with np.errstate(invalid="ignore"):
        softmaxes = ClassTargets.fit(LABELS["int"]).link(raw.copy())
    assert np.isfinite(softmaxes).all() == (value == -np.inf)
    logistics = ClassTargets.fit(INDICATORS).link(raw.copy())
    assert_array_equal(logistics[:, 0], expit([value]))


@pytest.mark.parametrize(
    ("fitted", "y", "message"),
    [
        ("int", np.array([3, 8]), r"classes not in.*\[3 8\]"),
        ("string", np.array(["cat", "dog"]), "classes not in.*dog"),
        ("bool", np.array([0, 2]), "classes not in"),
        ("one_int", np.array([5, 4]), "classes not in"),
        ("int", INDICATORS, r"vector of labels.*\(4, 3\)"),
    ],
)
def test_unknown_labels_are_named(fitted, y, message):
    with pytest.raises(ValueError, match=message):
        ClassTargets.fit(LABELS[fitted]).check_known(y)


@pytest.mark.parametrize("name", LABELS)
def test_some_of_the_labels_are_known(name):
    targets = ClassTargets.fit(LABELS[name])
    targets.check_known(LABELS[name][:1])
    targets.check_known(LABELS[name])


@pytest.mark.parametrize("y", [INDICATORS[:, :2], np.array([0, 1, 2])], ids=str)
def test_other_columns_are_errors(y):
    with pytest.raises(ValueError, match="indicator matrix of 3 columns"):
        ClassTargets.fit(INDICATORS).check_known(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0.5, 1.7]), "Unknown label type: continuous"),
        (np.array([[0.5, 1.7]]), "Unknown label type: continuous-multioutput"),
        (np.array([[1, 2], [3, 1]]), r"y must be one column.*\(2, 2\)"),
        (np.array([["a", "b"], ["b", "c"]]), r"y must be one column.*\(2, 2\)"),
    ],
    ids=str,
)
def test_what_is_no_label_is_an_error(y, message):
    with pytest.raises(ValueError, match=message):
        ClassTargets.fit(y)


def test_only_two_classes_are_split_in_proportion():
    binary = ClassTargets.fit(LABELS["binary_int"])
    encoded = binary.encode(LABELS["binary_int"], np.float64)
    assert_array_equal(binary.stratification(encoded).ravel(), [1, 0, 0, 1])
    for y in (LABELS["int"], INDICATORS):
        targets = ClassTargets.fit(y)
        assert targets.stratification(targets.encode(y, np.float64)) is None
    assert RealTargets(1, "poisson").stratification(np.ones((3, 1))) is None


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_real_targets(n_outputs, dtype, loss):
    y = np.asfortranarray(np.arange(6.0).reshape(-1, n_outputs) + 1)
    y = y[:, 0] if n_outputs == 1 else y
    targets = RealTargets(n_outputs, loss)
    encoded = targets.encode(y, dtype)
    assert encoded.shape == (6 // n_outputs, n_outputs)
    assert encoded.dtype == dtype
    assert encoded.flags.c_contiguous
    assert_array_equal(targets.decode_encoded(encoded), y)
    raw = np.log(encoded) if loss == "poisson" else encoded.copy()
    found = targets.decode(raw)
    assert found.shape == y.shape
    assert_allclose(found, y, rtol=1e-6)
