"""Oversample imbalanced tables with rows drawn from variational autoencoders."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vaesampler._oversampler import VAEOversampler

if TYPE_CHECKING:
    from vaesampler._latent import (
        DenoisingSampling,
        InterpolationSampling,
        LatentDraw,
        LatentSampler,
        PosteriorSampling,
        PriorSampling,
    )

__all__ = [
    "DenoisingSampling",
    "InterpolationSampling",
    "LatentDraw",
    "LatentSampler",
    "PosteriorSampling",
    "PriorSampling",
    "VAEOversampler",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch only when it is asked for."""
    if name in __all__:
        return getattr(import_module("vaesampler._latent"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
