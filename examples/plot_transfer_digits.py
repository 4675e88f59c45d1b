"""
New digits from a few examples
==============================

Five digits are known from thousands of pictures. Of five others there are a few. What
a network has learned of the first serves the second: its hidden layers are taken over,
and the output layer alone begins anew (Goodfellow, Bengio and Courville, section 15.2).
"""

# %%
# Two tasks on the same inputs
# ----------------------------
# Each digit, of eight by eight pixels, is put somewhere on an empty picture of twelve
# by twelve. To a perceptron, for which pixels are columns of a table, a three at the
# top is another thing than a three at the bottom: it has to learn what moving does.
# Digits 0 to 4 it sees at ten places each.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

from sknn import MLPClassifier

random_state = np.random.RandomState(0)


def place(images):
    """Put each image somewhere on an empty one; return a table of their pixels."""
    canvas = np.zeros((len(images), 12, 12), np.float32)
    for blank, image in zip(canvas, images, strict=True):
        row, column = random_state.randint(0, 5, 2)
        blank[row : row + 8, column : column + 8] = image / 16
    return canvas.reshape(len(images), -1)


digits = load_digits()
old = digits.target < 5
X_old = place(np.repeat(digits.images[old], 10, axis=0))
y_old = np.repeat(digits.target[old], 10)
X_new, y_new = place(digits.images[~old]), digits.target[~old]

figure, panels = plt.subplots(2, 5, figsize=(7, 3), layout="constrained")
for label, axes in enumerate(panels.flat):
    rows = X_old[y_old == label] if label < 5 else X_new[y_new == label]
    axes.imshow(rows[0].reshape(12, 12), cmap="gray_r")
    axes.set(title=label, xticks=[], yticks=[])
plt.show()

# %%
# The network to begin with
# -------------------------
# Dropout keeps its units from relying on one another, and their features of more use
# elsewhere.
source = MLPClassifier(
    hidden_layer_sizes=(200, 100),
    dropout=0.5,
    learning_rate="linear",
    max_iter=30,
    random_state=0,
).fit(X_old, y_old)
print(f"accuracy on digits 0 to 4 where trained: {source.score(X_old, y_old):.3f}")

# %%
# Digits 5 to 9
# -------------
# ``init_from`` copies its hidden layers, of which ``freeze`` keeps the first ones as
# they are. :class:`!FrozenEstimator` is scikit-learn's: it stays fitted when a search
# or a cross-validation clones the estimator that it is a parameter of. All rows that
# are not trained on are for testing; the points are means over four draws of examples.
ways = {
    "from scratch": {},
    "copied, none frozen": {"init_from": FrozenEstimator(source)},
    "copied, the first layer frozen": {
        "init_from": FrozenEstimator(source),
        "freeze": 1,
    },
    "copied, both layers frozen": {
        "init_from": FrozenEstimator(source),
        "freeze": "body",
    },
}
counts = [1, 2, 4, 8, 16, 32, 64]
accuracy = {way: np.zeros((4, len(counts))) for way in ways}
for seed in range(4):
    order = np.random.RandomState(seed).permutation(len(X_new))
    by_label = [order[y_new[order] == label] for label in range(5, 10)]
    for column, count in enumerate(counts):
        few = np.concatenate([rows[:count] for rows in by_label])
        rest = np.setdiff1d(order, few)
        for way, params in ways.items():
            model = MLPClassifier(
                hidden_layer_sizes=(200, 100),
                batch_size=min(32, len(few)),
                learning_rate="linear",
                learning_rate_init=0.003,
                max_iter=100,
                random_state=seed,
                **params,
            ).fit(X_new[few], y_new[few])
            accuracy[way][seed, column] = model.score(X_new[rest], y_new[rest])

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
for way, scores in accuracy.items():
    axes.plot(counts, scores.mean(axis=0), marker="o", label=way)
    print(way, scores.mean(axis=0).round(2))
axes.axhline(0.2, color="black", linestyle=":", label="guessing")
axes.set(xlabel="examples of each digit", ylabel="accuracy on digits 5 to 9")
axes.set_xscale("log", base=2)
axes.set_xticks(counts, counts)
axes.legend()
plt.show()

# %%
# The fewer the examples, the more it pays to keep. Up to eight of each digit are too
# few to learn good features from, and the best is a linear model of those that others
# have taught. With more, features made for other digits become a burden: first the
# second layer, then the first is better off learning on. The first layer's features
# are of general use, the last one's belong to their task (Yosinski et al. 2014).
