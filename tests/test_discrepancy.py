"""The maximum mean discrepancy: against double loops and closed forms."""

import tracemalloc
from math import exp, sqrt

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist

from sknn.metrics import maximum_mean_discrepancy
from sknn.metrics._discrepancy import TILE, mean_kernel, median_bandwidth

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 3)), RNG.normal(0.5, 1.5, size=(20, 3))
W, V = RNG.integers(0, 4, size=30), RNG.integers(0, 4, size=20)


def compute_kernel(x, y, bandwidth):
    return exp(-sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / 2 / bandwidth**2)


def compute_slowly(X, Y, bandwidth, unbiased=False, W=None, V=None):
    """Weighted means over pairs, one after another."""

    def average(A, B, a, b):
        pairs = [
            (a[i] * b[j], compute_kernel(A[i], B[j], bandwidth))
            for i in range(len(A))
            for j in range(len(B))
            if not (unbiased and A is B and i == j)
        ]
        return sum(w * k for w, k in pairs) / sum(w for w, _ in pairs)

    W = np.ones(len(X)) if W is None else W
    V = np.ones(len(Y)) if V is None else V
    within = average(X, X, W, W) + average(Y, Y, V, V)
    return within - 2 * average(X, Y, W, V)


def compute_of_normals(shift, scales, bandwidth):
    """Closed form of two normal distributions on the line: all integrals are normal."""

    def expected_kernel(shift, variance):
        total = bandwidth**2 + variance
        return bandwidth / sqrt(total) * exp(-(shift**2) / 2 / total)

    a, b = (scale**2 for scale in scales)
    within = expected_kernel(0, 2 * a) + expected_kernel(0, 2 * b)
    return within - 2 * expected_kernel(shift, a + b)


class TestValue:
    @pytest.mark.parametrize("unbiased", [False, True])
    @pytest.mark.parametrize("bandwidth", [0.2, 1.0, 7])
    @pytest.mark.parametrize("weights", [(None, None), (W, None), (W, V)])
    def test_is_that_of_a_double_loop(self, bandwidth, unbiased, weights):
        found = maximum_mean_discrepancy(
            X,
            Y,
            bandwidth=bandwidth,
            unbiased=unbiased,
            sample_weight=weights[0],
            sample_weight_Y=weights[1],
        )
        expected = compute_slowly(X, Y, bandwidth, unbiased, *weights)
        assert_allclose(found, expected, rtol=1e-12)

    @pytest.mark.parametrize("n", [TILE, TILE + 1, 3 * TILE - 5])
    def test_of_several_blocks(self, n):
        rng = np.random.default_rng(n)
        A, weights = rng.normal(size=(n, 2)), rng.dirichlet(np.ones(n))
        B = A[: n - 3] + 0.5
        squares = ((A[:, None] - B) ** 2).sum(axis=2)
        expected = np.exp(-squares / 2) @ weights[: n - 3]
        assert_allclose(mean_kernel(A, B, 1.0, weights[: n - 3]), expected, rtol=1e-12)
        squares = ((A[:, None] - A) ** 2).sum(axis=2)
        expected = np.exp(-squares / 2) @ weights
        assert_allclose(mean_kernel(A, A, 1.0, weights), expected, rtol=1e-12)

    @pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
    def test_of_other_types(self, dtype):
        A, B = (np.abs(2 * sample).astype(dtype) for sample in (X, Y))
        expected = maximum_mean_discrepancy(A.astype(float), B.astype(float))
        assert maximum_mean_discrepancy(A, B) == expected
        frames = maximum_mean_discrepancy(pd.DataFrame(A), B.tolist())
        assert_allclose(frames, expected, rtol=1e-12)

    @pytest.mark.parametrize(("shift", "scales"), [(0.0, (1, 2)), (1.5, (0.5, 1))])
    def test_is_on_average_that_of_two_normal_distributions(self, shift, scales):
        """Four standard errors of the mean of 200 draws, unbiased."""
        rng = np.random.default_rng(1)
        found = []
        for _ in range(200):
            A = rng.normal(0, scales[0], size=(60, 1))
            B = rng.normal(shift, scales[1], size=(40, 1))
            found.append(maximum_mean_discrepancy(A, B, bandwidth=0.8, unbiased=True))
        expected = compute_of_normals(shift, scales, 0.8)
        error = np.std(found) / sqrt(len(found))
        assert abs(np.mean(found) - expected) < 4 * error
        assert 4 * error < expected / 4  # or the line above would say little

    def test_of_one_distribution(self):
        """Four standard errors; biased it is the stated expectation, not zero."""
        rng = np.random.default_rng(2)
        pairs = rng.normal(size=(300, 2, 25, 1))
        for unbiased in (True, False):
            options = {"bandwidth": 1.0, "unbiased": unbiased}
            found = [maximum_mean_discrepancy(A, B, **options) for A, B in pairs]
            mean_kernel_of_two = 1 / sqrt(3)
            expected = 0.0 if unbiased else 2 / 25 * (1 - mean_kernel_of_two)
            error = np.std(found) / sqrt(len(found))
            assert abs(np.mean(found) - expected) < 4 * error
            assert (np.min(found) < 0) == unbiased


class TestInvariants:
    def test_of_a_sample_with_itself(self):
        assert maximum_mean_discrepancy(X, X) == 0.0
        assert 0 <= maximum_mean_discrepancy(X, X[::-1].copy()) < 1e-15

    @pytest.mark.parametrize("unbiased", [False, True])
    def test_symmetry(self, unbiased):
        options = {"bandwidth": 1.0, "unbiased": unbiased}
        assert_allclose(
            maximum_mean_discrepancy(X, Y, sample_weight=W, **options),
            maximum_mean_discrepancy(Y, X, sample_weight_Y=W, **options),
            rtol=1e-12,
        )

    def test_shift(self):
        shifts = [0, 0.25, 0.5, 1, 2, 4]
        found = [maximum_mean_discrepancy(X, X + shift) for shift in shifts]
        assert found[0] == 0 and (np.diff(found) > 0).all() and found[-1] < 2

    def test_the_order_of_rows_and_the_scale_do_not_matter(self):
        expected = maximum_mean_discrepancy(X, Y)
        for A, B in [(X[::-1], Y[::-1]), (1e-9 * X, 1e-9 * Y), (X + 99, Y + 99)]:
            assert_allclose(maximum_mean_discrepancy(A, B), expected, rtol=1e-11)

    def test_weights_are_repetitions(self):
        repeated = maximum_mean_discrepancy(
            np.repeat(X, W, axis=0), np.repeat(Y, V, axis=0), bandwidth=1.0
        )
        weights = {"sample_weight": W, "sample_weight_Y": V}
        found = maximum_mean_discrepancy(X, Y, bandwidth=1.0, **weights)
        assert_allclose(found, repeated, rtol=1e-12)

    @pytest.mark.parametrize("unbiased", [False, True])
    def test_weights_of_zero_leave_rows_out(self, unbiased):
        kept, far = W > 0, X.copy()
        far[~kept] += 5
        assert_allclose(
            maximum_mean_discrepancy(far, Y, sample_weight=W > 0, unbiased=unbiased),
            maximum_mean_discrepancy(X[kept], Y, unbiased=unbiased),
            rtol=1e-12,
        )

    def test_the_samples_are_left_as_they_are(self):
        A, B = X.copy(), Y.copy()
        for sample in (A, B):
            sample.flags.writeable = False
        maximum_mean_discrepancy(A, B)
        assert (A == X).all() and (B == Y).all()


class TestPrecision:
    @pytest.mark.parametrize("offset", [1e6, 1e9])
    def test_of_clusters_far_apart(self, offset):
        """Norms are 10^12 bandwidths and more: a difference of norms has no digit."""
        A, B = (np.round(sample, 2) for sample in (X, Y))
        A[:15] += offset
        B[:10] += offset
        found = maximum_mean_discrepancy(A, B, bandwidth=1.0)
        expected = compute_slowly(A, B, 1.0)
        assert_allclose(found, expected, rtol=1e-12)

    def test_of_an_outlier(self):
        A = np.vstack([X, [[1e200, 0, 0]]])
        expected = compute_slowly(X, Y, 1.0)
        found = maximum_mean_discrepancy(
            A, Y, bandwidth=1.0, sample_weight=[1] * 30 + [0]
        )
        assert_allclose(found, expected, rtol=1e-12)

    @pytest.mark.parametrize("scale", [1e-200, 1e-12])
    def test_of_a_bandwidth_that_tells_only_equal_rows(self, scale):
        """Rows of one sample differ, so what is left is their own kernel: 1/n each."""
        found = maximum_mean_discrepancy(X, X[:10], bandwidth=scale)
        assert_allclose(found, 1 / 30 + 1 / 10 - 2 * 10 / 300, rtol=1e-12)

    def test_memory(self):
        """A kernel of 3000 x 3000 would take 72 MB."""
        A = np.random.default_rng(0).normal(size=(3000, 2))
        tracemalloc.start()
        try:
            maximum_mean_discrepancy(A, A + 1)
            assert tracemalloc.get_traced_memory()[1] < 20e6
        finally:
            tracemalloc.stop()


class TestBandwidth:
    def test_is_the_median_distance(self):
        expected = np.median(
            [np.linalg.norm(a - b) for i, a in enumerate(X) for b in X[:i]]
        )
        assert_allclose(median_bandwidth(X), expected, rtol=1e-14)
        assert maximum_mean_discrepancy(X, Y) == maximum_mean_discrepancy(
            X, Y, bandwidth=median_bandwidth(X)
        )

    def test_of_many_rows(self):
        """Distances within and between classes in turn: every tenth row is one class.

        The median of a thousand rows' distances is off by some percent.
        """
        A = np.random.default_rng(0).normal(size=(4000, 2))
        A[:, 0] += np.arange(4000) % 10
        found = median_bandwidth(A)
        assert_allclose(found, np.median(pdist(A)), rtol=0.05)
        assert median_bandwidth(A) == found

    def test_where_the_median_is_zero(self):
        A = np.zeros((10, 1))
        A[0] = 4.0
        assert_allclose(median_bandwidth(A), 4 * 9 / 45)

    @pytest.mark.parametrize("A", [np.ones((5, 2)), np.ones((1, 2))])
    def test_where_there_are_no_distances(self, A):
        assert median_bandwidth(A) == 1.0
        assert maximum_mean_discrepancy(A, A) == 0.0


class TestErrors:
    @pytest.mark.parametrize(
        ("samples", "match"),
        [
            ((X, Y[:, :2]), "Y must have as many columns as X, 3: got 2"),
            ((X[:0], Y), r"X must have at least one row .* got the shape \(0, 3\)"),
            ((X, Y[:, :0]), r"Y must have at least one row .* got the shape \(20, 0\)"),
            ((X, np.where(Y > 1, np.nan, Y)), "Input Y contains NaN"),
            ((np.where(X > 1, np.inf, X), Y), "Input X contains infinity"),
            ((X[0], Y), "Expected 2D array, got 1D array"),
            ((X[None], Y), "Found array with dim 3"),
        ],
    )
    def test_wrong_samples(self, samples, match):
        with pytest.raises(ValueError, match=match):
            maximum_mean_discrepancy(*samples)

    def test_sparse_samples(self):
        with pytest.raises(TypeError, match="Sparse data"):
            maximum_mean_discrepancy(csr_array(X), Y)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"bandwidth": 0}, "bandwidth must be > 0 and finite: got 0"),
            ({"bandwidth": -1.5}, r"bandwidth must be > 0 and finite: got -1\.5"),
            ({"bandwidth": np.nan}, "bandwidth must be > 0 and finite: got nan"),
            ({"bandwidth": np.inf}, "bandwidth must be > 0 and finite: got inf"),
            ({"sample_weight": np.ones(5)}, "sample_weight must have .* 30: got 5"),
            ({"sample_weight_Y": np.ones(5)}, "sample_weight_Y must have .* 20: got 5"),
            ({"sample_weight": -np.ones(30)}, "Negative values .* sample_weight"),
            (
                {"sample_weight_Y": np.zeros(20)},
                "sample_weight_Y must have at least one p",
            ),
            ({"sample_weight": np.full(30, np.nan)}, "sample_weight contains NaN"),
        ],
    )
    def test_wrong_values(self, options, match):
        with pytest.raises(ValueError, match=match):
            maximum_mean_discrepancy(X, Y, **options)

    @pytest.mark.parametrize("weights", [None, [1.0] + 29 * [0.0]])
    def test_one_row_has_no_pairs(self, weights):
        A = X[:1] if weights is None else X
        match = (
            "X must have at least 2 rows of positive weight with unbiased=True: got 1"
        )
        with pytest.raises(ValueError, match=match):
            maximum_mean_discrepancy(A, Y, unbiased=True, sample_weight=weights)
        with pytest.raises(ValueError, match=match.replace("X must", "Y must")):
            maximum_mean_discrepancy(
                Y, A, unbiased=True, sample_weight_Y=weights, bandwidth=1.0
            )

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"bandwidth": "median"}, "bandwidth must be a number .* got 'median'"),
            ({"bandwidth": True}, "bandwidth must be a number or None: got True"),
            ({"unbiased": "yes"}, "unbiased must be True or False: got 'yes'"),
        ],
    )
    def test_wrong_types(self, options, match):
        with pytest.raises(TypeError, match=match):
            maximum_mean_discrepancy(X, Y, **options)
