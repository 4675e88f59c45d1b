"""How generated rows compare with those of the data, after every epoch too.

Scores come from `sknn.metrics`, which only a fit needs.
"""

import warnings

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import rbf_kernel

# resamplings that the deviation of a score is taken over
N_RESAMPLINGS = 50
# rows of each sample that are resampled
MOST_RESAMPLED = 500
# diversity below which a generator has collapsed
COLLAPSED = 0.2


class SampleWatch:
    """Records the losses of both networks, a score and the diversity of an epoch.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Some of the training rows, scaled.
    labels : ndarray of shape (n_rows,) or None
        Their classes, where the generator is told any.
    make : callable
        Returns as many generated rows of the same classes, from noise that stays.
    adversary : Adversary
        What the generator is trained against.

    Attributes
    ----------
    bandwidth : float
        Of the kernel of the score: the median distance of two of the rows.
    """

    def __init__(self, rows, labels, make, adversary):
        from sknn.metrics._discrepancy import median_bandwidth

        self._rows, self._labels = rows, labels
        self._make, self._adversary = make, adversary
        self.bandwidth = median_bandwidth(rows)
        self._distance = mean_distance(rows, labels)

    def __call__(self, loss):
        """Entries of an epoch's row in the history; `loss` is the generator's."""
        of_discriminator = self._adversary.end_epoch()
        with self._adversary.averaged():
            made = self._make()
        return {
            "generator_loss": loss,
            "discriminator_loss": of_discriminator,
            "score": -discrepancy(self._rows, made, self.bandwidth),
            "diversity": self._relative_distance(made),
        }

    def diversity(self):
        """Diversity of what the module as it is makes."""
        return self._relative_distance(self._make())

    def _relative_distance(self, made):
        """How far apart generated rows are, over how far apart those of the data are.

        1 where these are all the same.
        """
        if not self._distance:
            return 1.0
        return mean_distance(made, self._labels) / self._distance


def discrepancy(X, Y, bandwidth):
    """Squared maximum mean discrepancy of two samples, of rows and generated ones.

    NaN where these are, as they are of a network that has diverged.
    """
    from sknn.metrics import maximum_mean_discrepancy

    if not np.isfinite(Y).all():
        return float("nan")
    return maximum_mean_discrepancy(X, Y, bandwidth=bandwidth)


def bootstrap_deviation(X, Y, bandwidth, random_state):
    """Standard deviation of `discrepancy` over resamplings of both samples' rows."""
    X, Y = X[:MOST_RESAMPLED], Y[:MOST_RESAMPLED]
    x, y = (_draw_shares(len(rows), random_state) for rows in (X, Y))
    gamma = 0.5 / bandwidth**2
    values = (
        _forms(x, rbf_kernel(X, X, gamma), x)
        + _forms(y, rbf_kernel(Y, Y, gamma), y)
        - 2 * _forms(x, rbf_kernel(X, Y, gamma), y)
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


def warn_of_collapse(diversity):
    """Warn where generated rows are much closer to each other than those of the data.

    Parameters
    ----------
    diversity : float
        Mean distance of generated rows over that of the data's.
    """
    if diversity >= COLLAPSED:
        return
    warnings.warn(
        f"The generator has collapsed: its rows are {diversity:.2g} times as far apart "
        f"as those of the data, less than {COLLAPSED:g} times. Try another "
        "random_state, a smaller learning_rate_init, a larger gradient_penalty, "
        "another loss, more n_discriminator_steps or more epochs.",
        ConvergenceWarning,
        stacklevel=2,
    )
