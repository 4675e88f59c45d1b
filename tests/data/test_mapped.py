"""Memory-mapped arrays of any type: read a few rows at a time, converted as read."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.data import Rows, convert, converts_late
from sknn.data._mapped import MappedRows, is_memory_mapped

FLOATS = [np.float64, np.float32]


@pytest.fixture
def mapped(tmp_path):
    X = np.arange(60, dtype=np.int16).reshape(20, 3)
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


def test_what_is_memory_mapped(mapped):
    assert is_memory_mapped(mapped)
    assert is_memory_mapped(np.asarray(mapped)[::2].T)
    assert is_memory_mapped(MappedRows(mapped))
    assert not is_memory_mapped(np.array(mapped))
    assert not is_memory_mapped(None)


def test_what_is_converted_late(mapped):
    assert converts_late(mapped, FLOATS)
    assert converts_late(np.asarray(mapped), np.float32)
    assert not converts_late(mapped, np.int16)
    assert not converts_late(mapped, [np.float64, np.int16])
    assert not converts_late(np.array(mapped), FLOATS)
    assert not converts_late(mapped.tolist(), FLOATS)
    assert not converts_late(mapped.view("S2"), FLOATS)


def test_other_arrays_are_converted_at_once(mapped):
    converted = convert(np.array(mapped), np.float32)
    assert isinstance(converted, np.ndarray)
    assert converted.dtype == np.float32


@pytest.mark.parametrize("index", [None, np.array([4, 4, 0, 19])])
@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
def test_it_reads_as_an_array(mapped, index, dtype):
    rows = MappedRows(mapped, dtype, index)
    expected = np.array(mapped if index is None else mapped[index])
    expected = expected.astype(dtype or np.int16)
    assert (rows.dtype, rows.shape) == (expected.dtype, expected.shape)
    assert (rows.ndim, rows.size, len(rows)) == (2, expected.size, len(expected))
    for key in (slice(None), slice(1, 3), np.array([2, 0, 2]), 3):
        assert_array_equal(rows[key], expected[key])
        assert rows[key].dtype == expected.dtype
    assert_array_equal(np.asarray(rows), expected)
    assert np.asarray(rows).dtype == expected.dtype
    assert np.array(rows).flags.writeable
    out = np.empty((2, 3), expected.dtype)
    rows.take(np.array([1, 3]), 0, out, "clip")
    assert_array_equal(out, expected[[1, 3]])


def test_a_type_is_converted_from_the_one_before(mapped):
    rows = convert(convert(mapped, np.float32), np.float64)
    assert rows.dtype == rows[:2].dtype == np.float64
    assert_array_equal(rows[:], mapped)


def test_rows_give_slices_of_the_file_or_an_array(mapped):
    rows = Rows(convert(mapped, np.float32))
    assert isinstance(rows.inputs, MappedRows)
    assert isinstance(rows.X, np.ndarray)
    subset = rows.subset(np.array([5, 1]))
    assert isinstance(subset.inputs, MappedRows)
    assert_array_equal(subset.inputs[:], mapped[[5, 1]])
    assert_array_equal(subset.X, mapped[[5, 1]])
    in_memory = Rows(np.array(mapped)).subset(np.array([5, 1]))
    assert isinstance(in_memory.inputs, np.ndarray)
