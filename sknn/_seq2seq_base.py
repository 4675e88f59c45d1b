"""How a network that maps sequences to sequences reads, trains and predicts."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sknn._door import check_count, require_y
from sknn._ensemble import SeveralNetworks
from sknn._heads import check_stochastic
from sknn._sklearn_compat import Interval, fit_context
from sknn._transformer_base import PARAMETERS as TRANSFORMER_PARAMETERS
from sknn._transformer_base import BaseTransformer
from sknn.data import (
    SequenceReader,
    Sequences,
    TokenTargets,
    decoder_inputs,
    iter_chunks,
    move,
    step_weights,
    to_tensor,
)
from sknn.modules import AveragedDecoder, Seq2SeqNet, decode
from sknn.training._sequence_initialization import forget_unseen
from sknn.training._threads import limited_threads

PARAMETERS = {
    **TRANSFORMER_PARAMETERS,
    "n_layers": ("int", "Layers of the encoder, and of the decoder."),
    "tokenizer": (
        "callable or None",
        "What cuts a string, of X or y, into a list of tokens; None takes characters. "
        "Predictions of tokens that a callable has cut are joined by spaces.",
    ),
    "dropout": (
        "float",
        "Probability that an entry of the embedded steps, of an attention's output or "
        "of the feed-forward part's is left out of a training step, in [0, 1).",
    ),
    "beam_size": (
        "int",
        "Beginnings of a target that `predict` goes on with at each step; 1 takes the "
        "most likely token each time.",
    ),
    "length_penalty": (
        "float",
        "Exponent a in the score of a hypothesis of n tokens, its log-probability over "
        "``((5 + n) / 6) ** a`` (Wu et al. 2016): more favours longer ones.",
    ),
    "max_length": (
        "int or None",
        "Most tokens of a prediction; None is as many as the longest training target "
        "has.",
    ),
}
# steps of sources and targets that are kept at a time, for all beginnings
STEPS_AT_A_TIME = 1 << 16
NOT_OF_PAIRS = ("pooling", "standardize", "tokens", "init_from", "freeze")


class BaseSeq2Seq(SeveralNetworks, BaseTransformer):
    """Encoder and decoder: sequences of tokens in, sequences of tokens out."""

    _parameter_constraints: dict = {
        name: constraint
        for name, constraint in BaseTransformer._parameter_constraints.items()
        if name not in NOT_OF_PAIRS
    } | {
        **SeveralNetworks._parameter_constraints,
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "beam_size": [Interval(Integral, 1, None, closed="left")],
        "length_penalty": [Interval(Real, 0, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
    }
    pooling, standardize, tokens = None, False, True
    _auto_batch_size = 64
    _fewest_scored = 1
    _y_options: dict = {}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = tags.input_tags.three_d_array = False
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags

    # Sources and targets

    def _check_X(self, X, dtype, *, reset, sample_weight=None, **options):
        if not isinstance(X, Sequences):  # read before
            X = self._read(X, dtype, reset, sample_weight)
        if "y" not in options:
            return X
        require_y(self, options["y"])
        return X, self._read_targets(options["y"], reset, sample_weight, len(X))

    def _read(self, X, dtype, reset, sample_weight=None, n_features=None):
        if not reset:
            return self._reader.read(X, dtype)
        self._reader, X = self._fit_read(X, sample_weight, "X", "unseen")
        return X

    def _read_targets(self, y, reset, sample_weight, n_sources):
        """Sequences of the targets' numbers, without an end."""
        if reset:
            self._target_reader, y = self._fit_read(y, sample_weight, "y", "kept")
            self._longest_target = int(y.lengths.max())  # for learned positions
        else:
            y = self._target_reader.read(y, np.int64, name="y")
        if len(y) != n_sources:
            raise ValueError(
                "Found input variables with inconsistent numbers of samples: X has "
                f"{n_sources} sequences, y {len(y)}."
            )
        return y

    def _fit_read(self, sequences, sample_weight, name, empty):
        """Reader of sources or of targets, and what it reads."""
        return SequenceReader.fit_read(
            sequences,
            np.int64,
            tokens=True,
            tokenizer=self.tokenizer or list,
            min_count=self.min_count,
            max_vocab=self.max_vocab,
            sample_weight=sample_weight,
            empty=empty,
            name=name,
        )

    def _make_targets(self, y, classes, continues, incremental):
        if continues:
            return self._targets
        joint = "" if self.tokenizer is None else " "
        return TokenTargets(self._target_reader, joint)

    def _check_validation_targets(self, targets, y_val):
        """Accept all: tokens that are not known are errors of the network."""

    def _set_target_attributes(self, targets):
        super()._set_target_attributes(targets)
        self.source_vocabulary_ = self._reader.vocabulary
        self.target_vocabulary_ = targets.reader.vocabulary
        self.n_outputs_ = targets.n_outputs

    # Training

    @property
    def _dropout_rates(self):
        return [float(self._dropout)] * (5 * self.n_layers + 1)

    def _make_module(self, X, n_outputs, device):
        return Seq2SeqNet(
            self._n_tokens,
            n_outputs,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            dim_feedforward=self.dim_feedforward,
            positional_encoding=self.positional_encoding,
            activation=self.activation,
            norm_first=self.norm_first,
            dropout=float(self._dropout),
            max_length=1 + max(int(X.lengths.max()), self._longest_target),
            device=device,
        )

    def _calibrate(self, module, rows):
        inputs = np.append(rows.y.values, module.begin)
        forget_unseen(module.source_embedding, rows.X.values)
        forget_unseen(module.target_embedding, inputs)

    def _batch_options(self, rows):
        lengths = rows.y.lengths - 1  # without the end
        lengths = lengths if rows.weight is None else lengths[rows.weight > 0]
        known = self.max_length_ if self.t_ else 1
        self.max_length_ = max(int(lengths.max()), known)
        return {"begin": self._targets.begin}

    def _rows_of_loss(self, rows):
        return rows.y.values, step_weights(rows.y, rows.weight)

    def _evaluator(self, rows):
        X, y = rows.X, rows.y
        return lambda: self._forced_outputs(X, y)

    def _score_held_out(self, rows, raw, y, weight):
        """Default score of rows, which raw outputs with the true tokens do not tell."""
        return self._score_tokens(rows.X, self._targets.tokens_of(rows.y), rows.weight)

    @available_if(check_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch more on the given pairs.

        Parameters
        ----------
        X, y : array-like of shape (n_samples,)
            Sources and targets, as for `fit`. The first call names the tokens.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each pair.

        Returns
        -------
        self : object
            The network, trained a little more.
        """
        return self._partial_fit(X, y, sample_weight)

    # Predictions

    def _forced_outputs(self, X, y):
        """Raw outputs at all steps of encoded targets, with the true tokens before."""
        if self._averages:
            raws = (n._forced_outputs(X, y) for n in self._networks)
            return self._targets.average(raws)

        def evaluate(rows, x):
            return self._evaluate(self.module_, self._join_inputs(rows, x, y))

        return self._collect(X, evaluate, y.starts[-1], y.find_steps)

    def _join_inputs(self, rows, x, y):
        """Inputs of a chunk of sources and of encoded targets."""
        forced = decoder_inputs(y, rows, self._targets.begin)
        x = x if isinstance(x, dict) else {"x": x}
        return x | {name: to_tensor(array) for name, array in forced.items()}

    def _search(self, X, beam_size, n_best):
        """Tokens and scores of the best hypotheses for checked sources.

        Returns
        -------
        list of list of (list, float)
            For each source at most `n_best`, the best first.
        """
        self._validate_params()  # some may be set after the fit
        longest, found = self.max_length or self.max_length_, [None] * len(X)
        options = {"beam_size": beam_size, "n_best": n_best, "max_length": longest}
        options["length_penalty"] = self.length_penalty
        n_steps = float(X.lengths.mean())
        decoder, n_networks = self.module_, 1
        if self._averages:
            decoder = AveragedDecoder([n.module_ for n in self._networks])
            n_networks = len(self._networks)
        kept = n_networks * beam_size * (n_steps + longest)  # for each source
        for rows, x in iter_chunks(X, max(int(STEPS_AT_A_TIME * n_steps / kept), 1)):
            x = move(x if isinstance(x, dict) else {"x": x}, self._flat.values.device)
            with limited_threads(0, by_torch=True):  # steps are short
                hypotheses = decode(decoder, **x, **options)
            arrays = (part.cpu().numpy() for part in hypotheses)
            for i, *of_source in zip(rows, *arrays, strict=True):
                found[i] = [
                    (self._targets.name_tokens(tokens[:length]), float(score))
                    for tokens, length, score in zip(*of_source, strict=True)
                    if np.isfinite(score)
                ]
        return found

    def _predict_tokens(self, X):
        """List of tokens for each of checked sources."""
        found = self._search(X, self.beam_size, 1)
        return [best[0][0] if best else [] for best in found]

    def _score_tokens(self, X, y, sample_weight):
        """One minus the token error rate of lists of true tokens."""
        from sknn.metrics import token_error_rate

        predicted = self._predict_tokens(X)
        return 1.0 - token_error_rate(y, predicted, sample_weight=sample_weight)

    def predict(self, X):
        """Predict the target of each source by beam search.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Sources, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Its entries are what the targets of `fit` were: strings, or lists of tokens.
        """
        X = self._checked_inputs(X)  # before anything that only a fit sets
        return self._targets.join(self._predict_tokens(X))

    def beam_search(self, X, n_best=5):
        """Find the best targets of each source, and how likely they are.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Sources, as for `fit`.
        n_best : int, default=5
            Targets of each. The beam is as wide, or `beam_size` where that is more.

        Returns
        -------
        list of list of (target, float)
            At most `n_best` for each source, the best first, with their scores:
            log-probabilities over the penalty of the length. Targets of as many tokens
            as there may be are taken as they are, without the end's.
        """
        check_count("n_best", n_best)
        X = self._checked_inputs(X)
        found = self._search(X, max(self.beam_size, n_best), int(n_best))
        names = self._targets.join([tokens for best in found for tokens, _ in best])
        named = iter(names)
        return [[(next(named), score) for _, score in best] for best in found]

    def score_samples(self, X, y):
        """Log-likelihood of each target, given its source.

        Parameters
        ----------
        X, y : array-like of shape (n_samples,)
            Sources and targets, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Sum of the log-probabilities of the target's tokens and of its end, each
            given the tokens before, among those that can be predicted; minus infinity
            for targets with a token that training has not named.
        """
        check_is_fitted(self)
        X, y = self._check_X(X, self._flat.numpy_dtype, reset=False, y=y)
        y = self._targets.encode(y, self._flat.numpy_dtype)
        return self._targets.log_likelihood(self._forced_outputs(X, y), y)

    def score(self, X, y, sample_weight=None):
        """One minus the token error rate of the predictions.

        Parameters
        ----------
        X, y : array-like of shape (n_samples,)
            Sources and targets, as for `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each pair.

        Returns
        -------
        float
            At most 1; negative where predictions have more errors than targets have
            tokens, and minus infinity for errors where no target has any. See
            `sknn.metrics.token_error_rate`.
        """
        check_is_fitted(self)
        checked, _ = self._check_X(X, self._flat.numpy_dtype, reset=False, y=y)
        y = self._targets.reader.get_tokens(y, name="y")
        return self._score_tokens(checked, y, sample_weight)

    def attention_weights(self, X, y=None):
        """How much each step of a target attends to each step of its source.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Sources, as for `fit`.
        y : array-like of shape (n_samples,), default=None
            Targets; None takes those that `predict` finds.

        Returns
        -------
        list of ndarray of shape (n_layers, n_heads, n_target_steps + 1, n_source_steps)
            One array a pair. A row is the step that predicts a token, the last one the
            end; rows sum to one.
        """
        X = self._checked_inputs(X)
        if y is None:
            y = self._targets.number(self._predict_tokens(X))
        else:
            _, y = self._check_X(X, self._flat.numpy_dtype, reset=False, y=y)
        y, weights = self._targets.encode(y, self._flat.numpy_dtype), [None] * len(X)
        forward = partial(self.module_.attention_weights, lengths=None)
        with self._predicting(X):
            for rows, x in iter_chunks(X):
                chunk = self._evaluate(forward, self._join_inputs(rows, x, y))
                for i, of_pair in zip(rows, chunk, strict=True):
                    own = of_pair[..., : y.lengths[i], : X.lengths[i]]
                    weights[i] = own.copy()  # the chunk is large
        return weights
