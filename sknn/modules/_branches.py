"""Parts of a network that do not depend on each other, each in a thread of its own."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# ``map_calls(function, n)`` returns ``[function(i) for i in range(n)]``
MapCalls = Callable[[Callable[[int], Any], int], list]


class _Branches(torch.autograd.Function):
    """Each branch is a graph of its own, which one thread goes back through."""

    @staticmethod
    def forward(ctx, map_calls, functions, n_inputs, *tensors):
        wanted = ctx.needs_input_grad[3:]

        def run(i):
            own = slice(i * n_inputs, (i + 1) * n_inputs)
            inputs = [
                tensor.detach().requires_grad_(wants)
                for tensor, wants in zip(tensors[own], wanted[own], strict=True)
            ]
            with torch.enable_grad():
                return inputs, functions[i](*inputs)

        ctx.map_calls, ctx.branches = map_calls, map_calls(run, len(functions))
        return tuple(output.detach() for _, output in ctx.branches)

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        def run(i):
            inputs, output = branches[i]
            wanted = [tensor for tensor in inputs if tensor.requires_grad]
            if not wanted:
                return [None] * len(inputs)
            found = iter(torch.autograd.grad(output, wanted, gradients[i]))
            return [next(found) if x.requires_grad else None for x in inputs]

        branches, ctx.branches = ctx.branches, None  # their memory goes with this call
        if branches is None:
            raise RuntimeError("Branches can be gone back through a single time.")
        found = ctx.map_calls(run, len(branches))
        return (None, None, None, *(x for of_branch in found for x in of_branch))


def run_branches(
    functions: Sequence[Callable[..., Tensor]],
    inputs: Sequence[Sequence[Tensor]],
    map_calls: MapCalls | None = None,
) -> list[Tensor]:
    """Output of each function for its inputs, as many for each.

    Parameters
    ----------
    functions : sequence of callable
        Each takes tensors and returns one. Those that are to have a gradient have to be
        among its inputs.
    inputs : sequence of sequences of tensors
        Inputs of each function.
    map_calls : callable, optional
        Makes calls at the same time; gradients then come the same way, once. None makes
        one call after another.
    """
    if map_calls is None or not torch.is_grad_enabled():
        return [f(*own) for f, own in zip(functions, inputs, strict=True)]
    tensors = [tensor for own in inputs for tensor in own]
    return list(_Branches.apply(map_calls, functions, len(inputs[0]), *tensors))
