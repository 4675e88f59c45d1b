"""
Weights that shrink, weights that vanish
========================================

Two norms of the weights serve as a penalty (Goodfellow, Bengio and Courville, section
7.1). :math:`L^2` pulls at each weight in proportion to its size, and lets go of it as
it becomes small. :math:`L^1` pulls at all of them with the same force until they are
zero: not nearly, but exactly. ``l1_ratio`` is the share of :math:`L^1` in the penalty;
here it is 0 or 1.
"""

# %%
# Twelve networks
# ---------------
# Where the cost is a quadratic bowl with its minimum at :math:`w^*` and the curvature
# :math:`H` in each direction, a penalty of strength :math:`\alpha` moves the minimum to
#
# .. math::
#
#     w_i = \frac{H_{i,i}}{H_{i,i} + \alpha} w_i^* \quad (L^2), \qquad
#     w_i = \text{sign}(w_i^*) \max\left(|w_i^*| - \frac{\alpha}{H_{i,i}}, 0\right)
#     \quad (L^1) .
#
# The cost of a network is no such bowl, so let us see: 64 hidden units that learn one
# half of the digits and are tested with the other. The strength is ``alpha`` divided by
# the size of the batch.
import copy
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    (X / 16).astype("float32"), y, test_size=0.5, stratify=y, random_state=0
)


def learn(alpha, l1_ratio):
    """Return a network trained with this penalty."""
    network = MLPClassifier(
        hidden_layer_sizes=(64,),
        solver="sgd",
        alpha=alpha,
        l1_ratio=l1_ratio,
        batch_size=64,
        learning_rate="cosine",
        learning_rate_init=0.1,
        max_iter=100,
        n_iter_no_change=100,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 100 epochs for everyone
        return network.fit(X_train, y_train)


def weights_of(network):
    """Return the weights of both layers as one vector."""
    return np.concatenate([W.ravel() for W in network.coefs_])


alphas = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
fits = {(ratio, alpha): learn(alpha, ratio) for ratio in (0, 1) for alpha in alphas}
for (ratio, alpha), network in fits.items():
    zeros = np.sum(weights_of(network) == 0)
    print(
        f"L{2 - ratio}, alpha {alpha:<5}: {zeros:4d} of 4736 weights are zero, "
        f"test accuracy {network.score(X_test, y_test):.3f}"
    )

# %%
# What the first layer looks at
# -----------------------------
# Three networks, one without a penalty, one with each norm, and of about the same
# accuracy. Each row shows, on the left, the norm of the weights that leave each pixel,
# with a cross where all are zero, and then the weights that enter seven of the units.
# All three began with the same weights, so the units are comparable.
chosen = {
    "no penalty": learn(0, 0),
    "L2, alpha 0.1": fits[0, 0.1],
    "L1, alpha 0.03": fits[1, 0.03],
}
blank = X_train.max(axis=0) == 0
entering, leaving = fits[1, 0.03].coefs_
strength = np.linalg.norm(entering, axis=0) * np.linalg.norm(leaving, axis=1)
units = np.sort(strength.argsort()[-7:])

figure = plt.figure(figsize=(11, 4), layout="constrained")
panels = figure.subplots(3, 8)
for row, (name, network) in zip(panels, chosen.items(), strict=True):
    W = network.coefs_[0]
    norms = np.linalg.norm(W, axis=1).reshape(8, 8)
    grey = row[0].imshow(norms, cmap="Greys", vmin=0, vmax=3)
    unused = norms == 0
    row[0].plot(*np.argwhere(unused).T[::-1], "x", color="tab:red", markersize=4)
    row[0].set_ylabel(name)
    for axes, unit in zip(row[1:], units, strict=True):
        image = W[:, unit].reshape(8, 8)
        colors = axes.imshow(image, cmap="RdBu_r", vmin=-1, vmax=1)
    print(
        f"{name}: {unused.sum()} pixels and {np.sum((W == 0).all(axis=0))} units "
        f"without a weight, largest at blank pixels {np.abs(W[blank]).max():.1g}"
    )
for axes in panels.flat:
    axes.set(xticks=[], yticks=[])
panels[0, 0].set_title("pixels", fontsize="medium")
for axes, unit in zip(panels[0, 1:], units, strict=True):
    axes.set_title(f"unit {unit}", fontsize="medium")
figure.colorbar(colors, ax=panels, label="weight", shrink=0.8)
plt.show()

# %%
# Some pixels of the margin are blank in every digit of the training half. No gradient
# ever reaches their weights: without a penalty they remain what they were at first.
# :math:`L^2` takes a share of them at every step, and never all. :math:`L^1` has rid
# the network of these and of other pixels of the margin, and of more than half of its
# units.
#
# How many can be spared
# ----------------------
# One may also train first and set the smallest weights to zero afterwards. The right
# panel compares that with the :math:`L^1` networks, whose :math:`\alpha` is written
# beside them.
figure, (left, right) = plt.subplots(ncols=2, figsize=(10, 4.2), layout="constrained")
palette = ["tab:gray", "tab:blue", "tab:red"]
bins = np.linspace(-1.525, 1.525, 62)
for (name, network), color in zip(chosen.items(), palette, strict=True):
    style = {"histtype": "step", "log": True, "color": color, "label": name}
    left.hist(weights_of(network), bins, **style)
left.set(xlabel="weight", ylabel="number of weights", title="both layers")
left.legend()

cuts = np.linspace(0, 0.98, 50)
for (name, network), color in zip(list(chosen.items())[:2], palette, strict=False):
    sizes = np.abs(weights_of(network))
    network, accuracies = copy.deepcopy(network), []
    for cut in cuts:
        for W in network.coefs_:
            W[np.abs(W) <= np.quantile(sizes, cut)] = 0
        accuracies.append(network.score(X_test, y_test))
    right.plot(cuts, accuracies, color=color, label=f"{name}, cut")
    at = np.interp(0.92, cuts, accuracies)
    print(f"{name}, cut until 92% are zero: test accuracy {at:.3f}")
shares = [np.mean(weights_of(fits[1, alpha]) == 0) for alpha in alphas]
accuracies = [fits[1, alpha].score(X_test, y_test) for alpha in alphas]
right.plot(shares, accuracies, "o-", color="tab:red", label="L1")
for alpha, share, accuracy in zip(alphas, shares, accuracies, strict=True):
    right.annotate(
        alpha, (share, accuracy), (3, 5), textcoords="offset points", color="tab:red"
    )
right.set(xlabel="share of weights that are zero", title="test accuracy")
right.set(xlim=(0, 1.04), ylim=(0.6, 1))
right.legend()
plt.show()

# %%
# Two weights of three can be spared in any of these networks, at little cost. Beyond,
# it matters how: with more than nine of ten gone, the network that was trained to do
# without them still knows its digits, and the others do not.
