"""What a trained generator is for: rows, by the number or by their classes."""

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknn._door import check_count
from sknn.training._threads import limited_threads

# rows that are made at a time
BLOCK = 1024


class Sampling:
    """Rows from a generator that is `module_`."""

    def sample(self, n_samples=None, y=None, random_state=None):
        """Generate rows.

        Parameters
        ----------
        n_samples : int, default=None
            Number of rows; None is 1, or as many as `y` has labels.
        y : label or array-like of shape (n_samples,), default=None
            For a network that was fitted with y: the class of all rows, or of each.
            None draws classes as frequent as in training.
        random_state : int, RandomState instance or None, default=None
            Where noise, and classes, are drawn from.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The rows.
        y : ndarray of shape (n_samples,)
            Their classes, where the network was fitted with y; else `X` is all that
            is returned.

        Raises
        ------
        ValueError
            For classes that training has had no rows of, or where there are none.
        """
        codes, random_state = self._plan(n_samples, y, random_state)
        return self._with_classes(self._concatenated(codes, random_state), codes)

    def sample_iter(self, n_samples, batch_size=1000, y=None, random_state=None):
        """Generate rows a chunk at a time, the same as `sample` does at once.

        Parameters
        ----------
        n_samples : int or None
            Number of all rows, as for `sample`.
        batch_size : int, default=1000
            Rows of a chunk; the last one may have fewer.
        y, random_state
            As for `sample`.

        Returns
        -------
        iterator
            Of what `sample` returns, for the rows of each chunk.
        """
        check_count("batch_size", batch_size)
        codes, random_state = self._plan(n_samples, y, random_state)
        return self._iter_chunks(codes, random_state, int(batch_size))

    def _plan(self, n_samples, y, random_state):
        """Class codes of all rows, or how many there are, and a `RandomState`."""
        check_is_fitted(self)
        random_state = check_random_state(random_state)
        check_count("n_samples", n_samples, optional=True)
        if y is None:
            n_rows = int(n_samples or 1)
            codes = self._draw_codes(n_rows, random_state)
            return (n_rows if codes is None else codes), random_state
        if self._targets.classes is None:
            raise ValueError(
                f"y must be None for a {type(self).__name__} that was fitted without "
                f"classes: got {y!r}."
            )
        codes = self._encode_asked(np.asarray(y))
        if codes.ndim and n_samples not in (None, len(codes)):
            raise ValueError(
                "n_samples must be None or the number of labels in y, "
                f"{len(codes)}: got {n_samples!r}."
            )
        codes = np.broadcast_to(codes, codes.shape or (int(n_samples or 1),))
        return codes.copy(), random_state

    def _encode_asked(self, y):
        """Codes of the labels asked for, or of the only one, all of them trained."""
        if y.ndim > 1 or not y.size:
            raise ValueError(
                f"y must be a label or a vector of some: got shape {y.shape}."
            )
        classes = self._targets.classes
        for label in dict.fromkeys(y.ravel().tolist()):  # once each
            if label not in classes:
                raise ValueError(
                    f"y must have classes of the fit, {classes}, only: got {label!r}."
                )
        codes = np.searchsorted(classes, y)
        untrained = self.class_prior_[codes] == 0
        if untrained.any():
            label = y[untrained].tolist()[0]
            raise ValueError(
                "y must have classes that training has had rows of: got "
                f"{label!r}, which had none that weigh anything."
            )
        return codes

    def _with_classes(self, X, codes):
        """Rows, beside their classes where there are any."""
        return X if isinstance(codes, int) else (X, self._targets.classes[codes])

    def _concatenated(self, codes, random_state):
        return np.concatenate(list(self._iter_blocks(codes, random_state)))

    def _iter_blocks(self, codes, random_state):
        """Rows in the data's units, a block of a size that nobody chooses at a time.

        The same numbers therefore, bit for bit, whatever the chunks.
        """
        n_rows = codes if isinstance(codes, int) else len(codes)
        for start in range(0, n_rows, BLOCK):
            stop = min(start + BLOCK, n_rows)
            noise = self._draw_noise(stop - start, random_state)
            part = None if isinstance(codes, int) else codes[start:stop]
            yield self._evaluate_block(self.module_, noise, part)

    def _iter_chunks(self, codes, random_state, batch_size):
        """Blocks cut anew, with their classes."""
        start, held, n_held = 0, [], 0
        for block in self._iter_blocks(codes, random_state):
            held.append(block)
            n_held += len(block)
            if n_held < batch_size:
                continue
            rows, n_whole = np.concatenate(held), n_held - n_held % batch_size
            for i in range(0, n_whole, batch_size):
                yield self._chunk(rows[i : i + batch_size], codes, start + i)
            start, held, n_held = start + n_whole, [rows[n_whole:]], n_held - n_whole
        if n_held:
            yield self._chunk(np.concatenate(held), codes, start)

    def _chunk(self, X, codes, start):
        part = codes if isinstance(codes, int) else codes[start : start + len(X)]
        return self._with_classes(X, part)

    @torch.no_grad()
    def _evaluate_block(self, forward, noise, codes):
        """What it gives for float64 noise and class codes, or None, as an array."""
        z = torch.from_numpy(noise).to(self._flat.values)
        codes = None if codes is None else torch.from_numpy(codes).to(z.device)
        with limited_threads(self._largest_product(noise, len(noise)), True):
            return forward(z, codes).cpu().numpy()

    def _make(self, noise, codes):
        """Scaled rows of one block, in float64."""
        module = self.module_

        def forward(z, codes):
            return module.make(z, module.encode(codes, z.dtype))

        return self._evaluate_block(forward, noise, codes).astype(np.float64)

    def _draw_noise(self, n_rows, random_state):
        return random_state.standard_normal((n_rows, self.module_.latent_dim))

    @property
    def _convolved_shape(self):
        return self.image_shape_

    def _draw_codes(self, n_rows, random_state):
        """Classes by their frequency in training, or None where there are none."""
        if self._targets.classes is None:
            return None
        return random_state.choice(self._targets.n_outputs, n_rows, p=self.class_prior_)
