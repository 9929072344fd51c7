"""Oversample imbalanced tables with rows drawn from variational autoencoders."""

import importlib as _importlib
import typing as _typing

from vaesampler._estimators.oversampler import VAEOversampler
from vaesampler._runtime.version import __version__ as __version__
from vaesampler._training.curves import LossCurve

if _typing.TYPE_CHECKING:
    from vaesampler import comparison, metrics, plotting
    from vaesampler._encoding.rows import EncodedRows
    from vaesampler._generation.constraints import Fixed
    from vaesampler._generation.latent import (
        DenoisingSampling,
        Encoder,
        InterpolationSampling,
        LatentDraw,
        LatentSampler,
        PosteriorSampling,
        PriorSampling,
    )
    from vaesampler._rejection.critic import Candidates, Critic, FittedCritic, Verdict
    from vaesampler._rejection.forest import ForestCritic
    from vaesampler._rejection.neighbors import NeighborCritic
    from vaesampler._rejection.network import NetworkCritic
    from vaesampler._runtime.seeds import RandomStream
    from vaesampler._table.schema import FeatureSchema
    from vaesampler._vae.posterior import Posterior
    from vaesampler.comparison import compare_samplers
    from vaesampler.metrics._report import SyntheticReport, synthetic_report

__all__ = [
    "Candidates",
    "Critic",
    "DenoisingSampling",
    "EncodedRows",
    "Encoder",
    "FeatureSchema",
    "FittedCritic",
    "Fixed",
    "ForestCritic",
    "InterpolationSampling",
    "LatentDraw",
    "LatentSampler",
    "LossCurve",
    "NeighborCritic",
    "NetworkCritic",
    "Posterior",
    "PosteriorSampling",
    "PriorSampling",
    "RandomStream",
    "SyntheticReport",
    "VAEOversampler",
    "Verdict",
    "compare_samplers",
    "comparison",
    "metrics",
    "plotting",
    "synthetic_report",
]

# Imported on first use, so that importing the package does not import PyTorch.
_NAMES_OF = {
    "vaesampler._encoding.rows": ("EncodedRows",),
    "vaesampler._generation.constraints": ("Fixed",),
    "vaesampler._generation.latent": (
        "DenoisingSampling",
        "Encoder",
        "InterpolationSampling",
        "LatentDraw",
        "LatentSampler",
        "PosteriorSampling",
        "PriorSampling",
    ),
    "vaesampler._rejection.critic": ("Candidates", "Critic", "FittedCritic", "Verdict"),
    "vaesampler._rejection.forest": ("ForestCritic",),
    "vaesampler._rejection.neighbors": ("NeighborCritic",),
    "vaesampler._rejection.network": ("NetworkCritic",),
    "vaesampler._runtime.seeds": ("RandomStream",),
    "vaesampler._table.schema": ("FeatureSchema",),
    "vaesampler._vae.posterior": ("Posterior",),
    "vaesampler.comparison": ("compare_samplers",),
    "vaesampler.metrics._report": ("SyntheticReport", "synthetic_report"),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}


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
