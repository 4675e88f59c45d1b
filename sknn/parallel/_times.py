"""Times of tasks that have stood still for others."""


def leave_out(waited, results):
    """Take seconds of waiting out of the time of a fit that scikit-learn measured.

    Parameters
    ----------
    waited : float
        Seconds that were no work of the task.
    results : list
        Results of the calls that the task consisted of. Where the only one is a dict
        with a "fit_time", as one fit of a search has it, that is corrected: fits wait,
        scores do not. Times of several fits, in an array, have been corrected one by
        one.
    """
    if len(results) != 1 or not isinstance(results[0], dict):
        return
    fit_time = results[0].get("fit_time")
    if isinstance(fit_time, float):
        results[0]["fit_time"] = max(fit_time - waited, 0.0)
