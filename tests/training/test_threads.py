"""Thread counts: chosen by size, never more than found, put back afterwards."""

import multiprocessing
import os
import sys
import threading

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from sknn.training._threads import WORTH_THREADS, limited_threads

SMALL, LARGE = WORTH_THREADS - 1, WORTH_THREADS


def get_counts():
    """Get the threads of torch, then those of each BLAS library."""
    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    return torch.get_num_threads(), *(info["num_threads"] for info in blas)


@pytest.fixture(autouse=True, params=[1, 2])
def found(request):
    """Counts of threads that a caller has set."""
    n_threads = torch.get_num_threads()
    with threadpool_limits(request.param, user_api="blas"):
        torch.set_num_threads(request.param)
        yield request.param
        torch.set_num_threads(n_threads)


def test_small_products_run_on_one_thread():
    with limited_threads(SMALL) as n_threads:
        assert n_threads == 1
        assert set(get_counts()) == {1}


def test_large_products_run_on_all_threads(found):
    before = get_counts()
    with limited_threads(LARGE) as n_threads:
        assert n_threads == found
        assert get_counts() == before


def test_blas_has_one_thread_where_torch_multiplies(found):
    before = get_counts()
    with limited_threads(LARGE, by_torch=True) as n_threads:
        assert n_threads == found
        torch_threads, *blas = get_counts()
        assert torch_threads == found
        assert set(blas) == {1}
    assert get_counts() == before


@pytest.mark.parametrize("size", [0, SMALL, LARGE])
def test_counts_are_put_back(size):
    before = get_counts()
    with limited_threads(size):
        pass
    assert get_counts() == before


@pytest.mark.parametrize("size", [0, LARGE])
def test_counts_are_put_back_after_an_error(size):
    before = get_counts()
    with pytest.raises(KeyboardInterrupt), limited_threads(size):
        raise KeyboardInterrupt
    assert get_counts() == before


@pytest.mark.parametrize("inner", [SMALL, LARGE])
@pytest.mark.parametrize("outer", [SMALL, LARGE])
def test_nested_limits(outer, inner):
    before = get_counts()
    with limited_threads(outer) as allowed:
        between = get_counts()
        with limited_threads(inner) as n_threads:
            assert max(get_counts()) <= min(allowed, n_threads)
        assert get_counts() == between
    assert get_counts() == before


@pytest.mark.parametrize("second", [SMALL, LARGE])
@pytest.mark.parametrize("first", [SMALL, LARGE])
def test_overlapping_fits_in_threads(first, second):
    before = get_counts()
    inside, outside, seen = threading.Event(), threading.Event(), []

    def fit():
        torch.set_num_threads(before[0])
        with limited_threads(second) as n_threads:
            inside.set()
            assert outside.wait(10)  # the other fit has ended
            seen.append(max(get_counts()) <= n_threads)
        seen.append(torch.get_num_threads() == before[0])

    thread = threading.Thread(target=fit)
    with limited_threads(first) as n_threads:
        thread.start()
        assert inside.wait(10)
        assert max(get_counts()) <= n_threads
    outside.set()
    thread.join(10)
    assert seen == [True, True]
    assert get_counts() == before


def test_a_user_who_changes_counts_between_fits_is_obeyed():
    with limited_threads(SMALL):
        pass
    with threadpool_limits(1, user_api="blas"):
        with limited_threads(SMALL):
            pass
        assert set(get_counts()[1:]) <= {1}


def run_child():
    """Exit with 0 if one torch thread runs and a product of two threads' size ends."""
    counts = [torch.get_num_threads()]
    with limited_threads(LARGE):
        counts.append(torch.get_num_threads())
        product = torch.ones(300, 300) @ torch.ones(300, 300)
    os._exit(0 if counts == [1, 1] and product[0, 0] == 300 else 1)


@pytest.mark.skipif(sys.platform != "linux", reason="forks are Linux's way")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("inside", [False, True], ids=["after", "during"])
def test_a_forked_child_starts_with_one_thread(inside):
    torch.ones(300, 300) @ torch.ones(300, 300)  # starts the parent's threads
    context = multiprocessing.get_context("fork")
    child = context.Process(target=run_child, daemon=True)
    if inside:
        with limited_threads(LARGE):
            child.start()
            child.join(20)
    else:
        child.start()
        child.join(20)
    child.kill()  # if it waits for ever
    child.join()
    assert child.exitcode == 0
