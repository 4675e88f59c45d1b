"""Plain torch modules: they return raw outputs and know nothing of training."""

from sknn.modules._conv import ConvNet
from sknn.modules._mlp import MLP

__all__ = ["MLP", "ConvNet"]
