"""Pictures of fitted networks, in the manner of scikit-learn's displays."""

from sknn.display._filters import FiltersDisplay
from sknn.display._loss_curve import LossCurveDisplay
from sknn.display._network import NetworkDisplay

__all__ = ["FiltersDisplay", "LossCurveDisplay", "NetworkDisplay"]
