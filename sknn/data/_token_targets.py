"""Target sequences of tokens as training sees them, and as users do."""

from itertools import chain
from types import MappingProxyType

import numpy as np

from sknn.data._sequences import Sequences
from sknn.data._step_labels import as_object_array
from sknn.data._targets import log_softmax, mean_of_logs, softmax
from sknn.data._vocabulary import encode_tokens

# what stands for letters and words that have no number, where one has to be shown
UNSEEN = "\ufffd"


class TokenTargets:
    """Encoder of target sequences: the next token at each step, and an end.

    Tokens have the reader's numbers: 0 for those that training has not named, then the
    known ones. Two more follow: what a decoder's inputs begin with, and the end.

    Parameters
    ----------
    reader : SequenceReader
        Reads targets.
    joint : str
        What is put between the tokens of targets that were strings.
    """

    kind, loss, loss_options = "tokens", "log_loss", MappingProxyType({})

    def __init__(self, reader, joint):
        self.reader, self.joint = reader, joint
        unseen = UNSEEN
        if reader.form == "integers":
            unseen = min(-1, min(reader.vocabulary) - 1)
        tokens = [unseen, *reader.vocabulary]
        self._tokens = np.empty(len(tokens), dtype=object)
        self._tokens[:] = tokens

    @property
    def begin(self):
        """Number of what comes before the first token."""
        return len(self._tokens)

    @property
    def end(self):
        """Number of what comes after the last token."""
        return len(self._tokens) + 1

    @property
    def n_outputs(self):
        """Output units that the network needs."""
        return len(self._tokens) + 2

    def encode(self, y, dtype):
        """Sequences of numbers, each with the end behind it."""
        starts = y.starts + np.arange(len(y) + 1)
        values = np.full(starts[-1], self.end, np.int64)
        is_token = np.ones(len(values), bool)
        is_token[starts[1:] - 1] = False
        values[is_token] = y.values
        return Sequences(values, starts)

    def number(self, tokens):
        """Sequences of the numbers of lists of tokens, without an end."""
        numbers = encode_tokens(
            list(chain.from_iterable(tokens)), self.reader.vocabulary
        )
        return Sequences(numbers, np.append(0, np.cumsum(list(map(len, tokens)))))

    def name_tokens(self, numbers):
        """List of the tokens that an array of numbers stands for."""
        return self._tokens[numbers].tolist()

    def tokens_of(self, y):
        """List of tokens of each of encoded sequences."""
        return [self.name_tokens(row[:-1]) for row in as_object_array(y)]

    def join(self, tokens):
        """Targets, as users have them, of lists of tokens.

        Returns
        -------
        ndarray of shape (n,)
            Its entries are strings, or lists of tokens.
        """
        is_text = self.reader.form == "strings"
        rows = np.empty(len(tokens), dtype=object)
        for i, row in enumerate(tokens):
            rows[i] = self.joint.join(row) if is_text else row
        return rows

    def decode_encoded(self, y):
        """Targets, as users have them, of encoded sequences."""
        return self.join(self.tokens_of(y))

    def link(self, raw):
        """Outputs (n_steps, n_outputs) as probabilities, in place."""
        return softmax(raw)

    def decode(self, raw):
        """Most likely token of each step by its number, for callbacks."""
        return raw.argmax(axis=1)

    def stratification(self, y):
        """Nothing: sequences are split at random."""
        return None

    def log_likelihood(self, raw, y):
        """Log-probability of encoded targets.

        Probabilities are those among the known tokens and the end, which are all that
        can be predicted.

        Parameters
        ----------
        raw : ndarray of shape (n_steps, n_outputs)
            Outputs at all steps; overwritten.
        y : Sequences
            Encoded targets.

        Returns
        -------
        ndarray of shape (n,)
            Minus infinity for targets with a token that has no number.
        """
        self._exclude(raw)
        raw -= raw.max(axis=1, keepdims=True)
        chosen = raw[np.arange(len(raw)), y.values]
        chosen = chosen - np.log(np.exp(raw, out=raw).sum(axis=1))
        return np.add.reduceat(chosen.astype(np.float64), y.starts[:-1])

    def average(self, raws):
        """Raw outputs whose probabilities are the mean of those of several.

        They are those of `log_likelihood`, and the arrays given are overwritten.
        """
        return mean_of_logs(log_softmax(self._exclude(raw)) for raw in raws)

    def _exclude(self, raw):
        """Leave no probability, in place, to tokens that cannot be predicted."""
        raw[:, [0, self.begin]] = -np.inf
        return raw
