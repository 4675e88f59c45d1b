"""
Regression that stops early, without a leak
===========================================

442 patients, ten measurements each, and how far their diabetes had progressed a year
later. So few rows are quickly learned by heart, so training is to stop when the error
on *other* patients grows. Those have to be scaled by what was learned from the training
patients alone; a pipeline does that to ``X_val`` when it is told to.
"""

# %%
# Three parts
# -----------
# Half of the rows train, a quarter decides when to stop, a quarter is for the result.
# A network likes targets of unit size as well; their scale, too, comes from the
# training rows.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.5, random_state=0)
X_val, X_test, y_val, y_test = train_test_split(
    X_rest, y_rest, test_size=0.5, random_state=0
)
center, scale = y_train.mean(), y_train.std()

# %%
# Validation data through a pipeline
# ----------------------------------
# Metadata routing has to be on. The network asks for ``X_val`` and ``y_val``, and
# ``transform_input`` sends ``X_val`` through the steps before it, which were fitted to
# ``X_train`` alone.
sklearn.set_config(enable_metadata_routing=True)

mlp = MLPRegressor(
    hidden_layer_sizes=(50, 50),
    batch_size=32,
    early_stopping=True,
    n_iter_no_change=20,
    random_state=0,
).set_fit_request(X_val=True, y_val=True)
model = Pipeline([("scale", StandardScaler()), ("mlp", mlp)], transform_input=["X_val"])
targets = {"y": (y_train - center) / scale, "y_val": (y_val - center) / scale}
model.fit(X_train, X_val=X_val, **targets)

# %%
# What early stopping saved
# -------------------------
# The same network without it goes on for 200 epochs, until it knows the training
# patients by heart. Validation data is then only measured, and changes nothing.
endless = sklearn.clone(model).set_params(mlp__early_stopping=False)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    endless.fit(X_train, X_val=X_val, **targets)
for name, fitted in {"early stopping": model, "to the end": endless}.items():
    r2 = fitted.score(X_test, (y_test - center) / scale)
    print(f"{name}: {fitted['mlp'].n_iter_} epochs, test R2 {r2:.2f}")

# %%
# Left: the loss on both parts, with the epoch whose weights were kept. Right: patients
# of the last part.
best = np.argmax(model["mlp"].validation_scores_) + 1
predicted = model.predict(X_test) * scale + center

figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 4), layout="constrained")
epochs = np.arange(1, endless["mlp"].n_iter_ + 1)
left.plot(epochs, endless["mlp"].loss_curve_, label="training")
left.plot(epochs, endless["mlp"].validation_loss_curve_, label="validation")
left.axvline(best, color="black", linestyle=":", label="kept by early stopping")
left.set(xlabel="epoch", ylabel="loss", title="Learning curves", ylim=(0, None))
left.legend()
right.scatter(y_test, predicted, s=15, alpha=0.7)
right.axline((150, 150), slope=1, color="black", linestyle=":")
right.set(xlabel="progression", ylabel="predicted", title="Unseen patients")
plt.show()

# %%
sklearn.set_config(enable_metadata_routing=False)
