"""How each competitor is built and trained, one entry each."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from sklearn import neural_network as sklearn_networks
from torch import nn

from benchmarks._shapes import Shape

Train = Callable[[], object]
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid}


@dataclass(frozen=True)
class Peer:
    """A competitor.

    Parameters
    ----------
    prepare : callable
        Of a shape, X and y makes the timed call: build an estimator, fit, return it.
        What a user of that library must convert beforehand is converted here.
    final_loss : callable
        Mean training loss of the last epoch of a fitted estimator.
    n_epochs : callable
        Epochs that a fitted estimator has done.
    """

    prepare: Callable[[Shape, np.ndarray, np.ndarray], Train]
    final_loss: Callable[[object], float]
    n_epochs: Callable[[object], int]


def prepare_sklearn(shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train scikit-learn's own multi-layer perceptron."""
    return prepare_perceptron(sklearn_networks, shape, X, y)


def prepare_sknn(shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train sknn's multi-layer perceptron."""
    import sknn

    return prepare_perceptron(sknn, shape, X, y)


def prepare_perceptron(library, shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train the MLPClassifier or MLPRegressor of a library."""
    estimator = library.MLPRegressor if shape.regression else library.MLPClassifier
    return lambda: estimator(**shape.estimator_parameters).fit(X, y)


class Perceptron(nn.Sequential):
    """The module that a user of skorch would write."""

    def __init__(self, sizes: tuple[int, ...], activation: type[nn.Module]):
        layers = []
        for fan_in, fan_out in pairwise(sizes[:-1]):
            layers += [nn.Linear(fan_in, fan_out), activation()]
        super().__init__(*layers, nn.Linear(*sizes[-2:]))


def prepare_skorch(shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train skorch's net with its DataLoader and its default callbacks."""
    import skorch

    if shape.regression:
        net, criterion, n_outputs = skorch.NeuralNetRegressor, nn.MSELoss, 1
        y = y.reshape(-1, 1)
    else:
        net, criterion = skorch.NeuralNetClassifier, nn.CrossEntropyLoss
        n_outputs, y = len(np.unique(y)), y.astype(np.int64)
    parameters = {
        "module": Perceptron,
        "module__sizes": (X.shape[1], *shape.hidden_layer_sizes, n_outputs),
        "module__activation": ACTIVATIONS[shape.parameters.get("activation", "relu")],
        "criterion": criterion,
        "max_epochs": shape.epochs,
        "batch_size": shape.batch_size,
        "iterator_train__shuffle": True,
        "train_split": make_skorch_split(shape),
        "verbose": 0,
        **make_skorch_optimizer(shape),
    }
    return lambda: net(**parameters).fit(X, y)


def make_skorch_split(shape: Shape):
    """Split off a tenth for validation where the shape stops early."""
    from skorch.dataset import ValidSplit

    if not shape.parameters.get("early_stopping", False):
        return None
    return ValidSplit(0.1, stratified=not shape.regression)


def make_skorch_optimizer(shape: Shape) -> dict:
    """Torch's optimizer with scikit-learn's defaults, without a penalty."""
    if shape.parameters.get("solver", "adam") == "adam":
        return {"optimizer": torch.optim.Adam, "lr": 1e-3}
    return {
        "optimizer": torch.optim.SGD,
        "lr": 1e-3,
        "optimizer__momentum": 0.9,
        "optimizer__nesterov": True,
    }


def get_sklearn_loss(estimator) -> float:
    """Loss of the last epoch, penalty included."""
    return estimator.loss_curve_[-1]


def get_skorch_loss(net) -> float:
    """Loss of the last epoch, in scikit-learn's halves of the squared error."""
    loss = net.history[-1, "train_loss"]
    return loss / 2 if isinstance(net.criterion_, nn.MSELoss) else loss


def get_sklearn_epochs(estimator) -> int:
    """Epochs done."""
    return estimator.n_iter_


def get_skorch_epochs(net) -> int:
    """Epochs done."""
    return len(net.history)


PEERS = {
    "sknn": Peer(prepare_sknn, get_sklearn_loss, get_sklearn_epochs),
    "scikit-learn": Peer(prepare_sklearn, get_sklearn_loss, get_sklearn_epochs),
    "skorch": Peer(prepare_skorch, get_skorch_loss, get_skorch_epochs),
}
