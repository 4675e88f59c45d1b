"""The discriminator of a fitted generator: its place, its pickle and its curves."""

from sknn._state import TrainedState
from sknn.training._adversary import unpack_adversary


class AdversaryState(TrainedState):
    """Keeps what trained the generator with it."""

    def _place(self, dtype, device):
        before = self._flat
        super()._place(dtype, device)
        if self._flat is not before:
            self._adversary = self._adversary.moved(self._flat)

    @property
    def discriminator_(self):
        """Discriminator: logits that rows, of given classes if any, are real."""
        if "_adversary" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'discriminator_' "
                "before fit."
            )
        return self._adversary.flat.module

    def __getstate__(self):
        state = super().__getstate__()
        if "_adversary" in state:
            state["_adversary"] = self._adversary.pack()
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_adversary" in vars(self):
            self._adversary = unpack_adversary(self._adversary, self._flat)

    @property
    def discriminator_loss_curve_(self):
        """Loss of the discriminator after each epoch."""
        return self._curve("discriminator_loss")

    @property
    def diversity_curve_(self):
        """Diversity of the generated rows after each epoch."""
        return self._curve("diversity")

    def _curve(self, name):
        if "_flat" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no curve of {name} before fit."
            )
        return [row[name] for row in self.history_ or ()]
