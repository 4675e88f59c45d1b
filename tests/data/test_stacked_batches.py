"""Batches of several networks at once, against those of each by itself."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data import Rows, StackedBatches, are_equal, make_batches, memory_of
from sknn.data._batches import TensorBatches

BATCH_SIZE = 4


def make_rows(n_rows, weighted=False, y_dtype=np.int64, seed=0):
    rng = np.random.RandomState(seed)
    X, y = rng.normal(size=(n_rows, 3)), rng.randint(5, size=n_rows).astype(y_dtype)
    weight = rng.randint(3, size=n_rows).astype(float) if weighted else None
    return Rows(X, y if y_dtype == np.int64 else y[:, None], weight)


def make_iterators(rows, shuffled=True, seeds=None):
    """Make two iterators of each of some rows, in the same order of rows."""
    seeds = seeds or range(len(rows))
    sources = [
        [np.random.RandomState(seed) if shuffled else None for seed in seeds]
        for _ in range(2)
    ]
    return [
        [make_batches(r, BATCH_SIZE, s) for r, s in zip(rows, own, strict=True)]
        for own in sources
    ]


def check(rows, shuffled=True, n_epochs=3, seeds=None):
    """Check that each network's part of the batches is its own batch."""
    rows = sorted(rows, key=lambda own: -len(own))
    check_iterators(*make_iterators(rows, shuffled, seeds), n_epochs)


def check_iterators(together, alone, n_epochs=3):
    """Check that iterators stacked draw what each of their twins draws alone."""
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
    stacked.release()
    for one, other in zip(together, alone, strict=True):
        if one.random_state is not None:
            assert one.random_state.normal() == other.random_state.normal()
        assert_array_equal(one.next_positions(), other.next_positions())


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


@pytest.fixture
def n_draws(monkeypatch):
    """Iterators that have drawn, one entry a draw."""
    drawn, draw = [], TensorBatches.next_positions

    def count(batches):
        drawn.append(batches)
        return draw(batches)

    monkeypatch.setattr(TensorBatches, "next_positions", count)
    return drawn


@pytest.mark.parametrize(("seeds", "n"), [((0, 0, 0, 0), 2), ((0, 1, 0, 1), 4)])
def test_equal_orders_are_drawn_once(seeds, n, n_draws):
    """Orders of rows of one number, whatever the rows, by equal states."""
    rows = [make_rows(n, seed=k) for k, n in enumerate((10, 10, 9, 9))]
    together, _ = make_iterators(rows, seeds=seeds)
    list(StackedBatches(together))
    assert len(n_draws) == n
    check(rows, seeds=seeds)
    check([own.subset(np.arange(1, 8)) for own in rows], seeds=seeds)


def make_apart(what):
    """Make two pairs of iterators that only seem to draw the same."""
    rows, pairs = make_rows(20), []
    for _ in range(2):
        states = [np.random.RandomState(0) for _ in range(2)]
        parts = [rows.subset(np.arange(9)) for _ in range(2)]
        if what == "index":
            parts[1] = rows.subset(np.arange(2, 11))
        if what == "position":  # in words that are there
            [state.randint(5) for state in states]
            states[1].randint(5)
        if what == "gauss":
            [state.normal() for state in states]
            states[1].normal()
        if what == "generator":
            states = [np.random.RandomState(np.random.PCG64(0)) for _ in range(2)]
        batches = [
            make_batches(r, BATCH_SIZE, s) for r, s in zip(parts, states, strict=True)
        ]
        if what == "order":
            batches[1].next_positions()
            words = np.random.RandomState(0).get_state()
            [state.set_state(words) for state in states]
        pairs.append(batches)
    return pairs


@pytest.mark.parametrize("what", ["index", "position", "gauss", "generator", "order"])
def test_what_only_seems_equal_is_drawn_apart(what, n_draws):
    together, alone = make_apart(what)
    del n_draws[:]
    check_iterators(together, alone)
    for iterator in (*together, *alone):  # three epochs, and one after the release
        assert sum(drawn is iterator for drawn in n_draws) == 4


def test_one_state_of_several_networks_goes_on_from_each_to_the_next():
    rows, states = make_rows(9), [np.random.RandomState(0) for _ in range(2)]
    together, alone = [
        [make_batches(rows, BATCH_SIZE, state) for _ in range(2)]
        + [make_batches(rows, BATCH_SIZE, np.random.RandomState(0))]
        for state in states
    ]
    check_iterators(together, alone)


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
