"""
Four ways to train seven layers of sigmoids
===========================================

The slope of a logistic unit is 1/4 at most, so that a deep network of them has next to
no gradient in its lower layers and learns nothing (Goodfellow, Bengio and Courville,
section 8.2.5). Four remedies from the years in which this was found out: pre-training
the layers one by one, without labels or with them (8.7.4 and 15.1); outputs on the
hidden layers, *deep supervision*; and batch normalization (8.7.1).
"""

# %%
# Five networks
# -------------
# Seven hidden layers of 40 logistic units learn the digits, all with the same solver.
# A callback notes the norm of the gradient with respect to each layer's weights at
# every step.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
remedies = {
    "from scratch": {},
    'pretrain="supervised"': {"pretrain": "supervised"},
    'pretrain="autoencoder"': {"pretrain": "autoencoder"},
    "deep_supervision=0.3": {"deep_supervision": 0.3},
    "batch_norm=True": {"batch_norm": True},
}


class GradientNorms(Callback):
    """Notes the norm of each layer's gradient, a row a step."""

    def initialize(self):
        """Begin a new list."""
        self.norms = []
        return self

    def on_grad_computed(self, net, **kwargs):
        """Note the norms, of the weights alone."""
        layers = net.module_.layers
        self.norms.append([layer.weight.grad.norm().item() for layer in layers])


networks = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
    for name, remedy in remedies.items():
        networks[name] = MLPClassifier(
            hidden_layer_sizes=(40,) * 7,
            activation="logistic",
            learning_rate_init=0.005,
            batch_size=50,
            max_iter=30,
            n_iter_no_change=30,
            callbacks=[GradientNorms()],
            random_state=0,
            **remedy,
        ).fit(X_train, y_train, X_val=X_test, y_val=y_test)

# %%
# The gradient, layer by layer
# ----------------------------
# Drawn is the mean over the steps of an epoch; the eighth layer is the output. Epochs
# are those of the joint training, before which pre-trained networks have had ten for
# each of their layers.
n_steps = -(-len(X_train) // 50)
layers = np.arange(1, 9)
styles = dict(zip(remedies, ["o", "s", "^", "D", "."], strict=True))
figure, panels = plt.subplots(ncols=3, figsize=(11, 4.4), layout="constrained")
for name, network in networks.items():
    ((_, callback),), accuracy = network.callbacks_, network.validation_scores_[-1]
    norms = np.array(callback.norms)
    first, fifth = (norms[k * n_steps :][:n_steps].mean(axis=0) for k in (0, 4))
    for axes, values in zip(panels, (first, fifth), strict=False):
        axes.semilogy(layers, values, marker=styles[name], label=name)
    panels[2].plot(np.arange(1, 31), network.validation_scores_, label=name)
    print(
        f"{name}: gradient of the first layer {first[0]:.0e} in the first epoch, "
        f"{fifth[0]:.0e} in the fifth; test accuracy {accuracy:.3f}"
    )
panels[0].set(ylabel="norm of the gradient", title="first epoch")
panels[1].set_title("fifth epoch")
for axes in panels[:2]:
    axes.set(xlabel="layer", xticks=layers, ylim=(1e-8, 2))
panels[2].axhline(0.1, color="black", linestyle=":")
panels[2].set(xlabel="epoch", ylabel="test accuracy", ylim=(0, 1), title="accuracy")
handles, labels = panels[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize="small")
plt.show()

# %%
# From scratch the gradient shrinks to about a seventh in each layer on its way down,
# and from the first epoch to the fifth what arrives at the bottom shrinks once more:
# nothing is learned. With each remedy the lowest layers have about as much as those in
# the middle, and all of them enough.
#
# With deep supervision every layer gets its gradient from the output upon it. The
# network's own output then takes longest to find out what the layers below know
# already. Layers that are pre-trained or normalised have units that vary over much of
# their range, and weights large enough to make up for the slopes.
#
# What the layers learned before
# ------------------------------
# ``pretrain_curves_`` has the losses of each layer as it was trained: with labels the
# log-loss of the output that it had for the time being, without them half the mean
# squared error of the features that it had to reconstruct.
figure, (left, right) = plt.subplots(ncols=2, figsize=(9.5, 4), layout="constrained")
for axes, kind in ((left, "supervised"), (right, "autoencoder")):
    curves = networks[f'pretrain="{kind}"'].pretrain_curves_
    for k, curve in enumerate(curves, 1):
        color = plt.cm.viridis(k / 8)
        axes.plot(np.arange(1, 11), curve, color=color, label=f"layer {k}")
    axes.set(xlabel="epoch", title=f'pretrain="{kind}"')
left.set_ylabel("training loss of the layer")
left.legend(fontsize="small", ncols=2)
plt.show()

# %%
# With labels each layer learns faster than the one below, as its inputs tell the
# classes apart better already. Without them all layers but the first reconstruct
# features that are scaled to variance 1, where always the mean would have a loss of
# 0.5; the first one reconstructs pixels from 0 to 1.
