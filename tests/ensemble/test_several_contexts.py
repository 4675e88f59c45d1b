"""What scikit-learn's callbacks see of several networks."""

import pytest
from numpy.testing import assert_allclose
from several_networks import make, seeds_of
from sklearn.utils import check_random_state

from sknn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Recorder:
    """A scikit-learn callback that keeps what it is told, and may stop an epoch."""

    def __init__(self):
        self.calls, self.scores = [], []

    def setup(self, estimator, context):
        self.calls.append(("setup", context.max_subtasks))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.max_subtasks))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.calls.append(("end", context.task_name))
        self.scores.append(fitted_estimator.predict_proba(X))


def test_contexts_of_scikit_learn_s_callbacks(table):
    X, y = table
    recorder = Recorder()
    model = make(MLPClassifier, n_networks=2, max_iter=3).set_callbacks(recorder)
    model.fit(X, y)
    epochs = [("begin", "epoch"), ("end", "epoch")] * 3
    network = [("begin", "network"), *epochs, ("end", "network")]
    assert recorder.calls == [
        ("setup", 2),
        ("begin", "fit"),
        *network * 2,
        ("end", "fit"),
        ("teardown", 2),
    ]
    expected = []
    for seed in seeds_of(check_random_state(0), 2):
        alone = make(MLPClassifier, n_networks=1, random_state=seed)
        for n in (1, 2, 3, 3):
            expected += [alone.set_params(max_iter=n).fit(X, y).predict_proba(X)]
    assert_allclose(recorder.scores, [*expected, model.predict_proba(X)], rtol=1e-12)
    assert model.networks_[0].__dict__.keys().isdisjoint({"_skl_callbacks"})
