"""The dozen array operations that the delta rule and the losses are written in.

Each function takes its result's memory as ``out``. Arrays are (batch, units), or
(networks, batch, units) for several networks at once.
"""

import math

import numpy as np
import torch
from scipy.special import xlogy


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
    tanh = staticmethod(np.tanh)

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
    def one_hot(codes, starts, out):
        """Rows of zeros with a one at each row's code."""
        out.fill(0)
        out.put(codes + starts, 1)
        return out

    @staticmethod
    def affine(h, weight, bias, out):
        """Product plus bias."""
        np.matmul(h, weight, out=out)
        return np.add(out, bias, out=out)

    @staticmethod
    def row_max(a, out):
        """Largest entry of each row, (..., batch, 1); short rows by columns."""
        if a.shape[-1] > 32:
            return np.max(a, axis=-1, keepdims=True, out=out)
        columns = np.ascontiguousarray(a.swapaxes(-1, -2))
        np.maximum.reduce(columns, axis=-2, out=out[..., 0])
        return out

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
    def relu(z):
        """Rectify in place."""
        return np.maximum(z, 0, out=z)

    @staticmethod
    def logistic(z):
        """Logistic function in place; torch's kernel is vectorized, scipy's is not."""
        tensor = torch.from_numpy(z)
        torch.sigmoid(tensor, out=tensor)
        return z

    @staticmethod
    def relu_gradient(delta, a):
        """Multiply `delta` by the rectifier's derivative where it gave `a`."""
        return np.multiply(delta, a > 0, out=delta)

    @staticmethod
    def tanh_gradient(delta, a):
        """Multiply `delta` by tanh's derivative where it gave `a`; destroys `a`."""
        np.multiply(a, a, out=a)
        np.subtract(1, a, out=a)
        return np.multiply(delta, a, out=delta)

    @staticmethod
    def logistic_gradient(delta, a):
        """Multiply `delta` by the logistic derivative at value `a`; destroys `a`."""
        np.multiply(delta, a, out=delta)
        np.subtract(1, a, out=a)
        return np.multiply(delta, a, out=delta)


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
    tanh = staticmethod(torch.tanh)
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
    def one_hot(codes, starts, out):
        """Rows of zeros with a one at each row's code."""
        out.zero_().view(-1).index_fill_(0, (codes + starts).view(-1), 1)
        return out

    @staticmethod
    def affine(h, weight, bias, out):
        """Product plus bias."""
        fused = torch.addmm if h.dim() == 2 else torch.baddbmm
        return fused(bias, h, weight, out=out)

    @staticmethod
    def row_max(a, out):
        """Largest entry of each row, (..., batch, 1)."""
        return torch.amax(a, -1, keepdim=True, out=out)

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
    def relu(z):
        """Rectify in place."""
        return z.clamp_min_(0)

    @staticmethod
    def logistic(z):
        """Logistic function in place."""
        return z.sigmoid_()

    @staticmethod
    def relu_gradient(delta, a):
        """Multiply `delta` by the rectifier's derivative where it gave `a`."""
        return torch.ops.aten.threshold_backward.grad_input(
            delta, a, 0, grad_input=delta
        )

    @staticmethod
    def tanh_gradient(delta, a):
        """Multiply `delta` by the derivative of tanh where it gave `a`."""
        return torch.ops.aten.tanh_backward.grad_input(delta, a, grad_input=delta)

    @staticmethod
    def logistic_gradient(delta, a):
        """Multiply `delta` by the logistic function's derivative at value `a`."""
        return torch.ops.aten.sigmoid_backward.grad_input(delta, a, grad_input=delta)


def _number(value):
    """Python's number of a CPU scalar; an accelerator's is not waited for."""
    return value.item() if value.dim() == 0 and value.device.type == "cpu" else value
