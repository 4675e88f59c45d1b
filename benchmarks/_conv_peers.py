"""How a convolutional network is trained by sknn, by skorch, and by a plain loop."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks._peers import Peer, Train, get_skorch_epochs, get_skorch_loss
from benchmarks._shapes import Shape


def describe_module(shape: Shape, X: np.ndarray, y: np.ndarray) -> dict:
    """Arguments of the module that ConvClassifier makes for the same data."""
    images = X.reshape(*X.shape, 1) if shape.adds_channel else X
    return {
        "input_shape": images.shape[1:],
        "layer_sizes": [*shape.hidden_layer_sizes, len(np.unique(y))],
        "batch_norm": shape.parameters["batch_norm"],
    }


def prepare_sknn(shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train sknn's estimator."""
    import sknn

    return lambda: sknn.ConvClassifier(**shape.estimator_parameters).fit(X, y)


def prepare_skorch(shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train the same module by skorch with its DataLoader and default callbacks."""
    import skorch

    from sknn.modules import ConvNet

    module = describe_module(shape, X, y)
    parameters = {
        "module": ConvNet,
        **{f"module__{name}": value for name, value in module.items()},
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 1e-3,
        "max_epochs": shape.epochs,
        "batch_size": shape.batch_size,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    X, y = X.reshape(len(X), *module["input_shape"]), y.astype(np.int64)
    return lambda: skorch.NeuralNetClassifier(**parameters).fit(X, y)


@dataclass
class Trained:
    """What the plain loop leaves: a module and the mean loss of each epoch."""

    module: nn.Module
    losses: list[float]


def prepare_torch(shape: Shape, X: np.ndarray, y: np.ndarray) -> Train:
    """Train the same module by the loop that torch's tutorials have."""
    arguments = describe_module(shape, X, y)
    X = torch.from_numpy(X.reshape(len(X), *arguments["input_shape"]))
    rows = TensorDataset(X, torch.from_numpy(y.astype(np.int64)))
    return lambda: train_plainly(arguments, rows, shape.batch_size, shape.epochs)


def train_plainly(
    arguments: dict, rows: TensorDataset, batch_size: int, epochs: int
) -> Trained:
    """Build a module and train it."""
    from sknn.modules import ConvNet

    module, losses = ConvNet(**arguments), []
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    loader = DataLoader(rows, batch_size=batch_size, shuffle=True)
    for _ in range(epochs):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(module(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        losses.append(total / len(rows))
    return Trained(module, losses)


CONV_PEERS = {
    "sknn": Peer(prepare_sknn, lambda e: e.loss_curve_[-1], lambda e: e.n_iter_),
    "torch": Peer(prepare_torch, lambda t: t.losses[-1], lambda t: len(t.losses)),
    "skorch": Peer(prepare_skorch, get_skorch_loss, get_skorch_epochs),
}
