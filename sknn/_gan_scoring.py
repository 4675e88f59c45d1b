"""How like the data's a trained generator's rows are, while it trains and after."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._gan_watch import Comparison, SampleWatch, choose, discrepancy
from sknn.data import to_tensor

# rows that are looked at after every epoch
WATCHED = 256
# most rows that a score makes, that are held out for one, and that it is asked for
MOST_MADE, MOST_HELD_OUT, MOST_ASKED = 1000, 1000, 5000
# training rows whose distances make the bandwidth
MOST_MEASURED = 1000
# what numbers are drawn for, each from a stream of its own
USES = ("rows", "validation", "scored")


class Scoring:
    """Scores of a generator that is `module_`."""

    def _begin_scores(self):
        """Forget the rows of earlier fits."""
        self._n_scored, self._bandwidth, self._has_distances = 0, 1.0, False

    def _note_rows(self, rows, incremental):
        """Take what scores depend on from the training rows of a call.

        How many rows are made, as many as were seen, and the kernel's bandwidth, of the
        first call with any two rows that differ.
        """
        seen = max(self._n_scored, len(rows))
        if incremental:
            seen = self._n_scored + len(rows)
        self._n_scored = min(seen, MOST_MADE)
        if self._has_distances:
            return
        from sknn.metrics._discrepancy import median_bandwidth

        weight = np.ones(len(rows)) if rows.weight is None else rows.weight
        counted = np.flatnonzero(weight)
        counted = counted[choose(len(counted), MOST_MEASURED)]
        X = self._scale(rows.subset(counted).X)
        self._bandwidth = median_bandwidth(X)
        self._has_distances = bool(np.ptp(X, axis=0).any())

    def _begin_stream(self, use):
        """Numbers for one of `USES`, which depend on `random_state` alone."""
        return np.random.RandomState([self._score_seed, USES.index(use)])

    def score(self, X, y=None):
        r"""Minus the squared maximum mean discrepancy of `X` and generated rows.

        The generated ones are as many as were trained on, 1000 at most, from noise that
        is always the same. All features are scaled as in training; the kernel is
        :math:`\exp(-\lVert x - x' \rVert^2 / (2 b^2))`, where b is the median distance
        of training rows, of 1000 of them if there are more. Of more than 5000 rows of
        `X` as many, always the same, are compared.

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
        X = X[choose(len(X), MOST_ASKED)]
        return -discrepancy(self._scale(X), self._make_scored(), self._bandwidth)

    def _make_observer(self, rows):
        random_state = self._begin_stream("rows")
        chance = None if rows.weight is None else rows.weight / rows.weight.sum()
        most = len(rows) if chance is None else np.count_nonzero(chance)
        size = min(WATCHED, most)
        rows = rows.subset(random_state.choice(len(rows), size, False, chance))
        noise = self._draw_noise(size, random_state)
        codes = rows.y
        return SampleWatch(
            self._scale(rows.X),
            codes,
            lambda: self._make(noise, codes),
            self._adversary,
            self._bandwidth,
        )

    def _make_validation(self, held_out):
        if held_out is None:
            return None
        random_state = self._begin_stream("validation")
        chosen = choose(len(held_out), MOST_HELD_OUT)
        if held_out.weight is not None:  # rows of as much weight, each of which is one
            chance = held_out.weight / held_out.weight.sum()
            chosen = random_state.choice(len(held_out), len(chosen), True, chance)
        X = self._scale(held_out.subset(chosen).X)
        compare = Comparison(X, self._n_scored, self._bandwidth, random_state)

        def validate():
            with self._adversary.averaged():
                made = self._make_scored()
            loss, deviation = compare(made)
            return loss, -loss, deviation

        return validate

    def _make_scored(self):
        """Scaled rows that a score compares with, from noise that stays."""
        random_state = self._begin_stream("scored")
        codes = self._draw_codes(self._n_scored, random_state)
        noise = self._draw_noise(self._n_scored, random_state)
        return self._make(noise, codes)

    def _scale(self, X):
        """Checked rows in float64, every feature in [-1, 1]."""
        x = to_tensor(X).to(self._flat.values.device)
        return self.module_.range.scale(x).cpu().numpy().astype(np.float64)
