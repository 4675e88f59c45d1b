"""What follows from the edges of a graph, kept for the next one who asks."""

import numpy as np

from sknn.data._messages import Messages, make_message_matrix
from sknn.data._structure import structural_features


class EdgeMemory:
    """Messages and structural features of a graph, made when they are first asked for.

    Graphs of the same edges share it.
    """

    def __init__(self):
        self._messages, self._structure = {}, None

    def messages(self, graph, conv, dtype):
        """What nodes hear of one another; those of the last two calls that differ stay.

        Parameters
        ----------
        graph : Graph
            Has the edges.
        conv : {"gcn", "sage", "gat", "gin"}
            The convolution.
        dtype : numpy dtype
            Type of the weights.

        Returns
        -------
        Messages
            Of shape (n_nodes, n_nodes).
        """
        key = (conv, np.dtype(dtype))
        found = self._messages.pop(key, None)
        if found is None:
            symmetric = not graph.is_directed
            matrix = make_message_matrix(graph.adjacency, conv, symmetric)
            symmetric = symmetric and conv != "sage"
            found = Messages.from_csr(matrix, key[1], symmetric=symmetric)
            self._messages = dict(list(self._messages.items())[-1:])
        self._messages[key] = found
        return found

    def structure(self, graph):
        """Structural features of the nodes.

        Parameters
        ----------
        graph : Graph
            Has the edges.

        Returns
        -------
        ndarray of shape (n_nodes, 5), float64
            Read-only.
        """
        if self._structure is None:
            self._structure = structural_features(graph)
            self._structure.flags.writeable = False
        return self._structure
