"""Decoding step by step, and beam search over it, against plain recomputation."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sknn.modules import Seq2SeqNet, decode
from sknn.modules._attention import RowGroups
from sknn.modules._beam_search import find_best
from sknn.modules._steps import find_padding
from sknn.training._sequence_initialization import initialize_sequence_net

N_SOURCE, N_TARGET, N_KNOWN = 7, 6, 3
LENGTHS, N_STEPS = torch.tensor([5, 1, 7, 3]), 7
ENCODINGS = ["sinusoidal", "learned", "rotary", None]
PENALTIES = [0.0, 0.6, 1.5, -0.5]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@torch.no_grad()
def make_net(**parameters):
    """Random parameters everywhere; the learned positions end before the sequences.

    Sources matter, and after a quarter of all beginnings the end is likeliest.
    """
    options = {"d_model": 8, "n_heads": 2, "max_length": 4, **parameters}
    net = Seq2SeqNet(N_SOURCE, N_TARGET, **options).double().eval()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5)
    for layer in net.decoder_layers:
        layer.cross_attention.out_projection.weight *= 3
    y = torch.randint(1, N_KNOWN + 1, (100, 9))
    y[:, 0] = net.begin
    outputs = net(draw_sources(100), y=y)
    margins = outputs[:, 1 : net.begin].amax(1) - outputs[:, net.end]
    net.output.bias[net.end] += margins.quantile(0.25)
    return net


def draw_sources(n_rows=4):
    return torch.randint(0, N_SOURCE, (n_rows, N_STEPS))


def draw_lengths(n_rows):
    return torch.randint(1, N_STEPS + 1, (n_rows,))


@torch.no_grad()
def compute_outputs(net, x, length, y):
    """Raw outputs after each token of `y` (steps,), by the whole network."""
    return net(x[None, :length], y=y[None])


# Steps


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_step_at_a_time_is_all_at_once(encoding, norm_first):
    net = make_net(positional_encoding=encoding, norm_first=norm_first)
    x, y = draw_sources(), torch.randint(0, N_TARGET, (4, 20))
    for lengths in (LENGTHS, None):
        state = net.start(net.encode(x, lengths), lengths)
        steps = [net.advance(state, tokens) for tokens in y.T]
        expected = net(x, lengths, y=y).unflatten(0, y.shape)
        # in sums of tens of numbers of size one rounding is some 1e-15
        assert_close(torch.stack(steps, 1), expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_may_be_chosen_anew_in_any_order(encoding):
    """Each row's outputs are those of its own tokens, whatever other rows have done."""
    net, n_sources = make_net(positional_encoding=encoding), 8
    x, lengths = draw_sources(n_sources), draw_lengths(n_sources)
    state = net.start(net.encode(x, lengths), lengths)
    sources, histories = list(range(n_sources)), [[] for _ in range(n_sources)]
    widths, n_kept = [], []
    for step in range(25):
        tokens = torch.randint(0, N_TARGET, (len(sources),))
        outputs = net.advance(state, tokens)
        histories = [
            [*history, token]
            for history, token in zip(histories, tokens.tolist(), strict=True)
        ]
        for source, history, actual in zip(sources, histories, outputs, strict=True):
            y = torch.tensor(history)
            expected = compute_outputs(net, x[source], lengths[source], y)[-1]
            assert_close(actual, expected, rtol=1e-10, atol=1e-11)
        widths.append(state.mask.shape[-1])
        n_kept.append(state.memory.shape[2])
        n_rows = 12 if step < 20 else 3  # some sources are left without a row
        rows = torch.randint(len(sources), (n_rows,))
        state.select(rows)
        sources = [sources[row] for row in rows]
        histories = [histories[row] for row in rows]
    assert any(later < before for before, later in itertools.pairwise(widths))
    assert n_kept[0] == n_sources and n_kept[-1] <= 3


def test_nothing_is_kept_of_rows_that_are_gone():
    net, n_sources = make_net(), 100
    state = net.start(net.encode(draw_sources(n_sources)))
    for n_rows in (100, 60, 7, 1):
        state.select(torch.arange(n_rows))
        assert state.memory.shape[2] == n_rows
        assert len(net.advance(state, torch.ones(n_rows, dtype=torch.long))) == n_rows
    state.select(torch.arange(0))
    assert state.memory.shape[2] == 0


def test_rows_of_groups_make_a_rectangle():
    group, x = torch.tensor([2, 0, 2, 3, 2, 0]), torch.arange(12.0).view(6, 2)
    groups = RowGroups(group, 5)
    assert groups.width == 3
    assert groups.slot.tolist() == [0, 0, 1, 0, 2, 1]
    lines = groups.spread(x, filling=-1.0)
    expected = torch.full((5, 3, 2), -1.0, dtype=x.dtype)
    expected[2], expected[0, :2], expected[3, 0] = x[[0, 2, 4]], x[[1, 5]], x[3]
    assert torch.equal(lines, expected)
    assert torch.equal(groups.collect(lines), x)


# Searches by hand


def compute_log_p(net, x, length, tokens):
    """Log-probabilities of what follows `tokens`; only some tokens can."""
    y = torch.tensor([net.begin, *tokens])
    outputs = compute_outputs(net, x, length, y)[-1]
    allowed = [token for token in range(1, net.end + 1) if token != net.begin]
    log_p = outputs[allowed].log_softmax(0).tolist()
    return dict(zip(allowed, log_p, strict=True))


def weigh(log_p, n_tokens, exponent):
    return log_p / ((5 + n_tokens) / 6) ** exponent


def search_by_hand(net, x, length, beam_size, exponent, max_length, n_best=None):
    """Beam search of one source, in lists; with `n_best`, live ones are dropped early.

    Returns the complete hypotheses, best first, and how many were live at each step.
    """
    live, complete, n_live = [(0.0, [])], [], []
    for step in range(1, max_length + 1):
        n_live.append(len(live))
        candidates = [
            (total + log_p, slot, token)
            for slot, (total, tokens) in enumerate(live)
            for token, log_p in compute_log_p(net, x, length, tokens).items()
        ]
        chosen = sorted(candidates, key=lambda c: (-c[0], c[1], c[2]))[:beam_size]
        parents, live = live, []
        for total, slot, token in chosen:
            tokens = parents[slot][1]
            if token == net.end:
                complete.append((weigh(total, step, exponent), tokens))
            elif step == max_length:
                complete.append((weigh(total, step, exponent), [*tokens, token]))
            else:
                live.append((total, [*tokens, token]))
        complete.sort(key=lambda c: -c[0])
        if n_best is not None and len(complete) >= n_best:
            lengths = (step + 1, max_length)
            live = [
                (total, tokens)
                for total, tokens in live
                if max(weigh(total, n, exponent) for n in lengths)
                > complete[n_best - 1][0]
            ]
        if not live:
            break
    return complete, n_live


class CountingNet:
    """A network that notes how many rows each step has."""

    def __init__(self, net):
        self.net, self.n_rows = net, []

    def __getattr__(self, name):
        return getattr(self.net, name)

    def advance(self, state, tokens):
        self.n_rows.append(len(tokens))
        return self.net.advance(state, tokens)


def assert_found(found, i, expected, n_best):
    """Compare the hypotheses of sequence `i` with pairs of score and tokens."""
    n_found = min(n_best, len(expected))
    for k, (score, tokens) in enumerate(expected[:n_found]):
        assert found.lengths[i, k] == len(tokens)
        assert found.tokens[i, k, : len(tokens)].tolist() == tokens
        assert not found.tokens[i, k, len(tokens) :].any()
        assert found.scores[i, k].item() == pytest.approx(score, abs=1e-11)
    assert (found.scores[i, n_found:] == -math.inf).all()
    assert not found.lengths[i, n_found:].any()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_beam_of_one_takes_the_likeliest_token(encoding):
    net = make_net(positional_encoding=encoding)
    n_rows, max_length = 30, 9
    x, lengths = draw_sources(n_rows), draw_lengths(n_rows)
    counting = CountingNet(net)
    found = decode(counting, x, lengths, max_length=max_length)
    assert found.scores.shape == (n_rows, 1)
    n_steps = []
    for i, (row, length) in enumerate(zip(x, lengths, strict=True)):
        steps, total = [], 0.0
        while len(steps) < max_length and net.end not in steps:
            log_p = compute_log_p(net, row, length, steps)
            steps.append(max(log_p, key=log_p.get))
            total += log_p[steps[-1]]
        tokens = [token for token in steps if token != net.end]
        assert_found(found, i, [(weigh(total, len(steps), 0.6), tokens)], 1)
        n_steps.append(len(steps))
    assert len(set(n_steps)) > 1  # sequences end at different times
    expected = [sum(n >= step for n in n_steps) for step in range(1, max(n_steps) + 1)]
    assert counting.n_rows == expected


def enumerate_targets(net, x, length, exponent, max_length):
    """All targets of at most so many tokens with their scores, best first."""
    found = []
    for n in range(max_length + 1):
        for tokens in itertools.product(range(1, N_KNOWN + 1), repeat=n):
            steps = [*tokens, net.end] if n < max_length else list(tokens)
            log_p = [
                compute_log_p(net, x, length, steps[:k])[token]
                for k, token in enumerate(steps)
            ]
            found.append((weigh(sum(log_p), len(steps), exponent), list(tokens)))
    return sorted(found, key=lambda hypothesis: -hypothesis[0])


@pytest.mark.parametrize("exponent", PENALTIES)
def test_a_beam_as_wide_as_all_targets_finds_the_best(exponent):
    net, x = make_net(), draw_sources(2)
    lengths, max_length = LENGTHS[:2], 4
    expected = [
        enumerate_targets(net, *row, exponent, max_length)
        for row in zip(x, lengths, strict=True)
    ]
    n_all = sum(N_KNOWN**n for n in range(max_length + 1))
    options = {"beam_size": n_all + 1, "length_penalty": exponent}
    for n_best in (1, 5, n_all + 1):
        found = decode(net, x, lengths, max_length=max_length, n_best=n_best, **options)
        for i, targets in enumerate(expected):
            assert len(targets) == n_all
            assert_found(found, i, targets, n_best)


def test_probabilities_of_all_targets_sum_to_one():
    options = {"beam_size": 121, "n_best": 121, "length_penalty": 0.0, "max_length": 4}
    found = decode(make_net(), draw_sources(), LENGTHS, **options)
    assert_close(found.scores.exp().sum(1), torch.ones(4, dtype=torch.float64))


@pytest.mark.parametrize("exponent", PENALTIES)
@pytest.mark.parametrize(("beam_size", "n_best"), [(2, 1), (3, 3), (5, 2)])
def test_narrow_beams(beam_size, n_best, exponent):
    """The same as a search in lists that drops nothing before the end."""
    net, n_sources = make_net(), 8
    x, lengths = draw_sources(n_sources), draw_lengths(n_sources)
    max_lengths = torch.tensor([7, 9, 6, 1, 9, 2, 8, 9])
    counting = CountingNet(net)
    options = {"beam_size": beam_size, "length_penalty": exponent, "n_best": n_best}
    found = decode(counting, x, lengths, max_length=max_lengths, **options)
    n_rows = np.zeros(9, int)
    for i, row in enumerate(zip(x, lengths, strict=True)):
        setting = (*row, beam_size, exponent, int(max_lengths[i]))
        expected, n_live = search_by_hand(net, *setting)
        assert_found(found, i, expected, n_best)
        _, n_hopeful = search_by_hand(net, *setting, n_best)
        assert sum(n_hopeful) <= sum(n_live)
        n_rows[: len(n_hopeful)] += n_hopeful
    assert counting.n_rows == n_rows[n_rows > 0].tolist()


def test_rows_are_dropped_once_they_cannot_win():
    """Where the end is likely, a wide beam takes few steps."""
    net = make_net()
    with torch.no_grad():
        net.output.bias[net.end] = 20.0
    counting = CountingNet(net)
    decode(counting, draw_sources(), LENGTHS, beam_size=4, max_length=50)
    assert counting.n_rows == [4]


@pytest.mark.parametrize("beam_size", [1, 2, 3, 4])
def test_among_equals_the_lower_token_comes_first(beam_size):
    net, x = make_net(), draw_sources()
    with torch.no_grad():
        net.output.weight.zero_()
        net.output.bias.zero_()
    options = {"beam_size": beam_size, "n_best": beam_size}
    found = decode(net, x, LENGTHS, max_length=3, **options)
    for i, row in enumerate(zip(x, LENGTHS, strict=True)):
        expected, _ = search_by_hand(net, *row, beam_size, 0.6, 3)
        assert_found(found, i, expected, beam_size)
    found = decode(net, x, LENGTHS, max_length=3)
    assert found.tokens[:, 0].tolist() == [[1, 1, 1]] * 4


def test_the_first_of_equal_entries_comes_first():
    x = torch.randint(0, 4, (50, 9)).double()
    for n in (1, 2, 5):
        values, columns = find_best(x, n)
        order = np.argsort(-x.numpy(), axis=1, kind="stable")[:, :n]
        assert columns.tolist() == order.tolist()
        assert torch.equal(values, x.gather(1, columns))


# Batches


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_padding_and_other_sequences_change_nothing(encoding, beam_size):
    net, n_rows = make_net(positional_encoding=encoding), 20
    x, lengths = draw_sources(n_rows), draw_lengths(n_rows)
    options = {"beam_size": beam_size, "n_best": beam_size, "max_length": 12}
    together = decode(net, x, lengths, **options)
    padded = x.masked_fill(find_padding(lengths, N_STEPS), 1000)  # 1000 is no token
    for one, other in zip(
        together, decode(net, padded, lengths, **options), strict=True
    ):
        assert torch.equal(one, other)
    for i in range(n_rows):
        alone = decode(net, x[i : i + 1, : lengths[i]], **options)
        n_steps = alone.tokens.shape[-1]
        assert torch.equal(alone.tokens[0], together.tokens[i, :, :n_steps])
        assert torch.equal(alone.lengths[0], together.lengths[i])
        assert_close(alone.scores[0], together.scores[i], rtol=0, atol=1e-12)


def test_beginnings_too_few_for_the_best():
    net, x = make_net(), draw_sources()
    found = decode(net, x, LENGTHS, beam_size=9, n_best=9, max_length=1)
    assert torch.isfinite(found.scores).sum(1).tolist() == [N_KNOWN + 1] * 4
    assert (found.scores[:, N_KNOWN + 1 :] == -math.inf).all()
    assert found.lengths.sum(1).tolist() == [N_KNOWN] * 4


def test_scores_are_never_differentiated():
    net = make_net()
    found = decode(net.train(), draw_sources(), LENGTHS, beam_size=2, max_length=3)
    assert not found.scores.requires_grad
    assert net.training
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 0}, "max_length must be >= 1, got 0"),
        ({"max_length": torch.tensor([3, 0, 2, 1])}, "max_length must be >= 1, got 0"),
        ({"max_length": 3, "n_best": 0}, "n_best must be >= 1, got 0"),
        ({"max_length": 3, "n_best": 3, "beam_size": 2}, "n_best=3 must be <= beam_s"),
    ],
)
def test_numbers_that_leave_nothing_to_find(options, message):
    with pytest.raises(ValueError, match=message):
        decode(make_net(), draw_sources(), LENGTHS, **options)


# All together


@pytest.mark.parametrize("encoding", ["sinusoidal", "learned", "rotary"])
def test_twenty_reversed_sequences_are_learned_and_decoded(encoding):
    net = Seq2SeqNet(
        9, 11, d_model=32, n_heads=2, positional_encoding=encoding, max_length=8
    )
    initialize_sequence_net(net, np.random.RandomState(0))
    x, lengths = torch.randint(1, 9, (20, 7)), torch.arange(20) % 7 + 1
    targets = [row[:n].flip(0) for row, n in zip(x, lengths, strict=True)]
    inputs = torch.zeros(20, 8, dtype=torch.long)
    for row, target in zip(inputs, targets, strict=True):
        row[: len(target) + 1] = torch.tensor([net.begin, *target])
    following = [torch.tensor([*target, net.end]) for target in targets]
    optimizer = torch.optim.Adam(net.parameters(), 0.005)
    for _ in range(150):
        optimizer.zero_grad()
        outputs = net(x, lengths, y=inputs, y_lengths=lengths + 1)
        nn.functional.cross_entropy(outputs, torch.cat(following)).backward()
        optimizer.step()
    for beam_size in (1, 4):
        found = decode(net.eval(), x, lengths, beam_size=beam_size, max_length=12)
        assert torch.equal(found.lengths[:, 0], lengths)
        for tokens, target in zip(found.tokens[:, 0], targets, strict=True):
            assert torch.equal(tokens[: len(target)], target)
