"""Part "ablation" of quality.py: what each ingredient of VAEOversampler brings.

Each variant is the default without one ingredient, or with something simpler in place of the
VAE and the rest as it is: the normal scores, quantile matching and the critic.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from evaluation import mean_and_p
from imblearn.over_sampling.base import BaseOverSampler
from rivals import local_gaussians

from vaesampler import VAEOversampler
from vaesampler._encoding.layout import midpoints_between
from vaesampler._generation.fitting import _ClassFitting
from vaesampler._generation.generator import ClassGenerator, _Drawn
from vaesampler._generation.quantile_matching import QuantileMatching
from vaesampler._generation.residuals import ResidualModel
from vaesampler._table.normal_scores import N_QUANTILES, NormalScores

DEFAULT = "default"
N_ROWS_TO_MATCH = 1_000


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkFreeGenerator(ClassGenerator):
    """Draws rows of a class without its VAE; subclasses say how."""

    @classmethod
    def of(cls, trained: ClassGenerator) -> ClassGenerator:
        """Take over all but the VAE, and fit quantile matching to the rows drawn here."""
        made = cls(**{field.name: getattr(trained, field.name) for field in fields(trained)})
        generator = torch.Generator().manual_seed(0)
        drawn = made._draw_encoded(N_ROWS_TO_MATCH, None, generator).rows.numpy()
        quantiles = QuantileMatching.fit(
            made.encoder.numeric.levels_by_slot(),
            made.own_rows.spread(N_ROWS_TO_MATCH),
            made.scaling.restore(drawn),
            made.encoder.layout,
        )
        return replace(made, quantiles=quantiles)


class LocalGaussians(NetworkFreeGenerator):
    """Draws from the Gaussian of a random row and its d + 1 nearest neighbours."""

    def _draw_encoded(self, n_candidates, latent_sampler, generator):  # noqa: ARG002
        rows = self.rows.rows.take(torch.arange(len(self.rows))).numpy()
        rng = np.random.RandomState(int(torch.randint(2**31, (), generator=generator)))
        drawn, sources = local_gaussians(rows, n_candidates, rng)
        return _Drawn(torch.from_numpy(drawn.astype(np.float32)), torch.from_numpy(sources))


class SmoothedRealRows(NetworkFreeGenerator):
    """Draws the smoothed rows that the VAE is trained on."""

    def _draw_encoded(self, n_candidates, latent_sampler, generator):  # noqa: ARG002
        sources = torch.randint(len(self.rows), (n_candidates,), generator=generator)
        return _Drawn(self.rows.draw(sources, generator), sources)


class NoMatching:
    """Leaves values as they are drawn."""

    def __init__(self, matching: QuantileMatching):
        self.levels = matching.levels

    def apply(self, drawn):
        """Round values to the nearest level where a column is discrete."""
        for slot, levels in self.levels.items():
            nearest = np.searchsorted(midpoints_between(levels), drawn[:, slot])
            drawn[:, slot] = levels[nearest]
        return drawn


def linear_scores(sample: np.ndarray) -> NormalScores:
    """Return a map that only subtracts the mean and divides by the standard deviation."""
    values = np.linspace(sample.min(), sample.max(), N_QUANTILES)
    ends = (values[[0, -1]] - sample.mean()) / (sample.std() or 1.0)
    return NormalScores(float(ends[0]), float(ends[1]), values, 1.0)


def independent_residuals(self, n_rows, generator, own=None):  # noqa: ARG001
    """Draw residuals as VAEs usually do: independent, with the deviations it learned."""
    noise = torch.randn(n_rows, len(self.learned), generator=generator)
    return noise * self.learned


def generators_become(
    make: Callable[[ClassGenerator], ClassGenerator],
) -> AbstractContextManager:
    """Replace the generator of each class after it was fitted."""
    fit = _ClassFitting.generator
    return patch.object(_ClassFitting, "generator", lambda *fitted: make(fit(*fitted)))


class Variant(NamedTuple):
    """Other parameters of VAEOversampler, or a replacement within it while it is fitted."""

    parameters: Mapping[str, object] = MappingProxyType({})
    replacement: Callable[[], AbstractContextManager] = nullcontext


VARIANTS = {
    DEFAULT: Variant(),
    "no rejection": Variant({"rejection_strength": 0}),
    "no quantile matching": Variant(
        replacement=lambda: generators_become(
            lambda fitted: replace(fitted, quantiles=NoMatching(fitted.quantiles))
        )
    ),
    "no normal scores": Variant(
        replacement=lambda: patch.object(NormalScores, "of", linear_scores)
    ),
    "no smoothing": Variant({"smoothing": 0}),
    "no pretraining": Variant({"pretrain_iter": 0}),
    "independent residuals": Variant(
        replacement=lambda: patch.object(ResidualModel, "draw", independent_residuals)
    ),
    "codes from the prior": Variant({"latent_sampling": "prior"}),
    "local Gaussians in place of the VAE": Variant(
        replacement=lambda: generators_become(LocalGaussians.of)
    ),
    "smoothed real rows in place of the VAE": Variant(
        replacement=lambda: generators_become(SmoothedRealRows.of)
    ),
}


class AblatedOversampler(BaseOverSampler):
    """VAEOversampler without one of its ingredients."""

    def __init__(self, variant=DEFAULT, *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy)
        self.variant = variant
        self.random_state = random_state

    def _fit_resample(self, X, y):
        """Fit and resample, with the ingredient replaced meanwhile."""
        variant = VARIANTS[self.variant]
        sampler = VAEOversampler(
            sampling_strategy=self.sampling_strategy,
            random_state=self.random_state,
            **variant.parameters,
        )
        with variant.replacement():
            return sampler.fit_resample(X, y)


ABLATED_SAMPLERS = {name: AblatedOversampler(name) for name in VARIANTS}


def losses(means: pd.DataFrame, scores: list[str]) -> pd.DataFrame:
    """Return each variant's mean difference from the default, and Wilcoxon's p.

    `means` has a line for each sampler and table.
    """
    lines = {}
    for name in means.index.unique("sampler"):
        if name != DEFAULT:
            differences = (means.loc[name] - means.loc[DEFAULT]).dropna()
            lines[name] = {
                score: mean_and_p(values) for score, values in differences[scores].items()
            }
    return pd.DataFrame(lines).T.rename_axis("variant")
