"""Masks of dropout, drawn from generators of their own."""

from functools import partial

import numpy as np
import torch

# values of the random numbers that a rate is compared with
N_LEVELS = 1 << 16


class DropoutMasks:
    """Random factors of hidden units: 0 with a probability, else what makes up for it.

    A rate is rounded to a multiple of 1/65536; the factors have mean 1 exactly.

    Parameters
    ----------
    rates : list of float
        Probability of a zero in each hidden layer.
    seeds : list of numpy.random.SeedSequence
        One a network: the masks of each depend on its own alone.
    """

    def __init__(self, rates, seeds):
        self.rates, self._seeds = rates, seeds
        self._sources = [np.random.SFC64(seed) for seed in seeds]
        self._n_kept = [max(round((1 - rate) * N_LEVELS), 1) for rate in rates]

    def spawn(self, n):
        """As many sources of further masks, independent of this one."""
        children = zip(*(seed.spawn(n) for seed in self._seeds), strict=True)
        return [DropoutMasks(self.rates, list(seeds)) for seeds in children]

    def drops(self, layer):
        """Whether any unit of hidden layer number `layer` may be left out."""
        return self._n_kept[layer] < N_LEVELS

    def draw(self, layer, out):
        """Fill `out` (..., batch, units), an array or a tensor, with new factors."""
        if isinstance(out, np.ndarray):
            self._fill(layer, out)
        elif out.device.type == "cpu":
            self._fill(layer, out.numpy())
        else:
            memory = torch.empty(out.shape, dtype=out.dtype)
            self._fill(layer, memory.numpy())
            out.copy_(memory)
        return out

    def _fill(self, layer, out):
        n_kept = self._n_kept[layer]
        factor = out.dtype.type(N_LEVELS / n_kept)
        networks = out.reshape(len(self._sources), -1)
        for source, factors in zip(self._sources, networks, strict=True):
            np.copyto(factors, _draw_kept(source, n_kept, factors.size))
            factors *= factor

    def draw_like(self, layer, x):
        """New factors for the entries of a tensor."""
        memory = torch.empty_like(x, memory_format=torch.contiguous_format)
        return self.draw(layer, memory)


class StackedMasks:
    """Masks of several networks, whose rates may differ.

    Parameters
    ----------
    masks : list of DropoutMasks or None
        One a network.

    Attributes
    ----------
    sizes : sequence of int
        Rows of each network that factors are drawn for; the others, which only fill
        up a batch, have none.
    """

    def __init__(self, masks):
        self._masks, self.sizes = masks, None

    def drops(self, layer):
        """Whether any unit of hidden layer number `layer` may be left out."""
        return any(own is not None and own.drops(layer) for own in self._masks)

    def draw(self, layer, out):
        """Fill `out` (networks, batch, units) with new factors."""
        for masks, size, factors in zip(self._masks, self.sizes, out, strict=False):
            if masks is None or not masks.drops(layer):
                factors[:] = 1
            else:
                masks.draw(layer, factors[:size])
                factors[size:] = 0
        return out


def _draw_kept(source, n_kept, n_units):
    """One for each unit that is kept, which `n_kept` of `N_LEVELS` are, else zero."""
    if 2 * n_kept == N_LEVELS:  # a bit is enough
        octets = source.random_raw(-(-n_units // 64)).view(np.uint8)
        return np.unpackbits(octets, count=n_units)
    numbers = source.random_raw(-(-n_units // 4)).view(np.uint16)
    return numbers[:n_units] < n_kept


def make_masks(rates, random_state, n_rows_seen):
    """Masks seeded by a `RandomState`, and by how far training has come; or None.

    Nothing is drawn where no unit is to be left out.
    """
    if not any(rates):
        return None
    seed = random_state.randint(np.iinfo(np.int32).max)
    return DropoutMasks(rates, [np.random.SeedSequence((seed, n_rows_seen))])


def attach_masks(module, masks):
    """Let the dropout layers of a module draw from `masks`, or from nothing of ours."""
    layers = [m for m in module.modules() if hasattr(m, "draw_mask")]
    for number, layer in enumerate(layers):
        layer.draw_mask = masks and partial(masks.draw_like, number)
