"""Threads that OpenMP keeps for each thread that has computed with it."""

import os
from functools import cache

from threadpoolctl import ThreadpoolController

OMP_PAUSE_HARD = 2
# threads that may be kept by tasks that stand still, before new ones give theirs up:
# starting them anew takes longer than small fits
MOST_KEPT = 1000


@cache
def _libraries():
    """GNU's, loaded by the time of the first call; others share their threads."""
    found = ThreadpoolController().select(prefix="libgomp").lib_controllers
    libraries = [controller.dynlib for controller in found]
    return [lib for lib in libraries if hasattr(lib, "omp_pause_resource_all")]


def release_threads(n_waiting):
    """End the threads kept for this one, if it is to stand still with many others.

    It gets new ones when it computes again.

    Parameters
    ----------
    n_waiting : int
        Threads that stand still, each keeping up to as many as there are cores.
    """
    if n_waiting * (os.cpu_count() or 1) <= MOST_KEPT:
        return
    for library in _libraries():
        library.omp_pause_resource_all(OMP_PAUSE_HARD)
