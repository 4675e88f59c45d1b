"""What an estimator tells the loop that trains its net."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """What nets with a gradient by hand have to be to be trained as one.

    Parameters
    ----------
    key : tuple or None
        Layers' sizes, and what else has to agree for one rule to find the gradients;
        None where each has to have its own.
    make_rule : callable
        ``make_rule(values, gradients, loss, ops, loss_ops, masks)`` makes it from
        lists of tensors, one a parameter in flat order, with an axis of networks.
    has_scorer : bool
        Whether code that is not ours scores the validation rows.
    """

    key: tuple | None
    make_rule: Any
    has_scorer: bool = False


@dataclass
class Task:
    """What an estimator tells the loop besides skorch's own parameters.

    Parameters
    ----------
    loss : Loss
        What is minimised, the penalty aside.
    penalty : Penalty
        Added to the gradient after each batch; the optimizer sees to its L1 part.
    monitor : Monitor
        Called after every epoch.
    make_gradient : callable
        ``make_gradient(flat)`` returns the gradient of a batch's loss, or None for
        autograd.
    targets : ClassTargets or RealTargets
        Reads predictions off raw outputs for callbacks that score.
    validation : Rows or None
        Rows that callbacks see as the validation set.
    flat : FlatParameters or None
        Parameters of an earlier fit that is continued.
    optimizer : torch.optim.Optimizer or None
        Optimizer of an earlier fit that is continued.
    history : skorch.history.History or None
        History of an earlier fit that is continued.
    masks : DropoutMasks or None
        What dropout layers draw from where autograd finds the gradient.
    generator : torch.Generator or None
        What layers draw from that change training rows.
    adversary : Adversary or None
        What the module is trained against, where that is no loss of its outputs.
    form : Form or None
        What the net has to have in common with others to be trained as one of them;
        None without a gradient by hand.
    """

    loss: Any
    penalty: Any
    monitor: Any
    make_gradient: Any
    targets: Any
    validation: Any = None
    flat: Any = None
    optimizer: Any = None
    history: Any = None
    masks: Any = None
    generator: Any = None
    adversary: Any = None
    form: Any = None
