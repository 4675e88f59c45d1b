"""Initial weights of a perceptron's hidden layers, trained one layer after another.

Greedy layer-wise pre-training (Bengio et al. 2007; Goodfellow et al., sections 8.7.4
and 15.1): each hidden layer is trained as the only one of a small perceptron, on the
features that the layers below give, which stay as they are. What it is trained for are
the targets ("supervised") or those features themselves ("autoencoder").
"""

from types import SimpleNamespace

import numpy as np
import torch

from sknn.data import Rows, channel_moments
from sknn.training._monitor import Diverged
from sknn.training._submit import train

# what the training of a single layer has not of the joint training
OF_JOINT_TRAINING = {
    "learning_rate": "constant",
    "warmup_epochs": 0,
    "n_iter_no_change": np.inf,
    "early_stopping": False,
    "scoring": None,
    "callbacks": None,
    "verbose": False,
    "deep_supervision": 0.0,
    "pretrain": None,
    "init_from": None,
    "freeze": 0,
}


def pretrain(estimator, rows, batch_size, random_state):
    """Train the hidden layers of an estimator's new module, the lowest one first.

    Parameters
    ----------
    estimator : BaseMLP
        Its parameters decide; its module gets the layers, and the last output.
    rows : Rows
        Training rows.
    batch_size : int
        Rows a batch.
    random_state : numpy.random.RandomState
        Source of all that is drawn.

    Returns
    -------
    list of list of float
        Training losses of each layer.
    """
    module, trainer, curves = estimator.module_, None, []
    n_hidden = len(module.layers) - 1
    # seeds of layers: how many rows are shuffled for one must not decide on the next
    seeds = random_state.randint(np.iinfo(np.int32).max, size=n_hidden)
    reconstructs = estimator.pretrain == "autoencoder"
    if reconstructs:
        X, _, weight = rows.arrays
        rows = Rows(X, np.zeros(X.shape[0]), weight, rows.index)
    for k, seed in enumerate(seeds):
        moments, random_state = None, np.random.RandomState(seed)
        if k:
            rows = Rows(trainer._features_of(rows.inputs), rows.y, rows.weight)
        if k and reconstructs:
            moments = _standardize(rows)
        trainer = _make_trainer(estimator, k, rows, random_state)
        curves.append(_train(trainer, k, rows, batch_size, random_state))
        _keep_layer(module, k, trainer.module_, moments)
        if estimator.verbose:
            first, last = curves[-1][0], curves[-1][-1]
            print(f"Hidden layer {k + 1}, loss = {first:.8f} to {last:.8f}")
    if not reconstructs:
        _copy(trainer.module_.layers[-1], module.layers[-1])
    return curves


def _standardize(rows):
    """Bring features to mean 0 and variance 1, in place; return what they had.

    Units that hardly vary would count for nothing in a sum of squared errors, and
    layer after layer would vary less.
    """
    mean, deviation = channel_moments(rows)
    features, _, _ = rows.arrays
    features -= mean
    features /= deviation
    return mean, deviation


def _make_trainer(estimator, k, rows, random_state):
    """Perceptron that has hidden layer `k` alone, with initial weights."""
    parameters, targets = estimator.get_params(deep=False), estimator._targets
    parameters |= OF_JOINT_TRAINING | {
        "hidden_layer_sizes": [estimator._hidden_sizes[k]],
        "dropout": [estimator._dropout_rates[k]],
        "max_iter": estimator.pretrain_iter,
    }
    if estimator.pretrain == "autoencoder":
        n_inputs = rows.arrays[0].shape[1]
        targets = SimpleNamespace(
            n_outputs=n_inputs, loss="reconstruction", loss_options={}
        )
        if "label_smoothing" in parameters:
            parameters["label_smoothing"] = 0.0
    trainer, flat = type(estimator)(**parameters), estimator._flat
    place = flat.numpy_dtype, flat.values.device
    flat = trainer._make_parameters(targets, rows.arrays[0], *place, random_state)
    trainer._begin(estimator._targets, flat)
    trainer._targets = targets
    return trainer


def _train(trainer, k, rows, batch_size, random_state):
    """Train the perceptron of hidden layer `k`; return its losses."""
    from sknn._assembly import make_net

    net = make_net(trainer, rows, None, batch_size, random_state, False, None)
    run = trainer._make_run(net, rows, incremental=True)
    with np.errstate(all="ignore"):
        (outcome,) = train([run])  # or wait, if others' layers are to come too
        run.end(outcome)
    if isinstance(outcome, Diverged):
        rate = f"learning rate {trainer.learning_rate_init:g}"
        raise ValueError(
            f"Pre-training with {'lbfgs' if run.lbfgs else rate} led to weights of "
            f"hidden layer {k + 1} that are not finite. Try a smaller "
            "learning_rate_init, gradient_clip, or inputs scaled to unit variance."
        )
    try:
        if isinstance(outcome, KeyboardInterrupt):
            raise outcome
        run.tell()
    finally:
        outcome = None  # it would keep this frame, and the frame it
    return net.task.monitor.curves.loss


@torch.no_grad()
def _keep_layer(module, k, trained, moments):
    r"""Let hidden layer `k` of a module be the only one of another.

    Where that one's inputs were standardized the weights take over what was done to
    them: :math:`W^\top (h - \mu) / \sigma + b = V^\top h + (b - V^\top \mu)` for
    :math:`V = W / \sigma`, row by row.
    """
    layer, has_norm = module.layers[k], len(module.norms) > 0
    _copy(trained.layers[0], layer)
    if has_norm:
        _copy(trained.norms[0], module.norms[k])
    if moments is None:
        return
    mean, deviation = (layer.weight.new_tensor(moment) for moment in moments)
    layer.weight /= deviation  # (units, inputs)
    shift = layer.weight @ mean
    if has_norm:
        module.norms[k].running_mean += shift
    else:
        layer.bias -= shift


def _copy(layer, to):
    """Give a layer the parameters and buffers of another, in the memory it has."""
    to.load_state_dict(layer.state_dict())
