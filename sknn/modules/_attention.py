"""Attention with several heads (Vaswani et al. 2017, section 3.2)."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from sknn.modules._mlp import Linear
from sknn.modules._positions import RotaryPositions

# share of the sequences with rows at which a decoder leaves out the others
KEPT_SHARE = 0.75
# steps that there is room for at least when a decoder makes new room
MIN_ROOM = 8


class BlockLinear(Linear):
    """Several linear layers of the same inputs as one product, their units in turn.

    Parameters
    ----------
    in_features : int
        Inputs of each.
    out_features : int
        Units of each.
    n_blocks : int
        How many there are.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        n_blocks: int,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(in_features, n_blocks * out_features, device=device)
        self.n_blocks = n_blocks


class SelfAttention(nn.Module):
    r"""Each step's mixture of all steps, weighted by how their keys fit its query.

    :math:`\operatorname{softmax}(Q K^\top / \sqrt{d}) V` in each head, with d features
    a head, and a linear layer over the heads' results side by side.

    Parameters
    ----------
    d_model : int
        Features of a step; a multiple of `n_heads`.
    n_heads : int
        Heads, each of which sees its own share of the features.
    rotary : RotaryPositions, optional
        What queries and keys go through.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        rotary: nn.Module | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.n_heads, self.rotary = n_heads, rotary
        self.in_projection = BlockLinear(d_model, d_model, 3, device)
        self.out_projection = Linear(d_model, d_model, device=device)

    def _split(
        self, projected: Tensor, turn: Callable[[Tensor], Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (batch, heads, steps, features of a head) each."""
        n_heads = self.n_heads
        blocks = projected.unflatten(-1, (3 * n_heads, -1))
        pair, value = blocks.split((2 * n_heads, n_heads), 2)
        if turn is not None:
            pair = turn(pair)  # (batch, steps, 2 heads, features)
        query, key = pair.chunk(2, 2)
        return query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self._split(self.in_projection(x), self.rotary)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Mix the steps of `x` (batch, steps, d_model).

        `mask` (batch, 1, 1, steps) is true where a step may be looked at; with
        `is_causal`, which takes none, each step looks at itself and those before.
        """
        mixed = nn.functional.scaled_dot_product_attention(
            *self._project(x), attn_mask=mask, is_causal=is_causal
        )
        return self.out_projection(mixed.transpose(1, 2).flatten(2))

    def step(self, x: Tensor, state: "DecoderState", layer: int) -> Tensor:
        """Mix the next step of rows, `x` (rows, d_model), with their steps before.

        Keys and values of those are `state`'s, which gets the ones of `x` too.
        """
        turn = None
        if self.rotary is not None:
            turn = partial(turn_at, self.rotary, state.n_steps)
        projected = state.groups.spread(self.in_projection(x))
        query, key, value = self._split(projected, turn)
        mixed = nn.functional.scaled_dot_product_attention(
            query, *state.append(layer, key, value), attn_mask=state.mask
        )  # (sequences, heads, rows of each, features)
        return self.out_projection(state.groups.collect(mixed.transpose(1, 2)))

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Shares of the steps in each mixture, (batch, heads, steps, steps).

        Those of a query are a row, which sums to 1.
        """
        query, key, _ = self._project(x)
        return compute_shares(query, key, mask)


class CrossAttention(nn.Module):
    """Each step's mixture of the steps of another sequence, as in `SelfAttention`.

    Parameters
    ----------
    d_model : int
        Features of a step of both; a multiple of `n_heads`.
    n_heads : int
        Heads, each of which sees its own share of the features.
    device : torch.device or str, optional
        Where the parameters are made.
    """

    def __init__(
        self, d_model: int, n_heads: int, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query_projection = Linear(d_model, d_model, device=device)
        self.memory_projection = BlockLinear(d_model, d_model, 2, device)
        self.out_projection = Linear(d_model, d_model, device=device)

    def project_memory(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a memory, (batch, heads, its steps, features) each."""
        projected = self.memory_projection(memory).unflatten(-1, (2, self.n_heads, -1))
        key, value = projected.unbind(2)  # (batch, steps, heads, features)
        return key.transpose(1, 2), value.transpose(1, 2)

    def _project_query(self, x: Tensor) -> Tensor:
        query = self.query_projection(x).unflatten(-1, (self.n_heads, -1))
        return query.transpose(1, 2)  # (batch, heads, steps, features)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mix steps of `memory` (batch, its steps, d_model) for each step of `x`.

        `mask` (batch, 1, 1, steps of the memory) is true where one may be looked at.
        """
        mixed = nn.functional.scaled_dot_product_attention(
            self._project_query(x), *self.project_memory(memory), attn_mask=mask
        )
        return self.out_projection(mixed.transpose(1, 2).flatten(2))

    def step(self, x: Tensor, state: "DecoderState", layer: int) -> Tensor:
        """Mix steps of `state`'s memory for the next step of rows (rows, d_model)."""
        query = state.groups.spread(self.query_projection(x))
        query = query.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(
            query, *state.memory[layer], attn_mask=state.memory_mask
        )  # (sequences, heads, rows of each, features)
        return self.out_projection(state.groups.collect(mixed.transpose(1, 2)))

    def weights(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Shares of the memory's steps in mixtures, (batch, heads, steps, its steps).

        Those of a query are a row, which sums to 1.
        """
        key, _ = self.project_memory(memory)
        return compute_shares(self._project_query(x), key, mask)


def compute_shares(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax of how keys fit queries, (batch, heads, queries, keys)."""
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1)


def turn_at(rotary: RotaryPositions, step: int, x: Tensor) -> Tensor:
    """Turn features (..., features of a head) as `rotary` turns those of that step."""
    n_steps = 1 << step.bit_length()  # few different ones: each is a table
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotary.rows(n_steps, x)[step]).flatten(-2)


class RowGroups:
    """Rows of several groups, which a rectangle with a line a group can hold.

    Parameters
    ----------
    group : Tensor of shape (rows,)
        Group of each row, in any order.
    n_groups : int
        How many there are, some without rows perhaps.

    Attributes
    ----------
    width : int
        Rows of the largest group.
    slot : Tensor of shape (rows,)
        Place of each row among those of its group.
    """

    def __init__(self, group: Tensor, n_groups: int) -> None:
        sizes = torch.bincount(group, minlength=n_groups)
        order = group.argsort(stable=True)
        rank = torch.arange(len(group), device=group.device)
        self.n_groups, self.width = n_groups, int(sizes.max()) if n_groups else 0
        self.slot = torch.empty_like(group)
        self.slot[order] = rank - (sizes.cumsum(0) - sizes)[group[order]]
        self._place = group * self.width + self.slot

    def spread(self, x: Tensor, filling: float = 0) -> Tensor:
        """Put rows (rows, ...) in a rectangle (groups, width, ...), filled up."""
        lines = x.new_full((self.n_groups * self.width, *x.shape[1:]), filling)
        lines.index_copy_(0, self._place, x)
        return lines.unflatten(0, (self.n_groups, self.width))

    def collect(self, x: Tensor) -> Tensor:
        """Take rows (rows, features) out of a rectangle (groups, width, ...)."""
        return x.flatten(2).flatten(0, 1)[self._place]


class DecoderState:
    """What a decoder keeps of targets that it advances step by step.

    Each row is the beginning of a target of some sequence. Rows of a sequence share its
    memory and one store of keys and values, a column for each step that any of them
    has taken, so that choosing among rows moves none of these: it only says anew which
    columns each row comes from. Columns that no row comes from any more, and sequences
    that have no row, are left out when many have gathered.

    Parameters
    ----------
    memory : Tensor of shape (layers, 2, sequences, heads, source steps, features)
        Keys and values of what the cross-attention of each layer looks at.
    memory_mask : Tensor of shape (sequences, 1, 1, source steps) or None
        True where it may look.

    Attributes
    ----------
    n_steps : int
        Steps taken, the same for all rows.
    sequence : Tensor of shape (rows,)
        Which of the sequences kept here each row belongs to.
    groups : RowGroups
        Rows by these.
    mask : Tensor of shape (sequences, 1, width of the groups, columns)
        True where a row comes from a column.
    """

    mask: Tensor

    def __init__(self, memory: Tensor, memory_mask: Tensor | None = None) -> None:
        n_layers, _, n_sequences, n_heads, _, n_features = memory.shape
        self.memory, self.memory_mask = memory, memory_mask
        self.n_steps = self._n_columns = 0
        self._cache = memory.new_empty(n_layers, 2, n_sequences, 0, n_heads, n_features)
        self.sequence = torch.arange(n_sequences, device=memory.device)
        self._foreign = memory.new_ones(n_sequences, 0, dtype=torch.bool)
        self.groups = RowGroups(self.sequence, n_sequences)

    def select(self, rows: Tensor) -> None:
        """Go on with these rows (new rows,), in this order; they may be repeated."""
        self.sequence, self._foreign = self.sequence[rows], self._foreign[rows]
        kept, renumbered = self.sequence.unique(return_inverse=True)
        if len(kept) <= KEPT_SHARE * self.groups.n_groups:
            self.sequence = renumbered
            self._cache, self.memory = self._cache[:, :, kept], self.memory[:, :, kept]
            if self.memory_mask is not None:
                self.memory_mask = self.memory_mask[kept]
        self.groups = RowGroups(self.sequence, self._cache.shape[2])

    def begin_step(self) -> None:
        """Make a column for the next step of each row."""
        if self._n_columns + self.groups.width > self._foreign.shape[1]:
            self._repack()
        columns = self._n_columns + self.groups.slot
        self._foreign.scatter_(1, columns[:, None], False)
        self._n_columns += self.groups.width
        foreign = self.groups.spread(self._foreign[:, : self._n_columns])
        self.mask = ~foreign[:, None]  # rows that fill up see all, as softmax needs one

    def append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep keys and values of the step, and get all that the layer has.

        All are (sequences, heads, columns, features), with as many columns given as
        the groups' width.
        """
        keys, values = self._cache[layer, :, :, : self._n_columns].transpose(2, 3)
        first = self._n_columns - self.groups.width
        keys[:, :, first:] = key
        values[:, :, first:] = value
        return keys, values

    def _repack(self) -> None:
        """Keep the columns that rows come from, with room for as many."""
        foreign = self._foreign[:, : self._n_columns]
        used = ~self.groups.spread(foreign, True).all(1)  # (sequences, columns)
        n_kept = int(used.sum(1).max())
        order = used.byte().argsort(dim=1, descending=True, stable=True)[:, :n_kept]
        n_room = n_kept + max(n_kept, MIN_ROOM * self.groups.width)
        old, n_lines = self._cache, len(order)
        self._cache = old.new_empty(*old.shape[:3], n_room, *old.shape[4:])
        first = torch.arange(n_lines, device=order.device)[:, None] * old.shape[3]
        kept = old.flatten(2, 3).index_select(2, (first + order).flatten())
        self._cache[:, :, :, :n_kept] = kept.unflatten(2, (n_lines, n_kept))
        self._foreign = foreign.new_ones(len(foreign), n_room)
        self._foreign[:, :n_kept] = foreign.gather(1, order[self.sequence])
        self._n_columns = n_kept
