"""What the two transformers share."""

from numbers import Integral, Real

from torch import nn

from sknn._sequence_base import PARAMETERS as SEQUENCE_PARAMETERS
from sknn._sequence_base import BaseSequenceNetwork
from sknn._sklearn_compat import Interval, StrOptions
from sknn.data import iter_chunks
from sknn.modules import TransformerNet
from sknn.training._activations import ACTIVATIONS
from sknn.training._sequence_initialization import initialize_sequence_net

# multiply-adds of a batch's largest product from which torch's second thread pays
WORTH_THREADS = 6_000_000

PARAMETERS = {
    **SEQUENCE_PARAMETERS,
    "d_model": ("int", "Entries of the vector that stands for each step."),
    "n_heads": ("int", "Attention heads, which divide `d_model` among them."),
    "n_layers": ("int", "Encoder layers."),
    "dim_feedforward": (
        "int or None",
        "Hidden units of each layer's feed-forward part; None is ``4 * d_model``.",
    ),
    "positional_encoding": (
        '{"sinusoidal", "learned", "rotary"} or None',
        "How a step's position is told: sines and cosines that are added (Vaswani et "
        "al. 2017), learned vectors that are added, rotations of queries and keys by "
        "their distance (Su et al. 2021), or not at all.",
    ),
    "pooling": (
        '{"mean", "cls", "max"}',
        "What becomes of the last layer's outputs at all steps: their mean, the output "
        "at a learned step put in front, or their maximum.",
    ),
    "norm_first": (
        "bool",
        "Whether layers are normalised before attention and feed-forward part (Xiong "
        "et al. 2020) rather than after adding to the residual.",
    ),
    "dropout": (
        "float",
        "Probability that an entry of the embedded steps, of attention's output or of "
        "the feed-forward part's is left out of a training step, in [0, 1).",
    ),
}


class BaseTransformer(BaseSequenceNetwork):
    """Transformer encoder whose outputs are pooled over the steps."""

    _parameter_constraints: dict = {
        **BaseSequenceNetwork._parameter_constraints,
        "d_model": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dim_feedforward": [Interval(Integral, 1, None, closed="left"), None],
        "positional_encoding": [StrOptions({"sinusoidal", "learned", "rotary"}), None],
        "pooling": [StrOptions({"mean", "cls", "max"})],
        "norm_first": ["boolean"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    _architecture = (
        "d_model",
        "n_heads",
        "n_layers",
        "dim_feedforward",
        "positional_encoding",
        "pooling",
        "norm_first",
        "activation",
        "standardize",
    )

    def _check_parameters(self):
        if self.d_model % self.n_heads:
            raise ValueError(
                f"d_model={self.d_model} must be divisible by n_heads={self.n_heads}."
            )
        if self.positional_encoding == "rotary" and self.d_model // self.n_heads % 2:
            raise ValueError(
                f"d_model={self.d_model} over n_heads={self.n_heads} must be even with "
                "positional_encoding='rotary', which turns pairs of entries."
            )
        self._check_transfer(self.n_layers)
        super()._check_parameters()

    @property
    def _dropout_rates(self):
        """Rate of each of the module's dropout layers, the same everywhere."""
        return [float(self._dropout)] * (2 * self.n_layers + 1)

    def _make_module(self, X, n_outputs, device):
        return TransformerNet(
            X.n_channels,
            n_outputs,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            dim_feedforward=self.dim_feedforward,
            positional_encoding=self.positional_encoding,
            pooling=self.pooling,
            activation=self.activation,
            norm_first=self.norm_first,
            dropout=float(self._dropout),
            max_length=self._n_positions(X),
            n_tokens=self._n_tokens,
            **self._letters,
            device=device,
        )

    def _n_positions(self, X):
        """Positions that may have learned vectors."""
        positions = self._source and self._source.module_.positions
        if hasattr(positions, "position_vectors"):
            return len(positions.position_vectors)
        return int(X.lengths.max())

    def _update_module(self):
        self.module_.set_dropout(float(self._dropout))

    def _initialize(self, module, random_state):
        self._reset_buffers(module)
        initialize_sequence_net(module, random_state, self.weight_init)

    def _largest_product(self, X, n_rows):
        """Size of the work: its largest matrix product takes all steps at once."""
        linear = [m for m in self.module_.modules() if isinstance(m, nn.Linear)]
        largest = max(layer.weight.numel() for layer in linear)
        product = int(n_rows * X.lengths.mean() * largest)
        return self._if_worth_threads(product, WORTH_THREADS)

    def attention_weights(self, X):
        """How much each step attends to each other one.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        list of ndarray of shape (n_layers, n_heads, n_steps, n_steps)
            One array a sequence; rows are the steps that attend and sum to one. With
            ``pooling="cls"`` the first step is the one put in front.
        """
        X = self._checked_inputs(X)
        n_steps = X.lengths + (self.module_.pooling == "cls")
        weights = [None] * len(X)
        with self._predicting(X):
            for rows, x in iter_chunks(X):
                chunk = self._evaluate(self.module_.attention_weights, x)
                for row, of_row in zip(rows, chunk, strict=True):
                    own = of_row[..., : n_steps[row], : n_steps[row]]
                    weights[row] = own.copy()  # the chunk is large
        return weights
