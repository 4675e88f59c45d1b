"""
Where a transformer looks
=========================

A watch on the wrist records how somebody walks, runs, rests or plays badminton: 100
steps of six channels. A transformer tells them apart, and its attention tells which
steps it weighed.
"""

# %%
# Four motions
# ------------
# BasicMotions, 40 series to learn from and 40 to be judged by.
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sknn import TransformerClassifier

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with np.load(FOLDER / "basic_motions.npz") as file:
    series = file["values"].reshape(len(file["lengths"]), 100, 6)
    motions, n_train = file["labels"], int(file["n_train"])
X_train, y_train = series[:n_train], motions[:n_train]
X_test, y_test = series[n_train:], motions[n_train:]

# %%
# A step in front that reads all others
# -------------------------------------
# With ``pooling="cls"`` a learned step is put in front of each series, and what becomes
# of it decides. Its row of the attention is hence how much each step of the series
# counted; here the mean of the last layer's heads.
model = TransformerClassifier(pooling="cls", random_state=0).fit(X_train, y_train)
print(f"test accuracy {model.score(X_test, y_test):.3f}")
attention = [
    weights[-1].mean(axis=0)[0, 1:] for weights in model.attention_weights(X_test)
]
print(f"steps that an even attention would weigh {1 / 101:.4f}: up to", end=" ")
print(f"{max(row.max() for row in attention):.3f}")

# %%
# One series of each motion
# -------------------------
# The line is the acceleration along the first axis, the shade behind it the attention:
# the darker, the more a step weighed. Strokes and sudden turns count. Somebody who
# stands has hardly any, but for the jerk at the beginning of this recording: that is
# where the network looks, and it is misled.
figure, panels = plt.subplots(4, 1, figsize=(8, 8), sharex=True, layout="constrained")
for axes, motion in zip(panels, np.unique(y_test), strict=True):
    i = np.flatnonzero(y_test == motion)[0]
    line = X_test[i, :, 0]
    room = 0.1 * (line.max() - line.min())
    low, high = line.min() - room, line.max() + room
    image = axes.imshow(
        attention[i][None],
        extent=(-0.5, 99.5, low, high),
        aspect="auto",
        cmap="Oranges",
        vmin=0,
    )
    axes.plot(line, color="black", linewidth=1)
    axes.set(ylim=(low, high), ylabel="acceleration")
    axes.set_title(f"{motion}, read as {model.predict(X_test[[i]])[0]}")
    figure.colorbar(image, ax=axes, label="attention")
panels[-1].set_xlabel("step (0.1 s)")
plt.show()
