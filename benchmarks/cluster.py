"""One search over a grid of small networks on every joblib backend.

``python -m benchmarks.cluster [--quick]``
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import numpy as np
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV

from benchmarks._report import Report, format_ratio, run_from_command_line
from benchmarks._shapes import load_scaled_digits
from benchmarks._timing import paired_ratios, time_in_turns, warm_up

Context = Callable[[], AbstractContextManager]

GRID = {
    "alpha": [1e-4, 1e-2, 1.0, 10.0],
    "learning_rate_init": [3e-4, 1e-3, 1e-2],
}
N_FOLDS = 5
EPOCHS = 20
PARAMETERS = {
    "batch_size": 64,
    "max_iter": EPOCHS,
    "n_iter_no_change": EPOCHS,
    "random_state": 0,
}


@contextmanager
def start_nothing() -> Iterator[Context]:
    """What the backends of joblib itself need."""
    yield nullcontext


@contextmanager
def start_dask(n_workers: int) -> Iterator[Context]:
    """Dask workers, a process of one thread each; yields what makes them current."""
    distributed = import_or_explain("distributed", "dask")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=":0",
            local_directory=folder,
        ) as workers,
        distributed.Client(workers, set_as_default=False) as client,
    ):
        yield client.as_current


@contextmanager
def start_ray(n_workers: int) -> Iterator[Context]:
    """Ray on this machine; joblib starts its workers anew for every search."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = import_or_explain("ray", "ray")
    from ray.util.joblib import register_ray

    register_ray()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ray.init(
            num_cpus=n_workers,
            object_store_memory=100 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
        )
        yield nullcontext
        ray.shutdown()


def import_or_explain(module: str, extra: str):
    """Import a package of an extra, or say which one is missing."""
    try:
        return __import__(module)
    except ImportError as error:
        raise RuntimeError(
            f"benchmarks.cluster needs {module}: pip install 'sknn[{extra}]'."
        ) from error


@dataclass(frozen=True)
class Way:
    """A way to run a search.

    Parameters
    ----------
    choose : callable
        Makes the context in which the search runs.
    cluster : str
        Which of the `CLUSTERS` it needs.
    tolerance : float
        By how much scores may differ, on average, from those of one process.
    """

    choose: Context
    cluster: str = "none"
    tolerance: float = 0.0


@dataclass(frozen=True)
class Search:
    """A search that is timed.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Of the networks.
    rounds : int
        How many times each way is timed.
    ways : tuple of str
        Which of the `WAYS` take part; the first is what they are compared with.
    """

    hidden_layer_sizes: tuple[int, ...]
    rounds: int
    ways: tuple[str, ...]


def batched(backend: str | None, n_jobs: int | None = None) -> AbstractContextManager:
    """Let networks train together, here or in the workers of a backend."""
    import sknn

    return sknn.batched(backend, n_jobs)


# float32's rounding may turn a few rows of 1797
ROUNDING = 0.005
CLUSTERS = {
    "none": start_nothing,
    "dask 1": partial(start_dask, 1),
    "dask 2": partial(start_dask, 2),
    "ray 2": partial(start_ray, 2),
}
ALONE = "one process"
WAYS = {
    ALONE: Way(nullcontext),
    "threading, 2": Way(partial(parallel_config, "threading", n_jobs=2)),
    "loky, 2": Way(partial(parallel_config, "loky", n_jobs=2)),
    "dask, 1": Way(partial(parallel_config, "dask"), "dask 1"),
    "dask, 2": Way(partial(parallel_config, "dask"), "dask 2"),
    "ray, 1": Way(partial(parallel_config, "ray", n_jobs=1), "ray 2"),
    "ray, 2": Way(partial(parallel_config, "ray", n_jobs=2), "ray 2"),
    "batched, one process": Way(partial(batched, None), tolerance=ROUNDING),
    "batched, loky, 2": Way(partial(batched, "loky", 2), tolerance=ROUNDING),
    "batched, dask, 2": Way(partial(batched, "dask"), "dask 2", ROUNDING),
    "batched, ray, 2": Way(partial(batched, "ray", 2), "ray 2", ROUNDING),
}
LARGE_WAYS = ALONE, "loky, 2", "dask, 2", "ray, 2", "batched, one process"
SEARCHES = {
    "(32,)": Search((32,), 3, tuple(WAYS)),
    "(256, 256)": Search((256, 256), 3, LARGE_WAYS),
}
NOTES = [
    f"GridSearchCV of MLPClassifier, {EPOCHS} epochs in batches of 64 on 1797 digits "
    "of 8 x 8 pixels in float32: 12 candidates in 5 folds and the refit of the best. "
    "All ways find the same scores, those of batched networks up to float32's "
    "rounding, or the benchmark fails.",
    "The number is that of the workers, a process of one thread each. With one, joblib "
    "asks neither dask nor ray but runs the fits in the calling process.",
    "First: seconds of the first search, in which workers start (loky) and import what "
    "they need (loky, dask). Then: the median of the searches after that; ray's "
    "workers start and import in every one. The start of a cluster is apart, below.",
    "The ratio is the time of one process over that of the row, paired over the "
    "rounds, with its quartiles; above 1, the row is faster.",
]


def make_runs(search: Search, use: dict[str, Context]) -> dict[str, Callable]:
    """Make a run of each way, which returns the mean score of each candidate."""
    from sknn import MLPClassifier

    X, y = load_scaled_digits()
    X = X.astype(np.float32)
    net = MLPClassifier(hidden_layer_sizes=search.hidden_layer_sizes, **PARAMETERS)

    def run(way: Way) -> np.ndarray:
        with use[way.cluster](), way.choose():
            fitted = GridSearchCV(net, GRID, cv=N_FOLDS).fit(X, y)
        return fitted.cv_results_["mean_test_score"]

    return {name: partial(run, WAYS[name]) for name in search.ways}


def start_clusters(stack: ExitStack) -> tuple[dict[str, Context], dict[str, float]]:
    """Start all clusters; returns what makes each current, and the seconds of each."""
    use, seconds = {}, {}
    for name, start_cluster in CLUSTERS.items():
        start = time.perf_counter()
        use[name] = stack.enter_context(start_cluster())
        seconds[name] = time.perf_counter() - start
    return use, seconds


def run_first(runs: dict[str, Callable]) -> tuple[dict[str, object], dict[str, float]]:
    """Run each search once; returns its scores and seconds."""
    scores, seconds = {}, {}
    for name, run in runs.items():
        start = time.perf_counter()
        scores |= warm_up({name: run})
        seconds[name] = time.perf_counter() - start
    return scores, seconds


def check_scores(scores: dict[str, np.ndarray]) -> None:
    """Refuse to compare different searches."""
    for name, found in scores.items():
        difference = np.abs(found - scores[ALONE]).mean()
        if not difference <= WAYS[name].tolerance:
            raise RuntimeError(
                f"{name} differs from {ALONE} by {difference} in the scores' mean."
            )


def measure_search(
    report: Report, title: str, use: dict[str, Context], rounds: int
) -> None:
    """Add the rows of one search."""
    runs = make_runs(SEARCHES[title], use)
    scores, first = run_first(runs)
    check_scores(scores)
    seconds = time_in_turns(runs, rounds)
    report.seconds[title] = seconds
    report.seconds[f"{title}, first"] = {name: [first[name]] for name in runs}
    for name in runs:
        times = f"{first[name]:.2f}", f"{np.median(seconds[name]):.2f}"
        ratio = paired_ratios(seconds, ALONE, name)
        report.add_row(f"{title}: {name}", *times, format_ratio(ratio))


def measure(quick: bool = False) -> Report:
    """Search in all ways, in turns, while all clusters are up."""
    columns = ["network: backend, workers", "first, s", "then, s", "speed-up"]
    report = Report("cluster", "A search on joblib's backends", columns)
    with ExitStack() as stack:
        use, started = start_clusters(stack)
        for title, search in SEARCHES.items():
            measure_search(report, title, use, 2 if quick else search.rounds)
    report.seconds["start"] = {name: [value] for name, value in started.items()}
    starts = (f"{name} {value:.1f} s" for name, value in started.items() if value > 0.1)
    packages = (f"{name} {version(name)}" for name in ("joblib", "distributed", "ray"))
    report.notes = [*NOTES, f"Start: {', '.join(starts)}. With {', '.join(packages)}."]
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
