"""`SavedSampler`: what a file holds of a fitted sampler."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vaesampler._generation.constraints import SeenCombinations
from vaesampler._generation.latent import LatentSampler
from vaesampler._rejection.critic import Critic
from vaesampler._saving.generators import SavedGenerator


@dataclass(frozen=True, eq=False, kw_only=True)
class SavedSampler:
    """A fitted sampler without the schema of its table."""

    parameters: dict[str, Any]
    template: Any  # a `Template` or a `SavedFrame`
    generators: list[SavedGenerator]
    entropy: int
    latent_sampler: LatentSampler
    critic: Critic
    sampling_strategy: dict[Any, int]
    n_features_in: int
    feature_names_in: npt.NDArray[np.object_] | None
    synthetic_mask: npt.NDArray[np.bool_] | None
    combinations: list[SeenCombinations] = field(default_factory=list)
    source_indices: npt.NDArray[np.intp] | None = None
