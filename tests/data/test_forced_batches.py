"""Batches for a decoder: the true tokens are moved on by one step, behind a begin."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data import Parts, Rows, Sequences, decoder_inputs, make_batches
from sknn.data._step_batches import ForcedBatches

BEGIN, END = 50, 51


def make_sequences(lengths, first=1):
    starts = np.append(0, np.cumsum(lengths))
    return Sequences(first + np.arange(starts[-1]), starts)


def make_targets(lengths):
    """Make sequences of one number after another, each with the end behind it."""
    y = make_sequences(np.asarray(lengths) + 1)
    y.values[y.starts[1:] - 1] = END
    return y


@pytest.fixture
def pairs():
    rng = np.random.RandomState(0)
    X = make_sequences(rng.randint(1, 30, 90))
    return X, make_targets(rng.randint(0, 30, 90))


@pytest.mark.parametrize("index", [np.array([3, 0, 2]), slice(1, 4)], ids=type)
def test_the_decoder_is_given_the_step_before(index):
    y = make_targets([2, 0, 4, 1])
    forced = decoder_inputs(y, index, BEGIN)
    lengths = forced["y_lengths"].tolist()
    assert lengths == y.lengths[index].tolist()
    for row, n, i in zip(forced["y"], lengths, np.arange(4)[index], strict=True):
        assert row[:n].tolist() == [BEGIN, *y[int(i)][:-1]]


def test_targets_of_one_length_need_no_lengths():
    y = make_targets([3, 3, 3])
    forced = decoder_inputs(y, slice(None), BEGIN)
    assert forced.keys() == {"y"}
    assert forced["y"].tolist() == [[BEGIN, *y[i][:-1]] for i in range(3)]
    assert y.values[3] == END  # the targets themselves are left alone


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("batch_size", [1, 7, 90])
def test_every_pair_comes_once(pairs, weighted, batch_size):
    X, y = pairs
    weight = np.random.RandomState(1).uniform(size=90) if weighted else None
    rows = Rows(X, y, weight)
    random_state = np.random.RandomState(0)
    batches = make_batches(rows, batch_size, random_state, begin=BEGIN)
    assert isinstance(batches, ForcedBatches)
    for _ in range(2):
        seen = []
        for batch in batches:
            inputs, targets = batch
            sources, _ = cut(inputs, "x", "lengths")
            given, n_steps = cut(inputs, "y", "y_lengths")
            index = [int(np.searchsorted(X.starts, x[0].item() - 1)) for x in sources]
            for i, source, before in zip(index, sources, given, strict=True):
                assert_array_equal(source.numpy(), X[i])
                assert_array_equal(before.numpy(), [BEGIN, *y[i][:-1]])
            assert_array_equal(targets.numpy(), np.concatenate([y[i] for i in index]))
            total = len(targets)
            if weighted:
                of_steps = np.repeat(weight[index], n_steps)
                assert_array_equal(np.ravel(batch.weight), of_steps)
                total = of_steps.sum()
            assert np.isclose(batch.total, total)
            seen += index
        assert sorted(seen) == list(range(90))


def cut(inputs, name, lengths):
    """Rows without their padding, and the steps of each."""
    if isinstance(inputs, Parts):
        parts = [cut(part, name, lengths) for part in inputs.inputs]
        return [
            [x for part in of_parts for x in part]
            for of_parts in zip(*parts, strict=True)
        ]
    rows = inputs[name]
    n_steps = [rows.shape[1]] * len(rows)
    if lengths in inputs:
        n_steps = inputs[lengths].tolist()
        assert max(n_steps) == rows.shape[1]
    return [row[:n] for row, n in zip(rows, n_steps, strict=True)], n_steps


def test_pairs_of_similar_lengths_share_a_batch(pairs):
    X, y = pairs
    total = X.lengths + y.lengths
    batches = make_batches(Rows(X, y, None), 10, np.random.RandomState(0), begin=BEGIN)
    spreads = [np.ptp(total[index]) for index in batches._next_indices()]
    at_random = [np.ptp(total[i : i + 10]) for i in range(0, 90, 10)]
    assert np.mean(spreads) < 0.5 * np.mean(at_random)
    in_order = make_batches(Rows(X, y, None), 90, None, begin=BEGIN)
    inputs, _ = next(iter(in_order))
    assert_array_equal(inputs["lengths"].numpy(), X.lengths)
    assert_array_equal(inputs["y_lengths"].numpy(), y.lengths)


def test_sources_of_one_length_have_no_lengths():
    X, y = make_sequences([3, 3]), make_targets([1, 2])
    batches = make_batches(Rows(X, y, None), 2, None, begin=BEGIN)
    inputs, _ = next(iter(batches))
    assert inputs.keys() == {"x", "y", "y_lengths"}
