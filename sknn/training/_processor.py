"""Whose matrix products are the faster ones on this processor."""

import platform
from functools import cache
from pathlib import Path

import torch


@cache
def numpy_multiplies_faster():
    """Whether numpy's BLAS beats torch's MKL: it does on processors of AMD.

    On those of Intel, MKL's home, torch is ahead by up to a half; of others nothing is
    known.
    """
    return torch.backends.mkl.is_available() and "AuthenticAMD" in _describe()


def _describe():
    """What the system says of the processor, its maker included."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        return cpuinfo.read_text().split("\n\n")[0]
    return platform.processor()
