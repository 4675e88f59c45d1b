"""Raw outputs of a fitted network, a chunk of rows at a time."""

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sknn.data import iter_chunks, move
from sknn.training._gradient import call
from sknn.training._threads import limited_threads

# as many as suffice to tell whether a chunk of predictions is worth a second thread
ROWS_OF_A_CHUNK = 256


class RawOutputs:
    """What a network's module gives for inputs that are checked first."""

    def _largest_product(self, X, n_rows):
        """Multiply-adds of the largest matrix product of `n_rows` that are like `X`."""
        return n_rows * max(p.numel() for p in self.module_.parameters())

    def _checked_inputs(self, X, **options):
        """Inputs for a fitted network, in its type."""
        check_is_fitted(self)
        X = self._check_X(X, self._flat.numpy_dtype, reset=False, **options)
        return X.tocsr() if sparse.issparse(X) else X

    def _predict_raw(self, X):
        """Raw outputs for inputs that are checked first."""
        return self._raw_outputs(self._checked_inputs(X))

    def _raw_outputs(self, X):
        """Raw outputs of checked inputs."""
        return self._outputs_of(self.module_, X)

    def _outputs_of(self, forward, X):
        """What a module, or a method of it, gives, a chunk of rows at a time."""

        def evaluate(rows, x):
            return self._evaluate(forward, x)

        return self._collect(X, evaluate, X.shape[0], lambda rows: rows)

    def _collect(self, X, evaluate, n_outputs, find_places):
        """Put what ``evaluate(rows, x)`` gives for each chunk where it belongs."""
        outputs = None
        with self._predicting(X):
            for rows, x in iter_chunks(X):
                part = evaluate(rows, x)
                if outputs is None:
                    outputs = np.empty((n_outputs, *part.shape[1:]), part.dtype)
                outputs[find_places(rows)] = part
        return outputs

    def _predicting(self, X):
        """Context in which torch has as many threads as chunks of `X` are worth."""
        size = self._largest_product(X, min(X.shape[0], ROWS_OF_A_CHUNK))
        return limited_threads(size, self._torch_multiplies)

    @torch.no_grad()
    def _evaluate(self, forward, x):
        """What it gives for one chunk, as an array."""
        return call(forward, move(x, self._flat.values.device)).cpu().numpy()
