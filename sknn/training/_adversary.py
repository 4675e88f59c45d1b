r"""Two networks that train each other: Goodfellow et al., section 20.10.4.

The training loop updates the generator. The gradient that it asks for before each
update lets the discriminator take its steps first.
"""

from contextlib import contextmanager

import torch

from sknn.training._adversarial_loss import penalize_mixtures, penalize_real, share_of
from sknn.training._array_ops import TorchOps
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

    def prepare(self, optimizer, **options):
        """Take what a training is done with.

        Parameters
        ----------
        optimizer : FusedOptimizer
            Of the discriminator's flat parameter.
        **options : dict
            What `AdversarialGradient` takes.
        """
        self.optimizer, self._options = optimizer, options

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

    def forget(self):
        """Begin the optimizer anew."""
        self.optimizer.state.clear()
        self.optimizer.param_groups[0].update(step=0, pull=0.0)


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
    loss : AdversarialLoss
        What the two minimise.
    generator : torch.Generator
        Source of the noise, on the CPU.
    n_steps : int
        Steps of the discriminator before one of the generator.
    ema : float
        Share of the average that an update keeps.
    penalty : {"real", "mixtures"} or None
        Where the slopes of the discriminator are penalised.
    strength : float
        Factor of that penalty.
    """

    ops = loss_ops = TorchOps

    def __init__(
        self,
        adversary,
        net,
        *,
        loss,
        generator,
        n_steps=1,
        ema=0.999,
        penalty=None,
        strength=0.0,
    ):
        self._adversary, self._net, self._source = adversary, net, net.module_
        self.loss, self.generator, self.ema = loss, generator, ema
        self.penalty, self.strength = penalty if strength else None, strength
        self.n_steps = n_steps
        self.judge = adversary.flat.module.judge
        flat = net.task.flat
        self._parameters = flat.parameters
        self._followed = [flat.values] if net.is_flat_now else flat.parameters
        self._followed = [parameter.detach() for parameter in self._followed]
        self._update = adversary.optimizer.on(adversary.flat.parameter)
        self._like = flat.values
        self._is_behind, self._total, self._n_judged = False, 0.0, 0
        adversary.flat.module.train()
        self.raw = None

    def __call__(self, batch):
        """Train the discriminator, then write the generator's gradient.

        Returns
        -------
        tensor of no axes
            Loss of the generator.
        """
        self._catch_up()
        self._net._zero_grad_optimizer()
        x, codes = batch
        rate = self._net.optimizer_.param_groups[0]["lr"]
        self._adversary.optimizer.param_groups[0]["lr"] = rate
        steps = list(self._cut(x, codes, batch.weight))
        for *step, _ in steps[:-1]:
            self._train_discriminator(*step, fake=None)
        real, condition, weight = steps[-1]
        fake = self._make(len(real), condition)
        self._train_discriminator(real, condition, weight, fake.detach())
        logits = self.judge(fake, condition)
        self.raw = logits.detach()
        value, slopes = self.loss.fool(self.raw, weight)
        logits.backward(slopes, inputs=self._parameters)
        self._is_behind = True
        return value

    def _cut(self, x, codes, weight):
        """Scaled rows, their condition and weights, for each step of the batch."""
        scaled = self._source.range.scale(x)
        condition = self._source.encode(codes, scaled.dtype)
        size = -(-len(x) // self.n_steps)
        for start in range(0, len(x), size):
            rows = slice(start, start + size)
            part = [None if a is None else a[rows] for a in (condition, weight)]
            if weight is None or part[1].any():
                yield scaled[rows], *part

    def _make(self, n_rows, condition):
        """Scaled rows from new noise."""
        shape = n_rows, self._source.latent_dim
        noise = torch.randn(shape, generator=self.generator, dtype=self._like.dtype)
        return self._source.make(noise.to(self._like.device), condition)

    def _train_discriminator(self, real, condition, weight, fake):
        """One step on real and generated rows; these are made where None."""
        if fake is None:
            with torch.no_grad():
                fake = self._make(len(real), condition)
        both = condition if condition is None else condition.repeat(2, 1)
        logits = self.judge(torch.cat([real, fake]), both)
        value, slopes = self.loss.judge(logits.detach(), weight)
        self._adversary.flat.gradient.zero_()
        if self.penalty is None:
            logits.backward(slopes)
        else:
            penalty = self._penalize(real, condition, weight, fake)
            torch.autograd.backward([logits, penalty], [slopes, None])
            value = value + penalty.detach()
        self._update()
        self._total = self._total + value * len(real)
        self._n_judged += len(real)

    def _penalize(self, real, condition, weight, fake):
        """Penalty of the slopes, with its graph."""
        share = share_of(weight, len(real)) * self.strength

        def judge(points):
            return self.judge(points, condition)

        if self.penalty == "real":
            return penalize_real(judge, real, share)
        mix = torch.rand(
            (len(real), 1), generator=self.generator, dtype=self._like.dtype
        )
        return penalize_mixtures(judge, real, fake, mix.to(real.device), share)

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
        """Let the discriminator be one that judges."""
        self._adversary.flat.module.eval()
