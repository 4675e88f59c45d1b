r"""The gradient of a perceptron by hand: back-propagation, one layer at a time.

Goodfellow, Bengio and Courville, algorithms 6.3 and 6.4: forward
:math:`a^{(k)} = h^{(k-1)} W^{(k)} + b^{(k)}`, :math:`h^{(k)} = g(a^{(k)})`; backward
:math:`\delta^{(k-1)} = (\delta^{(k)} W^{(k)\top}) \odot g'(a^{(k-1)})`,
:math:`\nabla_{W^{(k)}} J = h^{(k-1)\top} \delta^{(k)}`. Written over preallocated
arrays; with weights of shape (networks, fan_in, fan_out) all arrays have that leading
axis and as many networks train at once.
"""

from types import SimpleNamespace

import torch
from scipy import sparse

from sknn.training._activations import ACTIVATIONS
from sknn.training._array_ops import NumpyOps, TorchOps
from sknn.training._processor import numpy_multiplies_faster
from sknn.training._wide import write_product

# bytes of a layer's activations up to which numpy computes a step faster than torch;
# and of a layer of some width, whose products take most of a step, where these are the
# faster ones
FEW_BYTES = 1 << 16
FEW_BYTES_OF_WIDE = 1 << 20
WIDE = 100


class DeltaRule:
    """Loss and gradient of one perceptron, or of several of one shape.

    Parameters
    ----------
    weights : list of tensors of shape (..., fan_in, fan_out)
        Weights of each layer. They and the rest are views, never copied.
    biases : list of tensors of shape (..., 1, fan_out)
        Biases of each layer.
    weight_gradients, bias_gradients : lists of tensors
        Where the gradients go, shaped as the parameters.
    activation : str
        Hidden activation, one of `ACTIVATIONS`.
    loss : Loss
        Gives the value and the derivative to propagate back.
    ops : NumpyOps or TorchOps
        Operations to compute with.
    loss_ops : NumpyOps or TorchOps
        Operations of the loss; numpy's may share the memory of CPU tensors.
    norms : list of BatchNorm
        Normalization of each hidden layer, whose biases are then its shifts; empty for
        none.
    masks : DropoutMasks or None
        Factors of the hidden units.
    n_fixed : int
        Hidden layers, from the first on, whose gradients are not wanted.

    Attributes
    ----------
    write_sparse : callable
        ``write_sparse(x, delta, gradient)`` writes the first layer's gradient where
        inputs are sparse; whoever needs its factors alone puts another in its place.
    wide_shape : tuple or None
        Shape of the first layer's weights where `WideStep` may do so.
    """

    def __init__(
        self,
        weights,
        biases,
        weight_gradients,
        bias_gradients,
        activation,
        loss,
        ops=NumpyOps,
        loss_ops=None,
        norms=(),
        masks=None,
        n_fixed=0,
    ):
        self.ops, self.loss, self.loss_ops = ops, loss, loss_ops or ops
        self._activation = ACTIVATIONS[activation]
        self._norms, self._masks, self._n_fixed = norms, masks, n_fixed
        self._weights, self._biases, self._weight_gradients, self._bias_gradients = (
            [ops.native(tensor) for tensor in tensors]
            for tensors in (weights, biases, weight_gradients, bias_gradients)
        )
        self._transposed = [ops.transpose(weight) for weight in self._weights]
        self._buffers = {}
        self.raw, self.write_sparse, self.wide_shape = None, write_product, None

    def __call__(self, batch):
        """Write the gradient of the batch's loss and return the loss.

        Afterwards `raw` holds the raw outputs, until the next batch of that size.
        """
        x, _ = batch
        buffers = self._buffers.get(batch.n_rows)
        if buffers is None:
            buffers = self._buffers[batch.n_rows] = self._allocate(batch.n_rows)
        self._forward(batch, buffers)
        self.raw = buffers.raw
        value = self.loss(
            self.loss_ops, buffers.raw, batch, buffers.raw_delta, buffers.loss
        )
        self._backward(x, buffers)
        return value

    def settle(self):
        """Bring running statistics up to the last batch."""
        for norm in self._norms:
            norm.settle()

    def _forward(self, batch, buffers):
        """Fill the layers' activations; the last layer's are the raw outputs."""
        h, n_hidden = batch[0], len(self._weights) - 1
        for k, weight in enumerate(self._weights):
            bias = None if k < len(self._norms) else self._biases[k]
            product = multiply if k else multiply_inputs
            product(self.ops, h, weight, bias, buffers.products[k])
            if k == n_hidden:
                return
            if self._norms:
                tensors = buffers.product_tensors[k], buffers.input_tensors[k]
                self._norms[k].forward(*tensors, batch)
            self._activation.write(buffers.input_tensors[k], buffers.layer_tensors[k])
            h = self._drop(k, buffers)

    def _drop(self, k, buffers):
        """Outputs of hidden layer k: its activations, some of them left out."""
        mask = buffers.masks[k]
        if mask is None:
            return buffers.layers[k]
        self._masks.draw(k, mask)
        return self.ops.multiply(buffers.layers[k], mask, out=buffers.outputs[k])

    def _backward(self, x, buffers):
        """Propagate the output's delta back, writing each layer's gradients."""
        ops = self.ops
        delta = buffers.deltas[-1]
        for k in range(len(self._weights) - 1, self._n_fixed - 1, -1):
            gradient = self._weight_gradients[k]
            if k < len(self._norms):
                tensors = buffers.delta_tensors[k], buffers.product_tensors[k]
                delta = ops.native(self._norms[k].backward(*tensors))
            else:
                ops.matmul(buffers.ones, delta, out=self._bias_gradients[k])
            if k:
                ops.matmul(buffers.transposed[k - 1], delta, out=gradient)
                if k > self._n_fixed:
                    delta = ops.matmul(
                        delta, self._transposed[k], out=buffers.deltas[k - 1]
                    )
                    self._differentiate(k - 1, buffers)
            elif sparse.issparse(x):
                self.write_sparse(x, delta, gradient)
            else:
                ops.matmul(ops.transpose(x), delta, out=gradient)

    def _differentiate(self, k, buffers):
        """Turn the delta of hidden layer k's outputs into that of its inputs."""
        delta, mask = buffers.deltas[k], buffers.masks[k]
        if mask is not None:
            self.ops.multiply(delta, mask, out=delta)
        self._activation.differentiate(
            buffers.delta_tensors[k], buffers.layer_tensors[k], buffers.input_tensors[k]
        )

    def _allocate(self, n_rows):
        """Activations, deltas and scratch memory for batches of `n_rows`."""
        ops, like = self.ops, self._weights[0]
        lead = tuple(like.shape[:-2])
        shapes = [(*lead, n_rows, weight.shape[-1]) for weight in self._weights]

        def empty(shapes):
            return [ops.empty(shape, like) for shape in shapes]

        layers, deltas = empty(shapes), empty(shapes)
        inputs, outputs = list(layers), list(layers)
        if self._activation.keeps_input:
            inputs[:-1] = empty(shapes[:-1])
        products = list(inputs)
        if self._norms:
            products[:-1] = empty(shapes[:-1])
        masks = [None] * len(shapes)
        for k, shape in enumerate(shapes[:-1]):
            if self._masks and self._masks.drops(k):
                masks[k], outputs[k] = empty([shape, shape])
        raw, raw_delta = layers[-1], deltas[-1]
        if self.loss_ops is not ops:
            raw, raw_delta = self.loss_ops.native(raw), self.loss_ops.native(raw_delta)
        return SimpleNamespace(
            products=products,
            product_tensors=list(map(ops.tensor, products)),
            input_tensors=list(map(ops.tensor, inputs)),
            layer_tensors=list(map(ops.tensor, layers)),
            delta_tensors=list(map(ops.tensor, deltas)),
            layers=layers,
            masks=masks,
            outputs=outputs,
            transposed=[ops.transpose(output) for output in outputs],
            deltas=deltas,
            ones=ops.ones((1, n_rows), like),
            raw=raw,
            raw_delta=raw_delta,
            loss=self.loss.buffers(self.loss_ops, raw),
        )


def multiply(ops, h, weight, bias, out):
    """Write the product of a layer's inputs and weights, plus the bias if any."""
    if bias is None:
        ops.matmul(h, weight, out=out)
    else:
        ops.affine(h, weight, bias, out)


def multiply_inputs(ops, x, weight, bias, out):
    """The same of the first layer's inputs, which may be sparse."""
    if not sparse.issparse(x):
        multiply(ops, x, weight, bias, out)
        return
    out[...] = x @ weight
    if bias is not None:
        ops.add(out, bias, out=out)


def choose_ops(device, X, batch_size, widths):
    """Operations that are fastest here, for the layers and for the loss.

    Parameters
    ----------
    device : torch.device
        Where the parameters live.
    X : ndarray or CSR matrix
        Inputs; sparse ones are multiplied by scipy.
    batch_size : int
        Rows a batch.
    widths : list of int
        Units of every layer after the input. numpy's calls cost less than torch's;
        torch's kernels do more at a time, and either may have the faster products.
    """
    if torch.device(device).type != "cpu":
        return TorchOps, TorchOps

    def fastest(width):
        gains = width >= WIDE and numpy_multiplies_faster()
        few = FEW_BYTES_OF_WIDE if gains else FEW_BYTES
        return NumpyOps if batch_size * width * X.dtype.itemsize <= few else TorchOps

    ops = NumpyOps if sparse.issparse(X) else fastest(max(widths))
    return ops, NumpyOps if ops is NumpyOps else fastest(widths[-1])
