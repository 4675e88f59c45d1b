"""Gradients cut to a norm: Goodfellow et al., section 10.11.1 (Pascanu et al. 2013)."""

import math

import torch


def clip_norm(gradients, most):
    """Scale gradients, in place, to the norm `most` where all together are longer.

    Parameters
    ----------
    gradients : list of tensors
        One vector, in pieces.
    most : float
        Largest norm.

    Returns
    -------
    float
        What they were multiplied by; 1.0 also where the norm is not finite.
    """
    norm = _norm(gradients)
    if not norm > most:
        return 1.0
    if norm == math.inf:  # the squares overflow sooner than the norm
        norm = _norm(gradients, torch.float64)
    if not math.isfinite(norm):
        return 1.0
    scale = most / norm
    for gradient in gradients:
        gradient.mul_(scale)
    return scale


def _norm(gradients, dtype=None):
    """Euclidean norm of all gradients together."""
    norms = [torch.linalg.vector_norm(g, dtype=dtype) for g in gradients]
    whole = (
        norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))
    )
    return float(whole)
