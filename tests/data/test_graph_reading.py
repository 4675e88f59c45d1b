"""Features, targets and edges that users pass, against dense arrays filled by loops."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse

from sknn import Graph
from sknn.data import read_matrix

X = np.arange(10.0).reshape(5, 2)
EDGES = [(0, 1), (3, 1), (1, 3), (2, 2), (0, 1), (2, 2), (1, 0)]
WEIGHTS = [0.1, 0.7, 0.25, 3.0, 0.6, 0.5, 0.3]
UNIT = [1.0] * len(EDGES)


def fill(edges, weights=None, n_nodes=5, directed=False):
    """Fill a dense adjacency edge by edge; without weights edges are not added up."""
    dense = np.zeros((n_nodes, n_nodes))
    for k, (i, j) in enumerate(edges):
        places = {(i, j)} if directed else {(i, j), (j, i)}
        for place in places:
            dense[place] = 1 if weights is None else dense[place] + weights[k]
    return dense


def get_dense(*args, **kwargs):
    adjacency = Graph(*args, **kwargs).adjacency
    assert isinstance(adjacency, sparse.csr_array)
    assert adjacency.dtype == np.float64
    assert adjacency.indices.dtype == adjacency.indptr.dtype == np.int32
    assert (adjacency.data != 0).all()
    for row in range(adjacency.shape[0]):
        start, stop = adjacency.indptr[row : row + 2]
        assert (np.diff(adjacency.indices[start:stop]) > 0).all()
    return adjacency.toarray()


@pytest.mark.parametrize("directed", [None, False, True])
@pytest.mark.parametrize("weights", [None, WEIGHTS, UNIT])
def test_edges_fill_an_adjacency(directed, weights):
    expected = fill(EDGES, weights, directed=directed)
    found = get_dense(X, EDGES, edge_weight=weights, directed=directed)
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert Graph(X, EDGES, directed=directed).is_directed == bool(directed)


def test_random_edges_fill_an_adjacency():
    rng = np.random.RandomState(0)
    for directed in (False, True):
        edges, weights = rng.randint(0, 30, (400, 2)), rng.rand(400)
        weights[rng.rand(400) < 0.3] = 0
        found = get_dense(None, edges, None, weights, directed=directed, n_nodes=30)
        expected = fill(edges, weights, 30, directed)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        assert directed or (found == found.T).all()
        found = get_dense(None, edges, directed=directed, n_nodes=30)
        assert_array_equal(found, fill(edges, None, 30, directed))


def test_sums_of_weights_are_the_same_in_both_directions():
    weights = [0.1, 0.2, 0.3, 0.7, 1e16, 1.0]  # sums depend on the order
    edges = [(0, 1), (1, 0), (0, 1), (1, 0), (0, 1), (1, 0)]
    found = get_dense(None, edges, edge_weight=weights)
    assert found[0, 1] == found[1, 0] > 0


FORMS = {
    "tuples": lambda edges: [tuple(edge) for edge in edges.tolist()],
    "lists": lambda edges: edges.tolist(),
    "tuple": lambda edges: tuple(map(tuple, edges.tolist())),
    "zip": lambda edges: zip(*edges.T.tolist(), strict=True),
    "set": lambda edges: set(map(tuple, edges.tolist())),
    "int32": lambda edges: edges.astype(np.int32),
    "uint8": lambda edges: edges.astype(np.uint8),
    "uint64": lambda edges: edges.astype(np.uint64),
    "float": lambda edges: edges.astype(np.float32),
    "object": lambda edges: edges.astype(object),
    "fortran": np.asfortranarray,
    "reversed": lambda edges: edges[::-1],
    "torch": torch.from_numpy,
    "pandas": lambda edges: pd.DataFrame(edges, columns=["source", "target"]),
    "polars": lambda edges: pl.DataFrame(edges),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_edges(form):
    edges = np.array(EDGES)
    assert_array_equal(get_dense(X, FORMS[form](edges)), fill(EDGES))


@pytest.mark.parametrize("empty", [[], (), np.empty((0, 2)), np.empty((0, 2), int)])
def test_no_edges(empty):
    for kwargs in ({}, {"edge_weight": []}, {"directed": True}):
        assert_array_equal(get_dense(X, empty, **kwargs), np.zeros((5, 5)))
    assert Graph(None, empty, n_nodes=3).n_nodes == 3


def test_one_node():
    assert_array_equal(get_dense([[1.0]], []), [[0]])
    assert_array_equal(get_dense([[1.0]], [(0, 0), (0, 0)]), [[1]])
    assert_array_equal(get_dense([[1.0]], [[7.0]]), [[7]])
    assert_array_equal(get_dense(None, [(0, 0)]), [[1]])


def test_number_of_nodes_of_edges():
    assert Graph(None, [(0, 1), (4, 2)]).n_nodes == 5
    assert Graph(None, [(0, 1), (4, 2)], n_nodes=9).n_nodes == 9
    assert Graph(X, [(0, 1)]).n_nodes == 5
    assert Graph(X, [(0, 1)], n_nodes=np.int64(5)).n_nodes == 5


def test_edges_of_weight_zero_are_none():
    graph = Graph(None, [(0, 1), (1, 2)], edge_weight=[0, 2], n_nodes=3)
    assert graph.n_edges == 1
    assert_array_equal(graph.adjacency.toarray(), fill([(1, 2)], [2], 3))


ASYMMETRIC = np.array([[0, 2, 0], [0, 0.5, 1], [3, 0, 0]])
SYMMETRIC = ASYMMETRIC + ASYMMETRIC.T
SPARSE = ["csr", "csc", "coo", "lil", "dok", "dia", "bsr"]
ADJACENCIES = {
    "dense": lambda dense: dense,
    "list": lambda dense: dense.tolist(),
    "fortran": np.asfortranarray,
    "pandas": pd.DataFrame,
    "named": lambda dense: pd.DataFrame(dense, index=[*"abc"], columns=[*"abc"]),
    "polars": lambda dense: pl.DataFrame(dense),
    **{f"{f}_array": lambda d, f=f: sparse.coo_array(d).asformat(f) for f in SPARSE},
    **{f"{f}_matrix": lambda d, f=f: sparse.coo_matrix(d).asformat(f) for f in SPARSE},
}


@pytest.mark.parametrize("form", ADJACENCIES)
@pytest.mark.parametrize("dense", [ASYMMETRIC, SYMMETRIC])
def test_forms_of_an_adjacency(form, dense):
    is_directed = dense is ASYMMETRIC
    given = ADJACENCIES[form](dense)
    for features in (None, np.ones((3, 1))):
        assert_array_equal(get_dense(features, given), dense)
        assert_array_equal(get_dense(features, given, directed=True), dense)
        assert Graph(features, given).is_directed == is_directed
        assert Graph(features, given, directed=True).is_directed
    assert_array_equal(get_dense(None, given, n_nodes=3), dense)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32, np.float16])
def test_types_of_an_adjacency(dtype):
    dense = (SYMMETRIC > 0).astype(dtype)
    assert_array_equal(get_dense(None, dense), SYMMETRIC > 0)
    if dtype is not np.float16:  # scipy has no sparse matrices of it
        assert_array_equal(get_dense(None, sparse.csr_array(dense)), SYMMETRIC > 0)


def test_duplicates_and_zeros_of_a_sparse_adjacency():
    rows, columns = [0, 0, 1, 2, 2], [1, 1, 0, 2, 0]
    data = np.array([1.0, 2.0, 3.0, 4.0, 0.0])
    given = sparse.coo_array((data, (rows, columns)), shape=(3, 3))
    expected = [[0, 3, 0], [3, 0, 0], [0, 0, 4]]
    assert_array_equal(get_dense(None, given), expected)
    unsorted = sparse.csr_array(
        (data[[0, 1, 3]], np.array([2, 1, 0]), np.array([0, 2, 3, 3])), shape=(3, 3)
    )
    assert_array_equal(get_dense(None, unsorted), unsorted.toarray())
    assert not unsorted.has_sorted_indices  # the user's stays as it was


@pytest.mark.parametrize("make", [np.array, sparse.csr_array, sparse.coo_array])
def test_the_users_adjacency_is_copied(make):
    given = make(SYMMETRIC)
    graph = Graph(None, given)
    data = given if make is np.array else given.data
    assert data.flags.writeable
    data[...] = 9
    assert_array_equal(graph.adjacency.toarray(), SYMMETRIC)


def test_long_indices_become_short():
    given = sparse.csr_array(SYMMETRIC)
    given.indices, given.indptr = (
        array.astype(np.int64) for array in (given.indices, given.indptr)
    )
    assert_array_equal(get_dense(None, given), SYMMETRIC)


TWO = np.ones((2, 1))


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        # Square arrays are adjacencies.
        ((None, np.eye(3)), {}, np.eye(3)),
        ((np.ones((3, 1)), np.eye(3)), {}, np.eye(3)),
        # Two pairs are edges where there may be other than two nodes.
        ((None, [(0, 1), (1, 2)]), {}, fill([(0, 1), (1, 2)], None, 3)),
        ((np.ones((3, 1)), [(0, 1), (1, 2)]), {}, fill([(0, 1), (1, 2)], None, 3)),
        ((None, [(0, 1), (0, 0)]), {}, fill([(0, 1), (0, 0)], None, 2)),
        # Two nodes: weights belong to edges, other numbers to an adjacency.
        ((TWO, [[0, 1], [1, 0]]), {}, [[0, 1], [1, 0]]),
        ((TWO, [[0, 1], [1, 0]]), {"directed": True}, [[0, 1], [1, 0]]),
        ((TWO, [[0, 1], [1, 1]]), {"edge_weight": [1, 2]}, [[0, 1], [1, 2]]),
        ((TWO, [[0, 2.5], [2.5, 0]]), {}, [[0, 2.5], [2.5, 0]]),
        ((TWO, [[0, 2], [0, 0]]), {}, [[0, 2], [0, 0]]),
        ((None, [[0, 2], [0, 0]]), {"n_nodes": 2}, [[0, 2], [0, 0]]),
        ((TWO, sparse.csr_array([[0, 1], [0, 1]])), {}, [[0, 1], [0, 1]]),
        ((TWO, [[0, 1]]), {}, [[0, 1], [1, 0]]),
    ],
)
def test_edges_are_told_from_an_adjacency(args, kwargs, expected):
    assert_array_equal(get_dense(*args, **kwargs), expected)


@pytest.mark.parametrize("given", [[[0, 1], [0, 1]], np.eye(2), np.zeros((2, 2))])
def test_what_cannot_be_told_apart_is_refused(given):
    for kwargs in ({"X": TWO}, {"X": None, "n_nodes": 2}):
        with pytest.raises(ValueError, match=r"told apart .* sparse matrix is always"):
            Graph(edges_or_adjacency=given, **kwargs)


NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([(0, 1), (1, 2), (2, 3), (0, 7)], r"from 0 to 4: edge 3 is \(0, 7\)\."),
        ([(0, 1), (-1, 2)], r"from 0 to 4: edge 1 is \(-1, 2\)\."),
        ([(0, 1), (1.5, 2)], r"whole numbers.*: edge 1 is \(1\.5, 2\.0\)\."),
        ([(0, 1), (1, NAN), (0, 0)], r"whole numbers.*: edge 1 is \(1\.0, nan\)\."),
        ([(INF, 1)], r"whole numbers.*: edge 0 is \(inf, 1\.0\)\."),
        ([(0, 2**70)], r"from 0 to 4: edge 0 is"),
        ([(0, None)], r"whole numbers.*: edge 0 is \(0\.0, nan\)\."),
        ([(0, 1), (1,)], r"pairs of whole numbers.*: edge 1 is \(1,\)\."),
        ([(0, 1), 3], r"pairs of whole numbers.*: edge 1 is 3\."),
        ([("a", "b")], r"pairs of whole numbers.*: edge 0 is \('a', 'b'\)\..*networkx"),
        (pd.DataFrame([*"ab"]).T, r"pairs of whole numbers.*: edge 0 is \('a', 'b'\)"),
        ([(0, 1, 0.5)], r"shape \(n_edges, 2\).*got shape \(1, 3\)\. Weights are"),
        (np.ones((2, 7), int), r"got shape \(2, 7\)\. Edges that are columns .*\.T\."),
        ([np.array([[0, 1]]), np.zeros(1)], "an array of numbers"),
        ([0, 1], r"shape \(n_edges, 2\).*got shape \(2,\)\."),
        (np.zeros((2, 2, 2)), r"shape \(n_edges, 2\).*got shape \(2, 2, 2\)\."),
        (np.zeros((3, 3)), r"of shape \(5, 5\).*got shape \(3, 3\)\."),
        (np.zeros((0, 0)), r"of shape \(5, 5\).*got shape \(0, 0\)\."),
        (sparse.eye_array(4), r"of shape \(5, 5\).*got shape \(4, 4\)\."),
        (sparse.csr_array((5, 4)), r"of shape \(5, 5\).*got shape \(5, 4\)\."),
        (sparse.coo_array(np.ones(5)), r"of shape \(5, 5\).*got shape \(5,\)\."),
    ],
)
def test_wrong_edges(edges, message):
    with pytest.raises(ValueError, match=rf"^edges_or_adjacency must .*{message}"):
        Graph(X, edges)


@pytest.mark.parametrize("given", [None, "edges", {0: [1]}, 3j * np.ones((5, 5))])
def test_what_are_no_edges(given):
    with pytest.raises(TypeError, match=r"^edges_or_adjacency must "):
        Graph(X, given)
    with pytest.raises(ValueError, match=r"^edges_or_adjacency must .*got Graph"):
        Graph(X, Graph(X, []))


@pytest.mark.parametrize("value", [-1.0, NAN, INF, -INF])
def test_wrong_weights_of_an_adjacency(value):
    dense = np.zeros((5, 5))
    dense[1, 4] = value
    message = rf"finite weights >= 0: adjacency\[1, 4\] is {value}\."
    for given in (dense, dense.tolist(), pd.DataFrame(dense), sparse.csr_array(dense)):
        with pytest.raises(ValueError, match=message):
            Graph(X, given)


def test_complex_sparse_adjacency():
    with pytest.raises(TypeError, match="must hold numbers: got complex128"):
        Graph(X, sparse.csr_array(np.ones((5, 5)) * 1j))


@pytest.mark.parametrize("value", [-1.0, NAN, INF, None])
def test_wrong_edge_weights(value):
    weights = [1, 2, 0, value, 5, 6, 7]
    shown = "nan" if value is None else value
    message = rf"^edge_weight must be finite and >= 0: edge_weight\[3\] is {shown}\."
    with pytest.raises(ValueError, match=message):
        Graph(X, EDGES, None, weights)


@pytest.mark.parametrize("weights", [[1.0], [[1.0]] * 7, 1.0, [1.0] * 8])
def test_edge_weights_of_a_wrong_shape(weights):
    with pytest.raises(
        ValueError, match=r"^edge_weight must .*shape \(7,\): got shape"
    ):
        Graph(X, EDGES, None, weights)


def test_edge_weights_whose_sum_overflows():
    with pytest.raises(ValueError, match=r"finite weights.*adjacency\[0, 1\] is inf"):
        Graph(None, [(0, 1), (0, 1)], edge_weight=[1.5e308, 1.5e308])


def test_edge_weights_that_are_no_numbers():
    with pytest.raises(ValueError, match=r"^edge_weight must be an array of numbers"):
        Graph(X, [(0, 1), (1, 2)], None, [1, {}])
    with pytest.raises(TypeError, match=r"^edge_weight must hold numbers"):
        Graph(X, [(0, 1), (1, 2)], None, ["1", "2"])


@pytest.mark.parametrize("given", [np.eye(5), sparse.eye_array(5)])
def test_an_adjacency_takes_no_edge_weights(given):
    with pytest.raises(ValueError, match=r"^edge_weight must be None for an adjacency"):
        Graph(X, given, None, np.ones(5))


def test_an_asymmetric_adjacency_has_directions():
    message = (
        r"^directed must .*adjacency\[0, 1\] is 2.0 and adjacency\[1, 0\] is 0.0\."
    )
    with pytest.raises(ValueError, match=message):
        Graph(None, ASYMMETRIC, directed=False)
    assert not Graph(None, SYMMETRIC, directed=False).is_directed


@pytest.mark.parametrize("value", ["yes", 1, 0.0])
def test_wrong_directed(value):
    with pytest.raises(ValueError, match=r"^directed must be True, False or None: got"):
        Graph(X, EDGES, directed=value)


def test_columns_in_another_order_than_rows():
    frame = pd.DataFrame(SYMMETRIC, index=[*"abc"], columns=[*"bca"])
    with pytest.raises(ValueError, match="columns in the order of its rows"):
        Graph(None, frame)
    assert Graph(None, frame.reset_index(drop=True)).n_nodes == 3


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True])
def test_wrong_n_nodes(value):
    with pytest.raises(ValueError, match=r"^n_nodes must be an int >= 1: got"):
        Graph(None, [(0, 0)], n_nodes=value)


def test_n_nodes_that_contradicts():
    with pytest.raises(ValueError, match=r"^n_nodes must be the number of X's rows, 5"):
        Graph(X, EDGES, n_nodes=6)
    with pytest.raises(ValueError, match=r"of shape \(2, 2\).*got shape \(3, 3\)"):
        Graph(None, np.eye(3), n_nodes=2)
    with pytest.raises(ValueError, match=r"^n_nodes must be given"):
        Graph(None, [])
    with pytest.raises(ValueError, match="at least one node"):
        Graph(None, np.empty((0, 0)))
    with pytest.raises(ValueError, match="at least one node"):
        Graph(None, sparse.csr_array((0, 0)))


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (X, np.float64),
        (X.astype(np.float32), np.float32),
        (X.astype(np.float16), np.float64),
        (X.astype(">f8"), np.float64),
        (X.astype(np.int8), np.float64),
        (X > 3, np.float64),
        (X.astype(object), np.float64),
        (X.tolist(), np.float64),
        (np.asfortranarray(X), np.float64),
        (pd.DataFrame(X), np.float64),
        (pd.DataFrame({"a": range(5), "b": [True] * 5}), np.float64),
        (pl.DataFrame(X), np.float64),
        (torch.from_numpy(X).float(), np.float32),
    ],
)
def test_forms_of_features(given, dtype):
    found = Graph(given, EDGES).X
    assert type(found) is np.ndarray
    assert found.dtype == dtype and found.dtype.isnative
    assert found.flags.c_contiguous and not found.flags.writeable
    assert_array_equal(found, np.asarray(given).astype(np.float64))


def test_the_users_features_are_copied():
    given = X.copy()
    graph = Graph(given, EDGES)
    given[0] = 99
    assert_array_equal(graph.X, X)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones(5), r"of shape \(n_nodes, n_features\).*got shape \(5,\)"),
        (np.ones((5, 2, 1)), r"of shape \(n_nodes, n_features\).*shape \(5, 2, 1\)"),
        (np.ones((0, 2)), r"of shape \(n_nodes, n_features\).*got shape \(0, 2\)"),
        (np.ones((5, 0)), r"of shape \(n_nodes, n_features\).*X=None is for"),
        ([[1, 2], [3]], "an array of numbers"),
        ([[1, {}]], "an array of numbers"),
        ([[1.0, None]], r"finite: X\[0, 1\] is nan"),
    ],
)
def test_wrong_features(given, message):
    with pytest.raises(ValueError, match=f"^X must be {message}"):
        Graph(given, [])


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_features_that_are_not_finite(value):
    given = X.copy()
    given[2, 0] = given[3, 1] = value
    with pytest.raises(ValueError, match=rf"^X must be finite: X\[2, 0\] is {value}\."):
        Graph(given, EDGES)


@pytest.mark.parametrize("given", [sparse.csr_array(X), [["1", "2"]], X * 1j])
def test_features_that_are_no_numbers(given):
    with pytest.raises(TypeError, match=r"^X must "):
        Graph(given, [])


TARGETS = {
    "ints": ([0, -1, 2, 1, 0], "i"),
    "floats": ([0.5, NAN, 1, 2, 3], "f"),
    "bools": ([True, False, True, True, False], "b"),
    "strings": ([*"abcab"], "O"),
    "bytes": ([b"a", b"b", b"c", b"a", b"b"], "O"),
    "none": (["a", None, "b", None, None], "O"),
    "nan": (["a", NAN, "b", "a", "b"], "O"),
    "mixed": (["a", 1, "b", 2.5, True], "O"),
    "mixed bytes": ([b"a", 1, b"b", b"a", b"a"], "O"),
    "ints and none": ([1, None, 0, 1, 0], "O"),
    "columns": ([[1, 2], [3, 4], [5, 6], [7, 8], [9, 0]], "i"),
    "mixed columns": ([["a", 2]] * 5, "O"),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_targets_are_kept_as_they_are(kind):
    given, code = TARGETS[kind]
    found = Graph(X, EDGES, y=given).y
    assert found.dtype.kind == code
    assert not found.flags.writeable
    for one, other in zip(found.ravel().tolist(), np.ravel(given, "K"), strict=True):
        if code != "O":
            assert_array_equal(one, other)
    if code == "O":
        flat = [v for row in given for v in (row if isinstance(row, list) else [row])]
        for one, other in zip(found.ravel().tolist(), flat, strict=True):
            assert one is other or one == other


@pytest.mark.parametrize("make", [np.array, pd.Series, pl.Series, torch.tensor])
def test_forms_of_targets(make):
    given = [3, -1, 2, 2, 0]
    found = Graph(X, EDGES, make(given)).y
    assert type(found) is np.ndarray
    assert_array_equal(found, given)


def test_text_columns_of_pandas():
    labels = ["a", None, "b", "a", "b"]
    for dtype in (object, "category", "str"):
        found = Graph(X, EDGES, pd.Series(labels, dtype=dtype)).y
        assert found[0] == "a" and pd.isna(found[1]) and found.dtype == object


def test_the_users_targets_are_copied():
    given = np.arange(5)
    graph = Graph(X, EDGES, given)
    given[0] = 99
    assert_array_equal(graph.y, np.arange(5))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2, 3], r"one entry a node: got 3 for 5 nodes\."),
        ([[1, 2]], r"one entry a node: got 1 for 5 nodes\."),
        (7, r"of shape \(n_nodes,\).*got 7 \(int\)"),
        ("abcde", r"of shape \(n_nodes,\).*got 'abcde'"),
        (np.ones((5, 1, 1)), r"of shape \(n_nodes,\).*of shape \(5, 1, 1\)"),
        ([[1], [2, 3]], "equally long rows"),
    ],
)
def test_wrong_targets(given, message):
    with pytest.raises(ValueError, match=f"^y must (be|have) {message}"):
        Graph(X, EDGES, given)


MATRIX = np.array([[0.0, 2.0, 0.0], [0.5, 0.0, 0.0], [0.0, 1.0, 3.0]])
NAMED = pd.DataFrame(MATRIX, list("abc"), list("abc"))


@pytest.mark.parametrize(
    "given",
    [MATRIX, MATRIX.tolist(), sparse.coo_matrix(MATRIX), NAMED, MATRIX.astype(np.half)],
    ids=["array", "list", "sparse", "table", "half"],
)
def test_matrices_are_no_edges(given):
    found = read_matrix(given)
    assert isinstance(found, sparse.csr_array) and found.dtype == np.float64
    assert_array_equal(found.toarray(), MATRIX)
    assert_array_equal(read_matrix([[0, 1], [1, 1]]).toarray(), [[0, 1], [1, 1]])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (NAMED[list("bca")], "columns in the order of its rows: got .*'b', 'c', 'a'"),
        (MATRIX[:2], r"square, .*got shape \(2, 3\)"),
        (np.empty((0, 0)), r"square, .*at least one: got shape \(0, 0\)"),
        (MATRIX[0], r"of shape \(n_nodes, n_nodes\)"),
        (np.full((2, 2), "a"), r"numbers of shape .*'a'"),
        (-MATRIX, r"finite weights >= 0: adjacency\[0, 1\] is -2\.0"),
        (sparse.csr_array(MATRIX * np.nan), r"adjacency\[0, 0\] is nan"),
    ],
    ids=["order", "oblong", "empty", "axis", "words", "negative", "nan"],
)
def test_wrong_matrices(given, message):
    with pytest.raises(ValueError, match=f"^it must .*{message}") as caught:
        read_matrix(given)
    assert "edges_or_adjacency" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["a", "b", np.nan, "a", "b"], "nan"),
        (["a", "b", "None", "a", "b"], "None"),
        (["a", "b", -1, "a", "b"], "-1"),
        (["a", "<NA>", "b", "a", "b"], "<NA>"),
    ],
)
def test_words_that_an_array_made_of_unknown_targets(given, word):
    with pytest.raises(ValueError, match=f"^y must be an array of objects.*'{word}'"):
        Graph(X, EDGES, np.array(given))
    assert Graph(X, EDGES, given).y.tolist()[:2] == given[:2]
    assert Graph(X, EDGES, np.array(given, object)).y[0] == "a"
    with pytest.raises(ValueError, match=f"'{word}'"):
        Graph(X, EDGES).replace(y=np.array(given))


def test_numbers_as_words_may_be_minus_one():
    given = np.array(["1", "-1", "1", "-1", "1"])
    assert Graph(X, EDGES, given).y.tolist() == given.tolist()
