"""A trained module and its optimizer as plain arrays, for pickle and deepcopy.

Views of one flat tensor would each be pickled with the whole of it. Packed, the values
are written once, beside a module whose parameters take no memory.
"""

import copy

import numpy as np
import torch
from torch import nn

from sknn.training._flat import FlatParameters


def pack(flat, optimizer):
    """Arrays and a skeleton from which `unpack` makes equal objects.

    Parameters
    ----------
    flat : FlatParameters
        Trained parameters, tied or not, with their module.
    optimizer : torch.optim.Optimizer or None
        Optimizer of these parameters, on the flat one or on each.

    Returns
    -------
    dict
        Picklable, sharing no memory with the arguments.
    """
    hollow = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta"), p.requires_grad)
        for p in flat.parameters
    }
    on_cpu = {id(b): b.detach().to("cpu", copy=True) for b in flat.module.buffers()}
    return {
        "module": copy.deepcopy(flat.module, hollow | on_cpu),
        "values": flat.join([p.detach() for p in flat.parameters]).cpu().numpy(),
        "device": str(flat.values.device),
        "optimizer": None if optimizer is None else pack_optimizer(flat, optimizer),
    }


def owners_of(flat, optimizer):
    """Parameters that the optimizer steps on: the flat one, or each, in flat order."""
    on_flat = optimizer.param_groups[0]["params"][0] is flat.parameter
    return [flat.parameter] if on_flat else flat.parameters


def pack_optimizer(flat, optimizer):
    """Class, options and state of an optimizer, a flat array for each state."""
    group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    owners = owners_of(flat, optimizer)
    names = {name for owner in owners for name in optimizer.state.get(owner, {})}
    return {
        "class": type(optimizer),
        "group": group,
        "state": {n: _gather(flat, optimizer, owners, n) for n in sorted(names)},
    }


def _gather(flat, optimizer, owners, name):
    """State `name` of all parameters as one array, zero for those without.

    A count of steps, which is one number a parameter, is kept as the largest.
    """
    states = [optimizer.state.get(owner, {}).get(name) for owner in owners]
    numbers = [float(s) for s in states if s is not None and s.ndim == 0]
    if numbers:
        return np.float32(max(numbers))
    pairs = zip(states, owners, strict=True)
    tensors = [torch.zeros_like(o) if s is None else s for s, o in pairs]
    on_flat = owners[0] is flat.parameter
    joined = tensors[0].clone() if on_flat else flat.join(tensors)
    return joined.reshape(-1).cpu().numpy()


def unpack(packed):
    """Flat parameters, with their module, that `pack` was given."""
    device = packed["device"] if _is_available(packed["device"]) else "cpu"
    values = torch.from_numpy(np.array(packed["values"]))
    flat = FlatParameters(copy.deepcopy(packed["module"]), values.dtype, device)
    flat.values.copy_(values)
    return flat


def unpack_optimizer(flat, packed):
    """Optimizer on the flat parameter, in the state that was packed."""
    optimizer = packed["class"]([flat.parameter], lr=packed["group"]["lr"])
    load_optimizer(flat, packed, optimizer)
    return optimizer


def load_optimizer(flat, packed, optimizer):
    """Give an optimizer, on the flat parameter or on each, the packed state."""
    optimizer.param_groups[0].update(packed["group"])
    owners = owners_of(flat, optimizer)
    for name, array in packed["state"].items():
        state = torch.from_numpy(np.array(array))
        if state.ndim == 0:
            parts = [state.clone() for _ in owners]
        else:
            state = state.to(flat.values.device)
            parts = [state] if owners[0] is flat.parameter else flat.split(state)
        for owner, part in zip(owners, parts, strict=True):
            optimizer.state[owner][name] = part


def _is_available(device):
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        return False
    return True
