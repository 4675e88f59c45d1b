"""The loss as a module of its own, for skorch and its callbacks."""

import torch
from torch import nn

from sknn.data import Batch
from sknn.training._array_ops import TorchOps


class Criterion(nn.Module):
    """A loss as skorch asks for one: a module of raw outputs and targets.

    Parameters
    ----------
    loss : Loss
        Loss of validation rows.
    training_loss : Loss, optional
        Loss of training rows; None is the same.

    Attributes
    ----------
    sees_training_rows : bool
        Whether rows that are evaluated only, not trained on, are training rows.
    """

    sees_training_rows = False

    def __init__(self, loss, training_loss=None):
        super().__init__()
        self.loss, self.training_loss = loss, training_loss or loss

    def forward(self, raw, y):
        in_training = self.training or self.sees_training_rows
        loss, raw = self.training_loss if in_training else self.loss, raw.detach()
        batch = Batch(None, y, None, float(len(raw)), len(raw))
        buffers = loss.buffers(TorchOps, raw)
        value = loss(TorchOps, raw, batch, TorchOps.empty(raw.shape, raw), buffers)
        return torch.as_tensor(value)
