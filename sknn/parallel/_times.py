"""Times of tasks that have stood still for others."""


def leave_out(waited, results):
    """Take seconds of waiting out of the time of a fit that scikit-learn measured.

    Parameters
    ----------
    waited : float
        Seconds that were no work of the task.
    results : list
        Results of the calls that the task consisted of. Where the only one is a dict
        with a "fit_time", as scikit-learn's searches and `cross_validate` make it,
        that is corrected: fits wait, scores do not.
    """
    if len(results) == 1 and isinstance(results[0], dict) and "fit_time" in results[0]:
        results[0]["fit_time"] = max(results[0]["fit_time"] - waited, 0.0)
