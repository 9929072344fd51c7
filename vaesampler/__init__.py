"""Oversample imbalanced tables with rows drawn from variational autoencoders."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vaesampler._curves import LossCurve
from vaesampler._oversampler import VAEOversampler

if TYPE_CHECKING:
    from vaesampler import comparison, metrics, plotting
    from vaesampler._latent import (
        DenoisingSampling,
        InterpolationSampling,
        LatentDraw,
        LatentSampler,
        PosteriorSampling,
        PriorSampling,
    )
    from vaesampler._report import SyntheticReport, synthetic_report
    from vaesampler.comparison import compare_samplers

__all__ = [
    "DenoisingSampling",
    "InterpolationSampling",
    "LatentDraw",
    "LatentSampler",
    "LossCurve",
    "PosteriorSampling",
    "PriorSampling",
    "SyntheticReport",
    "VAEOversampler",
    "compare_samplers",
    "comparison",
    "metrics",
    "plotting",
    "synthetic_report",
]
__version__ = "0.1.0"


# What takes time to import, PyTorch most of all, is imported when it is asked for.
_MODULE_OF = {
    "SyntheticReport": "vaesampler._report",
    "compare_samplers": "vaesampler.comparison",
    "synthetic_report": "vaesampler._report",
}
_SUBPACKAGES = ("comparison", "metrics", "plotting")


def __getattr__(name: str) -> Any:
    """Import what a name stands for."""
    if name in _SUBPACKAGES:
        return import_module(f"vaesampler.{name}")
    if name in __all__:
        return getattr(import_module(_MODULE_OF.get(name, "vaesampler._latent")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
