"""
A wider layer, a closer curve
=============================

The universal approximation theorem (Goodfellow, Bengio and Courville, section 6.4.1)
says that one hidden layer with enough units comes as close to a continuous function as
one likes. How many units are enough, it leaves open, and also whether training finds
their weights. Here is one curve, with layers of 1 to 64 units.
"""

# %%
# The curve
# ---------
# An oscillation that becomes faster, without noise: what is left over is error of
# approximation and of training, nothing else. The solver is lbfgs without a penalty,
# with as many iterations as it may want. Where it uses them up, a warning says so; that
# is no news here.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPRegressor

x = np.linspace(-1, 1, 400).reshape(-1, 1)
y = np.sin(12 * (x[:, 0] + 0.2) ** 2) * np.exp(-x[:, 0] / 2)

widths = [1, 2, 4, 8, 16, 32, 64]
seeds = range(4)
fits = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    for width in widths:
        for seed in seeds:
            fits[width, seed] = MLPRegressor(
                hidden_layer_sizes=(width,),
                activation="tanh",
                solver="lbfgs",
                alpha=0,
                max_iter=3000,
                max_fun=10_000,
                tol=1e-6,
                random_state=seed,
            ).fit(x, y)

# %%
# The error
# ---------
# Each width has four starts. The best of them says more about what the width can
# represent, the spread more about how lucky training has to be.
errors = np.array(
    [
        [np.sqrt(np.mean((fits[width, seed].predict(x) - y) ** 2)) for seed in seeds]
        for width in widths
    ]
)
for width, row in zip(widths, errors, strict=True):
    print(f"{width:3d} units: best error {row.min():.3f}, worst {row.max():.3f}")

# %%
# A tanh unit is one step, so a layer with few units follows the curve for a few of its
# bends and gives up the rest. Once there are units for all bends the error drops;
# beyond that, more units make training surer rather than the best fit much better: what
# is left is where the solver stopped, not what the layer could do.
figure = plt.figure(figsize=(10, 5), layout="constrained")
grid = figure.add_gridspec(2, 4)
for i, width in enumerate([2, 4, 8, 32]):
    axes = figure.add_subplot(grid[i // 2, i % 2])
    best = fits[width, errors[widths.index(width)].argmin()]
    axes.plot(x, y, color="black", linestyle=":", label="curve")
    axes.plot(x, best.predict(x), color="tab:red", label="network")
    axes.set(title=f"{width} units", xticks=[-1, 0, 1], ylim=(-1.8, 2.9))
    if i == 0:
        axes.legend(loc="upper right", fontsize="small")
axes = figure.add_subplot(grid[:, 2:])
axes.loglog(widths, errors, "o", color="tab:gray", alpha=0.5)
axes.loglog(widths, errors.min(axis=1), "o-", color="tab:red", label="best of 4 starts")
axes.set_xticks(widths, widths)
axes.minorticks_off()
axes.set(xlabel="hidden units", ylabel="root mean squared error", title="Error")
axes.grid(alpha=0.3)
axes.legend()
plt.show()
