"""
The whole set, a batch, a single row
====================================

The gradient of the cost :math:`J` is a mean over rows. It can be taken over all of them
before each step, over a small batch, or over a single row. Fewer rows make a noisier
gradient, but many more steps an epoch (Goodfellow, Bengio and Courville, section
8.1.3). Which is better depends on what one counts: epochs or seconds.
"""

# %%
# Three batch sizes
# -----------------
# Plain gradient descent without momentum, on the digits, with pixels from 0 to 1. Each
# batch size has a learning rate :math:`\epsilon` that suits it: the noisier the
# gradient, the shorter the step has to be. They also get different numbers of epochs,
# as their epochs cost so differently.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    (X / 16).astype("float32"), y, test_size=0.25, stratify=y, random_state=0
)
settings = {  # batch_size, learning_rate_init, epochs
    "batch": (len(X_train), 0.5, 1000),
    "minibatch": (32, 0.3, 150),
    "stochastic": (1, 0.02, 20),
}
fits = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
    for name, (batch_size, rate, n_epochs) in settings.items():
        fits[name] = MLPClassifier(
            hidden_layer_sizes=(64,),
            solver="sgd",
            momentum=0,
            batch_size=batch_size,
            learning_rate_init=rate,
            max_iter=n_epochs,
            n_iter_no_change=n_epochs,
            random_state=0,
        ).fit(X_train, y_train)

# %%
# Epochs and seconds
# ------------------
# ``history_`` has the seconds of every epoch in its column ``dur``. The loss is the
# mean over an epoch, while the weights change.
target = 0.1
figure, (left, right) = plt.subplots(
    ncols=2, figsize=(9.5, 4), layout="constrained", sharey=True
)
for name, network in fits.items():
    batch_size, rate, _ = settings[name]
    losses = np.array(network.loss_curve_)
    epochs = np.arange(1, network.n_iter_ + 1)
    seconds = np.cumsum(network.history_[:, "dur"])
    label = rf"batch_size={batch_size}, $\epsilon$ = {rate:g}"
    left.loglog(epochs, losses, label=label)
    right.loglog(seconds, losses, label=label)
    reached = np.argmax(losses < target)
    steps = epochs[reached] * -(-len(X_train) // batch_size)
    print(
        f"{name}: loss below {target} after {epochs[reached]} epochs, {steps} steps; "
        f"test accuracy {network.score(X_test, y_test):.3f}"
    )
for axes, unit in ((left, "epochs"), (right, "seconds")):
    axes.axhline(target, color="black", linestyle=":")
    axes.set(xlabel=unit, title=f"against {unit}")
left.set_ylabel("training loss")
left.legend(loc="lower left", fontsize="small")
plt.show()

# %%
# Counted in epochs the single row is first: it makes 1347 steps where the whole set
# makes one. Counted in seconds it comes last, as a step for one row costs nearly as
# much as one for 32: the overhead of a step is the same, and processors multiply
# matrices better than vectors. The minibatch is the usual compromise between the two:
# most of the steps of the one, most of the speed of the other.
