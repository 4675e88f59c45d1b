"""
Twenty labelled digits, and 1777 that nobody has labelled
=========================================================

Labels are dear, rows are not. A graph of each row's nearest neighbours brings in the
rows without a label: a network on its nodes trains on twenty labels, and all rows are
heard.
"""

# %%
# Twenty labels
# -------------
# Two of each digit. Each row is connected with its ten nearest ones, as scikit-learn
# finds them; an edge goes both ways if either of two rows is near the other.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import (
    GridSearchCV,
    RepeatedStratifiedKFold,
    train_test_split,
)
from sklearn.neighbors import kneighbors_graph
from sklearn.semi_supervised import LabelSpreading

from sknn import Graph, MLPClassifier, NodeClassifier

X, y = load_digits(return_X_y=True)
X = X / 16
graphs = {}
for k in (5, 10, 20):
    near = kneighbors_graph(X, k)
    graphs[k] = Graph(X, near.maximum(near.T))
rows = np.arange(len(X))
known, unknown = train_test_split(rows, train_size=20, stratify=y, random_state=0)
print(graphs[10], f"{len(known)} of them with a label")

# %%
# What a digit hears
# ------------------
# A labelled row of each digit, in blue, and the eight rows next to it. Most are the
# same digit, and hardly any has a label.
_, panels = plt.subplots(10, 9, figsize=(5.4, 6), layout="constrained")
nearest_rows = kneighbors_graph(X, 8, mode="distance")
for panel, i in zip(panels, known[np.argsort(y[known])][::2], strict=True):
    row = nearest_rows[[i]]
    nearest = row.indices[np.argsort(row.data)]
    for axes, j in zip(panel, (i, *nearest), strict=True):
        axes.imshow(X[j].reshape(8, 8), cmap="Blues" if j == i else "gray_r")
        axes.set(xticks=[], yticks=[])
plt.show()

# %%
# A search over the labelled rows
# -------------------------------
# The numbers of rows are what scikit-learn splits: X of the search is ``known``, and
# the graph is a parameter, among which it chooses as among others. Folds differ in the
# labels that are seen, and nothing but these. Ten labels are too few to be sure, hence
# three ways to halve the twenty.
node = NodeClassifier(hidden_layer_sizes=(64, 64), standardize=False, random_state=0)
grid = {"graph": list(graphs.values()), "conv": ["gcn", "sage"]}
cv = RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0)
search = GridSearchCV(node, grid, cv=cv)
search.fit(known, y[known])
print(search.best_params_)
print(
    f"in the folds, of ten labels {search.best_score_:.3f}; "
    f"unlabelled rows, of twenty {search.score(unknown, y[unknown]):.3f}"
)

# %%
# Beside others
# -------------
# A perceptron knows the labelled rows alone. Label spreading knows the neighbours, and
# looks at the pixels for nothing else. Points are means of three draws.
n_labels = [10, 20, 50]
curves = {"NodeClassifier": [], "LabelSpreading": [], "MLPClassifier": []}
for n in n_labels:
    scores = {name: [] for name in curves}
    for seed in range(3):
        some, rest = train_test_split(rows, train_size=n, stratify=y, random_state=seed)
        node = search.best_estimator_.fit(some, y[some])
        scores["NodeClassifier"].append(node.score(rest, y[rest]))
        masked = np.full(len(y), -1)
        masked[some] = y[some]
        spreading = LabelSpreading(kernel="knn", n_neighbors=10).fit(X, masked)
        scores["LabelSpreading"].append(
            np.mean(spreading.transduction_[rest] == y[rest])
        )
        mlp = MLPClassifier(max_iter=500, random_state=0).fit(X[some], y[some])
        scores["MLPClassifier"].append(mlp.score(X[rest], y[rest]))
    for name, curve in curves.items():
        curve.append(np.mean(scores[name]))
_, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, curve in curves.items():
    ax.plot(n_labels, curve, marker="o", label=name)
    print(f"{name:15}", np.round(curve, 3))
ax.set(xscale="log", xlabel="labelled rows", ylabel="accuracy on all others")
ax.set_xticks(n_labels, n_labels)
ax.minorticks_off()
ax.grid(alpha=0.3)
ax.legend()
plt.show()

# %%
# Most of what there is to gain is in the neighbours: the two that know them make of
# twenty labels what the perceptron makes of fifty. Which of them is better depends on
# the draw as long as there are few labels; with more, what the network learns from the
# pixels pays. Try label spreading first, as it has hardly anything to tune, but not
# with five neighbours, of which its graph falls apart here.
