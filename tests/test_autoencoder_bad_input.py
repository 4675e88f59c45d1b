"""What autoencoders refuse: by name, with the value, before any training."""

import copy
import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sknn import Autoencoder, VariationalAutoencoder

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

X = np.random.RandomState(0).uniform(size=(30, 6))
SMALL = {"hidden_layer_sizes": (4,), "batch_size": 10, "max_iter": 2, "random_state": 0}
BOTH = [Autoencoder, VariationalAutoencoder]

KINDS = {
    "n_components": [0, -1, 2.5, None, "two", (2,)],
    "hidden_layer_sizes": [0, -1, 2.5, "wide", None],
    "activation": ["step", None, ["relu"]],
    "output_activation": ["softmax", None, True],
    "input_shape": [0, -8, 2.5, "square"],
    "conv_channels": [0, -1, 2.5, None, "many"],
    "conv_dims": [0, 3, None, "two"],
    "batch_norm": ["yes", None, 2],
    "dropout": [-0.1, 1.0, None, "half"],
    "solver": ["newton", None],
    "alpha": [-1e-4, "small", None, np.nan],
    "l1_ratio": [-0.1, 1.1, None],
    "batch_size": [0, -5, 2.5, "big", None],
    "learning_rate": ["fast", None, 0.1],
    "learning_rate_init": [0, -0.1, None],
    "power_t": [-1, None],
    "learning_rate_final": [-1, "none"],
    "decay_epochs": [0, -1],
    "warmup_epochs": [-1, None],
    "max_iter": [0, -1, 2.5, None],
    "shuffle": ["yes", None],
    "random_state": ["seed", -1],
    "tol": [-1e-4, None],
    "n_iter_no_change": [0, 1.5],
    "verbose": ["loud", -1],
    "warm_start": ["yes", None],
    "momentum": [-0.1, 1.1],
    "nesterovs_momentum": ["yes", None],
    "beta_1": [-0.1, 1.0],
    "beta_2": [-0.1, 1.0],
    "epsilon": [0, -1],
    "rho": [-0.1, 1.0],
    "early_stopping": ["yes", None],
    "validation_fraction": [-0.1, 1.0],
    "scoring": ["no_such_score", 3],
    "weight_init": ["xavier", None],
    "gradient_clip": [0, -1, np.nan],
    "device": [3, None],
    "dtype": ["float16", None],
    "callbacks": ["print", 3],
}
OWN = {
    Autoencoder: {
        "corruption": [-0.1, 1.0, None, "much", np.nan],
        "corruption_kind": ["salt", None],
        "activity_l1": [-0.1, None, np.nan],
        "tied_weights": ["yes", None, 2],
        "max_fun": [0, 1.5],
    },
    VariationalAutoencoder: {
        "beta": [-0.1, None, np.nan, "one"],
        "solver": ["lbfgs"],
    },
}
CASES = [
    (Estimator, name, value)
    for Estimator in BOTH
    for name, values in [*KINDS.items(), *OWN[Estimator].items()]
    for value in values
]


def refuses(call, *parts):
    with pytest.raises((ValueError, TypeError)) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


@pytest.mark.parametrize(("Estimator", "name", "value"), CASES)
def test_parameter(Estimator, name, value):
    model = Estimator(**SMALL | {name: value})
    said = f"'{name}' parameter of {Estimator.__name__}"
    refuses(lambda: model.fit(X), said, "must be", re.escape(f"Got {value!r}"))
    assert not hasattr(model, "module_")


@pytest.mark.parametrize("Estimator", BOTH)
def test_every_parameter_is_in_the_table(Estimator):
    assert set(Estimator().get_params()) == {*KINDS, *OWN[Estimator]}


MEANINGS = [
    ({"hidden_layer_sizes": (4, -1)}, ["hidden_layer_sizes", "> 0", "-1"]),
    ({"hidden_layer_sizes": (4, 2.5)}, ["hidden_layer_sizes", "whole", "2.5"]),
    ({"dropout": [0.1, 0.2]}, ["dropout", "each of the 1", r"\[0.1, 0.2\]"]),
    ({"dropout": [1.0]}, ["dropout", r"\[0, 1\)", "1.0"]),
    ({"input_shape": (2, 3), "dropout": [0.1]}, ["dropout", "each of the 3"]),
    ({"conv_channels": (), "input_shape": (2, 3)}, ["conv_channels", "at least 1"]),
    ({"conv_channels": (4, 0)}, ["conv_channels", "> 0", r"\(4, 0\)"]),
    ({"input_shape": (2, 4)}, ["input_shape", r"\(2, 4\)", "8", "6, the columns of X"]),
    ({"input_shape": (2, 0)}, ["input_shape", r"\(2, 0\)"]),
    ({"input_shape": ()}, ["input_shape", r"\(\)"]),
    ({"input_shape": (1, 1, 2, 3)}, ["input_shape", r"\(1, 1, 2, 3\)"]),
    ({"input_shape": (1, 2, 3), "conv_dims": 1}, ["conv_dims=1", r"\(1, 2, 3\)"]),
    ({"device": "no-such-device"}, ["device", "no-such-device"]),
]
OF_AUTOENCODER = [
    ({"tied_weights": True, "input_shape": (2, 3)}, ["tied_weights", "input_shape"]),
    ({"solver": "lbfgs", "corruption": 0.1}, ["corruption", "lbfgs", "0.1"]),
    ({"solver": "lbfgs", "dropout": 0.1}, ["dropout", "lbfgs", "0.1"]),
    ({"solver": "lbfgs", "batch_norm": True}, ["batch_norm", "lbfgs", "True"]),
    ({"solver": "lbfgs", "l1_ratio": 0.1}, ["l1_ratio", "lbfgs", "0.1"]),
]


@pytest.mark.parametrize(
    ("Estimator", "params", "parts"),
    [(Estimator, *case) for Estimator in BOTH for case in MEANINGS]
    + [(Autoencoder, *case) for case in OF_AUTOENCODER],
    ids=str,
)
def test_values_that_do_not_go_together(Estimator, params, parts):
    model = Estimator(**SMALL | params)
    refuses(lambda: model.fit(X), *parts)
    assert not hasattr(model, "module_")


@pytest.mark.parametrize("name", ["dropout", "batch_norm"])
def test_what_has_no_effect_warns(name):
    value = {"dropout": 0.5, "batch_norm": True}[name]
    model = Autoencoder(**SMALL | {"hidden_layer_sizes": (), name: value})
    with pytest.warns(UserWarning, match=f"{name}={value} has no effect"):
        model.fit(X)


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("name", "value"),
    [("conv_channels", (16, 8)), ("conv_channels", 16), ("conv_dims", 1)],
)
def test_convolutions_without_a_shape_warn(Estimator, name, value):
    said = re.escape(f"{name}={value!r} has no effect with input_shape=None.")
    with pytest.warns(UserWarning, match=said):
        Estimator(**SMALL | {name: value}).fit(X)


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("channels", [[16, 32], np.array([16, 32])])
def test_defaults_in_other_words_do_not_warn(Estimator, channels):
    """Warnings of this kind are errors here."""
    Estimator(**SMALL | {"conv_channels": channels, "conv_dims": "auto"}).fit(X)


def with_value(value, row=3, column=4):
    changed = X.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("inputs", "parts"),
    [
        (X[0], ["Expected 2D array"]),
        (X.reshape(30, 2, 3), ["dim 3|3D|dimension"]),
        (with_value(np.nan), ["NaN"]),
        (with_value(np.inf), ["infinity"]),
        (X[:0], ["0 sample"]),
        (X[:, :0], ["0 feature"]),
        (np.full(X.shape, "red"), ["could not convert string to float: .*red"]),
        (X + 1j, ["[Cc]omplex"]),
        ([[1.0, 2.0], [3.0]], ["inhomogeneous|sequence|setting"]),
        (sparse.csr_array(X), ["[Ss]parse"]),
        (None, ["array"]),
    ],
    ids=str,
)
def test_inputs(Estimator, inputs, parts):
    model = Estimator(**SMALL)
    refuses(lambda: model.fit(inputs), *parts)
    assert not hasattr(model, "module_")


METHODS = ["transform", "score_samples", "score", "partial_fit"]


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("inputs", "parts"),
    [
        (X[:, :5], ["5 features", "6 features"]),
        (with_value(np.nan), ["NaN"]),
        (X[0], ["Expected 2D"]),
        (sparse.csr_array(X), ["[Ss]parse"]),
    ],
    ids=["columns", "nan", "1d", "sparse"],
)
def test_inputs_of_a_fitted_network(Estimator, method, inputs, parts):
    model = Estimator(**SMALL).fit(X)
    before = copy.deepcopy(model.module_.state_dict())
    refuses(lambda: getattr(model, method)(inputs), *parts)
    for name, value in model.module_.state_dict().items():
        assert value.equal(before[name])


@pytest.mark.parametrize("Estimator", BOTH)
def test_codes(Estimator):
    model = Estimator(**SMALL).fit(X)
    codes = model.transform(X)
    refuses(
        lambda: model.inverse_transform(X),
        "6 columns", f"inverse_transform of {Estimator.__name__}", "n_components=2",
    )  # fmt: skip
    refuses(lambda: model.inverse_transform(codes[0]), "Expected 2D")
    refuses(lambda: model.inverse_transform(codes * np.nan), "NaN")
    refuses(lambda: model.inverse_transform(sparse.csr_array(codes)), "[Ss]parse")


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(("value", "row"), [(-0.5, 7), (1.5, 29)])
def test_values_beyond_the_sigmoid(Estimator, value, row):
    outside = with_value(value, row=row)
    parts = ["output_activation='sigmoid'", rf"got {value} in row {row}, column 4"]
    model = Estimator(**SMALL | {"output_activation": "sigmoid"})
    refuses(lambda: model.fit(outside), *parts)
    for kind in ("sigmoid", "auto"):
        model = Estimator(**SMALL | {"output_activation": kind})
        refuses(lambda m=model: m.fit(X, X_val=outside), "X_val", *parts)
        assert not hasattr(model, "module_")
    model = Estimator(**SMALL).fit(X)
    refuses(lambda: model.partial_fit(outside), *parts)
    assert model.transform(outside).shape == (30, 2)


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"X_val": X[:, :4]}, ["X_val: ", "4 features"]),
        ({"X_val": with_value(np.nan)}, ["X_val: ", "NaN"]),
        ({"X_val": X, "sample_weight_val": [1.0]}, ["sample_weight_val: "]),
        (
            {"sample_weight_val": np.ones(30)},
            ["sample_weight_val must come with X_val"],
        ),
        ({"sample_weight": np.ones(7)}, ["sample_weight"]),
        ({"sample_weight": -np.ones(30)}, ["[Nn]egative"]),
        ({"sample_weight": np.zeros(30)}, ["[Ss]ample.weight", "positive|non-zero"]),
    ],
    ids=str,
)
def test_validation_rows_and_weights(given, parts):
    model = Autoencoder(**SMALL)
    refuses(lambda: model.fit(X, **given), *parts)
    assert not hasattr(model, "module_")


def test_what_a_variational_autoencoder_does_not_take():
    for name in ("sample_weight", "sample_weight_val"):
        with pytest.raises(TypeError, match=name):
            VariationalAutoencoder().fit(X, **{name: np.ones(30)})
    with pytest.raises(TypeError, match="sample_weight"):
        VariationalAutoencoder().partial_fit(X, sample_weight=np.ones(30))


@pytest.mark.parametrize("value", [0, -1, 2.5, "three", None, True])
def test_counts(value):
    model = VariationalAutoencoder(**SMALL).fit(X)
    for name, call in (("n_samples", model.sample), ("n_draws", model.elbo)):
        arguments = (X,) if name == "n_draws" else ()
        said = rf"{name} must be a whole number >= 1: got {value!r}"
        refuses(lambda c=call, a=arguments, n=name: c(*a, **{n: value}), said)


@pytest.mark.parametrize("Estimator", BOTH)
def test_before_the_fit(Estimator):
    calls = [(name, (X,)) for name in ("transform", "score_samples", "score")]
    calls += [("inverse_transform", (X[:, :2],)), ("get_feature_names_out", ())]
    if Estimator is VariationalAutoencoder:
        calls += [("sample", ()), ("elbo", (X,))]
    for name, arguments in calls:
        with pytest.raises(NotFittedError, match=Estimator.__name__):
            getattr(Estimator(), name)(*arguments)


@pytest.mark.parametrize("Estimator", BOTH)
def test_early_stopping_needs_rows(Estimator):
    model = Estimator(**SMALL | {"early_stopping": True})
    refuses(lambda: model.fit(X[:3]), "validation_fraction")
    refuses(lambda: model.partial_fit(X), "early_stopping")


@pytest.mark.parametrize("Estimator", BOTH)
def test_a_bad_parameter_leaves_the_fit_before(Estimator):
    model = Estimator(**SMALL | {"warm_start": True}).fit(X)
    expected = model.transform(X)
    refuses(lambda: model.set_params(alpha=-1).fit(X), "alpha")
    refuses(lambda: model.set_params(alpha=0.0, n_components=3).fit(X), "n_components")
    model.set_params(n_components=2, output_activation="auto")
    np.testing.assert_array_equal(model.transform(X), expected)


def test_lbfgs_has_no_partial_fit():
    model = Autoencoder(solver="lbfgs")
    assert not hasattr(model, "partial_fit")


@pytest.mark.parametrize("Estimator", BOTH)
def test_weights_that_are_not_finite(Estimator):
    model = Estimator(
        **SMALL | {"solver": "sgd", "learning_rate_init": 1e30, "max_iter": 20}
    )
    with pytest.raises(ValueError, match=r"non-finite.*learning_rate_init"):
        model.fit(1e3 * X)
