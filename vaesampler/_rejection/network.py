"""`NetworkCritic`: estimates the probability of a class with a small neural network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import (
    Candidates,
    Critic,
    FittedCritic,
    Verdict,
    log_probability,
)
from vaesampler._rejection.near_copies import NearCopies
from vaesampler._runtime.noise import choose_rows
from vaesampler._runtime.seeds import RandomStream
from vaesampler._training.batches import RowPool
from vaesampler._training.optimizer import Adam, FlatParameters, cosine_decay
from vaesampler._training.passes import MLPPasses
from vaesampler._vae.layers import StackedMLP

HIDDEN_LAYER_SIZES = (32, 32)
N_STEPS = 500
# Rows of the class in a batch, and as many of all others.
BATCH_SIZE = 256
LEARNING_RATE_INIT = 0.01
# Rows of the class, and of all others, in a pool, from which the batches of many steps come.
N_POOLED = 8_192
MOST_CELLS_BY_POOL = 2_000_000
N_STEPS_BY_POOL = 100


@dataclass(frozen=True)
class NetworkCritic(Critic):
    """Estimate the probability of a class with a network that separates it from all others.

    The network has two hidden layers of 32 units. It is trained for 500 steps on batches with
    as many rows of the class as of all others, 256 of each, so that its output is the log-odds
    if the class had as many rows as all others together. These odds are multiplied by
    ``(s / (1 - s)) ** 0.3``, where s is the share of the class in the table.

    A candidate is a near copy if it is nearer to the row that it was drawn around than the 10%
    quantile of the distances between rows of the class and their nearest neighbours.

    For classes of hundreds of rows in tables of tens of thousands, it is more accurate than
    `NeighborCritic`, and its time does not grow with the table.

    See Also
    --------
    ForestCritic : The default for other classes where distances between rows say little.
    NeighborCritic : The default for all others.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.

    Examples
    --------
    >>> from vaesampler import NetworkCritic, VAEOversampler
    >>> sampler = VAEOversampler(critic=NetworkCritic())
    """

    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> "FittedNetworkCritic":
        """Train the network, and estimate the threshold for near copies.

        Examples
        --------
        Use the network for large classes only, in a critic of your own:

        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import Critic, NeighborCritic, NetworkCritic, VAEOversampler
        >>> class BySizeCritic(Critic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         critic = NetworkCritic() if len(own_rows) >= 50 else NeighborCritic()
        ...         return critic.fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(critic=BySizeCritic(), random_state=0).fit(X, y)
        >>> sampler.sample(2, 5).shape
        (5, 13)
        """
        generator = random.torch()
        network = StackedMLP(1, [own_rows.width, *HIDDEN_LAYER_SIZES, 1], "relu")
        network.initialize([generator])
        _train(network, own_rows, other_rows, generator)
        share = len(own_rows) / (len(own_rows) + len(other_rows))
        return FittedNetworkCritic(network, share, NearCopies.fit(own_rows, generator))


@dataclass(frozen=True, eq=False)
class FittedNetworkCritic(FittedCritic):
    """A trained network."""

    suits_threads: ClassVar[bool] = True

    network: StackedMLP  # a stack of one: (1, n_rows, width) to log-odds (1, n_rows, 1)
    share: float  # of the class in the table
    copies: NearCopies

    @torch.no_grad()
    def judge(self, candidates: Candidates) -> Verdict:
        """Evaluate the network, and compare each candidate with its source."""
        log_odds = self.network(torch.from_numpy(candidates.encoded)[None])[0, :, 0].numpy()
        return Verdict(log_probability(log_odds, self.share), self.copies.among(candidates))


@torch.no_grad()  # gradients are written by hand
def _train(
    network: StackedMLP,
    own_rows: EncodedRows,
    other_rows: EncodedRows,
    generator: torch.Generator,
) -> None:
    """Minimize the cross-entropy of batches in which half of the rows belong to the class."""
    parameters = FlatParameters(network)
    passes = MLPPasses(network, 2 * BATCH_SIZE)
    optimizer = Adam(parameters)
    n_pooled = max(BATCH_SIZE, min(N_POOLED, MOST_CELLS_BY_POOL // own_rows.width))
    sources = [_drawing_from(rows, generator) for rows in (own_rows, other_rows)]
    pool = RowPool(sources, n_pooled, BATCH_SIZE, N_STEPS_BY_POOL, lambda rows: [rows])
    is_own = parameters.gradient.new_zeros(1, 2 * BATCH_SIZE, 1)
    is_own[:, :BATCH_SIZE] = 1
    for step in range(N_STEPS):
        (rows,) = pool.next()
        rows = rows.reshape(1, 2 * BATCH_SIZE, -1)
        gradient = passes.forward(rows).sigmoid_().sub_(is_own).div_(2 * BATCH_SIZE)
        passes.backward(rows, gradient, is_input_data=True)
        optimizer.step(cosine_decay(LEARNING_RATE_INIT, step, N_STEPS))


def _drawing_from(rows: EncodedRows, generator: torch.Generator) -> Callable[[int], Tensor]:
    """Return a function that draws a number of rows at random."""

    def draw(n_rows: int) -> Tensor:  # (n_rows, width)
        return torch.from_numpy(rows.take(choose_rows(len(rows), n_rows, generator).numpy()))

    return draw
