"""Updates of several networks, a row of a matrix each, in as few calls as can be.

An update that is linear in the learning rate is made for all rows whose other options
agree. Where rates differ it is made for a rate of one, in memory of its own, and a
factor a row does the rest.
"""

import numpy as np
import torch

# options of optimizers that rows which move in one call have in common
SHARED = ("betas", "eps", "rho", "momentum", "nesterov", "step")


def in_order(member):
    """Key that brings networks next to each other which can move in one call.

    Those with more batches come first.
    """
    can_share = _can_share(member)
    options = repr(_shared_options(member)) if can_share else ""
    return -len(member.batches), not can_share, options


def make_updates(members, values, gradients):
    """Updates of all rows.

    Parameters
    ----------
    members : list of Member
        One a row.
    values, gradients : tensors of shape (networks, columns)
        Parameters and their gradients.

    Returns
    -------
    list of SharedUpdate and OwnUpdate
        In the order of their ``rows``.
    """
    can_share = [_can_share(member) for member in members]
    keys = [
        _shared_options(member) if can_share[k] else k
        for k, member in enumerate(members)
    ]
    starts = [k for k in range(len(keys)) if not k or keys[k] != keys[k - 1]]
    updates = []
    for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True):
        make = SharedUpdate if can_share[start] else OwnUpdate
        nets = [member.net for member in members[start:stop]]
        updates.append(make(nets, slice(start, stop), values, gradients))
    return updates


def _can_share(member):
    """Whether its update is linear in the rate, and the same in every batch."""
    group, weight = member.net.optimizer_.param_groups[0], member.weight
    may_be_empty = weight is not None and not weight.all()
    shrinks = member.net.task.penalty.l1 or group["l1"]
    is_linear = group["clip"] is None and not shrinks
    return is_linear and not may_be_empty


def _shared_options(member):
    """What has to agree for rows to move in one call, and to end an epoch together."""
    group = member.net.optimizer_.param_groups[0]
    return len(member.batches), [group.get(name) for name in SHARED]


class SharedUpdate:
    """Update of rows whose options agree but for learning rate and weight decay.

    Parameters
    ----------
    nets : list of Net
        One a row. Until `release` the states of their optimizers are here.
    rows : slice
        Their rows, kept as an attribute.
    values, gradients : tensors of shape (networks, columns)
        Parameters and their gradients; columns beyond the parameters are zero.
    """

    def __init__(self, nets, rows, values, gradients):
        self.rows = rows
        self._values, self._gradients = values[rows], gradients[rows]
        self._optimizers = [net.optimizer_ for net in nets]
        self._parameters = [net.task.flat.parameter for net in nets]
        self._groups = [optimizer.param_groups[0] for optimizer in self._optimizers]
        n_weights = nets[0].task.flat.n_penalized
        self._weights = self._values[:, :n_weights], self._gradients[:, :n_weights]
        weights = self._weights[0].numpy()
        self._as_rows_and_columns = weights[:, None, :], weights[:, :, None]
        self._l2 = np.array([net.task.penalty.l2 for net in nets])
        self._has_penalty = bool(self._l2.any())
        self._decays = [group.get("weight_decay", 0.0) for group in self._groups]
        self._optimizer = self._make_optimizer()
        self._rates, self._columns, self._direction = None, None, None
        self._totals = self._strength = self._column_of_strength = None

    def _make_optimizer(self):
        """Optimizer of all rows, in the state that each has."""
        optimizer = type(self._optimizers[0])([self._values])
        own = {"params": [self._values], "n_weights": 0, "weight_decay": 0.0}
        group = self._groups[0]
        optimizer.param_groups = [group | {k: own[k] for k in own if k in group}]
        state = optimizer.state[self._values]
        pairs = list(zip(self._optimizers, self._parameters, strict=True))
        for name in {n for opt, p in pairs for n in opt.state[p]}:
            state[name] = torch.zeros_like(self._values)
            for row, (opt, parameter) in zip(state[name], pairs, strict=True):
                if name in opt.state[parameter]:
                    row[: len(parameter)].copy_(opt.state[parameter][name])
        return optimizer

    def release(self):
        """Give each optimizer its state."""
        (group,), state = self._optimizer.param_groups, self._optimizer.state
        rows = state[self._values]
        for k, own in enumerate(self._groups):
            own.update((name, group[name]) for name in ("step",) if name in group)
            parameter = self._parameters[k]
            self._optimizers[k].state[parameter] = {
                name: matrix[k, : len(parameter)].clone()
                for name, matrix in rows.items()
            }

    def __call__(self, totals):
        """Penalise and move every row.

        Parameters
        ----------
        totals : ndarray
            Weights of the batches of all rows of the matrices; the same object only
            with the same numbers.

        Returns
        -------
        ndarray of shape (networks,) or float
            The penalties.
        """
        penalties = self._penalize(totals)
        rates = [group["lr"] for group in self._groups]
        if rates != self._rates:
            self._set_rates(rates)
        rate, kept = self._columns
        if kept is not None:
            self._weights[0].mul_(kept)
        if rate is None:
            self._move(self._values)
            return penalties
        rest, direction = self._at_rest(), self._direction.zero_()
        self._move(direction)
        for velocity, before in rest:
            velocity.copy_(before)
        self._values.addcmul_(direction, rate)
        return penalties

    def _move(self, values):
        optimizer = self._optimizer
        optimizer.update_group(optimizer.param_groups[0], [values], [self._gradients])

    def _at_rest(self):
        """Velocities that stand still, as they do at a rate of zero, and copies."""
        if all(self._rates):
            return []
        velocities = self._optimizer.state[self._values].get("velocity")
        if velocities is None:
            return []
        at_rest = [v for v, r in zip(velocities, self._rates, strict=True) if not r]
        return [(velocity, velocity.clone()) for velocity in at_rest]

    def _set_rates(self, rates):
        """Take new learning rates."""
        self._rates, kept = rates, None
        self._rescale_velocities(rates)
        if any(self._decays):
            pairs = zip(rates, self._decays, strict=True)
            kept = self._column([1 - rate * decay for rate, decay in pairs])
        self._columns = self._column_of_rates(rates), kept

    def _rescale_velocities(self, rates):
        """Let velocities, which contain the rates of their time, contain these."""
        velocity = self._optimizer.state[self._values].get("velocity")
        if velocity is not None:
            scales = [
                group["velocity_lr"] / rate if rate else 1.0
                for group, rate in zip(self._groups, rates, strict=True)
            ]
            velocity.mul_(self._column(scales))
        for group, rate in zip(self._groups, rates, strict=True):
            if rate and "velocity_lr" in group:
                group["velocity_lr"] = rate

    def _column_of_rates(self, rates):
        """Factors of steps beside the values, or None where these move in place.

        Either goes on from the state of the other when rates become equal or cease to.
        """
        (group,), state = self._optimizer.param_groups, self._optimizer.state
        differ = min(rates) != max(rates)
        rate = 1.0 if differ else rates[0]
        group.update((name, rate) for name in ("lr", "velocity_lr") if name in group)
        if not differ:
            return None
        if self._direction is None:
            self._direction = torch.zeros_like(self._values)
            state[self._direction] = state[self._values]
        return self._column(rates)

    def _penalize(self, totals):
        """Add the L2 norms' gradients and return their values."""
        if not self._has_penalty:
            return 0.0
        if totals is not self._totals:
            self._totals, self._strength = totals, self._l2 / totals[self.rows]
            self._column_of_strength = self._column(self._strength)
        weights, gradients = self._weights
        gradients.addcmul_(weights, self._column_of_strength)
        squared_norms = np.matmul(*self._as_rows_and_columns)[:, 0, 0]
        return 0.5 * self._strength * squared_norms

    def _column(self, numbers):
        return torch.tensor(numbers, dtype=self._values.dtype)[:, None]


class OwnUpdate:
    """Update of one row by the network's own penalty and optimizer.

    Parameters
    ----------
    nets : list of one Net
        Its flat tensors are copies of the row, up to date after each call.
    rows : slice
        Its row, kept as an attribute.
    values, gradients : tensors of shape (networks, columns)
        Parameters and their gradients.
    """

    def __init__(self, nets, rows, values, gradients):
        self.rows, (self._net,), flat = rows, nets, nets[0].task.flat
        n = len(flat.values)
        self._flat_pair = flat.values, flat.gradient
        self._pair = values[rows.start, :n], gradients[rows.start, :n]

    def __call__(self, totals):
        """Penalise and move the row, unless its batch has no weight."""
        total = float(totals[self.rows.start])
        if not total:
            return 0.0
        (values, gradient), (row, row_gradient) = self._flat_pair, self._pair
        gradient.copy_(row_gradient)
        penalty = float(self._net.penalize(total))
        self._net.update()
        row.copy_(values)
        return penalty

    def release(self):
        """Do nothing: the optimizer has kept its state."""
