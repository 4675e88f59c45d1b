r"""Updates of the parameters: one fused step on a flat tensor, or on many tensors.

All are torch optimizers, so that skorch's schedulers and checkpoints know them. With
several parameter groups each has its own learning rate: a group a network trains
several networks at once.
"""

import math

import torch

from sknn.training._clip import clip_norm
from sknn.training._penalty import soft_threshold

# longest steps that the L1 norm may shrink a weight by in one step
MARGIN = 3.0


class FusedOptimizer(torch.optim.Optimizer):
    r"""Optimizer whose whole step is `update`, without the closure's ceremony.

    Gradients of a group are scaled down to the norm ``group["clip"]``, if any. After
    the step, weights are moved towards zero and no further, each by as much as the
    update would have moved it on a gradient of ``group["l1"]``: the proximal step of
    :math:`\lambda \lVert W \rVert_1` in the update's own metric. Where the gradient of
    the rest is steady, a weight then rests exactly where it minimises the sum.

    Weights are the parameters of two or more dimensions, or else the first `n_weights`
    entries of a group's only parameter.
    """

    # name of the state whose roots divide the steps, if any
    squares = None

    def __init__(self, params, defaults, n_weights=0):
        own = {"n_weights": n_weights, "clip": None, "l1": 0.0, "pull": 0.0}
        super().__init__(params, defaults | own)
        self._step, self._parts, self._moves_all = None, {}, True

    def __setstate__(self, state):
        super().__setstate__(state)
        self._step, self._parts, self._moves_all = None, {}, True
        for group in self.param_groups:  # older states know less
            group.update({**self.defaults, **group})

    def add_param_group(self, param_group):
        """Add parameters with options of their own; the defaults fill the rest.

        torch's own method imports its compiler at the first call, which takes seconds
        that no step here needs.
        """
        parameters = param_group["params"]
        single = isinstance(parameters, torch.Tensor)
        param_group["params"] = [parameters] if single else list(parameters)
        self.param_groups.append({**self.defaults, **param_group})

    def step(self, closure=None):
        """Evaluate `closure`, if any, then update the parameters."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.update()
        return loss

    @torch.no_grad()
    def update(self):
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                self._move(group, *self._moved(parameters))

    def on(self, parameter):
        """Update as a function without arguments, for one flat parameter.

        Its gradient stays where it is, so that it need not be looked up.
        """
        parameters, gradients = self._moved([parameter])
        weights = self._weights_of(self.param_groups[0], parameters)
        return lambda: self._move(self.param_groups[0], parameters, gradients, weights)

    def move_only(self, slices):
        """Move these entries of the one flat parameter from now on; None: all.

        A slice has weights, of which there are `n_weights`, or what comes after them.
        """
        self._moves_all, self._parts = slices is None, {}
        if slices is not None:
            (parameter,) = self.param_groups[0]["params"]
            values = parameter.detach()
            self._parts = {values[part]: (parameter, part) for part in slices}

    def _moved(self, parameters):
        """Parameters, or the slices of the flat one that move, and their gradients."""
        if self._moves_all:
            return parameters, [p.grad for p in parameters]
        gradients = [owner.grad[part] for owner, part in self._parts.values()]
        return list(self._parts), gradients

    def _weights_of(self, group, parameters):
        """Pairs of a parameter that has or begins with weights, and these weights."""
        if len(group["params"]) > 1 or group["params"][0].ndim > 1:
            return [(p, p.detach()) for p in parameters if p.ndim >= 2]
        starts = [
            self._parts[p][1].start if p in self._parts else 0 for p in parameters
        ]
        return [
            (p, p.detach()[: group["n_weights"] - start])
            for p, start in zip(parameters, starts, strict=True)
            if start < group["n_weights"]
        ]

    def _move(self, group, parameters, gradients, weights=None):
        """Clip the gradients of a group, make its step and shrink its weights."""
        scale, most = 1.0, group["clip"]
        if most is not None:
            scale = clip_norm(gradients, most)
        self.update_group(group, parameters, gradients)
        if group["l1"]:
            weights = weights or self._weights_of(group, parameters)
            self._shrink(group, weights, scale * group["l1"])

    def in_parts(self, parameter):
        """Begin an update of one flat parameter slice by slice.

        Neither gradients are clipped nor weights shrunk: that takes all of them.

        Returns
        -------
        callable
            ``move(part, gradient)`` updates a slice by the gradient of it. Once it has
            been called, several threads may call it.
        """
        group = self.param_groups[0]
        before = dict(group)

        def move(part, gradient):
            values, own = parameter.detach()[part], dict(before)
            self._parts[values] = parameter, part
            try:
                self.update_group(own, [values], [gradient])
            finally:
                del self._parts[values]
            group.update((name, own[name]) for name in before)

        return move

    def update_group(self, group, parameters, gradients):
        """Move parameters by a group's options alone, without clip or L1 norm."""
        raise NotImplementedError

    def _shrink(self, group, weights, strength):
        """Soft threshold of the weights that the L1 norm pulls on with `strength`.

        Adaptive rates of a weight that has had no gradient yet, a silent unit's, are
        next to infinite. `MARGIN` times the longest step that there can be holds
        nothing up that would have stayed at zero.
        """
        threshold = self._pull(group, strength)
        if not threshold:
            return
        if self.squares is None:
            for _, weight in weights:
                soft_threshold(weight, threshold)
            return
        eps, most = group["eps"], MARGIN * self._longest_step(group)
        for parameter, weight in weights:
            (squares,) = self._buffers([parameter], self.squares)
            soft_threshold(weight, threshold, squares, eps, most)

    def _pull(self, group, strength):
        """How far the step moves on gradients of `strength`, before any division."""
        return group["lr"] * strength

    def _longest_step(self, group):
        """Length of a step on one gradient after none, where squares divide it."""
        return group["lr"]

    def _buffers(self, parameters, name):
        """State tensor `name` of each parameter, zero at first, or parts of it."""
        buffers = []
        for parameter in parameters:
            owner, part = self._parts.get(parameter, (parameter, None))
            state = self.state[owner]
            if name not in state:
                state[name] = torch.zeros_like(
                    owner, memory_format=torch.preserve_format
                )
            buffers.append(state[name] if part is None else state[name][part])
        return buffers

    def _scratch(self, parameter):
        """Number where a kernel looks for a count of steps; the groups keep that."""
        if self._step is None:
            self._step = torch.zeros((), device=parameter.device)
        return self._step


def begin_anew(optimizer):
    """Let an optimizer forget its steps; rates and other options stay."""
    optimizer.state.clear()
    for group in optimizer.param_groups:
        group.update({name: 0 for name in ("step", "pull") if name in group})


class SGD(FusedOptimizer):
    r"""Stochastic gradient descent with momentum as scikit-learn's networks have it.

    The velocity :math:`v \leftarrow \mu v - \epsilon g` contains the learning rate
    :math:`\epsilon` of its time; :math:`\theta \leftarrow \theta + v`, or
    :math:`\theta + \mu v - \epsilon g` for Nesterov (Goodfellow et al., section
    8.3). Stored is :math:`-v/\epsilon`, which the fused kernel expects, rescaled
    whenever :math:`\epsilon` changes.
    """

    def __init__(self, params, lr=0.001, momentum=0.9, nesterov=True, n_weights=0):
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov}
        super().__init__(params, {**defaults, "velocity_lr": lr}, n_weights)

    def update_group(self, group, parameters, gradients):
        lr, momentum = group["lr"], group["momentum"]
        if lr == 0:
            return
        velocities = []
        if momentum:
            velocities = self._buffers(parameters, "velocity")
            if group["velocity_lr"] != lr:
                torch._foreach_mul_(velocities, group["velocity_lr"] / lr)
        group["velocity_lr"] = lr
        torch._fused_sgd_(
            parameters,
            gradients,
            velocities,
            weight_decay=0.0,
            momentum=momentum,
            lr=lr,
            dampening=0.0,
            nesterov=bool(group["nesterov"] and momentum),
            maximize=False,
            is_first_step=False,
        )

    def _pull(self, group, strength):
        """Follow the velocity's recursion, which stands still at a rate of zero."""
        lr, momentum = group["lr"], group["momentum"]
        if lr == 0:
            return 0.0
        group["pull"] = momentum * group["pull"] + lr * strength
        if group["nesterov"]:
            return momentum * group["pull"] + lr * strength
        return group["pull"]


MOMENTS = "exp_avg", "exp_avg_sq"


def _adam(parameters, gradients, moments, step, lr, betas, eps):
    """One step of Adam with these first and second moments: torch's fused kernel."""
    torch._fused_adam_(
        parameters,
        gradients,
        *moments,
        [],
        [step] * len(parameters),
        lr=lr,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=0.0,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )


class Adam(FusedOptimizer):
    r"""Adam with epsilon outside the bias correction, as in scikit-learn.

    :math:`\theta \leftarrow \theta - \epsilon \frac{\sqrt{1-\rho_2^t}}{1-\rho_1^t}
    \frac{s}{\sqrt{r} + \delta}` (Kingma and Ba 2015, end of section 2; Goodfellow et
    al., algorithm 8.7). torch's kernel corrects :math:`r` first, which a
    :math:`\delta` divided by :math:`\sqrt{1-\rho_2^t}` makes up for.
    """

    squares = MOMENTS[1]

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, n_weights=0):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "step": 0}
        super().__init__(params, defaults, n_weights)

    def update_group(self, group, parameters, gradients):
        group["step"] += 1
        step = self._scratch(parameters[0]).fill_(group["step"])
        moments = [self._buffers(parameters, name) for name in MOMENTS]
        eps = group["eps"] / math.sqrt(1 - group["betas"][1] ** group["step"])
        _adam(parameters, gradients, moments, step, group["lr"], group["betas"], eps)

    def _pull(self, group, strength):
        """Follow the first moment's recursion, its bias corrected."""
        beta_1, beta_2 = group["betas"]
        group["pull"] = beta_1 * group["pull"] + (1 - beta_1) * strength
        correction = math.sqrt(1 - beta_2 ** group["step"])
        correction /= 1 - beta_1 ** group["step"]
        return group["lr"] * correction * group["pull"]

    def _longest_step(self, group):
        """Of a gradient after none at all, or of the first (Kingma and Ba 2015)."""
        beta_1, beta_2 = group["betas"]
        return group["lr"] * max(1.0, (1 - beta_1) / math.sqrt(1 - beta_2))


class AdamW(FusedOptimizer):
    r"""Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in torch.

    :math:`\theta \leftarrow \theta - \epsilon \alpha \theta` comes before Adam's step,
    for weights and not for biases. The L1 norm is decoupled as well: weights shrink by
    :math:`\epsilon` times its strength, whatever the gradients were.
    """

    def __init__(
        self,
        params,
        lr=0.001,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        n_weights=0,
    ):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "step": 0}
        super().__init__(params, {**defaults, "weight_decay": weight_decay}, n_weights)

    def update_group(self, group, parameters, gradients):
        group["step"] += 1
        if group["weight_decay"]:
            kept = 1 - group["lr"] * group["weight_decay"]
            for _, weight in self._weights_of(group, parameters):
                weight.mul_(kept)
        step = self._scratch(parameters[0]).fill_(group["step"])
        moments = [self._buffers(parameters, name) for name in MOMENTS]
        eps = group["eps"]
        _adam(parameters, gradients, moments, step, group["lr"], group["betas"], eps)

    def _pull(self, group, strength):
        """Leave gradients, and how they were clipped, out of it."""
        return group["lr"] * group["l1"]


class Adagrad(FusedOptimizer):
    r"""Rates that fall with the squares of all gradients so far (Duchi et al. 2011).

    :math:`r \leftarrow r + g \odot g`, :math:`\theta \leftarrow \theta -
    \frac{\epsilon}{\delta + \sqrt{r}} \odot g` (Goodfellow et al., algorithm 8.4).
    """

    squares = "sum"

    def __init__(self, params, lr=0.01, eps=1e-8, n_weights=0):
        super().__init__(params, {"lr": lr, "eps": eps}, n_weights)

    def update_group(self, group, parameters, gradients):
        sums = self._buffers(parameters, self.squares)
        if parameters[0].device.type != "cpu":
            torch._foreach_addcmul_(sums, gradients, gradients, value=1.0)
            roots = torch._foreach_sqrt(sums)
            torch._foreach_add_(roots, group["eps"])
            torch._foreach_addcdiv_(parameters, gradients, roots, value=-group["lr"])
            return
        torch._fused_adagrad_(
            parameters,
            gradients,
            sums,
            [self._scratch(parameters[0]).fill_(1)] * len(parameters),
            lr=group["lr"],
            lr_decay=0.0,
            weight_decay=0.0,
            eps=group["eps"],
            maximize=False,
        )


class RMSprop(FusedOptimizer):
    r"""Rates that fall with a moving mean of squared gradients (Hinton 2012).

    :math:`r \leftarrow \rho r + (1 - \rho) g \odot g`, :math:`\theta \leftarrow \theta
    - \frac{\epsilon}{\delta + \sqrt{r}} \odot g`: algorithm 8.5 of Goodfellow et al.
    with :math:`\delta` outside the root, as torch has it. It is Adam without a first
    moment, whose place the gradient itself takes, after so many steps that nothing is
    left of the bias.
    """

    squares = "square_avg"

    def __init__(self, params, lr=0.01, rho=0.9, eps=1e-8, n_weights=0):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps}, n_weights)

    def update_group(self, group, parameters, gradients):
        moments = gradients, self._buffers(parameters, self.squares)
        step = self._scratch(parameters[0]).fill_(math.inf)
        betas = 0.0, group["rho"]
        _adam(parameters, gradients, moments, step, group["lr"], betas, group["eps"])

    def _longest_step(self, group):
        """Of a gradient after none at all."""
        return group["lr"] / math.sqrt(1 - group["rho"])
