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
_wanted = []
_local = threading.local()
_found = None


def _start_child():
    """Begin a forked child: it has torch's thread pool without its threads."""
    global _lock
    torch.set_num_threads(1)  # two would wait for ever
    _lock = threading.Lock()
    _wanted.clear()
    _local.__dict__.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_child)


@cache
def _blas_libraries():
    """Controllers of the BLAS libraries loaded by the time of the first call."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _blas_threads():
    return [library.get_num_threads() for library in _blas_libraries()]


def _set_blas_threads():
    """As many as were found, but no more than the most modest of the active fits."""
    for library, found in zip(_blas_libraries(), _found[1], strict=True):
        _release(library)
        library.set_num_threads(min([found, *_wanted]))
        if not _wanted:
            _release(library)


def _release(library):
    """Let any Python thread set a count: threadpoolctl may keep it to the first one."""
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


@contextmanager
def sharing_cores():
    """Run in one of several Python threads that have a core each."""
    _local.shares_cores = True
    try:
        with limited_threads(0):
            yield
    finally:
        _local.shares_cores = False


def available_threads():
    """Threads that torch has outside of any fit; one where others have the rest."""
    if getattr(_local, "shares_cores", False):
        return 1
    with _lock:
        return _found[0] if _wanted else torch.get_num_threads()


def has_one_thread():
    """Whether this Python thread is limited to one thread, and BLAS with it."""
    return getattr(_local, "n_threads", None) == 1


@contextmanager
def limited_threads(product_size, by_torch=False):
    """Run with a number of threads that suits the largest matrix product.

    Parameters
    ----------
    product_size : int
        Multiply-adds of the largest matrix product inside.
    by_torch : bool
        Whether torch multiplies, not numpy. BLAS then has one thread: its second one,
        waiting for more after a dot product, would hold a core that torch's needs.

    Yields
    ------
    int
        Threads in use; never more than there were, nor than an enclosing limit.
    """
    if has_one_thread():  # there is nothing to take away
        yield 1
        return
    enclosing = getattr(_local, "n_threads", None)
    n_threads, n_blas = _enter(product_size, enclosing, by_torch)
    _local.n_threads = n_threads
    try:
        yield n_threads
    finally:
        _local.n_threads = enclosing
        _leave(n_blas, enclosing)


def _enter(product_size, enclosing, by_torch):
    """Count one more active fit and return how many threads it, and BLAS, may use."""
    global _found
    with _lock:
        found = torch.get_num_threads()  # also where torch begins in this thread
        if not _wanted:
            _found = found, _blas_threads()
        most = enclosing or _found[0]
        n_threads = 1 if product_size < WORTH_THREADS else most
        n_blas = 1 if by_torch else n_threads
        _wanted.append(n_blas)
        torch.set_num_threads(n_threads)  # of this Python thread and of new ones
        _set_blas_threads()
    return n_threads, n_blas


def _leave(n_blas, enclosing):
    """Count one active fit less."""
    with _lock:
        _wanted.remove(n_blas)
        torch.set_num_threads(enclosing or _found[0])
        _set_blas_threads()
