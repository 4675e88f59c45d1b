"""Neural networks of the textbook as scikit-learn estimators."""

from sknn._conv_classifier import ConvClassifier
from sknn._conv_regressor import ConvRegressor
from sknn._mlp_classifier import MLPClassifier
from sknn._mlp_regressor import MLPRegressor

__version__ = "0.1.0"

__all__ = [
    "ConvClassifier",
    "ConvRegressor",
    "MLPClassifier",
    "MLPRegressor",
]
