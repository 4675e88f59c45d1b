"""Network of graph convolutions with an answer for every graph."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sknn.modules._channel_scaling import ChannelScaling
from sknn.modules._graph_layers import GraphLayers
from sknn.modules._graph_pooling import POOLINGS
from sknn.modules._mlp import Linear
from sknn.modules._output_scaling import OutputScaling
from sknn.modules._sparse import Messages


class GraphNet(GraphLayers):
    """Graph convolutions, their features pooled over the nodes, an output layer.

    Parameters
    ----------
    n_inputs : int
        Features of a node.
    n_outputs : int
        Raw outputs of a graph.
    conv : {"gcn", "sage", "gat", "gin"}
        Kind of the convolutions.
    hidden_layer_sizes : sequence of int
        Units of each convolution.
    activation : str
        Name of their activation, one of `MLP`'s.
    dropout : sequence of float
        Rate of each convolution, after the activation.
    n_heads : int
        Heads of each layer of attention, which divide its units.
    batch_norm : bool
        Whether convolutions are normalised over the nodes of all graphs, before the
        activation; each node counts as its graph does.
    pooling : {"mean", "sum", "max"}
        What is taken of the nodes of a graph.
    rescales : bool
        Whether raw outputs are brought to the targets' location and scale.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    scaling : ChannelScaling
        What features go through first.
    convolutions : torch.nn.ModuleList
        Convolutions.
    output : Linear
        Output layer.
    rescaling : OutputScaling
        What its outputs go through, with `rescales`.

    Notes
    -----
    ``forward`` maps the features (n_nodes, n_inputs), of any real type, of all graphs'
    nodes, graph after graph, the messages among them and `starts` (n_graphs + 1,),
    where the nodes of each begin, to the raw outputs (n_graphs, n_outputs).
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        conv: str = "gcn",
        hidden_layer_sizes: Sequence[int] = (64, 64),
        activation: str = "relu",
        dropout: Sequence[float] = (),
        n_heads: int = 1,
        batch_norm: bool = False,
        pooling: str = "mean",
        rescales: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(
            n_inputs,
            hidden_layer_sizes,
            conv=conv,
            activation=activation,
            dropout=dropout,
            n_heads=n_heads,
            batch_norm=batch_norm,
            device=device,
        )
        self.pooling = pooling
        self.scaling = ChannelScaling(n_inputs, device)
        self.output = Linear(self.n_features, n_outputs, device=device)
        if rescales:
            self.rescaling = OutputScaling(n_outputs, device)

    def hidden(
        self,
        x: Tensor,
        messages: Messages,
        starts: Tensor,
        row_weight: Tensor | None = None,
    ) -> Tensor:
        """Pooled features of the last convolution: (n_graphs, n_features)."""
        if row_weight is not None:
            row_weight = row_weight.repeat_interleave(
                starts.diff(), 0, output_size=len(x)
            )
        each = [messages] * len(self.convolutions)
        h = self.convolve(self.scaling(x), each, row_weight)
        return POOLINGS[self.pooling](h, starts)

    def forward(
        self,
        x: Tensor,
        messages: Messages,
        starts: Tensor,
        row_weight: Tensor | None = None,
    ) -> Tensor:
        """Raw outputs; `row_weight` (n_graphs, 1) is for training with batch norm."""
        pooled = self.hidden(x, messages, starts, row_weight)
        return self.rescale(self.output(pooled))

    def attention(
        self, x: Tensor, messages: Messages, starts: Tensor | None = None
    ) -> list[Tensor]:
        """Attention of each entry of the messages, (n_entries, n_heads) a layer."""
        each = [messages] * len(self.convolutions)
        return self.weigh(self.scaling(x), each, self.convolutions)
