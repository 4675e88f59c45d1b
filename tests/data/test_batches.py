"""Batches: the order of scikit-learn's networks, and the same rows by every way."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.utils import gen_batches, shuffle

from sknn.data import Batch, Rows, make_batch, make_batches
from sknn.data._batches import ResidentBatches, TensorBatches

N_ROWS = 23


def make_arrays(n_rows=N_ROWS, y_shape=(), weighted=True):
    rng = np.random.RandomState(0)
    X = np.arange(n_rows * 3.0).reshape(n_rows, 3)
    X[X % 4 == 0] = 0
    y = rng.normal(size=(n_rows, *y_shape))
    return X, y, rng.uniform(size=n_rows) if weighted else None


def as_array(part):
    return part.toarray() if sparse.issparse(part) else np.asarray(part)


def copy_batch(batch):
    """Copy a batch as arrays, for batches that are overwritten."""
    parts = [*batch, batch.weight]
    arrays = [None if part is None else as_array(part).copy() for part in parts]
    return *arrays, batch.total, batch.n_rows


def assert_same_batches(one, other):
    one, other = ([copy_batch(batch) for batch in batches] for batches in (one, other))
    assert len(one) == len(other)
    for (*parts, total, _), (*others, other_total, _) in zip(one, other, strict=True):
        assert total == pytest.approx(other_total, rel=1e-14)  # torch sums otherwise
        for a, b in zip(parts, others, strict=True):
            assert_array_equal(a, b)
            assert getattr(a, "dtype", None) == getattr(b, "dtype", None)


@pytest.mark.parametrize("batch_size", [1, 5, 23, 40])
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
def test_order_equals_scikit_learn(batch_size, weighted):
    X, y, weight = make_arrays(weighted=weighted)
    batches = TensorBatches(Rows(X, y, weight), batch_size, np.random.RandomState(7))
    order, random_state = np.arange(N_ROWS), np.random.RandomState(7)
    for epoch in range(4):
        order = shuffle(order, random_state=random_state)
        slices = list(gen_batches(N_ROWS, min(batch_size, N_ROWS)))
        assert len(batches) == len(slices)
        found = batches if epoch % 2 else batches.reused()
        for batch, part in zip(found, slices, strict=True):
            index = order[part]
            assert_array_equal(batch[0], X[index])
            assert_array_equal(batch[1], y[index])
            assert batch.n_rows == len(index)
            if weighted:
                assert_array_equal(batch.weight, weight[index][:, None])
                assert batch.total == weight[index].sum()
            else:
                assert batch.weight is None
                assert batch.total == len(index)


def test_without_a_random_state_the_order_is_given():
    X, y, _ = make_arrays()
    batches = TensorBatches(Rows(X, y), 5)
    for _ in range(2):
        found = [copy_batch(batch)[0] for batch in batches.reused()]
        assert_array_equal(np.concatenate(found), X)


SUBSETS = {
    "all": lambda rows: rows,
    "subset": lambda rows: rows.subset(np.arange(N_ROWS)[::-2]),
    "subset_of_subset": lambda rows: rows.subset(np.arange(20)[::-1]).subset(
        np.arange(2, 15)
    ),
}
FORMS = {
    "dense": np.asarray,
    "fortran": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "csr_matrix": sparse.csr_matrix,
    "csr_array": sparse.csr_array,
}


@pytest.mark.parametrize("y_shape", [(), (2,)], ids=str)
@pytest.mark.parametrize("subset", SUBSETS)
@pytest.mark.parametrize("form", FORMS)
def test_reused_batches_equal_fresh_ones(form, subset, y_shape):
    X, y, weight = make_arrays(y_shape=y_shape)
    rows = SUBSETS[subset](Rows(FORMS[form](X), y, weight))

    def make():
        return TensorBatches(rows, 5, np.random.RandomState(0))

    fresh = list(make())
    assert all(isinstance(part, torch.Tensor) for b in fresh for part in b)
    assert_same_batches(make().reused(), fresh)
    assert_same_batches(make().reused(torch.from_numpy, torch.from_numpy), fresh)
    x_native = torch.from_numpy if form in ("dense", "fortran") else None
    assert_same_batches(make().reused(x_native, None), fresh)


def test_a_subset_gives_its_own_rows():
    X, y, weight = make_arrays()
    index = np.arange(N_ROWS)[::-2]
    subset = Rows(X, y, weight).subset(index)
    alone = Rows(X[index], y[index], weight[index])
    assert_same_batches(
        TensorBatches(subset, 4, np.random.RandomState(0)),
        TensorBatches(alone, 4, np.random.RandomState(0)),
    )


def test_reused_batches_share_buffers_and_types():
    batches = TensorBatches(Rows(*make_arrays()), 10)
    first, second, last = batches.reused(torch.from_numpy)
    assert isinstance(first[0], torch.Tensor)
    assert isinstance(first[1], np.ndarray)
    assert first[0] is second[0]
    assert first[0] is not last[0]  # three rows only
    first, second, _ = batches
    assert first[0] is not second[0]


def test_sparse_batches_stay_sparse_for_numpy():
    X, y, _ = make_arrays()
    batches = TensorBatches(Rows(sparse.csr_matrix(X), y), 10)
    assert all(sparse.issparse(batch[0]) for batch in batches.reused())


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("subset", SUBSETS)
def test_resident_batches_equal_streamed_ones(subset, weighted):
    rows = SUBSETS[subset](Rows(*make_arrays(weighted=weighted)))
    resident = ResidentBatches(rows, 5, np.random.RandomState(0), "cpu")
    streamed = TensorBatches(rows, 5, np.random.RandomState(0))
    for _ in range(3):
        assert_same_batches(resident, streamed)
    assert len(resident) == len(streamed)
    assert_same_batches(resident.reused(), streamed.reused())


@pytest.mark.parametrize("batches", [TensorBatches, ResidentBatches])
def test_rows_without_targets_can_be_predicted(batches):
    X, _, _ = make_arrays()
    found = batches(Rows(X), 10, device="cpu")
    assert_array_equal(torch.cat([x for x, _ in found]), X)


class Watched(np.memmap):
    """Memory-mapped array that refuses to be read as a whole."""

    most_rows = 0

    def __array_finalize__(self, obj):
        super().__array_finalize__(obj)
        Watched.most_rows = max(Watched.most_rows, self.shape[0] if self.ndim else 0)

    def take(self, indices, *args):
        Watched.most_rows = max(Watched.most_rows, len(indices))
        return super().take(indices, *args)

    def __array__(self, *args, **kwargs):
        assert len(self) < N_ROWS, "read as a whole"
        return super().__array__(*args, **kwargs)


@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("subset", SUBSETS)
def test_a_memory_map_is_read_batch_by_batch(tmp_path, subset, reused):
    X, y, weight = make_arrays()
    X.tofile(tmp_path / "X")
    mapped = Watched(tmp_path / "X", X.dtype, "r", shape=X.shape)
    rows, plain = SUBSETS[subset](Rows(mapped, y, weight)), Rows(X, y, weight)
    batches = make_batches(rows, 5, np.random.RandomState(0))
    Watched.most_rows = 0
    found = batches.reused() if reused else batches
    found = [copy_batch(batch) for batch in found]
    assert 0 < Watched.most_rows <= 5
    expected = make_batches(SUBSETS[subset](plain), 5, np.random.RandomState(0))
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one[0], other[0])


def test_the_iterator_suits_rows_and_device(tmp_path):
    X, y, _ = make_arrays()
    mapped = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    meta = torch.device("meta")
    assert type(make_batches(Rows(X, y))) is TensorBatches
    assert type(make_batches(Rows(X, y), device=meta)) is ResidentBatches
    assert type(make_batches(Rows(mapped, y), device=meta)) is TensorBatches
    sparse_rows = Rows(sparse.csr_matrix(X), y)
    assert type(make_batches(sparse_rows, device=meta)) is TensorBatches


def test_a_batch_is_the_pair_that_skorch_expects():
    batch = make_batch(np.ones((3, 2)), np.zeros(3), np.arange(3.0), np.asarray)
    x, y = batch
    assert isinstance(batch, Batch)
    assert isinstance(batch, tuple)
    assert (x.shape, y.shape, batch.weight.shape) == ((3, 2), (3,), (3, 1))
    assert (batch.total, batch.n_rows) == (3.0, 3)
    assert type(batch.total) is float


def test_global_random_states_are_not_used():
    torch_state = torch.get_rng_state()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    list(TensorBatches(Rows(*make_arrays()), 5, np.random.RandomState(0)))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
