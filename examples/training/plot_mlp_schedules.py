"""
Learning rates that change on the way
=====================================

The gradient of a minibatch is noisy, and the noise remains where the true gradient
vanishes: with a constant learning rate the weights never come to rest. Long steps are
good for the way and short ones for the arrival (Goodfellow, Bengio and Courville,
section 8.3.1). A schedule has both. Here are seven, with initial rates from careful to
too large.
"""

# %%
# Seven schedules, four rates
# ---------------------------
# A hidden layer of 64 units learns half of the digits by gradient descent with
# momentum, and the other half measures it after every epoch. All have 20 epochs, and
# all losses and accuracies are means over three seeds. "adaptive" divides the rate by
# five when the training loss has not improved for more than two epochs; with solvers
# other than sgd it is called "plateau". Those that follow it in the list, and
# "constant", are for these solvers too.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.display import LossCurveDisplay

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(
    (X / 16).astype("float32"), y, test_size=0.5, stratify=y, random_state=0
)
n_epochs = 20
schedules = {
    "constant": {},
    "invscaling": {"power_t": 0.2},
    "adaptive": {"n_iter_no_change": 2},
    "linear": {},
    "cosine": {},
    "one_cycle": {},
    "inverse_sqrt": {"warmup_epochs": 5},
}
rates = [0.05, 0.1, 0.2, 0.4]
fits = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 20 epochs for everyone
    for schedule, options in schedules.items():
        for rate in rates:
            fits[schedule, rate] = [
                MLPClassifier(
                    hidden_layer_sizes=(64,),
                    solver="sgd",
                    batch_size=32,
                    learning_rate=schedule,
                    learning_rate_init=rate,
                    max_iter=n_epochs,
                    random_state=seed,
                    **{"n_iter_no_change": n_epochs, **options},
                ).fit(X_train, y_train, X_val=X_val, y_val=y_val)
                for seed in range(3)
            ]

# %%
# What they do, and what comes of it
# ----------------------------------
# The column ``lr`` of ``history_`` has the rate that each epoch ended with.
figure, (left, middle, right) = plt.subplots(
    ncols=3, figsize=(11, 4.4), layout="constrained"
)
epochs = np.arange(1, n_epochs + 1)
largest = rates[-1]
for schedule in schedules:
    left.plot(epochs, fits[schedule, largest][-1].history_[:, "lr"], label=schedule)
    curves = [network.validation_loss_curve_ for network in fits[schedule, largest]]
    middle.semilogy(epochs, np.mean(curves, axis=0))
    losses, accuracies = np.mean(
        [
            [
                (network.validation_loss_curve_[-1], network.validation_scores_[-1])
                for network in fits[schedule, rate]
            ]
            for rate in rates
        ],
        axis=1,
    ).T
    right.loglog(rates, losses, "o-", markersize=4)
    print(f"{schedule:12s} validation accuracies {accuracies.round(3)} for {rates}")
for axes, title, x in (
    (left, rf"learning rate, $\epsilon_0$ = {largest}", "epoch"),
    (middle, rf"validation loss, $\epsilon_0$ = {largest}", "epoch"),
    (right, "validation loss in the end", r"initial rate $\epsilon_0$"),
):
    axes.set(title=title, xlabel=x)
right.set_xticks(rates, rates)
right.set_yticks([0.1, 0.2, 0.3, 0.5], [0.1, 0.2, 0.3, 0.5])
right.minorticks_off()
figure.legend(loc="outside lower center", ncols=7)
plt.show()

# %%
# With an initial rate of 0.1 a schedule is hardly worth the trouble: the losses in the
# end are close to one another. Only "invscaling" lags behind, as its rate falls so fast
# at first that it wants to begin with a larger one. With 0.4 schedules decide. Held
# constant, this rate throws the network back again and again until the last epoch; with
# every schedule the loss calms down sooner or later, and most of the accuracy is saved.
# So a schedule makes the best result little better, and the choice of the rate easier.
#
# The adaptive one
# ----------------
# All others follow the calendar. "adaptive" watches the training loss, and
# ``LossCurveDisplay`` shows it beside the rate. This is the last of the three networks
# that began with 0.4. Both times its rate falls after three epochs without a new lowest
# training loss, and the loss, which had risen again, falls at once.
display = LossCurveDisplay.from_estimator(
    fits["adaptive", largest][-1], score=False, learning_rate=True, log_scale=True
)
display.figure_.set_size_inches(7, 4)
plt.show()
