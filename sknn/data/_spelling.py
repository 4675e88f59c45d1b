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
    """Numbers of the letters of each word.

    Parameters
    ----------
    words : list of str
        Words; of long ones the middle is left out.
    alphabet : dict
        What `make_alphabet` returned.

    Returns
    -------
    ndarray of shape (n_words, longest + 2), int32
        Between a sign for its begin and one for its end, zeros behind.
    """
    number = {word: i for i, word in enumerate(dict.fromkeys(words))}
    spelled = [_numbers(word, alphabet) for word in number]
    table = np.zeros((len(spelled), max(map(len, spelled), default=0)), np.int32)
    for row, numbers in zip(table, spelled, strict=True):
        row[: len(numbers)] = numbers
    return table[np.fromiter(map(number.get, words), np.int64, len(words))]


def _numbers(word, alphabet):
    if len(word) > MOST_LETTERS:
        word = word[: MOST_LETTERS // 2] + word[-MOST_LETTERS // 2 :]
    return [BEGIN, *(alphabet.get(letter, UNSEEN) for letter in word), END]
