"""Learning rates that change from epoch to epoch.

A schedule is asked after every epoch, and when nothing improves any more. It writes
the rate into the optimizer's parameter group, where it outlives a `partial_fit`.
"""


class Constant:
    """The rate stays, and training stops when nothing improves."""

    def after_epoch(self, group, n_samples_seen):
        """Leave the rate of an epoch that has ended."""

    def on_plateau(self, group):
        """Whether to stop now, and the sentence that says what happens."""
        return True, "Stopping."


class InverseScaling(Constant):
    r""":math:`\epsilon_0 / (t + 1)^p` after :math:`t` samples."""

    def __init__(self, learning_rate_init, power_t):
        self.learning_rate_init, self.power_t = learning_rate_init, power_t

    def after_epoch(self, group, n_samples_seen):
        """Scale the rate by the number of samples seen so far."""
        scale = (n_samples_seen + 1) ** self.power_t
        group["lr"] = float(self.learning_rate_init) / scale


class Adaptive(Constant):
    """A fifth of the rate at each plateau, until 1e-6."""

    def on_plateau(self, group):
        """Divide the rate by five, or stop where it is too small already."""
        if group["lr"] <= 1e-6:
            return True, "Learning rate too small. Stopping."
        group["lr"] /= 5.0
        return False, f"Setting learning rate to {group['lr']:f}"


def make_schedule(name, learning_rate_init, power_t):
    """Schedule called `name` by the parameter ``learning_rate``."""
    if name == "invscaling":
        return InverseScaling(learning_rate_init, power_t)
    return Adaptive() if name == "adaptive" else Constant()
