"""As many threads as the matrix products are worth, and the user's count afterwards.

Small products, and fused steps of any size, are slower on two threads than on one, and
torch's threads and those of numpy's BLAS must not run in one loop. BLAS counts are
process-wide, so fits that overlap in several Python threads share one record of what
to put back.
"""

import os
import threading
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

# multiply-adds of a matrix product from which a second thread pays
WORTH_THREADS = 4_000_000
# and below which BLAS never starts one by itself
NEVER_THREADED = 250_000

_lock = threading.Lock()
_active = 0
_found_blas = None


def _start_child():
    """Begin a forked child: it has torch's thread pool without its threads."""
    global _lock, _active
    torch.set_num_threads(1)  # two would wait for ever
    _lock, _active = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_child)


@cache
def _blas_libraries():
    """Controllers of the BLAS libraries loaded by the time of the first call."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _blas_threads():
    return [library.get_num_threads() for library in _blas_libraries()]


def _set_blas_threads(counts):
    for library, count in zip(_blas_libraries(), counts, strict=True):
        library.set_num_threads(count)


@contextmanager
def limited_threads(product_size):
    """Run with a number of threads that suits the largest matrix product.

    Parameters
    ----------
    product_size : int
        Multiply-adds of the largest matrix product inside.

    Yields
    ------
    int
        Threads in use; never more than there were.
    """
    found = torch.get_num_threads()
    n_threads = 1 if product_size < WORTH_THREADS else found
    found_blas = _enter()
    try:
        torch.set_num_threads(n_threads)
        _set_blas_threads([min(n_threads, count) for count in found_blas])
        yield n_threads
    finally:
        torch.set_num_threads(found)
        _leave(found_blas)


def _enter():
    """Count one more fit and return the BLAS thread counts that it finds."""
    global _active, _found_blas
    with _lock:
        found = _blas_threads()
        if _active == 0:
            _found_blas = found
        _active += 1
    return found


def _leave(found):
    """Put back what this fit found, or what the first of several did."""
    global _active
    with _lock:
        _active -= 1
        _set_blas_threads(found if _active else _found_blas)
