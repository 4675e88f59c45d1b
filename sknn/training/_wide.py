r"""Wide first layers under sparse inputs: a gradient that is never there as a whole.

:math:`\nabla_{W^{(1)}} J = X^\top \delta^{(1)}` has as many rows as there are inputs,
and nothing but zeros in those of inputs that a batch lacks. It is made, penalised and
spent a block of rows at a time.
"""

import numpy as np
import torch
from scipy import sparse

from sknn.training._parallel import map_rows

# weights of a layer from which they are wide
WIDE = 1 << 21
# and of a block of them
BLOCK = 1 << 19
# multiply-adds that take as long as the update of a weight: memory is slow
UPDATE_COST = 32


def is_wide(X, weights):
    """Whether `weights` (fan_in, fan_out) are worth blocks under inputs `X`."""
    return sparse.issparse(X) and weights.numel() >= WIDE


class SparseProduct:
    """Product of transposed sparse inputs and deltas, any rows of it at a time.

    Parameters
    ----------
    x : CSR matrix of shape (batch, fan_in)
        Inputs.
    delta : ndarray of shape (batch, fan_out)
        What is propagated back to the layer.
    """

    def __init__(self, x, delta):
        columns = x.tocsc()
        self._data, self._indices, self._delta = columns.data, columns.indices, delta
        self._used = np.flatnonzero(np.diff(columns.indptr))
        self._starts = np.append(columns.indptr[self._used], len(columns.indices))

    def write(self, rows, out):
        """Write the product's `rows`, a slice, to `out` (n_rows, fan_out)."""
        out.fill(0)
        low, high = np.searchsorted(self._used, (rows.start, rows.stop))
        if low == high:
            return
        starts = self._starts[low : high + 1]
        entries = slice(starts[0], starts[-1])
        parts = self._data[entries], self._indices[entries], starts - starts[0]
        used = sparse.csr_array(parts, shape=(high - low, len(self._delta)))
        out[self._used[low:high] - rows.start] = used @ self._delta


def write_product(x, delta, gradient):
    """Write the product of transposed sparse inputs and deltas to `gradient`."""
    if gradient.size < WIDE:
        gradient[...] = x.T @ delta
        return
    product, chunk = SparseProduct(x, delta), rows_of_block(gradient.shape[1])
    for start in range(0, len(gradient), chunk):
        rows = slice(start, min(start + chunk, len(gradient)))
        product.write(rows, gradient[rows])


def rows_of_block(fan_out):
    """Rows of weights (fan_in, fan_out) in a block."""
    return max(BLOCK // fan_out, 1)


class WideStep:
    """Penalty and update of a flat parameter that begins with wide weights.

    Parameters
    ----------
    flat : FlatParameters
        On the CPU.
    optimizer : FusedOptimizer
        Of the flat parameter.
    penalty : Penalty
        Added to the gradient.
    fan_in, fan_out : int
        Shape of the wide weights.
    """

    def __init__(self, flat, optimizer, penalty, fan_in, fan_out):
        self._flat, self._optimizer, self._penalty = flat, optimizer, penalty
        self._shape, self._product = (fan_in, fan_out), None

    def keep_product(self, x, delta, gradient):
        """Take the factors of the wide weights' gradient; `gradient` stays as it is."""
        self._product = SparseProduct(x, delta)

    def __call__(self, total):
        """Penalise and update for a batch of weight `total`; return the penalty."""
        (fan_in, fan_out), flat = self._shape, self._flat
        move, product = self._optimizer.in_parts(flat.parameter), self._product
        chunk = rows_of_block(fan_out)
        penalties = np.zeros(-(-fan_in // chunk))

        def step(part, gradient):
            end = min(part.stop, flat.n_penalized)
            weights = flat.values[part.start : end]
            penalize = self._penalty.on(weights, gradient[: len(weights)])
            penalty = float(penalize(total))
            move(part, gradient)
            return penalty

        def step_rows(rows):
            scratch = np.empty(
                (rows.stop - rows.start, fan_out), self._flat.numpy_dtype
            )
            product.write(rows, scratch)
            part = slice(rows.start * fan_out, rows.stop * fan_out)
            gradient = torch.from_numpy(scratch.reshape(-1))
            penalties[rows.start // chunk] = step(part, gradient)

        rest = slice(fan_in * fan_out, len(flat.values))
        penalty = step(rest, flat.gradient[rest])
        map_rows(step_rows, fan_in, chunk, UPDATE_COST * fan_in * fan_out)
        self._product = None
        return penalty + float(penalties.sum())
