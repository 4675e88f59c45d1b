"""The array operations that the delta rule and the losses are written in.

Each function takes its result's memory as ``out``, if it does not work in place. Arrays
are (batch, units), or (networks, batch, units) for several networks at once.
"""

import math

import numpy as np
import torch
from scipy.special import xlogy

# up to here the exponential function, sums of it and their ratios are normal numbers in
# single precision
SAFE_EXPONENT = 30
# entries from which torch adds a row to all rows faster than numpy, which calls its
# loop for each of them
MANY_ENTRIES = 1 << 12


class NumpyOps:
    """numpy's calls, which cost a third of torch's: best for small arrays."""

    matmul = staticmethod(np.matmul)
    add = staticmethod(np.add)
    subtract = staticmethod(np.subtract)
    multiply = staticmethod(np.multiply)
    divide = staticmethod(np.divide)
    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    sign = staticmethod(np.sign)

    @staticmethod
    def native(tensor):
        """Array on the memory of a CPU tensor."""
        return tensor.detach().numpy()

    tensor = staticmethod(torch.from_numpy)

    @staticmethod
    def from_numpy(array):
        """Array on the memory of a numpy array."""
        return array

    @staticmethod
    def empty(shape, like):
        """Uninitialized array with the type of `like`."""
        return np.empty(shape, like.dtype)

    @staticmethod
    def ones(shape, like):
        """Array of ones with the type of `like`."""
        return np.ones(shape, like.dtype)

    @staticmethod
    def epsilon(like):
        """Distance from 1 to the next number of the type of `like`."""
        return float(np.finfo(like.dtype).eps)

    @staticmethod
    def transpose(a):
        """Matrix transpose, a view."""
        return a.swapaxes(-1, -2)

    @staticmethod
    def row_starts(shape, like):
        """Position of each row's first entry in an array of `shape`, flat."""
        return np.arange(0, np.prod(shape), shape[-1]).reshape(shape[:-1])

    @staticmethod
    def take(a, positions, out):
        """Entries of `a`, flat, at one position a row: a column."""
        a.take(positions, out=out[..., 0], mode="clip")  # others copy what they write
        return out

    @staticmethod
    def add_at(a, positions, number):
        """Add a number, or one each, to entries of contiguous `a`, flat."""
        flat = a.reshape(-1)
        flat[positions] += number
        return a

    @staticmethod
    def affine(h, weight, bias, out):
        """Product plus bias."""
        np.matmul(h, weight, out=out)
        if out.size < MANY_ENTRIES:
            return np.add(out, bias, out=out)
        torch.from_numpy(out).add_(torch.from_numpy(bias))
        return out

    @staticmethod
    def without_overflow(a, row, out):
        """Exponents that differ from `a` by a number a row, of which none overflows.

        `a` itself where it does for that, else `out`, with each row's largest at 0.
        """
        if a.max() < SAFE_EXPONENT and a.min() > -SAFE_EXPONENT:
            return a
        if a.shape[-1] > 32:
            np.max(a, axis=-1, keepdims=True, out=row)
        else:  # numpy is faster at the columns of short rows
            columns = np.ascontiguousarray(a.swapaxes(-1, -2))
            np.maximum.reduce(columns, axis=-2, out=row[..., 0])
        return np.subtract(a, row, out=out)

    @staticmethod
    def one_minus(a, out):
        """Complement of `a`."""
        return np.subtract(1, a, out=out)

    @staticmethod
    def clip(a, low, high, out):
        """Entries of `a` limited to [low, high]."""
        np.maximum(a, low, out=out)
        return np.minimum(out, high, out=out)

    @staticmethod
    def xlogy(a, b):
        """``a log b`` that is zero where `a` is."""
        return xlogy(a, b)

    @staticmethod
    def sum(a):
        """Sum over batch and units: a number a network."""
        if a.ndim > 2:
            return a.sum((-2, -1))
        return float(np.add.reduce(a, None))

    @staticmethod
    def inner(a, b):
        """Inner product over batch and units: a number a network."""
        if a.ndim > 2:
            return np.einsum("...ij,...ij->...", a, b)
        return float(np.vdot(a, b))

    @staticmethod
    def logistic(z):
        """Logistic function in place; torch's kernel is vectorized, scipy's is not."""
        tensor = torch.from_numpy(z)
        torch.sigmoid(tensor, out=tensor)
        return z


class TorchOps:
    """torch's calls: fused, on all threads or an accelerator; best for large arrays."""

    matmul = staticmethod(torch.matmul)
    add = staticmethod(torch.add)
    subtract = staticmethod(torch.subtract)
    multiply = staticmethod(torch.multiply)
    divide = staticmethod(torch.divide)
    exp = staticmethod(torch.exp)
    log = staticmethod(torch.log)
    sign = staticmethod(torch.sign)
    from_numpy = staticmethod(torch.from_numpy)

    @staticmethod
    def tensor(tensor):
        """The tensor itself."""
        return tensor

    @staticmethod
    def native(tensor):
        """The tensor itself, outside of any graph."""
        return tensor.detach()

    @staticmethod
    def empty(shape, like):
        """Uninitialized tensor with the type and device of `like`."""
        return torch.empty(shape, dtype=like.dtype, device=like.device)

    @staticmethod
    def ones(shape, like):
        """Tensor of ones with the type and device of `like`."""
        return torch.ones(shape, dtype=like.dtype, device=like.device)

    @staticmethod
    def epsilon(like):
        """Distance from 1 to the next number of the type of `like`."""
        return torch.finfo(like.dtype).eps

    @staticmethod
    def transpose(a):
        """Matrix transpose, a view."""
        return a.transpose(-1, -2)

    @staticmethod
    def row_starts(shape, like):
        """Position of each row's first entry in a tensor of `shape`, flat."""
        stop = math.prod(shape)
        starts = torch.arange(0, stop, shape[-1], device=like.device)
        return starts.view(shape[:-1])

    @staticmethod
    def take(a, positions, out):
        """Entries of `a`, flat, at one position a row: a column."""
        torch.index_select(a.view(-1), 0, positions.view(-1), out=out.view(-1))
        return out

    @staticmethod
    def add_at(a, positions, number):
        """Add a number, or one each, to entries of contiguous `a`, flat."""
        a.view(-1)[positions] += number
        return a

    @staticmethod
    def affine(h, weight, bias, out):
        """Product plus bias."""
        fused = torch.addmm if h.dim() == 2 else torch.baddbmm
        return fused(bias, h, weight, out=out)

    @staticmethod
    def without_overflow(a, row, out):
        """Exponents that differ from `a` by a number a row, of which none overflows."""
        torch.amax(a, -1, keepdim=True, out=row)
        return torch.subtract(a, row, out=out)

    @staticmethod
    def one_minus(a, out):
        """Complement of `a`."""
        return torch.neg(a, out=out).add_(1)

    @staticmethod
    def clip(a, low, high, out):
        """Entries of `a` limited to [low, high]."""
        return torch.clamp(a, low, high, out=out)

    @staticmethod
    def xlogy(a, b):
        """``a log b`` that is zero where `a` is."""
        return torch.xlogy(a, b)

    @staticmethod
    def sum(a):
        """Sum over batch and units: a number a network."""
        return _number(a.sum((-2, -1)))

    @staticmethod
    def inner(a, b):
        """Inner product over batch and units: a number a network."""
        if a.dim() > 2:
            return torch.einsum("...ij,...ij->...", a, b)
        return _number(torch.dot(a.view(-1), b.view(-1)))

    @staticmethod
    def logistic(z):
        """Logistic function in place."""
        return z.sigmoid_()


def _number(value):
    """Python's number of a CPU scalar; an accelerator's is not waited for."""
    return value.item() if value.dim() == 0 and value.device.type == "cpu" else value
