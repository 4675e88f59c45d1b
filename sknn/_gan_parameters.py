"""Parameters of a generative adversarial network: values, defaults, meanings."""

from numbers import Integral, Real

from sknn._door import TRAINING_CONSTRAINTS
from sknn._sklearn_compat import Interval, StrOptions
from sknn.training._activations import ACTIVATIONS
from sknn.training._adversarial_loss import LOSSES
from sknn.training._initialization import WEIGHTS
from sknn.training._schedules import TIMED

# strength of the penalty that "auto" is, for rows and for images
PENALTIES = {"wasserstein_gp": (1.0, 1.0)}
PENALTY = 0.1, 0.3
# entries of the noise that "auto" is at least and at most
NOISE = 2, 64
LAYERS = [
    "array-like",
    Interval(Integral, 1, None, closed="left"),
    StrOptions({"auto"}),
]
LAYER_SIZES = {
    "generator_layer_sizes": ((128, 128), (64, 32)),
    "discriminator_layer_sizes": ((128, 128), (32, 64)),
}
# parameter -> its type and its meaning
PARAMETERS = {
    "latent_dim": (
        'int or "auto"',
        'Entries of the noise that a row is made of. "auto" is one a column of X, 2 at '
        "least and 64 at most: with many more a generator of few columns misses parts "
        "of the data.",
    ),
    "generator_layer_sizes": (
        'int, array-like of int or "auto"',
        "Units of each hidden layer of the generator; with `image_shape` channels of "
        'its maps, which double in size from each to the next. "auto" is (128, 128), '
        "or (64, 32) channels.",
    ),
    "discriminator_layer_sizes": (
        'int, array-like of int or "auto"',
        "Units of each hidden layer of the discriminator; with `image_shape` channels "
        'of its maps, which halve in size from each to the next. "auto" is (128, 128), '
        "or (32, 64) channels.",
    ),
    "loss": (
        '{"non_saturating", "minimax", "wasserstein_gp", "hinge"}',
        "What the two networks minimise: cross-entropies, the generator's as it is "
        "used or as the game of two has it (Goodfellow et al. 2014), the Wasserstein "
        "distance with a gradient penalty (Gulrajani et al. 2017), or the hinge loss "
        "(Lim and Ye 2017).",
    ),
    "n_discriminator_steps": (
        "int",
        "Steps of the discriminator, on a batch each, before one of the generator. "
        "Where fewer rows are left they are cut into as many parts.",
    ),
    "gradient_penalty": (
        'float or "auto"',
        "Strength of the penalty on the slopes of the discriminator: on their squared "
        "norm at real rows (Mescheder et al. 2018), or on its distance from 1 between "
        'real and generated ones for "wasserstein_gp". "auto" is 0.1, 0.3 for images, '
        "or 1 for that.",
    ),
    "ema": (
        "float",
        "Decay of the moving average of the generator's weights that rows are made "
        "with, in [0, 1); 0 takes the last weights. Early steps decay faster.",
    ),
    "image_shape": (
        "sequence of int or None",
        "(height, width) or (height, width, channels) of rows that are images, "
        "channels last: both networks are convolutional then. None: perceptrons.",
    ),
    "batch_size": (
        'int, "auto" or "full"',
        'Rows of a step; "auto" is ``min({auto}, n_samples)``, "full" all rows.',
    ),
    "learning_rate": (
        '{"constant", "linear", "cosine", "one_cycle", "inverse_sqrt"}',
        'Schedule of both networks: "linear", "cosine" and "one_cycle" end at '
        '`learning_rate_final`; "inverse_sqrt" falls with the root of the epochs.',
    ),
    "dtype": (
        '{"auto", "float32", "float64"}',
        'Type to train in. "auto" is float32 for images and for X that is float32, and '
        "float64 for all else.",
    ),
    "max_iter": (
        "int",
        "Epochs, or with early stopping the most of them: losses that balance each "
        "other do not fall, so that they end nothing.",
    ),
    "n_iter_no_change": (
        "int or inf",
        "Epochs after which early stopping stops where the score has not risen by one "
        "standard deviation of it, over resamplings of both sets of rows.",
    ),
    "validation_fraction": (
        "float",
        "Share of the training rows held out for early stopping.",
    ),
}
# fitted attribute -> the same, where it is not what it is of other networks
ATTRIBUTES = {
    "module_": (
        "torch.nn.Module",
        "The generator, with the averaged weights: rows for noise and class codes.",
    ),
    "loss_": ("float", "Loss of the generator after the last epoch."),
    "loss_curve_": ("list of float", "Loss of the generator after each epoch."),
    "best_loss_": (
        "float or None",
        "Lowest loss of the generator, which says little; None with early stopping.",
    ),
    "validation_scores_": (
        "list of float or None",
        "With early stopping, `score` of the rows held out after each epoch.",
    ),
    "validation_loss_curve_": (
        "list of float or None",
        "Minus these scores: the discrepancy.",
    ),
}
# parameters of all networks that have no meaning where another network is the loss
ABSENT = {"alpha", "l1_ratio", "dropout", "power_t", "scoring", "tol"}
CONSTRAINTS = {
    name: constraint
    for name, constraint in TRAINING_CONSTRAINTS.items()
    if name not in ABSENT
} | {
    "latent_dim": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "generator_layer_sizes": LAYERS,
    "discriminator_layer_sizes": LAYERS,
    "activation": [StrOptions(set(ACTIVATIONS))],
    "loss": [StrOptions(set(LOSSES))],
    "n_discriminator_steps": [Interval(Integral, 1, None, closed="left")],
    "gradient_penalty": [
        StrOptions({"auto"}),
        Interval(Real, 0, None, closed="left"),
    ],
    "ema": [Interval(Real, 0, 1, closed="left")],
    "image_shape": ["array-like", None],
    "solver": [StrOptions({"sgd", "adam", "adamw", "adagrad", "rmsprop"})],
    "learning_rate": [StrOptions({"constant", *TIMED})],
    "weight_init": [StrOptions({"auto", *WEIGHTS})],
}
