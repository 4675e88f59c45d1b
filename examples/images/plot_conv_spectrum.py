"""
How fast a star moves, from its spectrum
========================================

Rows of a table can be series. A spectrum has its wavelengths in order, and a line looks
the same wherever it stands: that is what kernels are for.
:class:`~sknn.ConvRegressor` takes such rows as they are.

The spectra here are simulated, not measured.
"""

# %%
# Simulated spectra
# -----------------
# A star has dark lines at known places. If it moves, all of them are shifted by the
# same amount on a logarithmic scale of wavelengths (the Doppler effect); that shift is
# what we want to know. Lines are deep or shallow, narrow or wide, from star to star,
# the light has a slope, and there is noise.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import ConvRegressor, MLPRegressor

rng = np.random.default_rng(0)
n_stars, n_steps = 1200, 128
position = np.arange(n_steps)
shift = rng.uniform(-10, 10, n_stars)  # in steps

X = 1 + rng.normal(0, 0.2, (n_stars, 1)) * (position / n_steps - 0.5)
width = rng.uniform(1, 3, (n_stars, 1))
for line in [25, 45, 52, 100]:
    depth = rng.uniform(0, 0.6, (n_stars, 1))
    distance = position - line - shift[:, np.newaxis]
    X *= 1 - depth * np.exp(-0.5 * (distance / width) ** 2)
X += rng.normal(0, 0.05, X.shape)
X_train, X_test, y_train, y_test = X[:800], X[800:], shift[:800], shift[800:]

figure, panels = plt.subplots(
    nrows=3, figsize=(8, 5), sharex=True, sharey=True, layout="constrained"
)
for axes, star in zip(panels, np.argsort(y_train)[[10, 400, 790]], strict=True):
    axes.plot(position, X_train[star], label=f"shift {y_train[star]:.1f}")
    axes.legend(loc="lower right")
axes.set(xlabel="step of the logarithm of the wavelength")
panels[1].set_ylabel("light")
plt.show()

# %%
# Three regressors
# ----------------
# The kernels span 15 steps, as much as the widest lines; means are pooled, since the
# largest of two neighbours would not tell where it was. Targets are standardized for
# the networks' sake.
models = {
    "ridge": make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 5, 17))),
    "perceptron": make_pipeline(
        StandardScaler(),
        MLPRegressor(
            hidden_layer_sizes=(100,), alpha=1.0, max_iter=300, random_state=0
        ),
    ),
    "convolutional": ConvRegressor(
        conv_channels=(16, 32),
        kernel_size=15,
        pooling="mean",
        learning_rate="one_cycle",
        learning_rate_init=3e-3,
        max_iter=30,
        random_state=0,
    ),
}
figure, panels = plt.subplots(
    ncols=3, figsize=(10, 3.8), sharex=True, sharey=True, layout="constrained"
)
for axes, (name, model) in zip(panels, models.items(), strict=True):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 30 epochs are enough
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
        predicted = model.fit(X_train, y_train).predict(X_test)
    error = np.sqrt(np.mean((predicted - y_test) ** 2))
    print(f"{name}: root mean squared error {error:.2f} steps")
    axes.plot([-10, 10], [-10, 10], color="0.7")
    axes.plot(y_test, predicted, ".", markersize=3)
    axes.set(title=f"{name}: error {error:.2f}", xlabel="true shift")
panels[0].set_ylabel("predicted")
plt.show()

# %%
# Ridge regression has one weight for each wavelength. But what a dark wavelength means
# depends on its neighbours, whether it is the left or the right side of a line, and
# sums of single wavelengths do not know that. The perceptron can learn it, for each
# place anew; the convolutional network learns it once.
