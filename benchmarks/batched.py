"""A grid as one network: searches inside ``sknn.batched()`` beside all others.

``python -m benchmarks.batched [--quick]``
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPClassifier as SklearnMLP

from benchmarks._memory import in_new_process, measure_growth
from benchmarks._products import OnlyProducts
from benchmarks._report import Goal, Report, format_ratio, run_from_command_line
from benchmarks._shapes import load_scaled_digits
from benchmarks._timing import paired_ratios, time_in_turns, warm_up

N_FOLDS, N_CANDIDATES = 5, 12
RATES = {"learning_rate_init": np.logspace(-4, -2, N_CANDIDATES).tolist()}
DECADES = {"learning_rate_init": np.logspace(-4, -1, N_CANDIDATES).tolist()}
SKLEARN, STOCK = "scikit-learn, n_jobs=2", "sknn, n_jobs=2"
ALONE, BATCHED = "sknn, one by one", "sknn.batched()"
# each of two processes trains its half of the grid as one network
SENT = "sknn.batched('loky', 2)"
PEERS = SKLEARN, STOCK, ALONE
# what no search can do without, and how many networks' products are one call there
PRODUCTS = "matrix products alone, n_jobs=2"
AT_ONCE = {(32,): 30, (100,): 10, (256, 256): 1}
# candidates of the search whose memory is measured, and networks of an ensemble
MANY, N_NETWORKS = 1000, 8
MOST_MEGABYTES, MOST_COST = 1500, 4.0
NOTES = [
    f"GridSearchCV(refit=False) of {N_CANDIDATES} learning rates in {N_FOLDS} folds of "
    "1797 digits of 8 x 8 pixels, float32; all train the same epochs, in batches of "
    "the same size. Each ratio is the time of the others over that of batched('loky', "
    "2): the median over the rounds, with its quartiles. Above 1, batched('loky', 2) "
    "is faster. The bound is scikit-learn's time over that of the same search of "
    "networks whose fit does its matrix products by numpy and nothing else: no "
    "training by these products is further ahead.",
    "Early stopping trains each network for as long as it improves, at most 200 "
    "epochs.",
]


@dataclass(frozen=True)
class Grid:
    """A search that is timed.

    Parameters
    ----------
    name : str
        Row of the table.
    parameters : dict
        Of the networks, scikit-learn's and sknn's alike.
    values : dict
        What is searched.
    goals : dict
        Least ratio, by competitor.
    """

    name: str
    parameters: dict
    values: dict
    goals: dict


def with_epochs(n_epochs: int) -> dict:
    """Parameters of training for a number of epochs."""
    return {"max_iter": n_epochs, "n_iter_no_change": n_epochs, "tol": 0.0}


GRIDS = [
    Grid(
        "(32,) b64, 20 epochs",
        {"hidden_layer_sizes": (32,), "batch_size": 64, **with_epochs(20)},
        RATES,
        {SKLEARN: 8.0, ALONE: 4.0},
    ),
    Grid(
        "(100,) b200, 30 epochs",
        {"hidden_layer_sizes": (100,), "batch_size": 200, **with_epochs(30)},
        RATES,
        {SKLEARN: 7.0},
    ),
    Grid(
        "(256, 256) b256, 10 epochs",
        {"hidden_layer_sizes": (256, 256), "batch_size": 256, **with_epochs(10)},
        RATES,
        {SKLEARN: 2.2},
    ),
    Grid(
        "(32,) b64, early stopping, three decades",
        {"hidden_layer_sizes": (32,), "batch_size": 64, "early_stopping": True},
        DECADES,
        {SKLEARN: 4.0},
    ),
]


def load() -> tuple[np.ndarray, np.ndarray]:
    """Load digits in float32 with their labels."""
    X, y = load_scaled_digits()
    return X.astype(np.float32), y


def make_runs(grid: Grid) -> dict[str, Callable[[], np.ndarray]]:
    """Make a search of each competitor, which returns the mean scores."""
    import sknn

    X, y = load()

    def search(network: BaseEstimator, n_jobs: int | None = None) -> np.ndarray:
        options = {"cv": N_FOLDS, "refit": False, "n_jobs": n_jobs}
        found = GridSearchCV(network, grid.values, **options).fit(X, y)
        return found.cv_results_["mean_test_score"]

    def search_batched(*where: object) -> np.ndarray:
        with sknn.batched(*where):
            return search(own)

    theirs, own = (
        make(random_state=0, **grid.parameters)
        for make in (SklearnMLP, sknn.MLPClassifier)
    )
    runs = {
        SKLEARN: partial(search, theirs, 2),
        STOCK: partial(search, own, 2),
        ALONE: partial(search, own),
        BATCHED: search_batched,
        SENT: partial(search_batched, "loky", 2),
    }
    if "max_iter" in grid.parameters:  # it is known how long they train
        runs[PRODUCTS] = partial(search, make_products(grid, X, y), 2)
    return runs


def make_products(grid: Grid, X: np.ndarray, y: np.ndarray) -> OnlyProducts:
    """Network of a grid as its matrix products, whole batches alone."""
    hidden, n_rows = (grid.parameters[n] for n in ("hidden_layer_sizes", "batch_size"))
    n_trained = len(X) * (N_FOLDS - 1) // N_FOLDS
    n_steps = grid.parameters["max_iter"] * n_trained // n_rows
    sizes = X.shape[1], *hidden, len(np.unique(y))
    return OnlyProducts(sizes, n_rows, n_steps, AT_ONCE[hidden])


def check_scores(scores: dict[str, np.ndarray]) -> None:
    """Refuse to compare searches that found other scores than the unbatched one."""
    for name in (BATCHED, SENT):
        difference = np.abs(scores[name] - scores[ALONE]).mean()
        if difference > 0.005:  # float32's rounding may turn a few of 1797 rows
            raise RuntimeError(f"{name} differs by {difference} in the scores' mean.")


def measure_grid(report: Report, grid: Grid, repeats: int) -> None:
    """Add a row, and the goals that it has."""
    runs = make_runs(grid)
    check_scores(warm_up(runs))
    seconds = time_in_turns(runs, repeats)
    report.seconds[grid.name] = seconds
    ratios = {peer: paired_ratios(seconds, peer, SENT) for peer in (*PEERS, BATCHED)}
    cells = [format_ratio(quartiles) for quartiles in ratios.values()]
    if PRODUCTS in seconds:
        cells.append(format_ratio(paired_ratios(seconds, SKLEARN, PRODUCTS)))
    else:
        cells.append("-")
    report.add_row(grid.name, f"{np.median(seconds[SENT]):.2f}", *cells)
    report.goals += [
        Goal(f"{grid.name}: {SENT} against {peer}", ratios[peer][1], at_least=least)
        for peer, least in grid.goals.items()
    ]


def search_many() -> float:
    """Megabytes by which memory grows while many candidates are searched."""
    import sknn

    X, y = load()
    network = sknn.MLPClassifier((32,), random_state=0, **with_epochs(2))
    values = {"alpha": np.logspace(-6, 1, MANY)}
    search = RandomizedSearchCV(network, values, n_iter=MANY, cv=N_FOLDS, refit=False)

    def fit() -> None:
        with sknn.batched():
            search.fit(X, y)

    return measure_growth(lambda: warm_up({BATCHED: fit}))[1]


def measure_ensemble(repeats: int) -> tuple[dict[str, list[float]], Goal]:
    """Time of several networks in one estimator over that of one."""
    from sknn import MLPClassifier

    X, y = load()

    def fit(n_networks: int):
        network = MLPClassifier(
            n_networks=n_networks, random_state=0, **with_epochs(20)
        )
        return network.fit(X, y)

    runs = {f"{n} networks": partial(fit, n) for n in (1, N_NETWORKS)}
    warm_up(runs)
    seconds = time_in_turns(runs, repeats)
    one, several = runs
    ratio = paired_ratios(seconds, several, one)[1]
    what = f"fit of {N_NETWORKS} networks (100,) over that of one"
    return seconds, Goal(what, ratio, at_most=MOST_COST)


def measure(quick: bool = False) -> Report:
    """Search in all ways, in turns."""
    peers = (f"against {peer}" for peer in (*PEERS, BATCHED))
    columns = ["network", f"{SENT}, s", *peers, "bound"]
    report = Report("batched", "Grids as one network", columns, notes=[*NOTES])
    for grid in GRIDS:
        measure_grid(report, grid, 2 if quick else 5)
    megabytes = in_new_process(search_many)
    what = f"memory of {MANY} candidates in {N_FOLDS} folds, batched"
    report.goals.append(Goal(what, megabytes, at_most=MOST_MEGABYTES, unit=" MB"))
    seconds, goal = measure_ensemble(3 if quick else 9)
    report.seconds["ensemble"] = seconds
    report.goals.append(goal)
    return report


if __name__ == "__main__":
    run_from_command_line(measure)
