"""
Quickstart: tune a network on the digits
========================================

A network is one step of a pipeline, and scikit-learn's own tools tune it: here a
grid search with three-fold cross-validation on three quarters of the digits, with a
progress bar over the whole search. The last quarter is touched once, at the end.
"""

# %%
# The data
# --------
# The digits are 1797 grey images of 8 x 8 pixels. A network trains in the precision
# of its input, and float32 is plenty here.
import matplotlib.pyplot as plt
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y, test_size=0.25, stratify=y, random_state=0
)

# %%
# The search
# ----------
# Networks want inputs of one scale, hence the first step. The bar belongs on the
# outermost estimator: it is the search that reports its progress, and with a larger
# ``max_propagation_depth`` every fit below it as well.
mlp = MLPClassifier(max_iter=500, random_state=0)
pipeline = Pipeline([("scale", StandardScaler()), ("mlp", mlp)])
grid = {
    "mlp__hidden_layer_sizes": [(64,), (256,)],
    "mlp__alpha": [1e-4, 1e-1, 1.0],
    "mlp__learning_rate_init": [1e-3, 1e-2],
}
search = GridSearchCV(pipeline, grid, cv=3)
search.set_callbacks(ProgressBar(max_propagation_depth=0))
search.fit(X_train, y_train)

# %%
# The loss curve
# --------------
chosen = search.best_estimator_["mlp"]
figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.semilogy(range(1, chosen.n_iter_ + 1), chosen.loss_curve_)
axes.set(xlabel="epoch", ylabel="training loss", title="The chosen network learning")
axes.grid(alpha=0.3)
figure.savefig("quickstart_loss.png", dpi=120)

# %%
# The result
# ----------
for name, value in search.best_params_.items():
    print(f"{name} = {value}")
print(f"cross-validated accuracy {search.best_score_:.3f}")
print(f"test accuracy {search.score(X_test, y_test):.3f}")
