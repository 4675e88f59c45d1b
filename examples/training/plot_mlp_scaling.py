"""
Why inputs are scaled
=====================

The wines of this table are told apart by their alcohol, about 13, by their hue, about
1, and by their proline, about 750. To a tree that is all the same. To a network it is
not: every unit begins as a sum of all inputs with weights of about one size, so at
first proline is all that it sees.
"""

# %%
# The same network, raw and standardized
# --------------------------------------
# The gradient of a weight :math:`W_{ij}` has the input :math:`x_i` as a factor. For
# inputs of very different sizes no single learning rate :math:`\epsilon` suits all of
# them: the cost :math:`J` is a long narrow valley, steep across and almost flat along
# (Goodfellow, Bengio and Courville, section 8.2.1, call it ill-conditioned). So each
# way of scaling gets its own choice of learning rates.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

wine = load_wine()
X_train, X_test, y_train, y_test = train_test_split(
    wine.data, wine.target, test_size=0.5, stratify=wine.target, random_state=0
)
scaler = StandardScaler().fit(X_train)
inputs = {
    "raw": (X_train, X_test),
    "standardized": (scaler.transform(X_train), scaler.transform(X_test)),
}
sizes = X_train.std(axis=0)
print(f"standard deviations from {sizes.min():.2f} to {sizes.max():.0f}")

rates = [1e-3, 1e-2, 1e-1]
fits = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 100 epochs for everyone
    for name, (train, _) in inputs.items():
        for rate in rates:
            fits[name, rate] = MLPClassifier(
                hidden_layer_sizes=(20,),
                batch_size=32,
                learning_rate_init=rate,
                max_iter=100,
                n_iter_no_change=100,
                random_state=0,
            ).fit(train, y_train)

# %%
# The curves
# ----------
# A guess that all three wines are equally likely has the loss :math:`\log 3`, dotted.
# On raw inputs the networks begin far above: their sums are in the hundreds, so they
# are wrong with great certainty, and must first unlearn that. Even adam, which gives
# every weight a step size of its own, does not make up for it.
figure, panels = plt.subplots(
    ncols=2, figsize=(9, 4), layout="constrained", sharex=True, sharey=True
)
for axes, (name, (_, test)) in zip(panels, inputs.items(), strict=True):
    for rate in rates:
        network = fits[name, rate]
        accuracy = network.score(test, y_test)
        axes.semilogy(
            range(1, network.n_iter_ + 1),
            network.loss_curve_,
            label=rf"$\epsilon$ = {rate:g}: test accuracy {accuracy:.0%}",
        )
        print(f"{name}, learning rate {rate:g}: test accuracy {accuracy:.2f}")
    axes.axhline(np.log(3), color="black", linestyle=":")
    axes.set(title=name, xlabel="epoch")
    axes.legend()
panels[0].set_ylabel("training loss")
plt.show()

# %%
# Standardized, any of the three learning rates will do. That is the other half of the
# lesson: scaling not only makes the result better, it makes it depend less on
# everything else that one would have to tune.
