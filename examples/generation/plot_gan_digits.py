"""
Digits that nobody wrote
========================

A generative adversarial network learns what digits look like, and then draws as many as
one asks for, of the class that one asks for. Here a convolutional one does, with a look
at its curves and at how good its digits are.
"""

# %%
# Training
# --------
# With y the network is conditional: generator and discriminator are told the class of
# each image. ``image_shape`` makes both convolutional.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sknn import GANSampler
from sknn.display import SamplesDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
model = GANSampler(image_shape=(8, 8), max_iter=25, random_state=0)
model.fit(X_train, y_train)

# %%
# Sampling
# --------
# ``sample`` takes a label for each image that it is to make, and returns them beside
# the images. ``SamplesDisplay`` asks for ten of each class.
images, labels = model.sample(y=[3, 3, 8], random_state=0)
print(images.shape, labels)
SamplesDisplay.from_estimator(model, n_samples=10, random_state=0, cmap="gray_r")
plt.show()

# %%
# Curves
# ------
# The losses of the two networks balance each other, and say little: that of the
# discriminator would be 2 log 2 if it could tell nothing apart. The discrepancy between
# generated and real images falls, and their diversity, how far apart two images of a
# class are, comes near that of the data. Near zero the generator would have collapsed
# to a few images.
epochs = np.arange(1, model.n_iter_ + 1)
figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
axes[0].plot(epochs, model.loss_curve_, label="generator")
axes[0].plot(epochs, model.discriminator_loss_curve_, label="discriminator")
axes[0].axhline(2 * np.log(2), color="gray", linestyle=":", label="2 log 2")
axes[0].legend()
axes[0].set_title("losses")
axes[1].semilogy(epochs, -np.array(model.history_[:, "score"]))
axes[1].set_title("discrepancy")
axes[2].plot(epochs, model.diversity_curve_)
axes[2].axhline(1, color="gray", linestyle=":")
axes[2].set_title("diversity")
axes[2].set_ylim(0, 1.1)
for ax in axes:
    ax.set_xlabel("epoch")

# %%
# Are they any good?
# ------------------
# A logistic regression that has learned from real digits should find the class that was
# asked for, and one that has learned from generated digits alone should read real ones.
made, labels = model.sample(len(X_train), random_state=1)
from_real = LogisticRegression(max_iter=1000).fit(X_train / 16, y_train)
from_made = LogisticRegression(max_iter=1000).fit(made / 16, labels)
print(f"class asked for is found: {from_real.score(made / 16, labels):.3f}")
print(f"real digits, learned from real: {from_real.score(X_test / 16, y_test):.3f}")
print(f"real digits, learned from made: {from_made.score(X_test / 16, y_test):.3f}")
