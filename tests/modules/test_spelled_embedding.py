"""Features of spellings against a loop over letters; steps beside padding."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sknn.modules import RecurrentNet, TransformerNet
from sknn.modules._spelling import (
    FEATURES_A_LETTER,
    WINDOW,
    SpelledEmbedding,
    Spelling,
)
from sknn.training._flat import FlatParameters
from sknn.training._sequence_initialization import initialize_sequence_net

N_LETTERS, LETTER_DIM, N_WORDS, DIM = 9, 4, 6, 5
WORDS = [[2, 5, 6, 7, 3], [2, 3], [2, 4, 4, 4, 4, 8, 3], [2, 1, 3], [2, 7, 6, 5, 3]]


@pytest.fixture(autouse=True)
def torch_rng():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def pad(words, width=None):
    table = torch.zeros(len(words), width or max(map(len, words)), dtype=torch.int32)
    for row, word in zip(table, words, strict=True):
        row[: len(word)] = torch.tensor(word)
    return table


def make_spelling():
    return Spelling(N_LETTERS, LETTER_DIM).double()


def spell_by_hand(layer, word):
    """Features of one word: a loop over places, patterns and the letters around."""
    vectors = layer.embedding.weight.detach().numpy()[word]
    weight = layer.patterns.weight.detach().numpy()
    weight = weight.reshape(-1, LETTER_DIM, WINDOW)
    bias, half = layer.patterns.bias.detach().numpy(), WINDOW // 2
    features = np.full(len(bias), -np.inf)
    for place in range(len(word)):
        for k in range(len(bias)):
            response = bias[k]
            for offset in range(-half, half + 1):
                if 0 <= place + offset < len(word):
                    letter = vectors[place + offset]
                    response += letter @ weight[k, :, offset + half]
            features[k] = max(features[k], response)
    return features


def test_features_are_those_of_a_loop_over_letters():
    layer = make_spelling()
    found = layer(pad(WORDS)).detach().numpy()
    expected = np.array([spell_by_hand(layer, word) for word in WORDS])
    assert found.shape == (5, FEATURES_A_LETTER * LETTER_DIM)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_features_are_those_of_a_convolution():
    layer, words = make_spelling(), pad([WORDS[0], WORDS[4]])
    weight = layer.patterns.weight.view(-1, LETTER_DIM, WINDOW)
    x = layer.embedding(words).transpose(1, 2)  # (words, letter_dim, letters)
    responses = torch.nn.functional.conv1d(x, weight, layer.patterns.bias, padding=1)
    assert_close(layer(words), responses.amax(2))


@pytest.mark.parametrize("width", [7, 8, 30])
def test_a_word_does_not_depend_on_other_words_or_padding(width):
    layer = make_spelling()
    together = layer(pad(WORDS, width))
    for word, features in zip(WORDS, together, strict=True):
        assert_close(layer(pad([word]))[0], features)


def test_order_of_letters_matters():
    layer = make_spelling()
    ahead, back = layer(pad([WORDS[0], WORDS[4]]))
    assert (ahead - back).abs().max() > 0.01


def test_gradient():
    layer, words = make_spelling(), pad(WORDS)
    parameters = tuple(layer.parameters())

    def forward(*_):
        return layer(words)

    assert torch.autograd.gradcheck(forward, parameters)
    # the vector of padding is a constant: nothing flows to it
    layer(words).square().sum().backward()
    assert not layer.embedding.weight.grad[0].any()


# Words and their letters


LETTERS = pad(WORDS)


def make_steps(lengths=(3, 1)):
    """Make sequences of words and rows of `LETTERS`, and their lengths."""
    rows = iter([4, 1, 2, 2, 0, 3, 4, 1])
    x = torch.zeros(len(lengths), max(lengths), 2, dtype=torch.int32)
    for row, length in zip(x, lengths, strict=True):
        for step in row[:length]:
            step[0] = torch.randint(N_WORDS, ())
            step[1] = next(rows)
    return x, torch.tensor(lengths)


def test_a_step_is_the_vector_of_its_word_and_its_spelling():
    layer = SpelledEmbedding(N_WORDS, DIM, N_LETTERS, LETTER_DIM, scale=3.0).double()
    x, lengths = make_steps()
    found = layer(x, LETTERS)
    assert found.shape == (2, 3, layer.n_features)
    for row, features, length in zip(x, found, lengths, strict=True):
        for step, vector in zip(row[:length], features[:length], strict=True):
            assert_close(vector[:DIM], 3.0 * layer.words.weight[step[0]])
            assert_close(vector[DIM:], layer.spelling(LETTERS[step[1], None])[0])


def make_net(name, **parameters):
    letters = {"n_letters": N_LETTERS, "letter_dim": LETTER_DIM, "n_tokens": N_WORDS}
    if name == "recurrent":
        sizes = {"hidden_layer_sizes": (4,), "embedding_dim": DIM}
        sizes["bidirectional"] = True
        return RecurrentNet(None, 3, **{**letters, **sizes, **parameters})
    sizes = {"d_model": 8, "n_heads": 2, "n_layers": 1}
    return TransformerNet(None, 3, **{**letters, **sizes, **parameters})


NETS = pytest.mark.parametrize("name", ["recurrent", "transformer"])


@NETS
@pytest.mark.parametrize("pooling", [None, "mean"])
def test_networks_do_not_see_the_padding(name, pooling):
    net = make_net(name, pooling=pooling).double().eval()
    x, lengths = make_steps((3, 1, 4))
    found = net(x, lengths, LETTERS)
    assert found.shape == ((8, 3) if pooling is None else (3, 3))
    alone = [
        net(row[None, :length], letters=LETTERS)
        for row, length in zip(x, lengths, strict=True)
    ]
    # sums over padded steps have other shapes: roundings of float64
    assert_close(found, torch.cat(alone), rtol=1e-10, atol=1e-10)
    x[1, 1:] = 5  # what lies in the padding is of no meaning
    assert_close(net(x, lengths, LETTERS), found, rtol=0, atol=0)


@NETS
def test_all_steps_are_the_unpooled_outputs(name):
    net, (x, lengths) = make_net(name, pooling=None).double(), make_steps((3, 1, 4))
    encoded = net.encode(x, lengths, LETTERS)
    rows = [row[:length] for row, length in zip(encoded, lengths, strict=True)]
    assert_close(net.hidden(x, lengths, LETTERS), torch.cat(rows))
    even = net.encode(x[:, :1], letters=LETTERS)
    assert_close(net.hidden(x[:, :1], letters=LETTERS), even[:, 0])


@NETS
def test_every_parameter_of_the_letters_is_drawn(name):
    nets = []
    for seed in (0, 0, 1):
        net = make_net(name, pooling=None, device="meta")
        FlatParameters(net, torch.float64, "cpu")
        initialize_sequence_net(net, np.random.RandomState(seed), "auto")
        nets.append(net.embedding.spelling.state_dict())
    for key in nets[0]:
        assert torch.isfinite(nets[0][key]).all()
        assert torch.equal(nets[0][key], nets[1][key])
        if "bias" not in key:
            assert not torch.equal(nets[0][key], nets[2][key])
            assert nets[0][key].std() > 0.05
