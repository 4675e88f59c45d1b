r"""What a discriminator and a generator minimise, as functions of logits.

With :math:`f` the logits of generated rows and :math:`r` those of real ones the
discriminator minimises :math:`\mathrm{E}\, g(-r) + \mathrm{E}\, g(f)`, where :math:`g`
is the softplus, the hinge :math:`\max(0, 1 + u)` or the identity, and the generator
:math:`\pm \mathrm{E}\, h(\pm f)`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional


def _log(u):
    """Softplus, which is minus the logarithm of a probability, and its derivative."""
    return functional.softplus(u), torch.sigmoid(u)


def _hinge(u):
    return functional.relu(1 + u), (u > -1).to(u.dtype)


def _linear(u):
    return u, torch.ones_like(u)


@dataclass(frozen=True)
class AdversarialLoss:
    """Values and derivatives of the two losses.

    Parameters
    ----------
    of_discriminator : callable
        :math:`g` above, with its derivative.
    of_generator : callable
        :math:`h` above, with its derivative.
    inner, outer : float
        Signs within :math:`h` and before it.
    """

    of_discriminator: Callable
    of_generator: Callable
    inner: float = -1.0
    outer: float = 1.0

    def judge(self, logits, weight=None):
        """Loss of the discriminator.

        Parameters
        ----------
        logits : tensor of shape (2 n, 1)
            Those of n real rows, then of n generated ones.
        weight : tensor of shape (n, 1), optional
            Weight of each real row, and of the one generated in its place.

        Returns
        -------
        value : tensor of no axes
            Weighted mean over the real rows plus that over the generated ones.
        slopes : tensor of shape (2 n, 1)
            Its derivatives.
        """
        n = len(logits) // 2
        sign = torch.ones_like(logits)
        sign[:n] = -1
        values, slopes = self.of_discriminator(sign * logits)
        share = share_of(weight, n)
        if weight is not None:
            share = torch.cat([share, share])
        slopes = slopes * sign * share
        return (values * share).sum(), slopes

    def fool(self, logits, weight=None):
        """Loss of the generator for logits (n, 1) of its rows, and its derivatives."""
        values, slopes = self.of_generator(self.inner * logits)
        share = self.outer * share_of(weight, len(logits))
        return (values * share).sum(), slopes * (self.inner * share)


def share_of(weight, n_rows):
    """Share of each of `n_rows` in a mean, one for all or (n_rows, 1)."""
    return 1 / n_rows if weight is None else weight / weight.sum()


LOSSES = {
    "non_saturating": AdversarialLoss(_log, _log),
    "minimax": AdversarialLoss(_log, _log, inner=1.0, outer=-1.0),
    "hinge": AdversarialLoss(_hinge, _linear),
    "wasserstein_gp": AdversarialLoss(_linear, _linear),
}


def penalize_mixtures(judge, real, fake, mix, share):
    r""":math:`\mathrm{E} (\lVert \nabla_x D(x) \rVert - 1)^2` between two sets of rows.

    The rows are :math:`u x + (1 - u) \tilde x`, one for each pair (Gulrajani et al.
    2017).

    Parameters
    ----------
    judge : callable
        Gives the logits of rows.
    real, fake : tensors of shape (n, features)
        Pairs of rows.
    mix : tensor of shape (n, 1)
        :math:`u` of each pair, in [0, 1].
    share : float or tensor of shape (n, 1)
        Share of each pair in the mean.

    Returns
    -------
    tensor of no axes
        With the graph that its derivatives are found by.
    """
    slopes = _slopes(judge, torch.lerp(fake, real, mix))
    # a root has no derivative at zero
    norms = (slopes.square().sum(1, keepdim=True) + 1e-12).sqrt()
    return ((norms - 1).square() * share).sum()


def penalize_real(judge, real, share):
    r""":math:`\mathrm{E} \lVert \nabla_x D(x) \rVert^2 / 2` at real rows.

    What keeps a discriminator from being sure of itself around the data, without which
    training need not settle (Mescheder et al. 2018). Parameters as for
    `penalize_mixtures`.
    """
    slopes = _slopes(judge, real)
    return (slopes.square().sum(1, keepdim=True) * share).sum() / 2


def _slopes(judge, points):
    points = points.detach().requires_grad_()
    total = judge(points).sum()
    return torch.autograd.grad(total, points, create_graph=True)[0]
