"""`sample_weight` and `class_weight`: a weight is a number of copies of a row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import scale
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ["sgd", "adam", "lbfgs"]
TARGETS = ["binary", "multiclass", "multilabel", "one", "several", "poisson"]
# Sums in another order differ by some 1e-15 a step, which lbfgs's line search and
# adam's division by small second moments enlarge.
RTOL = {"sgd": 1e-9, "adam": 1e-9, "lbfgs": 1e-6}


@pytest.fixture(scope="module")
def rows():
    """Sixty rows of iris, mixed: batches of 200 are full ones, copies included."""
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))[:60]
    return scale(X)[order], y[order]


@pytest.fixture(scope="module")
def counts():
    return np.random.RandomState(1).randint(0, 4, size=60)


def make_target(kind, rows):
    """Make ``X, y`` and the estimator class of a kind of target."""
    X, y = rows
    if kind == "multiclass":
        return MLPClassifier, X, np.array(["a", "b", "c"])[y]
    if kind == "binary":
        return MLPClassifier, X, np.where(y == 2, "yes", "no")
    if kind == "multilabel":
        return MLPClassifier, X, np.c_[y == 0, y >= 1, X[:, 0] > 0].astype(int)
    if kind == "several":
        return MLPRegressor, X[:, :2], X[:, 2:]
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X[:60]), y[:60] / y.max()
    return MLPRegressor, X, y


def make_network(kind, solver, rows, **params):
    """Make ``X, y`` and an estimator that draws nothing but its first weights."""
    Estimator, X, y = make_target(kind, rows)
    defaults = {"hidden_layer_sizes": (6,), "solver": solver, "shuffle": False}
    defaults |= {"max_iter": 15, "learning_rate_init": 0.02, "random_state": 0}
    if kind == "poisson":
        defaults["loss"] = "poisson"
    return Estimator(**{**defaults, **params}), X, y


def get_weights(estimator):
    return np.concatenate(
        [np.ravel(w) for w in [*estimator.coefs_, *estimator.intercepts_]]
    )


def assert_same_model(one, other, rtol):
    assert one.n_iter_ == other.n_iter_
    assert_allclose(get_weights(one), get_weights(other), rtol=rtol, atol=rtol)
    assert_allclose(one.loss_, other.loss_, rtol=rtol)
    if one.solver != "lbfgs":
        assert_allclose(one.loss_curve_, other.loss_curve_, rtol=rtol)


def copy_net(net, **params):
    return type(net)(**{**net.get_params(), **params})


# sample_weight


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", TARGETS)
def test_integer_weights_equal_repetition(kind, solver, rows, counts):
    net, X, y = make_network(kind, solver, rows, alpha=0.1)
    repeated = copy_net(net).fit(np.repeat(X, counts, 0), np.repeat(y, counts, 0))
    unweighted = copy_net(net).fit(X, y)
    net.fit(X, y, counts)
    assert_same_model(net, repeated, RTOL[solver])
    assert not np.allclose(get_weights(net), get_weights(unweighted), rtol=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["multiclass", "several"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh"])
def test_repetition_for_every_activation(kind, solver, activation, rows, counts):
    net, X, y = make_network(kind, solver, rows, activation=activation)
    net.set_params(hidden_layer_sizes=(5, 4))
    repeated = copy_net(net).fit(np.repeat(X, counts, 0), np.repeat(y, counts, 0))
    assert_same_model(net.fit(X, y, counts), repeated, RTOL[solver])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", TARGETS)
def test_zero_weight_is_removal(kind, solver, rows, counts):
    net, X, y = make_network(kind, solver, rows)
    kept = counts > 0
    removed = copy_net(net).fit(X[kept], y[kept])
    assert_same_model(net.fit(X, y, kept), removed, RTOL[solver])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", TARGETS)
def test_scale_of_the_weights_is_free_without_a_penalty(kind, solver, rows, counts):
    net, X, y = make_network(kind, solver, rows, alpha=0, batch_size=20)
    scaled = copy_net(net).fit(X, y, 37.3 * counts)
    assert_same_model(net.fit(X, y, counts), scaled, RTOL[solver])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", TARGETS)
def test_weights_of_one_are_no_weights(kind, solver, rows):
    net, X, y = make_network(kind, solver, rows, alpha=0.1, batch_size=20)
    plain = copy_net(net).fit(X, y)
    assert_same_model(net.fit(X, y, np.ones(60)), plain, RTOL[solver])


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_repetition_in_partial_fit(solver, rows, counts):
    net, X, y = make_network("multiclass", solver, rows)
    repeated = copy_net(net)
    for _ in range(4):
        net.partial_fit(X, y, counts, classes=list("abc"))
        repeated.partial_fit(
            np.repeat(X, counts, 0), np.repeat(y, counts, 0), classes=list("abc")
        )
    assert_allclose(get_weights(net), get_weights(repeated), rtol=1e-9, atol=1e-9)
    assert_allclose(net.loss_curve_, repeated.loss_curve_, rtol=1e-9)


def test_weights_in_sparse_x(rows, counts):
    sparse = pytest.importorskip("scipy.sparse")
    net, X, y = make_network("multiclass", "adam", rows)
    dense = copy_net(net).fit(X, y, counts)
    assert_same_model(net.fit(sparse.csr_array(X), y, counts), dense, 1e-9)


def test_weights_of_float32_data_stay_float32(rows, counts):
    net, X, y = make_network("multiclass", "adam", rows)
    net.fit(X.astype(np.float32), y, counts.astype(float))
    assert net.coefs_[0].dtype == np.float32


# class_weight


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("class_weight", ["balanced", "dict"])
def test_class_weight_is_a_factor(kind, solver, class_weight, rows):
    net, X, y = make_network(kind, solver, rows, batch_size=20)
    if class_weight == "dict":
        class_weight = dict(zip(np.unique(y), [0.5, 3.0, 2.0], strict=False))
    factor = compute_sample_weight(class_weight, y)
    weighted = copy_net(net).fit(X, y, factor)
    net.set_params(class_weight=class_weight).fit(X, y)
    assert_same_model(net, weighted, 1e-12)
    assert_array_equal(net.predict(X), weighted.predict(X))


@pytest.mark.parametrize("solver", SOLVERS)
def test_class_weight_multiplies_sample_weight(solver, rows, counts):
    class_weight = {"a": 2.0, "b": 0.25, "c": 1.0}
    net, X, y = make_network("multiclass", solver, rows)
    factor = compute_sample_weight(class_weight, y)
    product = copy_net(net).fit(X, y, factor * counts)
    net.set_params(class_weight=class_weight).fit(X, y, counts)
    assert_same_model(net, product, 1e-12)


def test_classes_without_an_entry_weigh_one(rows):
    net, X, y = make_network("multiclass", "adam", rows, class_weight={"b": 4})
    weighted = copy_net(net, class_weight=None).fit(X, y, np.where(y == "b", 4, 1))
    assert_same_model(net.fit(X, y), weighted, 1e-12)


def test_balanced_counts_the_weights_of_several_labels(rows, counts):
    net, X, Y = make_network("multilabel", "adam", rows, class_weight="balanced")
    repeated = copy_net(net).fit(np.repeat(X, counts, 0), np.repeat(Y, counts, 0))
    assert_same_model(net.fit(X, Y, counts), repeated, 1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_balanced_counts_the_weights(solver, rows, counts):
    net, X, y = make_network("multiclass", solver, rows, class_weight="balanced")
    repeated = copy_net(net).fit(np.repeat(X, counts, 0), np.repeat(y, counts, 0))
    net.fit(X, y, counts)
    assert_same_model(net, repeated, RTOL[solver])
    classes = np.unique(y)
    factors = compute_class_weight(
        "balanced", classes=classes, y=y, sample_weight=counts
    )
    factor = factors[np.searchsorted(classes, y)]
    product = copy_net(net, class_weight=None).fit(X, y, factor * counts)
    assert_same_model(net, product, RTOL[solver])


def test_class_weight_of_several_labels(rows):
    net, X, Y = make_network("multilabel", "adam", rows, class_weight="balanced")
    weighted = copy_net(net, class_weight=None)
    weighted.fit(X, Y, compute_sample_weight("balanced", Y))
    assert_same_model(net.fit(X, Y), weighted, 1e-9)


def test_class_weight_of_boolean_labels(rows):
    net, X, y = make_network("binary", "adam", rows, class_weight={True: 5})
    weighted = copy_net(net, class_weight=None).fit(X, y, np.where(y == "yes", 5, 1))
    assert_same_model(net.fit(X, y == "yes"), weighted, 1e-12)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_class_weight_in_partial_fit(solver, rows, counts):
    class_weight = {"a": 2.0, "b": 0.25, "c": 1.0}
    net, X, y = make_network("multiclass", solver, rows, class_weight=class_weight)
    weighted = copy_net(net, class_weight=None)
    factor = compute_sample_weight(class_weight, y)
    for part in (slice(0, 30), slice(30, 60)):
        net.partial_fit(X[part], y[part], counts[part], classes=list("abc"))
        weight = factor[part] * counts[part]
        weighted.partial_fit(X[part], y[part], weight, classes=list("abc"))
    assert_same_model(net, weighted, 1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("class_weight", [{"a": 2.0, "b": 0.25}, "balanced"], ids=str)
def test_class_weight_weighs_the_validation_rows(
    class_weight, weighted, solver, rows, counts
):
    net, X, y = make_network("multiclass", solver, rows)
    X_val, y_val, w_val = X[40:], y[40:], counts[40:] if weighted else None
    factor, factor_val = (
        compute_sample_weight(class_weight, t) for t in (y[:40], y_val)
    )
    if weighted:
        classes = np.unique(y_val)
        if class_weight == "balanced":
            factors = compute_class_weight(
                "balanced", classes=classes, y=y_val, sample_weight=w_val
            )
            factor_val = factors[np.searchsorted(classes, y_val)]
        factor_val = factor_val * w_val
    same = copy_net(net).fit(
        X[:40], y[:40], factor, X_val=X_val, y_val=y_val, sample_weight_val=factor_val
    )
    net.set_params(class_weight=class_weight).fit(
        X[:40], y[:40], X_val=X_val, y_val=y_val, sample_weight_val=w_val
    )
    assert_same_model(net, same, 1e-9)
    for name in ("validation_loss_curve_", "validation_scores_"):
        assert_allclose(getattr(net, name), getattr(same, name), rtol=1e-9)


def test_balanced_validation_rows_may_lack_a_class(rows):
    net, X, y = make_network("multiclass", "adam", rows, class_weight="balanced")
    seen = y != "a"
    net.fit(X, y, X_val=X[seen], y_val=y[seen])
    weight = compute_sample_weight("balanced", y[seen])
    expected = net.score(X[seen], y[seen], weight)
    assert_allclose(net.validation_scores_[-1], expected, rtol=1e-9)


def test_class_weight_moves_the_boundary(rows):
    net, X, y = make_network("multiclass", "lbfgs", rows, max_iter=100, alpha=1.0)
    plain = copy_net(net).fit(X, y)
    net.set_params(class_weight={"b": 50}).fit(X, y)
    assert np.mean(net.predict(X) == "b") > np.mean(plain.predict(X) == "b")


def test_score_is_weighted(rows, counts):
    net, X, y = make_network("multiclass", "adam", rows)
    net.fit(X, y)
    expected = np.average(net.predict(X) == y, weights=counts)
    assert_allclose(net.score(X, y, counts), expected, rtol=1e-12)
