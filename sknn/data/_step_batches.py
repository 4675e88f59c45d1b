"""Batches of sequences whose steps are rows of the loss."""

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
        self._class_factor = class_factor

    def _targets(self, index):
        _, y, weight = self.dataset.arrays
        labels = y[index]
        weight = None if weight is None else weight[index]
        weight = step_weights(labels, weight, self._class_factor)
        return self._to_device(labels.values), weight
