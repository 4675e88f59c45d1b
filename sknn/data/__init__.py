"""What users pass becomes rows and targets that training can draw batches from."""

from sknn.data._batches import Batch, PartedBatch, make_batch, to_tensor
from sknn.data._chunks import iter_chunks, move
from sknn.data._conditions import Conditions
from sknn.data._graph import Graph
from sknn.data._iterators import make_batches
from sknn.data._layout import sample_shape
from sknn.data._mapped import convert, converts_late
from sknn.data._parts import Parts
from sknn.data._reconstruction_targets import ReconstructionTargets, within_unit
from sknn.data._rows import Rows, split_for_validation
from sknn.data._scaling import channel_bounds, channel_moments
from sknn.data._sequence_batches import SequenceBatches
from sknn.data._sequence_reader import SequenceReader
from sknn.data._sequences import Sequences
from sknn.data._step_batches import decoder_inputs
from sknn.data._step_labels import as_object_array, has_one_label_a_row, read_labels
from sknn.data._step_targets import StepTargets, step_weights
from sknn.data._structure import structural_features
from sknn.data._targets import ClassTargets, RealTargets
from sknn.data._token_targets import TokenTargets
from sknn.data._weights import combine_weights, weights_of_classes

__all__ = [
    "Batch",
    "ClassTargets",
    "Conditions",
    "Graph",
    "PartedBatch",
    "Parts",
    "RealTargets",
    "ReconstructionTargets",
    "Rows",
    "SequenceBatches",
    "SequenceReader",
    "Sequences",
    "StepTargets",
    "TokenTargets",
    "as_object_array",
    "channel_bounds",
    "channel_moments",
    "combine_weights",
    "convert",
    "converts_late",
    "decoder_inputs",
    "has_one_label_a_row",
    "iter_chunks",
    "make_batch",
    "make_batches",
    "move",
    "read_labels",
    "sample_shape",
    "split_for_validation",
    "step_weights",
    "structural_features",
    "to_tensor",
    "weights_of_classes",
    "within_unit",
]
