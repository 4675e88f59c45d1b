"""
What is being done, at every moment
===================================

A wrist's acceleration and rotation while somebody stands, walks, runs or plays
badminton. One series holds several activities, one after another, and a tagger says of
every tenth of a second which it is.
"""

# %%
# Series with a label a step
# --------------------------
# BasicMotions (Bagnall et al. 2018) has 40 recordings to learn from and 40 to be judged
# by, each of one activity. Pieces of three of them, of any length, make a series here,
# and y says of each step which activity it is from.
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from sknn import RecurrentTagger
from sknn.metrics import sequence_accuracy, tagging_accuracy

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with np.load(FOLDER / "basic_motions.npz") as file:
    recordings = np.split(file["values"], np.cumsum(file["lengths"])[:-1])
    activities, n_train = file["labels"], int(file["n_train"])


def join_pieces(recordings, activities, n_series, random_state):
    """Series of three pieces each, and lists of their labels."""
    rng, X, y = np.random.RandomState(random_state), [], []
    for _ in range(n_series):
        chosen = rng.choice(len(recordings), 3, replace=False)
        lengths = rng.randint(25, 100, 3)
        X.append(
            np.concatenate(
                [recordings[i][:n] for i, n in zip(chosen, lengths, strict=True)]
            )
        )
        y.append(np.repeat(activities[chosen], lengths))
    return X, y


X_train, y_train = join_pieces(recordings[:n_train], activities[:n_train], 80, 0)
X_test, y_test = join_pieces(recordings[n_train:], activities[n_train:], 40, 1)
lengths = [len(x) for x in X_train]
print(f"{len(X_train)} series of {min(lengths)} to {max(lengths)} steps, 6 channels")

# %%
# Outputs as long as the series
# -----------------------------
# ``predict`` and ``predict_proba`` give an array a series.
model = RecurrentTagger(hidden_layer_sizes=32, max_iter=80, random_state=0)
model.fit(X_train, y_train)
predicted, probability = model.predict(X_test), model.predict_proba(X_test)
print(f"steps labelled right: {tagging_accuracy(y_test, predicted):.3f}")
print(f"series without any error: {sequence_accuracy(y_test, predicted):.3f}")
print(f"first series: {X_test[0].shape}, {predicted[0].shape}, {probability[0].shape}")

# %%
# Where it errs
# -------------
# Steps near a change are the hard ones: a movement must have been seen to be known.
distances, hits = [], []
for tags, labels in zip(predicted, y_test, strict=True):
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 0.5
    steps = np.arange(len(labels))[:, None]
    distances.append(np.abs(steps - changes).min(1, initial=np.inf))
    hits.append(tags == labels)
distances, hits = np.concatenate(distances), np.concatenate(hits)
for least, most in ((0, 5), (5, 10), (10, 20), (20, np.inf)):
    part = (distances >= least) & (distances < most)
    print(f"{least} to {most} steps from a change: {hits[part].mean():.3f}")

# %%
# A series, its labels and their probabilities
# --------------------------------------------
# The series with the most errors among those of three activities.
errors = [
    np.mean(tags != labels) if len(set(labels)) == 3 else -1
    for tags, labels in zip(predicted, y_test, strict=True)
]
worst = int(np.argmax(errors))
seconds = np.arange(len(X_test[worst])) / 10
colours = plt.colormaps["Set2"].colors[: len(model.classes_)]
figure, (signal, band, shares) = plt.subplots(
    3, 1, figsize=(9, 6), sharex=True, height_ratios=[3, 1, 2], layout="constrained"
)
signal.plot(seconds, X_test[worst][:, :3], linewidth=0.9, label=["x", "y", "z"])
signal.set(ylabel="acceleration", title="A test series and what is said of it")
signal.legend(loc="upper right", ncols=3, fontsize=8)
both = np.searchsorted(model.classes_, [predicted[worst], y_test[worst]])
band.pcolormesh(
    np.append(seconds, seconds[-1] + 0.1), [0, 1, 2], both, cmap=ListedColormap(colours)
)
band.axhline(1, color="white", linewidth=3)
band.set_yticks([0.5, 1.5], ["predicted", "true"])
shares.stackplot(seconds, probability[worst].T, labels=model.classes_, colors=colours)
shares.set(xlabel="seconds", ylabel="probability", ylim=(0, 1), xlim=(0, seconds[-1]))
shares.legend(loc="lower left", ncols=4, fontsize=8)
plt.show()
