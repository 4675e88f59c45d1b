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
    bandwidth : float
        Of the kernel of the score.
    """

    def __init__(self, rows, labels, make, adversary, bandwidth):
        self._rows, self._labels = rows, labels
        self._make, self._adversary = make, adversary
        self._bandwidth = bandwidth
        self._distance = mean_distance(rows, labels)

    def __call__(self, loss):
        """Entries of an epoch's row in the history; `loss` is the generator's."""
        of_discriminator = self._adversary.end_epoch()
        with self._adversary.averaged():
            made = self._make()
        return {
            "generator_loss": loss,
            "discriminator_loss": of_discriminator,
            "score": -discrepancy(self._rows, made, self._bandwidth),
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


class Comparison:
    """Compares one sample with others, of as many rows each.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        The sample that stays.
    n_others : int
        Rows of the other samples.
    bandwidth : float
        Of the kernel.
    random_state : RandomState
        Where the resamplings are drawn from, once for all.
    """

    def __init__(self, X, n_others, bandwidth, random_state):
        self._X, self._gamma = X, 0.5 / bandwidth**2
        self._x = _draw_shares(len(X), random_state)
        self._y = _draw_shares(n_others, random_state)
        self._within = _forms(self._x, rbf_kernel(X, gamma=self._gamma), self._x)

    def __call__(self, Y):
        """`discrepancy` of the two, and its standard deviation over resamplings.

        Both have all their rows resampled. NaN twice where `Y` is not finite.
        """
        if not np.isfinite(Y).all():
            return float("nan"), float("nan")
        x, y = self._x, self._y
        values = self._within + _forms(y, rbf_kernel(Y, gamma=self._gamma), y)
        values -= 2 * _forms(x, rbf_kernel(self._X, Y, self._gamma), y)
        return max(0.0, float(values[0])), float(values[1:].std())


def _draw_shares(n, random_state):
    """Share of each of `n` rows: as they are, then in resamplings of as many.

    (1 + resamplings, n)
    """
    drawn = random_state.multinomial(n, [1 / n] * n, N_RESAMPLINGS)
    return np.concatenate([np.ones((1, n)), drawn]) / n


def _forms(x, matrix, y):
    return ((x @ matrix) * y).sum(axis=1)


def choose(n_rows, most):
    """Positions of all of `n_rows`, or of `most`, always the same, in order."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False))


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


def warn_of_range(X, known):
    """Warn where later rows are outside the range that generated ones stay in.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows of a later call.
    known : Range
        Set by the first.
    """
    low, high = (bound.numpy(force=True) for bound in (known.low, known.high))
    beyond = np.maximum(low - X.min(axis=0), X.max(axis=0) - high)
    column = int(beyond.argmax())
    if beyond[column] <= 1e-6 * (high - low).max():
        return
    warnings.warn(
        f"X has values outside [{low[column]:g}, {high[column]:g}] in column {column}, "
        "the range of the first call: generated rows stay within. Begin with rows that "
        "have the whole range.",
        stacklevel=6,
    )


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
