"""Memory that a call takes, in a process of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

MEGABYTE = 1e6
STATUS = Path("/proc/self/status")


def in_new_process(function: Callable, *arguments):
    """Result of a call in a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def read_memory(key: str) -> float:
    """Megabytes that this process has by one of /proc/self/status's keys."""
    lines = STATUS.read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(kilobytes) * 1024 / MEGABYTE


def measure_growth(call: Callable[[], object]) -> tuple[object, float]:
    """Result of a call, and megabytes by which memory grew at most meanwhile."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = read_memory("VmRSS")
    result = call()
    return result, read_memory("VmHWM") - before


class AnonymousMemory:
    """Megabytes of this process that are no file's, watched by a thread.

    Attributes
    ----------
    growth : float
        By how much they grew at most inside the block.
    """

    interval = 0.005

    def __enter__(self):
        self._start = self._peak = read_memory("RssAnon")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(self.interval):
            self._peak = max(self._peak, read_memory("RssAnon"))

    def __exit__(self, *error) -> None:
        self._over.set()
        self._thread.join()
        self._peak = max(self._peak, read_memory("RssAnon"))
        self.growth = self._peak - self._start
