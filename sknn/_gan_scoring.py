"""How like the data's a trained generator's rows are, while it trains and after."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._gan_watch import SampleWatch, bootstrap_deviation, discrepancy
from sknn.data import to_tensor

# rows that are looked at after every epoch, and most of those that a score makes
WATCHED, MOST_SCORED = 256, 1000


class Scoring:
    """Scores of a generator that is `module_`."""

    def score(self, X, y=None):
        r"""Minus the squared maximum mean discrepancy of `X` and generated rows.

        The generated ones are as many as were trained on, 1000 at most, from noise that
        is always the same. All features are scaled as in training; the kernel is
        :math:`\exp(-\lVert x - x' \rVert^2 / (2 b^2))`, where b is the median distance
        of training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of the data, best held-out ones.
        y : object
            Not looked at.

        Returns
        -------
        float
            At most 0, which two equal samples have; higher is better.
        """
        check_is_fitted(self)
        X = self._check_X(X, self._flat.numpy_dtype, reset=False)
        return -discrepancy(self._scale(X), self._make_scored(), self._bandwidth)

    def _make_observer(self, rows):
        random_state = np.random.RandomState(self._score_seed)
        chance = None if rows.weight is None else rows.weight / rows.weight.sum()
        most = len(rows) if chance is None else np.count_nonzero(chance)
        size = min(WATCHED, most)
        rows = rows.subset(random_state.choice(len(rows), size, False, chance))
        noise = self._draw_noise(size, random_state)
        codes = rows.y
        watch = SampleWatch(
            self._scale(rows.X),
            codes,
            lambda: self._make(noise, codes),
            self._adversary,
        )
        self._bandwidth = watch.bandwidth = self._bandwidth or watch.bandwidth
        return watch

    def _make_validation(self, held_out):
        if held_out is None:
            return None
        X, random_state = held_out.X, np.random.RandomState(self._score_seed)
        if held_out.weight is not None:  # rows of as much weight, each of which is one
            chance = held_out.weight / held_out.weight.sum()
            X = X[random_state.choice(len(X), len(X), True, chance)]
        X, seed = self._scale(X), random_state.randint(np.iinfo(np.int32).max)

        def validate():
            with self._adversary.averaged():
                made = self._make_scored()
            draws = np.random.RandomState(seed)
            margin = bootstrap_deviation(X, made, self._bandwidth, draws)
            loss = discrepancy(X, made, self._bandwidth)
            return loss, -loss, margin

        return validate

    def _make_scored(self):
        """Scaled rows that a score compares with, from noise that stays."""
        random_state = np.random.RandomState(self._score_seed)
        codes = self._draw_codes(self._n_scored, random_state)
        noise = self._draw_noise(self._n_scored, random_state)
        return self._make(noise, codes)

    def _scale(self, X):
        """Checked rows in float64, every feature in [-1, 1]."""
        x = to_tensor(X).to(self._flat.values.device)
        return self.module_.range.scale(x).cpu().numpy().astype(np.float64)
