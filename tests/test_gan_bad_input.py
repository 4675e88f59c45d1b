"""Bad input of GANSampler is refused by name, rule and value."""

import copy
import re

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sknn import GANSampler

RANDOM = np.random.RandomState(0)
X, Y = RANDOM.normal(size=(24, 4)), np.array(["a", "b", "c"] * 8)
SMALL = {
    "latent_dim": 3,
    "generator_layer_sizes": (4,),
    "discriminator_layer_sizes": (4,),
    "max_iter": 1,
    "random_state": 0,
}


def make(**params):
    return GANSampler(**SMALL | params)


@pytest.fixture(scope="module")
def conditional():
    return make().fit(X, Y)


@pytest.fixture(scope="module")
def unconditional():
    return make().fit(X)


def refuses(call, *parts):
    with pytest.raises((ValueError, TypeError)) as raised:
        call()
    for part in parts:
        assert re.search(part, str(raised.value)), str(raised.value)


# Refused by scikit-learn's own check of parameters, in its words.
PARAMETERS = {
    "latent_dim": [0, -1, 2.5, None],
    "generator_layer_sizes": [0, -3, None],
    "discriminator_layer_sizes": [0, 2.5, None],
    "activation": ["step", None],
    "loss": ["lsgan", "log_loss", None],
    "n_discriminator_steps": [0, -1, 1.5, None],
    "gradient_penalty": [-0.1, "none", None],
    "ema": [-0.1, 1.0, 1, None],
    "image_shape": [8, 2.5],
    "solver": ["lbfgs", "newton", None],
    "batch_size": [0, -1, 2.5, "all", None],
    "learning_rate": ["adaptive", "invscaling", "plateau", "step"],
    "learning_rate_init": [0, -1.0, None],
    "learning_rate_final": [-1.0, "low"],
    "decay_epochs": [0, -1, "all"],
    "warmup_epochs": [-1, None],
    "max_iter": [0, -1, 2.5, None],
    "shuffle": ["yes", None],
    "random_state": [-1, "seed", 2.5],
    "n_iter_no_change": [0, -1, 2.5],
    "verbose": ["yes", -1],
    "warm_start": ["yes", None],
    "momentum": [-0.1, 1.1, None],
    "nesterovs_momentum": ["yes", None],
    "beta_1": [-0.1, 1.0, None],
    "beta_2": [-0.1, 1.0, None],
    "epsilon": [0, -1e-8, None],
    "rho": [-0.1, 1.0, None],
    "early_stopping": ["yes", None],
    "validation_fraction": [-0.1, 1.0, None],
    "weight_init": ["zeros", None],
    "gradient_clip": [0, -1.0, "all"],
    "device": [0, None],
    "dtype": ["float16", np.float32, None],
    "callbacks": ["print", 3],
}


def test_every_parameter_has_its_bad_values():
    assert set(PARAMETERS) == set(GANSampler().get_params())


@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, vs in PARAMETERS.items() for v in vs]
)
def test_parameters(name, value):
    refuses(
        lambda: make(**{name: value}).fit(X, Y),
        f"'{name}' parameter",
        re.escape(str(value)),
    )


@pytest.mark.parametrize("name", ["generator_layer_sizes", "discriminator_layer_sizes"])
@pytest.mark.parametrize("value", [(4, 0), (2.5,), ("a",)])
def test_layers(name, value):
    refuses(lambda: make(**{name: value}).fit(X), name, "whole numbers > 0")
    images = {"image_shape": (2, 2), name: ()}
    refuses(lambda: make(**images).fit(X), name, "at least 1 of them")


@pytest.mark.parametrize("shape", [(2, 3), (4,), (2, 2, 1, 1), (2.0, 2), (-2, -2)])
def test_image_shapes(shape):
    refuses(
        lambda: make(image_shape=shape).fit(X),
        "image_shape must be",
        "product is 4",
        re.escape(repr(shape)),
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite(bad):
    rows = X.copy()
    rows[3, 1] = bad
    refuses(lambda: make().fit(rows), "X contains|infinity|NaN")
    refuses(lambda: make().fit(X).score(rows), "X contains|infinity|NaN")


@pytest.mark.parametrize("rows", [X[0], X[:0], X[:, :0], [["a"] * 4] * 3])
def test_no_table(rows):
    with pytest.raises(ValueError):
        make().fit(rows)


def test_labels():
    refuses(lambda: make().fit(X, X[:, 0]), "y must hold class labels", "real numbers")
    refuses(lambda: make().fit(X, Y[:-1]), "inconsistent numbers")
    refuses(lambda: make().fit(X, np.eye(24)), "y should be a 1d array")
    with pytest.raises(ValueError, match="y contains NaN"):
        make().fit(X, np.r_[np.nan, np.ones(23)])


def test_weights():
    for weight, part in [
        (-np.ones(24), "[Nn]egative"),
        (np.zeros(24), "zero"),
        (np.ones(3), "shape"),
        (np.full(24, np.nan), "NaN"),
    ]:
        refuses(lambda weight=weight: make().fit(X, Y, weight), part)


def test_going_on_with_other_data(conditional, unconditional):
    refuses(
        lambda: unconditional.partial_fit(X, Y),
        "y must be given",
        "fitted without y, and now",
    )
    refuses(
        lambda: conditional.partial_fit(X), "y must be given", "fitted with y, and now"
    )
    refuses(lambda: conditional.partial_fit(X, ["z"] * 24), "classes not in")
    refuses(lambda: conditional.partial_fit(X[:, :2], Y), "2 features")
    refuses(
        lambda: conditional.partial_fit(X, Y, classes=["a", "b"]), "classes must be"
    )
    refuses(lambda: make().partial_fit(X, classes=["a"]), "classes must be None")
    refuses(lambda: make().partial_fit(X, Y, classes=["a", "b"]), "classes not in")
    refuses(
        lambda: make(early_stopping=True).partial_fit(X),
        "partial_fit",
        "early_stopping",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("latent_dim", 5),
        ("generator_layer_sizes", (5,)),
        ("discriminator_layer_sizes", (4, 4)),
        ("image_shape", (2, 2)),
    ],
)
def test_other_networks_than_fitted(name, value):
    model = make(warm_start=True).fit(X)
    refuses(lambda: model.set_params(**{name: value}).fit(X), name, "stay as fitted")


def test_before_fit():
    model = make()
    calls = [
        model.sample,
        lambda: model.sample_iter(3),
        lambda: model.score(X),
    ]
    for call in calls:
        with pytest.raises(NotFittedError):
            call()
    for name in (
        "discriminator_",
        "optimizer_",
        "diversity_curve_",
        "discriminator_loss_curve_",
    ):
        with pytest.raises(AttributeError, match="before fit"):
            getattr(model, name)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", True, [2]])
def test_numbers_of_rows(conditional, n):
    refuses(
        lambda: conditional.sample(n),
        "n_samples must be None or a whole number >= 1",
        re.escape(repr(n)),
    )
    refuses(lambda: conditional.sample_iter(3, batch_size=n), "batch_size must be")


def test_classes_asked_for(conditional, unconditional):
    refuses(
        lambda: conditional.sample(y=["a", "z"]),
        "y must have classes of the fit",
        "'z'",
    )
    for asked in (["a", "y", "b", "z", "y"], np.array(["y", "z"] * 5000)):
        refuses(lambda asked=asked: conditional.sample(y=asked), "only: got 'y'")
    refuses(lambda: conditional.sample(y=["a", None]), "only: got None")
    refuses(lambda: conditional.sample(3, y=1), "y must have classes of the fit", "1")
    refuses(lambda: conditional.sample(3, y=["a", "b"]), "n_samples must be None", "2")
    refuses(lambda: conditional.sample(y=[["a"]]), "label or a vector", r"\(1, 1\)")
    refuses(lambda: conditional.sample(y=[]), "label or a vector", r"\(0,\)")
    refuses(lambda: unconditional.sample(3, y="a"), "without classes", "'a'")
    refuses(lambda: conditional.sample_iter(3, y="z"), "classes of the fit")


def test_what_goes_wrong_before_training_changes_nothing(conditional):
    model = copy.deepcopy(conditional)
    before = model.sample(5, random_state=0)[0]
    for call in (
        lambda: model.fit(X[:, :3], X[:, 0]),
        lambda: model.set_params(image_shape=(3, 3)).fit(X),
        lambda: model.set_params(image_shape=None, latent_dim=0).fit(X),
    ):
        refuses(call)
    np.testing.assert_array_equal(model.sample(5, random_state=0)[0], before)
    assert model.image_shape_ is None


def test_divergence_leaves_finite_networks():
    model = make(solver="sgd", learning_rate_init=1e8, max_iter=50, loss="hinge")
    refuses(lambda: model.fit(1e3 * X, Y), "non-finite", "last finite weights")
    assert torch.isfinite(model._flat.values).all()
    assert torch.isfinite(model._adversary.flat.values).all()
    assert np.isfinite(model.sample(5)[0]).all()
    model.set_params(learning_rate_init=1e-3).fit(1e3 * X, Y)


def test_no_predictions():
    for name in ("predict", "transform", "predict_proba", "fit_transform"):
        assert not hasattr(GANSampler, name)
    assert hasattr(LogisticRegression, "predict")
