"""The source that layers which change their inputs at random draw from."""

import numpy as np
import torch


def make_generator(random_state, n_rows_seen):
    """Generator seeded by a `RandomState`, and by how far training has come."""
    seed = random_state.randint(np.iinfo(np.int32).max)
    words = np.random.SeedSequence((seed, n_rows_seen)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0] >> np.uint64(1)))


def attach_generator(module, generator):
    """Let the layers of a module that have a `generator` draw from this one."""
    for layer in module.modules():
        if hasattr(layer, "generator"):
            layer.generator = generator
