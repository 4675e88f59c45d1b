"""How an autoencoder is trained by sknn, by skorch, and by a plain loop."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks._peers import Peer, Train, get_skorch_epochs


@dataclass(frozen=True)
class CodeShape:
    """Rows within [0, 1], and the autoencoder that is trained on them.

    Parameters
    ----------
    name : str
    load : callable
        Returns the rows.
    estimator : str
        Class of sknn.
    n_components : int
    hidden_layer_sizes : tuple of int
    batch_size : int
    epochs : int
    """

    name: str
    load: Callable[[], np.ndarray]
    estimator: str
    n_components: int
    hidden_layer_sizes: tuple
    batch_size: int
    epochs: int

    def make_estimator(self):
        """Make sknn's estimator: nothing stops it before its last epoch."""
        import sknn

        return getattr(sknn, self.estimator)(
            self.n_components,
            self.hidden_layer_sizes,
            batch_size=self.batch_size,
            max_iter=self.epochs,
            learning_rate_init=1e-3,
            tol=0.0,
            n_iter_no_change=self.epochs + 1,
            random_state=0,
        )

    def make_module(self, n_features: int) -> nn.Module:
        """Make the module that the estimator makes."""
        from sknn.modules import AutoencoderNet, VariationalNet

        of_autoencoder = self.estimator == "Autoencoder"
        make = AutoencoderNet if of_autoencoder else VariationalNet
        return make(n_features, self.n_components, self.hidden_layer_sizes)


def reconstruction_loss(module: nn.Module, raw: torch.Tensor, x: torch.Tensor):
    """Cross-entropy of a batch, with the divergence of the codes where there is one."""
    loss = functional.binary_cross_entropy_with_logits(raw, x, reduction="sum")
    if module.row_penalty is not None:
        loss = loss + module.row_penalty.sum()
    return loss / len(x)


def prepare_sknn(shape: CodeShape, X: np.ndarray) -> Train:
    """Train sknn's estimator."""
    return lambda: shape.make_estimator().fit(X)


def prepare_skorch(shape: CodeShape, X: np.ndarray) -> Train:
    """Train the same module by skorch with its DataLoader and default callbacks."""
    import skorch

    class CodeNet(skorch.NeuralNet):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            return reconstruction_loss(self.module_, y_pred, y_true)

    parameters = {
        "module": lambda: shape.make_module(X.shape[1]),
        "criterion": nn.BCEWithLogitsLoss,
        "optimizer": torch.optim.Adam,
        "lr": 1e-3,
        "max_epochs": shape.epochs,
        "batch_size": shape.batch_size,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    return lambda: CodeNet(**parameters).fit(X, X)


def prepare_torch(shape: CodeShape, X: np.ndarray) -> Train:
    """Train the same module by the loop that torch's tutorials have."""
    rows = TensorDataset(torch.from_numpy(X))
    return lambda: train_plainly(shape, rows, X.shape[1])


def train_plainly(shape: CodeShape, rows: TensorDataset, n_features: int) -> list:
    """Build a module, train it, and return the mean loss of each epoch."""
    module, losses = shape.make_module(n_features).train(), []
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    loader = DataLoader(rows, batch_size=shape.batch_size, shuffle=True)
    for _ in range(shape.epochs):
        total = 0.0
        for (x,) in loader:
            optimizer.zero_grad()
            loss = reconstruction_loss(module, module(x), x)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        losses.append(total / len(rows))
    return losses


CODE_PEERS = {
    "sknn": Peer(prepare_sknn, lambda e: e.loss_curve_[-1], lambda e: e.n_iter_),
    "torch": Peer(prepare_torch, lambda losses: losses[-1], len),
    "skorch": Peer(
        prepare_skorch, lambda n: n.history[-1, "train_loss"], get_skorch_epochs
    ),
}
