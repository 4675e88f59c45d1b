"""Generative adversarial network that is sampled from."""

from sknn._docs import describe
from sknn._gan_base import BaseGAN
from sknn._gan_parameters import ATTRIBUTES, PARAMETERS


@describe({**PARAMETERS, **ATTRIBUTES}, batch_size=32, weight_init='"he_uniform"')
class GANSampler(BaseGAN):
    """Generative adversarial network.

    A generator turns noise into rows like those of the data, and learns it from a
    discriminator that learns to tell the two apart (Goodfellow et al. 2014; Goodfellow
    et al. 2016, section 20.10.4). With y both are told the class of each row, so that
    rows can be asked for by their class. Features are scaled to [-1, 1] by the range
    that they have in training, which generated ones never leave.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    discriminator_ : torch.nn.Module
        The discriminator: logits that rows, of classes by their codes, are real.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; only after a fit with y.
    class_prior_ : ndarray of shape (n_classes,)
        Share of each class in training; only after a fit with y.
    image_shape_ : tuple of int or None
        Height, width and channels of a row that is an image.
    discriminator_loss_curve_ : list of float
        Loss of the discriminator, its penalty included, after each epoch.
    diversity_curve_ : list of float
        Mean distance of two generated rows over that of two training rows, of one class
        where there are classes, after each epoch; 1 is the data's.
    [attributes of training]
    n_features_in_ : int
        Features of a row.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X has any.

    See Also
    --------
    sklearn.neighbors.KernelDensity : Samples of few features, without training.

    References
    ----------
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville and Bengio,
    "Generative adversarial nets", NeurIPS 2014.

    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, section 20.10.4.

    Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville, "Improved training of
    Wasserstein GANs", NeurIPS 2017.

    Mescheder, Geiger and Nowozin, "Which training methods for GANs do actually
    converge?", ICML 2018.

    Lim and Ye, "Geometric GAN", arXiv:1705.02894, 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import GANSampler
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GANSampler(max_iter=20, random_state=0).fit(X, y)
    >>> X_new, y_new = model.sample(y=[0, 1, 1, 2], random_state=0)
    >>> X_new.shape
    (4, 4)
    >>> y_new
    array([0, 1, 1, 2])
    """

    def __init__(
        self,
        latent_dim="auto",
        generator_layer_sizes="auto",
        discriminator_layer_sizes="auto",
        activation="leaky_relu",
        *,
        loss="non_saturating",
        n_discriminator_steps=1,
        gradient_penalty="auto",
        ema=0.999,
        image_shape=None,
        solver="adam",
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.002,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=0,
        max_iter=100,
        shuffle=True,
        random_state=None,
        n_iter_no_change=10,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.5,
        beta_2=0.999,
        epsilon=1e-8,
        rho=0.9,
        early_stopping=False,
        validation_fraction=0.1,
        weight_init="auto",
        gradient_clip=None,
        device="auto",
        dtype="auto",
        callbacks=None,
    ):
        self.latent_dim = latent_dim
        self.generator_layer_sizes = generator_layer_sizes
        self.discriminator_layer_sizes = discriminator_layer_sizes
        self.activation = activation
        self.loss = loss
        self.n_discriminator_steps = n_discriminator_steps
        self.gradient_penalty = gradient_penalty
        self.ema = ema
        self.image_shape = image_shape
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.learning_rate_final = learning_rate_final
        self.decay_epochs = decay_epochs
        self.warmup_epochs = warmup_epochs
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.n_iter_no_change = n_iter_no_change
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.rho = rho
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.weight_init = weight_init
        self.gradient_clip = gradient_clip
        self.device = device
        self.dtype = dtype
        self.callbacks = callbacks
