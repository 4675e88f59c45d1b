"""What scikit-learn has that trains several estimators by joblib."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

RATE = "learning_rate_init"
RATES = [0.001, 0.01, 0.1]
LOSS = {"scoring": "neg_log_loss"}  # feels every change of a weight


def make_net(**params):
    defaults = {"alpha": 0.1, "batch_size": 8, "max_iter": 5, "random_state": 0}
    return MLPClassifier((8,), **{**defaults, **params})


def search(net, **options):
    """Grid search over learning rates."""
    return GridSearchCV(net, {RATE: RATES}, cv=3, **LOSS, **options)


def get_scores(search):
    results = search.cv_results_
    return np.stack([results[key] for key in sorted(results) if "test_score" in key])


def grid(X, y):
    return get_scores(search(make_net()).fit(X, y))


def grid_of_pipelines(X, y):
    model = make_pipeline(StandardScaler(), PCA(3), make_net())
    rates = {"mlpclassifier__learning_rate_init": RATES, "pca__n_components": [2, 3]}
    return get_scores(GridSearchCV(model, rates, cv=3, **LOSS).fit(X, y))


def randomized(X, y):
    space = {RATE: RATES, "alpha": [0.0, 0.01, 1.0]}
    found = RandomizedSearchCV(
        make_net(), space, n_iter=5, cv=3, random_state=0, **LOSS
    )
    return get_scores(found.fit(X, y))


def halving(X, y):
    found = HalvingGridSearchCV(
        make_net(), {RATE: RATES}, resource="max_iter", max_resources=9, cv=3, **LOSS
    )
    return found.fit(X, y).cv_results_["mean_test_score"]


def several_scores(X, y):
    scorers = {"accuracy": "accuracy", "loss": "neg_log_loss"}
    found = cross_validate(
        make_net(), X, y, scoring=scorers, return_train_score=True, cv=4
    )
    return np.stack([found[key] for key in sorted(found) if "_time" not in key])


def fitted_estimators(X, y):
    found = cross_validate(make_net(), X, y, return_estimator=True, cv=3)
    return np.stack([net.coefs_[0] for net in found["estimator"]])


def early_stopping(X, y):
    net = make_net(early_stopping=True, max_iter=50, n_iter_no_change=3)
    return cross_val_score(net, X, y, **LOSS)


def nested(X, y):
    return cross_val_score(search(make_net()), X, y, cv=3, **LOSS)


def curves(X, y):
    sizes, train, test = learning_curve(
        make_net(), X, y, cv=3, shuffle=True, random_state=0, **LOSS
    )
    return np.concatenate([sizes, train.ravel(), test.ravel()])


def incremental_curve(X, y):
    options = {"exploit_incremental_learning": True, "cv": 3, **LOSS}
    return learning_curve(make_net(), X, y, shuffle=True, random_state=0, **options)[2]


def curve_of_rates(X, y):
    options = {"param_name": RATE, "param_range": RATES, **LOSS}
    return np.concatenate(validation_curve(make_net(), X, y, **options))


def permutations(X, y):
    score, scores, p_value = permutation_test_score(
        make_net(), X, y, n_permutations=5, cv=3, random_state=1, **LOSS
    )
    return np.array([score, *scores, p_value])


def predictions(X, y):
    return cross_val_predict(make_net(), X, y, method="predict_proba")


def bagging(X, y):
    return BaggingClassifier(make_net(), 7, random_state=0).fit(X, y)


def calibrated(X, y):
    return CalibratedClassifierCV(make_net(), cv=3).fit(X, y)


def stacking(X, y):
    members = [("a", make_net()), ("b", make_net(alpha=0.1))]
    return StackingClassifier(members, LogisticRegression(), cv=3).fit(X, y)


def voting(X, y):
    members = [("a", make_net()), ("b", LogisticRegression()), ("c", make_net())]
    return VotingClassifier(members, voting="soft").fit(X, y)


def one_versus_rest(X, y):
    return OneVsRestClassifier(make_net()).fit(X, y)


def one_versus_one(X, y):
    return OneVsOneClassifier(make_net()).fit(X, y)


def several_outputs(X, y):
    return MultiOutputClassifier(make_net()).fit(X, np.stack([y > 0, y > 1], 1))


def chain(X, y):
    targets = np.stack([y > 0, y > 1], 1)
    return ClassifierChain(make_net(), cv=3).fit(X, targets)


def elimination(X, y):
    def importances(net):
        return abs(net.coefs_[0]).sum(1)

    found = RFECV(make_net(), cv=3, importance_getter=importances, **LOSS).fit(X, y)
    return found.cv_results_["mean_test_score"]


def grid_over_an_ensemble(X, y):
    model = OneVsRestClassifier(make_net())
    return get_scores(
        GridSearchCV(model, {f"estimator__{RATE}": RATES}, cv=2, **LOSS).fit(X, y)
    )


def grid_over_several_layers(X, y):
    sizes = {"hidden_layer_sizes": [(), (4,), (8, 3)], "solver": ["adam", "lbfgs"]}
    return get_scores(GridSearchCV(make_net(), sizes, cv=2, **LOSS).fit(X, y))


UTILITIES = {
    grid: [9],
    grid_of_pipelines: [18],
    randomized: [15],
    halving: [9, 3],
    several_scores: [4],
    fitted_estimators: [3],
    early_stopping: [5],
    nested: [27, 3],
    curves: [15],
    incremental_curve: [3] * 5,
    curve_of_rates: [15],
    permutations: [5] * 3,
    predictions: [5],
    bagging: [7],
    calibrated: [3],
    stacking: [2, 6],
    voting: [2],
    one_versus_rest: [3],
    one_versus_one: [3],
    several_outputs: [2],
    chain: [3],
    elimination: [3] * 4,
    grid_over_an_ensemble: [18, 3],
    grid_over_several_layers: [6],
}
"""How many networks train together in each, time after time."""


def find_numbers(utility, X, y):
    """Scores, or answers of what was fitted, that are no mere labels."""
    found = utility(X, y)
    for method in ("predict_proba", "decision_function"):
        if hasattr(found, method):
            return np.asarray(getattr(found, method)(X))
    return found
