"""What the user guide warns of in boxes happens as it says."""

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPRegressor, _base

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"alpha": [1e-4, 1.0]}


@pytest.fixture
def rows():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return X[:60], y[:60], X[60:200], y[60:200]


@pytest.fixture
def seen(monkeypatch):
    """Validation data of every fit, as the network is given it."""
    found, original = [], _base.read_validation

    def record(estimator, validation, *others):
        found.append(validation)
        return original(estimator, validation, *others)

    monkeypatch.setattr(_base, "read_validation", record)
    return found


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def make_network():
    return MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0)


def make_pipeline(**options):
    mlp = make_network()
    if sklearn.get_config()["enable_metadata_routing"]:
        mlp.set_fit_request(X_val=True, y_val=True)
    return Pipeline([("scale", StandardScaler()), ("mlp", mlp)], **options)


def get_training_rows(X):
    return [train for train, _ in KFold(3).split(X)]


@pytest.mark.parametrize("name", ["search", "cross_validate"])
def test_validation_rows_as_many_as_training_rows_are_cut_to_a_fold(rows, seen, name):
    X, y, X_val, y_val = rows
    as_many = {"X_val": X_val[:60], "y_val": y_val[:60]}
    if name == "search":
        GridSearchCV(make_network(), {}, cv=3, refit=False).fit(X, y, **as_many)
    else:
        cross_validate(make_network(), X, y, cv=3, params=as_many)
    assert len(seen) == 3
    for (X_seen, y_seen, _), fold in zip(seen, get_training_rows(X), strict=True):
        np.testing.assert_array_equal(X_seen, X_val[:60][fold])
        np.testing.assert_array_equal(y_seen, y_val[:60][fold])


def test_other_numbers_of_validation_rows_stay_whole(rows, seen):
    X, y, X_val, y_val = rows
    GridSearchCV(make_network(), GRID, cv=3).fit(X, y, X_val=X_val, y_val=y_val)
    assert len(seen) == 7
    for X_seen, y_seen, _ in seen:
        np.testing.assert_array_equal(X_seen, X_val)
        np.testing.assert_array_equal(y_seen, y_val)


def test_validation_rows_are_cut_with_routing_too(rows, seen, routing):
    X, y, X_val, y_val = rows
    as_many = {"X_val": X_val[:60], "y_val": y_val[:60]}
    model = make_pipeline(transform_input=["X_val"])
    GridSearchCV(model, {}, cv=3, refit=False).fit(X, y, **as_many)
    assert [len(X_seen) for X_seen, _, _ in seen] == [40, 40, 40]


def test_transformed_targets_leave_validation_targets_as_they_are(rows, seen):
    X, y, X_val, y_val = rows
    model = TransformedTargetRegressor(make_network(), transformer=StandardScaler())
    model.fit(scale(X), y, X_val=scale(X_val), y_val=y_val)
    np.testing.assert_array_equal(seen[0][1], y_val)
    as_they_are = model.regressor_.validation_loss_curve_[-1]
    assert as_they_are > 100 * model.regressor_.loss_  # of targets of unit size


def test_transform_input_needs_routing(rows):
    X, y, X_val, y_val = rows
    model = make_pipeline(transform_input=["X_val"])
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        model.fit(X, y, mlp__X_val=X_val, mlp__y_val=y_val)


def test_transform_input_scales_validation_rows(rows, seen, routing):
    X, y, X_val, y_val = rows
    model = make_pipeline(transform_input=["X_val"])
    model.fit(X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_allclose(seen[0][0], (X_val - X.mean(0)) / X.std(0))


def test_nothing_else_scales_validation_rows(rows, seen):
    X, y, X_val, y_val = rows
    make_pipeline().fit(X, y, mlp__X_val=X_val, mlp__y_val=y_val)
    np.testing.assert_array_equal(seen[0][0], X_val)


def test_routing_alone_does_not_scale_them_either(rows, seen, routing):
    X, y, X_val, y_val = rows
    make_pipeline().fit(X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_array_equal(seen[0][0], X_val)
