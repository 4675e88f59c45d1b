"""Arrays of a step: of one network, or of several with an axis of their own."""

import numpy as np
import pytest

SHAPES = [(4, 3), (5, 40), (2, 4, 3), (2, 5, 40)]


@pytest.fixture(params=[np.float64, np.float32])
def dtype(request):
    return request.param


@pytest.fixture(params=SHAPES, ids=str)
def array(request, dtype):
    return np.random.RandomState(0).normal(size=request.param).astype(dtype)
