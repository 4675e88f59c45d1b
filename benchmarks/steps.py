"""Taggers and sequence to sequence: fits against skorch, decoding against no cache.

``python -m benchmarks.steps [--quick]``
"""

import numpy as np
import torch

from benchmarks._data import load_pronunciations, load_treebank
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._step_peers import STEP_PEERS, TORCH_LAYERS, StepShape
from benchmarks._timing import paired_ratios, time_in_turns, warm_up
from benchmarks._uncached import Uncached
from benchmarks.fit import check_epochs
from sknn.modules import decode

SHAPES = [
    StepShape(
        "treebank, RecurrentTagger", load_treebank, "RecurrentTagger", 2, 32, 2032
    ),
    StepShape(
        "treebank, TransformerTagger", load_treebank, "TransformerTagger", 2, 32, 2032
    ),
    StepShape(
        "words to phones, Seq2SeqTransformer",
        load_pronunciations,
        "Seq2SeqTransformer",
        2,
        64,
        6000,
    ),
]
AT_LEAST = {
    "RecurrentTagger": 3.0,
    "TransformerTagger": 1.5,
    "Seq2SeqTransformer": 1.5,
}
N_WORDS, LONGEST, BEAM = 500, 30, 5
NOTES = [
    "float32; each ratio is the peer's time over sknn's: the median over the rounds, "
    "with its quartiles. Above 1, sknn is faster.",
    "skorch trains sknn's own module on arrays padded to the longest sequence of all, "
    "with Adam and its callbacks as they are by default (verbose=0), and spells each "
    "word of a batch once, as sknn does; torch's layers: the same spelled embedding "
    "before torch.nn.LSTM over packed sequences. Reading strings is in sknn's time "
    "alone.",
    f"Decoding: {N_WORDS} words by beam search, {BEAM} beams, up to {LONGEST} phones, "
    "by a network that hardly ever ends a target; without a cache each step computes "
    "all steps before it once more. The benchmark fails if results differ.",
]


def measure_fits(shape: StepShape, n_rounds: int) -> dict[str, list[float]]:
    """Seconds of every competitor's fits."""
    X, y, _, _ = shape.load()
    X, y = X[: shape.n_rows], y[: shape.n_rows]
    peers = dict(STEP_PEERS)
    if shape.estimator == "RecurrentTagger":
        peers["skorch, torch's layers"] = TORCH_LAYERS
    runs = {name: peer.prepare(shape, X, y) for name, peer in peers.items()}
    for name, fitted in warm_up(runs).items():
        check_epochs(name, peers[name].n_epochs(fitted), shape)
    return time_in_turns(runs, n_rounds)


def measure_decoding(n_rounds: int) -> dict[str, list[float]]:
    """Seconds of beam search with and without a cache."""
    X, y, words, _ = load_pronunciations()
    model = SHAPES[-1].make_estimator(max_iter=1).fit(X[:64], y[:64])
    x, lengths = model._reader.read(words[:N_WORDS], np.float32).padded()
    inputs = torch.from_numpy(x), torch.from_numpy(lengths)
    options = {"beam_size": BEAM, "max_length": LONGEST}
    net = model.module_
    runs = {
        "cached": lambda: decode(net, *inputs, **options),
        "uncached": lambda: decode(Uncached(net), *inputs, **options),
    }
    found = warm_up(runs)
    if not torch.equal(found["cached"].tokens, found["uncached"].tokens):
        raise RuntimeError("Both ways of decoding must find the same targets.")
    return time_in_turns(runs, n_rounds)


def measure(quick: bool = False) -> Report:
    """Train every shape, then decode."""
    n_rounds = 3 if quick else 7
    columns = ["work", "sknn, ms", "against skorch", "against skorch, torch's layers"]
    columns += ["against no cache"]
    report = Report(
        "steps", "Labels of steps, sequences to sequences", columns, notes=NOTES
    )
    for shape in SHAPES:
        seconds = report.seconds[shape.name] = measure_fits(shape, n_rounds)
        ratios = {p: paired_ratios(seconds, p, "sknn") for p in seconds if p != "sknn"}
        cells = [format_ratio(quartiles) for quartiles in ratios.values()]
        milliseconds = f"{1000 * np.median(seconds['sknn']):.0f}"
        report.add_row(shape.name, milliseconds, *cells, *[""] * (3 - len(cells)))
        what = f"fit of a {shape.estimator} against skorch"
        goal = AT_LEAST[shape.estimator]
        report.goals.append(Goal(what, float(ratios["skorch"][1]), goal))
    seconds = report.seconds["decoding"] = measure_decoding(n_rounds)
    ratio = paired_ratios(seconds, "uncached", "cached")
    milliseconds = f"{1000 * np.median(seconds['cached']):.0f}"
    report.add_row(
        f"decoding {N_WORDS} words", milliseconds, "", "", format_ratio(ratio)
    )
    what = f"decoding with beam {BEAM} against no cache"
    report.goals.append(Goal(what, float(ratio[1]), 5.0))
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
