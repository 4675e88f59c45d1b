"""
Strange rows are reconstructed badly
====================================

An autoencoder that has seen one kind of rows knows how to reconstruct these. Rows of
other kinds come out wrong, so the error says how strange a row is. No strange row is
needed in training.
"""

# %%
# A network that knows the ones
# -----------------------------
# Half of the ones among scikit-learn's digits are for training. The other half, and all
# other digits, are scored by ``score_samples``, minus the mean squared error of a row's
# reconstruction.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import RocCurveDisplay, roc_auc_score

from sknn import Autoencoder

X, y = load_digits(return_X_y=True)
X = X / 16
ones = np.flatnonzero(y == 1)
rest = np.r_[ones[1::2], np.flatnonzero(y != 1)]
X_train, X_test, is_one = X[ones[::2]], X[rest], y[rest] == 1

model = Autoencoder(8, max_iter=100, random_state=0)
model.fit(X_train)
scores = model.score_samples(X_test)

# %%
# Beside others
# -------------
# An isolation forest looks for rows that are easily cut off from the rest. The
# reconstruction from as many principal components is the same idea without hidden
# units, and on ones of 8 x 8 pixels, which are much alike, it is as good.
pca = PCA(8).fit(X_train)
linear = -np.mean((pca.inverse_transform(pca.transform(X_test)) - X_test) ** 2, axis=1)
forest = IsolationForest(random_state=0).fit(X_train).score_samples(X_test)
curves = {"autoencoder": scores, "PCA": linear, "isolation forest": forest}
for name, values in curves.items():
    print(f"ROC AUC of {name}: {roc_auc_score(is_one, values):.3f}")

# %%
# Errors of both kinds
# --------------------
# A threshold needs no strange rows either: here the largest error of 95 in a hundred
# training rows. Test ones, which the network has not seen, exceed it more often.
errors, limit = -scores, np.quantile(-model.score_samples(X_train), 0.95)
_, (left, right) = plt.subplots(ncols=2, figsize=(9, 3.8), layout="constrained")
bins = np.linspace(0, errors.max(), 50)
left.hist(errors[~is_one], bins, alpha=0.7, label="other digits")
left.hist(errors[is_one], bins, alpha=0.7, label="ones")
left.axvline(limit, color="black", linestyle=":", label="limit")
left.set(xlabel="reconstruction error", ylabel="digits", yscale="log")
left.legend(loc="upper right")
for name, values in curves.items():
    RocCurveDisplay.from_predictions(is_one, values, ax=right, name=name)
right.set(xlim=(-0.01, 0.3), ylim=(0.7, 1.01))
plt.show()
print(f"other digits beyond the limit: {np.mean(errors[~is_one] > limit):.3f}")
print(f"ones beyond the limit: {np.mean(errors[is_one] > limit):.3f}")

# %%
# What it takes for a one
# -----------------------
# The other digits with the smallest errors, and the ones with the largest, each above
# its reconstruction. What looks like a one is taken for one.
found = model.inverse_transform(model.transform(X_test))
order = np.argsort(errors)
mistaken = [i for i in order if not is_one[i]][:6]
missed = [i for i in order[::-1] if is_one[i]][:6]
_, panels = plt.subplots(2, 12, figsize=(9, 1.9), layout="constrained")
for column, i in zip(panels.T, [*mistaken, *missed], strict=True):
    for axes, image in zip(column, (X_test[i], found[i]), strict=True):
        axes.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
    column[0].set_title(f"{y[rest][i]}", fontsize=9)
plt.show()
