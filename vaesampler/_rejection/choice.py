"""Which critic suits a class."""

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from vaesampler._encoding.rows import EncodedRows, SelectedRows
from vaesampler._rejection.critic import Critic
from vaesampler._rejection.neighbors import NeighborCritic
from vaesampler._rejection.network import NetworkCritic
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.schema import FeatureSchema

# The network judges classes of so many rows in tables of so many, neighbours all others.
MIN_OWN_ROWS_FOR_NETWORK = 100
MIN_ROWS_FOR_NETWORK = 10_000


def _fit_critic(
    schema: FeatureSchema,
    encoded: EncodedRows,
    own_rows: EncodedRows,
    y: np.ndarray,
    label: Hashable,
    seeds: Seeds,
) -> Critic:
    other_rows = SelectedRows(encoded, np.flatnonzero(y != label))
    critic: NetworkCritic | NeighborCritic
    if len(own_rows) >= MIN_OWN_ROWS_FOR_NETWORK and len(y) >= MIN_ROWS_FOR_NETWORK:
        critic = NetworkCritic.fit(own_rows, other_rows, seeds.torch("critic", label))
    else:
        critic = NeighborCritic.fit(own_rows, other_rows, seeds.numpy("critic", label))
    # Rows of nothing but categories repeat: one that equals a real row need not be its copy.
    return critic if schema.has_numbers else replace(critic, copy_distance=0.0)
