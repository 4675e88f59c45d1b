"""Words as the numbers of their letters."""

from itertools import chain

import numpy as np

from sknn.data._vocabulary import make_vocabulary

# numbers below those of known letters: of padding, unseen letters, both ends of a word
UNSEEN, BEGIN, END, N_RESERVED = 1, 2, 3, 4
# letters of a word that are read: the first ones, and as many of the last ones
MOST_LETTERS = 32


def make_alphabet(words, times=None):
    """Number of each letter of a list of words, from `N_RESERVED` on.

    Words without any letter are fine. `times` is how often each word counts, as in
    `make_vocabulary`.
    """
    if times is not None:
        times = np.repeat(times, [len(word) for word in words])
    letters = list(chain.from_iterable(words))
    if not letters or (times is not None and not times.any()):
        return {}
    order = make_vocabulary(letters, times=times)
    return {letter: i + N_RESERVED - 1 for letter, i in order.items()}


def spell(words, alphabet):
    """Numbers of the letters of words, once for each distinct one.

    Parameters
    ----------
    words : list of str
        Words; of long ones the middle is left out.
    alphabet : dict
        What `make_alphabet` returned.

    Returns
    -------
    letters : ndarray of shape (n_distinct, longest + 2), int32
        Between a sign for its begin and one for its end, zeros behind.
    rows : ndarray of shape (n_words,), int32
        Where each word is in `letters`.
    """
    number = {word: i for i, word in enumerate(dict.fromkeys(words))}
    rows = np.fromiter(map(number.get, words), np.int32, len(words))
    if not number:
        return np.zeros((0, 0), np.int32), rows
    distinct = list(map(_shorten, number))
    ends = np.fromiter(map(len, distinct), np.int64, len(distinct)) + 1
    table = np.zeros((len(distinct), int(ends.max()) + 1), np.int32)
    places = np.arange(table.shape[1])
    table[(places > 0) & (places < ends[:, None])] = _numbers(distinct, alphabet)
    table[:, 0], table[np.arange(len(table)), ends] = BEGIN, END
    return table, rows


def _shorten(word):
    if len(word) <= MOST_LETTERS:
        return word
    return word[: MOST_LETTERS // 2] + word[-MOST_LETTERS // 2 :]


def _numbers(words, alphabet):
    """Numbers of the letters of words, one after another."""
    text = "".join(words).encode("utf-32-le", "surrogatepass")
    codes, letters = np.unique(np.frombuffer(text, "<u4"), return_inverse=True)
    numbers = [alphabet.get(chr(code), UNSEEN) for code in codes.tolist()]
    return np.array(numbers, np.int32)[letters]
