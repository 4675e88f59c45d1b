"""Classes of rows as what a network is told beside them."""

import numpy as np
from sklearn.utils.multiclass import type_of_target

from sknn.data._targets import ClassTargets


class Conditions:
    """Encoder of the classes that rows are told apart by, if by any.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,) or None
        Sorted labels.
    """

    def __init__(self, labels=None):
        self.targets, self.classes, self.n_outputs = None, None, 0
        if labels is None:
            return
        if type_of_target(labels, input_name="y") == "continuous":
            raise ValueError(
                "y must hold class labels, which rows are generated for: got real "
                "numbers. Leave y out for rows of no class."
            )
        self.targets = ClassTargets.fit(labels)
        self.classes = self.targets.classes
        self.n_outputs = len(self.classes)

    def check(self, y):
        """Check that `y` has labels where it should, and no unknown ones."""
        if y is None and self.classes is None:
            return
        if y is not None and self.classes is not None:
            self.targets.check_known(y)
            return
        how = "with y, and now without" if y is None else "without y, and now with"
        raise ValueError(
            "y must be given to every fit that goes on with the weights, or to none: "
            f"the network was fitted {how} it."
        )

    def encode(self, y, dtype):
        """Class codes of shape (n_rows,), or None where there are no classes."""
        return None if y is None else self.targets.codes(y).astype(np.int64)

    def stratification(self, y):
        """Nothing: rows are held out at random."""
        return None
