"""Batch normalization with row weights (Goodfellow et al., section 8.7.1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class BatchNorm(nn.Module):
    r"""Units normalised over the rows of a batch, which may have weights.

    :math:`\gamma \odot (a - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` with the
    weighted mean and variance of the batch in training, with running ones in
    evaluation, and for a batch of one value a unit (Ioffe and Szegedy 2015; Goodfellow
    et al., section 8.7.1). A unit of a convolutional layer is a channel, whose
    statistics are those of all positions of all rows; one row is then enough, unless
    it has one position. The running statistics are exponential means without the bias
    of their first values, as Adam's moments are; the variance is that of the values as
    they are, not an estimate for a population.

    Parameters
    ----------
    n_units : int
        Columns, or channels, of the input: entries of its axis 1.
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
        """Normalise `x` (batch, units, *positions); `row_weight` is (batch, 1)."""
        if not self.training or x.numel() == x.shape[1]:
            running = self.running_mean, self.running_var
            return functional.batch_norm(
                x, *running, self.weight, self.bias, eps=self.eps
            )
        if row_weight is None:
            # a kernel of its own takes a third of the time of the steps below
            x, mean, inverse_root = torch.native_batch_norm(
                x, self.weight, self.bias, None, None, True, 0.0, self.eps
            )
            self._track(mean.detach(), inverse_root.detach() ** -2 - self.eps)
            return x
        mean, variance = weighted_moments(x, row_weight)
        self._track(mean.detach(), variance.detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        x = (x - _beside_positions(mean, x)) * _beside_positions(scale, x)
        return x + _beside_positions(self.bias, x)

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


def weighted_moments(x: Tensor, row_weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each unit of `x` (batch, units, *positions)."""
    share = row_weight / row_weight.sum()
    mean = (share * _mean_of_positions(x)).sum(0)
    squares = (x - _beside_positions(mean, x)).square()
    return mean, (share * _mean_of_positions(squares)).sum(0)


def _mean_of_positions(x: Tensor) -> Tensor:
    """Mean over all axes but the first two."""
    return x.mean(tuple(range(2, x.dim()))) if x.dim() > 2 else x


def _beside_positions(of_units: Tensor, x: Tensor) -> Tensor:
    """A value for each unit in the shape that broadcasts to `x`."""
    return of_units.view(-1, *[1] * (x.dim() - 2))
