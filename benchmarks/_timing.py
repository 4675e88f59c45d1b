"""Times of competitors that take turns in one process, and their paired ratios."""

import gc
import os
import platform
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

Run = Callable[[], object]
PACKAGES = "numpy", "scipy", "scikit-learn", "torch", "skorch", "mlxtend"


def time_once(run: Run) -> float:
    """Seconds of one run after a garbage collection."""
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def time_in_turns(runs: Mapping[str, Run], repeats: int) -> dict[str, list[float]]:
    """Let the competitors take turns, in an order reversed from round to round.

    Neighbouring runs see the same load of the machine, so the ratios of one round
    are steadier than the times themselves.

    Returns
    -------
    dict of str to list of float
        Seconds of each round, one list a competitor.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for turn in range(repeats):
            for name in list(runs)[:: 1 if turn % 2 == 0 else -1]:
                seconds[name].append(time_once(runs[name]))
    return seconds


def warm_up(runs: Mapping[str, Run]) -> dict[str, object]:
    """Run each competitor once, untimed, and return what it returned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {name: run() for name, run in runs.items()}


def paired_ratios(
    seconds: Mapping[str, list[float]], slower: str, faster: str
) -> np.ndarray:
    """Quartiles of the ratio of two competitors' times, round by round.

    Returns
    -------
    ndarray of shape (3,)
        Lower quartile, median, upper quartile of ``slower / faster``.
    """
    ratios = np.divide(seconds[slower], seconds[faster])
    return np.quantile(ratios, [0.25, 0.5, 0.75])


def geometric_mean(ratios) -> float:
    """Geometric mean of positive numbers."""
    return float(np.exp(np.mean(np.log(ratios))))


class OtherLoad:
    """Processor time that other processes took since this object was made."""

    def __init__(self):
        self.start = self.read_clocks()

    @staticmethod
    def read_clocks() -> np.ndarray:
        """Seconds of the wall, of all processors busy, and of this process."""
        ticks = [
            int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:]
        ]
        idle = ticks[3] + ticks[4]
        busy = (sum(ticks[:8]) - idle) / os.sysconf("SC_CLK_TCK")
        return np.array([time.perf_counter(), busy, sum(os.times()[:4])])

    def count_cores(self) -> float:
        """Cores that other processes kept busy, on average."""
        wall, busy, own = self.read_clocks() - self.start
        return max(0.0, busy - own) / wall


def describe_machine(others: OtherLoad) -> dict[str, str]:
    """Processor, cores, load, thread pools and versions of this process."""
    libraries = {
        f"{pool['internal_api']} {pool['version'] or ''} "
        f"({pool['num_threads']} threads)".replace("  ", " ")
        for pool in threadpool_info()
    }
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": processor_name(),
        "cores": str(len(os.sched_getaffinity(0))),
        "busy with other work": f"{others.count_cores():.2f} cores on average",
        "thread pools": ", ".join(sorted(libraries)),
        "versions": ", ".join(package_versions()),
    }


def processor_name() -> str:
    """Name and vector instructions in /proc/cpuinfo, or what platform knows."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    fields = dict(
        (part.strip() for part in line.split(":", 1))
        for line in cpuinfo.read_text().split("\n\n")[0].splitlines()
        if ":" in line
    )
    widest = next(
        (name for name in ("avx512f", "avx2") if name in fields.get("flags", "")), ""
    )
    name = fields.get("model name", platform.machine())
    return f"{name}, {widest}".rstrip(", ")


def package_versions() -> list[str]:
    """Python's version, sknn's, and those of the installed peers."""
    import sknn

    versions = [f"Python {platform.python_version()}", f"sknn {sknn.__version__}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} missing")
    return versions
