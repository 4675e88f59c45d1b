"""Dropout and batch normalization as hyperparameters of the estimators."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from skorch.callbacks import Callback, EpochScoring, Freezer

from sknn import MLPClassifier, MLPRegressor, _mlp_base
from sknn.training import _parallel

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CASES = {
    "dropout": {"dropout": 0.3},
    "dropout-a-layer": {"dropout": [0.0, 0.4]},
    "norm": {"batch_norm": True},
    "both": {"dropout": [0.2, 0.3], "batch_norm": True},
}
every_case = pytest.mark.parametrize("case", CASES)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def make_classifier(case, **params):
    params = {"max_iter": 20, "random_state": 0, "learning_rate_init": 0.01} | params
    return MLPClassifier((32, 16), **CASES[case], **params)


def get_state(net):
    parts = [*net.coefs_, *net.intercepts_, *net.module_.buffers()]
    return np.concatenate([np.ravel(part) for part in parts])


@every_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_digits_are_learned_and_the_option_does_something(digits, case, dtype):
    X, y = digits
    net = make_classifier(case).fit(X[::2].astype(dtype), y[::2])
    assert net.score(X[1::2], y[1::2]) > 0.9
    plain = MLPClassifier(**net.get_params() | {"dropout": 0.0, "batch_norm": False})
    plain.fit(X[::2].astype(dtype), y[::2])
    assert not np.allclose(net.loss_curve_, plain.loss_curve_, rtol=1e-3)


@every_case
def test_predictions_are_those_of_the_module(digits, case):
    X, y = digits
    net = make_classifier(case, max_iter=2).fit(X, y)
    assert not net.module_.training
    with torch.no_grad():
        probability = net.module_(torch.from_numpy(X)).softmax(1)
        hidden = net.module_.hidden(torch.from_numpy(X))
    for form in (np.asarray, sparse.csr_array):
        assert_allclose(net.predict_proba(form(X)), probability, rtol=1e-9)
        assert_allclose(net.transform(form(X)), hidden, rtol=1e-9, atol=1e-12)
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict_proba(X), net.predict_proba(X))


@every_case
@pytest.mark.parametrize("solver", ["sgd", "adam", "rmsprop"])
def test_sparse_rows_train_as_dense_ones_do(digits, case, solver):
    X, y = digits[0][:300], digits[1][:300]
    net = make_classifier(case, solver=solver, max_iter=3)
    dense = get_state(net.fit(X, y))
    assert_allclose(get_state(net.fit(sparse.csr_array(X), y)), dense, rtol=1e-6)


@every_case
@pytest.mark.parametrize("early_stopping", [False, True])
def test_same_seed_same_bits_and_global_states_stay(digits, case, early_stopping):
    X, y = digits
    before = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    net = make_classifier(case, max_iter=3, early_stopping=early_stopping)
    one, other = (get_state(clone(net).fit(X, y)) for _ in range(2))
    assert_array_equal(one, other)
    assert_array_equal(torch.get_rng_state(), before[0])
    assert str(np.random.get_state()) == before[1]  # noqa: NPY002
    different = get_state(net.set_params(random_state=1).fit(X, y))
    assert not np.allclose(one, different)


class Looker(Callback):
    """Looks at every batch, so that training takes skorch's steps."""

    def on_batch_end(self, net, **kwargs):
        pass


@every_case
def test_a_batch_hook_changes_nothing(digits, case):
    X, y = digits
    net = make_classifier(case, max_iter=3)
    plain = get_state(clone(net).fit(X, y))
    hooked = net.set_params(callbacks=[Looker(), EpochScoring("accuracy")]).fit(X, y)
    # running statistics are moved at each batch then, in another order of summation
    rtol = 1e-9 if net.batch_norm else 0
    assert_allclose(get_state(hooked), plain, rtol=rtol, atol=1e-12 * (rtol > 0))


@every_case
def test_autograd_trains_as_the_delta_rule_does(digits, case):
    """A callback that may freeze parameters leaves the gradient to autograd."""
    X, y = digits
    net = make_classifier(case, max_iter=3, solver="sgd")
    by_hand = get_state(clone(net).fit(X, y, np.arange(len(X)) % 3 + 0.5))
    freezer = Freezer(lambda name: False)
    net.set_params(callbacks=[freezer]).fit(X, y, np.arange(len(X)) % 3 + 0.5)
    assert_allclose(get_state(net), by_hand, rtol=1e-6, atol=1e-9)
    assert all(layer.draw_mask is None for layer in net.module_.dropouts)


@every_case
def test_parts_and_threads(digits, case, monkeypatch):
    X, y = digits
    monkeypatch.setattr(_parallel, "WORTH_A_THREAD", 1000)
    monkeypatch.setattr(_mlp_base, "MOST_SUMMED_PARTS", 8)
    before, states = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            states.append(get_state(make_classifier(case, max_iter=3).fit(X, y)))
    finally:
        torch.set_num_threads(before)
    for state in states[1:]:
        assert_array_equal(state, states[0])


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_a_small_last_batch_joins_the_one_before(Estimator):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(21, 3)), np.arange(21) % 2
    net = Estimator(batch_size=10, batch_norm=True, max_iter=4, random_state=0)
    net.fit(X, y)
    assert net.module_.norms[0].num_batches_tracked == 8  # of 10 and 11 rows
    net.set_params(batch_size=9).fit(X, y)
    assert net.module_.norms[0].num_batches_tracked == 12  # three rows are a third
    net.set_params(batch_size=19).fit(X, y)
    assert net.module_.norms[0].num_batches_tracked == 4  # and two a tenth
    net.set_params(batch_size=1).fit(X, y)
    assert net.module_.norms[0].num_batches_tracked == 0
    assert np.isfinite(net.fit(X[:1], y[:1]).predict(X)).all()


def test_rows_of_the_last_batch_are_trained_on():
    X, y = np.eye(21), np.arange(21) % 2
    net = MLPClassifier((4,), batch_size=10, batch_norm=True, max_iter=1)
    net.set_params(alpha=0.0, random_state=0, solver="sgd", learning_rate_init=1e-9)
    before = clone(net).fit(X, y).coefs_[0]
    moved = net.set_params(learning_rate_init=1e-2).fit(X, y).coefs_[0] - before
    assert (np.abs(moved).max(axis=1) > 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_full_batches_predict_as_they_were_trained(digits, dtype):
    """With a rate of nothing the running statistics are those of the whole batch."""
    X, y = digits[0][:300].astype(dtype), digits[1][:300]
    net = MLPClassifier((16,), batch_norm=True, batch_size="full", random_state=0)
    net.set_params(max_iter=3, learning_rate_init=1e-12, alpha=0.0).fit(X, y)
    probability = net.predict_proba(X)[np.arange(300), y]
    assert_allclose(-np.log(probability).mean(), net.loss_, rtol=1e-4)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_whole_weights_equal_repetition(Estimator):
    rng = np.random.RandomState(0)
    X, weight = rng.normal(size=(40, 3)), rng.randint(0, 4, size=40)
    y = (X[:, 0] > 0).astype(int)
    net = Estimator(batch_norm=True, batch_size="full", max_iter=20, random_state=0)
    net.set_params(shuffle=False)
    weighted = get_state(clone(net).fit(X, y, weight))
    repeated = net.fit(X.repeat(weight, 0), y.repeat(weight))
    assert_allclose(weighted, get_state(repeated), rtol=1e-7, atol=1e-9)


def test_best_weights_come_with_their_statistics(digits):
    X, y = digits
    net = make_classifier("norm", early_stopping=True, n_iter_no_change=4, max_iter=60)
    net.set_params(random_state=3, learning_rate_init=0.05).fit(X, y, X_val=X, y_val=y)
    assert net.validation_scores_[-1] < net.best_validation_score_
    assert net.score(X, y) == net.best_validation_score_


@every_case
def test_training_goes_on(digits, case):
    X, y = digits[0][:400], digits[1][:400]
    net = make_classifier(case, max_iter=2, warm_start=True).fit(X, y)
    first = net.loss_
    n_batches = [int(norm.num_batches_tracked) for norm in net.module_.norms]
    copy = pickle.loads(pickle.dumps(net))
    for _ in range(10):
        net.partial_fit(X, y)
        copy.partial_fit(X, y)
    assert net.loss_ < first
    assert_array_equal(get_state(net), get_state(copy))
    found = [int(norm.num_batches_tracked) for norm in net.module_.norms]
    assert found == [6 * n for n in n_batches]
    assert net.fit(X, y).loss_ < first


def test_masks_of_partial_fits_differ():
    """One seed must not leave out the same units in every call."""
    X, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    net = MLPClassifier((50,), dropout=0.5, random_state=0, learning_rate_init=1e-12)
    losses = [net.partial_fit(X, y, classes=[0, 1]).loss_ for _ in range(4)]
    assert len(set(np.round(losses, 6))) > 1


def test_dropout_may_change_on_the_way_and_batch_norm_may_not(digits):
    X, y = digits[0][:200], digits[1][:200]
    net = make_classifier("norm", max_iter=2, warm_start=True).fit(X, y)
    net.set_params(dropout=0.5).fit(X, y)
    assert [layer.rate for layer in net.module_.dropouts] == [0.5, 0.5]
    net.set_params(dropout=0.0).fit(X, y)
    assert not len(net.module_.dropouts)
    before = get_state(net)
    net.set_params(batch_norm=False)
    with pytest.raises(ValueError, match="batch_norm must stay as fitted"):
        net.fit(X, y)
    assert_array_equal(get_state(net), before)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_without_hidden_layers_there_is_nothing_to_do(digits, batch_norm):
    X, y = digits[0][:200], digits[1][:200]
    net = MLPClassifier((), dropout=0.5, batch_norm=batch_norm, max_iter=3)
    net.set_params(random_state=0, warm_start=True)
    with pytest.warns(UserWarning, match=" has no effect with hidden_lay") as caught:
        net.fit(X, y).fit(X, y)
    said = {str(warning.message).split("=")[0] for warning in caught}
    assert said >= {"dropout", *["batch_norm"] * batch_norm}
    plain = MLPClassifier((), max_iter=3, random_state=0, warm_start=True)
    plain.fit(X, y).fit(X, y)
    assert_array_equal(net.coefs_[0], plain.coefs_[0])


@pytest.mark.parametrize(
    "dropout", [[0.1], [0.1, 0.2, 0.3], [0.1, 1.0], [0.1, "b"], [0.1, np.nan], [[0.1]]]
)
def test_rates_that_fit_no_layers(digits, dropout):
    net = MLPClassifier((4, 3), dropout=dropout)
    with pytest.raises(ValueError, match=r"dropout must be .*2 hidden layers: got"):
        net.fit(*digits)
    assert not hasattr(net, "module_")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"dropout": 0.5}, "dropout must be 0 with solver='lbfgs'.*got 0.5"),
        ({"dropout": [0.0, 0.5]}, r"dropout must be 0 .*got \[0.0, 0.5\]"),
        ({"batch_norm": True}, "batch_norm must be False with solver='lbfgs'"),
    ],
)
def test_lbfgs_takes_neither(digits, params, said):
    with pytest.raises(ValueError, match=said):
        MLPClassifier((4, 3), solver="lbfgs", **params).fit(*digits)


@pytest.mark.parametrize(
    "changed", [{"dropout": 0.5}, {"label_smoothing": 0.2}, {"learning_rate": "cosine"}]
)
def test_another_objective_is_trained_for_more_than_an_epoch(digits, changed):
    X, y = digits[0][:300], digits[1][:300]
    net = MLPClassifier((16,), warm_start=True, tol=1e-2, random_state=0)
    net.set_params(learning_rate_init=0.01).fit(X, y)
    assert net.n_iter_ > 10
    assert net.fit(X, y).n_iter_ == 1  # as in scikit-learn
    net.set_params(**changed).fit(X, y)
    assert net.n_iter_ > 10


class Interrupter(Callback):
    """Presses Ctrl-C in the middle of the third epoch."""

    def on_train_begin(self, net, **kwargs):
        self.n_batches_ = 0

    def on_batch_begin(self, net, training=None, **kwargs):
        self.n_batches_ += training
        if self.n_batches_ == 2 * 9 + 4:
            raise KeyboardInterrupt


def test_an_interrupt_leaves_the_statistics_of_a_whole_epoch(digits):
    X, y = digits
    net = make_classifier("norm", max_iter=5, callbacks=[Interrupter()])
    with pytest.warns(UserWarning, match="interrupted"):
        net.fit(X, y)
    whole = make_classifier("norm", max_iter=2, callbacks=[Looker()]).fit(X, y)
    assert_array_equal(get_state(net), get_state(whole))


def test_divergence_leaves_finite_statistics(digits):
    X, y = digits
    net = make_classifier("norm", solver="sgd", learning_rate_init=1e200)
    with pytest.raises(ValueError, match="non-finite"):
        net.fit(X, y)
    assert np.isfinite(get_state(net)).all()
    assert np.isfinite(net.predict_proba(X)).all()
