"""Message matrices against dense formulas, and what backward passes need of them."""

import pickle

import numpy as np
import pytest
import torch
from graph_standin import as_dense, make_adjacency, message_matrix
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn.data import Messages, make_message_matrix

CONVS = ["gcn", "sage", "gat", "gin"]
TENSORS = ("starts", "sources", "weights")


@pytest.fixture(params=CONVS)
def conv(request):
    return request.param


@pytest.fixture(params=[(False, False), (False, True), (True, False), (True, True)])
def adjacency(request):
    directed, weighted = request.param
    rng = np.random.RandomState(0)
    return make_adjacency(13, 30, rng, directed=directed, weighted=weighted)


def make_messages(adjacency, conv, dtype=np.float64, own=None):
    matrix = make_message_matrix(sparse.csr_array(adjacency), conv)
    symmetric = (adjacency == adjacency.T).all() and conv != "sage"
    return Messages.from_csr(matrix, dtype, own, symmetric)


def test_formulas(adjacency, conv):
    given = sparse.csr_array(adjacency)
    before = given.copy()
    found = make_message_matrix(given, conv)
    expected = message_matrix(adjacency, conv)
    assert_allclose(found.toarray(), expected, rtol=1e-14)
    assert found.nnz == np.count_nonzero(expected)
    assert found.has_sorted_indices
    for name in ("data", "indices", "indptr"):
        assert_array_equal(getattr(given, name), getattr(before, name))


def test_a_known_symmetry_changes_nothing(conv):
    for weighted in (False, True):
        A = make_adjacency(13, 30, np.random.RandomState(0), weighted=weighted)
        known = make_message_matrix(sparse.csr_array(A), conv, symmetric=True)
        found = make_message_matrix(sparse.csr_array(A), conv)
        assert_array_equal(known.toarray(), found.toarray())
        if conv != "sage":  # to the last bit
            assert_array_equal(known.toarray(), known.toarray().T)


@pytest.mark.parametrize("n_nodes", [1, 4])
def test_graphs_without_edges(conv, n_nodes):
    found = make_message_matrix(sparse.csr_array((n_nodes, n_nodes)), conv)
    loops = np.eye(n_nodes) if conv in ("gcn", "gat") else np.zeros((n_nodes, n_nodes))
    assert_array_equal(found.toarray(), loops)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_messages_hold_the_matrix(adjacency, conv, dtype):
    matrix = make_message_matrix(sparse.csr_array(adjacency), conv)
    messages = Messages.from_csr(matrix, dtype)
    assert messages.starts.dtype == messages.sources.dtype == torch.int64
    assert messages.weights.numpy().dtype == dtype
    assert messages.shape == matrix.shape
    assert messages.own is None
    assert_array_equal(as_dense(messages), matrix.toarray().astype(dtype))


def test_unsorted_and_read_only_matrices(conv):
    A = sparse.csr_array(make_adjacency(9, 20, np.random.RandomState(0)))
    swapped = A.copy()
    for i in range(9):
        row = slice(*A.indptr[i : i + 2])
        swapped.indices[row] = A.indices[row][::-1]
        swapped.data[row] = A.data[row][::-1]
    swapped.has_sorted_indices = False
    for matrix in (A, swapped):
        for name in ("data", "indices", "indptr"):
            getattr(matrix, name).flags.writeable = False
    for name in TENSORS:
        one, other = (Messages.from_csr(m, np.float64) for m in (A, swapped))
        assert_array_equal(getattr(one, name), getattr(other, name))


def test_transpose(adjacency, conv):
    messages = make_messages(adjacency, conv)
    back = messages.backward
    assert_array_equal(as_dense(back), as_dense(messages).T)
    assert_array_equal(back.weights, messages.weights[messages.order])
    changed = torch.randn(len(messages.sources), dtype=torch.float64)
    by_hand = Messages(messages.starts, messages.sources, changed, messages.shape)
    known = Messages(back.starts, back.sources, changed[messages.order], back.shape)
    assert_array_equal(as_dense(known), as_dense(by_hand).T)
    assert messages.transposed is (None if back is messages else back)
    is_symmetric = conv != "sage" and (adjacency == adjacency.T).all()
    assert (back is messages) == is_symmetric


def test_the_transpose_shares_a_symmetric_pattern():
    A = make_adjacency(13, 30, np.random.RandomState(0))
    messages = make_messages(A, "sage")
    assert messages.transposed.sources is messages.sources
    assert messages.transposed.starts is messages.starts
    assert not torch.equal(messages.transposed.weights, messages.weights)


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (4, 0), (0, 4)], ids=str)
def test_transpose_of_other_shapes(shape):
    dense = np.random.RandomState(0).randint(0, 3, shape) * 1.5
    messages = Messages.from_csr(sparse.csr_array(dense), np.float64)
    assert messages.transposed.shape == shape[::-1]
    assert len(messages.transposed.starts) == shape[1] + 1
    assert_array_equal(as_dense(messages.transposed), dense.T)


def test_moving():
    A = make_adjacency(9, 20, np.random.RandomState(0), directed=True)
    messages = make_messages(A, "gcn", own=np.arange(9))
    assert messages.to("cpu") is messages
    messages.transposed  # noqa: B018 - is known from here on
    moved = messages.to("meta")
    assert moved.to("meta") is messages.to("meta") is moved
    tensors = [getattr(moved, name) for name in (*TENSORS, "own", "order")]
    tensors += [getattr(moved.transposed, name) for name in TENSORS]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.shape == messages.shape


def test_the_order_does_not_depend_on_how_it_is_found():
    messages = make_messages(make_adjacency(13, 30, np.random.RandomState(0)), "sage")
    assert_array_equal(messages.order, messages.sources.argsort(stable=True))


def test_pickle(conv):
    messages = make_messages(make_adjacency(9, 20, np.random.RandomState(0)), conv)
    moved = messages.to("meta")
    again = pickle.loads(pickle.dumps(messages))
    assert moved is not None
    assert_array_equal(as_dense(again), as_dense(messages))
    assert_array_equal(as_dense(again.backward), as_dense(messages.backward))
