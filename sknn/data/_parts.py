"""Inputs of a batch in parts that a module is given one after another."""


class Parts:
    """Inputs of neighbouring rows, whose outputs belong one behind the other.

    Parameters
    ----------
    inputs : list of tensor or of dict
        What a module takes, for each part.
    n_rows : int
        Rows of all parts.
    """

    def __init__(self, inputs, n_rows):
        self.inputs, self.n_rows = inputs, n_rows

    def __len__(self):
        return self.n_rows
