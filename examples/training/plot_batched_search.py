"""
A whole grid as one network
===========================

A search over small networks spends most of its time between the matrix products, not in
them. Inside :func:`sknn.batched`, scikit-learn's own :class:`GridSearchCV
<sklearn.model_selection.GridSearchCV>` trains the networks of all candidates and folds
together: as many as are alike become one network whose weights have one more axis. The
scores are those of the search without it.

Here: 63 pairs of a learning rate and a penalty in three folds, 189 networks.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

X, y = load_digits(return_X_y=True)
X = X.astype("float32")

# %%
# The search is written as ever: a pipeline, a grid, a number of folds. What is new is
# the ``with``.

network = sknn.MLPClassifier(
    (32,), batch_size=64, max_iter=15, learning_rate="cosine", random_state=0
)
grid = {
    "mlpclassifier__learning_rate_init": np.logspace(-3, 0, 9),
    "mlpclassifier__alpha": np.logspace(-3, 1, 7),
}
search = GridSearchCV(make_pipeline(StandardScaler(), network), grid, cv=3)
with sknn.batched():
    search.fit(X, y)
print({name: f"{value:.2g}" for name, value in search.best_params_.items()})
print(f"accuracy {search.best_score_:.3f}")

# %%
# Two of the pairs once more, one network after another: the scores agree.

few = {name: [values[3]] for name, values in grid.items()}
few["mlpclassifier__alpha"] = grid["mlpclassifier__alpha"][:2]
alone = GridSearchCV(search.estimator, few, cv=3, refit=False).fit(X, y)
places = [search.cv_results_["params"].index(p) for p in alone.cv_results_["params"]]
together = search.cv_results_["mean_test_score"][places]
print("together: ", together.round(3))
print("one by one:", alone.cv_results_["mean_test_score"].round(3))

# %%
# The best rate depends little on the penalty, as long as this is not too strong, and
# the best penalty little on the rate: the two could have been searched one by one.

scores = search.cv_results_["mean_test_score"].reshape(7, 9)
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
image = ax.pcolormesh(*grid.values(), scores, vmin=0.85, cmap="viridis")
best = search.best_params_.values()
ax.plot(*list(best)[::-1], "r*", markersize=14, label="best")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="learning rate $\\epsilon$",
    ylabel="penalty $\\alpha$",
    title="accuracy in three folds",
)
ax.legend()
fig.colorbar(image)
plt.show()
