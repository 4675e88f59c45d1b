"""Multi-layer perceptron classifier: scikit-learn's on this package's engine."""

from sknn._heads import ClassifierHead
from sknn._mlp_base import BaseMLP


class MLPClassifier(ClassifierHead, BaseMLP):
    """Multi-layer perceptron classifier, scikit-learn's by one changed import.

    Minimises the log-loss of a softmax for several classes, of one logistic unit for
    two, of one a label for a multilabel indicator matrix. With float64 X and an int
    `random_state` it reproduces the losses, weights and predictions of
    `sklearn.neural_network.MLPClassifier`.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_layers - 2,), default=(100,)
        Units of each hidden layer; ``()`` is the single-layer perceptron.
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", \
            "gelu", "silu", "mish", "softplus", "sign"}, default="relu"
        Activation of the hidden layers. The threshold units of "sign" learn by a
        straight-through gradient (Bengio et al. 2013).
    solver : {"lbfgs", "sgd", "adam", "adamw", "adagrad", "rmsprop"}, default="adam"
        Stochastic gradient descent with momentum, Adam, Adam with decoupled weight
        decay, AdaGrad, RMSProp, or the quasi-Newton method L-BFGS-B, which suits small
        data.
    alpha : float, default=0.0001
        Strength of the penalty, ``alpha / (2 n) * ||W||^2``, where n is the total
        weight of a batch's rows; biases are free. adamw has no penalty: each of its
        steps takes ``learning_rate * alpha * W`` from the weights instead.
    batch_size : int, "auto" or "full", default="auto"
        Rows a batch; "auto" is ``min(200, n_samples)``, "full" all rows, which lbfgs
        uses in any case, and 1 is fully stochastic.
    learning_rate : {"constant", "invscaling", "adaptive", "linear", "cosine", \
"one_cycle", "inverse_sqrt", "plateau"}, default="constant"
        Schedule. "invscaling" divides by ``(t + 1) ** power_t`` after t rows;
        "adaptive" by five whenever training stops improving: both for sgd. All others
        are for every solver but lbfgs: "plateau" does as "adaptive"; "linear",
        "cosine" and "one_cycle" end at `learning_rate_final`; "inverse_sqrt" falls
        with the root of the epochs. The rate changes at every step.
    learning_rate_init : float, default=0.001
        Initial learning rate of every solver but lbfgs.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=200
        Most epochs, or lbfgs iterations.
    shuffle : bool, default=True
        Whether to visit the rows in a new order each epoch.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, the validation split, the order of rows and the units
        that are dropped. The same int gives the same bits on the same machine.
    tol : float, default=0.0001
        Improvement of the loss, or of the validation score, that counts; for lbfgs the
        largest component of the gradient at which to stop.
    verbose : bool or int, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous one.
    momentum : float, default=0.9
        Momentum of sgd, in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether sgd's momentum is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop when the validation score no longer improves, and to return
        the weights with the best one.
    validation_fraction : float, default=0.1
        Share of the training rows held out for early stopping where `fit` is given no
        ``X_val``.
    beta_1 : float, default=0.9
        Decay of the first moment of adam and adamw.
    beta_2 : float, default=0.999
        Decay of the second moment of adam and adamw.
    epsilon : float, default=1e-08
        Added to the root that adam, adamw, adagrad and rmsprop divide by.
    n_iter_no_change : int or inf, default=10
        Epochs without improvement after which to stop.
    max_fun : int, default=15000
        Most evaluations of the loss by lbfgs.
    device : str or torch.device, default="auto"
        Where to train. "auto" is an accelerator for float32 work where there is one,
        else the CPU.
    dtype : {"auto", "float32", "float64"}, default="auto"
        Type to train in. "auto" is float32 for float32 X and float64 for all other.
    class_weight : dict, "balanced" or None, default=None
        Factor of each class on the sample weights; "balanced" gives all classes the
        same total weight.
    scoring : str, callable or None, default=None
        What early stopping and ``validation_scores_`` measure: None for the accuracy,
        any scorer of scikit-learn, or "loss" for minus the validation loss.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch; they are cloned. scikit-learn's go through
        `set_callbacks`.
    rho : float, default=0.9
        Decay of rmsprop's mean of squared gradients.
    learning_rate_final : float or None, default=None
        Rate that "linear", "cosine" and "one_cycle" end with; None is
        ``learning_rate_init / 100``.
    decay_epochs : float or None, default=None
        Epochs after which they do; None is ``max_iter``.
    warmup_epochs : float, default=0
        Epochs in which the rate rises linearly from zero to that of the schedule.
    weight_init : {"auto", "glorot_uniform", "glorot_normal", "he_uniform", \
            "he_normal", "lecun_normal", "orthogonal", "sparse", \
            "normal"}, default="auto"
        How the initial weights are drawn. "auto" is scikit-learn's way, biases drawn
        too; with all others they are zero.
    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty, ``alpha / n * (l1_ratio * ||W||_1 +
        (1 - l1_ratio) / 2 * ||W||^2)``. A proximal step after each update makes weights
        exactly zero. adamw's penalty is decoupled, undivided and in no loss. Not for
        lbfgs.
    dropout : float or array-like of shape (n_layers - 2,), default=0.0
        Probability that a hidden unit is left out of a training step, one for all
        hidden layers or one each, in [0, 1). Not for lbfgs.
    batch_norm : bool, default=False
        Whether each hidden layer's units are normalised over the batch, before the
        activation; predictions use running statistics. Not for lbfgs. A last batch of
        less than a quarter of `batch_size`, or of one row, joins the one before.
    gradient_clip : float or None, default=None
        Norm that the gradient of all parameters together is scaled down to where it
        is longer. No effect with lbfgs.
    label_smoothing : float, default=0.0
        Share of the targets that is spread evenly over all classes in training, in
        [0, 1). The validation loss and all scores are those of the true labels.
    n_networks : int, default=1
        Networks to train, each from initial weights and in an order of rows of its own.
    combine : {"average", "best"}, default="average"
        Whether predictions are the mean of all networks' probabilities, or those of the
        one that is best on the validation rows, or by its loss where there are none.
    deep_supervision : float, default=0.0
        Weight of outputs on the hidden layers below the last, each with the loss that
        the network's own has: they train along and predict nothing (Lee et al. 2015).
    pretrain : {"supervised", "autoencoder"} or None, default=None
        How the hidden layers are trained one by one, the lowest one first, before all
        are trained together: each for the targets, with an output layer for the time
        being, or as the encoder of the features that the layers below give.
    pretrain_iter : int, default=10
        Epochs, or lbfgs iterations, that each layer is trained for; in the first call
        of `partial_fit` too, on the rows that it is given.
    init_from : FrozenEstimator or None, default=None
        ``FrozenEstimator(network)`` of scikit-learn around a fitted `MLPClassifier` or
        `MLPRegressor` with the same hidden layers: these begin as copies of its own. It
        matters to the first fit, not to those that go on.
    freeze : int or "body", default=0
        How many hidden layers, from the first on, stay as `init_from` has them, with
        their running statistics; "body" is all. Dropout goes on.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : torch.nn.Module
        The trained network; returns raw outputs.
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer, views of the module's parameters.
    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer, views of the module's parameters; with `batch_norm` what
        is added after the normalization.
    loss_ : float
        Training loss after the last epoch, with penalty, label smoothing and deep
        supervision.
    loss_curve_ : list of float
        Training loss after each epoch.
    best_loss_ : float or None
        Lowest training loss; None with early stopping.
    validation_scores_ : list of float or None
        Score on the validation rows after each epoch, where there are any.
    validation_loss_curve_ : list of float or None
        Loss on the validation rows, without the penalty.
    best_validation_score_ : float or None
        Highest validation score.
    networks_ : list of estimators
        The fitted networks, each an estimator of its own; all other attributes are
        those of the best one.
    history_ : skorch.history.History
        skorch's record, a row an epoch.
    pretrain_curves_ : list of list of float, or None
        Training losses of each hidden layer, an epoch each, from before the joint
        training; None where `pretrain` is.
    callbacks_ : list of (str, skorch.callbacks.Callback)
        The cloned callbacks as training left them; not pickled.
    optimizer_ : torch.optim.Optimizer or None
        Optimizer with its state; None for lbfgs.
    n_iter_ : int
        Epochs, or lbfgs iterations, of the last `fit`.
    t_ : int
        Rows trained on so far.
    n_layers_ : int
        Layers, input and output included.
    n_outputs_ : int
        Output units.
    out_activation_ : str
        Output activation.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, where it has any.

    See Also
    --------
    MLPRegressor : The same network for real targets.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, MIT Press 2016, chapters 6 to 8.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Bengio, Lamblin, Popovici and Larochelle, "Greedy layer-wise training of deep
    networks", NIPS 2007.

    Lee, Xie, Gallagher, Zhang and Tu, "Deeply-supervised nets", AISTATS 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(
    ...     StandardScaler(), MLPClassifier((10,), solver="lbfgs", random_state=0)
    ... )
    >>> bool(model.fit(X, y).score(X, y) > 0.97)
    True
    """

    _parameter_constraints: dict = {
        **BaseMLP._parameter_constraints,
        **ClassifierHead._parameter_constraints,
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        device="auto",
        dtype="auto",
        class_weight=None,
        scoring=None,
        callbacks=None,
        rho=0.9,
        learning_rate_final=None,
        decay_epochs=None,
        warmup_epochs=0,
        weight_init="auto",
        l1_ratio=0.0,
        dropout=0.0,
        batch_norm=False,
        gradient_clip=None,
        label_smoothing=0.0,
        n_networks=1,
        combine="average",
        deep_supervision=0.0,
        pretrain=None,
        pretrain_iter=10,
        init_from=None,
        freeze=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.device = device
        self.dtype = dtype
        self.class_weight = class_weight
        self.scoring = scoring
        self.callbacks = callbacks
        self.rho = rho
        self.learning_rate_final = learning_rate_final
        self.decay_epochs = decay_epochs
        self.warmup_epochs = warmup_epochs
        self.weight_init = weight_init
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.gradient_clip = gradient_clip
        self.label_smoothing = label_smoothing
        self.n_networks = n_networks
        self.combine = combine
        self.deep_supervision = deep_supervision
        self.pretrain = pretrain
        self.pretrain_iter = pretrain_iter
        self.init_from = init_from
        self.freeze = freeze
