"""Batches of nodes with what they hear of the graph."""

import numpy as np

from sknn.data._batches import TensorBatches
from sknn.data._chunks import move
from sknn.data._parts import Parts


class NodeBatches(TensorBatches):
    """Batches of nodes of one graph.

    Where all rows are one batch they come in the given order, and nothing is drawn from
    `random_state`: the order of rows is no matter to their loss, and inputs that are
    the same each time are made once.

    The inputs of a batch are `Parts` of one dict: more nodes are heard than are rows.

    Parameters
    ----------
    dataset : Rows
        Rows whose inputs are `Nodes`.
    *args, **kwargs
        As for `TensorBatches`.
    n_sampled : int or sequence of int, optional
        Most neighbours that a node hears in each layer, drawn anew for each batch; None
        is all of them.
    seed : int or sequence of int, optional
        Seed of the `RandomState` that they are drawn from, or parts of one, such as a
        seed and the number of steps made before; each counts modulo 2**32.
    """

    def __init__(self, dataset, *args, n_sampled=None, seed=None, **kwargs):
        super().__init__(dataset, *args, **kwargs)
        self._n_sampled, self._sampler = n_sampled, _make_sampler(seed)
        self._is_one = len(self) == 1
        self._whole = self._alive = self._features = None
        # converted once, not a batch at a time
        self._converted = None if self._is_one else dataset.arrays[0].features

    def _next_indices(self):
        if self._is_one:
            return iter([self.dataset.positions(self._order)])
        return super()._next_indices()

    def _inputs(self, index):
        if self._whole is not None:
            return self._whole
        nodes = self.dataset.arrays[0]
        inputs = nodes.inputs(index, self._n_sampled, self._sampler)
        if len(inputs["x"]) == nodes.n_nodes and inputs["x"] is nodes.features:
            inputs["x"] = self._moved_features(inputs["x"])
        inputs = move(inputs, self.device)
        self._alive = inputs  # for messages that have been moved and come again
        parts = Parts([inputs], len(index))
        if self._is_one and self._n_sampled is None:
            self._whole = parts
        return parts

    def _moved_features(self, x):
        """Features of all nodes on the device, where they stay."""
        if self._features is None:
            self._features = x.to(self.device)
        return self._features

    def reused(self, x_native=None, y_native=None, cut=None):
        """Yield the same batches: hardly two are of one shape."""
        return iter(self)


def _make_sampler(seed):
    """`RandomState` of a seed, of several, or of none, which may be large."""
    if seed is not None:
        whole = 1 << 32
        is_one = not np.iterable(seed)
        seed = seed % whole if is_one else [part % whole for part in seed]
    return np.random.RandomState(seed)
