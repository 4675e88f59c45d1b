r"""Two networks that train each other: Goodfellow et al., section 20.10.4.

The training loop updates the generator. The gradient that it asks for before each
update lets the discriminator take its steps first.
"""

from contextlib import contextmanager

import torch

from sknn.training._checkpoint import pack, unpack, unpack_optimizer
from sknn.training._flat import FlatParameters

# kept share of the average after t updates: (1 + t) / (WARM_STEPS + t) at most
WARM_STEPS = 10


class Adversary:
    """Discriminator of a generator, with its optimizer, and the generator's average.

    Parameters
    ----------
    flat : FlatParameters
        Parameters of the discriminator.
    of_generator : FlatParameters
        Those of the generator.
    average : tensor, optional
        Average of the generator's flat parameters, or, while nothing trains, the ones
        that training goes on with, the average being in their place. None begins with
        the present ones.
    n_updates : int
        Updates of the generator so far.

    Attributes
    ----------
    optimizer : FusedOptimizer or None
        Of the discriminator.
    """

    def __init__(self, flat, of_generator, average=None, n_updates=0):
        self.flat, self.of_generator, self.optimizer = flat, of_generator, None
        self.average = of_generator.values.clone() if average is None else average
        self._n_updates = torch.tensor(n_updates)
        self._gradient = None

    @property
    def n_updates(self):
        """Updates of the generator that the average has taken in."""
        return int(self._n_updates)

    @property
    def tensors(self):
        """What a copy of the training's state has to have besides."""
        return [self.average, self._n_updates, self.flat.values]

    def prepare(self, optimizer, loss, observe, validate, **options):
        """Take what a training is done with.

        Parameters
        ----------
        optimizer : FusedOptimizer
            Of the discriminator's flat parameter.
        loss : AdversarialLoss
            What the two networks minimise.
        observe, validate : callable
            What the monitor is given; the second may be None.
        **options : dict
            What `AdversarialGradient` takes.
        """
        self.optimizer, self.loss, self._options = optimizer, loss, options
        self.observe, self.validate = observe, validate

    def against(self, net):
        """Gradient for a net whose module is the generator."""
        self._gradient = AdversarialGradient(self, net, **self._options)
        return self._gradient

    def follow(self, parameters, ema):
        """Let the average follow the generator's parameters: one flat, or each."""
        n = self.n_updates + 1
        kept, parts = min(ema, (1 + n) / (WARM_STEPS + n)), [self.average]
        if len(parameters) > 1:
            parts = list(self.of_generator.views_of(self.average))
        torch._foreach_lerp_(parts, parameters, 1 - kept)
        self._n_updates.fill_(n)

    @contextmanager
    def averaged(self):
        """Context in which the generator's parameters are their average."""
        self.exchange()
        try:
            yield
        finally:
            self.exchange()

    def exchange(self):
        """Put the average in the place of the generator's parameters, or back."""
        flat = self.of_generator
        values = [parameter.detach() for parameter in flat.parameters]
        present, averages = flat.join(values), flat.views_of(self.average)
        torch._foreach_copy_(values, list(averages))
        self.average.copy_(present)

    def end_epoch(self):
        """Let the average take in the last update.

        Returns
        -------
        float
            Mean loss of the discriminator over the epoch's steps.
        """
        return self._gradient.end_epoch()

    def release(self):
        """Let go of what a training took but the optimizer; go to evaluation mode."""
        self.flat.module.eval()
        self._gradient = self._options = self.loss = None
        self.observe = self.validate = None

    def moved(self, of_generator):
        """Copy of this for a generator whose parameters have moved elsewhere."""
        values = of_generator.values
        module = self.flat.module.to(values.device, values.dtype)
        flat = FlatParameters(module, values.dtype, values.device)
        average = self.average.to(values.device, values.dtype)
        return Adversary(flat, of_generator, average, self.n_updates)

    def pack(self):
        """Arrays and a skeleton for `unpack_adversary`."""
        return {
            "discriminator": pack(self.flat, self.optimizer),
            "average": self.average.cpu().numpy().copy(),
            "n_updates": self.n_updates,
        }


def unpack_adversary(packed, of_generator):
    """Adversary, that `Adversary.pack` was a method of, of an equal generator."""
    flat, values = unpack(packed["discriminator"]), of_generator.values
    average = torch.from_numpy(packed["average"].copy()).to(values.device)
    adversary = Adversary(flat, of_generator, average, packed["n_updates"])
    if packed["discriminator"]["optimizer"] is not None:
        of_pack = packed["discriminator"]["optimizer"]
        adversary.optimizer = unpack_optimizer(flat, of_pack)
    flat.module.eval()
    return adversary


class AdversarialGradient:
    """Gradient of the generator's loss, against a discriminator that learns meanwhile.

    A batch has the rows of all steps of the discriminator, a part each. The generator
    then makes as many rows as the last part had, of the same classes; those that the
    discriminator has learned from in that step are such rows, so they are made once.

    Parameters
    ----------
    adversary : Adversary
        Discriminator, optimizer and average.
    net : Net
        Whose module is the generator; its optimizer sets the rate of both.
    make_passes : callable
        ``make_passes(net)`` returns what computes losses and gradients.
    generator : torch.Generator
        Source of the noise, on the CPU.
    n_steps : int
        Steps of the discriminator before one of the generator.
    ema : float
        Share of the average that an update keeps.
    draws_mixtures : bool
        Whether the passes are given shares of mixtures.
    """

    def __init__(
        self,
        adversary,
        net,
        *,
        make_passes,
        generator,
        n_steps=1,
        ema=0.999,
        draws_mixtures=False,
    ):
        self._adversary, self._passes = adversary, make_passes(net)
        self.ops = self.loss_ops = self._passes.ops
        self.generator, self.n_steps, self.ema = generator, n_steps, ema
        self._draws_mixtures = draws_mixtures
        self._dtype = adversary.flat.values.dtype
        flat = net.task.flat
        self._followed = flat.tensors(net.is_flat_now)
        self._update = adversary.optimizer.on(adversary.flat.parameter)
        self._own_group = adversary.optimizer.param_groups[0]
        self._group = net.optimizer_.param_groups[0]
        self._is_behind, self._total, self._n_judged = False, 0.0, 0
        adversary.flat.module.train()
        self.raw = None

    def __call__(self, batch):
        """Train the discriminator, then write the generator's gradient.

        Returns
        -------
        float or tensor of no axes
            Loss of the generator.
        """
        self._catch_up()
        self._own_group["lr"] = self._group["lr"]
        *earlier, (real, condition, weight) = self._cut(batch)
        for step in earlier:
            fake = self._passes.make(self._draw_noise(len(step[0])), step[1])
            self._train_discriminator(fake, *step)
        noise = self._draw_noise(len(real))
        fake = self._passes.make_to_learn(noise, condition)
        self._train_discriminator(fake, real, condition, weight)
        value, self.raw = self._passes.fool(condition, weight)
        self._is_behind = True
        return value

    def _cut(self, batch):
        """Scaled rows, their condition and weights, for each step of the batch."""
        scaled, condition = self._passes.read(*batch)
        if self.n_steps == 1:
            return [(scaled, condition, batch.weight)]
        n, steps = len(scaled), []
        n_parts = min(self.n_steps, n)
        for i in range(n_parts):
            rows = slice(n * i // n_parts, n * (i + 1) // n_parts)
            condition_part, weight = (
                None if array is None else array[rows]
                for array in (condition, batch.weight)
            )
            if weight is None or weight.any():
                steps.append((scaled[rows], condition_part, weight))
        return steps

    def _draw_noise(self, n_rows):
        shape = n_rows, self._passes.n_columns
        noise = torch.randn(shape, generator=self.generator, dtype=self._dtype)
        return self._passes.native(noise)

    def _train_discriminator(self, fake, real, condition, weight):
        """One step on rows of both kinds."""
        mix, n_rows = None, len(real)
        if self._draws_mixtures:
            shape = n_rows, 1
            mix = torch.rand(shape, generator=self.generator, dtype=self._dtype)
            mix = self._passes.native(mix)
        value = self._passes.judge(real, fake, condition, weight, mix)
        self._update()
        self._total = self._total + value * n_rows
        self._n_judged += n_rows

    def _catch_up(self):
        """Let the average take in the update that followed the last gradient."""
        if self._is_behind:
            self._adversary.follow(self._followed, self.ema)
            self._is_behind = False

    def settle(self):
        """Do nothing: an update is taken in once it has been made."""

    def end_epoch(self):
        """Take in the last update and return the discriminator's mean loss."""
        self._catch_up()
        mean = float(self._total) / max(self._n_judged, 1)
        self._total, self._n_judged = 0.0, 0
        return mean

    def close(self):
        """Let the discriminator be one that judges, and go of what training took."""
        self._adversary.release()
