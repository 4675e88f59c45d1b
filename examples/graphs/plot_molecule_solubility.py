"""
How well molecules dissolve: a number and a class for each graph
================================================================

A molecule is a graph: atoms are its nodes, bonds its edges. Networks that read it as
one need no list of properties that a chemist has thought of. Here they say how much of
a substance dissolves in water.
"""

# %%
# Molecules as graphs
# -------------------
# 1025 and 257 substances (Huuskonen 2000), with the logarithm of mol a litre. An atom
# is told by its element, its charge and how many hydrogens it has; an edge is as heavy
# as the bond has electron pairs.
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import ConfusionMatrixDisplay

from sknn import Graph, GraphClassifier, GraphRegressor
from sknn.display import GraphDisplay

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with np.load(FOLDER / "solubility.npz") as file:
    symbols, elements = file["symbols"], file["elements"]
    atoms = np.column_stack(
        [np.eye(len(symbols))[elements], file["charges"], file["hydrogens"]]
    )
    ends = np.cumsum(file["n_bonds"])[:-1]
    starts = np.cumsum(file["n_atoms"])[:-1]
    parts = (
        np.split(atoms, starts),
        np.split(file["bonds"], ends),
        np.split(file["orders"], ends),
    )
    solubility, classes = file["solubility"], file["classes"]
    names, n_train = file["names"], int(file["n_train"])
molecules = [
    Graph(X, bonds, edge_weight=orders) for X, bonds, orders in zip(*parts, strict=True)
]
train, test = molecules[:n_train], molecules[n_train:]
y_train, y_test = solubility[:n_train], solubility[n_train:]
print(train[0], names[0])

# %%
# A number for each
# -----------------
# Two convolutions let each atom hear those that are two bonds away, that is its group
# and much of its ring. What they make of the atoms is added up, as large molecules
# dissolve worse than small ones, which means would not tell apart. Beside it a forest,
# which is told how many atoms of each kind there are, and not how they are connected.
regressor = GraphRegressor(pooling="sum", random_state=0).fit(train, y_train)
predicted = regressor.predict(test)
atom_counts = np.array([molecule.X.sum(axis=0) for molecule in molecules])
forest = RandomForestRegressor(random_state=0).fit(atom_counts[:n_train], y_train)
print(f"R2 of the graph network: {regressor.score(test, y_test):.2f}")
print(f"R2 of the forest: {forest.score(atom_counts[n_train:], y_test):.2f}")

# %%
# One of them
# -----------
# Caffeine is among the molecules that the network has not seen. Its hydrogens are not
# drawn, and double bonds are broad.
i = int(np.flatnonzero(names == "caffeine")[0])
kinds = [symbols[np.argmax(x[: len(symbols)])] for x in molecules[i].X]
colors = {"C": "lightgray", "N": "tab:blue", "O": "tab:red"}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
limits = [min(y_test.min(), predicted.min()) - 0.5, y_test.max() + 0.5]
left.plot(limits, limits, color="gray", linewidth=1)
left.scatter(y_test, predicted, s=16, alpha=0.6)
left.scatter(y_test[i - n_train], predicted[i - n_train], color="black", label=names[i])
left.set(xlabel="measured", ylabel="predicted", xlim=limits, ylim=limits)
left.set_aspect("equal")
left.set_title("logarithm of mol a litre, test molecules")
left.legend()
GraphDisplay(molecules[i], values=kinds).plot(
    layout="kamada_kawai", with_labels=kinds, colors=colors, legend=False, ax=right
)
right.set_title(
    f"{names[i]}: measured {solubility[i]:.2f}, predicted {predicted[i - n_train]:.2f}"
)
plt.show()

# %%
# A class for each
# ----------------
# A is -3 or below, C above -1, and B what is between. Nearly all errors are between
# neighbours, where a small difference decides.
classifier = GraphClassifier(pooling="sum", random_state=0)
classifier.fit(train, classes[:n_train])
print(f"accuracy: {classifier.score(test, classes[n_train:]):.2f}")
ConfusionMatrixDisplay.from_estimator(
    classifier, test, classes[n_train:], cmap="Blues", colorbar=False
)
plt.show()
