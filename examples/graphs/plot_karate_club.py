"""
Which side will they take? Four labels in a karate club
=======================================================

A karate club quarrelled and split. Zachary (1977) had noted who met whom outside the
lessons, and which side each of the 34 members took in the end. Told of four members, a
graph network says of the other thirty where they will go.
"""

# %%
# The club as a graph
# -------------------
# networkx has the club. ``club`` is the attribute of its nodes that holds the side, and
# edges are weighted by how often two members met. Members have no features.
import warnings

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from sknn import Graph, NodeClassifier

friends = nx.karate_club_graph()
club = Graph.from_networkx(friends, target="club")
print(club)
sides, counts = np.unique(club.y, return_counts=True)
print(dict(zip(sides, counts, strict=True)))

# %%
# Four labels
# -----------
# The instructor, the president, and one follower of each. None says that a label is
# unknown. Each member is given a vector that is learned, as there are no features; two
# convolutions let everyone hear those that are one or two meetings away.
known = [0, 33, 5, 24]
y = np.full(club.n_nodes, None, dtype=object)
y[known] = club.y[known]
warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs for everyone
model = NodeClassifier(random_state=0).fit(club, y)
predicted = model.predict(club)
others = np.setdiff1d(np.arange(club.n_nodes), known)
right = predicted == club.y
print(f"{right[others].sum()} of the other {len(others)} are right")

# %%
# The club, and what the network makes of it
# ------------------------------------------
# ``transform`` has the hidden units of each member. Their first two principal
# components put the sides apart. Number 8 met with the president's followers more
# often, and is taken for one. He went with the instructor, who was to examine him for a
# black belt.
colors = np.where(predicted == sides[0], "tab:blue", "tab:orange")
hidden = PCA(2).fit_transform(model.transform(club))
places = nx.spring_layout(friends, weight=None, seed=4, iterations=200)
panels = [("who met whom", places), ("hidden units", dict(enumerate(hidden)))]
figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for ax, (title, where) in zip(axes, panels, strict=True):
    nx.draw_networkx_edges(friends, where, ax=ax, edge_color="lightgray")
    for nodes, shape, size in ((others, "o", 190), (known, "s", 260)):
        nx.draw_networkx_nodes(
            friends,
            where,
            nodelist=list(nodes),
            node_color=colors[nodes],
            edgecolors=np.where(right[nodes], "white", "black"),
            linewidths=np.where(right[nodes], 0.5, 2.5),
            node_shape=shape,
            node_size=size,
            ax=ax,
        )
    nx.draw_networkx_labels(friends, where, font_size=7, font_color="white", ax=ax)
    ax.set_title(title)
    ax.axis("off")
for side, color in zip(sides, ("tab:blue", "tab:orange"), strict=True):
    axes[0].scatter([], [], color=color, label=side)
axes[0].scatter([], [], marker="s", color="gray", label="told")
axes[0].scatter([], [], color="white", edgecolor="black", linewidth=2, label="wrong")
figure.legend(loc="outside lower center", ncols=4, frameon=False)
plt.show()

# %%
# Any four
# --------
# One choice of labels proves little. Here are eight draws of two members a side, for
# each convolution. ``node_features="structure"`` reads degrees and the like off the
# edges in place of learned vectors. These would serve any club, but they do not say who
# is whose friend, and both sides have members of many friends and of few.
rng = np.random.RandomState(0)
draws = [
    np.concatenate(
        [rng.choice(np.flatnonzero(club.y == side), 2, replace=False) for side in sides]
    )
    for _ in range(8)
]
candidates = {conv: {"conv": conv} for conv in ("gcn", "sage", "gat", "gin")}
candidates["gcn, structure"] = {"node_features": "structure"}
for name, parameters in candidates.items():
    scores = []
    for draw in draws:
        rest = np.setdiff1d(np.arange(club.n_nodes), draw)
        model = NodeClassifier(graph=club, random_state=0, **parameters)
        scores.append(model.fit(draw, club.y[draw]).score(rest, club.y[rest]))
    print(f"{name:15} {np.mean(scores):.2f} ({min(scores):.2f} to {max(scores):.2f})")
