"""Plain torch modules: they return raw outputs and know nothing of training."""

from sknn.modules._mlp import MLP

__all__ = ["MLP"]
