"""A joblib backend under which the networks of one search train together."""

from sknn.parallel._batched import batched

__all__ = ["batched"]
