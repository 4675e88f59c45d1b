"""How arrays are read as images or series, channels last."""

import pytest

from sknn.data import sample_shape

READ = [
    ((5, 64), "auto", None, (64, 1)),
    ((5, 64), 1, None, (64, 1)),
    ((5, 64), "auto", (8, 8), (8, 8, 1)),
    ((5, 64), 2, (8, 8), (8, 8, 1)),
    ((5, 64), 1, (16, 4), (16, 4)),
    ((5, 64), "auto", (4, 4, 4), (4, 4, 4)),
    ((5, 64), "auto", 64, (64, 1)),
    ((5, 64), 1, (64,), (64, 1)),
    ((5, 8, 8), "auto", None, (8, 8, 1)),
    ((5, 8, 8), 2, None, (8, 8, 1)),
    ((5, 8, 3), 1, None, (8, 3)),
    ((5, 8, 8), "auto", (8, 8), (8, 8, 1)),
    ((5, 8, 8), "auto", (8, 8, 1), (8, 8, 1)),
    ((5, 8, 8, 1), "auto", (8, 8), (8, 8, 1)),
    ((5, 8, 6, 3), "auto", None, (8, 6, 3)),
    ((5, 8, 6, 3), 2, (8, 6, 3), (8, 6, 3)),
]


@pytest.mark.parametrize(("shape", "conv_dims", "input_shape", "expected"), READ)
def test_shapes_that_are_read(shape, conv_dims, input_shape, expected):
    assert sample_shape(shape, conv_dims, input_shape) == expected


REFUSED = [
    ((5, 64), 2, None, "conv_dims=2 does not fit"),
    ((5, 64), "auto", (8, 9), r"input_shape must have a product of 64.*72"),
    ((5, 64), 1, (4, 4, 4), "conv_dims=1 does not fit"),
    ((5, 64), 2, 64, "conv_dims=2 does not fit"),
    ((5, 8, 8), "auto", (64,), r"input_shape must be the shape.*\(8, 8\).*\(64,\)"),
    ((5, 8, 6, 3), 1, None, "conv_dims=1 does not fit"),
    ((5, 8, 6, 3, 2), "auto", None, "conv_dims='auto' does not fit"),
    ((5, 64), "auto", (8, 0), "input_shape must be None or one to three whole"),
    ((5, 64), "auto", (8.0, 8), "input_shape must be None or one to three whole"),
    ((5, 64), "auto", (), "input_shape must be None or one to three whole"),
    ((5, 64), "auto", "8x8", "input_shape must be None or one to three whole"),
    ((5, 64), "auto", (4, 4, 2, 2), "input_shape must be None or one to three whole"),
]


@pytest.mark.parametrize(("shape", "conv_dims", "input_shape", "message"), REFUSED)
def test_shapes_that_are_refused(shape, conv_dims, input_shape, message):
    with pytest.raises(ValueError, match=message):
        sample_shape(shape, conv_dims, input_shape)
