r"""Learning rates that change from epoch to epoch, or from step to step.

A schedule paces the batches of an epoch, and is asked after every epoch and when
nothing improves any more. It writes the rate into the optimizer's parameter group,
where rate and time outlive a `partial_fit`.
"""

import math
from itertools import pairwise


class Constant:
    """The rate stays, and training stops when nothing improves."""

    def paced(self, batches, group, n_rows):
        """Batches of an epoch of `n_rows`, before each of which the rate is set."""
        if "full_lr" in group:  # a warm-up that is no longer asked for
            group["lr"] = group.pop("full_lr")
        group["epochs"] = group.get("epochs", 0.0) + 1.0
        return batches

    def after_epoch(self, group, n_samples_seen):
        """Leave the rate of an epoch that has ended."""

    def on_plateau(self, group):
        """Whether to stop now, and the sentence that says what happens."""
        return True, "Stopping."

    def has_ended(self, group):
        """Whether the rate has come to the end that it was to have."""
        return False


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


class Timed(Constant):
    """A rate that is a function of the epochs done, parts of them included.

    Parameters
    ----------
    rate : callable
        Rate after a number of epochs.
    warmup_epochs : float
        Epochs in which a factor rises linearly to one: what a step's rate is
        multiplied by is the share of them that is over when the step is done.
    n_epochs : float, optional
        Epochs after which the rate has come to its end; None is never.
    """

    def __init__(self, rate, warmup_epochs=0.0, n_epochs=None):
        self.rate, self.warmup_epochs, self.n_epochs = rate, warmup_epochs, n_epochs

    def paced(self, batches, group, n_rows):
        """Batches of an epoch of `n_rows`, before each of which the rate is set."""
        start, n_seen = group.setdefault("epochs", 0.0), 0
        for batch in batches:
            rate = self._full_rate(group, start + n_seen / n_rows)
            n_seen += batch.n_rows
            end = start + n_seen / n_rows
            warm = end >= self.warmup_epochs
            group["lr"] = rate if warm else rate * end / self.warmup_epochs
            yield batch
        group["epochs"] = start + 1.0

    def _full_rate(self, group, epochs):
        return self.rate(epochs)

    def _is_warm(self, group):
        return group.get("epochs", 0.0) >= self.warmup_epochs

    def on_plateau(self, group):
        """Stop, unless the rate is still rising."""
        if self._is_warm(group):
            return super().on_plateau(group)
        return False, "The learning rate is still warming up."

    def has_ended(self, group):
        """Whether it is past `n_epochs`."""
        return self.n_epochs is not None and group.get("epochs", 0.0) >= self.n_epochs


class WarmUp(Timed):
    """Warm-up before a schedule that changes the rate between epochs alone.

    Parameters
    ----------
    schedule : Constant
        Decides the rate that is risen to, and all from then on.
    warmup_epochs : float
        As for `Timed`.
    """

    def __init__(self, schedule, warmup_epochs):
        super().__init__(None, warmup_epochs)
        self.schedule = schedule

    def paced(self, batches, group, n_rows):
        """Batches before each of which the rate is set, while it rises."""
        if self._is_warm(group):
            return self.schedule.paced(batches, group, n_rows)
        return super().paced(batches, group, n_rows)

    def _full_rate(self, group, epochs):
        return group.setdefault("full_lr", group["lr"])

    def after_epoch(self, group, n_samples_seen):
        """Let the schedule change the rate that is risen to."""
        full = {"lr": group.pop("full_lr", group["lr"])}
        self.schedule.after_epoch(full, n_samples_seen)
        group["lr" if self._is_warm(group) else "full_lr"] = full["lr"]

    def on_plateau(self, group):
        """Ask the schedule, unless the rate is still rising."""
        if self._is_warm(group):
            return self.schedule.on_plateau(group)
        return super().on_plateau(group)


def _linear(initial, final, n_epochs, warmup_epochs):
    r""":math:`(1 - t/\tau) \epsilon_0 + (t/\tau) \epsilon_\tau`."""

    def rate(epochs):
        done = min(epochs / n_epochs, 1.0)
        return (1 - done) * initial + done * final

    return rate


def _cosine(initial, final, n_epochs, warmup_epochs):
    r"""Half a cosine from :math:`\epsilon_0` to :math:`\epsilon_\tau`."""

    def rate(epochs):
        done = (1 - math.cos(math.pi * min(epochs / n_epochs, 1.0))) / 2
        return (1 - done) * initial + done * final

    return rate


def _one_cycle(initial, final, n_epochs, warmup_epochs):
    """Smith's cycle: up from a tenth, as slowly down again, then to the final rate."""
    low = max(initial / 10, final)
    knots = [(0.0, low), (0.45, initial), (0.9, low), (1.0, final)]

    def rate(epochs):
        done = epochs / n_epochs
        for (left, below), (right, above) in pairwise(knots):
            if done < right:
                share = (done - left) / (right - left)
                return (1 - share) * below + share * above
        return final

    return rate


def _inverse_sqrt(initial, final, n_epochs, warmup_epochs):
    r""":math:`\epsilon_0 \sqrt{w/t}` from :math:`w` epochs on, one without warm-up."""
    plain = warmup_epochs or 1.0
    return lambda epochs: initial * math.sqrt(plain / max(epochs, plain))


# schedules that end at a time
ENDING = {"linear", "cosine", "one_cycle"}
TIMED = {
    "linear": _linear,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "inverse_sqrt": _inverse_sqrt,
}
OF_SGD_ALONE = {"invscaling", "adaptive"}


def effective_schedule(name, solver):
    """Schedule called `name` where the solver has it, else "constant"."""
    has_none = solver == "lbfgs" or (solver != "sgd" and name in OF_SGD_ALONE)
    return "constant" if has_none else name


def endless_schedule(name):
    """Schedule called `name`, but "constant" for one that would have to end."""
    return "constant" if name in ENDING else name


def make_schedule(
    name, learning_rate_init, power_t, final=None, decay_epochs=200, warmup_epochs=0
):
    """Schedule called `name` by the parameter ``learning_rate``.

    Parameters
    ----------
    name : str
        A key of `TIMED`, "constant", "invscaling", "adaptive" or "plateau".
    learning_rate_init : float
        Rate that the others are measured by.
    power_t : float
        Exponent of "invscaling".
    final : float, optional
        Rate at the end of a decay; None is a hundredth of the initial one.
    decay_epochs : float
        Epochs that a decay takes.
    warmup_epochs : float
        Epochs in which the rate rises.
    """
    if name in TIMED:
        initial = float(learning_rate_init)
        final = initial / 100 if final is None else float(final)
        rate = TIMED[name](initial, final, decay_epochs, warmup_epochs)
        n_epochs = decay_epochs if name in ENDING else None
        return Timed(rate, warmup_epochs, n_epochs)
    if name == "invscaling":
        schedule = InverseScaling(learning_rate_init, power_t)
    else:
        schedule = Adaptive() if name in ("adaptive", "plateau") else Constant()
    return WarmUp(schedule, warmup_epochs) if warmup_epochs else schedule
