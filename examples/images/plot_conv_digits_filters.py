"""
What the filters of a convolutional network see
===============================================

A perceptron has a weight for every pixel. A convolutional network looks at each place
of the image through the same few small windows, its kernels, and passes on how well
each of them fits there. Both read the digits here; then the kernels are drawn, and what
they make of one digit.
"""

# %%
# Two networks
# ------------
# Half of the 1797 digits that scikit-learn brings along are for training. The
# convolutional network takes the images as they are, 8 x 8 pixels, and the perceptron
# their rows of 64 numbers. Three seeds each show how much is chance.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import ConvClassifier, MLPClassifier
from sknn.display import FiltersDisplay

images, y = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8).astype("float32")
train, test, y_train, y_test = train_test_split(
    images, y, test_size=0.5, stratify=y, random_state=0
)
accuracies = {"perceptron": [], "convolutional": []}
for seed in range(3):
    mlp = MLPClassifier((100,), max_iter=500, random_state=seed)
    mlp = make_pipeline(StandardScaler(), mlp).fit(train.reshape(-1, 64), y_train)
    accuracies["perceptron"].append(mlp.score(test.reshape(-1, 64), y_test))
    conv = ConvClassifier(
        conv_channels=(16, 32), tol=1e-3, n_iter_no_change=5, random_state=seed
    ).fit(train, y_train)
    accuracies["convolutional"].append(conv.score(test, y_test))
for name, values in accuracies.items():
    print(f"{name}: test accuracy {np.round(values, 3)}, mean {np.mean(values):.3f}")

# %%
# One layer to look at
# --------------------
# A single layer without pooling, below a linear head, keeps the maps as large as the
# image. It has 16 kernels of 3 x 3 weights. Blue weights ask for ink, red ones for
# none: the first kernel fits where there is ink below and none above, the second where
# it is the other way round. Others are less plain to read.
looking = ConvClassifier(
    conv_channels=(16,),
    pool_size=None,
    hidden_layer_sizes=(),
    tol=1e-3,
    n_iter_no_change=5,
    random_state=0,
).fit(train, y_train)
print(f"one layer: test accuracy {looking.score(test, y_test):.3f}")

figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
FiltersDisplay.from_estimator(looking, ax=ax)
plt.show()

# %%
# What the kernels make of a digit
# --------------------------------
# A feature map for each kernel, in the same order: blue where the kernel fits, white
# where it does not. Some are of the stroke, as the first of the second row; others, as
# the third of the last, of the paper around it. Nothing is red, since relu leaves
# nothing negative.
sample = test[:1]
figure, (left, right) = plt.subplots(
    ncols=2, figsize=(9, 4.2), layout="constrained", width_ratios=[1, 2]
)
left.imshow(sample[0], cmap="gray_r")
left.set(xticks=[], yticks=[], title=f"a test image: {y_test[0]}")
FiltersDisplay.from_estimator(looking, X=sample, ax=right)
plt.show()
