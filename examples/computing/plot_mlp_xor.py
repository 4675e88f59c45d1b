"""
XOR, and the hidden layer that solves it
========================================

The exclusive or of two bits is the smallest thing that a perceptron cannot learn, and
two hidden units are all it takes to mend that. Goodfellow, Bengio and Courville tell
the story in section 6.1; here it is run, with their weights and with learned ones.
"""

# %%
# The perceptron and its limit
# ----------------------------
# A perceptron answers by the side of a line. The corners of the square that XOR calls 1
# lie on one diagonal, the others on the other diagonal, and a line puts at most three
# of the four where they belong. Without a hidden layer the network has the same limit:
# its best answer to squared error is 0.5 everywhere.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Perceptron

from sknn import MLPRegressor

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([0, 1, 1, 0])

accuracies = [Perceptron(random_state=seed).fit(X, y).score(X, y) for seed in range(50)]
print(f"the best of 50 perceptrons has {max(accuracies) * 4:.0f} of 4 right")

linear = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
print("without a hidden layer:", linear.fit(X, y).predict(X).round(2))

# %%
# The weights of the book
# -----------------------
# ``coefs_`` and ``intercepts_`` are views of the network's parameters, so a solution
# can be written into them:
#
# .. math::
#
#     W^{(1)} = \begin{pmatrix} 1 & 1 \\ 1 & 1 \end{pmatrix}, \quad
#     b^{(1)} = \begin{pmatrix} 0 \\ -1 \end{pmatrix}, \quad
#     W^{(2)} = \begin{pmatrix} 1 \\ -2 \end{pmatrix}, \quad b^{(2)} = 0 .
#
# Both units see the sum of the two bits. The first counts it, the second speaks up only
# when it is 2, and then twice its value is taken off.
book = MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", random_state=0).fit(X, y)
book.coefs_[0][...] = [[1, 1], [1, 1]]
book.intercepts_[0][...] = [0, -1]
book.coefs_[1][...] = [[1], [-2]]
book.intercepts_[1][...] = 0
print("with the book's weights:", book.predict(X))

# %%
# In the hidden space the two corners of class 1 have become one point, and the three
# points that are left can be cut by a line. The hidden layer has not drawn a bent line:
# it has bent the plane. (The line drawn is :math:`h_1 - 2 h_2 = 0.5`.)
figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 4.2), layout="constrained")
x1, x2 = np.meshgrid(np.linspace(-0.4, 1.4, 200), np.linspace(-0.4, 1.4, 200))
response = book.predict(np.column_stack([x1.ravel(), x2.ravel()])).reshape(x1.shape)
hidden = book.transform(X)

left.contourf(x1, x2, response > 0.5, levels=1, cmap="coolwarm", alpha=0.35)
left.scatter(*X.T, c=y, cmap="coolwarm", s=120, edgecolors="black", zorder=3)
left.set(xlabel="$x_1$", ylabel="$x_2$", title="input space", aspect="equal")

h1, h2 = np.meshgrid(np.linspace(-0.5, 2.5, 200), np.linspace(-0.5, 1.5, 200))
right.contourf(h1, h2, h1 - 2 * h2 > 0.5, levels=1, cmap="coolwarm", alpha=0.35)
right.scatter(*hidden.T, c=y, cmap="coolwarm", s=120, edgecolors="black", zorder=3)
names = {(0, 0): "(0, 0)", (1, 0): "(0, 1) and (1, 0)", (2, 1): "(1, 1)"}
for point, name in names.items():
    right.annotate(name, point, (0, -20), textcoords="offset points", ha="center")
right.set(xlabel="$h_1$", ylabel="$h_2$", title="hidden space", aspect="equal")
plt.show()

# %%
# Can it be learned?
# ------------------
# That weights exist does not say that training finds them. Each start below is another
# seed. Two rectified units often begin, or end, with a gradient of zero, at a point
# from which no step leads downhill; more units than needed leave more ways down. Smooth
# ones get lost less often.
for activation in ("relu", "tanh"):
    for n_units in (2, 4, 8):
        solved = 0
        for seed in range(50):
            learned = MLPRegressor(
                hidden_layer_sizes=(n_units,),
                activation=activation,
                solver="lbfgs",
                alpha=0,
                max_iter=1000,
                random_state=seed,
            ).fit(X, y)
            solved += np.abs(learned.predict(X) - y).max() < 0.1
        print(f"{activation}, {n_units} units: {solved} of 50 starts learn XOR")
