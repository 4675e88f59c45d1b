"""Pooling over the nodes of each graph."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def pool_sum(h: Tensor, starts: Tensor) -> Tensor:
    """Sums over the nodes of each graph.

    Parameters
    ----------
    h : tensor of shape (n_nodes, k)
        Features of all graphs' nodes, graph after graph.
    starts : tensor of int64 of shape (n_graphs + 1,)
        Where the nodes of each begin, the last one's end included.

    Returns
    -------
    Tensor of shape (n_graphs, k)
    """
    n_graphs = len(starts) - 1
    if len(h) == n_graphs:  # of one node each
        return h
    graphs = torch.repeat_interleave(starts.diff(), output_size=len(h))
    return h.new_zeros(n_graphs, h.shape[1]).index_add(0, graphs, h)


def pool_mean(h: Tensor, starts: Tensor) -> Tensor:
    """Means over the nodes of each graph; see `pool_sum`."""
    return pool_sum(h, starts) / starts.diff()[:, None]


def pool_max(h: Tensor, starts: Tensor) -> Tensor:
    """Largest values among the nodes of each graph; see `pool_sum`.

    The first node that has one has its gradient. `torch.segment_reduce` is no faster,
    and wrong about negative gradients where several nodes have the largest.
    """
    if len(h) == len(starts) - 1:
        return h
    nodes = torch.arange(len(h), device=h.device)
    return functional.embedding_bag(
        nodes, h, starts, mode="max", include_last_offset=True
    )


POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": pool_mean,
    "sum": pool_sum,
    "max": pool_max,
}
