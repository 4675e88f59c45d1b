"""
All 256 boolean functions of three bits
=======================================

Three bits have eight values, so there are :math:`2^8 = 256` functions of them with the
answers 0 and 1. Which can a single layer compute, which need a hidden layer, and how
large has it to be? With so few functions one can simply try them all.
"""

# %%
# The functions
# -------------
# Every row of ``X`` is a value of the three bits. Every column of ``Y`` is a function:
# the binary digits of its number, 0 to 255, are its eight answers.
import itertools

import matplotlib.pyplot as plt
import numpy as np

from sknn import MLPClassifier

X = np.array(list(itertools.product([0, 1], repeat=3)))
Y = (np.arange(256) >> np.arange(8)[:, None]) & 1  # (values, functions)

# %%
# One layer
# ---------
# Given an indicator matrix for ``y``, the network has one logistic output for each
# column. Without a hidden layer the outputs share nothing: these are 256 logistic
# regressions in one fit. Without a penalty each of them ends by answering all eight
# values rightly if any plane can cut the corners of the cube so, that is if the
# function is linearly separable.
one_layer = MLPClassifier(
    (), solver="lbfgs", alpha=0, max_iter=5000, tol=1e-6, random_state=0
).fit(X, Y)
separable = (one_layer.predict(X) == Y).all(axis=0)
print(f"linearly separable: {separable.sum()} of 256")

# %%
# Two layers
# ----------
# A hidden unit for each of the eight values is certainly enough: each unit can
# recognize its own value, and each output sums the units that it answers 1 to. Here all
# 256 outputs share one such layer.
two_layers = MLPClassifier(
    (8,), "tanh", solver="lbfgs", alpha=0, max_iter=5000, tol=1e-6, random_state=0
).fit(X, Y)
learned = (two_layers.predict(X) == Y).all(axis=0)
print(f"learned with one hidden layer of 8 units: {learned.sum()} of 256")

# %%
# How many units does each need?
# ------------------------------
# For units with a threshold the answer is exact. A hidden unit computes a separable
# function of the three bits, and the output a separable function of the hidden units.
# Of two units :math:`a, b` the separable functions are, but for negations, *a and b*,
# *a or b*; and the negation of a separable function is separable. Three units can have
# their majority taken. Functions are kept as numbers here, and ``&`` and ``|`` work on
# all eight answers at once.
numbers = np.flatnonzero(separable)
a, b = numbers[:, None], numbers[None, :]
with_two = np.isin(np.arange(256), np.concatenate([a & b, a | b]))
a, b, c = np.ix_(numbers, numbers, numbers)
with_three = np.isin(np.arange(256), (a & b | a & c | b & c).ravel())  # the majority
exact = np.select([separable, with_two, with_three], [1, 2, 3], default=4)
for n_units in (1, 2, 3):
    print(f"thresholds, {n_units} hidden units: {(exact == n_units).sum()} functions")
print("the hardest are", *(f"{n:08b}" for n in np.flatnonzero(exact == 3)))

# %%
# The two hardest are the parity of the three bits and its negation, whose answer
# changes along every edge of the cube.
#
# What does training find? Each function that is not separable gets a network of its own
# with tanh units, with up to 20 starts before another unit is added.


def units_learned(y, n_starts=20):
    """Return the size of the smallest hidden layer that learned y, and the starts."""
    for n_units in (2, 3, 4):
        for seed in range(n_starts):
            network = MLPClassifier(
                (n_units,),
                "tanh",
                solver="lbfgs",
                alpha=0,
                max_iter=500,
                random_state=seed,
            )
            if network.fit(X, y).score(X, y) == 1:
                return n_units, seed + 1
    raise RuntimeError("not learned")


found = {n: units_learned(Y[:, n]) for n in np.flatnonzero(~separable)}
units, starts = np.array(list(found.values())).T
for n_units in (2, 3, 4):
    print(f"tanh, {n_units} hidden units: {(units == n_units).sum()} functions")
print(f"starts: {np.median(starts):.0f} for half of them, {starts.max()} for the last")

# %%
# Two are enough for all of them, parity too: a tanh unit has a slope between its two
# ends, and a network can use it where a threshold has only a step. But what can be
# represented is not always found at once: most starts of so small a network end in a
# local minimum or on a plateau.
#
# Below, the number of ones among the eight answers sorts the functions. Those with few
# ones or few zeros are the simple ones.
ones = Y.sum(axis=0)
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
bottom = np.zeros(9)
labels = ["separable: no hidden layer", "two hidden units", "three (tanh: two)"]
for n_units, label in enumerate(labels, start=1):
    height = np.bincount(ones[exact == n_units], minlength=9)
    axes.bar(range(9), height, bottom=bottom, label=label)
    bottom += height
axes.set(
    xlabel="answers that are 1",
    ylabel="functions",
    xticks=range(9),
    title=f"{separable.sum()} of 256 functions are linearly separable",
)
axes.legend()
plt.show()
