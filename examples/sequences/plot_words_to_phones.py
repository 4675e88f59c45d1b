"""
From letters to sounds
======================

How is a word pronounced that is in no dictionary? Letters do not tell one by one: the
same letter stands for several sounds, two for one, "x" for two, and some for none. A
network reads the letters of a word and writes its phones.
"""

# %%
# Words and phones
# ----------------
# English words and names, 20,000 to learn from and 2,000 to be judged by. A source is a
# string, whose letters are its tokens; a target is a list of phones.
import gzip
from pathlib import Path

import matplotlib.pyplot as plt

from sknn import Seq2SeqTransformer
from sknn.metrics import sequence_accuracy, token_error_rate

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with gzip.open(FOLDER / "pronunciations.txt.gz", "rt", encoding="utf-8") as file:
    rows = [line.split() for line in file]
words, phones = [row[0] for row in rows], [row[1:] for row in rows]
X_train, y_train = words[:20_000], phones[:20_000]
X_test, y_test = words[20_000:], phones[20_000:]
for word, sounds in zip(X_train[:3], y_train[:3], strict=True):
    print(f"{word:10} {' '.join(sounds)}")

# %%
# One layer each, and a beam
# --------------------------
# A layer of the encoder and one of the decoder, and so few epochs that it takes half a
# minute; more of both make fewer errors. The fitted network takes the likeliest phone
# each time, or it keeps five beginnings and compares whole words, which needs no new
# training.
model = Seq2SeqTransformer(n_layers=1, max_iter=9, random_state=0)
model.fit(X_train, y_train)
for size in (1, 5):
    predicted = model.set_params(beam_size=size).predict(X_test)
    print(
        f"beam of {size}: phone error rate {token_error_rate(y_test, predicted):.3f}, "
        f"words all right {sequence_accuracy(y_test, predicted):.3f}"
    )

# %%
# What else it might be
# ---------------------
# The best five of the beam with their scores, log-probabilities over a penalty for
# length, of three words that the training has not had. Where the first is far ahead,
# the network is sure. "live" and "read" have two pronunciations each, and "tough"
# follows no rule.
chosen = ["live", "read", "tough"]
for word, best in zip(chosen, model.beam_search(chosen, n_best=5), strict=True):
    print(word)
    for sounds, score in best:
        print(f"  {score:6.2f}  {' '.join(sounds)}")

# %%
# Where each sound comes from
# ---------------------------
# The mean of the heads' attention to the letters, a row for each phone and one for the
# end. It goes from left to right, two letters share in one sound, and two sounds come
# from an "x".
figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
chosen = ["thanks", "mixing"]
for axes, word, sounds, weights in zip(
    panels,
    chosen,
    model.predict(chosen),
    model.attention_weights(chosen),
    strict=True,
):
    image = axes.imshow(weights[-1].mean(axis=0), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(word)), list(word))
    axes.set_yticks(range(len(sounds) + 1), [*sounds, "end"])
    axes.set(xlabel="letter", ylabel="phone", title=" ".join(sounds))
figure.colorbar(image, ax=panels, label="attention")
plt.show()
