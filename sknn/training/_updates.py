r"""Updates of the parameters: one fused step on a flat tensor, or on many tensors.

`SGD` and `Adam` are torch optimizers, so that skorch's schedulers and checkpoints
know them. With several parameter groups each has its own learning rate: a group a
network trains several networks at once.
"""

import math

import torch


class FusedOptimizer(torch.optim.Optimizer):
    """Optimizer whose whole step is `update`, without the closure's ceremony."""

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

    def _update_group(self, group, parameters, gradients):
        raise NotImplementedError

    def _buffers(self, parameters, name):
        """State tensor `name` of each parameter, zero at first."""
        buffers = []
        for parameter in parameters:
            state = self.state[parameter]
            if name not in state:
                state[name] = torch.zeros_like(
                    parameter, memory_format=torch.preserve_format
                )
            buffers.append(state[name])
        return buffers


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


class Adam(FusedOptimizer):
    r"""Adam with epsilon outside the bias correction, as in scikit-learn.

    :math:`\theta \leftarrow \theta - \epsilon \frac{\sqrt{1-\rho_2^t}}{1-\rho_1^t}
    \frac{s}{\sqrt{r} + \delta}` (Kingma and Ba 2015, end of section 2; Goodfellow et
    al., algorithm 8.7). torch's kernel corrects :math:`r` first, which a
    :math:`\delta` divided by :math:`\sqrt{1-\rho_2^t}` makes up for.
    """

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "step": 0})
        self._step = None

    def __setstate__(self, state):
        super().__setstate__(state)
        self._step = None

    def _update_group(self, group, parameters, gradients):
        group["step"] += 1
        if self._step is None:  # a scratch tensor: the count lives in the group
            self._step = torch.zeros((), device=parameters[0].device)
        self._step.fill_(group["step"])
        beta_1, beta_2 = group["betas"]
        torch._fused_adam_(
            parameters,
            gradients,
            self._buffers(parameters, "exp_avg"),
            self._buffers(parameters, "exp_avg_sq"),
            [],
            [self._step] * len(parameters),
            lr=group["lr"],
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=0.0,
            eps=group["eps"] / math.sqrt(1 - beta_2 ** group["step"]),
            amsgrad=False,
            maximize=False,
        )
