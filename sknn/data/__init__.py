"""What users pass becomes rows and targets that training can draw batches from."""

from sknn.data._batches import Batch, PartedBatch, make_batch, to_tensor
from sknn.data._chunks import cut_rows, iter_chunks, move
from sknn.data._conditions import Conditions
from sknn.data._graph import Graph
from sknn.data._graph_batches import GraphBatches
from sknn.data._graph_forms import (
    as_graph,
    holds_graphs,
    is_graph,
    refuse_other_order,
)
from sknn.data._graph_reading import read_matrix
from sknn.data._graphs import Graphs
from sknn.data._iterators import make_batches
from sknn.data._layout import sample_shape
from sknn.data._mapped import convert, converts_late, memory_of
from sknn.data._messages import Messages, make_message_matrix
from sknn.data._neighbours import Neighbours
from sknn.data._node_batches import NodeBatches
from sknn.data._node_numbers import check_numbers
from sknn.data._nodes import Nodes
from sknn.data._parts import Parts
from sknn.data._reconstruction_targets import ReconstructionTargets, within_unit
from sknn.data._rows import Rows, split_for_validation
from sknn.data._scaling import channel_bounds, channel_moments
from sknn.data._sequence_batches import SequenceBatches
from sknn.data._sequence_reader import SequenceReader
from sknn.data._sequences import Sequences
from sknn.data._stacked_batches import StackedBatches, are_equal
from sknn.data._step_batches import decoder_inputs
from sknn.data._step_labels import as_object_array, has_one_label_a_row, read_labels
from sknn.data._step_targets import StepTargets, step_weights
from sknn.data._structure import structural_features
from sknn.data._targets import ClassTargets, RealTargets
from sknn.data._token_targets import TokenTargets
from sknn.data._unlabelled import read_known
from sknn.data._weights import combine_weights, weights_of_classes

__all__ = [
    "Batch",
    "ClassTargets",
    "Conditions",
    "Graph",
    "GraphBatches",
    "Graphs",
    "Messages",
    "Neighbours",
    "NodeBatches",
    "Nodes",
    "PartedBatch",
    "Parts",
    "RealTargets",
    "ReconstructionTargets",
    "Rows",
    "SequenceBatches",
    "SequenceReader",
    "Sequences",
    "StackedBatches",
    "StepTargets",
    "TokenTargets",
    "are_equal",
    "as_graph",
    "as_object_array",
    "channel_bounds",
    "channel_moments",
    "check_numbers",
    "combine_weights",
    "convert",
    "converts_late",
    "cut_rows",
    "decoder_inputs",
    "has_one_label_a_row",
    "holds_graphs",
    "is_graph",
    "iter_chunks",
    "make_batch",
    "make_batches",
    "make_message_matrix",
    "memory_of",
    "move",
    "read_known",
    "read_labels",
    "read_matrix",
    "refuse_other_order",
    "sample_shape",
    "split_for_validation",
    "step_weights",
    "structural_features",
    "to_tensor",
    "weights_of_classes",
    "within_unit",
]
