"""What the two recurrent networks share."""

from numbers import Integral

from sknn._autograd_base import check_rates, check_sizes
from sknn._deep_supervision import DeeplySupervised
from sknn._sequence_base import PARAMETERS as SEQUENCE_PARAMETERS
from sknn._sequence_base import BaseSequenceNetwork, choose_dim
from sknn._sklearn_compat import Interval, StrOptions
from sknn.modules import RecurrentNet
from sknn.training._sequence_initialization import initialize_sequence_net

PARAMETERS = {
    **SEQUENCE_PARAMETERS,
    "cell": (
        '{"lstm", "gru", "rnn"}',
        "Long short-term memory (Hochreiter and Schmidhuber 1997), gated recurrent "
        "units (Cho et al. 2014), or the plain recurrent layer with tanh.",
    ),
    "hidden_layer_sizes": (
        "int or array-like of int",
        "Units of each recurrent layer, one upon the other.",
    ),
    "bidirectional": (
        "bool",
        "Whether each layer has a second one that reads backwards; their outputs are "
        "put side by side.",
    ),
    "pooling": (
        '{"last", "mean", "max"}',
        "What becomes of the last layer's outputs at all steps: the one after the last "
        "step that is read in each direction, their mean, or their maximum.",
    ),
    "embedding_dim": (
        'int or "auto"',
        'Entries of the vector learned for each token; "auto" is 1.6 times the 0.56th '
        "power of their number, at most 64.",
    ),
    "dropout": (
        "float or array-like of float",
        "Probability that an output of a recurrent layer is left out of a training "
        "step, in [0, 1): one for all layers, or one each.",
    ),
}


class BaseRecurrent(DeeplySupervised, BaseSequenceNetwork):
    """Recurrent layers, of which the last one's outputs are pooled over the steps."""

    _parameter_constraints: dict = {
        **BaseSequenceNetwork._parameter_constraints,
        **DeeplySupervised._parameter_constraints,
        "cell": [StrOptions({"lstm", "gru", "rnn"})],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"last", "mean", "max"})],
        "embedding_dim": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
    }
    _architecture = (
        "cell",
        "hidden_layer_sizes",
        "bidirectional",
        "pooling",
        "embedding_dim",
        "standardize",
    )

    def _check_parameters(self):
        check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        self._check_transfer(len(self._dropout_rates))  # one a layer
        super()._check_parameters()

    @property
    def _n_hidden(self):
        return len(check_sizes("hidden_layer_sizes", self.hidden_layer_sizes))

    @property
    def _dropout_rates(self):
        """Rate of each recurrent layer."""
        sizes = check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        return check_rates(self._dropout, len(sizes), "recurrent layers")

    def _make_module(self, X, n_outputs, device):
        n_tokens = self._n_tokens
        return RecurrentNet(
            X.n_channels,
            n_outputs,
            hidden_layer_sizes=check_sizes(
                "hidden_layer_sizes", self.hidden_layer_sizes
            ),
            cell=self.cell,
            bidirectional=self.bidirectional,
            pooling=self.pooling,
            dropout=self._dropout_rates,
            n_tokens=n_tokens,
            embedding_dim=n_tokens and choose_dim(self.embedding_dim, n_tokens),
            **self._letters,
            companions=self._companion_weight > 0,
            device=device,
        )

    def _update_module(self):
        self.module_.set_dropout(self._dropout_rates)

    def _initialize(self, module, random_state):
        self._reset_buffers(module)
        initialize_sequence_net(module, random_state, self.weight_init)

    def _largest_product(self, X, n_rows):
        """0 on a CPU: steps come one by one, each too small for a second thread."""
        return 0 if self._flat.on_cpu else super()._largest_product(X, n_rows)
