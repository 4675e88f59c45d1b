"""Steps of sequences of several lengths, which padding brings to one.

Sequences are (batch, steps, features). Their own steps come first; `lengths` (batch,),
each at least 1, counts them, and None means that there is no padding.
"""

import torch
from torch import Tensor


def find_padding(lengths: Tensor, n_steps: int) -> Tensor:
    """Whether each step is after the end of its sequence: (batch, steps)."""
    return torch.arange(n_steps, device=lengths.device) >= lengths[:, None]


def make_mask(lengths: Tensor | None, n_steps: int) -> Tensor | None:
    """Where attention may look, (batch, 1, 1, steps); None: everywhere."""
    return None if lengths is None else ~find_padding(lengths, n_steps)[:, None, None]


def clear_padding(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Zero in place of what the padding of `x` (batch, steps, ...) holds, even NaN."""
    if lengths is None:
        return x
    padding = find_padding(lengths, x.shape[1])
    return x.masked_fill(padding.view(*padding.shape, *[1] * (x.ndim - 2)), 0)


def find_reversal(lengths: Tensor, n_steps: int) -> Tensor:
    """Step to take at each step so that sequences run backwards: (batch, steps).

    Padding stays where it is; the same steps turn the sequences back again.
    """
    steps = torch.arange(n_steps, device=lengths.device)
    mirrored = lengths[:, None] - 1 - steps
    return mirrored.where(mirrored >= 0, steps)


def reverse(x: Tensor, reversal: Tensor | None) -> Tensor:
    """Let sequences run backwards within their lengths; None: all are full."""
    if reversal is None:
        return x.flip(1)
    return x.gather(1, reversal[..., None].expand_as(x))


def take_last(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Last step of each sequence: (batch, features)."""
    if lengths is None:
        return x[:, -1]
    return x[torch.arange(len(x), device=x.device), lengths - 1]


def take_mean(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Mean over the steps of each sequence: (batch, features)."""
    if lengths is None:
        return x.mean(1)
    share = (~find_padding(lengths, x.shape[1])).to(x.dtype) / lengths[:, None]
    return torch.bmm(share[:, None], x)[:, 0]  # one product, no copy of x


def take_max(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Largest value over the steps of each sequence: (batch, features)."""
    if lengths is not None:
        padding = find_padding(lengths, x.shape[1])
        x = x.masked_fill(padding[..., None], -torch.inf)
    return x.amax(1)


def take_all(x: Tensor, lengths: Tensor | None) -> Tensor:
    """All steps of all sequences, one after another: (sum of lengths, features)."""
    if lengths is None:
        return x.flatten(0, 1)
    return x[~find_padding(lengths, x.shape[1])]


POOLINGS = {"last": take_last, "mean": take_mean, "max": take_max, None: take_all}
