"""`Layout`: which slot of an encoded row holds what."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Part(NamedTuple):
    """Adjacent slots of an encoded row whose variables have the same likelihood."""

    likelihood: str  # a key of `vaesampler._vae.likelihoods.LIKELIHOODS`
    widths: tuple[int, ...]  # number of slots of each variable
    # Encoded values of the levels of each variable, if they are ordered.
    scores: tuple[tuple[float, ...], ...] = ()

    @property
    def width(self) -> int:
        """Number of slots."""
        return sum(self.widths)


@dataclass(frozen=True)
class Layout:
    """The slots of an encoded row.

    First the numeric slots, standardized; then flags, 1 or 0, for missing numbers and spikes;
    then the parts of the categories, such as one-hot groups.
    """

    n_normal: int
    n_flags: int = 0
    categories_parts: tuple[Part, ...] = ()
    # (flag, slot): where the flag is 1, the slot is ignored.
    silenced: tuple[tuple[int, int], ...] = ()

    @property
    def normal(self) -> slice:
        """Slots of numeric columns."""
        return slice(0, self.n_normal)

    @property
    def flags(self) -> slice:
        """Slots of flags."""
        return slice(self.n_normal, self.n_normal + self.n_flags)

    @property
    def categories(self) -> slice:
        """Slots of categories."""
        return slice(self.flags.stop, self.width)

    @property
    def discrete(self) -> slice:
        """Slots of flags and categories."""
        return slice(self.flags.start, self.width)

    @cached_property
    def width(self) -> int:
        """Number of slots."""
        return self.n_normal + self.n_flags + sum(part.width for part in self.categories_parts)

    @cached_property
    def n_columns(self) -> int:
        """Number of columns of the table."""
        return self.n_normal + sum(len(part.widths) for part in self.categories_parts)

    @cached_property
    def likelihood_parts(self) -> tuple[tuple[Part, slice], ...]:
        """The numeric part, then the others that have slots; equal likelihoods are merged."""
        parts = [Part("bernoulli", (1,) * self.n_flags), *self.categories_parts]
        merged = [Part("gaussian", (1,) * self.n_normal)]
        for part in filter(lambda part: part.width > 0, parts):
            last = merged[-1]
            if part.likelihood == last.likelihood:
                merged[-1] = Part(
                    part.likelihood, last.widths + part.widths, last.scores + part.scores
                )
            else:
                merged.append(part)
        stops = accumulate((part.width for part in merged), initial=0)
        return tuple(zip(merged, (slice(*ends) for ends in pairwise(stops)), strict=True))

    @property
    def variable_of_discrete_slot(self) -> npt.NDArray[np.intp]:  # (n_discrete_slots,)
        """Index, among flags and categories, of the variable of each slot in `discrete`."""
        of_category = self.variable_of_category_slot + self.n_flags
        return np.concatenate([np.arange(self.n_flags), of_category])

    @property
    def variable_of_category_slot(self) -> npt.NDArray[np.intp]:  # (n_category_slots,)
        """Index, among the categories, of the variable of each slot in `categories`."""
        widths = [width for part in self.categories_parts for width in part.widths]
        return np.repeat(np.arange(len(widths)), np.array(widths, dtype=np.intp))

    def is_silenced(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Return which numeric slots of rows (n_rows, width) are ignored."""
        is_silenced = np.zeros((len(rows), self.n_normal), dtype=bool)
        flags, slots = np.array(self.silenced, dtype=np.intp).reshape(-1, 2).T
        is_normal = slots < self.n_normal
        flags, slots = flags[is_normal], slots[is_normal]
        row_indices, pairs = np.nonzero(rows[:, self.flags][:, flags] > 0)
        is_silenced[row_indices, slots[pairs]] = True
        return is_silenced
