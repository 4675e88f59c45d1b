"""Seq2SeqTransformer with validation pairs, in searches, pipelines, with callbacks."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.ensemble import BaggingClassifier, StackingRegressor, VotingClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from sknn import Seq2SeqTransformer
from sknn.metrics import (
    neg_token_error_rate_scorer,
    sequence_accuracy,
    sequence_accuracy_scorer,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

RANDOM = np.random.RandomState(0)
X = ["".join(RANDOM.choice(list("abcd"), n)) for n in RANDOM.randint(1, 6, 40)]
Y = [x[::-1].upper() for x in X]
LISTS = [list(x) for x in X], [list(y) for y in Y]
SMALL = {"d_model": 8, "n_heads": 2, "n_layers": 1, "max_iter": 2, "batch_size": 16}
SMALL |= {"learning_rate": "cosine", "learning_rate_init": 0.02, "warmup_epochs": 1}
SMALL |= {"positional_encoding": "sinusoidal", "activation": "relu", "norm_first": True}
SMALL |= {"dropout": 0.0, "label_smoothing": 0.0, "beam_size": 1, "random_state": 0}
SMALL |= {"min_count": 1, "n_iter_no_change": 100}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More are slower at products this small where others use the cores too."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def make(**params):
    return Seq2SeqTransformer(**SMALL | params)


def fit(X=X, y=Y, **params):
    return make(**params).fit(X, y)


def get_weights(model):
    return np.concatenate(
        [p.numpy().ravel() for p in model.module_.state_dict().values()]
    )


def object_array(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


@pytest.fixture(scope="module")
def fitted(one_thread):
    return fit(max_iter=12)


# Validation


def test_validation_pairs_of_ones_own():
    X_val, y_val = X[:9], Y[:9]
    model = make(max_iter=4).fit(X, Y, X_val=X_val, y_val=y_val)
    assert_array_equal(get_weights(model), get_weights(fit(max_iter=4)))
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == 4
    assert model.validation_scores_[-1] == model.score(X_val, y_val)
    unknown = make().fit(X, Y, X_val=["xyz"], y_val=["?"])  # errors, no reason to fail
    assert np.isfinite(unknown.validation_loss_curve_).all()
    unknown.set_params(batch_size="full")
    again = unknown.fit([[1], [2, 3]], [[1], [3, 2]], X_val=[[2]], y_val=[[2]])
    assert len(again.validation_scores_) == 2  # by the tokens of this fit


def test_early_stopping_keeps_the_best_network():
    options = {"early_stopping": True, "max_iter": 12, "n_iter_no_change": 12}
    model = make(**options).fit(X, Y, X_val=X[:9], y_val=Y[:9])
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(X[:9], Y[:9]) == model.best_validation_score_
    model = fit(early_stopping=True, max_iter=30, n_iter_no_change=2, tol=2.0)
    # the first one counts, and then more than two without an improvement
    assert model.n_iter_ == len(model.validation_scores_) == 1 + 3


def test_a_split_of_its_own_is_left_out_of_training():
    model = fit(early_stopping=True, validation_fraction=0.25)
    assert model.t_ == 2 * 30
    assert not np.array_equal(get_weights(model), get_weights(fit()))


SCORINGS = {
    "loss": "loss",
    "error rate": neg_token_error_rate_scorer,
    "whole sequences": sequence_accuracy_scorer,
    "its own": lambda model, X, y: model.score(X, y),
    "likelihood": lambda model, X, y: model.score_samples(X, y).mean(),
}


@pytest.mark.parametrize("scoring", SCORINGS.values(), ids=SCORINGS)
def test_scores_of_the_validation(scoring):
    X_val, y_val = X[:9], Y[:9]
    model = make(scoring=scoring, max_iter=8).fit(X, Y, X_val=X_val, y_val=y_val)
    if scoring == "loss":
        expected = -model.validation_loss_curve_[-1]
    else:
        expected = scoring(model, X_val, y_val)
    assert_allclose(model.validation_scores_[-1], expected, rtol=1e-6)


# With others' tools


def test_cross_validation_and_searches_of_ragged_targets():
    model = make(max_iter=12)
    for scoring in (None, neg_token_error_rate_scorer, sequence_accuracy_scorer):
        scores = cross_val_score(model, X, Y, cv=2, scoring=scoring)
        of_lists = cross_val_score(model, *LISTS, cv=2, scoring=scoring)
        assert np.isfinite(scores).all()
        assert_array_equal(scores, of_lists)
    predicted = cross_val_predict(model, X, Y, cv=2)
    half = clone(model).fit(X[20:], Y[20:])
    assert predicted[:20].tolist() == half.predict(X[:20]).tolist()
    predicted = cross_val_predict(model, *LISTS, cv=2)
    assert predicted.shape == (40,) and predicted.dtype == object
    grid = {"learning_rate_init": [0.02, 1e-6]}
    search = GridSearchCV(model, grid, cv=2, scoring=neg_token_error_rate_scorer)
    search.fit(*LISTS)
    assert search.best_params_ == {"learning_rate_init": 0.02}
    assert_allclose(-search.best_score_, 1 - cross_val_score(model, X, Y, cv=2).mean())
    X_train, X_test, y_train, y_test = train_test_split(*LISTS, random_state=0)
    score = clone(model).fit(X_train, y_train).score(X_test, y_test)
    assert score == clone(model).fit(X_train, y_train).score(
        object_array(X_test), y_test
    )


def test_a_pipeline_of_functions():
    upper = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    model = make_pipeline(upper, make()).fit(X, Y)
    by_hand = fit([x.upper() for x in X])
    assert_array_equal(model.predict(X), by_hand.predict([x.upper() for x in X]))
    assert model.score(X, Y) == by_hand.score([x.upper() for x in X], Y)
    assert_array_equal(get_weights(model[-1]), get_weights(by_hand))


class Tally(Callback):
    """A skorch callback that counts batches and epochs."""

    def initialize(self):
        self.n_batches = self.n_epochs = 0
        return self

    def on_batch_end(self, net, training=True, **kwargs):
        self.n_batches += training

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1


def test_callbacks_of_both_worlds(capsys):
    model = make(callbacks=[Tally()], max_iter=3)
    model.set_callbacks(ProgressBar()).fit(X, Y)
    tally = dict(model.callbacks_)["Tally"]
    assert tally.n_epochs == 3 and tally.n_batches >= 3 * 3  # batches of 16 of 40
    assert "Seq2SeqTransformer" in capsys.readouterr().out
    assert_array_equal(get_weights(model), get_weights(fit(max_iter=3)))


def test_accuracy_is_for_strings_alone(fitted):
    predicted = fitted.predict(X)
    expected = np.mean([p == y for p, y in zip(predicted, Y, strict=True)])
    assert sequence_accuracy(Y, predicted) == expected
    assert sequence_accuracy_scorer(fitted, X, Y) == expected
    assert get_scorer("accuracy")(fitted, X, Y) == expected
    of_lists = fit(*LISTS, max_iter=12)
    assert sequence_accuracy_scorer(of_lists, *LISTS) == expected
    with pytest.raises(ValueError, match="legacy multi-label"):
        get_scorer("accuracy")(of_lists, *LISTS)


def test_meta_estimators_of_other_kinds_say_no():
    for meta in (VotingClassifier, StackingRegressor):
        with pytest.raises(ValueError, match="Seq2SeqTransformer should be a"):
            meta([("model", make())]).fit(X, Y)
    with pytest.raises(ValueError, match="Expected 2D array"):
        BaggingClassifier(make(), n_estimators=2).fit(X, Y)
