r"""How generated rows compare with those of the data.

The squared maximum mean discrepancy of two samples, :math:`\bar k(X, X) + \bar k(Y, Y)
- 2 \bar k(X, Y)` for the mean values of a kernel, is zero in the limit where both come
from one distribution (Gretton et al. 2012).
"""

import numpy as np
from scipy.spatial.distance import cdist

# entries of a matrix of distances that are there at a time
BLOCK_ENTRIES = 1 << 20
# resamplings that the deviation of a score is taken over
N_RESAMPLINGS = 50
# rows of each sample that are resampled
MOST_RESAMPLED = 500


def kernel(X, Y, bandwidth):
    r""":math:`\exp(-\lVert x - y \rVert^2 / (2 b^2))` for every pair of rows."""
    square = cdist(X, Y, "sqeuclidean")
    square *= -0.5 / bandwidth**2
    return np.exp(square, out=square)


def mean_kernel(X, Y, bandwidth):
    """Mean of the kernel over all pairs of rows."""
    chunk = max(BLOCK_ENTRIES // len(Y), 1)
    starts = range(0, len(X), chunk)
    sums = [kernel(X[s : s + chunk], Y, bandwidth).sum() for s in starts]
    return sum(sums) / (len(X) * len(Y))


def squared_mmd(X, Y, bandwidth):
    """Squared maximum mean discrepancy of two samples (n, d) and (m, d)."""
    within = mean_kernel(X, X, bandwidth) + mean_kernel(Y, Y, bandwidth)
    return float(within - 2 * mean_kernel(X, Y, bandwidth))


def median_bandwidth(X):
    """Median distance of two different rows of `X`; 1 where all are the same."""
    distances = cdist(X, X)[np.triu_indices(len(X), 1)]
    apart = distances[distances > 0]
    return float(np.median(apart)) if len(apart) else 1.0


def bootstrap_deviation(X, Y, bandwidth, random_state):
    """Standard deviation of `squared_mmd` over resamplings of both samples' rows."""
    X, Y = X[:MOST_RESAMPLED], Y[:MOST_RESAMPLED]
    x, y = (_draw_shares(len(rows), random_state) for rows in (X, Y))
    values = (
        _forms(x, kernel(X, X, bandwidth), x)
        + _forms(y, kernel(Y, Y, bandwidth), y)
        - 2 * _forms(x, kernel(X, Y, bandwidth), y)
    )
    return float(values.std())


def _draw_shares(n, random_state):
    """Share of each of `n` rows in resamplings of as many, (resamplings, n)."""
    return random_state.multinomial(n, [1 / n] * n, N_RESAMPLINGS) / n


def _forms(x, matrix, y):
    return ((x @ matrix) * y).sum(axis=1)


def mean_distance(X, labels=None):
    """Mean distance of two rows of `X`, of one label where there are labels.

    Where no label has two rows all pairs count; 0 where there are none.
    """
    pairs = np.triu_indices(len(X), 1)
    distances = cdist(X, X)[pairs]
    if labels is not None:
        same = labels[pairs[0]] == labels[pairs[1]]
        distances = distances[same] if same.any() else distances
    return float(distances.mean()) if len(distances) else 0.0
