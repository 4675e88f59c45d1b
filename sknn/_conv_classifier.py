"""Convolutional classifier of images and series."""

from sknn._conv_base import PARAMETERS, BaseConv
from sknn._docs import describe
from sknn._heads import ClassifierHead


@describe(PARAMETERS, batch_size=32, weight_init='"he_uniform"')
class ConvClassifier(ClassifierHead, BaseConv):
    """Convolutional classifier of images and series.

    Convolutions with pooling, then a perceptron (Goodfellow et al. 2016, chapter 9), on
    arrays whose channels come last: images (samples, height, width, channels) or
    (samples, height, width), series (samples, steps, channels) with ``conv_dims=1``,
    and the rows of a table. Minimises the log-loss.

    Parameters
    ----------
    [parameters]

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    input_shape_ : tuple of int
        Shape of one sample as the network sees it, channels last.
    conv_dims_ : int
        Axes that are convolved over.
    [attributes of training]
    n_features_in_ : int
        Numbers in one sample.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where it has any.

    See Also
    --------
    ConvRegressor : The same network for real targets.
    MLPClassifier : For tables whose columns have no order.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, chapter 9.

    He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016.

    Ioffe and Szegedy, "Batch normalization: accelerating deep network training by
    reducing internal covariate shift", ICML 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import ConvClassifier
    >>> digits = load_digits()
    >>> model = ConvClassifier(conv_channels=(8, 16), tol=0.05, random_state=0,
    ...                        n_iter_no_change=1)
    >>> model = model.fit(digits.images[:1500], digits.target[:1500])
    >>> bool(model.score(digits.images[1500:], digits.target[1500:]) > 0.85)
    True
    """

    _parameter_constraints: dict = {
        **BaseConv._parameter_constraints,
        **ClassifierHead._parameter_constraints,
    }

    def __init__(
        self,
        *,
        conv_channels=(32, 64),
        kernel_size=3,
        stride=1,
        padding="same",
        pool_size=2,
        pooling="max",
        global_pooling=None,
        residual=False,
        hidden_layer_sizes=(128,),
        activation="relu",
        random_crop=0,
        horizontal_flip=False,
        input_shape=None,
        conv_dims="auto",
        standardize=True,
        batch_norm=True,
        dropout=0.0,
        solver="adam",
        alpha=0.0001,
        l1_ratio=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=0,
        max_iter=50,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        rho=0.9,
        early_stopping=False,
        validation_fraction=0.1,
        scoring=None,
        weight_init="auto",
        gradient_clip=None,
        device="auto",
        dtype="auto",
        callbacks=None,
        class_weight=None,
        label_smoothing=0.0,
        n_networks=1,
        combine="average",
        deep_supervision=0.0,
        init_from=None,
        freeze=0,
    ):
        self.conv_channels = conv_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.pool_size = pool_size
        self.pooling = pooling
        self.global_pooling = global_pooling
        self.residual = residual
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.random_crop = random_crop
        self.horizontal_flip = horizontal_flip
        self.input_shape = input_shape
        self.conv_dims = conv_dims
        self.standardize = standardize
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.solver = solver
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.learning_rate_final = learning_rate_final
        self.decay_epochs = decay_epochs
        self.warmup_epochs = warmup_epochs
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
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
        self.scoring = scoring
        self.weight_init = weight_init
        self.gradient_clip = gradient_clip
        self.device = device
        self.dtype = dtype
        self.callbacks = callbacks
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.n_networks = n_networks
        self.combine = combine
        self.deep_supervision = deep_supervision
        self.init_from = init_from
        self.freeze = freeze
