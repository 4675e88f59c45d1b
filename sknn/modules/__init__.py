"""Plain torch modules: they return raw outputs and know nothing of training."""

from sknn.modules._autoencoder import AutoencoderNet, VariationalNet
from sknn.modules._averaged_decoder import AveragedDecoder
from sknn.modules._beam_search import decode
from sknn.modules._companions import Companion
from sknn.modules._conv import ConvNet
from sknn.modules._gan import make_discriminator, make_generator
from sknn.modules._graph_net import GraphNet
from sknn.modules._mlp import MLP
from sknn.modules._node_net import NodeNet
from sknn.modules._recurrent import RecurrentNet
from sknn.modules._seq2seq import Seq2SeqNet
from sknn.modules._transformer import TransformerNet

__all__ = [
    "MLP",
    "AutoencoderNet",
    "AveragedDecoder",
    "Companion",
    "ConvNet",
    "GraphNet",
    "NodeNet",
    "RecurrentNet",
    "Seq2SeqNet",
    "TransformerNet",
    "VariationalNet",
    "decode",
    "make_discriminator",
    "make_generator",
]
