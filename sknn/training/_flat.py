"""One flat tensor that all parameters of a module are views of.

An update is then one fused step on one tensor, and the penalised weights are one
slice of it. Matrices and higher come first, vectors (biases) after them, each in the
module's order; weights of `torch.nn.Linear` are stored (fan_in, fan_out), as
scikit-learn's ``coefs_`` are.
"""

import numpy as np
import torch
from torch import nn

# bytes to whose multiples torch aligns tensors: rounding may depend on it
ALIGNMENT = 64


class FlatParameters:
    """Parameters of a module gathered in one tensor, and their gradients in another.

    Parameters
    ----------
    module : torch.nn.Module
        Its parameters become views; those on the "meta" device are made here.
    dtype : torch.dtype
        Type of the flat tensor, and of the module's real buffers.
    device : torch.device or str
        Where the flat tensor and the buffers live.

    Attributes
    ----------
    parameter : torch.nn.Parameter of shape (n_parameters,)
        The values, with ``grad`` set: what an optimizer steps on.
    on_cpu : bool
        Whether the flat tensor's memory is numpy's too.
    value_views : list of tensors
        View of each parameter's part of the values.
    numpy_dtype : numpy.dtype
        Type of the flat tensor, as numpy has it.
    n_penalized : int
        How many of the leading entries are weights rather than biases.
    frozen : sequence of torch.nn.Module
        Parts of the module that training has to leave as they are.
    """

    def __init__(self, module, dtype, device="cpu"):
        self.module, self.frozen = module, ()
        self.on_cpu = torch.device(device).type == "cpu"
        self.numpy_dtype = np.dtype(str(dtype).removeprefix("torch."))
        modules = list(module.modules())
        linear = {id(m.weight) for m in modules if isinstance(m, nn.Linear)}
        parameters = sorted(module.parameters(), key=lambda p: p.ndim < 2)
        self._layout, start = [], 0
        for parameter in parameters:
            shape = parameter.shape
            strides = (1, shape[0]) if id(parameter) in linear else row_strides(shape)
            self._layout.append((shape, strides, start))
            start += parameter.numel()
        self.n_penalized = sum(p.numel() for p in parameters if p.ndim >= 2)
        values = torch.zeros(start, dtype=dtype, device=device)
        self.parameter = nn.Parameter(values, requires_grad=False)
        self.parameter.grad = make_untouched_zeros(values)
        self.value_views = list(self.views_of(values))
        self._make(parameters, modules)
        for owner in modules:
            for name, buffer in owner._buffers.items():
                wanted = dtype if buffer.is_floating_point() else buffer.dtype
                if buffer.is_meta:
                    buffer = torch.empty_like(buffer, device=device)
                owner._buffers[name] = buffer.to(device, wanted)
        self._addresses = ()
        self.tie()

    def _make(self, parameters, modules):
        """Replace parameters on the meta device, wherever they are used."""
        made = {
            id(p): nn.Parameter(view, p.requires_grad)
            for p, view in zip(parameters, self.value_views, strict=True)
            if p.is_meta
        }
        for owner in modules:
            for name, parameter in owner._parameters.items():
                if id(parameter) in made:
                    owner._parameters[name] = made[id(parameter)]
        self.parameters = [made.get(id(p), p) for p in parameters]

    @property
    def values(self):
        """The flat tensor itself, outside of any graph."""
        return self.parameter.data

    def tensors(self, as_one):
        """The values outside of any graph: one flat tensor, or each parameter's own."""
        return [self.values] if as_one else [p.detach() for p in self.parameters]

    @property
    def gradient(self):
        """Flat gradient."""
        return self.parameter.grad

    @property
    def weights(self):
        """Slice of the penalised values."""
        return self.values[: self.n_penalized]

    @property
    def weight_gradient(self):
        """Slice of the gradient that belongs to the penalised values."""
        return self.gradient[: self.n_penalized]

    def views_of(self, flat):
        """View of each parameter's part of a flat tensor, in its shape."""
        first = flat.storage_offset()
        for shape, strides, start in self._layout:
            yield flat.as_strided(shape, strides, first + start)

    def row_views(self, matrix):
        """View of each parameter's part of the rows of a matrix, (rows, *shape)."""
        first, step = matrix.storage_offset(), matrix.stride(0)
        for shape, strides, start in self._layout:
            size = len(matrix), *shape
            yield matrix.as_strided(size, (step, *strides), first + start)

    def tie(self):
        """Make the parameters views again, keeping the values that they have now."""
        if self.is_tied():
            return
        for parameter, view in zip(self.parameters, self.value_views, strict=True):
            if parameter.data_ptr() != view.data_ptr():
                view.copy_(parameter.data)
                parameter.grad = None  # it may have the type that is left
                parameter.data = view
        self.tie_gradients()

    def tie_gradients(self):
        """Let autograd write into the flat gradient."""
        views = self.views_of(self.gradient)  # new ones: modules write into old ones
        for parameter, view in zip(self.parameters, views, strict=True):
            parameter.grad = view
        self._addresses = [
            (parameter.data_ptr(), parameter.grad.data_ptr())
            for parameter in self.parameters
        ]

    def zero_frozen_gradients(self):
        """Clear the gradients of parameters that are not to move."""
        views = self.views_of(self.gradient)
        for parameter, gradient in zip(self.parameters, views, strict=True):
            if not parameter.requires_grad:
                gradient.zero_()

    @property
    def trains_all(self):
        """Whether all parameters are to move."""
        return not self.frozen and all(p.requires_grad for p in self.parameters)

    def trained_slices(self):
        """Slices of the entries that are to move, weights apart from what follows."""
        slices = []
        for parameter, (*_, start) in zip(self.parameters, self._layout, strict=True):
            stop = start + parameter.numel()
            if not parameter.requires_grad:
                continue
            if slices and slices[-1].stop == start != self.n_penalized:
                start = slices.pop().start
            slices.append(slice(start, stop))
        return slices

    def is_tied(self):
        """Whether every parameter and gradient still shares the flat memory."""
        return self._addresses == [
            (p.data_ptr(), p.grad is not None and p.grad.data_ptr())
            for p in self.parameters
        ]

    def holds_values(self):
        """Whether every parameter, its gradient aside, shares the flat memory."""
        return [address for address, _ in self._addresses] == [
            p.data_ptr() for p in self.parameters
        ]

    def untie(self):
        """Give each parameter memory of its own, without a gradient."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None

    def join(self, tensors):
        """One flat tensor of one tensor a parameter."""
        joined = torch.empty_like(self.values)
        for view, tensor in zip(self.views_of(joined), tensors, strict=True):
            view.copy_(tensor)
        return joined

    def split(self, flat):
        """One tensor a parameter, in its shape, of one flat tensor."""
        return [view.clone() for view in self.views_of(flat)]


def row_strides(shape):
    """Strides of a contiguous tensor."""
    return torch.empty(shape, device="meta").stride()


def make_untouched_zeros(values):
    """Zeros for each of `values`, on a CPU in memory that is taken when written to.

    A gradient that is used up in blocks, or not needed at all, then takes none.
    """
    if values.device.type != "cpu":
        return torch.zeros_like(values)
    dtype = np.dtype(str(values.dtype).removeprefix("torch."))
    room = np.zeros(values.numel() + ALIGNMENT // dtype.itemsize, dtype)
    start = -room.ctypes.data % ALIGNMENT // dtype.itemsize
    return torch.from_numpy(room[start : start + values.numel()])
