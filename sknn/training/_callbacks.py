"""scikit-learn's callback contexts, driven by skorch's notifications."""

import dis

from skorch.callbacks import Callback, EpochScoring
from skorch.callbacks.training import ParamMapper

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class StopTraining(Exception):
    """A callback asked to stop after this epoch."""


class EpochContexts(Callback):
    """Opens and closes a subcontext of scikit-learn's callbacks around each epoch.

    Parameters
    ----------
    begin, end : callables
        Open a context of the current epoch; close it and say whether to stop.
    """

    def __init__(self, begin, end):
        self.begin, self.end = begin, end

    def on_epoch_begin(self, net, **kwargs):
        """Open the epoch's context."""
        self.context_ = self.begin()

    def on_epoch_end(self, net, **kwargs):
        """Close the epoch's context and pass on a request to stop."""
        if self.end(self.context_):
            raise StopTraining


def is_request(interrupt):
    """Whether a KeyboardInterrupt was raised by code, as skorch's callbacks do.

    One that a signal brings in interrupts some other instruction.
    """
    traceback = interrupt.__traceback__
    while traceback.tb_next:
        traceback = traceback.tb_next
    instruction = traceback.tb_frame.f_code.co_code[traceback.tb_lasti]
    return instruction == dis.opmap["RAISE_VARARGS"]


def looks_at_batches(callback, training):
    """Whether a callback listens to training batches, or to validation batches."""
    if isinstance(callback, EpochScoring):
        return callback.use_caching and callback.on_train == training
    return any(
        getattr(type(callback), hook) is not getattr(Callback, hook)
        for hook in BATCH_HOOKS
    )


def picks_parameters(callback):
    """Whether a callback freezes or changes parameters one by one."""
    return isinstance(callback, ParamMapper)


def noting_sizes(batches, sizes):
    """Pass batches on, and append how many rows of the loss each has.

    skorch counts what the inputs have, of which each may have several.
    """
    for batch in batches:
        sizes.append(batch.n_rows)
        yield batch
