"""Rows as targets of themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sknn.data import ReconstructionTargets, _reconstruction_targets, within_unit

X = np.random.RandomState(0).uniform(size=(20, 3))


@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
def test_rows_share_their_memory(activation):
    targets = ReconstructionTargets(3, activation)
    assert targets.encode(X, np.dtype(np.float64)) is X
    assert targets.decode_encoded(X) is X
    assert targets.encode(X, np.dtype(np.float32)).dtype == np.float32
    assert targets.n_outputs == 3


def test_link():
    raw = np.linspace(-800, 800, 9).reshape(3, 3)
    sigmoid = ReconstructionTargets(3, "sigmoid")
    assert_allclose(sigmoid.decode(raw.copy()), expit(raw), rtol=1e-14)
    assert_array_equal(ReconstructionTargets(3, "identity").decode(raw), raw)


@pytest.mark.parametrize("value", [-1e-5, 1 + 1e-5, 3.5, np.inf])
@pytest.mark.parametrize("rows_at_a_time", [3, 60, 1 << 20])
def test_a_value_outside_is_named_with_its_place(value, rows_at_a_time, monkeypatch):
    monkeypatch.setattr(_reconstruction_targets, "CHUNK_ENTRIES", rows_at_a_time)
    outside = X.copy()
    assert within_unit(outside)
    outside[11, 2] = value
    assert not within_unit(outside)
    ReconstructionTargets(3, "identity").encode(outside, outside.dtype)
    with pytest.raises(ValueError, match=f"got {value} in row 11, column 2"):
        ReconstructionTargets(3, "sigmoid").encode(outside, outside.dtype)


def test_bounds_are_within_and_so_is_what_rounding_makes_of_them():
    assert within_unit(np.array([[0.0, 1.0]]))
    for dtype in (np.float32, np.float64):
        eps = 4 * np.finfo(dtype).eps
        assert within_unit(np.array([[-eps, 1 + eps]], dtype))
