"""`NearCopies`: which candidates are near copies of the rows that they were drawn around."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.neighbors import NearestNeighbors

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import COPY_QUANTILE, Candidates

# The threshold is estimated from the distances of this many rows to their nearest
# neighbours, ...
N_ROWS_FOR_COPIES = 200
# ... among at most this many rows of the class.
MAX_ROWS_AROUND_THEM = 20_000


@dataclass(frozen=True, eq=False)
class NearCopies:
    """The rows of a class, and the distance to its source below which a row is a near copy."""

    own_rows: EncodedRows
    distance: float

    @classmethod
    def fit(cls, own_rows: EncodedRows, generator: torch.Generator) -> Self:
        """Estimate the threshold from distances between rows of the class."""
        shuffled = torch.randperm(len(own_rows), generator=generator, device=generator.device)
        some = own_rows.take(shuffled[:MAX_ROWS_AROUND_THEM].numpy())
        search = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(some)
        # [:, 0] are the distances of the rows to themselves.
        distances = search.kneighbors(some[:N_ROWS_FOR_COPIES])[0][:, 1]
        return cls(own_rows, float(np.quantile(distances, COPY_QUANTILE)))

    def among(self, candidates: Candidates) -> npt.NDArray[np.bool_]:  # (n_candidates,)
        """Return whether each candidate is a near copy of its source."""
        has_source = candidates.sources >= 0
        moves = candidates.encoded[has_source]
        moves -= self.own_rows.take(candidates.sources[has_source])
        is_copy = np.zeros(len(candidates.sources), dtype=bool)
        is_copy[has_source] = np.einsum("ij,ij->i", moves, moves) < self.distance**2
        return is_copy
