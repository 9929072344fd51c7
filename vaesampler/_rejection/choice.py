"""Critics by name, and the choice of one by the columns of a table and the size of a class."""

from dataclasses import dataclass, field

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import Critic, FittedCritic
from vaesampler._rejection.forest import ForestCritic
from vaesampler._rejection.neighbors import NeighborCritic
from vaesampler._rejection.network import NetworkCritic
from vaesampler._runtime.seeds import RandomStream
from vaesampler._table.columns import (
    CategoricalColumn,
    Column,
    ConstantColumn,
    DiscreteColumn,
    IndicatorColumn,
    InheritedColumn,
    LevelColumn,
)
from vaesampler._table.schema import FeatureSchema

# Use `NetworkCritic` from these sizes on.
MIN_OWN_ROWS_FOR_NETWORK = 100
MIN_ROWS_FOR_NETWORK = 10_000
# A column of at most this many levels has few: distances between them say little.
MOST_LEVELS_FOR_FEW = 16


@dataclass(frozen=True)
class AutoCritic(Critic):
    """`NetworkCritic` for large classes in large tables, another critic for all others."""

    of_small: Critic = field(default_factory=NeighborCritic)

    def suited_to(self, schema: FeatureSchema) -> "AutoCritic":
        """Use `ForestCritic` for small classes where distances between rows say little.

        This is so if a column is categorical, or if at least half of the columns have few
        levels.
        """
        left_out = (ConstantColumn, InheritedColumn)
        columns = [one for one in schema.columns if not isinstance(one, left_out)]
        is_categorical = any(
            isinstance(one, CategoricalColumn | IndicatorColumn) for one in columns
        )
        n_with_few = sum(map(_has_few_levels, columns))
        has_few = len(columns) > 0 and 2 * n_with_few >= len(columns)
        return AutoCritic(ForestCritic() if is_categorical or has_few else NeighborCritic())

    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> FittedCritic:
        """Fit the critic for a class of this size."""
        n_rows = len(own_rows) + len(other_rows)
        is_large = n_rows >= MIN_ROWS_FOR_NETWORK and len(own_rows) >= MIN_OWN_ROWS_FOR_NETWORK
        critic: Critic = NetworkCritic() if is_large else self.of_small
        return critic.fit(own_rows, other_rows, random)


def _has_few_levels(column: Column) -> bool:
    if isinstance(column, DiscreteColumn):
        return len(column.levels) <= MOST_LEVELS_FOR_FEW
    return isinstance(column, LevelColumn)


CRITICS: dict[str, Critic] = {
    "auto": AutoCritic(),
    "forest": ForestCritic(),
    "neighbors": NeighborCritic(),
    "network": NetworkCritic(),
}
