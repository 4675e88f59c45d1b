"""Batches of several networks at once, against those of each by itself."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data import Rows, StackedBatches, are_equal, make_batches, memory_of

BATCH_SIZE = 4


def make_rows(n_rows, weighted=False, y_dtype=np.int64, seed=0):
    rng = np.random.RandomState(seed)
    X, y = rng.normal(size=(n_rows, 3)), rng.randint(5, size=n_rows).astype(y_dtype)
    weight = rng.randint(3, size=n_rows).astype(float) if weighted else None
    return Rows(X, y if y_dtype == np.int64 else y[:, None], weight)


def make_iterators(rows, shuffled=True):
    """Make two iterators of each of some rows, in the same order of rows."""
    sources = [
        [np.random.RandomState(k) if shuffled else None for k in range(len(rows))]
        for _ in range(2)
    ]
    return [
        [make_batches(r, BATCH_SIZE, s) for r, s in zip(rows, own, strict=True)]
        for own in sources
    ]


def check(rows, shuffled=True, n_epochs=3):
    """Check that each network's part of the batches is its own batch."""
    rows = sorted(rows, key=lambda own: -len(own))
    together, alone = make_iterators(rows, shuffled)
    stacked = StackedBatches(together)
    for _ in range(n_epochs):
        own = [list(batches) for batches in alone]
        n_batches = 0
        for number, (sizes, totals, batch) in enumerate(stacked):
            n_batches += 1
            of_step = [batches[number] for batches in own if number < len(batches)]
            assert len(sizes) == len(totals) == len(batch[0]) == len(of_step)
            assert_array_equal(sizes, [single.n_rows for single in of_step])
            assert_array_equal(totals, [single.total for single in of_step])
            for k, single in enumerate(of_step):
                check_one(k, sizes[k], batch, single)
        assert n_batches == max(map(len, own))


def check_one(k, size, batch, single):
    for part, own in zip(batch, single, strict=True):
        assert_array_equal(part[k, :size], own)
    if batch.weight is None:
        assert size == batch.n_rows and single.weight is None
        assert batch.total == single.total
        return
    expected = np.ones((size, 1)) if single.weight is None else single.weight
    assert_array_equal(batch.weight[k, :size], expected)
    assert not batch.weight[k, size:].any()
    # what has no weight is divided by one
    assert batch.total[k] == (single.total or 1)


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("y_dtype", [np.int64, np.float64])
@pytest.mark.parametrize(
    "lengths", [(9, 9, 9), (9, 10, 11), (8, 13, 3), (1, 4, 5), (2,)], ids=str
)
def test_networks_see_their_own_batches(lengths, y_dtype, shuffled):
    rows = [make_rows(n, y_dtype=y_dtype, seed=k) for k, n in enumerate(lengths)]
    check(rows, shuffled)


@pytest.mark.parametrize("weighted", [(True, True, True), (False, True, False)])
def test_weights_go_along(weighted):
    pairs = zip((9, 11, 6), weighted, strict=True)
    check([make_rows(n, own, seed=n) for n, own in pairs])


def test_a_batch_without_weight_is_divided_by_one():
    rows = make_rows(9)
    weight = np.ones(9)
    weight[:4] = 0
    check([Rows(*rows.arrays[:2], weight), make_rows(9, seed=1)], shuffled=False)


def test_subsets_share_the_arrays_of_their_rows():
    rows = make_rows(20)
    parts = [rows.subset(np.arange(k, 20, 2)) for k in (0, 1)]
    check([*parts, rows])


def test_equal_rows_are_recognised():
    one, other = make_rows(9), make_rows(9)
    assert are_equal(one.arrays, other.arrays)
    other.arrays[0][5, 1] += 1
    assert not are_equal(one.arrays, other.arrays)
    assert not are_equal(one.arrays, make_rows(8).arrays)


def test_memory_of_inputs(tmp_path):
    from scipy import sparse

    X = np.eye(5)
    assert memory_of(X) == X.nbytes
    rows = sparse.csr_array(X)
    parts = rows.data, rows.indices, rows.indptr
    assert memory_of(rows) == sum(part.nbytes for part in parts)
    mapped = np.memmap(tmp_path / "x", X.dtype, "w+", shape=X.shape)
    assert memory_of(mapped) == 0
