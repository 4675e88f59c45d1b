"""Products of sparse matrices of messages with dense ones, of nodes."""

import warnings
from functools import cache
from typing import Any, Protocol

import torch
from torch import Tensor

# what an entry of a sparse product costs beside its columns, in columns
ENTRY_COST = 16
# attribute of features whose products are kept
KEPT = "kept_products"
# multiply-adds of a dense product that take as long as one of a sparse product
DENSE_GAIN = 4


class Messages(Protocol):
    """Sparse matrix (n_to, n_from) by rows: who hears whom, and how loudly.

    Attributes
    ----------
    starts : tensor of int64 of shape (n_to + 1,)
        Where the entries of each receiving node begin.
    sources : tensor of int64 of shape (n_entries,)
        Sending nodes.
    weights : tensor of shape (n_entries,)
        Values.
    backward : Messages
        Transpose.
    order : tensor of int64 of shape (n_entries,)
        ``backward.weights == weights[order]``.
    own : tensor of int64 of shape (n_to,) or None
        Where the receiving nodes are among the senders; None: at their own number.
    shape : tuple of int
        (n_to, n_from).
    """

    starts: Tensor
    sources: Tensor
    weights: Tensor
    backward: "Messages"
    order: Tensor
    own: Tensor | None
    shape: tuple[int, int]


class Propagation(torch.autograd.Function):
    """Sparse product of a constant matrix, with its transpose backwards."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, messages: Messages) -> Tensor:
        """Sum up what each node hears."""
        ctx.messages = messages
        return multiply(messages, messages.weights, h)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor, None]:
        """Derivatives for the senders' features."""
        back = ctx.messages.backward
        return multiply(back, back.weights, delta), None


def propagate(messages: Messages, h: Tensor) -> Tensor:
    """Weighted sums of what nodes hear: (n_to, k) of the features (n_from, k)."""
    kept = getattr(h, KEPT, None)
    if kept is None:
        return Propagation.apply(h, messages)
    if kept.get("messages") is not messages:
        kept.update(messages=messages, heard=multiply(messages, messages.weights, h))
    return kept["heard"]


def keep_products(h: Tensor) -> None:
    """Let `propagate` keep the last sums of these features, which never change."""
    if not hasattr(h, KEPT):
        setattr(h, KEPT, {})


def multiply(messages: Messages, weights: Tensor, h: Tensor) -> Tensor:
    """Sparse product with `weights` as values, outside of any graph.

    On a CPU in single precision sums of table rows beat MKL's product of a sparse
    matrix, by up to 2.5 times; in double precision it is the other way round.
    """
    h = h.detach().contiguous()
    starts, sources = messages.starts, messages.sources
    if h.dtype == torch.float32 and h.device.type == "cpu":
        bags = torch.embedding_bag(
            h, sources, starts, False, 0, False, weights, True
        )  # neither by frequency nor sparse; mode 0 sums; the last start is the end
        return bags[0]
    _use_up_warning()
    matrix = torch.sparse_csr_tensor(
        starts, sources, weights, messages.shape, check_invariants=False
    )
    return matrix @ h


@cache
def _use_up_warning() -> None:
    """Make a matrix, at the first of which torch warns that they are in beta state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.sparse_csr_tensor([0, 0], [], [], (1, 1), check_invariants=False)


def own_rows(messages: Messages, h: Tensor) -> Tensor:
    """Features of the receiving nodes among those of the senders."""
    return h if messages.own is None else h.index_select(0, messages.own)


def propagates_first(messages: Messages, h: Tensor, n_units: int) -> bool:
    """Whether ``(A h) W`` takes less time than ``A (h W)``, forward and backward.

    An entry of A costs a column each, and 16 more, in each product. Backwards
    ``(A h) W`` needs one only where `h` has a gradient, ``A (h W)`` always; the dense
    products, that with W and those for the gradients of W and of `h`, have a row for
    each receiving node, or for each sending one.
    """
    if hasattr(h, KEPT):  # there is no better
        return True
    learns = torch.is_grad_enabled()
    passes_on = learns and h.requires_grad
    (n_to, n_from), n_inputs = messages.shape, h.shape[1]
    n_entries = len(messages.sources)
    before = n_entries * (n_inputs + ENTRY_COST) * (1 + passes_on)
    after = n_entries * (n_units + ENTRY_COST) * (1 + learns)
    of_row = n_inputs * n_units * (1 + learns + passes_on) / DENSE_GAIN
    return before + n_to * of_row < after + n_from * of_row
