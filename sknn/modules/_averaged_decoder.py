"""Several networks that decode as one, by the mean of their probabilities."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sknn.modules._attention import DecoderState
from sknn.modules._seq2seq import Seq2SeqNet


class AveragedState:
    """What each of several decoders keeps of the targets that all of them advance.

    Parameters
    ----------
    states : list of DecoderState
        A state a network, of the same rows.
    """

    def __init__(self, states: list[DecoderState]) -> None:
        self.states = states

    @property
    def memory(self) -> Tensor:
        """Memory of the first of them, of the type and on the device of all."""
        return self.states[0].memory

    def select(self, rows: Tensor) -> None:
        """Go on with these rows (new rows,), in this order; they may be repeated."""
        for state in self.states:
            state.select(rows)


class AveragedDecoder:
    """Several networks in the place of one, for `decode`.

    At each step the probability of a token is the mean of its probabilities by the
    networks, among the tokens that can be chosen.

    Parameters
    ----------
    nets : sequence of Seq2SeqNet
        Networks of the same vocabularies, in evaluation mode.

    Examples
    --------
    >>> import torch
    >>> from sknn.modules import AveragedDecoder, Seq2SeqNet, decode
    >>> nets = [Seq2SeqNet(9, 8, d_model=16, n_heads=2).eval() for _ in range(3)]
    >>> found = decode(AveragedDecoder(nets), torch.tensor([[1, 2, 3]]), max_length=5)
    >>> found.scores.shape
    torch.Size([1, 1])
    """

    def __init__(self, nets: Sequence[Seq2SeqNet]) -> None:
        self.nets = list(nets)
        self.begin, self.end = self.nets[0].begin, self.nets[0].end

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> list[Tensor]:
        """Outputs of each network's encoder."""
        return [net.encode(x, lengths) for net in self.nets]

    def start(
        self, memories: list[Tensor], lengths: Tensor | None = None
    ) -> AveragedState:
        """Make the state of targets without any step, of what `encode` has returned."""
        pairs = zip(self.nets, memories, strict=True)
        return AveragedState([net.start(memory, lengths) for net, memory in pairs])

    def advance(self, state: AveragedState, tokens: Tensor) -> Tensor:
        """Take one step: logarithms of the mean probabilities after tokens (rows,).

        Returns
        -------
        Tensor of shape (rows, n_target)
            -inf for the two tokens that cannot be chosen.
        """
        never = torch.tensor([0, self.begin], device=tokens.device)
        logs = [
            net.advance(own, tokens).index_fill(1, never, -torch.inf).log_softmax(1)
            for net, own in zip(self.nets, state.states, strict=True)
        ]
        return torch.stack(logs).logsumexp(0) - math.log(len(logs))
