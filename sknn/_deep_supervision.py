"""Outputs of hidden layers that train along: what `deep_supervision` asks for."""

from numbers import Real

from sknn._door import warn_of_pairs
from sknn._sklearn_compat import Interval
from sknn.modules import Companion


class DeeplySupervised:
    """Networks whose hidden layers may have outputs of their own in training.

    A network says by `_n_hidden` how many it has, and builds modules with `companions`
    where `_companion_weight` is not zero.
    """

    _parameter_constraints: dict = {
        "deep_supervision": [Interval(Real, 0, None, closed="left")]
    }

    @property
    def _n_hidden(self):
        """Number of hidden layers, the last of which needs no output of its own."""
        raise NotImplementedError

    @property
    def _companion_weight(self):
        """Weight of the companions' losses, zero where there are no companions."""
        return float(self.deep_supervision) if self._n_hidden > 1 else 0.0

    def _check_parameters(self):
        if self.deep_supervision and self._n_hidden <= 1:
            warn_of_pairs(self, [("deep_supervision", "hidden_layer_sizes")])
        super()._check_parameters()

    def _check_same_layers(self, X, n_outputs):
        super()._check_same_layers(X, n_outputs)
        has_companions = any(isinstance(m, Companion) for m in self.module_.modules())
        if has_companions != (self._companion_weight > 0):
            was = "above zero" if has_companions else "zero"
            raise ValueError(
                "deep_supervision must stay zero, or above zero, as fitted while "
                f"warm_start or partial_fit goes on with the weights: it was {was}, "
                f"and now {self.deep_supervision!r} is asked for."
            )
