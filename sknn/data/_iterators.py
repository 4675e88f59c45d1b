"""The iterator of batches that suits rows and device."""

import torch
from scipy import sparse

from sknn.data._batches import ResidentBatches, TensorBatches
from sknn.data._graph_batches import GraphBatches
from sknn.data._graphs import Graphs
from sknn.data._mapped import is_memory_mapped
from sknn.data._node_batches import NodeBatches
from sknn.data._nodes import Nodes
from sknn.data._sequence_batches import SequenceBatches
from sknn.data._sequences import Sequences
from sknn.data._step_batches import ForcedBatches, StepBatches


def make_batches(dataset, *args, device="cpu", **kwargs):
    """Iterator of batches that suits the rows and the device.

    Sequences, graphs, memory-mapped and sparse rows stream to an accelerator; others
    live there. The arguments are those of `TensorBatches`.
    """
    X, y, _ = dataset.arrays
    on_cpu = torch.device(device).type == "cpu"
    if y is None:  # nothing is trained
        kwargs = {k: v for k, v in kwargs.items() if k not in ("class_factor", "begin")}
    if isinstance(X, Sequences):
        batches = StepBatches if isinstance(y, Sequences) else SequenceBatches
        batches = ForcedBatches if "begin" in kwargs else batches
    elif isinstance(X, Graphs | Nodes):
        batches = GraphBatches if isinstance(X, Graphs) else NodeBatches
    elif on_cpu or sparse.issparse(X) or is_memory_mapped(X):
        batches = TensorBatches
    else:
        batches = ResidentBatches
    return batches(dataset, *args, device=device, **kwargs)
