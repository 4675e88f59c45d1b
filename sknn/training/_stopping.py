"""When to stop, and which weights to keep."""

import math
from dataclasses import dataclass, field


@dataclass
class Patience:
    """Counts epochs without an improvement of more than `tol`.

    Parameters
    ----------
    tol : float
        Improvement that counts.
    n_iter_no_change : int or inf
        Epochs to wait: training stops when more have passed.
    best : float
        Best score so far; higher is better.
    count : int
        Epochs since the last improvement.
    """

    tol: float
    n_iter_no_change: float
    best: float = -math.inf
    count: int = 0

    def update(self, score, margin=None):
        """Count `score`, NaN being no failure, and say whether it is the best.

        What counts as an improvement is one by `margin`, if given, rather than `tol`.
        """
        margin = self.tol if margin is None else margin
        self.count = self.count + 1 if score < self.best + margin else 0
        improved = score > self.best
        if improved:
            self.best = score
        return improved

    @property
    def is_exhausted(self):
        """Whether more than `n_iter_no_change` epochs brought nothing."""
        return self.count > self.n_iter_no_change


@dataclass
class Curves:
    """What training records after every epoch; continued by later fits.

    Parameters
    ----------
    loss : list of float
        Mean training loss, penalty included.
    validation_loss : list of float
        Mean loss on the validation rows, without the penalty.
    validation_score : list of float
        Score on the validation rows; higher is better.
    n_samples_seen : int
        Rows trained on so far.
    """

    loss: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    validation_score: list = field(default_factory=list)
    n_samples_seen: int = 0
