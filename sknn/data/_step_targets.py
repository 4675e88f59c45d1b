"""Class labels of steps as training sees them."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from sknn.data._sequences import Sequences
from sknn.data._step_labels import as_object_array
from sknn.data._targets import ClassTargets


class StepTargets(ClassTargets):
    """Encoder of labels of steps: a softmax over all classes at each.

    Encoded targets are `Sequences` of codes.

    Attributes
    ----------
    is_flat : bool
        Whether all sequences are single steps, which users have as a vector of labels.
    """

    is_flat = False

    @classmethod
    def fit(cls, labels):
        """Encoder for an array of labels.

        Raises
        ------
        ValueError
            If `labels` are not class labels.
        """
        check_classification_targets(labels)
        return cls(unique_labels(labels), "multiclass")

    def encode(self, y, dtype):
        """Codes of `y`, labels as `Sequences`."""
        return Sequences(self.codes(y.values).astype(np.int64), y.starts)

    def decode_encoded(self, y):
        """Array of shape (n,) with an array of labels for each of encoded sequences.

        Labels alone where `is_flat`.
        """
        if self.is_flat:
            return self.classes[y.values]
        return as_object_array(Sequences(self.classes[y.values], y.starts))

    def stratification(self, y):
        """Nothing: sequences are split at random."""
        return None


def step_weights(y, weight, class_factor=None):
    """Weight of each step: its sequence's, times its class's.

    Parameters
    ----------
    y : Sequences
        Codes of classes.
    weight : ndarray of shape (n,) or None
        Weights of the sequences.
    class_factor : ndarray of shape (n_classes,), optional
        Factors of the classes.

    Returns
    -------
    ndarray of shape (n_steps,) or None
        None where all weigh the same.
    """
    steps = None if weight is None else np.repeat(weight, y.lengths)
    if class_factor is None:
        return steps
    factor = class_factor[y.values]
    return factor if steps is None else steps * factor
