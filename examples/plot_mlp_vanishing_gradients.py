"""
Gradients that vanish on their way through eight layers
=======================================================

On its way back through a deep network the gradient is multiplied by the weights and by
the slope of the activation function, layer after layer. Unless these factors are about
1 it shrinks or grows exponentially (Goodfellow, Bengio and Courville, section 8.2.5).
Three things decide: the activation (6.3), the initial weights (8.4), and whether the
layers are normalised (8.7.1).
"""

# %%
# Sixteen networks
# ----------------
# All have eight hidden layers of 64 units, and one of four activations: the threshold,
# whose slope is 0, so that the gradient is passed straight through it instead; the
# logistic function, whose slope is 1/4 at most; tanh, whose slope is 1 at 0; the
# rectifier, whose slope is 1 wherever it is not 0. The initial weights have the
# standard deviation 0.01, or they are scaled to the width of the layers, by Glorot's
# rule or, for rectifiers, by He's. And all that is done with and without batch
# normalization.
#
# The 896 digits to learn from are 14 batches of 64. A last batch of a few rows would
# not do: the mean and the variance of so few say little.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=14 * 64, stratify=y, random_state=0
)
names = {"sign": "threshold", "logistic": "logistic", "tanh": "tanh", "relu": "relu"}
settings = {  # name: scaled weights, batch_norm, how to draw
    "small weights": (False, False, {"color": "tab:red", "marker": "o"}),
    "small, batch norm": (False, True, {"color": "tab:orange", "marker": "s"}),
    "scaled weights": (True, False, {"color": "tab:blue", "marker": "o"}),
    "scaled, batch norm": (True, True, {"color": "tab:cyan", "marker": "."}),
}


def make(activation, scaled, batch_norm, **options):
    """Return a network of eight hidden layers."""
    rule = "he_normal" if activation == "relu" else "glorot_uniform"
    return MLPClassifier(
        hidden_layer_sizes=(64,) * 8,
        activation=activation,
        weight_init=rule if scaled else "normal",
        batch_norm=batch_norm,
        **options,
    )


# %%
# Before training
# ---------------
# A fit of one step of length zero, almost, leaves the initial weights in ``module_``;
# the rest is torch. Measured are the signal that arrives in each hidden layer, as the
# standard deviation of a unit over the digits, and the norm of the gradient with
# respect to each layer's weights.


def measure(activation, scaled, batch_norm):
    """Return the signal in each hidden layer, and each layer's gradient."""
    network = make(
        activation,
        scaled,
        batch_norm,
        batch_size="full",
        learning_rate_init=1e-12,
        max_iter=1,
        random_state=0,
    ).fit(X_train, y_train)
    module, signals = network.module_.train(), []
    module.activation.register_forward_hook(
        lambda _, inputs, h: signals.append(h.std(dim=0).mean().item())
    )
    outputs = module(torch.from_numpy(X_train))
    loss = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(y_train))
    weights = [layer.weight for layer in module.layers]
    return signals, [g.norm().item() for g in torch.autograd.grad(loss, weights)]


figure, panels = plt.subplots(
    2, 4, figsize=(11, 6), layout="constrained", sharex=True, sharey=True
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # a single step
    for (top, bottom), activation in zip(panels.T, names, strict=True):
        for name, (*setting, style) in settings.items():
            signals, gradients = measure(activation, *setting)
            top.semilogy(range(1, 9), signals, **style, label=name)
            bottom.semilogy(range(1, 10), gradients, **style)
            print(
                f"{names[activation]}, {name}: gradient {gradients[0]:.0e} in the "
                f"first layer, {gradients[-1]:.0e} in the last"
            )
        top.set_title(names[activation])
        bottom.set(xlabel="layer", xticks=range(1, 10))
panels[0, 0].set_ylabel("signal")
panels[1, 0].set_ylabel("gradient")
handles, _ = panels[0, 0].get_legend_handles_labels()
figure.legend(handles=handles, loc="outside lower center", ncols=4)
plt.show()

# %%
# Logistic units lose the gradient even with scaled weights, by a factor of about four
# in each layer: that is their slope. With small weights all lose it. In tanh units and
# rectifiers the gradient is then equally small in all layers, for there is no signal
# either: a weight's gradient is the signal that comes from below times the gradient
# that comes from above, and the one dies on its way up as the other does on its way
# down. A threshold makes a full signal of any sum, however small.
#
# Scaled weights keep both alive in tanh units and rectifiers. Batch normalization does
# so in all units, and how large the weights are makes hardly a difference any more.
#
# After ten epochs
# ----------------
# Adam divides a gradient by its own size, as long as that is more than ``epsilon``, so
# it might cope with small ones.


def learn(activation, scaled, batch_norm):
    """Return the test accuracies of three networks."""
    networks = [
        make(
            activation,
            scaled,
            batch_norm,
            batch_size=64,
            learning_rate_init=3e-3,
            max_iter=10,
            random_state=seed,
        )
        for seed in range(3)
    ]
    return [n.fit(X_train, y_train).score(X_test, y_test) for n in networks]


figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # ten epochs for everyone
    for i, (name, (*setting, style)) in enumerate(settings.items()):
        accuracies = np.array([learn(activation, *setting) for activation in names])
        means = accuracies.mean(axis=1)
        places = np.arange(4) + 0.2 * (i - 1.5)
        axes.bar(places, means, width=0.18, color=style["color"], label=name)
        axes.plot(places, accuracies, ".", color="black", markersize=3)
        results = zip(names.values(), means, strict=True)
        print(f"{name}:", ", ".join(f"{unit} {mean:.2f}" for unit, mean in results))
axes.axhline(0.1, color="black", linestyle=":")
axes.set_xticks(range(4), names.values())
axes.set(ylabel="test accuracy", ylim=(0, 1))
figure.legend(loc="outside lower center", ncols=4)
plt.show()

# %%
# The bars are the means of three seeds, the dots; the dotted line is a guess. Where the
# gradient was lost hardly anything is learned. Where it was saved, by whatever means,
# tanh units and rectifiers learn well; logistic units need batch normalization for it.
# Thresholds remain behind with every gradient that they get, for it is only a
# substitute: the true one is zero.
