"""Answers of several networks: the mean of theirs, and how far they are apart."""

import numpy as np


class AveragedAnswers:
    """Averages over the networks that a fit has kept, where `combine` asks for it."""

    @property
    def _averages(self):
        """Whether answers are the mean of those of several networks."""
        return self._networks is not None and self._combined_as[1] == "average"

    def _predict_raw(self, X):
        if not self._averages:
            return super()._predict_raw(X)
        return self._raw_outputs(self._checked_inputs(X))

    def _raw_outputs(self, X):
        if not self._averages:
            return super()._raw_outputs(X)
        return self._targets.average(n._raw_outputs(X) for n in self._networks)

    def _predict_with_deviation(self, X):
        """Predictions, and their standard deviation over the networks."""
        X = self._checked_inputs(X)  # before anything that only a fit sets
        if not self._averages:
            n_networks, combine = self._combined_as or (1, None)
            was = f"n_networks={n_networks}"
            was += f" and combine={combine!r}" if combine else ""
            raise ValueError(
                "return_std=True needs a fit with n_networks > 1 and "
                f"combine='average': the last one was with {was}."
            )
        raws, targets = [n._raw_outputs(X) for n in self._networks], self._targets
        mean = targets.decode(targets.average(raw.copy() for raw in raws))
        return mean, np.std([targets.decode(raw) for raw in raws], axis=0)
