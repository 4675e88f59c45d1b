"""What a GANSampler generates, how it trains, and what it keeps."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ks_2samp
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from skorch.callbacks import Callback, Freezer
from test_docs import DOCS, run_blocks

from sknn import GANSampler
from sknn._gan_watch import Comparison, choose, discrepancy, mean_distance
from sknn.metrics._discrepancy import median_bandwidth
from sknn.training._adversarial_loss import LOSSES
from sknn.training._adversarial_perceptrons import PerceptronPasses
from sknn.training._updates import Adam

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
SMALL = {
    "latent_dim": 4,
    "generator_layer_sizes": (16,),
    "discriminator_layer_sizes": (16,),
    "max_iter": 4,
    "random_state": 0,
}


def make(**changes):
    return GANSampler(**{**SMALL, **changes})


@pytest.fixture(scope="module")
def conditional():
    names = np.array(["setosa", "versicolor", "virginica"])[Y_IRIS]
    return make().fit(X_IRIS, names)


@pytest.fixture(scope="module")
def unconditional():
    return make().fit(X_IRIS)


def draw_mixture(n, random_state):
    centers = random_state.choice([-2.0, 2.0], n)
    return random_state.normal(centers, 0.5)[:, None]


# What the statistic of two samples of 500 rows of one distribution exceeds with a
# probability of 0.001: 1.95 times the root of 2/500.
MOST_APART = 1.95 * np.sqrt(2 / 500)


def test_a_mixture_is_learned_that_a_collapsed_generator_misses():
    random_state = np.random.RandomState(0)
    X, new = draw_mixture(1000, random_state), draw_mixture(500, random_state)
    model = GANSampler(
        latent_dim=2, learning_rate="linear", max_iter=60, random_state=0
    ).fit(X)
    made = model.sample(500, random_state=0)
    assert ks_2samp(made[:, 0], new[:, 0]).statistic < MOST_APART
    collapsed = np.full((500, 1), made[0])
    assert ks_2samp(collapsed[:, 0], new[:, 0]).statistic > 2 * MOST_APART
    assert model.diversity_curve_[-1] == pytest.approx(1, abs=0.15)


def train_discriminator(draw, loss, penalty, strength):
    """The best judge of what `draw` gives, and its last loss."""
    model = make(discriminator_layer_sizes=(32,), dtype="float64").fit(X_IRIS[:, :2])
    flats = model._flat, model._adversary.flat
    passes = PerceptronPasses(*flats, "leaky_relu", loss, penalty, strength)
    optimizer = Adam([flats[1].parameter], lr=0.01)
    for rate in np.linspace(0.01, 0.0, 1500):
        real, fake, mix = draw()
        value = passes.judge(real, fake, None, None, mix)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.update()
    return model.discriminator_.judge, value


def test_the_best_discriminator_of_equal_distributions_says_a_half():
    """The optimum p(x) / (p(x) + p(x)), Goodfellow et al. 2014, proposition 1."""
    random_state = np.random.RandomState(0)

    def draw():
        return *random_state.normal(size=(2, 256, 2)), None

    judge, loss = train_discriminator(draw, LOSSES["minimax"], None, 0.0)
    x = torch.from_numpy(random_state.normal(size=(1000, 2)))
    with torch.no_grad():
        chances = torch.sigmoid(judge(x))
    assert (chances - 0.5).abs().mean() < 0.03
    assert loss == pytest.approx(np.log(4), abs=0.02)


@pytest.mark.parametrize("strength", [1.0, 10.0])
def test_the_best_wasserstein_critic_has_the_slope_of_its_penalty(strength):
    """Between points one apart the slope s minimises strength (s - 1)^2 - s.

    The last loss is a mean of 256 pairs, with a standard error of 0.01 s / sqrt(128).
    """
    apart = np.array([0.6, 0.8])
    random_state = np.random.RandomState(0)

    def draw():
        real, fake = random_state.normal(scale=0.01, size=(2, 256, 2))
        return real + apart, fake, random_state.uniform(size=(256, 1))

    wasserstein = LOSSES["wasserstein_gp"], "mixtures", strength
    judge, loss = train_discriminator(draw, *wasserstein)
    share = torch.linspace(0, 1, 100, dtype=torch.float64)[:, None]
    points = (share * torch.from_numpy(apart)).requires_grad_()
    judge(points).sum().backward()
    slope = 1 + 1 / (2 * strength)
    assert_allclose(points.grad, np.tile(slope * apart, (100, 1)), atol=0.003)
    assert loss == pytest.approx(strength * (slope - 1) ** 2 - slope, abs=0.01)


def test_a_penalty_keeps_the_slopes_of_a_wasserstein_critic_near_one():
    """Over ten seeds they are 0.7 to 1.2 with it, and 9 to 4,200 without."""
    X = np.random.RandomState(0).uniform(-1, 1, (500, 3))
    norms = {}
    for strength in ("auto", 0.0):
        model = GANSampler(
            loss="wasserstein_gp",
            gradient_penalty=strength,
            max_iter=40,
            random_state=0,
        ).fit(X)
        points = torch.from_numpy(X).requires_grad_()
        model.discriminator_.judge(points).sum().backward()
        norms[strength] = points.grad.norm(dim=1).median()
    assert 0.5 < norms["auto"] < 2
    assert norms[0.0] > 4


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_digits_are_what_was_asked_for(loss):
    X, y = load_digits(return_X_y=True)
    model = GANSampler(loss=loss, max_iter=15, random_state=0).fit(X, y)
    made, asked = model.sample(y=y, random_state=0)
    judge = LogisticRegression(max_iter=1000).fit(X / 16, y)
    assert judge.score(made / 16, asked) > 0.6
    assert model.diversity_curve_[-1] > 0.5


# Sampling


def test_exactly_the_classes_asked_for(conditional):
    asked = ["virginica", "setosa", "setosa"]
    X, y = conditional.sample(y=asked)
    assert X.shape == (3, 4)
    assert_array_equal(y, asked)
    X, y = conditional.sample(5, y="versicolor")
    assert X.shape == (5, 4)
    assert_array_equal(y, ["versicolor"] * 5)
    assert conditional.sample(y="setosa")[0].shape == (1, 4)
    assert conditional.sample()[0].shape == (1, 4)
    X, y = conditional.sample(3, y=asked)
    assert_array_equal(y, asked)


@pytest.mark.parametrize(
    "labels", [[True, False], [-1, 7], [2.0, 5.0], ["b", "a"], [0, 0]]
)
def test_labels_of_any_kind(labels):
    y = np.array(labels)[np.arange(20) % 2]
    model = make(max_iter=1).fit(X_IRIS[::7][:20], y)
    assert_array_equal(model.classes_, np.unique(y))
    _, made = model.sample(y=y)
    assert made.dtype == y.dtype
    assert_array_equal(made, y)


def test_classes_are_as_frequent_as_in_training():
    """And as heavy: 5000 draws deviate by less than five standard deviations."""
    y = np.r_[np.zeros(100), np.ones(50)]
    weight = np.r_[np.full(100, 1.0), np.full(50, 6.0)]
    for given, share in ((None, 1 / 3), (weight, 0.75)):
        model = make(max_iter=1).fit(X_IRIS, y, given)
        assert_allclose(model.class_prior_, [1 - share, share])
        _, made = model.sample(5000, random_state=0)
        assert made.mean() == pytest.approx(share, abs=5 * 0.5 / np.sqrt(5000))


def test_rows_alone_without_classes(unconditional):
    assert unconditional.sample(7).shape == (7, 4)
    assert not hasattr(unconditional, "classes_")
    assert not hasattr(unconditional, "class_prior_")
    again = make().fit(X_IRIS, Y_IRIS).fit(X_IRIS)
    assert not hasattr(again, "classes_") and not hasattr(again, "class_prior_")


@pytest.mark.parametrize("batch_size", [1, 7, 1000, 1024, 5000])
def test_chunks_are_the_whole_cut_up(conditional, unconditional, batch_size):
    n = 2500 if batch_size > 7 else 30
    X, y = conditional.sample(n, random_state=3)
    chunks = list(conditional.sample_iter(n, batch_size, random_state=3))
    assert {len(part) for part, _ in chunks[:-1]} <= {batch_size}
    assert_array_equal(np.concatenate([part for part, _ in chunks]), X)
    assert_array_equal(np.concatenate([part for _, part in chunks]), y)
    X = unconditional.sample(n, random_state=3)
    chunks = list(unconditional.sample_iter(n, batch_size, random_state=3))
    assert_array_equal(np.concatenate(chunks), X)


def test_blocks_are_joined_once_a_chunk(unconditional, monkeypatch):
    n, n_joined, join = 20 * 1024, [], np.concatenate

    def concatenate(arrays, **options):
        joined = join(arrays, **options)
        n_joined.append(len(joined))
        return joined

    monkeypatch.setattr("sknn._gan_sampling.np.concatenate", concatenate)
    assert len(list(unconditional.sample_iter(n, batch_size=n))) == 1
    assert sum(n_joined) == n


def test_same_seed_same_rows_and_other_seed_others(conditional):
    one, two, other = (conditional.sample(9, random_state=s)[0] for s in (0, 0, 1))
    assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.1
    drawing = np.random.RandomState(0)
    assert_array_equal(conditional.sample(9, random_state=drawing)[0], one)
    assert np.abs(conditional.sample(9, random_state=drawing)[0] - one).max() > 0.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_stay_in_the_range_and_type_of_the_data(dtype):
    X = np.c_[X_IRIS, np.full(150, 7.25)].astype(dtype)
    made = make().fit(X).sample(500, random_state=0)
    assert made.dtype == dtype
    assert (made >= X.min(axis=0)).all() and (made <= X.max(axis=0)).all()
    assert (made[:, 4] == 7.25).all()


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
def test_constant_rows_are_met_exactly(activation):
    model = make(activation=activation).fit(np.ones((50, 3)))
    assert model.score(np.ones((50, 3))) == pytest.approx(0, abs=1e-14)
    assert_array_equal(model.diversity_curve_, 1)
    assert_allclose(model.history_[:, "score"], 0, atol=1e-14)


# Scores and records


def test_score_is_minus_the_discrepancy_of_a_set_that_stays(unconditional):
    model = unconditional
    low, high = X_IRIS.min(axis=0), X_IRIS.max(axis=0)
    X = 2 * (X_IRIS[::3] - low) / (high - low) - 1
    made = model._make_scored()
    assert len(made) == len(X_IRIS)
    gamma = 0.5 / model._bandwidth**2
    expected = (
        rbf_kernel(X, X, gamma).mean()
        + rbf_kernel(made, made, gamma).mean()
        - 2 * rbf_kernel(X, made, gamma).mean()
    )
    assert model.score(X_IRIS[::3]) == pytest.approx(-expected, rel=1e-6)
    assert model.score(X_IRIS[::3]) == model.score(X_IRIS[::3], y=Y_IRIS[::3])
    assert model.score(X_IRIS + 3) < 2 * model.score(X_IRIS)


@pytest.mark.parametrize("random_state", [0, 1])
def test_what_scores_depend_on_depends_on_no_architecture(random_state):
    def fit(**changes):
        return make(max_iter=1, random_state=random_state, **changes).fit(X)

    X = np.random.RandomState(0).normal(size=(1500, 2))
    one, other = fit(), fit(latent_dim=7, generator_layer_sizes=(3, 3))
    assert one._bandwidth == other._bandwidth
    assert_array_equal(*(m._begin_stream("rows").random(3) for m in (one, other)))
    low, high = X.min(axis=0), X.max(axis=0)
    scaled = 2 * (X - low) / (high - low) - 1
    assert one._bandwidth == pytest.approx(median_bandwidth(scaled), rel=1e-12)
    one, other = fit(early_stopping=True), fit(early_stopping=True, latent_dim=7)
    assert one._bandwidth == other._bandwidth  # of the same rows held out


def test_streams_differ_by_their_use(unconditional):
    drawn = [
        unconditional._begin_stream(use).standard_normal()
        for use in ("rows", "validation", "scored")
    ]
    assert len(set(drawn)) == 3


def test_of_many_rows_a_score_takes_5000(unconditional):
    X = X_IRIS[np.random.RandomState(0).choice(150, 6000)]
    chosen = choose(6000, 5000)
    assert len(set(chosen)) == 5000 and (np.diff(chosen) > 0).all()
    assert unconditional.score(X) == unconditional.score(X[chosen])


@pytest.mark.filterwarnings("ignore:X has values outside")
def test_partial_fit_learns_what_is_scored():
    """As many rows as were seen, in a kernel of the first ones that differ."""
    images = np.random.RandomState(0).normal(size=(1200, 4))
    model = make(image_shape=(2, 2), generator_layer_sizes=(2,))
    model.partial_fit(images[:1])
    assert model._n_scored == 1 and model._bandwidth == 1
    model.partial_fit(images[:30])
    assert model._n_scored == 31
    scaled = model._scale(images[:30].astype(np.float32))
    assert model._bandwidth == pytest.approx(median_bandwidth(scaled))
    model.partial_fit(images)
    assert model._n_scored == 1000
    assert model._bandwidth == pytest.approx(median_bandwidth(scaled))
    model.fit(images[:40])
    assert model._n_scored == 40


def test_the_deviation_is_that_of_new_samples():
    """Far apart, where the discrepancy is next to normal: within a third."""
    random_state = np.random.RandomState(0)

    def draw():
        return random_state.normal(size=(200, 1)), random_state.normal(1, 1, (200, 1))

    deviation, found = np.std([discrepancy(*draw(), 1.0) for _ in range(300)]), []
    for _ in range(10):
        X, Y = draw()
        value, deviation_of_value = Comparison(X, 200, 1.0, random_state)(Y)
        assert value == pytest.approx(discrepancy(X, Y, 1.0), rel=1e-10)
        found.append(deviation_of_value)
    assert np.mean(found) == pytest.approx(deviation, rel=1 / 3)


def test_the_deviation_is_that_of_all_rows():
    """Of four times as many it is half, to the error of 50 resamplings of six pairs."""
    random_state, means = np.random.RandomState(0), []
    for n in (250, 1000):
        found = []
        for _ in range(6):
            X, Y = random_state.normal([[[0]], [[1]]], size=(2, n, 1))
            found.append(Comparison(X, n, 1.0, random_state)(Y)[1])
        means.append(np.mean(found))
    assert means[1] / means[0] == pytest.approx(0.5, rel=0.2)


def test_a_comparison_with_what_is_not_finite():
    compare = Comparison(X_IRIS, 2, 1.0, np.random.RandomState(0))
    assert np.isnan(compare(np.array([[np.nan] * 4, [0] * 4]))).all()


def test_distances_within_classes():
    X = np.array([[0.0], [1.0], [10.0], [13.0]])
    assert mean_distance(X[:2]) == 1
    assert mean_distance(X, np.array([0, 0, 1, 1])) == 2
    assert mean_distance(X[:3], np.array([0, 1, 2])) == pytest.approx(20 / 3)
    assert mean_distance(X[:1]) == 0


def test_history_has_both_losses_score_and_diversity(conditional):
    history = conditional.history_
    assert len(history) == 4
    names = ("generator_loss", "discriminator_loss", "score", "diversity")
    assert np.isfinite(history[:, names]).all()
    assert history[:, "generator_loss"] == conditional.loss_curve_
    assert history[:, "discriminator_loss"] == conditional.discriminator_loss_curve_
    assert history[:, "diversity"] == conditional.diversity_curve_
    assert conditional.n_iter_ == 4 and conditional.t_ == 4 * 150


def test_all_epochs_are_done_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make(max_iter=30, n_iter_no_change=1).fit(X_IRIS)
    assert model.n_iter_ == 30


def test_a_collapse_warns():
    """A generator without noise to speak of: its only layer's weights stay zero."""
    X = np.random.RandomState(0).normal(size=(200, 3))

    class Narrow(GANSampler):
        def _initialize(self, module, random_state):
            super()._initialize(module, random_state)
            for layer in list(module.body.layers)[:1]:
                layer.weight.detach().zero_()

    model = Narrow(max_iter=1, solver="sgd", learning_rate_init=1e-9, random_state=0)
    with pytest.warns(ConvergenceWarning, match="its rows are .* less than 0.2 times"):
        model.fit(X)
    assert model.diversity_curve_[-1] < 0.2


def test_early_stopping_keeps_the_best_generator():
    held_out = []

    class Watch(GANSampler):
        def _make_validation(self, rows):
            if rows is not None:
                held_out.append(rows.X)
            return super()._make_validation(rows)

    model = Watch(
        **{**SMALL, "max_iter": 60}, early_stopping=True, n_iter_no_change=5
    ).fit(X_IRIS, Y_IRIS)
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ == len(model.history_)
    assert model.best_validation_score_ == max(scores)
    assert model.score(held_out[0]) == pytest.approx(max(scores), rel=1e-9)
    assert len(held_out[0]) == 15


def test_early_stopping_counts_what_exceeds_a_deviation(monkeypatch):
    margins, compare = iter([0.0] + [10.0] * 100), Comparison.__call__
    monkeypatch.setattr(
        Comparison, "__call__", lambda self, Y: (compare(self, Y)[0], next(margins))
    )
    model = make(max_iter=60, early_stopping=True, n_iter_no_change=3).fit(X_IRIS)
    assert model.n_iter_ == 5  # the first is an improvement, then four are none


def test_of_many_rows_held_out_the_same_1000_are_scored(monkeypatch):
    compared, begin = [], Comparison.__init__

    def keep(self, X, *args):
        compared.append(X)
        begin(self, X, *args)

    monkeypatch.setattr(Comparison, "__init__", keep)
    X = np.random.RandomState(0).normal(size=(2400, 1))
    model = make(max_iter=1, early_stopping=True, validation_fraction=0.5)
    for weight in (None, np.ones(2400), None):
        model.fit(X, None, weight)
    assert {len(rows) for rows in compared} == {1000}
    assert_array_equal(compared[0], compared[2])


def test_early_stopping_with_weights():
    """Rows that weigh nothing are not held out for a score, nor learned from."""
    X = X_IRIS.copy()
    weight = np.r_[np.ones(100), np.zeros(50)]
    models = []
    for junk in (10.0, 20.0):
        X[100:] = junk
        model = make(early_stopping=True, batch_size="full").fit(X, None, weight)
        models.append(model)
    assert_allclose(*(model.validation_scores_ for model in models), rtol=1e-6)


def test_a_callback_stops_and_ctrl_c_goes_back():
    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    class Interrupt(Callback):
        n_batches = 0

        def on_batch_end(self, net, **kwargs):
            self.n_batches += 1
            if self.n_batches == 12:  # of five an epoch
                raise KeyboardInterrupt

    stopped = make(callbacks=[Stop()]).fit(X_IRIS)
    with pytest.warns(UserWarning, match="interrupted"):
        interrupted = make(callbacks=[Interrupt()]).fit(X_IRIS)
    plain = make(max_iter=2).fit(X_IRIS)
    for model in (stopped, interrupted):
        assert model.n_iter_ == 2 and len(model.diversity_curve_) == 2
        assert_allclose(model._flat.values, plain._flat.values, rtol=1e-9)
        assert_allclose(
            model._adversary.flat.values, plain._adversary.flat.values, rtol=1e-9
        )
        assert model._adversary.n_updates == 10


# Training


def test_averages_are_what_a_hand_keeps():
    weights, averages = [], []

    class Keep(Callback):
        def on_grad_computed(self, net, **kwargs):
            weights.append(net.task.flat.values.clone())

    model = make(max_iter=2, ema=0.7, callbacks=[Keep()]).fit(X_IRIS)
    weights = [*weights[1:], model._adversary.average]  # what the last update left
    average = None
    first = make(max_iter=2, ema=0.7)
    data = first._prepare(X_IRIS, None, None, (None,) * 3, None, False)
    first._prepare_training(data, {}, False, None)
    average = first._flat.values.clone()
    for t, values in enumerate(weights, start=1):
        kept = min(0.7, (1 + t) / (10 + t))
        average = kept * average + (1 - kept) * values
        averages.append(average)
    assert len(weights) == 10
    assert_allclose(model._flat.values, average, rtol=1e-10)
    last = make(max_iter=2, ema=0).fit(X_IRIS)
    assert_array_equal(last._flat.values, last._adversary.average)


@pytest.mark.parametrize("changes", [{}, {"activation": "tanh"}])
def test_same_seed_same_bits_and_globals_untouched(changes):
    with torch.random.fork_rng(devices=[]):
        states = np.random.mtrand._rand.get_state()[1].copy(), torch.get_rng_state()
        models = [make(**changes).fit(X_IRIS, Y_IRIS) for _ in range(2)]
        models[0].sample(3, random_state=0)
        models[0].score(X_IRIS)
        assert_array_equal(np.random.mtrand._rand.get_state()[1], states[0])
        assert torch.equal(torch.get_rng_state(), states[1])
    rows = [model.sample(20, random_state=0)[0] for model in models]
    assert_array_equal(*rows)
    assert models[0].loss_curve_ == models[1].loss_curve_
    other = make(**{**changes, "random_state": 1}).fit(X_IRIS, Y_IRIS)
    assert other.loss_curve_ != models[0].loss_curve_


@pytest.mark.parametrize("callback", [Freezer("body.layers.0.*"), Callback()])
def test_frozen_parameters_and_plain_callbacks(callback):
    model = make(callbacks=[callback]).fit(X_IRIS)
    plain = make().fit(X_IRIS)
    same = torch.equal(model._flat.values, plain._flat.values)
    assert same == (not isinstance(callback, Freezer))
    assert model.sample(3).shape == (3, 4)


def test_batches_shown_to_callbacks_train_the_same():
    class Look(Callback):
        def on_batch_end(self, net, batch, training, **kwargs):
            assert training

    weight = np.r_[np.zeros(40), np.ones(110)]
    for given in (None, weight):
        lean, shown = (
            make(callbacks=callbacks, shuffle=False).fit(X_IRIS, Y_IRIS, given)
            for callbacks in (None, [Look()])
        )
        assert_allclose(lean._flat.values, shown._flat.values, rtol=1e-12)
        assert_allclose(lean.loss_curve_, shown.loss_curve_, rtol=1e-6)


def test_both_networks_follow_the_schedule():
    rates = []

    class Look(Callback):
        def on_epoch_end(self, net, **kwargs):
            pairs = net.optimizer_, net.task.adversary.optimizer
            rates.append([o.param_groups[0]["lr"] for o in pairs])

    make(learning_rate="cosine", callbacks=[Look()]).fit(X_IRIS)
    rates = np.array(rates)
    assert_array_equal(rates[:, 0], rates[:, 1])
    assert rates[-1, 0] < 0.5 * rates[0, 0]


@pytest.mark.parametrize("n_steps", [1, 3])
def test_steps_of_the_discriminator(n_steps):
    """Each is on a batch; the generator makes one after so many."""
    model = make(n_discriminator_steps=n_steps, batch_size=10, max_iter=2).fit(X_IRIS)
    assert model.optimizer_.param_groups[0]["step"] == 2 * 15 / n_steps
    assert model._adversary.optimizer.param_groups[0]["step"] == 2 * 15
    assert model._adversary.n_updates == 2 * 15 / n_steps


@pytest.mark.parametrize(("n_rows", "n_parts"), [(6, 5), (3, 3)])
def test_few_rows_are_cut_into_as_many_parts_as_steps(n_rows, n_parts):
    model = make(n_discriminator_steps=5, max_iter=2).fit(X_IRIS[:n_rows])
    assert model._adversary.optimizer.param_groups[0]["step"] == 2 * n_parts
    assert model._adversary.n_updates == 2


def test_rows_without_weight_do_not_matter():
    X = X_IRIS.copy()
    weight = np.r_[np.ones(100), np.zeros(50)]
    X[100:] = 1e3 * np.random.RandomState(0).normal(size=(50, 4))
    models = []
    for rows in (X, np.r_[X_IRIS[:100], X_IRIS[:50] + 1]):
        models.append(make(batch_size="full").fit(rows, None, weight))
    assert_allclose(models[0]._flat.values, models[1]._flat.values, rtol=1e-7)
    assert models[0]._bandwidth == models[1]._bandwidth


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (4, 4, 4)])
def test_images(shape):
    X, y = load_digits(return_X_y=True)
    model = GANSampler(
        image_shape=shape,
        generator_layer_sizes=(8, 4),
        discriminator_layer_sizes=(4, 8),
        max_iter=1,
        random_state=0,
    ).fit(X[:200], y[:200])
    made, _ = model.sample(y=[3, 4])
    assert made.shape == (2, 64) and made.dtype == np.float32
    assert model.image_shape_ == (*shape, 1)[:3]
    assert model.sample(2000, random_state=0)[0].max() <= 16
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.sample(5, random_state=0)[0], model.sample(5, None, 0)[0])


def test_channels_have_a_range_each():
    random_state = np.random.RandomState(0)
    images = random_state.uniform(size=(50, 4, 4, 2)) * [1, 100] + [0, 50]
    model = GANSampler(image_shape=(4, 4, 2), max_iter=1, random_state=0)
    made = model.fit(images.reshape(50, -1)).sample(200, random_state=0)
    first, second = made.reshape(-1, 2).T
    assert first.min() >= -1e-4 and first.max() <= 1 + 1e-4
    assert second.min() >= 50 - 1e-3 and second.max() <= 150 + 1e-3


@pytest.mark.parametrize("solver", ["sgd", "adamw", "adagrad", "rmsprop"])
def test_solvers(solver):
    model = make(solver=solver, gradient_clip=1.0).fit(X_IRIS)
    optimizers = model.optimizer_, model._adversary.optimizer
    assert type(optimizers[0]) is type(optimizers[1])
    assert all(o.param_groups[0]["clip"] == 1.0 for o in optimizers)
    assert np.isfinite(model.sample(5)).all()


# Going on


def test_partial_fit_goes_on_with_both_networks():
    whole = make(max_iter=3, shuffle=False).fit(X_IRIS, Y_IRIS)
    parts = make(shuffle=False)
    for _ in range(3):
        parts.partial_fit(X_IRIS, Y_IRIS, classes=[0, 1, 2])
    assert parts.t_ == whole.t_ and len(parts.history_) == 3
    assert parts.optimizer_.param_groups[0]["step"] == 15
    assert parts._adversary.optimizer.param_groups[0]["step"] == 15
    assert parts._adversary.n_updates == 15


def test_partial_fit_of_an_unpickled_model_is_that_of_the_model():
    model = make(solver="adam").fit(X_IRIS, Y_IRIS)
    other = pickle.loads(pickle.dumps(model))
    third = copy.deepcopy(model)
    models = [model, other, third]
    for one in models:
        one.partial_fit(X_IRIS, Y_IRIS)
    for one in models[1:]:
        assert_array_equal(one._flat.values, model._flat.values)
        assert_array_equal(one._adversary.flat.values, model._adversary.flat.values)
        assert_array_equal(one._adversary.average, model._adversary.average)


@pytest.mark.filterwarnings("ignore:X has values outside")
def test_partial_fit_knows_classes_beforehand():
    model = make().partial_fit(X_IRIS[:50], Y_IRIS[:50], classes=[2, 0, 1])
    assert_array_equal(model.classes_, [0, 1, 2])
    assert_array_equal(model.class_prior_, [1, 0, 0])
    for asked, named in ((1, 1), ([0, 2, 1], 2)):
        with pytest.raises(ValueError, match=f"rows of: got {named}, "):
            model.sample(y=asked)
    model.partial_fit(X_IRIS[50:], Y_IRIS[50:])
    assert_allclose(model.class_prior_, [1 / 3] * 3)
    assert_array_equal(model.sample(y=[2, 1])[1], [2, 1])


def test_warm_start_goes_on_with_the_weights_that_trained():
    """Not with the averages, and with new optimizers."""
    model = make(warm_start=True, max_iter=2).fit(X_IRIS)
    trained = model._adversary.average.clone()
    judge = model._adversary.flat.values.clone()
    model.set_params(learning_rate_init=1e-12, solver="sgd", max_iter=1).fit(X_IRIS)
    assert_allclose(model._adversary.average, trained, rtol=1e-9)
    assert_allclose(model._adversary.flat.values, judge, rtol=1e-9)
    assert len(model.loss_curve_) == 3


def test_clone_and_pickle(conditional):
    assert vars(clone(conditional)) == clone(conditional).get_params()
    size = len(pickle.dumps(conditional))
    n_weights = len(conditional._flat.values) + len(conditional._adversary.flat.values)
    n_weights += len(conditional._flat.values)  # the average
    assert size < 1.1 * 8 * 3 * n_weights + 1e5
    again = pickle.loads(pickle.dumps(conditional))
    assert_array_equal(
        again.sample(5, random_state=0)[0], conditional.sample(5, random_state=0)[0]
    )
    x = torch.from_numpy(X_IRIS[:3])
    codes = torch.tensor([0, 1, 2])
    assert torch.equal(
        again.discriminator_(x, codes), conditional.discriminator_(x, codes)
    )
    assert not again.module_.training and not again.discriminator_.training


def test_dtype_may_change_when_training_goes_on():
    model = make(warm_start=True, dtype="float32").fit(X_IRIS)
    assert model.sample(2).dtype == np.float32
    model.set_params(dtype="float64").fit(X_IRIS)
    assert model.sample(2).dtype == np.float64
    assert model._adversary.flat.values.dtype == torch.float64


# Company


def test_a_search_over_loss_and_latent_dim_takes_the_score():
    grid = {"loss": ["hinge", "minimax"], "latent_dim": [2, 8]}
    search = GridSearchCV(make(max_iter=10), grid, cv=2).fit(X_IRIS)
    scores = search.cv_results_["mean_test_score"]
    assert (scores < 0).all() and len(set(scores)) == 4
    best = search.best_estimator_
    assert best.score(X_IRIS) == search.score(X_IRIS)


def test_at_the_end_of_a_pipeline():
    model = make_pipeline(MinMaxScaler(), make()).fit(X_IRIS, Y_IRIS)
    made, _ = model[-1].sample(50, random_state=0)
    assert made.min() >= -1e-9 and made.max() <= 1 + 1e-9
    assert model.score(X_IRIS) < 0


def test_names_of_columns():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X_IRIS, columns=list("abcd"))
    model = make().fit(table, pandas.Series(Y_IRIS).astype(str))
    assert_array_equal(model.feature_names_in_, list("abcd"))
    assert isinstance(model.sample(3)[0], np.ndarray)
    with pytest.raises(ValueError, match="feature names"):
        model.score(table.rename(columns={"a": "z"}))


def test_memory_maps_are_read(tmp_path):
    np.save(tmp_path / "x.npy", X_IRIS)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    made = [make().fit(X).sample(5, random_state=0) for X in (mapped, X_IRIS)]
    assert_array_equal(*made)


def test_the_page_of_the_user_guide_runs():
    text = (DOCS / "gan.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=2)
    assert names["flowers"].shape == (4, 4) and names["many"].shape == (1000, 4)
    assert_array_equal(names["kinds"], [0, 0, 1, 2])
    assert names["search"].best_score_ < 0


def test_rows_outside_the_first_range_are_warned_of():
    model = GANSampler(max_iter=1, warm_start=True, random_state=0)
    model.partial_fit(X_IRIS[:60])
    model.partial_fit(X_IRIS[:30])
    for go_on in (model.partial_fit, model.fit):
        with pytest.warns(UserWarning, match=r"outside \[1, 4.9\] in column 2"):
            go_on(X_IRIS)
