"""
Three decision boundaries
=========================

A perceptron cuts the plane by one straight line. A kernel machine and a network with a
hidden layer both bend the line, and by the same trick: they map the inputs to features
in which a straight cut is enough. The kernel's features are fixed beforehand; those of
the network are learned, and can be looked at.
"""

# %%
# One species between two
# -----------------------
# Of the irises, *versicolor* lies between the other two species: with two of the
# measurements no line can separate it from the rest. Half of the flowers train, half
# are for the result.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import Perceptron
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sknn import MLPClassifier

iris = load_iris()
X = iris.data[:, [0, 3]]  # sepal length, petal width
y = iris.target == 1
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
scaler = StandardScaler().fit(X_train)
network = MLPClassifier(
    (3,), "tanh", solver="lbfgs", alpha=0.1, max_iter=1000, random_state=0
)
models = {
    "Perceptron": Perceptron(random_state=0),
    "SVC, rbf kernel": SVC(kernel="rbf"),
    "MLPClassifier, 3 hidden units": network,
}

# %%
# The dots are the flowers that were not trained on. No line suits the perceptron, so
# its rule cannot come to rest. Where it was stopped it is worse than a constant answer,
# "other species", which is right for 67% of the flowers. The other two models enclose
# the middle species: the kernel by an island around the flowers that it has seen, the
# network by a band.
figure, panels = plt.subplots(
    ncols=3, figsize=(11, 3.9), layout="constrained", sharex=True, sharey=True
)
for axes, (name, model) in zip(panels, models.items(), strict=True):
    pipeline = make_pipeline(scaler, model).fit(X_train, y_train)
    DecisionBoundaryDisplay.from_estimator(
        pipeline,
        X,
        response_method="predict",
        cmap="coolwarm",
        alpha=0.35,
        grid_resolution=300,
        ax=axes,
    )
    axes.scatter(*X_test[~y_test].T, s=18, c="tab:blue", label="other species")
    axes.scatter(*X_test[y_test].T, s=18, c="tab:red", label="versicolor")
    accuracy = pipeline.score(X_test, y_test)
    axes.set(title=f"{name}: {accuracy:.0%}", xlabel=iris.feature_names[0])
    print(f"{name}: test accuracy {accuracy:.2f}")
panels[0].set_ylabel(iris.feature_names[3])
panels[0].legend(loc="lower right")
plt.show()

# %%
# What the hidden layer learned
# -----------------------------
# A hidden unit :math:`h_i = \tanh(W_{:,i}^\top x + b_i)` is a soft perceptron: it has a
# straight line :math:`h_i = 0`, drawn dotted, and says how far on which side of it a
# flower lies. ``transform`` gives these features for any point of the plane. The
# boundary, drawn solid, is where the output :math:`z`, their weighted sum, is zero; the
# titles say how large each weight is in ``coefs_[-1]``. Each of the first two units is
# one edge of the band. The third was not needed, and the penalty ``alpha`` has taken
# its weight away.
x1, x2 = np.meshgrid(np.linspace(4, 8.2, 200), np.linspace(-0.2, 2.8, 200))
plane = scaler.transform(np.column_stack([x1.ravel(), x2.ravel()]))
features = network.transform(plane).reshape(*x1.shape, -1)
probability = network.predict_proba(plane)[:, 1].reshape(x1.shape)

figure, panels = plt.subplots(
    ncols=3, figsize=(11, 3.9), layout="constrained", sharex=True, sharey=True
)
for i, axes in enumerate(panels):
    shades = axes.pcolormesh(x1, x2, features[..., i], cmap="PuOr", vmin=-1, vmax=1)
    axes.contour(x1, x2, features[..., i], levels=[0], linestyles=":", colors="black")
    axes.contour(x1, x2, probability, levels=[0.5], colors="black")
    weight = abs(network.coefs_[-1][i, 0])
    axes.set(title=f"$h_{i + 1}$, size of its weight {weight:.1f}")
    axes.set_xlabel(iris.feature_names[0])
panels[0].set_ylabel(iris.feature_names[3])
figure.colorbar(shades, ax=panels, label="activation")
plt.show()
