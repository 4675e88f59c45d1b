"""The gradient of any module, by autograd."""

import torch

from sknn.data import Parts
from sknn.training._array_ops import TorchOps
from sknn.training._augmentation import attach_generator
from sknn.training._dropout import attach_masks
from sknn.training._parallel import attach_team
from sknn.training._threads import available_threads


class AutogradGradient:
    """Loss and gradient of a module whose outputs go straight into the loss.

    Parameters
    ----------
    module : torch.nn.Module
        Maps a batch of inputs, and the weights of its rows where it
        ``has_batch_norm``, to raw outputs. It may leave a `row_penalty` of shape
        (batch,), whose weighted mean the loss is added to.
    loss : Loss
        Gives the value and the derivative to propagate back.
    zero_grad : callable
        Clears the gradients that autograd adds to.
    masks : DropoutMasks, optional
        What dropout layers draw from until `close`.
    generator : torch.Generator, optional
        What layers draw from until then that change training rows.
    """

    ops = loss_ops = TorchOps

    def __init__(self, module, loss, zero_grad, *, masks=None, generator=None):
        self.module, self.loss, self.zero_grad = module, loss, zero_grad
        self._masks, self._generator = masks, generator
        if masks is not None:
            attach_masks(module, masks)
        if generator is not None:
            attach_generator(module, generator)
        on_cpu = all(p.device.type == "cpu" for p in module.parameters())
        n_threads = min(2, available_threads()) if on_cpu else 1
        self._team = attach_team(module, n_threads)
        self._buffers = {}
        self.raw = None

    def __call__(self, batch):
        """Write the gradient of the batch's loss and return the loss."""
        x, _ = batch
        self.zero_grad()
        if getattr(self.module, "has_batch_norm", False):
            outputs = call(self.module, x, row_weight=batch.weight)
        else:
            outputs = call(self.module, x)
        raw, shape = outputs.detach(), tuple(outputs.shape)
        self.raw = self.loss.own_outputs(raw)
        if shape not in self._buffers:
            self._buffers[shape] = (
                TorchOps.empty(shape, raw),
                self.loss.buffers(TorchOps, raw),
            )
        delta, buffers = self._buffers[shape]
        value = self.loss(TorchOps, raw, batch, delta, buffers)
        penalty = getattr(self.module, "row_penalty", None)
        if penalty is None:
            outputs.backward(delta)
            return value
        self.module.row_penalty = None  # it holds the graph
        share = penalty.new_full(penalty.shape, 1 / batch.total)
        if batch.weight is not None:
            share *= batch.weight[:, 0]
        torch.autograd.backward([outputs, penalty], [delta, share])
        return value + TorchOps.inner(share, penalty.detach())

    def settle(self):
        """Do nothing: the module has brought its buffers up to the last batch."""

    def close(self):
        """Let go of what the module has drawn from and left, and of its threads."""
        if getattr(self.module, "row_penalty", None) is not None:  # interrupted
            self.module.row_penalty = None
        if self._masks is not None:
            attach_masks(self.module, None)
        if self._generator is not None:
            attach_generator(self.module, None)
        if self._team is not None:
            attach_team(self.module, 1)
            self._team.close()


def call(forward, x, **options):
    """Outputs for inputs that are one tensor, or several by name.

    Parameters
    ----------
    forward : callable
        A module, or a method of one.
    x : tensor, dict of str to tensor, or Parts
        Inputs.
    **options : dict
        What the module is given besides.
    """
    if isinstance(x, Parts):
        outputs = [call(forward, part, **options) for part in x.inputs]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    if isinstance(x, dict):
        return forward(**x, **options)
    return forward(x, **options)
