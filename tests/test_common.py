"""What holds for every public estimator: it is tested by existing."""

import ast
import inspect
import itertools
import os
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import (
    ClassifierTags,
    estimator_checks,
    estimator_html_repr,
    get_tags,
)
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import sknn

# The checks fit toy data for as long as an estimator's own max_iter says.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PUBLIC = [
    public
    for public in (getattr(sknn, name) for name in sknn.__all__)
    if isinstance(public, type) and issubclass(public, BaseEstimator)
]
ESTIMATORS = [cls for cls in PUBLIC if get_tags(cls()).input_tags.two_d_array]
"""Those that take the arrays of scikit-learn's checks; others have tests of their own,
and here the ones that `PUBLIC` goes through."""

TAGGERS = [cls for cls in ESTIMATORS if cls.__name__.endswith("Tagger")]
"""Neither classifiers, which have one label a sample, nor transformers."""

AUTOENCODERS = [cls for cls in ESTIMATORS if cls.__name__.endswith("Autoencoder")]
"""Transformers that predict nothing."""

PREDICTORS = [
    cls for cls in ESTIMATORS if cls not in [*TAGGERS, *AUTOENCODERS, sknn.GANSampler]
]
"""Classifiers and regressors, of which scikit-learn checks the most."""

TRANSFORMERS = [*PREDICTORS, *AUTOENCODERS]

WEIGHTED = [
    cls
    for cls in ESTIMATORS
    if "sample_weight" in inspect.signature(cls.fit).parameters
]
"""All but those that draw noise for every row."""

SKIPS = {
    "check_array_api_input": "SCIPY_ARRAY_API is not set",
    "check_classifiers_multilabel_output_format_decision_function": (
        "does not have a decision_function method"
    ),
}
"""Checks that skip themselves: the first is run in a process of its own below; no
estimator here has the method that the second is about."""

WEIGHT_CHECKS = [
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
]
WITHOUT_WEIGHT = "check_all_zero_sample_weights_error"
FLOAT32 = dict.fromkeys(WEIGHT_CHECKS, "compares to 1e-7, finer than float32 itself")
DROPOUT = dict.fromkeys(WEIGHT_CHECKS, "draws a mask for every row")
EARLY_STOPPING = {
    **dict.fromkeys(WEIGHT_CHECKS, "repeated rows fall into another validation split"),
    **dict.fromkeys(
        [
            "check_fit_score_takes_y",
            "check_n_features_in_after_fitting",
            "check_estimators_partial_fit_n_features",
        ],
        "calls partial_fit, which refuses early_stopping=True",
    ),
    **dict.fromkeys(
        ["check_estimators_nan_inf", "check_fit2d_1feature"],
        "has too few rows to set one aside for each class, or two in regression",
    ),
}
EARLY_STOPPING_CLASSIFIERS = {
    "check_classifiers_one_label": "has too few rows of the second class to split",
    "check_class_weight_classifiers": "stops on the few rows of the class that weighs",
}
EARLY_STOPPING_REGRESSORS = {
    "check_regressors_no_decision_function": "has too few rows to set two aside",
}


def expected_failures(estimator):
    """Names of the checks that an instance cannot pass, with the reason."""
    expected = {}
    if estimator.dtype == "float32":
        expected |= FLOAT32
    if getattr(estimator, "dropout", 0):
        expected |= DROPOUT
    if estimator.early_stopping:
        expected |= EARLY_STOPPING
        if is_classifier(estimator):
            expected |= EARLY_STOPPING_CLASSIFIERS
        else:
            expected |= EARLY_STOPPING_REGRESSORS
    return expected


def run_check(estimator, check):
    """Run a check; a skip that is not accounted for is a failure."""
    try:
        check(estimator)
    except estimator_checks.SkipTest as skip:
        assert SKIPS.get(check_name(check), "unheard-of") in str(skip)


def check_name(check):
    while isinstance(check, partial):
        check = check.func
    return check.__name__


CHANGES = {
    "MLP": [
        {"solver": "lbfgs"},
        {"solver": "sgd"},
        {"solver": "adamw"},
        {"solver": "adagrad"},
        {"solver": "rmsprop"},
        {"batch_norm": True},
        {"dropout": 0.2},
        {"dtype": "float32"},
        {"early_stopping": True},
    ],
    "Conv": [
        {"batch_norm": False, "residual": True},
        {"hidden_layer_sizes": (), "global_pooling": "mean"},
        {"dropout": 0.2},
    ],
    "Recurrent": [],
    "Transformer": [],
    "Autoencoder": [
        {"solver": "lbfgs"},
        {"tied_weights": True},
        {"batch_norm": True},
        {"output_activation": "identity"},
    ],
    "VariationalAutoencoder": [{"batch_norm": True}],
    "Node": [
        {"conv": "sage", "n_sampled_neighbors": 3},
        {"conv": "gat", "dropout": 0},
        {"conv": "gin", "dropout": 0, "batch_norm": True},
        {"solver": "lbfgs", "dropout": 0},
    ],
    "Graph": [
        {"conv": "gat", "pooling": "max", "hidden_layer_sizes": 16},
        {"conv": "sage", "pooling": "mean", "batch_norm": True},
        {"conv": "gcn", "solver": "lbfgs"},
    ],
    "GANSampler": [{"loss": "wasserstein_gp"}, {"activation": "tanh", "ema": 0}],
}


def variants():
    """Instances that take another path than the defaults (whose solver is adam)."""
    return [
        cls(**change)
        for cls in ESTIMATORS
        for change in CHANGES[re.sub("Classifier|Regressor|Tagger", "", cls.__name__)]
    ]


@parametrize_with_checks([cls() for cls in ESTIMATORS])
def test_defaults(estimator, check):
    run_check(estimator, check)


@parametrize_with_checks(
    variants(), expected_failed_checks=expected_failures, xfail_strict=True
)
def test_variants(estimator, check):
    run_check(estimator, check)


def fewest_checks(Estimator):
    """Number of checks that its kind has more of."""
    if Estimator in PREDICTORS:
        return 55 if Estimator in WEIGHTED else 50
    return 43 if Estimator in AUTOENCODERS else 45


@pytest.mark.slow
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_check_estimator(Estimator):
    results = check_estimator(Estimator(), on_skip=None, on_fail="raise")
    outcome = {status: set() for status in ("passed", "skipped", "failed", "xfail")}
    for result in results:
        outcome[result["status"]].add(result["check_name"])
    assert outcome["skipped"] <= SKIPS.keys()
    assert not outcome["failed"] | outcome["xfail"]
    assert len(outcome["passed"]) > fewest_checks(Estimator)


ARRAY_API = """
import warnings
import sknn
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import estimator_checks_generator
warnings.simplefilter("ignore")
for name in sknn.__all__:
    if name in ("Graph", "batched"):
        continue  # data, and a context
    for estimator, check in estimator_checks_generator(getattr(sknn, name)()):
        if "check_array_api_input" in str(check):
            check(estimator)
            print(name, "passed")
"""


def test_array_api_check():
    """The variable is read when scipy is imported, hence another process."""
    run = subprocess.run(
        [sys.executable, "-c", ARRAY_API],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [f"{cls.__name__} passed" for cls in ESTIMATORS]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_all_kinds_of_checks_are_run(Estimator):
    """A tag set wrongly would make scikit-learn leave checks out silently."""
    tags = get_tags(Estimator())
    takes_sparse = hasattr(neural_network, Estimator.__name__)
    assert tags.input_tags.sparse == takes_sparse and tags.requires_fit
    assert not (tags.no_validation or tags.non_deterministic or tags._skip_test)
    kind = tags.classifier_tags or tags.regressor_tags
    assert not kind.poor_score if kind else Estimator not in PREDICTORS
    generated = estimator_checks.estimator_checks_generator(Estimator())
    names = {check_name(check) for _, check in generated}
    weight_checks = [*WEIGHT_CHECKS[: 1 + takes_sparse], WITHOUT_WEIGHT]
    assert names >= {
        *(weight_checks if Estimator in WEIGHTED else []),
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
    }
    assert ("check_transformer_general" in names) == (Estimator in TRANSFORMERS)
    assert ("check_transformer_n_iter" in names) == (Estimator in TRANSFORMERS)
    of_predictors = "check_non_transformer_estimators_n_iter"
    assert (of_predictors in names) == (Estimator in PREDICTORS)


CHECKS_OF_ITS_OWN = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
]
CHECKS_OF_TRANSFORMERS = [
    "check_get_feature_names_out_error",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
]
OWN_CHECKS = [
    (name, Estimator)
    for Estimator in ESTIMATORS
    for name in CHECKS_OF_ITS_OWN
    + (CHECKS_OF_TRANSFORMERS if Estimator in TRANSFORMERS else [])
]


# Some of them fit on a data frame and transform an array, or the reverse.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize(("name", "Estimator"), OWN_CHECKS)
def test_checks_that_scikit_learn_keeps_for_itself(Estimator, name):
    """Its own estimators must pass these too; check_estimator leaves them out."""
    check = getattr(estimator_checks, name)
    run_check(Estimator(max_iter=20), partial(check, Estimator.__name__))


CHECKS_OF_CLASSIFIERS = [
    "check_class_weight_classifiers",
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_one_label",
    "check_classifiers_one_label_sample_weights",
    "check_classifiers_regression_target",
    pytest.param("check_classifiers_train", marks=pytest.mark.slow),
    "check_non_transformer_estimators_n_iter",
    "check_supervised_y_2d",
]


@pytest.mark.parametrize("Estimator", TAGGERS)
@pytest.mark.parametrize("name", CHECKS_OF_CLASSIFIERS)
def test_a_label_a_row_makes_a_tagger_a_classifier(Estimator, name):
    class Classifier(Estimator):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.classifier_tags = ClassifierTags()
            return tags

    getattr(estimator_checks, name)(Estimator.__name__, Classifier())


class ClassWeighted(neural_network.MLPClassifier):
    """scikit-learn's classifier, with class weights as sample weights."""

    def __init__(
        self, class_weight=None, random_state=None, max_iter=200, n_iter_no_change=10
    ):
        super().__init__(
            random_state=random_state,
            max_iter=max_iter,
            n_iter_no_change=n_iter_no_change,
            early_stopping=True,
        )
        self.class_weight = class_weight

    def fit(self, X, y):
        return super().fit(X, y, compute_sample_weight(self.class_weight, y))


def counterpart(Estimator, check):
    """scikit-learn's estimator that a check is compared on."""
    if check == "check_class_weight_classifiers":
        return ClassWeighted()
    return getattr(neural_network, Estimator.__name__)(early_stopping=True)


FAILED_BY_BOTH = [
    (Estimator, name)
    for Estimator in ESTIMATORS
    if hasattr(neural_network, Estimator.__name__)
    for name in expected_failures(Estimator(early_stopping=True))
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("Estimator", "check"), FAILED_BY_BOTH)
def test_scikit_learn_fails_there_too(Estimator, check):
    """Nothing is expected to fail with early stopping that its own class passes."""
    with pytest.raises((AssertionError, ValueError)):
        getattr(estimator_checks, check)(
            Estimator.__name__, counterpart(Estimator, check)
        )


def small_rows(Estimator):
    """Samples and targets that it takes."""
    if Estimator in ESTIMATORS:
        return [[0.0], [1.0], [2.0]], [0, 1, 1]
    return ["ab", "b", "a"], ["ba", "b", "a"]


def parameters(Estimator):
    return inspect.signature(Estimator).parameters


def test_all_is_sorted_and_complete():
    assert sknn.__all__ == sorted(sknn.__all__)
    public = {
        name
        for name, value in vars(sknn).items()
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    assert public == set(sknn.__all__)
    assert len(ESTIMATORS) >= 2


TUNED_FOR_TAGS = {
    "dropout",
    "learning_rate",
    "learning_rate_init",
    "max_iter",
    "min_count",
    "positional_encoding",
    "warmup_epochs",
}
LEAVES = [
    pair
    for pair in itertools.combinations(ESTIMATORS, 2)
    if len({cls.__module__.rsplit("_", 1)[0] for cls in pair}) == 1
]


@pytest.mark.parametrize(("one", "other"), LEAVES)
def test_leaves_of_one_architecture_share_their_defaults(one, other):
    names = [name for name in parameters(one) if name in parameters(other)]
    assert names == [name for name in parameters(other) if name in parameters(one)]
    is_tagger = one in TAGGERS or other in TAGGERS
    for name in set(names) - (TUNED_FOR_TAGS if is_tagger else set()):
        assert parameters(one)[name] == parameters(other)[name], name
    apart = parameters(one).keys() ^ parameters(other).keys()
    of_classifiers = {"class_weight", "label_smoothing"}
    of_taggers = {"pooling", "char_embedding_dim"} if is_tagger else set()
    assert apart <= {"loss", "quantile", "huber_delta", *of_classifiers, *of_taggers}


@pytest.mark.parametrize(
    "Estimator", [cls for cls in ESTIMATORS if hasattr(neural_network, cls.__name__)]
)
def test_signature_begins_with_that_of_scikit_learn(Estimator):
    theirs = inspect.signature(getattr(neural_network, Estimator.__name__)).parameters
    ours = list(parameters(Estimator).values())
    unannotated = [p.replace(annotation=inspect.Parameter.empty) for p in ours]
    assert unannotated[: len(theirs)] == list(theirs.values())
    assert {p.kind for p in ours[len(theirs) :]} == {inspect.Parameter.KEYWORD_ONLY}


def documented_parameters(Estimator):
    """Names and types of the Parameters section, in its order."""
    section = inspect.getdoc(Estimator).split("\nParameters\n----------\n")[1]
    section = re.split(r"\n[A-Z][A-Za-z ]+\n-+\n", section)[0]
    return dict(re.findall(r"^(\w+) : (.+(?:\n(?=  +default=).+)?)$", section, re.M))


@pytest.mark.parametrize("Estimator", PUBLIC)
def test_documented_parameters(Estimator):
    documented = documented_parameters(Estimator)
    assert list(documented) == list(parameters(Estimator))
    for name, kind in documented.items():
        stated = re.search(r"default=(.+)$", kind)
        assert stated, f"{name}: {kind}"
        default = ast.literal_eval(stated.group(1))
        actual = parameters(Estimator)[name].default
        assert (default, type(default)) == (actual, type(actual)), name


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_documented_attributes_exist(Estimator):
    """Every public fitted attribute has its entry, and none is made up."""
    section = inspect.getdoc(Estimator).split("\nAttributes\n----------\n")[1]
    section = re.split(r"\n[A-Z][A-Za-z ]+\n-+\n", section)[0]
    documented = set(re.findall(r"^(\w+) : ", section, re.M))
    pandas = pytest.importorskip("pandas")
    y = [0, 1, 1]
    inputs = [
        (pandas.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]}), y),
    ]
    if "tokens" in parameters(Estimator):
        labels = [[0], [1], [1, 0]] if Estimator in TAGGERS else y
        inputs.append((["one", "two", "one two"], labels))
    public = set()
    for rows, labels in inputs:
        model = Estimator(max_iter=2).fit(rows, labels)
        public |= {n for n in dir(model) if re.fullmatch(r"[a-z]\w*(?<!_)_", n)}
    assert documented == public


@pytest.mark.parametrize("Estimator", PUBLIC)
def test_init_stores_and_does_nothing_else(Estimator):
    given = {name: object() for name in parameters(Estimator)}
    estimator = Estimator(**given)
    assert vars(estimator) == given
    assert estimator.get_params(deep=False) == given


@pytest.mark.parametrize("Estimator", PUBLIC)
def test_parameters_survive_set_get_and_clone(Estimator):
    changes = {"alpha": 0.5, "hidden_layer_sizes": (3, 2), "tol": 0.1, "max_iter": 2}
    changes = {k: v for k, v in changes.items() if k in parameters(Estimator)}
    estimator = Estimator().set_params(**changes)
    assert estimator.get_params() == Estimator(**changes).get_params()
    copied = clone(estimator.fit(*small_rows(Estimator)))
    assert copied is not estimator
    assert copied.get_params() == estimator.get_params()
    assert vars(copied) == copied.get_params()


@pytest.mark.parametrize("Estimator", PUBLIC)
def test_representations(Estimator):
    estimator = Estimator(epsilon=0.5, max_iter=2)
    assert repr(estimator) == f"{Estimator.__name__}(epsilon=0.5, max_iter=2)"
    for state in (estimator, estimator.fit(*small_rows(Estimator))):
        html = estimator_html_repr(state)
        assert Estimator.__name__ in html
        for name in parameters(Estimator):
            assert name in html
    assert "Not fitted" not in html


@pytest.mark.parametrize("Estimator", PUBLIC)
def test_public_methods_are_documented(Estimator):
    for name, method in inspect.getmembers(Estimator, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.getdoc(method), name


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fit_changes_neither_arguments_nor_parameters(Estimator):
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])
    weight = np.array([1.0, 2.0, 0.0, 1.0, 1.0, 3.0])
    arguments = (X, y, weight) if Estimator in WEIGHTED else (X, y)
    copies = [a.copy() for a in arguments]
    estimator = Estimator(max_iter=3)
    before = estimator.get_params()
    estimator.fit(*arguments)
    assert estimator.get_params() == before
    for array, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
