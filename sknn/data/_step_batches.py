"""Batches of sequences whose steps are rows of the loss."""

import numpy as np

from sknn.data._sequence_batches import SequenceBatches
from sknn.data._step_targets import step_weights


class StepBatches(SequenceBatches):
    """Batches of sequences with a target at each step.

    Targets and weights of a batch are those of all steps, sequence after sequence, and
    so must be the module's outputs; rows are steps where losses are averaged.

    Parameters
    ----------
    dataset : Rows
        Its inputs and targets are `Sequences` of equal lengths.
    *args, **kwargs
        As for `SequenceBatches`.
    class_factor : ndarray of shape (n_classes,), optional
        What a step's weight is multiplied by, by its class.
    """

    def __init__(self, dataset, *args, class_factor=None, **kwargs):
        super().__init__(dataset, *args, **kwargs)
        self.n_rows = int(dataset.y.lengths.sum())
        self._class_factor = class_factor

    def _targets(self, index):
        _, y, weight = self.dataset.arrays
        labels = y[index]
        weight = None if weight is None else weight[index]
        weight = step_weights(labels, weight, self._class_factor)
        return self._to_device(labels.values), weight


class ForcedBatches(StepBatches):
    """Batches for a decoder that is given the true tokens before each step.

    Inputs are a dict of "x", "lengths" where the sources differ, "y" and, where the
    targets differ, "y_lengths". Lengths of source and target are added where batches of
    similar ones are looked for.

    Parameters
    ----------
    dataset : Rows
        Its inputs are `Sequences`, and so are its targets, which have an end.
    *args, **kwargs
        As for `StepBatches`.
    begin : int
        What stands before a target's first token.
    """

    def __init__(self, dataset, *args, begin, **kwargs):
        super().__init__(dataset, *args, **kwargs)
        self._begin = begin

    def _lengths_of(self, dataset):
        X, y, _ = dataset.arrays
        return X.lengths + y.lengths

    def _part(self, index):
        inputs = super()._part(index)
        inputs = inputs if isinstance(inputs, dict) else {"x": inputs}
        forced = decoder_inputs(self.dataset.arrays[1], index, self._begin)
        return inputs | {name: self._to_device(x) for name, x in forced.items()}


def decoder_inputs(y, index, begin):
    """What a decoder is given for targets.

    Parameters
    ----------
    y : Sequences
        Encoded targets, with an end.
    index : ndarray of int or slice
        Which of them.
    begin : int
        What stands before the first token.

    Returns
    -------
    dict of ndarray
        "y" of shape (n, longest), and "y_lengths" where they differ.
    """
    targets, lengths = y.padded(index)
    inputs = np.empty_like(targets, order="C")
    inputs[:, 0], inputs[:, 1:] = begin, targets[:, :-1]
    return {"y": inputs} if lengths is None else {"y": inputs, "y_lengths": lengths}
