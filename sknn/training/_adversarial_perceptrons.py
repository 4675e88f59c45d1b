r"""The same passes through two perceptrons, by hand.

Between their kinks perceptrons of rectifiers are linear: with :math:`m` the
derivatives of the activations at a row, its logit has the derivatives
:math:`u^{(k-1)} = (u^{(k)} W^{(k)\top}) \odot m^{(k-1)}` for what enters a layer's
activation, starting at :math:`u = 1`. A loss whose derivative for the logit is
:math:`s` has :math:`s\,u^{(k)}`, so that one pass back serves the loss and the slopes
:math:`g = u^{(1)} W^{(1)\top}` alike. A penalty whose derivative for :math:`g` is
:math:`v` sends :math:`v` forward: :math:`t^{(k)} = (t^{(k-1)} W^{(k)}) \odot m^{(k)}`,
:math:`t^{(0)} = v`, and both together have the gradient
:math:`\nabla_{W^{(k)}} = (s\,h^{(k-1)} + t^{(k-1)})^\top u^{(k)}`.
"""

import numpy as np
import torch

from sknn.training._adversarial_loss import share_of
from sknn.training._array_ops import NumpyOps

# activations that are linear on both sides of zero -> their slope below it
SLOPES = {"identity": 1.0, "relu": 0.0, "leaky_relu": 0.01}


class Perceptron:
    """A perceptron on the memory of flat parameters on the CPU.

    Parameters
    ----------
    flat : FlatParameters
        Weights of all layers, then their biases.
    slope : float
        Derivative of the hidden activation below zero; above it is 1.
    """

    def __init__(self, flat, slope):
        values = [view.numpy() for view in flat.value_views]
        gradients = [view.numpy() for view in flat.views_of(flat.gradient)]
        n_layers = len(values) // 2
        self.weights = [weight.T for weight in values[:n_layers]]  # (fan_in, fan_out)
        self.biases = values[n_layers:]
        self.weight_gradients = [weight.T for weight in gradients[:n_layers]]
        self.bias_gradients = gradients[n_layers:]
        self._below = values[0].dtype.type(slope)

    def forward(self, x):
        """Inputs of each layer, derivatives of the activations, and outputs."""
        inputs, masks = [x], []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            outputs = inputs[-1] @ weight
            outputs += bias
            if len(inputs) == len(self.weights):
                return inputs, masks, outputs
            mask = (outputs > 0).astype(outputs.dtype)
            mask *= 1 - self._below
            mask += self._below  # in half the time of a choice
            masks.append(mask)
            outputs *= mask
            inputs.append(outputs)

    def backward(self, delta, inputs, masks):
        """Write the gradients for derivatives `delta` of the outputs."""
        for k in range(len(self.weights) - 1, -1, -1):
            np.matmul(inputs[k].T, delta, out=self.weight_gradients[k])
            np.sum(delta, axis=0, out=self.bias_gradients[k])
            if k:
                delta = delta @ self.weights[k].T
                delta *= masks[k - 1]

    def derivatives(self, masks, n_rows):
        """Derivatives of the only output for what enters each layer's activation."""
        delta = np.ones((n_rows, 1), self.biases[0].dtype)
        deltas = [delta]
        for k in range(len(self.weights) - 1, 0, -1):
            weight = self.weights[k].T
            delta = (weight if k == len(masks) else delta @ weight) * masks[k - 1]
            deltas.insert(0, delta)
        return deltas

    def slopes(self, delta, n_columns):
        """Derivatives for the first columns of the input, of those of layer one."""
        return delta @ self.weights[0][:n_columns].T

    def write(self, signal, pull, rows, inputs, masks, deltas):
        """Write the gradient of a loss of the only output and of one of its slopes.

        Parameters
        ----------
        signal : array of shape (n_rows, 1)
            Derivatives for the outputs.
        pull : array of shape (n_penalized, n_columns) or None
            Derivatives for the slopes of some rows.
        rows : slice
            Which rows these are.
        inputs, masks, deltas : lists of arrays
            What `forward` and `derivatives` gave.
        """
        for k, (h, delta) in enumerate(zip(inputs, deltas, strict=True)):
            h = h * signal
            if pull is not None:
                h[rows, : pull.shape[1]] += pull
                if k < len(masks):
                    pull = pull @ self.weights[k][: pull.shape[1]]
                    pull *= masks[k][rows]
            np.matmul(h.T, delta, out=self.weight_gradients[k])
            np.matmul(signal[:, 0], delta, out=self.bias_gradients[k])


class PerceptronPasses:
    """Losses and gradients of two perceptrons of rectifiers, on the CPU.

    Parameters
    ----------
    of_generator, of_discriminator : FlatParameters
        Their modules have a ``range``.
    activation : str
        A key of `SLOPES`.
    loss, penalty, strength
        As for `AutogradPasses`, whose methods these are.
    """

    ops = NumpyOps

    def __init__(
        self, of_generator, of_discriminator, activation, loss, penalty, strength
    ):
        slope, module = SLOPES[activation], of_generator.module
        self._generator = Perceptron(of_generator, slope)
        self._discriminator = Perceptron(of_discriminator, slope)
        self._loss, self._penalty, self._strength = loss, penalty, strength
        self._middle = module.range.middle.numpy()
        self._inverse = module.range.inverse.numpy()
        self._constant = np.flatnonzero(self._inverse == 0)
        self._one_hot = np.eye(module.n_classes, dtype=self._middle.dtype)
        self.n_columns, self.like = module.latent_dim, of_generator.values

    def read(self, x, codes):
        """Scaled rows, and their classes one-hot, or None, of what a batch has."""
        scaled = x - self._middle
        scaled *= self._inverse
        return scaled, self._one_hot[codes] if len(self._one_hot) else None

    def native(self, drawn):
        """Random numbers as an array."""
        return drawn.numpy()

    def make(self, noise, condition):
        """Scaled rows."""
        *self._made, outputs = self._generator.forward(_join([noise], condition))
        np.tanh(outputs, out=outputs)
        return self._zero_constants(outputs)

    def _zero_constants(self, scaled):
        """Put 0 where a feature is constant, in place."""
        if len(self._constant):
            scaled[:, self._constant] = 0
        return scaled

    def make_to_learn(self, noise, condition):
        """Scaled rows that `fool` goes on from."""
        self._fake = self.make(noise, condition)
        return self._fake

    def judge(self, real, fake, condition, weight, mix):
        """Write the discriminator's gradient and return its loss."""
        n, parts = len(real), [real, fake]
        if self._penalty == "mixtures":
            parts.append(fake + mix * (real - fake))
        inputs, masks, logits = self._discriminator.forward(_join(parts, condition))
        value, signal = self._judge(logits[: 2 * n], weight)
        pull, rows = None, slice(None)
        deltas = self._discriminator.derivatives(masks, len(logits))
        if self._penalty == "mixtures":
            signal = np.concatenate([signal, np.zeros_like(signal[:n])])
        if self._penalty:
            rows = slice(2 * n, None) if self._penalty == "mixtures" else slice(0, n)
            g = self._discriminator.slopes(deltas[0][rows], real.shape[1])
            added, pull = self._penalize(g, weight)
            value += added
        self._discriminator.write(signal, pull, rows, inputs, masks, deltas)
        return value

    def _judge(self, logits, weight):
        weight = None if weight is None else torch.from_numpy(weight)
        value, slopes = self._loss.judge(torch.from_numpy(logits), weight)
        return float(value), slopes.numpy()

    def _penalize(self, g, weight):
        """Penalty of slopes (n, features), and its derivatives."""
        share = share_of(weight, len(g)) * self._strength
        square = np.einsum("ij,ij->i", g, g)[:, None]
        if self._penalty == "real":
            return float((square * share).sum()) / 2, g * share
        norms = np.sqrt(square + 1e-12)
        excess = norms - 1
        return float((excess**2 * share).sum()), g * (2 * share * excess / norms)

    def fool(self, condition, weight):
        """Write the generator's gradient; return its loss and the logits."""
        x = _join([self._fake], condition)
        _, masks, logits = self._discriminator.forward(x)
        weight = None if weight is None else torch.from_numpy(weight)
        value, signal = self._loss.fool(torch.from_numpy(logits), weight)
        delta = self._discriminator.derivatives(masks, len(x))[0] * signal.numpy()
        delta = self._discriminator.slopes(delta, self._fake.shape[1])
        delta *= 1 - np.square(self._fake)
        self._generator.backward(self._zero_constants(delta), *self._made)
        return float(value), torch.from_numpy(logits)


def _join(parts, condition):
    """Rows of all parts, each beside its classes."""
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if condition is None:
        return rows
    if len(parts) > 1:
        condition = np.concatenate([condition] * len(parts))
    return np.concatenate([rows, condition], axis=1)
