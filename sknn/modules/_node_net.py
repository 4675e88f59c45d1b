"""Network of graph convolutions with an answer for every node."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sknn.modules._channel_scaling import ChannelScaling
from sknn.modules._graph_layers import GraphLayers
from sknn.modules._output_scaling import OutputScaling
from sknn.modules._sparse import Messages, keep_products


class NodeEmbedding(nn.Embedding):
    """Table of learned vectors that draws nothing while it is not there yet."""

    def reset_parameters(self) -> None:
        """Draw torch's initial values, except on the meta device."""
        if not self.weight.is_meta:
            super().reset_parameters()


class NodeNet(GraphLayers):
    """Graph convolutions whose last layer has the outputs as its units.

    Parameters
    ----------
    n_inputs : int
        Features of a node; unused where nodes have none.
    n_outputs : int
        Raw outputs of a node.
    conv : {"gcn", "sage", "gat", "gin"}
        Kind of the convolutions.
    hidden_layer_sizes : sequence of int
        Units of each hidden convolution.
    activation : str
        Name of the hidden layers' activation, one of `MLP`'s.
    dropout : sequence of float
        Rate of each hidden layer, after the activation.
    n_heads : int
        Heads of each layer of attention: concatenated in hidden layers, whose units
        they divide, averaged in the last.
    batch_norm : bool
        Whether hidden layers are normalised over the nodes, before the activation;
        nodes without a label count as all others.
    n_nodes : int, optional
        Nodes of the graph where they have no features: each has a learned vector then,
        of as many entries as the first layer has units.
    rescales : bool
        Whether raw outputs are brought to the targets' location and scale.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    scaling : ChannelScaling
        What features go through first; or
    embedding : NodeEmbedding
        learned vectors of the nodes.
    convolutions : torch.nn.ModuleList
        Hidden convolutions.
    output : torch.nn.Module
        Last convolution.
    rescaling : OutputScaling
        What its outputs go through, with `rescales`.

    Notes
    -----
    ``forward`` maps features (n_from, n_inputs) of any real type, or with `n_nodes`
    numbers of nodes (n_from,), and a list of messages, one a layer, to the raw outputs
    (n_to, n_outputs) of the nodes that the last layer's messages reach.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        conv: str = "gcn",
        hidden_layer_sizes: Sequence[int] = (16,),
        activation: str = "relu",
        dropout: Sequence[float] = (),
        n_heads: int = 1,
        batch_norm: bool = False,
        n_nodes: int | None = None,
        rescales: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        n_vector = [*hidden_layer_sizes, n_outputs][0]
        super().__init__(
            n_inputs if n_nodes is None else n_vector,
            hidden_layer_sizes,
            conv=conv,
            activation=activation,
            dropout=dropout,
            n_heads=n_heads,
            batch_norm=batch_norm,
            device=device,
        )
        self._scaled: tuple[Tensor, Tensor] | None = None
        if n_nodes is None:
            self.scaling = ChannelScaling(n_inputs, device)
        else:
            self.embedding = NodeEmbedding(n_nodes, n_vector, device=device)
        self.output = self._make_output(n_outputs, device)
        if rescales:
            self.rescaling = OutputScaling(n_outputs, device)
        self.set_activation(activation)

    def _make_output(
        self, n_outputs: int, device: torch.device | str | None
    ) -> nn.Module:
        """Make the last convolution; perceptrons in it stay as wide as its inputs."""
        options = {"device": device}
        if self.conv == "gat":
            options["concat"] = False
        if self.conv == "gin":
            options["n_inner"] = max(self.n_features, n_outputs)
        return self._make(self.n_features, n_outputs, **options)

    def hidden(
        self,
        x: Tensor,
        messages: Sequence[Messages],
        row_weight: Tensor | None = None,
    ) -> Tensor:
        """Features of the last hidden layer; one entry of `messages` for each."""
        return self.convolve(self._enter(x), messages)

    def forward(
        self,
        x: Tensor,
        messages: Sequence[Messages],
        row_weight: Tensor | None = None,
    ) -> Tensor:
        """Raw outputs; `row_weight` is taken as batches with weights pass it."""
        *of_hidden, last = messages
        return self.rescale(self.output(self.hidden(x, of_hidden), last))

    def attention(self, x: Tensor, messages: Sequence[Messages]) -> list[Tensor]:
        """Attention of each entry of the messages, (n_entries, n_heads) a layer."""
        layers = [*self.convolutions, self.output]
        return self.weigh(self._enter(x), messages, layers)

    def _enter(self, x: Tensor) -> Tensor:
        """Scaled features, or the vectors of nodes.

        A full batch comes again and again: in training its scaled features are kept,
        and from the second time on what nodes hear of them.
        """
        if not hasattr(self, "scaling"):
            return self.embedding(x)
        if not self.training or x.requires_grad:
            return self.scaling(x)
        if self._scaled is None or self._scaled[0] is not x:
            self._scaled = x, self.scaling(x)
        else:
            keep_products(self._scaled[1])
        return self._scaled[1]

    def train(self, mode: bool = True) -> "NodeNet":
        """Begin or end training, and let go of what one has kept."""
        self._scaled = None
        return super().train(mode)
