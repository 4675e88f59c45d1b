"""How taggers and sequence-to-sequence networks are trained by sknn and by skorch."""

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks._peers import Peer, Train, get_skorch_epochs, get_skorch_loss
from sknn.data import decoder_inputs
from sknn.modules._spelling import SpelledEmbedding


@dataclass(frozen=True)
class StepShape:
    """Sequences with a target at each step, and the network that is trained on them.

    Parameters
    ----------
    name : str
    load : callable
        Returns sequences, targets, and the same for test.
    estimator : str
        Class of sknn; layers are its defaults.
    epochs : int
    batch_size : int
    n_rows : int
        Sequences to train on, the first ones.
    """

    name: str
    load: object
    estimator: str
    epochs: int
    batch_size: int
    n_rows: int
    parameters: dict = field(default_factory=dict)

    def make_estimator(self, **parameters):
        """Make sknn's estimator: nothing stops it before its last epoch."""
        import sknn

        common = {
            "batch_size": self.batch_size,
            "learning_rate": "constant",
            "learning_rate_init": 1e-3,
            "warmup_epochs": 0,
            "gradient_clip": None,
            "dropout": 0.0,
            "max_iter": self.epochs,
            "tol": 0.0,
            "n_iter_no_change": self.epochs + 1,
            "random_state": 0,
        }
        return getattr(sknn, self.estimator)(**{**common, **parameters})


class SpelledOnce(nn.Module):
    """A module beside the spellings of all words, of which it is given a batch's."""

    def __init__(self, module, letters):
        super().__init__()
        self.module = module
        self.register_buffer("letters", letters)

    def forward(self, x, lengths):
        rows, own = torch.unique(x[..., 1], return_inverse=True)
        return self.module(
            torch.stack([x[..., 0], own], -1), lengths, self.letters[rows]
        )


class TorchTagger(nn.Module):
    """The layers of a recurrent tagger as torch's users have them: packed sequences."""

    def __init__(self, n_tokens, dim, n_letters, letter_dim, n_outputs):
        super().__init__()
        self.enter = SpelledEmbedding(n_tokens, dim, n_letters, letter_dim)
        self.lstm = nn.LSTM(
            self.enter.n_features, 64, batch_first=True, bidirectional=True
        )
        self.output = nn.Linear(128, n_outputs)

    def forward(self, x, lengths, letters):
        packed = pack_padded_sequence(
            self.enter(x, letters), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        is_step = torch.arange(states.shape[1]) < lengths[:, None]
        return self.output(states[is_step])


def prepare_sknn(shape: StepShape, X: list, y: list) -> Train:
    """Train sknn's estimator."""
    return lambda: shape.make_estimator().fit(X, y)


def encode(shape: StepShape, X: list, y: list):
    """Padded inputs and targets, -1 behind those, the module and letters of sknn."""
    model = shape.make_estimator(max_iter=1).fit(X, y)
    X, y = model._check_X(X, np.float32, reset=False, y=y)
    y = model._targets.encode(y, np.float32)
    inputs, n_steps = X.padded()
    rows = {"x": inputs, "lengths": X.lengths if n_steps is None else n_steps}
    targets, _ = y.padded()
    targets[np.arange(targets.shape[1]) >= y.lengths[:, None]] = -1
    if shape.estimator == "Seq2SeqTransformer":
        rows |= decoder_inputs(y, slice(None), model._targets.begin)
        rows.setdefault("y_lengths", y.lengths)
    letters = None if X.letters is None else torch.from_numpy(X.letters)
    return rows, targets, model.module_, letters


def prepare_skorch(shape: StepShape, X: list, y: list) -> Train:
    """Train the same module by skorch, which takes arrays: padded to the longest."""
    rows, targets, module, letters = encode(shape, X, y)

    def make():
        own = copy.deepcopy(module).train()
        return own if letters is None else SpelledOnce(own, letters)

    return prepare_net(shape, rows, targets, make)


def prepare_skorch_torch(shape: StepShape, X: list, y: list) -> Train:
    """Train torch's own recurrent layers, as many and as wide, by skorch."""
    rows, targets, module, spelled = encode(shape, X, y)
    words, letters = module.embedding.words, module.embedding.spelling.embedding
    sizes = (*words.weight.shape, *letters.weight.shape, module.output.out_features)

    def make():
        return SpelledOnce(TorchTagger(*sizes), spelled)

    return prepare_net(shape, rows, targets, make)


def prepare_net(shape: StepShape, rows: dict, targets: np.ndarray, make) -> Train:
    """Train a module whose outputs are those of the real steps."""
    import skorch

    class StepNet(skorch.NeuralNet):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            return super().get_loss(y_pred, y_true[y_true >= 0], *args, **kwargs)

    parameters = {
        "module": make,
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 1e-3,
        "max_epochs": shape.epochs,
        "batch_size": shape.batch_size,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    return lambda: StepNet(**parameters).fit(rows, targets)


STEP_PEERS = {
    "sknn": Peer(prepare_sknn, lambda e: e.loss_curve_[-1], lambda e: e.n_iter_),
    "skorch": Peer(prepare_skorch, get_skorch_loss, get_skorch_epochs),
}
TORCH_LAYERS = Peer(prepare_skorch_torch, get_skorch_loss, get_skorch_epochs)
