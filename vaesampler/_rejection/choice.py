"""Critics by name, and the choice of one by the size of a class."""

from dataclasses import dataclass

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import Critic, FittedCritic
from vaesampler._rejection.neighbors import NeighborCritic
from vaesampler._rejection.network import NetworkCritic
from vaesampler._runtime.seeds import RandomStream

# Use `NetworkCritic` from these sizes on, else `NeighborCritic`.
MIN_OWN_ROWS_FOR_NETWORK = 100
MIN_ROWS_FOR_NETWORK = 10_000


@dataclass(frozen=True)
class AutoCritic(Critic):
    """`NetworkCritic` for large classes in large tables, `NeighborCritic` for all others."""

    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> FittedCritic:
        """Fit the critic for a class of this size."""
        n_rows = len(own_rows) + len(other_rows)
        is_large = n_rows >= MIN_ROWS_FOR_NETWORK and len(own_rows) >= MIN_OWN_ROWS_FOR_NETWORK
        critic: Critic = NetworkCritic() if is_large else NeighborCritic()
        return critic.fit(own_rows, other_rows, random)


CRITICS: dict[str, Critic] = {
    "auto": AutoCritic(),
    "neighbors": NeighborCritic(),
    "network": NetworkCritic(),
}
