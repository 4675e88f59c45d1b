"""
Several networks: better answers, and how sure they are
=======================================================

Networks that begin with other weights make other mistakes. Their mean makes fewer
(Goodfellow, Bengio and Courville, section 7.11), its probabilities are more honest, and
how far the networks are apart says something of what none of them can know
(Lakshminarayanan et al. 2017).
"""

# %%
# Twenty networks instead of one
# ------------------------------
# Images of digits, of which 200 are for training: narrow, deep networks on so few rows
# depend much on how they begin. ``n_networks=20`` trains all of them as one batched
# network.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier, MLPRegressor

options = {"n_networks": 20, "batch_size": 32, "max_iter": 100, "random_state": 0}

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    (X / 16).astype("float32"), y, train_size=200, stratify=y, random_state=0
)
model = MLPClassifier((16, 16, 16), learning_rate_init=0.02, **options)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
    model.fit(X_train, y_train)

alone = [network.predict_proba(X_test) for network in model.networks_]
accuracies = [np.mean(p.argmax(axis=1) == y_test) for p in alone]
print(f"accuracy alone: {np.mean(accuracies):.3f}, at most {max(accuracies):.3f}")
print(f"accuracy of the mean: {model.score(X_test, y_test):.3f}")

# %%
# What the mean is worth
# ----------------------
# The squared error of a mean is less than the mean squared error by the variance over
# the networks, row by row, whatever the data: ``return_std=True`` gives its root.
X, y = load_diabetes(return_X_y=True)
X, y = X / X.std(axis=0), (y - y.mean()) / y.std()
X_fit, X_new, y_fit, y_new = train_test_split(X, y, test_size=0.5, random_state=0)
regressor = MLPRegressor(
    hidden_layer_sizes=(50, 50), learning_rate_init=0.003, **options
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    regressor.fit(X_fit, y_fit)

mean, deviation = regressor.predict(X_new, return_std=True)
errors = [np.mean((n.predict(X_new) - y_new) ** 2) for n in regressor.networks_]
error = np.mean((mean - y_new) ** 2)
print(f"squared error alone: {np.mean(errors):.3f}, of the mean: {error:.3f}")
print(f"variance over the networks: {np.mean(deviation**2):.3f}, the difference")

# %%
# Left: two networks are better than one, and ten nearly as good as twenty. Middle: of
# what one network is sure of by 0.85, six tenths are right; the mean is closer to the
# dotted line, and errs on the side of caution. Right: no regressor is as good as the
# mean of them all.


def reliability(proba, y, edges):
    """Mean probability of the answers in each bin, and the share that is right."""
    sure, right = proba.max(axis=1), proba.argmax(axis=1) == y
    bins = np.digitize(sure, edges)
    filled = np.unique(bins)
    return [[of[bins == i].mean() for i in filled] for of in (sure, right)]


figure, axes = plt.subplots(ncols=3, figsize=(11, 3.8), layout="constrained")
counts = np.arange(1, len(alone) + 1)
of_means = [log_loss(y_test, np.mean(alone[:count], axis=0)) for count in counts]
axes[0].plot(counts, of_means, "o-", markersize=3, label="mean of the first")
of_each = np.mean([log_loss(y_test, proba) for proba in alone])
axes[0].axhline(of_each, color="C1", label="one, on average")
axes[0].set(xlabel="networks", ylabel="test log-loss", ylim=(0, None), title="Digits")
axes[0].legend()

edges = np.linspace(0.3, 1, 8)[1:-1]
every = np.concatenate(alone)
for name, proba in {"mean": model.predict_proba(X_test), "one": every}.items():
    truth = np.tile(y_test, len(proba) // len(y_test))
    axes[1].plot(*reliability(proba, truth, edges), "o-", markersize=3, label=name)
axes[1].axline((1, 1), slope=1, color="black", linestyle=":")
axes[1].set(xlabel="probability", ylabel="share that is right", title="Reliability")
axes[1].legend()

axes[2].plot(
    counts, np.sort(errors), "o", color="C1", markersize=4, label="each network"
)
axes[2].axhline(error, label="their mean")
axes[2].set(xlabel="networks, sorted", ylabel="test squared error", title="Diabetes")
axes[2].set_ylim(0, 1.1 * max(errors))
axes[2].legend(loc="lower right")
plt.show()
