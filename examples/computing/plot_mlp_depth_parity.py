"""
Parity: what depth can do, and what training finds
==================================================

The parity of :math:`n` bits, whether an odd number of them is 1, changes whenever any
bit does. It is a favourite where the power of depth is discussed: each rectified layer
can fold its input, and folds multiply (Goodfellow, Bengio and Courville, section
6.4.1). Here weights that were thought out are set beside weights that were learned, and
they do not tell the same story.
"""

# %%
# Weights thought out
# -------------------
# Parity depends on the number :math:`s` of ones alone. As a function of :math:`s` it is
# a zigzag between 0 and 1.
#
# The **shallow** network gives each turn of the zigzag a unit: :math:`n` units
# :math:`h_j = \max(0, s - j)`, and an output that adds them up with the weights 1, -2,
# 2, -2, and so on.
#
# The **deep** one folds: :math:`|s - n/2| = \max(0, s - n/2) + \max(0, n/2 - s)` takes
# two units, has the same parity as :math:`s` as long as :math:`n/2` is even, and leaves
# half as many turns. The last fold, at 1, also turns the parity round. With a layer for
# every halving that is :math:`2 \log_2 n` units.
import itertools
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier


def every_row(n_bits):
    """Return all rows of n_bits bits, and their parities."""
    X = np.array(list(itertools.product([0, 1], repeat=n_bits)), dtype=float)
    return X, X.sum(axis=1).astype(int) % 2


def thought_out(n_bits, sizes, layers):
    """Return a network whose weights and biases are those in layers."""
    network = MLPClassifier(sizes, "relu", random_state=0)
    network.partial_fit(np.zeros((1, n_bits)), [0], classes=[0, 1])  # gives it a shape
    for i, (W, b) in enumerate(layers):
        network.coefs_[i][...] = W
        network.intercepts_[i][...] = b
    return network


def shallow(n_bits):
    """Return the network with a unit for every turn of the zigzag."""
    turns = np.arange(n_bits)
    slopes = np.where(turns % 2, -2.0, 2.0)
    slopes[0] = 1
    layers = [(np.ones((n_bits, n_bits)), -turns), (slopes[:, None], -0.5)]
    return thought_out(n_bits, (n_bits,), layers)


def deep(n_bits):
    """Return the network that folds; n_bits is a power of two."""
    n_folds = int(np.log2(n_bits))
    layers = []
    for fold in range(n_folds):
        fan_in = 2 if fold else n_bits
        middle = n_bits / 2 ** (fold + 1)
        layers.append((np.tile([1, -1], (fan_in, 1)), [-middle, middle]))
    layers.append((-np.ones((2, 1)), 0.5))  # |s - 1| is 0 where s, of 0, 1, 2, is odd
    return thought_out(n_bits, (2,) * n_folds, layers)


powers = [2, 4, 8, 16]
for n_bits in powers:
    X, y = every_row(n_bits)
    for build in (shallow, deep):
        network = build(n_bits)
        units = sum(network.hidden_layer_sizes)
        accuracy = network.score(X, y)
        print(
            f"{n_bits:2d} bits, {build.__name__}: {units} units, {accuracy:.0%} right"
        )

# %%
# Weights learned
# ---------------
# Now training has to find them, from all :math:`2^n` rows. For one, two and three
# hidden layers of equal width, the width grows by one until one of three starts has
# learned every row. That is done for three sets of seeds, and averaged.


def units_learned(n_bits, depth, first_seed, n_starts=3):
    """Return the hidden units of the smallest network that learned every row."""
    X, y = every_row(n_bits)
    for width in itertools.count(1):
        for seed in range(first_seed, first_seed + n_starts):
            network = MLPClassifier(
                (width,) * depth,
                "relu",
                solver="lbfgs",
                alpha=0,
                max_iter=1000,
                random_state=seed,
            )
            if network.fit(2 * X - 1, y).score(2 * X - 1, y) == 1:
                return width * depth


bits = [2, 3, 4, 5, 6]
depths = [1, 2, 3]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # a failed start is an answer
    learned = np.array(
        [
            [[units_learned(n, depth, seed) for seed in (0, 3, 6)] for n in bits]
            for depth in depths
        ]
    )
means = learned.mean(axis=2)  # (depths, bits)
for depth, row in zip(depths, means, strict=True):
    print(f"{depth} hidden layers, units for {bits} bits: {row.round(1)}")

# %%
# Two stories
# -----------
# On paper depth wins, and by more the longer the input. Learned, the shallow network
# needs fewer units: a sum of units is found from a random start more easily than a
# chain of folds, where each layer is of no use before the others are in place. A
# theorem about what a network can represent says nothing about what gradient descent
# will find.
figure, (left, right) = plt.subplots(ncols=2, figsize=(9.5, 4), layout="constrained")
left.plot(powers, powers, "o-", label="shallow: $n$")
left.plot(powers, 2 * np.log2(powers), "s-", label=r"deep: $2 \log_2 n$")
left.set(title="thought out", xlabel="bits", ylabel="hidden units", xticks=powers)
for depth, row, values in zip(depths, means, learned, strict=True):
    line = right.plot(bits, row, "o-", label=f"{depth} hidden layers")[0]
    right.fill_between(
        bits, values.min(axis=1), values.max(axis=1), color=line.get_color(), alpha=0.15
    )
right.set(title="learned (mean and range)", xlabel="bits", xticks=bits)
for axes in (left, right):
    axes.set_ylim(0, None)
    axes.legend()
plt.show()
