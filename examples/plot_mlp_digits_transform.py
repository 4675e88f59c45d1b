"""
What a hidden layer has made of the digits
==========================================

A classifier's last hidden layer is a learned representation in which the classes can be
told apart by a linear model. ``transform`` returns it, so a fitted or unfitted network
is a step of a pipeline like any other transformer: here, before a projection to the
plane.
"""

# %%
# Two projections
# ---------------
# The first sees scaled pixels, the second the 32 hidden units of a network that was
# trained to tell the digits apart. Both are fitted to half of the digits.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y, test_size=0.5, stratify=y, random_state=0
)

network = MLPClassifier(
    hidden_layer_sizes=(64, 32),
    activation="tanh",
    alpha=0.1,
    learning_rate_init=3e-3,
    random_state=0,
)
projections = {
    "pixels": make_pipeline(StandardScaler(), PCA(n_components=2)),
    "hidden units": make_pipeline(StandardScaler(), network, PCA(n_components=2)),
}

# %%
# The other half
# --------------
# How much of the classes two numbers keep is measured by nearest neighbours, on digits
# that neither projection has seen.
figure, panels = plt.subplots(ncols=2, figsize=(9, 4.4), layout="constrained")
for axes, (name, projection) in zip(panels, projections.items(), strict=True):
    plane_train = projection.fit_transform(X_train, y_train)
    plane = projection.transform(X_test)
    neighbours = KNeighborsClassifier(15).fit(plane_train, y_train)
    accuracy = neighbours.score(plane, y_test)
    points = axes.scatter(*plane.T, c=y_test, cmap="tab10", vmin=-0.5, vmax=9.5, s=8)
    axes.set(xticks=[], yticks=[], title=f"{name}: nearest neighbours {accuracy:.0%}")
figure.colorbar(points, ax=panels, ticks=range(10), label="digit")
plt.show()

# %%
# The columns have names, so ``set_output`` works too.
fitted = projections["hidden units"][:2]
fitted["mlpclassifier"].set_output(transform="pandas")
print(fitted.transform(X_test).iloc[:3, :4])
