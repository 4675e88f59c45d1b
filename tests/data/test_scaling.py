"""Moments of channels, against numpy's on all steps at once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.data import Rows, Sequences, _scaling, channel_moments, convert

LENGTHS = np.array([3, 1, 7, 2, 5])


@pytest.fixture(params=[1 << 20, 10], ids=["one_chunk", "chunks"])
def chunks(request, monkeypatch):
    monkeypatch.setattr(_scaling, "CHUNK_ENTRIES", request.param)


def moments(steps, weight=None):
    """Find both by numpy."""
    mean = np.average(steps, axis=0, weights=weight)
    return mean, np.sqrt(np.average((steps - mean) ** 2, axis=0, weights=weight))


def make_sequences(lengths=LENGTHS):
    values = np.random.RandomState(0).normal(5, 3, size=(lengths.sum(), 2))
    return Sequences(values.astype(np.float32), np.append(0, np.cumsum(lengths)))


def assert_moments(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.float64
        assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("lengths", [LENGTHS, np.full(5, 4)], ids=["ragged", "even"])
def test_sequences(chunks, lengths, weighted):
    sequences = make_sequences(lengths)
    weight = np.array([0.5, 2, 0, 1, 3]) if weighted else None
    steps = None if weight is None else np.repeat(weight, lengths)
    expected = moments(sequences.values.astype(np.float64), steps)
    assert_moments(channel_moments(sequences, weight), expected)
    assert_moments(channel_moments(Rows(sequences, None, weight)), expected)


@pytest.mark.parametrize("shape", [(6, 3), (6, 5, 3), (6, 4, 5, 1)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
def test_arrays(chunks, shape, dtype):
    X = np.random.RandomState(0).uniform(0, 255, size=shape).astype(dtype)
    weight = np.array([1.0, 0, 2, 0.5, 1, 4])
    steps = X.astype(np.float64).reshape(-1, shape[-1])
    steps_weight = np.repeat(weight, len(steps) // 6)
    before = X.copy()
    assert_moments(channel_moments(X), moments(steps))
    assert_moments(channel_moments(X, weight), moments(steps, steps_weight))
    assert_array_equal(X, before)


def test_integer_weights_equal_repetition(chunks):
    weight, sequences = np.array([1, 0, 3, 2, 1]), make_sequences()
    repeated = sequences[np.repeat(np.arange(5), weight)]
    assert_moments(channel_moments(sequences, weight), channel_moments(repeated))
    X, weight = np.random.RandomState(0).rand(5, 4, 2), weight.astype(float)
    repeated = np.repeat(X, weight.astype(int), axis=0)
    assert_moments(channel_moments(X, weight), channel_moments(repeated))


def test_subsets(chunks):
    sequences, weight = make_sequences(), np.arange(1.0, 6)
    index = np.array([4, 0, 2])
    rows = Rows(sequences, None, weight).subset(index)
    expected = channel_moments(sequences[index], weight[index])
    assert_moments(channel_moments(rows), expected)


@pytest.mark.parametrize("constant", [0.1, 1e9 / 3, 0.0, -7])
def test_constant_channels(chunks, constant):
    X = np.random.RandomState(0).rand(7, 50, 2)
    X[..., 1] = constant
    weight = np.random.RandomState(1).rand(7)
    for given in (None, weight, weight * 1e-20):
        mean, std = channel_moments(X, given)
        assert std[1] == 1
        assert mean[1] == constant
        assert 0 < std[0] < 1
    X[0, 0, 1] += 1  # a row that weighs nothing
    weight[0] = 0
    assert channel_moments(X, weight)[1][1] == 1


def test_far_from_zero(chunks):
    X = 1e9 + np.random.RandomState(0).rand(40, 5, 1)
    _, std = channel_moments(X)
    assert_allclose(std, moments(X.reshape(-1, 1) - 1e9)[1], rtol=1e-6)


class Watched(np.memmap):
    """Memory-mapped array that remembers how many rows were read at once."""

    most_rows = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        type(self).most_rows = max(type(self).most_rows, len(part))
        return np.array(part)

    def __array__(self, *args, **kwargs):
        raise AssertionError("read as a whole")


@pytest.mark.parametrize("index", [None, np.arange(40)[::-3]], ids=["all", "subset"])
@pytest.mark.parametrize("dtype", [None, np.float32])
def test_a_memory_map_is_read_in_chunks(tmp_path, monkeypatch, index, dtype):
    monkeypatch.setattr(_scaling, "CHUNK_ENTRIES", 100)
    X = np.random.RandomState(0).randint(0, 255, size=(40, 8, 2)).astype(np.uint8)
    X.tofile(tmp_path / "X")
    mapped = Watched(tmp_path / "X", np.uint8, "r", shape=X.shape)
    rows = Rows(mapped if dtype is None else convert(mapped, dtype), index=index)
    Watched.most_rows = 0
    found = channel_moments(rows)
    assert 0 < Watched.most_rows <= 100 // 16
    expected = X if index is None else X[index]
    assert_moments(found, moments(expected.reshape(-1, 2).astype(np.float64)))
