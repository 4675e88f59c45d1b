"""Training of taggers: seeds, copies, going on, validation, callbacks."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from skorch.callbacks import Callback, EpochScoring

from sknn import RecurrentTagger, TransformerTagger
from sknn.metrics import tagging_accuracy, tagging_accuracy_scorer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

TAGGERS = pytest.mark.parametrize("Tagger", [RecurrentTagger, TransformerTagger])
SMALL = {
    RecurrentTagger: {"hidden_layer_sizes": (6,)},
    TransformerTagger: {"d_model": 8, "n_heads": 2, "n_layers": 1},
}
RANDOM = np.random.RandomState(0)
LENGTHS = RANDOM.randint(1, 8, 24)
SERIES = [RANDOM.standard_normal((n, 2)).astype(np.float32) for n in LENGTHS]
WORDS = [RANDOM.choice(["tea", "heat", "cup", "a"], n).tolist() for n in LENGTHS]
Y = [RANDOM.choice(["N", "V", "X"], n).tolist() for n in LENGTHS]
INPUTS = pytest.mark.parametrize("X", [SERIES, WORDS], ids=["series", "words"])


def make(Tagger, **params):
    options = {"max_iter": 2, "batch_size": 8, "random_state": 0, "min_count": 1}
    return Tagger(**SMALL[Tagger] | options | params)


def fit(Tagger, X=SERIES, y=Y, **params):
    return make(Tagger, **params).fit(X, y)


def join(rows):
    return np.concatenate(list(rows))


def get_outputs(model, X):
    return join(model.predict_proba(X))


def get_weights(model):
    return join(p.detach().numpy().ravel() for p in model.module_.parameters())


# Seeds, copies, going on


@TAGGERS
def test_one_seed_one_result_and_global_states_stay(Tagger):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one, other = (fit(Tagger, WORDS, dropout=0.2) for _ in range(2))
    assert_array_equal(get_weights(one), get_weights(other))
    assert one.loss_curve_ == other.loss_curve_
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    third = fit(Tagger, WORDS, dropout=0.2, random_state=1)
    assert not np.array_equal(get_weights(one), get_weights(third))


@TAGGERS
@INPUTS
def test_pickles_and_clones_are_the_same_network(Tagger, X):
    model = fit(Tagger, X)
    copied = pickle.loads(pickle.dumps(model))
    assert_array_equal(get_outputs(copied, X), get_outputs(model, X))
    assert_array_equal(get_weights(clone(model).fit(X, Y)), get_weights(model))
    for each in (copied, model):
        each.partial_fit(X, Y)
    assert_array_equal(get_weights(copied), get_weights(model))


@TAGGERS
def test_partial_fit(Tagger):
    model = make(Tagger, batch_size="full")
    model.partial_fit(WORDS[:9], Y[:9], classes=["N", "Q", "V", "X"])
    assert list(model.classes_) == ["N", "Q", "V", "X"]
    before, vocabulary = get_weights(model), dict(model.vocabulary_)
    model.partial_fit([["new", "tea"]], [["Q", "N"]])
    assert not np.array_equal(get_weights(model), before)
    assert len(model.loss_curve_) == 2 and model.vocabulary_ == vocabulary
    with pytest.raises(ValueError, match="classes must be the same"):
        model.partial_fit(WORDS, Y, classes=["N", "V", "X"])
    without = make(Tagger).partial_fit(WORDS, Y)
    assert list(without.classes_) == ["N", "V", "X"]
    with pytest.raises(ValueError, match=r"not in `self\.classes_`"):
        without.partial_fit([["tea"]], [["Q"]])
    with pytest.raises(ValueError, match="class_weight='balanced'"):
        make(Tagger, class_weight="balanced").partial_fit(WORDS, Y)


@TAGGERS
@INPUTS
def test_a_warm_start_goes_on(Tagger, X):
    model = fit(Tagger, X, warm_start=True)
    before = get_weights(model)
    model.fit(X, Y)
    assert len(model.loss_curve_) == 4
    assert not np.array_equal(get_weights(model), before)
    name = "cell" if Tagger is RecurrentTagger else "norm_first"
    other = {"cell": "gru", "norm_first": False}[name]
    with pytest.raises(ValueError, match=f"^{name} must stay as fitted"):
        model.set_params(**{name: other}).fit(X, Y)


@TAGGERS
def test_the_size_of_letters_stays_while_training_goes_on(Tagger):
    model = fit(Tagger, WORDS, warm_start=True)
    for value in (5, None):
        with pytest.raises(ValueError, match=r"^char_embedding_dim must stay"):
            model.set_params(char_embedding_dim=value).fit(WORDS, Y)


@TAGGERS
def test_another_fit_forgets_what_the_inputs_were(Tagger):
    frame = pd.DataFrame(join(SERIES), columns=["east", "north"])
    model = fit(Tagger, frame, join(Y)).fit(WORDS, Y)
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(WORDS).dtype == object
    model.fit(SERIES, Y)
    assert not hasattr(model, "vocabulary_") and model.n_features_in_ == 2
    assert model.fit(frame, join(Y)).predict(frame).dtype.kind == "U"


# Validation and callbacks


@TAGGERS
@INPUTS
def test_validation(Tagger, X):
    split = fit(Tagger, X, early_stopping=True, validation_fraction=0.3)
    assert len(split.validation_scores_) == split.n_iter_
    assert split.best_validation_score_ == max(split.validation_scores_)
    given = make(Tagger).fit(X, Y, X_val=X[:5], y_val=Y[:5])
    assert_array_equal(get_weights(given), get_weights(fit(Tagger, X)))
    assert given.validation_scores_[-1] == pytest.approx(given.score(X[:5], Y[:5]))


@TAGGERS
@pytest.mark.parametrize("scoring", ["loss", "scorer", "function"])
def test_scoring_of_validation(Tagger, scoring):
    def function(model, X, y):
        return tagging_accuracy(y, model.predict(X))

    chosen = {"scorer": tagging_accuracy_scorer, "function": function}
    model = make(Tagger, scoring=chosen.get(scoring, scoring))
    model.fit(WORDS, Y, X_val=WORDS[:7], y_val=Y[:7])
    if scoring == "loss":
        expected = [-loss for loss in model.validation_loss_curve_]
    else:
        plain = make(Tagger).fit(WORDS, Y, X_val=WORDS[:7], y_val=Y[:7])
        expected = plain.validation_scores_
    assert_allclose(model.validation_scores_, expected, rtol=1e-12)


@TAGGERS
def test_callbacks_of_skorch(Tagger):
    class Sizes(Callback):
        log = []

        def on_batch_end(self, net, batch, training, **_):
            self.log.append((len(batch[1]), training))

    def count(net, X, y=None):
        return float(len(X))

    callbacks = [Sizes(), EpochScoring(count, name="rows", on_train=True)]
    model = fit(Tagger, WORDS, callbacks=callbacks)
    of_epoch = Sizes.log[: len(Sizes.log) // 2]
    assert sum(n for n, _ in of_epoch) == LENGTHS.sum()
    assert all(training for _, training in Sizes.log)
    assert model.history_[:, "rows"] == [24.0, 24.0]
    assert_array_equal(get_weights(model), get_weights(fit(Tagger, WORDS)))


@TAGGERS
def test_callbacks_of_scikit_learn(Tagger):
    class StopAfterTwo:
        seen = []

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            if context.parent is not None:
                self.seen.append(fitted_estimator.score(X, y))
            return len(self.seen) == 2

    model = make(Tagger, max_iter=9).set_callbacks(StopAfterTwo()).fit(WORDS, Y)
    assert model.n_iter_ == 2
    assert StopAfterTwo.seen[-1] == model.score(WORDS, Y)
