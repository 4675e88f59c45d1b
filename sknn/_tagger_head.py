"""The head of networks that label each step of a sequence."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from sknn._base import BaseNetwork
from sknn._door import TRAINING_CONSTRAINTS, require_y
from sknn._ensemble import SeveralNetworks
from sknn._heads import check_classes, check_stochastic, refuse_balanced
from sknn._sequence_base import axes_of_numbers, choose_dim, table_of, tidy
from sknn._sklearn_compat import (
    Interval,
    StrOptions,
    check_sample_weight,
    fit_context,
)
from sknn.data import (
    Sequences,
    StepTargets,
    as_object_array,
    combine_weights,
    has_one_label_a_row,
    read_labels,
    step_weights,
    weights_of_classes,
)

PARAMETERS = {
    "dropout": (
        'float or "auto"',
        "Probability that an output of a layer is left out of a training step, in [0, "
        '1); "auto" is {auto} for tokens and 0 for series of numbers.',
    ),
    "min_count": (
        "int",
        "How often a token must occur to be told from unseen ones. Rare ones teach "
        "what to make of these, by the letters where they have any.",
    ),
    "char_embedding_dim": (
        'int, "auto" or None',
        "Entries of the vector learned for each letter of the tokens that are strings: "
        "beside its own vector a token has features of its spelling, three times as "
        'many, so that unseen ones are told apart. "auto" is 1.6 times the 0.56th '
        "power of the number of letters; None reads no letters.",
    ),
}


class TaggerHead(SeveralNetworks):
    """Labels of steps in; labels and probabilities of steps out.

    It comes before a `BaseSequenceNetwork` in the bases. scikit-learn's classifiers
    have one label a sample, which is why this is none: splits are not stratified.
    """

    pooling = None  # all steps have outputs of their own

    _parameter_constraints: dict = {
        **SeveralNetworks._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "char_embedding_dim": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "dropout": [StrOptions({"auto"}), *TRAINING_CONSTRAINTS["dropout"]],
    }
    _y_options: dict = {}
    _fewest_scored = 1

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    @property
    def _dropout(self):
        if not isinstance(self.dropout, str):
            return self.dropout
        reader = vars(self).get("_reader")
        return 0.0 if reader is None or reader.kind == "numbers" else self._auto_dropout

    # Inputs and labels

    def _check_X(self, X, dtype, *, reset, sample_weight=None, **options):
        if isinstance(X, Sequences):  # read before
            return (X, self._read_y(X, options)) if "y" in options else X
        tokens = self._takes_tokens(reset)
        is_flat = not tokens and has_one_label_a_row(options.get("y"))
        X = X if tokens else tidy(table_of(X) if reset and is_flat else X)
        n_axes = None if tokens else axes_of_numbers(X)
        if (n_axes == 2 and is_flat) if reset else self._fitted_to_table:
            return self._check_table(X, dtype, reset, options)
        X = self._check_steps(X, n_axes, dtype, reset, sample_weight)
        return (X, self._read_y(X, options)) if "y" in options else X

    def _read_y(self, X, options):
        """Labels of the steps of `X`."""
        y = options["y"]
        require_y(self, y)
        if self._fitted_to_table:
            return Sequences(np.asarray(y), X.starts)
        return read_labels(y, X.lengths)

    def _check_table(self, X, dtype, reset, options):
        """Rows of a table as sequences of one step, and their labels."""
        if not reset and not hasattr(X, "shape"):
            X = _as_table(X, self.n_features_in_)
        checked = BaseNetwork._check_X(self, X, dtype, reset=reset, **options)
        X, *y = checked if isinstance(checked, tuple) else (checked,)
        n, n_features = X.shape
        X = self._read(X[:, None, :], X.dtype, reset, n_features=n_features)
        return (X, Sequences(y[0], np.arange(n + 1))) if y else X

    @property
    def _reading(self):
        spelled = self.char_embedding_dim is not None
        return {"spelled": spelled, "empty": "refused"}

    @property
    def _letters(self):
        n_letters = self._reader.n_letters
        if n_letters is None:
            return {}
        dim = choose_dim(self.char_embedding_dim, n_letters)
        return {"n_letters": n_letters, "letter_dim": dim}

    def _make_targets(self, y, classes, continues, incremental):
        if classes is not None:
            check_classes(self, classes, continues)
        if continues:
            self._targets.check_known(y.values)
            return self._targets
        targets = StepTargets.fit(y.values if classes is None else np.asarray(classes))
        check_classification_targets(y.values)
        targets.check_known(y.values)
        targets.is_flat = self._fitted_to_table
        return targets

    def _check_validation_targets(self, targets, y_val):
        targets.check_known(y_val.values)

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.classes_, self.n_outputs_ = targets.classes, targets.n_outputs

    def _combine_weights(self, X, y, sample_weight, targets, incremental, dtype):
        if incremental:
            refuse_balanced(self)
        return combine_weights(X, sample_weight, dtype)

    def _batch_options(self, rows):
        self._class_factor = None
        if self.class_weight is not None:
            codes, weight = rows.y.values, step_weights(rows.y, rows.weight)
            given = self.class_weight
            if isinstance(
                given, dict
            ):  # a fold may lack a label, as nothing stratifies
                present = set(self.classes_.tolist()) & set(given)
                given = {label: given[label] for label in present} or given
            factor = weights_of_classes(given, self.classes_, codes, weight)
            self._class_factor = factor.astype(self._flat.numpy_dtype)
        self._rows_of_loss(rows)  # which refuses weights of zero
        return {"class_factor": self._class_factor}

    def _rows_of_loss(self, rows):
        weight = step_weights(rows.y, rows.weight, self._class_factor)
        if weight is not None and not weight.any():
            raise ValueError(
                "sample_weight and class_weight must be positive at some step, of the "
                "training rows and of the validation rows: their products are all zero."
            )
        return rows.y.values, weight

    # Outputs

    def _outputs_of(self, forward, X):
        """Outputs at all steps, a chunk of sequences at a time."""

        def evaluate(rows, x):
            return self._evaluate(forward, x)

        return self._collect(X, evaluate, X.starts[-1], X.find_steps)

    def _split(self, values, X):
        """Values of all steps by sequence, or by row where a table was fitted."""
        if self._fitted_to_table:
            return values
        return as_object_array(Sequences(values, X.starts))

    def _score_raw(self, raw, y, sample_weight):
        """Share of the steps that are labelled right."""
        if not np.isfinite(raw).all():
            return float("nan")
        hits = self._targets.decode_codes(raw) == y
        return float(np.average(hits, weights=sample_weight))

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch more on the given sequences.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.
        y : array-like
            Labels of their steps, as for `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will see; None: those of the first call.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X):
        """Predict the label of each step.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Its entries are arrays of labels, as long as the sequences; where `fit` was
            given a table and a label a row, they are labels.
        """
        X = self._checked_inputs(X)  # before anything that only a fit sets
        return self._split(self._targets.decode(self._raw_outputs(X)), X)

    def predict_proba(self, X):
        """Predict the probability of each label at each step.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Its entries are arrays (n_steps, n_classes) in the order of ``classes_``;
            where `fit` was given a table and a label a row, one array of shape
            (n_samples, n_classes).
        """
        X = self._checked_inputs(X)
        return self._split(self._targets.link(self._raw_outputs(X)), X)

    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        ndarray
            As `predict_proba` gives it.
        """
        X = self._checked_inputs(X)
        probability = self._targets.link(self._raw_outputs(X))
        with np.errstate(divide="ignore"):
            return self._split(np.log(probability), X)

    def score(self, X, y, sample_weight=None):
        """Share of the steps that are labelled right.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.
        y : array-like
            Labels of their steps, as for `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence, which all of its steps have.

        Returns
        -------
        float
            Accuracy, between 0 and 1.
        """
        check_is_fitted(self)
        X, y = self._check_X(X, self._flat.numpy_dtype, reset=False, y=y)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, dtype=np.float64)
        kinds = {labels.dtype.kind == "U" for labels in (y.values, self.classes_)}
        if len(kinds) > 1:
            raise ValueError(
                "y must have labels of the type of those fitted, "
                f"{self.classes_.dtype.name}: got {y.values.dtype.name}."
            )
        hits = self._targets.decode(self._raw_outputs(X)) == y.values
        return float(np.average(hits, weights=step_weights(y, sample_weight)))


def _as_table(X, n_columns):
    """Array of what has to be a table."""
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"X must be a table of {n_columns} columns, as y had a label a row in fit: "
            "got rows of several lengths."
        ) from error
