"""Batches of labelled steps: each step once, with its label and its weight."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from sknn.data import Parts, Rows, Sequences, make_batches
from sknn.data._sequence_batches import SequenceBatches
from sknn.data._step_batches import StepBatches

LENGTHS = np.random.RandomState(0).randint(1, 30, 67)
FACTOR = np.array([1.0, 0.5, 4.0], np.float32)


def make_rows(lengths=LENGTHS, weighted=False, spelled=False):
    """Make steps that are numbered from one on, labelled by their number."""
    starts = np.append(0, np.cumsum(lengths))
    values = np.arange(1, starts[-1] + 1)
    labels = Sequences(values % 3, starts)
    weight = np.arange(1, len(lengths) + 1, dtype=np.float32) if weighted else None
    if spelled:
        values = np.column_stack([values, np.ones_like(values)])
    return Rows(Sequences(values, starts), labels, weight)


def read_steps(x):
    """Numbers of the steps of a batch, its padding left out."""
    if isinstance(x, Parts):
        return torch.cat([read_steps(part) for part in x.inputs])
    if not isinstance(x, dict):
        return x.reshape(-1, *x.shape[2:])
    is_step = torch.arange(x["x"].shape[1]) < x["lengths"][:, None]
    return x["x"][is_step]


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("factor", [None, FACTOR], ids=["plain", "by class"])
@pytest.mark.parametrize("batch_size", [1, 8, 100])
@pytest.mark.parametrize("seed", [None, 0], ids=["in order", "shuffled"])
@pytest.mark.parametrize("spelled", [False, True], ids=["numbers", "spelled"])
def test_every_step_comes_once(weighted, factor, batch_size, seed, spelled):
    rows = make_rows(weighted=weighted, spelled=spelled)
    random_state = None if seed is None else np.random.RandomState(seed)
    batches = StepBatches(rows, batch_size, random_state, class_factor=factor)
    of_step = np.repeat(np.arange(1, 68), LENGTHS)  # weight of its sequence
    for _ in range(2):
        seen = []
        for batch in batches:
            x, y = batch
            steps = read_steps(x).numpy()
            steps = steps[:, 0] if spelled else steps
            assert_array_equal(y, steps % 3)
            assert batch.n_rows == len(steps)
            expected = of_step[steps - 1] if weighted else np.ones(len(steps))
            expected = expected if factor is None else expected * factor[steps % 3]
            if weighted or factor is not None:
                assert_array_equal(batch.weight[:, 0], expected)
            else:
                assert batch.weight is None
            assert batch.total == pytest.approx(expected.sum())
            seen += steps.tolist()
        assert sorted(seen) == list(range(1, LENGTHS.sum() + 1))


def test_batches_are_those_of_sequences():
    """A label a step changes neither the order nor what makes a batch."""
    rows = make_rows()
    of_rows = Rows(rows.arrays[0], np.arange(len(LENGTHS)))
    steps = StepBatches(rows, 8, np.random.RandomState(3))
    sequences = SequenceBatches(of_rows, 8, np.random.RandomState(3))
    for (x, _), (other, _) in zip(steps, sequences, strict=True):
        assert_array_equal(read_steps(x), read_steps(other))
    assert len(steps) == len(sequences)


def test_a_subset_has_its_own_steps():
    rows = make_rows(weighted=True)
    part = rows.subset(np.array([5, 2, 60]))
    (batch,) = StepBatches(part, 8)
    x, y = batch
    starts = rows.arrays[0].starts
    expected = [n for i in (5, 2, 60) for n in range(starts[i] + 1, starts[i + 1] + 1)]
    assert_array_equal(read_steps(x), expected)
    assert_array_equal(y, np.array(expected) % 3)
    assert batch.total == LENGTHS[[5, 2, 60]] @ [6, 3, 61]


@pytest.mark.parametrize("lengths", [[4] * 6, [1] * 6], ids=["even", "single"])
def test_equal_lengths_have_no_padding(lengths):
    (batch,) = StepBatches(make_rows(lengths), 8)
    x, y = batch
    assert x.shape == (6, lengths[0]) and y.shape == (sum(lengths),)


def test_labelled_steps_get_these_batches():
    assert isinstance(make_batches(make_rows(), 8), StepBatches)
    of_rows = Rows(make_rows().arrays[0], np.arange(len(LENGTHS)))
    assert not isinstance(make_batches(of_rows, 8), StepBatches)
