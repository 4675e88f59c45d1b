"""Ragged sequences pass through scikit-learn's tools as tables do."""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sknn import (
    RecurrentClassifier,
    RecurrentRegressor,
    RecurrentTagger,
    TransformerClassifier,
    TransformerRegressor,
    TransformerTagger,
)
from sknn.metrics import tagging_accuracy, tagging_accuracy_scorer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

COMMON = {"learning_rate_init": 0.02, "batch_size": 16, "random_state": 0}
COMMON |= {"learning_rate": "constant", "max_iter": 8}
SMALL = {
    "Recurrent": {"hidden_layer_sizes": (8,), **COMMON},
    "Transformer": {"d_model": 8, "n_heads": 2, "n_layers": 1, **COMMON},
}
CLASSIFIERS = [
    RecurrentClassifier(**SMALL["Recurrent"]),
    TransformerClassifier(**SMALL["Transformer"]),
]
REGRESSORS = [
    RecurrentRegressor(**SMALL["Recurrent"]),
    TransformerRegressor(**SMALL["Transformer"]),
]
FASTER = {"learning_rate_init": 0.05, "batch_size": 8, "min_count": 1}
TAGGERS = [
    RecurrentTagger(**SMALL["Recurrent"] | FASTER),
    TransformerTagger(**SMALL["Transformer"] | FASTER),
]


def make_series(n=90):
    """Make series whose mean tells three classes apart; lengths tell nothing."""
    rng = np.random.RandomState(0)
    y = np.arange(n) % 3
    X = [rng.standard_normal((rng.randint(3, 9), 2)) + 2.0 * label for label in y]
    return X, y


def make_texts(n=90):
    rng, y = np.random.RandomState(0), np.arange(n) % 3
    words = [["sun", "sea"], ["ice", "snow"], ["rain", "fog"]]
    return [
        " ".join(rng.choice([*words[label], "the", "a"], rng.randint(3, 8)))
        for label in y
    ], y


SERIES, LABELS = make_series()
OBJECTS = np.empty(len(SERIES), dtype=object)
OBJECTS[:] = SERIES
TEXTS, _ = make_texts()
INPUTS = pytest.mark.parametrize(
    "X", [SERIES, OBJECTS, TEXTS], ids=["lists", "object array", "texts"]
)
BOTH = pytest.mark.parametrize(
    "model", CLASSIFIERS, ids=lambda model: type(model).__name__
)


@BOTH
@INPUTS
def test_cross_validation(model, X):
    scores = cross_val_score(model, X, LABELS, cv=3)
    assert scores.min() > 0.8
    predicted = cross_val_predict(model, X, LABELS, cv=3)
    assert confusion_matrix(LABELS, predicted).trace() > 0.8 * len(X)
    probabilities = cross_val_predict(model, X, LABELS, cv=3, method="predict_proba")
    assert probabilities.shape == (len(X), 3)
    groups = np.arange(len(X)) // 3
    grouped = cross_val_score(model, X, LABELS, groups=groups, cv=GroupKFold(3))
    assert grouped.min() > 0.8


@BOTH
@INPUTS
def test_train_test_split(model, X):
    parts = train_test_split(X, LABELS, test_size=0.3, stratify=LABELS, random_state=0)
    X_train, X_test, y_train, y_test = parts
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.8


@BOTH
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search_in_a_pipeline(model, n_jobs):
    cut = FunctionTransformer(lambda X: [x[:5] for x in X])
    if n_jobs == 2:  # functions without a name cannot go to another process
        cut = FunctionTransformer(list)
    pipeline = Pipeline([("cut", cut), ("net", model)])
    grid = {"net__alpha": [1e-4, 1e-3], "net__max_iter": [1, 8]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.fit(SERIES, LABELS)
    assert search.best_params_["net__max_iter"] == 8
    assert search.score(SERIES, LABELS) > 0.8


@BOTH
@INPUTS
def test_other_searches(model, X):
    grid = {"alpha": [1e-4, 1e-2]}
    for search in (
        HalvingGridSearchCV(model, grid, cv=2, random_state=0, error_score="raise"),
        RandomizedSearchCV(model, grid, n_iter=2, cv=2, error_score="raise"),
    ):
        assert search.fit(X, LABELS).score(X, LABELS) > 0.8
    sizes, _, tests = learning_curve(model, X, LABELS, train_sizes=[30, 60], cv=3)
    assert list(sizes) == [30, 60] and tests.shape == (2, 3)


@BOTH
@INPUTS
def test_meta_estimators(model, X):
    members = [("one", model), ("two", CLASSIFIERS[0])]
    for meta in (
        CalibratedClassifierCV(model, cv=2),
        VotingClassifier(members, voting="soft"),
        VotingClassifier(members),
        StackingClassifier(members, LogisticRegression(), cv=2),
        OneVsRestClassifier(model),
    ):
        assert meta.fit(X, LABELS).score(X, LABELS) > 0.8, meta
        assert len(meta.predict(X[:4])) == 4


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: type(model).__name__)
def test_meta_regressors(model):
    model.set_params(max_iter=25)
    y, members = LABELS.astype(float), [("one", model), ("two", REGRESSORS[0])]
    for meta in (VotingRegressor(members), StackingRegressor(members, cv=2)):
        assert meta.fit(SERIES, y).score(SERIES, y) > 0.7, meta
    assert cross_val_score(model, SERIES, y, cv=3).min() > 0.5


@BOTH
def test_features_go_on_in_a_pipeline(model):
    pipeline = make_pipeline(model, StandardScaler(), LogisticRegression())
    assert pipeline.fit(SERIES, LABELS).score(SERIES, LABELS) > 0.8


@BOTH
def test_fits_in_processes_are_those_of_one(model):
    def fit(seed):
        return model.set_params(random_state=seed).fit(SERIES, LABELS)

    both = joblib.Parallel(n_jobs=2)(joblib.delayed(fit)(seed) for seed in (0, 1))
    for seed, other in enumerate(both):
        expected = fit(seed).predict_proba(SERIES)
        assert_array_equal(other.predict_proba(SERIES), expected)


@BOTH
@pytest.mark.parametrize("X", [SERIES, TEXTS], ids=["lists", "texts"])
def test_what_takes_no_ragged_lists(model, X):
    """As the user guide says; where this fails, scikit-learn takes them now."""
    with pytest.raises(ValueError):
        BaggingClassifier(model).fit(X, LABELS)
    with pytest.raises(ValueError):
        StandardScaler().fit(X)
    with pytest.raises((ValueError, AttributeError)):
        permutation_importance(model.fit(X, LABELS), X, LABELS)


# A label a step

FEWER = SERIES[:48]
WORDS = [text.split() for text in TEXTS[:48]]
OF_SERIES = [np.where(x[:, 0] > 2, "high", "low") for x in FEWER]
OF_WORDS = [["NOUN" if len(word) > 2 else "OTHER" for word in row] for row in WORDS]
STEPS = pytest.mark.parametrize(
    ("X", "y"), [(FEWER, OF_SERIES), (WORDS, OF_WORDS)], ids=["series", "words"]
)
EACH_TAGGER = pytest.mark.parametrize(
    "model", TAGGERS, ids=lambda model: type(model).__name__
)


@EACH_TAGGER
@STEPS
def test_cross_validation_of_taggers(model, X, y):
    predicted = cross_val_predict(model, X, y, cv=3)
    assert [len(row) for row in predicted] == [len(row) for row in y]
    scores = cross_val_score(model, X, y, scoring=tagging_accuracy_scorer, cv=3)
    folds = [test for _, test in KFold(3).split(X)]
    of_folds = [tagging_accuracy([y[i] for i in f], predicted[f]) for f in folds]
    assert_array_equal(scores, of_folds)
    assert min(of_folds) > 0.8
    groups = np.arange(len(X)) // 3
    grouped = cross_val_score(model, X, y, groups=groups, cv=GroupKFold(2))
    assert grouped.min() > 0.8


@EACH_TAGGER
@STEPS
def test_searches_over_taggers(model, X, y):
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    grid = {"max_iter": [1, 8]}
    for search in (
        GridSearchCV(model, grid, cv=2, scoring=tagging_accuracy_scorer),
        HalvingGridSearchCV(model, grid, cv=2, random_state=0, error_score="raise"),
    ):
        search.fit(X_train, y_train)
        assert search.best_params_ == {"max_iter": 8}
        assert search.score(X_test, y_test) > 0.8
        assert [len(row) for row in search.predict(X_test)] == list(map(len, y_test))
    sizes, _, tests = learning_curve(model, X, y, train_sizes=[8, 20], cv=2)
    assert list(sizes) == [8, 20] and tests.shape == (2, 2)
    assert np.isfinite(tests).all()


@EACH_TAGGER
def test_taggers_in_a_pipeline(model):
    X, y = WORDS, OF_WORDS
    pipeline = Pipeline([("same", FunctionTransformer(list)), ("net", model)])
    grid = {"net__alpha": [1e-4, 1e-3]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    assert search.fit(X, y).score(X, y) > 0.8


@EACH_TAGGER
@STEPS
def test_what_takes_no_ragged_labels(model, X, y):
    """As the user guide says; where this fails, scikit-learn takes them now."""
    with pytest.raises(ValueError):
        cross_val_predict(model, X, y, cv=3, method="predict_proba")
    with pytest.raises(ValueError):
        cross_val_score(model, X, y, cv=3, scoring="accuracy", error_score="raise")
    with pytest.raises(ValueError):
        cross_val_score(model, X, y, cv=StratifiedKFold(3), error_score="raise")
    with pytest.raises(ValueError):
        train_test_split(X, y, stratify=y)
