"""The linear layer of all networks."""

from torch import nn


class Linear(nn.Linear):
    """Linear layer that draws nothing for parameters that are not there yet."""

    def reset_parameters(self) -> None:
        """Draw torch's initial values, except on the meta device."""
        if not self.weight.is_meta:
            super().reset_parameters()
