r"""Updates of the parameters: one fused step on a flat tensor, or on many tensors.

All are torch optimizers, so that skorch's schedulers and checkpoints know them. With
several parameter groups each has its own learning rate: a group a network trains
several networks at once.
"""

import math

import torch


class FusedOptimizer(torch.optim.Optimizer):
    """Optimizer whose whole step is `update`, without the closure's ceremony."""

    def __init__(self, params, defaults):
        super().__init__(params, defaults)
        self._step, self._parts = None, {}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._step, self._parts = None, {}

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
                gradients = [p.grad for p in parameters]
                self._update_group(group, parameters, gradients)

    def on(self, parameter):
        """Update as a function without arguments, for one flat parameter.

        Its gradient stays where it is, so that it need not be looked up.
        """
        gradients = [parameter.grad]
        return lambda: self._update_group(self.param_groups[0], [parameter], gradients)

    def in_parts(self, parameter):
        """Begin an update of one flat parameter slice by slice.

        Returns
        -------
        callable
            ``move(part, gradient)`` updates a slice by the gradient of it. Once it has
            been called, several threads may call it.
        """
        group = self.param_groups[0]
        before = {k: v for k, v in group.items() if k != "n_decayed"}

        def move(part, gradient):
            n_decayed = max(group.get("n_decayed", 0) - part.start, 0)
            values, own = parameter.detach()[part], {**before, "n_decayed": n_decayed}
            self._parts[values] = parameter, part
            try:
                self._update_group(own, [values], [gradient])
            finally:
                del self._parts[values]
            group.update((name, own[name]) for name in before)

        return move

    def _update_group(self, group, parameters, gradients):
        raise NotImplementedError

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


class SGD(FusedOptimizer):
    r"""Stochastic gradient descent with momentum as scikit-learn's networks have it.

    The velocity :math:`v \leftarrow \mu v - \epsilon g` contains the learning rate
    :math:`\epsilon` of its time; :math:`\theta \leftarrow \theta + v`, or
    :math:`\theta + \mu v - \epsilon g` for Nesterov (Goodfellow et al., section
    8.3). Stored is :math:`-v/\epsilon`, which the fused kernel expects, rescaled
    whenever :math:`\epsilon` changes.
    """

    def __init__(self, params, lr=0.001, momentum=0.9, nesterov=True):
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov}
        super().__init__(params, {**defaults, "velocity_lr": lr})

    def _update_group(self, group, parameters, gradients):
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

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "step": 0})

    def _update_group(self, group, parameters, gradients):
        group["step"] += 1
        step = self._scratch(parameters[0]).fill_(group["step"])
        moments = [self._buffers(parameters, name) for name in MOMENTS]
        eps = group["eps"] / math.sqrt(1 - group["betas"][1] ** group["step"])
        _adam(parameters, gradients, moments, step, group["lr"], group["betas"], eps)


class AdamW(FusedOptimizer):
    r"""Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in torch.

    :math:`\theta \leftarrow \theta - \epsilon \alpha \theta` comes before Adam's step,
    for weights and not for biases. Weights are the parameters of two or more
    dimensions, or else the first `n_decayed` entries of a group's only parameter.
    """

    def __init__(
        self,
        params,
        lr=0.001,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        n_decayed=0,
    ):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "step": 0}
        decay = {"weight_decay": weight_decay, "n_decayed": n_decayed}
        super().__init__(params, defaults | decay)

    def _update_group(self, group, parameters, gradients):
        group["step"] += 1
        weights = _decayed(group, parameters) if group["weight_decay"] else []
        if weights:
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        step = self._scratch(parameters[0]).fill_(group["step"])
        moments = [self._buffers(parameters, name) for name in MOMENTS]
        eps = group["eps"]
        _adam(parameters, gradients, moments, step, group["lr"], group["betas"], eps)


def _decayed(group, parameters):
    """Those parameters, or parts of a flat one, that are weights."""
    if len(group["params"]) == 1 and parameters[0].ndim < 2:
        return [parameters[0].detach()[: group["n_decayed"]]]
    return [p for p in parameters if p.ndim >= 2]


class Adagrad(FusedOptimizer):
    r"""Rates that fall with the squares of all gradients so far (Duchi et al. 2011).

    :math:`r \leftarrow r + g \odot g`, :math:`\theta \leftarrow \theta -
    \frac{\epsilon}{\delta + \sqrt{r}} \odot g` (Goodfellow et al., algorithm 8.4).
    """

    def __init__(self, params, lr=0.01, eps=1e-8):
        super().__init__(params, {"lr": lr, "eps": eps})

    def _update_group(self, group, parameters, gradients):
        sums = self._buffers(parameters, "sum")
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

    def __init__(self, params, lr=0.01, rho=0.9, eps=1e-8):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def _update_group(self, group, parameters, gradients):
        moments = gradients, self._buffers(parameters, "square_avg")
        step = self._scratch(parameters[0]).fill_(math.inf)
        betas = 0.0, group["rho"]
        _adam(parameters, gradients, moments, step, group["lr"], betas, group["eps"])
