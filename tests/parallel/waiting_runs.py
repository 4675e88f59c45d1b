"""Training runs that are none: what waits for them is told what they were given."""

from types import SimpleNamespace

from sknn.training._submit import train
from sknn.training._task import Form


class WaitingRun:
    """Run that can wait and whose training returns its value."""

    can_wait, can_be_stacked = True, False
    net = SimpleNamespace(
        task=SimpleNamespace(
            form=Form(None, None), flat=SimpleNamespace(n_penalized=0)
        ),
        batch_size=1,
        iterator_train__random_state=None,
    )

    def __init__(self, value, n_bytes=0):
        self.value, self.n_bytes = value, n_bytes

    def train_alone(self):
        """Outcome of the training."""
        return self.value


def wait_for(value, n_bytes=0):
    """Wait for company with one run; return what it was given, or raise it."""
    (outcome,) = train([WaitingRun(value, n_bytes)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
