"""Write the files of this folder from those of the packages that they come from.

``python derive.py AEON NAMES`` with the folders of unpacked aeon 1.6.0 and names 0.3.0.
"""

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


if __name__ == "__main__":
    aeon, names = map(Path, sys.argv[1:])
    for name, problem in SERIES.items():
        write_series(aeon / "aeon" / "datasets" / "data", name, problem)
    write_names(names)
