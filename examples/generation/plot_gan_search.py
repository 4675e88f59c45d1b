"""
A generator chosen by cross-validation
======================================

A :class:`!GANSampler` has a score, so that scikit-learn's searches tune it as they tune
a classifier: minus the discrepancy between held-out rows and generated ones.
"""

# %%
# The search
# ----------
# Digits, without their labels. Which loss, and of how much noise should a row be made?
# Each candidate trains on one half and is judged by the other; no scoring is to be
# given. The rate falls to zero, so that all of them come to rest.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, KFold

from sknn import GANSampler

X, _ = load_digits(return_X_y=True)
model = GANSampler(max_iter=30, learning_rate="linear", random_state=0)
grid = {"loss": ["non_saturating", "wasserstein_gp", "hinge"], "latent_dim": [2, 8, 64]}
halves = KFold(2, shuffle=True, random_state=0)
search = GridSearchCV(model, grid, cv=halves).fit(X)
print(search.best_params_)

# %%
# What it found
# -------------
# The discrepancy of each candidate, times 1000: less is better.
table = pd.DataFrame(search.cv_results_)
table["discrepancy"] = -1000 * table["mean_test_score"]
print(table.pivot_table("discrepancy", "param_loss", "param_latent_dim").round(2))

# %%
# The digits
# ----------
# Those of the best candidate, fitted to all rows, and of the worst. The score compares
# distributions, not the sharpness of single images: look at some as well.
worst = table.loc[table["rank_test_score"].idxmax(), "params"]
models = {"best": search.best_estimator_, "worst": model.set_params(**worst).fit(X)}
figure, axes = plt.subplots(2, 12, figsize=(8, 1.8), layout="constrained")
for row, (name, fitted) in zip(axes, models.items(), strict=True):
    for ax, image in zip(row, fitted.sample(12, random_state=0), strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
