"""What an estimator's parameters say, as a net that is ready to train.

Imported at the first fit: skorch comes with it.
"""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from skorch.callbacks import GradientNormClipping, LRScheduler, PrintLog

from sknn._sklearn_compat import takes_sample_weight
from sknn.training._augmentation import make_generator
from sknn.training._callbacks import EpochContexts
from sknn.training._criterion import Criterion
from sknn.training._deep_supervision import DeepSupervision
from sknn.training._dropout import make_masks
from sknn.training._losses import make_loss
from sknn.training._monitor import Monitor
from sknn.training._net import Net
from sknn.training._penalty import Penalty
from sknn.training._schedules import (
    TIMED,
    effective_schedule,
    endless_schedule,
    make_schedule,
)
from sknn.training._stopping import Curves, Patience
from sknn.training._task import Task
from sknn.training._updates import SGD, Adagrad, Adam, AdamW, RMSprop

CONTEXTS = "sklearn_callbacks"
OPTIMIZERS = {
    "sgd": (SGD, ("momentum", "nesterov")),
    "adam": (Adam, ("betas", "eps")),
    "adamw": (AdamW, ("betas", "eps")),
    "adagrad": (Adagrad, ("eps",)),
    "rmsprop": (RMSprop, ("rho", "eps")),
}
# parameters of the objective that scikit-learn's networks do not have
OWN_OBJECTIVE = (
    "dropout",
    "label_smoothing",
    "l1_ratio",
    "quantile",
    "huber_delta",
    "class_weight",
    "deep_supervision",
    "corruption",
    "corruption_kind",
    "activity_l1",
    "freeze",
    "beta",
)
NEED_OPTIMIZER = (LRScheduler, GradientNormClipping)


def make_net(estimator, rows, held_out, batch_size, random_state, incremental, root):
    """Initialized net of the estimator's present module.

    Parameters
    ----------
    estimator : BaseNetwork
        Its parameters and fitted attributes decide.
    rows, held_out : Rows
        Training rows, and validation rows or None.
    batch_size : int
        Rows a batch.
    random_state : numpy.random.RandomState
        Shuffles the rows.
    incremental : bool
        Whether this is one more epoch of a `partial_fit`.
    root : tuple or None
        Root context of scikit-learn's callbacks and the arguments of their hooks.
    """
    targets, flat = estimator._targets, estimator._flat
    _renew_patience(estimator)
    batches = estimator._batch_options(rows)  # before what may depend on it
    sampling = estimator._sampling_options(random_state)
    optimizer = estimator.optimizer_ if incremental else None
    options = _optimizer_options(estimator)
    masks = make_masks(estimator._dropout_rates, random_state, estimator.t_)
    generator = None
    if estimator._augments:
        generator = make_generator(random_state, estimator.t_)
    adversary = estimator._make_adversary(rows, held_out, generator, incremental)
    truth, loss, objective = _make_losses(estimator, adversary)
    validate = _make_validation(estimator, held_out, truth, adversary)
    decays = (type(optimizer) if optimizer else options["optimizer"]) is AdamW
    penalty = Penalty(float(estimator.alpha), float(estimator.l1_ratio))
    task = Task(
        loss=objective,
        penalty=Penalty(0.0) if decays else penalty,
        monitor=_make_monitor(estimator, validate, adversary, incremental),
        make_gradient=lambda flat: estimator._make_gradient(
            flat, objective, batch_size, rows, masks
        ),
        targets=targets,
        validation=None if adversary else held_out,
        flat=flat,
        optimizer=optimizer,
        history=estimator.history_,
        masks=masks,
        generator=generator,
        adversary=adversary,
        form=None if adversary else estimator._form(rows),
    )
    callbacks = _make_callbacks(estimator)
    if root is not None:
        callbacks.append((CONTEXTS, _epoch_contexts(estimator, root, task.monitor)))
    net = Net(
        estimator.module_,
        criterion=Criterion(truth, loss),
        task=task,
        max_epochs=1 if incremental else estimator.max_iter,
        batch_size=batch_size,
        callbacks=callbacks,
        device=None,
        iterator_train__random_state=random_state if estimator.shuffle else None,
        iterator_train__device=flat.values.device,
        iterator_train__joins_last=getattr(flat.module, "has_batch_norm", False),
        iterator_valid__device=flat.values.device,
        **_prefix("iterator_train", {**batches, **sampling}),
        **_prefix("iterator_valid", batches),
        **options,
    ).initialize()
    optimizers = [net.optimizer_] if net.optimizer_ else []
    for updating in [*optimizers, *([adversary.optimizer] if adversary else [])]:
        _regularise(updating, penalty, decays, estimator.gradient_clip)
    net.device = str(flat.values.device)  # where the module is already
    net.verbose = estimator.verbose or any(
        isinstance(callback, PrintLog) for _, callback in net.callbacks_
    )
    return net


def _prefix(part, options):
    """Options of a part of a net, as skorch takes them."""
    return {f"{part}__{name}": value for name, value in options.items()}


def _optimizer_options(estimator):
    """Optimizer class and its parameters as skorch takes them."""
    if estimator.solver == "lbfgs":
        return {"optimizer": None}
    options = _own_options(estimator)
    return {
        "lr": float(estimator.learning_rate_init),
        "optimizer": OPTIMIZERS[estimator.solver][0],
        "optimizer__n_weights": estimator._flat.n_penalized,
        **_prefix("optimizer", options),
    }


def _own_options(estimator):
    """Options of the solver's optimizer that others have not."""
    values = {
        "momentum": estimator.momentum,
        "nesterov": estimator.nesterovs_momentum,
        "betas": (estimator.beta_1, estimator.beta_2),
        "rho": estimator.rho,
        "eps": estimator.epsilon,
    }
    return {name: values[name] for name in OPTIMIZERS[estimator.solver][1]}


def make_optimizer(estimator, flat):
    """Another optimizer by the estimator's parameters, of the flat parameter given."""
    options = {**_own_options(estimator), "lr": float(estimator.learning_rate_init)}
    optimizer = OPTIMIZERS[estimator.solver][0]
    return optimizer([flat.parameter], n_weights=flat.n_penalized, **options)


def _regularise(optimizer, penalty, decays, clip):
    """Set clipping, decay and L1 norm of an optimizer, new or of an earlier call."""
    for group in optimizer.param_groups:
        group["clip"] = clip
        if decays:
            group.update(weight_decay=penalty.l2, l1=penalty.l1)
        elif not penalty.l1:
            group.update(l1=0.0, pull=0.0)


def _renew_patience(estimator):
    """Forget how long nothing has improved where a warm start begins something new.

    scikit-learn's networks never do, so it takes a schedule or an objective that they
    do not have.
    """
    objective = repr([getattr(estimator, name, None) for name in OWN_OBJECTIVE])
    changed = vars(estimator).get("_objective", objective) != objective
    estimator._objective = objective
    if changed:
        estimator.best_loss_ = None
    if (
        changed
        or effective_schedule(estimator.learning_rate, estimator.solver) in TIMED
    ):
        estimator._no_improvement_count = 0


def _make_losses(estimator, adversary):
    """Losses of validation rows, and of training rows, without companions and with."""
    if adversary is not None:
        return adversary.loss, adversary.loss, adversary.loss
    targets, smoothing = estimator._targets, getattr(estimator, "label_smoothing", 0.0)
    truth = make_loss(targets.loss, **targets.loss_options)
    loss = make_loss(targets.loss, smoothing, **targets.loss_options)
    weight = getattr(estimator, "_companion_weight", 0.0)
    if not weight:
        return truth, loss, loss
    return truth, loss, DeepSupervision(loss, targets.n_outputs, weight)


def _make_monitor(estimator, validate, adversary, incremental):
    """Monitor that goes on where the estimator's last training stopped."""
    is_lbfgs = estimator.solver == "lbfgs"
    keeps_best = estimator.early_stopping and validate is not None and not is_lbfgs
    if keeps_best:
        best = estimator.best_validation_score_
    else:
        best = estimator.best_loss_ and -estimator.best_loss_
    waits = keeps_best or adversary is None  # losses in balance do not fall
    patience = Patience(
        estimator.tol,
        estimator.n_iter_no_change if waits else np.inf,
        -np.inf if best is None else best,
        estimator._no_improvement_count,
    )
    curves = Curves(
        list(estimator.loss_curve_),
        list(estimator.validation_loss_curve_ or ()),
        list(estimator.validation_scores_ or ()),
        estimator.t_,
    )
    name = effective_schedule(estimator.learning_rate, estimator.solver)
    if incremental and estimator.decay_epochs is None:
        name = endless_schedule(name)
    schedule = make_schedule(
        name,
        estimator.learning_rate_init,
        estimator.power_t,
        estimator.learning_rate_final,
        estimator.decay_epochs or estimator.max_iter,
        estimator.warmup_epochs,
    )
    verbose = bool(estimator.verbose) and not is_lbfgs
    observe = adversary and adversary.observe
    return Monitor(curves, patience, schedule, validate, keeps_best, verbose, observe)


def _make_validation(estimator, held_out, loss, adversary):
    """Closure that gives loss and score of the validation rows, or None."""
    if held_out is None or adversary is not None:
        return adversary and adversary.validate
    targets = estimator._targets
    labels = targets.decode_encoded(held_out.y)
    score = _make_score(estimator, held_out, labels, held_out.weight)
    evaluate = estimator._evaluator(held_out)
    y, weight = estimator._rows_of_loss(held_out)

    def validate():
        raw = evaluate()
        value = loss.value(raw, y, weight) + estimator._held_out_penalty(held_out)
        if not np.isfinite(targets.link(raw.copy())).all():
            return value, float("nan")
        if estimator.scoring == "loss":
            return value, -value
        if score is not None:
            return value, score()
        return value, estimator._score_held_out(held_out, raw, y, weight)

    return validate


def _make_score(estimator, held_out, labels, weight):
    """Closure of the scorer that `scoring` asks for, tried once, or None."""
    if estimator.scoring in (None, "loss"):
        return None
    X = held_out.X  # scorers want an array
    nameless = estimator._without_feature_names()  # rows are arrays by now
    scorer = check_scoring(nameless, estimator.scoring)
    options = {}
    if weight is not None and takes_sample_weight(scorer):
        options = {"sample_weight": weight}
    elif weight is not None:
        warnings.warn(
            f"scoring={estimator.scoring!r} takes no sample_weight: all validation "
            "rows count alike.",
            stacklevel=2,
        )

    def score():
        return float(scorer(nameless, X, labels, **options))

    try:
        value = score()  # what it raises should come before any training
        if np.isnan(value):
            raise ValueError("it is NaN.")
    except Exception as error:
        raise ValueError(
            f"scoring={estimator.scoring!r} must give a number for the validation "
            f"rows and their targets, {X.shape[0]} of them: {error}"
        ) from error
    return score


def _make_callbacks(estimator):
    """Clones of the user's callbacks that the solver has a use for."""
    callbacks = []
    for callback in estimator.callbacks or ():
        member = callback[1] if isinstance(callback, tuple) else callback
        kind = member if isinstance(member, type) else type(member)
        if estimator.solver == "lbfgs" and issubclass(kind, NEED_OPTIMIZER):
            warnings.warn(
                f"The callback {kind.__name__} has no effect with solver='lbfgs'.",
                stacklevel=2,
            )
        else:
            callbacks.append(clone(callback, safe=False))
    return callbacks


def _epoch_contexts(estimator, root, monitor):
    """skorch callback that opens a subcontext of `root` an epoch."""
    context, arguments = root

    def begin():
        epoch = context.subcontext(task_name="epoch")
        epoch.call_on_fit_task_begin(**arguments)
        return epoch

    def reconstruct():
        is_member = estimator is not arguments["estimator"]
        return {
            **(estimator._alone() if is_member else {}),
            "n_iter_": monitor.n_iter,
            "loss_curve_": list(monitor.curves.loss),
        }

    def end(epoch):
        return epoch.call_on_fit_task_end(
            **arguments, reconstruction_attributes=reconstruct
        )

    return EpochContexts(begin, end)


def keep_results(estimator, net, result):
    """Set the fitted attributes of a training that has ended, however it did.

    Parameters
    ----------
    estimator : BaseNetwork
        Whose attributes are set.
    net : Net
        The net that was trained.
    result : tuple or None
        Number of iterations and last loss; None where training raised.
    """
    monitor, curves = net.task.monitor, net.task.monitor.curves
    estimator._flat.tie()
    estimator.history_ = net.history_
    estimator.callbacks_ = [(n, cb) for n, cb in net.callbacks_ if n != CONTEXTS]
    last_loss = curves.loss[-1] if curves.loss else float("nan")
    estimator.n_iter_, estimator.loss_ = result or (monitor.n_iter, last_loss)
    estimator.t_, estimator.loss_curve_ = curves.n_samples_seen, curves.loss
    estimator._no_improvement_count = monitor.patience.count
    estimator.best_loss_ = None if monitor.keeps_best else -monitor.patience.best
    if monitor.validate is not None:
        estimator.validation_loss_curve_ = curves.validation_loss
        estimator.validation_scores_ = curves.validation_score
        estimator.best_validation_score_ = (
            monitor.patience.best
            if monitor.keeps_best
            else max(curves.validation_score, default=-np.inf)
        )
