"""Oversample imbalanced tables with rows drawn from variational autoencoders."""

from vaesampler._latent import (
    DenoisingSampling,
    InterpolationSampling,
    LatentDraw,
    LatentSampler,
    PosteriorSampling,
    PriorSampling,
)
from vaesampler._oversampler import VAEOversampler

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
