"""Pictures of fitted networks, in the manner of scikit-learn's displays."""

from sknn.display._attention import AttentionDisplay
from sknn.display._filters import FiltersDisplay
from sknn.display._graph import GraphDisplay
from sknn.display._loss_curve import LossCurveDisplay
from sknn.display._network import NetworkDisplay
from sknn.display._reconstruction import ReconstructionDisplay
from sknn.display._samples import SamplesDisplay

__all__ = [
    "AttentionDisplay",
    "FiltersDisplay",
    "GraphDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "ReconstructionDisplay",
    "SamplesDisplay",
]
