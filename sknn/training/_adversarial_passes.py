"""The passes through a generator and its discriminator, by autograd."""

import torch

from sknn.training._adversarial_loss import (
    penalize_mixtures,
    penalize_real,
    share_of,
)
from sknn.training._array_ops import TorchOps


class AutogradPasses:
    """Losses and gradients of any two networks.

    Parameters
    ----------
    generator, discriminator : torch.nn.Module
        With ``make`` and ``judge``, ``range`` and ``encode``.
    of_discriminator : FlatParameters
        Where the discriminator's gradient goes.
    zero_grad : callable
        Clears the gradients of the generator.
    parameters : list of tensors
        Those that the generator learns.
    loss : AdversarialLoss
        What the two minimise.
    penalty : {"real", "mixtures"} or None
        Where the slopes of the discriminator are penalised.
    strength : float
        Factor of that penalty.
    """

    ops = TorchOps

    def __init__(
        self,
        generator,
        discriminator,
        of_discriminator,
        zero_grad,
        parameters,
        loss,
        penalty,
        strength,
    ):
        self._generator, self._judge = generator, discriminator.judge
        self._of_discriminator, self._zero_grad = of_discriminator, zero_grad
        self._parameters, self._loss = parameters, loss
        self._penalty, self._strength = penalty, strength
        self.n_columns = generator.latent_dim
        self.like = of_discriminator.values

    def read(self, x, codes):
        """Scaled rows, and their classes one-hot, or None, of what a batch has."""
        scaled = self._generator.range.scale(x)
        return scaled, self._generator.encode(codes, scaled.dtype)

    def native(self, drawn):
        """Random numbers where the networks are."""
        return drawn.to(self.like.device)

    @torch.no_grad()
    def make(self, noise, condition):
        """Scaled rows."""
        return self._generator.make(noise, condition)

    def make_to_learn(self, noise, condition):
        """Scaled rows that `fool` goes on from."""
        self._fake = self._generator.make(noise, condition)
        return self._fake.detach()

    def judge(self, real, fake, condition, weight, mix):
        """Write the discriminator's gradient and return its loss.

        Parameters
        ----------
        real, fake : arrays of shape (n, features)
            Scaled rows.
        condition : array of shape (n, classes) or None
            Classes of both.
        weight : array of shape (n, 1) or None
            Weights of both.
        mix : array of shape (n, 1) or None
            Share of each real row in its mixture with a generated one.
        """
        both = condition if condition is None else condition.repeat(2, 1)
        logits = self._judge(torch.cat([real, fake]), both)
        value, slopes = self._loss.judge(logits.detach(), weight)
        self._of_discriminator.gradient.zero_()
        if self._penalty is None:
            logits.backward(slopes)
            return value
        penalty = self._penalize(real, fake, condition, weight, mix)
        torch.autograd.backward([logits, penalty], [slopes, None])
        return value + penalty.detach()

    def _penalize(self, real, fake, condition, weight, mix):
        """Penalty of the slopes, with its graph."""
        share = share_of(weight, len(real)) * self._strength

        def judge(points):
            return self._judge(points, condition)

        if self._penalty == "real":
            return penalize_real(judge, real, share)
        return penalize_mixtures(judge, real, fake, mix, share)

    def fool(self, condition, weight):
        """Write the generator's gradient; return its loss and the logits."""
        self._zero_grad()
        logits = self._judge(self._fake, condition)
        value, slopes = self._loss.fool(logits.detach(), weight)
        learned = [p for p in self._parameters if p.requires_grad]
        if learned:
            logits.backward(slopes, inputs=learned)
        self._fake = None
        return value, logits.detach()
