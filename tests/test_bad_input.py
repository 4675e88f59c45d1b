"""Bad input is refused by name, rule and value, before anything is trained."""

import copy
import re
from dataclasses import dataclass, field

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback

from sknn import MLPClassifier, MLPRegressor

# The fitted estimators that these tests start from stop after two epochs.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

BOTH = [MLPClassifier, MLPRegressor]
RANDOM = np.random.RandomState(0)
X = RANDOM.uniform(-1.0, 1.0, (20, 3))
Y = {MLPClassifier: np.arange(20) % 2, MLPRegressor: RANDOM.uniform(0.0, 2.0, 20)}
FITTED = ["n_features_in_", "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_"]
FITTED += ["validation_scores_", "coefs_", "intercepts_", "classes_"]


def fitted(Estimator, **params):
    params = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0} | params
    return Estimator(**params).fit(X, Y[Estimator])


def state(estimator):
    """All that a failed call must leave alone; None before the first fit."""
    if not hasattr(estimator, "module_"):
        return None
    return {name: copy.deepcopy(getattr(estimator, name, None)) for name in FITTED}


def assert_same_state(actual, expected):
    if expected is None:
        assert actual is None
        return
    for name, value in expected.items():
        np.testing.assert_equal(actual[name], value, err_msg=name)


def refuses(call, estimator, parts, capsys, error=(ValueError, TypeError)):
    """Assert that `call(estimator)` raises, says all `parts` and trains nothing."""
    before = state(estimator)
    capsys.readouterr()
    with pytest.raises(error) as raised:
        call(estimator)
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)
    assert "Iteration" not in capsys.readouterr().out
    assert_same_state(state(estimator), before)


SHARED = {
    "hidden_layer_sizes": [0, -1, 2.5, "wide", None],
    "activation": ["step", "swish", "Sign", ["relu"], None, 1],
    "solver": ["newton", "AdamW", "nadam", None],
    "alpha": [-1e-4, "small", None, np.nan],
    "batch_size": [0, -5, 2.5, "big", "Full", np.nan, None],
    "learning_rate": ["fast", "onecycle", "Cosine", None, 0.1],
    "learning_rate_init": [0, -0.1, "auto", None],
    "power_t": [-0.5, "half"],
    "max_iter": [0, -1, 2.5, "many", None],
    "shuffle": ["yes", None, 2],
    "random_state": ["seed", -1, 0.5],
    "tol": [-1e-4, "tight", None],
    "verbose": ["yes", -1],
    "warm_start": ["yes", None],
    "momentum": [-0.1, 1.1, None],
    "nesterovs_momentum": ["no", None],
    "early_stopping": ["yes", None],
    "validation_fraction": [-0.1, 1.0, 5],
    "beta_1": [-0.1, 1.0],
    "beta_2": [-0.1, 1.0],
    "epsilon": [0.0, -1e-8],
    "rho": [-0.1, 1.0, None, "most", np.nan, [0.9]],
    "learning_rate_final": [-0.1, "low", np.nan, np.inf],
    "decay_epochs": [0, -1, "all", np.nan, np.inf],
    "warmup_epochs": [-1, None, "few", np.nan, np.inf],
    "n_iter_no_change": [0, -1, 2.5, None],
    "max_fun": [0, 2.5, None],
    "device": [3, None],
    "dtype": ["float16", "double", 32, None],
    "scoring": ["nonsense", 3],
    "weight_init": ["xavier", "He_normal", ["auto"], None, 0.1],
    "l1_ratio": [-0.1, 1.1, None, "most", np.nan, [0.5]],
    "dropout": [-0.1, 1.0, None, "half"],
    "batch_norm": ["yes", None, 2, 0.0, [True]],
    "gradient_clip": [0, -1, "norm", np.nan, np.inf],
    "n_networks": [0, -1, 2.5, None, "two", [3]],
    "combine": ["mean", "Average", None, 1, ["best"]],
    "deep_supervision": [-0.1, None, "all", np.nan, np.inf, [0.5]],
    "pretrain": ["both", "Supervised", True, 1, ["supervised"]],
    "pretrain_iter": [0, -1, 2.5, None, "many", np.inf],
    "freeze": [-1, 2.5, None, "all", ["body"]],
    "callbacks": ["print", 3, print, np.array([Callback()])],
}
OWN = {
    MLPClassifier: {
        "class_weight": ["uneven", 3],
        "label_smoothing": [-0.1, 1.0, 1.5, None, "some", np.nan, [0.1], True],
    },
    MLPRegressor: {
        "loss": ["hinge", "mse", ["huber"], None, "log_loss"],
        "quantile": [0, 1.0, -0.5, "half", np.nan, None],
        "huber_delta": [0, -1, "one", np.nan, np.inf, [1.0], None],
    },
}
PARAMETERS = [
    (Estimator, name, value)
    for Estimator in BOTH
    for name, values in (SHARED | OWN[Estimator]).items()
    for value in values
]


def said_of(Estimator, name, value):
    """Return scikit-learn's sentence about a parameter, rule by rule."""
    parts = [f"'{name}' parameter of {Estimator.__name__}", "must be"]
    return [*parts, re.escape(f"Got {value!r} instead")]


@pytest.mark.parametrize(("Estimator", "name", "value"), PARAMETERS)
def test_parameter(Estimator, name, value, capsys):
    estimator = Estimator(**{"verbose": True, name: value})
    said = said_of(Estimator, name, value)
    refuses(lambda model: model.fit(X, Y[Estimator]), estimator, said, capsys)


@pytest.mark.parametrize(("Estimator", "name", "value"), PARAMETERS)
def test_parameter_of_a_fitted_estimator(Estimator, name, value, capsys):
    """Training on with a bad parameter leaves the weights of the fit before."""
    estimator = fitted(Estimator).set_params(**{"warm_start": True, name: value})
    said = said_of(Estimator, name, value)
    refuses(lambda model: model.fit(X, Y[Estimator]), estimator, said, capsys)


WITHIN = {
    "zero-width": ({"hidden_layer_sizes": (4, 0)}, ["hidden_layer_sizes", r"\b0\b"]),
    "negative-width": ({"hidden_layer_sizes": (4, -3)}, ["hidden_layer_sizes", "-3"]),
    "broken-width": (
        {"hidden_layer_sizes": (4, 2.5)},
        ["hidden_layer_sizes", "whole numbers", r"2\.5"],
    ),
    "named-width": (
        {"hidden_layer_sizes": (4, "b")},
        ["hidden_layer_sizes", "whole numbers", "b"],
    ),
    "nested-widths": (
        {"hidden_layer_sizes": [[4, 3]]},
        ["hidden_layer_sizes", "one a layer", r"4, 3"],
    ),
    "uneven-widths": (
        {"hidden_layer_sizes": [(1, 2), 3]},
        ["hidden_layer_sizes", "one a layer", r"\(1, 2\), 3"],
    ),
    "callback-of-another-kind": (
        {"callbacks": [object()]},
        ["callbacks", "skorch", "object"],
    ),
    "callback-number": ({"callbacks": [1]}, ["callbacks", "skorch", "1"]),
    "callback-name-alone": ({"callbacks": [("a",)]}, ["callbacks", r"'a'"]),
    "callback-names-twice": (
        {"callbacks": [("a", Callback()), ("a", Callback())]},
        ["callback", r"\ba\b"],
    ),
    "device-without-memory": ({"device": "meta"}, ["device", "meta"]),
    "unknown-device": ({"device": "nonsense"}, ["device", "nonsense"]),
    "device-number-of-nothing": ({"device": "cuda:99"}, ["device", "cuda:99"]),
    "nothing-to-validate-on": (
        {"early_stopping": True, "validation_fraction": 0.0},
        ["validation_fraction", r"\b0\.0"],
    ),
    "l1-with-lbfgs": (
        {"solver": "lbfgs", "l1_ratio": 0.5},
        ["l1_ratio must be 0", "solver='lbfgs'", r"got 0\.5"],
    ),
    "one-row-to-validate-on": (
        {"early_stopping": True, "validation_fraction": 0.01},
        ["validation_fraction"],
    ),
}


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("case", WITHIN)
def test_parameter_beyond_its_type(Estimator, case, capsys):
    params, said = WITHIN[case]
    for estimator in (Estimator(verbose=True), fitted(Estimator)):
        estimator.set_params(warm_start=True, **params)
        refuses(lambda model: model.fit(X, Y[Estimator]), estimator, said, capsys)


@pytest.mark.parametrize(
    "quantile", [[], [0.1, 1.5], [0, 0.5], [[0.1]], ["half"], [0.5, None], [np.nan]]
)
def test_quantiles_beyond_their_type(quantile, capsys):
    for estimator in (MLPRegressor(verbose=True), fitted(MLPRegressor)):
        estimator.set_params(warm_start=True, loss="quantile", quantile=quantile)
        said = ["quantile must be a number between 0 and 1, or a list", "got"]
        refuses(lambda model: model.fit(X, Y[MLPRegressor]), estimator, said, capsys)


def test_several_quantiles_of_several_columns(capsys):
    estimator = MLPRegressor(loss="quantile", quantile=[0.1, 0.9], verbose=True)
    y = np.column_stack(2 * [Y[MLPRegressor]])
    said = ["quantile must be one number", r"\[0.1, 0.9\] for 2 columns"]
    refuses(lambda model: model.fit(X, y), estimator, said, capsys)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.parametrize("Estimator", BOTH)
def test_device_that_is_not_there(Estimator, capsys):
    estimator = Estimator(device="cuda", verbose=True)
    said = ["device", "cuda", "must|available|torch"]
    refuses(lambda model: model.fit(X, Y[Estimator]), estimator, said, capsys)


@pytest.mark.parametrize("Estimator", BOTH)
def test_unknown_parameter(Estimator):
    with pytest.raises(TypeError, match="hidden_layers"):
        Estimator(hidden_layers=(4,))
    with pytest.raises(ValueError, match="Invalid parameter 'hidden_layers'"):
        Estimator().set_params(hidden_layers=(4,))
    with pytest.raises(TypeError, match="positional"):
        Estimator((4,), "relu", "adam", 0.1)


@dataclass
class Case:
    """Arguments of fit that differ from the good ones, and what the error says."""

    said: list[str]
    changes: dict
    params: dict = field(default_factory=dict)


def with_entry(array, value, dtype=None):
    changed = np.array(array, dtype=dtype or np.asarray(array).dtype)
    changed.flat[4] = value
    return changed


DATA = {
    "nan": Case(["Input X contains NaN"], {"X": with_entry(X, np.nan)}),
    "inf": Case(["Input X contains infinity"], {"X": with_entry(X, np.inf)}),
    "sparse-nan": Case(
        ["Input X contains NaN"], {"X": sp.csr_array(with_entry(X, np.nan))}
    ),
    "complex": Case(["Complex data not supported"], {"X": X + 1j}),
    "strings": Case(["could not convert", "oops"], {"X": np.full((20, 3), "oops")}),
    "objects": Case(["dict"], {"X": with_entry(X, {}, object)}),
    "ragged": Case(["inhomogeneous"], {"X": [[1.0], [1.0, 2.0]] * 10}),
    "1-d": Case(["Expected 2D array, got 1D", "[Rr]eshape"], {"X": X[:, 0]}),
    "3-d": Case([r"Found array with dim 3", "<= 2"], {"X": X[:, :, None]}),
    "scalar": Case(["Expected 2D array, got scalar"], {"X": 3.0}),
    "no-rows": Case(["0 sample", "minimum of 1"], {"X": X[:0], "y": []}),
    "no-columns": Case(["0 feature", "minimum of 1"], {"X": X[:, :0]}),
    "none": Case(["Expected 2D array, got scalar"], {"X": None}),
    "y-none": Case(["None"], {"y": None}),
    "y-short": Case(["inconsistent numbers of samples", "20, 19"], {"y": np.ones(19)}),
    "y-3-d": Case(["dim 3"], {"y": np.zeros((20, 2, 2))}),
    "y-nan": Case(["Input y contains NaN"], {"y": with_entry(np.ones(20), np.nan)}),
    "y-inf": Case(
        ["Input y contains infinity"], {"y": with_entry(np.ones(20), np.inf)}
    ),
    "y-complex": Case(["Complex data not supported"], {"y": np.ones(20) + 1j}),
    "weight-negative": Case(
        ["Negative values in data passed to `sample_weight`"],
        {"sample_weight": with_entry(np.ones(20), -1.0)},
    ),
    "weight-zero": Case(["[Ss]ample weights", "zero"], {"sample_weight": np.zeros(20)}),
    "weight-short": Case(
        [r"sample_weight.shape == \(19,\), expected \(20,\)"],
        {"sample_weight": np.ones(19)},
    ),
    "weight-2-d": Case(
        ["[Ss]ample weights must be 1D"], {"sample_weight": np.ones((20, 2))}
    ),
    "weight-nan": Case(
        ["sample_weight contains NaN"],
        {"sample_weight": with_entry(np.ones(20), np.nan)},
    ),
    "weight-inf": Case(
        ["sample_weight contains infinity"],
        {"sample_weight": with_entry(np.ones(20), np.inf)},
    ),
    "weight-strings": Case(
        ["could not convert", "heavy"],
        {"sample_weight": np.full(20, "heavy")},
    ),
    "x-val-alone": Case(["X_val", "y_val"], {"X_val": X}),
    "y-val-alone": Case(["X_val", "y_val"], {"y_val": "y"}),
    "weight-val-alone": Case(
        ["sample_weight_val", "X_val"], {"sample_weight_val": np.ones(20)}
    ),
    "x-val-narrow": Case(
        ["2 features.*expecting 3|X_val"], {"X_val": X[:, :2], "y_val": "y"}
    ),
    "x-val-nan": Case(
        ["^X_val: Input X contains NaN"], {"X_val": with_entry(X, np.nan), "y_val": "y"}
    ),
    "x-val-inf": Case(
        ["^X_val: Input X contains infinity"],
        {"X_val": with_entry(X, np.inf), "y_val": "y"},
    ),
    "x-val-1-d": Case(["Expected 2D array"], {"X_val": X[:, 0], "y_val": "y"}),
    "x-val-empty": Case(["0 sample"], {"X_val": X[:0], "y_val": []}),
    "y-val-short": Case(
        ["inconsistent numbers of samples", "20, 3"],
        {"X_val": X, "y_val": [0, 1, 0]},
    ),
    "y-val-wide": Case(
        ["y_val", r"\b2\b|shape"], {"X_val": X, "y_val": np.tile([[0, 1]], (20, 1))}
    ),
    "y-val-nan": Case(
        ["^y_val: Input y contains NaN"],
        {"X_val": X, "y_val": with_entry(np.ones(20), np.nan)},
    ),
    "weight-val-negative": Case(
        ["^sample_weight_val: Negative values in data passed"],
        {"X_val": X, "y_val": "y", "sample_weight_val": -np.ones(20)},
    ),
    "weight-val-short": Case(
        ["sample_weight_val", "19", "20"],
        {"X_val": X, "y_val": "y", "sample_weight_val": np.ones(19)},
    ),
    "weight-val-nan": Case(
        ["^sample_weight_val: .* contains NaN"],
        {
            "X_val": X,
            "y_val": "y",
            "sample_weight_val": with_entry(np.ones(20), np.nan),
        },
    ),
}
CLASSES = {
    "continuous": Case(["Unknown label type"], {"y": np.linspace(0.0, 1.0, 20)}),
    "two-columns-of-classes": Case(
        ["y must be one column of labels or a multilabel", r"\(20, 2\)"],
        {"y": np.column_stack([np.arange(20) % 3] * 2)},
    ),
    "columns-of-floats": Case(["Unknown label type|[Mm]ultioutput"], {"y": X}),
    "mixed-labels": Case(
        ["Unknown label type"], {"y": np.array([0, "one"] * 10, dtype=object)}
    ),
    "weight-of-unknown-class": Case(
        ["class_weight", r"\b7\b"], {}, {"class_weight": {0: 1.0, 7: 2.0}}
    ),
    "weight-of-misspelt-class": Case(
        ["class_weight", "yes"],
        {"y": np.array(["No", "Yes"] * 10)},
        {"class_weight": {"yes": 2.0}},
    ),
    "class-weight-negative": Case(
        ["class_weight", "-1"], {}, {"class_weight": {0: -1.0}}
    ),
    "class-weights-all-zero": Case(
        ["class_weight", "zero"], {}, {"class_weight": {0: 0.0, 1: 0.0}}
    ),
    "class-weight-nan": Case(
        ["class_weight", "nan"], {}, {"class_weight": {1: np.nan}}
    ),
    "class-weight-inf": Case(
        ["class_weight", "inf"], {}, {"class_weight": {1: np.inf}}
    ),
    "class-weight-word": Case(
        ["class_weight", "much"], {}, {"class_weight": {1: "much"}}
    ),
    "y-val-unseen": Case(["y_val", r"\b5\b"], {"X_val": X, "y_val": np.full(20, 5)}),
    "y-val-other-kind": Case(
        ["y_val"], {"X_val": X, "y_val": np.array(["a", "b"] * 10)}
    ),
    "y-val-continuous": Case(
        ["y_val|Unknown label type"], {"X_val": X, "y_val": np.linspace(0.0, 1.0, 20)}
    ),
    "too-few-of-a-class": Case(
        ["least populated class", "1 member"],
        {"y": with_entry(np.zeros(20, int), 1)},
        {"early_stopping": True},
    ),
}
NUMBERS = {
    "y-strings": Case(["y must hold numbers", "<U3"], {"y": np.array(["low"] * 20)}),
    "gamma-zero": Case(
        ["gamma", "y must be > 0", r"\b0\.0"],
        {"y": with_entry(np.ones(20), 0.0)},
        {"loss": "gamma"},
    ),
    "gamma-zero-validation": Case(
        ["gamma", "y_val: y must be > 0", r"\b0\.0"],
        {"y": np.ones(20), "X_val": X, "y_val": with_entry(np.ones(20), 0.0)},
        {"loss": "gamma"},
    ),
    "several-quantiles-of-several-columns": Case(
        ["quantile must be one number", r"\[0\.1, 0\.9\] for 3 columns"],
        {"y": X},
        {"loss": "quantile", "quantile": [0.1, 0.9]},
    ),
    "poisson-negative": Case(
        ["poisson", "y", "-1"],
        {"y": with_entry(np.ones(20), -1.0)},
        {"loss": "poisson"},
    ),
    "poisson-negative-validation": Case(
        ["poisson", "y_val", "-1"],
        {"y": np.ones(20), "X_val": X, "y_val": with_entry(np.ones(20), -1.0)},
        {"loss": "poisson"},
    ),
    "y-val-strings": Case(
        ["y must hold numbers", "<U3"],
        {"X_val": X, "y_val": np.array(["low"] * 20)},
    ),
}
CASES = [(MLPClassifier, case) for case in (DATA | CLASSES).items()]
CASES += [(MLPRegressor, case) for case in (DATA | NUMBERS).items()]
IDS = [f"{Estimator.__name__}-{name}" for Estimator, (name, _) in CASES]


def fit_badly(Estimator, case):
    """Return a call of fit with the case's arguments in place of good ones."""
    good = Y[Estimator]
    arguments = {"X": X, "y": good} | case.changes
    if isinstance(arguments.get("y_val"), str):
        arguments["y_val"] = good
    return lambda model: model.fit(**arguments)


@pytest.mark.parametrize(("Estimator", "case"), CASES, ids=IDS)
def test_data(Estimator, case, capsys):
    _, case = case
    estimator = Estimator(verbose=True, max_iter=2, **case.params)
    refuses(fit_badly(Estimator, case), estimator, case.said, capsys)


# What a warm start, which compares classes first, says in place of the case's own words
WARM = {
    "two-columns-of-classes": ["Unknown label type", r"\[0, 0\]"],
    "mixed-labels": ["Unknown label type|not supported between instances of 'str'"],
    "weight-of-misspelt-class": ["same classes", "'No' 'Yes'"],
}


@pytest.mark.parametrize("warm_start", [False, True], ids=["refit", "warm"])
@pytest.mark.parametrize(("Estimator", "case"), CASES, ids=IDS)
def test_data_for_a_fitted_estimator(Estimator, case, warm_start, capsys):
    """Nothing of the fit before is lost, and it still predicts the same."""
    name, case = case
    estimator = fitted(Estimator, warm_start=warm_start)
    predicted = estimator.predict(X)
    estimator.set_params(verbose=True, **case.params)
    said = WARM.get(name, case.said) if warm_start else case.said
    refuses(fit_badly(Estimator, case), estimator, said, capsys)
    np.testing.assert_array_equal(estimator.predict(X), predicted)


PARTIAL = ["nan", "inf", "complex", "strings", "1-d", "3-d", "no-rows"]
PARTIAL += ["y-none", "y-short", "y-nan"]
PARTIAL += ["weight-negative", "weight-short", "weight-nan"]


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("name", PARTIAL)
def test_data_for_partial_fit(Estimator, name, capsys):
    arguments = {"X": X, "y": Y[Estimator]} | DATA[name].changes
    first = {"classes": [0, 1]} if Estimator is MLPClassifier else {}
    said = DATA[name].said
    unfitted, trained = Estimator(verbose=True), fitted(Estimator, verbose=True)
    refuses(lambda m: m.partial_fit(**arguments, **first), unfitted, said, capsys)
    refuses(lambda m: m.partial_fit(**arguments), trained, said, capsys)


def named(columns):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(X, columns=list(columns))


@pytest.mark.parametrize("Estimator", BOTH)
def test_names_of_columns(Estimator, capsys):
    y = Y[Estimator]
    model = Estimator(max_iter=2, warm_start=True).fit(named("abc"), y)
    model.set_params(verbose=True)
    order, unseen = ["same order"], ["unseen at fit time", "- d"]
    X_val = named("abd")
    refuses(lambda m: m.predict(named("cab")), model, order, capsys)
    refuses(lambda m: m.predict(named("abd")), model, unseen, capsys)
    refuses(lambda m: m.transform(named("abd")), model, unseen, capsys)
    refuses(lambda m: m.score(named("abd"), y), model, unseen, capsys)
    refuses(lambda m: m.fit(named("abd"), y), model, unseen, capsys)
    refuses(lambda m: m.partial_fit(named("abd"), y), model, unseen, capsys)
    refuses(
        lambda m: m.fit(named("abc"), y, X_val=X_val, y_val=y), model, unseen, capsys
    )
    refuses(
        lambda m: m.fit(named("abc"), y, X_val=X_val, y_val=y),
        Estimator(verbose=True),
        unseen,
        capsys,
    )


UNKNOWN_ROWS = {
    "narrow": (X[:, :2], ["X has 2 features", "expecting 3 features"]),
    "wide": (np.hstack([X, X]), ["X has 6 features", "expecting 3 features"]),
    "nan": (with_entry(X, np.nan), ["Input X contains NaN"]),
    "1-d": (X[0], ["Expected 2D array, got 1D"]),
    "empty": (X[:0], ["0 sample"]),
    "complex": (X + 1j, ["Complex data not supported"]),
    "strings": (np.full((2, 3), "oops"), ["could not convert"]),
}
METHODS = ["predict", "transform", "predict_proba", "predict_log_proba"]


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", UNKNOWN_ROWS)
def test_rows_to_predict(Estimator, method, rows, capsys):
    if method.startswith("predict_") and Estimator is MLPRegressor:
        assert not hasattr(Estimator, method)
        return
    bad, said = UNKNOWN_ROWS[rows]
    refuses(lambda m: getattr(m, method)(bad), fitted(Estimator), said, capsys)


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("method", [*METHODS, "score", "get_feature_names_out"])
def test_before_fit(Estimator, method):
    if not hasattr(Estimator, method):
        assert Estimator is MLPRegressor
        return
    arguments = {"score": (X, Y[Estimator]), "get_feature_names_out": ()}
    with pytest.raises(NotFittedError, match=f"This {Estimator.__name__} instance"):
        getattr(Estimator(), method)(*arguments.get(method, (X,)))


def targets(*classes):
    return np.resize(classes, 20)


CALLS = {
    "partial-without-classes": (
        lambda: MLPClassifier(),
        lambda m: m.partial_fit(X, targets(0, 1)),
        ["classes must be passed on the first call to partial_fit"],
    ),
    "partial-class-not-announced": (
        lambda: MLPClassifier(),
        lambda m: m.partial_fit(X, targets(0, 5), classes=[0, 1]),
        ["`?y`? has classes", r"\[0 5\]|\b5\b"],
    ),
    "partial-unseen-class": (
        lambda: fitted(MLPClassifier),
        lambda m: m.partial_fit(X, targets(0, 5)),
        ["`?y`? has classes", r"\[0 5\]|\b5\b"],
    ),
    "partial-other-classes": (
        lambda: fitted(MLPClassifier),
        lambda m: m.partial_fit(X, targets(0, 1), classes=[0, 1, 2]),
        [r"`classes=\[0, 1, 2\]` is not the same|classes", r"0 1|0, 1"],
    ),
    "partial-strings-for-numbers": (
        lambda: fitted(MLPClassifier),
        lambda m: m.partial_fit(X, targets("a", "b")),
        ["classes|labels"],
    ),
    "partial-stopping": (
        lambda: MLPClassifier(early_stopping=True),
        lambda m: m.partial_fit(X, targets(0, 1), classes=[0, 1]),
        ["partial_fit does not support early_stopping=True"],
    ),
    "partial-stopping-regressor": (
        lambda: MLPRegressor(early_stopping=True),
        lambda m: m.partial_fit(X, Y[MLPRegressor]),
        ["partial_fit does not support early_stopping=True"],
    ),
    "partial-stopping-fitted": (
        lambda: fitted(MLPRegressor).set_params(early_stopping=True),
        lambda m: m.partial_fit(X, Y[MLPRegressor]),
        ["partial_fit does not support early_stopping=True"],
    ),
    "partial-narrow": (
        lambda: fitted(MLPRegressor),
        lambda m: m.partial_fit(X[:, :2], Y[MLPRegressor]),
        ["X has 2 features", "expecting 3 features"],
    ),
    "partial-other-widths": (
        lambda: fitted(MLPRegressor).set_params(hidden_layer_sizes=(5,)),
        lambda m: m.partial_fit(X, Y[MLPRegressor]),
        ["hidden_layer_sizes", "5", "4"],
    ),
    "partial-more-outputs": (
        lambda: fitted(MLPRegressor),
        lambda m: m.partial_fit(X, X),
        ["y", r"\b3\b", r"\b1\b"],
    ),
    "partial-classes-of-a-regressor": (
        lambda: fitted(MLPRegressor),
        lambda m: m.partial_fit(X, Y[MLPRegressor], classes=[0, 1]),
        ["classes"],
    ),
    "partial-negative-counts": (
        lambda: fitted(MLPRegressor, loss="poisson"),
        lambda m: m.partial_fit(X, -Y[MLPRegressor]),
        ["poisson", "y", "-"],
    ),
    "partial-zero-with-gamma": (
        lambda: fitted(MLPRegressor, loss="gamma"),
        lambda m: m.partial_fit(X, with_entry(np.ones(20), 0.0)),
        ["gamma", "y must be > 0", r"\b0\.0"],
    ),
    "partial-more-quantiles": (
        lambda: fitted(MLPRegressor, loss="quantile").set_params(quantile=[0.1, 0.9]),
        lambda m: m.partial_fit(X, Y[MLPRegressor]),
        ["number of quantiles must stay as fitted", r"\[3, 4, 1\]", r"\[3, 4, 2\]"],
    ),
    "partial-bad-smoothing": (
        lambda: MLPClassifier(label_smoothing=1.0),
        lambda m: m.partial_fit(X, targets(0, 1), classes=[0, 1]),
        ["label_smoothing", r"\[0\.0, 1\.0\)", r"1\.0"],
    ),
    "partial-balanced": (
        lambda: MLPClassifier(class_weight="balanced"),
        lambda m: m.partial_fit(X, targets(0, 1), classes=[0, 1]),
        ["class_weight='balanced'", "partial_fit"],
    ),
    "warm-other-classes": (
        lambda: fitted(MLPClassifier, warm_start=True),
        lambda m: m.fit(X, targets(0, 2)),
        ["warm_start", r"\[0 1\]", r"\[0 2\]"],
    ),
    "warm-more-classes": (
        lambda: fitted(MLPClassifier, warm_start=True),
        lambda m: m.fit(X, targets(0, 1, 2)),
        ["warm_start", r"\[0 1\]", r"\[0 1 2\]"],
    ),
    "warm-multilabel": (
        lambda: fitted(MLPClassifier, warm_start=True),
        lambda m: m.fit(X, np.column_stack([targets(0, 1), targets(1, 0, 0)])),
        ["y must be a vector of labels"],
    ),
    "warm-narrow": (
        lambda: fitted(MLPClassifier, warm_start=True),
        lambda m: m.fit(X[:, :2], targets(0, 1)),
        ["X has 2 features", "expecting 3 features"],
    ),
    "warm-other-widths": (
        lambda: fitted(MLPClassifier, warm_start=True).set_params(
            hidden_layer_sizes=(4, 2)
        ),
        lambda m: m.fit(X, targets(0, 1)),
        ["hidden_layer_sizes", "4, 2", "4"],
    ),
    "warm-more-outputs": (
        lambda: fitted(MLPRegressor, warm_start=True),
        lambda m: m.fit(X, X),
        ["y", r"\b3\b", r"\b1\b"],
    ),
    "score-short": (
        lambda: fitted(MLPClassifier),
        lambda m: m.score(X, targets(0, 1)[:5]),
        ["inconsistent numbers of samples", "20|5"],
    ),
    "unknown-argument": (
        lambda: MLPClassifier(),
        lambda m: m.fit(X, targets(0, 1), validation_data=(X, targets(0, 1))),
        ["validation_data"],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name, capsys):
    make, call, said = CALLS[name]
    refuses(call, make().set_params(verbose=True), said, capsys)


@pytest.mark.parametrize("Estimator", BOTH)
def test_no_partial_fit_with_lbfgs(Estimator):
    assert not hasattr(Estimator(solver="lbfgs"), "partial_fit")
    model = fitted(Estimator).set_params(solver="lbfgs")
    kept = state(model)
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        model.partial_fit(X, Y[Estimator])
    assert_same_state(state(model), kept)


IGNORED = {
    "stopping": ({"solver": "lbfgs", "early_stopping": True}, "early_stopping"),
    "adaptive": ({"solver": "adam", "learning_rate": "adaptive"}, "learning_rate"),
    "invscaling": ({"solver": "adam", "learning_rate": "invscaling"}, "learning_rate"),
    "rmsprop": ({"solver": "rmsprop", "learning_rate": "adaptive"}, "learning_rate"),
    "linear": ({"solver": "lbfgs", "learning_rate": "linear"}, "learning_rate"),
    "warm-up": ({"solver": "lbfgs", "warmup_epochs": 2}, "warmup_epochs"),
    "clip": ({"solver": "lbfgs", "gradient_clip": 0.1}, "gradient_clip"),
    "final": ({"solver": "adam", "learning_rate_final": 0.1}, "learning_rate_final"),
    "decay": ({"solver": "sgd", "decay_epochs": 3}, "decay_epochs"),
    "batch": ({"solver": "sgd", "batch_size": 21}, "batch_size"),
    "no-layer": ({"hidden_layer_sizes": (), "batch_norm": True}, "batch_norm"),
}


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("pair", IGNORED)
def test_ignored_with_a_warning(Estimator, pair):
    """What scikit-learn ignores is said to be ignored, and fits as without it."""
    params, said = IGNORED[pair]
    with pytest.warns(UserWarning, match=said):
        warned = fitted(Estimator, **params)
    kept = ("solver", "hidden_layer_sizes")
    sound = {name: value for name, value in params.items() if name in kept}
    for actual, expected in zip(
        warned.coefs_, fitted(Estimator, **sound).coefs_, strict=True
    ):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("Estimator", BOTH)
def test_every_parameter_is_in_the_table(Estimator):
    of_its_own = {"init_from"}  # tests/test_transfer_bad_input.py
    names = {*SHARED, *OWN[Estimator]}
    assert names | of_its_own == Estimator().get_params().keys()


@pytest.mark.parametrize("option", [{"quantile": 0.9}, {"huber_delta": 2.0}])
def test_option_of_another_loss_is_ignored_with_a_warning(option):
    (name,) = option
    with pytest.warns(UserWarning, match=f"{name}=.* has no effect with loss="):
        fitted(MLPRegressor, **option)


def test_validation_rows_that_have_no_score(capsys):
    model = MLPRegressor(early_stopping=True, verbose=True)
    y = Y[MLPRegressor]
    refuses(
        lambda m: m.fit(X, y, X_val=X[:1], y_val=y[:1]),
        model,
        ["X_val must have at least 2 rows", "got 1"],
        capsys,
    )


@pytest.mark.filterwarnings("ignore:Only one class is present")
def test_scorer_that_gives_no_number(capsys):
    model = MLPClassifier(early_stopping=True, scoring="roc_auc", verbose=True)
    refuses(
        lambda m: m.fit(X, Y[MLPClassifier], X_val=X, y_val=np.ones(20, int)),
        model,
        ["scoring='roc_auc' must give a number", "NaN"],
        capsys,
    )


def test_defaults_of_a_subclass_are_checked_too(capsys):
    class Subclass(MLPRegressor):
        def __init__(self, alpha=-1.0):
            super().__init__(max_iter=2, alpha=alpha)

    y = Y[MLPRegressor]
    for _ in range(2):  # what is valid is remembered
        refuses(lambda m: m.fit(X, y), Subclass(), ["'alpha'", "-1.0"], capsys)
        Subclass(alpha=1.0).fit(X, y)
