"""A decoder without a cache: every step computes all steps before it once more."""

import torch


class PrefixState:
    """Targets so far, and which source each belongs to."""

    def __init__(self, memory, lengths):
        self.memory, self.lengths = memory, lengths
        self.rows = torch.arange(len(memory))
        self.y = torch.zeros(len(memory), 0, dtype=torch.long)

    def select(self, rows):
        """Go on with these rows, in this order."""
        self.rows, self.y = self.rows[rows], self.y[rows]


class Uncached:
    """A `Seq2SeqNet` whose decoder keeps nothing but tokens."""

    def __init__(self, net):
        self.net, self.begin, self.end = net, net.begin, net.end
        self.encode = net.encode

    def start(self, memory, lengths=None):
        """Make the state of targets without any step."""
        return PrefixState(memory, lengths)

    def advance(self, state, tokens):
        """Raw outputs of what follows the tokens, from all steps anew."""
        state.y = torch.cat([state.y, tokens[:, None]], 1)
        memory, mask = state.memory[state.rows], None
        if state.lengths is not None:
            steps = torch.arange(memory.shape[1])
            mask = (steps < state.lengths[state.rows, None])[:, None, None]
        hidden = self.net._embed_target(state.y, None)
        for layer in self.net.decoder_layers:
            hidden = layer(hidden, memory, mask)
        return self.net.output(self.net.decoder_norm(hidden[:, -1]))
