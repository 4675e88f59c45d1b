r"""Batch normalization of one hidden layer in the hand-derived gradient.

Ioffe and Szegedy (2015), with row weights: for shares :math:`p_i = w_i / \sum_j w_j`
of the batch, :math:`\mu = \sum_i p_i a_i`, :math:`\sigma^2 = \sum_i p_i (a_i -
\mu)^2`, :math:`\hat a_i = (a_i - \mu) / \sqrt{\sigma^2 + \epsilon}` and :math:`z_i =
\gamma \odot \hat a_i + \beta`. Backwards, from :math:`\delta_i = \partial J /
\partial z_i`,

.. math:: \nabla_\beta J = \sum_i \delta_i, \quad
    \nabla_\gamma J = \sum_i \delta_i \odot \hat a_i, \quad
    \frac{\partial J}{\partial a_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \odot
    (\delta_i - p_i (\nabla_\beta J + \hat a_i \odot \nabla_\gamma J)).
"""

import torch

native_batch_norm = torch.ops.aten.native_batch_norm.out
native_batch_norm_backward = torch.ops.aten.native_batch_norm_backward


class BatchNorm:
    r"""Normalization of one layer's units, forwards and backwards, on torch's tensors.

    Parameters
    ----------
    statistics : object
        Running ones: has ``running_mean``, ``running_var``, ``eps`` and ``track(mean,
        variance)``, which is called at each batch of two rows or more.
    scale, shift : tensors of shape (..., 1, units)
        :math:`\gamma` and :math:`\beta`; several networks have a leading axis.
    scale_gradient, shift_gradient : tensors, shaped likewise
        Where their gradients go.
    """

    def __init__(self, statistics, scale, shift, scale_gradient, shift_gradient):
        self._statistics, self._scale, self._shift = statistics, scale, shift
        self._gradients = scale_gradient, shift_gradient
        self._mean = torch.empty_like(scale)
        self._inverse_root = torch.empty_like(scale)
        self._share, self._is_fused = None, False

    def forward(self, a, z, batch):
        """Write the normalised `a` (..., batch, units) to `z`; `a` may be changed."""
        self._is_fused = a.dim() == 2 and batch.weight is None and batch.n_rows > 1
        if self._is_fused:
            self._forward_fused(a, z)
            return
        self._share, running = None, self._statistics
        if batch.n_rows > 1:
            self._share = _shares(batch)
            torch.sum(a * self._share, -2, keepdim=True, out=self._mean)
        else:
            self._mean.copy_(running.running_mean)
        a -= self._mean
        if batch.n_rows > 1:
            variance = (a.square() * self._share).sum(-2, keepdim=True)
            running.track(self._mean, variance)
        else:
            variance = running.running_var
        self._inverse_root.copy_(variance).add_(running.eps).rsqrt_()
        torch.addcmul(self._shift, a, self._scale * self._inverse_root, out=z)

    def _forward_fused(self, a, z):
        eps = self._statistics.eps
        native_batch_norm(
            a,
            self._scale.view(-1),
            self._shift.view(-1),
            None,
            None,
            True,
            0.0,
            eps,
            out=z,
            save_mean=self._mean.view(-1),
            save_invstd=self._inverse_root.view(-1),
        )
        self._statistics.track(self._mean, self._inverse_root.pow(-2).sub_(eps))

    def backward(self, delta, a):
        """Turn the derivative for the outputs into that for the inputs; return it.

        `a` is as `forward` left it. The gradients of scale and shift are written.
        """
        if self._is_fused:
            return self._backward_fused(delta, a)
        scale_gradient, shift_gradient = self._gradients
        product = delta * a
        torch.sum(product, -2, keepdim=True, out=scale_gradient)
        scale_gradient *= self._inverse_root
        torch.sum(delta, -2, keepdim=True, out=shift_gradient)
        if self._share is not None:
            slope = scale_gradient * self._inverse_root
            torch.addcmul(shift_gradient, a, slope, out=product)
            product *= self._share
            delta -= product
        delta *= self._scale * self._inverse_root
        return delta

    def _backward_fused(self, delta, a):
        delta, *gradients = native_batch_norm_backward(
            delta,
            a,
            self._scale.view(-1),
            None,
            None,
            self._mean.view(-1),
            self._inverse_root.view(-1),
            True,
            self._statistics.eps,
            [True, True, True],
        )
        for gradient, value in zip(self._gradients, gradients, strict=True):
            gradient.copy_(value.view_as(gradient))
        return delta


def _shares(batch):
    """Share of each row in the batch's total weight."""
    if batch.weight is None:
        return 1 / batch.n_rows
    return torch.as_tensor(batch.weight) / batch.total
