"""Batches of rows: slices of resident arrays, never collated row by row."""

from functools import partial

import numpy as np
import torch
from scipy import sparse


class Batch(tuple):
    """``(x, y)``, as skorch expects a batch, with the weights riding along.

    Attributes
    ----------
    weight : array of shape (batch, 1) or None
        Weight of each row.
    total : float
        Sum of the weights, or the number of rows.
    n_rows : int
        Number of rows.
    """

    def __new__(cls, x, y, weight, total, n_rows):
        batch = super().__new__(cls, (x, y))
        batch.weight, batch.total, batch.n_rows = weight, total, n_rows
        return batch

    def with_targets(self, y):
        """The same rows with other targets."""
        return Batch(self[0], y, self.weight, self.total, self.n_rows)


class PartedBatch:
    """Batch that is drawn a part at a time, by whichever thread wants the part.

    Parameters
    ----------
    draw : callable
        ``draw(i)`` returns part `i` as a `Batch` with the total of the whole.
    n_parts : int
        Number of parts.
    total : float
        Sum of the weights of all rows, or their number.
    n_rows : int
        Number of rows.
    """

    def __init__(self, draw, n_parts, total, n_rows):
        self.draw, self.n_parts = draw, n_parts
        self.total, self.n_rows = total, n_rows


class SizeOnly:
    """Number of rows of a batch that is drawn elsewhere."""

    __slots__ = ("n_rows",)

    def __init__(self, n_rows):
        self.n_rows = n_rows


class TensorBatches:
    """Iterator of batches in the order that one permutation an epoch gives.

    Each epoch permutes the previous epoch's order, so that the same `RandomState`
    visits the rows in the order in which scikit-learn's networks do.

    Parameters
    ----------
    dataset : Rows
        Rows to iterate over.
    batch_size : int
        Rows a batch; the last batch of an epoch may be shorter.
    random_state : numpy.random.RandomState, optional
        Source of the permutations; None keeps the given order.
    device : torch.device or str
        Where iterated batches are put.
    joins_last : bool
        Whether a last batch of less than a quarter of `batch_size`, or of a single row,
        joins the one before: its mean and variance would be noise.

    Attributes
    ----------
    n_rows : int
        Sum of the batches' `n_rows`.
    """

    def __init__(
        self,
        dataset,
        batch_size=200,
        random_state=None,
        device="cpu",
        joins_last=False,
    ):
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.random_state = random_state
        self.device = torch.device(device)
        self.n_rows = len(dataset)
        self._order = np.arange(self.n_rows)
        self._n_batches, n_left = divmod(len(dataset), self.batch_size)
        is_small = n_left < max(2, self.batch_size / 4)
        joins = joins_last and is_small and self._n_batches
        self._n_batches += bool(n_left) and not joins

    def __len__(self):
        return self._n_batches

    def _cut(self, positions):
        """Yield the positions of each batch."""
        for start in range(0, (len(self) - 1) * self.batch_size, self.batch_size):
            yield positions[start : start + self.batch_size]
        if len(self):
            yield positions[(len(self) - 1) * self.batch_size :]

    def sizes(self):
        """Yield objects that have the number of rows of each batch alone."""
        for positions in self._cut(range(self.n_rows)):
            yield SizeOnly(len(positions))

    def next_positions(self):
        """Positions of all rows in this epoch's order."""
        if self.random_state is not None:
            permutation = np.arange(len(self._order))
            self.random_state.shuffle(permutation)
            self._order = self._order[permutation]
        return self.dataset.positions(self._order)

    def order_key(self):
        """What iterators that draw the same orders have in common; None: unknown."""
        if self.random_state is None:
            return None
        state = self.random_state.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            return None
        words, position = state["state"]["key"].tobytes(), state["state"]["pos"]
        return self.n_rows, words, position, state["has_gauss"], state["gauss"]

    def has_order_of(self, other):
        """Whether both have the same rows of their arrays in the same order."""
        index, of_other = self.dataset.index, other.dataset.index
        same_rows = index is of_other or np.array_equal(index, of_other)
        return same_rows and np.array_equal(self._order, other._order)

    def catch_up(self, other):
        """Be where another iterator is, which has drawn for this one too."""
        self._order = other._order
        self.random_state.set_state(other.random_state.get_state())

    def _next_indices(self):
        """Yield where the rows of each batch of this epoch lie in the arrays."""
        return self._cut(self.next_positions())

    def _inputs(self, index):
        """Inputs of the rows that lie at `index`, as the module takes them."""
        x = self.dataset.arrays[0][index]
        return self._to_device(x.toarray() if sparse.issparse(x) else x)

    def _targets(self, index):
        """Targets of these rows as a tensor, and weights as an array or None."""
        _, y, weight = self.dataset.arrays
        y = np.zeros(len(index)) if y is None else y[index]
        return self._to_device(y), None if weight is None else weight[index]

    def __iter__(self):
        """Yield batches of tensors in memory of their own, for whoever keeps them."""
        for index in self._next_indices():
            inputs, targets = self._inputs(index), self._targets(index)
            yield make_batch(inputs, *targets, self._to_device)

    def _to_device(self, array):
        return to_tensor(array).to(self.device)

    def reused(self, x_native=None, y_native=None, cut=None):
        """Yield batches in buffers that the next batch overwrites.

        Parameters
        ----------
        x_native, y_native : callables, optional
            Turn numpy buffers of inputs, and of targets and weights, into tensors that
            share their memory. None yields numpy arrays, and sparse inputs as they
            are.
        cut : callable, optional
            Returns the slices that a number of rows is to be cut into; where buffers
            are drawn into, a `PartedBatch` of these is yielded then.
        """
        X, _, weight = self.dataset.arrays
        if self.device.type != "cpu" or (x_native and sparse.issparse(X)):
            yield from self
            return
        buffers = {}
        for index in self._next_indices():
            n_rows = len(index)
            if n_rows not in buffers:
                slices = [slice(0, n_rows)] if cut is None else cut(n_rows)
                buffers[n_rows] = [
                    _Buffer(self.dataset, part, x_native, y_native) for part in slices
                ]
            parts = buffers[n_rows]
            total = float(n_rows if weight is None else weight[index].sum())
            if cut is None:
                yield parts[0].draw(index, total)
            else:
                draw = partial(_draw_part, parts, index, total)
                yield PartedBatch(draw, len(parts), total, n_rows)


class _Buffer:
    """Memory that a part of every batch of one size is drawn into."""

    def __init__(self, dataset, part, x_native, y_native):
        X, y, weight = dataset.arrays
        y = np.zeros(X.shape[0]) if y is None else y
        self._arrays, self._part = (X, y, weight), part
        self._as_native = y_native or _unchanged
        self._n_rows = part.stop - part.start
        self._y_memory = np.empty((self._n_rows, *y.shape[1:]), y.dtype)
        self._y = self._as_native(self._y_memory)
        self._x_memory = self._x = None
        if not sparse.issparse(X):
            self._x_memory = np.empty((self._n_rows, *X.shape[1:]), X.dtype)
            self._x = (x_native or _unchanged)(self._x_memory)

    def draw(self, index, total):
        """Batch of this part of the rows at `index`."""
        X, y, weight = self._arrays
        index = index[self._part]
        y.take(index, 0, self._y_memory, "clip")
        x = self._x
        if x is None:
            x = X[index]
        else:
            X.take(index, 0, self._x_memory, "clip")
        if weight is not None:
            weight = self._as_native(weight[index, None])
        return Batch(x, self._y, weight, total, self._n_rows)


def _draw_part(parts, index, total, i):
    return parts[i].draw(index, total)


def _unchanged(array):
    return array


class ResidentBatches(TensorBatches):
    """The same batches from arrays that live on an accelerator."""

    def __init__(self, dataset, *args, **kwargs):
        super().__init__(dataset, *args, **kwargs)
        X, y, weight = dataset.arrays
        y = np.zeros(X.shape[0]) if y is None else y
        self._tensors = [
            None if array is None else self._to_device(array)
            for array in (X, y, weight)
        ]

    def __iter__(self):
        X, y, weight = self._tensors
        positions = torch.from_numpy(self.next_positions()).to(self.device)
        for index in self._cut(positions):
            rows_weight = None if weight is None else weight[index]
            yield make_batch(X[index], y[index], rows_weight, _unchanged)

    def reused(self, x_native=None, y_native=None, cut=None):
        """Yield the same batches: they are drawn on the accelerator."""
        return iter(self)


def to_tensor(array):
    """Tensor on an array's memory, or on a copy where torch cannot have that.

    It wants memory that could be written, and strides of whole entries, forwards, also
    along axes of length one.
    """
    strides = np.array(array.strides)
    fits = (strides >= 0).all() and not (strides % array.itemsize).any()
    if not (fits and array.flags.c_contiguous and array.flags.writeable):
        array = np.array(array, order="C")
    return torch.from_numpy(array)


def make_batch(x, y, weight, as_native):
    """Batch of native arrays from the weights' numpy ones.

    Parameters
    ----------
    x, y : arrays
        Inputs, in any form, and targets of the batch.
    weight : ndarray of shape (batch,) or None
        Weights of its rows.
    as_native : callable
        Turns a numpy array into a native one.
    """
    n_rows = len(y)
    if weight is None:
        return Batch(x, y, None, float(n_rows), n_rows)
    return Batch(x, y, as_native(weight[:, None]), float(weight.sum()), n_rows)
