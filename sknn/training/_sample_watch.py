"""How generated rows do after every epoch, beside rows of the data."""

from sknn.training._two_samples import mean_distance, median_bandwidth, squared_mmd


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
            "score": -squared_mmd(self._rows, made, self.bandwidth),
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
