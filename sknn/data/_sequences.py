"""Sequences of many lengths in one array, one after another."""

import numpy as np


class Sequences:
    """Sequences, the steps of all in one array.

    They can be the inputs of `Rows`. An array of ints, a mask or a slice selects
    sequences; slices of neighbours share memory. One int gives the steps of a sequence.

    Parameters
    ----------
    values : ndarray of shape (n_steps, n_channels) or (n_steps,)
        Steps of all sequences: real numbers, or ids of tokens; of spelled ones a pair,
        the id and the row of `letters`.
    starts : ndarray of shape (n + 1,), int64
        Where each sequence begins in `values`, and where the last one ends; the first
        entry is 0, the last ``len(values)``.
    letters : ndarray of shape (n_words, longest), optional
        Spellings of tokens.

    Attributes
    ----------
    lengths : ndarray of shape (n,), int64
        Steps of each sequence.
    dtype : numpy dtype
        Type of the steps.
    shape : tuple
        ``(n,)``.
    n_channels : int or None
        Numbers a step; None for tokens.
    is_even : bool
        Whether all sequences are equally long.
    """

    ndim = 1

    def __init__(self, values, starts, letters=None):
        self.values, self.starts, self.letters = values, starts, letters
        self.lengths = np.diff(starts)
        self.dtype, self.shape = values.dtype, self.lengths.shape
        self.n_channels = values.shape[1] if values.ndim == 2 else None
        self.is_even = bool((self.lengths == self.lengths[:1]).all())

    @classmethod
    def from_array(cls, array, letters=None):
        """Sequences of one length, without a copy of C-contiguous ones.

        Parameters
        ----------
        array : ndarray of shape (n, n_steps, n_channels) or (n, n_steps)
            Numbers, or ids of tokens.
        letters : ndarray, optional
            Spellings of tokens.
        """
        n, n_steps, *channels = array.shape
        starts = np.arange(n + 1, dtype=np.int64) * n_steps
        return cls(array.reshape(n * n_steps, *channels), starts, letters)

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, key):
        if isinstance(key, int | np.integer):
            key = range(len(self))[key]
            return self.values[self.starts[key] : self.starts[key + 1]]
        if isinstance(key, slice) and key.step in (None, 1):
            first, stop, _ = key.indices(len(self))
            starts = self.starts[first : max(first, stop) + 1]
            values = self.values[starts[0] : starts[-1]]
            return Sequences(values, starts - starts[0], self.letters)
        if self.is_even:
            return self.from_array(self._as_block()[key], self.letters)
        starts = np.append(0, np.cumsum(self.lengths[key]))
        return Sequences(self.values[self.find_steps(key)], starts, self.letters)

    def find_steps(self, key):
        """Where the steps of selected sequences lie in `values`, one after another."""
        lengths = self.lengths[key]
        stops = np.cumsum(lengths)
        steps = np.repeat(self.starts[:-1][key] - (stops - lengths), lengths)
        return steps + np.arange(len(steps))

    def inputs(self, index):
        """What a module takes for selected sequences.

        Parameters
        ----------
        index : ndarray of int or slice
            Which sequences, in order.

        Returns
        -------
        dict of ndarray
            "x" as `padded` gives it; "lengths" where they differ; "letters" where
            tokens are spelled, of every word among them once: the rows that "x" names
            are of these.
        """
        x, lengths = self.padded(index)
        inputs = {"x": x} if lengths is None else {"x": x, "lengths": lengths}
        if self.letters is not None:
            rows, own = np.unique(x[..., 1], return_inverse=True)
            letters = self.letters[rows]
            inputs["letters"] = letters[:, : np.count_nonzero(letters.any(0))]
            inputs["x"] = np.stack([x[..., 0], own.reshape(x.shape[:2])], -1)
        return inputs

    def padded(self, index=None):
        """Sequences as one array, zeros behind the shorter ones.

        Parameters
        ----------
        index : ndarray of int or slice, optional
            Which sequences, in order; None is all of them.

        Returns
        -------
        x : ndarray of shape (n, longest, n_channels) or (n, longest)
            Equally long sequences share their memory, unless `index` is an array.
        lengths : ndarray of shape (n,), int64, or None
            Steps of each sequence; None where all are equally long.
        """
        key = slice(None) if index is None else index
        if self.is_even:
            return self._as_block()[key], None
        lengths, starts = self.lengths[key], self.starts[:-1][key]
        longest = int(lengths.max(initial=0))
        steps = starts[:, None] + np.arange(longest)  # (n, longest)
        x = self.values.take(steps, axis=0, mode="clip")
        if (lengths == longest).all():
            return x, None
        x[np.arange(longest) >= lengths[:, None]] = 0
        return x, lengths

    def _as_block(self):
        """Equally long sequences as an array (n, n_steps, ...) on the same memory."""
        longest = self.lengths[0] if len(self) else 0
        return self.values.reshape(len(self), longest, *self.values.shape[1:])
