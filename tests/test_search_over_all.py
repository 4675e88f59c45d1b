"""One search over all options at once, by plain name, in a pipeline."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
    pytest.mark.filterwarnings("ignore:.* has no effect with:UserWarning"),
]

# Options that are about a fit and not about what is fitted.
NOT_VARIED = {"device", "callbacks", "verbose", "warm_start", "init_from", "freeze"}

ACTIVATIONS = ["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
ACTIVATIONS += ["tanh", "logistic", "identity", "sign"]
SOLVERS = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]
SCHEDULES = ["constant", "linear", "cosine", "one_cycle", "inverse_sqrt"]
INITIALIZATIONS = ["auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal"]
INITIALIZATIONS += ["lecun_normal", "orthogonal", "sparse", "normal"]

# An option, its values, and the others without which it would mean nothing.
SHARED = [
    ("hidden_layer_sizes", [(), 8, (8, 6)], {}),
    ("activation", ACTIVATIONS, {}),
    ("solver", [*SOLVERS, "lbfgs"], {}),
    ("alpha", [1e-4, 1.0], {}),
    ("batch_size", [1, 16, "full"], {}),
    ("learning_rate", [*SCHEDULES, "invscaling"], {"solver": "sgd"}),
    ("learning_rate", SCHEDULES, {"solver": "adam"}),
    ("learning_rate", ["constant", "adaptive"], {"solver": "sgd", "tol": 1.0}),
    ("learning_rate", ["constant", "plateau"], {"solver": "adam", "tol": 1.0}),
    ("learning_rate_init", [1e-3, 1e-2], {}),
    ("learning_rate_final", [None, 1e-4, 1e-2], {"learning_rate": "linear"}),
    ("decay_epochs", [None, 1, 2.5], {"learning_rate": "cosine"}),
    ("warmup_epochs", [0, 1, 2.5], {}),
    ("power_t", [0.3, 0.5], {"solver": "sgd", "learning_rate": "invscaling"}),
    ("max_iter", [3, 6], {}),
    ("shuffle", [True, False], {}),
    ("random_state", [0, 1], {}),
    ("tol", [1e-4, 1.0], {}),
    ("momentum", [0.5, 0.9], {"solver": "sgd"}),
    ("nesterovs_momentum", [True, False], {"solver": "sgd"}),
    ("early_stopping", [True, False], {}),
    ("validation_fraction", [0.1, 0.3], {"early_stopping": True}),
    ("beta_1", [0.5, 0.9], {}),
    ("beta_2", [0.9, 0.999], {}),
    ("epsilon", [1e-8, 1e-2], {}),
    ("n_iter_no_change", [1, 2], {"tol": 1.0}),
    ("max_fun", [2, 15000], {"solver": "lbfgs"}),
    ("dtype", ["float32", "float64"], {}),
    ("rho", [0.5, 0.9], {"solver": "rmsprop"}),
    ("weight_init", INITIALIZATIONS, {}),
    ("l1_ratio", [0.0, 0.5, 1.0], {"alpha": 1.0}),
    ("dropout", [0.0, 0.3, [0.1, 0.4]], {}),
    ("batch_norm", [False, True], {}),
    ("gradient_clip", [None, 0.01, 0.1], {"solver": "sgd"}),
    ("n_networks", [1, 2], {}),
    ("combine", ["average", "best"], {"n_networks": 2}),
    ("deep_supervision", [0.0, 0.5], {}),
    ("pretrain", [None, "supervised", "autoencoder"], {}),
    ("pretrain_iter", [1, 3], {"pretrain": "supervised"}),
]
STOPPING = {"early_stopping": True, "validation_fraction": 0.3}
OWN = {
    MLPClassifier: [
        ("class_weight", [None, "balanced", {0: 3.0}], {}),
        ("label_smoothing", [0.0, 0.1, 0.3], {}),
        ("scoring", [None, "loss", "f1_macro"], STOPPING),
    ],
    MLPRegressor: [
        (
            "loss",
            ["squared_error", "absolute_error", "huber", "quantile", "poisson"],
            {"quantile": 0.8},
        ),
        ("loss", ["poisson", "gamma"], {}),
        ("quantile", [0.1, 0.5, 0.9], {"loss": "quantile"}),
        ("huber_delta", [0.1, 1.0], {"loss": "huber"}),
        ("scoring", [None, "loss", "neg_mean_absolute_error"], STOPPING),
    ],
}

# What goes together in one joint space: lbfgs takes none of the first ones.
STOCHASTIC = {
    "solver": SOLVERS,
    "rho": uniform(0.5, 0.49),
    "learning_rate": [*SCHEDULES, "plateau", "adaptive", "invscaling"],
    "learning_rate_init": loguniform(1e-4, 1e-2),
    "learning_rate_final": [None, 1e-5],
    "decay_epochs": [None, 2],
    "warmup_epochs": uniform(0, 3),
    "batch_size": [1, 7, 32, "auto", "full"],
    "l1_ratio": uniform(0, 1),
    "dropout": [0.0, 0.2, [0.1, 0.4]],
    "batch_norm": [False, True],
    "gradient_clip": [None, 0.1, 1.0],
    "early_stopping": [False, True],
    "scoring": [None, "loss"],
}
ANY_SOLVER = {
    "hidden_layer_sizes": [(6, 4), (8, 6)],
    "activation": ACTIVATIONS,
    "weight_init": INITIALIZATIONS,
    "alpha": loguniform(1e-5, 1.0),
    "n_networks": [1, 2],
    "combine": ["average", "best"],
    "deep_supervision": [0.0, 0.5],
    "pretrain": [None, "supervised", "autoencoder"],
    "pretrain_iter": [1, 3],
    "dtype": ["float32", "float64"],
}
JOINT_OWN = {
    MLPClassifier: {
        "class_weight": [None, "balanced", {0: 3.0}],
        "label_smoothing": uniform(0, 0.5),
    },
    MLPRegressor: {
        "loss": ["squared_error", "absolute_error", "huber", "poisson", "gamma"],
        "huber_delta": uniform(0.1, 2),
        "quantile": uniform(0.1, 0.8),
    },
}


def name_in_pipeline(params):
    return {f"mlp__{name}": value for name, value in params.items()}


def make_pipeline(Estimator):
    mlp = Estimator(hidden_layer_sizes=(8, 6), batch_size=16, max_iter=6)
    mlp.set_params(random_state=0, n_iter_no_change=1)
    return Pipeline([("scale", StandardScaler()), ("mlp", mlp)])


def load_rows(Estimator):
    if Estimator is MLPRegressor:
        X, y = load_diabetes(return_X_y=True)
        return X[:90], y[:90] / 100
    X, y = load_iris(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(y))[:90]
    return X[rows], y[rows]


def measure(model, X, y):
    """Measure what an option may change: predictions, weights, the scores seen."""
    method = getattr(model, "predict_proba", model.predict)
    mlp = model[-1]
    weights = [w.ravel().astype(float) for w in (*mlp.coefs_, *mlp.intercepts_)]
    return {
        "output": float(np.square(method(X)).sum()),
        "weights": float(np.abs(np.concatenate(weights)).sum()),
        "validation": float(mlp.best_validation_score_ or 0),
    }


def get_results(search):
    """Get all columns of a search's results but the times."""
    results = search.cv_results_
    return {k: v for k, v in results.items() if not k.endswith("_time")}


def run(make_search, Estimator):
    """Run a search in two processes and in one, and compare every bit."""
    searches = [
        make_search(
            cv=2, scoring=measure, refit=False, error_score="raise", n_jobs=n_jobs
        ).fit(*load_rows(Estimator))
        for n_jobs in (2, 1)
    ]
    both, alone = map(get_results, searches)
    assert both.keys() == alone.keys()
    for name in both:
        assert_array_equal(both[name], alone[name], err_msg=name)
    return both


def get_outcomes(results):
    """Get what was measured of each candidate, in both folds, as a row each."""
    names = [name for name in results if name.startswith("split")]
    outcomes = np.column_stack([results[name] for name in names])
    assert np.isfinite(outcomes).all()
    return outcomes


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_every_value_of_every_option_changes_the_result(Estimator):
    cases = SHARED + OWN[Estimator]
    grid = [
        name_in_pipeline({name: values} | {k: [v] for k, v in others.items()})
        for name, values, others in cases
    ]
    pipeline = make_pipeline(Estimator)
    results = run(lambda **options: GridSearchCV(pipeline, grid, **options), Estimator)
    sizes = [len(values) for _, values, _ in cases]
    outcomes = np.split(get_outcomes(results), np.cumsum(sizes)[:-1])
    idle = [
        (name, values)
        for (name, values, _), rows in zip(cases, outcomes, strict=True)
        if len(np.unique(rows, axis=0)) < len(values)
    ]
    assert idle == []


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_a_random_search_over_all_options_together(Estimator):
    pipeline, own = make_pipeline(Estimator), JOINT_OWN[Estimator]
    space = [
        name_in_pipeline(STOCHASTIC | ANY_SOLVER | own),
        name_in_pipeline({"solver": ["lbfgs"]} | ANY_SOLVER | own),
    ]
    results = run(
        lambda **options: RandomizedSearchCV(
            pipeline, space, n_iter=40, random_state=0, **options
        ),
        Estimator,
    )
    outcomes = get_outcomes(results)
    assert len(np.unique(outcomes, axis=0)) == len(outcomes)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_no_option_is_left_out(Estimator):
    varied = {name for name, _, _ in SHARED + OWN[Estimator]}
    assert varied == Estimator().get_params().keys() - NOT_VARIED
    assert (STOCHASTIC | ANY_SOLVER | JOINT_OWN[Estimator]).keys() <= varied
