"""One recurrent layer, run in one direction or in both (Goodfellow et al., ch. 10)."""

import math

import torch
from torch import Tensor, nn

from sknn.modules._branches import MapCalls, run_branches
from sknn.modules._steps import reverse

# cell -> torch's function for a whole sequence, gates of a unit
CELLS = {"lstm": (torch.lstm, 4), "gru": (torch.gru, 3), "rnn": (torch.rnn_tanh, 1)}
# multiply-adds in whose time a step's calls are made, and those of all steps from which
# a direction is worth a thread
OF_A_STEP = 200_000
WORTH_A_THREAD = 10_000_000


class RecurrentLayer(nn.Module):
    r"""A layer of recurrent units that reads sequences forwards.

    ``"rnn"`` has units :math:`h_t = \tanh(W x_t + b + U h_{t-1} + c)` (Goodfellow et
    al., section 10.2), ``"lstm"`` the gated cells of section 10.10.1 with tanh units
    (Hochreiter and Schmidhuber 1997; Gers et al. 2000), ``"gru"`` those of Cho et al.
    2014 (section 10.10.2). The first state is zero.

    Unlike `torch.nn.LSTM` the layer has no list of its parameters beside the registered
    ones, which may hence be replaced, as those on the meta device are.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
        Kind of the units.
    n_inputs, n_units : int
        Features of a step before and after.
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    weight_ih : torch.nn.Parameter of shape (n_gates * n_units, n_inputs)
        Weights of the inputs, gate by gate in torch's order: input, forget, cell,
        output for lstm; reset, update, new for gru.
    weight_hh : torch.nn.Parameter of shape (n_gates * n_units, n_units)
        Weights of the state before.
    bias_ih, bias_hh : torch.nn.Parameter of shape (n_gates * n_units,)
        Biases of both: they add up, gru's last gate aside.
    """

    def __init__(
        self,
        cell: str,
        n_inputs: int,
        n_units: int,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.cell, self.n_inputs, self.n_units = cell, n_inputs, n_units
        self.n_gates = CELLS[cell][1]
        n_rows = self.n_gates * n_units
        self.n_weights = n_rows * (n_inputs + n_units)
        self.weight_ih = nn.Parameter(torch.empty(n_rows, n_inputs, device=device))
        self.weight_hh = nn.Parameter(torch.empty(n_rows, n_units, device=device))
        self.bias_ih = nn.Parameter(torch.empty(n_rows, device=device))
        self.bias_hh = nn.Parameter(torch.empty(n_rows, device=device))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw torch's initial values, except on the meta device."""
        bound = 1 / math.sqrt(self.n_units)
        for parameter in self.parameters():
            if not parameter.is_meta:
                parameter.uniform_(-bound, bound)

    @property
    def weights(self) -> list[Tensor]:
        """All parameters, as torch's functions take them."""
        return [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]

    def forward(self, x: Tensor) -> Tensor:
        """States (batch, steps, n_units) after each step of `x` (..., n_inputs)."""
        return self.run(x, *self.weights)

    def run(self, x: Tensor, *weights: Tensor) -> Tensor:
        """The same with weights that are given, in the order of `weights`."""
        weights = list(weights)
        if x.is_cuda:  # cuDNN wants them side by side, and warns where they are not
            weights = join(weights)
        state = x.new_zeros(1, len(x), self.n_units)
        state = (state, state) if self.cell == "lstm" else state
        run, _ = CELLS[self.cell]
        # with biases, one layer, no dropout, one direction, batch first
        return run(x, state, weights, True, 1, 0.0, self.training, False, True)[0]

    def extra_repr(self) -> str:
        """Return the cell and the sizes for the layer's representation."""
        return f"{self.cell!r}, {self.n_inputs}, {self.n_units}"


def join(tensors: list[Tensor]) -> list[Tensor]:
    """Equal tensors one after another in memory."""
    joined = torch.cat([tensor.flatten() for tensor in tensors])
    parts = joined.split([tensor.numel() for tensor in tensors])
    return [part.view_as(like) for part, like in zip(parts, tensors, strict=True)]


class RecurrentBlock(nn.Module):
    """A recurrent layer, and another from the end if wanted.

    Both directions (Schuster and Paliwal 1997) are layers that read forwards, one of
    them sequences that are turned round within their lengths: padding is the last that
    either reads. Packed sequences would take several times as long.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
        Kind of the units.
    n_inputs, n_units : int
        Features of a step before, and after in each direction.
    bidirectional : bool
        Whether there is a layer that reads from the end (Goodfellow et al., section
        10.3).
    device : torch.device or str, optional
        Where the parameters are made.

    Attributes
    ----------
    map_calls : callable or None
        What lets long sequences be read in both directions at the same time, as in
        `run_branches`; results have the same bits. Only where there are two.
    """

    map_calls: MapCalls | None

    def __init__(
        self,
        cell: str,
        n_inputs: int,
        n_units: int,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.ahead = RecurrentLayer(cell, n_inputs, n_units, device)
        self.back = None
        if bidirectional:
            self.back = RecurrentLayer(cell, n_inputs, n_units, device)
            self.map_calls = None

    def forward(self, x: Tensor, reversal: Tensor | None = None) -> Tensor:
        """States of both directions side by side; `reversal` as in `reverse`."""
        if self.back is None:
            return self.ahead(x)

        def run_back(x: Tensor, *weights: Tensor) -> Tensor:
            return reverse(self.back.run(reverse(x, reversal), *weights), reversal)

        states = run_branches(
            (self.ahead.run, run_back),
            ((x, *self.ahead.weights), (x, *self.back.weights)),
            self.map_calls if self._is_worth_threads(x) else None,
        )
        return torch.cat(states, -1)

    def _is_worth_threads(self, x: Tensor) -> bool:
        """Whether reading takes longer than threads that wait for each other do."""
        n_rows, n_steps, _ = x.shape
        of_a_step = n_rows * self.back.n_weights + OF_A_STEP
        return not x.is_cuda and n_steps * of_a_step >= WORTH_A_THREAD

    def __getstate__(self) -> dict:
        state = dict(self.__dict__)
        if self.back is not None:
            state["map_calls"] = None  # threads are of this process
        return state
