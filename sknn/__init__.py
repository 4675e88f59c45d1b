"""Neural networks of the textbook as scikit-learn estimators."""

from sknn._autoencoder import Autoencoder
from sknn._conv_classifier import ConvClassifier
from sknn._conv_regressor import ConvRegressor
from sknn._gan_sampler import GANSampler
from sknn._graph_classifier import GraphClassifier
from sknn._graph_regressor import GraphRegressor
from sknn._mlp_classifier import MLPClassifier
from sknn._mlp_regressor import MLPRegressor
from sknn._node_classifier import NodeClassifier
from sknn._node_regressor import NodeRegressor
from sknn._recurrent_classifier import RecurrentClassifier
from sknn._recurrent_regressor import RecurrentRegressor
from sknn._recurrent_tagger import RecurrentTagger
from sknn._seq2seq_transformer import Seq2SeqTransformer
from sknn._transformer_classifier import TransformerClassifier
from sknn._transformer_regressor import TransformerRegressor
from sknn._transformer_tagger import TransformerTagger
from sknn._variational_autoencoder import VariationalAutoencoder
from sknn.data import Graph
from sknn.parallel import batched

__version__ = "0.1.0"

__all__ = [
    "Autoencoder",
    "ConvClassifier",
    "ConvRegressor",
    "GANSampler",
    "Graph",
    "GraphClassifier",
    "GraphRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NodeClassifier",
    "NodeRegressor",
    "RecurrentClassifier",
    "RecurrentRegressor",
    "RecurrentTagger",
    "Seq2SeqTransformer",
    "TransformerClassifier",
    "TransformerRegressor",
    "TransformerTagger",
    "VariationalAutoencoder",
    "batched",
]
