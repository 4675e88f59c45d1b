"""
Stopping before the network knows too much
==========================================

A network that trains on long after it has understood the data begins to learn single
rows by heart. The training loss goes on falling; the loss on other rows turns and
rises. Early stopping keeps the weights of the turning point (Goodfellow, Bengio and
Courville, section 7.8).
"""

# %%
# A large network and few rows
# ----------------------------
# 150 tumours to learn from, 30 measurements each, and two layers of 100 units without
# any penalty: more than 13,000 weights. The other rows are halved: one half for
# validation, the other for the result.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

X, y = load_breast_cancer(return_X_y=True)
X_train, X_rest, y_train, y_rest = train_test_split(
    X, y, train_size=150, stratify=y, random_state=0
)
X_val, X_test, y_val, y_test = train_test_split(
    X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=0
)
scaler = StandardScaler().fit(X_train)
X_train, X_val, X_test = map(scaler.transform, (X_train, X_val, X_test))

# %%
# To the end, and stopped
# -----------------------
# Validation data given to ``fit`` is measured after every epoch. Without
# ``early_stopping`` that is all: the first network trains for its 150 epochs. The
# second stops when the validation loss has not improved for 20 epochs, and goes back to
# its best weights. ``scoring="loss"`` makes the loss decide; the default, accuracy,
# moves in jumps of one row and does not see that the network grows too sure of itself.
parameters = {
    "hidden_layer_sizes": (100, 100),
    "alpha": 0,
    "batch_size": 32,
    "random_state": 0,
}
endless = MLPClassifier(**parameters, max_iter=150, n_iter_no_change=150)
stopped = MLPClassifier(
    **parameters, early_stopping=True, scoring="loss", n_iter_no_change=20
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 150 epochs are the point
    endless.fit(X_train, y_train, X_val=X_val, y_val=y_val)
stopped.fit(X_train, y_train, X_val=X_val, y_val=y_val)
best_epoch = np.argmax(stopped.validation_scores_) + 1

print(f"stopped after epoch {stopped.n_iter_}, kept epoch {best_epoch}")
for name, network in {"to the end": endless, "stopped": stopped}.items():
    loss = log_loss(y_test, network.predict_proba(X_test))
    accuracy = network.score(X_test, y_test)
    print(f"{name}: test loss {loss:.3f}, test accuracy {accuracy:.3f}")

# %%
# The test accuracies are close. The losses are not: trained to the end, the network
# is wrong about as few patients, but far more certain where it is wrong. Where
# probabilities matter, that is what counts.
figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
epochs = np.arange(1, endless.n_iter_ + 1)
axes.plot(epochs, endless.loss_curve_, label="training")
axes.plot(epochs, endless.validation_loss_curve_, label="validation")
lowest = stopped.validation_loss_curve_[best_epoch - 1]
axes.plot(best_epoch, lowest, "o", color="black", label=f"best epoch, {best_epoch}")
axes.axvline(best_epoch, color="black", linestyle=":")
axes.axvline(stopped.n_iter_, color="tab:gray", linestyle="--", label="stopped here")
axes.set(xlabel="epoch", ylabel="loss", title="The turning point", ylim=(0, 0.3))
axes.legend()
plt.show()
