"""Sparse matrices that graph convolutions multiply with, and how they are made."""

import weakref

import numpy as np
import torch
from scipy import sparse

from sknn.data._batches import to_tensor
from sknn.data._casting import cast


def make_message_matrix(adjacency, conv, symmetric=False):
    """Matrix that tells each node what it hears of which.

    Parameters
    ----------
    adjacency : csr_array of shape (n, n)
        Weights of the edges, from rows to columns; indices sorted.
    conv : {"gcn", "sage", "gat", "gin"}
        The convolution. With M the transpose of `adjacency`, "gcn" normalises M + I on
        both sides by the square roots of its row sums (Kipf & Welling 2017), "sage"
        divides the rows of M by their sums (the mean of Hamilton et al. 2017), "gat"
        takes M + I (Velickovic et al. 2018) and "gin" M (Xu et al. 2019).
    symmetric : bool
        Whether `adjacency` is known to be its own transpose.

    Returns
    -------
    csr_array of shape (n, n)
        A row a receiving node, its indices sorted. A row of "sage" without neighbours
        is empty. It may share memory with `adjacency`.
    """
    matrix = adjacency if symmetric else adjacency.T.tocsr()
    n = matrix.shape[0]
    if conv in ("gcn", "gat"):
        places = np.arange(n + 1, dtype=matrix.indices.dtype)
        identity = (np.ones(n, matrix.dtype), places[:-1], places)
        matrix = matrix + sparse.csr_array(identity, shape=(n, n))
    if conv in ("gat", "gin"):
        return matrix
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    receivers = np.repeat(np.arange(n), np.diff(matrix.indptr))
    if conv == "gcn":
        factor = 1 / np.sqrt(sums)
        # one product of both, so that what is symmetric stays so to the last bit
        data = matrix.data * (factor[receivers] * factor[matrix.indices])
    else:
        data = matrix.data / sums[receivers]
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=(n, n))


class Messages:
    """Sparse matrix (n_to, n_from) by rows: which nodes hear which, and how loudly.

    Parameters
    ----------
    starts : tensor of shape (n_to + 1,), int64
        Where the entries of each receiving node begin, and where the last ones end.
    sources : tensor of shape (n_entries,), int64
        Sending nodes.
    weights : tensor of shape (n_entries,), floating
        What their messages are multiplied by.
    shape : tuple of int
        ``(n_to, n_from)``.
    own : tensor of shape (n_to,), int64, optional
        Where the receiving nodes are among the senders; None: node i is sender i.
    symmetric : bool
        Whether the matrix is its own transpose, the sources of each row ascending.
    transposed : Messages, optional
        The transpose, where it is known already.
    order : tensor of shape (n_entries,), int64, optional
        The entries in the transpose's order, where it is known already.
    """

    def __init__(
        self,
        starts,
        sources,
        weights,
        shape,
        *,
        own=None,
        symmetric=False,
        transposed=None,
        order=None,
    ):
        self.starts, self.sources, self.weights = starts, sources, weights
        self.shape, self.own, self.is_symmetric = shape, own, symmetric
        self._transposed, self._order, self._moved = transposed, order, None
        self._loops = None

    @classmethod
    def from_csr(cls, matrix, dtype, own=None, symmetric=False):
        """Messages of a scipy matrix.

        Parameters
        ----------
        matrix : csr_array of shape (n_to, n_from)
            A row a receiving node.
        dtype : numpy dtype
            Type of the weights.
        own : ndarray of int, optional
            Where the receiving nodes are among the senders.
        symmetric : bool
            Whether the matrix is its own transpose.

        Raises
        ------
        ValueError
            For a weight that is too large for the type.
        """
        if not matrix.has_sorted_indices:
            matrix = matrix.sorted_indices()
        indices = (matrix.indptr, matrix.indices)
        starts, sources = (to_tensor(array.astype(np.int64)) for array in indices)
        weights = to_tensor(cast(matrix.data, dtype, "edge_weight"))
        own = None if own is None else to_tensor(np.asarray(own, np.int64))
        return cls(starts, sources, weights, matrix.shape, own=own, symmetric=symmetric)

    @property
    def transposed(self):
        """Messages of the transpose, or None where the matrix is its own.

        Where only the pattern is symmetric, it shares the places of the entries.
        """
        if self._transposed is None and not self.is_symmetric:
            self._transposed = self._transpose()
        return self._transposed

    @property
    def backward(self):
        """Messages of the transpose in any case."""
        return self if self.is_symmetric else self.transposed

    @property
    def order(self):
        """The entries in the transpose's order.

        ``backward.weights`` are ``weights[order]``.
        """
        if self._order is None:
            self._order = self._find_order()
        return self._order

    @property
    def loops(self):
        """Where each node's entry from itself is, an ndarray (n_to,).

        Nodes are their own senders, and all have such an entry.
        """
        if self._loops is None:
            self._loops = self._find_loops()
        return self._loops

    def _find_loops(self):
        starts, sources = self.starts.numpy(), self.sources.numpy()
        receivers = np.repeat(np.arange(self.shape[0]), np.diff(starts))
        return np.flatnonzero(sources == receivers)

    def _find_order(self):
        if self.sources.device.type != "cpu":
            return self.sources.argsort(stable=True)
        entries = np.arange(len(self.sources))
        places = (self.sources.numpy(), self.starts.numpy())
        by_rows = sparse.csr_array((entries, *places), shape=self.shape)
        return torch.from_numpy(by_rows.tocsc().data)  # ten times a sort's speed

    def _transpose(self):
        n_to, n_from = self.shape
        counts = torch.bincount(self.sources, minlength=n_from)
        starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        places = torch.arange(n_to, device=starts.device)
        sources = places.repeat_interleave(self.starts.diff())[self.order]
        if torch.equal(starts, self.starts) and torch.equal(sources, self.sources):
            starts, sources = self.starts, self.sources
        return Messages(starts, sources, self.weights[self.order], (n_from, n_to))

    def to(self, device):
        """The same on a device: itself if it is there, or a copy that is still alive.

        Parameters
        ----------
        device : torch.device or str
            Where its tensors are to be.
        """
        device = torch.device(device)
        if self._is_on(device):
            return self
        moved = self._moved and self._moved()
        if moved is None or not moved._is_on(device):
            moved = self._move(device)
            self._moved = weakref.ref(moved)
        return moved

    def _is_on(self, device):
        here = self.starts.device
        return here.type == device.type and device.index in (None, here.index)

    def _move(self, device):
        names = ("starts", "sources", "weights", "own", "_order")
        tensors = (getattr(self, name) for name in names)
        starts, sources, weights, own, order = (
            tensor if tensor is None else tensor.to(device) for tensor in tensors
        )
        known = self._transposed
        return Messages(
            starts,
            sources,
            weights,
            self.shape,
            own=own,
            symmetric=self.is_symmetric,
            transposed=known if known is None else known.to(device),
            order=order,
        )

    def __getstate__(self):
        return vars(self) | {"_moved": None}
