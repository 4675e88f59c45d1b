"""Fitted state of several networks, and its pickle: the best one is written once."""


class EnsembleState:
    """Keeps networks, and has the fitted attributes of the best one."""

    _networks = None  # those that a fit to several has kept
    _combined_as = None  # n_networks and combine of that fit

    @property
    def networks_(self):
        """Fitted networks that are kept, each an estimator of its own."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'networks_' before "
                "fit."
            )
        return list(self._networks or [self])

    @property
    def optimizer_(self):
        """Optimizer of the last training, with its state; None for lbfgs."""
        if self._networks is not None:
            return self._networks[self._best].optimizer_
        return super().optimizer_

    def _keep(self, networks, numbers, best):
        """Take networks, and the fitted attributes of the best one."""
        self._networks, self._numbers, self._best = networks, numbers, best
        self._combined_as = self.n_networks, self.combine
        vars(self).update(self._adopted())

    def _adopted(self):
        """Fitted attributes that are the best network's."""
        parameters = self.get_params(deep=False)
        state = vars(self._networks[self._best])
        return {name: v for name, v in state.items() if name not in parameters}

    def __getstate__(self):
        if self._networks is None:
            return super().__getstate__()
        adopted, missing = self._adopted(), object()
        apart = {"_networks", "_optimizer", "_packed_optimizer"}
        rest = object.__new__(type(self))
        vars(rest).update(
            (name, v)
            for name, v in vars(self).items()
            if name not in apart and adopted.get(name, missing) is not v
        )
        networks = [network.__getstate__() for network in self._networks]
        return rest.__getstate__() | {"_networks": networks}

    def __setstate__(self, state):
        state = dict(state)
        states = state.pop("_networks", None)
        super().__setstate__(state)
        if states is None:
            return
        self._networks = [object.__new__(type(self)) for _ in states]
        for network, own in zip(self._networks, states, strict=True):
            network.__setstate__(own)
        vars(self).update(self._adopted() | vars(self))
