"""`RowFilter`: which drawn rows are accepted, before the critic judges them."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

# Drawing fails if a smaller share of the candidates is accepted, of at least this number.
LEAST_SHARE_ACCEPTED = 1 / 1_000
CANDIDATES_TRIED = 20_000


class RowFilter(ABC):
    """Accepts some of the drawn rows. Several threads may call it at once.

    Attributes
    ----------
    name : str
        What the filter is called in messages.
    seen : str
        How many real rows it accepts, for messages; empty if that is not known.
    """

    name: str
    seen: str = ""

    @abstractmethod
    def accepts(
        self, cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows, n_columns) to (n_rows,)
        """Return which rows are accepted."""


@dataclass(frozen=True)
class Acceptance:
    """How many candidates were accepted: by all filters, and by each."""

    n_candidates: int = 0
    n_accepted: int = 0
    n_by_filter: tuple[int, ...] = ()

    @property
    def share(self) -> float:
        """Share of the candidates that was accepted by all filters."""
        return self.n_accepted / self.n_candidates

    @property
    def is_too_small(self) -> bool:
        """Whether drawing fails: fewer than 1 in 1,000 of many candidates were accepted."""
        is_rare = self.n_accepted < LEAST_SHARE_ACCEPTED * self.n_candidates
        return is_rare and self.n_candidates >= CANDIDATES_TRIED

    def plus(self, other: Self) -> Self:
        """Return the acceptance of both sets of candidates."""
        before = self.n_by_filter or (0,) * len(other.n_by_filter)
        pairs = zip(before, other.n_by_filter, strict=True)
        return type(self)(
            self.n_candidates + other.n_candidates,
            self.n_accepted + other.n_accepted,
            tuple(one + another for one, another in pairs),
        )


@dataclass(frozen=True)
class Selection:
    """The rows of a class that are asked for."""

    filters: tuple[RowFilter, ...] = ()
    # Indices of the rows of the class to draw around; None for all.
    around: npt.NDArray[np.intp] | None = None


ALL_ROWS = Selection()


def accepted_by_all(
    filters: Sequence[RowFilter], cells: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.bool_], Acceptance]:  # (n_rows, n_columns) to (n_rows,)
    """Return which rows all filters accept, and how many each accepts."""
    masks = [one.accepts(cells) for one in filters]
    is_accepted = np.logical_and.reduce(masks, axis=0)
    n_by_filter = tuple(int(mask.sum()) for mask in masks)
    return is_accepted, Acceptance(len(cells), int(is_accepted.sum()), n_by_filter)


def too_few_accepted(
    label: Hashable, filters: Sequence[RowFilter], acceptance: Acceptance
) -> ValueError:
    """Return the error for a class of which too few candidates are accepted."""
    n_candidates = f"{acceptance.n_candidates:,}"
    rarest_first = sorted(
        zip(acceptance.n_by_filter, filters, strict=True), key=lambda pair: pair[0]
    )
    counts = "; ".join(
        f"{one.name}: {n_accepted:,} of {n_candidates} drawn rows{one.seen}"
        for n_accepted, one in rarest_first
    )
    return ValueError(
        "At least 1 in 1,000 drawn rows must meet what is asked for; "
        f"{acceptance.n_accepted:,} of {n_candidates} drawn rows of class {label!r} did. "
        f"{counts}. Widen the conditions, or relax the "
        "constraints."
    )
