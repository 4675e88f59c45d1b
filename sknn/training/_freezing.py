"""Parts of a module that stay as they are while the others are trained."""

from contextlib import contextmanager


@contextmanager
def frozen(parts):
    """Freeze modules, and let what was trained before be trained again afterwards.

    Layers with an attribute `is_frozen` use their running statistics meanwhile.

    Parameters
    ----------
    parts : iterable of torch.nn.Module
        What is to stay.
    """
    modules = [module for part in parts for module in part.modules()]
    norms = [module for module in modules if hasattr(module, "is_frozen")]
    parameters = [p for part in parts for p in part.parameters() if p.requires_grad]
    try:
        _set_frozen(parameters, norms, True)
        yield
    finally:
        _set_frozen(parameters, norms, False)


def _set_frozen(parameters, norms, value):
    for parameter in parameters:
        parameter.requires_grad_(not value)
    for norm in norms:
        norm.is_frozen = value
