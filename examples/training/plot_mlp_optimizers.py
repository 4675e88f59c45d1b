"""
Five optimizers in one valley
=============================

Where a cost is steep in one direction and almost flat in another, the gradient points
across the valley rather than along it. Momentum, and learning rates of their own for
all weights, are the two answers that Goodfellow, Bengio and Courville give (sections
8.3.2 and 8.5). A network of two weights is small enough to watch them on the way.
"""

# %%
# Two weights and their valley
# ----------------------------
# Body mass index and the logarithm of triglycerides, of 442 patients, are to predict
# how far their diabetes progresses. Without a hidden layer the network is a line with
# two weights; the columns are centered, so that the bias has nothing to learn. But they
# keep their units, and so the cost is a narrow bowl: its curvatures, the eigenvalues of
# the Hessian, are about the squares of the columns' standard deviations.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

from sknn import MLPClassifier, MLPRegressor

data, target = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = data[["bmi", "s5"]].to_numpy()
X = X - X.mean(axis=0)
y = ((target - target.mean()) / target.std()).to_numpy()

print(f"standard deviations {X.std(axis=0).round(2)}")
curvatures = np.linalg.eigvalsh(X.T @ X / len(X))
print(f"curvatures {curvatures.round(2)}, ratio {curvatures[1] / curvatures[0]:.0f}")

# %%
# The same points in other coordinates, their axes turned by 45 degrees, make the same
# valley, but it now lies across both weights.
turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
start = np.array([-0.2, -0.5])
valleys = {
    "along a weight": (X, start),
    "turned by 45 degrees": (X @ turn, start @ turn),
}


def cost(X, weights):
    """Return the cost at weights (2, n_points)."""
    return np.mean((y[:, None] - X @ weights) ** 2, axis=0) / 2


# %%
# Fifty steps
# -----------
# All begin at the same point and see all rows at every step, so that nothing is random.
# A callback puts the weights there and writes down where they are after each step. A
# learning rate :math:`\epsilon` that suits one solver is none for another, so each
# takes from the same list the one that ends lowest.


class Path(Callback):
    """Begin at given weights, and record them after every step."""

    def __init__(self, start):
        self.start = start

    def on_train_begin(self, net, **kwargs):
        """Write the weights into the module."""
        net.module_.layers[0].weight.data[0] = torch.from_numpy(self.start)
        self.points = [self.start]

    def on_epoch_end(self, net, **kwargs):
        """Copy the weights out of the module."""
        self.points.append(net.module_.layers[0].weight.detach().numpy()[0].copy())


n_steps = 50
rates = [0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.3]
solvers = {
    "gradient descent": {"solver": "sgd", "momentum": 0},
    "Nesterov momentum": {"solver": "sgd", "momentum": 0.9},
    "AdaGrad": {"solver": "adagrad"},
    "RMSProp": {"solver": "rmsprop"},
    "Adam": {"solver": "adam"},
}


def descend(X, start, rate, options):
    """Return the weights (2, n_steps + 1) on the way down."""
    network = MLPRegressor(
        hidden_layer_sizes=(),
        alpha=0,
        batch_size="full",
        learning_rate_init=rate,
        max_iter=n_steps,
        n_iter_no_change=n_steps,
        weight_init="normal",
        callbacks=[Path(start)],
        random_state=0,
        **options,
    ).fit(X, y)
    return np.transpose(network.callbacks_[0][1].points)


paths = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # the steps are given
    for valley, (inputs, point) in valleys.items():
        for name, options in solvers.items():
            tried = [descend(inputs, point, rate, options) for rate in rates]
            best = np.argmin([cost(inputs, path)[-1] for path in tried])
            paths[valley, name] = rates[best], tried[best]

# %%
# Along a weight
# --------------
# Gradient descent must keep its rate below 2 divided by the largest curvature, or each
# jump across the valley is longer than the one before. Close to that bound it goes to
# and fro between the slopes while it creeps along the bottom. Momentum lets the jumps
# cancel and the small steps add up; it runs past the minimum and comes back. AdaGrad
# and RMSProp divide each weight's gradient by the root of its own squares. That makes
# the steep weight and the flat one alike: they set out diagonally, then walk straight
# along the bottom. Adam has a momentum too, and swings from slope to slope with it.
print(f"gradient descent needs a rate below {2 / curvatures[1]:.3f}")


def draw(valley, window):
    """Draw the five paths and the cost along them; print when it is low for good."""
    inputs, point = valleys[valley]
    bottom = np.linalg.lstsq(inputs, y)[0]
    lowest = cost(inputs, bottom[:, None])
    w2, w1 = np.meshgrid(*(np.linspace(*ends, 200) for ends in window))
    J = cost(inputs, np.array([w1.ravel(), w2.ravel()])).reshape(w1.shape) - lowest
    aspect = np.ptp(window[1]) / np.ptp(window[0])
    figsize = 11, 6 * aspect + 1.8
    figure, panels = plt.subplots(2, 3, figsize=figsize, layout="constrained")
    figure.suptitle(f"A valley {valley}")
    *maps, costs = panels.ravel()
    for axes, name, color in zip(maps, solvers, plt.cm.tab10.colors, strict=False):
        rate, path = paths[valley, name]
        heights = cost(inputs, path) - lowest
        levels = np.geomspace(0.001, 30, 10)
        axes.contourf(w2, w1, J, levels=levels, cmap="Greys", norm="log", alpha=0.3)
        axes.contour(w2, w1, J, levels=levels, colors="tab:gray", linewidths=0.4)
        axes.plot(*path[::-1], ".-", markersize=4, linewidth=1, color=color)
        axes.plot(*point[::-1], "o", color="black")
        axes.plot(*bottom[::-1], "*", color="black", markersize=9)
        axes.set(xlim=window[0], ylim=window[1], aspect="equal")
        axes.set(xlabel="$w_2$", ylabel="$w_1$")
        axes.locator_params(nbins=5)
        axes.set_title(rf"{name}, $\epsilon$ = {rate}", color=color)
        costs.semilogy(heights, color=color)
        outside = np.flatnonzero(heights > 0.01)[-1]
        arrival = f"from step {outside + 1} on" if outside < n_steps else "not yet"
        print(f"{name}, rate {rate}: within 0.01 of the lowest cost {arrival}")
    costs.axhline(0.01, color="black", linestyle=":", linewidth=1)
    costs.set(xlabel="step", title="cost above the lowest", ylim=(1e-5, 4))
    costs.set_box_aspect(aspect)


draw("along a weight", ((-0.62, 1.26), (-0.52, 0.7)))
plt.show()

# %%
# Across both weights
# -------------------
# Turning the coordinates turns the paths of gradient descent and of momentum along with
# the valley; the costs on their way remain the same. For the other three it changes
# everything: both weights are now equally steep, and rates of their own have nothing to
# even out. AdaGrad and RMSProp fall behind gradient descent itself. Adam arrives,
# through its momentum.
draw("turned by 45 degrees", ((-0.85, 0.85), (-0.6, 0.78)))
plt.show()

# %%
# Many weights
# ------------
# The cost of a larger network is no such bowl, and minibatches make its gradient noisy.
# Here are two layers of 64 units that learn the digits for 20 epochs. For each solver
# and rate the figures are means over three seeds.
pixels, digits = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    (pixels / 16).astype("float32"), digits, stratify=digits, random_state=0
)
rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]


def learn(rate, options):
    """Return the loss after each epoch, and the test accuracy."""
    networks = [
        MLPClassifier(
            hidden_layer_sizes=(64, 64),
            alpha=0,
            batch_size=128,
            learning_rate_init=rate,
            max_iter=20,
            n_iter_no_change=20,
            random_state=seed,
            **options,
        ).fit(X_train, y_train)
        for seed in range(3)
    ]
    loss = np.mean([network.loss_curve_ for network in networks], axis=0)
    return loss, np.mean([network.score(X_test, y_test) for network in networks])


figure, (left, right) = plt.subplots(
    ncols=2, figsize=(11, 4.2), layout="constrained", sharey=True
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 20 epochs for everyone
    for name, options in solvers.items():
        curves, accuracies = zip(*(learn(r, options) for r in rates), strict=True)
        losses = [curve[-1] for curve in curves]
        best = np.argmin(losses)
        print(
            f"{name}, rate {rates[best]}: training loss {losses[best]:.3f}, "
            f"test accuracy {accuracies[best]:.3f}"
        )
        left.loglog(rates, losses, "o-", markersize=4)
        label = rf"{name}, $\epsilon$ = {rates[best]}"
        right.semilogy(range(1, 21), curves[best], label=label)
left.set(xlabel=r"learning rate $\epsilon$", ylabel="training loss")
left.set_title("after 20 epochs")
right.set(xlabel="epoch", title="with the best rate", xticks=range(0, 21, 5))
figure.legend(loc="outside right center")
plt.show()

# %%
# All four end below gradient descent, and with test accuracies that are within a
# percent of one another. Much more they differ in the learning rate that they want, by
# a factor of 30: the best for one solver is useless to another. None is the best for
# all tasks (section 8.5.4), and each has to be tried with several rates.
