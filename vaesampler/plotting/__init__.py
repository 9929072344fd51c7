"""Displays of what a sampler learned and drew, with scikit-learn's API.

Each display stores its data, draws it with `plot`, and stores the artists in attributes with a
trailing underscore. Displays neither show nor save figures, and do not change matplotlib's
settings. They require matplotlib, which `pip install "vaesampler[plots]"` installs.
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
