"""Batch normalization with row weights (Goodfellow et al., section 8.7.1)."""

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    r"""Units normalised over the rows of a batch, which may have weights.

    :math:`\gamma \odot (a - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` with the
    weighted mean and variance of the batch in training, with running ones in
    evaluation, and for a batch of one row (Ioffe and Szegedy 2015; Goodfellow et al.,
    section 8.7.1). The running statistics are exponential means without the bias of
    their first values, as Adam's moments are; the variance is that of the rows as
    they are, not an estimate for a population.

    Parameters
    ----------
    n_units : int
        Columns of the input.
    device : torch.device or str, optional
        Where the parameters are made.
    eps : float
        :math:`\epsilon` above.
    momentum : float
        Share of the latest batch in the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self,
        n_units: int,
        device: torch.device | str | None = None,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.empty(n_units, device=device))
        self.bias = nn.Parameter(torch.empty(n_units, device=device))
        self.register_buffer("running_mean", torch.zeros(n_units, device=device))
        self.register_buffer("running_var", torch.ones(n_units, device=device))
        self.register_buffer("num_batches_tracked", torch.tensor(0, device=device))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Let the layer change neither scale nor location, and forget all batches."""
        self.weight.fill_(1)
        self.bias.zero_()
        self.running_mean.zero_()
        self.running_var.fill_(1)
        self.num_batches_tracked.zero_()

    def forward(self, x: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Normalise `x` (batch, units); `row_weight` is (batch, 1)."""
        mean, variance = self.running_mean, self.running_var
        if self.training and len(x) > 1:
            mean, variance = weighted_moments(x, row_weight)
            self._track(mean.detach(), variance.detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        return (x - mean) * scale + self.bias

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of one more batch."""
        self.num_batches_tracked += 1
        kept = (1 - self.momentum) ** int(self.num_batches_tracked)
        step = self.momentum / (1 - kept)
        self.running_mean.lerp_(mean, step)
        self.running_var.lerp_(variance, step)

    def extra_repr(self) -> str:
        """Return the number of units for the layer's representation."""
        return f"{len(self.bias)}, eps={self.eps}, momentum={self.momentum}"


def weighted_moments(x: Tensor, row_weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and variance of each column of `x` (batch, units)."""
    if row_weight is None:
        return x.mean(0), x.var(0, correction=0)
    share = row_weight / row_weight.sum()
    mean = (share * x).sum(0)
    return mean, (share * (x - mean).square()).sum(0)
