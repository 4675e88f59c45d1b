"""
Speakers by their vowels: series of unequal lengths
===================================================

Nine speakers said the same two vowels, 7 to 29 steps of 12 coefficients each. The
recordings are a plain list of arrays here, which scikit-learn's splitters, scorers and
displays take as they are.
"""

# %%
# A list of arrays
# ----------------
# JapaneseVowels (Kudo, Toyama and Shimbo 1999), in its official split of 270 recordings
# to learn from and 370 to be judged by.
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import cross_val_score

from sknn import RecurrentClassifier

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with np.load(FOLDER / "japanese_vowels.npz") as file:
    series = np.split(file["values"], np.cumsum(file["lengths"])[:-1])
    speakers, n_train = file["labels"], int(file["n_train"])
X_train, X_test = series[:n_train], series[n_train:]
y_train, y_test = speakers[:n_train], speakers[n_train:]
lengths = [len(x) for x in series]
print(
    f"{len(series)} series of {min(lengths)} to {max(lengths)} steps, "
    f"the first of shape {X_train[0].shape}"
)

# %%
# No padding, no mask, no loop
# ----------------------------
# The defaults: an LSTM in both directions, the largest value of each unit over the
# steps. Cross-validation on the training part, then the official test part.
model = RecurrentClassifier(random_state=0)
scores = cross_val_score(model, X_train, y_train, cv=3)
model.fit(X_train, y_train)
print(f"cross-validated {scores.mean():.3f}, test {model.score(X_test, y_test):.3f}")

# %%
# Who is taken for whom
# ---------------------
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    model, X_test, y_test, ax=left, cmap="Blues", colorbar=False
)
left.set_title("370 recordings")

# %%
# How soon a speaker is known
# ---------------------------
# The network may be asked about the beginning of a recording alone: any length will do.
# Half of a recording is enough for six speakers in seven.
shares = np.linspace(0.1, 1, 10)
accuracy = [
    model.score([x[: max(1, round(share * len(x)))] for x in X_test], y_test)
    for share in shares
]
right.plot(shares, accuracy, marker="o")
right.set(
    xlabel="share of each recording that is heard", ylabel="accuracy", ylim=(0, 1.02)
)
right.set_title("Read from the beginning")
right.grid(alpha=0.3)
plt.show()
