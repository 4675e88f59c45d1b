"""Batch normalization with row weights (Goodfellow et al., section 8.7.1)."""

from typing import Any

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

    Attributes
    ----------
    is_frozen : bool
        Whether the running statistics are used in training too, and stay.
    """

    is_frozen = False
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
        if not self.training or self.is_frozen or x.numel() == x.shape[1]:
            running = self.running_mean, self.running_var
            return functional.batch_norm(
                x, *running, self.weight, self.bias, eps=self.eps
            )
        if row_weight is None:
            return self._normalize(x)
        rows, share = x.movedim(1, -1), row_weight / row_weight.sum()
        n_positions = rows[0, ..., 0].numel()
        table = rows.reshape(-1, x.shape[1])  # maps that are channels last stay there
        share = (share / n_positions).expand(-1, n_positions).reshape(-1)
        table, mean, variance = WeightedNormalization.apply(
            table, share, self.weight, self.bias, self.eps
        )
        step = self._count_batch()
        self.running_mean.lerp_(mean, step)
        self.running_var.lerp_(variance, step)
        return table.view(rows.shape).movedim(-1, 1)

    def _normalize(self, x: Tensor) -> Tensor:
        """Normalise rows that count alike: torch moves the running statistics.

        It moves them by estimates for a population, n / (n - 1) times the variance of
        n values, in whose units the running variance is meanwhile.
        """
        n_values = x.numel() // x.shape[1]
        excess = n_values / (n_values - 1)
        running = self.running_mean, self.running_var * excess
        x = functional.batch_norm(
            x, *running, self.weight, self.bias, True, self._count_batch(), self.eps
        )
        torch.mul(running[1], 1 / excess, out=self.running_var)
        return x

    def _count_batch(self) -> float:
        """Count one more batch; return its share in the running statistics."""
        n_batches = self.num_batches_tracked.add_(1).item()
        return self.momentum / (1 - (1 - self.momentum) ** n_batches)

    def extra_repr(self) -> str:
        """Return the number of units for the layer's representation."""
        return f"{len(self.bias)}, eps={self.eps}, momentum={self.momentum}"


class WeightedNormalization(torch.autograd.Function):
    r"""Columns normalised by weighted means and variances, with few passes over them.

    For :math:`\hat a_i = (a_i - \mu) / \sqrt{\sigma^2 + \epsilon}`, shares
    :math:`p_i` of the rows and derivatives :math:`\delta_i` for the outputs,
    :math:`\partial J / \partial a_i = \gamma / \sqrt{\sigma^2 + \epsilon} \odot
    (\delta_i - p_i (\nabla_\beta J + \hat a_i \odot \nabla_\gamma J))`.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, share: Tensor, scale: Tensor, shift: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise `x` (rows, units) by `share` (rows,); also mean and variance."""
        mean = share @ x
        variance = share @ (x - mean).square()
        ctx.save_for_backward(x, share, scale, mean, variance)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        outputs = functional.batch_norm(x, mean, variance, scale, shift, eps=eps)
        return outputs, mean, variance

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx: Any, delta: Tensor, *_: Tensor
    ) -> tuple[Tensor, None, Tensor, Tensor, None]:
        """Derivatives for `x`, `scale` and `shift`."""
        x, share, scale, mean, variance = ctx.saved_tensors
        direct, to_scale, to_shift = torch.ops.aten.native_batch_norm_backward(
            delta,
            x,
            scale,
            mean,
            variance,
            None,
            None,
            False,  # as if mean and variance were constants
            ctx.eps,
            [True, True, True],
        )
        inverse_root = (variance + ctx.eps).rsqrt()
        factor = scale * inverse_root
        slope = factor * inverse_root * to_scale
        by_moments = torch.addcmul(factor * to_shift, x - mean, slope)
        return (
            direct.addcmul_(share[:, None], by_moments, value=-1),
            None,
            to_scale,
            to_shift,
            None,
        )
