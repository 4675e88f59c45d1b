"""Graph convolutions whose messages have constant weights."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._activations import ACTIVATIONS
from sknn.modules._mlp import Linear
from sknn.modules._sparse import Messages, own_rows, propagate, propagates_first


class GCNConv(nn.Module):
    r"""Graph convolution of Kipf and Welling (2017).

    :math:`H' = \hat A H W + b` with the messages :math:`\hat A = \tilde D^{-1/2}
    (A + I) \tilde D^{-1/2}` (equation 2).

    Parameters
    ----------
    n_inputs, n_units : int
        Columns of :math:`H` and of :math:`H'`.
    bias : bool
        Whether there is a :math:`b`.
    device : torch.device or str, optional
        Where the parameters are made.

    Notes
    -----
    ``forward`` maps features (n_from, n_inputs) and messages (n_to, n_from) to
    (n_to, n_units).
    """

    def __init__(
        self,
        n_inputs: int,
        n_units: int,
        *,
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.linear = Linear(n_inputs, n_units, bias=bias, device=device)

    def forward(self, h: Tensor, messages: Messages) -> Tensor:
        return _convolve(messages, h, self.linear.weight, self.linear.bias)


class SAGEConv(nn.Module):
    r"""Graph convolution of Hamilton, Ying and Leskovec (2017), by means.

    :math:`H' = [H, D^{-1} A H] W + b`, the messages :math:`D^{-1} A` being means over
    neighbours (algorithm 1, without its normalization of rows).

    Parameters
    ----------
    n_inputs, n_units : int
        Columns of :math:`H` and of :math:`H'`.
    bias : bool
        Whether there is a :math:`b`.
    device : torch.device or str, optional
        Where the parameters are made.

    Notes
    -----
    ``forward`` maps features (n_from, n_inputs) and messages (n_to, n_from) to
    (n_to, n_units).
    """

    def __init__(
        self,
        n_inputs: int,
        n_units: int,
        *,
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.linear = Linear(2 * n_inputs, n_units, bias=bias, device=device)

    def forward(self, h: Tensor, messages: Messages) -> Tensor:
        of_own, of_neighbours = self.linear.weight.chunk(2, 1)
        heard = _convolve(messages, h, of_neighbours)
        own = own_rows(messages, h)
        return heard.add_(functional.linear(own, of_own, self.linear.bias))


class GINConv(nn.Module):
    r"""Graph isomorphism convolution of Xu et al. (2019).

    :math:`H' = \mathrm{MLP}((1 + \epsilon) H + A H)` with a perceptron of one hidden
    layer and a learned :math:`\epsilon` (equation 4.1): sums tell multisets of
    neighbours apart that means do not.

    Parameters
    ----------
    n_inputs, n_units : int
        Columns of :math:`H` and of :math:`H'`.
    n_inner : int, optional
        Units of the perceptron's hidden layer; None: as many as `n_units`.
    activation : str
        Name of its activation.
    bias : bool
        Whether its last layer has biases.
    device : torch.device or str, optional
        Where the parameters are made.

    Notes
    -----
    ``forward`` maps features (n_from, n_inputs) and messages (n_to, n_from) to
    (n_to, n_units).
    """

    def __init__(
        self,
        n_inputs: int,
        n_units: int,
        *,
        n_inner: int | None = None,
        activation: str = "relu",
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        n_inner = n_inner or n_units
        self.first = Linear(n_inputs, n_inner, device=device)
        self.last = Linear(n_inner, n_units, bias=bias, device=device)
        self.epsilon = nn.Parameter(torch.zeros(1, device=device))
        self.set_activation(activation)

    def set_activation(self, name: str) -> None:
        """Let the hidden layer have the activation of that name."""
        self.activation = ACTIVATIONS[name]()

    def forward(self, h: Tensor, messages: Messages) -> Tensor:
        if propagates_first(messages, h, self.first.out_features):
            h = self.first(self._sum_up(messages, h))
        else:
            h = self._sum_up(messages, functional.linear(h, self.first.weight))
            h = h + self.first.bias
        return self.last(self.activation(h))

    def _sum_up(self, messages: Messages, h: Tensor) -> Tensor:
        """Sum over a node, which counts once and a learned bit more, and neighbours."""
        return torch.addcmul(
            propagate(messages, h), own_rows(messages, h), 1 + self.epsilon
        )


def _convolve(
    messages: Messages, h: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Messages times `h` times `weight` (units, inputs), in the cheaper order."""
    if propagates_first(messages, h, len(weight)):
        return functional.linear(propagate(messages, h), weight, bias)
    heard = propagate(messages, functional.linear(h, weight))
    return heard if bias is None else heard.add_(bias)
