"""Colours of the nodes of a graph, for classes or for numbers."""

from collections.abc import Iterable, Mapping

import numpy as np

from sknn.data import read_known

# told apart whatever colours one sees (Okabe and Ito 2008)
COLORS = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442"
DARKER = 0.55  # the same colours once more
MANY = "viridis"  # of more classes still
UNKNOWN = "0.8"


class Values:
    """A class or number of each node, some of which may be unknown.

    Parameters
    ----------
    name : str
        Name of the parameter, for the messages.
    values : array-like of shape (n_nodes,)
        What the user passed; NaN and None are unknown, and of classes -1, where it is
        not one of `classes`.
    n_nodes : int
        Nodes of the graph.
    classes : array-like or None
        All classes; without, real numbers are numbers, and all else is a class.
    like : Values or None
        Values that these are compared with, which have the same kind.
    """

    def __init__(self, name, values, n_nodes, classes, like=None):
        array = np.asarray(values)
        if array.shape != (n_nodes,):
            raise ValueError(
                f"{name} must have one value a node, {n_nodes}: got the shape "
                f"{array.shape}."
            )
        array, known = read_known(array, False)
        has_classes = classes is not None or array.dtype.kind != "f"
        self.are_classes = has_classes if like is None else like.are_classes
        if not self.are_classes:
            check_numbers(name, array, known)
        elif classes is None or -1 not in list(classes):
            array, known = read_known(array, True)
        self.array, self.known = array, known

    @property
    def of_known(self):
        """Values that are known, as a list."""
        return self.array[self.known].tolist()


def check_numbers(name, array, known):
    """Refuse what a colour map has no colour for."""
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be numbers: got {array.dtype} for its type.")
    if np.isinf(array[known]).any():
        raise ValueError(f"{name} must be finite, or NaN where it is unknown: got inf.")


class ClassColors:
    """A colour for each class, grey for nodes without one.

    Parameters
    ----------
    classes : array-like or None
        Classes in the order of their colours; those that occur beside them follow.
    found : list
        Classes of nodes.
    colors : list of color, dict or None
        What the user passed.
    """

    def __init__(self, classes, found, colors):
        from matplotlib.colors import to_rgba_array

        if classes is None:
            classes = sort_labels(found)
        self.classes = list(dict.fromkeys([*np.asarray(classes).tolist(), *found]))
        self._rgba = to_rgba_array(choose_colors(self.classes, colors))
        self._places = {label: i for i, label in enumerate(self.classes)}

    def paint(self, values):
        """RGBA of all nodes, of shape (n_nodes, 4)."""
        from matplotlib.colors import to_rgba

        rgba = np.tile(to_rgba(UNKNOWN), (len(values.array), 1))
        rgba[values.known] = self._rgba[[self._places[v] for v in values.of_known]]
        return rgba

    def list_colors(self):
        """Pairs of a class and its colour."""
        return list(zip(self.classes, self._rgba, strict=True))


class NumberColors:
    """A colour map from the smallest to the largest number, grey where there is none.

    Parameters
    ----------
    found : list of float
        Numbers of nodes.
    cmap : str or matplotlib Colormap
        What the user passed.
    """

    def __init__(self, found, cmap):
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        low, high = (min(found), max(found)) if found else (0.0, 1.0)
        low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
        self.mappable = ScalarMappable(Normalize(low, high), cmap)

    def paint(self, values):
        """RGBA of all nodes, of shape (n_nodes, 4)."""
        from matplotlib.colors import to_rgba

        rgba = np.tile(to_rgba(UNKNOWN), (len(values.array), 1))
        rgba[values.known] = self.mappable.to_rgba(values.array[values.known])
        return rgba


def find_rings(values, truth, n_nodes):
    """Which nodes have a ring: those of another true class, or of a true number."""
    if truth is None:
        return np.zeros(n_nodes, bool)
    if not values.are_classes:
        return truth.known
    pairs = zip(values.array.tolist(), truth.array.tolist(), strict=True)
    differ = np.array([value != true for value, true in pairs], bool)
    return truth.known & differ


def choose_rgba(paints, values, n_nodes):
    """Colours of the nodes, of shape (n_nodes, 4)."""
    from matplotlib.colors import to_rgba

    if paints is None:
        return np.tile(to_rgba(COLORS[0]), (n_nodes, 1))
    return paints.paint(values)


def sort_labels(labels):
    """Labels that occur, sorted, or in the order of their first ones."""
    labels = list(dict.fromkeys(labels))
    try:
        return sorted(labels)
    except TypeError:  # of several types
        return labels


def choose_colors(classes, colors):
    """One colour a class.

    Raises
    ------
    TypeError, ValueError
        If `colors` are something else, or not enough.
    """
    if colors is None:
        return choose_own_colors(len(classes))
    if isinstance(colors, Mapping):
        missing = [label for label in classes if label not in colors]
        if missing:
            raise ValueError(f"colors must have all classes: {missing[0]!r} has none.")
        return [colors[label] for label in classes]
    if isinstance(colors, str) or not isinstance(colors, Iterable):
        raise TypeError(
            "colors must be a list of colours, a dict from classes to colours, or "
            f"None: got {colors!r}."
        )
    colors = list(colors)
    if len(colors) < len(classes):
        raise ValueError(
            f"colors must be one a class, {len(classes)}: got {len(colors)}."
        )
    return colors[: len(classes)]


def choose_own_colors(n_classes):
    """Colours, if they do not suffice darker ones as well, or else shades of a map."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    darker = [tuple(DARKER * part for part in to_rgb(color)) for color in COLORS]
    colors = [*COLORS, *darker]
    if n_classes <= len(colors):
        return colors[:n_classes]
    return colormaps[MANY](np.linspace(0, 1, n_classes))
