"""How far two samples are from one distribution: the maximum mean discrepancy."""

from numbers import Real

import numpy as np
from scipy.spatial.distance import cdist, pdist
from sklearn.utils import check_array, column_or_1d, gen_batches
from sklearn.utils.validation import check_non_negative

TILE = 512  # rows of a block of the kernel, which is 2 MB
N_MEDIAN = 1000  # rows whose distances make the bandwidth
LARGEST_NORM = 1e4  # squared, of rows in bandwidths: exponents err by some 1e-11


def maximum_mean_discrepancy(
    X, Y, *, bandwidth=None, unbiased=False, sample_weight=None, sample_weight_Y=None
):
    r"""Squared maximum mean discrepancy of two samples.

    .. math:: \sum_{i,j} w_i w_j k(x_i, x_j) + \sum_{i,j} v_i v_j k(y_i, y_j)
              - 2 \sum_{i,j} w_i v_j k(x_i, y_j), \qquad
              k(x, y) = \exp\left(-\frac{\|x - y\|^2}{2 h^2}\right)

    with the bandwidth :math:`h` and weights that sum to one in each sample, by default
    :math:`w_i = 1/n` and :math:`v_j = 1/m`. In the limit of large samples it is zero if
    and only if their distributions are equal, and it is at most 2.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        One sample, the reference: real rows, for example.
    Y : array-like of shape (m, n_features)
        The other sample: generated rows, for example.
    bandwidth : float, default=None
        Distance :math:`h` over which the kernel falls off. None takes the median
        distance between two rows of `X` (of 1000 of them, always the same, if there are
        more), their mean distance if that is zero, and 1 if all rows are equal.
    unbiased : bool, default=False
        Whether to leave out the pairs of a row with itself, so that samples of one
        distribution have the mean zero; the result may be negative.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows of `X`. A weight of two counts as the row twice, unless
        `unbiased`; the default bandwidth knows no weights but zero, which leaves a row
        out.
    sample_weight_Y : array-like of shape (m,), default=None
        Weights of the rows of `Y`.

    Returns
    -------
    float
        Not negative unless `unbiased`.

    Raises
    ------
    TypeError
        For options of a wrong type and for sparse samples.
    ValueError
        For NaN or infinity, samples without rows or with unlike numbers of columns, a
        bandwidth that is not positive, weights that are negative or all zero; if
        `unbiased`, for fewer than two rows of positive weight.

    Notes
    -----
    Only values of one bandwidth compare, so pass it where several samples are compared
    with one reference. Features count by their scales, as distances do.

    Of samples of one distribution the expectation is :math:`(1/n + 1/m)(1 - \bar k)`
    with the mean kernel :math:`\bar k` of two rows, and zero if `unbiased`.

    Time is in proportion to :math:`(n + m)^2`. The kernel is evaluated block by block,
    which takes some MB beyond the samples. Squared distances are those of centred rows,
    :math:`\|x\|^2 + \|y\|^2 - 2 x^\top y`, and differences of the rows themselves where
    these are so far off that the subtraction would lose digits.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf and Smola, "A kernel two-sample test", Journal
    of Machine Learning Research 13, 2012 (both estimates: lemma 6; the median, there of
    both samples: section 8).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.metrics import maximum_mean_discrepancy
    >>> rng = np.random.default_rng(0)
    >>> X, same, shifted = rng.normal([[[0]], [[0]], [[1]]], size=(3, 200, 2))
    >>> round(maximum_mean_discrepancy(X, same), 3)
    0.002
    >>> round(maximum_mean_discrepancy(X, shifted), 3)
    0.235
    """
    if not isinstance(unbiased, bool | np.bool_):
        raise TypeError(f"unbiased must be True or False: got {unbiased!r}.")
    X, Y = _read_sample(X, "X"), _read_sample(Y, "Y")
    if X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"Y must have as many columns as X, {X.shape[1]}: got {Y.shape[1]}."
        )
    w = _read_weights(sample_weight, X, "sample_weight", unbiased)
    v = _read_weights(sample_weight_Y, Y, "sample_weight_Y", unbiased)
    if bandwidth is None:
        bandwidth = median_bandwidth(X if sample_weight is None else X[w > 0])
    _check_bandwidth(bandwidth)
    within_X = w @ mean_kernel(X, X, bandwidth, w)
    within_Y = v @ mean_kernel(Y, Y, bandwidth, v)
    between = w @ mean_kernel(X, Y, bandwidth, v)
    if unbiased:
        within_X, within_Y = _drop_diagonal(within_X, w), _drop_diagonal(within_Y, v)
        return float(within_X + within_Y - 2 * between)
    return max(0.0, float(within_X + within_Y - 2 * between))


def median_bandwidth(X):
    """Median distance between two rows: the kernel's bandwidth by default.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        A sample, of which the same 1000 rows are taken if there are more.

    Returns
    -------
    float
        The mean distance where the median is zero, and 1 where that is zero too.
    """
    if len(X) > N_MEDIAN:
        # at random: rows in turn might all be of one class
        rows = np.random.default_rng(0).choice(len(X), N_MEDIAN, replace=False)
        X = X[np.sort(rows)]
    distances = pdist(X)
    if not distances.any():
        return 1.0
    return float(np.median(distances) or distances.mean())


def mean_kernel(X, Y, bandwidth, weights):
    """Weighted mean of the kernel of each row of one sample with those of another.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        One sample.
    Y : ndarray of shape (m, n_features)
        Another one, or `X` itself, which takes half the time.
    bandwidth : float
        Positive.
    weights : ndarray of shape (m,)
        Weights of the rows of `Y`, which sum to one.

    Returns
    -------
    ndarray of shape (n,), float64
        Means over the rows of `Y`.
    """
    means = np.zeros(len(X))
    with np.errstate(over="ignore", invalid="ignore"):  # _kernel sees to both
        center = X.mean(axis=0, dtype=np.float64)
        for rows in gen_batches(len(X), TILE):
            left = _extend(X[rows], center, bandwidth, -2)
            for columns in gen_batches(len(Y), TILE):
                if X is Y and columns.start < rows.start:
                    continue
                right = _extend(Y[columns], center, bandwidth, -1)
                kernel = _kernel(left, right, X[rows], Y[columns], bandwidth)
                means[rows] += kernel @ weights[columns]
                if X is Y and columns.start > rows.start:
                    means[columns] += weights[rows] @ kernel
    return means


def _extend(X, center, bandwidth, column):
    """Rows in bandwidths, with minus half their squared norms in one more column.

    Another one has ones. Where the two change places in one of two samples, the dot
    product of their rows is minus half the squared distance.
    """
    extended = np.empty((len(X), X.shape[1] + 2))
    scaled = extended[:, :-2]
    np.subtract(X, center, out=scaled)
    scaled /= bandwidth
    extended[:, -2:] = 1.0
    extended[:, column] = -0.5 * np.einsum("ij,ij->i", scaled, scaled)
    return extended


def _kernel(left, right, X, Y, bandwidth):
    """Kernel of two blocks of rows, which are there as extended as well, (n, m)."""
    lowest = -0.5 * LARGEST_NORM
    if left[:, -2].min() >= lowest and right[:, -1].min() >= lowest:
        exponents = left @ right.T
    else:  # NaN as well
        exponents = -0.5 * (cdist(X, Y) / bandwidth) ** 2
    return np.exp(exponents, out=exponents)


def _drop_diagonal(mean, weights):
    """Mean of the kernel over pairs of different rows; of a row with itself it is 1."""
    share = weights @ weights
    return (mean - share) / (1.0 - share)


def _read_sample(X, name):
    X = check_array(X, input_name=name, ensure_min_samples=0, ensure_min_features=0)
    if not X.size:
        raise ValueError(
            f"{name} must have at least one row and one column: got the shape "
            f"{X.shape}."
        )
    return X


def _read_weights(weights, X, name, unbiased):
    """Weights that sum to one."""
    if weights is None:
        weights = np.ones(len(X))
    weights = check_array(weights, dtype=np.float64, ensure_2d=False, input_name=name)
    weights = column_or_1d(weights)
    if len(weights) != len(X):
        raise ValueError(
            f"{name} must have one weight a row, {len(X)}: got {len(weights)}."
        )
    check_non_negative(weights, name)
    n_rows = np.count_nonzero(weights)
    if not n_rows:
        raise ValueError(f"{name} must have at least one positive entry: got none.")
    if unbiased and n_rows == 1:
        sample = "Y" if name.endswith("Y") else "X"
        raise ValueError(
            f"{sample} must have at least 2 rows of positive weight with "
            "unbiased=True: got 1."
        )
    return weights / weights.sum()


def _check_bandwidth(bandwidth):
    if not isinstance(bandwidth, Real) or isinstance(bandwidth, bool | np.bool_):
        raise TypeError(f"bandwidth must be a number or None: got {bandwidth!r}.")
    if not 0 < bandwidth < np.inf:
        raise ValueError(f"bandwidth must be > 0 and finite: got {bandwidth}.")
