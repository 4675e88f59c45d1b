"""What scikit-learn's callbacks see of several networks: a subtask of the fit each."""

from contextlib import contextmanager
from copy import copy


class NetworkContexts:
    """Opens a part of a fit's root context for each of several networks."""

    @property
    def _n_subtasks(self):
        """Most subtasks of a fit's root context: epochs, or networks."""
        return super()._n_subtasks if self.n_networks == 1 else self.n_networks

    def _open_context(self, root):
        """Part of a fit's root context that is one network's."""
        if root is None:
            return None
        context, arguments = root
        options = {"task_name": "network", "max_subtasks": self.max_iter}
        return context.subcontext(**options), arguments

    @contextmanager
    def _in_context(self, root):
        """Tell callbacks when this network's training, of part `root`, begins and ends.

        Parameters
        ----------
        root : tuple or None
            What `_open_context` gave for it.
        """
        if root is None:
            yield
            return
        context, arguments = root
        context.call_on_fit_task_begin(**arguments)
        yield
        context.call_on_fit_task_end(**arguments, reconstruction_attributes=self._alone)

    def _alone(self):
        """Attributes that let another estimator stand for this network."""
        return vars(copy(self)) | {"_networks": None, "_combined_as": None}
