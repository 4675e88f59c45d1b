"""Graph convolution whose messages are weighted by attention."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sknn.modules._mlp import Linear
from sknn.modules._sparse import Messages, multiply, own_rows

# slope of scores below zero (Velickovic et al. 2018, section 2.1)
SLOPE = 0.2
# scores of which exponentials, and sums of many, are far from the ends of float32
LARGEST_SCORE = 40.0


class GATConv(nn.Module):
    r"""Graph attention layer of Velickovic et al. (2018).

    Each head has :math:`h'_i = \sum_j \alpha_{ij} W h_j`, where :math:`\alpha_{ij}
    = w_{ij} \exp e_{ij} / \sum_k w_{ik} \exp e_{ik}` and :math:`e_{ij} =
    \mathrm{LeakyReLU}(a_l^\top W h_i + a_r^\top W h_j)` (equations 1 to 4, with weights
    of edges); a bias is added.

    Parameters
    ----------
    n_inputs, n_units : int
        Columns of :math:`H` and of :math:`H'`.
    n_heads : int
        Heads; they divide `n_units` where they are concatenated.
    concat : bool
        Whether heads are concatenated (equation 5) or averaged (equation 6).
    bias : bool
        Whether there is a bias.
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    linear : Linear
        :math:`W` of all heads, one after another.
    attention_vectors : torch.nn.Parameter of shape (2, n_heads, width)
        :math:`a_l` and :math:`a_r` of each head.
    bias : torch.nn.Parameter of shape (n_units,) or None
        The bias.

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
        n_heads: int = 1,
        concat: bool = True,
        bias: bool = True,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.n_heads, self.concat = n_heads, concat
        width = n_units // n_heads if concat else n_units
        self.linear = Linear(n_inputs, n_heads * width, bias=False, device=device)
        self.attention_vectors = nn.Parameter(
            torch.empty(2, n_heads, width, device=device)
        )
        bias = torch.zeros(n_units, device=device) if bias else None
        self.bias = None if bias is None else nn.Parameter(bias)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw attention vectors as torch draws linear layers; nothing on meta."""
        if not self.attention_vectors.is_meta:
            bound = 1 / math.sqrt(self.attention_vectors.shape[2])
            self.attention_vectors.uniform_(-bound, bound)

    def forward(self, h: Tensor, messages: Messages) -> Tensor:
        heard = Attention.apply(*self._project(h, messages), messages)
        heard = heard.flatten(1) if self.concat else heard.mean(1)
        return heard if self.bias is None else heard + self.bias

    def attention(self, h: Tensor, messages: Messages) -> Tensor:
        r""":math:`\alpha` of each entry of the messages: (n_entries, n_heads)."""
        _, *scores = self._project(h, messages)
        factors = _exponentiate(messages, *scores).abs()
        ones = factors.new_ones(messages.shape[1], 1)
        totals = [multiply(messages, of_head, ones) for of_head in factors]
        totals = _to_entries(messages, torch.cat(totals, 1).t())
        return (factors / totals).t()

    def _project(self, h: Tensor, messages: Messages) -> tuple[Tensor, Tensor, Tensor]:
        """Projected features (n_from, heads, width), scores (heads, n_to or n_from)."""
        h = self.linear(h)
        n_heads, vectors = self.n_heads, self.attention_vectors[:, :, :, None]
        heads = torch.eye(n_heads, dtype=h.dtype, device=h.device)
        blocks = (vectors * heads[:, None]).permute(1, 2, 0, 3)
        scores = h @ blocks.reshape(-1, 2 * n_heads)  # one product for all heads
        of_receiver, of_sender = scores.chunk(2, 1)
        of_receiver = own_rows(messages, of_receiver)
        return h.view(len(h), n_heads, -1), of_receiver.t(), of_sender.t()

    def extra_repr(self) -> str:
        """Return heads and how they join for the layer's representation."""
        return f"n_heads={self.n_heads}, concat={self.concat}"


class Attention(torch.autograd.Function):
    r"""Means of neighbours by the softmax of their scores, head by head.

    With :math:`p_{ij} = w_{ij} \exp e_{ij}` and :math:`s_i = \sum_j p_{ij}` the outputs
    are :math:`o_i = \sum_j p_{ij} h_j / s_i`. For derivatives :math:`\delta_i` for them
    let :math:`u_i = \delta_i / s_i`, :math:`q_i = u_i^\top o_i` and :math:`d_{ij}` be
    :math:`p_{ij}` times the slope of the score. Then the derivative for :math:`h_j` is
    :math:`\sum_i p_{ij} u_i`, that for the score of receiver i is :math:`u_i^\top
    \sum_j d_{ij} h_j - q_i \sum_j d_{ij}`, and that for the score of sender j is
    :math:`h_j^\top \sum_i d_{ij} u_i - \sum_i d_{ij} q_i`: three sparse products, and
    no dot product of an entry of its own. Sums of weights come along as a column.
    """

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, of_receiver: Tensor, of_sender: Tensor, messages: Messages
    ) -> Tensor:
        """Map `h` (n_from, heads, width) to means (n_to, heads, width)."""
        signed = _exponentiate(messages, of_receiver, of_sender)
        h = h.transpose(0, 1)
        tables = torch.cat([h, h.new_ones(*h.shape[:2], 1)], 2)
        sums = [
            multiply(messages, factors.abs(), table)
            for factors, table in zip(signed, tables, strict=True)
        ]
        outputs, totals = torch.stack(sums).tensor_split([-1], 2)
        totals.masked_fill_(totals == 0, 1)  # nodes that hear nothing
        outputs = outputs / totals
        ctx.messages = messages
        ctx.save_for_backward(tables, signed, totals, outputs)
        return outputs.transpose(0, 1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Derivatives for `h` and for both scores."""
        messages, back = ctx.messages, ctx.messages.backward
        tables, signed, totals, outputs = ctx.saved_tensors
        delta = delta.transpose(0, 1)
        products = -_inner(delta, outputs)[..., None]
        shares = torch.cat([delta, products], 2).div_(totals)
        heard, told, to_h = [], [], []
        for factors, table, share in zip(signed, tables, shares, strict=True):
            heard.append(multiply(messages, _with_slope(factors), table))
            factors = factors.index_select(0, messages.order)
            told.append(multiply(back, _with_slope(factors), share))
            to_h.append(multiply(back, factors.abs_(), share)[:, :-1])
        to_receiver = _inner(torch.stack(heard), shares)
        to_sender = _inner(torch.stack(told), tables)
        return torch.stack(to_h, 1), to_receiver, to_sender, None


def _exponentiate(messages: Messages, of_receiver: Tensor, of_sender: Tensor) -> Tensor:
    """Weight times exponential of each score, with the sign of the score itself.

    What is subtracted from all scores of a row does not show in a softmax: nothing,
    where none is large, as looking for the largest of each row takes longer than all
    the rest.

    Returns
    -------
    Tensor of shape (heads, n_entries)
    """
    if not messages.sources.numel():
        return of_sender.new_empty(len(of_sender), 0)
    scores = of_sender.contiguous().index_select(1, messages.sources)
    scores += _to_entries(messages, of_receiver)
    factors = functional.leaky_relu(scores, SLOPE)
    bound = of_sender.abs().amax() + of_receiver.abs().amax()
    if not bound < LARGEST_SCORE:
        starts = messages.starts.repeat(len(factors), 1)
        tops = torch.segment_reduce(factors, "max", offsets=starts, axis=1)
        factors -= _to_entries(messages, tops)
    return factors.exp_().mul_(messages.weights).copysign_(scores)


def _to_entries(messages: Messages, of_receiver: Tensor) -> Tensor:
    """Values (heads, n_to) of receiving nodes at each of their entries."""
    n_entries = len(messages.sources)
    counts = messages.starts.diff()
    return of_receiver.repeat_interleave(counts, 1, output_size=n_entries)


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Inner products of rows (heads, n, width); sums of few numbers each are slow."""
    return (a * b) @ a.new_ones(a.shape[2])


def _with_slope(signed: Tensor) -> Tensor:
    """Factors times the slopes of their scores: less where these were negative."""
    return functional.leaky_relu(signed, -SLOPE)
