"""
Displays: how a network learned, and what it became
===================================================

The displays of :mod:`!sknn.display` work as scikit-learn's do: ``from_estimator`` takes
a fitted network, or a pipeline that ends with one, draws, and returns an object that
holds the axes and all artists.
"""

# %%
# A network that stops early
# --------------------------
# 569 tumours, 30 measurements of each, benign or malignant. Early stopping holds a
# tenth of the training rows out and goes back to the epoch with the best score on them.
import matplotlib.pyplot as plt
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.display import LossCurveDisplay, NetworkDisplay

data = load_breast_cancer(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    data.data, data.target, stratify=data.target, random_state=0
)
mlp = MLPClassifier(
    hidden_layer_sizes=(24, 8),
    solver="sgd",
    learning_rate="invscaling",
    learning_rate_init=0.2,
    power_t=0.2,
    batch_size=32,
    alpha=0.1,
    early_stopping=True,
    n_iter_no_change=20,
    random_state=0,
)
model = make_pipeline(StandardScaler(), mlp).fit(X_train, y_train)
print(f"test accuracy {model.score(X_test, y_test):.3f}")

# %%
# How it learned
# --------------
# The loss and the score have axes of their own, and the learning rate, when it is
# asked for, a third.
display = LossCurveDisplay.from_estimator(model, learning_rate=True)
display.figure_.set_size_inches(8, 4)

# %%
# What it became
# --------------
# Of layers wider than ``max_units`` the strongest units are shown. The features'
# names come through the scaler, and the one output unit speaks for the second class.
figure, ax = plt.subplots(figsize=(8, 5.5), layout="constrained")
NetworkDisplay.from_estimator(
    model, ax=ax, max_units=10, target_names=data.target_names
)

# %%
# Two networks on the same axes
# -----------------------------
# ``name`` tells them apart. A display that is already there is drawn again by its
# ``plot`` method, with other options if need be.
slow = clone(model).set_params(mlpclassifier__learning_rate_init=0.02)
slow.fit(X_train, y_train)

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
options = {"ax": ax, "score": False, "log_scale": True}
display.plot(name="rate 0.2", **options)
LossCurveDisplay.from_estimator(slow, name="rate 0.02", **options)
plt.show()
