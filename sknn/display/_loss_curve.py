"""Loss, score and learning rate over the epochs."""

import numpy as np

from sknn.display._checks import check_flags, check_properties, get_axes, get_network
from sknn.display._curves import (
    check_curve,
    find_best_epoch,
    get_column,
    get_curve,
    get_range,
    get_score_name,
)
from sknn.display._pen import Pen


class LossCurveDisplay:
    """Loss over the epochs of a fit, and what else was measured.

    Use `from_estimator` to make one. What it shows is in its attributes, so that
    `plot` can be called again with other options.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss after each epoch.
    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Loss on validation rows; NaN after epochs that measured none.
    validation_scores : array-like of shape (n_epochs,), default=None
        Score on validation rows; NaN after epochs that measured none.
    learning_rates : array-like of shape (n_epochs,), default=None
        Learning rate of each epoch; NaN in iterations that had none.
    best_epoch : int, default=None
        Epoch, counted from one, whose weights early stopping has kept.
    score_name : str, default="score"
        What `validation_scores` measure.
    name : str, default=None
        Name of the network, put before the labels of its curves, which then have one
        colour and differ in line style.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the losses.
    figure_ : matplotlib Figure
        Figure of the axes.
    loss_line_ : matplotlib Line2D
        Training loss.
    validation_loss_line_ : matplotlib Line2D or None
        Validation loss, where there is one.
    score_ax_ : matplotlib Axes or None
        Axes of the validation score, on the right, where it is shown.
    score_line_ : matplotlib Line2D or None
        Validation score.
    learning_rate_ax_ : matplotlib Axes or None
        Axes of the learning rate, on the right, where it is shown.
    learning_rate_line_ : matplotlib Line2D or None
        Learning rate.
    best_epoch_line_ : matplotlib Line2D or None
        Vertical line at the best epoch, where there is one.
    legend_ : matplotlib Legend
        Legend of all lines, those of earlier displays on the same axes included.

    See Also
    --------
    NetworkDisplay : Units and weights of a network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.display import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((10,), learning_rate_init=0.01, early_stopping=True,
    ...                     random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(mlp, learning_rate=True)
    >>> display.ax_.get_ylabel(), display.score_ax_.get_ylabel()
    ('loss', 'validation accuracy')
    """

    def __init__(
        self,
        loss_curve,
        *,
        validation_loss_curve=None,
        validation_scores=None,
        learning_rates=None,
        best_epoch=None,
        score_name="score",
        name=None,
    ):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.validation_scores = validation_scores
        self.learning_rates = learning_rates
        self.best_epoch = best_epoch
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        score=True,
        learning_rate=False,
        log_scale=False,
        name=None,
        line_kwargs=None,
    ):
        """Plot the curves of a fitted network.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted network with ``loss_curve_``, scikit-learn's own included, or a
            Pipeline that ends with one.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. Axes on the right that an earlier
            display made there are shared. A legend too long for the axes goes below
            them, for which a figure without layout engine gets the constrained one.
        score : bool, default=True
            Whether to show ``validation_scores_``, where there are any.
        learning_rate : bool, default=False
            Whether to show the learning rate of each epoch.
        log_scale : bool, default=False
            Whether the losses have a logarithmic axis.
        name : str, default=None
            Put before the labels, to tell networks on the same axes apart; each name
            has its colour.
        line_kwargs : dict, default=None
            Properties of all curves, such as ``{"linewidth": 1}``.

        Returns
        -------
        LossCurveDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` has no ``loss_curve_``; for options of a wrong type.
        ValueError
            If `learning_rate` or `log_scale` asks for what is not there.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sknn import MLPRegressor
        >>> from sknn.display import LossCurveDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> mlp = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=5000,
        ...                    alpha=10.0, tol=1e-2, random_state=0).fit(X, y)
        >>> display = LossCurveDisplay.from_estimator(mlp, log_scale=True)
        >>> len(display.loss_line_.get_xdata()) == mlp.n_iter_
        True
        """
        network = get_network(estimator, "loss_curve_")
        scores = get_curve(network, "validation_scores_", "valid_score")
        display = cls(
            list(network.loss_curve_),
            validation_loss_curve=get_curve(
                network, "validation_loss_curve_", "valid_loss"
            ),
            validation_scores=scores,
            learning_rates=get_column(network, "lr"),
            best_epoch=find_best_epoch(network, scores),
            score_name=get_score_name(network),
            name=name,
        )
        return display.plot(
            ax=ax,
            score=score,
            learning_rate=learning_rate,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
        )

    def plot(
        self,
        *,
        ax=None,
        score=True,
        learning_rate=False,
        log_scale=False,
        name=None,
        line_kwargs=None,
    ):
        """Plot the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. Axes on the right that an earlier
            display made there are shared. A legend too long for the axes goes below
            them, for which a figure without layout engine gets the constrained one.
        score : bool, default=True
            Whether to show the validation scores, where there are any.
        learning_rate : bool, default=False
            Whether to show the learning rates.
        log_scale : bool, default=False
            Whether the losses have a logarithmic axis.
        name : str, default=None
            Put before the labels; by default the display's own name.
        line_kwargs : dict, default=None
            Properties of all curves, such as ``{"linewidth": 1}``.

        Returns
        -------
        self : LossCurveDisplay
            The display, with its artists.

        Raises
        ------
        TypeError
            For options of a wrong type.
        ValueError
            If the curves differ in length, or if `learning_rate` or `log_scale` asks
            for what is not there.
        ImportError
            If matplotlib is not installed.
        """
        check_flags(score=score, learning_rate=learning_rate, log_scale=log_scale)
        check_properties(line_kwargs=line_kwargs)
        loss, validation_loss, scores, rates = self._check_curves()
        self._check_best_epoch(len(loss))
        if learning_rate and rates is None:
            raise ValueError(
                "learning_rate=True must have learning rates to show, which lbfgs and "
                "scikit-learn's own networks do not record: got learning_rates=None."
            )
        if log_scale:
            check_positive(loss, validation_loss)
        self.ax_ = ax = get_axes(ax, "LossCurveDisplay")
        self.figure_ = ax.figure
        pen = Pen(ax, self.name if name is None else name, line_kwargs or {})
        self._plot_losses(pen, loss, validation_loss, log_scale)
        self._plot_best_epoch(pen)
        self._plot_scores(pen, scores if score else None)
        self._plot_rates(pen, rates if learning_rate else None)
        self.legend_ = pen.make_legend()
        return self

    def _check_curves(self):
        """Losses, scores and learning rates as arrays, or None."""
        loss = check_curve("loss_curve", self.loss_curve)
        names = ["validation_loss_curve", "validation_scores", "learning_rates"]
        return loss, *(check_curve(n, getattr(self, n), len(loss)) for n in names)

    def _check_best_epoch(self, n_epochs):
        if self.best_epoch is not None and not 1 <= self.best_epoch <= n_epochs:
            raise ValueError(
                f"best_epoch must be from 1 to the number of epochs, {n_epochs}: got "
                f"{self.best_epoch}."
            )

    def _plot_losses(self, pen, loss, validation_loss, log_scale):
        from matplotlib.ticker import MaxNLocator

        self.loss_line_ = pen.draw(self.ax_, loss, "training loss")
        self.validation_loss_line_ = None
        if validation_loss is not None:
            line = pen.draw(self.ax_, validation_loss, "validation loss")
            self.validation_loss_line_ = line
        self.ax_.set(xlabel="epoch", ylabel="loss")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True))
        if log_scale:
            self.ax_.set_yscale("log")

    def _plot_best_epoch(self, pen):
        self.best_epoch_line_ = None
        if self.best_epoch is not None:
            label = pen.get_label(f"best epoch, {self.best_epoch}")
            self.best_epoch_line_ = self.ax_.axvline(
                self.best_epoch,
                color=self.loss_line_.get_color(),
                linestyle=":",
                label=label,
            )

    def _plot_scores(self, pen, scores):
        self.score_ax_ = self.score_line_ = None
        if scores is not None:
            label = f"validation {self.score_name}"
            self.score_ax_ = pen.add_axes(label)
            self.score_line_ = pen.draw(self.score_ax_, scores, label)

    def _plot_rates(self, pen, rates):
        self.learning_rate_ax_ = self.learning_rate_line_ = None
        if rates is not None:
            ax = self.learning_rate_ax_ = pen.add_axes("learning rate")
            self.learning_rate_line_ = pen.draw(ax, rates, "learning rate", "--")
            drawn = np.concatenate([line.get_ydata() for line in ax.get_lines()])
            smallest, largest = get_range(drawn)
            ax.set_yscale("log" if 0 < 10 * smallest < largest else "linear")


def check_positive(*losses):
    """Check that losses have logarithms."""
    smallest = min(get_range(loss)[0] for loss in losses if loss is not None)
    if smallest <= 0:
        raise ValueError(
            f"log_scale=True must have losses > 0: got {smallest} as the smallest."
        )
