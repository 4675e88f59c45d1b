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

import numpy as np
import torch

native_batch_norm = torch.ops.aten.native_batch_norm.out
native_batch_norm_backward = torch.ops.aten.native_batch_norm_backward

# batches whose statistics wait for their turn: one by one they cost more
MOST_RECENT = 16


class BatchNorm:
    r"""Normalization of one layer's units, forwards and backwards, on torch's tensors.

    Parameters
    ----------
    layer : object
        Has the running statistics ``running_mean``, ``running_var`` and
        ``num_batches_tracked``, to which batches of two rows or more count, ``eps`` and
        ``momentum``, as `torch.nn.BatchNorm1d` has. They move when `settle` is
        called, or when there is no room for more batches.
    scale, shift : tensors of shape (..., 1, units)
        :math:`\gamma` and :math:`\beta`; several networks have a leading axis.
    scale_gradient, shift_gradient : tensors, shaped likewise
        Where their gradients go.
    """

    def __init__(self, layer, scale, shift, scale_gradient, shift_gradient):
        self._layer = layer
        self._parameters = scale, shift
        self._gradients = scale_gradient, shift_gradient
        self._flat_parameters = scale.view(-1), shift.view(-1)
        self._flat_gradients = scale_gradient.view(-1), shift_gradient.view(-1)
        # mean and inverse root of the batches that the running statistics lack
        self._recent = scale.new_empty((MOST_RECENT, 2, *scale.shape))
        self._moments = [tuple(pair) for pair in self._recent]
        self._flat_moments = [(m.view(-1), r.view(-1)) for m, r in self._moments]
        self._n_recent, self._latest = 0, 0
        self._share, self._is_fused = None, False

    def forward(self, a, z, batch):
        """Write the normalised `a` (..., batch, units) to `z`; `a` may be changed."""
        if self._n_recent == MOST_RECENT:
            self.settle()
        self._latest = self._n_recent
        self._n_recent += batch.n_rows > 1
        self._is_fused = a.dim() == 2 and batch.weight is None and batch.n_rows > 1
        if self._is_fused:
            self._forward_fused(a, z)
            return
        (mean, inverse_root), layer = self._moments[self._latest], self._layer
        if batch.n_rows > 1:
            self._share = _shares(batch)
            torch.sum(a * self._share, -2, keepdim=True, out=mean)
            a -= mean
            torch.sum(a.square() * self._share, -2, keepdim=True, out=inverse_root)
        else:
            self._share = None
            mean.copy_(layer.running_mean.view_as(mean))
            a -= mean
            inverse_root.copy_(layer.running_var.view_as(mean))
        inverse_root.add_(layer.eps).rsqrt_()
        scale, shift = self._parameters
        torch.addcmul(shift, a, scale * inverse_root, out=z)

    def _forward_fused(self, a, z):
        mean, inverse_root = self._flat_moments[self._latest]
        native_batch_norm(
            a,
            *self._flat_parameters,
            None,
            None,
            True,
            0.0,
            self._layer.eps,
            out=z,
            save_mean=mean,
            save_invstd=inverse_root,
        )

    def settle(self):
        """Move the running statistics by all batches since the last time."""
        n_new, layer = self._n_recent, self._layer
        if not n_new:
            return
        self._n_recent, kept = 0, 1 - layer.momentum
        n_before = layer.num_batches_tracked.item()
        layer.num_batches_tracked.fill_(n_before + n_new)
        weight = 1 - kept ** (n_before + n_new)
        shares = layer.momentum / weight * kept ** np.arange(n_new - 1, -1, -1)
        recent = self._recent[:n_new].cpu().numpy()
        statistics = recent[:, 0], recent[:, 1] ** -2 - layer.eps
        running = layer.running_mean, layer.running_var
        for tensor, new in zip(running, statistics, strict=True):
            moved = shares @ new.reshape(n_new, -1)
            moved += kept**n_new * (1 - kept**n_before) / weight * _as_row(tensor)
            tensor.copy_(torch.from_numpy(moved).view_as(tensor))

    def backward(self, delta, a):
        """Turn the derivative for the outputs into that for the inputs; return it.

        `a` is as `forward` left it. The gradients of scale and shift are written.
        """
        if self._is_fused:
            return self._backward_fused(delta, a)
        scale_gradient, shift_gradient = self._gradients
        inverse_root = self._moments[self._latest][1]
        product = delta * a
        torch.sum(product, -2, keepdim=True, out=scale_gradient)
        scale_gradient *= inverse_root
        torch.sum(delta, -2, keepdim=True, out=shift_gradient)
        if self._share is not None:
            slope = scale_gradient * inverse_root
            torch.addcmul(shift_gradient, a, slope, out=product)
            product *= self._share
            delta -= product
        delta *= self._parameters[0] * inverse_root
        return delta

    def _backward_fused(self, delta, a):
        delta, *gradients = native_batch_norm_backward(
            delta,
            a,
            self._flat_parameters[0],
            None,
            None,
            *self._flat_moments[self._latest],
            True,
            self._layer.eps,
            [True, True, True],
        )
        for gradient, value in zip(self._flat_gradients, gradients, strict=True):
            gradient.copy_(value)
        return delta


class FixedNorm:
    r"""Normalization by the running statistics, which stay, of a layer that stays.

    Parameters
    ----------
    layer, scale, shift
        As for `BatchNorm`.
    """

    def __init__(self, layer, scale, shift):
        mean, variance = (
            tensor.view_as(scale) for tensor in (layer.running_mean, layer.running_var)
        )
        self._factor = scale * (variance + layer.eps).rsqrt()
        self._shift = shift - mean * self._factor

    def forward(self, a, z, batch):
        """Write the normalised `a` (..., batch, units) to `z`."""
        torch.addcmul(self._shift, a, self._factor, out=z)

    def settle(self):
        """Do nothing: no batch counts."""


def _as_row(tensor):
    """Entries of a tensor as a vector of numpy."""
    return tensor.cpu().numpy().reshape(-1)


def _shares(batch):
    """Share of each row in the batch's total weight."""
    if batch.weight is None:
        return 1 / batch.n_rows
    return torch.as_tensor(batch.weight / batch.total)
