"""The context in which networks train together."""

from contextlib import contextmanager
from numbers import Integral
from types import NoneType

from joblib import parallel_config
from joblib.parallel import ParallelBackendBase

from sknn.parallel._backend import BatchedBackend
from sknn.parallel._sending import SendingBackend


@contextmanager
def batched(backend=None, n_jobs=None):
    """Train the networks of scikit-learn's searches together.

    Inside the ``with``, everything of scikit-learn that runs tasks by joblib (searches,
    cross-validation, learning curves, ensembles, one-vs-rest and other
    meta-estimators) runs the tasks by turns in one process. A task that comes to train
    an `MLPClassifier` or `MLPRegressor`, in a `Pipeline` or anywhere else, waits until
    the others have come as far; then all that wait train at once, networks that are
    alike as one batched network, and the tasks go on. Scores, errors, warnings and
    their order are those of a search without it, up to rounding.

    ``joblib.parallel_config(backend="sknn")`` is the same as ``batched()``.

    Parameters
    ----------
    backend : str or joblib backend, default=None
        None batches in this process, which uses its cores. Otherwise the tasks are cut
        into as many parts as this joblib backend has workers ("loky", "dask", "ray"
        and others that are registered), and each worker trains its part together.
    n_jobs : int, default=None
        Number of workers and parts, only with `backend`; None is all workers that
        `backend` has. The `n_jobs` of whatever runs inside is ignored.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If `n_jobs` is given without `backend` or is no number of workers, joblib knows
        no such `backend`, or it is that of `batched` itself.

    Notes
    -----
    At most 512 tasks wait, and fewer once the inputs that waiting networks hold take
    1 GiB: then these train and their tasks go on before more are begun. Other limits
    are ``joblib.parallel_config(backend="sknn", max_waiting=512, max_bytes=2**30)``.
    `n_jobs` and `pre_dispatch` of a search do not limit what waits.

    Networks with callbacks, with `deep_supervision`, with the solver "lbfgs" or on an
    accelerator, and those of other kinds, train when it is their task's turn, and so
    does everything that is no network. Perceptrons on sparse or memory-mapped X, with
    `batch_norm` or with frozen layers wait like others, and then train by themselves,
    one a core. Those whose `scoring` is a scorer train together in one thread. Searches
    inside tasks take part: a nested cross-validation is one batch.

    The times that searches and `cross_validate` report for a fit are its own work and
    an equal share of the time that training took for all.

    With ``random_state=None`` networks draw from numpy's global state what they would
    draw one by one, as long as each trains for `max_iter` epochs, of at most a million
    rows in all. Where one stops early, or has more to train, those after it draw other
    numbers: the same ones each time after ``numpy.random.seed``. So they do in nested
    searches, and with `pretrain`, whose trainings take turns. Tasks that share one
    RandomState instance draw initial weights from it in their order and shuffle by
    copies of it, which are the same each time, too. With `backend`, this is so within a
    part: worker processes have a global state, and copies of instances, of their own.

    Lines that networks print with `verbose` interleave.

    A Ctrl-C ends the search with a KeyboardInterrupt.

    Examples
    --------
    >>> import sknn
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> net = sknn.MLPClassifier(
    ...     (16,), learning_rate="cosine", max_iter=20, random_state=0
    ... )
    >>> rates = [0.0001, 0.001, 0.1]
    >>> with sknn.batched():
    ...     search = GridSearchCV(net, {"learning_rate_init": rates}).fit(X, y)
    >>> search.best_params_
    {'learning_rate_init': 0.1}
    """
    _check(backend, n_jobs)
    own = "sknn" if backend is None else SendingBackend(_find(backend), n_jobs)
    with parallel_config(backend=own):
        yield


def _find(backend):
    """Backend of that name, or the given one; it has workers to send tasks to."""
    with parallel_config(backend=backend) as config:  # joblib finds it, or raises
        found = config["backend"]
    if isinstance(found, BatchedBackend):
        raise ValueError(
            "backend must have workers, which batched() has not by itself: got "
            f"backend={backend!r}."
        )
    return found


def _check(backend, n_jobs):
    if not isinstance(backend, (str, ParallelBackendBase, NoneType)):
        raise ValueError(
            "backend must be None, the name of a joblib backend, or such a backend: "
            f"got backend={backend!r}."
        )
    if n_jobs is None:
        return
    if backend is None:
        raise ValueError(
            f"n_jobs counts the workers of another backend: it must be None with "
            f"backend=None, got n_jobs={n_jobs!r}."
        )
    if not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise ValueError(
            "n_jobs must be None or a whole number other than 0: got "
            f"n_jobs={n_jobs!r}."
        )
