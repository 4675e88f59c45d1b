"""Sequences in one array: selecting and padding, against plain loops."""

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data import Rows, Sequences, combine_weights, split_for_validation
from sknn.data._mapped import is_memory_mapped

LENGTHS = [3, 1, 5, 5, 2, 0, 4]


def make_rows(lengths=LENGTHS, channels=(2,), dtype=np.float32):
    rng = np.random.RandomState(0)
    return [(rng.normal(size=(n, *channels)) * 9).astype(dtype) for n in lengths]


def make_sequences(rows):
    starts = np.append(0, np.cumsum([len(row) for row in rows]))
    return Sequences(np.concatenate(rows), starts)


def pad(rows):
    """Pad by a loop."""
    longest = max(map(len, rows), default=0)
    inner = rows[0].shape[1:]
    x = np.zeros((len(rows), longest, *inner), rows[0].dtype)
    for i, row in enumerate(rows):
        x[i, : len(row)] = row
    return x


def assert_sequences(found, rows):
    assert isinstance(found, Sequences)
    assert len(found) == found.shape[0] == len(rows)
    assert_array_equal(found.lengths, [len(row) for row in rows])
    assert found.starts.dtype == found.lengths.dtype == np.int64
    assert found.starts[0] == 0
    assert found.starts[-1] == len(found.values)
    for i, row in enumerate(rows):
        assert_array_equal(found[i], row)


FORMS = {
    "channels": make_rows(),
    "tokens": make_rows(channels=(), dtype=np.int64),
    "even": make_rows([3] * 7),
    "even_tokens": make_rows([3] * 7, (), np.int64),
}
KEYS = {
    "ints": np.array([4, 4, 0, 6]),
    "negative": np.array([-1, 2]),
    "one": np.array([1]),
    "none": np.array([], dtype=int),
    "list": [3, 2],
    "mask": np.arange(7) % 2 == 0,
    "slice": slice(1, 4),
    "all": slice(None),
    "empty_slice": slice(5, 2),
    "beyond": slice(5, 99),
    "steps": slice(None, None, -2),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", KEYS)
def test_selection_and_padding_equal_a_loop(form, key):
    rows = FORMS[form]
    sequences, key = make_sequences(rows), KEYS[key]
    chosen = [rows[i] for i in np.arange(7)[key]]
    assert_sequences(sequences[key], chosen)
    assert sequences[key].dtype == sequences.dtype
    assert sequences[key].n_channels == sequences.n_channels
    x, lengths = sequences.padded(key)
    assert len(x) == len(chosen)
    if chosen:
        assert_array_equal(x, pad(chosen))
        assert_array_equal(sequences[key].padded()[0], x)
        assert x.dtype == rows[0].dtype
    if len({len(row) for row in chosen}) <= 1:
        assert lengths is None
    else:
        assert_array_equal(lengths, [len(row) for row in chosen])


def test_what_it_says_of_itself():
    sequences = make_sequences(FORMS["channels"])
    assert (sequences.shape, sequences.ndim, sequences.n_channels) == ((7,), 1, 2)
    assert sequences.dtype == np.float32
    assert make_sequences(FORMS["tokens"]).n_channels is None
    assert_array_equal(sequences[-1], FORMS["channels"][-1])
    with pytest.raises(IndexError):
        sequences[7]


def test_slices_and_even_arrays_share_memory(tmp_path):
    sequences = make_sequences(FORMS["channels"])
    assert np.shares_memory(sequences[1:4].values, sequences.values)
    array = np.arange(24.0).reshape(4, 3, 2)
    even = Sequences.from_array(array)
    assert_sequences(even, list(array))
    assert np.shares_memory(even.values, array)
    assert np.shares_memory(even.padded()[0], array)
    assert not np.shares_memory(even.padded(np.arange(4))[0], array)
    mapped = np.memmap(tmp_path / "X", np.float32, "w+", shape=(4, 3, 2))
    assert is_memory_mapped(Sequences.from_array(mapped).values)


def test_padding_takes_no_more_memory_than_batch_and_index():
    sequences = make_sequences(make_rows([900, 1000] * 50, (32,)))
    index = np.arange(100)
    sequences.padded(index)
    tracemalloc.start()
    x, _ = sequences.padded(index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes + 8 * 2 * x.shape[0] * x.shape[1] + 10_000


def test_they_are_the_inputs_of_rows():
    rows = FORMS["channels"]
    y, weight = np.arange(7), np.arange(1.0, 8)
    whole = Rows(make_sequences(rows), y, weight)
    index = np.array([6, 2, 0, 3])
    subset = whole.subset(index).subset(np.array([3, 1]))
    assert_sequences(subset.X, [rows[3], rows[2]])
    assert_sequences(subset.inputs, [rows[3], rows[2]])
    assert subset.arrays[0] is whole.arrays[0]
    assert whole.X is whole.arrays[0]
    assert_array_equal(whole[2][0], rows[2])
    train, held_out = split_for_validation(whole, 0.3, np.random.RandomState(0))
    assert len(train) + len(held_out) == 7
    assert_array_equal(combine_weights(whole.X, weight, np.float64), weight)
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        combine_weights(whole.X, weight[1:], np.float64)


def test_no_sequences_at_all():
    empty = Sequences(np.zeros((0, 2)), np.zeros(1, np.int64))
    assert len(empty) == 0
    assert empty.padded()[0].shape == (0, 0, 2)


def test_pickle():
    sequences = pickle.loads(pickle.dumps(make_sequences(FORMS["channels"])))
    assert_sequences(sequences, FORMS["channels"])
