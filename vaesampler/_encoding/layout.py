"""`Layout`: what each slot of an encoded row holds."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Part(NamedTuple):
    """Adjacent slots of an encoded row whose variables have the same likelihood.

    Attributes
    ----------
    likelihood : str
        A key of `vaesampler._vae.likelihoods.LIKELIHOODS`.
    widths : tuple of int
        Number of slots of each variable.
    scores : tuple of tuple of float
        Encoded levels of each variable, ascending, if they are ordered.
    """

    likelihood: str
    widths: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...] = ()

    @property
    def width(self) -> int:
        """Number of slots."""
        return sum(self.widths)


@dataclass(frozen=True)
class Layout:
    """The slots of an encoded row: numeric values, flags, and categories.

    Attributes
    ----------
    n_normal : int
        Number of numeric slots, one per numeric or constant column, standardized.
    n_flags : int
        Number of flags, 1 where the cell of a numeric column is missing or equals a spike (a
        value that many rows share), and 0 elsewhere.
    categories_parts : tuple of Part
        The slots of all other columns.
    silenced : tuple of tuple of int
        Pairs of a flag (counted from the first flag) and a slot that is ignored where the flag
        is 1.
    """

    n_normal: int
    n_flags: int = 0
    categories_parts: tuple[Part, ...] = ()
    silenced: tuple[tuple[int, int], ...] = ()

    @property
    def normal(self) -> slice:
        """The numeric slots."""
        return slice(0, self.n_normal)

    @property
    def flags(self) -> slice:
        """The slots of flags."""
        return slice(self.n_normal, self.n_normal + self.n_flags)

    @property
    def categories(self) -> slice:
        """The slots of categories."""
        return slice(self.flags.stop, self.width)

    @property
    def discrete(self) -> slice:
        """The slots of flags and categories."""
        return slice(self.flags.start, self.width)

    @cached_property
    def width(self) -> int:
        """Number of slots."""
        return self.n_normal + self.n_flags + sum(part.width for part in self.categories_parts)

    @cached_property
    def n_columns(self) -> int:
        """Number of columns of the table; one-hot encoded columns of one group count once."""
        return self.n_normal + sum(len(part.widths) for part in self.categories_parts)

    @cached_property
    def likelihood_parts(self) -> tuple[tuple[Part, slice], ...]:
        """The parts and their slots, the numeric part first, without empty parts.

        Adjacent parts with the same likelihood are merged.
        """
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
        """Index, among flags and categories, of the variable of each slot of `discrete`."""
        of_category = self.variable_of_category_slot + self.n_flags
        return np.concatenate([np.arange(self.n_flags), of_category])

    @property
    def variable_of_category_slot(self) -> npt.NDArray[np.intp]:  # (n_category_slots,)
        """Index, among categories, of the variable of each slot of `categories`."""
        widths = [width for part in self.categories_parts for width in part.widths]
        return np.repeat(np.arange(len(widths)), np.array(widths, dtype=np.intp))

    def is_silenced(
        self, rows: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.bool_]:  # (n_rows, width) to (n_rows, n_normal)
        """Return whether each numeric slot of each row is ignored."""
        is_silenced = np.zeros((len(rows), self.n_normal), dtype=bool)
        flags, slots = np.array(self.silenced, dtype=np.intp).reshape(-1, 2).T
        is_normal = slots < self.n_normal
        flags, slots = flags[is_normal], slots[is_normal]
        row_indices, pairs = np.nonzero(rows[:, self.flags][:, flags] > 0)
        is_silenced[row_indices, slots[pairs]] = True
        return is_silenced


def midpoints_between(
    levels: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:  # (n_levels,) to (n_levels - 1,)
    """Return the midpoints of adjacent levels."""
    midpoints: npt.NDArray[np.float64] = levels[:-1] / 2 + levels[1:] / 2
    return midpoints
