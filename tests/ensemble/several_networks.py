"""Small ensembles and the networks that they should consist of."""

import inspect

import numpy as np
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, clone, is_regressor

import sknn
from sknn import MLPClassifier, MLPRegressor, Seq2SeqTransformer

ESTIMATORS = [
    cls
    for cls in (getattr(sknn, name) for name in sknn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]
SUPERVISED = [
    cls for cls in ESTIMATORS if "n_networks" in inspect.signature(cls).parameters
]
ON_TABLES = [cls for cls in SUPERVISED if cls is not Seq2SeqTransformer]
CLASSIFIERS = [cls for cls in ON_TABLES if hasattr(cls, "predict_proba")]
REGRESSORS = [cls for cls in ON_TABLES if is_regressor(cls())]
PERCEPTRONS = [MLPClassifier, MLPRegressor]
ONE_EACH = [
    MLPClassifier,
    MLPRegressor,
    sknn.ConvRegressor,
    sknn.RecurrentTagger,
    sknn.TransformerClassifier,
    sknn.NodeRegressor,
    sknn.GraphClassifier,
]
WAYS = ["average", "best"]
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}  # some roundings of numbers near one


def make(Estimator, **changes):
    small = {"hidden_layer_sizes": (8,)} if Estimator in PERCEPTRONS else {}
    options = {"n_networks": 3, "max_iter": 4, "random_state": 0}
    return Estimator(**small | options | changes)


def answers(model, X):
    """Predictions, or probabilities where there are any."""
    if not hasattr(model, "predict_proba"):
        return model.predict(X)
    return model.predict_proba(X)


def assert_alike(one, other, X):
    """Compare networks, to rounding where one was trained as a part of another."""
    expected = answers(other, X)
    few = type(other) in PERCEPTRONS
    rtol, atol = (1e-10, 1e-10) if few else (0, 0)
    assert_allclose(answers(one, X), expected, rtol=rtol, atol=atol)


def data_for(Estimator, table, numbers):
    return (table[0], table[1]) if Estimator in CLASSIFIERS else numbers


def tolerance(array):
    return TOLERANCE[array.dtype.name]


def fit_alone(model, X, y, seeds, **fit_params):
    """Fit a network alone with each of the seeds."""
    parameters = {"n_networks": 1, "combine": "average"}
    return [
        clone(model).set_params(random_state=seed, **parameters).fit(X, y, **fit_params)
        for seed in seeds
    ]


def seeds_of(random_state, n_networks=3):
    return random_state.randint(np.iinfo(np.int32).max, size=n_networks).tolist()
