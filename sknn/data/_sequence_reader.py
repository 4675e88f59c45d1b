"""What users pass as sequences, read as the training data was read."""

from itertools import pairwise

import numpy as np
from sklearn import get_config

from sknn.data._sequences import Sequences
from sknn.data._spelling import N_RESERVED, make_alphabet, spell
from sknn.data._steps import collect_steps
from sknn.data._vocabulary import encode_tokens, make_vocabulary

FORMS = {
    "numbers": "sequences of numbers",
    "integers": "sequences of integer tokens",
    "words": "sequences of strings",
    "strings": "strings to be cut",
}


class SequenceReader:
    r"""Reader of sequences that are like those it was fitted to.

    Numbers come as an array of shape (n, n_steps, n_channels), or (n, n_steps) for one
    channel, or as a list, tuple, Series or object array of arrays, lists, DataFrames
    and tensors of shape (n_steps, n_channels) or (n_steps,). Lists of strings are
    tokens; integers are with ``tokens=True``. Strings are cut into tokens by
    `tokenizer`.

    Parameters
    ----------
    form : {"numbers", "integers", "words", "strings"}
        What was passed: series, tokens that are integers or strings, or strings that
        are cut into tokens.
    n_channels : int or None
        Numbers a step; None for tokens.
    vocabulary : dict or None
        Id of each token, from 1 on by falling count, ties in the order of the tokens.
        Id 0 is the unseen ones' and padding's. None for numbers.
    tokenizer : callable or None
        Cuts a string into a list of strings. None gives the matches of
        ``\w+|[^\w\s]`` in the string in lower case: runs of word characters, and
        each other character that is not a space.
    alphabet : dict or None
        Number of each letter where tokens are strings that are read with their
        letters: a step is then the token's id and the letters behind it.
    empty : {"unseen", "refused", "kept"}
        What becomes of sequences without tokens: one unseen token, an error, or
        sequences without steps.

    Attributes
    ----------
    kind : {"numbers", "tokens"}
        What the steps are.
    """

    def __init__(
        self,
        form,
        n_channels=None,
        vocabulary=None,
        tokenizer=None,
        alphabet=None,
        empty="unseen",
    ):
        self.form, self.n_channels = form, n_channels
        self.vocabulary, self.tokenizer = vocabulary, tokenizer
        self.alphabet, self.empty = alphabet, empty

    @property
    def kind(self):
        """What the steps are: "numbers" or "tokens"."""
        return "numbers" if self.form == "numbers" else "tokens"

    @property
    def n_letters(self):
        """Numbers of letters, those of padding and unseen ones included, or None."""
        return None if self.alphabet is None else len(self.alphabet) + N_RESERVED

    @classmethod
    def fit(
        cls,
        X,
        *,
        tokens=False,
        tokenizer=None,
        min_count=1,
        max_vocab=None,
        sample_weight=None,
        spelled=False,
        empty="unseen",
        name="X",
    ):
        """Reader for `X` and what is like it.

        Parameters
        ----------
        X : array-like
            Sequences in one of the forms above.
        tokens : bool
            Whether integers are tokens.
        tokenizer : callable, optional
            What cuts strings.
        min_count : int
            Tokens that occur less often count as unseen.
        max_vocab : int, optional
            How many tokens get an id, the most frequent ones.
        sample_weight : array-like of shape (n,), optional
            Whole numbers are how often each sequence counts; of others only zeros
            matter: these sequences do not count.
        spelled : bool
            Whether tokens that are strings are read with their letters.
        empty : {"unseen", "refused", "kept"}
            What becomes of sequences without tokens; refused where they are spelled.
        name : str
            What errors call `X`.

        Raises
        ------
        TypeError
            For a tokenizer that is not callable or returns no strings, and for what
            cannot be a sequence or a step.
        ValueError
            For sequences that do not fit together, or no steps at all.
        """
        options = (tokens, tokenizer, min_count, max_vocab, sample_weight)
        return cls._fit(X, *options, spelled, empty, name)[0]

    @classmethod
    def fit_read(cls, X, dtype, *, name="X", **options):
        """Fit to `X` and read it, looking through it once.

        Parameters
        ----------
        X, dtype, name
            As for `read`.
        **options
            As for `fit`.

        Returns
        -------
        reader : SequenceReader
        sequences : Sequences
        """
        reader, steps = cls._fit(X, name=name, **options)
        return reader, reader._encoded(steps, dtype, name)

    @classmethod
    def _fit(
        cls,
        X,
        tokens=False,
        tokenizer=None,
        min_count=1,
        max_vocab=None,
        sample_weight=None,
        spelled=False,
        empty="unseen",
        name="X",
    ):
        """Reader and the steps of `X`."""
        if tokenizer is not None and not callable(tokenizer):
            raise TypeError(
                "tokenizer must be None or callable, from a string to a list of "
                f"strings: got {tokenizer!r}."
            )
        steps = collect_steps(X, tokens=tokens, tokenizer=tokenizer, name=name)
        if steps.form is None:
            raise ValueError(
                f"{name}[0] has no steps, as all of the {len(steps.lengths)} sequences "
                f"of {name}: at least one must have some."
            )
        if steps.form == "numbers":
            return cls("numbers", n_channels=steps.values.shape[1]), steps
        times = _times(sample_weight, steps.lengths)
        vocabulary = make_vocabulary(
            steps.values,
            min_count,
            max_vocab,
            name,
            times,
            may_be_empty=spelled and steps.form != "integers",  # letters are left
        )
        alphabet = None
        if spelled and steps.form != "integers":
            alphabet = make_alphabet(steps.values, times)
        reader = cls(
            steps.form,
            vocabulary=vocabulary,
            tokenizer=tokenizer,
            alphabet=alphabet,
            empty="refused" if spelled else empty,
        )
        return reader, steps

    def read(self, X, dtype, name="X"):
        """Sequences of what the reader was fitted to.

        Parameters
        ----------
        X : array-like
            Sequences of the same form, and with as many channels.
        dtype : numpy dtype
            Type of numbers; ids of tokens are int64.
        name : str
            What errors call `X`.

        Returns
        -------
        Sequences
            An empty sequence of tokens, or string, is read as `empty` says.

        Raises
        ------
        TypeError
            As in `fit`.
        ValueError
            Also for another form or number of channels, and for numbers that are not
            finite in `dtype`.
        """
        tokens = self.form == "integers"
        steps = collect_steps(X, tokens=tokens, tokenizer=self.tokenizer, name=name)
        return self._encoded(steps, dtype, name)

    def get_tokens(self, X, name="X"):
        """Tokens of sequences of what the reader was fitted to, known or not.

        Parameters
        ----------
        X, name
            As for `read`.

        Returns
        -------
        list of list
            Strings or integers, one list a sequence; none where one is empty, which
            `read` takes for one unseen token.
        """
        tokens = self.form == "integers"
        steps = collect_steps(X, tokens=tokens, tokenizer=self.tokenizer, name=name)
        values = steps.values
        values = values.tolist() if isinstance(values, np.ndarray) else values
        return [values[a:b] for a, b in pairwise(_starts(steps.lengths))]

    def _encoded(self, steps, dtype, name):
        """Steps, of which all but form and finiteness is checked, as sequences."""
        if self.form != (steps.form or self.form):
            raise ValueError(
                f"{name} must hold {FORMS[self.form]}, as fitted: got "
                f"{FORMS[steps.form]}, from {name}[0] on."
            )
        if self.empty == "refused" and not steps.lengths.all():
            raise ValueError(f"{name}[{steps.lengths.argmin()}] has no steps.")
        if self.kind == "tokens":
            return self._encoded_tokens(steps)
        if steps.form is None:
            raise ValueError(f"{name}[0] has no steps: a sequence must have some.")
        if steps.values.shape[1] != self.n_channels:
            raise ValueError(
                f"{name} must have n_channels={self.n_channels}, as fitted: {name}[0] "
                f"has {steps.values.shape[1]}."
            )
        with np.errstate(over="ignore"):  # told below, and where
            values = steps.values.astype(dtype, copy=False)
        sequences = Sequences(values, _starts(steps.lengths))
        _refuse_if_not_finite(sequences, name)
        return sequences

    def _encoded_tokens(self, steps):
        ids = encode_tokens(steps.values, self.vocabulary)
        lengths = np.maximum(steps.lengths, int(self.empty == "unseen"))
        if len(ids) < lengths.sum():
            with_unseen = np.zeros(lengths.sum(), np.int64)
            with_unseen[np.repeat(steps.lengths > 0, lengths)] = ids
            ids = with_unseen
        if self.alphabet is None:
            return Sequences(ids, _starts(lengths))
        letters, rows = spell(steps.values, self.alphabet)
        values = np.column_stack([ids.astype(rows.dtype), rows])
        return Sequences(values, _starts(lengths), letters)


def _times(sample_weight, lengths):
    """How often each step counts, or None; bad weights are for others to refuse."""
    weight = np.asarray(sample_weight)
    if weight.shape != lengths.shape or weight.dtype.kind not in "biuf":
        return None
    is_whole = np.isfinite(weight).all() and (weight == np.floor(weight)).all()
    times = np.maximum(weight, 0) if is_whole else weight > 0
    return np.repeat(times.astype(np.int64), lengths) if times.any() else None


def _starts(lengths):
    """Where each sequence starts, and where the last one ends."""
    return np.append(0, np.cumsum(lengths))


def _refuse_if_not_finite(sequences, name):
    """Raise scikit-learn's error about a number that is not finite, and say where."""
    values = sequences.values
    if get_config()["assume_finite"]:
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return
    finite = np.isfinite(values).all(axis=1)
    if finite.all():
        return
    step = int(finite.argmin())
    i = int(np.searchsorted(sequences.starts, step, side="right")) - 1
    what = f"infinity or a value too large for {values.dtype!r}"
    if np.isnan(values[step]).any():
        what = "NaN"
    raise ValueError(
        f"Input {name} contains {what}: {name}[{i}] does, at step "
        f"{step - sequences.starts[i]}."
    )
