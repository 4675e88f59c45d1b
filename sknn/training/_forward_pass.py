"""Outputs of a perceptron for many rows, by the operations of its training."""

from math import isfinite

import numpy as np
from scipy import sparse

from sknn.data import to_tensor
from sknn.training._activations import ACTIVATIONS
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._delta_rule import multiply, multiply_inputs
from sknn.training._parallel import map_rows
from sknn.training._processor import numpy_multiplies_faster
from sknn.training._threads import NEVER_THREADED, WORTH_THREADS, has_one_thread

# entries of a layer's activations for which a chunk of rows stays in cache
CHUNK_ENTRIES = 1 << 19


class ForwardPass:
    """Outputs of a perceptron for many rows, a cache-sized chunk of rows at a time.

    Parameters
    ----------
    weights, biases : lists of tensors
        As for `DeltaRule`, of one network on the CPU.
    activation : str
        Hidden activation, kept as an attribute.
    norms : list of (module, tensor) pairs
        Layer with the running statistics, and scales, of each normalised hidden layer.
    """

    def __init__(self, weights, biases, activation, norms=()):
        self._tensors, self._native = (weights, biases), {}
        self.activation, self._norms = activation, norms
        self._activate = ACTIVATIONS[activation].write
        self._widths = [weight.shape[1] for weight in weights]
        self._largest_above = max([weight.numel() for weight in weights[1:]], default=0)

    def __call__(self, X, hidden=False, on_doubt=None):
        """Raw outputs of `X`, or the activations of the last hidden layer.

        Parameters
        ----------
        X : ndarray or CSR matrix
            Inputs in the type of the weights.
        hidden : bool
            Whether to stop at the last hidden layer.
        on_doubt : callable, optional
            Called with rows of a dense `X` that may not all be finite.
        """
        n_rows, n_layers = X.shape[0], len(self._widths) - hidden
        dtype = self._native_of(NumpyOps)[0][0].dtype
        out = np.empty((n_rows, self._widths[n_layers - 1]), dtype)
        n_entries = X.nnz if sparse.issparse(X) else X.size
        product_size = max(n_entries * self._widths[0], n_rows * self._largest_above)
        never_threaded = WORTH_THREADS if has_one_thread() else NEVER_THREADED
        is_small = product_size < never_threaded
        by_numpy = is_small or sparse.issparse(X) or numpy_multiplies_faster()
        ops = NumpyOps if by_numpy else TorchOps
        maps = self._running_maps(ops)

        def fill(rows):
            h = X[rows] if ops is NumpyOps else to_tensor(X[rows])
            if on_doubt and not isfinite(ops.sum(h)):
                on_doubt(X[rows])
            self._propagate(ops, h, ops.from_numpy(out[rows]), n_layers, hidden, maps)

        with np.errstate(all="ignore"):
            if is_small:
                fill(slice(None))
            else:
                map_rows(fill, n_rows, self._rows_in_cache(X), product_size)
        return out

    def _native_of(self, ops):
        """Weights and biases as `ops` has them."""
        if ops not in self._native:
            self._native[ops] = [list(map(ops.native, part)) for part in self._tensors]
        return self._native[ops]

    def _rows_in_cache(self, X):
        """Rows of a chunk whose activations stay in cache."""
        if sparse.issparse(X):  # the product is copied, and the input takes no room
            entries, width = CHUNK_ENTRIES // 8, max(self._widths)
        else:
            entries, width = CHUNK_ENTRIES, max(X.shape[1], *self._widths)
        return max(entries // width, 1)

    def _running_maps(self, ops):
        """Factor and shift by which each layer's running statistics normalise."""
        maps = []
        for (norm, scale), bias in zip(self._norms, self._tensors[1], strict=False):
            factor = scale * (norm.running_var + norm.eps).rsqrt()
            shift = bias - norm.running_mean * factor
            maps.append((ops.native(factor), ops.native(shift)))
        return maps

    def _propagate(self, ops, h, out, n_layers, hidden, maps):
        """Write the outputs of layer `n_layers` to `out`."""
        weights, biases = self._native_of(ops)
        for k in range(n_layers):
            product = multiply if k else multiply_inputs
            last = k == n_layers - 1
            z = out if last else ops.empty((h.shape[0], self._widths[k]), out)
            if k < len(maps):
                product(ops, h, weights[k], None, z)
                ops.multiply(z, maps[k][0], out=z)
                ops.add(z, maps[k][1], out=z)
            else:
                product(ops, h, weights[k], biases[k], z)
            if hidden or not last:
                tensor = ops.tensor(z)
                self._activate(tensor, tensor)
            h = z
