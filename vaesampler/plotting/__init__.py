"""Displays of what a sampler learned and drew, in scikit-learn's manner.

Each display keeps what it shows, draws it with `plot`, and keeps what it drew in attributes
with a trailing underscore. Nothing is shown or saved, and no global setting of matplotlib is
changed. They need matplotlib, which `pip install "vaesampler[plots]"` brings.
"""

from vaesampler.plotting._feature_distribution import FeatureDistributionDisplay
from vaesampler.plotting._latent_space import LatentSpaceDisplay
from vaesampler.plotting._loss_curve import LossCurveDisplay
from vaesampler.plotting._sampler_comparison import SamplerComparisonDisplay
from vaesampler.plotting._synthetic_samples import SyntheticSamplesDisplay
from vaesampler.plotting._validation import ValidationDisplay

__all__ = [
    "FeatureDistributionDisplay",
    "LatentSpaceDisplay",
    "LossCurveDisplay",
    "SamplerComparisonDisplay",
    "SyntheticSamplesDisplay",
    "ValidationDisplay",
]
