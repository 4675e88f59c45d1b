"""The most likely targets of a transformer's decoder, found by beam search."""

from typing import NamedTuple

import torch
from torch import Tensor

from sknn.modules._attention import RowGroups
from sknn.modules._averaged_decoder import AveragedDecoder
from sknn.modules._seq2seq import Seq2SeqNet


class Hypotheses(NamedTuple):
    """Targets found for each sequence of a batch, best first.

    Attributes
    ----------
    tokens : Tensor of shape (batch, n_best, steps)
        Tokens without begin and end, then zeros.
    lengths : Tensor of shape (batch, n_best)
        How many tokens there are.
    scores : Tensor of shape (batch, n_best)
        Log-probability over the length's penalty; -inf, without tokens, where fewer
        than `n_best` were found.
    """

    tokens: Tensor
    lengths: Tensor
    scores: Tensor


class Beams(NamedTuple):
    """Beginnings that go on, of any number a sequence; its own are next to each other.

    Attributes
    ----------
    sequences : Tensor of shape (rows,)
        Which sequence of the batch each belongs to, in rising order.
    tokens : Tensor of shape (rows,)
        Last token.
    nodes : Tensor of shape (rows,)
        Number of this token in the trellis.
    total : Tensor of shape (rows,)
        Log-probability.
    """

    sequences: Tensor
    tokens: Tensor
    nodes: Tensor
    total: Tensor


class Candidates(NamedTuple):
    """Continuations chosen in one step, (sequences, at most beam_size) each.

    Attributes
    ----------
    total : Tensor
        Log-probability; -inf where there are fewer.
    tokens : Tensor
        The token that is new.
    parents : Tensor
        Row that it follows.
    """

    total: Tensor
    tokens: Tensor
    parents: Tensor


class Trellis:
    """Tokens that were chosen, each with the one before it, by numbers in turn."""

    def __init__(self) -> None:
        self._tokens: list[Tensor] = []
        self._parents: list[Tensor] = []
        self.n_nodes = 0

    def add(self, tokens: Tensor, parents: Tensor) -> Tensor:
        """Number new tokens, of any shape, that follow those numbered `parents`."""
        self._tokens.append(tokens.flatten())
        self._parents.append(parents.flatten())
        first, self.n_nodes = self.n_nodes, self.n_nodes + tokens.numel()
        return torch.arange(first, self.n_nodes, device=tokens.device).view_as(tokens)

    def read(self, nodes: Tensor, lengths: Tensor) -> Tensor:
        """Tokens that lead to nodes, first ones first: (..., steps), then zeros."""
        all_tokens, all_parents = torch.cat(self._tokens), torch.cat(self._parents)
        n_steps = int(lengths.max())
        tokens = nodes.new_zeros(*nodes.shape, n_steps)
        for step in reversed(range(n_steps)):
            within = step < lengths
            tokens[..., step] = all_tokens[nodes].where(within, 0)
            nodes = all_parents[nodes].where(within, nodes)
        return tokens


class Pool:
    """The best complete hypotheses of each sequence, earlier ones first among equals.

    Parameters
    ----------
    n_sequences, n_best : int
        How many sequences there are, and hypotheses of each to keep.
    like : Tensor
        What the scores' type and device are taken from.
    """

    def __init__(self, n_sequences: int, n_best: int, like: Tensor) -> None:
        self.scores = like.new_full((n_sequences, n_best), -torch.inf)
        self.nodes = torch.zeros_like(self.scores, dtype=torch.long)
        self.lengths = torch.zeros_like(self.nodes)

    def add(self, sequences: Tensor, scores: Tensor, nodes: Tensor, step: int) -> None:
        """Offer hypotheses of `step` tokens, (sequences, any) each, to some."""
        n_best = self.scores.shape[1]
        scores = torch.cat([self.scores[sequences], scores], 1)
        scores, order = scores.sort(dim=1, descending=True, stable=True)
        order = order[:, :n_best]
        self.scores[sequences] = scores[:, :n_best]
        for kept, new in (
            (self.nodes, nodes),
            (self.lengths, torch.full_like(nodes, step)),
        ):
            kept[sequences] = torch.cat([kept[sequences], new], 1).gather(1, order)


class Search:
    """Choice of the beginnings that go on, and of the hypotheses that are kept.

    Parameters
    ----------
    net : Seq2SeqNet or AveragedDecoder
        What the tokens that mean something are taken from.
    beam_size, length_penalty, n_best
        As in `decode`.
    longest : Tensor of shape (batch,)
        Tokens of each sequence's targets at most.
    like : Tensor
        What the scores' type and device are taken from.
    """

    def __init__(
        self,
        net: Seq2SeqNet | AveragedDecoder,
        beam_size: int,
        length_penalty: float,
        n_best: int,
        longest: Tensor,
        like: Tensor,
    ) -> None:
        self.begin, self.end = net.begin, net.end
        self._never = torch.tensor([0, net.begin], device=like.device)
        self.beam_size, self.length_penalty = beam_size, length_penalty
        self.longest = longest
        self.penalties = self.penalize(longest.to(like))
        self.trellis, self.pool = Trellis(), Pool(len(longest), n_best, like)
        self.n_steps = 0

    def penalize(self, length: Tensor | int) -> Tensor | float:
        """What log-probabilities of targets of that length are divided by."""
        return ((5 + length) / 6) ** self.length_penalty

    def begin_all(self) -> Beams:
        """Make one beginning a sequence, of no token but begin."""
        sequences = torch.arange(len(self.longest), device=self.longest.device)
        tokens = torch.full_like(sequences, self.begin)
        return Beams(sequences, tokens, sequences, torch.zeros_like(self.penalties))

    def step(self, beams: Beams, outputs: Tensor) -> tuple[Beams, Tensor]:
        """Choose among the continuations of beginnings.

        Parameters
        ----------
        beams : Beams
            What goes on.
        outputs : Tensor of shape (rows, n_target)
            The network's raw outputs for the next token.

        Returns
        -------
        beams : Beams
            What goes on from there.
        rows : Tensor of shape (new rows,)
            Row that each of them continues.
        """
        self.n_steps += 1
        lines, line = beams.sequences.unique_consecutive(return_inverse=True)
        groups = RowGroups(line, len(lines))
        found = choose(self._normalize(outputs), beams.total, groups, self.beam_size)
        nodes = self.trellis.add(found.tokens, beams.nodes[found.parents])
        live = self._collect(found, nodes, lines)
        sequences = lines[live.nonzero()[:, 0]]
        beams = Beams(sequences, found.tokens[live], nodes[live], found.total[live])
        return beams, found.parents[live]

    def _normalize(self, outputs: Tensor) -> Tensor:
        """Log-probabilities where neither begin nor the unseen token can follow."""
        return outputs.index_fill(1, self._never, -torch.inf).log_softmax(1)

    def _collect(self, found: Candidates, nodes: Tensor, lines: Tensor) -> Tensor:
        """Keep what is complete, and say what may still become better than that.

        `lines` (sequences,) are the ones whose candidates these are.
        """
        complete = (found.tokens == self.end) | (
            self.n_steps >= self.longest[lines, None]
        )
        scores = found.total / self.penalize(self.n_steps)
        scores = scores.masked_fill(~complete, -torch.inf)
        self.pool.add(lines, scores, nodes, self.n_steps)
        # the largest divisor to come, after the next step or at the very end
        penalty = self.penalties[lines, None].clamp(min=self.penalize(self.n_steps + 1))
        return ~complete & (found.total / penalty > self.pool.scores[lines, -1:])

    def finish(self) -> Hypotheses:
        """Get the hypotheses that were kept."""
        pool = self.pool
        tokens = self.trellis.read(pool.nodes, pool.lengths)
        is_end = tokens == self.end
        return Hypotheses(
            tokens.masked_fill(is_end, 0), pool.lengths - is_end.sum(-1), pool.scores
        )


@torch.no_grad()
def decode(
    net: Seq2SeqNet | AveragedDecoder,
    x: Tensor,
    lengths: Tensor | None = None,
    *,
    beam_size: int = 1,
    length_penalty: float = 0.6,
    max_length: int | Tensor,
    n_best: int = 1,
) -> Hypotheses:
    r"""Find likely targets of sources, all sources at once.

    In each step the `beam_size` likeliest continuations of a sequence's beginnings are
    chosen. Those that end are complete; the others go on as long as they can still
    become one of the sequence's `n_best`. A sequence with none left is done, and takes
    no time any more. The score is :math:`\log p / ((5 + n) / 6)^a` with n tokens, the
    end's included (Wu et al. 2016, section 7). Tokens 0 and begin are never chosen, and
    probabilities are those among the others. Among equals the lower token comes first.

    Parameters
    ----------
    net : Seq2SeqNet or AveragedDecoder
        Network, or several, in evaluation mode unless dropout is wanted.
    x : Tensor of shape (batch, steps)
        Sources.
    lengths : Tensor of shape (batch,), optional
        Their steps; None: all are full.
    beam_size : int
        Beginnings to go on with; 1 takes the likeliest token in each step.
    length_penalty : float
        The exponent a: 0 compares probabilities, more favours longer targets.
    max_length : int or Tensor of shape (batch,)
        Tokens of a target at most, the end's included. Beginnings of so many are taken
        as they are.
    n_best : int
        Hypotheses to return, at most `beam_size`.

    Returns
    -------
    Hypotheses
        Tokens, lengths and scores.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import Seq2SeqNet, decode
    >>> net = Seq2SeqNet(9, 8, d_model=16, n_heads=2).eval()
    >>> x, lengths = torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2])
    >>> found = decode(net, x, lengths, beam_size=4, n_best=2, max_length=5)
    >>> found.lengths.shape, found.scores.shape
    (torch.Size([2, 2]), torch.Size([2, 2]))
    """
    check_options(beam_size, max_length, n_best)
    state = net.start(net.encode(x, lengths), lengths)
    longest = torch.as_tensor(max_length, device=x.device).expand(len(x))
    search = Search(net, beam_size, length_penalty, n_best, longest, state.memory)
    beams = search.begin_all()
    while len(beams.tokens):
        beams, rows = search.step(beams, net.advance(state, beams.tokens))
        state.select(rows)
    return search.finish()


def choose(
    log_p: Tensor, total: Tensor, groups: RowGroups, beam_size: int
) -> Candidates:
    """Choose the likeliest continuations of each group's rows.

    Parameters
    ----------
    log_p : Tensor of shape (rows, n_target)
        Log-probabilities of the next token; -inf for two that cannot be.
    total : Tensor of shape (rows,)
        Log-probability of what each row has already.
    groups : RowGroups
        Rows of each sequence.
    beam_size : int
        Continuations to choose.
    """
    n_each = max(min(beam_size, log_p.shape[1] - 2), 1)
    values, tokens = find_best(log_p, n_each)  # (rows, n_each)
    values = groups.spread(values + total[:, None], -torch.inf).flatten(1)
    values, order = values.sort(dim=1, descending=True, stable=True)
    order = order[:, :beam_size]
    rows = groups.spread(torch.arange(len(total), device=total.device))
    return Candidates(
        values[:, :beam_size],
        groups.spread(tokens).flatten(1).gather(1, order),
        rows.gather(1, order // n_each),
    )


def find_best(x: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Largest entries of each row with their columns, first ones first among equals."""
    if n == 1:
        return x.max(1, keepdim=True)
    values, columns = x.topk(n + 1)
    if (values[:, 1:] == values[:, :-1]).any():  # which of them topk takes is not said
        values, columns = x.sort(dim=1, descending=True, stable=True)
    return values[:, :n], columns[:, :n]


def check_options(beam_size: int, max_length: int | Tensor, n_best: int) -> None:
    """Refuse numbers that leave nothing to find."""
    shortest = int(torch.as_tensor(max_length).min())
    for name, value in (("max_length", shortest), ("n_best", n_best)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}.")
    if n_best > beam_size:
        raise ValueError(
            f"n_best={n_best} must be <= beam_size={beam_size}, the number of "
            "hypotheses that are looked for."
        )
