"""Batches of similar lengths: every row once, little padding, restorable orders."""

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from sknn.data import Parts, Rows, SequenceBatches, Sequences, make_batches
from sknn.data._batches import TensorBatches
from sknn.data._sequence_batches import LEAST_SAVED, MAX_PADDING, cut_sorted
from sknn.modules import RecurrentNet
from sknn.training._gradient import call

N_ROWS = 203
DATA = Path(__file__).parents[2] / "examples" / "data"


def make_rows(lengths, weighted=False, tokens=False):
    lengths = np.asarray(lengths)
    starts = np.append(0, np.cumsum(lengths))
    rng = np.random.RandomState(0)
    values = rng.normal(size=(starts[-1], 2)).astype(np.float32)
    values = np.arange(1, starts[-1] + 1) if tokens else values
    weight = rng.uniform(size=len(lengths)) if weighted else None
    return Rows(Sequences(values, starts), np.arange(len(lengths)), weight)


@pytest.fixture
def lengths():
    return np.random.RandomState(1).randint(1, 60, N_ROWS)


def get_parts(x):
    """Padded tensors of a batch, each with its lengths or None."""
    parts = x.inputs if isinstance(x, Parts) else [x]
    return [(p["x"], p["lengths"]) if isinstance(p, dict) else (p, None) for p in parts]


def share_of_padding(rows, batches):
    n_steps = sum(x.shape[0] * x.shape[1] for b in batches for x, _ in get_parts(b[0]))
    return 1 - rows.X.lengths.sum() / n_steps


@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
@pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
@pytest.mark.parametrize("batch_size", [1, 7, 32, 100])
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
def test_every_row_comes_once_and_padded(lengths, weighted, tokens, batch_size, reused):
    rows = make_rows(lengths, weighted, tokens)
    batches = SequenceBatches(rows, batch_size, np.random.RandomState(0))
    for _ in range(3):
        seen = []
        for batch in batches.reused() if reused else batches:
            x, y = batch
            index = y.numpy()
            assert batch.n_rows == len(y) <= batch_size
            expected = iter(rows.arrays[0][i] for i in index)
            for padded, found in get_parts(x):
                assert isinstance(padded, torch.Tensor)
                own = list(islice(expected, len(padded)))
                lengths_of_own = [len(row) for row in own]
                assert padded.shape[1] == max(lengths_of_own)
                if found is None:
                    assert set(lengths_of_own) == {padded.shape[1]}
                else:
                    assert found.tolist() == lengths_of_own
                for values, row in zip(padded.numpy(), own, strict=True):
                    assert_array_equal(values[: len(row)], row)
                    assert not values[len(row) :].any()
            assert next(expected, None) is None
            if weighted:
                assert_array_equal(batch.weight[:, 0], rows.weight[index])
                assert batch.total == pytest.approx(rows.weight[index].sum())
            else:
                assert batch.weight is None
                assert batch.total == batch.n_rows
            seen += index.tolist()
        assert sorted(seen) == list(range(N_ROWS))


@pytest.mark.parametrize("batch_size", [1, 5, 203, 300])
def test_equal_lengths_come_as_from_tensor_batches(batch_size):
    rows = make_rows([4] * N_ROWS, weighted=True)
    X, _ = rows.X.padded()
    even = SequenceBatches(rows, batch_size, np.random.RandomState(3))
    table = TensorBatches(
        Rows(X, rows.y, rows.weight), batch_size, np.random.RandomState(3)
    )
    assert len(even) == len(table)
    for _ in range(3):
        for one, other in zip(even, table, strict=True):
            assert_array_equal(one[0], other[0])
            assert_array_equal(one[1], other[1])
            assert_array_equal(one.weight, other.weight)
            assert one.total == other.total
    states = [b.random_state.get_state()[1:3] for b in (even, table)]
    assert_array_equal(states[0][0], states[1][0])
    assert states[0][1] == states[1][1]


def test_rows_of_one_batch_are_one_batch(lengths):
    rows = make_rows(lengths)
    batches = SequenceBatches(rows, N_ROWS, np.random.RandomState(0))
    expected = TensorBatches(Rows(rows.y, rows.y), N_ROWS, np.random.RandomState(0))
    for _ in range(2):
        (batch,), (other,) = batches, expected
        assert_array_equal(batch[1], other[1])


def test_without_a_random_state_the_order_is_given(lengths):
    batches = SequenceBatches(make_rows(lengths), 32)
    for _ in range(2):
        found = [batch[1] for batch in batches]
        assert_array_equal(torch.cat(found), np.arange(N_ROWS))
        assert [len(y) for y in found] == [32] * 6 + [11]
    assert len(batches) == 7


def test_orders_follow_from_the_random_state(lengths):
    rows = make_rows(lengths)

    def find_orders(seed):
        batches = SequenceBatches(rows, 16, np.random.RandomState(seed))
        return [[b[1].tolist() for b in batches] for _ in range(3)]

    assert find_orders(0) == find_orders(0)
    assert find_orders(0) != find_orders(1)
    first, second, _ = find_orders(0)
    assert first != second
    lengths_first = [lengths[y].mean() for y in first]
    assert lengths_first != sorted(lengths_first)  # visited at random


def test_equal_lengths_keep_the_permuted_order():
    rows = make_rows([2, 3] * 20)
    batches = SequenceBatches(rows, 20, np.random.RandomState(0))
    order = np.arange(40)
    np.random.RandomState(0).shuffle(order)
    found = sorted((b[1].tolist() for b in batches), key=lambda y: y[0] % 2)
    assert found == [[i for i in order if i % 2 == j] for j in (0, 1)]


@pytest.mark.parametrize("batch_size", [8, 16, 32])
@pytest.mark.parametrize("n_rows", [50, 270, 1001])
@pytest.mark.parametrize("spread", ["uniform", "skewed"])
def test_little_is_padding(n_rows, batch_size, spread):
    rng = np.random.RandomState(0)
    lengths = rng.randint(29, 362, n_rows)
    if spread == "skewed":
        lengths = 100 + 5 * rng.lognormal(3, 0.7, n_rows).astype(int)
    rows = make_rows(lengths)
    batches = SequenceBatches(rows, batch_size, np.random.RandomState(0))
    for _ in range(3):
        found = list(batches)
        assert share_of_padding(rows, found) <= MAX_PADDING
        assert len(found) == len(batches) == -(-n_rows // batch_size)
        sizes = {batch.n_rows for batch in found}  # all rows have the same pull
        assert max(sizes) - min(sizes) <= 1


def test_a_part_more_saves_more_than_it_costs():
    n_rows = LEAST_SAVED // 4  # of which each is 4 or 5 steps short
    for longest, n_parts in ((5, 1), (6, 2)):
        lengths = [1] * n_rows + [longest] * n_rows
        assert len(cut_sorted(np.array(lengths), 1)) == n_parts + 1


def test_a_subset_is_bucketed_by_its_own_lengths(lengths):
    index = np.arange(N_ROWS)[::-2]
    rows = make_rows(lengths).subset(index)
    batches = list(SequenceBatches(rows, 8, np.random.RandomState(0)))
    assert sorted(torch.cat([b[1] for b in batches]).tolist()) == sorted(index)
    even = np.where(np.arange(N_ROWS) % 2, 3, lengths)
    rows = make_rows(even).subset(np.arange(1, N_ROWS, 2))
    assert all(
        isinstance(b[0], torch.Tensor)
        for b in SequenceBatches(rows, 8, np.random.RandomState(0))
    )


@pytest.mark.parametrize("fewest", [1, 3, 8])
def test_cuts_of_sorted_lengths(fewest):
    rng = np.random.RandomState(0)
    for lengths in (
        np.sort(rng.randint(1, 300, 64)),
        np.append(np.full(63, 5), 10_000),
        np.full(64, 7),
    ):
        bounds = cut_sorted(lengths, fewest)
        assert (bounds[0], bounds[-1]) == (0, 64)
        smallest = min(b - a for a, b in pairwise(bounds))
        assert smallest >= fewest
        assert len(bounds) == 2 or lengths[0] != lengths[-1]
        n_steps = sum(lengths[b - 1] * (b - a) for a, b in pairwise(bounds))
        assert fewest > 1 or lengths.sum() >= (1 - MAX_PADDING) * n_steps


def test_parts_give_what_a_whole_batch_gives(lengths):
    net = RecurrentNet(2, 3, hidden_layer_sizes=(4,), bidirectional=True).double()
    rows = make_rows(lengths)
    batch = next(iter(SequenceBatches(rows, 64, np.random.RandomState(0))))
    assert isinstance(batch[0], Parts)
    x, n_steps = rows.arrays[0].padded(batch[1].numpy())
    with torch.no_grad():
        whole = net(torch.from_numpy(x).double(), torch.from_numpy(n_steps))
        parts = call(net, batch[0])
    # float64 all the way, but for inputs that are float32
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-12)


def test_make_batches_knows_sequences(lengths):
    rows = make_rows(lengths)
    for device in ("cpu", "meta"):
        batches = make_batches(rows, 32, np.random.RandomState(0), device=device)
        assert type(batches) is SequenceBatches
        x, y = next(iter(batches))
        tensors = [y, *(tensor for part in get_parts(x) for tensor in part)]
        assert {tensor.device.type for tensor in tensors} == {device}


def test_rows_without_targets_can_be_predicted(lengths):
    rows = Rows(make_rows(lengths).X)
    assert sum(batch.n_rows for batch in SequenceBatches(rows, 32)) == N_ROWS


def test_global_random_states_are_not_used(lengths):
    torch_state = torch.get_rng_state()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    list(SequenceBatches(make_rows(lengths), 5, np.random.RandomState(0)))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("name", ["japanese_vowels", "pickup_gesture"])
@pytest.mark.parametrize("batch_size", [8, 16, 32])
def test_little_of_real_batches_is_padding(name, batch_size):
    with np.load(DATA / f"{name}.npz") as file:
        n = int(file["n_train"])
        starts = np.append(0, np.cumsum(file["lengths"][:n]))
        rows = Rows(Sequences(file["values"][: starts[-1]], starts), np.zeros(n))
    batches = make_batches(rows, batch_size, np.random.RandomState(0))
    for _ in range(3):
        assert share_of_padding(rows, batches) <= MAX_PADDING
