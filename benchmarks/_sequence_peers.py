"""How a network on sequences is trained by sknn, by skorch, and by a plain loop."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import (
    pack_padded_sequence,
    pad_packed_sequence,
    pad_sequence,
)
from torch.utils.data import DataLoader

from benchmarks._conv_peers import Trained
from benchmarks._peers import Peer, Train, get_skorch_epochs, get_skorch_loss
from benchmarks._sequence_shapes import SequenceShape
from sknn.modules._positions import SinusoidalPositions


def prepare_sknn(shape: SequenceShape, X: list, y: np.ndarray) -> Train:
    """Train sknn's estimator."""
    import sknn

    estimator = getattr(sknn, f"{shape.family}Classifier")
    return lambda: estimator(**shape.estimator_parameters).fit(X, y)


def describe_module(shape: SequenceShape, X: list, y: np.ndarray) -> tuple[type, dict]:
    """Module that sknn's estimator makes for the same data, and its arguments."""
    from sknn.modules import RecurrentNet, TransformerNet

    n_outputs = len(np.unique(y))
    arguments = {"n_channels": None, "n_outputs": n_outputs}
    if isinstance(X[0], str):
        arguments["n_tokens"] = len(set("".join(X))) + 1
    else:
        arguments["n_channels"] = X[0].shape[1]
    if shape.family == "Transformer":
        return TransformerNet, arguments
    if "n_tokens" in arguments:
        arguments["embedding_dim"] = min(round(1.6 * arguments["n_tokens"] ** 0.56), 64)
    return RecurrentNet, {**arguments, "bidirectional": True, "pooling": "max"}


def make_tensors(X: list) -> list[torch.Tensor]:
    """Series, or the numbers of letters, as tensors."""
    if not isinstance(X[0], str):
        return [torch.from_numpy(x) for x in X]
    number = {letter: k + 1 for k, letter in enumerate(sorted(set("".join(X))))}
    return [torch.tensor([number[letter] for letter in x]) for x in X]


class TorchRecurrent(nn.Module):
    """The same layers as torch's users have them: its own, on packed sequences."""

    def __init__(
        self, n_channels, n_outputs, n_tokens=None, embedding_dim=None, **same
    ):
        super().__init__()
        self.enter = nn.Identity()
        if n_tokens is not None:
            self.enter, n_channels = (
                nn.Embedding(n_tokens, embedding_dim),
                embedding_dim,
            )
        self.lstm = nn.LSTM(n_channels, 64, batch_first=True, bidirectional=True)
        self.output = nn.Linear(128, n_outputs)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(
            self.enter(x), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, padding_value=-torch.inf
        )
        return self.output(states.amax(1))


class TorchTransformer(nn.Module):
    """The same for a transformer: torch's own encoder, its padding masked."""

    def __init__(self, n_channels, n_outputs, n_tokens=None):
        super().__init__()
        if n_tokens is None:
            self.enter = nn.Linear(n_channels, 64)
        else:
            self.enter = nn.Embedding(n_tokens, 64)
        self.positions = SinusoidalPositions()
        layer = nn.TransformerEncoderLayer(
            64, 4, 256, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, 2, nn.LayerNorm(64), enable_nested_tensor=False
        )
        self.output = nn.Linear(64, n_outputs)

    def forward(self, x, lengths):
        padding = torch.arange(x.shape[1]) >= lengths[:, None]
        x = self.positions(self.enter(x))
        x = self.layers(x, src_key_padding_mask=padding)
        total = x.masked_fill(padding[..., None], 0).sum(1)
        return self.output(total / lengths[:, None])


def prepare_skorch(shape: SequenceShape, X: list, y: np.ndarray) -> Train:
    """Train the same module by skorch."""
    return prepare_skorch_net(shape, X, y, *describe_module(shape, X, y))


def prepare_skorch_torch(shape: SequenceShape, X: list, y: np.ndarray) -> Train:
    """Train torch's own layers, as many and as wide, by skorch."""
    _, arguments = describe_module(shape, X, y)
    module = TorchRecurrent if shape.family == "Recurrent" else TorchTransformer
    return prepare_skorch_net(shape, X, y, module, arguments)


def prepare_skorch_net(
    shape: SequenceShape, X: list, y: np.ndarray, module: type, arguments: dict
) -> Train:
    """Train a module by skorch, which takes arrays: padded to the longest."""
    import skorch

    tensors = make_tensors(X)
    rows = {
        "x": pad_sequence(tensors, batch_first=True).numpy(),
        "lengths": np.array([len(x) for x in tensors]),
    }
    parameters = {
        "module": module,
        **{f"module__{name}": value for name, value in arguments.items()},
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": shape.learning_rate,
        "max_epochs": shape.epochs,
        "batch_size": shape.batch_size,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    labels = y.astype(np.int64)
    return lambda: skorch.NeuralNetClassifier(**parameters).fit(rows, labels)


def collate(rows: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pad the sequences of one batch to its longest."""
    X, y = zip(*rows, strict=True)
    lengths = torch.tensor([len(x) for x in X])
    return pad_sequence(X, batch_first=True), lengths, torch.tensor(y)


def prepare_torch(shape: SequenceShape, X: list, y: np.ndarray) -> Train:
    """Train the same module by a plain loop that pads each batch."""
    module, arguments = describe_module(shape, X, y)
    rows = list(zip(make_tensors(X), y.tolist(), strict=True))
    return lambda: train_plainly(module(**arguments), rows, shape)


def train_plainly(module: nn.Module, rows: list, shape: SequenceShape) -> Trained:
    """Train a module."""
    losses, criterion = [], nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(module.parameters(), lr=shape.learning_rate)
    loader = DataLoader(
        rows, batch_size=shape.batch_size, shuffle=True, collate_fn=collate
    )
    for _ in range(shape.epochs):
        total = 0.0
        for x, lengths, y in loader:
            optimizer.zero_grad()
            loss = criterion(module(x, lengths), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        losses.append(total / len(rows))
    return Trained(module, losses)


SEQUENCE_PEERS = {
    "sknn": Peer(prepare_sknn, lambda e: e.loss_curve_[-1], lambda e: e.n_iter_),
    "torch": Peer(prepare_torch, lambda t: t.losses[-1], lambda t: len(t.losses)),
    "skorch": Peer(prepare_skorch, get_skorch_loss, get_skorch_epochs),
    "skorch, torch's layers": Peer(
        prepare_skorch_torch, get_skorch_loss, get_skorch_epochs
    ),
}
