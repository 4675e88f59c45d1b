"""Tokens and their ids: 1 for the most frequent, 0 for the unseen and for padding."""

import re
from collections import Counter
from itertools import repeat

import numpy as np

# a run of word characters, or one character that is neither one nor a space
WORD = re.compile(r"\w+|[^\w\s]")


def cut_words(text):
    r"""Words and other signs of a text, in lower case.

    The matches of ``\w+|[^\w\s]``: runs of word characters (letters, digits and the
    underscore of any script), and each other character that is not a space.

    >>> from sknn.data._vocabulary import cut_words
    >>> cut_words("Don't panic: 42!")
    ['don', "'", 't', 'panic', ':', '42', '!']
    """
    return WORD.findall(text.lower())


def make_vocabulary(
    tokens, min_count=1, max_vocab=None, name="X", times=None, may_be_empty=False
):
    """Id of each token that is frequent enough.

    Parameters
    ----------
    tokens : list of str or ndarray of int
        Tokens of all sequences, one after another.
    min_count : int
        Tokens that occur less often are left out.
    max_vocab : int, optional
        How many tokens to keep, the most frequent ones.
    name : str
        What the tokens are of, for an error.
    times : ndarray of int, optional
        How often each of `tokens` counts; None is once.
    may_be_empty : bool
        Whether no token has to be left.

    Returns
    -------
    dict
        Ids from 1 on by falling count, equal counts in the tokens' own order.

    Raises
    ------
    ValueError
        If no token is left.
    """
    tokens = tokens.tolist() if isinstance(tokens, np.ndarray) else tokens
    counts = Counter(tokens)
    if times is not None:
        counts = Counter()
        for token, n in zip(tokens, times.tolist(), strict=True):
            counts[token] += n
    kept = [(-count, token) for token, count in counts.items() if count >= min_count]
    if not kept and not may_be_empty:
        most = max(counts.values(), default=0)
        raise ValueError(
            f"{name} must have tokens that occur min_count={min_count} times: the most "
            f"frequent one occurs {most} times."
        )
    kept = sorted(kept)[:max_vocab]
    return {token: i for i, (_, token) in enumerate(kept, start=1)}


def encode_tokens(tokens, vocabulary):
    """Ids of tokens, 0 for those that `vocabulary` has not.

    Parameters
    ----------
    tokens : list of str or ndarray of int
        What `make_vocabulary` takes.
    vocabulary : dict
        What it returns.

    Returns
    -------
    ndarray of shape (n_tokens,), int64
    """
    if isinstance(tokens, np.ndarray):
        tokens, inverse = np.unique(tokens, return_inverse=True)
        return encode_tokens(tokens.tolist(), vocabulary)[inverse]
    ids = map(vocabulary.get, tokens, repeat(0))
    return np.fromiter(ids, np.int64, len(tokens))
