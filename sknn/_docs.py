"""Descriptions of what several estimators have in common, written once."""

import inspect
import textwrap

# parameter -> its type and its meaning
PARAMETERS = {
    "hidden_layer_sizes": (
        "int or array-like of int",
        "Units of each fully connected hidden layer.",
    ),
    "activation": (
        '{"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", '
        '"gelu", "silu", "mish", "softplus", "sign"}',
        'Activation of the hidden units. The threshold units of "sign" learn by a '
        "straight-through gradient (Bengio et al. 2013).",
    ),
    "loss": (
        '{"squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma"}',
        "What is minimised: half the squared error, the absolute error (for medians), "
        "half the squared error up to `huber_delta` and linear beyond, the pinball "
        "loss of `quantile`, or half the deviance of Poisson (``y >= 0``) or gamma "
        "(``y > 0``) means, which predict ``exp`` of the network's output.",
    ),
    "quantile": (
        "float or list of float",
        'Level that ``loss="quantile"`` predicts, in (0, 1); a list gives a column '
        "each.",
    ),
    "huber_delta": ("float", 'Error from which ``loss="huber"`` grows linearly.'),
    "solver": (
        '{"sgd", "adam", "adamw", "adagrad", "rmsprop"}',
        "Stochastic gradient descent with momentum, Adam, Adam with decoupled weight "
        "decay, AdaGrad or RMSProp.",
    ),
    "alpha": (
        "float",
        "Strength of the penalty, ``alpha / (2 n) * ||W||^2``, where n is the total "
        "weight of a batch's rows; biases are free. adamw has no penalty: each of its "
        "steps takes ``learning_rate * alpha * W`` from the weights instead.",
    ),
    "l1_ratio": (
        "float",
        "Share of the L1 norm in the penalty, ``alpha / n * (l1_ratio * ||W||_1 + "
        "(1 - l1_ratio) / 2 * ||W||^2)``. A proximal step after each update makes "
        "weights exactly zero.",
    ),
    "batch_size": (
        'int, "auto" or "full"',
        'Rows a batch; "auto" is ``min({auto}, n_samples)``, "full" all rows, and 1 '
        "is fully stochastic.",
    ),
    "learning_rate": (
        '{"constant", "invscaling", "adaptive", "linear", "cosine", "one_cycle", '
        '"inverse_sqrt", "plateau"}',
        'Schedule. "invscaling" divides by ``(t + 1) ** power_t`` after t rows; '
        '"adaptive" by five whenever training stops improving: both for sgd. All '
        'others are for every solver: "plateau" does as "adaptive"; "linear", '
        '"cosine" and "one_cycle" end at `learning_rate_final`; "inverse_sqrt" falls '
        "with the root of the epochs. The rate changes at every step.",
    ),
    "learning_rate_init": ("float", "Initial learning rate."),
    "power_t": ("float", 'Exponent of "invscaling".'),
    "learning_rate_final": (
        "float or None",
        'Rate that "linear", "cosine" and "one_cycle" end with; None is '
        "``learning_rate_init / 100``.",
    ),
    "decay_epochs": (
        "float or None",
        "Epochs after which they do; None is ``max_iter``, and never in `partial_fit`, "
        "where the rate then stays.",
    ),
    "warmup_epochs": (
        "float",
        "Epochs in which the rate rises linearly from zero to that of the schedule.",
    ),
    "max_iter": ("int", "Most epochs."),
    "shuffle": ("bool", "Whether to visit the rows in a new order each epoch."),
    "random_state": (
        "int, RandomState instance or None",
        "Decides initial weights, the validation split, the order of rows and all "
        "else that is drawn. The same int gives the same bits on the same machine.",
    ),
    "tol": (
        "float",
        "Improvement of the loss, or of the validation score, that counts.",
    ),
    "n_iter_no_change": (
        "int or inf",
        "Epochs without improvement after which to stop.",
    ),
    "verbose": ("bool or int", "Whether to print a line an epoch."),
    "warm_start": (
        "bool",
        "Whether `fit` goes on from the weights of the previous one.",
    ),
    "momentum": ("float", "Momentum of sgd, in [0, 1]."),
    "nesterovs_momentum": ("bool", "Whether sgd's momentum is Nesterov's."),
    "beta_1": ("float", "Decay of the first moment of adam and adamw."),
    "beta_2": ("float", "Decay of the second moment of adam and adamw."),
    "epsilon": (
        "float",
        "Added to the root that adam, adamw, adagrad and rmsprop divide by.",
    ),
    "rho": ("float", "Decay of rmsprop's mean of squared gradients."),
    "early_stopping": (
        "bool",
        "Whether to stop when the validation score no longer improves, and to return "
        "the weights with the best one.",
    ),
    "validation_fraction": (
        "float",
        "Share of the training rows held out for early stopping where `fit` is given "
        "no ``X_val``.",
    ),
    "scoring": (
        "str, callable or None",
        "What early stopping and ``validation_scores_`` measure: None for the "
        'estimator\'s own score, any scorer of scikit-learn, or "loss" for minus the '
        "validation loss.",
    ),
    "standardize": (
        "bool",
        "Whether each channel is brought to mean 0 and variance 1 over the training "
        "rows, weighted as they are.",
    ),
    "weight_init": (
        '{"auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", '
        '"lecun_normal", "orthogonal", "sparse", "normal"}',
        'How the initial weights are drawn; "auto" is {auto}. Biases are zero.',
    ),
    "gradient_clip": (
        "float or None",
        "Norm that the gradient of all parameters together is scaled down to where it "
        "is longer.",
    ),
    "device": (
        "str or torch.device",
        'Where to train. "auto" is an accelerator for float32 work where there is '
        "one, else the CPU.",
    ),
    "dtype": (
        '{"auto", "float32", "float64"}',
        'Type to train in. "auto" is float64 for a table of two axes that is neither '
        "float32 nor cut up by ``input_shape``, and float32 for all else.",
    ),
    "class_weight": (
        'dict, "balanced" or None',
        'Factor of each class on the sample weights; "balanced" gives all classes the '
        "same total weight.",
    ),
    "label_smoothing": (
        "float",
        "Share of the targets that is spread evenly over all classes in training, in "
        "[0, 1). The validation loss and all scores are those of the true labels.",
    ),
    "deep_supervision": (
        "float",
        "Weight of outputs on the hidden layers below the last, each with the loss "
        "that the network's own has: they train along and predict nothing (Lee et al. "
        "2015).",
    ),
    "callbacks": (
        "list of skorch callbacks or None",
        "Callbacks of skorch; they are cloned. scikit-learn's go through "
        "`set_callbacks`.",
    ),
    "n_networks": (
        "int",
        "Networks to train, each from initial weights and in an order of rows of its "
        "own, one after another.",
    ),
    "combine": (
        '{"average", "best"}',
        "Whether predictions are the mean of all networks', of classifiers the mean of "
        "their probabilities, or those of the one that is best on the validation rows, "
        "or by its loss where there are none.",
    ),
}

ATTRIBUTES = {
    "module_": ("torch.nn.Module", "The trained network; returns raw outputs."),
    "loss_": ("float", "Training loss after the last epoch, penalty included."),
    "loss_curve_": ("list of float", "Training loss after each epoch."),
    "best_loss_": ("float or None", "Lowest training loss; None with early stopping."),
    "validation_scores_": (
        "list of float or None",
        "Score on the validation rows after each epoch, where there are any.",
    ),
    "validation_loss_curve_": (
        "list of float or None",
        "Loss on the validation rows, without the penalty.",
    ),
    "best_validation_score_": ("float or None", "Highest validation score."),
    "networks_": (
        "list of estimators",
        "The fitted networks that are kept, each an estimator of its own: the best one "
        'alone with ``combine="best"``, else all that have not diverged. All other '
        "attributes are those of the best one.",
    ),
    "history_": ("skorch.history.History", "skorch's record, a row an epoch."),
    "callbacks_": (
        "list of (str, skorch.callbacks.Callback)",
        "The cloned callbacks as training left them; not pickled.",
    ),
    "optimizer_": ("torch.optim.Optimizer", "Optimizer with its state."),
    "n_iter_": ("int", "Epochs of the last `fit`."),
    "t_": ("int", "Rows trained on so far."),
    "n_outputs_": ("int", "Output units."),
}


def describe(own=None, **auto):
    """Class decorator that completes a docstring by what is described here.

    A line ``[parameters]`` becomes the parameters of the signature in their order,
    ``[attributes of training]`` the fitted attributes of all estimators. Defaults
    come from the signature.

    Parameters
    ----------
    own : dict, optional
        Type and meaning of the parameters that are an architecture's own, and of fitted
        attributes that mean something else there.
    **auto : dict
        What ``"auto"`` means for a parameter of that name.
    """

    def complete(cls):
        if cls.__doc__:  # there is none with python -OO
            cls.__doc__ = _complete(cls, {**PARAMETERS, **(own or {})}, auto)
        return cls

    return complete


def _complete(cls, described, auto):
    parameters = []
    for name, parameter in inspect.signature(cls).parameters.items():
        kind, text = described[name]
        default = parameter.default
        default = f'"{default}"' if isinstance(default, str) else repr(default)
        text = text.replace("{auto}", str(auto.get(name)))
        parameters.append(_entry(name, f"{kind}, default={default}", text))
    entries = {name: described.get(name, entry) for name, entry in ATTRIBUTES.items()}
    if "n_networks" not in inspect.signature(cls).parameters:
        del entries["networks_"]
    fitted = [_entry(name, *entry) for name, entry in entries.items()]
    doc = inspect.cleandoc(cls.__doc__).replace("[parameters]", "\n".join(parameters))
    return doc.replace("[attributes of training]", "\n".join(fitted))


def _entry(name, kind, text):
    """Entry of a numpydoc section."""
    lines = textwrap.wrap(text, 84, break_long_words=False, break_on_hyphens=False)
    return "\n    ".join([f"{name} : {kind}", *lines])
