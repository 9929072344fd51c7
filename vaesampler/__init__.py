"""Oversample imbalanced tables with rows drawn from variational autoencoders."""

import importlib as _importlib
import typing as _typing

from vaesampler._estimators.oversampler import VAEOversampler
from vaesampler._training.curves import LossCurve

if _typing.TYPE_CHECKING:
    from vaesampler import comparison, metrics, plotting
    from vaesampler._generation.latent import (
        DenoisingSampling,
        InterpolationSampling,
        LatentDraw,
        LatentSampler,
        PosteriorSampling,
        PriorSampling,
    )
    from vaesampler.comparison import compare_samplers
    from vaesampler.metrics._report import SyntheticReport, synthetic_report

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


# Imported on first use, so that importing the package does not import PyTorch.
_MODULE_OF = {
    "DenoisingSampling": "vaesampler._generation.latent",
    "InterpolationSampling": "vaesampler._generation.latent",
    "LatentDraw": "vaesampler._generation.latent",
    "LatentSampler": "vaesampler._generation.latent",
    "PosteriorSampling": "vaesampler._generation.latent",
    "PriorSampling": "vaesampler._generation.latent",
    "SyntheticReport": "vaesampler.metrics._report",
    "compare_samplers": "vaesampler.comparison",
    "synthetic_report": "vaesampler.metrics._report",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _MODULE_OF:
        found = getattr(_importlib.import_module(_MODULE_OF[name]), name)
    else:
        found = _importlib.import_module(f"{__name__}.{name}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
