"""Rows and their subsets: what they hold, and that nothing large is copied."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.model_selection import train_test_split

from sknn.data import Rows, split_for_validation

N_ROWS = 40


@pytest.fixture
def arrays():
    rng = np.random.RandomState(0)
    return rng.normal(size=(N_ROWS, 3)), rng.randint(3, size=N_ROWS), rng.rand(N_ROWS)


def assert_rows(rows, X, y, weight):
    assert len(rows) == len(y)
    found = rows.X.toarray() if sparse.issparse(rows.X) else rows.X
    assert_array_equal(found, X)
    assert_array_equal(rows.y, y)
    assert_array_equal(rows.weight, weight)


def test_all_rows_are_the_arrays_themselves(arrays):
    rows = Rows(*arrays)
    assert_rows(rows, *arrays)
    assert rows.X is arrays[0]
    assert_array_equal(rows[3][0], arrays[0][3])
    assert rows[3][1] == arrays[1][3]


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_subsets_of_subsets(arrays, convert):
    X, y, weight = arrays
    first = np.random.RandomState(1).permutation(N_ROWS)[:20]
    second = np.array([4, 4, 0, 19])
    rows = Rows(convert(X), y, weight).subset(first)
    assert_rows(rows, X[first], y[first], weight[first])
    inner = rows.subset(second)
    index = first[second]
    assert_rows(inner, X[index], y[index], weight[index])
    assert_array_equal(inner.positions(np.array([3, 1])), index[[3, 1]])
    assert inner.arrays[0] is rows.arrays[0]


def test_missing_targets_and_weights_stay_missing(arrays):
    rows = Rows(arrays[0]).subset(np.arange(5))
    assert rows.y is None
    assert rows.weight is None


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("stratified", [False, True], ids=["plain", "stratified"])
def test_split_equals_scikit_learn(arrays, fraction, stratified):
    X, y, _ = arrays
    stratify = (y == 0) if stratified else None
    expected = train_test_split(
        *arrays,
        random_state=np.random.RandomState(5),
        test_size=fraction,
        stratify=stratify,
    )
    random_state = np.random.RandomState(5)
    train, held_out = split_for_validation(
        Rows(*arrays), fraction, random_state, stratify
    )
    assert_rows(train, *expected[::2])
    assert_rows(held_out, *expected[1::2])
    assert train.arrays[0] is X


def test_split_of_a_subset(arrays):
    index = np.arange(0, N_ROWS, 2)
    whole = Rows(*(a[index] for a in arrays))
    part = Rows(*arrays).subset(index)
    for found, expected in zip(
        split_for_validation(part, 0.2, np.random.RandomState(0)),
        split_for_validation(whole, 0.2, np.random.RandomState(0)),
        strict=True,
    ):
        assert_rows(found, expected.X, expected.y, expected.weight)


class Counting(np.memmap):
    """Memory-mapped array that counts the rows that are read."""

    n_read = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        if np.ndim(key) == 1:
            type(self).n_read += len(key)
        return np.asarray(part)

    def __array__(self, *args, **kwargs):
        raise AssertionError("read as a whole")


def test_a_memory_map_is_not_copied_by_a_split(tmp_path):
    X = Counting(tmp_path / "X", np.float64, "w+", shape=(100, 3))
    Counting.n_read = 0
    rows = Rows(X, np.zeros(100))
    train, held_out = split_for_validation(rows, 0.1, np.random.RandomState(0))
    assert train.arrays[0] is held_out.arrays[0] is X
    assert Counting.n_read == 0
    assert held_out.X.shape == (10, 3)
    assert Counting.n_read == 10


@pytest.mark.parametrize(
    ("fraction", "stratify", "message"),
    [
        (0, None, "validation_fraction must be > 0.*got 0"),
        (0.0, None, "validation_fraction must be > 0.*got 0.0"),
        (0.01, None, "validation_fraction=0.01 of 40 rows leaves 1"),
        (0.02, np.arange(N_ROWS) % 2, "classes = 2.*validation_fraction=0.02 of 40"),
        (0.5, np.arange(N_ROWS) == 0, "least populated class.*validation_fraction=0.5"),
    ],
)
def test_impossible_splits_name_the_fraction(arrays, fraction, stratify, message):
    with pytest.raises(ValueError, match=message):
        split_for_validation(
            Rows(*arrays), fraction, np.random.RandomState(0), stratify
        )
