"""Batches of graphs, put together as one graph of many parts."""

from sknn.data._batches import TensorBatches
from sknn.data._chunks import move
from sknn.data._parts import Parts


class GraphBatches(TensorBatches):
    """Batches of graphs, the nodes and edges of which come as those of one graph.

    Sizes of graphs are no matter: nothing is padded, so that batches of similar sizes
    would save nothing and only make the largest batch larger.

    The inputs of a batch are `Parts` of one dict: it has more nodes than rows.

    Parameters
    ----------
    dataset : Rows
        Rows whose inputs are `Graphs`.
    *args, **kwargs
        As for `TensorBatches`.
    """

    def _inputs(self, index):
        inputs = move(self.dataset.arrays[0].inputs(index), self.device)
        self._alive = inputs  # for messages that have been moved and come again
        return Parts([inputs], len(index))

    def reused(self, x_native=None, y_native=None, cut=None):
        """Yield the same batches: hardly two are of one shape."""
        return iter(self)
