"""What networks on sequences share: series of numbers, tokens, texts."""

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    validate_data,
)

from sknn._autograd_base import BaseAutogradNetwork
from sknn._sklearn_compat import Interval
from sknn._transfer import PARAMETERS as TRANSFER_PARAMETERS
from sknn._transfer import TransferredBody
from sknn.data import SequenceReader, Sequences
from sknn.training._sequence_initialization import forget_unseen

PARAMETERS = {
    **TRANSFER_PARAMETERS,
    "tokens": (
        "bool",
        "Whether whole numbers are tokens, as strings always are, and not a series.",
    ),
    "tokenizer": (
        "callable or None",
        "What cuts a string into a list of tokens, such as ``list`` into characters. "
        "None lower-cases and takes words, runs of ``\\w``, and every other character "
        "that is not a space.",
    ),
    "min_count": (
        "int",
        "How often a token must occur to be told from unseen ones.",
    ),
    "max_vocab": (
        "int or None",
        "Most tokens to be told apart, the most frequent ones; None is all.",
    ),
}

# what a fit to other inputs has left
SET_BY_FIT = ("n_features_in_", "feature_names_in_", "vocabulary_")


class BaseSequenceNetwork(TransferredBody, BaseAutogradNetwork):
    """Sequences of any lengths; a table's rows are series of one channel."""

    _parameter_constraints: dict = {
        **BaseAutogradNetwork._parameter_constraints,
        **TransferredBody._parameter_constraints,
        "tokens": ["boolean"],
        "tokenizer": [callable, None],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_vocab": [Interval(Integral, 1, None, closed="left"), None],
    }
    _auto_batch_size = 32

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_X(self, X, dtype, *, reset, sample_weight=None, **options):
        if isinstance(X, Sequences):  # read before
            return X
        tokens = self._takes_tokens(reset)
        if reset and not tokens and isinstance(X, list | tuple):
            X = table_of(X)  # which a fold of longer rows may not be: of their type
            dtype = np.float32 if isinstance(dtype, list) else dtype
        X = X if tokens else tidy(X)
        n_axes = None if tokens else axes_of_numbers(X)
        if n_axes != 2 or not (reset or self._fitted_to_table):
            return self._check_sequences(
                X, n_axes, dtype, reset, sample_weight, options
            )
        checked = super()._check_X(X, dtype, reset=reset, **options)
        X, *y = checked if isinstance(checked, tuple) else (checked,)
        X = self._read(X, X.dtype, reset, n_features=X.shape[1])
        return (X, *y) if y else X

    def _takes_tokens(self, reset):
        """Whether whole numbers are tokens, by the first fit."""
        reader = self._given_reader if reset else self._reader
        return self.tokens if reader is None else reader.form == "integers"

    @property
    def _given_reader(self):
        """Reader of the tokens that layers to begin with have learned, or None."""
        reader = self._source and self._source._reader
        return reader if reader and reader.kind == "tokens" else None

    def _check_sequences(self, X, n_axes, dtype, reset, sample_weight, options):
        """Sequences that are no table, and y where there is any."""
        X = self._check_steps(X, n_axes, dtype, reset, sample_weight)
        if "y" not in options:
            return X
        own = {k: v for k, v in options.items() if k in ("multi_output", "y_numeric")}
        y = validate_data(self, "no_validation", options["y"], reset=reset, **own)
        check_consistent_length(X, y)
        return X, y

    def _check_steps(self, X, n_axes, dtype, reset, sample_weight=None):
        """Sequences that are no table."""
        dtype = np.float32 if isinstance(dtype, list) else dtype
        if n_axes is not None:
            X = check_array(
                X,
                dtype=dtype,
                ensure_2d=False,
                allow_nd=True,
                ensure_all_finite=False,  # the reader says which sequence is not
                estimator=self,
            )
        return self._read(X, dtype, reset, sample_weight)

    def _read(self, X, dtype, reset, sample_weight=None, n_features=None):
        """Sequences by the rules of the first fit, which are set here by `reset`."""
        if not reset:
            return self._reader.read(X, dtype)
        self._reader = deepcopy(self._given_reader)
        if self._reader is not None:
            X = self._reader.read(X, dtype)
        else:
            self._reader, X = self._fit_reader(X, dtype, sample_weight)
        self._fitted_to_table = n_features is not None
        for name in ("vocabulary_",) if n_features else SET_BY_FIT:
            vars(self).pop(name, None)
        if self._reader.kind == "tokens":
            self.vocabulary_ = self._reader.vocabulary
        else:
            self.n_features_in_ = n_features or self._reader.n_channels
        return X

    def _fit_reader(self, X, dtype, sample_weight):
        """Reader of such sequences, and what it reads."""
        return SequenceReader.fit_read(
            X,
            dtype,
            tokens=self.tokens,
            tokenizer=self.tokenizer,
            min_count=self.min_count,
            max_vocab=self.max_vocab,
            sample_weight=sample_weight,
            **self._reading,
        )

    def _describe_inputs(self):
        reader = self._reader
        if reader.kind == "tokens":
            return f"sequences of {len(reader.vocabulary)} known tokens"
        return f"series of {reader.n_channels} channels"

    def _calibrate(self, module, rows):
        super()._calibrate(module, rows)
        if self._reader.kind == "tokens" and self._source is None:
            ids = rows.X.values
            ids = ids if ids.ndim == 1 else ids[:, 0]  # letters are behind it
            forget_unseen(module.token_vectors, ids)

    @property
    def _reading(self):
        """Further options of the reader."""
        return {}

    @property
    def _dropout(self):
        """The parameter, or what it means for the inputs there are."""
        return self.dropout

    @property
    def _letters(self):
        """What a module is told of the letters of tokens, where these are read."""
        return {}

    @property
    def _n_tokens(self):
        """Rows of an embedding, the first of which is for unseen tokens, or None."""
        if self._reader.kind != "tokens":
            return None
        return len(self._reader.vocabulary) + 1


def choose_dim(dim, n_rows):
    """Entries of a learned vector for each of `n_rows`; "auto" asks for a rule."""
    return min(round(1.6 * n_rows**0.56), 64) if dim == "auto" else dim


def tidy(X):
    """Arrays of what can make itself one; lists stay lists, of rows of any lengths."""
    return X if hasattr(X, "shape") or not hasattr(X, "__array__") else np.asarray(X)


def table_of(X):
    """Array of a list of rows that are equally long and of numbers, else X."""
    is_list = isinstance(X, list | tuple)
    rows = is_list and all(isinstance(x, list | tuple | np.ndarray) for x in X)
    if not rows or len({len(x) for x in X}) != 1:
        return X
    is_table = all(isinstance(value, Real) for x in X for value in x)
    return np.asarray(X) if is_table else X


def axes_of_numbers(X):
    """Axes of an array or table that scikit-learn has to check; None for sequences."""
    if not hasattr(X, "shape"):
        return None
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    n_axes = len(X.shape)
    if kind in ("U", "S") or (n_axes == 1 and kind not in tuple("biufc")):
        return None
    if n_axes == 2 and kind in ("O", None) and not sparse.issparse(X):
        first = np.asarray(X[:1], dtype=object).ravel()[
            :1
        ]  # an object's, a DataFrame's
        return None if any(isinstance(value, str) for value in first) else n_axes
    return n_axes
