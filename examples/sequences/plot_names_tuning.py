"""
A search over networks that read letter by letter
=================================================

Is a first name given to women or to men? A recurrent network reads it as letters, and a
grid search chooses the network, in a pipeline like any other.
"""

# %%
# Strings in
# ----------
# 1500 names of the US census, as names 0.3 has them, three in four of them women's.
# ``tokenizer=list`` cuts a string into its letters.
import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import RecurrentClassifier

FOLDER = Path("../data") if Path("../data").is_dir() else Path("examples/data")
with open(FOLDER / "first_names.csv", encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
rng = np.random.RandomState(0)
rows = [rows[i] for i in rng.permutation(len(rows))[:1500]]
names, genders = ([row[key] for row in rows] for key in ("name", "gender"))
train, test, y_train, y_test = train_test_split(
    names, genders, stratify=genders, random_state=0
)

# %%
# Architecture, dropout and length of training together
# ------------------------------------------------------
# Letters in lower case first: a step of the pipeline, which is searched as a whole.


def lower(names):
    """Names in lower case."""
    return [name.lower() for name in names]


pipeline = Pipeline(
    [
        ("lower", FunctionTransformer(lower)),
        ("net", RecurrentClassifier(tokenizer=list, max_iter=10, random_state=0)),
    ]
)
grid = {
    "net__cell": ["lstm", "gru", "rnn"],
    "net__hidden_layer_sizes": [16, 64],
    "net__dropout": [0.0, 0.5],
}
search = GridSearchCV(pipeline, grid, cv=3).fit(train, y_train)
share = max(y_test.count(gender) for gender in "FM") / len(y_test)
print(f"all women: {share:.3f}, chosen network: {search.score(test, y_test):.3f}")
print(search.best_params_)

# %%
# What the choice was between
# ---------------------------
# Bars are standard deviations over the three folds. Kinds of cells differ less than
# folds do: the data, not the network, is the limit.
results = search.cv_results_
labels = [
    f"{cell}, {size} units, dropout {dropout}"
    for cell, size, dropout in zip(
        results["param_net__cell"],
        results["param_net__hidden_layer_sizes"],
        results["param_net__dropout"],
        strict=True,
    )
]
order = np.argsort(results["mean_test_score"])
figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
ax.barh(
    np.arange(len(order)),
    results["mean_test_score"][order],
    xerr=results["std_test_score"][order],
    color="tab:blue",
    alpha=0.8,
)
ax.axvline(share, color="black", linestyle="--", label="all women")
ax.set_yticks(np.arange(len(order)), [labels[i] for i in order])
ax.set(xlim=(0.7, 0.9), xlabel="accuracy, three folds")
ax.legend(loc="lower right")
plt.show()

# %%
# Names that nobody has
# ---------------------
made_up = ["Zorina", "Brelda", "Tovik", "Quandor", "Ellith", "Marbo"]
for name, row in zip(made_up, search.predict_proba(made_up), strict=True):
    print(f"{name}: {search.classes_[row.argmax()]} with {row.max():.0%}")
