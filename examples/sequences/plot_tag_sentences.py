"""
Parts of speech, a label a word
===============================

A recurrent network reads Turkish sentences in both directions and says of each word
whether it is a noun, a verb or something else. It reads letters too, so that a word it
has never seen is not a blank: Turkish endings tell much.
"""

# %%
# Sentences in, lists of labels out
# ---------------------------------
# 2541 sentences from the web, cut into words by the treebank's makers. X is a list of
# lists of words, y a list of equally long lists of labels, which
# scikit-learn's splitter takes as they are.
import gzip
from collections import Counter, defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from sknn import RecurrentTagger

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with gzip.open(FOLDER / "turkish_web.txt.gz", "rt", encoding="utf-8") as file:
    sentences = [part.splitlines() for part in file.read().split("\n\n") if part]
X = [[line.split(" ", 1)[1] for line in sentence] for sentence in sentences]
y = [[line.split(" ", 1)[0] for line in sentence] for sentence in sentences]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
n_words = sum(map(len, X_train))
print(
    f"{len(X_train)} sentences of {n_words} words to learn from, {len(X_test)} to tell"
)

# %%
# The baseline to beat
# --------------------
# Each word has the tag that it has most often; an unseen one has the most frequent tag
# of all.
counts = defaultdict(Counter)
for words, tags in zip(X_train, y_train, strict=True):
    for word, tag in zip(words, tags, strict=True):
        counts[word][tag] += 1
by_word = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
(most_frequent, _), *_ = Counter(tag for tags in y_train for tag in tags).most_common()
guess = [[by_word.get(word, most_frequent) for word in words] for words in X_test]

# %%
# The network
# -----------
# ``min_count=2`` lets it learn what to make of words without a vector of their own:
# those that occur once in training are such, and it has their letters alone.
model = RecurrentTagger(min_count=2, dropout=0.3, max_iter=20, random_state=0)
model.fit(X_train, y_train)
predicted = model.predict(X_test)

truth = np.concatenate(y_test)
is_unseen = np.array([word not in counts for words in X_test for word in words])
print(f"{is_unseen.mean():.0%} of the words of the test sentences are unseen")
accuracy = {}
for name, tags in (("most frequent tag", guess), ("RecurrentTagger", predicted)):
    hits = np.concatenate(list(tags)) == truth
    parts = (np.full(len(hits), True), ~is_unseen, is_unseen)
    accuracy[name] = [hits[part].mean() for part in parts]
    print(
        f"{name}: all {{:.3f}}, seen {{:.3f}}, unseen {{:.3f}}".format(*accuracy[name])
    )

# %%
# Sentences in the colours of their tags
# --------------------------------------
# A frame marks an error, with the true tag below.
COLOURS = {
    "NOUN": "#9ecae1",
    "VERB": "#fdae6b",
    "ADJ": "#a1d99b",
    "ADV": "#bcbddc",
    "PRON": "#fa9fb5",
    "PUNCT": "#d9d9d9",
}
OTHER = "#fee391"


def draw_sentence(ax, height, words, tags, true_tags):
    """Draw the words of a sentence from left to right."""
    renderer, x = ax.figure.canvas.get_renderer(), 0.0
    for word, tag, true_tag in zip(words, tags, true_tags, strict=True):
        is_wrong = tag != true_tag
        box = {"facecolor": COLOURS.get(tag, OTHER), "boxstyle": "square,pad=0.25"}
        box |= {"edgecolor": "red" if is_wrong else "none", "linewidth": 1.8}
        text = ax.text(x, height, word, bbox=box, fontsize=9, va="center")
        if is_wrong:
            ax.text(x, height - 0.42, true_tag, color="red", fontsize=7, va="center")
        extent = text.get_window_extent(renderer)
        x = ax.transData.inverted().transform((extent.x1, 0))[0] + 0.02


figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.8), width_ratios=[1, 2.2], layout="constrained"
)
places = np.arange(3)
for shift, (name, values) in zip((-0.2, 0.2), accuracy.items(), strict=True):
    bars = left.bar(places + shift, values, width=0.38, label=name)
    left.bar_label(bars, fmt="%.2f", fontsize=8)
left.set_xticks(places, ["all words", "seen", "unseen"])
left.set(ylim=(0, 1.15), ylabel="accuracy on the test sentences")
left.legend(loc="upper right", fontsize=8)

right.set(xlim=(0, 1), ylim=(-0.8, 8.6))
right.axis("off")
figure.canvas.draw()
short = [i for i, words in enumerate(X_test) if 36 < len(" ".join(words)) < 62]
for height, i in zip(range(7, -1, -1), short, strict=False):
    draw_sentence(right, height, X_test[i], predicted[i], y_test[i])
for k, (tag, colour) in enumerate([*COLOURS.items(), ("other", OTHER)]):
    box = {"facecolor": colour, "edgecolor": "none", "boxstyle": "square,pad=0.25"}
    right.text(0.14 * k, 8.3, tag, bbox=box, fontsize=8, va="center")
plt.show()
