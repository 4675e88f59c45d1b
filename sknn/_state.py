"""The trained state of an estimator: its module, optimizer, and their pickles."""

import numpy as np
import torch

from sknn.training._checkpoint import pack, unpack, unpack_optimizer
from sknn.training._flat import FlatParameters


class TrainedState:
    """Keeps a module, its flat parameters and its optimizer together."""

    def _adopt(self, flat, optimizer):
        self._flat, self.module_ = flat, flat.module
        self._optimizer, self._packed_optimizer = optimizer, None
        self._forward_pass = self._make_forward_pass()

    def _make_forward_pass(self):
        """Shortcut through the module for predictions, or None."""
        return None

    def _is_placed(self, dtype, device):
        """Whether the weights have that type and are on that device."""
        there = torch.empty(0, dtype=torch_dtype(dtype), device=device)
        here = self._flat.values
        # "cuda" means "cuda:0"
        return (here.dtype, here.device) == (there.dtype, there.device)

    def _place(self, dtype, device):
        """Move the module to another type or device, and start its optimizer anew."""
        if self._is_placed(dtype, device):
            return
        wanted = torch_dtype(dtype)
        module = self.module_.to(device, wanted)
        self._adopt(FlatParameters(module, wanted, device), None)

    def _without_feature_names(self):
        """This estimator, sharing its state, for arrays without column names."""
        twin = object.__new__(type(self))
        state = {k: v for k, v in vars(self).items() if k != "feature_names_in_"}
        twin.__dict__.update(state)
        return twin

    @property
    def optimizer_(self):
        """Optimizer of the last training, with its state; None for lbfgs."""
        if "_flat" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'optimizer_' before "
                "fit."
            )
        if self._packed_optimizer is not None:
            self._optimizer = unpack_optimizer(self._flat, self._packed_optimizer)
            self._packed_optimizer = None
        return self._optimizer

    def __getstate__(self):
        state = super().__getstate__().copy()
        flat = state.pop("_flat", None)
        if flat is None:
            return state
        for name in ("module_", "_optimizer", "callbacks_", "_forward_pass"):
            state.pop(name, None)
        packed_optimizer = state.pop("_packed_optimizer", None)
        state["_packed"] = pack(flat, self._optimizer)
        if packed_optimizer is not None:
            state["_packed"]["optimizer"] = packed_optimizer
        return state

    def __setstate__(self, state):
        state = dict(state)
        packed = state.pop("_packed", None)
        super().__setstate__(state)
        if packed is not None:
            self._adopt(unpack(packed), None)
            self._packed_optimizer = packed["optimizer"]
            self.callbacks_ = []
            self.module_.eval()


def torch_dtype(dtype):
    """torch's type for numpy's."""
    return torch.float64 if dtype == np.float64 else torch.float32
