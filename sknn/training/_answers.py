"""What callbacks that score ask of a net."""

import numpy as np
from skorch import NeuralNet

from sknn.data import Parts
from sknn.training._gradient import call


class AnsweringNet(NeuralNet):
    """skorch's net with predictions as scorers of its callbacks see them.

    Its `task` has the encoder of the targets.
    """

    def infer(self, x, **fit_params):
        """Outputs for the inputs of a batch, which may be in parts."""
        if isinstance(x, Parts):
            return call(self.module_, x, **fit_params)
        return super().infer(x, **fit_params)

    def predict_proba(self, X):
        """Probabilities, or predictions of a regressor."""
        raw = self.forward(X).detach().cpu().numpy().copy()
        probability = self.task.targets.link(raw)
        if getattr(self.task.targets, "kind", None) == "binary":
            return np.hstack([1 - probability, probability])
        return probability

    def predict(self, X):
        """Class codes, indicators, or predictions of a regressor."""
        raw = self.forward(X).detach().cpu().numpy().copy()
        if hasattr(self.task.targets, "classes"):
            return self.task.targets.decode_codes(raw)
        return self.task.targets.decode(raw)

    @property
    def classes_(self):
        """Codes of the classes, as callbacks see targets."""
        return np.arange(len(self.task.targets.classes))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        is_classifier = hasattr(self.task.targets, "classes")
        tags.estimator_type = "classifier" if is_classifier else "regressor"
        return tags
