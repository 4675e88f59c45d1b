"""
Tuning a convolutional network in a pipeline
============================================

Rows of a table go through scikit-learn's transformers and searches; ``input_shape``
tells the network at the end of the pipeline that they are images. Here
:class:`!GridSearchCV` chooses the number of channels, the dropout and the penalty of a
network together.
"""

# %%
# The pipeline
# ------------
# 400 of the digits are for training, so that there is something to regularize. The
# square root makes the grey edges of the strokes darker. Any step will do here that
# leaves the pixels where they are; a selection of columns, or principal components,
# would leave no image.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import ConvClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=400, stratify=y, random_state=0
)
conv = ConvClassifier(
    input_shape=(8, 8),
    hidden_layer_sizes=(),
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    max_iter=12,
    random_state=0,
)
model = Pipeline([("root", FunctionTransformer(np.sqrt)), ("conv", conv)])

# %%
# The search
# ----------
# Two layers of few channels, of more, and of many. ``dropout`` leaves out whole
# channels. Scores are log-losses: the accuracy of 133 images moves in steps of nearly
# one percent.
grid = {
    "conv__conv_channels": [(8, 16), (16, 32), (32, 64)],
    "conv__dropout": [0.0, 0.25],
    "conv__alpha": [1e-3, 1e-1, 10.0],
}
search = GridSearchCV(model, grid, scoring="neg_log_loss", cv=3)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 12 epochs for everyone
    search.fit(X_train, y_train)
print(search.best_params_)
accuracy = search.best_estimator_.score(X_test, y_test)
print(f"log-loss in the folds {-search.best_score_:.3f}, test accuracy {accuracy:.3f}")

# %%
# All candidates
# --------------
results = search.cv_results_
losses = -results["mean_test_score"]
deviations = results["std_test_score"]
figure, panels = plt.subplots(
    ncols=2, figsize=(9, 4), sharey=True, sharex=True, layout="constrained"
)
for axes, rate in zip(panels, grid["conv__dropout"], strict=True):
    for channels in grid["conv__conv_channels"]:
        chosen = [
            p["conv__dropout"] == rate and p["conv__conv_channels"] == channels
            for p in results["params"]
        ]
        axes.errorbar(
            grid["conv__alpha"],
            losses[chosen],
            deviations[chosen],
            marker="o",
            capsize=3,
            label=f"conv_channels={channels}",
        )
    axes.set(xscale="log", xlabel="alpha", title=f"dropout={rate}")
panels[0].set_ylabel("log-loss in the folds")
panels[0].legend()
plt.show()

# %%
# More channels are better throughout, and the best is at the end of its range: the next
# search would go on from there. A quarter of the channels is more than these networks
# can spare. A small penalty makes no difference, and a large one does harm. It is
# divided by the 32 rows of a batch.
