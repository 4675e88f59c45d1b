"""What networks of graphs share: hidden layers of graph convolutions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._attention_conv import GATConv
from sknn.modules._batch_norm import BatchNorm
from sknn.modules._dropout import Dropout
from sknn.modules._graph_conv import GCNConv, GINConv, SAGEConv
from sknn.modules._sparse import Messages

CONVOLUTIONS = {"gcn": GCNConv, "sage": SAGEConv, "gat": GATConv, "gin": GINConv}


class GraphLayers(nn.Module):
    """Hidden layers of graph convolutions, each with an activation and dropout.

    Parameters
    ----------
    n_inputs : int
        Features of a node.
    hidden_layer_sizes : sequence of int
        Units of each layer.
    conv : {"gcn", "sage", "gat", "gin"}
        Kind of the convolutions.
    activation : str
        Name of the activation, one of `MLP`'s.
    dropout : sequence of float
        Rate of each layer, after the activation.
    n_heads : int
        Heads of each layer of attention; unused by other convolutions.
    batch_norm : bool
        Whether the layers are normalised over the nodes, before the activation. They
        then have the normalization's bias in place of their own.
    device : torch.device or str, optional
        Where the parameters are made; on "meta" they take no memory and draw no
        random numbers.

    Attributes
    ----------
    convolutions : torch.nn.ModuleList
        Hidden convolutions.
    norms : torch.nn.ModuleList
        Normalization of each, or nothing.
    dropouts : torch.nn.ModuleList
        Dropout of each.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: Sequence[int],
        *,
        conv: str,
        activation: str,
        dropout: Sequence[float],
        n_heads: int,
        batch_norm: bool,
        device: torch.device | str | None,
    ) -> None:
        super().__init__()
        self.conv, self.n_heads = conv, n_heads
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        for n_units in hidden_layer_sizes:
            options = {"bias": not batch_norm, "device": device}
            self.convolutions.append(self._make(n_inputs, n_units, **options))
            if batch_norm:
                self.norms.append(BatchNorm(n_units, device))
            n_inputs = n_units
        self.n_features = n_inputs
        self.dropouts = nn.ModuleList(Dropout(0.0) for _ in hidden_layer_sizes)
        self.set_dropout(dropout)
        self.set_activation(activation)

    def _make(self, n_inputs: int, n_units: int, **options: object) -> nn.Module:
        """Make a convolution of the network's kind."""
        if self.conv == "gat":
            options["n_heads"] = self.n_heads
        return CONVOLUTIONS[self.conv](n_inputs, n_units, **options)

    @property
    def has_batch_norm(self) -> bool:
        """Whether nodes depend on their batch in training, and on its rows' weights."""
        return len(self.norms) > 0

    def set_dropout(self, rates: Sequence[float]) -> None:
        """Let the hidden layers have dropout of these rates, or of none."""
        rates = list(rates) or [0.0] * len(self.dropouts)
        for dropout, rate in zip(self.dropouts, rates, strict=True):
            dropout.rate = rate

    def set_activation(self, name: str) -> None:
        """Let the hidden layers, and perceptrons in layers, have this activation."""
        self.activation_name = name
        self.activation = ACTIVATIONS[name]()
        for layer in self.modules():
            if isinstance(layer, GINConv):
                layer.set_activation(name)

    def convolve(
        self,
        h: Tensor,
        messages: Sequence[Messages],
        node_weight: Tensor | None = None,
    ) -> Tensor:
        """Features of the nodes that the last hidden layer's messages reach.

        Parameters
        ----------
        h : tensor of shape (n_from, n_inputs)
            What the first layer starts from.
        messages : sequence of Messages
            Those of each layer.
        node_weight : tensor of shape (n_nodes, 1), optional
            Weights of the nodes in training with batch norm.
        """
        if len(messages) != len(self.convolutions):
            raise ValueError(
                f"messages must be those of {len(self.convolutions)} layers: got "
                f"{len(messages)} of them."
            )
        for k, heard in enumerate(messages):
            h = self._step(k, h, heard, node_weight)
        return h

    def _step(
        self, k: int, h: Tensor, messages: Messages, node_weight: Tensor | None = None
    ) -> Tensor:
        """Outputs of one hidden layer."""
        h = self.convolutions[k](h, messages)
        if self.norms:
            h = self.norms[k](h, node_weight)
        return self.dropouts[k](self.activation(h))

    def rescale(self, outputs: Tensor) -> Tensor:
        """Outputs as they are, or in the units of the targets."""
        return self.rescaling(outputs) if hasattr(self, "rescaling") else outputs

    def weigh(
        self, h: Tensor, messages: Sequence[Messages], layers: Sequence[nn.Module]
    ) -> list[Tensor]:
        """Attention of each entry of the messages, (n_entries, n_heads) a layer."""
        weights = []
        for k, (layer, heard) in enumerate(zip(layers, messages, strict=True)):
            weights.append(layer.attention(h, heard))
            if k + 1 < len(layers):
                h = self._step(k, h, heard)
        return weights
